"""The canonical copy says the same as the case it was made of."""

import random
import tomllib
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from massbalance.domain.case import TABLES, Case
from massbalance.domain.faults import Fault
from massbalance.intake.canonical import write_case
from massbalance.intake.read import read_case
from tests.intake_corpus.edits import cells, every, rules_section
from tests.intake_corpus.valid import Files, steel, valid

DATA = Path(__file__).parents[2] / "data"


def without_rows(case: Case) -> set[tuple[str, str, str, str, str]]:
    """Warnings, but for the row in the file."""
    return {(w.table, w.column, w.value, w.expected, w.code) for w in case.warnings}


def assert_round_trip(case: Case, folder: Path) -> None:
    write_case(case, folder)
    again = read_case(folder)
    assert again.sha256 == case.sha256
    assert again.content == case.content
    assert again.settings == case.settings
    assert again.rules == case.rules
    assert (again.name, again.currency) == (case.name, case.currency)
    assert without_rows(again) == without_rows(case)
    for name in TABLES:
        pd.testing.assert_frame_equal(again.tables[name].rows, case.tables[name].rows)
    write_case(again, folder.with_name("twice"))
    for file in folder.iterdir():
        assert (folder.with_name("twice") / file.name).read_bytes() == file.read_bytes()


@pytest.mark.parametrize("base", [valid, steel])
def test_the_copy_is_the_same_case(base: Callable[[], Files], tmp_path: Path) -> None:
    assert_round_trip(read_case(base().write(tmp_path / "case")), tmp_path / "copy")


@pytest.mark.parametrize("name", ["aluminium", "tutorial"])
def test_the_copy_of_an_example_is_the_same_case(name: str, tmp_path: Path) -> None:
    assert_round_trip(read_case(DATA / name), tmp_path / "copy")


def test_the_copy_is_readable_and_sorted(tmp_path: Path) -> None:
    files = valid()
    random.Random(3).shuffle(files.tables["composition"])
    cells("lots 2", quantity="100.50", unit_cost="4e1", scopes="３", category="ingot")(files)
    write_case(read_case(files.write(tmp_path / "case")), tmp_path / "copy")
    assert (tmp_path / "copy" / "composition.csv").read_text().splitlines() == [
        "key,element,wt_pct",
        "L1,Si,0.05",
        "base,Fe,0.2",
        "base,Si,0.1",
        "base:6063,Fe,0.15",
        "ingot,Fe,0.1",
        "ingot,Si,0.05",
        "scrap,Fe,0.6",
        "scrap,Si,0.2",
    ]
    lots = (tmp_path / "copy" / "lots.csv").read_text().splitlines()
    assert lots[1].startswith(
        "L1,material,ingot,north,2026-04-10,2026-04-12,2027-03-31,100.5,t,4,15.1,1,0,0,3,ASI"
    )
    assert ",40,GHG" in lots[1]
    settings = tomllib.loads((tmp_path / "copy" / "case.toml").read_text())
    assert settings["rules"] == "jaa-2026"
    assert settings["assurance"][0]["date"] == "2026-03-15"


def test_overrides_keep_their_type(tmp_path: Path) -> None:
    files = valid()
    rules_section("expiry_months = 18", 'carry_over = "none"')(files)
    case = read_case(files.write(tmp_path / "case"))
    assert_round_trip(case, tmp_path / "copy")
    settings = tomllib.loads((tmp_path / "copy" / "case.toml").read_text())
    assert settings["rules"] == {"id": "jaa-2026", "expiry_months": 18, "carry_over": "none"}
    assert case.sha256 != read_case(valid().write(tmp_path / "plain")).sha256


def test_commas_quotes_and_line_breaks_survive(tmp_path: Path) -> None:
    files = valid()
    every(
        cells("customers 2", name='Cans, "Ltd"', address="1 Can Street\n2nd floor", contact='"'),
        cells("products 2", name="sheet, thin"),
        cells("lots 2", evidence="a;b, c", certificate="=1+1"),
        cells("orders 2", order="O,1", customer='"cans"'),
    )(files)
    case = read_case(files.write(tmp_path / "case"))
    assert case.customers.rows["address"][0] == "1 Can Street\n2nd floor"
    assert_round_trip(case, tmp_path / "copy")


def test_quantities_finer_than_the_grid_are_kept_in_the_copy(tmp_path: Path) -> None:
    """What is booked is rounded down, with a warning; the copy holds what was given."""
    files = valid()
    every(
        cells("lots 2", quantity="99.9999999"),
        cells("production 2", mass_t="100.0000019"),
        cells("orders 2", mass_t="59.99999999"),
    )(files)
    case = read_case(files.write(tmp_path / "case"))
    assert case.lots.grid("quantity")[0] == 99_999_999
    assert case.orders.grid("mass_t")[0] == 59_999_999
    assert case.production.grid("mass_t")[2] == 100_000_001
    floored = [w for w in case.warnings if w.code == "quantity_floored"]
    assert [(w.table, w.row, w.column, w.value) for w in floored] == [
        ("lots", 2, "quantity", "99.9999999"),
        ("orders", 2, "mass_t", "59.99999999"),
        ("production", 2, "mass_t", "100.0000019"),
    ]
    assert b"99.9999999" in case.content["lots"]
    assert_round_trip(case, tmp_path / "copy")


def test_warnings_name_numbers_in_their_one_spelling(tmp_path: Path) -> None:
    files = valid()
    cells("lots 2", quantity="9.99999999e1")(files)
    floored = [w for w in read_case(files.write(tmp_path / "case")).warnings if w.code == "quantity_floored"]
    assert isinstance(floored[0], Fault)
    assert floored[0].value == "99.9999999"


def test_a_copy_adds_nothing_that_was_not_there(tmp_path: Path) -> None:
    files = valid()
    files.without = {"offers", "customers"}
    write_case(read_case(files.write(tmp_path / "case")), tmp_path / "copy")
    assert {p.name for p in (tmp_path / "copy").iterdir()} == {
        "case.toml",
        *(f"{name}.csv" for name in TABLES if name not in ("offers", "customers")),
    }
