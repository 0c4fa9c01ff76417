"""The books as tables of text: allocation.csv, orders.csv, account.csv and residual.csv.

UTF-8, line feeds, a header, exact decimals without trailing zeros, empty for "none". Periods stand in time
order, everything else by key; the same books always give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

import numpy as np
import pandas as pd
import pyarrow as pa

from massbalance.books.account import MOVES
from massbalance.books.book import ResidualBook, ResidualRow
from massbalance.books.value import premiums, sum_by
from massbalance.domain.case import Case, IndexArray
from massbalance.domain.grid import (
    GRID_DECIMALS,
    INT64_SAFE,
    Column,
    IntArray,
    as_python_ints,
    peak,
)
from massbalance.domain.result import Allocation
from massbalance.domain.texts import (
    Strings,
    TextTable,
    column_texts,
    decimal_texts,
    pick,
    positions,
    strings,
    text,
    where,
)

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
_WORDS = frozenset({"lot", "order", "offer", "uom", "claim", "why", "customer", "product", "period"})
"""Columns of text; all others hold decimals."""


def _table(names: Sequence[str], columns: Sequence[Strings]) -> TextTable:
    return TextTable(dict(zip(names, columns, strict=True)), frozenset(names) - _WORDS)


def allocation_table(case: Case, allocation: Allocation) -> TextTable:
    """allocation.csv: one row per lot and order, by order, offer and lot; t, or the lot's unit."""
    rows = np.lexsort((allocation.lot, allocation.offer, allocation.order))
    lot = allocation.lot[rows]
    numbers = (
        allocation.quantity, allocation.credited, allocation.scope1, allocation.scope2, allocation.scope3,
    )  # fmt: skip
    quantity, credited, *scopes = (decimal_texts(values[rows]) for values in numbers)
    return _table(
        ALLOCATION,
        [
            pick(text(case.lots, "lot"), lot),
            pick(text(case.orders, "order"), allocation.order[rows]),
            pick(text(case.offers, "offer"), allocation.offer[rows]),
            quantity,
            pick(text(case.lots, "uom"), lot),
            credited,
            *scopes,
        ],
    )


def orders_table(case: Case, allocation: Allocation, why: Strings | Sequence[str]) -> TextTable:
    """orders.csv: every order, with the terms taken (its own where nothing is claimed).

    why: one text per order, in the case's order (ValueError where the number differs). cfp_after is
    rounded up to 6 decimals and empty where nothing is claimed; premium is what the claimed mass
    brings, in the case's currency.
    """
    orders, taken = case.orders, allocation.taken
    if len(why) != len(orders):
        raise ValueError(f"{len(why)} reasons for {len(orders)} orders")
    mass = orders.grid("mass_t")
    return _table(
        ORDERS,
        [
            text(orders, "order"),
            pick(text(case.offers, "offer"), taken),
            decimal_texts(allocation.claimed),
            decimal_texts(mass - allocation.claimed),
            _terms(text(orders, "claim"), text(case.offers, "claim"), taken),
            _term_numbers(case, "level", taken),
            *_footprints(case, allocation),
            column_texts(premiums(case, allocation)),
            why if isinstance(why, pa.Array) else strings(why),
            *(text(orders, column) for column in ("customer", "product", "period")),
            decimal_texts(mass),
            _term_numbers(case, "premium_per_t", taken),
        ],
    )


def account_table(case: Case, rows: pd.DataFrame) -> TextTable:
    """account.csv from `account.account_rows`, lots by key and periods in time order."""
    period = case.periods.find(np.asarray(rows["period"].astype(object), dtype=object))
    lot = case.lots.find(np.asarray(rows["lot"].astype(object), dtype=object))
    order = np.lexsort((period, lot))
    moves = [decimal_texts(rows[move].to_numpy()[order]) for move in MOVES]
    names = pick(text(case.lots, "lot"), lot[order]), pick(text(case.periods, "period"), period[order])
    return _table(ACCOUNT, [*names, *moves])


def account_csv(case: Case, rows: pd.DataFrame) -> bytes:
    """The bytes of account.csv."""
    return account_table(case, rows).csv_bytes()


