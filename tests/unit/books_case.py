"""Small cases and allocations in memory, for the tests of the books: no files, no solver.

Tables are given as rows of texts or numbers; what a row leaves out takes the interface's default.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from massbalance.domain.case import TABLES, Case, Table
from massbalance.domain.effects import Effects
from massbalance.domain.grid import Column, floor_product
from massbalance.domain.result import Allocation
from massbalance.domain.rulemodel import resolve

MODELS = Path(__file__).parents[2] / "models"
GRAMS = 10**6
YEAR = 2025

Row = Mapping[str, Any]

KEYS = {
    "periods": ("start",), "sites": ("site",), "lots": ("lot",), "alloys": ("alloy", "category"),
    "composition": ("key", "element"), "alloy_limits": ("alloy", "element"), "products": ("product",),
    "production": ("product", "period"), "orders": ("order",), "offers": ("order", "offer"),
    "projects": ("project",), "customers": ("customer",),
}  # fmt: skip
TEXT = {
    "periods": "period",
    "sites": "site unit organisation",
    "lots": "lot kind category site uom scopes scheme origin gas",
    "alloys": "alloy category", "composition": "key element", "alloy_limits": "alloy element",
    "products": "product name alloy site gas", "production": "product period",
    "orders": "order customer product period claim schemes", "offers": "order offer claim",
    "projects": "project", "customers": "customer",
}  # fmt: skip
DATES = {"periods": "start end", "lots": "received used expires"}
NUMBERS = {
    "sites": "electricity_tco2e_per_mwh heat_tco2e_per_gj",
    "lots": "quantity intensity_tco2e_per_uom displaced_tco2e_per_uom green_share recycled_pre"
    " recycled_post unit_cost",
    "alloys": "max_share", "composition": "wt_pct", "alloy_limits": "max_wt_pct min_wt_pct",
    "products": "s1 s2 s3 metal_tco2e_per_t t_product_per_t_input electricity_mwh_per_t heat_gj_per_t"
    " measured_tco2e_per_t",
    "production": "mass_t", "orders": "mass_t level premium_per_t min_fill",
    "offers": "level premium_per_t",
}  # fmt: skip
DEFAULTS: dict[str, dict[str, Any]] = {
    "sites": {"unit": "U1"},
    "lots": {
        "kind": "material", "category": "c", "site": "A", "received": f"{YEAR}-01-15", "uom": "t",
        "unit_cost": 0, "gas": "GHG", "scopes": "3",
    },
    "products": {
        "alloy": "1050", "site": "A", "s1": 0, "s2": 0, "s3": 0, "t_product_per_t_input": 1, "gas": "GHG",
    },
    "orders": {"customer": "x", "period": "P1", "claim": "reduction", "level": 0, "premium_per_t": 0},
    "offers": {"claim": "reduction", "level": 0, "premium_per_t": 0},
}  # fmt: skip


def months(count: int) -> list[Row]:
    """Periods P1, P2 ...: months from January on."""
    out = []
    for month in range(1, count + 1):
        start = datetime.date(YEAR, month, 1)
        end = datetime.date(YEAR, month + 1, 1) - datetime.timedelta(days=1)
        out.append({"period": f"P{month}", "start": str(start), "end": str(end)})
    return out


def make_case(
    rules: str = "jaa-2026", overrides: Mapping[str, object] | None = None, **tables: Sequence[Row]
) -> Case:
    """A case; `periods` defaults to one month and `sites` to site A in unit U1."""
    rows: dict[str, Sequence[Row]] = {"periods": months(1), "sites": [{"site": "A"}], **tables}
    built = {name: _table(name, rows.get(name, ())) for name in TABLES}
    model = resolve((MODELS / f"{rules}.toml").read_bytes(), dict(overrides or {}))
    return Case("test", "JPY", model, {}, built, "0" * 64)


def allocate(
    case: Case,
    uses: Iterable[tuple[str, str, object] | tuple[str, str, object, Mapping[int, object]]],
    claimed: Mapping[str, object],
    taken: Mapping[str, str] | None = None,
) -> Allocation:
    """Booked uses: (lot, order, quantity) or (lot, order, quantity, {scope: t CO2e}).

    Credited mass and reductions follow the interface, rounded down; without a split, the whole
    reduction stands in the lot's first scope. claimed: order -> t; taken: order -> offer.
    """
    effects, orders, lots = Effects(case), case.orders.position, case.lots.position
    offers = {
        (o, name): i
        for i, (o, name) in enumerate(zip(case.offers.text("order"), case.offers.text("offer"), strict=True))
    }
    took = np.full(len(orders), -1, dtype=np.intp)
    for order, offer in (taken or {}).items():
        took[orders[order]] = offers[order, offer]
    product_of = case.products.find(case.orders.text("product"))
    rows = []
    for lot_name, order_name, amount, *split in uses:
        lot, order = lots[lot_name], orders[order_name]
        quantity, at, to = np.array([grid(amount)]), np.array([lot]), product_of[[order]]
        material = case.lots.text("kind")[lot] == "material"
        rate = case.products.exact["t_product_per_t_input"].take(to)
        credited = int(floor_product(quantity, rate)[0]) if material else 0
        scopes = [0, 0, 0]
        if split:
            for scope, value in split[0].items():
                scopes[scope - 1] = grid(value)
        else:
            scopes[effects.scopes[lot][0] - 1] = int(floor_product(quantity, effects.reduction(at, to))[0])
        rows.append((order, took[order], lot, int(quantity[0]), credited, *scopes))
    table = np.array(sorted(rows), dtype=np.int64).reshape(len(rows), 8)
    y = np.zeros(len(orders), dtype=np.int64)
    for order, mass in claimed.items():
        y[orders[order]] = grid(mass)
    return Allocation(
        lot=table[:, 2].astype(np.intp), order=table[:, 0].astype(np.intp), offer=table[:, 1].astype(np.intp),
        quantity=table[:, 3], credited=table[:, 4], scope1=table[:, 5], scope2=table[:, 6],
        scope3=table[:, 7], claimed=y, taken=took,
    )  # fmt: skip


def grid(value: object) -> int:
    """A decimal text or number as millionths, which it must fit."""
    scaled = Fraction(str(value)) * GRAMS
    assert scaled.denominator == 1, value
    return int(scaled)


def _table(name: str, rows: Sequence[Row]) -> Table:
    filled = [{**DEFAULTS.get(name, {}), **row} for row in rows]
    filled.sort(key=lambda row: tuple(str(row[key]) for key in KEYS[name]))
    texts, dates, numbers = (spec.get(name, "").split() for spec in (TEXT, DATES, NUMBERS))
    known = {*texts, *dates, *numbers}
    assert all(set(row) <= known for row in filled), name
    frame: dict[str, Any] = {c: pd.Series([row.get(c, "") for row in filled], dtype="str") for c in texts}
    for column in dates:
        days = np.array([row.get(column, "NaT") for row in filled], dtype="datetime64[s]")
        frame[column] = pd.Series(days)
    exact = {column: _exact(column, [row.get(column) for row in filled]) for column in numbers}
    frame.update({column: pd.Series(values.floats()) for column, values in exact.items()})
    return Table(name, pd.DataFrame(frame), exact, np.arange(2, len(filled) + 2, dtype=np.int64))


def _exact(column: str, values: list[Any]) -> Column:
    exact = Column.from_fractions([None if v is None else Fraction(str(v)) for v in values])
    if column in ("quantity", "mass_t"):
        exact = Column(exact.at(6), 6, exact.given)
    return exact


T = 10**6


def made(*products: str, period: str = "P1", mass: float = 100) -> list[dict[str, Any]]:
    """Rows of `production`."""
    return [{"product": p, "period": period, "mass_t": mass} for p in products]


def tonnes(amounts: Mapping[str, int]) -> dict[str, float]:
    """What is not zero, in t."""
    return {key: value / T for key, value in amounts.items() if value}


def project(lot: str, quantity: float, scopes: str = "1", **more: Any) -> dict[str, Any]:
    """A row of `lots`: a project's effect."""
    return {"lot": lot, "kind": "project", "uom": "tCO2e", "quantity": quantity, "scopes": scopes, **more}


EXPIRED = {"received": "2024-06-01", "expires": "2024-12-31"}  # leaves in the first period
