"""The floor premium over the mass: the loss of margin is convex and piecewise linear, found by re-solves."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from massbalance.quote.linear import NOISE, Worth, loss_of
from massbalance.solving.hot import DUAL, AnyTrial, Hot
from massbalance.solving.stamp import Stamp

STRAIGHT = 1e-7
"""Slopes closer than this, relative to max(1, slope), are one."""
MOST_SOLVES = 400
"""Re-solves of one curve; where that is not enough, the points between are on chords above the curve."""


@dataclass(frozen=True)
class Point:
    """A mass, t; what the margin loses by it; and a premium that its last tonne asks for."""

    mass: float
    loss: float
    marginal: float

    @property
    def floor(self) -> float:
        """Least premium per t of all of the mass."""
        return self.loss / self.mass if self.mass > 0 else self.marginal


def curve(hot: Hot, stamp: Stamp, found: Worth) -> list[Point]:
    """Every breakpoint of the loss between none and the feasible mass, and both ends, by mass.

    At a breakpoint `marginal` is the premium of the tonne before it.
    """
    if found.taken is None:
        return []
    with hot.trial(stamp) as trial:
        trial.aim_at_margin()
        return _Search(hot, trial).run(found.feasible)


class _Search:
    def __init__(self, hot: Hot, trial: AnyTrial) -> None:
        self.hot, self.trial, self.solves = hot, trial, 0
        self.same = NOISE * max(1.0, abs(hot.minimum))

    def run(self, most: float) -> list[Point]:
        """From nothing to `most` t."""
        first, last = self.at(0.0), self.at(most)
        if first is None or last is None:
            return []
        corners = [first, *self.between(first, last), last]
        slopes = [(b.loss - a.loss) / (b.mass - a.mass) for a, b in itertools.pairwise(corners)]
        bends = [
            Point(point.mass, point.loss, slope)
            for point, slope, after in zip(corners[1:-1], slopes, slopes[1:], strict=False)
            if after - slope > STRAIGHT * max(1.0, abs(slope))
        ]
        return [Point(0.0, 0.0, slopes[0]), *bends, Point(last.mass, last.loss, slopes[-1])]

    def at(self, mass: float) -> Point | None:
        """The loss at a mass, and a slope there."""
        self.solves += 1
        self.trial.between(mass, mass)
        found = self.trial.solve(DUAL)
        if found is None:
            return None
        return Point(mass, loss_of(found.minimum, self.hot.minimum), found.marginal)

    def between(self, a: Point, b: Point) -> list[Point]:
        """Breakpoints strictly between two points: where their tangents meet, if the loss lies there."""
        width = b.mass - a.mass
        straight = min(abs(b.loss - a.loss - slope * width) for slope in (a.marginal, b.marginal))
        if straight <= self.same or self.solves >= MOST_SOLVES or b.marginal <= a.marginal:
            return []
        meet = a.mass + (b.loss - a.loss - b.marginal * width) / (a.marginal - b.marginal)
        if not a.mass < meet < b.mass:
            return []
        middle = self.at(meet)
        if middle is None:
            return []
        if middle.loss <= a.loss + a.marginal * (meet - a.mass) + self.same:
            return [middle]
        return [*self.between(a, middle), middle, *self.between(middle, b)]
