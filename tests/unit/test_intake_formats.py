"""One case in every format, encoding, order and spelling is one case."""

import csv
import io
import random
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from massbalance.domain.case import TABLES, Case
from massbalance.domain.faults import CaseRefused
from massbalance.intake import csvfile
from massbalance.intake.log import Log
from massbalance.intake.read import read_case
from tests.intake_corpus.edits import cell, cells
from tests.intake_corpus.valid import Files, valid


@pytest.fixture
def plain(tmp_path: Path) -> Case:
    return read_case(valid().write(tmp_path / "plain"))


def assert_same(a: Case, b: Case) -> None:
    assert a.sha256 == b.sha256
    assert a.content == b.content
    for name in TABLES:
        pd.testing.assert_frame_equal(a.tables[name].rows, b.tables[name].rows)
        for column, exact in a.tables[name].exact.items():
            other = b.tables[name].exact[column]
            assert (list(exact.values), list(exact.given)) == (list(other.values), list(other.given))
    assert {w.text() for w in a.warnings} == {w.text() for w in b.warnings}


def encoded(files: Files, change: object) -> Files:
    for name in files.tables:
        files.raw[f"{name}.csv"] = change(files.csv(name))  # type: ignore[operator]
    return files


@pytest.mark.parametrize(
    ("change", "encoding"),
    [
        (lambda text: text.encode(), "utf-8"),
        (lambda text: text.encode("utf-8-sig"), "utf-8 with BOM"),
        (lambda text: text.replace("\n", "\r\n").encode(), "utf-8"),
        (lambda text: text.replace("\n", "\r").encode(), "utf-8"),
        (lambda text: text.rstrip("\n").encode(), "utf-8"),
        (lambda text: (text + "\n\r\n  \n").encode(), "utf-8"),
        (lambda text: text.replace(",", " , ").encode(), "utf-8"),
        (lambda text: text.replace("\n", ",\n").encode(), "utf-8"),
    ],
)
def test_ways_to_write_a_csv(plain: Case, change: object, encoding: str, tmp_path: Path) -> None:
    case = read_case(encoded(valid(), change).write(tmp_path / "case"))
    assert_same(plain, case)
    assert set(case.encodings.values()) == {encoding}


def quoted(text: str) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(csv.reader(io.StringIO(text)))
    return out.getvalue().encode()


def test_quoted_cells_are_the_same_cells(plain: Case, tmp_path: Path) -> None:
    assert_same(plain, read_case(encoded(valid(), quoted).write(tmp_path / "case")))


def test_rows_and_columns_in_any_order(plain: Case, tmp_path: Path) -> None:
    files, shuffle = valid(), random.Random(1).shuffle
    for name, rows in files.tables.items():
        shuffle(files.columns[name])
        if name != "periods":
            shuffle(rows)
    case = read_case(files.write(tmp_path / "case"))
    assert_same_but_rows(plain, case)
    assert sorted(case.orders.source_row) == [2, 3, 4, 5]


def assert_same_but_rows(a: Case, b: Case) -> None:
    assert a.sha256 == b.sha256
    for name in TABLES:
        pd.testing.assert_frame_equal(a.tables[name].rows, b.tables[name].rows)


def test_numbers_in_any_spelling(plain: Case, tmp_path: Path) -> None:
    files = valid()
    cells("lots 2", quantity="1e2", unit_cost="+40.00", green_share="1.0", intensity_tco2e_per_uom="４．０")(
        files
    )
    cells("orders 2", mass_t="0060", level="５e-1", priority="1.0", min_fill="-0", firm="TRUE")(files)
    cells("orders 3", firm="False", whole="True")(files)
    cells("periods 2", start="２０２６-04-01")(files)
    cells("lots 5", scopes="2＋1")(files)
    cells("orders 4", schemes=" own ;RE;ASI;; ASI")(files)
    assert_same_but_rows(plain, read_case(files.write(tmp_path / "case")))


