"""Columns of text: whole columns at once, from exact integers to the bytes of a CSV file.

A text column is an arrow array of large strings without nulls; "" says that there is nothing. A
million cells are a handful of array operations here, and no Python object each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from massbalance.domain.case import IndexArray, Table
from massbalance.domain.grid import (
    GRID_DECIMALS,
    INT64_SAFE,
    BoolArray,
    Column,
    IntArray,
    decimal_text,
    peak,
    shrink,
)

Strings = Any
"""An arrow array of large strings without nulls."""
LARGE = pa.large_string()
BLOCK_ROWS = 65_536
"""Rows that are worked on at once: enough to make calls cheap, few enough to stay in the cache."""
SPECIAL = r'[",\r\n]'
"""A CSV cell that holds one of these is quoted."""
_SPECIAL_BYTES = np.isin(np.arange(256), list(b'",\r\n'))


def scalar(text: str) -> Any:
    """One text for a whole column."""
    return pa.scalar(text, LARGE)


def strings(items: Iterable[str]) -> Strings:
    """A text column of Python strings."""
    return pa.array(items if isinstance(items, Sequence | np.ndarray) else list(items), LARGE)


def blank(count: int) -> Strings:
    """Nothing in every row."""
    offsets = pa.py_buffer(np.zeros(count + 1, dtype=np.int64))
    return pa.Array.from_buffers(LARGE, count, [None, offsets, pa.py_buffer(b"")])


def joined(*parts: Any, mark: str = "") -> Strings:
    """Row by row, the parts (columns or `scalar`s) with the mark between them."""
    return pc.binary_join_element_wise(*parts, scalar(mark))


def whole(column: Any) -> Strings:
    """A column in one piece, as large strings."""
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return column if column.type == LARGE else column.cast(LARGE)


def text(table: Table, column: str) -> Strings:
    """A text column of a case's table, shape (n,), without a copy."""
    return whole(pa.array(table.rows[column]))


def pick(words: Strings, index: IndexArray) -> Strings:
    """The word at each position; "" where the position is below 0. Shape (n,)."""
    none = index < 0
    if not none.any():
        return words.take(pa.array(index))
    if none.all():
        return blank(len(index))
    return pc.fill_null(words.take(pa.array(index, mask=none)), "")


def where(mask: BoolArray, texts: Strings) -> Strings:
    """The texts where the mask holds, "" elsewhere."""
    return texts if mask.all() else pc.if_else(pa.array(mask), texts, scalar(""))


def positions(table: Table, column: str, target: Table) -> IndexArray:
    """Row of `target` that each row's reference points to (its first column), shape (n,)."""
    keys = text(target, str(target.rows.columns[0]))
    found = pc.fill_null(pc.index_in(text(table, column), value_set=keys), -1)
    return np.asarray(found, dtype=np.intp)


# ---- exact decimals ------------------------------------------------------------------------------------


def decimal_texts(values: IntArray, decimals: int = GRID_DECIMALS) -> Strings:
    """Exact decimal texts of values / 10**decimals, as `grid.decimal_text` writes each. Shape (n,)."""
    values = shrink(values)
    if values.dtype == object or peak(values) >= INT64_SAFE:
        return strings([decimal_text(int(value), decimals) for value in values])
    blocks = [
        _digits(values[start : start + BLOCK_ROWS], decimals) for start in range(0, len(values), BLOCK_ROWS)
    ]
    return pa.concat_arrays(blocks) if blocks else strings([])


def column_texts(column: Column) -> Strings:
    """Exact decimal texts of a column, "" where not given."""
    return where(column.given, decimal_texts(column.values, column.decimals))


