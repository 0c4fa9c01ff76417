"""Campaigns of `kill -9`: an operation dies somewhere, and the ledger must be as before or as after it."""

from __future__ import annotations

import gc
import hashlib
import os
import random
import signal
import sys
import time
from pathlib import Path

from massbalance.certificates import issue
from massbalance.ledger.problems import LedgerMissing
from massbalance.ledger.signing import Signer
from tests.ledger_faults.acts import AGAIN, REPEATED, Act, Stage, copy, post
from tests.ledger_faults.apart import Steps, die, ended, fork
from tests.ledger_faults.invariants import Content, sound
from tests.ledger_faults.material import Material


class Trial:
    """One operation on copies of one ledger. seconds: how long it takes undisturbed."""

    def __init__(self, name: str, base: Path, act: Act, place: Path) -> None:
        self.name, self.base, self.act, self.file = name, base, act, place / "trial.db"
        self.before = sound(base) if base.exists() else None
        # here, so that children find everything imported; twice, since the first time is slow
        for _ in range(2):
            copy(base, self.file)
            begun = time.perf_counter()
            assert act(self.file) == 0, name
            self.seconds = time.perf_counter() - begun
        self.after = sound(self.file)
        # what stands between: the ledger was made, and nothing was posted yet
        self.made = self.after[:1] if self.before is None else None

    def check(self, *, done: bool = False, again: bool = True) -> bool:
        """After a kill: as before or as after, nothing between; then once more to its end. Is it done?"""
        found = self._state()
        assert found in (self.before, self.made, self.after), f"{self.name}: between before and after"
        assert not done or found == self.after, f"{self.name}: lost after its commit"
        if not again and found in (self.before, self.made):
            return False
        code = ended(fork(lambda: self.act(self.file)))
        repeated = self.name in REPEATED and found == self.after
        if not repeated:
            assert code == 0 or (code == AGAIN and found == self.after), f"{self.name}: again gave {code}"
            assert sound(self.file) == self.after, f"{self.name}: done again it is something else"
        return found == self.after

    def _state(self) -> Content | None:
        if self.before is None:
            try:
                return sound(self.file)
            except LedgerMissing:
                return None
        return sound(self.file)


def trials(place: Path, material: Material) -> list[Trial]:
    """A trial of every operation."""
    # typst's threads do not survive a fork: bytes that follow from the document stand in for its page
    issue._pdf = lambda document, content, language: hashlib.sha256(content).digest() * 2000
    stage = Stage.of(place, material)
    bases = stage.bases()
    found = [Trial(name, bases[base], act, place) for name, (base, act) in stage.acts().items()]
    gc.collect()
    gc.freeze()  # else every child copies what its collector touches
    return found


def at_every_step(place: Path, material: Material) -> dict[str, int]:
    """Kill every operation before and after each statement and commit. Name -> how many kills."""
    kills = {}
    for trial in trials(place, material):
        at = 0
        while True:
            at += 1
            copy(trial.base, trial.file)
            code = ended(fork(lambda trial=trial, at=at: _killed(trial, at)))
            if code != -signal.SIGKILL:
                assert code == 0, (trial.name, at, code)
                break
            trial.check(again=at % 4 == 0)
        kills[trial.name] = at - 1
    return kills


def _killed(trial: Trial, at: int) -> int:
    with Steps(at).counted():
        return trial.act(trial.file)


def on_server(place: Path, material: Material, urls: list[str]) -> int:
    """Kill a first posting to an empty database of a server, from its first step to its last: how many."""
    stage = Stage.of(place, material)
    first, *others = urls

    def act(url: str, at: int | None) -> int:
        with Steps(at).counted() as steps:
            post(stage.first[0], url)
        (place / "steps").write_text(str(steps.passed), encoding="utf-8")
        return 0

    assert ended(fork(lambda: act(first, None))) == 0
    after, steps = sound(first), int((place / "steps").read_text(encoding="utf-8"))
    for number, url in enumerate(others, 1):
        at = 1 + (steps - 1) * number // len(others)
        assert ended(fork(lambda url=url, at=at: act(url, at))) == -signal.SIGKILL
        try:
            found = sound(url)
        except LedgerMissing:
            found = None
        assert found in (None, after[:1], after), f"killed at {at}: between before and after"
        assert ended(fork(lambda url=url: post(stage.first[0], url))) == (AGAIN if found == after else 0)
        assert sound(url) == after
    return len(others)


def told_nobody(place: Path, material: Material) -> int:
    """Kill every operation when all is done, before it could tell anyone: it is done, and once."""
    all_trials = trials(place, material)
    for trial in all_trials:
        copy(trial.base, trial.file)

        def act(trial: Trial = trial) -> int:
            trial.act(trial.file)
            die()
            return 0

        assert ended(fork(act)) == -signal.SIGKILL
        assert trial.check(done=True)
    return len(all_trials)


def at_random(place: Path, material: Material, kills: int, seed: int) -> dict[str, int]:
    """Kill operations from outside at any moment. How many were killed, and how many of these were done."""
    chance = random.Random(seed)
    tried = trials(place, material)
    counts = {"killed": 0, "whole": 0, "absent": 0, "ended before": 0}
    while counts["killed"] < kills:
        trial = chance.choice(tried)
        copy(trial.base, trial.file)
        pid = fork(lambda trial=trial: trial.act(trial.file))
        time.sleep(chance.uniform(0, trial.seconds))
        os.kill(pid, signal.SIGKILL)
        if ended(pid) != -signal.SIGKILL:
            counts["ended before"] += 1
            trial.seconds *= 0.8
            continue
        counts["killed"] += 1
        whole = trial.check(again=counts["killed"] % 4 == 0)
        counts["whole" if whole else "absent"] += 1
        # kept so long that late moments, too, are met on a busy machine
        trial.seconds *= 0.9 if whole else 1.05
    return counts


def key_at_every_call(place: Path) -> int:
    """Kill the making of a key at every call that Python makes: no half key, none that others may read."""
    file = place / "keys" / "new.pem"
    at = 0
    while True:
        at += 1
        if file.parent.exists():
            for left in file.parent.iterdir():
                left.unlink()
            file.parent.rmdir()
        if ended(fork(lambda at=at: _killed_signer(file, at))) != -signal.SIGKILL:
            return at - 1
        for left in file.parent.iterdir() if file.parent.exists() else ():
            assert left.stat().st_mode & 0o077 == 0, left
        there = file.read_bytes() if file.exists() else None
        signer = Signer.of("none", file)
        assert there in (None, file.read_bytes())
        assert Signer.of("none", file).public_hex == signer.public_hex


def _killed_signer(file: Path, at: int) -> int:
    steps = Steps(at)

    def hook(frame: object, event: str, argument: object) -> None:
        if event in ("c_call", "c_return"):
            steps.step()

    sys.setprofile(hook)
    Signer.of("none", file)
    sys.setprofile(None)
    return 0
