"""The smallest set of limits that clash: an own deletion filter over solves that begin where the last ended.

HiGHS' irreducible sets are not used: they come back empty, or not at all, where a whole pool is short.
What the price of the greatest mass rests on is a set that clashes already (weak duality); from it limits are
struck out one by one, each by a solve. A set is proven smallest by others of which it must have a limit each.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

from massbalance.quote.promise import CREDITS, LEVEL, PROMISED, Key, Promise, Tried

MOST_SOLVES = 300
"""Solves that may go into proving a set the smallest, or finding a smaller one."""
MOST_CHOSEN = 3
"""Sets are searched for by trying all choices of up to so many limits beyond those that no set can lack."""
LEAST_LIKELY = {PROMISED: 0, CREDITS: 2, LEVEL: 3}
"""What is struck out first where either would do: a promise before a technical limit, credits last."""


@dataclass(frozen=True)
class ClashSet:
    """Limits that clash: together no whole mass, without any one of them it fits.

    keys: in order of reading; alone: those without which it fits beside every other limit of the case;
    smallest: is no smaller set there, proven.
    """

    keys: tuple[Key, ...]
    alone: frozenset[Key]
    smallest: bool


class Filter:
    """Finds the set. Every answer of the model is kept, so nothing is solved twice."""

    def __init__(self, promise: Promise) -> None:
        self.promise, self.every = promise, frozenset(promise.keys)
        self.known: dict[frozenset[Key], Tried] = {}
        self.solves = 0

    def holding(self, held: frozenset[Key]) -> Tried:
        """The greatest mass with only these limits."""
        if held not in self.known:
            self.solves += 1
            self.known[held] = self.promise.without(self.every - held)
        return self.known[held]

    def find(self) -> ClashSet | None:
        """None where the whole mass fits."""
        first = self.holding(self.every)
        if first.whole:
            return None
        found = self.reduced(self.every)
        alone = {key for key in found if self.holding(self.every - {key}).whole}
        smallest = len(alone) == len(found)
        if not smallest:
            found, smallest = self._smaller(found, [frozenset({key}) for key in sorted(alone)])
        return ClashSet(tuple(sorted(found)), frozenset(alone & found), smallest)

    def reduced(self, held: frozenset[Key]) -> frozenset[Key]:
        """An irreducible set within one that clashes."""
        left = self._supported(held)
        for key in sorted(left, key=lambda k: (LEAST_LIKELY.get(k[0], 1), k)):
            if key in left and not self.holding(left - {key}).whole:
                left = self._supported(left - {key})
        return left

    def _supported(self, held: frozenset[Key]) -> frozenset[Key]:
        """Those on which the price rests, if they clash without the rest; all of them where they do not."""
        by = self.holding(held).by & held
        return by if by != held and not self.holding(by).whole else held

    def _smaller(self, found: frozenset[Key], must: list[frozenset[Key]]) -> tuple[frozenset[Key], bool]:
        """The smallest set by hitting sets; False where the solves ran out before that was proven.

        must: sets of limits whose giving up mends the promise; a set that clashes has one of each.
        """
        budget = self.solves + MOST_SOLVES
        while self.solves < budget:
            least, fewest = hitting(must, len(found))
            if least is None:
                return found, True
            if not self.holding(least).whole:
                better = self.reduced(least)
                if fewest or len(better) < len(found):
                    return better, fewest
                return found, False
            must.append(self.every - self._grown(least))
        return found, False

    def _grown(self, held: frozenset[Key]) -> frozenset[Key]:
        """As many limits as hold together with these while the whole mass fits, none more can be added."""
        for key in sorted(self.every - held):
            if self.holding(held | {key}).whole:
                held = held | {key}
        return held


def hitting(must: Iterable[frozenset[Key]], below: int) -> tuple[frozenset[Key] | None, bool]:
    """A set with a member of each, and is it proven smallest; None: all such sets have `below` or more."""
    sets = sorted(set(must), key=lambda s: (len(s), sorted(s)))
    forced = {next(iter(s)) for s in sets if len(s) == 1}
    rest = [s for s in sets if not s & forced]
    free = sorted(set().union(*rest))
    most = below - len(forced)
    for size in range(min(most, MOST_CHOSEN + 1)):
        for more in itertools.combinations(free, size):
            if all(s.intersection(more) for s in rest):
                return frozenset(forced.union(more)), True
    if most <= MOST_CHOSEN + 1:
        return None, True
    return frozenset(forced | _greedy(rest)), False


def _greedy(sets: list[frozenset[Key]]) -> set[Key]:
    """A member of each, the most frequent first: not always the fewest."""
    chosen: set[Key] = set()
    left = list(sets)
    while left:
        best = max(sorted(set().union(*left)), key=lambda k: sum(k in s for s in left))
        chosen.add(best)
        left = [s for s in left if best not in s]
    return chosen
