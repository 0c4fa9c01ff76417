"""Integers of any size in arrays are exact: int64, residue beside a float, Python's own."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from massbalance.verification.integers import SAFE, Wide, integers

GRID = 10**6
SIZES = st.sampled_from([10, 10**6, 2**31, 2**53, 2**61, 2**62, 2**63, 2**64, 10**24, 10**30, 10**40])


@st.composite
def columns(draw: st.DrawFn, count: int = 3) -> list[list[int]]:
    """Columns of integers of one length, of like and of unlike sizes, near powers of two among them."""
    rows = draw(st.integers(1, 12))
    near = st.builds(lambda n, d: 2**n + d, st.integers(0, 130), st.integers(-2, 2))
    out = []
    for _ in range(count):
        size = draw(SIZES)
        one = st.one_of(st.integers(-size, size), near if size > 2**61 else st.integers(-3, 3))
        out.append(draw(st.lists(one, min_size=rows, max_size=rows)))
    return out


def same(wide: Wide, expected: list[int]) -> None:
    """The same values, signs and sum, whichever way they are kept."""
    assert wide.python().tolist() == expected
    assert [wide.at(i) for i in range(len(expected))] == expected
    assert wide.sign().tolist() == [(v > 0) - (v < 0) for v in expected]
    assert wide.total() == sum(expected)
    if wide.near is not None:
        assert wide.error < SAFE
        for value, near in zip(expected, wide.near.tolist(), strict=True):
            assert abs(Fraction(near) - value) <= Fraction(wide.error)


@given(columns())
def test_sums_and_products_are_exact(told: list[list[int]]) -> None:
    a, b, c = (Wide.of(values) for values in told)
    rows = list(zip(*told, strict=True))
    same(a, told[0])
    same(a * b, [x * y for x, y, _ in rows])
    same(a * b - c, [x * y - z for x, y, z in rows])
    same(a * b * c + a * 10**6, [x * y * z + x * 10**6 for x, y, z in rows])
    same((a + b) - (a + b), [0] * len(rows))
    same(a * b - b * a, [0] * len(rows))


@given(columns(2), st.data())
def test_groups_and_choices_are_exact(told: list[list[int]], data: st.DataObject) -> None:
    a, b = (Wide.of(values) for values in told)
    product, rows = a * b, list(zip(*told, strict=True))
    index = data.draw(st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows)))
    sums = [sum(x * y for (x, y), i in zip(rows, index, strict=True) if i == group) for group in range(4)]
    same(product.sum_by(np.array(index, dtype=np.intp), 4), sums)
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))))
    same(product.where(mask, b), [x * y if m else y for (x, y), m in zip(rows, mask.tolist(), strict=True)])
    same(product[mask], [x * y for (x, y), m in zip(rows, mask.tolist(), strict=True) if m])


@pytest.mark.parametrize("off", [-1, 0, 1])
def test_one_unit_in_a_product_of_any_size_is_seen(off: int) -> None:
    for size in (10**3, 10**9, 10**12, 10**16, 10**17, 10**25):
        wide = Wide.of([size, size]) * Wide.of([size + 1, size - 1]) - Wide.of(
            [size**2 + size + off, size**2]
        )
        same(wide, [-off, -size])


def test_sums_beyond_int64() -> None:
    # a million rows of 1e9 t each, in grams, times an intensity of 12 decimals: 1e6 * 1e15 * 1e13
    rows, quantity, intensity = 10**6, 10**9 * GRID, 11_634_567_890_123
    product = Wide.of(np.full(rows, quantity)) * Wide.of(np.full(rows, intensity))
    assert product.near is not None
    assert product.low.dtype == np.int64
    assert product.total() == rows * quantity * intensity
    index = np.arange(rows) % 7
    sums = product.sum_by(index, 7)
    counts = np.bincount(index).tolist()
    assert sums.python().tolist() == [count * quantity * intensity for count in counts]
    assert Wide.of(np.full(rows, quantity)).sum_by(index, 7).python().tolist() == [
        c * quantity for c in counts
    ]
    assert Wide.of(np.full(rows, 2**61)).total() == rows * 2**61


def test_nothing_at_all() -> None:
    none = Wide.of(np.zeros(0, dtype=np.int64))
    same(none * none + none, [])
    same(none.sum_by(np.zeros(0, dtype=np.intp), 2), [0, 0])


def test_integers_are_int64_while_they_fit() -> None:
    assert integers([2**61, -1]).dtype == np.int64
    assert integers([2**62]).dtype == object
    assert integers([]).tolist() == []
