"""Reservations as firm orders of a case: what else stands in a promise's way, in the words of orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pandas as pd

from massbalance.domain.case import Case, Table
from massbalance.domain.grid import Column
from massbalance.quote.ask import case_of
from massbalance.quote.reserved import Kept, ask_of


def with_reservations(case: Case, kept: Sequence[Kept]) -> Case:
    """The case with what is kept of each reservation as a firm order behind all others, in their order."""
    asks = [
        (one.reservation.name, replace(ask_of(case, one.reservation), mass=one.held))
        for one in kept
        if one.held
    ]
    if not asks:
        return case
    orders, rank = case.orders, {one.reservation.name: n for n, one in enumerate(kept)}
    behind = int(orders.floats("priority").max(initial=0.0)) + 1
    found = case_of(case, asks).orders
    priority = [Fraction(behind + rank[name]) for name, _ in asks]
    customer = {one.reservation.name: one.reservation.customer for one in kept}
    exact = {**found.exact, "priority": Column.from_fractions(priority)}
    rows = found.rows.assign(
        order=[f"reservation {name}" for name, _ in asks],
        customer=[customer[name] for name, _ in asks],
        firm=True,
        priority=[float(p) for p in priority],
    )
    every = pd.concat([orders.rows, rows.astype(orders.rows.dtypes.to_dict())], ignore_index=True)
    order = np.argsort(every["order"].astype(object).to_numpy(), kind="stable")
    table = Table(
        "orders",
        every.iloc[order].reset_index(drop=True),
        {name: column.joined(exact[name]).take(order) for name, column in orders.exact.items()},
        np.concatenate([orders.source_row, found.source_row])[order],
    )
    return replace(case, tables={**case.tables, "orders": table})
