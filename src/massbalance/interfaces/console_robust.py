"""What `robust` prints for people: the price of keeping promises, and in how many futures they hold."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from massbalance.interfaces.console import number, table

GRAMS = Decimal("0.0005")
"""Less than this in t would be shown as nothing."""
SHOWN = 12
"""Promises and futures that are named one by one."""


def robust_text(told: Mapping[str, Any]) -> str:
    """The answer on one page; told: the document."""
    point, futures = told["robust"], told["futures"]
    lines = [
        f"{told['name']}: firm promises in {_percent(point['asked_share'])} of {futures['count']} futures, "
        f"{point['status']}",
        "",
        *_costs(told),
        "",
        *_kept(told),
    ]
    lines += _section("promised otherwise than without regard to futures", _otherwise(told))
    lines += _section("futures that still break a promise, and what is missing", _broken(told))
    if len(told["curve"]) > 1:
        lines += _section("what other shares cost", _curve(told))
    lines += [f"  note: {note}" for note in futures["notes"]]
    return "\n".join(lines)


def _percent(share: object) -> str:
    return f"{float(str(share)) * 100:.4g} %"


def _section(title: str, lines: list[str]) -> list[str]:
    return ["", f"  {title}", *lines] if lines else []


def _goal(goal: Mapping[str, Any], currency: str) -> str:
    if goal["name"] == "margin":
        return f"margin ({currency})" if currency else "margin"
    return f"firm shortfall, priority {goal['priority']} (t)"


def _short(goal: Mapping[str, Any], currency: str) -> str:
    """A goal in few letters, for a column."""
    return _goal(goal, currency).replace("firm shortfall, priority", "shortfall")


def _costs(told: Mapping[str, Any]) -> list[str]:
    rows = []
    for goal in told["robust"]["objectives"]:
        gap = "-" if goal["gap"] is None else f"{float(goal['gap']):.2g}"
        figures = [number(goal[key]) for key in ("plain", "value", "cost")]
        rows.append([_goal(goal, told["currency"]), *figures, gap])
    return table(["goal", "plain", "robust", "it costs", "gap"], rows)


def _kept(told: Mapping[str, Any]) -> list[str]:
    rows = []
    for name in ("plain", "robust"):
        side = told[name]
        row = [name, f"{side['sample']['kept']} of {side['sample']['of']}"]
        fresh = side["fresh"]
        if fresh is not None:
            row += [
                f"{fresh['kept']} of {fresh['of']}",
                f"{_percent(fresh['low'])} to {_percent(fresh['high'])}",
            ]
        rows.append(row)
    header = ["keeps its promises in", "sampled futures"]
    if told["plain"]["fresh"] is not None:
        header += ["fresh ones", f"true share, {_percent(told['confidence'])} confidence"]
    return table(header, rows)


def _otherwise(told: Mapping[str, Any]) -> list[str]:
    """Firm orders whose promise differs by more than grams, those that lose most first."""
    lost = [one for one in told["promises"] if abs(one["promised_t"] - one["plain_t"]) > GRAMS]
    lost.sort(key=lambda one: (one["promised_t"] - one["plain_t"], one["order"]))
    rows = [
        [
            one["order"], one["customer"], one["product"], one["period"], str(one["priority"]),
            number(one["plain_t"]), number(one["promised_t"]),
        ]
        for one in lost[:SHOWN]
    ]  # fmt: skip
    if not rows:
        return []
    header = ["order", "customer", "product", "period", "priority", "plain, t", "promised, t"]
    more = [f"    ... and {len(lost) - SHOWN} more"] if len(lost) > SHOWN else []
    return ["  " + line for line in table(header, rows)] + more


def _broken(told: Mapping[str, Any]) -> list[str]:
    rows = []
    for one in told["broken"][:SHOWN]:
        first = one["lacks"][0]
        others = f" and {len(one['lacks']) - 1} more" if len(one["lacks"]) > 1 else ""
        what = f"{number(first['quantity'])} {first['uom']} of lots like {first['lot']} in {first['period']}"
        rows.append(f"    {one['future']:>6}  {what}{others}")
    more = len(told["broken"]) - SHOWN
    return rows + ([f"    ... and {more} more"] if more > 0 else [])


def _curve(told: Mapping[str, Any]) -> list[str]:
    goals = [_short(goal, told["currency"]) for goal in told["plain"]["objectives"]]
    rows = []
    for point in told["curve"]:
        fresh = "-" if point["fresh"] is None else _percent(point["fresh"]["share"])
        figures = [number(goal["value"]) for goal in point["objectives"]]
        shares = [_percent(point["asked_share"]), _percent(point["sample"]["share"]), fresh]
        rows.append([*shares, *figures, point["status"]])
    return ["  " + line for line in table(["share", "sampled", "fresh", *goals, "status"], rows)]
