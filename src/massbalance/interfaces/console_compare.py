"""What `compare` prints for people: ASCII units, 0.001 of a unit, a column a scenario."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from massbalance.interfaces.console import goal_name, number, table

SHOWN = 10
"""Customers, products and orders that are named one by one: those that change most."""
SMALL_T = 0.01
"""Booking to the gram moves some kilograms between orders; what changes by less than this is not named."""
SOLVED = ("optimal", "limit")
Column = Mapping[str, Any]


def compare_text(document: Mapping[str, Any]) -> str:
    """Scenarios side by side; document: that of `compare --json`."""
    columns = document["columns"]
    solved = [one for one in columns if one["status"] in SOLVED]
    lines = [f"{document['name']}: base and {len(columns) - 1} scenario(s); rules {document['rules']}", ""]
    lines += [f"  {one['column']}: {_says(one)}" for one in columns[1:]]
    for title, rows in (
        ("status", _status(columns)),
        ("goals", _goals(solved, str(document["currency"]))),
        ("credits", _credits(solved)),
        ("effect, t CO2e", _effects(solved)),
        (f"claimed by customer, t ({_more(solved)} more)", _customers(solved)),
        ("residual CFP, t CO2e per t: mean (worst period)", _residual(solved)),
        (f"one more unit is worth, {document['currency'] or 'money'}: mean (greatest)", _prices(solved)),
    ):
        header = [title, *(one["column"] for one in (columns if title == "status" else solved))]
        lines += ["", *table(header, rows)] if rows else []
    for one in columns:
        lines += _who(one)
    return "\n".join(lines)


def _says(one: Column) -> str:
    told = one["scenario"] + (f". {one['description']}" if one["description"] else "")
    return told if one["status"] in SOLVED else f"{told or 'not read'}: {reason(one)}"


def reason(one: Column) -> str:
    """Why a scenario has no figures."""
    if one["status"] == "refused":
        return f"refused, {len(one['faults'])} error(s)"
    return f"{one['status']}: {one.get('reason', '')}".rstrip(": ")


def _rows(
    columns: Sequence[Column], names: Sequence[str], cell: Callable[[Column, str], str]
) -> list[list[str]]:
    return [[name, *(cell(one, name) for one in columns)] for name in names]


def _status(columns: Sequence[Column]) -> list[list[str]]:
    cells: dict[str, Callable[[Column], str]] = {
        "status": lambda one: str(one["status"]),
        "gap": lambda one: "-" if one.get("gap") is None else f"{float(one['gap']):.2g}",
        "new warnings": lambda one: str(len(one["warnings"])),
        "seconds": lambda one: number(one["seconds"], 2),
    }
    return [[name, *(cell(one) for one in columns)] for name, cell in cells.items()]


def _goals(solved: Sequence[Column], currency: str) -> list[list[str]]:
    values = [{goal_name(g, currency): g["value"] for g in one["objectives"]} for one in solved]
    names = dict.fromkeys(name for goals in values for name in goals)
    rows = [[name, *(number(goals.get(name)) for goals in values)] for name in names]
    totals = {"claimed (t)": "claimed_t", "firm unmet (t)": "unmet_firm_t"}
    return rows + [[name, *(number(one[key]) for one in solved)] for name, key in totals.items()]


def _credits(solved: Sequence[Column]) -> list[list[str]]:
    uoms = sorted({uom for one in solved for uom in one["credits"]})
    return [
        [f"{uom} {word}", *(number(one["credits"].get(uom, {}).get(key)) for one in solved)]
        for uom in uoms
        for word, key in (("used", "allocated"), ("expired", "expired"), ("held", "held"))
    ]


def _effects(solved: Sequence[Column]) -> list[list[str]]:
    return _rows(
        solved,
        ("realised", "allocated", "forgone", "expired", "held"),
        lambda one, key: number(one["tco2e"][key]),
    )


def _most(names: Sequence[str], spread: Callable[[str], Decimal]) -> list[str]:
    """The names that differ between columns, those that differ most; in their own order."""
    differ = {name: spread(name) for name in names}
    most = sorted((name for name in names if differ[name]), key=lambda name: (-differ[name], name))[:SHOWN]
    return [name for name in names if name in most]


def _spread(values: Sequence[Any]) -> Decimal:
    there = [Decimal(0) if value is None else Decimal(value) for value in values]
    return max(there) - min(there) if there else Decimal(0)


def _changing(solved: Sequence[Column]) -> tuple[list[str], list[str]]:
    """All customers, and those whose claims differ most."""
    names = sorted({name for one in solved for name in one["customers"]})
    return names, _most(names, lambda name: _spread([one["customers"].get(name) for one in solved]))


def _more(solved: Sequence[Column]) -> int:
    names, most = _changing(solved)
    return len(names) - len(most)


def _customers(solved: Sequence[Column]) -> list[list[str]]:
    return _rows(solved, _changing(solved)[1], lambda one, name: number(one["customers"].get(name)))


def _residual(solved: Sequence[Column]) -> list[list[str]]:
    names = sorted({name for one in solved for name in one["residual"]})

    def mean(one: Column, name: str) -> Any:
        return one["residual"].get(name, {}).get("mean")

    def cell(one: Column, name: str) -> str:
        return f"{number(mean(one, name))} ({number(one['residual'].get(name, {}).get('worst'))})"

    return _rows(solved, _most(names, lambda name: _spread([mean(one, name) for one in solved])), cell)


def _prices(solved: Sequence[Column]) -> list[list[str]]:
    by = [{f"{p['category']}, {p['uom']}": p for p in one["prices"]} for one in solved]
    names = sorted({name for prices in by for name in prices})
    return [
        [
            name,
            *(
                f"{number(p[name]['mean'], 2)} ({number(p[name]['greatest'], 2)})" if name in p else "-"
                for p in by
            ),
        ]
        for name in names
    ]


def _who(one: Column) -> list[str]:
    """Who gains and who loses under a scenario."""
    if "change" not in one:
        return []
    orders = one["change"]["orders"]
    loses, gains = ([o for o in orders if s * o["t"] >= SMALL_T] for s in (-1, 1))
    lines = ["", f"  {one['column']}: {len(loses)} order(s) get less, {len(gains)} more (by 10 kg or more)"]
    for title, some in (("less", loses[:SHOWN]), ("more", gains[::-1][:SHOWN])):
        rows = [
            [o["order"] + ("" if o["there"] else " (dropped)"), o["customer"], f"{float(o['t']):+,.3f}"]
            for o in some
        ]
        lines += [f"  {line}" for line in table([title, "customer", "t"], rows)] if rows else []
    return lines
