"""The whole decision problem of a case: sets, parameters and bounds, before any solver.

Frozen; the Pyomo model, the booking and the proof all read it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import SupportsIndex, overload

import numpy as np
import numpy.typing as npt
import pandas as pd

from massbalance.domain.case import Case, IndexArray
from massbalance.domain.effects import Effects, Windows, scope_text, windows
from massbalance.formulation.coefficients import Coefficients, scopes_of
from massbalance.formulation.nearest import first_rows, numbered
from massbalance.formulation.pairs import Pairs, build_pairs, integer_orders
from massbalance.formulation.pools import Composition, Pools, build_pools, composition
from massbalance.formulation.recipes import (
    Limit,
    Recipes,
    Terms,
    build_limits,
    build_recipes,
    build_terms,
)
from massbalance.formulation.stakes import Stakes, build_stakes, expiry_counts, lapses

Floats = npt.NDArray[np.float64]
Cuts = tuple[tuple[int, ...], ...]
ALL_SCOPES = 0b111
SLACK_OF_BOUNDS = 2.0
"""A column's bound is this many times what there is and what the caps let a recipe take."""


@dataclass(frozen=True)
class Steps:
    """J columns of claimed mass: terms of one recipe at equal price, firmness and priority.

    recipe, priority (0: not firm): shape (J,); premium, upper (t): floats; integer: the term's
    order needs a yes or no, then the step is one term alone; barred: its orders stay conventional;
    of_term: step of each term;
    members: the terms of all steps, step after step, each step's in booking order; start: those
    of step j are members[start[j]:start[j + 1]].
    """

    recipe: IndexArray
    premium: Floats
    priority: npt.NDArray[np.int64]
    upper: Floats
    integer: npt.NDArray[np.bool_]
    barred: npt.NDArray[np.bool_]
    of_term: IndexArray
    members: IndexArray
    start: IndexArray

    def __len__(self) -> int:
        return len(self.recipe)

    @property
    def most(self) -> Floats:
        """The greatest claimed mass of each step, t: nothing where it is barred. Shape (J,)."""
        return np.where(self.barred, 0.0, self.upper)

    def terms_of(self, step: int) -> IndexArray:
        """The terms of one step, in booking order."""
        return self.members[self.start[step] : self.start[step + 1]]

    def first_terms(self) -> IndexArray:
        """The first term of each step. Shape (J,)."""
        return self.members[self.start[:-1]]


@dataclass(frozen=True)
class PerRecipe(Sequence[Cuts]):
    """Scope sets that need a row, recipe by recipe: cuts[kind[r]], few kinds for many recipes."""

    kind: IndexArray
    cuts: tuple[Cuts, ...]

    def __len__(self) -> int:
        return len(self.kind)

    @overload
    def __getitem__(self, index: SupportsIndex) -> Cuts: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Cuts, ...]: ...
    def __getitem__(self, index: SupportsIndex | slice) -> Cuts | tuple[Cuts, ...]:
        if isinstance(index, slice):
            return tuple(self.cuts[kind] for kind in self.kind[index])
        return self.cuts[self.kind[index]]


@dataclass(frozen=True)
class Problem:
    """Sets and parameters of models/FORMULATION.md.

    claim_value, credited, reduction, pair_upper: floats over pairs; recipe_pairs: slice of the
    pairs of recipe r is pair_start[r]:pair_start[r + 1]; scope_rows: the scope sets that need a
    row (C9) for each recipe; stakes: what strategies ask of orders.
    """

    case: Case
    effects: Effects
    windows: Windows
    parts: Composition
    pools: Pools
    terms: Terms
    limits: tuple[Limit, ...]
    recipes: Recipes
    pairs: Pairs
    steps: Steps
    stakes: Stakes
    claim_value: Floats
    credited: Floats
    reduction: Floats
    pair_upper: Floats
    pair_start: IndexArray
    recipe_mass: Floats
    scope_rows: PerRecipe

    @property
    def is_mip(self) -> bool:
        """Does any order need a yes or no?"""
        return bool(self.steps.integer.any())

    @property
    def priorities(self) -> tuple[int, ...]:
        """Priorities that have firm orders, first to last."""
        firm = self.case.orders.flag("firm")
        return tuple(int(p) for p in np.unique(self.case.orders.floats("priority")[firm]))

    @cached_property
    def names(self) -> RowNames:
        """Names of the model's rows."""
        return RowNames(self)

    def limit_of(self, recipe: int) -> Limit:
        """Product limits of a recipe."""
        return self.limits[self.recipes.limit[recipe]]


def _sums(index: IndexArray, values: Floats, size: int) -> Floats:
    """Sum of the values at each index, shape (size,)."""
    return np.bincount(index, weights=values, minlength=size).astype(np.float64)


