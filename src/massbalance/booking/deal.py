"""Lots dealt out to queues of orders: two sums that run side by side, cut where either ends.

Each pool and period has its lots in the order of booking and its orders in theirs. A lot serves one
order after the other; an order that a lot does not fill goes on with the next. No loop runs over
orders: only over the ends of lots.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from massbalance.booking.ledger import Portion
from massbalance.booking.targets import Floats, Ints
from massbalance.domain.case import IndexArray

SPARE_UNITS = 3
"""Units that the end of a lot may cost an order: it is not counted on them when it is to shrink."""


@dataclass(frozen=True)
class Draws:
    """What n draws ask for: place (number of pool and period), quantity (units, above 0), unit (numerator,
    denominator of the measure that must not shrink where several lots serve one draw); in order of booking.
    """

    place: IndexArray
    quantity: Ints
    unit: Ints

    def measure(self, draw: int, quantity: int) -> int:
        """What a row of this quantity books of the draw's measure."""
        return quantity * int(self.unit[draw, 0]) // int(self.unit[draw, 1])

    def least(self, draw: int, measure: int) -> int:
        """The least quantity that books so much."""
        return -(-measure * int(self.unit[draw, 1]) // int(self.unit[draw, 0]))


@dataclass(frozen=True)
class Dealt:
    """Rows: draw, portion (number in the list of portions) and quantity; share: how much of each draw there
    was (1: all of it), shape (draws,). Rows of draws with a smaller share are left out.
    """

    draw: IndexArray
    portion: IndexArray
    quantity: Ints
    share: Floats


@dataclass
class _Cuts:
    """Rows as they are found: whole runs of draws from one portion, and single pieces of draws."""

    runs: list[tuple[int, int, int]] = field(default_factory=list)
    pieces: list[tuple[int, int, int]] = field(default_factory=list)


def deal(draws: Draws, portions: list[Portion]) -> Dealt:
    """Deal the portions out to the draws of their places."""
    by_place: dict[int, list[tuple[int, int]]] = {}
    for n, portion in enumerate(portions):
        by_place.setdefault(portion.place, []).append((n, portion.amount))
    at = np.argsort(draws.place, kind="stable")
    ordered = Draws(draws.place[at], draws.quantity[at], draws.unit[at])
    reached = np.concatenate([[0], np.cumsum(ordered.quantity)])
    places, start = np.unique(ordered.place, return_index=True)
    ends = [*start[1:].tolist(), len(at)]
    cuts, share = _Cuts(), np.ones(len(at))
    for place, begin, end in zip(places.tolist(), start.tolist(), ends, strict=True):
        there = by_place.get(place, [])
        done = _deal_place(ordered, reached, (begin, end), there, cuts)
        if done < end:
            share[done:end] = 0.0
            left = sum(amount for _, amount in there) - int(reached[done] - reached[begin]) - SPARE_UNITS
            share[done] = min(max(left / int(ordered.quantity[done]), 0.0), 1.0 - 1e-12)
    draw, portion, quantity = _rows(ordered, cuts)
    keep = share[draw] == 1.0
    back = np.ones(len(at))
    back[at] = share
    return Dealt(at[draw[keep]], portion[keep], quantity[keep], back)


def _deal_place(
    draws: Draws, reached: Ints, span: tuple[int, int], portions: Iterable[tuple[int, int]], cuts: _Cuts
) -> int:
    """Serve the draws of `span` from the portions; returns the first that they do not fill.

    A draw that ends one portion and begins the next takes from each the least that books its
    measure: what is left of it after a row rounded down is asked of the next.
    """
    at, end = span
    begun = 0
    for n, left in portions:
        if begun:
            rest = draws.least(at, draws.measure(at, int(draws.quantity[at])) - begun)
            if rest <= left:
                cuts.pieces.append((at, n, rest))
                at, begun, left = at + 1, 0, left - rest  # noqa: PLW2901
        if not begun:
            whole = at + int(np.searchsorted(reached[at + 1 : end + 1], reached[at] + left, side="right"))
            if whole > at:
                cuts.runs.append((at, whole, n))
                left -= int(reached[whole] - reached[at])  # noqa: PLW2901
                at = whole
        if at == end:
            return end
        measure = draws.measure(at, left)
        if measure:
            cuts.pieces.append((at, n, draws.least(at, measure)))
            begun += measure
    return at


def _rows(draws: Draws, cuts: _Cuts) -> tuple[IndexArray, IndexArray, Ints]:
    """Runs and pieces as rows."""
    runs = np.array(cuts.runs, dtype=np.intp).reshape(-1, 3)
    pieces = np.array(cuts.pieces, dtype=np.int64).reshape(-1, 3)
    length = runs[:, 1] - runs[:, 0]
    first = np.cumsum(length) - length
    run_draw = np.arange(int(length.sum())) - np.repeat(first, length) + np.repeat(runs[:, 0], length)
    draw = np.concatenate([run_draw, pieces[:, 0].astype(np.intp)])
    portion = np.concatenate([np.repeat(runs[:, 2], length), pieces[:, 1].astype(np.intp)])
    return draw, portion, np.concatenate([draws.quantity[run_draw], pieces[:, 2]])
