"""What a case's `[objective]` asks for, derived anew: goals, groups of orders, shares.

Strategies: concentrate (B-A), spread at a common share (B-B), fair shares over groups (leximin), greatest
tonnage, least expiry, weights; beside any of them least shares of what a group ordered (C16). All shares
are exact fractions, all masses millionths of a t.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from massbalance.domain.grid import GRID
from massbalance.verification.facts import Facts
from massbalance.verification.files import FAIR_SHARE, Faults, positions, read_csv
from massbalance.verification.integers import Index, Ints, Mask, Wide, integers
from massbalance.verification.terms import texts

SUMMARY_NAMES = {
    "firm_shortfall": "firm_shortfall_t",
    "margin": "margin",
    "tonnage": "tonnage_t",
    "chosen": "chosen_t",
    "expiry": "expired_tco2e",
    "weighted": "weighted",
    "common_share": "common_share",
    "fair_share": "fair_share",
}
"""A goal's word in the case -> its name in summary.json."""
PARTS = ("margin", "tonnage_t", "expired_tco2e")
"""What goals may weigh: margin, t claimed, t CO2e of expiring lots that is used (maximised)."""
_OF_ONE_PART = dict(zip(("margin", "tonnage", "expiry"), PARTS, strict=True))
GROUP_KINDS = ("customer", "segment", "product")
C16, C17, C18, C19 = "C16 minimum_service", "C17 common_share", "C18 no_more", "C19 fair_share"


@dataclass(frozen=True)
class Goal:
    """One goal of a run.

    key: as duals.csv names it; word: as the case does; name, priority, group: as summary.json does (priority:
    of firm orders, or the stage of a fair share; group: the product that was chosen).
    """

    key: str
    word: str
    priority: int | None = None
    group: str | None = None

    @property
    def name(self) -> str:
        """Its name in summary.json."""
        return SUMMARY_NAMES[self.word]


@dataclass(frozen=True)
class Partition:
    """Orders by group: names, sorted; of: each order's group, -1: none; mass: of groups, millionths."""

    names: tuple[str, ...]
    of: Index
    mass: tuple[int, ...]

    @cached_property
    def position(self) -> dict[str, int]:
        """Name -> position."""
        return {name: at for at, name in enumerate(self.names)}

    def sums(self, amounts: Ints) -> tuple[int, ...]:
        """Sums of the orders' amounts by group."""
        some = self.of >= 0
        found = Wide.of(amounts[some]).sum_by(self.of[some], len(self.names))
        return tuple(found.python().tolist())


