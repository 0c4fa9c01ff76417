"""A recipe's claim and caps in integers, checked on booked figures.

Every row reads: sum of coef * measure over pools, against rhs * y. The measure of a pool is what
is booked of it: its quantity, its credited mass or its reduction, each rounded down row by row.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from massbalance.formulation.pairs import PoolEffect
from massbalance.formulation.problem import Problem
from massbalance.formulation.recipes import GHG_CLAIMS

QUANTITY, CREDITED, REDUCTION = 0, 1, 2


def _integers(values: list[Fraction]) -> list[int]:
    """The same values times their least common denominator."""
    scale = lcm(*{value.denominator for value in values})
    return [value.numerator * (scale // value.denominator) for value in values]


@dataclass(frozen=True)
class Row:
    """coefs[pool] * measure summed, `>=` (claim) or `<=` (cap) rhs * y; `cut`: scopes of a scope row."""

    name: str
    measure: int
    coefs: dict[int, int]
    rhs: int
    cut: tuple[int, ...] = ()


@dataclass(frozen=True)
class PoolBook:
    """How a pool's quantity is booked: floor(quantity * num / den) for mass and reduction."""

    rate: tuple[int, int]
    reduction: tuple[int, int]
    scopes: tuple[int, ...]

    def measures(self, quantity: int) -> tuple[int, int, int]:
        """(quantity, credited g, reduction g CO2e) of one booked row."""
        return (
            quantity,
            quantity * self.rate[0] // self.rate[1],
            quantity * self.reduction[0] // self.reduction[1],
        )

    def for_credited(self, credited: int) -> int:
        """The least quantity whose booked credited mass is exactly `credited` (rates are <= 1)."""
        return -(-credited * self.rate[1] // self.rate[0])

    def rate_of(self, measure: int) -> tuple[int, int]:
        """Measure per unit of quantity, as (numerator, denominator)."""
        return ((1, 1), self.rate, self.reduction)[measure]

    def per_unit(self, measure: int) -> float:
        """Measure per unit of quantity, about."""
        numerator, denominator = self.rate_of(measure)
        return numerator / denominator

    def units_for(self, amount: int, coef: int, measure: int) -> int:
        """The least number of units whose measure, times coef (above 0), is `amount` before rounding."""
        numerator, denominator = self.rate_of(measure)
        return -(-amount * denominator // (coef * numerator))


class RecipeBook:
    """Rows and pools of one recipe, exact.

    pools: only these, else all that may serve the recipe; cuts: scope sets with a row, else the
    recipe's own. Recipes that differ in nothing but period and schemes have the same rows.
    """

    def __init__(
        self,
        problem: Problem,
        recipe: int,
        pools: Iterable[int] | None = None,
        cuts: Iterable[tuple[int, ...]] | None = None,
    ) -> None:
        limit = problem.limit_of(recipe)
        if pools is None:
            pools = problem.pairs.pool[problem.pair_start[recipe] : problem.pair_start[recipe + 1]]
        self.pool_ids = [int(k) for k in pools]
        self.cuts = tuple(problem.scope_rows[recipe] if cuts is None else cuts)
        index = int(problem.recipes.limit[recipe])
        effects = {k: problem.pairs.effect(k, index) for k in self.pool_ids}
        self.pools = {k: _pool_book(e) for k, e in effects.items()}
        self.scopes = limit.scopes
        self.period = int(problem.recipes.period[recipe])
        self.claim = self._claim(problem, recipe, index, effects)
        # masses (g) at which the claim and every cap are whole units, so that equal ones can meet
        exact = [problem.recipes.need.fraction(recipe), *limit.scopes, *limit.shares.values()]
        self.whole_step = lcm(*(value.denominator for value in exact))
        self.caps = [row for row in self._caps(problem, recipe, effects) if row.coefs]

    def _claim(self, problem: Problem, recipe: int, index: int, effects: dict[int, PoolEffect]) -> Row:
        kind = str(problem.recipes.claim[recipe])
        ghg = kind in GHG_CLAIMS
        values = {}
        for k in effects:
            value = Fraction(1) if ghg else getattr(problem.pairs.shares[k], kind)
            if value > 0 and problem.pairs.claim_value(k, index, kind) > 0:
                values[k] = value
        *coefs, rhs = _integers([*values.values(), problem.recipes.need.fraction(recipe)])
        return Row("claim", REDUCTION if ghg else CREDITED, dict(zip(values, coefs, strict=True)), rhs)

    def _caps(self, problem: Problem, recipe: int, effects: dict[int, PoolEffect]) -> list[Row]:
        limit = problem.limit_of(recipe)
        material = {k: Fraction(1) for k, e in effects.items() if e.credited > 0}
        rows = [self._row("mass_cap", CREDITED, material, Fraction(1))]
        for category, share in limit.shares.items():
            found = {k: Fraction(1) for k, e in effects.items() if e.category == category}
            rows.append(self._row("category_cap", CREDITED, found, share))
        for element, (maximum, base) in limit.elements.items():
            found = {k: e.deltas[element] for k, e in effects.items() if element in e.deltas}
            rows.append(self._row("element_cap", CREDITED, found, maximum - base))
        for carrier, use in limit.use.items():
            found = {k: Fraction(1) for k, e in effects.items() if e.carrier == carrier}
            rows.append(self._row("energy_cap", QUANTITY, found, use))
        for cut in self.cuts:
            inside = {k: 1 for k, e in effects.items() if e.reduction > 0 and set(e.scopes) <= set(cut)}
            rows.append(Row("scope_cap", REDUCTION, inside, 0, cut))
        return rows

    @staticmethod
    def _row(name: str, measure: int, found: dict[int, Fraction], rhs: Fraction) -> Row:
        *coefs, scaled = _integers([*found.values(), rhs])
        return Row(name, measure, dict(zip(found, coefs, strict=True)), scaled)

    def room(self, row: Row, claimed: int) -> int:
        """Right-hand side at a claimed mass (g). A scope is capped in whole grams, scope by scope."""
        if row.cut:
            return sum(self.scope_room(s, claimed) for s in row.cut)
        return row.rhs * claimed

    def scope_room(self, scope: int, claimed: int) -> int:
        """floor(s_s * y), g CO2e."""
        s = self.scopes[scope - 1]
        return s.numerator * claimed // s.denominator


def _pool_book(effect: PoolEffect) -> PoolBook:
    credited, reduction = effect.credited, effect.reduction
    return PoolBook(
        (credited.numerator, credited.denominator),
        (reduction.numerator, reduction.denominator),
        effect.scopes,
    )
