"""What could serve an ask, and what keeps each of it away: lots alike, one by one, before any limit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from massbalance.domain.case import IndexArray
from massbalance.domain.effects import CARRIER_OF_UOM
from massbalance.formulation.coefficients import SHARES_OF_CLAIM, scope_bits
from massbalance.formulation.problem import Problem
from massbalance.formulation.recipes import GHG_CLAIMS

if TYPE_CHECKING:
    from massbalance.quote.ask import Ask

Floats = npt.NDArray[np.float64]
ARRIVAL, EXPIRY, CARRY_OVER = "arrival", "expiry", "carry_over"
SCHEMES, BOUNDARY, GAS, UNLISTED = "schemes", "boundary", "gas", "alloy_takes_none"
ENERGY = "energy"


@dataclass(frozen=True)
class Source:
    """Lots alike: of one supply group (positions), or a lot alone that no period of the case can use.

    group: -1 for such a lot; quantity: in the lot's unit; blocked: what keeps it away from the ask.
    """

    lots: tuple[int, ...]
    group: int
    quantity: float
    blocked: frozenset[tuple[str, str]]

    @property
    def lot(self) -> int:
        """A lot that stands for them."""
        return self.lots[0]


class Sources:
    """Every lot that carries something of the claim, or makes room under an element limit.

    problem: of the ask alone, on the case's supply (its only recipe is the ask's).
    """

    def __init__(self, problem: Problem, ask: Ask) -> None:
        self.problem, self.ask, self.case = problem, ask, problem.case
        self.limit = problem.limit_of(0)
        self.product = self.limit.product
        self.period = int(problem.recipes.period[0])
        self.lots = self.case.lots
        self.category = self.lots.text("category")
        self.scheme = self.lots.text("scheme")
        self.all = tuple(self._found())

    @cached_property
    def reduction(self) -> Floats:
        """t CO2e per unit of each lot, whatever keeps it away. Shape (lots,)."""
        every = np.arange(len(self.lots))
        return self.problem.effects.reduction(every, np.full(len(every), self.product)).floats()

    @cached_property
    def credited(self) -> Floats:
        """Credited product mass per unit of each lot, t. Shape (lots,)."""
        return np.where(self.problem.effects.is_material, float(self.limit.rate), 0.0)

    @cached_property
    def value(self) -> Floats:
        """What a unit of each lot adds to the claim, t or t CO2e. Shape (lots,)."""
        if self.ask.claim in GHG_CLAIMS:
            return self.reduction
        columns = [self.lots.exact[name].or_zero().floats() for name in SHARES_OF_CLAIM[self.ask.claim]]
        return np.asarray(np.sum(columns, axis=0) * self.credited, dtype=np.float64)

    @cached_property
    def scopes(self) -> IndexArray:
        """Scopes of each lot's reduction as bits. Shape (lots,)."""
        return np.array([scope_bits(s) for s in self.problem.effects.scopes], dtype=np.intp)

    @cached_property
    def distances(self) -> Mapping[str, Floats]:
        """Element that the alloy limits -> wt % of each lot less the base metal's, 0 where not given."""
        found = {}
        for name, (_, base) in self.limit.elements.items():
            if name in self.problem.parts.lot:
                wt = self.problem.parts.lot[name]
                found[name] = np.where(wt.given, wt.or_zero().floats() - float(base), 0.0)
        return found

    def _useful(self) -> npt.NDArray[np.bool_]:
        useful = self.value > 0
        for distance in self.distances.values():
            useful |= (distance < 0) & self.problem.effects.is_material
        return np.asarray(useful, dtype=bool)

    def _found(self) -> list[Source]:
        useful, pools = self._useful(), self.problem.pools
        quantity = self.lots.floats("quantity")
        found = [
            Source(lots, g, float(pools.group_quantity[g]), self._blocked(lots[0]))
            for g, lots in enumerate(pools.group_lots)
            if useful[lots[0]]
        ]
        alone = np.flatnonzero(useful & (pools.lot_pool < 0)).tolist()
        return found + [Source((i,), -1, float(quantity[i]), self._blocked(i)) for i in alone]

    @cached_property
    def _areas(self) -> tuple[npt.NDArray[np.object_], dict[str, str]]:
        """Area of each lot, and of the product, by kind of lot."""
        areas, rules = self.problem.effects.boundaries, self.case.rules
        kinds = ("material", "energy", "project")
        return areas.lot, {k: str(areas.of_products(rules.boundary(k))[self.product]) for k in kinds}

    def _blocked(self, lot: int) -> frozenset[tuple[str, str]]:
        effects = self.problem.effects
        of_lots, of_product = self._areas
        found = set(self._window(lot))
        accepted = self.ask.schemes
        if accepted and self.scheme[lot] not in accepted:
            found.add((SCHEMES, ""))
        if of_lots[lot] != of_product[str(effects.kind[lot])]:
            found.add((BOUNDARY, ""))
        own = self.case.products.rows["gas"].iloc[self.product]
        if self.lots.rows["gas"].iloc[lot] == "GHG" and own == "CO2":
            found.add((GAS, ""))
        if effects.is_material[lot] and self.category[lot] not in self.limit.shares:
            found.add((UNLISTED, ""))
        if effects.is_energy[lot] and CARRIER_OF_UOM[effects.uom[lot]] not in self.limit.use:
            found.add((ENERGY, CARRIER_OF_UOM[effects.uom[lot]]))
        return frozenset(found)

    def _window(self, lot: int) -> list[tuple[str, str]]:
        windows, found = self.problem.windows, []
        if windows.first[lot] > self.period:
            found.append((ARRIVAL, ""))
        if windows.last[lot] < self.period:
            expired = windows.expires[lot] < self.case.periods.days("end")[self.period]
            found.append((EXPIRY if expired else CARRY_OVER, ""))
        return found
