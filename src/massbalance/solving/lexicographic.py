"""Goals one after the other: each is optimised, then held (C15) while the next is optimised.

LPs are solved as they are. A MIP decides its yes/no columns goal by goal; with those fixed, the
same sequence of LPs gives clean figures and prices, and the sequence of relaxations gives the
duals from which a bound is proven without any solver.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from massbalance.solving.compiled import Compiled, with_integers
from massbalance.solving.highs import Answer, Highs, SolverError
from massbalance.solving.robust import LEAST_SLACK, acceptable, solve_checked
from massbalance.solving.solution import TIME_LIMIT, Progress, Solution, Stage, empty, finish, stage_of
from massbalance.solving.ties import Optimum, break_ties

Floats = npt.NDArray[np.float64]
AGAIN_S = 1.0
"""The least time that the second solve of a MIP may take, in seconds."""


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
            answer, columns = break_ties(compiled, _optimum(compiled, last), g - 1, held[:-1], deadline)
            stages.append(Stage(goal, answer.objective, answer.bound, answer.status, None))
            break
        model.set_costs(costs)
        answer = solve_checked(model, held, deadline, cold=not held)
        if answer.columns is not None:
            columns = answer.columns
        stages.append(stage_of(goal, answer, len(compiled.rows)))
        if answer.status != "optimal":
            break
        last = answer
        held.append((costs, answer.objective))
        if g + 1 < len(compiled.goals) and compiled.goals[g + 1].name != "tie_break":
            model.hold(costs, answer.objective)
    return stages, columns


def _optimum(compiled: Compiled, answer: Answer) -> Optimum:
    if answer.columns is None or answer.row_dual is None:
        raise SolverError("only an optimum with duals has an optimal face")
    count = len(compiled.rows)
    return Optimum(answer.columns, -answer.row_dual[:count], -answer.row_dual[count:])


def _fixed(
    compiled: Compiled, taken: Floats, goals: range, deadline: float | None, say: Progress
) -> tuple[list[Stage], Floats | None]:
    """The sequence of LPs with every integer column fixed."""
    fixed = with_integers(compiled, taken)
    return _sequence(fixed, Highs(fixed, integers=False), goals, deadline, say, "with whole orders fixed")


def solve_twice(model: Highs, held: list[tuple[Floats, float]], deadline: float | None, gap: float) -> Answer:
    """Solve a MIP with and, as long again and no longer, without presolve; the better answer counts.

    HiGHS has called half of what is possible optimal where earlier goals are held, with presolve
    on and right without.
    """
    begun = time.monotonic()
    answer = solve_checked(model, held, deadline, gap, cold=True)
    if answer.status != "optimal" or (deadline is not None and time.monotonic() >= deadline):
        return answer
    until = time.monotonic() + max(AGAIN_S, time.monotonic() - begun)
    model.option("presolve", "off")
    second = model.solve(deadline=until if deadline is None else min(until, deadline), gap=gap)
    model.option("presolve", "choose")
    if second.status != "optimal":
        return answer
    better = second.objective < answer.objective - LEAST_SLACK * max(1.0, abs(answer.objective))
    return second if better and acceptable(second, held) else answer


def _decide(
    compiled: Compiled,
    goals: int,
    deadline: float | None,
    gap: float,
    say: Progress,
    *,
    plainly: bool = False,
) -> tuple[Floats, list[Stage]]:
    """The integer columns, goal by goal, and the MIP's own stages (with the bounds it proves)."""
    model = Highs(compiled, integers=True)
    if plainly:
        model.search_plainly()
    whole = np.flatnonzero(compiled.integer)
    taken = np.zeros(len(whole))
    stages: list[Stage] = []
    held: list[tuple[Floats, float]] = []
    for g in range(goals):
        goal, costs = compiled.goals[g], compiled.costs[g]
        if deadline is not None and time.monotonic() >= deadline:
            stages.append(Stage(goal, np.inf, -np.inf, "limit", None))
            break
        say(f"deciding whole orders: {goal.key}")
        model.set_costs(costs)
        answer = solve_twice(model, held, deadline, gap)
        if answer.columns is not None:
            taken = np.round(answer.columns[whole])
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
        stages.append(stage_of(stage.goal, answer, len(compiled.rows)))
        model.hold(compiled.costs[g], stage.minimum)
    return stages


