"""result.xlsx: numbers are numbers, text is text, and the same run gives the same bytes."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from massbalance.report import workbook
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


def tables() -> dict[str, pd.DataFrame]:
    """Two small tables as a run writes them: decimals as text, or as numbers."""
    orders = pd.DataFrame(
        {
            "order": ["0012", "A-2", "A-3"],
            "offer": ["", None, ""],
            "claimed_t": ["10.000001", "20.25", ""],
            "unmet_t": [0.0, 1.5, float("nan")],
            "claim": ["cfp", "cfp", "green_share"],
            "level": ["4", "4", "0.5"],
            "premium": [25.0, 30.5, 12.0],
            "why": ["=1+1", "+81 3", "@home -1"],
        }
    )
    prices = pd.DataFrame({"kind": ["period"], "key": ["2026"], "worth_per_unit": ["3.5"], "orders": [2]})
    return {"orders": orders, "prices": prices}


def written(path: Path, **changed: pd.DataFrame) -> tuple[openpyxl.Workbook, list[str]]:
    """Write and read back."""
    notes = write_workbook(path, {**tables(), **changed}, SUMMARY, "A case")
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
    assert book["prices"]["D2"].number_format == "0"


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
    orders = tables()["orders"].assign(period=["2026-04", "2026-04", "2026-05"])
    book, _ = written(tmp_path / "r.xlsx", orders=orders)
    rows = [[c for c in row if c is not None] for row in book["summary"].iter_rows(values_only=True)]
    assert ["2026-04", 30.250001, 1.5] in rows


@pytest.mark.parametrize("stream_from", [2_000_000, 0])
def test_the_same_run_gives_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stream_from: int
) -> None:
    monkeypatch.setattr(workbook, "STREAM_CELLS", stream_from)
    for name in ("a.xlsx", "b.xlsx"):
        write_workbook(tmp_path / name, tables(), SUMMARY, "A case")
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_streaming_writes_the_same_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, _ = written(tmp_path / "a.xlsx")
    monkeypatch.setattr(workbook, "STREAM_CELLS", 0)
    streamed, _ = written(tmp_path / "b.xlsx")
    for sheet in whole:
        assert list(sheet.values) == list(streamed[sheet.title].values)


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
    orders = tables()["orders"].assign(why=["x" * 40_000, "", ""])
    book, notes = written(tmp_path / "r.xlsx", orders=orders)
    shown = str(book["orders"]["H2"].value)
    assert len(shown) == 32_767
    assert shown.endswith("…")
    assert len(notes) == 1


def test_empty_tables_and_an_empty_summary_are_written_too(tmp_path: Path) -> None:
    empty = {name: rows.iloc[:0] for name, rows in tables().items()}
    assert write_workbook(tmp_path / "r.xlsx", empty, {}, "") == []
    book = openpyxl.load_workbook(tmp_path / "r.xlsx")
    assert [cell.value for cell in book["orders"][1]] == list(tables()["orders"].columns)


def test_a_file_that_cannot_be_written_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"r\.xlsx"):
        write_workbook(tmp_path / "none" / "r.xlsx", tables(), SUMMARY, "A case")
