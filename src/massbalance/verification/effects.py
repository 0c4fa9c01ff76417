"""What kinds of lots do to products: coefficients as arrays, and answers for arrays of pairs.

kind: positions in `Facts.kinds`; product: positions in the case; a pair is one of each, so both
have one shape. Coefficients are scaled as in `facts`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from massbalance.verification.facts import CARRIERS, Facts, Limits, Traits
from massbalance.verification.integers import Index, Integers, Mask, integers

BOUNDARIES = ("site", "accounting_unit", "organisation")
AREA, GAS, CATEGORY, CARRIER = 1, 2, 3, 4
"""What stands between a kind of lot and a product, in any period."""


class Effects:
    """Tables over kinds (K) and products (P) of one case.

    material, project: (K,) masks; carrier: (K,) positions in CARRIERS, after them none; category:
    (K,) positions in `categories`; acts_in: (K, 3) mask of scopes; cost: (K,); shares: (K, 3) by share
    claim. rate: (P,) credited mass per unit; scopes: (P, 3); use: (P, carriers + none); cap: (P,
    categories), -1 where the alloy does not take it; baseline: (P,). elements: limited ones.
    """

    def __init__(self, facts: Facts) -> None:
        self.scale, self.kinds, self.products = facts.scale, facts.kinds, facts.products
        self.categories = sorted({traits.category for traits in self.kinds})
        self.elements = sorted({e for limits in self.products for e in limits.elements})
        self._read_kinds()
        self._read_products()
        self._read_elements()

    def _of_kinds(self, value: Callable[[Traits], object], *width: int) -> Integers:
        return integers([value(traits) for traits in self.kinds]).reshape(len(self.kinds), *width)

    def _of_products(self, value: Callable[[Limits], object], *width: int) -> Integers:
        return integers([value(limits) for limits in self.products]).reshape(len(self.products), *width)

    def _read_kinds(self) -> None:
        carriers = (*CARRIERS, "")
        categories = {category: c for c, category in enumerate(self.categories)}
        self.material: Mask = np.array([t.kind == "material" for t in self.kinds], dtype=bool)
        self.project: Mask = np.array([t.kind == "project" for t in self.kinds], dtype=bool)
        self._ghg: Mask = np.array([t.gas == "GHG" for t in self.kinds], dtype=bool)
        self.carrier: Index = np.array([carriers.index(t.carrier) for t in self.kinds], dtype=np.intp)
        self.category: Index = np.array([categories[t.category] for t in self.kinds], dtype=np.intp)
        self.acts_in = self._of_kinds(lambda t: [s in t.scopes for s in (1, 2, 3)], 3).astype(bool)
        self.cost, self.shares = self._of_kinds(lambda t: t.cost), self._of_kinds(lambda t: t.shares, 3)
        self._displaced, self._intensity = (
            self._of_kinds(lambda t: t.displaced or 0), self._of_kinds(lambda t: t.intensity or 0)
        )  # fmt: skip
        self._reduces = np.array([None not in (t.displaced, t.intensity) for t in self.kinds], dtype=bool)

    def _read_products(self) -> None:
        self.rate = self._of_products(lambda p: p.rate)
        self.scopes, self.baseline = (
            self._of_products(lambda p: p.scopes, 3),
            self._of_products(lambda p: p.baseline),
        )
        self.use = self._of_products(lambda p: [*(p.use[c] for c in CARRIERS), 0], len(CARRIERS) + 1)
        self.cap = self._of_products(
            lambda p: [p.caps.get(c, -1) for c in self.categories], len(self.categories)
        )
        others = [[*(p.factor[c] for c in CARRIERS), p.metal] for p in self.products]
        self._tells = np.array([[v is not None for v in row] for row in others], dtype=bool).reshape(-1, 3)
        self._other = integers([[v or 0 for v in row] for row in others]).reshape(-1, 3)
        self._co2_only: Mask = np.array([p.gas == "CO2" for p in self.products], dtype=bool)
        names = {
            area: i for i, area in enumerate({(b, p.areas[b]) for p in self.products for b in BOUNDARIES})
        }
        self._area_of = self._of_products(lambda p: [names[b, p.areas[b]] for b in BOUNDARIES], 3)
        self._area = self._of_kinds(lambda t: names.get(t.area, -1))
        self._boundary = self._of_kinds(lambda t: BOUNDARIES.index(t.area[0]))

    def _read_elements(self) -> None:
        wt = [dict(traits.wt) for traits in self.kinds]
        self._has = {e: np.array([e in one for one in wt], dtype=bool) for e in self.elements}
        self._wt = {e: integers([one.get(e, 0) for one in wt]) for e in self.elements}
        limits = {e: [p.elements.get(e) for p in self.products] for e in self.elements}
        self.limited = {e: np.array([one is not None for one in limits[e]], dtype=bool) for e in limits}
        most, base = (
            {e: integers([(one or (0, 0))[i] for one in limits[e]]) for e in limits} for i in (0, 1)
        )
        self._base, self.room = base, {e: most[e] - base[e] for e in limits}

    def obstacle(self, kind: Index, product: Index) -> Index:
        """Why lots may not serve products, in any period: AREA, GAS, CATEGORY, CARRIER, 0 if they may."""
        carrier = self.carrier[kind]
        tests = (
            self._area_of[product, self._boundary[kind]] != self._area[kind],
            self._ghg[kind] & self._co2_only[product],
            self.material[kind] & (self.cap[product, self.category[kind]] < 0),
            (carrier < len(CARRIERS)) & (self.use[product, carrier] <= 0),
        )
        return np.select(tests, (AREA, GAS, CATEGORY, CARRIER), 0)

    def reduction(self, kind: Index, product: Index) -> Integers:
        """max(0, min(D_l, d_p) - intensity) per unit, scaled; 1 for projects; 0 where not known."""
        other = self.carrier[kind]  # metal stands where "no carrier" does
        known = self._reduces[kind] & self._tells[product, other]
        effective = np.minimum(self._displaced[kind], self._other[product, other])
        gain = np.where(known, np.maximum(effective - self._intensity[kind], 0), 0)
        return np.where(self.project[kind], self.scale, gain)

    def credited(self, kind: Index, product: Index) -> Integers:
        """Credited product mass per unit, scaled: 0 but for materials."""
        return np.where(self.material[kind], self.rate[product], 0)

    def delta(self, element: str, kind: Index, product: Index) -> Integers:
        """Wt % above the base metal; 0 where the lot has no figure for the element."""
        above = self._wt[element][kind] - self._base[element][product]
        return np.where(self._has[element][kind], above, 0)

    def accepts(self, schemes: list[frozenset[str]]) -> Mask:
        """Which sets of accepted schemes take which kinds, shape (sets, K); an empty set takes all."""
        takes = [[not one or t.scheme in one for t in self.kinds] for one in schemes]
        return np.array(takes, dtype=bool).reshape(len(schemes), len(self.kinds))
