"""All faults at once, each in its place, without noise; no input makes intake raise anything else."""

import random
from pathlib import Path

import pytest

from massbalance import intake
from massbalance.domain.case import TABLES
from massbalance.domain.faults import CaseRefused, Fault
from massbalance.domain.schema import TABLE_SPECS
from massbalance.intake.log import ROWS_PER_CHECK, nearest
from massbalance.intake.names import FORM_CHECKS, RULE_CHECKS
from massbalance.intake.read import read_case
from tests.intake_corpus.cases import CASES
from tests.intake_corpus.edits import cell, cells, every, file, no_column, text, without
from tests.intake_corpus.valid import Files, valid

Place = tuple[str, int | None, str]


def refused(files: Files, folder: Path) -> list[Fault]:
    with pytest.raises(CaseRefused) as found:
        read_case(files.write(folder))
    return found.value.faults


def places(files: Files, folder: Path) -> list[Place]:
    return [(f.table, f.row, f.column) for f in refused(files, folder) if f.severity == "error"]


def test_one_fault_in_every_table_and_the_settings(tmp_path: Path) -> None:
    files = valid()
    files.settings = files.settings.replace("currency", "curency")
    wrong = {
        "periods": "3 start 2026-08-01",
        "sites": "2 heat_tco2e_per_gj hot",
        "lots": "3 uom kg",
        "alloys": "2 max_share 2",
        "composition": "2 wt_pct -1",
        "alloy_limits": "2 max_wt_pct much",
        "products": "3 s1 -1",
        "production": "2 product PLATE",
        "orders": "2 claim green",
        "offers": "2 order O9",
        "projects": "2 computation_end 2024-02-30",
        "customers": "2 customer ",
    }
    assert set(wrong) == set(TABLES)
    for table, edit in wrong.items():
        row, column, value = edit.split(" ")
        cell(f"{table} {row} {column}", value)(files)
    expected = [(t, int(e.split(" ")[0]), e.split(" ")[1]) for t, e in wrong.items()]
    assert places(files, tmp_path / "case") == sorted([*expected, ("case", None, "curency")])


def test_every_fault_of_a_row_and_a_column(tmp_path: Path) -> None:
    files = valid()
    cells("orders 2", mass_t="x", level="y", firm="z", period="Q9", claim="")(files)
    cell("orders 4 mass_t", "-1")(files)
    assert places(files, tmp_path / "case") == [
        ("orders", 2, "claim"),
        ("orders", 2, "firm"),
        ("orders", 2, "level"),
        ("orders", 2, "mass_t"),
        ("orders", 2, "period"),
        ("orders", 4, "mass_t"),
    ]


def test_a_fault_names_value_expectation_and_code(tmp_path: Path) -> None:
    files = valid()
    cell("lots 2 green_share", "１．５")(files)
    fault = next(f for f in refused(files, tmp_path / "case") if f.severity == "error")
    assert fault.text() == (
        "error: lots row 2, column green_share: '1.5': expected a number from 0 to 1 [out_of_range]"
    )


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"", b"x,y\n1,2\n"])
def test_a_broken_table_is_one_fault_and_others_are_still_checked(
    name: str, data: bytes, tmp_path: Path
) -> None:
    files = valid()
    other = "customers" if name != "customers" else "sites"
    column = {"customers": "name", "sites": "unit"}[other]
    every(file(f"{name}.csv", data), cell(f"{other} 2 {column}", "a\x07"))(files)
    found = places(files, tmp_path / "case")
    assert len(found) == 2
    assert (other, 2, column) in found
    assert {table.removesuffix(".csv") for table, _, _ in found} == {name, other}


@pytest.mark.parametrize("name", TABLES)
def test_a_missing_key_column_is_one_fault(name: str, tmp_path: Path) -> None:
    files = valid()
    key = TABLE_SPECS[name].key[0]
    no_column(name, key)(files)
    assert places(files, tmp_path / "case") == [(name, None, key)]


@pytest.mark.parametrize("name", TABLES)
def test_a_short_row_hides_nothing_and_makes_no_noise(name: str, tmp_path: Path) -> None:
    """References to what stands in the short row are not faults of their own."""
    files = valid()
    lines = files.csv(name).splitlines()
    text(name, lines[1], lines[1].rsplit(",", 1)[0])(files)
    every(cell("composition 2 wt_pct", "x") if name != "composition" else cell("sites 2 unit", ""))(files)
    assert len(places(files, tmp_path / "case")) == 2


