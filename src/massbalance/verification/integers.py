"""Exact integers in arrays, of any size: what the verifier computes with.

A `Wide` keeps its values in one of three ways, chosen by size at every step; none of them rounds:

- int64, while the greatest magnitude stays below 2**62;
- beyond that, the residue modulo 2**64 (int64 arithmetic that wraps around is exact modulo 2**64)
  beside a float64 whose distance from the value is bounded by `error` < 2**62. Integers of one
  residue lie 2**64 apart, so only one of them is that near to the float: the two name it exactly;
- where `error` would reach 2**62 (magnitudes of about 1e33), Python integers in an object array.

`error` adds up what every step can have lost by the standard model of float arithmetic: an operation
rounds by at most u = 2**-53 of its result, a sum of m terms by at most (m - 1) u times the sum of
their magnitudes. STEP is twice u, and SLACK covers the rounding of the bounds themselves.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Integers = npt.NDArray[Any]
"""int64, or Python's integers in an object array."""
Index = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]

SAFE = float(2**62)
STEP = 2.0**-52
SLACK = 1 + 2.0**-40
TURN = 2**64


def which(mask: Any) -> list[int]:
    """Positions where a mask is true (or numbers are not 0)."""
    found: list[int] = np.flatnonzero(mask).tolist()
    return found


def peak(values: Integers) -> int:
    """Greatest magnitude."""
    return max(abs(int(values.max())), abs(int(values.min()))) if values.size else 0


def integers(values: object) -> Integers:
    """An array of integers: int64 where all are below 2**62, else Python's, which cannot overflow."""
    found: Integers = np.array(values, dtype=object)
    return found.astype(np.int64) if peak(found) < SAFE else found


def _turns(low: Integers, near: Any) -> Ints:
    """(value - low) / 2**64, a whole number: error below 2**62, and as much in rounding here, hide none."""
    return np.rint((near - low.astype(np.float64)) / float(TURN)).astype(np.int64)


def _sum(values: Ints) -> int:
    """Sum of up to 2**31 int64 values; upper and lower halves apart, so that nothing overflows."""
    return (int((values >> 32).sum()) << 32) + int((values & 0xFFFFFFFF).sum())


