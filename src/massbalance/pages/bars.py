"""The waterfall of a product's footprint: from before the credits to after, and to the residual; exact.

Claimed mass: s1 + s2 + s3, less what its credits lowered it by (by scope and category of lot), is its
footprint after. Conventional mass: what the book says it carries, less what was released to it, is its
residual.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from massbalance.books.book import ResidualRow
from massbalance.books.value import sum_by
from massbalance.domain.faults import CaseRefused, Fault
from massbalance.intake.log import nearest
from massbalance.pages.run import Reported

MOST_STEPS = 12
"""Steps that a page can show for the claimed mass."""


@dataclass(frozen=True)
class Step:
    """A reduction, t CO2e per t: of which scope, by which category and kind of lots.

    members: of a step that stands for several (its category is empty), how many.
    """

    scope: int
    category: str
    kind: str
    value: Fraction
    members: int = 0


@dataclass(frozen=True)
class Fall:
    """From `before` by `steps` to `after`, t CO2e per t, of so much mass (g). before - sum(steps) = after."""

    mass: int
    before: Fraction
    steps: tuple[Step, ...]

    @property
    def after(self) -> Fraction:
        """What is left."""
        return self.before - sum((step.value for step in self.steps), Fraction(0))


@dataclass(frozen=True)
class Waterfall:
    """Both falls of a product; None where there is no such mass. period: empty for all of them."""

    product: str
    name: str
    period: str
    claimed: Fall | None
    conventional: Fall | None


def waterfall(source: Reported, product: str, period: str = "") -> Waterfall:
    """The waterfall of a product, in one period or over all. CaseRefused where there is no such word."""
    case = source.case
    at = case.products.position
    faults = _unknown("product", product, list(at))
    if period:
        faults += _unknown("period", period, list(case.periods.position))
    if faults:
        raise CaseRefused(faults)
    in_period = None if not period else case.periods.position[period]
    rows = [
        row
        for row in source.books.residual.rows
        if row.product == at[product] and in_period in (None, row.period)
    ]
    name = str(case.products.text("name")[at[product]])
    return Waterfall(product, name, period, _claimed(source, product, period), _conventional(rows))


def _unknown(what: str, word: str, known: list[str]) -> list[Fault]:
    """A fault that names the nearest known word, if the word is not known."""
    if word in known:
        return []
    near = nearest(word, known)
    expected = f"a {what} of the case" + (f"; the nearest is `{near}`" if near else "")
    return [Fault(f"{what}s", None, what, word, expected, "unknown_word")]


def _claimed(source: Reported, product: str, period: str) -> Fall | None:
    case, allocation = source.case, source.run.allocation
    ours = case.orders.text("product") == product
    if period:
        ours &= case.orders.text("period") == period
    mass = sum(int(g) for g in allocation.claimed[ours])
    if not mass:
        return None
    rows = np.flatnonzero(ours[allocation.order])
    lots = allocation.lot[rows]
    kind, category = case.lots.text("kind"), case.lots.text("category")
    steps = []
    for scope, amounts in enumerate((allocation.scope1, allocation.scope2, allocation.scope3), start=1):
        of_lot = sum_by(lots, amounts[rows], len(case.lots))
        sums: dict[tuple[str, str], int] = {}
        for lot in np.flatnonzero(of_lot):
            key = str(category[lot]), str(kind[lot])
            sums[key] = sums.get(key, 0) + int(of_lot[lot])
        found = sorted(sums.items(), key=lambda item: (-item[1], item[0]))
        steps += [Step(scope, *key, Fraction(grams, mass)) for key, grams in found]
    exact, row = case.products.exact, case.products.position[product]
    before = sum((exact[s].fraction(row) for s in ("s1", "s2", "s3")), Fraction(0))
    return Fall(mass, before, tuple(steps))


def _conventional(rows: Sequence[ResidualRow]) -> Fall | None:
    mass = sum(row.conventional for row in rows)
    if not mass:
        return None
    carried = sum(row.conventional_baseline for row in rows)
    released = [sum(row.released[i] for row in rows) for i in range(3)]
    steps = tuple(Step(i + 1, "", "released", Fraction(g, mass)) for i, g in enumerate(released) if g)
    return Fall(mass, Fraction(carried, mass), steps)


def grouped(fall: Fall, most: int = MOST_STEPS) -> Fall:
    """The same fall with at most some `most` steps: the smallest of each scope as one."""
    if len(fall.steps) <= most:
        return fall
    large = sorted(fall.steps, key=lambda s: (-s.value, s.scope, s.category))[: most - 3]
    steps: list[Step] = []
    for scope in (1, 2, 3):
        mine = [s for s in fall.steps if s.scope == scope]
        small = [s for s in mine if s not in large]
        if len(small) > 1:
            rest = Step(scope, "", "others", sum((s.value for s in small), Fraction(0)), len(small))
            mine = [*(s for s in mine if s in large), rest]
        steps += mine
    return Fall(fall.mass, fall.before, tuple(steps))


def products_by_effect(source: Reported) -> list[str]:
    """Products with claimed mass, those whose credits lowered them most (t CO2e) first."""
    rows = source.books.residual.rows
    effect: dict[int, int] = {}
    for row in rows:
        if row.claimed:
            effect[row.product] = effect.get(row.product, 0) + sum(row.allocated)
    names = source.case.products.text("product")
    return [str(names[p]) for p in sorted(effect, key=lambda p: (-effect[p], p))]