def solve(
    compiled: Compiled,
    *,
    time_limit: float | None = None,
    gap: float = 0.0,
    progress: Progress | None = None,
    plainly: bool = False,
) -> Solution:
    """Lexicographic optimum of a compiled model (always feasible: nothing need be allocated).

    time_limit: seconds for all solves together; gap: relative MIP gap to stop at; plainly: as
    Highs.search_plainly.
    SolverError where HiGHS answers what cannot be true.
    """
    say = progress or (lambda _: None)
    deadline = None if time_limit is None else time.monotonic() + time_limit
    if compiled.matrix.shape[1] == 0:
        return empty(compiled)
    if compiled.integer.any():
        return _solve_mip(compiled, deadline, gap, say, plainly=plainly)
    found, columns = _sequence(
        compiled, Highs(compiled, integers=False), range(len(compiled.goals)), deadline, say, "solving"
    )
    return finish(compiled, found, found, columns)


def solve_and_keep(compiled: Compiled, *, progress: Progress | None = None) -> tuple[Solution, Highs | None]:
    """The lexicographic optimum without integers, and the model as it stands at its last goal before the
    tie-break: optimal, the goals before it held. None where there are no columns.
    """
    if compiled.matrix.shape[1] == 0:
        return empty(compiled), None
    model, say = Highs(compiled, integers=False), progress or (lambda _: None)
    found, columns = _sequence(compiled, model, range(len(compiled.goals)), None, say, "solving")
    return finish(compiled, found, found, columns), model


def _solve_mip(
    compiled: Compiled, deadline: float | None, gap: float, say: Progress, *, plainly: bool
) -> Solution:
    count = len(compiled.goals) - 1
    taken, decided = _decide(compiled, count, deadline, gap, say, plainly=plainly)
    stages, columns = _fixed(compiled, taken, range(count + 1), None, say)
    reached = [s for s in stages[:count] if s.status == "optimal"]
    proof = _relaxation(compiled, reached, None, say)
    solution = finish(compiled, stages, proof, columns)
    cut = next((s for s in decided if s.status != "optimal"), None)
    gaps = [_proven_gap(s, stages[i]) for i, s in enumerate(decided)]
    if cut is None:
        return replace(
            solution, status="optimal", solver_gap=max(gaps, default=0.0), unfinished="", stopped_by=""
        )
    return replace(
        solution, status="limit", solver_gap=max(gaps), unfinished=cut.goal.key, stopped_by=TIME_LIMIT
    )


def reached(
    compiled: Compiled,
    goals: int,
    *,
    time_limit: float | None = None,
    gap: float = 0.0,
    progress: Progress | None = None,
) -> tuple[list[Stage], Floats]:
    """The first so many goals alone: what each comes to, the bound that is proven of it, and the point.

    Status `limit` in the last stage where the limit came first; the point is then feasible and no more.
    SolverError where HiGHS answers what cannot be true, or no point comes in time.
    """
    say = progress or (lambda _: None)
    deadline = None if time_limit is None else time.monotonic() + time_limit
    if not compiled.integer.any():
        model = Highs(compiled, integers=False)
        stages, columns = _sequence(compiled, model, range(goals), deadline, say, "solving")
    else:
        taken, decided = _decide(compiled, goals, deadline, gap, say, plainly=True)
        clean, columns = _fixed(compiled, taken, range(goals), None, say)
        pairs = zip(clean, decided, strict=False)
        stages = [replace(own, bound=mip.bound, status=mip.status) for own, mip in pairs]
    if columns is None:
        raise SolverError("HiGHS: no point in the time given")
    return stages, columns


def _proven_gap(decided: Stage, clean: Stage) -> float:
    """Gap of what was reached against the bound that branch and bound proved."""
    return Stage(clean.goal, clean.minimum, decided.bound, decided.status, None).gap
