"""result.xlsx: numbers are numbers, text is text, and the same run gives the same bytes."""

from __future__ import annotations

import re
from pathlib import Path

import openpyxl
import pytest
from python_calamine import CalamineWorkbook

from massbalance.domain.texts import TextTable, strings
from massbalance.report import sheet_rows, workbook
from massbalance.report.workbook import write_workbook

SUMMARY = {
    "status": "optimal",
    "verified": True,
    "objectives": [
        {"name": "firm_shortfall_t", "priority": 1, "value": "0"},
        {"name": "margin", "priority": None, "value": 1234.5},
    ],
    "claimed_t": "30.25",
    "unmet_firm_t": "0",
    "credits": {
        "t": {
            "opening": "0", "received": "2000", "allocated": "1500.25",
            "blocked": "0", "expired": "0", "held": "499.75",
        },
    },
    "tco2e": {
        "baseline": "10000", "realised": "4000", "allocated": "3000", "forgone": "100", "expired": "300",
        "held": "600", "released": "350", "retired": "50", "accounted": "6000",
    },
    "rules": {"id": "jaa-2026", "sha256": "00"},
    "case_sha256": "12e4",
    "warnings": [
        {
            "table": "lots", "row": 5, "column": "evidence", "value": "", "expected": "a reference",
            "code": "A3.3", "severity": "warning",
        },
        "=SUM(A1) is a sentence here",
    ],
}  # fmt: skip


def table(figures: str, **columns: list[str]) -> TextTable:
    """A table of texts; figures: the columns of decimals, by name."""
    return TextTable({name: strings(cells) for name, cells in columns.items()}, frozenset(figures.split()))


ORDERS: dict[str, list[str]] = {
    "order": ["0012", "A-2", "A-3"],
    "offer": ["", "", ""],
    "claimed_t": ["10.000001", "20.25", ""],
    "unmet_t": ["0", "1.5", ""],
    "claim": ["cfp", "cfp", "green_share"],
    "level": ["4", "4", "0.5"],
    "premium": ["25", "30.5", "12"],
    "why": ["=1+1", "+81 3", "@home -1"],
}
FIGURES = "claimed_t unmet_t level premium worth_per_unit"


def tables(**changed: list[str]) -> dict[str, TextTable]:
    """Two small tables as a run writes them; changed: columns of the orders."""
    prices = table(FIGURES, kind=["period"], key=["2026"], worth_per_unit=["3.5"], orders=["2"])
    return {"orders": table(FIGURES, **{**ORDERS, **changed}), "prices": prices}


def written(path: Path, **changed: list[str]) -> tuple[openpyxl.Workbook, list[str]]:
    """Write and read back."""
    notes = write_workbook(path, tables(**changed), SUMMARY, "A case")
    return openpyxl.load_workbook(path), notes


def column(sheet: openpyxl.worksheet.worksheet.Worksheet, name: str) -> list[object]:
    """The cells below a header."""
    at = [cell.value for cell in sheet[1]].index(name)
    return [row[at] for row in sheet.iter_rows(min_row=2, values_only=True)]


def test_sheets_stand_in_order_with_header_in_view_and_filters(tmp_path: Path) -> None:
    book, notes = written(tmp_path / "r.xlsx")
    assert book.sheetnames == ["summary", "orders", "prices"]
    assert notes == []
    assert book["orders"].freeze_panes == "A2"
    assert book["orders"].auto_filter.ref == "A1:H4"
    assert book["orders"].column_dimensions["A"].width >= 8


def test_numbers_are_numbers_and_text_stays_text(tmp_path: Path) -> None:
    book, _ = written(tmp_path / "r.xlsx")
    orders = book["orders"]
    assert column(orders, "order") == ["0012", "A-2", "A-3"]
    assert column(orders, "claimed_t") == [10.000001, 20.25, None]
    assert column(orders, "unmet_t") == [0, 1.5, None]
    assert column(orders, "level") == [4, 4, 0.5]
    assert column(book["prices"], "worth_per_unit") == [3.5]
    assert column(book["prices"], "key") == ["2026"]


def test_text_that_looks_like_a_formula_is_no_formula(tmp_path: Path) -> None:
    book, _ = written(tmp_path / "r.xlsx")
    assert column(book["orders"], "why") == ["=1+1", "+81 3", "@home -1"]
    assert {cell.data_type for cell in book["orders"]["H"]} == {"s"}
    assert all(cell.data_type != "f" for row in book["summary"].iter_rows() for cell in row)


def test_formats_fit_what_a_column_holds(tmp_path: Path) -> None:
    book, _ = written(tmp_path / "r.xlsx")
    formats = {cell.value: book["orders"].cell(2, cell.column).number_format for cell in book["orders"][1]}
    assert formats["claimed_t"] == formats["unmet_t"] == formats["level"] == "0.000"
    assert formats["premium"] == "#,##0.00"
    assert formats["order"] == "General"
    assert book["prices"]["C2"].number_format == "#,##0.00"
    assert book["prices"]["D2"].number_format == "General"


def test_summary_tells_goals_credits_tco2e_and_warnings(tmp_path: Path) -> None:
    book, _ = written(tmp_path / "r.xlsx")
    rows = [[c for c in row if c is not None] for row in book["summary"].iter_rows(values_only=True)]
    assert rows[0] == ["A case"]
    assert ["Status", "optimal"] in rows
    assert ["Case SHA-256", "12e4"] in rows
    assert ["firm_shortfall_t, priority 1", 0] in rows
    assert ["margin", 1234.5] in rows
    assert ["t", 0, 2000, 1500.25, 0, 0, 499.75] in rows
    assert any(row[:2] == ["allocated", 3000] for row in rows)
    assert ["green_share", 0, 0] in rows
    assert ["cfp", 30.250001, 1.5] in rows
    assert any("lots row 5" in str(row) and "A3.3" in str(row) for row in rows)
    assert len(book["summary"]._charts) == 2


