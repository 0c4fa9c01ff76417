"""What a sampled future does to a case, as edits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

import numpy as np

from massbalance.domain.case import Case
from massbalance.scenario.cells import plain
from massbalance.scenario.edits import Action, Condition, Edit
from massbalance.scenario.futures import Future


def future_edits(case: Case, future: Future) -> tuple[Edit, ...]:
    """Late and short lots, cancelled orders and yields of a future, for a case.

    A lot that would be received after its own expiry does not come at all: its quantity is 0. A yield
    stays at most 1. What the case does not have (any more) is passed over.
    """
    lots = case.lots.position
    late = {lot: days for lot, days in future.delays.items() if lot in lots}
    lost = _too_late(case, late)
    by_day = _grouped({lot: str(days) for lot, days in late.items() if lot not in lost})
    factors = {lot: plain(factor) for lot, factor in future.factors.items() if lot in lots}
    by_factor = _grouped({**factors, **dict.fromkeys(lost, "0")})
    orders = tuple(order for order in future.cancelled if order in case.orders.position)
    edits = [
        *(_edit("lots", "lot", some, "shift_days", "received", "used", by=days) for days, some in by_day),
        *(_edit("lots", "lot", some, "multiply", "quantity", by=factor) for factor, some in by_factor),
        *(_edit("products", "product", (name,), "set", "t_product_per_t_input", by=rate)
          for name, rate in _rates(case, future.yields)),
    ]  # fmt: skip
    if orders:
        edits.append(Edit("orders", "drop", (Condition("order", (("=", orders),)),)))
    return tuple(edits)


def _edit(table: str, key: str, names: tuple[str, ...], action: Action, *columns: str, by: str) -> Edit:
    where = (Condition(key, (("=", names),)),)
    return Edit(table, action, where, tuple((column, by) for column in columns))


def _grouped(by_name: Mapping[str, str]) -> list[tuple[str, tuple[str, ...]]]:
    """(figure, names that have it), in order of the names."""
    found: dict[str, list[str]] = {}
    for name, figure in sorted(by_name.items()):
        found.setdefault(figure, []).append(name)
    return [(figure, tuple(names)) for figure, names in found.items()]


def _too_late(case: Case, late: Mapping[str, int]) -> list[str]:
    """Lots whose receipt comes after their own expiry."""
    received, expires = case.lots.days("received"), case.lots.days("expires")
    found = []
    for lot, days in late.items():
        at = case.lots.position[lot]
        if not np.isnat(expires[at]) and received[at] + np.timedelta64(days, "D") > expires[at]:
            found.append(lot)
    return found


def _rates(case: Case, factors: Mapping[str, Decimal]) -> Iterable[tuple[str, str]]:
    """(product, its yield as a table holds it) under factors."""
    exact = case.products.exact["t_product_per_t_input"]
    for name, factor in sorted(factors.items()):
        if name in case.products.position:
            at = case.products.position[name]
            rate = Decimal(int(exact.values[at])).scaleb(-exact.decimals) * factor
            yield name, plain(min(Decimal(1), rate))
