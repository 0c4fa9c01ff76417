"""CSV: UTF-8 with or without BOM, else cp932; comma between cells, header first.

Arrow splits files whose quotes, if any, stand around whole cells. Files with other quotes, and files
in which arrow finds a row of another length, go through Python's strict csv module, which tells the row.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv

from massbalance.intake.cells import Cells
from massbalance.intake.log import Log
from massbalance.intake.raw import RawTable

_SOMETHING = re.compile(r'[^\s,"]')
_LINE = re.compile(rb"[^\r\n]*(\r\n|\r|\n|$)")
_NO_CP932 = re.compile("[\x80\uf8f0-\uf8f3]")
"""What the codec makes of bytes that stand for nothing in cp932."""
_ROWS_AT_ONCE = 50_000
_BOM = b"\xef\xbb\xbf"


def decode(data: bytes) -> tuple[str, str] | None:
    """Text and encoding; None where the bytes are neither UTF-8 nor cp932 text."""
    if b"\0" in data:
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    else:
        return text, "utf-8 with BOM" if data.startswith(_BOM) else "utf-8"
    try:
        text = data.decode("cp932")
    except UnicodeDecodeError:
        return None
    return None if _NO_CP932.search(text) else (text, "cp932")


def read_csv(path: Path, table: str, log: Log) -> RawTable | None:
    """The table of a file; None, with a fault, where the file is no CSV at all."""
    try:
        data = path.read_bytes()
    except OSError as error:
        log.add(path.name, None, "", error.strerror or "", "a readable file", "file")
        return None
    decoded = decode(data)
    if decoded is None:
        log.add(path.name, None, "", "", "a CSV file in UTF-8 or cp932", "file")
        return None
    text, encoding = decoded
    if _SOMETHING.search(text) is None:
        log.add(path.name, None, "", "", "a header row", "file")
        return None
    plain = text.encode() if encoding == "cp932" else data.removeprefix(_BOM)
    del text
    if _quotes_stand_around_cells(plain):
        found = _split_by_arrow(plain, encoding)
        if found is not None:
            return found
    return _split_by_csv(plain.decode(), table, path.name, encoding, log)


def _quotes_stand_around_cells(data: bytes) -> bool:
    """Does every first quote follow, and every second precede, the end of a cell (none is doubled)."""
    if b'"' not in data:
        return True
    content = np.frombuffer(b"\n" + data + b"\n", dtype=np.uint8)
    at = np.flatnonzero(content == ord('"'))
    ends = np.zeros(256, dtype=bool)
    ends[[ord(","), ord("\n"), ord("\r")]] = True
    opens, closes = ends[content[at[0::2] - 1]], ends[content[at[1::2] + 1]]
    return len(at) % 2 == 0 and bool(opens.all()) and bool(closes.all())


def _header(data: bytes) -> tuple[list[str], int, int] | None:
    """Names, row number and end (in bytes) of the first line that is not blank; there must be one.

    None where a quoted cell goes beyond its line.
    """
    at, row = 0, 0
    while True:
        match = _LINE.match(data, at)
        assert match is not None  # noqa: S101 - the pattern matches any text
        row, at = row + 1, match.end()
        line = match.group().decode().strip("\r\n")
        if line.count('"') % 2:
            return None
        if _SOMETHING.search(line):
            return [name.strip() for name in next(csv.reader([line]))], row, at


def _split_by_arrow(data: bytes, encoding: str) -> RawTable | None:
    """A file with quotes around whole cells only; None where a row is shorter or longer than the header."""
    found_header = _header(data)
    if found_header is None:
        return None
    header, row, start = found_header
    quoted = b'"' in data
    names = [str(i) for i in range(len(header))]
    if start >= len(data):
        none = tuple(Cells.empty() for _ in names)
        return RawTable(tuple(header), none, np.zeros(0, np.int64), True, encoding)
    try:
        found: Any = arrow_csv.read_csv(
            pa.BufferReader(pa.py_buffer(memoryview(data)[start:])),
            read_options=arrow_csv.ReadOptions(column_names=names, block_size=1 << 23),
            parse_options=arrow_csv.ParseOptions(
                quote_char='"' if quoted else False,
                double_quote=False,
                newlines_in_values=quoted,
                ignore_empty_lines=False,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.large_string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:
        return None
    rows = np.arange(row + 1, row + 1 + found.num_rows, dtype=np.int64)
    columns = []
    for name in names:
        columns.append(Cells.of(found.column(name)))
        found = found.drop_columns([name])
    return RawTable(tuple(header), tuple(columns), rows, True, encoding)


class _Columns:
    """Grows columns from rows of strings, in parts, so that no list of all cells ever exists."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.parts: list[list[Any]] = [[] for _ in range(width)]
        self.waiting: list[list[str]] = []
        self.numbers: list[int] = []

    def add(self, number: int, row: list[str]) -> None:
        self.waiting.append(row)
        self.numbers.append(number)
        if len(self.waiting) >= _ROWS_AT_ONCE:
            self.flush()

    def flush(self) -> None:
        columns = zip(*self.waiting, strict=True) if self.waiting else [()] * self.width
        for parts, cells in zip(self.parts, columns, strict=True):
            parts.append(pa.array(cells, pa.large_string()))
        self.waiting = []

    def finish(self) -> tuple[Cells, ...]:
        self.flush()
        return tuple(Cells.of(pa.chunked_array(parts)) for parts in self.parts)


def from_rows(
    rows: Iterator[tuple[int, list[str]]], header: list[str], table: str, encoding: str, log: Log
) -> RawTable:
    """A table from (row number, cells); a row of another length than the header is a fault."""
    columns, complete = _Columns(len(header)), True
    for number, row in rows:
        if len(row) == len(header):
            columns.add(number, row)
        elif len(row) > 1 or (row and row[0].strip()):
            complete = False
            expected = f"{len(header)} cells, as in the header"
            log.add(table, number, "", f"{len(row)} cells", expected, "row_length")
    cells = columns.finish()
    return RawTable(tuple(header), cells, np.array(columns.numbers, dtype=np.int64), complete, encoding)


def _split_by_csv(text: str, table: str, file: str, encoding: str, log: Log) -> RawTable | None:
    """Any CSV, row by row."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    numbered = enumerate(reader, start=1)
    failed: list[str] = []

    def rows() -> Iterator[tuple[int, list[str]]]:
        number = 0
        try:
            for number, row in numbered:
                yield number, row
        except csv.Error as error:
            failed.append(str(error))
            log.add(
                file, number + 1, "", str(error), "a CSV row (quotes closed, at most 131072 a cell)", "file"
            )

    stream = rows()
    header = next((row for _, row in stream if any(cell.strip() for cell in row)), None)
    if header is None:
        return None
    found = from_rows(stream, [name.strip() for name in header], table, encoding, log)
    return RawTable(found.header, found.columns, found.rows, found.complete and not failed, encoding)
