"""Pairs: which pool may serve which recipe, and with what effect per unit.

Effects depend on pool and product limit only, so they are computed once per (pool, limit) and
looked up by pair. Everything is exact; the model takes floats from it, booking and proof take
the integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from massbalance.domain.case import Case, IndexArray
from massbalance.domain.effects import CARRIER_OF_UOM, Effects
from massbalance.domain.grid import Column
from massbalance.formulation.pools import Composition, Pools
from massbalance.formulation.recipes import GHG_CLAIMS, Limit, Recipes, Terms

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

    pool, recipe: shape (N,); effects[pool][limit]: None where the product cannot take it.
    """

    pool: IndexArray
    recipe: IndexArray
    effects: list[list[PoolEffect | None]]
    shares: list[PoolShares]
    unit_cost: Column

    def effect(self, pool: int, limit: int) -> PoolEffect:
        """Effect of a pool that can serve the limit."""
        found = self.effects[pool][limit]
        if found is None:
            raise KeyError((pool, limit))
        return found

    def claim_value(self, pool: int, limit: int, claim: str) -> Fraction:
        """What one unit adds to the claim: t CO2e, or t of product times the lot's share."""
        effect = self.effect(pool, limit)
        if claim in GHG_CLAIMS:
            return effect.reduction
        share: Fraction = getattr(self.shares[pool], claim)
        return effect.credited * share


def _takes(case: Case, effects: Effects, pools: Pools, limits: list[Limit]) -> BoolMatrix:
    """Boundary, gas, (alloy, category), carrier: what does not depend on time or scheme. (K, L)."""
    lots, gas = case.lots.text("gas"), case.products.text("gas")
    category = case.lots.text("category")
    areas = {
        kind: effects.boundaries.of_products(case.rules.boundary(kind))
        for kind in ("material", "energy", "project")
    }
    out = np.zeros((len(pools.ids), len(limits)), dtype=bool)
    for k, lot in enumerate(pools.representative):
        kind, home = effects.kind[lot], effects.boundaries.lot[lot]
        for i, limit in enumerate(limits):
            if areas[kind][limit.product] != home or (lots[lot] == "GHG" and gas[limit.product] == "CO2"):
                continue
            if kind == "material":
                out[k, i] = category[lot] in limit.shares
            else:
                out[k, i] = kind == "project" or CARRIER_OF_UOM[effects.uom[lot]] in limit.use
    return out


def _deltas(parts: Composition, lot: int, limit: Limit) -> dict[str, Fraction]:
    """Limited elements that the lot's composition gives, relative to the base metal."""
    return {
        element: parts.lot[element].fraction(lot) - base
        for element, (_, base) in limit.elements.items()
        if element in parts.lot and parts.lot[element].given[lot]
    }


def _effects(
    case: Case, effects: Effects, parts: Composition, pools: Pools, limits: list[Limit]
) -> list[list[PoolEffect | None]]:
    """Effect of every pool on every product limit that can take it."""
    table: list[list[PoolEffect | None]] = [[None] * len(limits) for _ in pools.ids]
    pool, limit = np.nonzero(_takes(case, effects, pools, limits))
    if len(pool) == 0:
        return table
    lots = pools.representative[pool]
    products = np.array([one.product for one in limits], dtype=np.intp)[limit]
    reduction = effects.reduction(lots, products)
    category = case.lots.text("category")
    for n, (k, i, lot) in enumerate(zip(pool, limit, lots, strict=True)):
        material = bool(effects.is_material[lot])
        table[k][i] = PoolEffect(
            credited=limits[i].rate if material else Fraction(0),
            reduction=reduction.fraction(n),
            scopes=effects.scopes[lot],
            category=str(category[lot]) if material else "",
            carrier=CARRIER_OF_UOM[effects.uom[lot]] if effects.is_energy[lot] else "",
            deltas=_deltas(parts, int(lot), limits[i]) if material else {},
        )
    return table


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
    schemes = case.lots.text("scheme")[pools.representative]
    return np.array(
        [[not accepted or scheme in accepted for accepted in recipes.scheme_sets] for scheme in schemes],
        dtype=bool,
    ).reshape(len(pools.ids), len(recipes.scheme_sets))


def build_pairs(
    case: Case, effects: Effects, parts: Composition, pools: Pools, recipes: Recipes, limits: list[Limit]
) -> Pairs:
    """Every pair that could matter.

    A pair is left out where it can neither add to the claim, nor make room under an element
    limit, nor earn money: some optimum does not use it (FORMULATION, "What is left out").
    """
    table = _effects(case, effects, parts, pools, limits)
    pairs = Pairs(
        pool=np.empty(0, dtype=np.intp),
        recipe=np.empty(0, dtype=np.intp),
        effects=table,
        shares=[_pool_shares(case, int(lot)) for lot in pools.representative],
        unit_cost=case.lots.exact["unit_cost"].take(pools.representative),
    )
    claims = sorted(set(recipes.claim))
    useful = np.zeros((len(pools.ids), len(limits), len(claims)), dtype=bool)
    for k, row in enumerate(table):
        for i, effect in enumerate(row):
            if effect is not None:
                other = effect.dilutes() or pairs.unit_cost.values[k] < 0
                for c, claim in enumerate(claims):
                    useful[k, i, c] = other or pairs.claim_value(k, i, claim) > 0
    if len(recipes) == 0 or len(pools.ids) == 0:
        return pairs
    claim_code = np.searchsorted(np.array(claims, dtype=str), recipes.claim.astype(str))
    matrix = (
        useful[:, recipes.limit, claim_code]
        & _in_time(pools, len(case.periods))[:, recipes.period]
        & _accepted(case, pools, recipes)[:, recipes.schemes]
    )
    recipe, pool = np.nonzero(matrix.T)
    return Pairs(pool, recipe, table, pairs.shares, pairs.unit_cost)


def integer_orders(case: Case, terms: Terms) -> npt.NDArray[np.bool_]:
    """Orders that need a yes or no: whole, a minimum fill, or alternative offers. Shape (orders,).

    An order of no mass needs none: whatever is decided, it gets nothing.
    """
    with_offers = np.zeros(len(case.orders), dtype=bool)
    with_offers[terms.order[terms.offer >= 0]] = True
    orders = case.orders
    asked = orders.grid("mass_t") > 0
    return asked & (orders.flag("whole") | (orders.exact["min_fill"].values > 0) | with_offers)
