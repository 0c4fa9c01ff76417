"""The words of plots and reports in Japanese and English, from texts.toml, and how figures are written."""

from __future__ import annotations

import tomllib
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache
from importlib import resources
from typing import Any

LANGUAGES = ("ja", "en")
MINUS = "\u2212"
MONEY = frozenset({"margin", "weighted"})
"""Goals in the case's currency."""
_OTHER_NAMES = {"expiry": "expired_tco2e"}
"""Goals that prices.csv calls by another name than summary.json."""


@cache
def words() -> dict[str, Any]:
    """table -> key -> language -> text."""
    source = resources.files("massbalance.pages").joinpath("texts.toml").read_bytes()
    return tomllib.loads(source.decode())


class Words:
    """The texts and figures in one language."""

    def __init__(self, language: str) -> None:
        if language not in LANGUAGES:
            raise ValueError(f"{language!r} is none of {', '.join(LANGUAGES)}")
        self.language = language

    def __call__(self, key: str, **figures: object) -> str:
        """The text `table.key` with its figures filled in (KeyError where there is none)."""
        table, _, name = key.partition(".")
        text = str(words()[table][name][self.language])
        return text.format(**figures) if figures else text

    def known(self, table: str, name: str) -> str:
        """The text `table.name`, or the name itself where the table has no such word."""
        found = words()[table].get(name)
        return name if found is None else str(found[self.language])

    def number(self, value: object, decimals: int = 3, *, up: bool = False, sign: bool = False) -> str:
        """A figure with thousands apart, rounded half up (or, with `up`, never down): `1,234.500`.

        value: an int, Fraction, Decimal, float or decimal text; None or empty gives a dash. sign: also a
        plus. A figure that rounds to zero has no sign.
        """
        if value is None or value == "":
            return "–"
        scaled = Fraction(value if isinstance(value, int | Fraction | Decimal | float) else str(value))
        scaled *= 10**decimals
        whole = -((-scaled.numerator) // scaled.denominator) if up else _half_up(scaled)
        units, part = divmod(abs(whole), 10**decimals)
        mark = MINUS if whole < 0 else "+" if sign and whole > 0 else ""
        return f"{mark}{units:,}.{part:0{decimals}d}" if decimals else f"{mark}{units:,}"

    def share(self, part: object, whole: object, decimals: int = 1) -> str:
        """A part of a whole in per cent: `80.8%`; a dash where there is no whole."""
        if not whole:
            return "–"
        return f"{self.number(Fraction(str(part)) / Fraction(str(whole)) * 100, decimals)}%"

    def money(self, value: object, currency: str, *, sign: bool = False) -> str:
        """An amount in a currency, to a hundredth (yen: to one)."""
        if value is None or value == "":
            return "–"
        figure = self.number(value, 0 if currency == "JPY" else 2, sign=sign)
        return (
            self("figure.money", amount=figure, currency=self.known("currency", currency))
            if currency
            else figure
        )

    def day(self, iso: str) -> str:
        """A date: `30 September 2026`, `2026年9月30日`."""
        found = date.fromisoformat(iso)
        month = words()["month"]["names"][self.language][found.month - 1]
        return self("figure.day", year=found.year, month=month, day=found.day)

    def claim(self, claim: str, level: object) -> str:
        """What is claimed, and how much of it: shares in per cent."""
        shown = (
            f"{self.number(Fraction(str(level)) * 100, 3).rstrip('0').rstrip('.')}%"
            if claim.endswith("_share")
            else self.number(level)
        )
        if claim not in words()["claim"]:
            return f"{claim} {shown}"
        return self(f"claim.{claim}", level=shown)

    def goal(self, name: str) -> str:
        """A goal's or figure's name, as in summary.json, prices.csv or a sweep; after a colon rank or group.

        The name itself where there is no word for it.
        """
        head, _, rank = name.partition(":")
        uom, _, what = head.partition("_")
        head = next(
            (one for one in (head, f"{head}_t", _OTHER_NAMES.get(head, "")) if one in words()["goal"]), head
        )
        if head not in words()["goal"] and uom in words()["unit"] and what in words()["column"]:
            return self("figure.in_unit", name=self(f"column.{what}"), unit=self(f"unit.{uom}"))
        shown = self.known("goal", head)
        if not rank:
            return shown
        ranked = words()["rank"].get(head)
        return self(
            "figure.ranked", name=shown, rank=ranked[self.language].format(rank=rank) if ranked else rank
        )

    def point(self, label: str, chosen: bool = False) -> str:
        """The label of a point of a front; `best GOAL` names an end."""
        head, _, name = label.partition(" ")
        shown = self("pareto.best", goal=self.goal(name)) if head == "best" and name else label
        if not chosen:
            return shown
        mark = self("pareto.chosen")
        return self("figure.in_unit", name=shown, unit=mark) if shown else mark

    def axis(self, name: str, currency: str = "") -> str:
        """A goal's name with its unit, if it has one of its own."""
        head = name.partition(":")[0]
        if head in MONEY:
            unit = self.known("currency", currency)
        else:
            unit = words()["goal_unit"].get(head, {}).get(self.language, "")
        return self("figure.in_unit", name=self.goal(name), unit=unit) if unit else self.goal(name)

    def listed(self, items: list[str]) -> str:
        """Items one after the other."""
        return self("figure.comma").join(items)


def _half_up(value: Fraction) -> int:
    """The nearest integer, halves away from zero."""
    doubled = 2 * abs(value.numerator) + value.denominator
    nearest = doubled // (2 * value.denominator)
    return nearest if value >= 0 else -nearest
