"""Many orders booked at once: rounded to whole units, dealt out from the lots, checked to the gram.

Every order that leaves here holds exactly: its claim, its caps and the lots were checked on the booked
rows in integers. What does not is left to the booking order by order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from massbalance.booking.deal import Dealt, Draws, deal
from massbalance.booking.ledger import Ledger, Portion
from massbalance.booking.many import SAFE, Kinds, Measures, kinds_of
from massbalance.booking.plan import Plan
from massbalance.booking.recipe import CREDITED, REDUCTION
from massbalance.booking.room import Room
from massbalance.booking.scopes import split_rows
from massbalance.booking.targets import NOT_FIRM, Bools, Ints, turns
from massbalance.booking.whole import Mixed, whole_units
from massbalance.domain.case import IndexArray

MOST_BATCHES = 12
"""Of how many firm priorities the orders are booked apart from one another."""


@dataclass(frozen=True)
class Rounded:
    """Targets (positions in booking order) with a mass (g) and whole units of each pool, as n orders of
    start[i]:start[i + 1] entries; good: the rows of the order hold.

    target, mass, good: shape (n,); start: (n + 1,); use, quantity: shape (entries,).
    """

    target: IndexArray
    mass: Ints
    good: Bools
    start: IndexArray
    use: IndexArray
    quantity: Ints

    @property
    def owner(self) -> IndexArray:
        """Order of each entry."""
        return np.repeat(np.arange(len(self.target)), np.diff(self.start))


@dataclass(frozen=True)
class Rows:
    """Booked rows: target (position), use, lot; quantity, credited (g), reduction (g CO2e)."""

    target: IndexArray
    use: IndexArray
    lot: IndexArray
    quantity: Ints
    credited: Ints
    reduction: Ints

    @staticmethod
    def joined(parts: list[Rows]) -> Rows:
        """One after the other."""
        empty = np.zeros(0, dtype=np.int64)
        fields = ("target", "use", "lot", "quantity", "credited", "reduction")
        found = [np.concatenate([empty, *(getattr(p, name) for p in parts)]) for name in fields]
        target, use, lot = (column.astype(np.intp) for column in found[:3])
        return Rows(target, use, lot, found[3], found[4], found[5])

    def take(self, at: Bools) -> Rows:
        """Some of the rows."""
        return Rows(
            self.target[at], self.use[at], self.lot[at], self.quantity[at], self.credited[at],
            self.reduction[at],
        )  # fmt: skip


@dataclass(frozen=True)
class Booked:
    """What was booked at once: targets, their claimed mass (g), and the rows."""

    target: IndexArray
    mass: Ints
    rows: Rows


class Bulk:
    """Books the targets of a plan that need no search; what does not depend on the lots is done once."""

    def __init__(self, plan: Plan, *, draw_more: bool) -> None:
        self.plan, self.draw_more = plan, draw_more

    @cached_property
    def kinds(self) -> Kinds:
        """Rows of every recipe that has a target."""
        return kinds_of(self.plan.problem, self.plan.mixes, np.flatnonzero(np.bincount(self.plan.recipe)))

    @cached_property
    def rounded(self) -> Rounded:
        """Every target that does not have to be exact, rounded."""
        targets = self.plan.targets
        at = np.flatnonzero(~targets.exact)
        mass = targets.mass[at]
        if not self.draw_more:
            mass = np.where(targets.full[at], np.maximum(mass - self._step(at), 1), mass)
        return self._round(at, mass)

    @cached_property
    def hard(self) -> IndexArray:
        """Targets for which no way of rounding holds."""
        return self.rounded.target[~self.rounded.good]

    @cached_property
    def turn(self) -> Ints:
        """Turn of each target."""
        return turns(self.plan.problem, self.plan.targets)

    def batches(self) -> list[IndexArray]:
        """Targets to book together: of each firm priority, then all others.

        A firm order that its own pools cannot fill has the lots of those after it to draw on, as long
        as they are not booked. Beyond MOST_BATCHES priorities the last ones are booked together.
        """
        at = self.rounded.target[self.rounded.good]
        firm = self.plan.problem.case.objective.after_firm("margin")
        rank = np.minimum(self.turn[at] // 2, NOT_FIRM) if firm else np.zeros(len(at), dtype=np.int64)
        ranks = sorted(set(rank[np.flatnonzero(np.diff(rank, prepend=-1))].tolist()))
        apart, together = ranks[:MOST_BATCHES], [r for r in ranks[MOST_BATCHES:] if r != NOT_FIRM]
        groups = [[r] for r in apart if r != NOT_FIRM] + [together] + [[NOT_FIRM]]
        found = [at[np.isin(rank, group)] for group in groups]
        return [batch for batch in found if len(batch)]

    def _step(self, at: IndexArray) -> Ints:
        """Mass (g) that one unit of the cheapest pool stands for in the claim."""
        kinds, mixes, recipe = self.kinds, self.plan.mixes, self.plan.recipe[at]
        step = np.zeros(len(at), dtype=np.int64)
        some = np.flatnonzero((mixes.count()[recipe] > 0) & (kinds.claim_rhs[kinds.kind_of[recipe]] > 0))
        use = kinds.use_of[mixes.start[recipe[some]]]
        per_unit = np.maximum(kinds.unit[use, 0] / kinds.unit[use, 1], 1.0) * kinds.claim[use]
        step[some] = np.ceil(per_unit / kinds.claim_rhs[kinds.kind_of[recipe[some]]]).astype(np.int64)
        return step

    def _round(self, at: IndexArray, mass: Ints) -> Rounded:
        """Whole units for these targets at these masses."""
        kinds, mixes, recipe = self.kinds, self.plan.mixes, self.plan.recipe[at]
        count = mixes.count()[recipe]
        start = np.concatenate([[0], np.cumsum(count)])
        use, quantity = (np.zeros(int(start[-1]), dtype=np.int64) for _ in range(2))
        good = np.zeros(len(at), dtype=bool)
        for m in np.flatnonzero(np.bincount(count)).tolist():
            own = np.flatnonzero(count == m)
            entry = mixes.start[recipe[own]][:, None] + np.arange(m)
            orders = Mixed(
                recipe[own], kinds.kind_of[recipe[own]], mass[own],
                kinds.use_of[entry], mixes.per_t[entry], mixes.serves[entry],
            )  # fmt: skip
            units, good[own] = whole_units(kinds, orders)
            place = start[own][:, None] + np.arange(m)
            use[place], quantity[place] = orders.use, units
        return Rounded(at, mass, good, start, use.astype(np.intp), quantity)

    def book(self, ledger: Ledger, batch: IndexArray) -> Booked:
        """Book the targets of a batch that the lots fill, and draw them from the ledger."""
        chosen = np.zeros(len(self.plan.targets), dtype=bool)
        chosen[batch] = True
        asking = _those(self.rounded, chosen[self.rounded.target])
        if asking.quantity.sum(dtype=np.float64) + float(sum(ledger.plan.values())) >= SAFE:
            return Booked(batch[:0], self.rounded.mass[:0], Rows.joined([]))
        owner, entry = asking.owner, np.flatnonzero(asking.quantity > 0)
        use, position = asking.use[entry], asking.target[owner[entry]]
        place = self.kinds.use_pool[use] * self.plan.periods + self.plan.period[position]
        draws = Draws(place, asking.quantity[entry], self.kinds.unit[use])
        self._make_room(ledger, draws, position)
        portions = ledger.portions()
        dealt = deal(draws, portions)
        filled = np.ones(len(asking.target), dtype=bool)
        filled[owner[entry[~dealt.filled]]] = False
        rows = self._rows(asking, entry, dealt, portions)
        done = filled & self._holds(asking, entry[dealt.draw], rows)
        keep = done[owner[entry[dealt.draw]]]
        _draw(ledger, portions, dealt.portion[keep], dealt.quantity[keep])
        return Booked(asking.target[done], asking.mass[done], rows.take(keep))

    def _make_room(self, ledger: Ledger, draws: Draws, position: IndexArray) -> None:
        """Move plans so that they cover the draws, turn by turn."""
        room, turn = Room(ledger, self.plan.periods), self.turn[position]
        # what need not be exact is booked turn by turn, so the draws of a turn stand together
        starts = np.flatnonzero(np.diff(turn, prepend=-1)).tolist()
        for start, end in pairwise([*starts, len(turn)]):
            own = slice(start, end)
            room.ask(draws.place[own], draws.quantity[own], position[own])

    def _rows(self, asking: Rounded, entry: IndexArray, dealt: Dealt, portions: list[Portion]) -> Rows:
        """What was dealt, as booked."""
        at = entry[dealt.draw]
        use = asking.use[at]
        lots = np.array([portion.lot for portion in portions], dtype=np.intp)
        _, credited, reduction = self.kinds.measures(use, dealt.quantity)
        target = asking.target[asking.owner[at]]
        return Rows(target, use, lots[dealt.portion], dealt.quantity, credited, reduction)

    def _holds(self, asking: Rounded, at: IndexArray, rows: Rows) -> Bools:
        """Do the booked rows of each order hold? at: entry of each row."""
        sums = []
        for values in (rows.quantity, rows.credited, rows.reduction):
            total = np.zeros(len(asking.use), dtype=np.int64)
            np.add.at(total, at, values)
            sums.append(total)
        count = np.diff(asking.start)
        good = np.zeros(len(asking.target), dtype=bool)
        kind = self.kinds.kind_of[self.plan.recipe[asking.target]]
        for m in np.flatnonzero(np.bincount(count)).tolist():
            own = np.flatnonzero(count == m)
            place = asking.start[own][:, None] + np.arange(m)
            booked: Measures = (sums[0][place], sums[CREDITED][place], sums[REDUCTION][place])
            good[own] = self.kinds.hold(asking.use[place], kind[own], asking.mass[own], booked)
        return good

    def scopes(self, rows: Rows, claimed: Ints) -> Ints:
        """Reduction of the rows by scope, shape (rows, 3). claimed: g per target."""
        kinds = self.kinds
        kind = kinds.kind_of[self.plan.recipe]
        room = np.stack([kinds.room(kind, scope, claimed) for scope in range(3)], axis=1)
        return split_rows(
            rows.target, kinds.use_scopes[rows.use], rows.reduction, kinds.scope_sets, room,
            (rows.lot, kinds.use_pool[rows.use]),
        )  # fmt: skip


def _those(rounded: Rounded, chosen: Bools) -> Rounded:
    """Some of the orders, in their order."""
    count = np.diff(rounded.start)
    entry = np.flatnonzero(np.repeat(chosen, count))
    start = np.concatenate([[0], np.cumsum(count[chosen])])
    return replace(
        rounded, target=rounded.target[chosen], mass=rounded.mass[chosen], good=rounded.good[chosen],
        start=start, use=rounded.use[entry], quantity=rounded.quantity[entry],
    )  # fmt: skip


def _draw(ledger: Ledger, portions: list[Portion], portion: IndexArray, quantity: Ints) -> None:
    """Take what was dealt from the ledger."""
    used = np.zeros(len(portions), dtype=np.int64)
    np.add.at(used, portion, quantity)
    for i in np.flatnonzero(used).tolist():
        ledger.take(portions[i], int(used[i]))
