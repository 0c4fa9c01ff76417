"""Why nothing better exists: a bound on every goal, by weak duality, in integers.

Any non-negative duals give a valid bound: every row is added with its dual, and of what is left each
variable takes the bound that its reduced cost points to. So nothing here trusts the solver that
found the duals; bad duals only make a loose bound. All numbers are Python integers: duals in
1e-12, coefficients times `facts.scale`, masses in 1e-6; a sum of the three kinds is exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from massbalance.domain.grid import GRID
from massbalance.verification.facts import CARRIERS, GHG_CLAIMS, SHARE_CLAIMS, Facts, Limits, Term
from massbalance.verification.proof import DUAL, Duals, Groups, shared_origins
from massbalance.verification.rows import Booked

CELLS = 500_000
"""Pool and recipe cells looked at together, to bound memory."""

Index = npt.NDArray[np.intp]
Integers = npt.NDArray[np.object_]


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


def integers(values: object) -> Integers:
    """An array of Python ints, which cannot overflow."""
    return np.array(values, dtype=object)


@dataclass(frozen=True)
class Pairs:
    """Feasible (recipe, pool) pairs with their coefficients: claim (scale squared), the others scaled."""

    recipe: Index
    pool: Index
    product: Index
    period: Index
    claim: Integers
    reduction: Integers
    rate: Integers


class Matrix:
    """The coefficients of K pools and R recipes; built once, used for every goal."""

    def __init__(self, facts: Facts, groups: Groups) -> None:
        self.facts, self.pools, self.recipes = facts, groups.pools, groups.recipes
        self.pool_at = {name: k for k, name in enumerate(groups.pools)}
        self.recipe_at = {name: r for r, name in enumerate(groups.recipes)}
        self.traits = [facts.lots[lots[0]].traits for lots in groups.pools.values()]
        self.terms = [terms[0] for terms in groups.recipes.values()]
        self._index_recipes()
        self._index_pools()
        self._effects()

    def _index_recipes(self) -> None:
        used = sorted({term.product for term in self.terms})
        at = {p: i for i, p in enumerate(used)}
        self.limits: list[Limits] = [self.facts.products[p] for p in used]
        self.products = used
        self.product: Index = np.array([at[term.product] for term in self.terms], dtype=np.intp)
        self.period: Index = np.array([term.period for term in self.terms], dtype=np.intp)
        self.is_ghg = np.array([term.claim in GHG_CLAIMS for term in self.terms], dtype=bool)
        self.share: Index = np.array(
            [SHARE_CLAIMS.index(t.claim) if t.claim in SHARE_CLAIMS else 0 for t in self.terms], dtype=np.intp
        )
        self.rate = integers([limits.rate for limits in self.limits])

    def _index_pools(self) -> None:
        facts, traits = self.facts, self.traits
        self.categories = {c: i for i, c in enumerate(sorted({t.category for t in traits}))}
        self.category: Index = np.array([self.categories[t.category] for t in traits], dtype=np.intp)
        self.scope_sets = sorted({t.scopes for t in traits}, key=sorted)
        self.scopes: Index = np.array([self.scope_sets.index(t.scopes) for t in traits], dtype=np.intp)
        carriers = (*CARRIERS, "")
        self.carrier: Index = np.array([carriers.index(t.carrier) for t in traits], dtype=np.intp)
        self.is_material = np.array([t.kind == "material" for t in traits], dtype=bool)
        self.is_project = np.array([t.kind == "project" for t in traits], dtype=bool)
        self.cost = integers([t.cost for t in traits])
        self.shares = integers([t.shares for t in traits]).reshape(len(traits), 3)
        self.supply = np.zeros((len(traits), len(facts.case.periods)), dtype=object)
        for k, lots in enumerate(self.pools.values()):
            for lot in (facts.lots[i] for i in lots):
                self.supply[k, lot.first : lot.last + 1] += lot.quantity

    def _effects(self) -> None:
        facts, shape = self.facts, (len(self.limits), len(self.traits))
        self.fits = np.zeros(shape, dtype=bool)
        self.reduction = np.zeros(shape, dtype=object)
        for i, p in enumerate(self.products):
            for k, traits in enumerate(self.traits):
                if facts.fits(traits, p) is None:
                    self.fits[i, k], self.reduction[i, k] = True, facts.reduction(traits, p)

    def delta(self, element: str, pairs: Pairs) -> Integers:
        """Wt % above the base metal, of each pair; 0 where the pool has no figure for the element."""
        has = np.array([element in t.wt for t in self.traits], dtype=bool)
        wt = integers([t.wt.get(element, 0) for t in self.traits])
        base = integers([limits.elements.get(element, (0, 0))[1] for limits in self.limits])
        return np.where(has[pairs.pool], wt[pairs.pool] - base[pairs.product], 0)

    def pairs_of(self, recipe: Index, pool: Index) -> Pairs:
        """Coefficients of given pairs."""
        product = self.product[recipe]
        reduction, scale = self.reduction[product, pool], self.facts.scale
        rate = np.where(self.is_material[pool], self.rate[product], 0)
        claim = np.where(self.is_ghg[recipe], reduction * scale, rate * self.shares[pool, self.share[recipe]])
        return Pairs(recipe, pool, product, self.period[recipe], claim, reduction, rate)

    def feasible(self) -> Iterator[Pairs]:
        """Every pair that may be used, in blocks of recipes."""
        alive = (self.supply > 0).astype(bool)
        accepted = {t.schemes for t in self.terms}
        takes = {s: np.array([not s or t.scheme in s for t in self.traits], dtype=bool) for s in accepted}
        step = max(1, CELLS // max(1, len(self.traits)))
        for start in range(0, len(self.terms) if self.traits else 0, step):
            block = slice(start, start + step)
            schemes = np.array([takes[term.schemes] for term in self.terms[block]])
            in_time = alive[:, self.period[block]].T
            recipe, pool = np.nonzero(self.fits[self.product[block]] & in_time & schemes)
            yield self.pairs_of(recipe + start, pool)


class Bound:
    """The bound of one goal. All totals are in units of 1e-12 * scale^-2 * 1e-6 of the goal's unit."""

    def __init__(self, matrix: Matrix, duals: Duals, goal: str) -> None:
        self.matrix, self.facts = matrix, matrix.facts
        self.held = {h: dual for (equation, h, _), dual in duals.items() if equation == "goal_hold"}
        self.weights = {**self.held, goal: DUAL}
        recipes, pools, periods = len(matrix.terms), len(matrix.traits), len(self.facts.case.periods)
        self.claim = np.zeros(recipes, dtype=object)
        self.mass = np.zeros(recipes, dtype=object)
        self.category = np.zeros((recipes, len(matrix.categories)), dtype=object)
        self.element: dict[str, Integers] = {}
        self.energy = np.zeros((recipes, len(CARRIERS) + 1), dtype=object)
        self.scope = np.zeros((recipes, len(matrix.scope_sets)), dtype=object)
        self.balance = np.zeros((pools, periods), dtype=object)
        self.origin: dict[str, int] = {}
        self.rho = np.zeros(recipes, dtype=object)  # what one t of claimed mass costs, 1e-12 / scale
        for (equation, key, index), dual in duals.items():
            if equation == "pool_balance":
                self.balance[matrix.pool_at[key], self.facts.case.periods.position[index]] = dual
            elif equation == "origin_once":
                self.origin[key] = dual
            elif equation != "goal_hold":
                self._recipe_row(equation, matrix.recipe_at[key], index, dual)

    def _recipe_row(self, equation: str, r: int, index: str, dual: int) -> None:
        """Enter the dual of a claim (C4) or a cap (C5 to C9)."""
        matrix, limits = self.matrix, self.matrix.limits[self.matrix.product[r]]
        if equation == "claim":
            self.claim[r] = dual
            room = -self.facts.need(matrix.terms[r])
        elif equation == "mass_cap":
            self.mass[r] = dual
            room = self.facts.scale
        elif equation == "category_cap":
            if index in matrix.categories:
                self.category[r, matrix.categories[index]] = dual
            room = limits.caps[index]
        elif equation == "element_cap":
            self.element.setdefault(index, np.zeros(len(matrix.terms), dtype=object))[r] = dual
            room = limits.elements[index][0] - limits.elements[index][1]
        elif equation == "energy_cap":
            self.energy[r, CARRIERS.index(index)] = dual
            room = limits.use[index]
        else:
            scopes = {int(s) for s in index.split("+")}
            inside = [i for i, found in enumerate(matrix.scope_sets) if found <= scopes]
            self.scope[r, inside] += dual
            room = sum(limits.scopes[s - 1] for s in scopes)
        self.rho[r] -= dual * room

    def pairs(self, pairs: Pairs) -> int:
        """What pairs with a positive reduced cost could still add, at most."""
        matrix, scale, r, k = self.matrix, self.facts.scale, pairs.recipe, pairs.pool
        cost = self.claim[r] * pairs.claim
        cost -= (self.mass[r] + self.category[r, matrix.category[k]]) * pairs.rate * scale
        for element, dual in self.element.items():
            cost -= dual[r] * matrix.delta(element, pairs) * pairs.rate
        cost -= self.scope[r, matrix.scopes[k]] * pairs.reduction * scale
        cost -= (self.energy[r, matrix.carrier[k]] + self.balance[k, pairs.period]) * scale**2
        cost -= matrix.cost[k] * (self.weights.get("margin", 0) * scale)
        gains = np.flatnonzero(cost > 0)
        return int((cost[gains] * matrix.supply[k[gains], pairs.period[gains]]).sum())

    def rounding(self, pairs: Pairs) -> int:
        """What rounding booked rows down may have gained under caps: one grid unit a row, at most."""
        matrix, scale, r, k = self.matrix, self.facts.scale, pairs.recipe, pairs.pool
        credited = (self.mass[r] + self.category[r, matrix.category[k]]) * scale
        for element, dual in self.element.items():
            credited += dual[r] * np.maximum(matrix.delta(element, pairs), 0)
        reduced = self.scope[r, matrix.scopes[k]] * scale
        some = np.where(matrix.is_material[k], credited, 0) + np.where(matrix.is_project[k], 0, reduced)
        return int(some.sum() * scale)

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
        facts, best = self.facts, dict[int, int]()
        for r, terms in enumerate(self.matrix.recipes.values()):
            for term in terms:
                value = self.weights.get("margin", 0) * term.premium
                if facts.firm[term.order]:
                    value += self.weights.get(f"firm_shortfall:{facts.priority[term.order]}", 0) * facts.scale
                best[term.order] = max(best.get(term.order, 0), value - self.rho[r])
        return sum(facts.mass[o] * value for o, value in best.items()) * facts.scale


