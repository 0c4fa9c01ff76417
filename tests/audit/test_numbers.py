"""Figures are exact: decimals to millionths and back, fractions as decimals."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from massbalance.audit.alone.case import amount, number, on_grid, plain


@given(st.integers(-(10**15), 10**15))
def test_millionths_and_back(millionths: int) -> None:
    assert on_grid(amount(millionths)) == millionths
    assert amount(millionths) == plain(Fraction(millionths, 10**6))


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=9))
def test_finer_decimals_are_rounded_down(value: object) -> None:
    assert on_grid(f"{value:f}") == Fraction(f"{value:f}") * 10**6 // 1
    assert number(f"{value:f}") == Fraction(f"{value:f}")


@pytest.mark.parametrize(
    ("text", "millionths"), [("", 0), ("1e3", 10**9), ("-0.0000001", -1), (".5", 500_000)]
)
def test_other_spellings(text: str, millionths: int) -> None:
    assert on_grid(text) == millionths


@pytest.mark.parametrize("text", ["x", "1_0x", "1,5", "nan", "¹"])
def test_no_decimals(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        on_grid(text)
