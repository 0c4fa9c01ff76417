"""What a ledger keeps of a lot when it arrives, and what of it a later case may not say otherwise."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np

from massbalance.domain.case import Case, Table
from massbalance.domain.effects import Effects, Windows, windows
from massbalance.domain.faults import Fault
from massbalance.domain.grid import Column, decimal_text
from massbalance.ledger.problems import fault

Json = dict[str, Any]

_OWN_NUMBERS = frozenset({"quantity", "displaced_tco2e_per_uom"})
"""What a case that takes its opening from the ledger states anew: compared as values, not as text."""
_NOT_OF_THE_BOOKS = frozenset({"unit_cost"})
_PAPERS = frozenset({"evidence", "certificate"})
"""Columns that may be filled in later, since papers follow the goods; what stands there never changes."""


def commodity_of(lot: str) -> str:
    """The commodity of a lot's quantity."""
    return f"lot:{lot}"


def effect_of(lot: str, origin: str) -> str:
    """The commodity of a lot's effect: that of its origin where it has one (A4.2.3)."""
    return f"effect:origin:{origin}" if origin else f"effect:{lot}"


class LotFacts:
    """The facts of a case's lots, as they are recorded and compared."""

    def __init__(self, case: Case, effects: Effects | None = None, window: Windows | None = None) -> None:
        self.case = case
        self.effects = Effects(case) if effects is None else effects
        self.window = windows(case) if window is None else window
        self.names = case.lots.text("lot")
        self.origins = case.lots.text("origin")
        self.kinds = case.lots.text("kind")
        self.categories = case.lots.text("category")
        self.projects_of = case.lots.text("project")
        self.quantity = [int(q) for q in case.lots.grid("quantity")]
        self.at_site = case.sites.find(case.lots.text("site"))
        self.organisations = case.sites.text("organisation")

    def effect(self, lot: int) -> str:
        """The commodity of a lot's effect."""
        return effect_of(self.names[lot], self.origins[lot])

    def of(self, lot: int) -> Json:
        """The details of the fact `lot` for the lot at a position."""
        name = self.names[lot]
        composition = self._composition(name, self.categories[lot], self.kinds[lot])
        return {
            "row": self._rows["lots"][lot],
            "composition": [
                {"key": name, "element": element, "wt_pct": content}
                for element, content in composition.items()
            ],
            "projects": self._projects.get(self.projects_of[lot], []) if self.projects_of[lot] else [],
            "site": self._rows["sites"][self.at_site[lot]],
            "unit": self.effects.boundaries.lot_unit[lot],
            "organisation": self.organisations[self.at_site[lot]],
            "unit_value": _text(self.effects.unit_value, lot),
            "displaced": _text(self.effects.displaced, lot),
            "quantity": self.quantity[lot],
        }

    @cached_property
    def _rows(self) -> dict[str, list[dict[str, str]]]:
        """Table -> its rows in the case's order, canonical texts, without what is not given."""
        return {name: _records(self.case.content.get(name, b"")) for name in ("lots", "sites", "projects")}

    @cached_property
    def _projects(self) -> dict[str, list[dict[str, str]]]:
        found: dict[str, list[dict[str, str]]] = {}
        for row in self._rows["projects"]:
            found.setdefault(row["project"], []).append(row)
        return found

    @cached_property
    def _contents(self) -> dict[str, dict[str, str]]:
        """Key of `composition` -> element -> content."""
        found: dict[str, dict[str, str]] = {}
        table: Table = self.case.composition
        contents = table.exact["wt_pct"]
        for i, (key, element) in enumerate(zip(table.text("key"), table.text("element"), strict=True)):
            found.setdefault(key, {})[element] = _text(contents, i)
        return found

    def _composition(self, name: str, category: str, kind: str) -> dict[str, str]:
        """The lot's own content, else its category's, element by element."""
        if kind != "material":
            return {}
        both = {**self._contents.get(category, {}), **self._contents.get(name, {})}
        return dict(sorted(both.items()))


