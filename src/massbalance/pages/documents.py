"""Documents of other commands that plots are made of: a quote's curve, a sweep's bars, a front of two goals.

Numbers are read as exact decimals. What is missing or no number is a fault; all of them are told at once
(CaseRefused, exit 3).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from massbalance.domain.faults import CaseRefused, Fault


@dataclass(frozen=True)
class CurvePoint:
    """A mass, t; the least premium per t of all of it; and of the tonne before it."""

    mass_t: Decimal
    floor: Decimal
    marginal: Decimal


@dataclass(frozen=True)
class Curve:
    """A quote with its curve (`quote --curve --json`, or `Quote.as_dict(with_curve=True)`).

    floor: the premium of the whole mass_t, None where that is not feasible; offered: the premium asked about.
    """

    product: str
    period: str
    claim: str
    level: Decimal
    currency: str
    mass_t: Decimal
    feasible_t: Decimal
    floor: Decimal | None
    offered: Decimal | None
    points: tuple[CurvePoint, ...]


@dataclass(frozen=True)
class Bar:
    """One thing that was changed, and the goal's value at its low and its high setting (None: no answer)."""

    name: str
    low: Decimal | None
    high: Decimal | None
    at_low: str = ""
    at_high: str = ""

    def width(self, base: Decimal) -> Decimal:
        """How far the goal moves, base included."""
        ends = [base, *(v for v in (self.low, self.high) if v is not None)]
        return max(ends) - min(ends)


@dataclass(frozen=True)
class Tornado:
    """What moves a goal: its value at the base, and a bar for each thing that was changed."""

    goal: str
    currency: str
    base: Decimal
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Point:
    """What two goals reach together."""

    x: Decimal
    y: Decimal
    label: str = ""
    chosen: bool = False


@dataclass(frozen=True)
class Pareto:
    """A front of two goals, by their names. linear: what lies between two points can be had, too."""

    x: str
    y: str
    currency: str
    points: tuple[Point, ...]
    linear: bool = True


class _Reader:
    """Reads values out of a document and gathers what is wrong with them."""

    def __init__(self, name: str) -> None:
        self.name, self.faults = name, list[Fault]()

    def fault(self, place: str, value: object, expected: str) -> None:
        shown = "" if value is None else str(value)[:80]
        self.faults.append(Fault(self.name, None, place, shown, expected, "document"))

    def text(self, found: Mapping[str, Any], key: str, place: str = "") -> str:
        value = found.get(key, "")
        if not isinstance(value, str):
            self.fault(place + key, value, "a text")
            return ""
        return value

    def number(
        self, found: Mapping[str, Any], key: str, place: str = "", *, none: bool = False
    ) -> Decimal | None:
        value = found.get(key)
        if value is None and none:
            return None
        if isinstance(value, bool) or not isinstance(value, int | Decimal) or not Decimal(value).is_finite():
            self.fault(place + key, value, "a number")
            return None
        return Decimal(value)

    def needed(self, found: Mapping[str, Any], key: str, place: str = "") -> Decimal:
        return self.number(found, key, place) or Decimal(0)

    def rows(self, found: Mapping[str, Any], key: str, expected: str) -> list[tuple[str, Mapping[str, Any]]]:
        value = found.get(key)
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            self.fault(key, value, expected)
            return []
        return [(f"{key}[{i}].", one) for i, one in enumerate(value)]

    def row(self, found: Mapping[str, Any], key: str, place: str) -> Mapping[str, Any]:
        value = found.get(key)
        if not isinstance(value, Mapping):
            self.fault(place + key, value, "names and values")
            return {}
        return value

    def done(self) -> None:
        if self.faults:
            raise CaseRefused(self.faults)


def read_document(path: Path) -> dict[str, Any]:
    """A JSON document with exact decimals. CaseRefused where it is none; OSError where there is no file."""
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"), parse_float=Decimal)
    except ValueError as error:
        raise CaseRefused(
            [Fault(path.name, None, "", "", f"a JSON document ({error})", "document")]
        ) from error
    if not isinstance(found, dict):
        raise CaseRefused(
            [Fault(path.name, None, "", "", "a JSON document with names and values", "document")]
        )
    return found


