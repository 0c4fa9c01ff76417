"""Ageing of credits: what the account holds at the end of each period, t CO2e, by months to its expiry.

A lot's value is what the books give it (`books.value`): unit value times what it holds, rounded down to the
gram. Lots of one origin are one thing: what is left of them is worth the unused share of the dearest that is
there, until the last of them expires. At the end of the last period this is the summary's `held`.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from massbalance.books.account import origin_groups
from massbalance.domain.effects import NEVER
from massbalance.domain.grid import as_python_ints, floor_product
from massbalance.pages.run import Reported

MONTHS = (1, 3, 6, 12)
"""Upper bounds of the classes of age; then comes what lives longer, and what does not expire."""
CLASSES = ("m1", "m3", "m6", "m12", "later", "never")


@dataclass(frozen=True)
class Holding:
    """What is left of a lot (or of an origin) at the end of a period: g CO2e, last day (None: never)."""

    period: int
    lot: str
    amount: int
    expires: date | None


@dataclass(frozen=True)
class Ageing:
    """By period: `held[class][i]` and `expired[i]` (what left unused in period i), g CO2e.

    holdings: what the last period's end holds, the next to expire first.
    """

    periods: tuple[str, ...]
    ends: tuple[date, ...]
    held: dict[str, tuple[int, ...]]
    expired: tuple[int, ...]
    holdings: tuple[Holding, ...]

    def total(self, period: int) -> int:
        """Everything held at the end of a period, g CO2e."""
        return sum(amounts[period] for amounts in self.held.values())


def ageing(source: Reported) -> Ageing:
    """The ageing of a run's credits."""
    case = source.case
    ends = tuple(date.fromisoformat(str(day)) for day in case.periods.days("end"))
    held = {name: [0] * len(ends) for name in CLASSES}
    holdings = _holdings(source)
    for one in holdings:
        held[class_of(ends[one.period], one.expires)][one.period] += one.amount
    expired = [0] * len(ends)
    for period, amount in zip(source.books.split.expired_in, source.books.split.expired, strict=True):
        if amount:
            expired[int(period)] += int(amount)
    last = [one for one in holdings if one.period == len(ends) - 1]
    last.sort(key=lambda one: (one.expires or date.max, -one.amount, one.lot))
    return Ageing(
        tuple(str(p) for p in case.periods.text("period")), ends,
        {name: tuple(amounts) for name, amounts in held.items()}, tuple(expired), tuple(last),
    )  # fmt: skip


def class_of(end: date, expires: date | None) -> str:
    """The class of age, at the end of a period, of what expires on a day."""
    if expires is None:
        return "never"
    for months, name in zip(MONTHS, CLASSES, strict=False):
        if expires <= months_after(end, months):
            return name
    return "later"


def months_after(day: date, months: int) -> date:
    """The same day so many months later; a month's last day stays a month's last day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > date.max.year:
        return date.max
    longest = calendar.monthrange(year, month + 1)[1]
    is_last = day.day == calendar.monthrange(day.year, day.month)[1]
    return date(year, month + 1, longest if is_last else min(day.day, longest))


def _holdings(source: Reported) -> list[Holding]:
    """Every lot and origin that is worth something at the end of a period."""
    case, books = source.case, source.books
    account, window = books.account, books.window
    worth = books.effects.unit_value
    groups = origin_groups(case, window)
    alone = np.ones(len(case.lots), dtype=bool)
    for group in groups:
        alone[group] = False
    names, days = case.lots.text("lot"), [_day(day) for day in window.expires]
    found: list[Holding] = []
    for period in range(len(case.periods)):
        values = as_python_ints(floor_product(account.closing[:, period], worth))
        found += [
            Holding(period, str(names[lot]), int(values[lot]), days[lot])
            for lot in np.flatnonzero(alone & np.asarray(values != 0, dtype=bool))
        ]
        for group in groups:
            found += _of_origin(source, [int(lot) for lot in group], period, names, days)
    return found


def _of_origin(
    source: Reported, group: list[int], period: int, names: npt.NDArray[np.object_], days: list[date | None]
) -> list[Holding]:
    """What is left of an origin at the end of a period, at the dearest lot that is there by then."""
    books, quantity = source.books, source.case.lots.grid("quantity")
    account = books.account
    there = [lot for lot in group if books.window.received[lot] <= period]
    last = max((int(books.window.expiry[lot]) for lot in there if quantity[lot]), default=0)
    if last <= period:
        return []
    exact = {lot: books.effects.unit_value.fraction(lot) * int(quantity[lot]) for lot in there}
    used = sum(
        (Fraction(int(account.allocated[lot, : period + 1].sum()), int(quantity[lot]))
         for lot in there if quantity[lot]),
        Fraction(0),
    )  # fmt: skip
    home = max(there, key=lambda lot: (exact[lot], -lot))
    amount = int((1 - used) * exact[home])
    expires = [days[lot] for lot in there if quantity[lot]]
    latest = None if None in expires else max(day for day in expires if day)
    return [Holding(period, str(names[home]), amount, latest)] if amount else []


def _day(day: np.datetime64) -> date | None:
    return None if day == NEVER else date.fromisoformat(str(day))
