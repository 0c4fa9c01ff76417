"""A Pareto front of two goals: how much of one goal each step of the other costs.

Both ends are lexicographic optima (the one goal first, then the other, and the other way round). Between
them the second goal is asked to be no worse than evenly spaced values, the first is optimised, held, and the
second optimised again: no point is dominated (Haimes' epsilon constraint with the second solve that rules
out weakly efficient points). What stands before both goals, the firm orders unless told, is held throughout.
In a linear case the front is piecewise linear, and all between two neighbours can be had, too.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from massbalance.domain.case import Case
from massbalance.domain.faults import CaseRefused, Fault
from massbalance.domain.objective import GROUP_KINDS
from massbalance.formulation.goals import Goal
from massbalance.formulation.problem import Problem, build_problem
from massbalance.intake.objective import with_objective
from massbalance.quote.answer import shown
from massbalance.solving.assembly import assemble
from massbalance.solving.compiled import Compiled, with_taken
from massbalance.solving.highs import Answer, Highs
from massbalance.solving.lexicographic import solve_twice
from massbalance.solving.minimum import within_reach
from massbalance.solving.robust import solve_checked

Floats = npt.NDArray[np.float64]
Progress = Callable[[str], None]
Held = list[tuple[Floats, float]]
GOALS = ("margin", "tonnage", "expiry", "fair_share", "common_share")
"""Goals that a front may have; of a fair share the least share of any group."""
FEWEST, MOST = 2, 200
SAME = 1e-9
"""Ends this close, relative, are one point."""


@dataclass(frozen=True)
class FrontPoint:
    """Values of both goals, in their own terms; gap: relative MIP gap of the first goal there."""

    x: float
    y: float
    label: str
    gap: float


@dataclass(frozen=True)
class Front:
    """A front, from the best of the second goal (y) to the best of the first (x)."""

    name: str
    case_sha256: str
    currency: str
    x: str
    y: str
    linear: bool
    points: tuple[FrontPoint, ...]

    def as_dict(self) -> dict[str, object]:
        """For JSON; rate: of y given up for one unit of x, from the point before."""
        points: list[dict[str, object]] = []
        for n, point in enumerate(self.points):
            rate = None
            if n and point.x != self.points[n - 1].x:
                rate = (self.points[n - 1].y - point.y) / (point.x - self.points[n - 1].x)
            points.append(
                {
                    "x": shown(point.x), "y": shown(point.y), "label": point.label,
                    "gap": shown(point.gap), "rate": shown(rate),
                }
            )  # fmt: skip
        return {
            "name": self.name, "case_sha256": self.case_sha256, "currency": self.currency,
            "x": self.x, "y": self.y, "linear": self.linear, "points": points,
        }  # fmt: skip


class _Model:
    """The case with both goals in it; every solve begins from nothing."""

    def __init__(self, problem: Problem, compiled: Compiled, deadline: float | None, gap: float) -> None:
        self.problem, self.compiled, self.deadline, self.gap = problem, compiled, deadline, gap
        self.before: Held = []

    def number(self, word: str) -> int:
        """Position of a goal."""
        return next(g for g, goal in enumerate(self.compiled.goals) if goal.word == word)

    def optimise(self, goal: int, held: Held) -> Answer:
        """The goal's optimum, with these held beside those of before."""
        if self.compiled.matrix.shape[1] == 0:  # no order could get anything; HiGHS takes no empty model
            return Answer("optimal", np.zeros(0), None, None, 0.0, 0.0)
        model = Highs(self.compiled, integers=self.problem.is_mip)
        every = [*self.before, *held]
        for costs, value in every:
            model.hold(costs, value)
        model.set_costs(self.compiled.costs[goal])
        if not self.problem.is_mip:
            return self._needed(solve_checked(model, every, self.deadline, cold=True))
        answer = self._needed(solve_twice(model, every, self.deadline, self.gap))
        return self._clean(answer, goal, every)

    def _needed(self, answer: Answer) -> Answer:
        if answer.columns is None:
            raise TimeLimit
        return answer

    def _clean(self, answer: Answer, goal: int, held: Held) -> Answer:
        """The same decisions, with what they really reach: a MIP's columns are only integer within 1e-6."""
        assert answer.columns is not None  # noqa: S101
        binary = self.compiled.take[self.compiled.take >= 0]
        fixed = Highs(with_taken(self.compiled, np.round(answer.columns[binary])), integers=False)
        for costs, value in held:
            fixed.hold(costs, value)
        fixed.set_costs(self.compiled.costs[goal])
        clean = fixed.solve(deadline=None)
        if clean.columns is None:
            return answer
        return Answer(answer.status, clean.columns, None, None, clean.objective, answer.bound)

    def told(self, goal: int, columns: Floats) -> float:
        """A goal's own value at a point."""
        one: Goal = self.compiled.goals[goal]
        minimum = float(self.compiled.costs[goal] @ columns) + float(self.compiled.offsets[goal])
        return one.sign * minimum / one.unit + 0.0  # no -0


