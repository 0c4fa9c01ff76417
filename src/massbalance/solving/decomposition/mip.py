"""Whole orders, minimum fills and offers by decomposition: a MIP over the mixes that prices called for.

Goal by goal: the relaxation, solved by prices, gives mixes and a bound that holds for every mix there
is; a MIP over those mixes decides the yes/no columns. What lies between its value and the bound is the
proven gap. The effort of each MIP is limited by nodes, not by seconds, so that the same case gives the
same answer on every machine.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from massbalance.solving.compiled import with_taken
from massbalance.solving.decomposition.master import Master
from massbalance.solving.decomposition.sequence import Sequence
from massbalance.solving.highs import Highs, SolverError
from massbalance.solving.robust import solve_checked
from massbalance.solving.solution import TIME_LIMIT, Solution, Stage

Floats = npt.NDArray[np.float64]

MIP_GAP = 1e-4
"""Relative gap at which the MIP over known mixes stops: finer than what its mixes can promise."""
FOUND = "stopped at the best whole orders over the mixes that prices call for"
NODES = 100
"""Most nodes of each MIP."""


def solve_mip(sequence: Sequence, gap: float) -> Solution:
    """Lexicographic goals with integers; status `limit` where the proven gap of a goal is above `gap`."""
    compiled, say = sequence.compiled, sequence.say
    master, count = sequence.master(), len(compiled.goals) - 1
    taken, point = np.zeros(int((compiled.take >= 0).sum())), np.zeros(0)
    for g in range(count):
        say(f"prices for whole orders: {compiled.goals[g].key}")
        if sequence.goal(master, g).solved.status != "optimal":
            break
        say(f"deciding whole orders: {compiled.goals[g].key}")
        taken, point, reached = _decide(master, taken, point, max(gap, MIP_GAP), sequence.deadline)
        if g + 1 < count:
            master.hold(g, reached)
    clean = Sequence(
        sequence.problem, with_taken(compiled, taken), sequence.blocks, None, say, sequence.known
    ).solve(master.mixes)
    return _proven(sequence, clean, master, gap)


def _decide(
    master: Master, taken: Floats, point: Floats, gap: float, deadline: float | None
) -> tuple[Floats, Floats, float]:
    """Yes/no columns for the master's goal, a point that has them, and the goal's value there.

    taken, point: of the goal before, which is where the MIP starts and what stays where it finds
    nothing.
    """
    every = master.with_mixes()
    whole = Highs(every, integers=True)
    whole.set_costs(every.costs[master.goal])
    for costs, value in master.held_costs():
        whole.hold(costs, value)
    whole.option("mip_max_nodes", NODES)
    if len(point):
        whole.start(np.concatenate([point, np.zeros(whole.count - len(point))]))
    answer = whole.solve(deadline=deadline, gap=gap, cold=False)
    if answer.columns is not None:
        taken = np.round(answer.columns[master.takes])
    lower, upper = every.lower.copy(), every.upper.copy()
    lower[master.takes] = upper[master.takes] = taken
    fixed = Highs(replace(every, lower=lower, upper=upper), integers=False)
    fixed.set_costs(every.costs[master.goal])
    for costs, value in master.held_costs():
        fixed.hold(costs, value)
    clean = solve_checked(fixed, master.held_costs(), None, cold=True)
    if clean.columns is None:
        raise SolverError("HiGHS: the decided orders cannot be filled")
    return taken, clean.columns, clean.objective


def _proven(sequence: Sequence, clean: Solution, master: Master, gap: float) -> Solution:
    """The solution with the bounds that hold for every mix, and the gap that they leave."""
    proof = sequence.relaxed(clean, master.mixes)
    gaps = [
        Stage(s.goal, s.minimum, p.bound, s.status, None).gap
        for s, p in zip(clean.stages[:-1], proof, strict=False)
    ]
    gaps += [float("inf")] * (len(clean.stages) - 1 - len(proof))
    wide = [s.goal.key for s, width in zip(clean.stages[:-1], gaps, strict=True) if width > gap]
    if not wide:
        return replace(clean, proof=tuple(proof), solver_gap=max(gaps, default=0.0))
    stopped = TIME_LIMIT if any(width == float("inf") for width in gaps) else FOUND
    return replace(
        clean,
        status="limit",
        proof=tuple(proof),
        solver_gap=max(gaps),
        unfinished=wide[0],
        stopped_by=stopped,
    )
