"""Cases at the edge of what a case is: without rows, without mass, with names that break files."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from tests.e2e.command import DATA, HEADERS, inside, rows
from tests.e2e.tables import CaseTables

NAMES = {
    "O1": "a,b", "O2": 'say "x"', "O3": "=1+1", "O4": "受注①㈱髙", "O5": "p/q [x], y",
    "INGOT-1": 'i,"1"', "INGOT-2": "=cmd|'/c calc'!A1", "SCRAP-1": "スクラップ／①", "SAVING-1": "x]y[1,2",
    "old_scrap": "scrap, [old]", "low_carbon_ingot": "ingot;low=carbon", "2026Q2": "26/Q2, spring",
    "SHEET": "@sheet", "PROFILE": "-profile+",
}  # fmt: skip
NAMED = {
    "orders": ("order", "product", "period"), "lots": ("lot", "category"), "alloys": ("category",),
    "composition": ("key",), "periods": ("period",), "production": ("product", "period"),
    "products": ("product",),
}  # fmt: skip


def ran(case: CaseTables, folder: Path) -> Path:
    """The verified run of a case."""
    ended = inside("run", case.write_csv(folder / "case"), "--out", folder / "out", "--json")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["status"] == "optimal"
    again = inside("verify", folder / "out")
    assert again.code == 0, again.err
    return folder / "out"


@pytest.mark.parametrize("without", [("lots",), ("orders",), ("lots", "orders")])
def test_tables_without_rows_run(tmp_path: Path, without: tuple[str, ...]) -> None:
    case = CaseTables(DATA / "tutorial")
    for table in without:
        case.rows[table] = []
    out = ran(case, tmp_path)
    assert rows(out / "allocation.csv") == []
    assert [r["order"] for r in rows(out / "orders.csv")] == [r["order"] for r in case.rows["orders"]]
    assert all(r["claimed_t"] == "0" and r["why"] for r in rows(out / "orders.csv"))
    assert len(rows(out / "account.csv")) == len(case.rows["lots"]) * 2
    assert len(rows(out / "residual.csv")) == len(case.rows["production"])
    for file, header in HEADERS.items():
        assert (out / file).read_text(encoding="utf-8").startswith(header)


def test_a_case_without_production_runs(tmp_path: Path) -> None:
    case = CaseTables(DATA / "tutorial")
    case.rows["orders"], case.rows["production"] = [], []
    assert rows(ran(case, tmp_path) / "residual.csv") == []


@pytest.mark.parametrize(
    "terms", [{}, {"firm": "true"}, {"whole": "true"}, {"min_fill": "0.5"}, {"firm": "true", "whole": "true"}]
)
def test_an_order_of_no_mass_claims_nothing_and_lacks_nothing(tmp_path: Path, terms: dict[str, str]) -> None:
    case = CaseTables(DATA / "tutorial")
    case.add("orders", "O2", order="O0", mass_t="0", **terms)
    found = {r["order"]: r for r in rows(ran(case, tmp_path) / "orders.csv")}
    assert (found["O0"]["claimed_t"], found["O0"]["unmet_t"], found["O0"]["why"]) == ("0", "0", "")
    assert found["O2"]["claimed_t"] == "60"


def test_a_lot_of_no_quantity_gives_nothing(tmp_path: Path) -> None:
    case = CaseTables(DATA / "tutorial")
    case.add("lots", "INGOT-1", lot="INGOT-0", quantity="0")
    case.add("lots", "SCRAP-1", lot="SCRAP-0", quantity="0", origin="one")
    case.row("lots", "SCRAP-1")["origin"] = "one"
    out = ran(case, tmp_path)
    empty = [r for r in rows(out / "account.csv") if r["lot"].endswith("-0")]
    assert len(empty) == 4
    assert {value for row in empty for value in list(row.values())[2:]} == {"0"}
    assert {r["lot"] for r in rows(out / "allocation.csv")} == {r["lot"] for r in case.rows["lots"]} - {
        "INGOT-0", "SCRAP-0",
    }  # fmt: skip


def test_the_least_quantities_there_are(tmp_path: Path) -> None:
    case = CaseTables(DATA / "tutorial")
    for row in case.rows["lots"]:
        row["quantity"] = "0.000001"
    out = ran(case, tmp_path)
    assert sum(Decimal(r["quantity"]) for r in rows(out / "allocation.csv")) <= Decimal("0.000004")


KNIFE_EDGES = [
    # (scope 1 = level of the reduction, asked) or (largest share = level, green metal), best on the grid:
    # between a claim and a cap that are equal, only masses fit that give whole grams of credit
    ("reduction", "0.123", "10.0005", "10"),
    ("reduction", "0.123457", "10.5", "10"),
    ("green_share", "0.337", "10", "29.673"),
    ("green_share", "0.3333", "1", "3"),
]


@pytest.mark.parametrize(("claim", "level", "amount", "best"), KNIFE_EDGES)
def test_a_claim_that_takes_all_that_its_cap_allows(
    tmp_path: Path, claim: str, level: str, amount: str, best: str
) -> None:
    ghg = claim == "reduction"
    case = CaseTables(DATA / "tutorial")
    case.rows["offers"] = case.rows["composition"] = case.rows["alloy_limits"] = []
    case.rows["orders"] = [case.row("orders", "O1")]
    case.rows["lots"] = [case.row("lots", "SAVING-1" if ghg else "INGOT-1")]
    case.rows["lots"][0].update(unit_cost="0", quantity="70" if ghg else amount)
    for row in case.rows["alloys"]:
        row["max_share"] = "1" if ghg else level
    case.row("products", "PROFILE")["s1"] = level if ghg else "1"
    case.rows["orders"][0].update(
        claim=claim, level=level, mass_t=amount if ghg else "80", firm="false", premium_per_t="1000"
    )
    (found,) = rows(ran(case, tmp_path) / "orders.csv")
    assert found["claimed_t"] == best


def test_a_gram_of_metal_that_is_worth_more_than_the_gram_that_is_left(tmp_path: Path) -> None:
    """All of scope 3 is taken, in steps of 11.070891 g CO2e: 10 g of the order find no fit."""
    case = CaseTables(DATA / "tutorial")
    case.rows["composition"] = case.rows["alloy_limits"] = []
    case.rows["orders"] = [case.row("orders", "O1")]
    case.rows["lots"] = [case.row("lots", "INGOT-1")]
    case.rows["lots"][0]["intensity_tco2e_per_uom"] = "0.929109"
    case.row("products", "PROFILE")["s3"] = "8"
    case.rows["orders"][0].update(claim="reduction", level="8", mass_t="10.5")
    (found,) = rows(ran(case, tmp_path) / "orders.csv")
    assert (found["claimed_t"], found["why"]) == ("10.49999", "rounding to whole grams")


def test_names_that_break_files_do_not(tmp_path: Path) -> None:
    case = CaseTables(DATA / "tutorial")
    case.rename(NAMED, NAMES)
    # out of reach by its alloy's limit, which has to be named in full
    case.add("orders", "=1+1", order="'", claim="post_consumer_share", level="0.9", customer="c")
    out = ran(case, tmp_path)
    found = {r["order"]: r for r in rows(out / "orders.csv")}
    assert set(found) == {"a,b", 'say "x"', "=1+1", "受注①㈱髙", "p/q [x], y", "'"}
    assert found["a,b"]["claimed_t"] == "80"
    assert "alloy limit for scrap, [old]" in found["'"]["why"]
    assert {r["lot"] for r in rows(out / "allocation.csv")} == {r["lot"] for r in case.rows["lots"]}
    assert {r["lot"] for r in rows(out / "proof" / "pools.csv")} == {r["lot"] for r in case.rows["lots"]}
    assert {r["period"] for r in rows(out / "account.csv")} == {"26/Q2, spring", "2026Q3"}


def test_no_name_becomes_a_formula_in_the_workbook(tmp_path: Path) -> None:
    case = CaseTables(DATA / "tutorial")
    case.rename(NAMED, NAMES)
    book = openpyxl.load_workbook(ran(case, tmp_path) / "result.xlsx")
    cells = [c for sheet in book.worksheets for line in sheet.iter_rows() for c in line]
    assert [c.value for c in cells if c.data_type == "f"] == []
    assert {"=1+1", "=cmd|'/c calc'!A1", "@sheet"} <= {c.value for c in cells}


@pytest.mark.parametrize("name", ["a\nb", "a\tb", "a\x0bb"])
def test_a_name_with_a_line_break_is_refused(tmp_path: Path, name: str) -> None:
    case = CaseTables(DATA / "tutorial")
    case.row("orders", "O1")["order"] = name
    ended = inside("run", case.write_csv(tmp_path / "case"), "--out", tmp_path / "out")
    assert ended.code == 3
    assert "orders row 2, column order" in ended.err
    assert not (tmp_path / "out").exists()
