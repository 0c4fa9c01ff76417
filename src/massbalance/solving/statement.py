"""The numbered equations as arrays: row by row what formulation.equations states in Pyomo.

Every function makes one family of rows and bears its label and name. Maths, units and clauses:
models/FORMULATION.md. Tests compare both statements, coefficient by coefficient.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from massbalance.formulation.coefficients import CARRIERS, scope_bits
from massbalance.formulation.labels import LEAST_NEED
from massbalance.formulation.nearest import nearest_of
from massbalance.formulation.problem import Problem
from massbalance.solving.entries import Entries, PairEntries, Rows, family
from massbalance.solving.rows import Family

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]
SPARSE = 8
"""Keys that are this many times rarer than what they could be are hashed instead of tabled."""


class Layout:
    """Columns in blocks: f, x, y, step, take, common, fair, each beginning where `at_` says.

    pool, recipe, pair_limit: of each pair; pool_limit: its place in a table over (pool, limit);
    flow_group, flow_period: shape (F,), by group, then period; integer: steps that have a `take`.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        pools, pairs = problem.pools, problem.pairs
        self.of = pairs.coefficients
        self.pool, self.recipe = pairs.pool, pairs.recipe
        self.pair_limit = problem.recipes.limit[pairs.recipe]
        self.pool_limit = pairs.pool * self.of.shape[1] + self.pair_limit
        self.periods = len(problem.case.periods)
        self.pair_period = problem.recipes.period[pairs.recipe]
        served = np.zeros((len(pools.ids), self.periods), dtype=bool)
        served[pairs.pool, self.pair_period] = True
        t = np.arange(self.periods)
        window = (pools.group_first[:, None] <= t) & (t <= pools.group_last[:, None])
        self.flow_group, self.flow_period = np.nonzero(window & served[pools.group_pool])
        self.integer = np.flatnonzero(problem.steps.integer)
        order = problem.case.objective.order
        counts = (
            len(self.flow_group), len(pairs.pool), len(problem.recipes), len(problem.steps),
            len(self.integer),
            int("common_share" in order), int("fair_share" in order),
        )  # fmt: skip
        ends = np.cumsum([0, *counts]).tolist()
        self.at_f, self.at_x, self.at_y, self.at_step, self.at_take = ends[:5]
        self.at_common, self.at_fair, self.columns = ends[5:]
        self.order_of_integer = problem.terms.order[problem.steps.first_terms()[self.integer]]

    def f(self) -> Positions:
        """Columns of the flows."""
        return np.arange(self.at_f, self.at_x)

    def take(self) -> Positions:
        """Columns of the yes/no decisions."""
        return np.arange(self.at_take, self.at_common)


def _numbered(first: Positions, code: Positions, codes: int) -> tuple[Positions, Positions, Positions]:
    """Rows of (first, code) by first appearance: row of each entry, first part and code of each row."""
    codes = max(codes, 1)
    key = first * codes + code
    size = int(key.max(initial=-1)) + 1
    if size > SPARSE * len(key):
        row, found = pd.factorize(key)
        keys = np.asarray(found, dtype=np.intp)
        return row.astype(np.intp), keys // codes, keys % codes
    entry = np.zeros(size, dtype=np.intp)
    entry[key[::-1]] = np.arange(len(key))[::-1]
    at = entry[key]
    fresh = at == np.arange(len(key))
    keys = key[fresh]
    return (np.cumsum(fresh) - 1)[at], keys // codes, keys % codes


def lot_supply(at: Layout) -> Rows:
    """C1: sum_t f[l,t] <= quantity[l]."""
    row, groups = pd.factorize(at.flow_group)
    first = np.asarray(groups, dtype=np.intp)
    upper = at.problem.pools.group_quantity[first].astype(np.float64)
    return family(Family("lot_supply", first), [(row.astype(np.intp), at.f(), 1.0)], upper=upper)


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
    labels = Family("origin_once", np.arange(len(names)), words=names)
    return family(labels, [(row[flow], at.at_f + flow, value)], upper=size)


def pool_balance(at: Layout) -> Rows:
    """C3: sum_r x[k,r] - sum_l f[l,t] <= 0 for r in period t."""
    row, pool, period = _numbered(at.pool, at.pair_period, at.periods)
    place = np.full((len(at.problem.pools.ids), at.periods), -1, dtype=np.intp)
    place[pool, period] = np.arange(len(pool))
    of_flow = place[at.problem.pools.group_pool[at.flow_group], at.flow_period]
    pairs = np.arange(len(row))
    return family(Family("pool_balance", pool, period), [(of_flow, at.f(), -1.0)], [(row, pairs, 1.0)])


def claim(at: Layout) -> Rows:
    """C4: need[r] y[r] - sum_k claim_value[k,r] x[k,r] <= 0."""
    need = at.problem.recipes.need.floats()
    recipes = np.flatnonzero(need > 0)
    # the solver drops what is below 1e-9; a need so small stays a need, a gram in a thousand tonnes
    least = np.maximum(need[recipes], LEAST_NEED)
    return _of_recipes(at, "claim", need > 0, least, -at.problem.claim_value, need[at.recipe] > 0)


