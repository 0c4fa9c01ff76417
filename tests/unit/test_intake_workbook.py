"""Workbooks: the same case as in a folder; what spreadsheets lose or blow up is named."""

import tomllib
import zipfile
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from massbalance.domain.faults import CaseRefused, Fault
from massbalance.intake import workbook
from massbalance.intake.read import read_case
from tests.intake_corpus.edits import cells
from tests.intake_corpus.valid import Files, steel, valid

FLAGS = {"true": True, "false": False}


def flat(settings: dict[str, Any], before: str = "") -> list[tuple[str, Any]]:
    """Settings as rows of a sheet `case`: dotted keys, `;` between goals."""
    found: list[tuple[str, Any]] = []
    for key, value in settings.items():
        if isinstance(value, dict):
            found += flat(value, f"{before}{key}.")
        elif isinstance(value, list) and all(isinstance(v, str) for v in value):
            found.append((f"{before}{key}", "; ".join(value)))
        elif isinstance(value, list):
            for i, block in enumerate(value):
                found += flat(block, f"{before}{key}.{i}.")
        else:
            found.append((f"{before}{key}", value))
    return found


def typed(column: str, text: str) -> Any:
    """A cell as a planner has it: numbers as numbers, dates as dates, flags as booleans."""
    if text in FLAGS:
        return FLAGS[text]
    if column in ("start", "end", "received", "used", "expires", "verified_on", "computation_start"):
        return date.fromisoformat(text) if text else None
    try:
        return float(text)
    except ValueError:
        return text or None


def write(
    files: Files, path: Path, *, skip: tuple[str, ...] = (), more: dict[str, list[list[Any]]] | None = None
) -> Path:
    """The case as a workbook with typed cells. skip: sheets left out; more: further sheets."""
    book = xlsxwriter.Workbook(path)
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    sheets: dict[str, list[list[Any]]] = {"case": [["key", "value"]]}
    sheets["case"] += [list(row) for row in flat(tomllib.loads(files.settings))]
    for name, rows in files.tables.items():
        columns = files.columns[name]
        sheets[name] = [columns, *([typed(c, row[c]) for c in columns] for row in rows)]
    for name, lines in (sheets | (more or {})).items():
        if name not in skip:
            sheet = book.add_worksheet(name)
            for i, line in enumerate(lines):
                for j, value in enumerate(line):
                    if isinstance(value, date):
                        sheet.write_datetime(i, j, datetime.combine(value, datetime.min.time()), day)
                    elif value is not None:
                        sheet.write(i, j, value)
    book.close()
    return path


def errors(path: Path) -> list[Fault]:
    with pytest.raises(CaseRefused) as refused:
        read_case(path)
    return [f for f in refused.value.faults if f.severity == "error"]


def places(path: Path) -> list[tuple[str, int | None, str, str]]:
    return [(f.table, f.row, f.column, f.code) for f in errors(path)]


@pytest.mark.parametrize("base", [valid, steel])
def test_a_workbook_is_the_same_case_as_its_folder(base: Callable[[], Files], tmp_path: Path) -> None:
    folder, book = (
        read_case(base().write(tmp_path / "case")),
        read_case(write(base(), tmp_path / "case.xlsx")),
    )
    assert folder.sha256 == book.sha256
    assert folder.content == book.content
    assert folder.settings == book.settings
    assert [w.text() for w in folder.warnings] == [w.text() for w in book.warnings]
    assert set(book.encodings.values()) == {"xlsx"}


