"""The books of green and recycled shares, in g (A5.1.1, T3.1).

Every material lot brings share * quantity. Of it, claimed products get share * credited mass; what
conversion loses, with what rounding down left over, is lost. An expired share goes to conventional
products of its area and period, by mass, as input: each credits its own t_product_per_t_input of it
(the rest of that input is lost) and never more than its mass. What nobody can take is retired, and
under the `baseline` residual all of it. Lots of one origin are valued once, as CO2e is: at the lot
with the most of that share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from massbalance.books.account import Account
from massbalance.books.release import Taker, by_area, water_fill
from massbalance.books.value import Split, add_up, split_value, sum_by
from massbalance.domain.case import Case
from massbalance.domain.effects import Effects, Windows
from massbalance.domain.grid import Column, as_python_ints, floor_product
from massbalance.domain.result import Allocation

SHARES = ("green", "recycled")


@dataclass(frozen=True)
class ShareBook:
    """One share's balance in g, and what each taker was given (g of product, shape (takers,)).

    balance: realised = allocated + lost + released + retired + held; expired says what left by
    expiry (it went to released, lost and retired).
    """

    balance: dict[str, int]
    given: list[int]


def share_of(case: Case, effects: Effects, name: str) -> Column:
    """Share of each lot per unit of input: green, or recycled (pre and post); 0 unless material."""
    exact = case.lots.exact
    if name == "green":
        share = exact["green_share"].or_zero()
    else:
        share = exact["recycled_pre"].or_zero().plus(exact["recycled_post"].or_zero())
    return Column.of(np.where(effects.is_material, share.values, 0), share.decimals)


def share_book(
    case: Case,
    allocation: Allocation,
    effects: Effects,
    account: Account,
    window: Windows,
    takers: Sequence[Taker],
    rates: Sequence[tuple[int, int]],
    name: str,
) -> ShareBook:
    """Balance one share. rates: t_product_per_t_input of each taker as (numerator, denominator)."""
    share = share_of(case, effects, name)
    credited = sum_by(allocation.lot, allocation.credited, len(case.lots))
    booked = as_python_ints(floor_product(credited, share))
    split = split_value(case, account, window, share, booked)
    given, used = _release(case, effects, split, takers, rates)
    expired, released = add_up(split.expired), sum(given)
    balance = {
        "realised": add_up(split.realised),
        "allocated": add_up(split.booked),
        "lost": add_up(split.remainder) + used - released,
        "expired": expired,
        "released": released,
        "retired": add_up(split.retired) + expired - used,
        "held": add_up(split.held),
    }
    return ShareBook(balance, given)


def _release(
    case: Case, effects: Effects, split: Split, takers: Sequence[Taker], rates: Sequence[tuple[int, int]]
) -> tuple[list[int], int]:
    """Product mass (g) given to each taker, and the input (g) that it took in all."""
    given, used = [0] * len(takers), 0
    if case.rules.parameters.residual == "baseline":
        return given, used
    boundary = case.rules.boundary("material")
    places = by_area(takers, boundary)
    pools: dict[tuple[str, int], int] = {}
    for lot in np.flatnonzero(split.expired):
        place = (effects.boundaries.lot[lot], int(split.expired_in[lot]))
        pools[place] = pools.get(place, 0) + int(split.expired[lot])
    for place, amount in pools.items():
        able = places.get(place, [])
        rooms = [takers[i].mass * rates[i][1] // rates[i][0] for i in able]
        for i, part in zip(able, water_fill(amount, [takers[i].mass for i in able], rooms), strict=True):
            given[i] = part * rates[i][0] // rates[i][1]
            used += part
    return given, used
