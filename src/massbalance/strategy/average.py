"""The rolling average (A2): every tonne of a period carries the mean of what came in, no order more.

An input share is the mean over all input mass of the accounting unit in the last twelve months that the
case knows; a reduction the mean over all product mass of the area in which the lots may serve. An order is
met where that mean reaches its level, and then in full; there is nothing to assign.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from massbalance.domain.case import Case
from massbalance.domain.effects import Effects, windows
from massbalance.domain.schema import SHARE_CLAIMS
from massbalance.formulation.problem import Problem
from massbalance.strategy.figures import Outcome, counted

Floats = npt.NDArray[np.float64]
MONTHS = 12
"""How far back the mean reaches, as certification schemes allow at most (ISCC PLUS 3, others 12)."""
REACHED = 1e-12


class _Means:
    """Means of a case, by area and period, of the lots of some schemes."""

    def __init__(self, case: Case) -> None:
        self.case, self.effects, self.window = case, Effects(case), windows(case)
        self.counted = counted(case, self.effects, self.window)
        lots, products = case.lots, case.products
        self.schemes, self.kind = lots.text("scheme"), lots.text("kind")
        self.quantity = lots.floats("quantity")
        self.value = np.nan_to_num(self.effects.unit_value.floats()) * self.quantity
        self.shares = {
            "green_share": ("green_share",),
            "recycled_share": ("recycled_pre", "recycled_post"),
            "post_consumer_share": ("recycled_post",),
        }
        table = case.production
        self.made = np.zeros((len(products), len(case.periods)))
        at = (products.find(table.text("product")), case.periods.find(table.text("period")))
        np.add.at(self.made, at, table.floats("mass_t"))
        starts = case.periods.days("start").astype("datetime64[M]").astype(np.int64)
        self.first = np.searchsorted(starts, starts - MONTHS + 1)

    def _sees(self, period: int) -> npt.NDArray[np.bool_]:
        """Lots that came within the reach of a period's mean; each thing once."""
        came = np.maximum(self.window.first, 0)
        return self.counted & (self.first[period] <= came) & (came <= period)

    def share(self, claim: str, product: int, period: int, accepted: frozenset[str]) -> float:
        """Mean share of the input of the product's area."""
        area = self.effects.boundaries.of_products(self.case.rules.boundary("material"))
        mine = self._sees(period) & (self.kind == "material") & self._accepted(accepted)
        mine &= self.effects.boundaries.lot == area[product]
        part = sum((np.nan_to_num(self.case.lots.floats(c)) for c in self.shares[claim]), np.zeros(len(mine)))
        rate = self.case.products.floats("t_product_per_t_input")
        span = slice(int(self.first[period]), period + 1)
        put_in = float(
            (self.made[area == area[product], span].sum(axis=1) / rate[area == area[product]]).sum()
        )
        return min(1.0, float((part * self.quantity)[mine].sum()) / put_in) if put_in > 0 else 0.0

    def reduction(self, product: int, period: int, accepted: frozenset[str]) -> float:
        """Mean reduction, t CO2e per t of product, of all kinds of lots in their areas."""
        found = 0.0
        span = slice(int(self.first[period]), period + 1)
        for kind in np.unique(self.kind):
            area = self.effects.boundaries.of_products(self.case.rules.boundary(str(kind)))
            mine = self._sees(period) & (self.kind == kind) & self._accepted(accepted)
            mine &= self.effects.boundaries.lot == area[product]
            mass = float(self.made[area == area[product], span].sum())
            found += float(self.value[mine].sum()) / mass if mass > 0 else 0.0
        return found

    def _accepted(self, accepted: frozenset[str]) -> npt.NDArray[np.bool_]:
        if not accepted:
            return np.ones(len(self.schemes), dtype=bool)
        return np.isin(self.schemes, sorted(accepted))


def rolling_average(problem: Problem) -> Outcome:
    """Which orders the rolling average meets; every input is used up by it."""
    case, recipes, means = problem.case, problem.recipes, _Means(problem.case)
    meets = np.zeros(len(recipes), dtype=bool)
    for r in range(len(recipes)):
        product, period = problem.limit_of(r).product, int(recipes.period[r])
        accepted = recipes.scheme_sets[recipes.schemes[r]]
        if recipes.claim[r] in SHARE_CLAIMS:
            mean = means.share(str(recipes.claim[r]), product, period, accepted)
        else:
            mean = means.reduction(product, period, accepted)
        meets[r] = mean >= recipes.need.floats()[r] - REACHED
    mass = case.orders.floats("mass_t")
    claimed, taken = np.zeros(len(mass)), np.full(len(mass), -1, dtype=np.intp)
    # the last written stands: own terms before offers, so go backwards
    for term in np.flatnonzero(meets[recipes.of_term])[::-1].tolist():
        order = int(problem.terms.order[term])
        claimed[order], taken[order] = mass[order], problem.terms.offer[term]
    used = np.where(means.window.first <= means.window.last, means.quantity, 0.0)
    return Outcome(claimed, taken, used, None)
