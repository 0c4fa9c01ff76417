"""Orders, customers and products of a run, added up: exact, in millionths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from massbalance.books.value import premiums, sum_by
from massbalance.domain.grid import GRID
from massbalance.pages.flows import customer_names
from massbalance.pages.run import Reported


@dataclass(frozen=True)
class Customer:
    """What a customer asked for and got: g of mass, g CO2e of effect, premium in the case's currency."""

    key: str
    name: str
    orders: int
    asked: int
    claimed: int
    firm_short: int
    effect: int
    premium: Fraction


@dataclass(frozen=True)
class Product:
    """A product over all periods: g of mass; intensities in t CO2e per t, None without such mass."""

    key: str
    name: str
    claimed: int
    conventional: int
    before: Fraction
    after: Fraction | None
    residual: Fraction | None


@dataclass(frozen=True)
class Short:
    """An order that got less than it asked for; unmet: g."""

    order: str
    customer: str
    firm: bool
    priority: int
    unmet: int
    why: str


def customers(source: Reported) -> list[Customer]:
    """Every customer with orders, who claims most first."""
    case, allocation = source.case, source.run.allocation
    who = case.orders.text("customer")
    effect = sum_by(allocation.order, allocation.reduction, len(case.orders))
    earned = premiums(case, allocation)
    asked, firm = case.orders.grid("mass_t"), case.orders.flag("firm")
    short = np.where(firm, asked - allocation.claimed, 0)
    sums: dict[str, list[int]] = {}
    for at, key in enumerate(who):
        row = sums.setdefault(str(key), [0] * 6)
        figures = (1, asked[at], allocation.claimed[at], short[at], effect[at], earned.values[at])
        for i, figure in enumerate(figures):
            row[i] += int(figure)
    names = customer_names(case)
    found = [
        Customer(key, names.get(key, ""), *_five(row), Fraction(row[5], 10**earned.decimals))
        for key, row in sums.items()
    ]
    return sorted(found, key=lambda c: (-c.claimed, -c.asked, c.key))


def together(several: Sequence[Customer], key: str) -> Customer:
    """Several customers as one."""
    fields = ("orders", "asked", "claimed", "firm_short", "effect")
    sums = [sum(getattr(one, name) for one in several) for name in fields]
    return Customer(key, "", *_five(sums), sum((one.premium for one in several), Fraction(0)))


def _five(row: Sequence[int]) -> tuple[int, int, int, int, int]:
    """Orders, asked, claimed, firm short, effect."""
    return row[0], row[1], row[2], row[3], row[4]


def products(source: Reported) -> list[Product]:
    """Every product with production: who claims most first."""
    case, found = source.case, []
    keys, names = case.products.text("product"), case.products.text("name")
    for at, (key, name) in enumerate(zip(keys, names, strict=True)):
        rows = [row for row in source.books.residual.rows if row.product == at]
        if not rows:
            continue
        claimed, conventional = (sum(getattr(row, f) for row in rows) for f in ("claimed", "conventional"))
        before = rows[0].cfp_before
        lowered = sum(sum(row.allocated) for row in rows)
        left = sum(row.conventional_baseline - sum(row.released) for row in rows)
        found.append(
            Product(
                str(key), str(name), claimed, conventional, before,
                before - Fraction(lowered, claimed) if claimed else None,
                Fraction(left, conventional) if conventional else None,
            )
        )  # fmt: skip
    return sorted(found, key=lambda p: (-p.claimed, -p.conventional, p.key))


def short_orders(source: Reported) -> list[Short]:
    """Orders that got less, firm ones by priority first, then the shortest first."""
    case, claimed = source.case, source.run.allocation.claimed
    firm, priority = case.orders.flag("firm"), case.orders.exact["priority"]
    unmet = case.orders.grid("mass_t") - claimed
    found = []
    for at, row in enumerate(source.run.orders):
        if unmet[at] > 0:
            rank = int(priority.fraction(at))
            found.append(
                Short(row["order"], row["customer"], bool(firm[at]), rank, int(unmet[at]), row["why"])
            )
    return sorted(found, key=lambda one: (not one.firm, one.priority, -one.unmet, one.order))


def tonnes(grams: int) -> Fraction:
    """Millionths of a unit as the unit."""
    return Fraction(grams, GRID)