def test_the_sheet_case_takes_overrides_and_text_numbers(tmp_path: Path) -> None:
    lines: list[list[Any]] = [
        ["key", "value"],
        ["rules", "jaa-2026"],
        ["rules.expiry_months", "24"],
        ["rules.carry_over", "none"],
        ["", ""],
    ]
    lines += [
        ["fiscal_year_start", 1.0],
        ["assurance.10.body", "B"],
        ["assurance.2.body", "A"],
        ["issuer.name", ""],
    ]
    case = read_case(write(valid(), tmp_path / "case.xlsx", more={"case": lines}))
    assert case.rules.parameters.expiry_months == 24
    assert case.rules.parameters.carry_over == "none"
    assert case.settings == {"fiscal_year_start": 1, "assurance": [{"body": "A"}, {"body": "B"}]}


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        ([["key", "value"], ["curency", "JPY"]], ("case", 2, "curency", "unknown_setting")),
        ([["key", "value"], ["rules", "jaa"]], ("case", 2, "rules.id", "rules")),
        ([["key", "value"], [None, None], ["rules.kinds", "project"]], ("case", 3, "rules.kinds", "rules")),
        ([["key", "value"], ["name", "a"], ["name", "b"]], ("case", 3, "name", "duplicate_key")),
        ([["key", "value"], ["issuer", "a"], ["issuer.name", "b"]], ("case", 3, "issuer.name", "setting")),
        ([["key", "value"], ["issuer.name", "b"], ["issuer", "a"]], ("case", 3, "issuer", "setting")),
        ([["key", "value"], ["fiscal_year_start", "April"]], ("case", 2, "fiscal_year_start", "setting")),
        ([["key", "value"], ["objective.order", "margin"]], ("case", 2, "objective.order", "setting")),
        ([["key", "value"], ["assurance.0.date", "2026-02-30"]], ("case", 2, "assurance.0.date", "setting")),
        ([["name", "valid"]], ("case", 1, "", "missing_column")),
    ],
)
def test_faults_of_the_sheet_case_name_its_row(lines: list[list[Any]], place: object, tmp_path: Path) -> None:
    found = places(write(valid(), tmp_path / "case.xlsx", more={"case": lines}))
    assert place in found
    assert len(found) <= 2


def test_sheets_that_are_missing_or_unknown(tmp_path: Path) -> None:
    more = {"lot": [["lot"]], "Sheet1": []}
    found = places(write(valid(), tmp_path / "case.xlsx", skip=("orders", "case"), more=more))
    assert ("lot", None, "", "unknown_table") in found
    assert ("case", None, "", "missing_table") in found
    assert ("orders", None, "", "missing_table") in found
    assert len(found) == 3


def test_rows_and_columns_are_those_of_the_sheet(tmp_path: Path) -> None:
    lines: list[list[Any]] = [
        [],
        [],
        [None, "customer", "name"],
        [],
        [None, "cans", "a"],
        [None, "cans", "b"],
    ]
    assert places(write(valid(), tmp_path / "case.xlsx", more={"customers": lines})) == [
        ("customers", 6, "customer", "duplicate_key")
    ]
    book = openpyxl.load_workbook(tmp_path / "case.xlsx")
    book["customers"]["B6"] = "cars"
    book["customers"]["C6"] = "#N/A"
    book.save(tmp_path / "case.xlsx")
    assert places(tmp_path / "case.xlsx") == [("customers", 6, "name", "cell_error")]


def test_a_value_beside_the_table_is_named(tmp_path: Path) -> None:
    lines: list[list[Any]] = [["customer", "name"], ["cans", "a", None, "note"], [None, None, None, None]]
    assert places(write(valid(), tmp_path / "case.xlsx", more={"customers": lines})) == [
        ("customers", 2, "", "unnamed_column")
    ]


def test_a_time_of_day_is_no_date(tmp_path: Path) -> None:
    path = write(valid(), tmp_path / "case.xlsx")
    book = openpyxl.load_workbook(path)
    book["lots"]["E2"] = datetime(2026, 4, 10, 12, 30)
    book["lots"]["E3"] = timedelta(hours=30)
    book.save(path)
    assert places(path) == [("lots", 2, "received", "not_a_date"), ("lots", 3, "received", "not_a_date")]


def test_numbers_as_names_are_the_same_names(tmp_path: Path) -> None:
    files = valid()
    cells("lots 2", lot="1001", certificate="20260401")(files)
    files.tables["composition"][2]["key"] = "1001"
    folder, book = files.write(tmp_path / "case"), write(files, tmp_path / "case.xlsx")
    assert read_case(folder).sha256 == read_case(book).sha256


