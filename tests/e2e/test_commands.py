"""run, check, verify, rules and init on the cases that come with the project."""

from __future__ import annotations

import json
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from tests.e2e.command import DATA, HEADERS, TABLES, Ended, inside, massbalance, rows

CASES = ("aluminium", "steel", "tutorial")
SUMMARY = {
    "status", "objectives", "gap", "verified", "claimed_t", "unmet_firm_t", "credits", "tco2e", "rules",
    "case_sha256", "versions", "seconds", "warnings",
}  # fmt: skip
CREDITS = ["opening", "received", "allocated", "blocked", "expired", "held"]
TCO2E = [
    "baseline", "realised", "allocated", "forgone", "expired", "released", "retired", "held",
    "claimed_products", "conventional_products", "accounted",
]  # fmt: skip
FILES = {
    *TABLES, "summary.json", "result.xlsx", "rules.toml", "manifest.json", "case/case.toml",
    "proof/recipes.csv", "proof/pools.csv", "proof/duals.csv",
}  # fmt: skip
MOVES = ("opening", "received", "allocated", "blocked", "expired", "closing")
GRAM = Decimal("0.000001")

Shipped = dict[str, tuple[Path, Ended]]


def exact_summary(text: str) -> dict:
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


@pytest.mark.parametrize("name", CASES)
def test_a_run_prints_one_json_document_and_nothing_else(shipped: Shipped, name: str) -> None:
    folder, ended = shipped[name]
    assert ended.code == 0
    assert ended.err == ""
    assert json.loads(ended.out) == json.loads((folder / "summary.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", CASES)
def test_every_file_of_a_run_is_there(shipped: Shipped, name: str) -> None:
    folder, _ = shipped[name]
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert there >= FILES
    listed = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["files"]
    assert set(listed) | {"manifest.json"} == there
    assert {p.name for p in folder.parent.iterdir()} == set(shipped)


@pytest.mark.parametrize("name", CASES)
def test_a_run_verifies(shipped: Shipped, name: str) -> None:
    ended = inside("verify", shipped[name][0], "--json")
    found = json.loads(ended.out)
    assert (ended.code, found["ok"], found["faults"]) == (0, True, [])
    told = json.loads(shipped[name][1].out)["objectives"]
    assert [(g["name"], g["priority"], g["value"]) for g in found["goals"]] == [
        (g["name"], g["priority"], g["value"]) for g in told
    ]


@pytest.mark.parametrize("name", CASES)
def test_the_summary_has_every_key(shipped: Shipped, name: str) -> None:
    found = exact_summary(shipped[name][1].out)
    assert set(found) >= SUMMARY
    assert found["status"] == "optimal"
    assert found["verified"] is True
    assert all(list(amounts) == CREDITS for amounts in found["credits"].values())
    assert list(found["tco2e"]) == TCO2E
    assert set(found["rules"]) >= {"id", "sha256"}
    assert found["objectives"][-1]["name"] == "margin"
    assert found["objectives"][-1]["priority"] is None
    firm = {int(r["priority"] or 1) for r in rows(DATA / name / "orders.csv") if r["firm"] == "true"}
    assert [g["priority"] for g in found["objectives"][:-1]] == sorted(firm)
    assert {g["name"] for g in found["objectives"][:-1]} == {"firm_shortfall_t"}


@pytest.mark.parametrize("name", CASES)
def test_headers_are_those_of_the_interface(shipped: Shipped, name: str) -> None:
    for file, header in HEADERS.items():
        data = (shipped[name][0] / file).read_bytes()
        assert data.split(b"\n")[0].decode("utf-8").startswith(header)
        assert b"\r" not in data


@pytest.mark.parametrize("name", CASES)
def test_every_order_has_a_row_and_a_reason_where_something_is_unmet(shipped: Shipped, name: str) -> None:
    asked = {r["order"]: Decimal(r["mass_t"]) for r in rows(DATA / name / "orders.csv")}
    found = rows(shipped[name][0] / "orders.csv")
    assert {r["order"]: Decimal(r["claimed_t"]) + Decimal(r["unmet_t"]) for r in found} == asked
    assert len(found) == len(asked)
    for row in found:
        assert bool(row["why"]) == (Decimal(row["unmet_t"]) > 0), row
        assert bool(row["cfp_after"]) == (Decimal(row["claimed_t"]) > 0), row
    summary = exact_summary(shipped[name][1].out)
    assert sum(Decimal(r["claimed_t"]) for r in found) == summary["claimed_t"]


@pytest.mark.parametrize("name", CASES)
def test_accounts_balance_and_add_up_to_the_summary(shipped: Shipped, name: str) -> None:
    folder, ended = shipped[name]
    uom = {r["lot"]: r["uom"] for r in rows(DATA / name / "lots.csv")}
    periods = [r["period"] for r in rows(folder / "case" / "periods.csv")]
    drawn: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    period_of = {r["order"]: r["period"] for r in rows(DATA / name / "orders.csv")}
    for row in rows(folder / "allocation.csv"):
        drawn[row["lot"], period_of[row["order"]]] += Decimal(row["quantity"])
    sums = {unit: dict.fromkeys(CREDITS, Decimal(0)) for unit in uom.values()}
    account = rows(folder / "account.csv")
    assert [(r["lot"], r["period"]) for r in account] == [(lot, p) for lot in sorted(uom) for p in periods]
    before = Decimal(0)
    for row in account:
        opening, received, allocated, blocked, expired, closing = (Decimal(row[m]) for m in MOVES)
        first, last = row["period"] == periods[0], row["period"] == periods[-1]
        assert min(opening, received, allocated, blocked, expired, closing) >= 0
        assert opening + received - allocated - blocked - expired == closing, row
        assert first or opening == before, row
        assert allocated == drawn[row["lot"], row["period"]], row
        before = closing
        amounts = (opening * first, received, allocated, blocked, expired, closing * last)
        for column, amount in zip(CREDITS, amounts, strict=True):
            sums[uom[row["lot"]]][column] += amount
    assert sums == exact_summary(ended.out)["credits"]


@pytest.mark.parametrize("name", CASES)
def test_the_residual_covers_all_production_and_balances(shipped: Shipped, name: str) -> None:
    folder, ended = shipped[name]
    made = {(r["product"], r["period"]): Decimal(r["mass_t"]) for r in rows(DATA / name / "production.csv")}
    found = rows(folder / "residual.csv")
    assert {(r["product"], r["period"]): Decimal(r["produced_t"]) for r in found} == made
    for row in found:
        assert Decimal(row["produced_t"]) - Decimal(row["claimed_t"]) == Decimal(row["conventional_t"])
    t = exact_summary(ended.out)["tco2e"]
    assert t["accounted"] == t["baseline"] - t["realised"]
    declared = t["claimed_products"] + t["conventional_products"]
    assert declared - t["held"] - t["retired"] == t["accounted"]
    carried = sum(Decimal(r["cfp_residual"] or 0) * Decimal(r["conventional_t"]) for r in found)
    assert abs(carried - t["conventional_products"]) <= GRAM * sum(made.values())


def test_the_tutorial_is_what_its_readme_works_out_by_hand(tutorial_run: Path) -> None:
    found = {r["order"]: (r["claimed_t"], r["cfp_after"]) for r in rows(tutorial_run / "orders.csv")}
    assert found == {
        "O1": ("80", "7"), "O2": ("60", "11"), "O3": ("40", "11"), "O4": ("30", "9"), "O5": ("20", "12.5"),
    }  # fmt: skip


def test_the_workbook_holds_the_same_tables(tutorial_run: Path) -> None:
    book = openpyxl.load_workbook(tutorial_run / "result.xlsx")
    text = {
        str(cell.value)
        for sheet in book.worksheets
        for line in sheet.iter_rows()
        for cell in line
        if isinstance(cell.value, str)
    }
    assert {r["order"] for r in rows(tutorial_run / "orders.csv")} <= text
    assert {r["lot"] for r in rows(tutorial_run / "allocation.csv")} <= text


@pytest.mark.parametrize("name", CASES)
def test_check_finds_the_shipped_case_valid(shipped: Shipped, name: str) -> None:
    ended = inside("check", DATA / name, "--json")
    found = json.loads(ended.out)
    assert (ended.code, ended.err, found["valid"]) == (0, "", True)
    told = json.loads(shipped[name][1].out)
    assert found["case_sha256"] == told["case_sha256"]
    assert found["faults"] == told["warnings"]
    assert all(fault["severity"] == "warning" for fault in found["faults"])


def test_texts_for_people_tell_the_same(tmp_path: Path) -> None:
    checked = massbalance("check", DATA / "tutorial")
    assert (checked.code, checked.err) == (0, "")
    assert "jaa-2026" in checked.out
    assert "orders (utf-8)" in checked.out
    ran = massbalance("run", DATA / "tutorial", cwd=tmp_path)
    assert ran.code == 0
    assert "8,420.000" in ran.out
    verified = massbalance("verify", tmp_path / "runs" / "tutorial")
    assert verified.code == 0
    assert "verified" in verified.out


def test_rules_lists_and_shows_every_rule_model() -> None:
    listed = inside("rules", "--json")
    assert listed.code == 0
    ids = [model["id"] for model in json.loads(listed.out)["rules"]]
    assert {"jaa-2026", "jisf-2.0"} <= set(ids)
    shown = inside("rules", "jisf-2.0", "--json")
    found = json.loads(shown.out)
    assert (shown.code, found["id"]) == (0, "jisf-2.0")
    assert {clause["code"] for clause in found["clauses"]} >= {"J3.3", "J5.3.2", "J5.3.3"}
    text = massbalance("rules", "jaa-2026")
    assert text.code == 0
    assert "A4.2.1" in text.out


def test_a_starter_case_runs(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    made = inside("init", folder)
    assert made.code == 0
    assert "massbalance run" in made.out
    ended = inside("run", folder, "--out", tmp_path / "out", "--json")
    assert ended.code == 0
    assert json.loads(ended.out)["status"] == "optimal"
    assert inside("init", folder).code == 2
