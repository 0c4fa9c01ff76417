"""The numbered equations as arrays: row by row what formulation.equations states in Pyomo.

Every function makes one family of rows and bears its label and name. Maths, units and clauses:
models/FORMULATION.md. Tests compare both statements, coefficient by coefficient.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from massbalance.formulation.coefficients import CARRIERS, Coefficients, Element, nearest
from massbalance.formulation.labels import LEAST_NEED
from massbalance.formulation.problem import Problem
from massbalance.solving.rows import Family

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]
Entries = tuple[Positions, Positions, Floats]
"""Row within the family, column, coefficient."""


class Layout:
    """Columns in blocks: f, x, y, step, take, each beginning where `at_` says.

    flow_group, flow_period: shape (F,), by group, then period; integer: steps that have a `take`.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.of = Coefficients(problem)
        pools, pairs = problem.pools, problem.pairs
        self.periods = len(problem.case.periods)
        self.pair_period = problem.recipes.period[pairs.recipe]
        served = np.zeros((len(pools.ids), self.periods), dtype=bool)
        served[pairs.pool, self.pair_period] = True
        t = np.arange(self.periods)
        window = (pools.group_first[:, None] <= t) & (t <= pools.group_last[:, None])
        self.flow_group, self.flow_period = np.nonzero(window & served[pools.group_pool])
        self.integer = np.flatnonzero(problem.steps.integer)
        counts = (
            len(self.flow_group), len(pairs.pool), len(problem.recipes), len(problem.steps), len(self.integer)
        )  # fmt: skip
        ends = np.cumsum([0, *counts]).tolist()
        self.at_f, self.at_x, self.at_y, self.at_step, self.at_take, self.columns = ends
        self.order_of_integer = problem.terms.order[problem.steps.first_terms()[self.integer]]

    def f(self) -> Positions:
        """Columns of the flows."""
        return np.arange(self.at_f, self.at_x)

    def take(self) -> Positions:
        """Columns of the yes/no decisions."""
        return np.arange(self.at_take, self.columns)


@dataclass(frozen=True)
class Rows:
    """A family of rows `entries <= upper` (`= upper` where equal)."""

    labels: Family
    entries: Entries
    upper: Floats
    equal: bool = False


def _joined(parts: Sequence[tuple[Positions, Positions, Floats | float]]) -> Entries:
    """Entries one after the other; a coefficient may stand for all of its part."""
    rows = [row for row, _, _ in parts]
    values = [np.broadcast_to(np.asarray(value, dtype=np.float64), len(row)) for row, _, value in parts]
    return np.concatenate(rows), np.concatenate([c for _, c, _ in parts]), np.concatenate(values)


def _family(
    name: str,
    first: Positions,
    *parts: tuple[Positions, Positions, Floats | float],
    second: Positions | None = None,
    words: Sequence[object] | None = None,
    upper: Floats | None = None,
    equal: bool = False,
) -> Rows:
    most = np.zeros(len(first)) if upper is None else upper
    return Rows(Family(name, first, second, words), _joined(parts), most, equal)


def _numbered(recipe: Positions, code: Positions, codes: int) -> tuple[Positions, Positions, Positions]:
    """Rows of (recipe, code) by first appearance: row of each entry, recipe and code of each row."""
    row, found = pd.factorize(recipe * max(codes, 1) + code)
    key = np.asarray(found, dtype=np.intp)
    return row.astype(np.intp), key // max(codes, 1), key % max(codes, 1)


def lot_supply(at: Layout) -> Rows:
    """C1: sum_t f[l,t] <= quantity[l]."""
    row, groups = pd.factorize(at.flow_group)
    first = np.asarray(groups, dtype=np.intp)
    return _family(
        "lot_supply", first, (row, at.f(), 1.0), upper=at.problem.pools.group_quantity[first].astype(float)
    )


def origin_sizes(problem: Problem) -> dict[object, float]:
    """Origin -> its largest lot, the unit in which its row is stated; only where two lots measure it."""
    quantity = problem.pools.group_quantity
    sizes: dict[object, float] = {}
    for origin, groups in problem.pools.origin_groups.items():
        measured = [float(quantity[g]) for g in groups if quantity[g] > 0]
        if len(measured) > 1:
            sizes[origin] = max(measured)
    return sizes


def origin_once(at: Layout) -> Rows:
    """C2: sum_{l of origin} sum_t f[l,t] / quantity[l] <= 1, in units of the origin's largest lot."""
    pools, sizes = at.problem.pools, origin_sizes(at.problem)
    names = tuple(sizes)
    of_group = np.full(len(pools.group_pool), -1, dtype=np.intp)
    for n, origin in enumerate(names):
        of_group[list(pools.origin_groups[str(origin)])] = n
    of_group[pools.group_quantity <= 0] = -1
    size = np.array(list(sizes.values()), dtype=np.float64)
    row = of_group[at.flow_group]
    flow = np.flatnonzero(row >= 0)
    value = size[row[flow]] / pools.group_quantity[at.flow_group[flow]]
    part = (row[flow], at.at_f + flow, value)
    return _family("origin_once", np.arange(len(names)), part, words=names, upper=size)