def curve_of(document: Mapping[str, Any], name: str = "quote") -> Curve:
    """The curve of a quote's document; name: of the file, for faults."""
    read = _Reader(name)
    points = tuple(
        CurvePoint(
            read.needed(one, "mass_t", place),
            read.needed(one, "floor_premium_per_t", place),
            read.needed(one, "marginal_premium_per_t", place),
        )
        for place, one in read.rows(document, "curve", "a quote that was asked with --curve")
    )
    masses = [p.mass_t for p in points]
    if masses != sorted(masses):
        read.fault("curve", None, "points in the order of their masses")
    found = Curve(
        product=read.text(document, "product"),
        period=read.text(document, "period"),
        claim=read.text(document, "claim"),
        level=read.needed(document, "level"),
        currency=read.text(document, "currency"),
        mass_t=read.needed(document, "mass_t"),
        feasible_t=read.needed(document, "feasible_t"),
        floor=read.number(document, "floor_premium_per_t", none=True),
        offered=read.number(document, "premium_per_t", none=True),
        points=points,
    )
    read.done()
    return found


def tornado_of(document: Mapping[str, Any], name: str = "tornado") -> Tornado:
    """Bars of a sweep's document that turns levers one at a time (`sweep --json`).

    Or plain ones: `goal`, `base`, `rows` of `name`, `low`, `high`, and the settings `at_low`, `at_high`.
    """
    read = _Reader(name)
    found = _plain_bars(read, document) if "goal" in document else _sweep_bars(read, document)
    read.done()
    return found


def _plain_bars(read: _Reader, document: Mapping[str, Any]) -> Tornado:
    bars = tuple(
        Bar(
            read.text(one, "name", place),
            read.number(one, "low", place, none=True),
            read.number(one, "high", place, none=True),
            _setting(one.get("at_low")),
            _setting(one.get("at_high")),
        )
        for place, one in read.rows(document, "rows", "rows of name, low and high")
    )
    return Tornado(
        read.text(document, "goal"), read.text(document, "currency"), read.needed(document, "base"), bars
    )


def _sweep_bars(read: _Reader, document: Mapping[str, Any]) -> Tornado:
    """`effects` of a sweep, whose base point (`side` is `base`) has the figure as it is."""
    expected = "a sweep whose levers have `low` and `high`"
    figure, base, bars = read.text(document, "figure"), Decimal(0), list[Bar]()
    for place, one in read.rows(document, "effects", expected):
        low, high = (read.row(one, side, place) for side in ("low", "high"))
        bars.append(
            Bar(
                read.text(one, "lever", place),
                read.number(low, "figure", f"{place}low.", none=True),
                read.number(high, "figure", f"{place}high.", none=True),
                _setting(low.get("value")),
                _setting(high.get("value")),
            )
        )
    middle = [one for _, one in read.rows(document, "rows", expected) if one.get("side") == "base"]
    figures = middle[0].get("figures") if middle else None
    if isinstance(figures, Mapping):
        base = read.needed(figures, figure, "rows[0].figures.")
    else:
        read.fault("rows", None, "a base that has figures: without them nothing can be compared")
    return Tornado(figure, read.text(document, "currency"), base, tuple(bars))


def _setting(value: object) -> str:
    return "" if value is None else str(value)


def pareto_of(document: Mapping[str, Any], name: str = "pareto") -> Pareto:
    """The front of a document: goals `x` and `y`, `points` of `x`, `y`, `label` and `chosen`; `linear`."""
    read = _Reader(name)
    points = tuple(
        Point(
            read.needed(one, "x", place), read.needed(one, "y", place), read.text(one, "label", place),
            one.get("chosen") is True,
        )
        for place, one in read.rows(document, "points", "points of x and y")
    )  # fmt: skip
    x, y, currency = (read.text(document, key) for key in ("x", "y", "currency"))
    read.done()
    return Pareto(x, y, currency, points, document.get("linear") is not False)
