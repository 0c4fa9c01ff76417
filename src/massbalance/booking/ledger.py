"""What is left of every lot while orders are booked, in millionths of its unit.

The solver's f[g,t] becomes an integer plan; an order draws first on what was planned for its
pool and period, then on what no plan claims. No draw can exceed a lot (C1) or an origin (C2).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from massbalance.domain.grid import GRID
from massbalance.formulation.problem import Problem

Draw = dict[int, int]
"""Lot position -> quantity."""

NEARLY = 0.01
"""A float this close below a whole millionth is taken for it (the solver is no finer)."""


class Portion(NamedTuple):
    """What a plan holds of a lot for a period; place: pool * periods + period."""

    place: int
    lot: int
    group: int
    period: int
    amount: int


class Ledger:
    """Integer stock of every lot, planned by group and period."""

    def __init__(
        self, problem: Problem, flows: tuple[tuple[int, int], ...], f: npt.NDArray[np.float64]
    ) -> None:
        pools, lots = problem.pools, problem.case.lots
        self.problem = problem
        self.quantity = [int(q) for q in lots.grid("quantity")]
        self.left = list(self.quantity)
        self.group_lots = pools.group_lots
        self.origin_of = {g: name for name, groups in pools.origin_groups.items() for g in groups}
        self.share_used = dict.fromkeys(pools.origin_groups, Fraction(0))
        self.group_left = [sum(self.left[i] for i in lots_of) for lots_of in self.group_lots]
        self.plan: dict[tuple[int, int], int] = {}
        self.planned = [0] * len(self.group_lots)
        self.periods_of: list[list[int]] = [[] for _ in self.group_lots]
        self.pending: dict[int, list[tuple[int, int, int]]] = {}
        by_pool_period: dict[tuple[int, int], list[int]] = {}
        for (g, t), value in zip(flows, f, strict=True):
            by_pool_period.setdefault((int(pools.group_pool[g]), t), []).append(g)
            self.periods_of[g].append(t)
            amount = min(int(np.floor(max(0.0, value) * GRID + NEARLY)), self.free(g))
            if amount > 0:
                self.plan[g, t] = amount
                self.planned[g] += amount
        self.turn = sorted(
            range(len(self.group_lots)),
            key=lambda g: (int(pools.group_last[g]), int(pools.group_month[g]), g),
        )
        turn = {g: i for i, g in enumerate(self.turn)}
        self.groups = {key: sorted(found, key=turn.__getitem__) for key, found in by_pool_period.items()}

    def portions(self) -> list[Portion]:
        """What the plans hold, lot by lot; those of a place in booking order."""
        found = []
        periods, pool = len(self.problem.case.periods), self.problem.pools.group_pool
        for g in self.turn:
            lots = [[lot, self.left[lot]] for lot in reversed(self.group_lots[g]) if self.left[lot]]
            for t in sorted(self.periods_of[g]):
                rest = self.plan.get((g, t), 0)
                while rest > 0 and lots:
                    lot, left = lots[-1]
                    amount = min(rest, left)
                    found.append(Portion(int(pool[g]) * periods + t, lot, g, t, amount))
                    rest -= amount
                    lots[-1][1] -= amount
                    if amount == left:
                        lots.pop()
        return found

    def take(self, portion: Portion, amount: int) -> None:
        """Take so much of a portion."""
        g = portion.group
        self.left[portion.lot] -= amount
        self.group_left[g] -= amount
        self._unplan(g, portion.period, amount)
        if g in self.origin_of:
            self.share_used[self.origin_of[g]] += Fraction(amount, self.quantity[portion.lot])

    def move(self, group: int, period: int, amount: int) -> None:
        """Plan so much more (or less) of a group for a period."""
        self.plan[group, period] = self.plan.get((group, period), 0) + amount
        self.planned[group] += amount

    def free(self, group: int, period: int | None = None) -> int:
        """What no plan claims of a group, its origin's share included.

        period: for an order that must be exact, what its own period's plan does not claim; plans
        of other periods and of the origin's other lots give way.
        """
        kept = self.planned[group] if period is None else self.plan.get((group, period), 0)
        free = self.group_left[group] - kept
        origin = self.origin_of.get(group)
        if origin is not None:
            share = 1 - self.share_used[origin]
            for other in self.problem.pools.origin_groups[origin]:
                claims = self.planned[other] if period is None else self.plan.get((other, period), 0)
                if claims:
                    share -= Fraction(claims, self.quantity[self.group_lots[other][0]])
            for parts in self.pending.values():
                for g, _, taken in parts:
                    if self.origin_of.get(g) == origin:
                        share -= Fraction(taken, self.quantity[self.group_lots[g][0]])
            size = self.quantity[self.group_lots[group][0]]
            free = min(free, int(share * size))
        return max(0, free)

    def pick(
        self, pool: int, period: int, need: int, *, urgent: bool = False
    ) -> tuple[Draw, list[tuple[int, int, int]]]:
        """Lots for `need` (or as much as there is), and the draws by group: (group, planned, free).

        Nothing leaves a lot until `commit`; until then the draw is remembered as pending, so
        that two pools of one order cannot count on the same origin.
        """
        self.pending.pop(pool, None)
        groups = self.groups.get((pool, period), ())
        parts: dict[int, tuple[int, int]] = {}
        for g in groups:
            if need <= 0:
                break
            amount = min(need, self.plan.get((g, period), 0))
            if amount > 0:
                parts[g] = (amount, 0)
                need -= amount
        if need > 0:
            self._pick_free(groups, need, parts, period if urgent else None)
        found = [(g, planned, free) for g, (planned, free) in parts.items()]
        self.pending[pool] = found
        return self._lots(found), found

    def _pick_free(
        self, groups: Sequence[int], need: int, parts: dict[int, tuple[int, int]], period: int | None
    ) -> None:
        """Add to `parts` what no plan claims (or no plan of this period); of an origin, one lot only."""
        touched: set[str] = set()
        for g in groups:
            if need == 0:
                break
            origin = self.origin_of.get(g)
            if origin is not None and origin in touched:
                continue
            amount = min(need, self.free(g, period))
            if amount > 0:
                parts[g] = (parts.get(g, (0, 0))[0], amount)
                need -= amount
                if origin is not None:
                    touched.add(origin)

    def _lots(self, parts: list[tuple[int, int, int]]) -> Draw:
        """Deal a draw by group out to the group's lots, in booking order."""
        draw: Draw = {}
        for g, planned, free in parts:
            rest = planned + free
            for lot in self.group_lots[g]:
                if rest == 0:
                    break
                amount = min(rest, self.left[lot])
                if amount > 0:
                    draw[lot] = amount
                    rest -= amount
        return draw

    def forget(self) -> None:
        """Drop what is pending: a new trial begins."""
        self.pending.clear()

    def commit(self, period: int, draw: Draw, parts: list[tuple[int, int, int]]) -> None:
        """Take what `pick` found."""
        for lot, amount in draw.items():
            self.left[lot] -= amount
        for g, planned, free in parts:
            self.group_left[g] -= planned + free
            self._unplan(g, period, planned)
            origin = self.origin_of.get(g)
            if origin is not None:
                self.share_used[origin] += Fraction(planned + free, self.quantity[self.group_lots[g][0]])
            self._give_way(g, origin)

    def _unplan(self, group: int, period: int, amount: int) -> None:
        if amount:
            self.plan[group, period] -= amount
            self.planned[group] -= amount

    def _give_way(self, group: int, origin: str | None) -> None:
        """Cut the largest plans until plans claim no more than there is."""
        self._cut(group, self.planned[group] - self.group_left[group])
        if origin is None:
            return
        for other in self.problem.pools.origin_groups[origin]:
            size = self.quantity[self.group_lots[other][0]]
            share = 1 - self.share_used[origin]
            for one in self.problem.pools.origin_groups[origin]:
                if one != other and self.planned[one]:
                    share -= Fraction(self.planned[one], self.quantity[self.group_lots[one][0]])
            self._cut(other, self.planned[other] - max(0, int(share * size)))

    def _cut(self, group: int, excess: int) -> None:
        while excess > 0:
            plans = ((self.plan.get((group, t), 0), t) for t in self.periods_of[group])
            most, period = max(plans, default=(0, 0))
            amount = min(excess, most)
            if amount == 0:
                return
            self._unplan(group, period, amount)
            excess -= amount

    def release(self, pool: int, period: int) -> None:
        """Nobody else is to draw on this plan: what it still holds is free for other periods."""
        for g in self.groups.get((pool, period), ()):
            self.planned[g] -= self.plan.pop((g, period), 0)