def test_orders_are_drawn_by_period_where_they_tell_it(tmp_path: Path) -> None:
    book, _ = written(tmp_path / "r.xlsx", period=["2026-04", "2026-04", "2026-05"])
    rows = [[c for c in row if c is not None] for row in book["summary"].iter_rows(values_only=True)]
    assert ["2026-04", 30.250001, 1.5] in rows


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.xlsx", "b.xlsx"):
        write_workbook(tmp_path / name, tables(), SUMMARY, "A case")
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5])
def test_rows_written_in_blocks_are_the_same_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    whole, _ = written(tmp_path / "a.xlsx")
    monkeypatch.setattr(sheet_rows, "BLOCK_ROWS", rows)
    parted, _ = written(tmp_path / "b.xlsx")
    for sheet in whole:
        assert list(sheet.values) == list(parted[sheet.title].values)
        assert sheet.dimensions == parted[sheet.title].dimensions


ODD = [
    "a & b < c > d", "\"quoted\" 'too'", "  spaced  ", "line\nbreak", "tab\tand\rreturn", "_x0041_",
    "日本 ㈱", "</t></is></c>", "<r>rich</r>", "bell\x07", "none \ufffe", "", "&amp;", "_x",
    "=HYPERLINK(\"x\")", "-1", "1e5", "0012",
]  # fmt: skip


@pytest.mark.parametrize("text", ODD)
def test_any_text_stays_what_it_is(tmp_path: Path, text: str) -> None:
    book, _ = written(tmp_path / "r.xlsx", why=[text, "plain", text])
    assert [unescaped(cell) for cell in column(book["orders"], "why")] == [text, "plain", text]
    read = CalamineWorkbook.from_path(str(tmp_path / "r.xlsx")).get_sheet_by_name("orders").to_python()
    shown = text.replace("\ufffe", "_xFFFE_")  # no character: calamine shows the escape
    assert [row[7] for row in read[1:]] == [shown, "plain", shown]


def unescaped(cell: object) -> str:
    """The text of a cell, with `_xHHHH_` as the character that spreadsheets read it as."""
    return re.sub("_x([0-9A-F]{4})_", lambda found: chr(int(found[1], 16)), str(cell or ""))


def test_the_size_that_is_told_beforehand_suffices() -> None:
    cells = ORDERS["why"] + ["&" * 50, "", "x" * 300]
    columns = [sheet_rows._texts(strings(cells)), sheet_rows._figures(strings(["1.5"] * len(cells)))]
    model = b'<row r="2"><c r="A2" s="1"/><c r="B2" s="12"/></row>'
    written = sum(len(piece) for piece in sheet_rows._worksheet(model, columns))
    assert written <= sum(column.size for column in columns) + sheet_rows._PLACE_BYTES * len(cells)


def test_calamine_reads_the_same_cells_as_openpyxl(tmp_path: Path) -> None:
    book, _ = written(tmp_path / "r.xlsx")
    for sheet in book:
        read = CalamineWorkbook.from_path(str(tmp_path / "r.xlsx")).get_sheet_by_name(sheet.title)
        there = [[cell or "" for cell in row] for row in sheet.values]
        assert [[cell or "" for cell in row] for row in read.to_python(skip_empty_area=False)] == there


@pytest.mark.parametrize("figure", ["0", "-0.000001", "123456789012.345678", "1" + "0" * 25, "-7"])
def test_figures_are_the_nearest_numbers(tmp_path: Path, figure: str) -> None:
    book, _ = written(tmp_path / "r.xlsx", unmet_t=[figure, figure, "1.5"])
    assert [float(cell) for cell in column(book["orders"], "unmet_t")] == [float(figure), float(figure), 1.5]


def test_orders_are_summed_exactly(tmp_path: Path) -> None:
    book, _ = written(tmp_path / "r.xlsx", claimed_t=["0.1", "0.2", ""], claim=["cfp"] * 3)
    rows = [[c for c in row if c is not None] for row in book["summary"].iter_rows(values_only=True)]
    assert ["cfp", 0.3, 1.5] in rows


def test_a_table_beyond_excels_rows_is_left_out_and_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "EXCEL_ROWS", 3)
    book, notes = written(tmp_path / "r.xlsx")
    assert book.sheetnames == ["summary", "prices"]
    assert len(notes) == 1
    assert "orders" in notes[0]
    assert "3 rows" in notes[0]
    assert notes[0] in [cell.value for cell in book["summary"]["A"]]


def test_text_longer_than_a_cell_is_shortened_and_said_so(tmp_path: Path) -> None:
    book, notes = written(tmp_path / "r.xlsx", why=["x" * 40_000, "", "y" * 32_767])
    shown = str(book["orders"]["H2"].value)
    assert len(shown) == 32_767
    assert shown.endswith("…")
    assert book["orders"]["H4"].value == "y" * 32_767
    assert notes == ["sheet orders, column why: 1 texts shortened to 32767"]


def test_empty_tables_and_an_empty_summary_are_written_too(tmp_path: Path) -> None:
    empty = {
        name: TextTable({column: cells.slice(0, 0) for column, cells in full.columns.items()}, full.figures)
        for name, full in tables().items()
    }
    assert write_workbook(tmp_path / "r.xlsx", empty, {}, "") == []
    book = openpyxl.load_workbook(tmp_path / "r.xlsx")
    assert [cell.value for cell in book["orders"][1]] == list(ORDERS)


def test_a_file_that_cannot_be_written_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"r\.xlsx"):
        write_workbook(tmp_path / "none" / "r.xlsx", tables(), SUMMARY, "A case")
