"""Minimum services that cannot all be met: which, and by how little they would have to give way (C16)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import scipy.sparse

from massbalance.domain.grid import GRID
from massbalance.domain.infeasible import NOTHING_T, Clash, Infeasible, Undecided
from massbalance.formulation.labels import EQUATION_NAMES
from massbalance.formulation.problem import Problem
from massbalance.formulation.stakes import Minimum
from massbalance.solving.compiled import Compiled, Positions, with_taken
from massbalance.solving.highs import Highs
from massbalance.solving.robust import solve_checked
from massbalance.solving.solution import Progress

Floats = npt.NDArray[np.float64]
PRICED = 1e-7
SPARE_G = 2.0
"""What a group is given beyond its minimum for the rounding of each order of the case, g."""


def within_reach(
    problem: Problem,
    compiled: Compiled,
    deadline: float | None = None,
    progress: Progress | None = None,
    *,
    spare: bool = False,
) -> Compiled:
    """The model, its minimum services lowered by no more than a gram where the solver lacks that.

    spare: raised, where there is room, by what rounding to whole grams may cost a group. Infeasible where
    they cannot be met. Nothing is solved where there are none.
    """
    minimums = problem.stakes.minimums
    rows = np.flatnonzero(compiled.equation_of_row == EQUATION_NAMES.index("minimum_service"))
    if not len(rows):
        return compiled
    if progress is not None:
        progress("minimum services")
    extra = SPARE_G / GRID * len(problem.case.orders) if spare else 0.0
    most = np.array([m.group.mass_t for m in minimums])[[int(compiled.rows[int(i)][1]) for i in rows]]  # type: ignore[call-overload]
    upper = compiled.row_upper.copy()
    upper[rows] = np.maximum(upper[rows] - extra, -most)
    more = compiled.row_upper[rows] - upper[rows]
    missing, price = _least_missing(replace(compiled, row_upper=upper), rows, deadline)
    if (missing - more).max(initial=0.0) > NOTHING_T:
        missing, price = _least_missing(compiled, rows, deadline)
        raise Infeasible(_clashing(minimums, missing, price))
    upper[rows] += missing
    return replace(compiled, row_upper=upper)


def _least_missing(compiled: Compiled, rows: Positions, deadline: float | None) -> tuple[Floats, Floats]:
    """What each minimum lacks where all together lack least (t), and the prices of their rows."""
    elastic = _elastic(compiled, rows)
    costs = elastic.costs[0]
    if compiled.integer.any():
        model = Highs(elastic, integers=True)
        model.set_costs(costs)
        answer = solve_checked(model, [], deadline, cold=True)
        if answer.columns is None:
            raise Undecided
        take = elastic.take[elastic.take >= 0]
        elastic = with_taken(elastic, np.round(answer.columns[take]))
    model = Highs(elastic, integers=False)
    model.set_costs(costs)
    answer = solve_checked(model, [], deadline, cold=True)
    if answer.columns is None or answer.row_dual is None:
        raise Undecided
    missing = np.maximum(0.0, answer.columns[-len(rows) :])
    return np.where(missing > 0, missing, 0.0), np.maximum(0.0, -answer.row_dual[rows])


def _elastic(compiled: Compiled, rows: Positions) -> Compiled:
    """The model with what each minimum lacks as a column, the sum of them to be least."""
    count = len(rows)
    entries = (np.full(count, -1.0), (rows, np.arange(count)))
    lack = scipy.sparse.csc_array(entries, shape=(compiled.matrix.shape[0], count))
    most = -compiled.row_upper[rows]
    costs = np.concatenate([np.zeros(compiled.matrix.shape[1]), np.ones(count)])
    return replace(
        compiled,
        matrix=scipy.sparse.csc_array(scipy.sparse.hstack([compiled.matrix, lack])),
        costs=costs[None, :],
        offsets=np.zeros(1),
        lower=np.concatenate([compiled.lower, np.zeros(count)]),
        upper=np.concatenate([compiled.upper, np.maximum(most, 0.0)]),
        integer=np.concatenate([compiled.integer, np.zeros(count, dtype=bool)]),
        goals=compiled.goals[:1],
    )


def _clashing(minimums: tuple[Minimum, ...], missing: Floats, price: Floats) -> tuple[Clash, ...]:
    """The minimums that lack something or would, if another had what it lacks."""
    return tuple(
        Clash(m.group.by, m.group.name, float(m.share), float(m.least), float(lack))
        for m, lack, worth in zip(minimums, missing, price, strict=True)
        if lack > NOTHING_T or worth > PRICED
    )
