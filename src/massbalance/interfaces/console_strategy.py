"""What `strategies` and `pareto` print for people: ASCII units, 0.001 of a unit, margins to a hundredth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from massbalance.interfaces.console import number, table

if TYPE_CHECKING:
    from massbalance.strategy.front import Front
    from massbalance.strategy.side_by_side import Line, SideBySide

HEAD = [
    "way", "firm short t", "margin", "against best", "claimed t", "tCO2e", "expires tCO2e", "orders",
    "customers", "least share",
]  # fmt: skip
NO_ANSWER = {
    "infeasible": "minimum services cannot be met",
    "limit": "the time was over before it was known whether minimum services can be met",
}
PLACES = {"margin": 2, "fair_share": 6, "common_share": 6}


def strategies_text(found: SideBySide) -> str:
    """One table: the optimum first, then other strategies, then rules of thumb."""
    money = f" ({found.currency})" if found.currency else ""
    lines = [f"{found.name}: strategies, and rules of thumb, beside the optimum", ""]
    lines += table(HEAD, [_row(found, line) for line in found.lines])
    lines += [
        "",
        f"  margin{money}; against best: the part of the first line's margin that is given up",
        "  orders: got all their mass; customers: got anything; least share: claimed of ordered, worst off",
        "  strategies are booked optima; rules keep every limit; the rolling average assigns nothing (A2)",
    ]
    lines += [f"  {one.name}: {NO_ANSWER[one.status]}" for one in found.lines if one.figures is None]
    return "\n".join(lines)


def _row(found: SideBySide, line: Line) -> list[str]:
    told = line.figures
    name = line.name + (" (limit)" if line.status == "limit" else "")
    if told is None:
        return [name, *["-"] * (len(HEAD) - 1)]
    price = found.price_of_fairness(line)
    return [
        name,
        number(told.unmet_firm_t),
        number(told.margin, 2),
        "-" if price is None else f"{price:.2%}",
        number(told.claimed_t),
        "-" if told.allocated_tco2e is None else number(told.allocated_tco2e),
        number(told.expired_tco2e),
        str(told.orders),
        str(told.customers),
        f"{told.least_share:.1%}",
    ]


def pareto_text(found: Front) -> str:
    """The points, and what a unit of the first goal costs of the second."""
    rows = []
    for n, point in enumerate(found.points):
        last = found.points[n - 1]
        rate = "-"
        if n and point.x != last.x:
            rate = f"{(last.y - point.y) / (point.x - last.x):.6g}"
        rows.append(
            [
                point.label or str(n + 1),
                number(point.x, PLACES.get(found.x, 3)),
                number(point.y, PLACES.get(found.y, 3)),
                rate,
            ]
        )
    head = ["point", found.x, found.y, f"{found.y} per {found.x}"]
    between = (
        "all between two neighbours can be had, too" if found.linear else "orders are taken whole or not"
    )
    return "\n".join(
        [
            f"{found.name}: {found.y} over {found.x}, firm orders first",
            "",
            *table(head, rows),
            "",
            f"  {between}",
        ]
    )
