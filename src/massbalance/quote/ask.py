"""What a customer asks for: checked against the case, and as an order of it."""

from __future__ import annotations

import difflib
import typing
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pyarrow as pa

from massbalance.domain.case import Case, Table
from massbalance.domain.faults import CaseRefused, Fault
from massbalance.domain.grid import GRID, Column
from massbalance.domain.schema import (
    GHG_CLAIMS,
    LARGEST_FACTOR,
    LARGEST_MONEY,
    LARGEST_QUANTITY,
    SHARE_CLAIMS,
    Claim,
)
from massbalance.intake.displaced import FACTORS, reach
from massbalance.intake.names import code
from massbalance.intake.numbers import GIVEN, parse

Figure = str | int | float | Decimal
TABLE = "quote"
NAME = "(quote)"
"""The order's name in labels of rows; no order of a case may stand for it."""
CLAIMS: tuple[str, ...] = typing.get_args(Claim)


@dataclass(frozen=True)
class Ask:
    """Terms that somebody asks for; exact.

    mass: g; level: a share, or t CO2e per t; premium: currency per t, None where none is named; schemes:
    accepted ones, none: all; notes: what was made of the words.
    """

    product: str
    period: str
    mass: int
    claim: str
    level: Fraction
    premium: Fraction | None = None
    schemes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def mass_t(self) -> float:
        """The mass in t."""
        return self.mass / GRID

    def orders(self, case: Case) -> Table:
        """A table of orders with this one alone: not firm, without a premium."""
        return _orders(case, [(NAME, self)])

    def case(self, case: Case) -> Case:
        """The case with this as its only order: not firm, without a premium."""
        return case_of(case, [(NAME, self)])


def case_of(case: Case, asks: Sequence[tuple[str, Ask]]) -> Case:
    """The case with these as its only orders, by name: not firm, without a premium; no offers."""
    none = np.empty(0, dtype=np.intp)
    offers = case.offers
    empty = Table(
        offers.name,
        offers.rows.iloc[:0],
        {name: column.take(none) for name, column in offers.exact.items()},
        offers.source_row[:0],
    )
    # a quote is in no group and no share of the case's own orders
    settings = {key: value for key, value in case.settings.items() if key != "objective"}
    tables = {**case.tables, "orders": _orders(case, asks), "offers": empty}
    return replace(case, settings=settings, tables=tables)


def _orders(case: Case, asks: Sequence[tuple[str, Ask]]) -> Table:
    count = len(asks)
    words = {
        "order": [name for name, _ in asks],
        "product": [ask.product for _, ask in asks],
        "period": [ask.period for _, ask in asks],
        "claim": [ask.claim for _, ask in asks],
        "schemes": [";".join(ask.schemes) for _, ask in asks],
    }
    exact = {
        "mass_t": Column.of(np.array([ask.mass for _, ask in asks], dtype=np.int64), 6),
        "level": Column.from_fractions([ask.level for _, ask in asks]),
        "premium_per_t": Column.from_fractions([Fraction(0)] * count),
        "priority": Column.from_fractions([Fraction(1)] * count),
        "min_fill": Column.from_fractions([Fraction(0)] * count),
    }
    cells: dict[str, list[object]] = {}
    for column in case.orders.rows.columns:
        if column in exact:
            cells[column] = list(exact[column].floats())
        elif column in ("firm", "whole"):
            cells[column] = [False] * count
        else:
            cells[column] = list(words.get(column, [""] * count))
    return Table("orders", pd.DataFrame(cells), exact, np.zeros(count, dtype=np.int64))


def _fault(column: str, value: str, expected: str, name: str) -> Fault:
    return Fault(TABLE, None, column, value, expected, name)


def _text_of(figure: Figure) -> str:
    """A figure as written; a float by its shortest decimal."""
    text = repr(figure) if isinstance(figure, float) else str(figure)
    return unicodedata.normalize("NFKC", text).strip()


@dataclass(frozen=True)
class _Range:
    """A figure's column, its least and greatest value, and what it is in words."""

    column: str
    low: int
    high: int
    words: str


