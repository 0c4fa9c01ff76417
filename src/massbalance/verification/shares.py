"""What the rows of least, common and fair shares (C16 to C19) add to a goal's bound, for given duals.

The shares themselves are columns between 0 and 1. Rows that booking on the grid bends by some grams, and
groups whose share was settled before, are held at what was booked: so the bound is one for all that is
no worse than what was booked, whatever the duals.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from massbalance.domain.grid import GRID
from massbalance.verification.goals import GoalProof
from massbalance.verification.integers import Ints, Wide, integers
from massbalance.verification.proof import DUAL, Duals
from massbalance.verification.strategy import Goal, Strategy

MOST_LOST = Fraction(1, 1000)
"""The greatest part of its mass by which a settled share may miss what is proven."""
SHARES = ("common_share", "fair_share")


@dataclass(frozen=True)
class Settled:
    """A group whose fair share was settled at a stage; most: what its proof leaves the group at most.

    tolerance: how much more than booked that may be, for what booking on the grid costs.
    """

    group: str
    stage: int
    booked: Fraction
    most: Fraction
    tolerance: Fraction


class Served:
    """What was booked: claimed mass of orders (millionths) and groups, shares; settled: the groups so far."""

    def __init__(self, strategy: Strategy, claimed: Ints) -> None:
        self.strategy, self.claimed = strategy, claimed
        self.common = strategy.common(claimed) if strategy.asks("common_share") else Fraction(1)
        self.settled: list[Settled] = []
        self._sums: dict[str, tuple[int, ...]] = {}

    def of_group(self, by: str, group: str) -> tuple[Fraction, Fraction]:
        """Claimed and ordered t of a group."""
        parts = self.strategy.groups(by)
        if by not in self._sums:
            self._sums[by] = parts.sums(self.claimed)
        at = parts.position[group]
        return Fraction(self._sums[by][at], GRID), Fraction(parts.mass[at], GRID)


class Shares:
    """The part of C16 to C19 in the bound of one goal.

    constant: what the rows' right sides add, and the share columns, in the unit of the goal's prices;
    prices: of the groups' fair shares, as duals; column: what a whole of each share is worth.
    """

    def __init__(
        self, strategy: Strategy, served: Served, duals: Duals, goal: str, weights: Mapping[str, int]
    ) -> None:
        self.strategy, self.served = strategy, served
        self.constant = self._bent = Fraction(0)
        self.prices: dict[str, int] = {}
        self.column = dict.fromkeys(SHARES, Fraction(0))
        for key, weight in weights.items():
            word = strategy.goals[key].word
            if word in SHARES:
                self.column[word] += Fraction(weight, DUAL) * strategy.units[key]
        self._of_orders: dict[int, int] = defaultdict(int)
        self._of_groups: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
        free = strategy.free(goal) if strategy.asks("fair_share") else None
        for (equation, key, index), dual in duals.items():
            if equation == "minimum_service":
                self._minimum(key, index, dual)
            elif equation in ("common_share", "no_more"):
                self._common(equation, key, dual)
            elif equation == "fair_share" and free is not None:
                self._fair(key, dual, open_=bool(free[strategy.fair.position[key]]))
        self.constant += sum(max(Fraction(0), value) for value in self.column.values())

    def _minimum(self, by: str, group: str, dual: int) -> None:
        """- sum of steps <= - share * mass (C16)."""
        price, (claimed, mass) = Fraction(dual, DUAL), self.served.of_group(by, group)
        asked = self.strategy.minimums[by, group] * mass
        self._of_groups[by][self.strategy.groups(by).position[group]] += dual
        self.constant -= price * min(asked, claimed)
        self._bent += price * max(Fraction(0), asked - claimed)

    def _common(self, equation: str, order: str, dual: int) -> None:
        """share * mass - sum of steps <= 0 (C17), or the other way round (C18)."""
        facts, price = self.strategy.facts, Fraction(dual, DUAL)
        at = facts.case.orders.position[order]
        sign = 1 if equation == "common_share" else -1
        mass, claimed = (Fraction(int(amount), GRID) for amount in (facts.mass[at], self.served.claimed[at]))
        self._of_orders[at] += sign * dual
        self.column["common_share"] -= sign * price * mass
        bent = max(Fraction(0), sign * (self.served.common * mass - claimed))
        self.constant += price * bent
        self._bent += price * bent

    def _fair(self, group: str, dual: int, *, open_: bool) -> None:
        """share * mass - sum of steps <= 0; of a settled group: - sum of steps <= - what it has (C19)."""
        price, (claimed, mass) = Fraction(dual, DUAL), self.served.of_group(self.strategy.objective.by, group)
        self._of_groups[self.strategy.objective.by][self.strategy.fair.position[group]] += dual
        self.prices[group] = dual
        if open_:
            self.column["fair_share"] -= price * mass
        else:
            self.constant -= price * claimed

    def worth(self) -> Wide | None:
        """What a t claimed of each order adds by the rows, in units of a dual; None for nothing."""
        size, found = len(self.served.claimed), None
        for by, of_groups in self._of_groups.items():
            parts = self.strategy.groups(by)
            values = [of_groups.get(at, 0) for at in range(len(parts.names))]
            each = Wide.of(integers([*values, 0]))[parts.of]  # -1: no group, the last
            found = each if found is None else found + each
        if self._of_orders:
            values = [self._of_orders.get(at, 0) for at in range(size)]
            each = Wide.of(integers(values))
            found = each if found is None else found + each
        return found

    def loose(self, served: Served) -> Fraction:
        """What of the bound is there only because what was booked is held, not what the rows ask."""
        found = self._bent
        for one in served.settled:
            _, mass = served.of_group(self.strategy.objective.by, one.group)
            found += Fraction(self.prices.get(one.group, 0), DUAL) * mass * (one.most - one.booked)
        return found

    def settle(self, served: Served, goal: Goal, proof: GoalProof) -> None:
        """Add the groups that a stage settles, with the greatest share that its proof leaves each of them.

        Whatever gives every open group at least the booked share s of the stage is worth at most s plus
        the gap, and a group's price more for each t that it has beyond s of its mass.
        """
        unit = self.strategy.units[goal.key]
        by, grams = self.strategy.objective.by, self.strategy.fair.sums(self.strategy.grams)
        for group, stage in self.strategy.stages.items():
            claimed, mass = served.of_group(by, group)
            if stage != goal.priority or not mass:
                continue
            price = Fraction(self.prices.get(group, 0), DUAL)
            worth, most, slack = price * mass / unit, Fraction(1), MOST_LOST
            if worth:
                most = min(most, proof.booked + proof.gap / worth)
                slack = min(slack, proof.tolerance / worth)
            own = 1 + grams[self.strategy.fair.position[group]] / mass
            served.settled.append(Settled(group, stage, claimed / mass, most, own / 10**6 + slack))