class Strategy:
    """The goals of a case, and what its strategy asks of the orders.

    stages: group -> the stage at which its fair share was settled (`read_stages`); hopeless: orders whose
    claim no mix reaches, however much credit there were (`reach.read_out_of_reach`). Both from the run.
    """

    def __init__(
        self, facts: Facts, stages: Mapping[str, int] | None = None, hopeless: Mask | None = None
    ) -> None:
        self.facts, self.objective, self.stages = facts, facts.case.objective, dict(stages or {})
        self.hopeless = np.zeros(len(facts.mass), dtype=bool) if hopeless is None else hopeless
        self._groups: dict[str, Partition] = {}
        self.goals = {goal.key: goal for goal in self._goals()}

    def _goals(self) -> Iterator[Goal]:
        """The goals in order; none for what nobody ordered."""
        facts = self.facts
        for word in self.objective.order:
            if word == "firm_shortfall":
                for priority in sorted(set(facts.priority[facts.firm].tolist())):
                    yield Goal(f"{word}:{priority}", word, priority)
            elif word == "chosen":
                for product in self.objective.products:
                    yield Goal(f"{word}:{product}", word, group=product)
            elif word == "fair_share":
                for stage in range(1, max(self.stages.values(), default=1) + 1):
                    yield Goal(f"{word}:{stage}", word, stage)
            else:
                yield Goal(word, word)

    def asks(self, word: str) -> bool:
        """Is this one of the goals?"""
        return word in self.objective.order

    def mix(self, word: str) -> dict[str, Fraction]:
        """A goal as weights of PARTS; empty where it is none of these."""
        if word == "weighted":
            return {part: self.objective.weight(part) for part in PARTS}
        return {_OF_ONE_PART[word]: Fraction(1)} if word in _OF_ONE_PART else {}

    def groups(self, by: str) -> Partition:
        """The orders by customer, by their customer's segment, or by product."""
        if by not in self._groups:
            self._groups[by] = self._divide(by)
        return self._groups[by]

    def _divide(self, by: str) -> Partition:
        case = self.facts.case
        words = pc.dictionary_encode(texts(case.orders, "product" if by == "product" else "customer"))
        group = words.dictionary.to_pylist()
        if by == "segment":
            rows = (texts(case.customers, column).to_pylist() for column in ("customer", "segment"))
            segment = dict(zip(*rows, strict=True))
            group = [segment.get(customer, "") for customer in group]
        names = tuple(sorted(set(group) - ({""} if by == "segment" else set())))
        place = {name: at for at, name in enumerate(names)}
        of = np.array([place.get(one, -1) for one in group], dtype=np.intp)[np.asarray(words.indices)]
        none = Partition(names, of, ())
        return Partition(names, of, none.sums(self.facts.mass))

    @property
    def fair(self) -> Partition:
        """The groups whose shares are to be fair (C19)."""
        return self.groups(self.objective.by)

    @cached_property
    def minimums(self) -> dict[tuple[str, str], Fraction]:
        """(kind of group, group) -> the least share of its mass that must be claimed (C16)."""
        found: dict[tuple[str, str], Fraction] = {}
        for least in self.objective.minimums:
            groups = self.groups(least.by)
            for name in [least.group] if least.group else groups.names:
                if name in groups.position and groups.mass[groups.position[name]]:
                    found[least.by, name] = max(least.share, found.get((least.by, name), Fraction(0)))
        return found

    @cached_property
    def product_of(self) -> Index:
        """Each order's product as a position."""
        case = self.facts.case
        return positions(texts(case.orders, "product"), texts(case.products, "product"))

    @cached_property
    def partial(self) -> Mask:
        """Orders that a common share may be of: those that may be taken in part, not promised before."""
        facts = self.facts
        if not self.asks("common_share"):
            return np.zeros(len(facts.mass), dtype=bool)
        apart = facts.whole | (facts.min_fill != 0).astype(bool) | (facts.mass == 0)
        if self.objective.after_firm("common_share"):
            apart = apart | facts.firm
        return ~apart

    @property
    def covered(self) -> Mask:
        """Orders with the common share (C17, C18): of those, all whose claim is not out of reach."""
        return self.partial & ~self.hopeless

    @cached_property
    def units(self) -> dict[str, Fraction]:
        """What each goal's prices are in: t for a share (of all orders that it may be of), else 1."""
        partial = Wide.of(self.facts.mass[self.partial]).total()
        masses = {"common_share": partial, "fair_share": sum(self.fair.mass)}
        found = {key: masses.get(goal.word, 0) for key, goal in self.goals.items()}
        return {key: Fraction(mass, GRID) if mass else Fraction(1) for key, mass in found.items()}

    @cached_property
    def conventional(self) -> Mask:
        """Orders that concentrating on other products leaves conventional (B-A)."""
        if self.objective.strategy != "concentrate":
            return np.zeros(len(self.facts.mass), dtype=bool)
        known = self.facts.case.products.position
        chosen = np.array([known[product] for product in self.objective.products], dtype=np.intp)
        return ~self.facts.firm & ~np.isin(self.product_of, chosen)

    @cached_property
    def grams(self) -> Ints:
        """What booking on the grid may leave out of each order: 2 g, or the step between its masses."""
        facts, most = self.facts, 2**61
        steps = integers([min(max(2, facts.knife_edge(d)), most) for d in facts.terms.demands])
        return np.minimum(steps[facts.terms.demand[facts.terms.own]], np.maximum(facts.mass, 2))

    def free(self, goal: str) -> Mask:
        """Groups whose fair share is still open when the goal's turn comes, shape (groups,).

        All of them before the first stage; at stage k those that are settled at k or later; then none.
        """
        here, stage = self.goals[goal], 1
        if here.word == "fair_share":
            stage = here.priority or 1
        else:
            words = self.objective.order
            if words.index("fair_share") < words.index(here.word):
                return np.zeros(len(self.fair.names), dtype=bool)
        return np.array([self.stages.get(name, 0) >= stage for name in self.fair.names], dtype=bool)

    def common(self, claimed: Ints) -> Fraction:
        """The common share of what was claimed: the greatest share of a covered order; 1 without any.

        No order then has more than that share of its mass (C18); each has it but for the grid (C17).
        """
        some = np.flatnonzero(self.covered)
        if not len(some):
            return Fraction(1)
        part, mass = claimed[some], self.facts.mass[some]
        share = part / mass
        near = np.flatnonzero(share >= share.max() * (1 - 1e-12))  # floats err by much less
        pairs = set(zip(part[near].tolist(), mass[near].tolist(), strict=True))
        return max(Fraction(*pair) for pair in pairs)

    def fair_shares(self, claimed: Ints) -> list[Fraction | None]:
        """Claimed part of what each group ordered; None where it ordered nothing."""
        sums = self.fair.sums(claimed)
        return [
            Fraction(part, mass) if mass else None for part, mass in zip(sums, self.fair.mass, strict=True)
        ]

    def least_share(self, claimed: Ints, goal: str) -> Fraction:
        """The least share of the groups that are open at a stage; 1 where there are none."""
        free = self.free(goal)
        found = [
            s for s, open_ in zip(self.fair_shares(claimed), free, strict=True) if open_ and s is not None
        ]
        return min(found, default=Fraction(1))


def read_stages(run: Path, facts: Facts, faults: Faults) -> dict[str, int]:
    """proof/fair_share.csv: group -> the stage at which its share was settled; none for other strategies.

    Every group once, stages from 1 without a gap.
    """
    asked = Strategy(facts)
    if not asked.asks("fair_share"):
        if (run / FAIR_SHARE).is_file():
            faults.add(FAIR_SHARE, None, "", "there", "no such file: no goal asks for fair shares", C19)
        return {}
    lines, found = read_csv(run, FAIR_SHARE, ("group", "stage"), faults), dict[str, int]()
    left = {name for name, mass in zip(asked.fair.names, asked.fair.mass, strict=True) if mass}
    stages = {str(n): n for n in range(1, len(left) + 1)}
    for at, (name, text) in enumerate(
        zip(lines["group"].to_pylist(), lines["stage"].to_pylist(), strict=True)
    ):
        if name not in left:
            faults.at(lines, at, "group", f"a {asked.objective.by} that ordered, once", C19)
        elif text not in stages:
            faults.at(lines, at, "stage", f"a whole number from 1 to {len(stages)}", C19)
        else:
            found[name] = stages[text]
        left.discard(name)
    for name in sorted(left):
        faults.add(FAIR_SHARE, None, "group", name, "a row for this group", C19)
    gap = set(range(1, max(found.values(), default=0) + 1)) - set(found.values())
    if gap and len(found) == len(stages):
        faults.add(FAIR_SHARE, None, "stage", min(gap), "a group at every stage up to the last", C19)
    return found