class Wide:
    """Exact integers of any size; all arrays of one shape.

    low: int64 values or residues, or an object array; near: floats (None: low holds the values);
    peak: at least the greatest magnitude; error: at least the greatest |near - value|.
    """

    def __init__(self, low: Integers, near: Any = None, peak: float = np.inf, error: float = 0.0) -> None:
        self.low, self.near, self.peak, self.error = low, near, peak, error

    @staticmethod
    def of(values: Any) -> Wide:
        """From an array of integers of any size, or a list of them."""
        found: Integers = values if isinstance(values, np.ndarray) else integers(values)
        most = peak(found)
        if most < SAFE:
            return Wide(found.astype(np.int64, copy=False), None, most * SLACK)
        found = found.astype(object)
        if most * STEP >= SAFE:
            return Wide(found)
        low = ((found + TURN // 2) % TURN - TURN // 2).astype(np.int64)
        return Wide(low, found.astype(np.float64), most * SLACK, most * STEP)

    @staticmethod
    def of_halves(low: Ints, high: Ints) -> Wide:
        """From integers of 128 bits: the lower half is the residue, both halves give the float."""
        if (high == low >> 63).all():
            return Wide.of(low)
        near = high * float(TURN) + low.view(np.uint64)
        most = float(np.abs(near).max()) * SLACK
        error = 2 * most * STEP  # two halves, each rounded, and their sum
        if error >= SAFE:
            return Wide(high.astype(object) * TURN + low.view(np.uint64).astype(object))
        return Wide(low, near, most, error)

    def _floats(self) -> tuple[Any, float]:
        """Floats near the values, and how near."""
        if self.near is not None:
            return self.near, self.error
        return self.low.astype(np.float64), self.peak * STEP

    def python(self) -> Integers:
        """The values as Python ints, in an object array."""
        found = self.low.astype(object)
        return found if self.near is None else found + _turns(self.low, self.near).astype(object) * TURN

    def at(self, position: int) -> int:
        """One value."""
        return int(self[position : position + 1].python()[0])

    def __getitem__(self, index: Any) -> Wide:
        near = None if self.near is None else self.near[index]
        return Wide(self.low[index], near, self.peak, self.error)

    def _both(self, other: Wide | int) -> tuple[Wide, bool]:
        """The other as a Wide; whether one of the two is in Python's integers."""
        other = other if isinstance(other, Wide) else Wide.of([other])
        return other, object in (self.low.dtype, other.low.dtype)

    def __mul__(self, other: Wide | int) -> Wide:
        other, objects = self._both(other)
        peak = self.peak * other.peak * SLACK
        if not objects and peak < SAFE:
            return Wide(self.low * other.low, None, peak)
        if not objects:
            (a, error_a), (b, error_b) = self._floats(), other._floats()
            far_a, far_b = self.peak + error_a, other.peak + error_b
            error = (far_a * error_b + far_b * error_a + far_a * far_b * STEP) * SLACK
            if error < SAFE:
                return Wide(self.low * other.low, a * b, peak, error)
        return Wide(self.python() * other.python())

    def __add__(self, other: Wide | int) -> Wide:
        other, objects = self._both(other)
        peak = (self.peak + other.peak) * SLACK
        if not objects and peak < SAFE:
            return Wide(self.low + other.low, None, peak)
        if not objects:
            (a, error_a), (b, error_b) = self._floats(), other._floats()
            error = (error_a + error_b + (peak + error_a + error_b) * STEP) * SLACK
            if error < SAFE:
                return Wide(self.low + other.low, a + b, peak, error)
        return Wide(self.python() + other.python())

    def __sub__(self, other: Wide | int) -> Wide:
        return self + (other * -1)

    def sign(self) -> npt.NDArray[np.int8]:
        """-1, 0 or 1. Where the float leaves a doubt, |value| <= 2 error < 2**63 is the residue itself."""
        if self.near is None:
            return np.sign(self.low).astype(np.int8)
        clear = np.abs(self.near) > self.error
        return np.where(clear, np.sign(self.near), np.sign(self.low)).astype(np.int8)

    def where(self, mask: Mask, other: Wide) -> Wide:
        """These values where the mask is true, the other's elsewhere."""
        other, objects = self._both(other)
        if objects:
            return Wide(np.where(mask, self.python(), other.python()))
        near, error = None, 0.0
        if self.near is not None or other.near is not None:
            (a, error_a), (b, error_b) = self._floats(), other._floats()
            near, error = np.where(mask, a, b), max(error_a, error_b)
        return Wide(np.where(mask, self.low, other.low), near, max(self.peak, other.peak), error)

    def sum_by(self, index: Index, size: int) -> Wide:
        """Sums of the values of each index, shape (size,)."""
        most = int(np.bincount(index).max()) if len(index) else 0
        low = np.zeros(size, dtype=self.low.dtype)
        np.add.at(low, index, self.low)
        if low.dtype == object:
            return Wide(low)
        if self.peak * most * SLACK < SAFE:
            return Wide.of(low)
        floats, error = self._floats()
        error = (error + (self.peak + error) * most * STEP) * most * SLACK
        if error >= SAFE:
            return Wide(self.python()).sum_by(index, size)
        near = np.bincount(index, weights=floats, minlength=size)
        return Wide(low, near, (float(np.abs(near).max()) + error) * SLACK, error)

    def total(self) -> int:
        """The sum of all values."""
        if self.low.dtype == object:
            return int(self.low.sum())
        return _sum(self.low) + (0 if self.near is None else _sum(_turns(self.low, self.near)) * TURN)
