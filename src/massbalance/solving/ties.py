"""The last goal, on the optimal face of the one before.

What has a reduced cost stays where it is and a row that has a price stays tight: every point left
is an optimum, and the one at hand is among them to the last bit. What cannot move is no longer
in the model, which is why this is a small LP.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import scipy.sparse

from massbalance.solving.compiled import Compiled
from massbalance.solving.highs import Answer, Highs
from massbalance.solving.robust import LEAST_SLACK, Held, acceptable

Floats = npt.NDArray[np.float64]
PRICED = 1e-10
"""A reduced cost below this, relative to the greatest cost, is the solver's noise."""


@dataclass(frozen=True)
class Optimum:
    """An optimum of a goal under holds, with signed prices: reduced cost = costs + prices over rows.

    columns: (columns,); rows: (rows,); held: (holds,), of the goals held before.
    """

    columns: Floats
    rows: Floats
    held: Floats


def break_ties(
    compiled: Compiled, optimum: Optimum, goal: int, held: Held, deadline: float | None
) -> tuple[Answer, Floats]:
    """Minimise goal `goal + 1` over the optima of `goal`; the answer, and its columns.

    held: goals before `goal`. Where nothing acceptable comes, the answer is a `limit` and the
    columns are the optimum itself: nothing but uniqueness is lost then.
    """
    before, costs = compiled.costs[goal], compiled.costs[goal + 1]
    least = PRICED * max(1.0, float(np.abs(before).max(initial=0.0)))
    matrix, lower, upper, price = _with_holds(compiled, optimum, held)
    reduced = before + sum(
        (p * c for p, (c, _) in zip(optimum.held, held, strict=True)), np.zeros(len(before))
    )
    reduced = reduced + compiled.matrix.T @ optimum.rows
    free = np.flatnonzero((np.abs(reduced) <= least) & (compiled.upper > compiled.lower))
    columns = np.clip(optimum.columns, compiled.lower, compiled.upper)
    if len(free) == 0:
        value = float(costs @ columns)
        return Answer("optimal", columns, None, None, value, value), columns
    moved = columns.copy()
    moved[free] = 0.0
    fixed, activity = matrix @ moved, matrix @ columns
    tight = np.abs(price) > least
    lower = np.where(tight, activity, lower) - fixed
    upper = np.where(tight, activity, upper) - fixed
    part = scipy.sparse.csc_array(matrix[:, free])
    rows = np.flatnonzero(np.diff(scipy.sparse.csr_array(part).indptr))
    none = np.empty(0, dtype=np.intp)
    small = replace(
        compiled,
        matrix=scipy.sparse.csc_array(part.tocsr()[rows]),
        row_lower=lower[rows],
        row_upper=upper[rows],
        lower=compiled.lower[free],
        upper=compiled.upper[free],
        integer=np.zeros(len(free), dtype=bool),
        f=none, x=none, y=none, step=none,
    )  # fmt: skip
    model = Highs(small, integers=False)
    model.set_costs(costs[free])
    answer = model.solve(deadline=deadline)
    if answer.columns is not None:
        columns[free] = answer.columns
        value = float(costs @ columns)
        bound = value if answer.status == "optimal" else -np.inf
        whole = replace(answer, columns=columns, objective=value, bound=bound)
        if acceptable(whole, [*held, (before, float(before @ optimum.columns))], LEAST_SLACK):
            return whole, columns
    value = float(costs @ optimum.columns)
    return Answer("limit", optimum.columns, None, None, value, -np.inf), optimum.columns


def _with_holds(
    compiled: Compiled, optimum: Optimum, held: Held
) -> tuple[scipy.sparse.csr_array, Floats, Floats, Floats]:
    """Rows, bounds and prices with the held goals (C15) below the compiled model's."""
    matrix = compiled.matrix.tocsr()
    if held:
        matrix = scipy.sparse.vstack([matrix, scipy.sparse.csr_array(np.stack([c for c, _ in held]))]).tocsr()
    values = [v for _, v in held]
    return (
        scipy.sparse.csr_array(matrix),
        np.concatenate([compiled.row_lower, np.full(len(values), -np.inf)]),
        np.concatenate([compiled.row_upper, values]),
        np.concatenate([optimum.rows, optimum.held]),
    )
