"""Leximin in stages (C19): raise the least share; what cannot rise is held while the others are raised.

Stage k maximises theta with every group that is not held yet at theta of its mass or more. A group whose row
has a price at the optimum cannot have more without another having less: it is held at what it has. Every
stage holds at least one group, so there are at most as many stages as groups.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from massbalance.formulation.labels import EQUATION_NAMES
from massbalance.solving.compiled import Compiled, Positions
from massbalance.solving.highs import Answer, Highs
from massbalance.solving.robust import Held, solve_checked
from massbalance.solving.solution import Progress, Stage, stage_of

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
NAME = "fair_share"
FULL = 1e-9
"""A share this close to 1 is all."""
PRICED = 1e-2
"""A group is held if its price times its mass is at least this part of an equal share of all of them: so
large a price also proves, in the books, that the group could not have had more."""


class Fair:
    """The C19 rows of a compiled model. rows: their positions; mass: of each group, t."""

    def __init__(self, compiled: Compiled) -> None:
        self.compiled = compiled
        code = EQUATION_NAMES.index(NAME)
        self.rows: Positions = np.flatnonzero(compiled.equation_of_row == code)
        self.theta = int(compiled.fair[0])
        column = compiled.matrix[:, [self.theta]].tocoo()
        mass = np.zeros(compiled.matrix.shape[0])
        mass[column.row] = column.data
        self.mass: Floats = mass[self.rows]
        self.of_steps = -compiled.matrix.tocsr()[self.rows]

    def claimed(self, columns: Floats) -> Floats:
        """Claimed mass of each group, t."""
        without = columns.copy()
        without[self.theta] = 0.0
        return np.asarray(self.of_steps @ without, dtype=np.float64)

    def held(self, kept: Floats) -> Compiled:
        """The model in which groups keep so much (t; NaN: those that are raised)."""
        fixed = ~np.isnan(kept)
        made = self.compiled.matrix.tocsc(copy=True)
        own = slice(made.indptr[self.theta], made.indptr[self.theta + 1])
        made.data[own][np.isin(made.indices[own], self.rows[fixed])] = 0.0
        made.eliminate_zeros()
        upper = self.compiled.row_upper.copy()
        upper[self.rows] = np.where(fixed, -np.nan_to_num(kept), 0.0)
        return replace(self.compiled, matrix=made, row_upper=upper)

    def apply(self, model: Highs, kept: Floats) -> None:
        """The same in a solver that has the model."""
        for row, mass, least in zip(self.rows.tolist(), self.mass.tolist(), kept.tolist(), strict=True):
            free = np.isnan(least)
            model.change_row(row, self.theta, mass if free else 0.0, 0.0 if free else -least)


@dataclass(frozen=True)
class Raised:
    """stages: one after the other; answer: the last; kept: what each group had at the end, t; form: what
    they kept during the last stage.
    """

    stages: list[Stage]
    answer: Answer
    kept: Floats
    form: Floats


def raise_shares(
    model: Highs, compiled: Compiled, number: int, held: Held, deadline: float | None, say: Progress
) -> Raised:
    """All stages of goal `number`; held: the goals before it. Stops at the first that the limit cuts."""
    fair, goal, costs = Fair(compiled), compiled.goals[number], compiled.costs[number]
    kept = np.full(len(fair.rows), np.nan)
    stages: list[Stage] = []
    model.set_costs(costs)
    while True:
        now = replace(goal, priority=len(stages) + 1)
        say(f"solving: {now.key}")
        form = kept.copy()
        fair.apply(model, form)
        answer = solve_checked(model, held, deadline, cold=not held and not stages)
        stage = replace(stage_of(now, answer, len(compiled.rows)), kept=form)
        stages.append(stage)
        if stage.status != "optimal" or answer.columns is None or stage.row_dual is None:
            return Raised(stages, answer, kept, form)
        theta = -answer.objective / goal.unit
        kept = np.where(np.isnan(kept), fair.claimed(answer.columns), kept)
        if theta >= 1.0 - FULL or not np.isnan(form).any():
            return Raised(stages, answer, kept, form)
        reached = np.minimum(theta * fair.mass, kept)
        done = _cannot_rise(fair, stage.row_dual, np.isnan(form))
        kept = np.where(np.isnan(form), np.where(done, reached, np.nan), form)
        if not np.isnan(kept).any():
            return Raised(stages, answer, kept, form)


def _cannot_rise(fair: Fair, price: Floats, free: Bools) -> Bools:
    """Which of the free groups have a price that matters; the dearest at least."""
    worth = np.where(free, price[fair.rows] * fair.mass, 0.0)
    most = float(worth.max(initial=0.0))
    least = min(PRICED * float(worth.sum()) / max(1, int(free.sum())), most)
    return free & (worth >= least)


def expanded(compiled: Compiled, stages: list[Stage]) -> Compiled:
    """The model with a goal for each stage, in the form that holds all groups (where that was reached)."""
    number = next((n for n, goal in enumerate(compiled.goals) if goal.name == NAME), None)
    if number is None:
        return compiled
    found = [stage for stage in stages if stage.goal.name == NAME]
    goals = [stage.goal for stage in found] or [compiled.goals[number]]
    order = [*range(number), *([number] * len(goals)), *range(number + 1, len(compiled.goals))]
    kept = next((s.kept for s in reversed(stages) if s.kept is not None), None)
    made = compiled if kept is None else Fair(compiled).held(kept)
    return replace(
        made,
        goals=(*compiled.goals[:number], *goals, *compiled.goals[number + 1 :]),
        costs=compiled.costs[order],
        offsets=compiled.offsets[order],
    )


def spread(prices: tuple[float, ...], before: list[Stage]) -> tuple[float, ...]:
    """Prices of held goals, 0 for stages of a fair share: C19 itself holds those."""
    given = iter(prices)
    return tuple(0.0 if stage.goal.name == NAME else next(given, 0.0) for stage in before)
