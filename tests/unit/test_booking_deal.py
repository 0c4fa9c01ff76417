"""Lots dealt out to queues: every draw gets its measure, in order, and no lot gives more than it has."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from massbalance.booking.deal import Draws, deal
from massbalance.booking.ledger import Portion

Rate = tuple[int, int]
rates = st.sampled_from([(1, 1), (97, 100), (9, 20), (103, 10), (1, 3)])
draw_lists = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 60), rates), max_size=40)
portion_lists = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 90)), max_size=15)


def draws_of(asked: list[tuple[int, int, Rate]]) -> Draws:
    return Draws(
        np.array([place for place, _, _ in asked], dtype=np.intp),
        np.array([quantity for _, quantity, _ in asked], dtype=np.int64),
        np.array([rate for _, _, rate in asked], dtype=np.int64).reshape(-1, 2),
    )


def portions_of(lots: list[tuple[int, int]]) -> list[Portion]:
    return [Portion(place, n, n, 0, amount) for n, (place, amount) in enumerate(lots)]


def one_by_one(asked: list[tuple[int, int, Rate]], lots: list[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """Rows (draw, portion) -> quantity, as one would deal by hand."""
    rows: dict[tuple[int, int], int] = {}
    for place in range(3):
        queue = [n for n, (p, _) in enumerate(lots) if p == place]
        left = {n: lots[n][1] for n in queue}
        for d, (p, quantity, (num, den)) in enumerate(asked):
            if p != place:
                continue
            found, rest, at = {}, quantity * num // den, 0
            while rest > 0 and at < len(queue):
                n = queue[at]
                amount = -(-min(rest, left[n] * num // den) * den // num)
                if not found and left[n] >= quantity:
                    amount = quantity
                if amount:
                    found[n] = amount
                    rest -= amount * num // den
                if rest > 0:
                    at += 1
                else:
                    left[n] -= amount
            if rest > 0 or not found:
                break
            queue = queue[at:]
            rows |= {(d, n): amount for n, amount in found.items()}
    return rows


@given(draw_lists, portion_lists)
def test_the_rows_are_those_of_dealing_by_hand(
    asked: list[tuple[int, int, Rate]], lots: list[tuple[int, int]]
) -> None:
    # a draw that books nothing asks for no lot in particular; the booking has none
    asked = [(p, q, r) for p, q, r in asked if q * r[0] // r[1] > 0]
    dealt = deal(draws_of(asked), portions_of(lots))
    rows = zip(dealt.draw.tolist(), dealt.portion.tolist(), dealt.quantity.tolist(), strict=True)
    assert {(d, n): q for d, n, q in rows} == one_by_one(asked, lots)


@given(draw_lists, portion_lists)
def test_nothing_is_dealt_twice_and_every_filled_draw_books_its_measure(
    asked: list[tuple[int, int, Rate]], lots: list[tuple[int, int]]
) -> None:
    dealt = deal(draws_of(asked), portions_of(lots))
    used = np.zeros(len(lots), dtype=np.int64)
    np.add.at(used, dealt.portion, dealt.quantity)
    assert (dealt.quantity > 0).all()
    assert (used <= [amount for _, amount in lots]).all()
    booked = [0] * len(asked)
    for d, n, q in zip(dealt.draw.tolist(), dealt.portion.tolist(), dealt.quantity.tolist(), strict=True):
        place, _, (num, den) = asked[d]
        assert lots[n][0] == place
        booked[d] += q * num // den
    for d, (_, quantity, (num, den)) in enumerate(asked):
        assert booked[d] >= quantity * num // den if dealt.filled[d] else booked[d] == 0
    # in each queue all that is filled stands before all that is not
    for place in range(3):
        queue = [bool(dealt.filled[d]) for d, (p, _, _) in enumerate(asked) if p == place]
        assert queue == sorted(queue, reverse=True)


def test_a_million_draws_need_no_loop_over_them() -> None:
    """Two lots and a million draws of one unit: the first lot ends in the middle."""
    count = 1_000_000
    draws = Draws(
        np.zeros(count, dtype=np.intp), np.ones(count, dtype=np.int64), np.ones((count, 2), dtype=np.int64)
    )
    dealt = deal(draws, portions_of([(0, 400_000), (0, 599_999)]))
    assert np.bincount(dealt.portion).tolist() == [400_000, 599_999]
    assert dealt.filled.sum() == count - 1
    assert not dealt.filled[-1]
