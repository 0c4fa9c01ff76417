"""What enters the rows of the model, over pools and product limits: exact integers and nearest floats.

Nothing here depends on a recipe: category, carrier, scopes and shares are a pool's, the rate and the caps
a limit's; only reductions and distances from the base metal belong to (pool, limit).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from massbalance.domain.case import Case, IndexArray
from massbalance.domain.effects import CARRIER_OF_UOM, Effects
from massbalance.domain.grid import Column, IntArray, multiply, shrink
from massbalance.formulation.nearest import first_rows, nearest, nearest_of, ratio
from massbalance.formulation.pools import Composition, Pools
from massbalance.formulation.recipes import GHG_CLAIMS, Limit

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
CARRIERS = tuple(CARRIER_OF_UOM.values())
KINDS = ("material", "energy", "project")
SHARES_OF_CLAIM = {
    "green_share": ("green_share",),
    "recycled_share": ("recycled_pre", "recycled_post"),
    "post_consumer_share": ("recycled_post",),
}
"""Share claim -> the columns of `lots` that count towards it."""


def scope_bits(scopes: tuple[int, ...]) -> int:
    """Scopes as bits: (1, 3) -> 0b101."""
    return sum(1 << (s - 1) for s in scopes)


def scopes_of(bits: int) -> tuple[int, ...]:
    """0b101 -> (1, 3)."""
    return tuple(s for s in (1, 2, 3) if bits >> (s - 1) & 1)


@dataclass(frozen=True)
class Element:
    """One limited element over (pool, limit), shape (K, L), and limits, shape (L,).

    applies: the limit names the element and the pool's composition gives it; distance: wt % of the
    pool less that of the base metal; over: the pool exceeds the maximum; below: it lies below the
    base metal; room: maximum less base metal.
    """

    name: str
    applies: Bools
    distance: Floats
    over: Bools
    below: Bools
    room: Floats


def _element(name: str, wt: Column, maximum: Column, base: Column) -> Element:
    decimals = max(wt.decimals, maximum.decimals, base.decimals)
    pool, most, least = (shrink(column.at(decimals)) for column in (wt, maximum, base))
    distance = pool[:, None] - least[None, :]
    return Element(
        name,
        wt.given[:, None] & maximum.given[None, :],
        nearest(distance.ravel(), decimals).reshape(distance.shape),
        np.asarray(pool[:, None] > most[None, :], dtype=bool),
        np.asarray(distance < 0, dtype=bool),
        nearest(most - least, decimals),
    )


class Coefficients:
    """Arrays over K pools and L limits; codes are -1 where there is none.

    Over pools: material, category (position in `categories`), carrier (in CARRIERS), scopes (bits);
    over limits: product; over both: takes (boundary, gas, alloy and category, carrier: what does
    not depend on time or scheme) and reduction (integers at reduction_decimals, t CO2e per unit).
    """

    def __init__(
        self, case: Case, effects: Effects, parts: Composition, pools: Pools, limits: list[Limit]
    ) -> None:
        self.case, self.effects, self.parts, self.limits = case, effects, parts, tuple(limits)
        self.lots = lots = pools.representative
        self.shape = (len(lots), len(limits))
        self.product = np.array([limit.product for limit in limits], dtype=np.intp)
        self.material = effects.is_material[lots]
        codes, names = pd.factorize(case.lots.text("category")[lots])
        self.categories = tuple(str(name) for name in names)
        self.category: IndexArray = np.where(self.material, codes, -1).astype(np.intp)
        place = {uom: CARRIERS.index(carrier) for uom, carrier in CARRIER_OF_UOM.items()}
        carrier = np.array([place.get(uom, -1) for uom in effects.uom[lots]], dtype=np.intp)
        self.carrier: IndexArray = np.where(effects.is_energy[lots], carrier, -1)
        self.scopes = np.array([scope_bits(effects.scopes[lot]) for lot in lots], dtype=np.intp)
        self.takes = self._here() & self._breathes() & self._fits()
        self.reduction, self.reduction_decimals = self._reduction()

    # ---- which pool a limit takes ---------------------------------------------------------------------

    def _here(self) -> Bools:
        """Is the product within the lot's boundary? Shape (K, L)."""
        areas = self.effects.boundaries
        of_kind = [areas.of_products(self.case.rules.boundary(kind))[self.product] for kind in KINDS]
        codes, _ = pd.factorize(np.concatenate([areas.lot[self.lots], *of_kind]))
        home = codes[: len(self.lots)]
        there = codes[len(self.lots) :].reshape(len(KINDS), len(self.product))
        kind = np.array([KINDS.index(kind) for kind in self.effects.kind[self.lots]], dtype=np.intp)
        return np.asarray(home[:, None] == there[kind], dtype=bool)

    def _breathes(self) -> Bools:
        """No GHG credit on a product whose intensity is CO2 only. Shape (K, L)."""
        ghg = self.case.lots.text("gas")[self.lots] == "GHG"
        co2_only = self.case.products.text("gas")[self.product] == "CO2"
        return ~np.asarray(ghg[:, None] & co2_only[None, :], dtype=bool)

    def _fits(self) -> Bools:
        """Alloy and category, or the carrier's use; a project always. Shape (K, L)."""
        fits = np.ones(self.shape, dtype=bool)
        tables = [self.limits[first].shares for first in self._first_of_alloy]
        listed = self._by_alloy([[name in table for name in self.categories] for table in tables])
        fits[self.material] = listed[:, self.category[self.material]].T
        energy = self.carrier >= 0
        fits[energy] = (self.use > 0)[:, self.carrier[energy]].T
        return fits

    # ---- what a unit does -----------------------------------------------------------------------------

    def _reduction(self) -> tuple[IntArray, int]:
        """Reduction of every (pool, limit) that goes together, 0 elsewhere. Shape (K, L)."""
        pool, limit = np.nonzero(self.takes)
        if len(pool) == 0:
            return np.zeros(self.shape, dtype=np.int64), 0
        found = self.effects.reduction(self.lots[pool], self.product[limit])
        out = np.zeros(self.shape, dtype=object if found.values.dtype == object else np.int64)
        out[pool, limit] = found.values
        return out, found.decimals

    @cached_property
    def reduction_t(self) -> Floats:
        """Reduction as nearest float, t CO2e per unit. Shape (K, L)."""
        return nearest(self.reduction.ravel(), self.reduction_decimals).reshape(self.shape)

    @cached_property
    def rate(self) -> Column:
        """t_product_per_t_input of each limit."""
        return self.case.products.exact["t_product_per_t_input"].take(self.product)

    @cached_property
    def credited_t(self) -> Floats:
        """Credited mass, t per unit, nearest float. Shape (K, L)."""
        return np.where(self.material[:, None], nearest_of(self.rate)[None, :], 0.0)

    def share(self, claim: str) -> Column:
        """Share of each pool's credited mass that counts towards a share claim. Shape (K,)."""
        first, *others = (self.case.lots.exact[name].take(self.lots) for name in SHARES_OF_CLAIM[claim])
        total = first.or_zero()
        for other in others:
            total = total.plus(other.or_zero())
        return total

    def adds_to(self, claim: str) -> Bools:
        """Does a unit add to the claim? Shape (K, L)."""
        if claim in GHG_CLAIMS:
            return np.asarray(self.reduction > 0, dtype=bool)
        some = np.asarray(self.share(claim).values > 0, dtype=bool) & self.material
        return np.broadcast_to(some[:, None], self.shape)

    def claim_value(self, claim: str) -> Floats:
        """What a unit adds to the claim, t or t CO2e, nearest float. Shape (K, L)."""
        if claim in GHG_CLAIMS:
            return self.reduction_t
        share, rate = self.share(claim), self.rate
        pool, limit = np.indices(self.shape).reshape(2, -1)
        product = multiply(share.values[pool], rate.values[limit])
        product[~self.material[pool]] = 0
        return nearest(product, share.decimals + rate.decimals).reshape(self.shape)

    # ---- what a tonne may take ------------------------------------------------------------------------

    @cached_property
    def _max_share(self) -> list[list[Fraction]]:
        """max_share by alloy and category; 1 where it is not listed (then no pair has it)."""
        one = Fraction(1)
        tables = [self.limits[first].shares for first in self._first_of_alloy]
        return [[table.get(name, one) for name in self.categories] for table in tables]

    @cached_property
    def _alloy(self) -> IndexArray:
        """Alloy of each limit, numbered by first appearance."""
        codes, _ = pd.factorize(self.case.products.text("alloy")[self.product])
        return np.asarray(codes, dtype=np.intp)

    @cached_property
    def _first_of_alloy(self) -> list[int]:
        return [int(row) for row in first_rows(self._alloy)]

    @cached_property
    def max_share(self) -> Floats:
        """max_share as nearest float. Shape (L, categories)."""
        exact = [share for row in self._max_share for share in row]
        table = np.array([float(share) for share in exact], dtype=np.float64)
        return table.reshape(len(self._max_share), len(self.categories))[self._alloy]

    @cached_property
    def shared(self) -> Bools:
        """Is max_share below 1? Shape (L, categories)."""
        return self._by_alloy([[share < 1 for share in row] for row in self._max_share])

    def _by_alloy(self, flags: list[list[bool]]) -> Bools:
        """Flags of each alloy and category, for each limit. Shape (L, categories)."""
        table = np.array(flags, dtype=bool).reshape(len(flags), len(self.categories))
        return np.asarray(table[self._alloy], dtype=bool)

    @cached_property
    def use(self) -> Floats:
        """Carrier use of each limit, MWh or GJ per t, nearest float. Shape (L, carriers)."""
        found = [[float(limit.use.get(carrier, 0)) for carrier in CARRIERS] for limit in self.limits]
        return np.array(found, dtype=np.float64).reshape(len(self.limits), len(CARRIERS))

    def room(self, bits: int) -> Column:
        """Intensity of each limit in a set of scopes, t CO2e per t. Shape (L,)."""
        exact = self.case.products.exact
        total = Column.of(np.zeros(len(self.limits), dtype=np.int64), 0)
        for scope in scopes_of(bits):
            total = total.plus(exact[f"s{scope}"].take(self.product).or_zero())
        return total

    @cached_property
    def most_per_t(self) -> Floats:
        """The most units of a pool that one tonne can take; inf: no bound of its own. Shape (K, L)."""
        most = np.full(self.shape, np.inf)
        for code, name in enumerate(self.categories):
            pools = np.flatnonzero(self.category == code)
            if len(pools):
                most[pools] = self._most_of(name)
        energy = self.carrier >= 0
        most[energy] = self.use[:, self.carrier[energy]].T
        for bits in np.unique(self.scopes).tolist():
            self._lower_to_room(most, np.flatnonzero(self.scopes == bits), self.room(bits))
        return most

    def _most_of(self, category: str) -> Floats:
        """max_share / t_product_per_t_input, nearest float. Shape (L,)."""
        place = self.categories.index(category)
        least = [min(Fraction(1), row[place]) for row in self._max_share]
        a, b, _ = Column.from_fractions(least).take(self._alloy).aligned(self.rate)
        return ratio(a, b)

    def _lower_to_room(self, most: Floats, pools: IndexArray, room: Column) -> None:
        """No more than the scopes' intensity / reduction, for these pools."""
        row, limit = np.nonzero(self.reduction[pools] > 0)
        pool = pools[row]
        values: IntArray = self.reduction[pool, limit]
        a, b, _ = room.take(limit).aligned(Column.of(values, self.reduction_decimals))
        most[pool, limit] = np.minimum(most[pool, limit], ratio(a, b))

    # ---- composition ----------------------------------------------------------------------------------

    @cached_property
    def elements(self) -> tuple[Element, ...]:
        """Limited elements that some lot's composition gives, by name."""
        names = sorted({name for first in self._first_of_alloy for name in self.limits[first].elements})
        found = []
        for name in (name for name in names if name in self.parts.lot):
            limits = [self.limits[first].elements.get(name) for first in self._first_of_alloy]
            maximum = Column.from_fractions([None if m is None else m[0] for m in limits]).take(self._alloy)
            base = Column.from_fractions([None if m is None else m[1] for m in limits]).take(self._alloy)
            found.append(_element(name, self.parts.lot[name].take(self.lots), maximum, base))
        return tuple(found)

    def dilutes(self) -> Bools:
        """Does the pool make room for others under an element limit? Shape (K, L)."""
        some = np.zeros(self.shape, dtype=bool)
        for element in self.elements:
            some |= element.applies & element.below
        return some & self.material[:, None]
