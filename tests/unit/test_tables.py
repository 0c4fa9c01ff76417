"""Figures of orders.csv over whole columns: those that fit into 64 bits and those that do not."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from massbalance.books.tables import footprints_after
from massbalance.domain.grid import Column

ORDER = st.tuples(
    st.integers(0, 10**8) | st.integers(0, 10**17),
    st.integers(0, 10**9) | st.integers(0, 10**16) | st.just(0),
    st.integers(0, 10**9) | st.integers(0, 10**17),
)
"""Intensity (integer), claimed g, reduction g."""


@settings(deadline=None)
@given(st.lists(ORDER, max_size=12), st.integers(0, 9))
def test_footprints_are_rounded_up_exactly(orders: list[tuple[int, int, int]], decimals: int) -> None:
    columns = np.array(orders, dtype=np.int64).reshape(len(orders), 3)
    before = Column.of(columns[:, 0], decimals)
    found = footprints_after(before, columns[:, 1], columns[:, 2])
    for value, (intensity, claimed, reduced) in zip(found.tolist(), orders, strict=True):
        if claimed:
            exact = Fraction(intensity, 10**decimals) - Fraction(reduced, claimed)
            assert value == math.ceil(exact * 10**6)
