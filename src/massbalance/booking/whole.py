"""Whole units for many orders at once, near the solver's mix, such that the claim and every cap hold.

An order's units are rounded in one way after another until its rows hold exactly; most hold at the
first. What no way fits is left to the booking order by order (`fit`), which searches.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from massbalance.booking.many import MEASURES, MORE_G, Kinds, weighed
from massbalance.booking.recipe import CREDITED, QUANTITY, REDUCTION
from massbalance.booking.targets import Bools, Floats, Ints
from massbalance.domain.case import IndexArray

ADJUSTERS = 3
"""So many pools of a mix are tried as the one that closes the claim, the cheapest first."""
REPAIRS = 2
"""How often caps are cleared and the claim is closed again."""
CLEARANCES = (0.5, 1.0, 2.0, 4.0)
"""How far the mix is moved off the rows that it fills, in multiples of what rounding can move it."""
SURPLUS = 8
"""Units that rounding may have left beyond the claim."""
TIGHT = 1e-6
"""A row this close to its limit, relative, is filled."""
AT_ONCE = 100_000
"""Orders rounded at once, which bounds the memory."""


@dataclass(frozen=True)
class Mixed:
    """n orders whose mixes have m pools each.

    recipe, kind, mass (g): shape (n,); use, per_t (units per g of mass), serves: shape (n, m), in
    the order of `Mixes`.
    """

    recipe: IndexArray
    kind: IndexArray
    mass: Ints
    use: IndexArray
    per_t: Floats
    serves: Bools

    def __len__(self) -> int:
        return len(self.mass)

    def take(self, at: IndexArray | slice) -> Mixed:
        """The orders at these positions."""
        return Mixed(
            self.recipe[at], self.kind[at], self.mass[at], self.use[at], self.per_t[at], self.serves[at]
        )


@dataclass(frozen=True)
class _Way:
    """A way of rounding: towards 0 (-1), to the nearest (0) or up (1), from a mix that keeps `clearance`
    off the rows it fills. Then pool `adjuster` of the mix closes the claim (-1: none does), and so many
    times the other pools clear the caps and it closes the claim again.
    """

    direction: int
    adjuster: int
    times: int = 0
    clearance: float = 0.0


def _ways(pools: int) -> Iterator[_Way]:
    """Ways to try for mixes of so many pools, the cheapest first."""
    adjusters = range(min(pools, ADJUSTERS))
    for adjuster in adjusters:
        yield _Way(0, adjuster)
        if pools > 1:
            yield _Way(0, adjuster, REPAIRS)
            yield _Way(1, adjuster)
    yield _Way(-1, -1)
    # a mix without pools leaves nothing to move: it holds or it does not
    for clearance in CLEARANCES if pools else ():
        for adjuster in (*adjusters, -1):
            yield _Way(0, adjuster, 0, clearance)


def whole_units(kinds: Kinds, orders: Mixed) -> tuple[Ints, Bools]:
    """Quantity of each pool, shape (n, m), and for which orders it holds, shape (n,)."""
    quantity, good = np.zeros(orders.use.shape, dtype=np.int64), np.zeros(len(orders), dtype=bool)
    for start in range(0, len(orders), AT_ONCE):
        span = slice(start, start + AT_ONCE)
        quantity[span], good[span] = _whole_units(kinds, orders.take(span))
    return quantity, good


def _whole_units(kinds: Kinds, orders: Mixed) -> tuple[Ints, Bools]:
    quantity, good = np.zeros(orders.use.shape, dtype=np.int64), np.zeros(len(orders), dtype=bool)
    todo = np.flatnonzero(orders.mass <= kinds.reach[orders.kind])
    for way in _ways(orders.use.shape[1]):
        if len(todo) == 0:
            break
        some = orders.take(todo)
        units, holds = _round(kinds, some, way)
        found = todo[holds]
        quantity[found], good[found] = units[holds], True
        todo = todo[~holds]
    return quantity, good


def _round(kinds: Kinds, orders: Mixed, way: _Way) -> tuple[Ints, Bools]:
    """Round one way: units, and whether the rows hold."""
    wanted = orders.per_t * orders.mass[:, None]
    if way.clearance:
        wanted = wanted + way.clearance * _clearance(kinds, orders)
    most = np.floor(kinds.most[orders.use] * (orders.mass[:, None] + MORE_G))
    units = _grained(kinds, orders.use, np.clip(wanted, 0.0, most), way.direction)
    if way.adjuster >= 0:
        _close_claim(kinds, orders, units, way.adjuster, most[:, way.adjuster])
    for _ in range(way.times):
        _clear_caps(kinds, orders, units, way.adjuster, most)
        _close_claim(kinds, orders, units, way.adjuster, most[:, way.adjuster])
    return units, kinds.hold(orders.use, orders.kind, orders.mass, kinds.measures(orders.use, units))


def _grained(kinds: Kinds, use: IndexArray, wanted: Floats, direction: int) -> Ints:
    """The least quantities of a whole number of what a use is rounded by (units themselves where one
    unit books more than one of it).
    """
    numerator, denominator = kinds.unit[use, 0], kinds.unit[use, 1]
    coarse = numerator > denominator
    numerator, denominator = np.where(coarse, 1, numerator), np.where(coarse, 1, denominator)
    exact = wanted * numerator / denominator
    turned = (np.floor, np.rint, np.ceil)[direction + 1](exact)
    return -(-turned.astype(np.int64) * denominator // numerator)


def _close_claim(kinds: Kinds, orders: Mixed, units: Ints, adjuster: int, most: Floats) -> None:
    """Set the adjuster's units to the least that the claim needs, where the adjuster serves it and has
    no more than rounding can have left over.
    """
    use = orders.use[:, adjuster]
    before = units[:, adjuster].copy()
    units[:, adjuster] = 0
    others = kinds.claimed(orders.use, orders.kind, kinds.measures(orders.use, units))
    missing = np.maximum(0, kinds.claim_rhs[orders.kind] * orders.mass - others)
    measure = -(-missing // np.maximum(kinds.claim[use], 1))
    # beyond this no amount is allowed; it also keeps the product within int64
    measure = np.minimum(measure, (most * kinds.unit[use, 0] / kinds.unit[use, 1]).astype(np.int64) + 1)
    found = -(-measure * kinds.unit[use, 1] // kinds.unit[use, 0])
    # a mix that carries more than the claim does so for a reason: a lot that earns money, or dilutes
    able = orders.serves[:, adjuster] & (kinds.claim[use] > 0) & (before - found <= SURPLUS)
    units[:, adjuster] = np.where(able, found, before)


def _clear_caps(kinds: Kinds, orders: Mixed, units: Ints, adjuster: int, most: Floats) -> None:
    """Take what exceeds a cap off the pool that weighs most on it, or add it to one that dilutes."""
    for measure, coefs, limit in kinds.limits(orders.use, orders.kind, orders.mass):
        excess = weighed(coefs, kinds.measures(orders.use, units)[measure]) - limit
        over = np.flatnonzero(excess > 0)
        if len(over) == 0:
            continue
        numerator, denominator = (kinds.rate[measure][orders.use[over], part] for part in (0, 1))
        weight = coefs[over] * (numerator / denominator)
        weight[:, adjuster] = 0.0
        lower = np.where(units[over] > 0, weight, 0.0).argmax(axis=1)
        pick = np.where(weight[np.arange(len(over)), lower] > 0, lower, weight.argmin(axis=1))
        one = (np.arange(len(over)), pick)
        able = np.abs(weight[one]) > 0
        by = np.ceil(excess[over] / np.where(able, weight[one], np.inf))
        moved = units[over, pick] - np.where(weight[one] > 0, by, np.floor(by)).astype(np.int64)
        units[over, pick] = np.clip(moved, 0, most[over, pick].astype(np.int64))


def _clearance(kinds: Kinds, orders: Mixed) -> Floats:
    """By how many units each pool must move so that rounding breaks no row that the mix fills.

    The least move that keeps every filled row as far off as rounding to the nearest unit and
    rounding down what is booked can move it. Shape (n, m); computed once for each recipe.
    """
    _, first, number = np.unique(orders.recipe, return_index=True, return_inverse=True)
    some = orders.take(first)
    weights, limits, moves = _row_floats(kinds, some)
    slack = limits - (weights * some.per_t[:, None, :]).sum(axis=2)
    size = np.abs(limits) + (np.abs(weights) * some.per_t[:, None, :]).sum(axis=2)
    filled = (np.abs(slack) <= TIGHT * size) & (size > 0)
    scale = np.where(filled, np.abs(weights).max(axis=2), np.inf)
    scale = np.where(scale > 0, scale, np.inf)
    back = np.linalg.pinv(weights / scale[:, :, None], rcond=1e-9)
    move = (back @ (-moves / scale)[:, :, None])[:, :, 0]
    return move[number]


def _row_floats(kinds: Kinds, orders: Mixed) -> tuple[Floats, Floats, Floats]:
    """Every row as weights @ units <= limit per g of mass, and what rounding can move it.

    Shapes (n, rows, m), (n, rows), (n, rows); the claim first, with its sign turned.
    """
    rate = [kinds.rate[m][orders.use] for m in MEASURES]
    per_unit = [r[:, :, 0] / r[:, :, 1] for r in rate]
    claim = np.where(kinds.ghg[orders.kind][:, None], per_unit[REDUCTION], per_unit[CREDITED])
    coef = kinds.claim[orders.use].astype(np.float64)
    weights, limits = [-coef * claim], [-kinds.claim_rhs[orders.kind].astype(np.float64)]
    moves = [(coef * (0.5 * claim + 1.0)).sum(axis=1)]
    scopes = kinds.scopes[orders.kind]
    intensity = scopes[:, :, 0] / scopes[:, :, 1]
    for measure in MEASURES:
        down = 0.0 if measure == QUANTITY else 1.0
        for row in range(kinds.caps[measure].shape[1]):
            coef = kinds.caps[measure][:, row][orders.use].astype(np.float64)
            weights.append(coef * per_unit[measure])
            moves.append((np.abs(coef) * (0.5 * per_unit[measure] + down * (coef < 0))).sum(axis=1))
            rhs = kinds.cap_rhs[measure][orders.kind, row].astype(np.float64)
            if measure == REDUCTION:
                moves[-1] = moves[-1] + rhs.sum(axis=1)
                rhs = (rhs * intensity).sum(axis=1)
            limits.append(rhs)
    return np.stack(weights, axis=1), np.stack(limits, axis=1), np.stack(moves, axis=1)
