"""Goals one after the other: each is optimised, then held (C15) while the next is optimised.

LPs are solved as they are. A MIP decides its yes/no columns goal by goal; with those fixed, the
same sequence of LPs gives clean figures and prices, and the sequence of relaxations gives the
duals from which a bound is proven without any solver.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from massbalance.formulation.goals import Goal
from massbalance.solving.compiled import Compiled, Positions
from massbalance.solving.highs import Answer, Highs, SolverError

Floats = npt.NDArray[np.float64]
Progress = Callable[[str], None]
PRIMAL = 4
"""HiGHS's primal simplex: the point at hand is feasible for the next goal."""
AGAIN_S = 1.0
"""The least time that the second solve of a MIP may take, in seconds."""
LEAST_SLACK = 1e-9
"""Slack of held goals, relative, where HiGHS calls a point infeasible that it has found itself."""
WORSE = 1e-6
"""A held goal may come out worse by this, relative to max(1, |value|), before a solve is repeated."""


@dataclass(frozen=True)
class Stage:
    """One goal as solved: minimum without offset, proven bound of it, status, duals of its LP.

    row_dual: non-negative price of each `<=` row of the compiled model; hold_dual: of each
    earlier goal's C15. None where no LP was solved to the end.
    """

    goal: Goal
    minimum: float
    bound: float
    status: str
    row_dual: Floats | None
    hold_dual: tuple[float, ...] = ()

    @property
    def gap(self) -> float:
        """Relative gap that the solver proves; below 1e-9 is none."""
        gap = (self.minimum - self.bound) / max(1.0, abs(self.minimum))
        return 0.0 if gap < 1e-9 else gap


@dataclass(frozen=True)
class Solution:
    """The lexicographic optimum as floats.

    status: `optimal` or `limit`; columns: of the compiled model; stages: goals in order with
    the clean LP values (integers fixed in a MIP) and their prices; proof: the stages whose
    duals prove the bounds (the same for an LP, the relaxation for a MIP); solver_gap: greatest
    relative gap over the goals; unfinished: name of the goal that the limit cut.
    """

    status: str
    columns: Floats
    stages: tuple[Stage, ...]
    proof: tuple[Stage, ...]
    solver_gap: float
    unfinished: str

    def value(self, compiled: Compiled, number: int) -> float:
        """The goal's own value (shortfall in t, margin in currency)."""
        stage = self.stages[number]
        return stage.goal.sign * (stage.minimum + float(compiled.offsets[number]))


def _acceptable(answer: Answer, held: list[tuple[Floats, float]], worse: float = WORSE) -> bool:
    """Feasible, and no held goal worse than the stage before gave."""
    if answer.columns is None:
        return answer.status == "limit"
    return all(float(c @ answer.columns) <= v + worse * max(1.0, abs(v)) for c, v in held)


def _solve(
    model: Highs, held: list[tuple[Floats, float]], deadline: float | None, gap: float = 0.0
) -> Answer:
    """One checked solve; what looks wrong is solved again in other ways before it is believed.

    An LP goes on from the basis of the goal before, which is feasible for it; then from nothing,
    then without presolve, at last with the least slack that the solver's accuracy can see.
    """
    if held and not model.integers:
        answer = model.solve(deadline=deadline, cold=False)
        if _acceptable(answer, held):
            return answer
    answer = model.solve(deadline=deadline, gap=gap)
    for presolve, slack in (("off", 0.0), ("choose", LEAST_SLACK), ("off", LEAST_SLACK)):
        if _acceptable(answer, held):
            break
        model.option("presolve", presolve)
        model.loosen(slack)
        answer = model.solve(deadline=deadline, gap=gap)
    model.option("presolve", "choose")
    if not _acceptable(answer, held):
        raise SolverError(f"HiGHS: a held goal came out worse or infeasible ({answer.status})")
    return answer


def _stage(goal: Goal, answer: Answer, rows: int) -> Stage:
    if answer.row_dual is None or answer.status != "optimal":
        return Stage(goal, answer.objective, answer.bound, answer.status, None)
    # rows are `<=` in a minimisation: their duals are non-positive, prices are non-negative
    price = np.maximum(0.0, -answer.row_dual)
    return Stage(
        goal,
        answer.objective,
        answer.bound,
        answer.status,
        price[:rows],
        tuple(float(p) for p in price[rows:]),
    )


