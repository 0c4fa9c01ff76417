"""Margin and tie-break in one solve: the margin many times over and the tie-break beside it.

Where the basis that comes is optimal for the margin, and for the tie-break among what the margin leaves
free, the point is the one that two solves would find. Both are seen by the prices that the basis gives each
goal, so nothing rests on the size of the factor: in doubt, two solves answer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import scipy.sparse

from massbalance.solving.highs import Answer, Highs

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
DUAL = 1
TIMES = 10000.0
"""The margin counts so many times: less, and small differences of margins are lost in the tie-break (100: in
three quarters of the quotes of a case with no two orders alike)."""
FEASIBLE = 1e-7
"""HiGHS's own tolerance of reduced costs."""


def joint_costs(margin: Floats, tie_break: Floats) -> Floats:
    """Costs of both at once."""
    return TIMES * margin + tie_break


def solve_jointly(model: Highs) -> Answer:
    """Go on with joint costs; they are hardly ever alike, so they need no random change."""
    model.option("simplex_strategy", DUAL)
    model.option("dual_simplex_cost_perturbation_multiplier", 0.0)
    answer = model.solve(deadline=None, cold=False)
    model.option("dual_simplex_cost_perturbation_multiplier", 1.0)
    return answer


def margin_of(
    model: Highs,
    columns: Floats,
    goals: tuple[Floats, Floats],
    added: scipy.sparse.csc_array,
    slacks: Bools,
    held: Sequence[tuple[Floats, float]],
    least: float,
) -> Answer | None:
    """What a solve for the margin would have said of the joint optimum just found; None in doubt.

    columns: its values; goals: costs of margin and tie-break; added: columns added to the compiled model;
    slacks: which rows are no equations; held: costs and values of the held goals;
    least: reduced costs below it are noise.
    """
    basic, (of_margin, of_ties) = model.basis_prices(goals)
    margin = _reduced(model, goals[0], of_margin, added, held)
    ties = _reduced(model, goals[1], of_ties, added, held)
    moves = ~basic & np.isnan(model.place) & (model.upper > model.lower)
    high = columns - model.lower > model.upper - columns
    down = np.where(high, 1.0, -1.0)
    free = np.abs(margin) <= least
    worse = moves & ((down * margin > FEASIBLE) | (free & (down * ties > FEASIBLE)))
    # a price above 0 would have a row that is no equation stand at less than its most
    loose = slacks & ((of_margin > FEASIBLE) | ((np.abs(of_margin) <= least) & (of_ties > FEASIBLE)))
    if worse.any() or loose.any():
        return None
    model.price_holds(of_margin, margin)
    minimum = float(goals[0] @ columns)
    return Answer("optimal", columns, of_margin, margin, minimum, minimum)


def _reduced(
    model: Highs,
    costs: Floats,
    prices: Floats,
    added: scipy.sparse.csc_array,
    held: Sequence[tuple[Floats, float]],
) -> Floats:
    """Reduced costs of all columns by prices of all rows."""
    matrix = model.compiled.matrix
    rows, width = matrix.shape
    own = costs[:width] - matrix.T @ prices[:rows]
    for (of_goal, _), price in zip(held, prices[rows : rows + len(held)].tolist(), strict=True):
        if price:
            own -= price * of_goal
    return np.concatenate([own, costs[width:] - added.T @ prices])