def _figure(given: Figure, within: _Range, faults: list[Fault]) -> Fraction | None:
    """An exact figure; None, and a fault, where it is none."""
    text = _text_of(given)
    found = parse(pa.array([text], pa.large_string()))
    if found.state[0] != GIVEN:
        faults.append(_fault(within.column, text, within.words, "not_a_number"))
        return None
    value = Fraction(int(found.values[0]), 10**found.decimals)
    if not within.low <= value <= within.high:
        faults.append(_fault(within.column, text, within.words, "out_of_range"))
        return None
    return value


def _known(column: str, value: str, known: Iterable[str], what: str, faults: list[Fault]) -> bool:
    """Is the word among those known? A fault names the nearest where it is not."""
    words = [str(word) for word in known]
    if value in words:
        return True
    near = difflib.get_close_matches(value, words, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else f"; there are {len(words)}" if len(words) > 8 else ""
    listed = f": {', '.join(words)}" if len(words) <= 8 else ""
    name = "unknown_word" if column == "claim" else "unknown_reference"
    faults.append(_fault(column, value, f"{what}{listed}{hint}", name))
    return False


def _mass(given: Figure, faults: list[Fault], notes: list[str]) -> int:
    """Mass in g, rounded down, 0 where it is at fault."""
    words = f"a mass in t, above 0 and at most {LARGEST_QUANTITY:,}"
    value = _figure(given, _Range("mass", 0, LARGEST_QUANTITY, words), faults)
    if value is None:
        return 0
    grams = int(value * GRID)
    if grams == 0:
        faults.append(_fault("mass", _text_of(given), words, "out_of_range"))
    elif grams != value * GRID:
        notes.append("the mass is rounded down to whole grams")
    return grams


def read_ask(
    case: Case,
    *,
    product: str,
    period: str,
    mass_t: Figure,
    claim: str,
    level: Figure,
    premium_per_t: Figure | None = None,
    schemes: Iterable[str] | str = (),
) -> Ask:
    """The terms asked for. CaseRefused holds every fault in them, none hidden behind the first.

    mass_t in t; level: a share (0-1), or t CO2e per t; premium_per_t: currency per t; schemes: accepted
    ones, a text with `;` between or the words themselves; none: all.
    """
    faults: list[Fault] = []
    notes: list[str] = []
    _known("product", product, case.products.text("product"), "a product of the case", faults)
    _known("period", period, case.periods.text("period"), "a period of the case", faults)
    _known("claim", claim, CLAIMS, "a claim", faults)
    share = claim in SHARE_CLAIMS
    words = "a share from 0 to 1" if share else f"t CO2e per t, from 0 to {LARGEST_FACTOR:,}"
    most = 1 if share else LARGEST_FACTOR
    exact = _figure(level, _Range("level", 0, most, words), faults)
    mass = _mass(mass_t, faults, notes)
    premium = None
    if premium_per_t is not None:
        money = f"a price per t, from -{LARGEST_MONEY:,} to {LARGEST_MONEY:,}"
        premium = _figure(premium_per_t, _Range("premium", -LARGEST_MONEY, LARGEST_MONEY, money), faults)
    if not faults and claim in GHG_CLAIMS:
        faults += _displaced_faults(case, product)
    if faults:
        raise CaseRefused(faults)
    parts = schemes.split(";") if isinstance(schemes, str) else schemes
    accepted = tuple(sorted({str(part).strip() for part in parts} - {""}))
    return Ask(product, period, mass, claim, exact or Fraction(0), premium, accepted, tuple(notes))


def _displaced_faults(case: Case, product: str) -> list[Fault]:
    """What lots displace must be known where they can serve a GHG claim (A5.1.2B), in a quote too."""
    name, reached = code("displaced_known", case.rules), reach(case)
    at = case.products.position[product]
    site = case.sites.position[str(case.products.text("site")[at])]
    faults = []
    if reached.material[at] and not case.products.exact["metal_tco2e_per_t"].given[at]:
        words = "a product whose conventional input metal is given (products, metal_tco2e_per_t)"
        faults.append(_fault("product", product, words, name))
    for carrier, (_, column) in FACTORS.items():
        if reached.energy[carrier][at] and not case.sites.exact[column].given[site]:
            words = f"a product whose site gives its conventional {carrier} (sites, {column})"
            faults.append(_fault("product", product, words, name))
    return faults


def shifted(ask: Ask, **changes: object) -> Ask:
    """The same terms but for a few."""
    return replace(ask, **changes)  # type: ignore[arg-type]
