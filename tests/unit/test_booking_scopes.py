"""Reductions split over scopes: many orders at once as one by one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from massbalance.booking.scopes import ScopeSet, split, split_rows

SETS: tuple[ScopeSet, ...] = ((1,), (1, 2), (1, 2, 3), (1, 3), (2,), (2, 3), (3,))


def by_hand(amounts: dict[ScopeSet, int], room: list[int]) -> dict[ScopeSet, dict[int, int]] | None:
    try:
        return split(amounts, {s: room[s - 1] for s in (1, 2, 3)})
    except ValueError:
        return None


@given(
    st.lists(
        st.tuples(
            st.lists(st.tuples(st.sampled_from(range(7)), st.integers(0, 9)), min_size=1, max_size=6),
            st.lists(st.integers(0, 15), min_size=3, max_size=3),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_rows_are_split_as_each_order_alone(orders: list[tuple[list[tuple[int, int]], list[int]]]) -> None:
    able = []
    for rows, room in orders:
        amounts: dict[ScopeSet, int] = {}
        for number, reduction in rows:
            amounts[SETS[number]] = amounts.get(SETS[number], 0) + reduction
        shares = by_hand(amounts, room)
        if shares is not None:
            able.append((rows, room, shares))
    if not able:
        return
    flat = [(o, number, r) for o, (rows, _, _) in enumerate(able) for number, r in rows]
    order, number, reduction = (np.array(column) for column in zip(*flat, strict=True))
    rooms = np.array([room for _, room, _ in able])
    lot = np.arange(len(flat))
    back = np.random.default_rng(len(flat)).permutation(len(flat))
    parts = np.empty((len(flat), 3), dtype=np.int64)
    parts[back] = split_rows(order[back], number[back], reduction[back], SETS, rooms, (lot[back],))
    assert (parts.sum(axis=1) == reduction).all()
    for o, (_, room, shares) in enumerate(able):
        own = order == o
        assert (parts[own].sum(axis=0) <= room).all()
        for n, one in enumerate(SETS):
            rows_of = parts[own & (number == n)]
            expected = [shares.get(one, {}).get(s, 0) for s in (1, 2, 3)]
            assert rows_of.sum(axis=0).tolist() == expected
            # the first rows take the first scopes
            scopes = [s for row in rows_of.tolist() for s, part in enumerate(row) if part]
            assert scopes == sorted(scopes)
