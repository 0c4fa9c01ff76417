"""result.xlsx: a run as planners like to open it.

One summary sheet with charts, then one sheet per table. Numbers are numbers, text stays text (also where
it begins with =, +, - or @), and the same run gives the same bytes. The workbook is for reading: exact
figures stand in the CSV files beside it.
"""

from __future__ import annotations

import datetime as dt
import io
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from massbalance.domain.texts import Strings, TextTable, strings
from massbalance.report.sheet_rows import fill
from massbalance.report.workbook_summary import print_on_a4, write_summary

EXCEL_ROWS = 1_048_576
"""Rows of a sheet, its header included."""
EXCEL_TEXT = 32_767
"""Characters of a cell."""
CREATED = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
MEASURED_ROWS = 1000
"""A column is as wide as the longest of its first cells."""

MASS, MONEY = "0.000", "#,##0.00"
PRICE_WORDS = ("premium", "price", "cost", "worth", "value", "margin")


def write_workbook(
    path: Path, tables: Mapping[str, TextTable], summary: Mapping[str, Any], case_name: str
) -> list[str]:
    """Write the workbook of a run; returns what was left out of it, in words.

    path: the file to write (OSError where it cannot be, for example because it is open in Excel);
    tables: name of a sheet -> table as in the CSV file of that name; summary: what summary.json holds.
    """
    notes: list[str] = []
    shown: dict[str, TextTable] = {}
    for name, table in tables.items():
        if len(table) + 1 > EXCEL_ROWS:
            notes.append(
                f"sheet {name} left out: {len(table)} rows, Excel takes {EXCEL_ROWS - 1}; see {name}.csv"
            )
        else:
            shown[name], cut = _shortened(name, table)
            notes += cut
    with path.open("wb") as file:
        package = io.BytesIO()
        sheets = _write_package(package, shown, summary, case_name, notes)
        fill(package, file, {sheets[name]: table for name, table in shown.items()})
    return notes


def _write_package(
    package: io.BytesIO,
    tables: Mapping[str, TextTable],
    summary: Mapping[str, Any],
    case_name: str,
    notes: list[str],
) -> dict[str, str]:
    """Everything but the tables' rows; returns the file of each table's sheet within the package."""
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(package, options) as book:
        book.set_properties({"title": case_name, "created": CREATED})
        first = book.add_worksheet("summary")
        style = _Style(book)
        for name, table in tables.items():
            _write_frame(book.add_worksheet(name), table, style)
        write_summary(book, first, summary, tables, case_name, notes)
    return {name: f"xl/worksheets/sheet{n}.xml" for n, name in enumerate(tables, start=2)}


def number_format(column: str) -> str:
    """Excel number format of a column of figures: money #,##0.00, all else 0.000."""
    return MONEY if any(word in column for word in PRICE_WORDS) else MASS


class _Style:
    """The formats that the table sheets share."""

    def __init__(self, book: xlsxwriter.Workbook) -> None:
        head = {"bold": True, "bg_color": "#DCE6F1", "bottom": 1}
        self.number_head = book.add_format({**head, "align": "right"})
        self.text_head = book.add_format({**head, "indent": 1})
        self.text = book.add_format({"indent": 1})
        self.numbers = {code: book.add_format({"num_format": code}) for code in (MASS, MONEY)}


def _write_frame(sheet: Worksheet, table: TextTable, style: _Style) -> None:
    """A header that stays in view, filters, widths, and a row of blank cells in the columns' styles."""
    for at, (name, texts) in enumerate(table.columns.items()):
        is_figure = name in table.figures
        form = style.numbers[number_format(name)] if is_figure else style.text
        sheet.set_column(at, at, _width(name, texts, is_figure=is_figure), form)
        sheet.write_string(0, at, name, style.number_head if is_figure else style.text_head)
        if len(table):
            sheet.write_blank(1, at, None, form)
    sheet.freeze_panes(1, 0)
    sheet.repeat_rows(0)
    print_on_a4(sheet)
    sheet.autofilter(0, 0, len(table), len(table.columns) - 1)


def _shortened(sheet: str, table: TextTable) -> tuple[TextTable, list[str]]:
    """The table with texts that a cell can hold, and notes on those that were shortened."""
    columns, notes = dict(table.columns), []
    for name, texts in table.columns.items():
        # no text has more characters than bytes
        longest = pc.max(pc.binary_length(texts)).as_py() or 0
        cut = (
            int(pc.sum(pc.greater(pc.utf8_length(texts), EXCEL_TEXT)).as_py()) if longest > EXCEL_TEXT else 0
        )
        if cut:
            columns[name] = strings(
                [t if len(t) <= EXCEL_TEXT else t[: EXCEL_TEXT - 1] + "…" for t in texts.to_pylist()]
            )
            notes.append(f"sheet {sheet}, column {name}: {cut} texts shortened to {EXCEL_TEXT}")
    return replace(table, columns=columns), notes


def _width(name: str, texts: Strings, *, is_figure: bool) -> float:
    """Column width in characters: the longest of the first cells, within 8 and 60."""
    longest = len(name) + 3.0  # room for the filter's arrow
    for text in set(texts.slice(0, MEASURED_ROWS).to_pylist()) - {""}:
        if is_figure:
            longest = max(longest, len(f"{float(text):,.3f}") + 1)
        else:
            longest = max(longest, sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text) + 1)
    return min(max(longest, 8.0), 60.0)
