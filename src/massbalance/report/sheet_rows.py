"""Rows of a worksheet as SpreadsheetML, whole columns at once.

XlsxWriter makes the package: styles, widths, filters, charts, and of each table the header and one
empty row that shows the style of every column. Here that row gives way to the table's own rows: a
million rows are seconds of array operations, and minutes cell by cell.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from xlsxwriter.utility import xl_col_to_name

from massbalance.domain.texts import (
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
_CELL_BYTES = 70
"""What a cell takes at most beside its own text."""

_ODD_BYTES = np.isin(np.arange(256), [*range(32), *b"&<>"])
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f]")
_LOOKS_ESCAPED = re.compile(r"_(x[0-9a-fA-F]{4}_)")


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
            # the size decides whether the archive needs 64 bits for it
            item.file_size = sum(texts.nbytes + _CELL_BYTES * len(table) for texts in table.columns.values())
            item.compress_type = zipfile.ZIP_DEFLATED
            # an entry that is streamed takes its own level, not the archive's
            item._compresslevel = _LEVEL  # type: ignore[attr-defined]
            with archive.open(item, "w") as sheet:
                for piece in _ahead(_worksheet(data, table)):
                    sheet.write(piece)


def _ahead(pieces: Iterator[bytes | memoryview]) -> Iterator[bytes | memoryview]:
    """The same pieces, the next one made while the last one is compressed."""
    with ThreadPoolExecutor(1) as beside:
        coming = beside.submit(next, pieces, b"")
        while piece := coming.result():
            coming = beside.submit(next, pieces, b"")
            yield piece


def _worksheet(data: bytes, table: TextTable) -> Iterator[bytes | memoryview]:
    """A worksheet's XML with the table's rows in the place of the model row."""
    model = _MODEL_ROW.search(data)
    styles = [found.decode() for found in _STYLE.findall(model.group(1))] if model else []
    if model is None or len(styles) != len(table.columns):
        raise ValueError("the worksheet has no model row for its table")
    corner = f"{xl_col_to_name(len(styles) - 1)}{len(table) + 1}"
    yield _DIMENSION.sub(f'<dimension ref="A1:{corner}"/>'.encode(), data[: model.start()])
    first = 2
    for block in table.blocks():
        cells = {
            name: _figures(texts) if name in table.figures else _texts(texts) for name, texts in block.items()
        }
        yield _rows(cells, styles, first)
        first += len(next(iter(block.values())))
    yield data[model.end() :]


def _rows(cells: Mapping[str, tuple[str, Strings, str]], styles: list[str], first: int) -> memoryview:
    """Some rows, from row `first` on."""
    count = len(next(iter(cells.values()))[1])
    number = pa.array(np.arange(first, first + count)).cast(LARGE)
    parts = [joined(scalar('<row r="'), number, scalar('">'))]
    for at, (style, (opening, texts, closing)) in enumerate(zip(styles, cells.values(), strict=True)):
        place = f'<c r="{xl_col_to_name(at)}', f'" s="{style}"{opening}'
        parts.append(joined(scalar(place[0]), number, scalar(place[1]), texts, scalar(closing)))
    # a null is a cell that is left out
    return content(pc.binary_join_element_wise(*parts, scalar("</row>"), scalar(""), null_handling="skip"))


def _filled(texts: Strings) -> Strings:
    """The texts, null where there is none."""
    empty = pc.equal(texts, "")
    return pc.if_else(empty, pa.scalar(None, LARGE), texts) if pc.any(empty).as_py() else texts


def _figures(texts: Strings) -> tuple[str, Strings, str]:
    """Decimals as numbers: what stands before, in and after the cell's value."""
    return "><v>", _filled(texts), "</v></c>"


def _texts(texts: Strings) -> tuple[str, Strings, str]:
    """Texts as texts, whatever they begin with: what stands before, in and after the cell's value."""
    odd = holds(texts, _ODD_BYTES) or b"_x" in bytes(content(texts))
    safe = by_word(texts, _all_escaped) if odd else texts
    space = ' xml:space="preserve"' if _padded(texts) else ""
    return f' t="inlineStr"><is><t{space}>', _filled(safe), "</t></is></c>"


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
