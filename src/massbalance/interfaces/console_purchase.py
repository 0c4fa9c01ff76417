"""What `purchase` prints for people: ASCII units, 0.001 of a unit, money to a hundredth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from massbalance.interfaces.console import number, table

Json = Mapping[str, Any]
SHOWN = 12
"""Orders that are named one by one."""
PLANS = ("nothing", "plan", "down_the_list")


def purchase_text(told: Json, out: str | None) -> str:
    """Advice on one page; told: its document; out: where the case with the lots bought is."""
    budget = "" if told["budget"] is None else f", budget {number(told['budget'], 2)}"
    some = sum(1 for one in told["offers"] if one["buy"])
    lines = [
        f"{told['name']}: buy {some} of {len(told['offers'])} purchase offers for "
        f"{_money(told['cost'], told)}{budget}",
        "",
        *_bought(told),
        *_section("up to which price", _worth(told)),
        *_section("what it brings", _plans(told)),
        *_section("orders that get more", _orders(told, 1)),
        *_section("orders that get less", _orders(told, -1)),
    ]
    if out is not None:
        lines += ["", f"  the case with these lots bought: {out}; next: massbalance run {out}"]
    return "\n".join(lines)


def _money(value: object, told: Json) -> str:
    return " ".join([number(value, 2), *([str(told["currency"])] if told["currency"] else [])])


def _section(title: str, lines: list[str]) -> list[str]:
    return ["", f"  {title}", *("  " + line for line in lines)] if lines else []


def _bought(told: Json) -> list[str]:
    rows = [
        [
            one["lot"], one["received"], number(one["quantity"]), one["uom"], number(one["price_per_uom"], 2),
            number(one["cost"], 2), _used(one),
        ]
        for one in told["offers"]
        if one["buy"]
    ]  # fmt: skip
    if not rows:
        return ["  nothing: no purchase offer pays for itself or mends a promise"]
    return table(["buy", "received", "quantity", "uom", "price", "cost", "used in"], rows)


def _used(one: Json) -> str:
    parts = [f"{use['period']} {number(use['quantity'])}" for use in one["used"]]
    if one["unused"] is not None and float(one["unused"]) >= 0.001:
        parts.append(f"left over {number(one['unused'])}")
    return ", ".join(parts)


def _worth(told: Json) -> list[str]:
    rows = []
    for one in told["offers"]:
        worth = one["worth"]
        if worth is None:
            rows.append(
                [one["lot"], number(one["price_per_uom"], 2), "not found in time", "-", "-", "-", "-"]
            )
            continue
        mended = ", ".join(f"{number(m['t'])} t of {_promise(m['goal'])}" for m in worth["mends"])
        rows.append(
            [
                one["lot"],
                number(one["price_per_uom"], 2),
                "any" if mended else number(worth["break_even_per_uom"], 2),
                number(worth["at_quantity"]),
                number(worth["advised_break_even_per_uom"], 2),
                number(worth["bid_per_uom"], 2),
                mended or (number(worth["gain"], 2) if one["buy"] else "-"),
            ]
        )
    header = ["offer", "price", "some of it up to", "quantity then", "the advised up to", "bid", "earns"]
    return table(header, rows)


def _promise(goal: str) -> str:
    """`firm_shortfall:3` -> firm orders, priority 3."""
    return f"firm orders, priority {goal.partition(':')[2]}" if ":" in goal else goal


def _plans(told: Json) -> list[str]:
    rows = []
    for goal in told["objectives"]:
        if goal["name"] == "margin":
            rows.append(["margin before purchases", *(number(goal[plan], 2) for plan in PLANS)])
            rows.append(["margin less purchases", *(number(told["net_margin"][plan], 2) for plan in PLANS)])
        else:
            name = f"firm shortfall, priority {goal['priority']} (t)"
            rows.append([name, *(number(goal[plan]) for plan in PLANS)])
    return table(["", "buying nothing", "as advised", "down the list"], rows)


def _orders(told: Json, sign: int) -> list[str]:
    found = [one for one in told["orders"] if float(one["t"]) * sign > 0]
    found.sort(key=lambda one: (-abs(float(one["t"])), one["order"]))
    rows = [[one["order"], number(abs(float(one["t"])))] for one in found[:SHOWN]]
    if len(found) > SHOWN:
        rest = sum(abs(float(one["t"])) for one in found[SHOWN:])
        rows.append([f"{len(found) - SHOWN} more", number(rest)])
    return table(["order", "t"], rows) if rows else []
