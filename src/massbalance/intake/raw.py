"""A table as read from any format, before a single value was looked at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from massbalance.intake.cells import Cells
from massbalance.intake.log import Log

RowNumbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class RawTable:
    """header: column names as written; columns: one `Cells` each; rows: row number of each row in
    the file (its first line is 1), shape (n,); complete: no row had to be left out; encoding:
    what was read (`utf-8`, `cp932`, `parquet` ...).
    """

    header: tuple[str, ...]
    columns: tuple[Cells, ...]
    rows: RowNumbers
    complete: bool
    encoding: str


def joined(raw: RawTable, more: RawTable, required: Iterable[str] = ()) -> RawTable:
    """One table of both; a cell is empty where its table has no such column.

    required: columns that `raw` should have; where it lacks one, so does the whole.
    """
    lacking = set(required) - set(raw.header)
    others = (name for name in more.header if name not in raw.header and name not in lacking)
    header = (*raw.header, *others)
    columns = []
    for name in header:
        parts = []
        for table in (raw, more):
            if name in table.header:
                parts.append(table.columns[table.header.index(name)].text())
            else:
                parts.append(pa.array([""] * len(table.rows), pa.large_string()))
        columns.append(Cells.of(pa.chunked_array(parts)))
    rows = np.concatenate([raw.rows, more.rows])
    return RawTable(header, tuple(columns), rows, raw.complete and more.complete, raw.encoding)


def trimmed(raw: RawTable, table: str, log: Log) -> RawTable:
    """Without rows and nameless columns that hold nothing; a nameless column with values is a fault."""
    keep = np.zeros(len(raw.rows), dtype=bool)
    for cells in raw.columns:
        keep |= ~cells.blank
        if keep.all():
            break
    rows = np.flatnonzero(keep)
    columns = raw.columns if keep.all() else tuple(cells.take(rows) for cells in raw.columns)
    named = []
    for i, (name, cells) in enumerate(zip(raw.header, columns, strict=True)):
        if name:
            named.append(i)
        elif len(filled := np.flatnonzero(~cells.blank)):
            row = int(raw.rows[rows[filled[0]]])
            expected = f"no value in column {i + 1}, which has no name in the header"
            log.add(table, row, "", cells.at(int(filled[0])), expected, "unnamed_column")
    return RawTable(
        tuple(raw.header[i] for i in named),
        tuple(columns[i] for i in named),
        raw.rows[rows],
        raw.complete,
        raw.encoding,
    )