def _build_steps(case: Case, terms: Terms, recipes: Recipes, stakes: Stakes) -> Steps:
    orders = case.orders
    firm = orders.flag("firm")[terms.order]
    priority = np.where(firm, orders.floats("priority")[terms.order], 0).astype(np.int64)
    integer = integer_orders(case, terms)[terms.order]
    mass = orders.floats("mass_t")[terms.order]
    price = pd.factorize(terms.premium.values)[0].astype(np.intp)
    alone = np.where(integer, np.arange(1, len(terms) + 1), 0)
    apart = [code[terms.order] for code in stakes.codes]
    of_term, first = numbered([recipes.of_term, price, priority, alone, *apart])
    by_step = np.argsort(of_term, kind="stable")
    return Steps(
        recipe=recipes.of_term[first],
        premium=terms.premium.take(first).floats(),
        priority=priority[first],
        upper=_sums(of_term, mass, len(first)),
        integer=integer[first],
        barred=stakes.barred[terms.order][first],
        of_term=of_term,
        members=by_step,
        start=np.searchsorted(of_term[by_step], np.arange(len(first) + 1)),
    )


def _closure(sets: set[tuple[int, ...]]) -> Cuts:
    """Every union of the scope sets present: the cuts that can bind (C9)."""
    found: set[tuple[int, ...]] = set()
    for one in sorted(sets):
        found |= {tuple(sorted({*one, *other})) for other in found} | {one}
    return tuple(sorted(found, key=lambda s: (len(s), s)))


def _pool_supply(pools: Pools, periods: int) -> Floats:
    """What each pool could bring to each period, in the lot's unit. Shape (K, T)."""
    supply = np.zeros((len(pools.ids), periods))
    for g, pool in enumerate(pools.group_pool):
        supply[pool, pools.group_first[g] : pools.group_last[g] + 1] += pools.group_quantity[g]
    return supply


