"""What `quote` prints for people: ASCII units, 0.001 of a unit, premiums to a hundredth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from massbalance.interfaces.console import number, table
from massbalance.interfaces.console_conflict import conflict_lines

SHOWN = 12
"""Orders that are named one by one."""
FIRM = "firm orders of priority "
KINDS = {"mass": "a part", "level": "level", "period": "period", "schemes": "any scheme"}


def quote_text(name: str, quote: Mapping[str, Any]) -> str:
    """A quote on one page; quote: its document."""
    schemes = f", schemes {'; '.join(quote['schemes'])}" if quote["schemes"] else ""
    lines = [
        f"{name}: quote for {number(quote['mass_t'])} t of {quote['product']} in {quote['period']}, "
        f"{quote['claim']} {quote['level']}{schemes}",
        "",
        *_answer(quote),
        *_premium(quote),
        *_section("limits or makes the price", _binding(quote)),
        *conflict_lines(quote),
        *_section("who gets less", _displaced(quote)),
        *_section("credits used", _lots(quote)),
        *_section("other terms that would fit", _alternatives(quote)),
    ]
    if "curve" in quote:
        lines += _section("floor premium over mass", _curve(quote))
    lines += [f"  note: {note}" for note in quote["notes"]]
    return "\n".join(lines)


def _money(value: object, quote: Mapping[str, Any]) -> str:
    if value is None:
        return "-"
    return " ".join([number(value, 2), *([str(quote["currency"])] if quote["currency"] else [])])


def _answer(quote: Mapping[str, Any]) -> list[str]:
    feasible, floor = number(quote["feasible_t"]), quote["floor_premium_per_t"]
    lines = [f"  feasible       {feasible} t of {number(quote['mass_t'])} t"]
    if floor is None:
        lines.append("  floor premium  none: the whole mass cannot be promised")
        if quote["floor_premium_of_feasible_per_t"] is not None:
            part = _money(quote["floor_premium_of_feasible_per_t"], quote)
            lines.append(f"                 {part} per t for the {feasible} t")
    else:
        lines.append(f"  floor premium  {_money(floor, quote)} per t")
    if quote["price_per_t"] is not None:
        lines.append(
            f"  bid prices     {_money(quote['price_per_t'], quote)} per t, for the first tonnes alone"
        )
    relaxed = quote["relaxation"]
    if relaxed is not None:
        lines.append(
            f"  relaxation     {number(relaxed['feasible_t'])} t from "
            f"{_money(relaxed['floor_premium_per_t'], quote)} per t, if whole orders could be taken in parts"
        )
    return lines


def _premium(quote: Mapping[str, Any]) -> list[str]:
    if quote["accept"] is None:
        return []
    offered = _money(quote["premium_per_t"], quote)
    if quote["gain"] is None:
        return [f"  at {offered} per t: no, not all of it is feasible"]
    verdict = "yes" if quote["accept"] else "no"
    return [f"  at {offered} per t: {verdict}, the margin changes by {_money(quote['gain'], quote)}"]


def _section(title: str, lines: list[str]) -> list[str]:
    return ["", f"  {title}", *lines] if lines else []


def _merged(binding: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Firm orders of several priorities, at one price, in one line."""
    merged: list[dict[str, Any]] = []
    nothing: dict[str, Any] = {"of": "", "words": "", "price": 0}
    for one in binding:
        last = merged[-1] if merged else nothing
        same = one["of"] == last["of"] and round(one["price"], 2) == round(last["price"], 2)
        if same and one["words"].startswith(FIRM) and last["words"].startswith(FIRM):
            mine, rest = one["words"].removeprefix(FIRM).split(" ", 1)
            before = last["words"].removeprefix(FIRM).removesuffix(f" {rest}")
            merged[-1] = {**last, "words": f"{FIRM}{before}, {mine} {rest}"}
        else:
            merged.append(one)
    return merged


def _binding(quote: Mapping[str, Any]) -> list[str]:
    units = {"mass": "t", "premium": str(quote["currency"])}
    rows = [
        f"  {one['of']:8s} {one['words']} [{one['code']}]; one more is worth "
        f"{number(one['price'], 2)} {units[one['of']]}".rstrip()
        if one["price"] > 0
        else f"  {one['of']:8s} {one['words']} [{one['code']}]"
        for one in _merged(quote["binding"])
    ]
    return [f"  {row}" for row in rows]


def _displaced(quote: Mapping[str, Any]) -> list[str]:
    lost = quote["displaced"]
    if not lost:
        return []
    rows = [[one["order"], number(one["t"])] for one in lost[:SHOWN]]
    if len(lost) > SHOWN:
        rest = sum((one["t"] for one in lost[SHOWN:]), start=0 * lost[0]["t"])
        rows.append([f"{len(lost) - SHOWN} more", number(rest)])
    return ["  " + line for line in table(["order", "t less"], rows)]


def _lots(quote: Mapping[str, Any]) -> list[str]:
    rows = [
        [one["category"], number(one["quantity"]), one["uom"], " ".join(_few(one["lots"]))]
        for one in quote["lots"]
    ]
    return ["  " + line for line in table(["category", "quantity", "uom", "of lots"], rows)] if rows else []


def _few(lots: list[str]) -> list[str]:
    return lots if len(lots) <= 4 else [*lots[:4], f"and {len(lots) - 4} more"]


def _alternatives(quote: Mapping[str, Any]) -> list[str]:
    rows = [
        [
            KINDS[one["kind"]], one["period"], str(one["level"]), number(one["feasible_t"]),
            number(one["floor_premium_per_t"], 2),
        ]
        for one in quote["alternatives"]
    ]  # fmt: skip
    header = ["change", "period", "level", "t", "floor premium"]
    return ["  " + line for line in table(header, rows)] if rows else []


def _curve(quote: Mapping[str, Any]) -> list[str]:
    rows = [
        [number(p["mass_t"]), number(p["floor_premium_per_t"], 2), number(p["marginal_premium_per_t"], 2)]
        for p in quote["curve"]
    ]
    return ["  " + line for line in table(["t", "floor premium", "of the last t"], rows)] if rows else []


def reservations_text(day: str, rows: Sequence[Mapping[str, str]]) -> str:
    """A book of reservations as a table, and what is held on a day."""
    header = ["reservation", "customer", "product", "period", "t", "claim", "level", "until", "status"]
    keys = ["reservation", "customer", "product", "period", "mass_t", "claim", "level", "until", "status"]
    lines = table(
        header,
        [[row[key].replace("_", " ") if key == "status" else row[key] for key in keys] for row in rows],
    )
    held = sum((Decimal(row["mass_t"]) for row in rows if row["status"] == "in_force"), start=Decimal(0))
    return "\n".join(
        [
            f"reservations on {day}: {number(held)} t in force",
            *([""] if rows else []),
            *(lines if rows else []),
        ]
    )
