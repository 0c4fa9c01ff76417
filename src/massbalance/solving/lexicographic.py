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
from massbalance.solving.fair import NAME as FAIR
from massbalance.solving.fair import Fair, expanded, raise_shares, spread
from massbalance.solving.highs import Answer, Highs, SolverError
from massbalance.solving.robust import LEAST_SLACK, acceptable, solve_checked
from massbalance.solving.solution import TIME_LIMIT, Progress, Solution, Stage, empty, finish, stage_of
from massbalance.solving.ties import Optimum, break_ties

Floats = npt.NDArray[np.float64]
AGAIN_S = 1.0
"""The least time that the second solve of a MIP may take, in seconds."""


class _Sequence:
    """Goals in order on an LP, each held while the next is optimised.

    first_stage: a fair share is a goal as any other, and only the least share is raised. form: the model as
    it stands, kept: what its C19 rows hold (None: it has none, or they raise the least share).
    """

    def __init__(
        self, compiled: Compiled, model: Highs, deadline: float | None, say: Progress, *, first_stage: bool
    ) -> None:
        self.compiled, self.model, self.deadline, self.say = compiled, model, deadline, say
        self.first_stage = first_stage
        self.stages: list[Stage] = []
        self.held: list[tuple[Floats, float]] = []
        self.before: list[tuple[Floats, float]] = []
        self.columns: Floats | None = None
        self.last: Answer | None = None
        self.form, self.kept = compiled, None if not len(compiled.fair) else self._none_kept()

    def _none_kept(self) -> Floats | None:
        return None if self.first_stage else np.full(len(Fair(self.compiled).rows), np.nan)

    def run(self, goals: range, what: str) -> tuple[list[Stage], Floats | None]:
        """Stops at the first goal that the limit cuts."""
        for g in goals:
            goal = self.compiled.goals[g]
            self.say(f"{what}: {goal.key}")
            if goal.name == "tie_break" and self.last is not None:
                self._tie_break(g)
                break
            answer = self._fair(g) if goal.name == FAIR and not self.first_stage else self._optimise(g)
            if answer.columns is not None:
                self.columns = answer.columns
            if answer.status != "optimal":
                break
            self.last = answer
            if g + 1 < len(self.compiled.goals) and self.compiled.goals[g + 1].name != "tie_break":
                self._hold(g, answer)
        return self.stages, self.columns

    def _tie_break(self, g: int) -> None:
        assert self.last is not None  # noqa: S101
        optimum = _optimum(self.compiled, self.last)
        answer, self.columns = break_ties(self.form, optimum, g - 1, self.before, self.deadline)
        goal = self.compiled.goals[g]
        self._add(Stage(goal, answer.objective, answer.bound, answer.status, None))

    def _optimise(self, g: int) -> Answer:
        self.before = list(self.held)
        self.model.set_costs(self.compiled.costs[g])
        answer = solve_checked(self.model, self.held, self.deadline, cold=self.last is None)
        self._add(stage_of(self.compiled.goals[g], answer, len(self.compiled.rows)))
        return answer

    def _fair(self, g: int) -> Answer:
        """All stages of a fair share; what they end with stays on."""
        self.before = list(self.held)
        raised = raise_shares(self.model, self.compiled, g, self.held, self.deadline, self.say)
        for stage in raised.stages:
            self.stages.append(replace(stage, hold_dual=spread(stage.hold_dual, self.stages)))
        self.form, self.kept = Fair(self.compiled).held(raised.form), raised.kept
        return raised.answer

    def _add(self, stage: Stage) -> None:
        self.stages.append(replace(stage, hold_dual=spread(stage.hold_dual, self.stages), kept=self.kept))

    def _hold(self, g: int, answer: Answer) -> None:
        """Hold what the goal reached: by a row of its own (C15), a fair share by those it has."""
        if self.compiled.goals[g].name == FAIR and not self.first_stage and self.kept is not None:
            fair = Fair(self.compiled)
            self.form = fair.held(self.kept)
            fair.apply(self.model, self.kept)
            return
        self.held.append((self.compiled.costs[g], answer.objective))
        self.model.hold(self.compiled.costs[g], answer.objective)


def _sequence(
    compiled: Compiled,
    model: Highs,
    goals: range,
    deadline: float | None,
    say: Progress,
    what: str,
    *,
    first_stage: bool = False,
) -> tuple[list[Stage], Floats | None]:
    """Optimise the goals in order on an LP; stops at the first that the limit cuts."""
    return _Sequence(compiled, model, deadline, say, first_stage=first_stage).run(goals, what)


def _optimum(compiled: Compiled, answer: Answer) -> Optimum:
    if answer.columns is None or answer.row_dual is None:
        raise SolverError("only an optimum with duals has an optimal face")
    count = len(compiled.rows)
    return Optimum(answer.columns, -answer.row_dual[:count], -answer.row_dual[count:])


def _fixed(
    compiled: Compiled,
    taken: Floats,
    goals: range,
    deadline: float | None,
    say: Progress,
    *,
    first_stage: bool = False,
) -> tuple[list[Stage], Floats | None]:
    """The sequence of LPs with every integer column fixed."""
    fixed, what = with_integers(compiled, taken), "with whole orders fixed"
    model = Highs(fixed, integers=False)
    return _sequence(fixed, model, goals, deadline, say, what, first_stage=first_stage)


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
) -> tuple[Floats, list[Stage], list[Stage]]:
    """The integer columns, goal by goal, the MIP's own stages (with the bounds it proves), and what the
    decisions really reach of each. Of a fair share only the least one is decided upon.
    """
    model = Highs(compiled, integers=True)
    if plainly:
        model.search_plainly()
    whole = np.flatnonzero(compiled.integer)
    taken = np.zeros(len(whole))
    stages: list[Stage] = []
    reached: list[Stage] = []
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
        clean, _ = _fixed(compiled, taken, range(g + 1), None, lambda _: None, first_stage=True)
        reached.append(clean[-1])
        value = max(answer.objective, clean[-1].minimum)
        held.append((costs, value))
        model.hold(costs, value)
    return taken, stages, reached


