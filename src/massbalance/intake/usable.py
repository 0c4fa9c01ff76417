"""Lots that no order can use, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from massbalance.domain.case import Case, IndexArray
from massbalance.domain.effects import CARRIER_OF_UOM, Effects, Windows
from massbalance.intake.cells import Mask
from massbalance.intake.demand import CLAIM_BIT, GHG_BITS, Demand
from massbalance.intake.displaced import FACTORS

NO_ORDERS = "an order (there is none)"
TOO_LATE = "a day of use within the periods: it is available after the last one, outside this case's books"
TOO_EARLY = "an expiry within the periods: it expires before the first one ends"
NO_PERIOD = "a period that ends between its availability and its expiry"
REASONS = (
    "an ordered product whose alloy may hold its category, or that uses its energy",
    "such a product within its boundary",
    "such an order in a period that ends between its availability and its expiry",
    "such an order that accepts its scheme",
    "such an order on a product whose intensity is not CO2 only (the lot's gas is GHG)",
    "such an order to whose claim it adds something (a share, or a reduction)",
)
"""What a lot lacks, in the order in which it is asked."""
PAIRS_AT_ONCE = 200_000


@dataclass(frozen=True)
class _Class:
    """What decides, but for effects, which orders lots may serve."""

    kind: str
    what: str
    area: str
    scheme: str
    gas: str
    first: int
    last: int


def without_use(case: Case, effects: Effects, windows: Windows, ordered: Demand) -> dict[str, list[int]]:
    """Reason -> positions of the lots that no order can use for it."""
    found: dict[str, list[int]] = {}
    search = _Search(case, effects, _merged(case, ordered))
    for lot_class, lots in _classes(case, effects, windows).items():
        for reason, some in search.reasons(lot_class, lots, windows).items():
            found.setdefault(reason, []).extend(some)
    return {reason: sorted(lots) for reason, lots in found.items()}


def _merged(case: Case, ordered: Demand) -> Demand:
    """The same demand over products that differ in nothing a lot can meet, each by its first one."""
    products, exact = case.products, case.products.exact
    metal = exact["metal_tco2e_per_t"]
    alike = zip(
        products.text("site"),
        products.text("alloy"),
        products.text("gas"),
        *(np.asarray(exact[use].values > 0, dtype=bool) for use, _ in FACTORS.values()),
        metal.values,
        metal.given,
        strict=True,
    )
    first: dict[tuple[Any, ...], int] = {}
    stands_for = np.array([first.setdefault(one, p) for p, one in enumerate(alike)], dtype=np.intp)
    product = stands_for[ordered.product]
    lists, periods = len(ordered.scheme_lists), int(ordered.period.max(initial=0)) + 1
    combined = (product * periods + ordered.period) * lists + ordered.schemes
    _, at, group = np.unique(combined, return_index=True, return_inverse=True)
    claims = np.zeros(len(at), dtype=np.int64)
    np.bitwise_or.at(claims, group, ordered.claims)
    return Demand(product[at], ordered.period[at], ordered.schemes[at], claims, ordered.scheme_lists)


def _classes(case: Case, effects: Effects, windows: Windows) -> dict[_Class, list[int]]:
    lots = case.lots
    texts = [lots.text(c) for c in ("kind", "category", "uom", "scheme", "gas")]
    classes: dict[_Class, list[int]] = {}
    for i, (kind, category, uom, scheme, gas) in enumerate(zip(*texts, strict=True)):
        what = {"material": category, "energy": CARRIER_OF_UOM.get(uom, "")}.get(kind, "")
        window = int(windows.first[i]), int(windows.last[i])
        lot_class = _Class(kind, what, effects.boundaries.lot[i], scheme, gas, *window)
        classes.setdefault(lot_class, []).append(i)
    return classes


class _Search:
    """Asks the rules of "may serve" one after the other."""

    def __init__(self, case: Case, effects: Effects, ordered: Demand) -> None:
        self.case, self.effects, self.ordered = case, effects, ordered
        self.gas = case.products.text("gas")
        self.alloy = case.products.text("alloy")
        self.feasible: dict[str, set[str]] = {}
        alloys, shares = case.alloys, case.alloys.exact["max_share"].values
        for alloy, category, share in zip(alloys.text("alloy"), alloys.text("category"), shares, strict=True):
            if share > 0:
                self.feasible.setdefault(category, set()).add(alloy)
        self._fits: dict[tuple[str, str], Mask] = {}
        exact = case.lots.exact
        recycled = exact["recycled_pre"].or_zero().plus(exact["recycled_post"].or_zero())
        self.share_bits = np.zeros(len(case.lots), dtype=np.int64)
        for claim, share in (
            ("green_share", exact["green_share"]),
            ("recycled_share", recycled),
            ("post_consumer_share", exact["recycled_post"]),
        ):
            adds = effects.is_material & np.asarray(share.values > 0, dtype=bool)
            self.share_bits |= np.where(adds, CLAIM_BIT[claim], 0)

    def fits(self, lot_class: _Class) -> Mask:
        """Products that could hold it: alloy and category feasible, or carrier used, shape (products,)."""
        key = (lot_class.kind, lot_class.what)
        if key not in self._fits:
            self._fits[key] = self._find_fits(*key)
        return self._fits[key]

    def _find_fits(self, kind: str, what: str) -> Mask:
        if kind == "material":
            return np.isin(self.alloy, list(self.feasible.get(what, ())))
        if kind == "energy":
            return np.asarray(self.case.products.exact[FACTORS[what][0]].values > 0, dtype=bool)
        return np.ones(len(self.alloy), dtype=bool)

    def reasons(self, lot_class: _Class, lots: list[int], windows: Windows) -> dict[str, list[int]]:
        """Why the lots of a class cannot be used; empty where they can."""
        periods = len(self.case.periods)
        if len(self.ordered.product) == 0:
            return {NO_ORDERS: lots}
        if lot_class.first >= periods:
            return {TOO_LATE: lots}
        if lot_class.last < lot_class.first:
            early = [i for i in lots if windows.expiry[i] == 0]
            return {TOO_EARLY: early, NO_PERIOD: [i for i in lots if windows.expiry[i] != 0]}
        orders = np.arange(len(self.ordered.product))
        for reason, fits in zip(REASONS, self._conditions(lot_class), strict=False):
            orders = orders[fits(orders)]
            if len(orders) == 0:
                return {reason: lots}
        return {REASONS[-1]: self._adding_nothing(np.array(lots), orders)}

    def _conditions(self, lot_class: _Class) -> list[Any]:
        """The rules of "may serve", each from order classes to which of them it lets pass."""
        ordered = self.ordered
        boundary = self.case.rules.boundary(lot_class.kind)
        area = self.effects.boundaries.of_products(boundary) == lot_class.area
        accepting = np.array([not s or lot_class.scheme in s for s in ordered.scheme_lists], dtype=bool)
        any_gas = np.full(len(self.gas), lot_class.gas == "CO2") | (self.gas != "CO2")
        fits = self.fits(lot_class)
        first, last = lot_class.first, lot_class.last
        return [
            lambda at: fits[ordered.product[at]],
            lambda at: area[ordered.product[at]],
            lambda at: (ordered.period[at] >= first) & (ordered.period[at] <= last),
            lambda at: accepting[ordered.schemes[at]],
            lambda at: any_gas[ordered.product[at]],
        ]

    def _adding_nothing(self, lots: IndexArray, orders: IndexArray) -> list[int]:
        """Lots with no share and no reduction that any of these order classes claims."""
        claims = self.ordered.claims[orders]
        all_claims = int(np.bitwise_or.reduce(claims))
        rest = lots[self.share_bits[lots] & all_claims == 0]
        products = np.unique(self.ordered.product[orders[claims & GHG_BITS > 0]])
        if len(rest) == 0 or len(products) == 0:
            return [int(i) for i in rest]
        block = max(1, PAIRS_AT_ONCE // len(rest))
        for start in range(0, len(products), block):
            some = products[start : start + block]
            gain = self.effects.reduction(np.repeat(rest, len(some)), np.tile(some, len(rest)))
            reduces = np.asarray(gain.values > 0, dtype=bool).reshape(len(rest), len(some)).any(axis=1)
            rest = rest[~reduces]
            if len(rest) == 0:
                break
        return [int(i) for i in rest]
