"""The decomposition and the monolith reach one optimum, and the prices of both prove it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hand_cases import CASES
from massbalance.api import read_case, run_case
from massbalance.formulation.labels import EQUATION_NAMES
from massbalance.formulation.problem import Problem, build_problem
from massbalance.solving import decomposition, lexicographic
from massbalance.solving.assembly import assemble
from massbalance.solving.compiled import Compiled
from massbalance.solving.solution import Solution
from random_cases import write_random_case

COUNTS = {"tiny": 60, "small": 160, "medium": 6}
KEYS = [(size, seed) for size, many in COUNTS.items() for seed in range(many)]
CLOSE = 1e-9


def scale(compiled: Compiled, goal: int, value: float) -> float:
    """What a goal's value is compared with: itself, or a thousandth of all that is at stake."""
    stake = float(np.abs(compiled.costs[goal, compiled.step]) @ compiled.upper[compiled.step])
    return max(1.0, abs(value), 1e-3 * stake)


def dual_bound(compiled: Compiled, solution: Solution, goal: int) -> float:
    """Weak duality over the whole compiled model, from the prices of a stage alone.

    As the verifier does it: prices of C10 and C1 are derived, all others taken as they are.
    """
    stage = solution.stages[goal]
    cost, kept = compiled.costs[goal].copy(), 0.0
    for price, earlier, at in zip(stage.hold_dual, solution.stages, range(goal), strict=False):
        cost += price * compiled.costs[at]
        kept += price * earlier.minimum
    price = np.array(stage.row_dual)
    masses = np.flatnonzero(compiled.equation_of_row == EQUATION_NAMES.index("recipe_mass"))
    lots = np.flatnonzero(compiled.equation_of_row == EQUATION_NAMES.index("lot_supply"))
    price[masses] = price[lots] = 0.0
    reduced = cost + compiled.matrix.T @ price
    price[masses] = -reduced[compiled.y[compiled.recipe_of_row[masses]]]
    reduced = cost + compiled.matrix.T @ price
    by_row = compiled.matrix.tocsr()
    for lot in lots:
        flows = by_row.indices[by_row.indptr[lot] : by_row.indptr[lot + 1]]
        price[lot] = max(0.0, float((-reduced[flows]).max(initial=0.0)))
    reduced = cost + compiled.matrix.T @ price
    upper = np.where(np.isfinite(compiled.row_upper), compiled.row_upper, 0.0)
    return float(np.minimum(reduced, 0.0) @ compiled.upper - upper @ price - kept)


def check_same(problem: Problem) -> None:
    compiled = assemble(problem)
    whole, found = lexicographic.solve(compiled), decomposition.solve(problem, compiled)
    assert (whole.status, found.status) == ("optimal", "optimal")
    for goal, (theirs, ours) in enumerate(zip(whole.stages, found.stages, strict=True)):
        size = scale(compiled, goal, theirs.minimum)
        assert abs(ours.minimum - theirs.minimum) <= CLOSE * size, ours.goal.key
        if ours.row_dual is not None:
            assert ours.minimum - ours.bound <= CLOSE * size
            assert abs(dual_bound(compiled, found, goal) - ours.minimum) <= CLOSE * size, ours.goal.key
    activity = compiled.matrix @ found.columns
    assert (activity <= compiled.row_upper + 1e-6 * np.maximum(1.0, np.abs(compiled.row_upper))).all()


@pytest.mark.parametrize("key", KEYS, ids=lambda key: f"{key[0]}-{key[1]}")
def test_random_cases(key: tuple[str, int], tmp_path: Path) -> None:
    size, seed = key
    write_random_case(tmp_path, seed, mip=False, size=size)
    check_same(build_problem(read_case(tmp_path)))


@pytest.mark.parametrize("name", CASES)
def test_hand_cases(name: str, tmp_path: Path) -> None:
    problem = build_problem(read_case(CASES[name].write(tmp_path / "case")))
    if problem.is_mip:
        pytest.skip("whole orders: test_whole_orders")
    check_same(problem)


@pytest.mark.parametrize("seed", range(12))
def test_runs_are_verified(seed: int, tmp_path: Path) -> None:
    write_random_case(tmp_path / "case", seed, mip=False)
    outcome = run_case(tmp_path / "case", tmp_path / "run", method="decomposition")
    assert outcome.report.ok
    assert outcome.summary["status"] == "optimal"
