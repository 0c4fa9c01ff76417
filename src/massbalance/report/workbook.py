"""result.xlsx: a run as planners like to open it.

One summary sheet with charts, then one sheet per table. Numbers are numbers, text stays text (also where
it begins with =, +, - or @), and the same run gives the same bytes. The workbook is for reading: exact
figures stand in the CSV files beside it.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from massbalance.report.workbook_summary import number, print_on_a4, write_summary

EXCEL_ROWS = 1_048_576
"""Rows of a sheet, its header included."""
EXCEL_TEXT = 32_767
"""Characters of a cell."""
STREAM_CELLS = 2_000_000
"""From this many cells on, rows go straight to disk (the charts then fill in when Excel opens them)."""
CREATED = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)

NUMBER_NAMES = frozenset(
    {"quantity", "scope1", "scope2", "scope3", "level", "cfp_before", "cfp_after", "cfp_residual", "dual"}
    | {"opening", "received", "allocated", "blocked", "expired", "closing", "held"}
    | {"green_share_residual", "recycled_share_residual"}
)
COUNT, MASS, MONEY = "0", "0.000", "#,##0.00"
PRICE_WORDS = ("premium", "price", "cost", "worth", "value", "margin")

Cell = float | str | None


def write_workbook(
    path: Path, tables: Mapping[str, pd.DataFrame], summary: Mapping[str, Any], case_name: str
) -> list[str]:
    """Write the workbook of a run; returns what was left out of it, in words.

    path: the file to write (OSError where it cannot be, for example because it is open in Excel);
    tables: name of a sheet -> rows as in the CSV file of that name, numbers either as numbers or as
    decimal text; summary: what summary.json holds.
    """
    notes: list[str] = []
    shown: dict[str, pd.DataFrame] = {}
    for name, rows in tables.items():
        if len(rows) + 1 > EXCEL_ROWS:
            notes.append(
                f"sheet {name} left out: {len(rows)} rows, Excel takes {EXCEL_ROWS - 1}; see {name}.csv"
            )
        else:
            shown[name] = rows
    cells = sum(rows.size for rows in shown.values())
    options = {
        "constant_memory": cells > STREAM_CELLS,
        "strings_to_formulas": False,
        "strings_to_urls": False,
    }
    with path.open("wb") as file, xlsxwriter.Workbook(file, options) as book:
        book.set_properties({"title": case_name, "created": CREATED})
        first = book.add_worksheet("summary")
        style = _Style(book)
        for name, rows in shown.items():
            notes += _write_table(book.add_worksheet(name), rows, style)
        write_summary(book, first, summary, shown, case_name, notes)
    return notes


def number_format(column: str, rows: pd.Series) -> str | None:
    """Excel number format of a column (mass and GHG 0.000, money #,##0.00, counts 0); None for text."""
    if pd.api.types.is_bool_dtype(rows):
        return None
    if any(word in column for word in PRICE_WORDS):
        return MONEY
    if pd.api.types.is_integer_dtype(rows):
        return COUNT
    named = column in NUMBER_NAMES or column.endswith("_t") or "_per_" in column or "tco2e" in column
    return MASS if named or pd.api.types.is_float_dtype(rows) else None


class _Style:
    """The formats that the table sheets share."""

    def __init__(self, book: xlsxwriter.Workbook) -> None:
        head = {"bold": True, "bg_color": "#DCE6F1", "bottom": 1}
        self.number_head = book.add_format({**head, "align": "right"})
        self.text_head = book.add_format({**head, "indent": 1})
        self.text = book.add_format({"indent": 1})
        self.numbers = {code: book.add_format({"num_format": code}) for code in (COUNT, MASS, MONEY)}


def _write_table(sheet: Worksheet, rows: pd.DataFrame, style: _Style) -> list[str]:
    """A header that stays in view, filters, widths and the rows; returns notes on shortened text."""
    columns: list[list[Cell]] = []
    notes: list[str] = []
    for at, name in enumerate(map(str, rows.columns)):
        code = number_format(name, rows.iloc[:, at])
        cells = _cells(rows.iloc[:, at], numeric=code is not None)
        cut = [i for i, cell in enumerate(cells) if isinstance(cell, str) and len(cell) > EXCEL_TEXT]
        for i in cut:
            cells[i] = str(cells[i])[: EXCEL_TEXT - 1] + "…"
        if cut:
            notes.append(
                f"sheet {sheet.get_name()}, column {name}: {len(cut)} texts shortened to {EXCEL_TEXT}"
            )
        sheet.set_column(at, at, _width(name, cells, code), style.numbers[code] if code else style.text)
        sheet.write_string(0, at, name, style.number_head if code else style.text_head)
        columns.append(cells)
    sheet.freeze_panes(1, 0)
    sheet.repeat_rows(0)
    print_on_a4(sheet)
    if len(rows.columns):
        sheet.autofilter(0, 0, len(rows), len(rows.columns) - 1)
    for i, row in enumerate(zip(*columns, strict=True), start=1):
        for at, cell in enumerate(row):
            if type(cell) is float:
                sheet.write_number(i, at, cell)
            elif cell:
                sheet.write_string(i, at, cell)
    return notes


def _cells(rows: pd.Series, *, numeric: bool) -> list[Cell]:
    """A column as floats, text and None (empty); text that is not a number stays text."""
    if numeric and pd.api.types.is_numeric_dtype(rows):
        values = rows.to_numpy(dtype=np.float64, na_value=np.nan)
        return [float(v) if np.isfinite(v) else None for v in values]
    if pd.api.types.is_bool_dtype(rows):
        return ["true" if v else "false" for v in rows]
    missing = rows.isna().to_numpy()
    texts = [None if gone else str(v) for v, gone in zip(rows.astype(object), missing, strict=True)]
    if not numeric:
        return list(texts)
    numbers = [number(t) for t in texts]
    return [t if n is None else n for n, t in zip(numbers, texts, strict=True)]


def _width(name: str, cells: Sequence[Cell], code: str | None) -> float:
    """Column width in characters: the longest of the first thousand cells, within 8 and 60."""
    longest = len(name) + 3.0  # room for the filter's arrow
    for cell in cells[:1000]:
        if isinstance(cell, float):
            shown = f"{cell:,.3f}" if code != COUNT else f"{cell:.0f}"
            longest = max(longest, len(shown) + 1)
        elif cell:
            longest = max(longest, sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in cell) + 1)
    return min(max(longest, 8.0), 60.0)