def booked_values(facts: Facts, booked: Booked) -> dict[str, int]:
    """Goal -> booked value, maximised, times scale and 1e6: firm claimed mass of a priority; margin."""
    values = dict.fromkeys(facts.goals, 0)
    for decision in booked.decisions:
        order = decision.term.order
        values["margin"] += decision.term.premium * decision.claimed
        if facts.firm[order]:
            values[f"firm_shortfall:{facts.priority[order]}"] += decision.claimed * facts.scale
    values["margin"] -= sum(row.lot.traits.cost * row.quantity for row in booked.rows)
    return values


def prove(facts: Facts, booked: Booked, groups: Groups, duals: dict[str, Duals]) -> list[GoalProof]:
    """The proof of every goal, in the order of the case."""
    matrix, values = Matrix(facts, groups), booked_values(facts, booked)
    recipe_of = {(t.order, t.offer): r for r, terms in enumerate(groups.recipes.values()) for t in terms}
    pool_of = {facts.lots[i].name: k for k, lots in enumerate(groups.pools.values()) for i in lots}
    rows = matrix.pairs_of(
        np.array([recipe_of[r.term.order, r.term.offer] for r in booked.rows], dtype=np.intp),
        np.array([pool_of[r.lot.name] for r in booked.rows], dtype=np.intp),
    )
    bounds = {goal: Bound(matrix, dual, goal) for goal, dual in duals.items()}
    totals = {goal: b.lots() + b.orders() + b.rounding(rows) - b.kept(values) for goal, b in bounds.items()}
    for pairs in matrix.feasible():
        for goal, bound in bounds.items():
            totals[goal] += bound.pairs(pairs)
    proofs: dict[str, GoalProof] = {}
    for goal, bound in bounds.items():
        value = Fraction(values[goal], facts.scale * GRID)
        best = Fraction(totals[goal], DUAL * facts.scale**2 * GRID)
        lost = sum((proofs[h].gap * dual for h, dual in bound.held.items()), Fraction(0)) / DUAL
        proofs[goal] = _goal_proof(facts, goal, value, best, lost)
    return list(proofs.values())


