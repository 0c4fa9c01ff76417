"""What a run decides, in integers: which lot serves which order, and how much is claimed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from massbalance.domain.case import IndexArray

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Allocation:
    """Booked allocation, in millionths of a unit; rows sorted by (order, offer, lot).

    One row per (lot, order): lot, order: positions in the case's tables; offer: position in
    `offers`, -1 for the order's own terms; quantity: in the lot's unit; credited: g of
    product (0 unless material); scope1..3: g CO2e. Arrays over the rows.
    claimed: g per order, shape (orders,); taken: offer position per order (-1 own terms, also
    where nothing is claimed), shape (orders,).
    """

    lot: IndexArray
    order: IndexArray
    offer: IndexArray
    quantity: Ints
    credited: Ints
    scope1: Ints
    scope2: Ints
    scope3: Ints
    claimed: Ints
    taken: IndexArray

    @property
    def reduction(self) -> Ints:
        """g CO2e per row, all scopes."""
        return self.scope1 + self.scope2 + self.scope3

    def by_lot(self, lots: int) -> Ints:
        """Quantity taken from each lot, shape (lots,)."""
        out = np.zeros(lots, dtype=np.int64)
        np.add.at(out, self.lot, self.quantity)
        return out
