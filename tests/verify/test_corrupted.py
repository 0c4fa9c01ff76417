"""Whatever is changed in a run's folder, the verifier says so, and names what it saw first."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from corrupt import RAW, SIGNED
from massbalance.verification import verify_run

KINDS = {**SIGNED, **RAW}
BATCHES, EACH = 10, 50


def spoil(runs: list[Path], target: Path, kind: str, seed: int) -> Path | None:
    """A spoilt copy of one of the runs; None where none of them has what this kind spoils."""
    rng = random.Random(f"{kind} {seed}")
    for run in rng.sample(runs, len(runs)):
        copy = target / f"{kind}-{seed}"
        shutil.copytree(run, copy)
        if KINDS[kind](copy, rng):
            return copy
        shutil.rmtree(copy)
    return None


@pytest.mark.parametrize("batch", range(BATCHES))
def test_every_corruption_is_rejected_with_a_named_first_fault(
    runs: list[Path], tmp_path: Path, batch: int
) -> None:
    kinds = sorted(KINDS)
    for i in range(batch * EACH, (batch + 1) * EACH):
        kind = kinds[i % len(kinds)]
        copy = spoil(runs, tmp_path, kind, i)
        assert copy is not None, kind
        first = verify_run(copy).first
        assert first is not None, f"{copy} was accepted"
        assert first.table, first
        assert first.expected, first
        assert first.code, first
        if kind in SIGNED:
            assert first.code != "manifest", f"{kind} {i}: only the manifest saw it"
        shutil.rmtree(copy)


def test_there_are_enough_kinds_and_every_kind_is_tried() -> None:
    assert len(SIGNED) >= 25
    assert len(KINDS) <= BATCHES * EACH


def test_sound_runs_are_accepted(runs: list[Path]) -> None:
    for run in runs:
        report = verify_run(run)
        assert report.ok, (run, report.first)
        assert report.first is None
        assert report.goals


def test_the_whole_program_finds_what_was_worked_out_by_hand(
    scarce: Path, mixed: Path, solved: list[Path]
) -> None:
    for by_hand, by_solver in ((scarce, solved[0]), (mixed, solved[1])):
        for one, other in zip(verify_run(by_hand).goals, verify_run(by_solver).goals, strict=True):
            assert (one.name, one.priority) == (other.name, other.priority)
            worse = one.booked - other.booked if one.name == "margin" else other.booked - one.booked
            assert worse <= other.tolerance, one
