"""The books as CSV: the bytes of allocation.csv, orders.csv, account.csv and residual.csv.

UTF-8, line feeds, a header, exact decimals without trailing zeros, empty for "none". Periods stand in time
order, everything else by key; the same books always give the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pandas as pd

from massbalance.books.account import MOVES
from massbalance.books.book import ResidualBook, ResidualRow
from massbalance.books.value import sum_by
from massbalance.domain.case import Case, IndexArray
from massbalance.domain.grid import GRID_DECIMALS, Column, IntArray, as_python_ints, decimal_text, multiply
from massbalance.domain.result import Allocation

Texts = npt.NDArray[np.object_]

ALLOCATION = ("lot", "order", "offer", "quantity", "uom", "credited_t", "scope1", "scope2", "scope3")
ORDERS = (
    "order", "offer", "claimed_t", "unmet_t", "claim", "level", "cfp_before", "cfp_after", "premium", "why",
    "customer", "product", "period", "mass_t", "premium_per_t",
)  # fmt: skip
ACCOUNT = ("lot", "period", *MOVES)
RESIDUAL = (
    "product", "period", "produced_t", "claimed_t", "conventional_t", "cfp_before", "cfp_residual",
    "green_share_residual", "recycled_share_residual", "correction_tco2e_per_t",
)  # fmt: skip

_NEEDS_QUOTES = re.compile(r'[",\r\n]')


def allocation_csv(case: Case, allocation: Allocation) -> bytes:
    """allocation.csv: one row per lot and order, by order, offer and lot; t, or the lot's unit."""
    rows = np.lexsort((allocation.lot, allocation.offer, allocation.order))
    lot, order = allocation.lot[rows], allocation.order[rows]
    numbers = (
        allocation.quantity, allocation.credited, allocation.scope1, allocation.scope2, allocation.scope3,
    )  # fmt: skip
    quantity, credited, *scopes = (_numbers(values[rows]) for values in numbers)
    return _csv(
        ALLOCATION,
        [
            _cells(case.lots.text("lot"))[lot],
            _cells(case.orders.text("order"))[order],
            _offer_names(case, allocation.offer[rows]),
            quantity,
            _cells(case.lots.text("uom"))[lot],
            credited,
            *scopes,
        ],
    )


def orders_csv(case: Case, allocation: Allocation, why: Sequence[str]) -> bytes:
    """orders.csv: every order, with the terms taken (its own where nothing is claimed).

    why: one text per order, in the case's order (ValueError where the number differs). cfp_after is
    rounded up to 6 decimals and empty where nothing is claimed; premium is what the claimed mass
    brings, in the case's currency.
    """
    orders, taken = case.orders, allocation.taken
    if len(why) != len(orders):
        raise ValueError(f"{len(why)} reasons for {len(orders)} orders")
    return _csv(
        ORDERS,
        [
            _cells(orders.text("order")),
            _offer_names(case, taken),
            _numbers(allocation.claimed),
            _numbers(orders.grid("mass_t") - allocation.claimed),
            _terms(_cells(orders.text("claim")), _cells(case.offers.text("claim")), taken),
            _term_numbers(case, "level", taken),
            *_footprints(case, allocation),
            _premiums(case, allocation),
            _cells(why),
            *(_cells(orders.text(column)) for column in ("customer", "product", "period")),
            _numbers(orders.grid("mass_t")),
            _term_numbers(case, "premium_per_t", taken),
        ],
    )


def account_csv(case: Case, rows: pd.DataFrame) -> bytes:
    """account.csv from `account.account_rows`, lots by key and periods in time order."""
    period = case.periods.find(np.asarray(rows["period"].astype(object), dtype=object))
    lot = case.lots.find(np.asarray(rows["lot"].astype(object), dtype=object))
    order = np.lexsort((period, lot))
    moves = [_numbers(rows[move].to_numpy()[order]) for move in MOVES]
    names = _cells(case.lots.text("lot"))[lot[order]], _cells(case.periods.text("period"))[period[order]]
    return _csv(ACCOUNT, [*names, *moves])


