"""Solves that are checked: what looks wrong is solved again in other ways before it is believed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from massbalance.solving.highs import Answer, Highs, SolverError

Floats = npt.NDArray[np.float64]
Held = Sequence[tuple[Floats, float]]
"""Costs over the columns, and the value at which each earlier goal is held."""

LEAST_SLACK = 1e-9
"""Slack of held goals, relative, where HiGHS calls a point infeasible that it has found itself."""
MOST_SLACK = 1e-7
"""The same where the point itself was only feasible within what HiGHS tolerates: tiny masses."""
WORSE = 1e-6
"""A held goal may come out worse by this, relative to max(1, |value|), before a solve is repeated."""


def acceptable(answer: Answer, held: Held, worse: float = WORSE) -> bool:
    """Feasible, and no held goal worse than the stage before gave."""
    if answer.columns is None:
        return answer.status == "limit"
    return all(float(c @ answer.columns) <= v + worse * max(1.0, abs(v)) for c, v in held)


def solve_checked(
    model: Highs, held: Held, deadline: float | None, gap: float = 0.0, *, cold: bool = False
) -> Answer:
    """One solve; SolverError where none of several ways gives an acceptable answer.

    An LP goes on from its last basis unless `cold`; then from nothing, then without presolve, at
    last with as little slack as the solver's accuracy asks for.
    """
    if not cold and not model.integers:
        answer = model.solve(deadline=deadline, cold=False)
        if acceptable(answer, held):
            return answer
    answer = model.solve(deadline=deadline, gap=gap)
    ways = (("off", 0.0), ("choose", LEAST_SLACK), ("off", LEAST_SLACK), ("choose", MOST_SLACK))
    for presolve, slack in ways:
        if acceptable(answer, held):
            break
        model.option("presolve", presolve)
        model.loosen(slack)
        answer = model.solve(deadline=deadline, gap=gap)
    model.option("presolve", "choose")
    if not acceptable(answer, held):
        raise SolverError(f"HiGHS: a held goal came out worse or infeasible ({answer.status})")
    return answer