def residual_table(case: Case, book: ResidualBook) -> TextTable:
    """residual.csv: every product and period with production; see `book.ResidualRow`.

    cfp_residual is rounded up and shares are rounded down to 6 decimals, all empty where every t is
    claimed; the correction is cfp_residual less measured_tco2e_per_t where both are there.
    """
    rows = book.rows
    product = np.array([row.product for row in rows], dtype=np.intp)
    period = np.array([row.period for row in rows], dtype=np.intp)
    exact = case.products.exact
    before = exact["s1"].plus(exact["s2"]).plus(exact["s3"]).take(product)
    # rounding to the gram must not declare more than the intensity itself
    declared = _rounded((row.cfp_residual for row in rows), up=True).minimum(before)
    masses = [
        decimal_texts(np.array([getattr(row, name) for row in rows], dtype=object))
        for name in ("produced", "claimed", "conventional")
    ]
    return _table(
        RESIDUAL,
        [
            pick(text(case.products, "product"), product),
            pick(text(case.periods, "period"), period),
            *masses,
            column_texts(before),
            column_texts(declared),
            *(column_texts(_share(rows, name)) for name in ("green", "recycled")),
            column_texts(declared.minus(exact["measured_tco2e_per_t"].take(product))),
        ],
    )


def residual_csv(case: Case, book: ResidualBook) -> bytes:
    """The bytes of residual.csv."""
    return residual_table(case, book).csv_bytes()


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


def _footprints(case: Case, allocation: Allocation) -> tuple[Strings, Strings]:
    """cfp_before and cfp_after of each order: s1 + s2 + s3, less reductions per claimed t."""
    exact = case.products.exact
    product = positions(case.orders, "product", case.products)
    before = exact["s1"].plus(exact["s2"]).plus(exact["s3"])
    reduced = sum_by(allocation.order, allocation.reduction, len(case.orders))
    after = footprints_after(before.take(product), allocation.claimed, reduced)
    texts = pick(column_texts(before), product)
    return texts, where(allocation.claimed > 0, decimal_texts(after))


def footprints_after(before: Column, claimed: IntArray, reduced: IntArray) -> IntArray:
    """before - reduced / claimed, t CO2e per t on 6 decimals, rounded up; 0 where nothing is claimed."""
    unit, scale = 10**before.decimals, 10**GRID_DECIMALS
    # a product's value and an order's mass are small enough by far; what is not takes Python integers
    room = INT64_SAFE // 4
    most = room // max(unit * scale, peak(before.values))
    if before.values.dtype == object or reduced.dtype == object or peak(before.values) > room // scale:
        small = np.zeros(len(claimed), dtype=bool)
    else:
        per_t = reduced // np.maximum(claimed, 1)
        small = (claimed <= most) & (reduced <= room // unit) & (per_t <= room // scale)
    after = np.zeros(len(claimed), dtype=object if not small.all() else np.int64)
    for rows in (np.flatnonzero(small & (claimed > 0)), np.flatnonzero(~small & (claimed > 0))):
        values, mass, less = before.values[rows], claimed[rows], reduced[rows]
        if not small[rows].all():
            values, mass, less = as_python_ints(values), as_python_ints(mass), as_python_ints(less)
        carried, of = values * mass - less * unit, mass * unit
        high = carried // of
        after[rows] = high * scale - (-((carried - high * of) * scale) // of)
    return after


def _term_numbers(case: Case, column: str, taken: IndexArray) -> Strings:
    """A number of the terms taken: the order's own, or its offer's."""
    return _terms(column_texts(case.orders.exact[column]), column_texts(case.offers.exact[column]), taken)


def _terms(own: Strings, offered: Strings, taken: IndexArray) -> Strings:
    """`offered` at `taken` where an offer is taken (position 0 or more), else `own`."""
    if not (taken >= 0).any():
        return own
    at = np.where(taken >= 0, len(own) + taken, np.arange(len(own)))
    return pick(pa.concat_arrays([own, offered]), at)
