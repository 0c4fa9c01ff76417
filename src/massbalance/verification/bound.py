"""Why nothing better exists: a bound on every goal, by weak duality, in integers.

Any non-negative duals give a valid bound: every row is added with its dual, and of what is left each
variable takes the bound that its reduced cost points to. So nothing here trusts the solver that
found the duals; bad duals only make a loose bound. All numbers are exact integers (`integers.Wide`):
duals in 1e-12, coefficients times `facts.scale`, masses in 1e-6; so is a sum of products of the three.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from massbalance.domain.grid import GRID
from massbalance.verification.effects import Effects
from massbalance.verification.facts import CARRIERS, Facts
from massbalance.verification.integers import Index, Integers, Wide, integers
from massbalance.verification.orders import Booked
from massbalance.verification.proof import DUAL, Duals, Groups, shared_origins
from massbalance.verification.terms import SHARE_CLAIMS

CELLS = 500_000
"""Pool and recipe cells looked at together, to bound memory."""


@dataclass(frozen=True)
class GoalProof:
    """One goal: its booked value, the value that nothing can beat, and the gap between them.

    name: `firm_shortfall_t` (least is best, so the bound is from below) or `margin` (from above);
    tolerance: the gap that booking on the grid may cost; mip: a yes or no was decided, and the
    bound then only says how much of the value is proven.
    """

    name: str
    priority: int | None
    booked: Fraction
    bound: Fraction
    gap: Fraction
    tolerance: Fraction
    mip: bool

    @property
    def proven(self) -> bool:
        """Is the value optimal within the tolerance?"""
        return self.gap <= self.tolerance


@dataclass(frozen=True)
class Pairs:
    """Feasible (recipe, pool) pairs with their coefficients: claim (scale squared), the others scaled.

    kind: of the pool's lots; product, period: of the recipe; all positions.
    """

    recipe: Index
    pool: Index
    kind: Index
    product: Index
    period: Index
    claim: Wide
    reduction: Wide
    rate: Wide


class Matrix:
    """The coefficients of K pools and R recipes; built once, used for every goal."""

    def __init__(self, facts: Facts, effects: Effects, groups: Groups) -> None:
        self.facts, self.effects, self.pools, self.groups = facts, effects, groups.pools, groups
        self.pool_at = {name: k for k, name in enumerate(groups.pools)}
        self.recipe_at = {name: r for r, name in enumerate(groups.recipes)}
        terms, demand = facts.terms, np.array(list(groups.recipes.values()), dtype=np.intp)
        self.demand, self.product, self.period = demand, terms.product_of[demand], terms.period_of[demand]
        self.claimed = terms.claim_of[demand]
        self.kind: Index = np.array([facts.kind[lots[0]] for lots in groups.pools.values()], dtype=np.intp)
        self.scope_sets = sorted({traits.scopes for traits in facts.kinds}, key=sorted)
        scopes = [self.scope_sets.index(traits.scopes) for traits in facts.kinds]
        self.scopes: Index = np.array(scopes, dtype=np.intp)
        self.supply = np.zeros((len(self.pools), len(facts.case.periods)), dtype=object)
        for k, lots in enumerate(self.pools.values()):
            for lot in (facts.lots[i] for i in lots):
                self.supply[k, lot.first : lot.last + 1] += lot.quantity

    def pairs_of(self, recipe: Index, pool: Index) -> Pairs:
        """Coefficients of given pairs."""
        kind, product, claim = self.kind[pool], self.product[recipe], self.claimed[recipe]
        effects, of_share = self.effects, claim < len(SHARE_CLAIMS)
        reduction = Wide.of(effects.reduction(kind, product))
        rate = Wide.of(effects.credited(kind, product))
        share = Wide.of(effects.shares[kind, np.where(of_share, claim, 0)])
        told = (rate * share).where(of_share, reduction * self.facts.scale)
        return Pairs(recipe, pool, kind, product, self.period[recipe], told, reduction, rate)

    def feasible(self) -> Iterator[Pairs]:
        """Every pair that may be used, in blocks of recipes."""
        alive = (self.supply > 0).astype(bool)
        accepted = self.facts.terms.schemes_of[self.demand]
        takes = self.effects.accepts(self.facts.terms.schemes)[:, self.kind]
        used, at = np.unique(self.product, return_inverse=True)
        grid = (grid.ravel() for grid in np.meshgrid(self.kind, used))
        fits = self.effects.obstacle(*grid).reshape(len(used), len(self.kind)) == 0
        step = max(1, CELLS // max(1, len(self.kind)))
        for start in range(0, len(self.demand), step):
            block = slice(start, start + step)
            may = fits[at[block]] & alive[:, self.period[block]].T & takes[accepted[block]]
            recipe, pool = np.nonzero(may)
            yield self.pairs_of(recipe + start, pool)


class Bound:
    """The bound of one goal. All totals are in units of 1e-12 * scale^-2 * 1e-6 of the goal's unit."""

    def __init__(self, matrix: Matrix, duals: Duals, goal: str) -> None:
        self.matrix, self.facts = matrix, matrix.facts
        self.held = {h: dual for (equation, h, _), dual in duals.items() if equation == "goal_hold"}
        self.weights = {**self.held, goal: DUAL}
        effects, recipes = matrix.effects, len(matrix.demand)
        self._categories = {category: c for c, category in enumerate(effects.categories)}
        shapes = {
            "claim": (), "mass_cap": (), "category_cap": (len(effects.categories),),
            "energy_cap": (len(CARRIERS) + 1,), "scope_cap": (len(matrix.scope_sets),),
            **{f"element_cap {element}": () for element in effects.elements},
        }  # fmt: skip
        tables = {name: np.zeros((recipes, *shape), dtype=object) for name, shape in shapes.items()}
        self.balance = np.zeros((len(matrix.pools), len(self.facts.case.periods)), dtype=object)
        self.origin: dict[str, int] = {}
        rho = np.zeros(recipes, dtype=object)  # what one t of claimed mass costs, 1e-12 / scale
        for (equation, key, index), dual in duals.items():
            if equation == "pool_balance":
                self.balance[matrix.pool_at[key], self.facts.case.periods.position[index]] = dual
            elif equation == "origin_once":
                self.origin[key] = dual
            elif equation != "goal_hold":
                r = matrix.recipe_at[key]
                rho[r] -= dual * self._enter(tables, equation, r, index, dual)
        self.rho, self.prices = Wide.of(rho), Wide.of(self.balance)
        self.dual = {name: Wide.of(table) for name, table in tables.items()}
        self.elements = [e for e in effects.elements if self.dual[f"element_cap {e}"].peak]

    def _enter(self, tables: dict[str, Integers], equation: str, r: int, index: str, dual: int) -> int:
        """Enter the dual of a claim (C4) or a cap (C5 to C9) of a recipe; returns the row's room per t."""
        matrix, limits = self.matrix, self.facts.products[self.matrix.product[r]]
        if equation == "claim":
            tables[equation][r] = dual
            return -int(self.facts.needs[matrix.demand[r]])
        if equation == "mass_cap":
            tables[equation][r] = dual
            return self.facts.scale
        if equation == "category_cap":
            if index in self._categories:
                tables[equation][r, self._categories[index]] = dual
            return limits.caps[index]
        if equation == "element_cap":
            tables[f"{equation} {index}"][r] = dual
            return limits.elements[index][0] - limits.elements[index][1]
        if equation == "energy_cap":
            tables[equation][r, CARRIERS.index(index)] = dual
            return limits.use[index]
        scopes = {int(s) for s in index.split("+")}
        inside = [i for i, found in enumerate(matrix.scope_sets) if found <= scopes]
        tables[equation][r, inside] += dual
        return sum(limits.scopes[s - 1] for s in scopes)

    def pairs(self, pairs: Pairs) -> int:
        """What pairs with a positive reduced cost could still add, at most."""
        matrix, effects, scale = self.matrix, self.matrix.effects, self.facts.scale
        r, k, kind, dual = pairs.recipe, pairs.pool, pairs.kind, self.dual
        mass = dual["mass_cap"][r] + dual["category_cap"][r, effects.category[kind]]
        cost = dual["claim"][r] * pairs.claim - mass * pairs.rate * scale
        for e in self.elements:
            delta = Wide.of(effects.delta(e, kind, pairs.product))
            cost = cost - dual[f"element_cap {e}"][r] * delta * pairs.rate
        cost = cost - dual["scope_cap"][r, matrix.scopes[kind]] * pairs.reduction * scale
        energy = dual["energy_cap"][r, effects.carrier[kind]]
        cost = cost - (energy + self.prices[k, pairs.period]) * scale**2
        cost = cost - Wide.of(effects.cost[kind]) * (self.weights.get("margin", 0) * scale)
        gains = np.flatnonzero(cost.sign() > 0)
        return int((cost[gains].python() * matrix.supply[k[gains], pairs.period[gains]]).sum())

    def rounding(self, pairs: Pairs, rows: Index) -> int:
        """What rounding booked rows down may have gained under caps: one grid unit a row, at most.

        rows: how many of each pair are booked.
        """
        matrix, effects, scale = self.matrix, self.matrix.effects, self.facts.scale
        r, kind, dual = pairs.recipe, pairs.kind, self.dual
        credited = (dual["mass_cap"][r] + dual["category_cap"][r, effects.category[kind]]) * scale
        for e in self.elements:
            delta = Wide.of(np.maximum(effects.delta(e, kind, pairs.product), 0))
            credited = credited + dual[f"element_cap {e}"][r] * delta
        reduced = dual["scope_cap"][r, matrix.scopes[kind]] * scale
        none = Wide.of([0])
        some = credited.where(effects.material[kind], none) + none.where(effects.project[kind], reduced)
        return (some * Wide.of(rows)).total() * scale

    def kept(self, values: dict[str, int]) -> int:
        """What the earlier goals, held at their booked values, are worth at their prices (C15)."""
        return sum(dual * values[h] for h, dual in self.held.items()) * self.facts.scale

    def lots(self) -> int:
        """What the lots' quantities are worth at the pools' prices (C1, C2)."""
        facts, total, best = self.facts, 0, dict[int, int]()
        for k, lots in enumerate(self.matrix.pools.values()):
            for i in lots:
                lot = facts.lots[i]
                best[i] = lot.quantity * max(0, *self.balance[k, lot.first : lot.last + 1])
        for origin, shared in shared_origins(facts).items():
            price = self.origin.get(origin, 0) * GRID
            total += price + sum(max(0, best.pop(i) - price) for i in shared)
        return (total + sum(best.values())) * facts.scale**2

    def orders(self) -> int:
        """What the orders' masses are worth beyond what their mixes cost (C11, C14)."""
        facts, terms = self.facts, self.facts.terms
        ranks = sorted(set(facts.priority[facts.firm].tolist()))
        weights = [0, *(self.weights.get(f"firm_shortfall:{p}", 0) * facts.scale for p in ranks)]
        rank = np.where(facts.firm, np.searchsorted(ranks, facts.priority) + 1, 0)
        value = Wide.of(terms.premium) * self.weights.get("margin", 0) + Wide.of(weights)[rank[terms.order]]
        value = value - self.rho[self.matrix.groups.recipe]
        alone = (np.bincount(terms.order) == 1)[terms.order] if len(terms.order) else terms.own
        gains = np.flatnonzero(alone & (value.sign() > 0))
        total = (value[gains] * Wide.of(facts.mass[terms.order[gains]])).total()
        best, several = dict[int, int](), np.flatnonzero(~alone)
        for o, worth in zip(terms.order[several].tolist(), value[several].python().tolist(), strict=True):
            best[o] = max(best.get(o, 0), worth)
        return (total + sum(int(facts.mass[o]) * worth for o, worth in best.items())) * facts.scale


