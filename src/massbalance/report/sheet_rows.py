"""Rows of a worksheet as SpreadsheetML, whole columns at once.

XlsxWriter makes the package: styles, widths, filters, charts, and of each table the header and one
empty row that shows the style of every column. Here that row gives way to the table's own rows: a
million rows are seconds of array operations, and minutes cell by cell.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from xlsxwriter.utility import xl_col_to_name

from massbalance.domain.texts import (
    BLOCK_ROWS,
    LARGE,
    Strings,
    TextTable,
    by_word,
    content,
    ends,
    holds,
    joined,
    scalar,
    strings,
)

_MODEL_ROW = re.compile(rb'<row r="2"[^>]*>(.*?)</row>')
_STYLE = re.compile(rb' s="([0-9]+)"')
_DIMENSION = re.compile(rb'<dimension ref="[^"]*"/>')
_LEVEL = 1
"""Compression: the highest levels take five times as long for a fifth less."""
_PLACE_BYTES = 32
"""What a cell's place and style take at most."""

_ODD_BYTES = np.isin(np.arange(256), [*range(32), *b"&<>", 0xEF])
"""Bytes of what XML writes otherwise; with 0xEF begin, among others, the two that are no characters."""
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]")
_LOOKS_ESCAPED = re.compile(r"_(x[0-9a-fA-F]{4}_)")


@dataclass(frozen=True)
class _Column:
    """The cells of a column as XML: what stands before each text, the texts, what stands after."""

    before: str
    texts: Strings
    after: str

    @property
    def size(self) -> int:
        """Bytes of all cells, at most."""
        around = len(self.before) + len(self.after) + _PLACE_BYTES
        return int(self.texts.nbytes) + around * len(self.texts)


def fill(package: BinaryIO, target: BinaryIO, tables: Mapping[str, TextTable]) -> None:
    """Copy an XlsxWriter package, with the tables' rows in their worksheets.

    tables: file name in the package -> table, whose worksheet holds the header and, unless the table
    is empty, a second row with one blank cell for each column, in that column's style. The same input
    gives the same bytes.
    """
    with (
        zipfile.ZipFile(package) as source,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive,
    ):
        for item in source.infolist():
            data = source.read(item)
            table = tables.get(item.filename)
            if table is None or len(table) == 0:
                archive.writestr(item, data, zipfile.ZIP_DEFLATED, _LEVEL)
                continue
            columns = [
                _figures(texts) if name in table.figures else _texts(texts)
                for name, texts in table.columns.items()
            ]
            # the size decides whether the archive needs 64 bits for it
            item.file_size = len(data) + sum(column.size for column in columns) + _PLACE_BYTES * len(table)
            item.compress_type = zipfile.ZIP_DEFLATED
            # an entry that is streamed takes its own level, not the archive's
            item._compresslevel = _LEVEL  # type: ignore[attr-defined]
            with archive.open(item, "w") as sheet:
                for piece in _ahead(_worksheet(data, columns)):
                    sheet.write(piece)


def _ahead(pieces: Iterator[bytes | memoryview]) -> Iterator[bytes | memoryview]:
    """The same pieces, the next one made while the last one is compressed."""
    with ThreadPoolExecutor(1) as beside:
        coming = beside.submit(next, pieces, b"")
        while piece := coming.result():
            coming = beside.submit(next, pieces, b"")
            yield piece


def _worksheet(data: bytes, columns: Sequence[_Column]) -> Iterator[bytes | memoryview]:
    """A worksheet's XML with the columns' rows in the place of the model row."""
    model = _MODEL_ROW.search(data)
    styles = [found.decode() for found in _STYLE.findall(model.group(1))] if model else []
    if model is None or len(styles) != len(columns):
        raise ValueError("the worksheet has no model row for its table")
    rows = len(columns[0].texts)
    corner = f"{xl_col_to_name(len(styles) - 1)}{rows + 1}"
    yield _DIMENSION.sub(f'<dimension ref="A1:{corner}"/>'.encode(), data[: model.start()])
    for start in range(0, rows, BLOCK_ROWS):
        yield _rows(columns, styles, start, min(BLOCK_ROWS, rows - start))
    yield data[model.end() :]


def _rows(columns: Sequence[_Column], styles: Sequence[str], start: int, count: int) -> memoryview:
    """Some rows of the table, from its row `start` on."""
    number = pa.array(np.arange(start + 2, start + 2 + count)).cast(LARGE)
    parts = [joined(scalar('<row r="'), number, scalar('">'))]
    for at, (style, column) in enumerate(zip(styles, columns, strict=True)):
        place, texts = scalar(f'<c r="{xl_col_to_name(at)}'), _filled(column.texts.slice(start, count))
        parts.append(
            joined(place, number, scalar(f'" s="{style}"{column.before}'), texts, scalar(column.after))
        )
    # a null is a cell that is left out
    return content(pc.binary_join_element_wise(*parts, scalar("</row>"), scalar(""), null_handling="skip"))


def _filled(texts: Strings) -> Strings:
    """The texts, null where there is none."""
    empty = pc.equal(texts, "")
    return pc.if_else(empty, pa.scalar(None, LARGE), texts) if pc.any(empty).as_py() else texts


def _figures(texts: Strings) -> _Column:
    """Decimals as numbers."""
    return _Column("><v>", texts, "</v></c>")


def _texts(texts: Strings) -> _Column:
    """Texts as texts, whatever they begin with."""
    odd = holds(texts, _ODD_BYTES) or pc.any(pc.match_substring(texts, "_x")).as_py()
    safe = by_word(texts, _all_escaped) if odd else texts
    space = ' xml:space="preserve"' if _padded(texts) else ""
    return _Column(f' t="inlineStr"><is><t{space}>', safe, "</t></is></c>")


def _padded(texts: Strings) -> bool:
    """Does any text begin or end with a space, which XML readers would drop?"""
    data, place = np.frombuffer(content(texts), dtype=np.uint8), ends(texts)
    some = np.flatnonzero(np.diff(place))
    outer = data[np.concatenate([place[some], place[some + 1] - 1])]
    return bool((outer <= ord(" ")).any())


def _all_escaped(words: Strings) -> Strings:
    return strings([_escaped(word) for word in words.to_pylist()])


def _escaped(word: str) -> str:
    """A text as XML; control characters as `_xHHHH_`, as spreadsheets write them."""
    word = _LOOKS_ESCAPED.sub(r"_x005F_\1", word)
    word = _CONTROL.sub(lambda found: f"_x{ord(found.group()):04X}_", word)
    return word.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
