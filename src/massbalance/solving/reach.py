"""The greatest claim each recipe could get under its caps: one block-diagonal LP for all of them."""

from __future__ import annotations

import numpy as np

from massbalance.formulation.possible import Reach
from massbalance.formulation.problem import CAPS, Problem, recipe_of
from massbalance.solving.compiled import Compiled
from massbalance.solving.highs import Highs, SolverError


def reach(problem: Problem, compiled: Compiled) -> Reach:
    """Fix every claimed mass at one tonne, let every lot be endless, and get the most of each claim.

    Uses the caps of the compiled model itself (C5 to C9). SolverError where HiGHS does not
    solve it.
    """
    recipes = len(problem.recipes)
    if recipes == 0 or len(compiled.x) == 0:
        return Reach(np.zeros(recipes), tuple(() for _ in range(recipes)))
    kept = np.array([i for i, (equation, _) in enumerate(compiled.rows) if equation in CAPS], dtype=np.intp)
    columns = np.concatenate([compiled.x, compiled.y])
    x, y = len(compiled.x), len(compiled.y)
    # one tonne takes at most a tonne's worth: the caps themselves bound every column that counts
    upper = np.concatenate([np.full(x, 1e6), np.ones(y)])
    lower = np.concatenate([np.zeros(x), np.ones(y)])
    block = Compiled(
        matrix=compiled.matrix[kept][:, columns].tocsc(),
        costs=-np.concatenate([problem.claim_value, np.zeros(y)])[None, :],
        offsets=np.zeros(1),
        row_lower=compiled.row_lower[kept],
        row_upper=compiled.row_upper[kept],
        lower=lower,
        upper=upper,
        integer=np.zeros(x + y, dtype=bool),
        rows=tuple(compiled.rows[i] for i in kept),
        goals=(),
        flows=(),
        f=np.empty(0, dtype=np.intp),
        x=np.arange(x),
        y=np.arange(x, x + y),
        step=np.empty(0, dtype=np.intp),
        take=np.empty(0, dtype=np.intp),
        origin_size={},
    )
    model = Highs(block, integers=False)
    model.set_costs(block.costs[0])
    answer = model.solve(deadline=None)
    if answer.columns is None or answer.row_dual is None:
        raise SolverError(f"HiGHS: what caps allow could not be computed ({answer.status})")
    got = problem.claim_value * answer.columns[:x]
    most = np.bincount(problem.pairs.recipe, weights=got, minlength=recipes).astype(np.float64)
    caps: list[list[tuple[str, object]]] = [[] for _ in range(recipes)]
    for i, dual in enumerate(answer.row_dual):
        equation, key = block.rows[i]
        if dual < -1e-9:
            caps[recipe_of(key)].append((equation, key))
    return Reach(most, tuple(tuple(c) for c in caps))