def mass_cap(at: Layout) -> Rows:
    """C5: sum_k credited[k,r] x[k,r] - y[r] <= 0."""
    credited = at.problem.credited
    used = credited > 0
    has = np.zeros(len(at.problem.recipes), dtype=bool)
    has[at.recipe[used]] = True
    return _of_recipes(at, "mass_cap", has, np.full(int(has.sum()), -1.0), credited, used)


def _of_recipes(at: Layout, name: str, has: Bools, of_y: Floats, of_x: Floats, used: Bools) -> Rows:
    """One row for each recipe that `has` one: of_y y + the used pairs' of_x x <= 0."""
    recipes, pairs = np.flatnonzero(has), np.flatnonzero(used)
    row_of = np.cumsum(has) - 1
    return family(
        Family(name, recipes),
        [(np.arange(len(recipes)), at.at_y + recipes, of_y)],
        [(row_of[at.recipe[pairs]], pairs, of_x)],
    )


def _of_codes(
    at: Layout, name: str, pairs: Positions, code: Positions, words: Sequence[object],
    of_y: Floats, of_x: Floats | float,
) -> Rows:  # fmt: skip
    """One row for each (recipe, code) of the pairs: their of_x x - of_y[limit, code] y <= 0."""
    row, recipe, second = _numbered(at.recipe[pairs], code, len(words))
    most = of_y[at.problem.recipes.limit[recipe], second]
    return family(
        Family(name, recipe, second, words),
        [(np.arange(len(recipe)), at.at_y + recipe, -most)],
        [(row, pairs, of_x)],
    )


def category_cap(at: Layout) -> Rows:
    """C6: sum_{k of category} credited x - max_share y <= 0. A share of 1 is C5's."""
    of = at.of
    category = of.category[at.pool]
    pairs = np.flatnonzero(category >= 0)
    pairs = pairs[of.shared[at.pair_limit[pairs], category[pairs]]]
    share, credited = of.max_share, at.problem.credited
    return _of_codes(at, "category_cap", pairs, category[pairs], of.categories, share, credited)


def element_cap(at: Layout) -> Rows:
    """C7: sum_k (wt - base) credited x - (max - base) y <= 0, wt %, where a lot exceeds the maximum."""
    elements, recipes = at.of.elements, at.problem.recipes
    has = np.zeros((len(recipes), len(elements)), dtype=bool)
    for e, one in enumerate(elements):
        has[at.recipe[(one.applies & one.over).ravel()[at.pool_limit]], e] = True
    recipe, code = np.nonzero(has)
    row_of = (np.cumsum(has.ravel()) - 1).reshape(has.shape)
    of_y: list[Entries] = []
    of_x: list[PairEntries] = []
    for e, one in enumerate(elements):
        mine = np.flatnonzero(has[:, e])
        of_y.append((row_of[mine, e], at.at_y + mine, -one.room[recipes.limit[mine]]))
        pairs = np.flatnonzero(one.applies.ravel()[at.pool_limit] & has[at.recipe, e])
        value = one.distance.ravel()[at.pool_limit] * at.problem.credited
        of_x.append((row_of[at.recipe[pairs], e], pairs, value))
    return family(Family("element_cap", recipe, code, tuple(one.name for one in elements)), of_y, of_x)


def energy_cap(at: Layout) -> Rows:
    """C8: sum_{k of carrier} x - use y <= 0, MWh or GJ."""
    carrier = at.of.carrier[at.pool]
    pairs = np.flatnonzero(carrier >= 0)
    return _of_codes(at, "energy_cap", pairs, carrier[pairs], CARRIERS, at.of.use, 1.0)


def scope_cap(at: Layout) -> Rows:
    """C9: sum_{k: scopes within S} reduction x - (sum_{s in S} s_s) y <= 0, for every cut S."""
    of, problem = at.of, at.problem
    kind, kinds = problem.scope_rows.kind, problem.scope_rows.cuts
    words = tuple(sorted({cut for cuts in kinds for cut in cuts}))
    count = np.array([len(cuts) for cuts in kinds], dtype=np.intp)[kind]
    start = np.cumsum(count) - count
    recipe, code = np.repeat(np.arange(len(kind)), count), np.empty(int(count.sum()), dtype=np.intp)
    of_y: list[Entries] = []
    of_x: list[PairEntries] = []
    reduces = np.flatnonzero(problem.reduction > 0)
    for n, cut in enumerate(words):
        bits = scope_bits(cut)
        position = np.array([cuts.index(cut) if cut in cuts else -1 for cuts in kinds], dtype=np.intp)[kind]
        mine = np.flatnonzero(position >= 0)
        row = start + position
        code[row[mine]] = n
        of_y.append((row[mine], at.at_y + mine, -nearest_of(of.room(bits))[problem.recipes.limit[mine]]))
        inside = reduces[((of.scopes & ~bits) == 0)[at.pool[reduces]] & (position >= 0)[at.recipe[reduces]]]
        of_x.append((row[at.recipe[inside]], inside, problem.reduction))
    return family(Family("scope_cap", recipe, code, words), of_y, of_x)


