"""What a future leaves of a case: lots and when they may serve, and what firm orders then draw."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from massbalance.domain.case import Case, IndexArray, Table
from massbalance.domain.effects import windows
from massbalance.domain.grid import GRID
from massbalance.scenario.futures import Future

Ints = npt.NDArray[np.int64]
ONE = Fraction(1)


@dataclass(frozen=True)
class Lots:
    """Lots of one future, shape (lots,): quantity in millionths; first, last usable period (first > last:
    none).
    """

    quantity: Ints
    first: Ints
    last: Ints


class World:
    """A case, and what futures make of it."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.lot = {name: i for i, name in enumerate(case.lots.text("lot"))}
        self.order = {name: i for i, name in enumerate(case.orders.text("order"))}
        self.product = case.products.position
        self.planned = self._lots(case, np.asarray(case.lots.grid("quantity"), dtype=np.int64))

    def _lots(self, case: Case, quantity: Ints) -> Lots:
        window = windows(case)
        return Lots(quantity, window.first, window.last)

    def lots(self, future: Future) -> Lots:
        """Quantities rounded down; a late lot is received and used so many days later.

        A lot's own expiry stays, so one that comes after it serves nobody; a default expiry counts from
        receipt and moves along.
        """
        quantity = self.planned.quantity
        if future.factors:
            quantity = quantity.copy()
            for lot, factor in future.factors.items():
                i = self.lot[lot]
                quantity[i] = int(quantity[i]) * int(factor * GRID) // GRID
        if not future.delays:
            return replace(self.planned, quantity=quantity)
        return self._lots(self._delayed(future), quantity)

    def _delayed(self, future: Future) -> Case:
        lots = self.case.lots
        days = np.zeros(len(lots), dtype="timedelta64[D]")
        for lot, delay in future.delays.items():
            days[self.lot[lot]] = delay
        rows = lots.rows.copy(deep=False)
        for column in ("received", "used"):
            rows[column] = (lots.days(column) + days).astype("datetime64[s]")
        table = Table(lots.name, rows, lots.exact, lots.source_row)
        return replace(self.case, tables={**self.case.tables, "lots": table})

    def cancelled(self, future: Future) -> IndexArray:
        """Positions of the orders that a future cancels."""
        return np.array([self.order[name] for name in future.cancelled], dtype=np.intp)

    def input_per_t(self, future: Future, product: int) -> Fraction:
        """How much more input a tonne of the product takes than planned: planned over future yield.

        A tonne of input never gives more than a tonne of product.
        """
        factor = future.yields.get(str(self.case.products.rows.iloc[product, 0]))
        if factor is None:
            return ONE
        rate = self.case.products.exact["t_product_per_t_input"].fraction(product)
        return rate / min(ONE, rate * Fraction(factor))
