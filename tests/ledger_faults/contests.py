"""Processes that want the same credits at the same time: one decision wins, and it is posted once."""

from __future__ import annotations

import gc
import os
import random
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from massbalance.ledger import operations
from massbalance.ledger.problems import Conflict, LedgerError
from massbalance.ledger.reversal import reverse
from tests.ledger_faults import acts
from tests.ledger_faults.acts import AGAIN, Act, Stage, copy, post
from tests.ledger_faults.apart import BROKEN, ended, fork
from tests.ledger_faults.invariants import Content, sound
from tests.ledger_faults.material import Material

LOST = Conflict.exit_code
CROWD = 8


class Crowd:
    """Processes that wait for a word, and then all do what they were told at once."""

    def __init__(self, tasks: Sequence[Act]) -> None:
        gc.collect()
        gc.freeze()
        self.tasks = tasks
        self.members: list[tuple[int, int, int]] = []
        for _ in range(CROWD):
            self.members.append(self._join())

    def _join(self) -> tuple[int, int, int]:
        told, tell = os.pipe()
        heard, say = os.pipe()
        # a sibling that kept these ends would keep the others from seeing that their master is gone
        others = [tell, heard, *(end for _, *ends in self.members for end in ends)]
        pid = fork(lambda: self._serve(told, say, others))
        os.close(told)
        os.close(say)
        return pid, tell, heard

    def _serve(self, told: int, say: int, others: Sequence[int]) -> int:
        for end in others:
            os.close(end)
        while word := os.read(told, 4096):
            task, _, url = word.decode().partition(" ")
            code = BROKEN
            with suppress(Exception):
                try:
                    code = self.tasks[int(task)](url)
                except LedgerError as problem:
                    code = problem.exit_code
            os.write(say, bytes([code]))
        return 0

    def compete(self, tasks: Sequence[int], url: str | Path) -> list[int]:
        """Do the tasks (their numbers) at once, each in a process of its own; their exit codes."""
        at_it = self.members[: len(tasks)]
        for (_, tell, _), task in zip(at_it, tasks, strict=True):
            os.write(tell, f"{task} {url}".encode())
        return [os.read(heard, 1)[0] for _, _, heard in at_it]

    def leave(self) -> None:
        """End every process."""
        for pid, tell, heard in self.members:
            os.close(tell)
            os.close(heard)
            ended(pid)


class Contests:
    """Contests over copies of one ledger."""

    def __init__(self, base: Path, tasks: Sequence[Act], place: Path) -> None:
        self.base, self.file = base, place / "contest.db"
        self.alone: list[Content] = []
        for task in tasks:
            copy(base, self.file)
            assert task(self.file) == 0
            self.alone.append(sound(self.file))
        self.crowd = Crowd(tasks)
        self.counts: Counter[str] = Counter()

    def hold(self, tasks: Sequence[int], url: str | Path | None = None) -> None:
        """One contest: exactly one task wins; it is done once, as if it had been alone."""
        if url is None:
            url = copy(self.base, self.file)
        codes = self.crowd.compete(tasks, url)
        winners = {task for task, code in zip(tasks, codes, strict=True) if code == 0}
        assert len(winners) == 1, (tasks, codes)
        assert codes.count(0) == 1, f"done twice: {tasks} {codes}"
        winner = winners.pop()
        for task, code in zip(tasks, codes, strict=True):
            assert code == LOST if task != winner else code in (0, AGAIN), (tasks, codes)
        assert sound(url) == self.alone[winner]
        self.counts[f"{len(tasks)} processes"] += 1
        self.counts[f"{len(set(tasks))} runs"] += 1
        self.counts["contests"] += 1


def _drawn(chance: random.Random, runs: int) -> list[int]:
    """Two processes mostly, up to eight; runs that differ mostly, sometimes the same."""
    size = chance.choice((2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 4, 4, 6, 8))
    same = chance.random() < 0.2
    first = chance.randrange(runs)
    return [first if same else chance.randrange(runs) for _ in range(size)]