@pytest.mark.parametrize("error", ["#N/A", "#DIV/0!", "#REF!"])
def test_an_error_in_a_cell_is_not_an_empty_cell(error: str, tmp_path: Path) -> None:
    path = write(valid(), tmp_path / "case.xlsx")
    book = openpyxl.load_workbook(path)
    book["lots"]["L2"] = error
    book["case"]["B2"] = error
    book.save(path)
    found = errors(path)
    assert [(f.table, f.row, f.column, f.value) for f in found] == [
        ("case", 2, "value", error),
        ("lots", 2, "green_share", error),
    ]
    assert {f.code for f in found} == {"cell_error"}


def test_a_formula_without_a_stored_value_is_not_an_empty_cell(tmp_path: Path) -> None:
    path = write(valid(), tmp_path / "case.xlsx")
    book = openpyxl.load_workbook(path)
    book["orders"]["H3"] = "=50+10"
    book.save(path)
    assert places(path) == [("orders", 3, "premium_per_t", "cell_error")]


def test_a_formula_with_a_stored_value_is_its_value(tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(tmp_path / "formula.xlsx")
    sheet = book.add_worksheet("customers")
    for i, row in enumerate((("customer", "name"), ("cans", None))):
        sheet.write_row(i, 0, row)
    sheet.write_formula("B2", "=UPPER(A2)", None, "CANS")
    book.close()
    log = workbook.Log()
    found = workbook.read_workbook(tmp_path / "formula.xlsx", log)
    assert found is not None
    table = found.tables["customers"]
    assert table is not None
    assert table.columns[1].at(0) == "CANS"
    assert log.faults == []


@pytest.mark.parametrize(
    "data", [b"", b"junk", b"PK\x03\x04", b"PK\x05\x06" + bytes(18), b"\xd0\xcf\x11\xe0" + bytes(600)]
)
def test_a_file_that_is_no_workbook(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "case.xlsx"
    path.write_bytes(data)
    assert places(path) == [("case.xlsx", None, "", "file")]


def repacked(path: Path, change: Callable[[str, bytes], bytes]) -> Path:
    """The same archive with changed entries."""
    other = path.with_name("changed.xlsx")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(other, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.namelist():
            new.writestr(entry, change(entry, old.read(entry)))
    return other


def test_an_archive_that_unpacks_to_far_more_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "SMALL_UNPACKED", 1 << 20)
    path = write(valid(), tmp_path / "case.xlsx")
    bomb = repacked(path, lambda name, data: data + b" " * (4 << 20) if name.endswith("sheet1.xml") else data)
    assert bomb.stat().st_size < 40_000
    found = errors(bomb)
    assert [(f.table, f.code) for f in found] == [("changed.xlsx", "file")]
    assert "unpacked" in found[0].expected
    monkeypatch.setattr(workbook, "LARGEST_UNPACKED", 1 << 10)
    assert places(path) == [("case.xlsx", None, "", "file")]


@pytest.mark.parametrize("reference", [b"XFD1048576", b"BA9", b"A1048576"])
def test_a_sheet_of_a_cell_far_out_is_not_opened(reference: bytes, tmp_path: Path) -> None:
    row = reference.lstrip(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    far = b'<row r="%s"><c r="%s"><v>1</v></c></row></sheetData>' % (row, reference)
    path = write(valid(), tmp_path / "case.xlsx", skip=("case",))
    wide = b'<row r="900000"><c r="AB900000"><v>1</v></c></row>'

    def change(name: str, data: bytes) -> bytes:
        if not name.endswith("sheet3.xml"):
            return data
        return data.replace(b"</sheetData>", (wide if reference.startswith(b"A1") else b"") + far)

    found = errors(repacked(path, change))
    assert [(f.table, f.code) for f in found if f.table == "lots"] == [("lots", "file")]


@pytest.mark.parametrize(
    "entry", ["xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/worksheets/sheet2.xml", "xl/styles.xml"]
)
@pytest.mark.parametrize("junk", [b"", b"<", b"<a/>", bytes(range(256))])
def test_archives_with_broken_parts_are_refused_or_read(entry: str, junk: bytes, tmp_path: Path) -> None:
    path = repacked(
        write(valid(), tmp_path / "case.xlsx"), lambda name, data: junk if name == entry else data
    )
    found: list[Fault] = []
    try:
        read_case(path)
    except CaseRefused as refused:
        found = refused.faults
    assert not found or any(f.severity == "error" for f in found)