def _digits(values: npt.NDArray[Any], decimals: int) -> Strings:
    """Decimal texts digit by digit, last to first: a matrix of characters, and which of them stay."""
    left = np.abs(values)
    most = int(left.max())
    if most < 2**32:  # half as wide is twice as fast
        left = left.astype(np.uint32)
    count = max(len(str(most)), decimals + 1) + 2
    shown = np.empty((count, len(values)), dtype=np.uint8)
    kept = np.empty((count, len(values)), dtype=bool)
    ten = left.dtype.type(10)
    at = count
    significant = np.zeros(len(values), dtype=bool)
    for place in range(count - 2):
        if place == decimals:
            at -= 1
            shown[at], kept[at] = ord("."), significant
        at -= 1
        higher = left // ten
        shown[at] = left - higher * ten + ord("0")
        if place < decimals:
            significant |= shown[at] != ord("0")
            kept[at] = significant
        else:
            kept[at] = left > 0 if place > decimals else True
        left = higher
    shown[0], kept[0] = ord("-"), values < 0
    # by rows: each text's characters side by side
    stays = np.ascontiguousarray(kept.T)
    data = np.ascontiguousarray(shown.T)[stays]
    offsets = np.zeros(len(values) + 1, dtype=np.int64)
    np.cumsum(kept.sum(axis=0, dtype=np.int64), out=offsets[1:])
    return pa.Array.from_buffers(LARGE, len(values), [None, pa.py_buffer(offsets), pa.py_buffer(data)])


# ---- CSV -----------------------------------------------------------------------------------------------


def ends(texts: Strings) -> npt.NDArray[np.int64]:
    """Where each text begins in the bytes of `content`, and where the last one ends. Shape (n + 1,)."""
    offsets = texts.buffers()[1]
    if len(texts) == 0 or offsets is None:
        return np.zeros(1, dtype=np.int64)
    found = np.frombuffer(offsets, dtype=np.int64)[texts.offset : texts.offset + len(texts) + 1]
    return found - found[0]


def content(texts: Strings) -> memoryview:
    """All texts of a column, one after the other, as bytes."""
    _, offsets, data = texts.buffers()
    if len(texts) == 0 or data is None:
        return memoryview(b"")
    places = np.frombuffer(offsets, dtype=np.int64)
    return memoryview(data)[int(places[texts.offset]) : int(places[texts.offset + len(texts)])]


def holds(texts: Strings, marks: npt.NDArray[np.bool_]) -> bool:
    """Does any text hold one of the bytes that are marked? marks: shape (256,)."""
    return bool(marks[np.frombuffer(content(texts), dtype=np.uint8)].any())


def by_word(texts: Strings, change: Callable[[Strings], Strings]) -> Strings:
    """The texts with `change` made to each distinct one."""
    words = pc.dictionary_encode(texts)
    return change(words.dictionary).take(words.indices)


def csv_cells(texts: Strings) -> Strings:
    """Text as CSV cells: quoted where it holds a comma, a quote or a line break."""
    return by_word(texts, _quoted) if holds(texts, _SPECIAL_BYTES) else texts


def _quoted(words: Strings) -> Strings:
    special = pc.match_substring_regex(words, SPECIAL)
    inner = pc.replace_substring(words, '"', '""')
    return pc.if_else(special, joined(scalar('"'), inner, scalar('"')), words)


def csv_rows(cells: Sequence[Strings]) -> memoryview:
    """Lines of cells that are quoted where they must be: commas between them, a line feed after each."""
    last = joined(cells[-1], scalar("\n"))
    return content(joined(*cells[:-1], last, mark=","))


@dataclass(frozen=True)
class TextTable:
    """One table of results as it is written: every cell a text, exact decimals among them.

    columns: name -> text column, all of one length; figures: names of the columns that hold decimal
    numbers (or nothing), and so never need quotes.
    """

    columns: Mapping[str, Strings]
    figures: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def blocks(self) -> Iterator[dict[str, Strings]]:
        """The columns, BLOCK_ROWS rows at a time."""
        for start in range(0, len(self), BLOCK_ROWS):
            yield {name: texts.slice(start, BLOCK_ROWS) for name, texts in self.columns.items()}

    def csv(self) -> Iterator[bytes | memoryview]:
        """CSV, piece by piece: UTF-8, line feeds, a header; the same table always gives the same bytes."""
        yield (",".join(self.columns) + "\n").encode()
        for block in self.blocks():
            yield csv_rows(
                [texts if name in self.figures else csv_cells(texts) for name, texts in block.items()]
            )

    def csv_bytes(self) -> bytes:
        """The whole CSV file."""
        return b"".join(self.csv())

    def frame(self) -> pd.DataFrame:
        """The table as a DataFrame of pandas `str`."""
        kind = pd.StringDtype("pyarrow", na_value=np.nan)
        return pd.DataFrame({name: pd.array(texts, dtype=kind) for name, texts in self.columns.items()})
