"""The exact answer where orders need a yes or no: the decisions made again with the order in it."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from massbalance.quote.linear import grams, loss_of
from massbalance.solving.compiled import Compiled, with_taken
from massbalance.solving.highs import Answer, Highs, SolverError
from massbalance.solving.hot import NEARLY, Found, Hot
from massbalance.solving.lexicographic import solve_twice
from massbalance.solving.robust import solve_checked
from massbalance.solving.solution import Solution, Stage
from massbalance.solving.stamp import Stamp, laid, merged
from massbalance.solving.ties import Optimum, break_ties

Floats = npt.NDArray[np.float64]
Holds = list[tuple[Floats, float]]


@dataclass(frozen=True)
class Decided:
    """As linear.Worth, of the whole problem; gap: relative, of the margin with the order in it."""

    asked: float
    feasible: float
    loss: float
    taken: Found | None
    columns: Floats | None
    gap: float

    @property
    def whole(self) -> bool:
        """Is all of it feasible?"""
        return self.feasible >= self.asked

    @property
    def floor(self) -> float | None:
        """Least premium per t of the feasible mass; None where there is none."""
        return self.loss / self.feasible if self.feasible > 0 else None


@dataclass(frozen=True)
class Decider:
    """Decides a case with an order in it.

    hot: its relaxation; compiled: with its integers; held: firm shortfalls as decided; minimum: of the margin
    without the order.
    """

    hot: Hot
    compiled: Compiled
    held: Holds
    minimum: float
    time_limit: float | None
    gap: float

    @staticmethod
    def of(hot: Hot, base: Solution, compiled: Compiled, time_limit: float | None, gap: float) -> Decider:
        """base: how the case was decided."""
        held: Holds = []
        minimum = 0.0
        for number, (goal, stage) in enumerate(zip(compiled.goals, base.stages, strict=True)):
            if goal.name == "firm_shortfall_t":
                held.append((compiled.costs[number], stage.minimum))
            elif goal.name == "margin":
                minimum = stage.minimum
        return Decider(hot, compiled, held, minimum, time_limit, gap)

    def keeping(self, hot: Hot, stamp: Stamp, mass: Floats, minimum: float) -> Decider:
        """With orders that stay, their claimed mass fixed (t). hot: the relaxation with them."""
        none = np.zeros(len(stamp.columns))
        held = [(np.concatenate([costs, none]), value) for costs, value in self.held]
        return replace(self, hot=hot, compiled=laid(self.compiled, stamp, mass), held=held, minimum=minimum)

    def all_of(self, stamp: Stamp, mass: Floats) -> Decided | None:
        """The best margin with some orders' claimed mass fixed (t); None where that is not feasible."""
        case = _Trial(self, stamp)
        answer = case.best_margin(mass)
        clean = None if answer is None else case.clean_all(answer, mass)
        if answer is None or clean is None:
            return None
        found, columns = clean
        goal = Stage(stamp.small.goals[0], found.minimum, answer.bound, answer.status, None)
        total = float(mass.sum())
        return Decided(total, total, loss_of(found.minimum, self.minimum), found, columns, goal.gap)

    def decide(self, stamp: Stamp, mass: float, *, unique: bool) -> Decided:
        """Greatest mass up to `mass`, and its margin."""
        case = _Trial(self, stamp)
        feasible, answer = mass, None
        if case.possible(mass):
            answer = case.best_margin(mass)
        if answer is None:
            feasible = case.greatest(mass)
            answer = case.best_margin(feasible) if feasible > 0 else None
        if answer is None:
            return Decided(mass, 0.0, 0.0, None, None, 0.0)
        feasible, found, columns = case.clean(answer, feasible, unique=unique)
        goal = Stage(stamp.small.goals[0], found.minimum, answer.bound, answer.status, None)
        loss = loss_of(found.minimum, self.minimum)
        return Decided(mass, feasible, loss, found, columns, goal.gap)


