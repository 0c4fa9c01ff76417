"""Cells that a lever changes, and how a planner would say it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from massbalance.domain.case import Case
from massbalance.quote.ask import Ask
from massbalance.quote.change import Edit, cell, row_at, text_of
from massbalance.quote.levers import (
    ACCEPT,
    EARLIER,
    LATER,
    LESS,
    LONGER,
    LOWER,
    MORE,
    OF_ELEMENT,
    PART,
    Lever,
)
from massbalance.quote.promise import UNIT_OF

QUOTE = "quote"
"""The table of an edit that changes what is asked for."""


@dataclass(frozen=True)
class Part:
    """One limit giving way: in words, by how much, and the cells; amount None: it does so or it does not."""

    kind: str
    words: str
    amount: Fraction | None
    unit: str
    edits: tuple[Edit, ...]

    def as_dict(self) -> dict[str, object]:
        """For JSON; figures are exact."""
        return {
            "kind": self.kind,
            "words": self.words,
            "amount": None if self.amount is None else _decimal(self.amount),
            "unit": self.unit,
            "changes": [edit.as_dict() for edit in self.edits],
        }


def _decimal(value: Fraction) -> Decimal:
    return Decimal(text_of(value))


class Amender:
    """Writes parts for an ask of a case. kept: order -> mass (t) that the run gives it."""

    def __init__(self, case: Case, ask: Ask, kept: dict[str, float]) -> None:
        self.case, self.ask, self.kept = case, ask, kept
        period = case.periods.position[ask.period]
        self.first_day = str(case.periods.days("start")[period])
        self.last_day = str(case.periods.days("end")[period])

    def part(self, lever: Lever, amount: Fraction) -> Part | None:
        """The part of a lever moved by an amount; None where the table has no room for it."""
        make = {
            MORE: self._more, EARLIER: self._earlier, LONGER: self._longer, OF_ELEMENT: self._element,
            ACCEPT: self._schemes, LESS: self._less, LOWER: self._level,
        }.get(lever.kind, self._alloy)  # fmt: skip
        return make(lever, amount)

    def _lot(self, name: str) -> str:
        at = self.case.lots.position[name]
        return str(self.case.lots.rows["category"].iloc[at]) or str(self.case.lots.rows["kind"].iloc[at])

    def _edit(self, table: str, key: tuple[str, ...], column: str, new: str, unit: str = "") -> Edit:
        rows = self.case.tables[table]
        at = row_at(rows, key)
        return Edit(table, key, column, None if at < 0 else cell(rows, at, column), new, unit)

    def _more(self, lever: Lever, amount: Fraction) -> Part:
        name = lever.names[0]
        at = self.case.lots.position[name]
        uom = str(self.case.lots.rows["uom"].iloc[at])
        old = self.case.lots.exact["quantity"].fraction(at)
        edit = self._edit("lots", (name,), "quantity", text_of(old + amount), uom)
        words = (
            f"{text_of(amount)} {UNIT_OF[uom]} more of {name} ({self._lot(name)}), or of a lot like it "
            f"that is there by {self.last_day}: {edit.new} in place of {edit.old}"
        )
        return Part(lever.kind, words, amount, uom, (edit,))

    def _earlier(self, lever: Lever, _: Fraction) -> Part:
        edits: list[Edit] = []
        told = []
        for name in lever.names:
            at = self.case.lots.position[name]
            received, used = (cell(self.case.lots, at, c) for c in ("received", "used"))
            told.append(f"{name} ({self._lot(name)}) there by {self.last_day} in place of {used or received}")
            if used > self.last_day:
                edits.append(self._edit("lots", (name,), "used", self.last_day))
            if received > self.last_day:
                edits.append(self._edit("lots", (name,), "received", self.last_day))
        return Part(lever.kind, "; ".join(told), None, "", tuple(edits))

    def _longer(self, lever: Lever, _: Fraction) -> Part:
        edits, told = [], []
        for name in lever.names:
            edit = self._edit("lots", (name,), "expires", self.last_day)
            old = edit.old or "the rule model's expiry"
            told.append(f"{name} ({self._lot(name)}) valid until {self.last_day} in place of {old}")
            edits.append(edit)
        return Part(lever.kind, "; ".join(told), None, "", tuple(edits))

    def _alloy_name(self) -> str:
        at = self.case.products.position[self.ask.product]
        return str(self.case.products.rows["alloy"].iloc[at])

    def _alloy(self, lever: Lever, amount: Fraction) -> Part | None:
        alloy, category = self._alloy_name(), lever.names[0]
        at = row_at(self.case.alloys, (alloy, category))
        old = Fraction(0) if at < 0 else self.case.alloys.exact["max_share"].fraction(at)
        new = min(Fraction(1), old + amount)
        edit = self._edit("alloys", (alloy, category), "max_share", text_of(new))
        before = "none" if at < 0 else f"{edit.old}"
        words = f"alloy {alloy}: at most {edit.new} of {category} in place of {before}"
        return Part(lever.kind, words, new - old, "t per t", (edit,))

    def _element(self, lever: Lever, amount: Fraction) -> Part | None:
        alloy, element = self._alloy_name(), lever.names[0]
        at = row_at(self.case.alloy_limits, (alloy, element))
        new = min(Fraction(100), self.case.alloy_limits.exact["max_wt_pct"].fraction(at) + amount)
        edit = self._edit("alloy_limits", (alloy, element), "max_wt_pct", text_of(new), "wt %")
        words = f"alloy {alloy}: at most {edit.new} wt % {element} in place of {edit.old}"
        return Part(lever.kind, words, amount, "wt %", (edit,))

    def _schemes(self, lever: Lever, _: Fraction) -> Part:
        old = ";".join(self.ask.schemes)
        new = ";".join(sorted({*self.ask.schemes, *lever.names}))
        edit = Edit(QUOTE, (), "schemes", old, new)
        return Part(lever.kind, f"the customer also accepts {', '.join(lever.names)}", None, "", (edit,))

    def _less(self, lever: Lever, amount: Fraction) -> Part | None:
        name = lever.names[0]
        at = self.case.orders.position[name]
        customer = str(self.case.orders.rows["customer"].iloc[at])
        who = f"{name} ({customer})" if customer else name
        has = Fraction(round(self.kept[name] * 10**6), 10**6)
        left = has - amount
        if left <= 0:
            edit = self._edit("orders", (name,), "firm", "false")
            words = f"{who} is not firm any more: it may lose its {text_of(has)} t"
            return Part(lever.kind, words, has, "t", (edit,))
        edit = self._edit("orders", (name,), "mass_t", text_of(left), "t")
        words = f"{who} gets {text_of(amount)} t less: {text_of(left)} t in place of {text_of(has)} t"
        return Part(lever.kind, words, amount, "t", (edit,))

    def _level(self, lever: Lever, amount: Fraction) -> Part | None:
        rises = self.ask.claim == "cfp"
        new = self.ask.level + amount if rises else self.ask.level - amount
        if new < 0 or (not rises and new == 0):
            return None
        new = _on_grid(new, up=rises)
        edit = Edit(QUOTE, (), "level", text_of(self.ask.level), text_of(new))
        word = "at most" if rises else "at least"
        words = f"{self.ask.claim} {word} {edit.new} in place of {edit.old}"
        return Part(lever.kind, words, abs(new - self.ask.level), "", (edit,))

    def smaller(self, mass: int) -> Part:
        """A part of the mass, g."""
        new, old = Fraction(mass, 10**6), Fraction(self.ask.mass, 10**6)
        edit = Edit(QUOTE, (), "mass_t", text_of(old), text_of(new), "t")
        return Part(PART, f"{edit.new} t in place of {edit.old} t", old - new, "t", (edit,))

    def later(self, period: str) -> Part:
        """Another period."""
        edit = Edit(QUOTE, (), "period", self.ask.period, period)
        return Part(LATER, f"in {period} in place of {self.ask.period}", None, "", (edit,))


def _on_grid(level: Fraction, *, up: bool) -> Fraction:
    """A level with at most six decimals."""
    scaled = level * 10**6
    whole = -(-scaled.numerator // scaled.denominator) if up else scaled.numerator // scaled.denominator
    return Fraction(whole, 10**6)
