"""Parquet: every column becomes the text that a CSV of it would hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from massbalance.intake.cells import Cells
from massbalance.intake.log import Log
from massbalance.intake.raw import RawTable

MOST_ROWS = 20_000_000
_MIDNIGHT = r" 00:00:00(\.0+)?$"


def read_parquet(path: Path, table: str, log: Log) -> RawTable | None:
    """The table of a file; None, with a fault, where the file is no Parquet."""
    try:
        file = pq.ParquetFile(path)
        texts = [f.name for f in file.schema_arrow if pa.types.is_string(f.type)]
        rows = file.metadata.num_rows
        if rows > MOST_ROWS:
            log.add(path.name, None, "", f"{rows} rows", f"at most {MOST_ROWS} rows", "file")
            return None
        found = pq.ParquetFile(path, read_dictionary=texts).read()
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        log.add(path.name, None, "", str(error).split("\n")[0], "a Parquet file", "file")
        return None
    return _table(found, path.name, table, log)


def _table(found: Any, file: str, table: str, log: Log) -> RawTable:
    columns: list[Cells] = []
    complete = True
    for i, field in enumerate(found.schema):
        try:
            cells = Cells.of(as_text(found.column(i)))
            cells.words.validate(full=True)
        except (pa.ArrowException, UnicodeDecodeError):
            complete = False
            log.add(
                file, None, field.name, str(field.type), "text, numbers, dates or true/false", "column_type"
            )
            cells = Cells(np.zeros(found.num_rows, dtype=np.int32), pa.array([""], pa.large_string()))
        columns.append(cells)
    header = tuple(str(name).strip() for name in found.schema.names)
    numbers = np.arange(2, found.num_rows + 2, dtype=np.int64)
    return RawTable(header, tuple(columns), numbers, complete, "parquet")


def as_text(column: Any) -> Any:
    """A column of any simple type as strings, each distinct value written once; arrow's error where it
    is nested or opaque.
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        if _is_text(kind.value_type):
            return column.unify_dictionaries() if isinstance(column, pa.ChunkedArray) else column
        return as_text(column.cast(kind.value_type))
    if _is_text(kind) or pa.types.is_null(kind):
        return column.cast(pa.large_string())
    encoded = pc.dictionary_encode(column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column)
    text = encoded.dictionary.cast(pa.large_string())
    if pa.types.is_timestamp(kind):
        text = pc.replace_substring_regex(text, _MIDNIGHT, "")
    return pa.DictionaryArray.from_arrays(encoded.indices, text)


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
