"""Plans made to cover what whole units ask for: a few units more here, a few less there.

The solver's plan of lots covers the demand of its floats. Whole units ask for a little more in some
periods and a little less in others. What can be moved between the periods of a pool is moved, so that
what is short in the end falls on the orders that are booked last.
"""

from __future__ import annotations

import numpy as np

from massbalance.booking.ledger import Ledger
from massbalance.booking.targets import Ints
from massbalance.domain.case import IndexArray


class Room:
    """Moves the plans of a ledger.

    By place (pool * periods + period): asked, planned: units asked for so far, and planned; last:
    the last of those who asked, in booking order (-1: nobody).
    """

    def __init__(self, ledger: Ledger, periods: int) -> None:
        self.ledger, self.periods = ledger, periods
        places = len(ledger.problem.pools.ids) * periods
        self.asked = np.zeros(places, dtype=np.int64)
        self.planned = np.zeros(places, dtype=np.int64)
        self.last = np.full(places, -1, dtype=np.intp)
        for (g, t), amount in ledger.plan.items():
            self.planned[int(ledger.problem.pools.group_pool[g]) * periods + t] += amount

    def ask(self, place: IndexArray, quantity: Ints, position: IndexArray) -> None:
        """Make room for so much more at these places; those who asked before keep theirs.

        position: of the orders that ask, in booking order.
        """
        np.add.at(self.asked, place, quantity)
        np.maximum.at(self.last, place, position)
        short = np.flatnonzero(self.asked > self.planned)
        # what one place takes from another falls on a later order: so the earliest first
        for one in short[np.argsort(self.last[short], kind="stable")].tolist():
            self._fill(one)

    def _fill(self, place: int) -> None:
        pool, period = divmod(place, self.periods)
        groups = self.ledger.groups.get((pool, period), ())
        for g in groups:
            self._plan(g, place, min(self._short(place), self.ledger.free(g)))
        others = [
            (pool * self.periods + t, g) for g in groups for t in self.ledger.periods_of[g] if t != period
        ]
        for there, g in others:
            self._take(g, place, there, int(self.planned[there] - self.asked[there]))
        mine = int(self.last[place])
        later = [(int(self.last[there]), there, g) for there, g in others if self.last[there] > mine]
        for _, there, g in sorted(later, reverse=True):
            self._take(g, place, there, self._short(place))

    def _short(self, place: int) -> int:
        return max(0, int(self.asked[place] - self.planned[place]))

    def _take(self, group: int, place: int, other: int, most: int) -> None:
        """Move up to `most` of a group's plan to where it is short."""
        there = self.ledger.plan.get((group, other % self.periods), 0)
        amount = min(self._short(place), most, there)
        if amount > 0:
            self._plan(group, other, -amount)
            self._plan(group, place, amount)

    def _plan(self, group: int, place: int, amount: int) -> None:
        if amount:
            self.ledger.move(group, place % self.periods, amount)
            self.planned[place] += amount
