"""The first sheet of result.xlsx: goals, credits, t CO2e, charts and warnings on one page."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from xlsxwriter import Workbook
from xlsxwriter.chart import Chart
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from massbalance.domain.faults import Fault
from massbalance.domain.grid import GRID_DECIMALS
from massbalance.domain.texts import Strings, TextTable, scalar

NUMBER_TEXT = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")

TCO2E_WORDS = {
    "baseline": "all products without any improvement",
    "realised": "value of the credits available so far",
    "allocated": "given to claimed products",
    "forgone": "more than the product it served could take",
    "expired": "left the account unused",
    "held": "still in the account at the end",
    "released": "expired and forgone, spread over conventional products",
    "retired": "given to no product",
    "claimed_products": "declared for claimed products",
    "conventional_products": "declared for conventional products",
    "accounted": "baseline less realised",
}
USES = ("allocated", "forgone", "expired", "held")
CREDIT_COLUMNS = ("opening", "received", "allocated", "blocked", "expired", "held")
GREEN, ORANGE = "#4E9A5B", "#E08E45"
CHART_COLUMN = 8
CHART_ROWS = 16


class _Page:
    """Writes a sheet from top to bottom; rows are finished in order, as streaming asks for."""

    def __init__(self, book: Workbook, sheet: Worksheet) -> None:
        self.book, self.sheet, self.row = book, sheet, 0
        self.title = book.add_format({"bold": True, "font_size": 16})
        self.section = book.add_format({"bold": True, "font_size": 12, "bottom": 1})
        head = {"bold": True, "bg_color": "#DCE6F1", "bottom": 1}
        self.head, self.number_head = book.add_format(head), book.add_format({**head, "align": "right"})
        self.mass = book.add_format({"num_format": "#,##0.000"})
        self.money = book.add_format({"num_format": "#,##0.00"})
        self.good = book.add_format({"bold": True, "font_color": "#2E7D32"})
        self.bad = book.add_format({"bold": True, "font_color": "#C62828"})

    def line(self, cells: Sequence[float | str | None], form: Format | None = None) -> int:
        """Write one row from column A on; returns its index. Numbers are shown to 0.001."""
        for at, cell in enumerate(cells):
            if isinstance(cell, float | int):
                self.sheet.write_number(self.row, at, cell, form or self.mass)
            elif cell:
                self.sheet.write_string(self.row, at, cell, form)
        self.row += 1
        return self.row - 1

    def heading(self, text: str, columns: Sequence[str] = ()) -> None:
        """An empty row, the section's name, and the header of its table."""
        self.row += 1
        self.line([text], self.section)
        if columns:
            self.sheet.write_string(self.row, 0, columns[0], self.head)
            for at, name in enumerate(columns[1:], start=1):
                self.sheet.write_string(self.row, at, name, self.number_head)
            self.row += 1


def number(value: Any) -> float | None:
    """A finite number given as a number or as decimal text; None for anything else."""
    if isinstance(value, str):
        return float(value) if NUMBER_TEXT.fullmatch(value) else None
    if isinstance(value, bool) or value is None:
        return None
    return float(value) if math.isfinite(value) else None


def print_on_a4(sheet: Worksheet) -> None:
    """Landscape, as wide as a page."""
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)


def write_summary(
    book: Workbook,
    sheet: Worksheet,
    summary: Mapping[str, Any],
    tables: Mapping[str, TextTable],
    case_name: str,
    notes: Iterable[str],
) -> None:
    """Fill the summary sheet: summary as in summary.json, tables as in the CSV files (t, t CO2e)."""
    page = _Page(book, sheet)
    sheet.hide_gridlines(2)
    print_on_a4(sheet)
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 6, 14)
    page.line([case_name], page.title)
    _facts(page, summary)
    _goals(page, summary)
    _groups(page, summary.get("strategy", {}))
    _credits(page, summary.get("credits", {}))
    tco2e_rows = _tco2e(page, summary.get("tco2e", {}))
    by, groups = _claimed(tables.get("orders"))
    claimed_rows = _claimed_table(page, by, groups)
    charts = [
        _claimed_chart(book, by, claimed_rows),
        _tco2e_chart(book, tco2e_rows),
    ]
    for position, chart in enumerate(c for c in charts if c is not None):
        sheet.insert_chart(1 + position * CHART_ROWS, CHART_COLUMN, chart)
    _lines(page, "Left out of this workbook", [str(note) for note in notes])
    _lines(page, "Warnings", [_warning(w) for w in summary.get("warnings", [])])


def _facts(page: _Page, summary: Mapping[str, Any]) -> None:
    status, verified = str(summary.get("status", "")), summary.get("verified") is True
    page.line(["Status", status], page.good if status == "optimal" else page.bad)
    answer = "yes" if verified else "no"
    page.line(["Verified without the solver", answer], page.good if verified else page.bad)
    page.line(["Rules", str(summary.get("rules", {}).get("id", ""))])
    page.line(["Case SHA-256", str(summary.get("case_sha256", ""))])