def residual_csv(case: Case, book: ResidualBook) -> bytes:
    """residual.csv: every product and period with production; see `book.ResidualRow`.

    cfp_residual is rounded up and shares are rounded down to 6 decimals, all empty where every t is
    claimed; the correction is cfp_residual less measured_tco2e_per_t where both are there.
    """
    rows = book.rows
    product = np.array([row.product for row in rows], dtype=np.intp)
    period = np.array([row.period for row in rows], dtype=np.intp)
    exact = case.products.exact
    before = exact["s1"].plus(exact["s2"]).plus(exact["s3"])
    # rounding to the gram must not declare more than the intensity itself
    declared = _rounded((row.cfp_residual for row in rows), up=True).minimum(before.take(product))
    masses = [
        _numbers(np.array([getattr(row, name) for row in rows], dtype=object))
        for name in ("produced", "claimed", "conventional")
    ]
    return _csv(
        RESIDUAL,
        [
            _cells(case.products.text("product"))[product],
            _cells(case.periods.text("period"))[period],
            *masses,
            _column(before)[product],
            _column(declared),
            *(_column(_share(rows, name)) for name in ("green", "recycled")),
            _column(declared.minus(exact["measured_tco2e_per_t"].take(product))),
        ],
    )


def _share(rows: Sequence[ResidualRow], name: str) -> Column:
    return _rounded((row.share_residual(name) for row in rows), up=False)


def _rounded(values: Iterable[Fraction | None], up: bool) -> Column:
    """Fractions on the grid of 6 decimals, rounded up or down; None is not given."""
    items = list(values)
    scale = 10**GRID_DECIMALS
    whole = np.empty(len(items), dtype=object)
    for i, item in enumerate(items):
        if item is None:
            whole[i] = 0
        else:
            high = item.numerator * scale
            whole[i] = -(-high // item.denominator) if up else high // item.denominator
    return Column(whole, GRID_DECIMALS, np.array([item is not None for item in items], dtype=bool))


def _footprints(case: Case, allocation: Allocation) -> tuple[Texts, Texts]:
    """cfp_before and cfp_after of each order: s1 + s2 + s3, less reductions per claimed t."""
    exact = case.products.exact
    product = case.products.find(case.orders.text("product"))
    before = exact["s1"].plus(exact["s2"]).plus(exact["s3"])
    reduced = sum_by(allocation.order, allocation.reduction, len(case.orders))
    after = np.full(len(case.orders), "", dtype=object)
    scale, values = 10**GRID_DECIMALS, as_python_ints(before.values)[product]
    for i in np.flatnonzero(allocation.claimed):
        claimed, unit = int(allocation.claimed[i]), 10**before.decimals
        carried = (values[i] * claimed - reduced[i] * unit) * scale
        after[i] = decimal_text(-(-carried // (claimed * unit)))
    return _column(before)[product], after


def _offer_names(case: Case, offer: IndexArray) -> Texts:
    """Names of offers by position; empty for -1, the order's own terms."""
    return _terms(np.full(len(offer), "", dtype=object), _cells(case.offers.text("offer")), offer)


def _term_numbers(case: Case, column: str, taken: IndexArray) -> Texts:
    """A number of the terms taken: the order's own, or its offer's."""
    return _terms(_column(case.orders.exact[column]), _column(case.offers.exact[column]), taken)


def _premiums(case: Case, allocation: Allocation) -> Texts:
    """Premium per t of the terms taken, times the claimed mass; exact."""
    own, offered, decimals = case.orders.exact["premium_per_t"].aligned(case.offers.exact["premium_per_t"])
    price, taken = own.copy(), allocation.taken
    if price.dtype != offered.dtype:
        price, offered = as_python_ints(own), as_python_ints(offered)
    price[taken >= 0] = offered[taken[taken >= 0]]
    return _numbers(multiply(price, allocation.claimed), decimals + GRID_DECIMALS)


def _terms(own: Texts, offered: Texts, taken: IndexArray) -> Texts:
    """`offered` at `taken` where an offer is taken (position 0 or more), else `own`."""
    out = own.copy()
    out[taken >= 0] = offered[taken[taken >= 0]]
    return out


def _numbers(values: IntArray, decimals: int = GRID_DECIMALS) -> Texts:
    """Exact decimal texts; each distinct value is written once (tables are full of zeros)."""
    distinct, at = np.unique(values, return_inverse=True)
    texts = np.empty(len(distinct), dtype=object)
    texts[:] = [decimal_text(int(value), decimals) for value in distinct]
    return np.asarray(texts[at], dtype=object)


def _column(column: Column) -> Texts:
    """Exact decimal texts of a column, empty where not given."""
    return np.where(column.given, _numbers(column.values, column.decimals), "")


def _cells(texts: Iterable[str]) -> Texts:
    """Text as CSV cells: quoted where it holds a comma, a quote or a line break."""
    items = ['"' + t.replace('"', '""') + '"' if _NEEDS_QUOTES.search(t) else t for t in texts]
    out = np.empty(len(items), dtype=object)
    out[:] = items
    return out


def _csv(header: Sequence[str], columns: Sequence[Texts]) -> bytes:
    lines = [",".join(header), *map(",".join, zip(*columns, strict=True))]
    return ("\n".join(lines) + "\n").encode("utf-8")
