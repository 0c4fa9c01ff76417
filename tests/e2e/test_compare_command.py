"""`massbalance compare` from end to end: columns, exit codes, JSON, and cases that can be run."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import DATA, Ended, inside, massbalance

CASE = DATA / "tutorial"
SHORT = """
name = "half the ingots"
description = "One ship is lost."
[[edit]]
table = "lots"
where = { category = "low_carbon_ingot" }
multiply = { quantity = 0.5 }
"""
BROKEN = '[[edit]]\ntable = "lot"\ndrop = true\n'
IMPOSSIBLE = '[[edit]]\ntable = "orders"\nmultiply = { mass_t = 1000 }\n'
IDLE = SHORT + '[[edit]]\ntable = "lots"\nwhere = { lot = "NONE" }\ndrop = true\n'
KEYS = {
    "column", "scenario", "description", "status", "gap", "case_sha256", "objectives", "claimed_t", "credits",
    "tco2e", "customers", "residual", "prices", "warnings", "seconds",
}  # fmt: skip


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    texts = {"short": SHORT, "broken": BROKEN, "impossible": IMPOSSIBLE, "idle": IDLE}
    found = {name: tmp_path / f"{name}.toml" for name in texts}
    for name, text in texts.items():
        found[name].write_text(text, encoding="utf-8")
    return found


def document(ended: Ended) -> dict[str, Any]:
    return json.loads(ended.out, parse_float=Decimal)


def goals(column: dict[str, Any]) -> list[Any]:
    return [goal["value"] for goal in column["objectives"]]


def test_json_is_one_document_and_nothing_else(files: dict[str, Path]) -> None:
    ended = massbalance("compare", CASE, files["short"], "--json")
    assert (ended.code, ended.err) == (0, "")
    found = document(ended)
    base, short = found["columns"]
    assert set(base) >= KEYS
    assert set(short) >= KEYS | {"change"}
    assert [base["column"], short["column"], short["scenario"]] == ["base", "short", "half the ingots"]
    # the tutorial's README solves the base by hand: 8,420 USD
    assert goals(base) == [0, 8420]
    assert short["change"]["objectives"]["margin"] == goals(short)[1] - 8420 < 0
    assert short["credits"]["t"]["received"] == Decimal(90)
    claimed = {name: short["customers"][name] - t for name, t in base["customers"].items()}
    assert {name: t for name, t in claimed.items() if t} == short["change"]["customers"]
    assert sum(one["t"] for one in short["change"]["orders"]) == short["claimed_t"] - base["claimed_t"]


def test_the_page_shows_all_that_is_compared(files: dict[str, Path]) -> None:
    ended = inside("compare", CASE, files["short"])
    assert ended.code == 0
    for words in (
        "short: half the ingots. One ship is lost.", "margin (USD)", "t expired", "claimed by customer",
        "residual CFP", "one more unit is worth", "order(s) get less",
    ):  # fmt: skip
        assert words in ended.out


def test_a_refused_scenario_is_a_column_and_the_others_are_shown(files: dict[str, Path]) -> None:
    ended = inside("compare", CASE, files["broken"], files["short"], files["impossible"], "--json")
    assert ended.code == 3
    columns = {one["column"]: one for one in document(ended)["columns"]}
    assert [one["status"] for one in columns.values()] == ["optimal", "refused", "optimal", "refused"]
    assert columns["broken"]["faults"][0]["table"] == "broken.toml"
    fault = columns["impossible"]["faults"][0]
    assert (fault["table"], fault["scenario"], fault["edits"]) == ("orders", "impossible.toml", [1])
    assert "broken: error: broken.toml, column edit 1.table: 'lot': expected" in ended.err
    assert "error: impossible.toml, edit 1: orders row" in ended.err
    text = inside("compare", CASE, files["broken"], files["short"])
    assert (text.code, "refused, 1 error(s)" in text.out) == (3, True)


def test_an_edit_that_finds_nothing_is_told(files: dict[str, Path]) -> None:
    ended = inside("compare", CASE, files["idle"], "--json")
    assert "warning: idle.toml, edit 2: lots: expected rows that meet its conditions" in ended.err
    found = document(ended)["columns"][1]
    assert [(w["code"], w["edits"]) for w in found["warnings"]] == [("edit_without_effect", [2])]


def test_strategies_are_scenarios_and_what_cannot_be_met_says_what_clashes(tmp_path: Path) -> None:
    fair = tmp_path / "fair.toml"
    fair.write_text('[objective]\nstrategy = "leximin"\nby = "customer"\n', encoding="utf-8")
    hard = tmp_path / "hard.toml"
    hard.write_text('[[objective.minimum_service]]\nby = "customer"\nshare = 0.99\n', encoding="utf-8")
    ended = inside("compare", CASE, hard, fair, "--write", tmp_path / "cases", "--json")
    assert ended.code == 4
    base, impossible, leximin = document(ended)["columns"]
    assert (base["status"], impossible["status"], leximin["status"]) == ("optimal", "infeasible", "optimal")
    assert {clash["group"] for clash in impossible["clash"]} >= {"car body"}
    run = json.loads(
        inside("run", tmp_path / "cases" / "fair", "--out", tmp_path / "run", "--json").out,
        parse_float=Decimal,
    )
    told = [(goal["name"], goal["priority"], str(goal["value"])) for goal in run["objectives"]]
    assert [(g["name"], g["priority"], str(g["value"])) for g in leximin["objectives"]] == told
    assert ("fair_share", 1) in {goal[:2] for goal in told}
    text = inside("compare", CASE, hard, fair)
    assert (text.code, "minimum services that cannot be met together" in text.out) == (4, True)
    assert "fair share, stage 1" in text.out


def test_a_written_case_runs_to_the_same_goals(files: dict[str, Path], tmp_path: Path) -> None:
    written = tmp_path / "cases"
    ended = inside("compare", CASE, files["short"], files["impossible"], "--write", written, "--json")
    assert [folder.name for folder in written.iterdir()] == ["short"]
    run = json.loads(
        inside("run", written / "short", "--out", tmp_path / "run", "--json").out, parse_float=Decimal
    )
    short = document(ended)["columns"][1]
    assert short["case_sha256"] == run["case_sha256"]
    assert goals(short) == [goal["value"] for goal in run["objectives"]]
    again = inside("compare", CASE, files["short"], "--write", written)
    assert (again.code, "is there already" in again.err) == (2, True)


def test_a_full_case_compares_to_the_goals_of_its_run(tmp_path: Path) -> None:
    """The MIP of data/aluminium under orders that come and go, to the last digit of a run."""
    scenario = DATA / "aluminium" / "scenarios" / "new-customer.toml"
    found = document(inside("compare", DATA / "aluminium", scenario, "--write", tmp_path / "w", "--json"))
    edited = found["columns"][1]
    ended = inside("run", tmp_path / "w" / "new-customer", "--out", tmp_path / "run", "--json")
    run = json.loads(ended.out, parse_float=Decimal)
    told = [(goal["name"], goal["priority"], str(goal["value"])) for goal in run["objectives"]]
    assert [(g["name"], g["priority"], str(g["value"])) for g in edited["objectives"]] == told
    assert edited["tco2e"] == run["tco2e"]


@pytest.mark.parametrize("arguments", [(CASE, "none.toml"), ("none", CASE / "case.toml"), (CASE,)])
def test_wrong_usage_exits_2(arguments: tuple[object, ...]) -> None:
    assert inside("compare", *arguments).code == 2


def test_an_invalid_base_is_refused_as_any_case(files: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "case").mkdir()
    ended = inside("compare", tmp_path / "case", files["short"], "--json")
    assert ended.code == 3
    assert document(ended)["valid"] is False