def differences(recorded: Mapping[str, Any], now: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Where a case says otherwise of a lot than the ledger: (column, what it says, what is recorded)."""
    found: list[tuple[str, str, str]] = []
    old, new = recorded["row"], now["row"]
    for column in sorted({*old, *new} - _OWN_NUMBERS - _NOT_OF_THE_BOOKS):
        before, after = old.get(column, ""), new.get(column, "")
        if before != after and not (column in _PAPERS and not before):
            found.append((column, after, before))
    found += [
        (name, now[key], recorded[key])
        for name, key in (
            ("displaced_tco2e_per_uom", "displaced"),
            ("value per unit", "unit_value"),
            ("accounting unit", "unit"),
            ("organisation", "organisation"),
        )
        if (now[key] or "0") != (recorded[key] or "0")  # what displaced nothing known is worth nothing
    ]
    if _contents_of(now) != _contents_of(recorded):
        found.append(("composition", _contents_of(now), _contents_of(recorded)))
    return found + _project_differences(recorded["projects"], now["projects"])


def fact_faults(
    name: str, recorded: Mapping[str, Any], now: Mapping[str, Any], row: int | None
) -> Iterator[Fault]:
    """Faults of a lot's row in `lots` of which a case says otherwise than the ledger (A4.2.1)."""
    for column, value, expected in differences(recorded, now):
        words = f"{expected or 'nothing'}, as recorded when lot {name} arrived"
        yield fault(words, "A4.2.1", table="lots", row=row, column=column, value=value)


def late_lot(name: str, origin: str, used: str, row: int | None) -> Fault:
    """The fault of a new lot that measures again what was used already (A4.2.3); used: how, in words."""
    words = f"no new lot of origin {origin}: of its lots in the ledger, {used}"
    return fault(words, "A4.2.3", table="lots", row=row, column="origin", value=name)


def _contents_of(fact: Mapping[str, Any]) -> str:
    return ", ".join(f"{row['element']} {row['wt_pct']}" for row in fact["composition"])


def _project_differences(
    recorded: list[Mapping[str, str]], now: list[Mapping[str, str]]
) -> list[tuple[str, str, str]]:
    """Rows of the project that both know; later computations come in rows of their own."""
    later = {row["computation_start"]: row for row in now}
    return [
        (f"projects.{column}", later[start].get(column, ""), row.get(column, ""))
        for row in recorded
        if (start := row["computation_start"]) in later
        for column in sorted({*row, *later[start]})
        if row.get(column, "") != later[start].get(column, "")
    ]


def last_day(row: Mapping[str, str], parameters: Mapping[str, Any]) -> date | None:
    """The last day on which a lot may serve; None where it does not expire (A5.1.3B, J5.2.3).

    row: the lot's row; parameters: of the rule model in force. Where nothing carries over, that is the
    last day of the period in which the lot became available, which `last_use` knows.
    """
    if row.get("expires"):
        return date.fromisoformat(row["expires"])
    months = parameters["expiry_months"]
    if months == "unlimited":
        return None
    return _months_later(date.fromisoformat(row["received"]), int(months))


def available_on(row: Mapping[str, str]) -> date:
    """The day from which a lot may serve: used, else received."""
    return date.fromisoformat(row.get("used") or row["received"])


def is_over(row: Mapping[str, str], parameters: Mapping[str, Any], day: date, entered: date) -> bool:
    """Can the lot serve nothing that ends on `day` or later?

    entered: first day of the period in which that question is asked; where nothing carries over, a lot
    that became available before it is over too.
    """
    if parameters["carry_over"] == "none" and available_on(row) < entered:
        return True
    last = last_day(row, parameters)
    return last is not None and last < day


def _months_later(day: date, months: int) -> date:
    """The same day `months` later; the last day of the month where that day does not exist."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year >= date.max.year:
        return date.max
    next_year, next_month = divmod(year * 12 + month + 1, 12)
    length = (date(next_year, next_month + 1, 1) - date(year, month + 1, 1)).days
    return date(year, month + 1, min(day.day, length))


def _records(content: bytes) -> list[dict[str, str]]:
    rows = csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""), strict=True)
    return [{column: text for column, text in row.items() if text} for row in rows]


def _text(column: Column, at: int) -> str:
    """Exact decimal text, "" where it is not given."""
    if not bool(np.asarray(column.given)[at]):
        return ""
    return decimal_text(int(column.values[at]), column.decimals)
