"""What enters the rows of the model, over pools, limits and pairs: exact integers, then nearest floats.

Nothing here depends on a pair as such: category, carrier and scopes are a pool's, the rate and the caps a
limit's. Only reductions and distances from the base metal belong to (pool, limit).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from massbalance.domain.case import IndexArray
from massbalance.domain.effects import CARRIER_OF_UOM
from massbalance.domain.grid import Column, IntArray, peak
from massbalance.formulation.problem import Problem
from massbalance.formulation.recipes import Limit

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
EXACT_IN_FLOAT = 2**53
CARRIERS = tuple(CARRIER_OF_UOM.values())


def nearest(values: IntArray, decimals: int) -> Floats:
    """The float nearest to each values / 10**decimals, as `float(Fraction(...))` gives it."""
    scale = 10**decimals
    if values.dtype != object and peak(values) < EXACT_IN_FLOAT and int(float(scale)) == scale:
        # both are exact as floats, and one division rounds correctly
        return np.asarray(values / float(scale), dtype=np.float64)
    return np.array([int(v) / scale for v in values], dtype=np.float64)


def _bits(scopes: Sequence[int]) -> int:
    """Scopes as bits: (1, 3) -> 0b101."""
    return sum(1 << (s - 1) for s in scopes)


@dataclass(frozen=True)
class Element:
    """One limited element: shape (L,) columns maximum and base (not given: no limit), (K,) column wt."""

    name: str
    maximum: Column
    base: Column
    wt: Column


class Coefficients:
    """Arrays over the pools, limits and pairs of a problem; codes are -1 where there is none.

    pool, limit, recipe: of each pair; category, carrier, scopes (bits): of each pool.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.limits = problem.limits
        self.pool, self.recipe = problem.pairs.pool, problem.pairs.recipe
        self.limit = problem.recipes.limit[self.recipe]
        lots, effects = problem.pools.representative, problem.effects
        material, energy = effects.is_material[lots], effects.is_energy[lots]
        codes, names = pd.factorize(problem.case.lots.text("category")[lots])
        self.categories = tuple(str(name) for name in names)
        self.category: IndexArray = np.where(material, codes, -1).astype(np.intp)
        carrier = np.array([CARRIERS.index(CARRIER_OF_UOM.get(u, CARRIERS[0])) for u in effects.uom[lots]])
        self.carrier: IndexArray = np.where(energy, carrier, -1).astype(np.intp)
        self.scopes: IndexArray = np.array([_bits(effects.scopes[lot]) for lot in lots], dtype=np.intp)

    def of_limits(self, value: Callable[[Limit], Fraction]) -> Floats:
        """A figure of each limit as nearest float. Shape (L,)."""
        return np.array([float(value(limit)) for limit in self.limits], dtype=np.float64)

    @cached_property
    def share(self) -> tuple[Floats, Bools]:
        """max_share of each limit and category, and whether it is below 1. Shape (L, categories)."""
        zero = Fraction(1)
        found = [[limit.shares.get(name, zero) for name in self.categories] for limit in self.limits]
        shape = (len(self.limits), len(self.categories))
        below = np.array([[share < 1 for share in row] for row in found], dtype=bool).reshape(shape)
        return np.array([[float(s) for s in row] for row in found], dtype=np.float64).reshape(shape), below

    @cached_property
    def use(self) -> Floats:
        """Carrier use of each limit, MWh or GJ per t. Shape (L, carriers)."""
        found = [[float(limit.use.get(carrier, 0)) for carrier in CARRIERS] for limit in self.limits]
        return np.array(found, dtype=np.float64).reshape(len(self.limits), len(CARRIERS))

    def room(self, bits: int) -> Floats:
        """Intensity of each limit in a set of scopes, t CO2e per t. Shape (L,)."""
        scopes = [s for s in (1, 2, 3) if bits >> (s - 1) & 1]
        return self.of_limits(lambda limit: sum((limit.scopes[s - 1] for s in scopes), Fraction(0)))

    @cached_property
    def elements(self) -> tuple[Element, ...]:
        """Limited elements that some lot's composition gives, by name."""
        parts, lots = self.problem.parts, self.problem.pools.representative
        names = sorted({name for limit in self.limits for name in limit.elements})
        found = []
        for name in (name for name in names if name in parts.lot):
            limits = [limit.elements.get(name) for limit in self.limits]
            maximum = Column.from_fractions([None if m is None else m[0] for m in limits])
            base = Column.from_fractions([None if m is None else m[1] for m in limits])
            found.append(Element(name, maximum, base, parts.lot[name].take(lots)))
        return tuple(found)