@pytest.mark.parametrize(
    ("name", "column"), [("sites", "site"), ("products", "product"), ("orders", "order")]
)
def test_references_to_a_faulty_row_are_not_faults(name: str, column: str, tmp_path: Path) -> None:
    files = valid()
    other = next(c for c in files.columns[name] if TABLE_SPECS[name].columns[c].kind == "number")
    cell(f"{name} 2 {other}", "x")(files)
    assert places(files, tmp_path / "case") == [(name, 2, other)]


def test_an_empty_key_is_missed_where_it_is_and_where_it_is_used(tmp_path: Path) -> None:
    files = valid()
    cell("products 2 product", "")(files)
    found = places(files, tmp_path / "case")
    assert found[-1] == ("products", 2, "product")
    assert {(t, c) for t, _, c in found[:-1]} == {("orders", "product"), ("production", "product")}


def test_warnings_are_listed_beside_errors(tmp_path: Path) -> None:
    files = valid()
    every(cell("orders 2 mass_t", "x"), cell("lots 2 expires", ""), cell("lots 3 quantity", "1.00000005"))(
        files
    )
    found = [(f.table, f.row, f.column) for f in refused(files, tmp_path / "case") if f.severity == "warning"]
    assert ("lots", 2, "expires") in found
    assert ("lots", 3, "quantity") in found


def test_many_faults_are_counted_beyond_the_first_thousand(tmp_path: Path) -> None:
    files = valid()
    row = files.tables["orders"][1]
    files.tables["offers"] = []
    files.tables["orders"] = [row | {"order": f"O{i}", "mass_t": "x", "firm": "?"} for i in range(1500)]
    found = [f for f in refused(files, tmp_path / "case") if f.severity == "error"]
    for column in ("firm", "mass_t"):
        some = [f for f in found if f.column == column]
        assert [f.row for f in some if f.row] == list(range(2, ROWS_PER_CHECK + 2))
        assert [f.value for f in some if f.row is None] == ["500 more rows"]
    assert len(found) == 2 * (ROWS_PER_CHECK + 1)


def test_ragged_rows_and_keys_are_counted_too(tmp_path: Path) -> None:
    files = valid()
    files.raw["customers.csv"] = ("customer,name\n" + "a\n" * 1 + "b,1,2\n" * 1200 + "c,1\n" * 1300).encode()
    found = [f for f in refused(files, tmp_path / "case") if f.severity == "error"]
    assert [f.value for f in found if f.row is None] == ["299 more rows", "201 more rows"] or sorted(
        f.value for f in found if f.row is None
    ) == ["201 more rows", "299 more rows"]


def test_long_values_are_cut_in_messages(tmp_path: Path) -> None:
    files = valid()
    cell("orders 2 mass_t", "x" * 100_000)(files)
    fault = next(f for f in refused(files, tmp_path / "case") if f.severity == "error")
    assert len(fault.value) == 80


def test_the_nearest_name() -> None:
    assert nearest("premum", ["premium_per_t", "priority", "product"]) == "premium_per_t"
    assert nearest("LOT", ["kind", "lot", "uom"]) == "lot"
    assert nearest("x", []) == ""


def test_every_code_of_the_corpus_is_a_clause_or_a_named_check() -> None:
    for case in CASES:
        for code in case.code.split(", "):
            assert code in FORM_CHECKS or code in RULE_CHECKS or code[0] in "AJ"


def test_every_named_check_stands_in_intake() -> None:
    source = "".join(
        path.read_text() for path in Path(intake.__path__[0]).glob("*.py") if path.name != "names.py"
    )
    assert {name for name in {**FORM_CHECKS, **RULE_CHECKS} if f'"{name}"' not in source} == set()


@pytest.mark.parametrize("name", ["no-such", "case.txt", "a\0b", "x" * 5000])
def test_a_path_that_leads_nowhere(name: str, tmp_path: Path) -> None:
    with pytest.raises(CaseRefused) as found:
        read_case(tmp_path / name)
    assert [(f.table, f.code) for f in found.value.faults] == [("case", "file")]


