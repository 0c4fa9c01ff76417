"""Many orders booked at once: rounded to whole units, dealt out from the lots, checked to the gram.

Every order that leaves here holds exactly: its claim, its caps and the lots were checked on the booked
rows in integers. What does not is left to the booking order by order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from massbalance.booking.deal import Dealt, Draws, deal
from massbalance.booking.ledger import Ledger, Portion
from massbalance.booking.many import SAFE, Kinds, Measures, kinds_of
from massbalance.booking.plan import Plan
from massbalance.booking.recipe import CREDITED, REDUCTION
from massbalance.booking.room import Room
from massbalance.booking.scopes import split_rows
from massbalance.booking.targets import NOT_FIRM, Bools, Floats, Ints, turns
from massbalance.booking.whole import Mixed, whole_units
from massbalance.domain.case import IndexArray

TURNS = 4
"""How often orders that the lots do not fill are tried again with the mass that they can fill."""
MOST_BATCHES = 12
"""Of how many firm priorities the orders are booked apart from one another."""
ENOUGH = 0.5
"""Share of an order below which its mass is not simply lowered."""


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


@dataclass(frozen=True)
class Booked:
    """What a bulk booked. claimed: g per target, 0 where it was not booked; left: targets not booked."""

    rows: Rows
    claimed: Ints
    left: IndexArray


class Bulk:
    """Books the targets of a plan that need no search; what does not depend on the lots is done once."""

    def __init__(self, plan: Plan, *, draw_more: bool) -> None:
        self.plan, self.draw_more = plan, draw_more
        self.period = plan.period

    @cached_property
    def kinds(self) -> Kinds:
        """Rows of every recipe that has a target."""
        return kinds_of(self.plan.problem, self.plan.mixes, np.unique(self.plan.recipe))

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

    @cached_property
    def yields(self) -> Bools:
        """Targets whose mass may be lowered at once where the lots give out: all but firm ones.

        A firm order has the lots of those after it to draw on, for which it is booked alone.
        """
        firm = self.plan.problem.case.goals[0] != "margin"
        return (self.turn >= 2 * NOT_FIRM) if firm else np.ones(len(self.turn), dtype=bool)

    def batches(self) -> list[IndexArray]:
        """Targets to book together: of each firm priority, then all others.

        Beyond MOST_BATCHES priorities the last ones are booked together.
        """
        at = self.rounded.target[self.rounded.good]
        rank = np.where(self.yields[at], NOT_FIRM, self.turn[at] // 2)
        number = np.unique(rank, return_inverse=True)[1].reshape(-1)
        number = np.where(self.yields[at], len(at), np.minimum(number, MOST_BATCHES))
        return [at[number == one] for one in np.unique(number).tolist()]

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
        for m in np.unique(count).tolist():
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
        """Book these targets (in booking order) from what the ledger holds; draws it from the ledger."""
        claimed = np.zeros(len(self.plan.targets), dtype=np.int64)
        parts: list[Rows] = []
        chosen = np.zeros(len(claimed), dtype=bool)
        chosen[batch] = True
        asking = _those(self.rounded, chosen[self.rounded.target])
        for _ in range(TURNS):
            if len(asking.target) == 0 or float(asking.quantity.sum(dtype=np.float64)) >= SAFE:
                break
            rows, done, share = self._turn(ledger, asking)
            parts.append(rows)
            claimed[asking.target[done]] = asking.mass[done]
            lower = np.flatnonzero(self.yields[asking.target] & (share >= ENOUGH) & (share < 1))
            mass = np.floor(asking.mass[lower] * share[lower]).astype(np.int64)
            again = self._round(asking.target[lower], mass)
            asking = _those(again, again.good & (mass > 0))
        return Booked(Rows.joined(parts), claimed, batch[claimed[batch] == 0])

    def _turn(self, ledger: Ledger, asking: Rounded) -> tuple[Rows, Bools, Floats]:
        """Deal the lots out once: rows, which orders are booked, and the share of each that there was."""
        owner, periods = asking.owner, len(self.plan.problem.case.periods)
        entry = np.flatnonzero(asking.quantity > 0)
        use = asking.use[entry]
        place = self.kinds.use_pool[use] * periods + self.period[asking.target[owner[entry]]]
        draws = Draws(place, asking.quantity[entry], self.kinds.unit[use])
        room = Room(ledger, periods)
        position = asking.target[owner[entry]]
        turn = self.turn[position]
        for one in np.unique(turn).tolist():
            own = turn == one
            room.ask(place[own], draws.quantity[own], position[own])
        portions = ledger.portions()
        dealt = deal(draws, portions)
        share = np.ones(len(asking.target))
        np.minimum.at(share, owner[entry], dealt.share)
        rows = self._rows(asking, entry, dealt, portions)
        done = (share == 1.0) & self._holds(asking, entry[dealt.draw], rows)
        keep = done[owner[entry[dealt.draw]]]
        _draw(ledger, portions, dealt.portion[keep], dealt.quantity[keep])
        found = (getattr(rows, f)[keep] for f in ("target", "use", "lot", "quantity", "credited", "reduction"))
        return Rows(*found), done, share

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
        for m in np.unique(count).tolist():
            own = np.flatnonzero(count == m)
            place = asking.start[own][:, None] + np.arange(m)
            booked: Measures = (sums[0][place], sums[CREDITED][place], sums[REDUCTION][place])
            good[own] = self.kinds.hold(asking.use[place], kind[own], asking.mass[own], booked)
        return good

    def scopes(self, rows: Rows, claimed: Ints) -> Ints:
        """Reduction of the rows by scope, shape (rows, 3). claimed: g per target."""
        kinds = self.kinds
        at = np.unique(rows.target)
        kind = kinds.kind_of[self.plan.recipe[at]]
        room = np.stack([kinds.room(kind, scope, claimed[at]) for scope in range(3)], axis=1)
        order = np.lexsort((rows.lot, kinds.use_pool[rows.use], rows.target))
        parts = np.empty((len(order), 3), dtype=np.int64)
        parts[order] = split_rows(
            np.searchsorted(at, rows.target[order]), kinds.use_scopes[rows.use[order]],
            rows.reduction[order], kinds.scope_sets, room,
        )  # fmt: skip
        return parts


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