def test_any_other_value_is_another_case(plain: Case, tmp_path: Path) -> None:
    hashes = {plain.sha256}
    edits = [
        ("lots 2 quantity", "100.000001"),
        ("lots 2 unit_cost", "40.0000000001"),
        ("lots 2 evidence", ""),
        ("orders 5 priority", "1"),
        ("customers 2 contact", "x"),
        ("orders 2 firm", "false"),
    ]
    for i, (place, value) in enumerate(edits):
        files = valid()
        cell(place, value)(files)
        hashes.add(read_case(files.write(tmp_path / str(i))).sha256)
    files = valid()
    files.settings = files.settings.replace("JPY", "USD")
    hashes.add(read_case(files.write(tmp_path / "settings")).sha256)
    assert len(hashes) == len(edits) + 2


def test_an_empty_optional_table_or_column_is_none(tmp_path: Path) -> None:
    without, empty = valid(), valid()
    without.without = {"offers", "customers"}
    for name in ("offers", "customers"):
        empty.tables[name] = []
    without.columns["lots"].remove("origin")
    for row in without.tables["lots"]:
        row.pop("origin")
    for row in empty.tables["lots"]:
        row["origin"] = ""
    first, second = read_case(without.write(tmp_path / "a")), read_case(empty.write(tmp_path / "b"))
    assert_same_but_rows(first, second)
    assert set(second.content) - set(first.content) == {"offers", "customers"}


def test_cp932_is_read_and_said(tmp_path: Path) -> None:
    files = valid()
    name = "圧延㈱①髙橋"
    cells("customers 2", name=name, address="東京都　港区")(files)
    files.raw["customers.csv"] = files.csv("customers").encode("cp932")
    case = read_case(files.write(tmp_path / "case"))
    assert case.encodings["customers"] == "cp932"
    assert case.encodings["orders"] == "utf-8"
    assert case.customers.rows["name"][0] == name
    assert case.content["customers"].decode().count(name) == 1


def test_full_width_digits_of_a_name_stay(tmp_path: Path) -> None:
    files = valid()
    cells("products 2", name="板１２")(files)
    assert read_case(files.write(tmp_path / "case")).products.rows["name"][1] == "板１２"


NUMBERS = ("quantity", "mass_t", "level", "premium_per_t", "max_share", "wt_pct", "s1", "s2", "s3")


def as_parquet(name: str, rows: list[dict[str, str]], folder: Path) -> None:
    """Real types, as data frames have them."""
    frame = pd.DataFrame(rows)
    for column in frame:
        if column in NUMBERS:
            frame[column] = frame[column].astype(float)
        elif column in ("start", "end", "received"):
            frame[column] = pd.to_datetime(frame[column].replace("", None))
        elif column == "claim":
            frame[column] = frame[column].astype("category")
        elif column == "whole":
            frame[column] = frame[column].map({"true": True, "false": False}).astype("boolean")
        elif column == "priority":
            frame[column] = frame[column].replace("", None).astype("Int32")
    frame.to_parquet(folder / f"{name}.parquet", index=False)


def test_parquet_with_types(plain: Case, tmp_path: Path) -> None:
    files = valid()
    files.without = set(files.tables)
    folder = files.write(tmp_path / "case")
    for name, rows in files.tables.items():
        as_parquet(name, rows, folder)
    case = read_case(folder)
    assert_same(plain, case)
    assert set(case.encodings.values()) == {"parquet"}


