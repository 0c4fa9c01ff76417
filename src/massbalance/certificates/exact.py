"""Exact decimals as texts: read, added, rounded only where the name says so. No float anywhere."""

from __future__ import annotations

from fractions import Fraction

from massbalance.domain.grid import GRID, GRID_DECIMALS, decimal_text

SHOWN_DECIMALS = 3
"""Decimals on paper; the JSON holds the exact figures."""


def exact(text: str) -> Fraction:
    """The value of a decimal as the canonical case writes it (ValueError where it is none)."""
    return Fraction(text)


def exact_text(value: Fraction) -> str:
    """Every decimal of a decimal fraction, without trailing zeros."""
    decimals = 0
    while (value * 10**decimals).denominator != 1:
        decimals += 1
        if decimals > 1000:
            raise ValueError(f"{value} is no decimal fraction")
    return decimal_text(int(value * 10**decimals), decimals)


def up(value: Fraction) -> str:
    """Rounded up to six decimals."""
    return decimal_text(-(-value.numerator * GRID // value.denominator))


def down(value: Fraction) -> str:
    """Rounded down to six decimals."""
    return decimal_text(value.numerator * GRID // value.denominator)


def grams(value: int) -> str:
    """A booked quantity (millionths of its unit) as a text in its unit."""
    return decimal_text(value, GRID_DECIMALS)


def shown(text: str, way: str, percent: bool = False) -> str:
    """A decimal text for paper: 0.001 of its unit, rounded `up` or `down`, thousands apart."""
    value = exact(text) * (100 if percent else 1) * 10**SHOWN_DECIMALS
    whole = -(-value.numerator // value.denominator) if way == "up" else value.numerator // value.denominator
    sign = "-" if whole < 0 else ""
    units, part = divmod(abs(whole), 10**SHOWN_DECIMALS)
    return f"{sign}{units:,}.{part:0{SHOWN_DECIMALS}d}"
