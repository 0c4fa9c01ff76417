"""The bound that a stage's prices prove, over the whole compiled model and without the solver."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from massbalance.formulation.labels import EQUATION_NAMES
from massbalance.solving.compiled import Compiled
from massbalance.solving.solution import Stage

Floats = npt.NDArray[np.float64]
LOT_SUPPLY, RECIPE_MASS = EQUATION_NAMES.index("lot_supply"), EQUATION_NAMES.index("recipe_mass")


def weak_bound(compiled: Compiled, stages: Sequence[Stage], number: int) -> float:
    """No point of the model gives goal `number` a lower minimum than this, earlier goals being held.

    Taken are the prices that a run proves its optimum with: those of C2 to C9 and of the held goals. C1's
    and C10's follow from them, as in verification: a lot is worth its best pool and period, a tonne of a
    recipe what its mix costs. Every other column then takes the bound that its reduced cost points to.
    """
    stage = stages[number]
    assert stage.row_dual is not None
    price = np.asarray(stage.row_dual, dtype=np.float64).copy()
    assert (price >= 0).all()
    assert all(hold >= 0 for hold in stage.hold_dual)
    cost = compiled.costs[number].copy()
    held = 0.0
    for earlier, hold in enumerate(stage.hold_dual):
        cost += hold * compiled.costs[earlier]
        held += hold * stages[earlier].minimum
    derived = np.isin(compiled.equation_of_row, (LOT_SUPPLY, RECIPE_MASS))
    price[derived] = 0.0
    reduced = cost + compiled.matrix.T @ price
    _derive(compiled, reduced, price)
    reduced = cost + compiled.matrix.T @ price
    finite = np.where(np.isfinite(compiled.row_upper), compiled.row_upper, 0.0)
    at_bound = np.where(reduced < 0, reduced * compiled.upper, reduced * compiled.lower)
    return float(at_bound.sum() - finite @ price - held)


def _derive(compiled: Compiled, reduced: Floats, price: Floats) -> None:
    """C10: the claimed mass is free of cost; C1: no flow out of a lot is worth more than the lot."""
    by_row = compiled.matrix.tocsr()
    masses = np.flatnonzero(compiled.equation_of_row == RECIPE_MASS)
    price[masses] = -reduced[compiled.y[compiled.recipe_of_row[masses]]]
    for row in np.flatnonzero(compiled.equation_of_row == LOT_SUPPLY):
        flows = by_row.indices[by_row.indptr[row] : by_row.indptr[row + 1]]
        price[row] = max(0.0, -float(reduced[flows].min(initial=0.0)))


def overstepped(compiled: Compiled, columns: Floats) -> float:
    """The most by which a point breaks a row or a bound, relative to the model's largest figure."""
    activity = compiled.matrix @ columns
    above = np.where(np.isfinite(compiled.row_upper), activity - compiled.row_upper, 0.0)
    below = np.where(np.isfinite(compiled.row_lower), compiled.row_lower - activity, 0.0)
    most = max(
        above.max(initial=0.0),
        below.max(initial=0.0),
        (columns - compiled.upper).max(initial=0.0),
        (compiled.lower - columns).max(initial=0.0),
    )
    return float(most) / max(1.0, float(compiled.upper.max(initial=1.0)))
