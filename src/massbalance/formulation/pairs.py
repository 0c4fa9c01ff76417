"""Pairs: which pool may serve which recipe, and with what effect per unit.

Effects depend on pool and product limit only (formulation.coefficients). Everything is exact; the
model takes floats from whole arrays, booking asks for the fractions of the pairs it uses.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from massbalance.domain.case import Case, IndexArray
from massbalance.domain.grid import Column
from massbalance.formulation.coefficients import CARRIERS, Coefficients
from massbalance.formulation.nearest import numbered
from massbalance.formulation.pools import Composition, Pools
from massbalance.formulation.recipes import GHG_CLAIMS, Limit, Recipes, Terms

BoolArray = npt.NDArray[np.bool_]
BoolMatrix = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class PoolEffect:
    """What one unit of a pool does for one product limit; exact.

    credited: t of product per unit (0 unless material); reduction: t CO2e per unit; scopes:
    where the reduction lies; category: of a material; carrier: of an energy; deltas: element
    -> (wt % of the pool - wt % of the base metal) for every limited element it has.
    """

    credited: Fraction
    reduction: Fraction
    scopes: tuple[int, ...]
    category: str
    carrier: str
    deltas: dict[str, Fraction]

    def dilutes(self) -> bool:
        """Does it make room for other lots under an element limit?"""
        return any(delta < 0 for delta in self.deltas.values())


@dataclass(frozen=True)
class PoolShares:
    """Shares that a pool's credited mass carries, exact, by share claim."""

    green_share: Fraction
    recycled_share: Fraction
    post_consumer_share: Fraction


@dataclass(frozen=True)
class Pairs:
    """N feasible (pool, recipe) pairs, sorted by recipe, then pool.

    pool, recipe: shape (N,); coefficients: effects of every pool on every product limit;
    unit_cost: over pools.
    """

    pool: IndexArray
    recipe: IndexArray
    coefficients: Coefficients
    unit_cost: Column
    _known: dict[tuple[int, int], PoolEffect] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def shares(self) -> list[PoolShares]:
        """Shares of every pool, exact."""
        case, lots = self.coefficients.case, self.coefficients.lots
        return [_pool_shares(case, int(lot)) for lot in lots]

    def effect(self, pool: int, limit: int) -> PoolEffect:
        """Effect of a pool that can serve the limit, exact; KeyError where it cannot."""
        key = (int(pool), int(limit))
        if key not in self._known:
            if not self.coefficients.takes[key]:
                raise KeyError(key)
            self._known[key] = _effect(self.coefficients, *key)
        return self._known[key]

    def claim_value(self, pool: int, limit: int, claim: str) -> Fraction:
        """What one unit adds to the claim: t CO2e, or t of product times the lot's share."""
        effect = self.effect(pool, limit)
        if claim in GHG_CLAIMS:
            return effect.reduction
        share: Fraction = getattr(self.shares[pool], claim)
        return effect.credited * share


def _deltas(parts: Composition, lot: int, limit: Limit) -> dict[str, Fraction]:
    """Limited elements that the lot's composition gives, relative to the base metal."""
    return {
        element: parts.lot[element].fraction(lot) - base
        for element, (_, base) in limit.elements.items()
        if element in parts.lot and parts.lot[element].given[lot]
    }


def _effect(of: Coefficients, pool: int, limit: int) -> PoolEffect:
    """Exact effect of a pool on a product limit that can take it."""
    lot, one, material = int(of.lots[pool]), of.limits[limit], bool(of.material[pool])
    return PoolEffect(
        credited=one.rate if material else Fraction(0),
        reduction=Fraction(int(of.reduction[pool, limit]), 10**of.reduction_decimals),
        scopes=of.effects.scopes[lot],
        category=of.categories[of.category[pool]] if material else "",
        carrier=CARRIERS[of.carrier[pool]] if of.carrier[pool] >= 0 else "",
        deltas=_deltas(of.parts, lot, one) if material else {},
    )