def _goal_proof(facts: Facts, goal: str, value: Fraction, bound: Fraction, lost: Fraction) -> GoalProof:
    """A goal's proof in its own terms, from its maximised value and bound.

    The tolerance is what booking on the grid may cost: 1e-6 of the value, 2e-6 t of every order
    (or the step between the masses that whole units of credit leave it, where that is more), and
    what this goal gains by what booking cost the earlier ones (`lost`), up to a thousandth of all
    that is at stake, lest a boundless price of an earlier goal hides a bad value.
    """
    (name, priority), gap = facts.goals[goal], bound - value
    if goal == "margin":
        own = [t for t in facts.terms.values() if not t.offer]
        prices = [Fraction(max(abs(t.premium), facts.scale), facts.scale) for t in own]
        slack = sum((p * _grams(facts, t) for p, t in zip(prices, own, strict=True)), Fraction(0))
        stake = sum((p * facts.mass[t.order] for p, t in zip(prices, own, strict=True)), Fraction(0)) / GRID
    else:
        slack = Fraction(sum(_grams(facts, t) for t in facts.terms.values() if not t.offer))
        stake = Fraction(facts.firm_mass(priority), GRID)
        value, bound = stake - value, stake - bound
    tolerance = (max(Fraction(1), abs(value)) + slack) / 10**6 + min(lost, stake / 1000)
    return GoalProof(name, priority, value, bound, gap, tolerance, not facts.is_linear())


def _grams(facts: Facts, term: Term) -> int:
    """What booking may cost an order, g: 2, or the step between the masses that the grid leaves it."""
    return min(max(2, facts.knife_edge(term)), max(2, facts.mass[term.order]))