def pool_balance(at: Layout) -> Rows:
    """C3: sum_r x[k,r] - sum_l f[l,t] <= 0 for r in period t."""
    row, pool, period = _numbered(at.of.pool, at.pair_period, at.periods)
    place = np.full((len(at.problem.pools.ids), at.periods), -1, dtype=np.intp)
    place[pool, period] = np.arange(len(pool))
    of_flow = place[at.problem.pools.group_pool[at.flow_group], at.flow_period]
    pairs = np.arange(len(row))
    return _family("pool_balance", pool, (row, at.at_x + pairs, 1.0), (of_flow, at.f(), -1.0), second=period)


def claim(at: Layout) -> Rows:
    """C4: need[r] y[r] - sum_k claim_value[k,r] x[k,r] <= 0."""
    need = at.problem.recipes.need.floats()
    recipes = np.flatnonzero(need > 0)
    # the solver drops what is below 1e-9; a need so small stays a need, a gram in a thousand tonnes
    least = np.maximum(need[recipes], LEAST_NEED)
    return _of_recipes(at, "claim", need > 0, least, -at.problem.claim_value, need[at.of.recipe] > 0)


def mass_cap(at: Layout) -> Rows:
    """C5: sum_k credited[k,r] x[k,r] - y[r] <= 0."""
    credited = at.problem.credited
    used = credited > 0
    has = np.zeros(len(at.problem.recipes), dtype=bool)
    has[at.of.recipe[used]] = True
    return _of_recipes(at, "mass_cap", has, np.full(int(has.sum()), -1.0), credited, used)


def _of_recipes(at: Layout, name: str, has: Bools, of_y: Floats, of_x: Floats, used: Bools) -> Rows:
    """One row for each recipe that `has` one: of_y y + the used pairs' of_x x <= 0."""
    recipes, pairs = np.flatnonzero(has), np.flatnonzero(used)
    row_of = np.cumsum(has) - 1
    return _family(
        name,
        recipes,
        (np.arange(len(recipes)), at.at_y + recipes, of_y),
        (row_of[at.of.recipe[pairs]], at.at_x + pairs, of_x[pairs]),
    )


def category_cap(at: Layout) -> Rows:
    """C6: sum_{k of category} credited x - max_share y <= 0. A share of 1 is C5's."""
    of = at.of
    share, below = of.share
    category = of.category[of.pool]
    pairs = np.flatnonzero(category >= 0)
    pairs = pairs[below[of.limit[pairs], category[pairs]]]
    row, recipe, code = _numbered(of.recipe[pairs], category[pairs], len(of.categories))
    most = share[at.problem.recipes.limit[recipe], code]
    return _family(
        "category_cap",
        recipe,
        (np.arange(len(recipe)), at.at_y + recipe, -most),
        (row, at.at_x + pairs, at.problem.credited[pairs]),
        second=code,
        words=of.categories,
    )


def _element(of: Coefficients, element: Element) -> tuple[Positions, Floats, Bools]:
    """Pairs that an element concerns, wt - base of each, and whether it lies above the maximum."""
    pairs = np.flatnonzero(element.maximum.given[of.limit] & element.wt.given[of.pool])
    wt = element.wt.take(of.pool[pairs])
    distance = wt.minus(element.base.take(of.limit[pairs]))
    over = wt.minus(element.maximum.take(of.limit[pairs]))
    return pairs, nearest(distance.values, distance.decimals), np.asarray(over.values > 0, dtype=bool)


def element_cap(at: Layout) -> Rows:
    """C7: sum_k (wt - base) credited x - (max - base) y <= 0, wt %, where a lot exceeds the maximum."""
    of, recipes, count = at.of, at.problem.recipes, len(at.of.elements)
    has = np.zeros((len(recipes), count), dtype=bool)
    found = [_element(of, element) for element in of.elements]
    for e, (pairs, _, over) in enumerate(found):
        has[of.recipe[pairs[over]], e] = True
    recipe, code = np.nonzero(has)
    row_of = (np.cumsum(has.ravel()) - 1).reshape(has.shape)
    room = np.zeros((len(at.problem.limits), count))
    for e, element in enumerate(of.elements):
        least = element.maximum.minus(element.base)
        room[:, e] = nearest(least.values, least.decimals)
    parts: list[tuple[Positions, Positions, Floats | float]] = [
        (np.arange(len(recipe)), at.at_y + recipe, -room[recipes.limit[recipe], code])
    ]
    for e, (pairs, distance, _) in enumerate(found):
        kept = has[of.recipe[pairs], e]
        used = pairs[kept]
        value = distance[kept] * at.problem.credited[used]
        parts.append((row_of[of.recipe[used], e], at.at_x + used, value))
    names = tuple(element.name for element in of.elements)
    return _family("element_cap", recipe, *parts, second=code, words=names)


