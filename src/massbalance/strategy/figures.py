"""What an allocation comes to, in the figures by which strategies and rules of thumb are compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from massbalance.domain.case import Case, IndexArray
from massbalance.domain.effects import Effects, Windows, windows
from massbalance.domain.grid import GRID
from massbalance.domain.objective import group_of
from massbalance.domain.result import Allocation
from massbalance.formulation.stakes import lapses

Floats = npt.NDArray[np.float64]
NOTHING_T = 1e-6
"""A gram: less than this is nothing."""
FULL_T, FULL = 1e-5, 1e-8
"""An order that lacks 10 g, or this part of its mass, has all: booking and solvers are no finer."""


@dataclass(frozen=True)
class Outcome:
    """Who got what, in t and in the lots' units.

    claimed: t of each order, shape (orders,); taken: offer's position of each order (-1: own terms);
    used: quantity taken from each lot, shape (lots,); reduction: t CO2e that orders got in all, None where
    the rule does not say what it gives to whom.
    """

    claimed: Floats
    taken: IndexArray
    used: Floats
    reduction: float | None


@dataclass(frozen=True)
class Figures:
    """The figures of one allocation.

    firm_shortfall_t: by priority; margin: in the case's currency; expired_tco2e: value of what expires
    unused within the horizon (of lots that share an origin each counts alone); orders: how many got all of
    their mass; customers: how many got anything; least_share, mean_share: claimed of ordered mass, of the
    customer that got least of it, and of the customers' mean.
    """

    firm_shortfall_t: Mapping[int, float]
    margin: float
    claimed_t: float
    allocated_tco2e: float | None
    expired_tco2e: float
    orders: int
    customers: int
    least_share: float
    mean_share: float

    @property
    def unmet_firm_t(self) -> float:
        """Firm shortfall of all priorities, t."""
        return float(sum(self.firm_shortfall_t.values()))


def of_allocation(case: Case, allocation: Allocation) -> Outcome:
    """The outcome of a booked allocation."""
    return Outcome(
        allocation.claimed / GRID,
        allocation.taken,
        allocation.by_lot(len(case.lots)) / GRID,
        float(allocation.reduction.sum()) / GRID,
    )


def figures(case: Case, outcome: Outcome) -> Figures:
    """The figures of an outcome, the same for the optimum and for every rule."""
    orders = case.orders
    mass, firm, priority = orders.floats("mass_t"), orders.flag("firm"), orders.floats("priority")
    claimed = outcome.claimed
    price = orders.floats("premium_per_t").copy()
    offered = case.offers.floats("premium_per_t")
    other = outcome.taken >= 0
    price[other] = offered[outcome.taken[other]]
    spent = float(np.nansum(case.lots.floats("unit_cost") * outcome.used))
    shares = customer_shares(case, claimed)
    return Figures(
        firm_shortfall_t={
            int(p): float((mass - claimed)[firm & (priority == p)].sum()) for p in np.unique(priority[firm])
        },
        margin=float(np.where(claimed > 0, price * claimed, 0.0).sum()) - spent,
        claimed_t=float(claimed.sum()),
        allocated_tco2e=outcome.reduction,
        expired_tco2e=expired(case, outcome.used),
        orders=int((claimed >= mass - np.maximum(FULL_T, FULL * mass)).sum()),
        customers=int((shares > 0).sum()),
        least_share=float(shares.min(initial=1.0)),
        mean_share=float(shares.mean()) if len(shares) else 1.0,
    )


def customer_shares(case: Case, claimed: Floats) -> Floats:
    """Claimed of ordered mass of each customer that ordered something, in the order of their names."""
    names, of_order = group_of(case, "customer")
    ordered = np.bincount(of_order, weights=case.orders.floats("mass_t"), minlength=len(names))
    got = np.bincount(of_order, weights=claimed, minlength=len(names))
    return np.asarray((got / np.where(ordered > 0, ordered, 1.0))[ordered > 0], dtype=np.float64)


def counted(case: Case, effects: Effects, window: Windows) -> npt.NDArray[np.bool_]:
    """Lots that a rule may draw on: of usable lots of an origin only the most valuable (A4.2.3)."""
    lots, usable = case.lots, window.first <= window.last
    names, origin = lots.text("lot"), lots.text("origin")
    worth = np.nan_to_num(effects.unit_value.floats()) * lots.floats("quantity")
    best: dict[str, int] = {}
    for i in np.argsort(names, kind="stable").tolist():
        if usable[i] and origin[i] and worth[i] > worth[best.setdefault(origin[i], i)]:
            best[origin[i]] = i
    return np.array([usable[i] and best.get(origin[i], i) == i for i in range(len(names))], dtype=bool)


def expired(case: Case, used: Floats) -> float:
    """t CO2e of what expires unused before the case's last period is over (as the goal `expiry`)."""
    window, lots = windows(case), case.lots
    lapsing = (window.first <= window.last) & lapses(case, case.rules, window.expires)
    value = np.nan_to_num(Effects(case).unit_value.floats())
    return float((value * (lots.floats("quantity") - used))[lapsing].sum())