def _pair_values(
    pairs: Pairs, recipes: Recipes, supply: Floats, mass: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """claim_value, credited, reduction and upper bound of every pair, from tables over (pool, limit)."""
    of = pairs.coefficients
    at = pairs.pool * of.shape[1] + recipes.limit[pairs.recipe]
    code, claims = pd.factorize(recipes.claim)
    tables = [of.claim_value(str(name)).ravel() for name in claims]
    value = np.concatenate([np.zeros(0), *tables])[code[pairs.recipe] * (of.shape[0] * of.shape[1]) + at]
    # finite for the solver, yet never the row that binds: a price belongs to a cap, not to a bound
    there = SLACK_OF_BOUNDS * supply[pairs.pool, recipes.period[pairs.recipe]]
    with np.errstate(invalid="ignore"):
        demand = SLACK_OF_BOUNDS * of.most_per_t.ravel()[at] * mass[pairs.recipe]
    upper = np.where(demand > 0, np.minimum(there, demand), there)
    return value, of.credited_t.ravel()[at], of.reduction_t.ravel()[at], upper


def _scope_rows(pairs: Pairs, recipes: Recipes, reduction: Floats) -> PerRecipe:
    """Scope sets that need a row, recipe by recipe."""
    scopes = pairs.coefficients.scopes
    present = np.zeros((len(recipes), ALL_SCOPES + 1), dtype=bool)
    reduces = np.flatnonzero(reduction > 0)
    present[pairs.recipe[reduces], scopes[pairs.pool[reduces]]] = True
    code, _ = pd.factorize(present @ (1 << np.arange(ALL_SCOPES + 1)))
    first = first_rows(code.astype(np.intp))
    cuts = [_closure({scopes_of(int(bits)) for bits in np.flatnonzero(present[r])}) for r in first]
    return PerRecipe(code.astype(np.intp), tuple(cuts))


@dataclass(frozen=True)
class Supply:
    """What does not depend on the orders: effects, windows, pools, product limits and how they meet.

    limit_of_product: shape (products,).
    """

    effects: Effects
    windows: Windows
    parts: Composition
    pools: Pools
    limits: tuple[Limit, ...]
    limit_of_product: IndexArray
    coefficients: Coefficients


def _wanted(case: Case, on: Supply) -> npt.NDArray[np.bool_]:
    """Pools of which any use counts: a goal looks at what lapses, and a unit of theirs is worth something."""
    pools = on.pools
    found = np.zeros(len(pools.ids), dtype=bool)
    if expiry_counts(case):
        lapse = lapses(case, case.rules, on.windows.expires)
        groups = np.array([lapse[lots[0]] for lots in pools.group_lots], dtype=bool)
        found[pools.group_pool[groups]] = True
        found &= np.asarray(on.effects.unit_value.take(pools.representative).values > 0, dtype=bool)
    return found


def build_supply(case: Case, apart: frozenset[str] = frozenset()) -> Supply:
    """The supply side of a valid case; apart: lots that are a supply group alone."""
    effects, window = Effects(case), windows(case)
    parts = composition(case)
    lapse = lapses(case, case.rules, window.expires) if expiry_counts(case) else None
    pools = build_pools(case, effects, window, parts, lapse, apart)
    limits, limit_of_product = build_limits(case, effects, parts)
    coefficients = Coefficients(case, effects, parts, pools, limits)
    return Supply(effects, window, parts, pools, tuple(limits), limit_of_product, coefficients)


def build_problem(case: Case, supply: Supply | None = None, *, apart: IndexArray | None = None) -> Problem:
    """Sets and parameters of a valid case (always succeeds; an empty case gives an empty problem).

    supply: that of a case which differs in its orders and offers only, if there is one; apart: a code of
    each order, orders with different codes share no recipe (which costs columns and nothing else).
    """
    on = build_supply(case) if supply is None else supply
    terms = build_terms(case)
    recipes = build_recipes(case, terms, on.limit_of_product, list(on.limits), apart)
    pairs = build_pairs(case, on.pools, recipes, on.coefficients, _wanted(case, on))
    stakes = build_stakes(case)
    steps = _build_steps(case, terms, recipes, stakes)
    mass = _sums(steps.recipe, steps.upper, len(recipes))
    there = _pool_supply(on.pools, len(case.periods))
    claim_value, credited, reduction, upper = _pair_values(pairs, recipes, there, mass)
    start = np.searchsorted(pairs.recipe, np.arange(len(recipes) + 1))
    return Problem(
        case=case,
        effects=on.effects,
        windows=on.windows,
        parts=on.parts,
        pools=on.pools,
        terms=terms,
        limits=on.limits,
        recipes=recipes,
        pairs=pairs,
        steps=steps,
        stakes=stakes,
        claim_value=claim_value,
        credited=credited,
        reduction=reduction,
        pair_upper=upper,
        pair_start=start,
        recipe_mass=mass,
        scope_rows=_scope_rows(pairs, recipes, reduction),
    )


OF_STAKES = ("minimum_service", "common_share", "no_more", "fair_share")
"""Equations C16 to C19: rows of groups and orders that the strategies add."""
CAPS = ("mass_cap", "category_cap", "element_cap", "energy_cap", "scope_cap")
"""Equations C5 to C9: what a tonne of a recipe may take."""


def recipe_of(key: object) -> int:
    """Recipe of a row of C4 to C9: its key is the recipe, or begins with it."""
    return int(key[0]) if isinstance(key, tuple) else int(key)  # type: ignore[call-overload]


def row_name(problem: Problem, equation: str, index: object) -> str:
    """Name of a row as it travels into prices and conflicts: `scope_cap[A-1042,1]`."""
    return f"{equation}[{','.join(problem.names.key(equation, index))}]"


class RowNames:
    """Names of rows: ids instead of positions. Text columns are read once, and only those needed."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem

    @cached_property
    def lots(self) -> npt.NDArray[np.object_]:
        """Names of the lots."""
        return self.problem.case.lots.text("lot")

    @cached_property
    def periods(self) -> npt.NDArray[np.object_]:
        """Names of the periods."""
        return self.problem.case.periods.text("period")

    @cached_property
    def orders(self) -> npt.NDArray[np.object_]:
        """Names of the orders."""
        return self.problem.case.orders.text("order")

    @cached_property
    def offers(self) -> npt.NDArray[np.object_]:
        """Names of the offers."""
        return self.problem.case.offers.text("offer")

    def key(self, equation: str, index: object) -> tuple[str, ...]:
        """The parts of a row's name."""
        problem, parts = self.problem, index if isinstance(index, tuple) else (index,)
        first = parts[0]
        if equation == "lot_supply":
            return (str(self.lots[problem.pools.group_lots[int(first)][0]]),)
        if equation == "pool_balance":
            return (problem.pools.ids[int(first)], str(self.periods[int(parts[1])]))
        if equation in ("order_mass", "min_fill", "whole"):
            term = problem.steps.terms_of(int(first))[0]
            offer = problem.terms.offer[term]
            order = str(self.orders[problem.terms.order[term]])
            return (order,) if offer < 0 else (order, str(self.offers[offer]))
        if equation in OF_STAKES:
            return self._stake(equation, int(first))
        if equation == "one_offer":
            return (str(self.orders[int(first)]),)
        if equation in ("origin_once", "goal_hold"):
            return (str(first),)
        rest = tuple(scope_text(p) if isinstance(p, tuple) else str(p) for p in parts[1:])
        return (problem.recipes.ids[int(first)], *rest)

    def _stake(self, equation: str, position: int) -> tuple[str, ...]:
        """Name of a row of C16 to C19."""
        stakes = self.problem.stakes
        if equation == "minimum_service":
            group = stakes.minimums[position].group
            return (group.by, group.name)
        if equation == "fair_share":
            return (stakes.groups[position].name,)
        return (str(self.orders[position]),)