def booked_values(facts: Facts, effects: Effects, booked: Booked) -> dict[str, int]:
    """Goal -> booked value, maximised, times scale and 1e6: firm claimed mass of a priority; margin."""
    premium, cost = Wide.of(facts.terms.premium[booked.term]), Wide.of(effects.cost[booked.rows.kind])
    earned, spent = premium * Wide.of(booked.claimed), cost * Wide.of(booked.rows.quantity)
    values = {}
    for goal, (_, priority) in facts.goals.items():
        firm = facts.firm & (facts.priority == priority)
        values[goal] = Wide.of(booked.claimed[firm]).total() * facts.scale
    return values | {"margin": earned.total() - spent.total()}


def prove(
    facts: Facts, effects: Effects, booked: Booked, groups: Groups, duals: dict[str, Duals]
) -> list[GoalProof]:
    """The proof of every goal, in the order of the case."""
    matrix, values = Matrix(facts, effects, groups), booked_values(facts, effects, booked)
    rows, pool_of = booked.rows, np.full(len(facts.lots), -1, dtype=np.intp)
    for k, lots in enumerate(groups.pools.values()):
        pool_of[lots] = k
    many = max(1, len(groups.pools))
    pair, count = np.unique(groups.recipe[rows.term] * many + pool_of[rows.lot], return_counts=True)
    used = matrix.pairs_of(pair // many, pair % many)
    bounds = {goal: Bound(matrix, dual, goal) for goal, dual in duals.items()}
    totals = {
        goal: bound.lots() + bound.orders() + bound.rounding(used, count) - bound.kept(values)
        for goal, bound in bounds.items()
    }
    for pairs in matrix.feasible():
        for goal, bound in bounds.items():
            totals[goal] += bound.pairs(pairs)
    proofs, costs = dict[str, GoalProof](), _Grid(facts)
    for goal, bound in bounds.items():
        value = Fraction(values[goal], facts.scale * GRID)
        best = Fraction(totals[goal], DUAL * facts.scale**2 * GRID)
        lost = sum((proofs[h].gap * dual for h, dual in bound.held.items()), Fraction(0)) / DUAL
        proofs[goal] = _goal_proof(facts, costs, goal, value, best, lost)
    return list(proofs.values())


class _Grid:
    """What booking on the grid may cost all orders.

    grams: 2 for each, or the step between the masses that the grid leaves it; slack, stake: the sums
    of grams, and of masses in t, times the order's own premium (at least 1).
    """

    def __init__(self, facts: Facts) -> None:
        terms, most = facts.terms, 2**61
        steps = integers([min(max(2, facts.knife_edge(d)), most) for d in terms.demands])
        grams = np.minimum(steps[terms.demand[terms.own]], np.maximum(facts.mass, 2))
        price = Wide.of(np.maximum(np.abs(terms.premium[terms.own]), integers([facts.scale])))
        self.grams = Wide.of(grams).total()
        self.slack = Fraction((price * Wide.of(grams)).total(), facts.scale)
        self.stake = Fraction((price * Wide.of(facts.mass)).total(), facts.scale * GRID)


def _goal_proof(
    facts: Facts, costs: _Grid, goal: str, value: Fraction, bound: Fraction, lost: Fraction
) -> GoalProof:
    """A goal's proof in its own terms, from its maximised value and bound.

    The tolerance is what booking on the grid may cost: 1e-6 of the value, 2e-6 t of every order
    (or the step between the masses that whole units of credit leave it, where that is more), and
    what this goal gains by what booking cost the earlier ones (`lost`), up to a thousandth of all
    that is at stake, lest a boundless price of an earlier goal hides a bad value.
    """
    (name, priority), gap = facts.goals[goal], bound - value
    if goal == "margin":
        slack, stake = costs.slack, costs.stake
    else:
        slack, stake = Fraction(costs.grams), Fraction(facts.firm_mass(priority), GRID)
        value, bound = stake - value, stake - bound
    tolerance = (max(Fraction(1), abs(value)) + slack) / 10**6 + min(lost, stake / 1000)
    return GoalProof(name, priority, value, bound, gap, tolerance, not facts.is_linear())