def recipe_mass(at: Layout) -> Rows:
    """C10: y[r] - sum_j step[j] = 0."""
    recipes, steps = np.arange(len(at.problem.recipes)), np.arange(len(at.problem.steps))
    entries: list[Entries] = [
        (recipes, at.at_y + recipes, 1.0), (at.problem.steps.recipe, at.at_step + steps, -1.0),
    ]  # fmt: skip
    return family(Family("recipe_mass", recipes), entries, equal=True)


def _of_integer(
    at: Layout, name: str, which: Bools, of_step: float, of_take: Floats, *, equal: bool = False
) -> Rows:
    """of_step step[j] + of_take take[j] <= 0 (or = 0) for the integer steps chosen."""
    n = np.flatnonzero(which)
    row = np.arange(len(n))
    steps = at.integer[n]
    entries: list[Entries] = [(row, at.at_step + steps, of_step), (row, at.at_take + n, of_take[n])]
    return family(Family(name, steps), entries, equal=equal)


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
    entries: list[Entries] = [(row_of[found[n]], at.at_take + n, 1.0)]
    return family(Family("one_offer", first), entries, upper=np.ones(len(first)))


def _of_parts(
    at: Layout, name: str, parts: Sequence[Positions], shares: Entries | None, sign: float, upper: Floats
) -> Rows:
    """One row for each part (orders): -sign over its steps, and what it has of a share, <= upper."""
    entries = [_of_steps(at, parts, sign)]
    if shares is not None:
        entries.append(shares)
    return family(Family(name, np.arange(len(parts))), entries, upper=upper)


def _of_steps(at: Layout, parts: Sequence[Positions], sign: float) -> Entries:
    """-sign in the row of each part for each of its steps; no order is in two parts."""
    row_of = np.full(len(at.problem.case.orders), -1, dtype=np.intp)
    for n, orders in enumerate(parts):
        row_of[orders] = n
    row = row_of[at.problem.terms.order[at.problem.steps.first_terms()]]
    steps = np.flatnonzero(row >= 0)
    return row[steps], at.at_step + steps, -sign


def minimum_service(at: Layout) -> Rows:
    """C16: -sum_{j of group} step[j] <= -share M."""
    minimums = at.problem.stakes.minimums
    entries: list[Entries] = []
    first = 0
    # kind by kind, since an order belongs to groups of several kinds
    for by in dict.fromkeys(least.group.by for least in minimums):
        parts = [least.group.orders for least in minimums if least.group.by == by]
        row, column, value = _of_steps(at, parts, 1.0)
        entries.append((row + first, column, value))
        first += len(parts)
    upper = np.array([-float(least.least) for least in minimums], dtype=np.float64)
    return family(Family("minimum_service", np.arange(len(minimums))), entries, upper=upper)


def _of_covered(at: Layout, name: str, sign: float) -> Rows:
    """sign (theta M[o] - sum_{j of o} step[j]) <= 0 for the orders under the common share."""
    covered = at.problem.stakes.covered
    mass = at.problem.case.orders.floats("mass_t")[covered]
    rows = np.arange(len(covered))
    shares = (rows, np.full(len(rows), at.at_common), sign * mass)
    made = _of_parts(at, name, [np.array([o]) for o in covered], shares, sign, np.zeros(len(covered)))
    return replace(made, labels=Family(name, covered))


def common_share(at: Layout) -> Rows:
    """C17: theta M[o] - sum_{j of o} step[j] <= 0."""
    return _of_covered(at, "common_share", 1.0)


def no_more(at: Layout) -> Rows:
    """C18: sum_{j of o} step[j] - theta M[o] <= 0."""
    return _of_covered(at, "no_more", -1.0)


def fair_share(at: Layout) -> Rows:
    """C19: theta M - sum_{j of group} step[j] <= 0; the first stage (solving.fair has the later ones)."""
    groups = at.problem.stakes.groups
    mass = np.array([group.mass_t for group in groups], dtype=np.float64)
    rows = np.arange(len(groups))
    shares = (rows, np.full(len(rows), at.at_fair), mass)
    return _of_parts(at, "fair_share", [g.orders for g in groups], shares, 1.0, np.zeros(len(groups)))


STATEMENTS = (
    lot_supply, origin_once, pool_balance, claim, mass_cap, category_cap, element_cap, energy_cap, scope_cap,
    recipe_mass, order_mass, min_fill, whole, one_offer, minimum_service, common_share, no_more, fair_share,
)  # fmt: skip
"""One function for each label of formulation.labels, in order."""
