"""What is ordered, in distinct combinations: a million orders ask for few different things."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from massbalance.domain.case import IndexArray
from massbalance.domain.schema import GHG_CLAIMS, SHARE_CLAIMS
from massbalance.intake.build import Built
from massbalance.intake.cells import Cells, positions

CLAIM_BIT = {claim: 1 << i for i, claim in enumerate((*SHARE_CLAIMS, *GHG_CLAIMS))}
SHARE_BITS = sum(CLAIM_BIT[claim] for claim in SHARE_CLAIMS)
GHG_BITS = sum(CLAIM_BIT[claim] for claim in GHG_CLAIMS)
_ALL_BITS = 1 << len(CLAIM_BIT)


@dataclass(frozen=True)
class Demand:
    """Distinct (product, period, accepted schemes, claims) of the orders; arrays of shape (m,).

    product, period: positions in their tables; schemes: position in `scheme_lists` (sets of
    accepted schemes, empty = all); claims: bits of CLAIM_BIT, an order's own and its offers'.
    """

    product: IndexArray
    period: IndexArray
    schemes: IndexArray
    claims: npt.NDArray[np.int64]
    scheme_lists: list[frozenset[str]]

    def of_products(self, count: int) -> npt.NDArray[np.int64]:
        """Claims (bits) ordered of each product, shape (count,)."""
        bits = np.zeros(count, dtype=np.int64)
        np.bitwise_or.at(bits, self.product, self.claims)
        return bits


def demand(built: dict[str, Built]) -> Demand:
    """Distinct combinations in `orders`, with the claims of `offers`."""
    orders = built["orders"]
    product = row_of(orders, "product", built["products"])
    period = row_of(orders, "period", built["periods"])
    scheme_codes, scheme_words = orders.codes("schemes")
    codes, words = orders.codes("claim")
    claims = np.array([CLAIM_BIT.get(word, 0) for word in words], dtype=np.int64)[codes]
    _add_offers(claims, orders, built["offers"])
    combined = (product * (period.max(initial=0) + 1) + period) * len(scheme_words) + scheme_codes
    _, first = np.unique(combined * _ALL_BITS + claims, return_index=True)
    lists = [frozenset(word.split(";")) - {""} for word in scheme_words]
    return Demand(product[first], period[first], scheme_codes[first].astype(np.intp), claims[first], lists)


def row_of(table: Built, column: str, target: Built) -> IndexArray:
    """Rows of the target's table that a reference column points to, shape (n,)."""
    if len(table.table) == 0:
        return np.zeros(0, dtype=np.intp)
    cells = target.draft.columns[target.draft.spec.key[0]].cells if len(target.table) else Cells.empty()
    row = np.full(len(cells.words) + 1, -1, dtype=np.intp)
    row[cells.codes[target.order]] = np.arange(len(target.order))
    codes, words = table.codes(column)
    return row[positions(pa.array(words, pa.large_string()), cells.words)][codes]


def _add_offers(claims: npt.NDArray[np.int64], orders: Built, offers: Built) -> None:
    if len(offers.table) == 0:
        return
    codes, words = offers.codes("claim")
    bits = np.array([CLAIM_BIT.get(word, 0) for word in words], dtype=np.int64)[codes]
    rows = row_of(offers, "order", orders)
    # an offer whose order has a fault of its own adds nothing
    sound = rows >= 0
    np.bitwise_or.at(claims, rows[sound], bits[sound])
