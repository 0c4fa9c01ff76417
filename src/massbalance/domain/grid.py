"""Exact numbers: integers on a decimal grid, and columns of decimals.

Books are kept in millionths of a unit (1 g of metal, 1 g of CO2e, 1 Wh).  A coefficient
(intensity, share, price) keeps every decimal it was written with: a `Column` is an integer
array and the number of decimals it is scaled by, so value = values / 10**decimals.

int64 is used while every intermediate result provably fits, Python integers beyond that;
no operation here ever rounds unless its name says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

GRID_DECIMALS = 6
"""Booked quantities are whole millionths of their unit."""
GRID = 10**GRID_DECIMALS
INT64_SAFE = 2**62

IntArray = npt.NDArray[np.int64] | npt.NDArray[np.object_]
BoolArray = npt.NDArray[np.bool_]


def peak(values: IntArray) -> int:
    """Largest magnitude in `values` (0 for an empty array), as a Python int."""
    if len(values) == 0:
        return 0
    return max(abs(int(values.max())), abs(int(values.min())))


def as_python_ints(values: IntArray) -> npt.NDArray[np.object_]:
    """The same integers as Python ints, which cannot overflow."""
    out = np.empty(len(values), dtype=object)
    out[:] = [int(v) for v in values]
    return out


def shrink(values: IntArray) -> IntArray:
    """int64 where everything fits, unchanged otherwise."""
    if values.dtype == object and peak(values) < INT64_SAFE:
        return values.astype(np.int64)
    return values


def multiply(a: IntArray, b: IntArray) -> IntArray:
    """Exact element-wise product (int64 while it fits)."""
    if a.dtype != object and b.dtype != object and peak(a) * peak(b) < INT64_SAFE:
        return a * b
    return shrink(as_python_ints(a) * as_python_ints(b))


def scale_up(values: IntArray, decimals: int) -> IntArray:
    """Exact values * 10**decimals."""
    if decimals == 0:
        return values
    if values.dtype != object and max(peak(values), 1) * 10**decimals < INT64_SAFE:
        return values * np.int64(10**decimals)
    return shrink(as_python_ints(values) * 10**decimals)


def total(values: IntArray) -> int:
    """Exact sum as a Python int."""
    if values.dtype != object and peak(values) * max(len(values), 1) < INT64_SAFE:
        return int(values.sum())
    return sum(int(v) for v in values)


@dataclass(frozen=True)
class Column:
    """A column of exact decimals: `values[i] / 10**decimals`, or not given.

    values: int64 or object array, shape (n,), 0 where not given; given: bool, shape (n,).
    """

    values: IntArray
    decimals: int
    given: BoolArray

    @staticmethod
    def of(values: IntArray, decimals: int) -> Column:
        """A column in which every value is given."""
        return Column(values, decimals, np.ones(len(values), dtype=bool))

    @staticmethod
    def from_fractions(items: Sequence[Fraction | None]) -> Column:
        """Exact column of decimal fractions (denominators of 2 and 5 only); None = not given."""
        decimals = 0
        for item in items:
            if item is not None:
                while (item * 10**decimals).denominator != 1:
                    decimals += 1
        values = np.empty(len(items), dtype=object)
        values[:] = [0 if i is None else int(i * 10**decimals) for i in items]
        given = np.array([i is not None for i in items], dtype=bool)
        return Column(shrink(values), decimals, given)

    def __len__(self) -> int:
        return len(self.values)

    def fraction(self, i: int) -> Fraction:
        """Value i as an exact fraction (0 where not given)."""
        return Fraction(int(self.values[i]), 10**self.decimals)

    def floats(self) -> npt.NDArray[np.float64]:
        """Nearest floats, NaN where not given. For the solver and for display only."""
        out = self.values.astype(np.float64) / 10.0**self.decimals
        out[~self.given] = np.nan
        return out

    def take(self, index: npt.NDArray[np.intp]) -> Column:
        """The rows at `index`, in that order."""
        return Column(self.values[index], self.decimals, self.given[index])

    def at(self, decimals: int) -> IntArray:
        """Integers on a finer or equal decimal grid (exact)."""
        if decimals < self.decimals:
            raise ValueError(f"{self.decimals} decimals do not fit into {decimals} exactly")
        return scale_up(self.values, decimals - self.decimals)

    def aligned(self, other: Column) -> tuple[IntArray, IntArray, int]:
        """Both columns' integers on their common grid, and its decimals."""
        decimals = max(self.decimals, other.decimals)
        return self.at(decimals), other.at(decimals), decimals

    def minimum(self, other: Column) -> Column:
        """Element-wise minimum; not given where either is not given."""
        a, b, decimals = self.aligned(other)
        both = self.given & other.given
        return Column(np.where(both, np.minimum(a, b), 0), decimals, both)

    def minus(self, other: Column) -> Column:
        """Element-wise difference; not given where either is not given."""
        a, b, decimals = self.aligned(other)
        both = self.given & other.given
        return Column(np.where(both, a - b, 0), decimals, both)

    def plus(self, other: Column) -> Column:
        """Element-wise sum; not given where either is not given."""
        a, b, decimals = self.aligned(other)
        both = self.given & other.given
        return Column(np.where(both, a + b, 0), decimals, both)

    def floor_at_zero(self) -> Column:
        """max(0, value); what is not given stays not given."""
        return Column(np.maximum(self.values, 0), self.decimals, self.given)

    def joined(self, other: Column) -> Column:
        """This column's rows, then the other's."""
        a, b, decimals = self.aligned(other)
        return Column(shrink(np.concatenate([a, b])), decimals, np.concatenate([self.given, other.given]))

    def or_zero(self) -> Column:
        """0 where not given: only where the interface says that absence means none."""
        return Column(self.values, self.decimals, np.ones(len(self), dtype=bool))


def floor_product(quantity: IntArray, factor: Column) -> IntArray:
    """floor(quantity * factor) on the grid of `quantity`, exactly.

    Booked credited mass and reductions are rounded down to the grid (interface, "Meaning").
    """
    product = multiply(quantity, factor.values)
    if 10**factor.decimals >= INT64_SAFE:
        product = as_python_ints(product)
    return shrink(product // 10**factor.decimals)


def decimal_text(value: int, decimals: int = GRID_DECIMALS) -> str:
    """Exact decimal text of value / 10**decimals, without trailing zeros: 1500000 -> '1.5'."""
    if decimals == 0:
        return str(value)
    sign = "-" if value < 0 else ""
    whole, part = divmod(abs(value), 10**decimals)
    tail = f"{part:0{decimals}d}".rstrip("0")
    return f"{sign}{whole}.{tail}" if tail else f"{sign}{whole}"