def test_folders_and_links_in_place_of_files(tmp_path: Path) -> None:
    files = valid()
    files.without = {"alloys", "case.toml", "customers"}
    folder = files.write(tmp_path / "case")
    (folder / "alloys.csv").mkdir()
    (folder / "case.toml").mkdir()
    (folder / "customers.csv").symlink_to(folder / "nowhere")
    with pytest.raises(CaseRefused) as found:
        read_case(folder)
    assert {f.table for f in found.value.faults if f.severity == "error"} == {
        "alloys.csv",
        "case",
        "customers.csv",
    }


def test_files_that_are_no_tables_are_left_alone(tmp_path: Path) -> None:
    folder = valid().write(tmp_path / "case")
    for name in ("README.md", ".hidden.csv", "~$lots.xlsx", "notes.txt", "plan.toml"):
        (folder / name).write_bytes(b"\xff")
    (folder / "old").mkdir()
    read_case(folder)


# ---- no input makes intake raise anything but CaseRefused ------------------------------------------

JUNK = [
    "",
    " ",
    "\0",
    "nan",
    "-1",
    "1e400",
    "9" * 400,
    "２０２６",
    "base",
    "base:",
    "2026-02-30",
    "0000-00-00",
    ";",
    "+",
    "\x1f",
]
PIECES = [
    b"",
    b",",
    b",,,,,",
    b"\n",
    b"\r",
    b'"',
    b'""',
    b"\xff",
    b"\0",
    b";",
    b"\xef\xbb\xbf",
    b"1e5",
    b"\x82\xa0",
]


def reads_or_refuses(folder: Path) -> None:
    """Anything that is raised but CaseRefused fails the test; so does a refusal without an error."""
    found: list[Fault] = []
    try:
        read_case(folder)
    except CaseRefused as refusal:
        found = refusal.faults
    assert not found or any(f.severity == "error" for f in found)


@pytest.mark.parametrize("seed", range(40))
def test_random_cells(seed: int, tmp_path: Path) -> None:
    draw, files = random.Random(f"cells {seed}"), valid()
    for _ in range(draw.choice((1, 3, 10, 60))):
        table = draw.choice(TABLES)
        other = draw.choice(TABLES)
        word = draw.choice([*JUNK, draw.choice(files.tables[other])[draw.choice(files.columns[other])]])
        draw.choice(files.tables[table])[draw.choice(files.columns[table])] = word
    reads_or_refuses(files.write(tmp_path / "case"))


@pytest.mark.parametrize("seed", range(40))
def test_random_bytes(seed: int, tmp_path: Path) -> None:
    draw, files = random.Random(f"bytes {seed}"), valid()
    for name in draw.sample(TABLES, draw.choice((1, 2, 12))):
        data = bytearray(files.csv(name).encode())
        for _ in range(draw.choice((1, 2, 8))):
            at = draw.randrange(len(data) + 1)
            data[at : at + draw.choice((0, 0, 1, 5))] = draw.choice(PIECES)
        files.raw[f"{name}.csv"] = bytes(data)
    reads_or_refuses(files.write(tmp_path / "case"))


@pytest.mark.parametrize("seed", range(20))
def test_random_settings(seed: int, tmp_path: Path) -> None:
    draw, files = random.Random(f"settings {seed}"), valid()
    values = [
        "1",
        "-1",
        "true",
        "[]",
        "{}",
        '""',
        '"x"',
        "[1]",
        "{a=1}",
        "2026-01-01",
        "nan",
        "1e400",
        "12:00:00",
        "[[[]]]",
    ]
    lines = files.settings.splitlines()
    for _ in range(draw.choice((1, 2, 5))):
        i = draw.randrange(len(lines))
        if "=" in lines[i]:
            lines[i] = f"{lines[i].split('=')[0]}= {draw.choice(values)}"
        elif draw.random() < 0.3:
            lines[i] = draw.choice(
                ["[rules]", "[[rules]]", "[[issuer]]", "[objective.order]", "[assurance.x]"]
            )
    files.settings = "\n".join(lines)
    reads_or_refuses(files.write(tmp_path / "case"))


@pytest.mark.parametrize("seed", range(12))
def test_random_columns_and_tables_left_out(seed: int, tmp_path: Path) -> None:
    draw, files = random.Random(f"columns {seed}"), valid()
    for _ in range(draw.choice((1, 3, 8))):
        table = draw.choice(TABLES)
        if draw.random() < 0.3:
            without(table)(files)
        elif len(files.columns[table]) > 1:
            no_column(table, draw.choice(files.columns[table]))(files)
    reads_or_refuses(files.write(tmp_path / "case"))
