"""Workbooks: a sheet per table, the settings in a sheet `case`.

What the cell reader would lose or choke on is found first in the archive itself: its unpacked
size, sheets wider or larger than any table, cells that hold an error, formulas without a value.
"""

from __future__ import annotations

import datetime as dt
import html
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import python_calamine as calamine

from massbalance.intake.csvfile import from_rows
from massbalance.intake.log import Log
from massbalance.intake.raw import RawTable

LARGEST_UNPACKED = 1 << 30
LARGEST_RATIO = 200
SMALL_UNPACKED = 50 << 20
WIDEST = 52
MOST_CELLS = 30_000_000

_SHEET = re.compile(rb"<(?:\w+:)?sheet\s[^>]*>")
_RELATION = re.compile(rb"<(?:\w+:)?Relationship\s[^>]*>")
_CELL = re.compile(rb"<(?:\w+:)?c\s[^>]*>")
_ATTRIBUTE = re.compile(rb'([\w:]+)="([^"]*)"')
_VALUE = re.compile(rb"<v>([^<]*)</v>")
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_ROW_NUMBER = re.compile(rb'<(?:\w+:)?row\s[^>]*?\br="([0-9]+)"')
_BEYOND_AZ = re.compile(rb'\br="(?:[B-Z][A-Z]|[A-Z]{3})[0-9]')
_BEYOND_Z = re.compile(rb'\br="[A-Z]{2,3}[0-9]')
_NO_VALUE = re.compile(
    rb"(?:</(?:\w+:)?f>|<(?:\w+:)?f(?:\s[^>]*)?/>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</(?:\w+:)?c>"
)
_ARCHIVE_ERRORS = (
    zipfile.BadZipFile, zlib.error, OSError, ValueError, NotImplementedError, RuntimeError, EOFError,
)  # fmt: skip


@dataclass(frozen=True)
class LostCell:
    """A cell that the reader would give as empty. column: its letters."""

    row: int
    column: str
    value: str
    expected: str

    @property
    def column_number(self) -> int:
        """0 for A."""
        number = 0
        for letter in self.column:
            number = number * 26 + ord(letter) - 64
        return number - 1


@dataclass(frozen=True)
class Workbook:
    """tables: sheet name -> table (None where it cannot be read); settings: (row, key, value) of
    the sheet `case`, None without one.
    """

    tables: dict[str, RawTable | None]
    settings: list[tuple[int, str, str]] | None


