"""What a sweep shows at a glance: the effect of each lever, and the spread over samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from massbalance.domain.grid import GRID, decimal_text
from massbalance.report.documents import Json

QUANTILES = {"p05": 5, "p25": 25, "p50": 50, "p75": 75, "p95": 95}
"""Names of the quantiles, and their percent."""


def quantile(ordered: Sequence[Decimal], percent: int) -> Decimal:
    """The least of the values that at least so many percent do not exceed: one that came about."""
    return ordered[max(1, -(-len(ordered) * percent // 100)) - 1]


def spread(values: Sequence[Decimal]) -> Json:
    """Mean (to a millionth), least, quantiles and greatest of at least one value."""
    ordered = sorted(values)
    mean = sum((Fraction(value) for value in ordered), Fraction(0)) / len(ordered)
    return {
        "mean": Decimal(decimal_text(round(mean * GRID))),
        "min": ordered[0],
        **{name: quantile(ordered, percent) for name, percent in QUANTILES.items()},
        "max": ordered[-1],
    }


def statistics(rows: Sequence[Mapping[str, Any]], customers: Sequence[Mapping[str, Decimal]]) -> list[Json]:
    """The spread of every figure, and of every customer's claims, over the samples at each place of the grid.

    Samples without figures are counted and left out.
    """
    places: dict[tuple[tuple[str, str], ...], list[int]] = {}
    for number, row in enumerate(rows):
        places.setdefault(tuple(row["levers"].items()), []).append(number)
    found: list[Json] = []
    for levers, members in places.items():
        some = [number for number in members if "figures" in rows[number]]
        figures = _by_name([rows[number]["figures"] for number in some])
        claims = _by_name([customers[number] for number in some])
        found.append(
            {
                "levers": dict(levers),
                "samples": len(members),
                "without_figures": len(members) - len(some),
                "figures": {name: spread(values) for name, values in figures.items()},
                "customers": {name: spread(values) for name, values in sorted(claims.items())},
            }
        )
    return found


def _by_name(each: Sequence[Mapping[str, Decimal]]) -> dict[str, list[Decimal]]:
    """Name -> its value in every sample; 0 in one that does not have it."""
    names = dict.fromkeys(name for one in each for name in one)
    return {name: [one.get(name, Decimal(0)) for one in each] for name in names}


def effects(rows: Sequence[Mapping[str, Any]], levers: Sequence[str], figure: str) -> list[Json]:
    """What each lever does to a figure, turned alone: the greatest effect first."""
    at = {(row["turned"], row["side"]): row for row in rows}
    middle = _figure(at["", "base"], figure)
    found: list[Json] = []
    for lever in levers:
        one: Json = {"lever": lever, "base": at["", "base"]["levers"][lever]}
        changes = []
        for side in ("low", "high"):
            row = at[lever, side]
            value = _figure(row, figure)
            change = None if value is None or middle is None else value - middle
            one[side] = {"value": row["levers"][lever], "figure": value, "change": change}
            changes += [] if change is None else [abs(change)]
        found.append({**one, "effect": max(changes, default=None)})
    return sorted(found, key=_order)


def _order(one: Json) -> tuple[bool, Decimal, str]:
    effect = one["effect"]
    return (effect is None, Decimal(0) if effect is None else -Decimal(str(effect)), str(one["lever"]))


def _figure(row: Mapping[str, Any], figure: str) -> Decimal | None:
    found: Decimal | None = row.get("figures", {}).get(figure)
    return found