def _sequence(
    compiled: Compiled, model: Highs, goals: range, deadline: float | None, say: Progress, what: str
) -> tuple[list[Stage], Floats | None]:
    """Optimise the goals in order on an LP; stops at the first that the limit cuts."""
    stages: list[Stage] = []
    held: list[tuple[Floats, float]] = []
    columns: Floats | None = None
    last: Answer | None = None
    for g in goals:
        goal, costs = compiled.goals[g], compiled.costs[g]
        say(f"{what}: {goal.key}")
        if goal.name == "tie_break" and last is not None:
            answer = _break_ties(model, last, compiled.costs[g - 1], costs, held, deadline)
        else:
            model.set_costs(costs)
            answer = _solve(model, held, deadline)
        if answer.columns is not None:
            columns = answer.columns
        stages.append(_stage(goal, answer, len(compiled.rows)))
        if answer.status != "optimal":
            break
        last = answer
        held.append((costs, answer.objective))
        if g + 1 < len(compiled.goals) and compiled.goals[g + 1].name != "tie_break":
            model.hold(costs, answer.objective)
    return stages, columns


def _break_ties(
    model: Highs,
    optimum: Answer,
    before: Floats,
    costs: Floats,
    held: list[tuple[Floats, float]],
    deadline: float | None,
) -> Answer:
    """The last goal on the optimal face of the one before; that optimum itself where it fails.

    Every point of the face is an optimum, so nothing but uniqueness is lost then.
    """
    model.stay_optimal(optimum, before)
    model.set_costs(costs)
    model.option("simplex_strategy", PRIMAL)
    answer = model.solve(deadline=deadline, cold=False)
    if answer.columns is not None and _acceptable(answer, held, LEAST_SLACK):
        return answer
    columns = optimum.columns
    objective = np.inf if columns is None else float(costs @ columns)
    return Answer("limit", columns, None, None, objective, -np.inf)


def _take_columns(compiled: Compiled) -> Positions:
    return np.flatnonzero(compiled.integer)


def _fixed(
    compiled: Compiled, taken: Floats, goals: range, deadline: float | None, say: Progress
) -> tuple[list[Stage], Floats | None]:
    """The sequence of LPs with every yes/no column fixed."""
    model = Highs(compiled, integers=False)
    model.fix(_take_columns(compiled), taken)
    return _sequence(compiled, model, goals, deadline, say, "with whole orders fixed")


def _solve_twice(
    model: Highs, held: list[tuple[Floats, float]], deadline: float | None, gap: float
) -> Answer:
    """Solve a MIP with and, as long again and no longer, without presolve; the better answer counts.

    HiGHS has called half of what is possible optimal where earlier goals are held, with presolve
    on and right without.
    """
    begun = time.monotonic()
    answer = _solve(model, held, deadline, gap)
    if answer.status != "optimal" or (deadline is not None and time.monotonic() >= deadline):
        return answer
    until = time.monotonic() + max(AGAIN_S, time.monotonic() - begun)
    model.option("presolve", "off")
    second = model.solve(deadline=until if deadline is None else min(until, deadline), gap=gap)
    model.option("presolve", "choose")
    if second.status != "optimal":
        return answer
    better = second.objective < answer.objective - LEAST_SLACK * max(1.0, abs(answer.objective))
    return second if better and _acceptable(second, held) else answer


def _decide(
    compiled: Compiled, goals: int, deadline: float | None, gap: float, say: Progress
) -> tuple[Floats, list[Stage]]:
    """The yes/no columns, goal by goal, and the MIP's own stages (with the bounds it proves)."""
    model = Highs(compiled, integers=True)
    binary = _take_columns(compiled)
    taken = np.zeros(len(binary))
    stages: list[Stage] = []
    held: list[tuple[Floats, float]] = []
    for g in range(goals):
        goal, costs = compiled.goals[g], compiled.costs[g]
        if deadline is not None and time.monotonic() >= deadline:
            stages.append(Stage(goal, np.inf, -np.inf, "limit", None))
            break
        say(f"deciding whole orders: {goal.key}")
        model.set_costs(costs)
        answer = _solve_twice(model, held, deadline, gap)
        if answer.columns is not None:
            taken = np.round(answer.columns[binary])
        stages.append(Stage(goal, answer.objective, answer.bound, answer.status, None))
        if answer.status != "optimal":
            break
        # hold what the decision really reaches: a MIP's columns are only integer within 1e-6
        clean, _ = _fixed(compiled, taken, range(g + 1), None, lambda _: None)
        value = max(answer.objective, clean[-1].minimum)
        held.append((costs, value))
        model.hold(costs, value)
    return taken, stages