def _goals(page: _Page, summary: Mapping[str, Any]) -> None:
    page.heading("Goals", ("goal", "value"))
    for goal in summary.get("objectives", []):
        name = str(goal.get("name", ""))
        priority = goal.get("priority")
        rank = "stage" if name == "fair_share" else "priority"
        shown = name if priority is None else f"{name}, {rank} {priority}"
        shown = f"{shown}, {goal['group']}" if goal.get("group") else shown
        page.line([shown, number(goal.get("value"))], page.money if name == "margin" else None)
    for name in ("claimed_t", "unmet_firm_t"):
        page.line([name, number(summary.get(name))])


def _groups(page: _Page, strategy: Mapping[str, Any]) -> None:
    """What groups got, where the strategy or a minimum service names them."""
    groups = strategy.get("groups", [])
    if groups:
        columns = ("group", "ordered_t", "claimed_t", "service")
        page.heading(f"Service, strategy {strategy.get('name', '')}", columns)
        for group in groups:
            figures = [number(group[name]) for name in ("ordered_t", "claimed_t", "service")]
            page.line([f"{group['by']} {group['group']}", *figures])


def _credits(page: _Page, credits_by_uom: Mapping[str, Mapping[str, Any]]) -> None:
    page.heading("Credits", ("unit", *CREDIT_COLUMNS))
    for uom, amounts in credits_by_uom.items():
        page.line([uom, *(number(amounts.get(column)) for column in CREDIT_COLUMNS)])


def _tco2e(page: _Page, amounts: Mapping[str, Any]) -> dict[str, int]:
    """The GHG balance; returns the row of each line, for the chart."""
    page.heading("t CO2e", ("line", "t CO2e"))
    order = [k for k in TCO2E_WORDS if k in amounts] + [k for k in amounts if k not in TCO2E_WORDS]
    return {key: page.line([key, number(amounts[key]), "  " + TCO2E_WORDS.get(key, "")]) for key in order}


def _claimed(orders: TextTable | None) -> tuple[str, list[tuple[str, float, float]]]:
    """Claimed and unmet t by period where the orders tell it, else by claim."""
    if orders is None or not {"claimed_t", "unmet_t"} <= set(orders.columns):
        return "", []
    by = next((column for column in ("period", "claim") if column in orders.columns), "")
    if not by or not len(orders):
        return "", []
    columns = [orders.columns[by], *(_decimals(orders.columns[name]) for name in ("claimed_t", "unmet_t"))]
    sums = pa.table(columns, names=["by", "claimed", "unmet"]).group_by("by")
    rows = sums.aggregate([("claimed", "sum"), ("unmet", "sum")]).to_pylist()
    return by, sorted((row["by"], float(row["claimed_sum"]), float(row["unmet_sum"])) for row in rows)


def _decimals(texts: Strings) -> Any:
    """Masses as exact decimals, 0 where there is none."""
    return pc.if_else(pc.equal(texts, ""), scalar("0"), texts).cast(pa.decimal128(38, GRID_DECIMALS))


def _claimed_table(page: _Page, by: str, groups: list[tuple[str, float, float]]) -> tuple[int, int] | None:
    """The table that the chart draws; returns its first and last row."""
    if not groups:
        return None
    page.heading(f"Orders by {by}", (by, "claimed_t", "unmet_t"))
    rows = [page.line(group) for group in groups]
    return rows[0], rows[-1]


def _claimed_chart(book: Workbook, by: str, rows: tuple[int, int] | None) -> Chart | None:
    if rows is None:
        return None
    chart = book.add_chart({"type": "column", "subtype": "stacked"})
    for column, name, colour in ((1, "claimed", GREEN), (2, "unmet", ORANGE)):
        chart.add_series(
            {
                "name": name,
                "categories": ["summary", rows[0], 0, rows[1], 0],
                "values": ["summary", rows[0], column, rows[1], column],
                "fill": {"color": colour},
                "gap": 60,
            }
        )
    return _dressed(chart, f"Orders by {by}: claimed and unmet, t")


def _tco2e_chart(book: Workbook, rows: Mapping[str, int]) -> Chart | None:
    """Where the credits' value went: allocated, forgone, expired, held (t CO2e)."""
    if not all(key in rows for key in USES):
        return None
    first, last = rows[USES[0]], rows[USES[-1]]
    chart = book.add_chart({"type": "bar"})
    chart.add_series(
        {
            "name": "t CO2e",
            "categories": ["summary", first, 0, last, 0],
            "values": ["summary", first, 1, last, 1],
            "fill": {"color": GREEN},
            "gap": 60,
        }
    )
    chart.set_y_axis({"reverse": True})
    return _dressed(chart, "Where the credits' value went, t CO2e", legend=False)


def _dressed(chart: Chart, title: str, *, legend: bool = True) -> Chart:
    chart.set_title({"name": title, "name_font": {"size": 12}, "overlay": False})
    chart.set_legend({"position": "bottom"} if legend else {"none": True})
    chart.set_size({"width": 560, "height": 300})
    return chart


def _lines(page: _Page, heading: str, lines: list[str]) -> None:
    """A section of whole sentences; nothing where there are none."""
    if lines:
        page.heading(f"{heading} ({len(lines)})")
        for line in lines:
            page.line([line])


def _warning(warning: Any) -> str:
    """A warning of summary.json (a fault as a dictionary, or a sentence) in one line."""
    return Fault(**warning).text() if isinstance(warning, Mapping) else str(warning)
