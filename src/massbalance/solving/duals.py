"""Prices out of the solver, rounded so that they prove a bound in exact arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from massbalance.formulation.problem import CAPS, Problem, row_key
from massbalance.solving.compiled import Compiled
from massbalance.solving.lexicographic import Solution, Stage

Floats = npt.NDArray[np.float64]
DUAL_DECIMALS = 12
PROVING = (
    "pool_balance", "origin_once", "claim", *CAPS,
)  # fmt: skip
"""Rows whose duals the verifier takes; the others' it derives by itself."""


@dataclass(frozen=True)
class Dual:
    """A non-negative price of one row for one goal; value in 1e-12 of the goal per unit of the row."""

    goal: str
    equation: str
    key: str
    index: str
    value: int


def tightened(compiled: Compiled, solution: Solution, stage: Stage) -> Floats:
    """The stage's row prices with the claim prices lowered until no pair has a positive margin.

    A solver is exact within 1e-7; times large quantities that would loosen the bound. Lowering
    a claim's price by the excess costs the bound no more than the excess itself.
    """
    if stage.row_dual is None:
        return np.zeros(len(compiled.rows))
    price = stage.row_dual.copy()
    number = compiled.goals.index(stage.goal)
    cost = compiled.costs[number].copy()
    for kappa, earlier in zip(stage.hold_dual, range(number), strict=False):
        cost += kappa * compiled.costs[earlier]
    matrix = compiled.matrix
    excess = np.maximum(0.0, -(cost + matrix.T @ price))
    of_x = np.zeros(matrix.shape[1], dtype=bool)
    of_x[compiled.x] = True
    is_claim = np.array([equation == "claim" for equation, _ in compiled.rows], dtype=bool)
    rows = matrix[np.flatnonzero(is_claim)].tocoo()
    use = of_x[rows.col] & (rows.data < 0)
    lower = np.zeros(int(is_claim.sum()))
    np.maximum.at(lower, rows.row[use], excess[rows.col[use]] / -rows.data[use])
    price[is_claim] = np.maximum(0.0, price[is_claim] - np.where(lower < 1e-6, lower, 0.0))
    return price


def proving_duals(problem: Problem, compiled: Compiled, solution: Solution) -> list[Dual]:
    """Every non-zero price that the bound of `massbalance verify` uses, goal by goal."""
    found: list[Dual] = []
    for stage in solution.proof:
        if stage.row_dual is None:
            continue
        price = tightened(compiled, solution, stage)
        for i in np.flatnonzero(price > 0):
            equation, key = compiled.rows[i]
            if equation in PROVING:
                unit = compiled.origin_size[key] if equation == "origin_once" else 1.0
                value = float(price[i]) * unit
                scaled = _scaled(value, up=equation != "claim")
                if scaled > 0:
                    name, *rest = row_key(problem, equation, key)
                    found.append(Dual(stage.goal.key, equation, name, rest[0] if rest else "", scaled))
        for kappa, earlier in zip(stage.hold_dual, compiled.goals, strict=False):
            if _scaled(kappa, up=True) > 0:
                found.append(Dual(stage.goal.key, "goal_hold", earlier.key, "", _scaled(kappa, up=True)))
    place = {goal.key: i for i, goal in enumerate(compiled.goals)}
    return sorted(found, key=lambda d: (place[d.goal], d.equation, d.key, d.index))


def _scaled(value: float, *, up: bool) -> int:
    """Integer at 12 decimals: caps up, claims down, so that rounding makes no pair profitable."""
    scaled = value * 10.0**DUAL_DECIMALS
    near = round(scaled)
    if abs(scaled - near) <= 1e-3 * max(1.0, abs(scaled) * 1e-12):
        return near
    return int(np.ceil(scaled)) if up else int(np.floor(scaled))
