"""Pools and recipes as a matrix, and prices of its rows: what the bound and other proofs are made of.

All numbers are exact integers (`integers.Wide`): duals in 1e-12, coefficients times `facts.scale`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from massbalance.verification.effects import Effects
from massbalance.verification.facts import CARRIERS, Facts
from massbalance.verification.integers import Index, Integers, Wide, integers
from massbalance.verification.proof import Duals, Groups
from massbalance.verification.terms import SHARE_CLAIMS

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
        leaving = facts.leaving.tolist()
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


class Prices:
    """Duals of lots' and recipes' rows (C2 to C9) as tables over recipes; rho: what a claimed t costs.

    Units: a dual's, rho that / scale. balance: of pools by period; origin: by name.
    """

    def __init__(self, matrix: Matrix, duals: Duals) -> None:
        self.matrix, self.facts = matrix, matrix.facts
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
        rho = np.zeros(recipes, dtype=object)
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

    def reduced(self, pairs: Pairs) -> Wide:
        """What a unit of each pair is worth by the rows, in units of a dual / scale squared."""
        matrix, effects, scale = self.matrix, self.matrix.effects, self.facts.scale
        r, k, kind, dual = pairs.recipe, pairs.pool, pairs.kind, self.dual
        mass = dual["mass_cap"][r] + dual["category_cap"][r, effects.category[kind]]
        found = dual["claim"][r] * pairs.claim - mass * pairs.rate * scale
        for e in self.elements:
            delta = Wide.of(effects.delta(e, kind, pairs.product))
            found = found - dual[f"element_cap {e}"][r] * delta * pairs.rate
        found = found - dual["scope_cap"][r, matrix.scopes[kind]] * pairs.reduction * scale
        energy = dual["energy_cap"][r, effects.carrier[kind]]
        return found - (energy + self.prices[k, pairs.period]) * scale**2

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