def _pool_shares(case: Case, lot: int) -> PoolShares:
    exact = case.lots.exact
    green, pre, post = (
        exact[name].fraction(lot) for name in ("green_share", "recycled_pre", "recycled_post")
    )
    return PoolShares(green, pre + post, post)


def _in_time(pools: Pools, periods: int) -> BoolMatrix:
    """Has the pool a lot that is usable in the period? Shape (K, T)."""
    alive = np.zeros((len(pools.ids), periods), dtype=bool)
    for g, pool in enumerate(pools.group_pool):
        alive[pool, pools.group_first[g] : pools.group_last[g] + 1] = True
    return alive


def _accepted(case: Case, pools: Pools, recipes: Recipes) -> BoolMatrix:
    """Is the pool's scheme accepted? Shape (K, scheme sets)."""
    codes, schemes = pd.factorize(case.lots.text("scheme")[pools.representative])
    known = np.array(
        [[not accepted or scheme in accepted for accepted in recipes.scheme_sets] for scheme in schemes],
        dtype=bool,
    ).reshape(len(schemes), len(recipes.scheme_sets))
    return known[codes]


def _serving(
    case: Case, pools: Pools, recipes: Recipes, of: Coefficients, wanted: BoolArray
) -> tuple[IndexArray, IndexArray]:
    """Pool and recipe of every pair, by recipe, then pool.

    Recipes alike in limit, claim, period and schemes have the same pools: found once for all of them.
    """
    claim, claims = pd.factorize(recipes.claim)
    kind, first = numbered([recipes.limit, claim.astype(np.intp), recipes.period, recipes.schemes])
    costless = np.asarray(case.lots.exact["unit_cost"].take(pools.representative).values >= 0, dtype=bool)
    # worth having even where it adds nothing to the claim
    other = of.takes & (of.dilutes() | (~costless | wanted)[:, None])
    useful = [((of.takes & of.adds_to(str(name))) | other).T for name in claims]
    serves = (
        np.stack(useful)[claim[first], recipes.limit[first]]
        & _in_time(pools, len(case.periods)).T[recipes.period[first]]
        & _accepted(case, pools, recipes).T[recipes.schemes[first]]
    )
    of_kind, pool = np.nonzero(serves)
    count = np.bincount(of_kind, minlength=len(first))
    start = np.cumsum(count) - count
    many = count[kind]
    before = np.cumsum(many) - many
    at = np.arange(int(many.sum())) + np.repeat(start[kind] - before, many)
    return pool[at], np.repeat(np.arange(len(recipes)), many)


def build_pairs(
    case: Case, pools: Pools, recipes: Recipes, coefficients: Coefficients, wanted: BoolArray
) -> Pairs:
    """Every pair that could matter.

    A pair is left out where it can neither add to the claim, nor make room under an element limit, nor
    earn money, nor spend what would lapse: some optimum does not use it (FORMULATION, "What is left out").
    wanted: pools of which any use counts, shape (K,).
    """
    pool = recipe = np.empty(0, dtype=np.intp)
    if len(recipes) and len(pools.ids):
        pool, recipe = _serving(case, pools, recipes, coefficients, wanted)
    unit_cost = case.lots.exact["unit_cost"].take(pools.representative)
    return Pairs(pool, recipe, coefficients, unit_cost)


def integer_orders(case: Case, terms: Terms) -> npt.NDArray[np.bool_]:
    """Orders that need a yes or no: whole, a minimum fill, or alternative offers. Shape (orders,).

    An order of no mass needs none: whatever is decided, it gets nothing.
    """
    with_offers = np.zeros(len(case.orders), dtype=bool)
    with_offers[terms.order[terms.offer >= 0]] = True
    orders = case.orders
    asked = orders.grid("mass_t") > 0
    return asked & (orders.flag("whole") | (orders.exact["min_fill"].values > 0) | with_offers)
