"""The greatest claim each recipe could get under its caps: one block-diagonal LP, a block for each kind."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from massbalance.domain.case import IndexArray
from massbalance.formulation.labels import EQUATION_NAMES
from massbalance.formulation.possible import Reach
from massbalance.formulation.problem import CAPS, Problem
from massbalance.solving.compiled import Compiled
from massbalance.solving.highs import Highs, SolverError
from massbalance.solving.labels import Labels

Floats = npt.NDArray[np.float64]


def reach(problem: Problem, compiled: Compiled) -> Reach:
    """Fix every claimed mass at one tonne, let every lot be endless, and get the most of each claim.

    Uses the caps of the compiled model itself (C5 to C9). Recipes of one product limit, claim and set
    of pools have the same block, whatever their level, period and schemes: it is solved once.
    SolverError where HiGHS does not solve it.
    """
    recipes = len(problem.recipes)
    if recipes == 0 or len(compiled.x) == 0:
        none: tuple[tuple[()], ...] = tuple(() for _ in range(recipes))
        return Reach(np.zeros(recipes), none, none)
    kind, first = _kinds(problem)
    chosen = np.zeros(recipes, dtype=bool)
    chosen[first] = True
    labels = Labels(problem, compiled)
    kept = np.flatnonzero(labels.of(*CAPS))
    recipe_of_row = labels.recipes(kept)
    kept, recipe_of_row = kept[chosen[recipe_of_row]], recipe_of_row[chosen[recipe_of_row]]
    pairs = np.flatnonzero(chosen[problem.pairs.recipe])
    value = problem.claim_value[pairs]
    answer, duals = _solved(compiled, kept, np.concatenate([compiled.x[pairs], compiled.y[first]]), value)
    got = np.bincount(kind[problem.pairs.recipe[pairs]], weights=value * answer, minlength=len(first))
    caps: list[list[tuple[str, object]]] = [[] for _ in first]
    prices: list[list[float]] = [[] for _ in first]
    binding = np.flatnonzero(duals < -1e-9)
    for row, recipe, dual in zip(kept[binding], recipe_of_row[binding], duals[binding], strict=True):
        caps[kind[recipe]].append(labels.rows[row])
        prices[kind[recipe]].append(-float(dual))
    return Reach(
        got.astype(np.float64)[kind],
        tuple(tuple((name, _of(r, key)) for name, key in caps[kind[r]]) for r in range(recipes)),
        tuple(tuple(prices[kind[r]]) for r in range(recipes)),
    )


def _kinds(problem: Problem) -> tuple[IndexArray, IndexArray]:
    """Kind of each recipe, and the first recipe of each kind: same limit, claim and pools, same block."""
    recipes, pairs = problem.recipes, problem.pairs
    serves = np.zeros((len(recipes), len(problem.pools.ids)), dtype=bool)
    serves[pairs.recipe, pairs.pool] = True
    words = np.packbits(serves, axis=1)
    sets = np.unique(words, axis=0, return_inverse=True)[1].ravel()
    keys = pd.DataFrame({"limit": recipes.limit, "claim": pd.factorize(recipes.claim)[0], "pools": sets})
    kind = np.asarray(keys.groupby(list(keys.columns), sort=False).ngroup(), dtype=np.intp)
    return kind, np.unique(kind, return_index=True)[1]


def _of(recipe: int, key: object) -> object:
    """The key of the same cap of another recipe."""
    return (recipe, *key[1:]) if isinstance(key, tuple) else recipe


def _solved(
    compiled: Compiled, rows: IndexArray, columns: IndexArray, value: Floats
) -> tuple[Floats, Floats]:
    """Greatest value of the first columns, the others at one tonne: their amounts, and the rows' duals."""
    x, y = len(value), len(columns) - len(value)
    block = Compiled(
        matrix=compiled.matrix[rows][:, columns].tocsc(),
        costs=-np.concatenate([value, np.zeros(y)])[None, :],
        offsets=np.zeros(1),
        row_lower=compiled.row_lower[rows],
        row_upper=compiled.row_upper[rows],
        lower=np.concatenate([np.zeros(x), np.ones(y)]),
        # one tonne takes at most a tonne's worth: the caps themselves bound every column that counts
        upper=np.concatenate([np.full(x, 1e6), np.ones(y)]),
        integer=np.zeros(x + y, dtype=bool),
        rows=tuple(("cap", int(row)) for row in rows),
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
    return answer.columns[:x], answer.row_dual


def without_share(model: Compiled) -> frozenset[int]:
    """Orders that `without_hopeless` has left out of the common share."""
    free = (model.equation_of_row == EQUATION_NAMES.index("common_share")) & np.isinf(model.row_upper)
    return frozenset(int(model.rows[int(i)][1]) for i in np.flatnonzero(free))  # type: ignore[call-overload]


def without_hopeless(problem: Problem, compiled: Compiled) -> Compiled:
    """The model in which an order that no mix can serve does not hold the common share of all (C17) at 0."""
    if not len(problem.stakes.covered):
        return compiled
    hopeless = reach(problem, compiled).hopeless(problem)
    if not len(hopeless):
        return compiled
    orders, upper = set(hopeless.tolist()), compiled.row_upper.copy()
    of_share = np.flatnonzero(compiled.equation_of_row == EQUATION_NAMES.index("common_share"))
    upper[[int(i) for i in of_share if compiled.rows[int(i)][1] in orders]] = np.inf
    return replace(compiled, row_upper=upper)
