"""Solves of the purchase model: the plan, the same without something, and at other prices.

Every figure that is published comes from a solve of its own; nothing is taken from a price alone but the bid.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from massbalance.purchase.model import PurchaseModel
from massbalance.solving.compiled import Compiled, with_integers
from massbalance.solving.highs import Answer, Highs, SolverError
from massbalance.solving.lexicographic import reached, solve
from massbalance.solving.robust import solve_checked
from massbalance.solving.solution import Solution, Stage

Floats = npt.NDArray[np.float64]
Progress = Callable[[str], None]
NOISE = 1e-9
"""A margin that differs by less than this, relative to max(1, |margin|), does not differ."""
LEAST_T = 1e-5
"""A shortfall that differs by less than 10 g does not differ: the solver's last digits."""
FIRST = 1e-4
"""The bid is what the credits are worth at this part of what is offered."""


class OutOfTime(Exception):
    """The time limit came before a solve was proven."""


@dataclass(frozen=True)
class Reached:
    """The goals up to the margin, or all but the tie-break, as minima without offsets; a point of it.

    gap: greatest relative gap of a goal that the solver did not close.
    """

    minima: tuple[float, ...]
    columns: Floats
    gap: float


class Desk:
    """Solves for one piece of advice; time_limit: seconds for all of them together."""

    def __init__(self, model: PurchaseModel, time_limit: float | None, gap: float, say: Progress) -> None:
        self.model, self.gap, self.say = model, gap, say
        self.deadline = None if time_limit is None else time.monotonic() + time_limit

    def _left(self) -> float | None:
        return None if self.deadline is None else max(0.0, self.deadline - time.monotonic())

    def plan(self, model: PurchaseModel, what: str) -> Solution:
        """The lexicographic optimum with its tie-break; status `limit` where the limit came first."""
        self.say(what)
        return solve(model.compiled, time_limit=self._left(), gap=self.gap, plainly=True)

    def best(self, model: PurchaseModel, what: str, *, after_margin: bool = False) -> Reached:
        """The goals up to the margin (or all but the tie-break). OutOfTime where one is not proven."""
        self.say(what)
        goals = len(model.compiled.goals) - 1 if after_margin else model.margin + 1
        try:
            stages, columns = reached(model.compiled, goals, time_limit=self._left(), gap=self.gap)
        except SolverError:
            self._check_time()
            raise
        if len(stages) < goals or any(stage.status != "optimal" for stage in stages):
            raise OutOfTime
        return Reached(tuple(s.minimum for s in stages), columns, max(s.gap for s in stages))

    def margin(self, model: PurchaseModel, before: tuple[float, ...], what: str) -> Reached:
        """The margin alone, the goals before it held at `before` (C15)."""
        self.say(what)
        compiled = model.compiled
        held = [(compiled.costs[n], value) for n, value in enumerate(before)]
        try:
            answer = self._decided(compiled, held, model.margin)
        except SolverError:
            self._check_time()
            raise
        if answer.status != "optimal" or answer.columns is None:
            raise OutOfTime
        clean = answer
        if compiled.integer.any():
            fixed = with_integers(compiled, np.round(answer.columns[np.flatnonzero(compiled.integer)]))
            clean = solve_checked(_model(fixed, held, model.margin, integers=False), held, None, cold=True)
        if clean.columns is None:
            raise SolverError("HiGHS: what was decided is not feasible")
        goal = compiled.goals[model.margin]
        gap = Stage(goal, clean.objective, answer.bound, answer.status, None).gap
        return Reached((*before, clean.objective), clean.columns, gap)

    def _decided(self, compiled: Compiled, held: list[tuple[Floats, float]], margin: int) -> Answer:
        model = _model(compiled, held, margin, integers=True)
        if model.integers:
            model.search_plainly()
            # where goals are held, HiGHS has gone wrong with presolve on, and right without (solve_twice)
            model.option("presolve", "off")
        return solve_checked(model, held, self.deadline, self.gap, cold=True)

    def bid(self, model: PurchaseModel, offer: int, point: Reached) -> float:
        """What the first units of an offer are worth at the prices of the plan without it, per unit.

        point: that plan; its decisions are fixed, and a small quantity is given away.
        """
        little = float(model.sets.most[offer]) * FIRST
        if little <= 0:
            return 0.0
        free = model.at_price(offer, 0.0).unbound(offer)
        integers = np.round(point.columns[np.flatnonzero(free.compiled.integer)])
        compiled = with_integers(free.compiled, integers)
        compiled.lower[model.bought[offer]] = compiled.upper[model.bought[offer]] = little
        held = [(compiled.costs[n], value) for n, value in enumerate(point.minima[: model.margin])]
        answer = solve_checked(_model(compiled, held, model.margin, integers=False), held, None, cold=True)
        if answer.column_dual is None:
            raise SolverError(f"HiGHS: the margin has no prices ({answer.status})")
        return max(0.0, -float(answer.column_dual[model.bought[offer]]))

    def _check_time(self) -> None:
        if self.deadline is not None and time.monotonic() >= self.deadline:
            raise OutOfTime


def _model(compiled: Compiled, held: list[tuple[Floats, float]], goal: int, *, integers: bool) -> Highs:
    model = Highs(compiled, integers=integers)
    for costs, value in held:
        model.hold(costs, value)
    model.set_costs(compiled.costs[goal])
    return model