def _relaxation(compiled: Compiled, clean: list[Stage], deadline: float | None, say: Progress) -> list[Stage]:
    """Relaxed LPs, each with the earlier goals held at what was reached: duals for the proof."""
    model = Highs(compiled, integers=False)
    stages = []
    for g, stage in enumerate(clean):
        say(f"bound without whole orders: {stage.goal.key}")
        model.set_costs(compiled.costs[g])
        answer = model.solve(deadline=deadline)
        stages.append(_stage(stage.goal, answer, len(compiled.rows)))
        model.hold(compiled.costs[g], stage.minimum)
    return stages


def solve(
    compiled: Compiled, *, time_limit: float | None = None, gap: float = 0.0, progress: Progress | None = None
) -> Solution:
    """Lexicographic optimum of a compiled model (always feasible: nothing need be allocated).

    time_limit: seconds for all solves together; gap: relative MIP gap to stop at.
    SolverError where HiGHS answers what cannot be true.
    """
    say = progress or (lambda _: None)
    deadline = None if time_limit is None else time.monotonic() + time_limit
    if compiled.matrix.shape[1] == 0:
        stages = tuple(Stage(g, 0.0, 0.0, "optimal", np.zeros(0), ()) for g in compiled.goals)
        return Solution("optimal", np.zeros(0), stages, stages[:-1], 0.0, "")
    if compiled.integer.any():
        return _solve_mip(compiled, deadline, gap, say)
    found, columns = _sequence(
        compiled, Highs(compiled, integers=False), range(len(compiled.goals)), deadline, say, "solving"
    )
    return _finish(compiled, found, found, columns)


def _solve_mip(compiled: Compiled, deadline: float | None, gap: float, say: Progress) -> Solution:
    count = len(compiled.goals) - 1
    taken, decided = _decide(compiled, count, deadline, gap, say)
    stages, columns = _fixed(compiled, taken, range(count + 1), None, say)
    reached = [s for s in stages[:count] if s.status == "optimal"]
    proof = _relaxation(compiled, reached, None, say)
    solution = _finish(compiled, stages, proof, columns)
    cut = next((s for s in decided if s.status != "optimal"), None)
    gaps = [_proven_gap(s, stages[i]) for i, s in enumerate(decided)]
    if cut is None:
        return Solution(
            "optimal", solution.columns, solution.stages, solution.proof, max(gaps, default=0.0), ""
        )
    return Solution("limit", solution.columns, solution.stages, solution.proof, max(gaps), cut.goal.key)


def _proven_gap(decided: Stage, clean: Stage) -> float:
    """Gap of what was reached against the bound that branch and bound proved."""
    return Stage(clean.goal, clean.minimum, decided.bound, decided.status, None).gap


def _finish(compiled: Compiled, stages: list[Stage], proof: list[Stage], columns: Floats | None) -> Solution:
    """Status, and an empty allocation where the limit came before any other."""
    count = len(compiled.goals)
    done = [s for s in stages if s.status == "optimal"]
    cut = next((s for s in stages if s.status != "optimal"), None)
    if columns is None:
        columns = np.zeros(compiled.matrix.shape[1])
    full = [
        stages[g]
        if g < len(done)
        else Stage(compiled.goals[g], float(compiled.costs[g] @ columns), -np.inf, "limit", None)
        for g in range(count)
    ]
    proven = tuple(s for s in proof if s.goal.name != "tie_break")
    # the tie-break only chooses among optima: a limit that cuts it leaves the optimum proven
    if cut is None or cut.goal.name == "tie_break":
        return Solution("optimal", columns, tuple(full), proven, 0.0, "")
    return Solution("limit", columns, tuple(full), proven, float("inf"), cut.goal.key)
