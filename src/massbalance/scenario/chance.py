"""Chance without a state: distributions, and draws that depend on nothing but what they are asked for.

A draw is a function of words (seed, number of the future, rule, row) by SHA-256, so neither the order of
rows nor how many futures are drawn changes it, and it is the same on every machine: integers only.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from massbalance.domain.grid import GRID, GRID_DECIMALS, decimal_text
from massbalance.intake.log import nearest, one_of

BITS = 64
WHOLE = 1 << BITS
KINDS = {"uniform": 2, "triangular": 3, "values": 0}
"""Kinds of distributions, and how many figures each takes (0: any number of them)."""
MOST, FINEST = 10**9, 30
"""Figures beyond the one, or below ten to the minus other, are none that a plant has."""
SEPARATOR = "\x1f"
"""Stands in no text of a case: intake refuses control characters."""


def ticket(*words: object) -> int:
    """A number within 0 .. 2**64 - 1, drawn evenly and always the same for the same words."""
    text = SEPARATOR.join(str(word) for word in words)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[: BITS // 8], "big")


def happens(probability: Fraction, drawn: int) -> bool:
    """Does what has this probability happen on a ticket? Exact."""
    return drawn * probability.denominator < probability.numerator * WHOLE


@dataclass(frozen=True)
class Distribution:
    """Where a figure falls, in millionths of its unit.

    kind: one of KINDS; points: its figures; weights: of `values`, whole numbers; step: of what comes out
    (1: the grid; a million: whole units).
    """

    kind: str
    points: tuple[int, ...]
    weights: tuple[int, ...]
    step: int

    def draw(self, drawn: int) -> int:
        """The figure of a ticket, in millionths."""
        if self.kind == "values":
            return self._of_values(drawn)
        if self.kind == "uniform":
            low, high = self.points
            return low + self.step * (drawn * ((high - low) // self.step + 1) >> BITS)
        value = self._of_triangle(drawn)
        return (value + self.step // 2) // self.step * self.step

    def _of_values(self, drawn: int) -> int:
        place, passed = drawn * sum(self.weights) >> BITS, 0
        for point, weight in zip(self.points, self.weights, strict=True):
            passed += weight
            if place < passed:
                return point
        return self.points[-1]

    def _of_triangle(self, drawn: int) -> int:
        """Inverse of the distribution function, in whole square roots."""
        low, peak, high = self.points
        if drawn * (high - low) < (peak - low) * WHOLE:
            return low + math.isqrt(drawn * (high - low) * (peak - low) >> BITS)
        return high - math.isqrt((WHOLE - drawn) * (high - low) * (high - peak) >> BITS)


@dataclass(frozen=True)
class Range:
    """What figures of a kind may be, low to high; step: as Distribution's; words: what is expected."""

    low: int
    high: int
    step: int
    words: str


DAYS = Range(0, 3650, GRID, "whole days from 0 to 3650")
FACTOR = Range(0, 1, 1, "a factor from 0 to 1")
YIELD = Range(0, 2, 1, "a factor above 0, at most 2")


class NoDistribution(ValueError):
    """What was written is no distribution: `value` as found, `expected` in words."""

    def __init__(self, value: object, expected: str) -> None:
        self.value, self.expected = value, expected
        super().__init__(expected)


def parse(written: Any, limits: Range) -> Distribution:
    """A figure, a list of figures that are equally likely, or a table with one of KINDS.

    written: as TOML gives it, numbers as Decimal or int. NoDistribution where it is none.
    """
    if not isinstance(written, dict):
        values = written if isinstance(written, list) else [written]
        written = {"values": values}
    known = [kind for kind in KINDS if kind in written]
    more = set(written) - set(KINDS) - ({"weights"} if "values" in written else set())
    if more:
        word = sorted(more)[0]
        raise NoDistribution(word, f"one of {one_of(KINDS)} (nearest: `{nearest(word, KINDS)}`)")
    if len(known) != 1:
        raise NoDistribution(", ".join(written), f"one of {one_of(KINDS)}")
    kind = known[0]
    points = _points(kind, written[kind], limits)
    weights = _weights(written["weights"], len(points)) if "weights" in written else (1,) * len(points)
    return Distribution(kind, points, weights, limits.step)


def _points(kind: str, written: Any, limits: Range) -> tuple[int, ...]:
    count = KINDS[kind]
    if not isinstance(written, list) or len(written) != (count or max(1, len(written))):
        raise NoDistribution(written, f"a list of {count} figures" if count else "a list of figures")
    points = tuple(_point(one, limits) for one in written)
    if count and list(points) != sorted(points):
        raise NoDistribution(_listed(points), "the least figure first")
    return points


def _number(written: object, expected: str) -> Fraction:
    """A figure of ordinary size as it was written, exact."""
    if isinstance(written, bool) or not isinstance(written, int | Decimal):
        raise NoDistribution(written, expected)
    sound = Decimal(written).is_finite() and -MOST <= written <= MOST
    if not sound or (written and Decimal(written).adjusted() < -FINEST):
        raise NoDistribution(written, expected)
    return Fraction(written)


def _point(written: Any, limits: Range) -> int:
    """One figure in millionths, on its step and within its limits."""
    value = _number(written, limits.words) * GRID
    if value.denominator != 1 or value % limits.step or not limits.low * GRID <= value <= limits.high * GRID:
        raise NoDistribution(written, f"{limits.words}, at most {GRID_DECIMALS} decimals")
    if limits is YIELD and value == 0:
        raise NoDistribution(written, limits.words)
    return int(value)


def _listed(points: Sequence[int]) -> str:
    return ", ".join(decimal_text(point) for point in points)


def _weights(written: Any, count: int) -> tuple[int, ...]:
    """Weights of values as whole numbers in the same proportion."""
    expected = f"a list of {count} weights, none below 0 and not all 0"
    if not isinstance(written, list) or len(written) != count:
        raise NoDistribution(written, expected)
    found = []
    for one in written:
        found.append(_number(one, expected))
        if found[-1] < 0:
            raise NoDistribution(one, expected)
    if not any(found):
        raise NoDistribution(written, expected)
    scale: int = math.lcm(*(one.denominator for one in found))
    return tuple(int(one * scale) for one in found)


def probability(written: Any) -> Fraction:
    """A probability, exact. NoDistribution where it is none."""
    expected = "a probability from 0 to 1"
    found = _number(written, expected)
    if not 0 <= found <= 1:
        raise NoDistribution(written, expected)
    return found
