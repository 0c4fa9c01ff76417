"""From exact integers to the nearest floats, and from columns to codes: both whole arrays at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from massbalance.domain.case import IndexArray, Table
from massbalance.domain.grid import Column, IntArray, as_python_ints, peak

Floats = npt.NDArray[np.float64]
EXACT_IN_FLOAT = 2**53
MOST_CODES = 2**62


def ratio(numerator: IntArray, denominator: IntArray) -> Floats:
    """The float nearest to each quotient, as `float(Fraction(a, b))` gives it; denominators above 0."""
    if all(a.dtype != object and peak(a) < EXACT_IN_FLOAT for a in (numerator, denominator)):
        # both are exact as floats, and one division rounds correctly
        return np.asarray(numerator / denominator, dtype=np.float64)
    # Python divides integers of any size to the nearest float
    quotient = as_python_ints(numerator) / as_python_ints(denominator)
    return quotient.astype(np.float64)


def nearest(values: IntArray, decimals: int) -> Floats:
    """The float nearest to each values / 10**decimals."""
    scale = 10**decimals
    if values.dtype != object and peak(values) < EXACT_IN_FLOAT and int(float(scale)) == scale:
        return np.asarray(values / float(scale), dtype=np.float64)
    return np.array([int(v) / scale for v in values], dtype=np.float64)


def nearest_of(column: Column) -> Floats:
    """The float nearest to each value of a column (0 where not given)."""
    return nearest(column.values, column.decimals)


def numbered(columns: Sequence[IndexArray]) -> tuple[IndexArray, IndexArray]:
    """Combinations of codes (0 or more), numbered by first appearance, and the row of each one's first."""
    code = np.zeros(len(columns[0]), dtype=np.int64)
    most = 1
    for column in columns:
        size = int(column.max(initial=0)) + 1
        if most * size >= MOST_CODES:
            code = pd.factorize(code)[0].astype(np.int64)
            most = int(code.max(initial=0)) + 1
        if most * size >= MOST_CODES:
            # huge codes, of which there are no more than rows
            column = pd.factorize(column)[0].astype(np.intp)
            size = int(column.max(initial=0)) + 1
        code = code * size + column
        most *= size
    found = pd.factorize(code)[0].astype(np.intp)
    return found, first_rows(found)


def codes_of(table: Table, column: str) -> tuple[IndexArray, npt.NDArray[np.object_]]:
    """A text column as codes by first appearance, shape (n,), and the text of each code.

    A million cells of a few words are not made a million Python strings.
    """
    codes, words = pd.factorize(table.rows[column])
    return codes.astype(np.intp), np.asarray(words, dtype=object)


def rows_of(table: Table, other: Table, column: str) -> IndexArray:
    """Row in `table` that each cell of a key column of `other` names. Shape (n,)."""
    codes, words = codes_of(other, column)
    return np.asarray(table.find(words)[codes], dtype=np.intp)


def first_rows(codes: IndexArray) -> IndexArray:
    """First row of each code, where codes are numbered by first appearance."""
    return np.flatnonzero(np.diff(np.maximum.accumulate(codes), prepend=-1) > 0)