class TimeLimit(Exception):
    """The time was over before the front was there."""


def front(
    case: Case,
    goals: tuple[str, str],
    *,
    points: int = 11,
    by: str = "customer",
    time_limit: float | None = None,
    gap: float = 0.0,
    progress: Progress | None = None,
) -> Front:
    """The front of two of GOALS, the first on x.

    points: how many, with the ends; by: groups of `fair_share`; time_limit: seconds for all; gap: relative
    MIP gap. CaseRefused where the goals are none; Infeasible where minimum services clash; TimeLimit.
    """
    say = progress or (lambda _: None)
    _check(goals, points, by)
    problem = build_problem(with_objective(case, _settings(case, goals, by)))
    deadline = None if time_limit is None else time.monotonic() + time_limit
    compiled = within_reach(problem, assemble(problem), deadline)
    model = _Model(problem, compiled, deadline, gap)
    say("what stands before both")
    for g, goal in enumerate(compiled.goals):
        if goal.name == "firm_shortfall_t":
            answer = model.optimise(g, [])
            model.before.append((compiled.costs[g], answer.objective))
    first, second = model.number(goals[0]), model.number(goals[1])
    found = _points(model, first, second, points, say)
    linear = not problem.is_mip
    names = (compiled.goals[first].name, compiled.goals[second].name)
    return Front(case.name, case.sha256, case.currency, *names, linear, tuple(found))


def _points(model: _Model, first: int, second: int, points: int, say: Progress) -> list[FrontPoint]:
    """Both ends, and what lies between."""
    costs = model.compiled.costs
    say("the best of the first goal")
    best_x = model.optimise(first, [])
    end_x = model.optimise(second, [(costs[first], best_x.objective)])
    say("the best of the second goal")
    best_y = model.optimise(second, [])
    end_y = model.optimise(first, [(costs[second], best_y.objective)])
    low, high = best_y.objective, end_x.objective  # of the second goal, minimised
    names = [f"best {model.compiled.goals[g].name}" for g in (first, second)]
    found = [_point(model, first, second, end_y, names[1], best_y)]
    if high - low > SAME * max(1.0, abs(low)):
        for n, value in enumerate(np.linspace(low, high, points)[1:-1].tolist()):
            say(f"point {n + 2} of {points}")
            best = model.optimise(first, [(costs[second], value)])
            held = [(costs[second], value), (costs[first], best.objective)]
            found.append(_point(model, first, second, model.optimise(second, held), "", best))
        found.append(_point(model, first, second, end_x, names[0], best_x))
    return _without_twins(found)


def _point(model: _Model, first: int, second: int, answer: Answer, label: str, decided: Answer) -> FrontPoint:
    assert answer.columns is not None  # noqa: S101
    gap = (decided.objective - decided.bound) / max(1.0, abs(decided.objective))
    x, y = model.told(first, answer.columns), model.told(second, answer.columns)
    return FrontPoint(x, y, label, gap if gap > SAME else 0.0)


def _without_twins(points: list[FrontPoint]) -> list[FrontPoint]:
    """In a MIP neighbours may be one point."""
    kept = points[:1]
    for point in points[1:]:
        last = kept[-1]
        near = abs(point.x - last.x) <= SAME * max(1.0, abs(last.x))
        if not (near and abs(point.y - last.y) <= SAME * max(1.0, abs(last.y))):
            kept.append(point)
    return kept


def _check(goals: tuple[str, str], points: int, by: str) -> None:
    faults = [
        Fault("pareto", None, "goals", word, f"two of {', '.join(GOALS)}", "unknown_word")
        for word in goals
        if word not in GOALS
    ]
    if goals[0] == goals[1]:
        faults.append(Fault("pareto", None, "goals", goals[0], "two goals that differ", "duplicate_key"))
    if set(goals) == {"fair_share", "common_share"}:
        expected = "at most one of fair_share and common_share"
        faults.append(Fault("pareto", None, "goals", ",".join(goals), expected, "unknown_word"))
    if not FEWEST <= points <= MOST:
        faults.append(Fault("pareto", None, "points", str(points), f"{FEWEST} to {MOST}", "out_of_range"))
    if by not in GROUP_KINDS:
        faults.append(Fault("pareto", None, "by", by, f"one of {', '.join(GROUP_KINDS)}", "unknown_word"))
    if faults:
        raise CaseRefused(faults)


def _settings(case: Case, goals: tuple[str, str], by: str) -> dict[str, object]:
    """An objective that has both goals, behind the firm orders; minimum services stay as they are."""
    own = case.settings.get("objective", {})
    found: dict[str, object] = {"order": ["firm_shortfall", *dict.fromkeys([*goals, "margin"])]}
    if "fair_share" in goals:
        found |= {"strategy": "leximin", "by": by}
    if "common_share" in goals:
        found["strategy"] = "spread"
    if own.get("minimum_service"):
        found["minimum_service"] = own["minimum_service"]
    return found
