"""The account: every lot, period by period (A4.2.1, A5.1.3, J5.2.1).

closing = opening + received - allocated - blocked - expired, in millionths of the lot's unit. A
period books in that order: what the period allocates is taken first, what a sibling's use blocks
next, and what is left in the period of expiry leaves with it.

Blocked: lots of one origin are one thing measured in several ways (A4.2.3). What one of them used,
as a share of its quantity, the others can no longer give; that much of their quantity, rounded up,
leaves the account as blocked, in the period of the use or, where later, of the lot's receipt.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pandas as pd

from massbalance.domain.case import Case, IndexArray
from massbalance.domain.effects import Windows, windows
from massbalance.domain.grid import IntArray
from massbalance.domain.result import Allocation
from massbalance.domain.texts import positions

Matrix = npt.NDArray[np.int64]

MOVES = ("opening", "received", "allocated", "blocked", "expired", "closing")
"""The account's columns, in the order of account.csv."""


class BooksError(AssertionError):
    """The books do not balance: an internal error (a bug, or an allocation that breaks a rule)."""


@dataclass(frozen=True)
class Account:
    """The account as matrices, shape (lots, periods), millionths of each lot's unit."""

    opening: Matrix
    received: Matrix
    allocated: Matrix
    blocked: Matrix
    expired: Matrix
    closing: Matrix

    def held(self) -> IntArray:
        """What each lot holds after the last period, shape (lots,)."""
        return self.closing[:, -1] if self.closing.shape[1] else np.zeros(len(self.closing), np.int64)


def order_periods(case: Case) -> IndexArray:
    """Period of each order as a position, shape (orders,)."""
    return positions(case.orders, "period", case.periods)


def origin_groups(case: Case, window: Windows) -> list[IndexArray]:
    """Lots that share an origin: positions of each group of two or more that are in the books.

    A lot that becomes available after the last period is outside the books and blocks nothing.
    """
    groups: dict[str, list[int]] = {}
    inside = window.received < len(case.periods)
    for lot, origin in enumerate(case.lots.text("origin")):
        if origin and inside[lot]:
            groups.setdefault(origin, []).append(lot)
    return [np.array(lots, dtype=np.intp) for lots in groups.values() if len(lots) > 1]


def build_account(case: Case, allocation: Allocation, window: Windows | None = None) -> Account:
    """The account of all lots. BooksError where a lot would be drawn below zero.

    window: `effects.windows(case)` where the caller has it already. A lot that is available
    before the first period opens it, one after the last has zeros throughout.
    """
    window = windows(case) if window is None else window
    quantity = np.asarray(case.lots.grid("quantity"), dtype=np.int64)
    shape = (len(case.lots), len(case.periods))
    allocated = np.zeros(shape, dtype=np.int64)
    np.add.at(allocated, (allocation.lot, order_periods(case)[allocation.order]), allocation.quantity)
    blocked = np.zeros(shape, dtype=np.int64)
    for group in origin_groups(case, window):
        if allocated[group].any():
            _block(blocked, group, quantity, allocated, window)
    return _balance(case, window, quantity, allocated, blocked)


def account_rows(case: Case, allocation: Allocation) -> pd.DataFrame:
    """account.csv as integers: one row per lot and period, lots by key, periods in time order.

    Columns: lot, period (keys); opening, received, allocated, blocked, expired, closing
    (int64, millionths of the lot's unit). BooksError as `build_account`.
    """
    return account_frame(case, build_account(case, allocation))


def account_frame(case: Case, account: Account) -> pd.DataFrame:
    """The account as `account_rows` gives it."""
    lots, periods = account.opening.shape
    columns: dict[str, object] = {
        "lot": np.repeat(case.lots.text("lot"), periods),
        "period": np.tile(case.periods.text("period"), lots),
    }
    columns.update({move: getattr(account, move).ravel() for move in MOVES})
    return pd.DataFrame(columns)


def _block(
    blocked: Matrix, group: IndexArray, quantity: IntArray, allocated: Matrix, window: Windows
) -> None:
    """Write what the group's lots lose to their siblings, from receipt to expiry, into `blocked`.

    Cumulated, a lot's blocked quantity is the ceiling of quantity * siblings' used share, and
    never more than the lot still has. A lot of quantity 0 uses no share and loses nothing.
    """
    lots = [int(lot) for lot in group if quantity[lot]]
    size = {lot: int(quantity[lot]) for lot in lots}
    used = dict.fromkeys(lots, 0)
    lost = dict.fromkeys(lots, 0)
    for period in range(allocated.shape[1]):
        for lot in lots:
            used[lot] += int(allocated[lot, period])
        share = sum((Fraction(used[lot], size[lot]) for lot in lots), Fraction(0))
        for lot in lots:
            if window.received[lot] <= period <= window.expiry[lot]:
                target = math.ceil(size[lot] * share) - used[lot]
                step = max(0, min(target, size[lot] - used[lot]) - lost[lot])
                blocked[lot, period] = step
                lost[lot] += step


def _balance(case: Case, window: Windows, quantity: IntArray, allocated: Matrix, blocked: Matrix) -> Account:
    """Receipts, expiry and balances around what was allocated and blocked."""
    periods = allocated.shape[1]
    received, expired = np.zeros_like(allocated), np.zeros_like(allocated)
    arrives = np.flatnonzero((window.received >= 0) & (window.received < periods))
    received[arrives, window.received[arrives]] = quantity[arrives]
    first = np.where(window.received < 0, quantity, 0).astype(np.int64)
    balance = first[:, None] + np.cumsum(received - allocated - blocked, axis=1)
    leaves = np.flatnonzero((window.received < periods) & (window.expiry < periods))
    expired[leaves, window.expiry[leaves]] = balance[leaves, window.expiry[leaves]]
    closing = balance - np.cumsum(expired, axis=1)
    opening = np.concatenate([first[:, None], closing[:, :-1]], axis=1)[:, :periods]
    account = Account(opening, received, allocated, blocked, expired, closing)
    below = np.flatnonzero(((closing < 0) | (expired < 0)).any(axis=1))
    if len(below):
        raise BooksError(f"account_balance: lot {case.lots.text('lot')[below[0]]!r} is drawn below zero")
    return account