def energy_cap(at: Layout) -> Rows:
    """C8: sum_{k of carrier} x - use y <= 0, MWh or GJ."""
    of = at.of
    carrier = of.carrier[of.pool]
    pairs = np.flatnonzero(carrier >= 0)
    row, recipe, code = _numbered(of.recipe[pairs], carrier[pairs], len(CARRIERS))
    return _family(
        "energy_cap",
        recipe,
        (np.arange(len(recipe)), at.at_y + recipe, -of.use[at.problem.recipes.limit[recipe], code]),
        (row, at.at_x + pairs, 1.0),
        second=code,
        words=CARRIERS,
    )


def scope_cap(at: Layout) -> Rows:
    """C9: sum_{k: scopes within S} reduction x - (sum_{s in S} s_s) y <= 0, for every cut S."""
    of, problem = at.of, at.problem
    place = {cuts: n for n, cuts in enumerate(dict.fromkeys(problem.scope_rows))}
    kind = np.array([place[cuts] for cuts in problem.scope_rows], dtype=np.intp)
    words = tuple(sorted({cut for cuts in place for cut in cuts}))
    position = np.full((len(place), len(words)), -1, dtype=np.intp)
    for cuts, n in place.items():
        position[n, [words.index(cut) for cut in cuts]] = np.arange(len(cuts))
    count = np.array([len(cuts) for cuts in place], dtype=np.intp)[kind]
    start = np.cumsum(count) - count
    recipe, code = np.empty(int(count.sum()), dtype=np.intp), np.empty(int(count.sum()), dtype=np.intp)
    parts: list[tuple[Positions, Positions, Floats | float]] = []
    reduces = np.flatnonzero(problem.reduction > 0)
    for n, cut in enumerate(words):
        bits = sum(1 << (s - 1) for s in cut)
        at_cut = position[kind, n]
        recipes = np.flatnonzero(at_cut >= 0)
        rows = start + at_cut
        recipe[rows[recipes]], code[rows[recipes]] = recipes, n
        parts.append((rows[recipes], at.at_y + recipes, -of.room(bits)[problem.recipes.limit[recipes]]))
        inside = reduces[(of.scopes[of.pool[reduces]] & ~bits) == 0]
        inside = inside[at_cut[of.recipe[inside]] >= 0]
        parts.append((rows[of.recipe[inside]], at.at_x + inside, problem.reduction[inside]))
    return _family("scope_cap", recipe, *parts, _NOTHING, second=code, words=words)


_NOTHING: tuple[Positions, Positions, Floats | float] = (
    np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp), 0.0,
)  # fmt: skip


def recipe_mass(at: Layout) -> Rows:
    """C10: y[r] - sum_j step[j] = 0."""
    recipes, steps = np.arange(len(at.problem.recipes)), np.arange(len(at.problem.steps))
    return _family(
        "recipe_mass",
        recipes,
        (recipes, at.at_y + recipes, 1.0),
        (at.problem.steps.recipe, at.at_step + steps, -1.0),
        equal=True,
    )


def _of_integer(
    at: Layout, name: str, which: Bools, of_step: float, of_take: Floats, *, equal: bool = False
) -> Rows:
    """of_step step[j] + of_take take[j] <= 0 (or = 0) for the integer steps chosen."""
    n = np.flatnonzero(which)
    row = np.arange(len(n))
    steps = at.integer[n]
    return _family(
        name, steps, (row, at.at_step + steps, of_step), (row, at.at_take + n, of_take[n]), equal=equal
    )


def order_mass(at: Layout) -> Rows:
    """C11: step[j] - mass take[j] <= 0 where an order needs a yes or no."""
    all_or_nothing = at.problem.case.orders.flag("whole")[at.order_of_integer]
    return _of_integer(at, "order_mass", ~all_or_nothing, 1.0, -at.problem.steps.upper[at.integer])


def min_fill(at: Layout) -> Rows:
    """C12: min_fill mass take[j] - step[j] <= 0."""
    orders = at.problem.case.orders
    least = orders.floats("min_fill")[at.order_of_integer]
    which = (least > 0) & ~orders.flag("whole")[at.order_of_integer]
    return _of_integer(at, "min_fill", which, -1.0, least * at.problem.steps.upper[at.integer])


def whole(at: Layout) -> Rows:
    """C13: step[j] - mass take[j] = 0: all of the order or nothing."""
    which = at.problem.case.orders.flag("whole")[at.order_of_integer]
    return _of_integer(at, "whole", which, 1.0, -at.problem.steps.upper[at.integer], equal=True)


def one_offer(at: Layout) -> Rows:
    """C14: sum_j take[j] <= 1 over an order's own terms and its offers."""
    found, orders = pd.factorize(at.order_of_integer)
    several = np.bincount(found, minlength=len(orders)) > 1
    row_of = np.cumsum(several) - 1
    n = np.flatnonzero(several[found])
    first = np.asarray(orders, dtype=np.intp)[several]
    return _family("one_offer", first, (row_of[found[n]], at.at_take + n, 1.0), upper=np.ones(len(first)))


STATEMENTS = (
    lot_supply, origin_once, pool_balance, claim, mass_cap, category_cap, element_cap, energy_cap, scope_cap,
    recipe_mass, order_mass, min_fill, whole, one_offer,
)  # fmt: skip
"""One function for each label of formulation.labels, in order."""
