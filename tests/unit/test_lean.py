"""Scope caps that are sums of others are left out; the optimum and its prices on lots stay."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "differential"))

from massbalance.api import read_case
from massbalance.formulation.problem import build_problem
from massbalance.solving.assembly import assemble
from massbalance.solving.lean import connected, lean
from massbalance.solving.lexicographic import solve
from random_cases import write_random_case


@pytest.mark.parametrize(
    ("cut", "sets", "needed"),
    [
        (0b001, [0b001], True),
        (0b011, [0b001, 0b010], False),
        (0b011, [0b001, 0b010, 0b011], True),
        (0b111, [0b011, 0b110], True),
        (0b111, [0b011, 0b100], False),
        (0b111, [0b001, 0b010, 0b100], False),
        (0b011, [0b001, 0b010, 0b111], False),
        (0b111, [0b111], True),
    ],
)
def test_a_cut_is_needed_where_its_sets_hang_together(cut: int, sets: list[int], needed: bool) -> None:
    assert connected(cut, sets) is needed


def test_the_optimum_is_the_same_and_rows_are_fewer(tmp_path: Path) -> None:
    fewer = 0
    for seed in range(12):
        write_random_case(tmp_path / str(seed), 300 + seed, mip=False)
        problem = build_problem(read_case(tmp_path / str(seed)))
        whole = assemble(problem)
        short = lean(problem, whole)
        fewer += len(whole.rows) - len(short.rows)
        assert set(short.rows) <= set(whole.rows)
        before, after = solve(whole), solve(short)
        assert after.columns == pytest.approx(before.columns, abs=1e-5)
        for one, other in zip(before.stages, after.stages, strict=True):
            assert other.minimum == pytest.approx(one.minimum, rel=1e-9, abs=1e-7)
        # what was left out holds all the same
        assert (whole.matrix @ after.columns <= whole.row_upper + 1e-6).all()
        assert np.isfinite(after.columns).all()
    assert fewer > 0
