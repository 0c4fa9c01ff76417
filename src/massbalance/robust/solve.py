"""Goal after goal with the promise kept: cuts as they are needed, yes/no columns by branch and bound.

Every model solved is a relaxation (fewer rows), so its bound holds; it ends when no kept future lacks
anything, so what it gives is feasible. Both together are the optimum of R1 to R4.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import highspy
import numpy as np

from massbalance.formulation.goals import Goal
from massbalance.robust.cuts import Oracle, Violated, cut
from massbalance.robust.master import Master, Row
from massbalance.robust.sample import Bools, Floats
from massbalance.solving import lexicographic
from massbalance.solving.compiled import Compiled, with_taken
from massbalance.solving.highs import Answer, Highs, SolverError
from massbalance.solving.lexicographic import solve_twice
from massbalance.solving.robust import solve_checked
from massbalance.solving.solution import Solution, Stage

RESERVE = 4e-6
"""Units that every firm pair keeps free for rounding to the grid, where a future is narrower than planned."""
VIOLATED = 1e-6
"""A future lacks something where it is more than this, in the lot's unit; the solver is no finer."""
WHOLE = 1e-6
"""A yes/no column this close to a whole number is one."""
SAME = 1e-9
"""A value this close to its bound, relative, has reached it."""
ROUNDS = 60
"""Rounds of cuts on the relaxation before branch and bound."""
Held = list[tuple[Floats, float]]


@dataclass(frozen=True)
class Reached:
    """What a goal came to: goal, minimum without offset, proven bound of it, was it solved to the end."""

    goal: Goal
    minimum: float
    bound: float
    done: bool

    @property
    def gap(self) -> float:
        """Relative gap; below 1e-9 is none."""
        return Stage(self.goal, self.minimum, self.bound, "", None).gap


@dataclass(frozen=True)
class Decided:
    """The best allocation found, as floats.

    compiled: the case's model with the rows of the kept futures; solution: of it, every goal; broken: 0 or
    1 for each distinct future; goals: what each goal but the tie-break came to, as far as a limit let it.
    """

    compiled: Compiled
    solution: Solution
    broken: Floats
    goals: tuple[Reached, ...]

    @property
    def status(self) -> str:
        """`optimal`, or `limit`."""
        return "optimal" if all(goal.done for goal in self.goals) else "limit"

    @property
    def gap(self) -> float:
        """Greatest relative gap over the goals."""
        return max((goal.gap for goal in self.goals), default=0.0)