def cell_text(value: object) -> str:
    """A cell as a CSV would hold it: whole numbers without `.0`, midnight as a date."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ")
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(value)


def read_workbook(path: Path, log: Log) -> Workbook | None:
    """All sheets with content; None, with faults, where the file is no workbook or too large to open."""
    lost = _inspect(path, log)
    if lost is None:
        return None
    try:
        book = calamine.load_workbook(path)
        tables: dict[str, RawTable | None] = {}
        settings = None
        for name in book.sheet_names:
            if name == "case":
                settings = _settings(book, lost.get(name, []), log)
            else:
                _read_sheet(book, name, lost.get(name, []), tables, log)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001 - a panic inside calamine is not an Exception
        log.add(path.name, None, "", error, "a workbook (.xlsx)", "file")
        return None
    return Workbook(tables, settings)


def _rows(book: calamine.CalamineWorkbook, name: str) -> Iterator[tuple[int, list[str]]]:
    """(row number, texts) of a sheet, from its first row."""
    sheet = book.get_sheet_by_name(name)
    if sheet.start is None:
        return
    # the iterator begins at the first row of the sheet, but at the first column that holds something
    left = [""] * sheet.start[1]
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        if number > sheet.start[0]:
            yield number, left + [cell_text(cell) for cell in cells]


def _read_sheet(
    book: calamine.CalamineWorkbook,
    name: str,
    lost: list[LostCell],
    tables: dict[str, RawTable | None],
    log: Log,
) -> None:
    rows = _rows(book, name)
    header = next((row for _, row in rows if any(cell.strip() for cell in row)), None)
    if header is None:
        return
    for cell in lost:
        at = cell.column_number
        column = header[at].strip() if at < len(header) else cell.column
        log.add(name, cell.row, column, cell.value, cell.expected, "cell_error")
    skipped = {cell.row for cell in lost}
    whole = ((number, row) for number, row in rows if number not in skipped)
    table = from_rows(whole, [cell.strip() for cell in header], name, "xlsx", log)
    tables[name] = replace(table, complete=table.complete and not lost)


def _settings(book: calamine.CalamineWorkbook, lost: list[LostCell], log: Log) -> list[tuple[int, str, str]]:
    """The sheet `case`, whose header is key, value."""
    for cell in lost:
        log.add("case", cell.row, "value", cell.value, cell.expected, "cell_error")
    found = [
        (number, [c.strip() for c in row]) for number, row in _rows(book, "case") if any(map(str.strip, row))
    ]
    if not found or [c for c in found[0][1] if c] != ["key", "value"]:
        row, cells = found[0] if found else (1, [])
        log.add(
            "case", row, "", ", ".join(filter(None, cells)), "the columns `key` and `value`", "missing_column"
        )
        return []
    at_key, at_value = found[0][1].index("key"), found[0][1].index("value")
    return [(number, row[at_key], row[at_value]) for number, row in found[1:]]


def _inspect(path: Path, log: Log) -> dict[str, list[LostCell]] | None:
    """Cells that reading would lose, by sheet; None, with faults, where opening it is not safe."""
    try:
        with zipfile.ZipFile(path) as archive:
            if not _size_is_fit(archive, path.name, log):
                return None
            return _inspect_sheets(archive, path.name, log)
    except _ARCHIVE_ERRORS as error:
        log.add(path.name, None, "", error, "a workbook (.xlsx)", "file")
        return None


def _size_is_fit(archive: zipfile.ZipFile, file: str, log: Log) -> bool:
    entries = archive.infolist()
    size = sum(e.file_size for e in entries)
    packed = max(1, sum(e.compress_size for e in entries))
    if size > LARGEST_UNPACKED or (size > SMALL_UNPACKED and size > LARGEST_RATIO * packed):
        expected = (
            f"at most {LARGEST_UNPACKED >> 20} MB unpacked, and at most {LARGEST_RATIO} times its packed size"
        )
        log.add(file, None, "", f"{size >> 20} MB unpacked", expected, "file")
        return False
    return True


def _attributes(tag: bytes) -> dict[str, str]:
    pairs = _ATTRIBUTE.findall(tag)
    return {key.decode(): html.unescape(value.decode("utf-8", "replace")) for key, value in pairs}


def _sheet_names(archive: zipfile.ZipFile) -> dict[str, str]:
    """Entry of the archive -> name of its sheet."""
    names = set(archive.namelist())
    if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= names:
        return {}
    relations = [_attributes(tag) for tag in _RELATION.findall(archive.read("xl/_rels/workbook.xml.rels"))]
    target = {r.get("Id", ""): r.get("Target", "") for r in relations}
    found = {}
    for tag in _SHEET.findall(archive.read("xl/workbook.xml")):
        sheet = _attributes(tag)
        identity = next((value for key, value in sheet.items() if key.endswith(":id")), "")
        entry = target.get(identity, "")
        full = entry.lstrip("/") if entry.startswith("/") else str(PurePosixPath("xl") / entry)
        found[full] = sheet.get("name", "")
    return found


def _inspect_sheets(archive: zipfile.ZipFile, file: str, log: Log) -> dict[str, list[LostCell]] | None:
    names = _sheet_names(archive)
    lost: dict[str, list[LostCell]] = {}
    fit = True
    for entry in archive.namelist():
        data = archive.read(entry)
        if entry in names or entry.startswith("xl/worksheets/"):
            name = names.get(entry, entry)
            fit &= _extent_is_fit(data, name, file, log)
            lost[name] = [*_errors(data), *_formulas_without_value(data)]
    return lost if fit else None


def _extent_is_fit(data: bytes, sheet: str, file: str, log: Log) -> bool:
    """Would the sheet's rectangle fit into memory."""
    width = WIDEST // 2
    if _BEYOND_Z.search(data):
        width = WIDEST
        if _BEYOND_AZ.search(data):
            log.add(sheet, None, "", file, f"at most {WIDEST} columns", "file")
            return False
    last = max((int(n) for n in _ROW_NUMBER.findall(data, max(0, len(data) - (1 << 20)))), default=0)
    if last * width > MOST_CELLS:
        log.add(sheet, last, "", file, f"at most {MOST_CELLS // width} rows", "file")
        return False
    return True


def _errors(data: bytes) -> Iterator[LostCell]:
    """Cells that hold an error such as #N/A."""
    if b't="e"' not in data:
        return
    for match in _CELL.finditer(data):
        attributes = _attributes(match.group())
        if attributes.get("t") == "e":
            value = _VALUE.search(data, match.end(), match.end() + 2000)
            shown = value.group(1).decode("utf-8", "replace") if value else "error"
            yield from _lost(attributes, shown, "a value, not an error")


def _formulas_without_value(data: bytes) -> Iterator[LostCell]:
    """Formulas whose result the file does not hold (a formula may give empty text: that is kept)."""
    if b"<f" not in data and b":f" not in data:
        return
    for match in _NO_VALUE.finditer(data):
        start = max(data.rfind(b"<c ", 0, match.start()), data.rfind(b":c ", 0, match.start()))
        attributes = _attributes(data[start : data.find(b">", start) + 1])
        if attributes.get("t") not in ("str", "e"):
            yield from _lost(attributes, "formula", "a value: open the file, let it calculate, and save it")


def _lost(attributes: dict[str, str], value: str, expected: str) -> Iterator[LostCell]:
    reference = _REFERENCE.fullmatch(attributes.get("r", ""))
    if reference is not None:
        yield LostCell(int(reference.group(2)), reference.group(1), value, expected)