@pytest.mark.parametrize(
    "values",
    [
        pa.array([60, 40, 30, 20], pa.int16()),
        pa.array([60, 40, 30, 20], pa.float32()),
        pa.array([60, 40, 30, 20]),
        pa.array(["60", "40", "30", "20"]).dictionary_encode(),
        pa.array(["60", "40", "30", "20"], pa.large_string()),
        pa.array([60, 40, 30, 20]).cast(pa.decimal128(30, 4)),
        pa.array([60, 40, 30, 20], pa.uint8()).dictionary_encode(),
    ],
)
def test_parquet_numbers_of_any_type(plain: Case, values: pa.Array, tmp_path: Path) -> None:
    files = valid()
    files.without = {"orders.csv"}
    folder = files.write(tmp_path / "case")
    rows = files.tables["orders"]
    table = pa.table({c: values if c == "mass_t" else [r[c] for r in rows] for c in files.columns["orders"]})
    pq.write_table(table, folder / "orders.parquet")
    assert_same(plain, read_case(folder))


def test_parquet_with_a_time_of_day_is_no_date(tmp_path: Path) -> None:
    files = valid()
    files.without = {"periods.csv"}
    folder = files.write(tmp_path / "case")
    frame = pd.DataFrame(files.tables["periods"])
    frame["start"] = pd.to_datetime(frame["start"]) + pd.Timedelta(hours=9)
    frame.to_parquet(folder / "periods.parquet")
    with pytest.raises(CaseRefused) as refused:
        read_case(folder)
    assert {(f.row, f.column, f.code) for f in refused.value.faults} == {
        (2, "start", "not_a_date"),
        (3, "start", "not_a_date"),
    }


def test_rows_are_numbered_as_in_the_file(tmp_path: Path) -> None:
    """Blank lines count, a cell with line breaks is one row, the header is the first line with text."""
    files = valid()
    text = (
        "\n,,,\ncustomer,name,address,contact\n\ncans,Cans,,\n,,,\n" + 'cars,Cars,"1\n2",\n\nframes,F,,,x\n'
    )
    files.raw["customers.csv"] = text.encode()
    with pytest.raises(CaseRefused) as refused:
        read_case(files.write(tmp_path / "quoted"))
    assert [(f.table, f.row) for f in refused.value.faults if f.severity == "error"] == [("customers", 9)]
    files.raw["customers.csv"] = text.replace('"1\n2"', "1").replace(",x", "").encode()
    case = read_case(files.write(tmp_path / "plain"))
    assert list(case.customers.source_row) == [5, 7, 9]


def test_a_table_without_rows_is_a_case_without_them(tmp_path: Path) -> None:
    for name in TABLES:
        files = valid()
        for other in dependent(name):
            files.tables[other] = []
        case = read_case(files.write(tmp_path / name))
        assert len(case.tables[name]) == 0
        # an optional column that the file leaves out stands there all the same
        more = ["segment"] if name == "customers" else []
        assert list(case.tables[name].rows.columns) == [*files.columns[name], *more]


def dependent(name: str) -> set[str]:
    """The table and those that refer to it."""
    users = {
        "periods": {"production", "orders", "offers"},
        "sites": {"lots", "products", "production", "orders", "offers"},
        "alloys": set(),
        "projects": set(),
        "products": {"production", "orders", "offers"},
        "production": {"orders", "offers"},
        "orders": {"offers"},
    }.get(name, set())
    extra = {"lots"} if name == "projects" else set()
    limits = {"alloy_limits", "composition"} if name == "products" else set()
    return {name} | users | extra | limits


def test_a_case_without_any_row_is_a_case(tmp_path: Path) -> None:
    files = valid()
    files.tables = {name: [] for name in files.tables}
    case = read_case(files.write(tmp_path / "case"))
    assert all(len(table) == 0 for table in case.tables.values())
    assert case.lots.exact["quantity"].decimals == 6
    assert str(case.lots.rows["lot"].dtype) == "str"
    assert case.lots.days("received").dtype == "datetime64[D]"


def test_a_parquet_file_without_columns_misses_them(tmp_path: Path) -> None:
    files = valid()
    files.without = {"alloys.csv"}
    folder = files.write(tmp_path / "case")
    pq.write_table(pa.table({}), folder / "alloys.parquet")
    with pytest.raises(CaseRefused) as refused:
        read_case(folder)
    assert {(f.table, f.column, f.code) for f in refused.value.faults} == {
        ("alloys", column, "missing_column") for column in ("alloy", "category", "max_share")
    }


