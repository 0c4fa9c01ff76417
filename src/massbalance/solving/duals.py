"""Prices as the proof takes them: made feasible, and cut to the decimals that prove a bound in integers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from massbalance.domain.case import IndexArray
from massbalance.domain.grid import INT64_SAFE, IntArray
from massbalance.formulation.problem import CAPS, OF_STAKES, Problem
from massbalance.solving.compiled import Compiled
from massbalance.solving.labels import Labels
from massbalance.solving.solution import Solution, Stage

Floats = npt.NDArray[np.float64]
Texts = npt.NDArray[np.object_]
DUAL_DECIMALS = 12
PROVING = (
    "pool_balance", "origin_once", "claim", *CAPS, *OF_STAKES,
)  # fmt: skip
"""Rows whose duals the verifier takes; the others' it derives by itself."""


@dataclass(frozen=True)
class Duals:
    """Prices above zero, by goal in order, equation, key and index. Arrays of shape (n,).

    goal, equation, key, index: texts, the last two the parts of the row's name ("": it has no second);
    value: in 1e-12 of the goal per unit of the row.
    """

    goal: Texts
    equation: Texts
    key: Texts
    index: Texts
    value: IntArray


def tightened(compiled: Compiled, solution: Solution, stage: Stage, claims: IndexArray) -> Floats:
    """The stage's row prices with the claim prices lowered until no pair has a positive margin.

    claims: the rows of C4. A solver is exact within 1e-7; times large quantities that would loosen the
    bound. Lowering a claim's price by the excess costs the bound no more than the excess itself.
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
    rows = matrix[claims].tocoo()
    use = of_x[rows.col] & (rows.data < 0)
    lower = np.zeros(len(claims))
    np.maximum.at(lower, rows.row[use], excess[rows.col[use]] / -rows.data[use])
    price[claims] = np.maximum(0.0, price[claims] - np.where(lower < 1e-6, lower, 0.0))
    return price


def proving_duals(problem: Problem, compiled: Compiled, solution: Solution) -> Duals:
    """Every non-zero price that the bound of `massbalance verify` uses, goal by goal."""
    labels = Labels(problem, compiled)
    is_claim, proving = labels.of("claim"), labels.of(*PROVING)
    unit = labels.units()
    number, row, value = [np.zeros(0, np.intp)], [np.zeros(0, np.intp)], [np.zeros(0)]
    held: list[tuple[int, int, float]] = []
    for stage in solution.proof:
        if stage.row_dual is None:
            continue
        goal = compiled.goals.index(stage.goal)
        price = tightened(compiled, solution, stage, np.flatnonzero(is_claim))
        some = np.flatnonzero(proving & (price > 0))
        number.append(np.full(len(some), goal))
        row.append(some)
        value.append(price[some] * unit[some])
        held += [(goal, earlier, kappa) for earlier, kappa in enumerate(stage.hold_dual)]
    at = np.concatenate(row)
    found = _Found(labels, np.concatenate(number), at, _scaled(np.concatenate(value), ~is_claim[at]))
    return found.duals(compiled, held)


@dataclass(frozen=True)
class _Found:
    """Prices of rows: number of the goal, row, scaled value."""

    labels: Labels
    goal: IndexArray
    row: IndexArray
    value: IntArray

    def duals(self, compiled: Compiled, held: list[tuple[int, int, float]]) -> Duals:
        """Those above zero with the held goals' (goal, earlier goal, price), named and in order."""
        keep = np.flatnonzero(self.value > 0)
        rows, at = np.unique(self.row[keep], return_inverse=True)
        keys = self.labels.keys(rows)
        equations_of = [self.labels.rows[i][0] for i in rows]
        kappas = _scaled(np.array([kappa for _, _, kappa in held]), np.ones(len(held), dtype=bool))
        hold = np.flatnonzero(kappas > 0)
        goal = np.concatenate([self.goal[keep], np.array([held[i][0] for i in hold], dtype=np.intp)])
        earlier = [compiled.goals[held[i][1]].key for i in hold]
        equation = _texts(equations_of)[at], _texts(["goal_hold"] * len(hold))
        key = _texts([key[0] for key in keys])[at], _texts(earlier)
        index = _texts([key[1] if len(key) > 1 else "" for key in keys])[at], _texts([""] * len(hold))
        equations, names, indices = (np.concatenate(parts) for parts in (equation, key, index))
        value = np.concatenate([self.value[keep], kappas[hold]])
        order = np.lexsort((_ranks(indices), _ranks(names), _ranks(equations), goal))
        goals = _texts([one.key for one in compiled.goals])[goal]
        return Duals(goals[order], equations[order], names[order], indices[order], value[order])


def _texts(items: list[str]) -> Texts:
    out = np.empty(len(items), dtype=object)
    out[:] = items
    return out


def _ranks(texts: Texts) -> IndexArray:
    """Place of each text among the distinct ones in order, shape (n,)."""
    place = {text: i for i, text in enumerate(sorted(set(texts)))}
    return np.array([place[text] for text in texts], dtype=np.intp)


def _scaled(values: Floats, up: npt.NDArray[np.bool_]) -> IntArray:
    """Integers at 12 decimals: caps up, claims down, so that rounding makes no pair profitable."""
    scaled = values * 10.0**DUAL_DECIMALS
    near = np.rint(scaled)
    close = np.abs(scaled - near) <= 1e-3 * np.maximum(1.0, np.abs(scaled) * 1e-12)
    whole = np.where(close, near, np.where(up, np.ceil(scaled), np.floor(scaled)))
    if np.all(np.abs(whole) < INT64_SAFE):
        return whole.astype(np.int64)
    exact = np.empty(len(whole), dtype=object)
    exact[:] = [int(value) for value in whole]
    return exact