class Search:
    """One share of one sample, goal by goal."""

    def __init__(
        self,
        master: Master,
        oracle: Oracle,
        *,
        deadline: float | None = None,
        gap: float = 0.0,
        progress: Callable[[str], None] | None = None,
    ) -> None:
        self.master, self.oracle, self.sample = master, oracle, master.sample
        self.deadline, self.gap, self.say = deadline, gap, progress or (lambda _: None)
        self.reserve = RESERVE
        of = self.sample
        pairs = np.bincount(of.place, minlength=of.pools * of.periods).astype(np.float64)
        self.pairs_at = pairs.reshape(of.pools, of.periods)

    def solve(self) -> Decided:
        """Every goal in order; then the allocation that the last goal chooses."""
        base = self.master.base
        taken, broken = np.zeros(int((base.take >= 0).sum())), np.zeros(len(self.sample))
        held: Held = []
        goals: list[Reached] = []
        for number, goal in enumerate(base.goals[:-1]):
            answer = self._goal(number, held)
            if answer.columns is not None:
                taken, broken = self._choice(answer.columns)
            goals.append(Reached(goal, answer.objective, answer.bound, answer.status == "optimal"))
            if not goals[-1].done:
                break
            value = max(answer.objective, self._tried(number, taken, broken)[-1])
            held.append((self._wide(base.costs[number]), value))
        if len(goals) < len(base.goals) - 1 or not goals[-1].done:
            taken = self._floored(broken)
        compiled, solution = self.finish(taken, broken)
        last = [
            replace(one, minimum=stage.minimum) for one, stage in zip(goals, solution.stages, strict=False)
        ]
        return Decided(compiled, solution, broken, tuple(last))

    def again(self, found: Decided, reserve: float) -> Decided:
        """The same decisions with another reserve for rounding."""
        self.reserve = reserve
        self.master.clear()
        take = self.master.base.take
        compiled, solution = self.finish(np.round(found.solution.columns[take[take >= 0]]), found.broken)
        goals = [
            replace(one, minimum=stage.minimum)
            for one, stage in zip(found.goals, solution.stages, strict=False)
        ]
        return Decided(compiled, solution, found.broken, tuple(goals))

    def _wide(self, costs: Floats) -> Floats:
        return np.concatenate([costs, np.zeros(len(self.sample))])

    def _choice(self, columns: Floats) -> tuple[Floats, Floats]:
        """Yes/no columns of orders and of futures, as whole numbers."""
        take = self.master.base.take
        return np.round(columns[take[take >= 0]]), np.round(columns[self.master.futures])

    def _late(self) -> bool:
        return self.deadline is not None and time.monotonic() >= self.deadline

    def _goal(self, number: int, held: Held) -> Answer:
        """One goal with the goals before it held: optimal, or what there is at the limit."""
        goal = self.master.base.goals[number]
        self.say(f"promises: {goal.key}")
        answer = self._relaxed(number, held)
        if answer.status != "optimal" or answer.columns is None:
            return self._near(answer.columns, answer.bound)
        if self._whole(answer.columns):
            return answer
        bound, best = answer.objective, self._near(answer.columns, answer.objective)
        while True:
            self.say(f"promises: {goal.key}, {len(self.master.rows)} limits")
            model = self._model(number, held, integers=True)
            answer = solve_twice(model, held, self.deadline, self.gap)
            bound = max(bound, answer.bound)
            found = answer.columns
            if found is None:
                return replace(best, bound=bound)
            fresh = self.master.add(self._lacking(found))
            answer = replace(answer, bound=min(bound, answer.objective))
            if not fresh:
                return answer
            if answer.status != "optimal" or self._late():
                return replace(answer, status="limit")
            # rows were missing, but the same decisions may still reach the bound with them
            reached = self._tried(number, *self._choice(found))
            if all(
                value <= most + SAME * max(1.0, abs(most))
                for value, most in zip(reached, [*(v for _, v in held), bound], strict=True)
            ):
                return replace(answer, objective=reached[-1])

    def _relaxed(self, number: int, held: Held) -> Answer:
        """The relaxation with cuts until none is missing (or it has had its rounds)."""
        model = self._model(number, held, integers=False)
        answer = solve_checked(model, held, self.deadline, cold=True)
        for _ in range(ROUNDS):
            if answer.columns is None or answer.status != "optimal":
                break
            fresh = self.master.add(self._lacking(answer.columns))
            if not fresh:
                break
            _append(model, fresh)
            answer = solve_checked(model, held, self.deadline)
        return answer

    def _whole(self, columns: Floats) -> bool:
        """Are all yes/no columns whole, and does nothing lack?"""
        take = self.master.base.take
        yes_no = np.concatenate([columns[take[take >= 0]], columns[self.master.futures]])
        if np.abs(yes_no - np.round(yes_no)).max(initial=0.0) > WHOLE:
            return False
        return not self.master.add(self._lacking(columns))

    def _near(self, columns: Floats | None, bound: float) -> Answer:
        """A choice near a fractional point, for want of a better one: the futures that come nearest to
        broken are, and an order that is not taken whole is not taken.
        """
        near, take, left = (
            np.zeros(self.master.count + len(self.sample)),
            self.master.base.take,
            self.master.budget,
        )
        if columns is not None:
            at = take[take >= 0]
            near[at] = np.floor(columns[at] + WHOLE)
            for s in np.argsort(-columns[self.master.futures], kind="stable").tolist():
                if self.sample.weight[s] <= left:
                    near[self.master.futures[s]] = 1.0
                    left -= int(self.sample.weight[s])
        return Answer("limit", near, None, None, np.inf, bound)

    def _model(self, number: int, held: Held, *, integers: bool) -> Highs:
        compiled = self.master.compiled(firm_only=self._firm_only(number))
        model = Highs(compiled, integers=integers)
        for costs, value in held:
            model.hold(costs, value)
        model.set_costs(compiled.costs[number])
        return model

    def _lacking(self, columns: Floats, broken: Floats | None = None) -> list[Row]:
        """Rows that a point breaks, from the futures that it does not give up; none: it holds.

        broken: of the base's columns alone, which futures are broken.
        """
        of_futures = columns[self.master.futures] if broken is None else broken
        point = np.concatenate([columns[: self.master.count], of_futures])
        drawn = self.sample.drawn(columns[self.master.base.x])
        watched: Bools = of_futures < 1.0 - WHOLE
        found = self._rows(drawn, watched, of_futures, point)
        if not found and self.reserve:
            found = self._rows(drawn + self.reserve * self.pairs_at, watched, of_futures, point)
        return found

    def _rows(self, drawn: Floats, watched: Bools, broken: Floats, point: Floats) -> list[Row]:
        """Rows of the prices at which less is there than drawn, where the point breaks one of them."""
        rows: list[Row] = []
        for violated in _distinct(self.oracle.violated(drawn, watched, VIOLATED), self.sample.need):
            made = cut(self.oracle, violated, self.reserve)
            mine = self.master.of(made)
            star = self.master.star(made, broken)
            mine += [star] if star is not None else []
            if any(row.excess(point) > VIOLATED / 2 for row in mine):
                rows += mine
        return rows

    def _firm_only(self, number: int) -> bool:
        """Do this goal and all before it mind firm orders alone?"""
        return all(goal.name == "firm_shortfall_t" for goal in self.master.base.goals[: number + 1])

    def _tried(self, number: int, taken: Floats, broken: Floats) -> list[float]:
        """What decisions really reach, goal by goal: a MIP's columns are only whole within 1e-6."""
        some = slice(0, number + 1)
        _, solution = self._clean(taken, broken, some, firm_only=self._firm_only(number))
        if len(solution.stages) <= number:
            raise SolverError("a goal has no value with its decisions fixed")
        return [stage.minimum for stage in solution.stages]

    def _floored(self, broken: Floats) -> Floats:
        """Yes/no columns of orders near the relaxation's, with the futures chosen: what is not taken whole
        is not taken.
        """
        base = self.master.base
        _, solution = self._clean(None, broken, slice(0, len(base.goals)))
        return np.floor(solution.columns[base.take[base.take >= 0]] + WHOLE)

    def finish(self, taken: Floats, broken: Floats) -> tuple[Compiled, Solution]:
        """Every goal and the tie-break, with all decisions fixed."""
        self.say("promises: who gets what")
        every = slice(0, len(self.master.base.goals))
        try:
            return self._clean(taken, broken, every)
        except SolverError:
            # a limit came before it was known which whole orders can be promised
            return self._clean(np.where(self._firm_taken(), 0.0, taken), broken, every)

    def _firm_taken(self) -> Bools:
        """Which yes/no columns are those of firm orders, in their order."""
        steps = self.sample.problem.steps
        return (steps.priority > 0)[steps.integer]

    def _clean(
        self, taken: Floats | None, broken: Floats, goals: slice, *, firm_only: bool = False
    ) -> tuple[Compiled, Solution]:
        """The LPs with the futures (and, unless None, the orders' yes/no) fixed, until no kept future lacks
        anything; goals: which of them.
        """
        none = np.zeros(self.master.count, dtype=bool)
        while True:
            made = self.master.decided(broken, firm_only=firm_only)
            made = made if taken is None else with_taken(made, taken)
            fixed = replace(
                made,
                integer=none,
                costs=made.costs[goals],
                goals=made.goals[goals],
                offsets=made.offsets[goals],
            )
            solution = lexicographic.solve(fixed)
            if not self.master.add(self._lacking(solution.columns, broken)):
                return fixed, solution


def _distinct(found: Iterable[Violated], need: Floats) -> list[Violated]:
    """One of those that say the same: the same price, of futures with the same needs."""
    known: dict[tuple[bytes, bytes], Violated] = {}
    for one in found:
        known.setdefault((one.price.tobytes(), need[one.future].tobytes()), one)
    return list(known.values())


def _append(model: Highs, rows: list[Row]) -> None:
    """Append rows to a model below its held goals."""
    lengths = [len(row.columns) for row in rows]
    start = np.cumsum([0, *lengths[:-1]]).astype(np.int32)
    index = np.concatenate([row.columns for row in rows]).astype(np.int32)
    values = np.concatenate([row.values for row in rows])
    most = np.array([row.most for row in rows]) / model.unit
    status = model.highs.addRows(
        len(rows), np.full(len(rows), -highspy.kHighsInf), most, len(index), start, index, values
    )
    if status != highspy.HighsStatus.kOk:
        raise SolverError(f"HiGHS: addRows answered {status}")