def of_posting(place: Path, material: Material, count: int, seed: int) -> dict[str, int]:
    """Contests of runs with the same opening, on one ledger after another."""
    chance = random.Random(seed)
    stage = Stage.of(place, material)
    bases = stage.bases()
    later = Contests(bases["first"], [partial(post, run) for run in stage.second], place)
    for _ in range(count):
        later.hold(_drawn(chance, len(stage.second)))
    later.crowd.leave()
    return dict(later.counts)


def of_first_posting(place: Path, material: Material, count: int, seed: int) -> dict[str, int]:
    """Contests of first runs where even the ledger is still to be made, and its key."""
    chance = random.Random(seed)
    stage = Stage.of(place, material)
    os.environ["MASSBALANCE_KEY"] = str(place / "made" / "key.pem")
    first = Contests(stage.bases()["nothing"], [partial(post, run) for run in stage.first], place)
    for _ in range(count):
        (place / "made" / "key.pem").unlink(missing_ok=True)
        first.hold(_drawn(chance, len(stage.first)))
    first.crowd.leave()
    return dict(first.counts)


def on_server(place: Path, material: Material, urls: Sequence[str], seed: int) -> dict[str, int]:
    """Contests of first runs on empty databases of a server, one each; the ledger is still to be made."""
    chance = random.Random(seed)
    stage = Stage.of(place, material)
    contests = Contests(stage.bases()["nothing"], [partial(post, run) for run in stage.first], place)
    for url in urls:
        contests.hold(_drawn(chance, len(stage.first)), url)
    contests.crowd.leave()
    return dict(contests.counts)


def of_operations(place: Path, material: Material, count: int, seed: int) -> dict[str, int]:
    """A post against a lock, a reversal, an adjustment, an expiry, an adoption: some order of them it was.

    The end must be that of one order, with the exit codes that it gives.
    """
    chance = random.Random(seed)
    stage = Stage.of(place, material)
    base, file = stage.bases()["first"], place / "contest.db"
    run, first = stage.second[0], stage.first[0]
    stricter = stage.acts()["adopt"][1]
    tasks: list[Act] = [
        partial(post, run),
        partial(acts.done, operations.lock, "Q1"),
        partial(acts.done, reverse, first.key, [], "Q1", "wrong"),
        partial(acts.done, reverse, first.key, ["A0-less"], "Q1", "returned"),
        partial(acts.done, operations.adjust, "GREEN", 19_000_000, "Q1", "weighed again"),
        partial(acts.done, operations.expire, "Q1"),
        stricter,
    ]
    known: dict[tuple[int, ...], tuple[Content, dict[int, int]]] = {}

    def in_turn(order: Sequence[int]) -> tuple[Content, dict[int, int]]:
        key = tuple(order)
        if key not in known:
            copy(base, file)
            codes = {task: _code(tasks[task], file) for task in order}
            known[key] = sound(file), codes
        return known[key]

    pairs = [(a, b) for a in range(len(tasks)) for b in range(a)]
    for pair in pairs:
        in_turn(pair)
        in_turn(pair[::-1])
    crowd = Crowd(tasks)
    counts: Counter[str] = Counter()
    for at in range(count):
        pair = pairs[at % len(pairs)]
        pair = pair if chance.random() < 0.5 else pair[::-1]
        codes = dict(zip(pair, crowd.compete(pair, copy(base, file)), strict=True))
        possible = [in_turn(pair), in_turn(pair[::-1])]
        assert (sound(file), codes) in possible, (pair, codes)
        counts["contests"] += 1
        counts[f"{sorted(codes.values())}"] += 1
    crowd.leave()
    return dict(counts)


def _code(act: Callable[[Any], int], url: Path) -> int:
    try:
        return act(url)
    except LedgerError as problem:
        return problem.exit_code
