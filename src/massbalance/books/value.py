"""What lots are worth, and what became of it: CO2e (in g) and shares (in g of input) alike.

A lot's value is fixed when it arrives: V = floor(unit value * quantity). It is realised once the lot
is in the books, and splits, to the last unit, into
  booked + held + expired + retired + remainder
booked: what claimed products got; held, expired: floor(unit value * that quantity); remainder: what
could not be given (CO2e: forgone; shares: lost in conversion), with what rounding down left over.

Lots of one origin are one thing, valued once (A4.2.3). W is a lot's exact value (unit value *
quantity), a its used share; the lot of the greatest W (the first by key among equals) is the group's
home, and all of the group's value stands there, in its unit, area, scopes and gas:
  realised = floor(W of home); retired = floor(sum of a * (W of home - W)), what the chosen lots are
  worth less; rest = floor((1 - sum of a) * W of home), held while any lot of the group lives after the
  last period, else expired in the last of the group's expiry periods; remainder = what is left.
Booked figures never exceed a * W, so the remainder is never negative.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from massbalance.books.account import Account, BooksError, origin_groups
from massbalance.domain.case import Case, IndexArray
from massbalance.domain.effects import Windows
from massbalance.domain.grid import (
    GRID_DECIMALS,
    INT64_SAFE,
    Column,
    IntArray,
    as_python_ints,
    floor_product,
    multiply,
    peak,
)
from massbalance.domain.result import Allocation

Ints = npt.NDArray[np.object_]


def sum_by(index: IndexArray, values: IntArray, size: int) -> IntArray:
    """Exact sums of `values` by `index`, shape (size,): int64 where nothing can overflow."""
    if values.dtype != object and peak(values) * max(len(values), 1) < INT64_SAFE:
        sums = np.zeros(size, dtype=np.int64)
        np.add.at(sums, index, values)
        return sums
    exact = as_python_ints(np.zeros(size, dtype=np.int64))
    for at, value in zip(index, values, strict=True):
        exact[at] += int(value)
    return exact


def premiums(case: Case, allocation: Allocation) -> Column:
    """What each order's claimed mass brings: premium per t of the terms taken, times the mass; exact.

    In the case's currency, shape (orders,).
    """
    own, offered, decimals = case.orders.exact["premium_per_t"].aligned(case.offers.exact["premium_per_t"])
    price, taken = own.copy(), allocation.taken
    if price.dtype != offered.dtype:
        price, offered = as_python_ints(own), as_python_ints(offered)
    price[taken >= 0] = offered[taken[taken >= 0]]
    return Column.of(multiply(price, allocation.claimed), decimals + GRID_DECIMALS)


def add_up(values: Iterable[int]) -> int:
    """Exact sum as a Python int."""
    return sum((int(v) for v in values), 0)


@dataclass(frozen=True)
class Split:
    """Value of all lots and where it went. Arrays over lots, Python ints, shape (lots,).

    home: where each lot's value stands (itself, or its origin group's home). realised, booked,
    held, expired, retired, remainder: at the homes, 0 elsewhere. expired_in: period in which a
    home's `expired` left (0 where nothing did).
    """

    home: IndexArray
    realised: Ints
    booked: Ints
    held: Ints
    expired: Ints
    retired: Ints
    remainder: Ints
    expired_in: npt.NDArray[np.int64]


def split_value(case: Case, account: Account, window: Windows, worth: Column, booked: Ints) -> Split:
    """Where the value of every lot went.

    worth: value of one unit of each lot; booked: what claimed products got of each lot, in
    millionths, shape (lots,). BooksError where more went than there was.
    """
    inside = window.received < len(case.periods)
    quantity = np.where(inside, case.lots.grid("quantity"), 0)
    expired = account.expired.sum(axis=1)
    home = np.arange(len(case.lots), dtype=np.intp)
    draft = Split(
        home=home,
        realised=as_python_ints(floor_product(quantity, worth)),
        booked=booked,
        held=as_python_ints(floor_product(account.held(), worth)),
        expired=as_python_ints(floor_product(expired, worth)),
        retired=as_python_ints(np.zeros(len(home), dtype=np.int64)),
        remainder=as_python_ints(np.zeros(len(home), dtype=np.int64)),
        expired_in=np.where(expired > 0, window.expiry, 0),
    )
    groups = origin_groups(case, window)
    for group in groups:
        _write_group(draft, group, quantity, account, window, worth)
    by_home = as_python_ints(sum_by(home, booked, len(home))) if groups else booked
    remainder = draft.realised - by_home - draft.held - draft.expired - draft.retired
    over = [lot for lot, left in enumerate(remainder) if left < 0]
    if over:
        name = case.lots.text("lot")[over[0]]
        raise BooksError(f"value_once_per_origin: lot {name!r} gave more than its value")
    return replace(draft, booked=by_home, remainder=remainder)


def _write_group(
    draft: Split, group: IndexArray, quantity: IntArray, account: Account, window: Windows, worth: Column
) -> None:
    """Replace what the draft says of one origin's lots by what the group is worth, at its home."""
    lots = [int(lot) for lot in group]
    exact = {lot: worth.fraction(lot) * int(quantity[lot]) for lot in lots}
    used = {
        lot: Fraction(int(account.allocated[lot].sum()), int(quantity[lot])) if quantity[lot] else Fraction(0)
        for lot in lots
    }
    home = max(lots, key=lambda lot: (exact[lot], -lot))
    top, rest = exact[home], 1 - sum(used.values(), Fraction(0))
    if rest < 0:
        raise BooksError("value_once_per_origin: lots of one origin are used beyond the whole")
    for array in (draft.realised, draft.held, draft.expired, draft.retired):
        array[group] = 0
    draft.home[group] = home
    draft.realised[home] = int(top)
    draft.retired[home] = int(sum((used[lot] * (top - exact[lot]) for lot in lots), Fraction(0)))
    last = max((int(window.expiry[lot]) for lot in lots if quantity[lot]), default=0)
    if last >= account.closing.shape[1]:
        draft.held[home] = int(rest * top)
    else:
        draft.expired[home] = int(rest * top)
        draft.expired_in[home] = last
