"""The linear answer: greatest mass, and the least premium, by re-solves of a model kept hot."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from massbalance.domain.grid import GRID
from massbalance.formulation.labels import OF_A_RECIPE
from massbalance.solving.highs import SolverError
from massbalance.solving.hot import DUAL, NEARLY, PRIMAL, Found, Hot, Trial
from massbalance.solving.stamp import Stamp
from massbalance.solving.tiny import maximise

Floats = npt.NDArray[np.float64]
GRAM = 1.0 / GRID
MOST = 1e6
"""Units of a credit in a tonne: more than any caps allow."""
SLIVER = 1e-2
"""A solver's mass may lie this part of a gram below a whole one and still be it."""
NOISE = 1e-9
"""A margin that differs by less than this, relative to max(1, |margin|), does not differ."""


@dataclass(frozen=True)
class Worth:
    """What an order can have and what it costs.

    asked, feasible: t; loss: what the margin loses if the feasible mass is taken without a premium;
    margin: that is left, minimised form with the sign of a cost; taken: that optimum (None: nothing is
    feasible); columns: the one that the tie-break chooses of such optima, if asked for; short: the optimum
    of the greatest mass, where the whole is not feasible.
    """

    asked: float
    feasible: float
    loss: float
    taken: Found | None
    columns: Floats | None
    short: Found | None

    @property
    def whole(self) -> bool:
        """Is all of it feasible?"""
        return self.feasible >= self.asked

    @property
    def floor(self) -> float | None:
        """Least premium per t of the feasible mass; None where there is none."""
        return self.loss / self.feasible if self.feasible > 0 else None


def loss_of(minimum: float, base: float) -> float:
    """By how much a minimum lies above the base's; what is within the solver's noise is none."""
    loss = minimum - base
    return 0.0 if abs(loss) <= NOISE * max(1.0, abs(base)) and loss < 0 else loss


def grams(mass: float) -> float:
    """A mass in t, rounded down to whole grams but for a sliver."""
    return max(0.0, math.floor(mass * GRID + SLIVER) / GRID)


def worth(hot: Hot, stamp: Stamp, mass: float, *, unique: bool) -> Worth:
    """Greatest mass up to `mass` with no firm shortfall worse, and what it costs the margin.

    unique: also choose among the optima, to tell who loses.
    """
    with hot.trial(stamp) as trial:
        trial.between(mass, mass)
        trial.aim_at_margin()
        found, short, feasible = trial.go_on(DUAL), None, mass
        if found is None:
            short, feasible = _greatest(trial, mass)
            found = _at(trial, feasible) if feasible > 0 else None
        columns = trial.unique(found) if unique and found is not None else None
    loss = 0.0 if found is None else loss_of(found.minimum, hot.minimum)
    return Worth(mass, feasible, loss, found, columns, short)


def _greatest(trial: Trial, mass: float) -> tuple[Found, float]:
    trial.begin_again()
    trial.between(0.0, mass)
    trial.aim_at_mass()
    short = trial.solve(PRIMAL)
    if short is None:
        raise SolverError("HiGHS: without the order there is a point, with none of it there is none")
    most = -short.minimum
    return short, mass if most >= mass * (1 - NEARLY) else grams(most)


def _at(trial: Trial, mass: float) -> Found:
    """The best margin with a mass that is feasible."""
    trial.begin_again()
    trial.between(mass, mass)
    trial.aim_at_margin()
    found = trial.solve(DUAL)
    if found is None:
        raise SolverError("HiGHS: the greatest mass of an order is not feasible")
    return found


def price_per_t(hot: Hot, stamp: Stamp) -> float | None:
    """What the credits of one tonne are worth at the base's prices: what bid prices alone would ask.

    None where no mix under the caps reaches the claim. Never above the floor premium of an LP (weak duality).
    """
    small = stamp.small
    kinds = [equation for equation, _ in small.rows]
    own = [i for i, kind in enumerate(kinds) if kind in OF_A_RECIPE and kind != "recipe_mass"]
    matrix = small.matrix.tocsr()
    block = matrix[own]
    of_x = np.asarray(block[:, small.x].todense(), dtype=np.float64).reshape(len(own), len(small.x))
    of_y = np.asarray(block[:, small.y].todense(), dtype=np.float64).reshape(len(own), -1).sum(axis=1)
    price = _credit_prices(hot, stamp, kinds)
    balance = matrix[[i for i, kind in enumerate(kinds) if kind == "pool_balance"]][:, small.x]
    cost = stamp.problem.pairs.unit_cost.floats()[stamp.problem.pairs.pool] + balance.T @ price
    if len(small.x) == 0:
        return 0.0 if not (of_y > 0).any() else None
    # one tonne takes at most a tonne's worth: the caps themselves bound every column that counts
    amounts = maximise(-cost, of_x, -of_y, np.full(len(small.x), MOST))
    return None if amounts is None else float(cost @ amounts)


def _credit_prices(hot: Hot, stamp: Stamp, kinds: list[str]) -> Floats:
    """Base price of a unit in each C3 row of the order: the row's, or its cheapest lot's where it is new."""
    small = stamp.small
    old = stamp.row_of < hot.compiled.matrix.shape[0]
    known = np.zeros(len(kinds))
    known[old] = hot.prices[stamp.row_of[old]]
    supply = np.array([kind in ("lot_supply", "origin_once") for kind in kinds], dtype=bool)
    of_flow = small.matrix[:, small.f].T @ np.where(supply, known, 0.0)
    balance = np.array([i for i, kind in enumerate(kinds) if kind == "pool_balance"], dtype=np.intp)
    flows = small.matrix.tocsr()[balance][:, small.f].tocoo()
    cheapest = np.full(len(balance), np.inf)
    np.minimum.at(cheapest, flows.row, of_flow[flows.col])
    return np.where(old[balance], known[balance], cheapest)
