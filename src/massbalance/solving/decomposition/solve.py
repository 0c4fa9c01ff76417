"""The lexicographic optimum by decomposition: a sample for first prices, then every recipe."""

from __future__ import annotations

import time

from massbalance.formulation.problem import Problem
from massbalance.solving.compiled import Compiled
from massbalance.solving.decomposition.blocks import Blocks
from massbalance.solving.decomposition.mip import solve_mip
from massbalance.solving.decomposition.sequence import Sequence, sample_prices
from massbalance.solving.solution import Progress, Solution, empty


def solve(
    problem: Problem,
    compiled: Compiled,
    *,
    time_limit: float | None = None,
    gap: float = 0.0,
    progress: Progress | None = None,
) -> Solution:
    """Lexicographic optimum of a problem and its compiled model.

    time_limit: seconds for all solves together; gap: relative gap that counts as optimal where there
    are integers. SolverError where HiGHS answers what cannot be true.
    """
    say = progress or (lambda _: None)
    deadline = None if time_limit is None else time.monotonic() + time_limit
    if compiled.matrix.shape[1] == 0:
        return empty(compiled)
    blocks = Blocks(problem, compiled)
    known = sample_prices(problem, compiled, blocks, deadline, say)
    sequence = Sequence(problem, compiled, blocks, deadline, say, known)
    return solve_mip(sequence, gap) if compiled.integer.any() else sequence.solve()
