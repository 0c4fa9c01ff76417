"""Lots dealt out to queues of orders: two sums that run side by side, cut where either ends.

Each pool and period has its lots in the order of booking and its orders in theirs. A lot serves one
order after the other; an order that a lot does not fill goes on with the next. No loop runs over
orders: only over the ends of lots.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from massbalance.booking.ledger import Portion
from massbalance.booking.targets import Bools, Ints
from massbalance.domain.case import IndexArray


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
    """Rows: draw, portion (number in the list of portions) and quantity; filled: which draws got all that
    they ask for, shape (draws,). The others have no rows.
    """

    draw: IndexArray
    portion: IndexArray
    quantity: Ints
    filled: Bools


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
    start = np.flatnonzero(np.diff(ordered.place, prepend=-1))
    cuts, filled = _Cuts(), np.ones(len(at), dtype=bool)
    spans = pairwise([*start.tolist(), len(at)])
    for place, (begin, end) in zip(ordered.place[start].tolist(), spans, strict=True):
        done = _deal_place(ordered, reached, (begin, end), by_place.get(place, ()), cuts)
        filled[done:end] = False
    draw, source, quantity = _rows(ordered, cuts)
    keep = filled[draw]
    back = np.empty(len(at), dtype=bool)
    back[at] = filled
    return Dealt(at[draw[keep]], source[keep], quantity[keep], back)


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
        while at < end:
            if not begun:
                whole = at + int(np.searchsorted(reached[at + 1 : end + 1], reached[at] + left, side="right"))
                if whole > at:
                    cuts.runs.append((at, whole, n))
                    left -= int(reached[whole] - reached[at])
                    at = whole
                    continue
            missing = draws.measure(at, int(draws.quantity[at])) - begun
            rest = draws.least(at, missing)
            if rest > left:
                break
            if rest:
                cuts.pieces.append((at, n, rest))
            at, begun, left = at + 1, 0, left - rest
        if at < end:
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
