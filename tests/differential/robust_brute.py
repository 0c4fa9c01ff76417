"""Robust promises by brute force: every choice of broken futures, each a plain linear program of its own.

Knows nothing of pools, recipes, cuts or the package's model: variables over lots and orders, and in every
kept future v[s,lot,o], what a firm order draws from a lot there. Dates are counted by the standard library.
For cases of green shares only, without whole orders.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import scipy.sparse
from scipy.optimize import linprog

from massbalance.scenario.futures import Future

SLACK = 1e-9
Row = tuple[dict[int, float], float]


@dataclass(frozen=True)
class Plain:
    """A case as plain data: lots and orders by name, period ends in order, yield of the products."""

    lots: Mapping[str, Mapping[str, Any]]
    orders: Mapping[str, Mapping[str, Any]]
    ends: Sequence[dt.date]
    rates: Mapping[str, float]


class Program:
    """min c v, A v <= b, v >= 0, built row by row."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.count = 0

    def column(self) -> int:
        self.count += 1
        return self.count - 1

    def row(self, entries: Mapping[int, float], most: float) -> None:
        self.rows.append((dict(entries), most))

    def least(self, cost: Mapping[int, float]) -> float:
        """The minimum, inf where there is no point."""
        data = [(r, c, v) for r, (entries, _) in enumerate(self.rows) for c, v in entries.items()]
        r, c, v = zip(*data, strict=True)
        matrix = scipy.sparse.csr_array((v, (r, c)), shape=(len(self.rows), self.count))
        goal = np.zeros(self.count)
        for column, value in cost.items():
            goal[column] = value
        answer = linprog(goal, A_ub=matrix, b_ub=[most for _, most in self.rows], method="highs")
        assert answer.status in (0, 2), answer.message
        return float(answer.fun) if answer.status == 0 else np.inf


def usable(lot: Mapping[str, Any], end: dt.date, days: int = 0) -> bool:
    """Received so many days later than said, may it serve a period that ends then?"""
    received = dt.date.fromisoformat(lot["received"]) + dt.timedelta(days=days)
    expires = dt.date.fromisoformat(lot["expires"]) if lot.get("expires") else dt.date.max
    return received <= end <= expires


def kind(lot: Mapping[str, Any]) -> tuple[object, ...]:
    """All that tells two lots of these cases apart but quantity and dates."""
    return lot["green_share"], lot.get("unit_cost", 0)


def program(
    case: Plain, kept: Sequence[Future]
) -> tuple[Program, dict[str, int], dict[tuple[str, str], int]]:
    """All that must hold, with these futures kept; columns of claimed masses and of lots to orders."""
    made = Program()
    y = {o: made.column() for o in case.orders}
    x = {
        (name, o): made.column()
        for name, lot in case.lots.items()
        for o, order in case.orders.items()
        if usable(lot, case.ends[order["at"]])
    }
    for o, order in case.orders.items():
        rate = case.rates[order["product"]]
        mine = {lot: column for (lot, other), column in x.items() if other == o}
        made.row({y[o]: 1.0}, order["mass_t"])
        made.row(
            {
                y[o]: float(order["level"]),
                **{c: -rate * case.lots[lot]["green_share"] for lot, c in mine.items()},
            },
            0.0,
        )
        made.row({y[o]: -1.0, **dict.fromkeys(mine.values(), rate)}, 0.0)
    supply(made, case, x, {name: float(lot["quantity"]) for name, lot in case.lots.items()})
    for future in kept:
        promises(made, case, x, future)
    return made, y, x


def supply(
    made: Program, case: Plain, flow: Mapping[tuple[str, str], int], quantity: Mapping[str, float]
) -> None:
    """No lot gives more than it holds, and no origin more than once."""
    for lot in case.lots:
        mine = [column for (other, _), column in flow.items() if other == lot]
        made.row(dict.fromkeys(mine, 1.0), quantity[lot])
    origins = {lot["origin"] for lot in case.lots.values() if lot.get("origin")}
    for origin in sorted(origins):
        shares = {
            column: 1.0 / quantity[lot]
            for (lot, _), column in flow.items()
            if case.lots[lot].get("origin") == origin and quantity[lot] > 0
        }
        made.row(shares, 1.0)


def promises(made: Program, case: Plain, x: Mapping[tuple[str, str], int], future: Future) -> None:
    """What firm orders draw by kind of lot can be drawn in the future."""
    quantity = {
        name: float(Fraction(str(lot["quantity"])) * Fraction(future.factors.get(name, 1)))
        for name, lot in case.lots.items()
    }
    firm = [o for o, order in case.orders.items() if order["firm"] and o not in future.cancelled]
    v = {
        (name, o): made.column()
        for name, lot in case.lots.items()
        for o in firm
        if usable(lot, case.ends[case.orders[o]["at"]], future.delays.get(name, 0))
    }
    supply(made, case, v, quantity)
    for o, k in itertools.product(firm, {kind(lot) for lot in case.lots.values()}):
        product = case.orders[o]["product"]
        rate = case.rates[product]
        poorer = rate / min(1.0, rate * float(future.yields.get(product, 1)))
        drawn = {
            column: poorer for (lot, other), column in x.items() if other == o and kind(case.lots[lot]) == k
        }
        given = {
            column: -1.0 for (lot, other), column in v.items() if other == o and kind(case.lots[lot]) == k
        }
        if drawn:
            made.row({**drawn, **given}, 0.0)


def best(case: Plain, futures: Sequence[Future], budget: int) -> tuple[float, float]:
    """Least firm shortfall, then greatest margin, over every choice of at most so many broken futures."""
    firm = [o for o, order in case.orders.items() if order["firm"]]
    asked = sum(float(case.orders[o]["mass_t"]) for o in firm)
    programs = []
    for broken in itertools.combinations(range(len(futures)), min(budget, len(futures))):
        kept = [future for s, future in enumerate(futures) if s not in broken]
        programs.append(program(case, kept))
    claimed = max(-made.least({y[o]: -1.0 for o in firm}) for made, y, _ in programs)
    margins = []
    for made, y, x in programs:
        made.row({y[o]: -1.0 for o in firm}, -claimed + SLACK * max(1.0, claimed))
        cost = {y[o]: -float(order["premium_per_t"]) for o, order in case.orders.items()}
        cost.update({c: float(case.lots[lot].get("unit_cost", 0)) for (lot, _), c in x.items()})
        margins.append(-made.least(cost))
    return asked - claimed, max(margins)
