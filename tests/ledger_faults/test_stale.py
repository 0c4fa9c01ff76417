"""What a posting must not believe: old openings, old files, its own repetition, the clock."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

import pytest

from massbalance import records
from massbalance.ledger import operations, posting, writer
from massbalance.ledger.problems import Conflict
from massbalance.ledger.signing import ENVIRONMENT
from tests.ledger_faults.acts import AGAIN, Stage, copy, done, post
from tests.ledger_faults.invariants import content, sound
from tests.ledger_faults.material import Material


@pytest.fixture
def stage(material: Material, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """Runs and ledgers, in this process."""
    monkeypatch.setenv(ENVIRONMENT, str(material.key))
    monkeypatch.setattr(posting, "checked_books", posting.checked_books)
    return Stage.of(tmp_path, material)


MOVES = {
    "next post": ("lots", "J5.3.1"),
    "expire": ("lots.SCRAP", "J5.3.1"),
    "adopt": ("approval", "A6.2"),
    "adjust": ("lots.GREEN", "J5.3.1"),
    "reverse orders": ("lots.SCRAP", "J5.3.1"),
    "reverse a run": ("lots.GREEN", "J5.3.1"),
}
"""An act that moves the ledger, and what a run of before is told: column, code."""


@pytest.mark.parametrize("name", MOVES)
def test_a_run_of_before_is_told_what_moved(name: str, stage: Stage, tmp_path: Path) -> None:
    bases, acts = stage.bases(), stage.acts()
    file = copy(bases["first"], tmp_path / "book.db")
    if name == "reverse orders":
        from massbalance.ledger.reversal import reverse

        assert done(reverse, stage.first[0].key, ["A0-less"], "Q1", "returned", file) == 0
    else:
        assert acts[name][1](file) == 0
    before = sound(file)
    with pytest.raises(Conflict) as told:
        post(stage.second[1], file)
    column, code = MOVES[name]
    found = {(fault.column, fault.code) for fault in told.value.faults}
    assert any(c.startswith(column) and k == code for c, k in found), found
    assert sound(file) == before


@pytest.mark.parametrize("name", ["carry over", "receive", "assert"])
def test_what_moves_nothing_leaves_a_run_fresh(name: str, stage: Stage, tmp_path: Path) -> None:
    file = copy(stage.bases()["first"], tmp_path / "book.db")
    assert stage.acts()[name][1](file) == 0
    if name == "receive":  # the new lot is now the ledger's, and the opening did not list it
        with pytest.raises(Conflict):
            post(stage.second[0], file)
        return
    assert post(stage.second[0], file) == 0
    sound(file)


def test_locked_after_the_run_was_made(stage: Stage, tmp_path: Path) -> None:
    file = copy(stage.bases()["first"], tmp_path / "book.db")
    assert stage.acts()["carry over"][1](file) == 0
    assert done(operations.lock, "Q2", file) == 0
    before = sound(file)
    with pytest.raises(Conflict, match="Q2"):
        post(stage.second[0], file)
    assert sound(file) == before


ALL = (
    "create", "first post", "post", "next post", "receive", "carry over", "expire", "lock", "adopt", "adjust",
    "reverse orders", "reverse a run", "certificate", "cancel",
)  # fmt: skip


@pytest.mark.parametrize("name", ALL)
def test_replayed_twice_more(name: str, stage: Stage, tmp_path: Path) -> None:
    base, act = stage.acts()[name]
    file = copy(stage.bases()[base], tmp_path / "book.db")
    assert act(file) == 0
    before = sound(file)
    for _ in range(2):
        assert act(file) == (0 if name == "create" else AGAIN)
        assert content(file) == before


# ---- an older file in place of the ledger's -----------------------------------------------------------


def test_an_older_copy_in_its_place(material: Material, stage: Stage, tmp_path: Path) -> None:
    """Whoever holds a checkpoint sees it; and a run that was opened after it is refused."""
    file, old = copy(stage.bases()["first"], tmp_path / "book.db"), tmp_path / "old.db"
    shutil.copyfile(file, old)
    assert stage.acts()["carry over"][1](file) == 0
    run = records.run_from_ledger(material.second[0].with_name("case"), tmp_path / "run", file).out
    _, checkpoint = records.checkpoint(file, tmp_path)
    assert checkpoint is not None
    assert records.check_ledger(file, [checkpoint])[1] == []
    copy(old, file)
    assert records.check_ledger(file)[1] == []
    assert {fault.code for fault in records.check_ledger(file, [checkpoint])[1]} == {"checkpoint"}
    before = content(file)
    with pytest.raises(Conflict, match=r"opening\.json"):
        records.post_run(run, file)
    assert content(file) == before
    # and if it goes on from there as if nothing had been, it is another ledger for whoever knew the first
    assert post(stage.second[1], file) == 0
    assert {fault.code for fault in records.check_ledger(file, [checkpoint])[1]} == {"checkpoint"}


# ---- the clock ----------------------------------------------------------------------------------------


def clock(shift: timedelta) -> type[datetime]:
    """A clock that is wrong by so much."""

    class Wrong(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + shift

    return Wrong


def test_a_clock_that_jumps_moves_nothing(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Back a year, ten years on, back again, between operations: the same rows but for their times."""
    acts = stage.acts()
    names = ("next post", "reverse orders", "assert", "lock")
    plain = copy(stage.bases()["first"], tmp_path / "plain.db")
    jumpy = copy(stage.bases()["first"], tmp_path / "jumpy.db")

    def again(url: Path) -> int:
        return done(operations.assert_balance, "GREEN", 14_125_000 + 5_000_000, url)

    steps: list[Callable[[Path], int]] = [acts[name][1] if name != "assert" else again for name in names]
    for step in steps:
        assert step(plain) == 0
    for step, days in zip(steps, (-365, 3653, -3653, 0), strict=True):
        monkeypatch.setattr(writer, "datetime", clock(timedelta(days=days)))
        assert step(jumpy) == 0
    assert sound(jumpy) == sound(plain)


# ---- no room ------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs limits of processes")
def test_a_posting_that_finds_no_room(
    material: Material, tmp_path: Path, elsewhere: Callable[..., int]
) -> None:
    """The file may not grow beyond a limit, at every 4 kB of what the posting needs."""
    assert elsewhere(limited, tmp_path, material) > 10


def limited(place: Path, material: Material) -> int:
    """Post under one limit after another until there is room; how many were too low."""
    import resource
    import signal

    from tests.ledger_faults.apart import ended, fork

    stage = Stage.of(place, material)
    base, file = stage.bases()["first"], place / "book.db"
    before = sound(base)
    assert post(stage.second[0], copy(base, file)) == 0
    after = sound(file)

    def act(limit: int) -> int:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        return post(stage.second[0], file)

    too_low, limit = 0, 4096
    while True:
        copy(base, file)
        code = ended(fork(lambda limit=limit: act(limit)))
        found = sound(file)
        if code == 0:
            assert found == after
            return too_low
        assert code == 1, code
        assert found in (before, after)
        if too_low % 4 == 0:
            assert post(stage.second[0], file) in (0, AGAIN)
            assert sound(file) == after
        too_low, limit = too_low + 1, limit + 4096
