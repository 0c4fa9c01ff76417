"""Families of rows as entries, and all of them as one matrix by columns.

A pair has an entry in a dozen families, so the entries of the x columns are kept as parts that hold each
pair at most once: the matrix is filled part by part, without sorting.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse

from massbalance.formulation.labels import LEAST
from massbalance.solving.rows import Family

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]
Entries = tuple[Positions, Positions, Floats | float]
"""Row within the family, column, coefficient (one for all, where it is a figure)."""
PairEntries = tuple[Positions, Positions, Floats | float]
"""Row within the family, pair (each once, ascending), coefficient (over all pairs, or one for all)."""
AT_ONCE = 16384
"""Columns that are filled together."""


@dataclass(frozen=True)
class PairPart:
    """Entries in x columns: pair (ascending, each once), row within the family; value over all pairs."""

    pair: npt.NDArray[np.int32]
    row: npt.NDArray[np.int32]
    value: Floats | float


@dataclass(frozen=True)
class Rows:
    """A family of rows `entries <= upper` (`= upper` where equal); no row is empty of figures."""

    labels: Family
    of_pairs: tuple[PairPart, ...]
    others: tuple[Entries, ...]
    upper: Floats
    equal: bool = False


def _given(value: Floats | float, index: Positions | npt.NDArray[np.int32]) -> Floats:
    return np.full(len(index), value) if isinstance(value, float) else value[index]


def _filled(rows: int, others: Sequence[Entries], of_pairs: Sequence[PairEntries]) -> Bools:
    """Rows with a coefficient that is not zero."""
    filled = np.zeros(rows, dtype=bool)
    for row, _, value in others:
        filled[row if isinstance(value, float) else row[value != 0]] = True
    for row, pair, value in of_pairs:
        if filled.all():
            break
        filled[row[_given(value, pair) != 0]] = True
    return filled


def family(
    labels: Family,
    others: Sequence[Entries] = (),
    of_pairs: Sequence[PairEntries] = (),
    upper: Floats | None = None,
    *,
    equal: bool = False,
) -> Rows:
    """Rows without the coefficients that are none to the solver, and without the rows that are empty.

    upper: shape (rows,), 0 if not given. Figures that stand for all must be no less than LEAST.
    """
    most = np.zeros(len(labels)) if upper is None else upper
    filled = _filled(len(most), others, of_pairs)
    place = np.cumsum(filled) - 1
    if not filled.all():
        labels, most = labels.take(np.flatnonzero(filled)), most[filled]
    seen = []
    for row, column, value in others:
        if not isinstance(value, float):
            kept = np.abs(value) >= LEAST
            row, column, value = row[kept], column[kept], value[kept]
        seen.append((place[row], column, value))
    parts = []
    for row, pair, value in of_pairs:
        if not isinstance(value, float):
            kept = np.abs(value[pair]) >= LEAST
            if not kept.all():
                row, pair = row[kept], pair[kept]
        parts.append(PairPart(pair.astype(np.int32), place[row].astype(np.int32), value))
    return Rows(labels, tuple(parts), tuple(seen), most, equal)


def matrix(families: Sequence[Rows], pairs: int, before: int, columns: int) -> scipy.sparse.csc_array:
    """All families one below the other; the pairs' columns begin at `before`. Indices ascend in columns."""
    start = np.cumsum([0, *(len(one.upper) for one in families)])
    rest = _others(families, start, columns)
    parts = [(part, int(at)) for one, at in zip(families, start, strict=False) for part in one.of_pairs]
    count = np.diff(rest.indptr).astype(np.intp)
    of_x = count[before : before + pairs]
    for part, _ in parts:
        of_x[part.pair] += 1
    ends = np.zeros(columns + 1, dtype=np.int64)
    np.cumsum(count, out=ends[1:])
    data, indices = np.empty(int(ends[-1])), np.empty(int(ends[-1]), dtype=np.int32)
    # what lies before and after the pairs, which have nothing in `rest`
    cut, tail = int(ends[before]), int(ends[before + pairs])
    for mine, theirs in ((data, rest.data), (indices, rest.indices)):
        mine[:cut], mine[tail:] = theirs[:cut], theirs[cut:]
    _fill(parts, ends[before : before + pairs].copy(), data, indices)
    return scipy.sparse.csc_array((data, indices, ends.astype(np.int32)), shape=(int(start[-1]), columns))


def _others(families: Sequence[Rows], start: Positions, columns: int) -> scipy.sparse.csc_array:
    """The entries of all columns but the pairs', which are empty here."""
    found = [
        (row + at, column, _given(value, row) if isinstance(value, float) else value)
        for one, at in zip(families, start[:-1].tolist(), strict=True)
        for row, column, value in one.others
    ]
    row, column = (np.concatenate([one[i] for one in found]).astype(np.int32) for i in (0, 1))
    values = np.concatenate([one[2] for one in found])
    made = scipy.sparse.coo_array((values, (row, column)), shape=(int(start[-1]), columns)).tocsc()
    made.sort_indices()
    return made


def _fill(
    parts: Sequence[tuple[PairPart, int]], free: Positions, data: Floats, indices: npt.NDArray[np.int32]
) -> None:
    """Data and indices of the pairs' columns, part by part in the order of the rows.

    parts: with the row at which each one's family begins; free: where each pair's column begins,
    shape (pairs,), moved on as it is filled.
    """
    # some thousand columns at a time: what is being filled stays in the processor's cache
    cuts = np.arange(0, len(free) + AT_ONCE, AT_ONCE)
    slices = [np.searchsorted(part.pair, cuts).tolist() for part, _ in parts]
    for n in range(len(cuts) - 1):
        for (part, at), cut in zip(parts, slices, strict=True):
            some = slice(cut[n], cut[n + 1])
            pair = part.pair[some]
            place = free[pair]
            data[place] = _given(part.value, pair)
            indices[place] = part.row[some] + np.int32(at)
            free[pair] = place + 1
