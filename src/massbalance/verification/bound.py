"""Why nothing better exists: a bound on every goal, by weak duality, in integers.

Any non-negative duals give a valid bound: every row is added with its dual, and of what is left each
variable takes the bound that its reduced cost points to. So nothing here trusts the solver that
found the duals; bad duals only make a loose bound. All numbers are exact integers (`integers.Wide`):
duals in 1e-12, coefficients times `facts.scale`, masses in 1e-6; so is a sum of products of the three.
What the few rows of least, common and fair shares add (`shares`), and what is held, are exact fractions.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from massbalance.domain.grid import GRID
from massbalance.verification.effects import Effects
from massbalance.verification.facts import CARRIERS
from massbalance.verification.goals import GoalProof, Scale, Values
from massbalance.verification.integers import Index, Integers, Wide, integers
from massbalance.verification.orders import Booked
from massbalance.verification.proof import DUAL, SHARE_ROWS, Duals, Groups, shared_origins
from massbalance.verification.shares import Served, Settled, Shares
from massbalance.verification.strategy import PARTS, Strategy
from massbalance.verification.terms import SHARE_CLAIMS

NO_RECIPE = ("goal_hold", *SHARE_ROWS)
"""Equations whose duals count beside those of lots and recipes."""
CELLS = 500_000
"""Pool and recipe cells looked at together, to bound memory."""


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

    def __init__(self, strategy: Strategy, effects: Effects, groups: Groups) -> None:
        facts = strategy.facts
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
        leaving = strategy.leaving.tolist()
        self.leaving = integers([max(leaving[i] for i in lots) for lots in self.pools.values()])

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
    """The bound of one goal: `total` in units of 1e-12 / `times` * scale^-2 * 1e-6 of the goal's unit.

    times: what all duals are multiplied by, so that the weights of a weighted goal stay whole numbers.
    """

    def __init__(self, matrix: Matrix, strategy: Strategy, served: Served, duals: Duals, goal: str) -> None:
        self.matrix, self.facts, self.strategy = matrix, matrix.facts, strategy
        self.held = {h: dual for (equation, h, _), dual in duals.items() if equation == "goal_hold"}
        weights = {**self.held, goal: DUAL}
        self.shares = Shares(strategy, served, duals, goal, weights)
        self._weigh(weights)
        duals = {row: dual * self.times for row, dual in duals.items() if row[0] not in NO_RECIPE}
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
            else:
                r = matrix.recipe_at[key]
                rho[r] -= dual * self._enter(tables, equation, r, index, dual)
        self.rho, self.prices = Wide.of(rho), Wide.of(self.balance)
        self.dual = {name: Wide.of(table) for name, table in tables.items()}
        self.elements = [e for e in effects.elements if self.dual[f"element_cap {e}"].peak]

    def _weigh(self, weights: dict[str, int]) -> None:
        """What a unit of each part, and a t claimed of each firm priority and product, is worth to the goals.

        In units of a dual; parts: PARTS.
        """
        goals = self.strategy.goals
        self.times = math.lcm(*(worth.denominator for _, worth in self.strategy.objective.weights))
        self.worth = dict.fromkeys(PARTS, 0)
        self.firm, self.chosen = dict[int | None, int](), dict[str | None, int]()
        for key, weight in weights.items():
            goal, value = goals[key], weight * self.times
            if goal.word == "firm_shortfall":
                self.firm[goal.priority] = value
            elif goal.word == "chosen":
                self.chosen[goal.group] = value
            for part, worth in self.strategy.mix(goal.word).items():
                self.worth[part] += int(value * worth)

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
        cost = cost - Wide.of(effects.cost[kind]) * (self.worth["margin"] * scale)
        if self.worth["expired_tco2e"]:
            cost = cost + Wide.of(matrix.leaving)[k] * (self.worth["expired_tco2e"] * scale)
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

    def kept(self, values: dict[str, Fraction]) -> Fraction:
        """What the earlier goals, held at their booked values, are worth at their prices (C15)."""
        return sum((values[h] * dual for h, dual in self.held.items()), Fraction(0)) / DUAL

    def lots(self) -> int:
        """What the lots' quantities are worth at the pools' prices (C1, C2).

        A unit of a lot is worth less by what an expiring lot of the pool counts for more than it.
        """
        facts, total, best = self.facts, 0, dict[int, int]()
        leaving, scale = self.strategy.leaving.tolist(), facts.scale
        for k, lots in enumerate(self.matrix.pools.values()):
            most = int(self.matrix.leaving[k])
            for i in lots:
                lot = facts.lots[i]
                price = max(self.balance[k, lot.first : lot.last + 1]) * scale
                best[i] = lot.quantity * max(0, price - self.worth["expired_tco2e"] * (most - leaving[i]))
        for origin, shared in shared_origins(facts).items():
            price = self.origin.get(origin, 0) * GRID * scale
            total += price + sum(max(0, best.pop(i) - price) for i in shared)
        return (total + sum(best.values())) * scale

    def orders(self) -> int:
        """What the orders' masses are worth beyond what their mixes cost (C11, C14; B-A)."""
        facts, terms, strategy = self.facts, self.facts.terms, self.strategy
        value = Wide.of(terms.premium) * self.worth["margin"] + self._tonnes()[terms.order] * facts.scale
        value = value - self.rho[self.matrix.groups.recipe]
        able = (value.sign() > 0) & ~strategy.conventional[terms.order]
        alone = (np.bincount(terms.order) == 1)[terms.order] if len(terms.order) else terms.own
        gains = np.flatnonzero(alone & able)
        total = (value[gains] * Wide.of(facts.mass[terms.order[gains]])).total()
        best, several = dict[int, int](), np.flatnonzero(~alone & able)
        for o, worth in zip(terms.order[several].tolist(), value[several].python().tolist(), strict=True):
            best[o] = max(best.get(o, 0), worth)
        return (total + sum(int(facts.mass[o]) * worth for o, worth in best.items())) * facts.scale

    def _tonnes(self) -> Wide:
        """What a claimed t is worth beside its premium, in units of a dual, shape (orders,)."""
        facts = self.facts
        ranks = sorted(set(facts.priority[facts.firm].tolist()))
        weights = [
            self.worth["tonnage_t"] + of_firm for of_firm in (0, *(self.firm.get(p, 0) for p in ranks))
        ]
        rank = np.where(facts.firm, np.searchsorted(ranks, facts.priority) + 1, 0)
        found = Wide.of(integers(weights))[rank]
        if self.chosen:
            of_product = [self.chosen.get(name, 0) for name in facts.case.products.position]
            found = found + Wide.of(integers(of_product))[self.strategy.product_of]
        rows = self.shares.worth()
        return found if rows is None else found + rows * self.times