def test_many_orders_in_either_format(tmp_path: Path) -> None:
    """50,000 orders in random order; the fault of one of them is found where it is."""
    count = 50_000
    shuffled = random.Random(5).sample(range(count), count)
    frame = pd.DataFrame(
        {
            "order": [f"N{i:06}" for i in shuffled],
            "customer": "cars",
            "product": ["SHEET" if i % 2 else "BAR" for i in range(count)],
            "period": ["Q1" if i % 3 else "Q2" for i in range(count)],
            "mass_t": [0.001 + (i % 7) / 10_000 for i in range(count)],
            "claim": "reduction",
            "level": [i % 11 / 10 for i in range(count)],
            "premium_per_t": [i % 101 / 4 for i in range(count)],
        }
    )
    folders = [tmp_path / "csv", tmp_path / "parquet"]
    for folder in folders:
        files = valid()
        files.without = {"orders.csv", "offers.csv"}
        files.write(folder)
    frame.to_csv(folders[0] / "orders.csv", index=False)
    frame.to_parquet(folders[1] / "orders.parquet", index=False)
    first, second = (read_case(folder) for folder in folders)
    assert_same_but_rows(first, second)
    assert list(first.orders.rows["order"]) == sorted(frame["order"])
    assert list(first.orders.source_row[:3]) == [shuffled.index(i) + 2 for i in range(3)]
    frame.loc[31_234, "product"] = "PLATE"
    frame.to_csv(folders[0] / "orders.csv", index=False)
    with pytest.raises(CaseRefused) as refused:
        read_case(folders[0])
    errors = [f for f in refused.value.faults if f.severity == "error"]
    assert [(f.row, f.column, f.value) for f in errors] == [(31_236, "product", "PLATE")]


CELLS = ["a", "", "b c", "é", "1", ",", "\n", "\r\n", '"', '""', "x,y", '"q"', " ", "\n\n", ",,"]


@pytest.mark.parametrize("seed", range(60))
def test_either_way_of_splitting_gives_the_same_cells(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Random cells, quoted where needed or all: arrow and Python's csv module agree on cells and rows."""
    draw = random.Random(seed)
    rows = [[draw.choice(CELLS) for _ in range(3)] for _ in range(draw.choice((1, 5, 40)))]
    out = io.StringIO(newline="")
    quoting = draw.choice((csv.QUOTE_ALL, csv.QUOTE_MINIMAL))
    lines = csv.writer(out, quoting=quoting, lineterminator=draw.choice(("\n", "\r\n")))
    lines.writerows([["customer", "name", "address"], *([f"k{i}", *row[1:]] for i, row in enumerate(rows))])
    path = tmp_path / "customers.csv"
    path.write_bytes(out.getvalue().encode())
    found = csvfile.read_csv(path, "customers", Log())
    monkeypatch.setattr(csvfile, "_quotes_stand_around_cells", lambda _: False)
    other = csvfile.read_csv(path, "customers", Log())
    assert found is not None
    assert other is not None
    assert list(found.rows) == list(other.rows)
    for a, b in zip(found.columns, other.columns, strict=True):
        assert a.text().to_pylist() == b.text().to_pylist()


@pytest.mark.parametrize("seed", range(60))
def test_misplaced_quotes_are_left_to_the_strict_reader(seed: int) -> None:
    """Whatever arrow may split, the strict reader accepts, with the same cells."""
    draw = random.Random(seed)
    text = "".join(draw.choice(['"', '"', ",", "\n", "a", "b"]) for _ in range(draw.choice((4, 8, 30))))
    if csvfile._quotes_stand_around_cells(text.encode()):
        list(csv.reader(io.StringIO(text, newline=""), strict=True))