class _Trial:
    def __init__(self, of: Decider, stamp: Stamp) -> None:
        self.of, self.stamp = of, stamp
        self.both = merged(of.compiled, stamp, of.hot.margin, of.hot.tie_break)
        none = np.zeros(len(stamp.columns))
        self.held = [(np.concatenate([costs, none]), value) for costs, value in of.held]
        self.deadline = None if of.time_limit is None else time.monotonic() + of.time_limit
        self.mass_goal = np.zeros(self.both.matrix.shape[1])
        self.mass_goal[stamp.step] = -1.0

    def between(self, compiled: Compiled, least: float | Floats, most: float | Floats) -> Compiled:
        """The order's mass within bounds."""
        lower, upper = compiled.lower.copy(), compiled.upper.copy()
        lower[self.stamp.step], upper[self.stamp.step] = least, most
        return replace(compiled, lower=lower, upper=upper)

    def model(self, compiled: Compiled, costs: Floats, *, integers: bool) -> Highs:
        """HiGHS with the firm shortfalls held."""
        model = Highs(compiled, integers=integers)
        for held, value in self.held:
            model.hold(held, value)
        model.set_costs(costs)
        return model

    def best_margin(self, mass: float | Floats) -> Answer | None:
        """The best margin with a mass; None where that is not feasible."""
        compiled = self.between(self.both, mass, mass)
        return self._decided(self.model(compiled, self.both.costs[0], integers=True))

    def possible(self, mass: float) -> bool:
        """Could the mass be feasible, if orders were taken in parts?"""
        relaxed = self.between(self.both, 0.0, mass)
        model = self.model(relaxed, self.mass_goal, integers=False)
        answer = model.solve(deadline=None)
        return answer.status != "optimal" or -answer.objective >= mass * (1 - NEARLY)

    def greatest(self, mass: float) -> float:
        """The greatest mass up to `mass`, t."""
        answer = self._decided(self.model(self.between(self.both, 0.0, mass), self.mass_goal, integers=True))
        if answer is None:
            return 0.0
        taken = self._taken(answer)
        clean = self._fixed(taken, self.mass_goal, 0.0, mass)
        most = 0.0 if clean is None else -clean.objective
        return mass if most >= mass * (1 - NEARLY) else grams(most)

    def _decided(self, model: Highs) -> Answer | None:
        try:
            answer = solve_twice(model, self.held, self.deadline, self.of.gap)
        except SolverError:
            return None
        return None if answer.columns is None else answer

    def _taken(self, answer: Answer) -> Floats:
        take = self.both.take[self.both.take >= 0]
        if answer.columns is None:
            raise SolverError("HiGHS: nothing was decided")
        return np.round(answer.columns[take])

    def _fixed(
        self, taken: Floats, costs: Floats, least: float | Floats, most: float | Floats
    ) -> Answer | None:
        """An LP with the decisions fixed."""
        fixed = self.between(with_taken(self.both, taken), least, most)
        try:
            answer = solve_checked(self.model(fixed, costs, integers=False), self.held, None, cold=True)
        except SolverError:
            return None
        return answer if answer.status == "optimal" else None

    def clean(self, answer: Answer, mass: float, *, unique: bool) -> tuple[float, Found, Floats | None]:
        """Mass and margin that the decisions really reach: a MIP's columns are only integer within 1e-6."""
        taken = self._taken(answer)
        again = self._fixed(taken, self.both.costs[0], mass, mass)
        if again is None:
            most = self._fixed(taken, self.mass_goal, 0.0, mass)
            mass = 0.0 if most is None else grams(-most.objective)
            again = self._fixed(taken, self.both.costs[0], mass, mass)
        if again is None:
            raise SolverError("HiGHS: what was decided is not feasible")
        return mass, *self._found(again, taken, mass, unique=unique)

    def clean_all(self, answer: Answer, mass: Floats) -> tuple[Found, Floats | None] | None:
        """The same for some orders, their masses as they are; None where these are a little out of reach."""
        taken = self._taken(answer)
        again = self._fixed(taken, self.both.costs[0], mass, mass)
        return None if again is None else self._found(again, taken, mass, unique=True)

    def _found(
        self, answer: Answer, taken: Floats, mass: float | Floats, *, unique: bool
    ) -> tuple[Found, Floats | None]:
        if answer.columns is None or answer.row_dual is None or answer.column_dual is None:
            raise SolverError("HiGHS: what was decided has no prices")
        count = self.both.matrix.shape[0]
        point = Optimum(answer.columns, -answer.row_dual[:count], -answer.row_dual[count:])
        marginal = float(answer.column_dual[self.stamp.step[0]])
        found = Found(answer.objective, point, marginal, False)
        if not unique:
            return found, None
        fixed = self.between(with_taken(self.both, taken), mass, mass)
        return found, break_ties(fixed, point, 0, self.held, None)[1]