@dataclass(frozen=True)
class Proof:
    """The proofs of all goals, in order, and of all groups whose fair share was settled."""

    goals: list[GoalProof]
    settled: list[Settled]


def prove(
    strategy: Strategy, effects: Effects, booked: Booked, groups: Groups, duals: dict[str, Duals]
) -> Proof:
    """The proof of every goal, in the order of the case."""
    facts, matrix = strategy.facts, Matrix(strategy, effects, groups)
    values, served = Values(strategy, effects, booked).by_goal, Served(strategy, booked.claimed)
    used, count = _booked_pairs(matrix, booked)
    bounds = {goal: Bound(matrix, strategy, served, dual, goal) for goal, dual in duals.items()}
    totals = {
        key: bound.lots() + bound.orders() + bound.rounding(used, count) for key, bound in bounds.items()
    }
    for pairs in matrix.feasible():
        for key, bound in bounds.items():
            totals[key] += bound.pairs(pairs)
    proofs, scale, mip = dict[str, GoalProof](), Scale(strategy), not facts.is_linear()
    for key, bound in bounds.items():
        goal, value = strategy.goals[key], values[key]
        best = Fraction(totals[key], DUAL * bound.times * facts.scale**2 * GRID)
        best += bound.shares.constant - bound.kept(values)
        lost = sum((proofs[h].gap * dual for h, dual in bound.held.items()), Fraction(0)) / DUAL
        tolerance = scale.tolerance(goal, scale.told(goal, value), lost + bound.shares.loose(served))
        told = scale.told(goal, value), scale.told(goal, best)
        proofs[key] = GoalProof(
            key, goal.name, goal.priority, goal.group, *told, best - value, tolerance, mip
        )
        if goal.word == "fair_share":
            bound.shares.settle(served, goal, proofs[key])
    return Proof(list(proofs.values()), served.settled)


def _booked_pairs(matrix: Matrix, booked: Booked) -> tuple[Pairs, Index]:
    """The pairs of pool and recipe that rows were booked of, and how many rows of each."""
    rows, pool_of = booked.rows, np.full(len(matrix.facts.lots), -1, dtype=np.intp)
    for k, lots in enumerate(matrix.pools.values()):
        pool_of[lots] = k
    many = max(1, len(matrix.pools))
    pair, count = np.unique(matrix.groups.recipe[rows.term] * many + pool_of[rows.lot], return_counts=True)
    return matrix.pairs_of(pair // many, pair % many), count
