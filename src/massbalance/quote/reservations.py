"""Reservations: quotes held for a customer until a day, as a table of their own, checked like a case's."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from pathlib import Path

import numpy as np

from massbalance.domain.case import Table
from massbalance.domain.faults import CaseRefused, Fault
from massbalance.domain.grid import GRID, Column, decimal_text
from massbalance.domain.schema import RESERVATION_SPEC
from massbalance.intake.build import build
from massbalance.intake.checks import check_key, check_levels
from massbalance.intake.checks_case import on_grid
from massbalance.intake.csvfile import read_csv
from massbalance.intake.draft import Draft, draft
from massbalance.intake.log import Log, nearest
from massbalance.intake.raw import trimmed
from massbalance.quote.ask import Ask

TABLE = RESERVATION_SPEC.name
COLUMNS = tuple(RESERVATION_SPEC.columns)
ORDER_COLUMNS = (
    "order", "customer", "product", "period", "mass_t", "claim", "level", "premium_per_t", "firm", "schemes",
)  # fmt: skip
IN_FORCE, EXPIRED, RELEASED, ORDERED, LATER = "in_force", "expired", "released", "ordered", "later"
"""What a reservation is on a day; only one in force counts. `ordered`: released, as it is an order now;
`later`: it was made after that day."""
NUMBERED = re.compile(r"R-([0-9]{1,9})")


@dataclass(frozen=True)
class Reservation:
    """A quote held for a customer from `made_on` until `until`, both days in; exact.

    mass: g; level, premium: as in `Ask`; released_on: the first day on which it counts no more; order: what
    it became.
    """

    name: str
    customer: str
    product: str
    period: str
    mass: int
    claim: str
    level: Fraction
    premium: Fraction | None
    schemes: tuple[str, ...]
    made_on: date
    until: date
    released_on: date | None = None
    order: str = ""

    def status(self, day: date) -> str:
        """What it is on a day: IN_FORCE, EXPIRED, RELEASED, ORDERED or LATER."""
        if day < self.made_on:
            return LATER
        if self.released_on is not None and day >= self.released_on:
            return ORDERED if self.order else RELEASED
        return EXPIRED if day > self.until else IN_FORCE

    @property
    def rank(self) -> tuple[date, int, str]:
        """What was made first comes first."""
        return self.made_on, len(self.name), self.name

    def texts(self) -> dict[str, str]:
        """Its row of the table, in one spelling."""
        return {
            "reservation": self.name,
            "customer": self.customer,
            "product": self.product,
            "period": self.period,
            "mass_t": decimal_text(self.mass),
            "claim": self.claim,
            "level": exact_text(self.level),
            "premium_per_t": exact_text(self.premium),
            "schemes": ";".join(self.schemes),
            "made_on": self.made_on.isoformat(),
            "until": self.until.isoformat(),
            "released_on": "" if self.released_on is None else self.released_on.isoformat(),
            "order": self.order,
        }

    def order_row(self, order: str = "") -> dict[str, str]:
        """The row of `orders` that it becomes: firm, so that the next run keeps the promise.

        order: the order's name, the reservation's unless told.
        """
        texts = self.texts()
        premium = texts["premium_per_t"] or "0"
        own = {"order": order or self.name, "premium_per_t": premium, "firm": "true"}
        return {column: own.get(column, texts.get(column, "")) for column in ORDER_COLUMNS}


def exact_text(value: Fraction | None) -> str:
    """A decimal fraction as text, without trailing zeros; "" for None."""
    if value is None:
        return ""
    column = Column.from_fractions([value])
    return decimal_text(int(column.values[0]), column.decimals)


def held_for(ask: Ask, name: str, customer: str, days: tuple[date, date]) -> Reservation:
    """A new reservation of what was asked for; days: the first and the last on which it counts."""
    terms = (ask.product, ask.period, ask.mass, ask.claim, ask.level, ask.premium, ask.schemes)
    return Reservation(name, customer, *terms, *days)


def next_name(book: Sequence[Reservation]) -> str:
    """`R-0001`, one beyond the last number used."""
    used = [int(found[1]) for one in book if (found := NUMBERED.fullmatch(one.name))]
    return f"R-{max(used, default=0) + 1:04d}"


def in_force(book: Iterable[Reservation], day: date) -> tuple[Reservation, ...]:
    """Those that count on a day, what was made first before what was made later."""
    return tuple(sorted((one for one in book if one.status(day) == IN_FORCE), key=lambda one: one.rank))


def released(book: Sequence[Reservation], name: str, day: date, order: str = "") -> tuple[Reservation, ...]:
    """The book with one of them released from a day on. CaseRefused where it is not in force then."""
    at = next((n for n, one in enumerate(book) if one.name == name), None)
    if at is None:
        near = nearest(name, [one.name for one in book])
        words = f"a reservation of the book (nearest: `{near}`)" if near else "a reservation; there is none"
        raise CaseRefused([_fault("reservation", name, words, "unknown_reference")])
    one = book[at]
    if (status := one.status(day)) != IN_FORCE:
        words = f"a reservation in force on {day}; this one is {status}"
        raise CaseRefused([_fault("reservation", name, words, "reservation_in_force")])
    return (*book[:at], replace(one, released_on=day, order=order), *book[at + 1 :])


def _fault(column: str, value: str, expected: str, code: str) -> Fault:
    return Fault(TABLE, None, column, value, expected, code)


def read_reservations(path: Path) -> tuple[Reservation, ...]:
    """The book of a file, what was made first before what was made later; a file that is not there is empty.

    CaseRefused holds every fault of it. OSError where it cannot be read.
    """
    if not path.exists():
        return ()
    log = Log()
    raw = read_csv(path, TABLE, log)
    if raw is not None:
        table = draft(TABLE, trimmed(raw, TABLE, log), log, RESERVATION_SPEC)
        _check(table, log)
        if not log.has_errors:
            return _rows(build(table).table)
    raise CaseRefused(log.finish())


def _check(table: Draft, log: Log) -> None:
    """What columns ask of each other, and of masses that are promised."""
    check_key(table, log)
    check_levels(table, log)
    mass = table.exact("mass_t")
    table.fault(log, on_grid(mass)[1], "mass_t", "whole grams: at most 6 decimals", "out_of_range")
    none = mass.given & np.asarray(mass.values == 0, dtype=bool)
    table.fault(log, none, "mass_t", "a mass above 0", "out_of_range")
    made, until, ended = (table.dates(column) for column in ("made_on", "until", "released_on"))
    table.fault(log, until < made, "until", "a day not before made_on", "reservation_dates")
    table.fault(log, ended < made, "released_on", "a day not before made_on", "reservation_dates")
    open_order = table.known("order") & np.isnat(ended)
    table.fault(log, open_order, "order", "nothing, unless it was released", "reservation_dates")


def _rows(table: Table) -> tuple[Reservation, ...]:
    masses, level, premium = table.exact["mass_t"], table.exact["level"], table.exact["premium_per_t"]
    days = {name: table.days(name).astype(object) for name in ("made_on", "until", "released_on")}
    words = {name: table.text(name) for name in COLUMNS if name not in days and name not in table.exact}
    found = [
        Reservation(
            name=words["reservation"][i],
            customer=words["customer"][i],
            product=words["product"][i],
            period=words["period"][i],
            mass=int(masses.fraction(i) * GRID),
            claim=words["claim"][i],
            level=level.fraction(i),
            premium=premium.fraction(i) if premium.given[i] else None,
            schemes=tuple(word for word in words["schemes"][i].split(";") if word),
            made_on=days["made_on"][i],
            until=days["until"][i],
            released_on=days["released_on"][i],
            order=words["order"][i],
        )
        for i in range(len(table))
    ]
    return tuple(sorted(found, key=lambda one: one.rank))


def book_text(book: Iterable[Reservation]) -> str:
    """The book as CSV, one spelling for each content."""
    return csv_text(COLUMNS, [one.texts() for one in sorted(book, key=lambda one: one.rank)])


def csv_text(columns: Sequence[str], rows: Iterable[dict[str, str]]) -> str:
    """Rows as CSV: a header, line feeds."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