def _relaxation(compiled: Compiled, clean: list[Stage], deadline: float | None, say: Progress) -> list[Stage]:
    """Relaxed LPs, each with the earlier goals held at what was reached: duals for the proof."""
    model = Highs(compiled, integers=False)
    number = {goal.name: g for g, goal in enumerate(compiled.goals)}
    number |= {goal.key: g for g, goal in enumerate(compiled.goals)}
    stages: list[Stage] = []
    for stage in clean:
        goal = stage.goal
        costs = compiled.costs[number[FAIR if goal.name == FAIR else goal.key]]
        say(f"bound without whole orders: {goal.key}")
        if stage.kept is not None:
            Fair(compiled).apply(model, stage.kept)
        model.set_costs(costs)
        answer = model.solve(deadline=deadline)
        found = stage_of(goal, answer, len(compiled.rows))
        stages.append(replace(found, hold_dual=spread(found.hold_dual, stages), kept=stage.kept))
        if goal.name != FAIR:
            model.hold(costs, stage.minimum)
    return stages


def solve(
    compiled: Compiled,
    *,
    time_limit: float | None = None,
    gap: float = 0.0,
    progress: Progress | None = None,
    plainly: bool = False,
    prove: bool = True,
) -> Solution:
    """Lexicographic optimum of a compiled model (always feasible: nothing need be allocated).

    time_limit: seconds for all solves together; gap: relative MIP gap to stop at; plainly: as
    Highs.search_plainly; prove: a MIP's relaxations are solved too, whose duals prove its bounds; they change
    nothing in the optimum.
    SolverError where HiGHS answers what cannot be true.
    """
    say = progress or (lambda _: None)
    deadline = None if time_limit is None else time.monotonic() + time_limit
    if compiled.matrix.shape[1] == 0:
        return empty(compiled)
    if compiled.integer.any():
        return _solve_mip(compiled, deadline, gap, say, plainly=plainly, prove=prove)
    found, columns = _sequence(
        compiled, Highs(compiled, integers=False), range(len(compiled.goals)), deadline, say, "solving"
    )
    return _finish(compiled, found, found, columns)


def solve_and_keep(compiled: Compiled, *, progress: Progress | None = None) -> tuple[Solution, Highs | None]:
    """The lexicographic optimum without integers, and the model as it stands at its last goal before the
    tie-break: optimal, the goals before it held. None where there are no columns.
    """
    if compiled.matrix.shape[1] == 0:
        return empty(compiled), None
    model, say = Highs(compiled, integers=False), progress or (lambda _: None)
    found, columns = _sequence(compiled, model, range(len(compiled.goals)), None, say, "solving")
    return _finish(compiled, found, found, columns), model


def _finish(compiled: Compiled, stages: list[Stage], proof: list[Stage], columns: Floats | None) -> Solution:
    """The solution of the model whose goals the stages are."""
    made = expanded(compiled, stages)
    return replace(finish(made, stages, proof, columns), model=None if made is compiled else made)


def _solve_mip(
    compiled: Compiled, deadline: float | None, gap: float, say: Progress, *, plainly: bool, prove: bool
) -> Solution:
    count = len(compiled.goals) - 1
    taken, decided, best = _decide(compiled, count, deadline, gap, say, plainly=plainly)
    stages, columns = _fixed(compiled, taken, range(count + 1), None, say)
    reached = [s for s in stages if s.status == "optimal" and s.goal.name != "tie_break"]
    proof = _relaxation(compiled, reached, None, say) if prove else []
    solution = _finish(compiled, stages, proof, columns)
    cut = next((s for s in decided if s.status != "optimal"), None)
    gaps = [_proven_gap(s, one) for s, one in zip(decided, _counterparts(decided, stages, best), strict=True)]
    if cut is None:
        return replace(
            solution, status="optimal", solver_gap=max(gaps, default=0.0), unfinished="", stopped_by=""
        )
    return replace(
        solution, status="limit", solver_gap=max(gaps), unfinished=cut.goal.key, stopped_by=TIME_LIMIT
    )


def _counterparts(decided: list[Stage], stages: list[Stage], best: list[Stage]) -> list[Stage]:
    """What was reached of each goal decided; of those behind a fair share, before its later stages."""
    names = [stage.goal.name for stage in decided]
    behind = names.index(FAIR) + 1 if FAIR in names else len(decided)
    of = {stage.goal.key: stage for stage in stages}
    return [best[n] if behind <= n < len(best) else of[s.goal.key] for n, s in enumerate(decided)]


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
        taken, decided, _ = _decide(compiled, goals, deadline, gap, say, plainly=True)
        clean, columns = _fixed(compiled, taken, range(goals), None, say)
        pairs = zip(clean, decided, strict=False)
        stages = [replace(own, bound=mip.bound, status=mip.status) for own, mip in pairs]
    if columns is None:
        raise SolverError("HiGHS: no point in the time given")
    return stages, columns


def _proven_gap(decided: Stage, clean: Stage) -> float:
    """Gap of what was reached against the bound that branch and bound proved."""
    return Stage(clean.goal, clean.minimum, decided.bound, decided.status, None).gap
