"""What is printed of a promise that cannot be kept: the limits that clash, and what would mend it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from massbalance.interfaces.console import number

INDENT = "    "


def conflict_lines(told: Mapping[str, Any]) -> list[str]:
    """Sections for a document with `conflict` and `relaxations`; none where nothing clashes."""
    lines: list[str] = []
    if told["conflict"]:
        lines += ["", "  limits that clash (without any one of them it fits)"]
        lines += [f"{INDENT}{one['words']} [{one['code']}]" for one in told["conflict"]]
    if told["relaxations"]:
        lines += ["", "  the least that would mend it, each checked by a solve"]
        lines += [f"{INDENT}{one['words']}" for one in told["relaxations"]]
    return [*lines, *(f"  note: {note}" for note in told["conflict_notes"])]


def short_text(document: Mapping[str, Any]) -> str:
    """The answer of `short` on one page."""
    orders, name = document["orders"], document["name"]
    if not orders:
        asked = document["order"]
        what = "no firm order falls short" if asked is None else f"{asked} gets all of its mass"
        return f"{name}: {what}"
    lines = [f"{name}: {document['short']} firm order(s) short"] if document["order"] is None else [name]
    for one in orders:
        lines += ["", *_order(one)]
    left = document["short"] - len(orders)
    if document["order"] is None and left > 0:
        lines += ["", f"  {left} more: name one of them, or ask for more with --most"]
        lines += [f"{INDENT}{' '.join(document['not_explained'])}"]
    return "\n".join(lines)


def _order(one: Mapping[str, Any]) -> list[str]:
    rank = "not firm" if one["priority"] is None else f"firm, priority {one['priority']}"
    customer = f" ({one['customer']})" if one["customer"] else ""
    schemes = f", schemes {'; '.join(one['schemes'])}" if one["schemes"] else ""
    return [
        f"{one['order']}{customer}, {rank}: {number(one['mass_t'])} t of {one['product']} in "
        f"{one['period']}, {one['claim']} {one['level']}{schemes}",
        f"  claimed        {number(one['claimed_t'])} t, short of {number(one['short_t'])} t",
        f"  feasible       {number(one['feasible_t'])} t beside what is promised to others",
        *conflict_lines(one),
    ]
