"""`massbalance purchase` from end to end: advice, exit codes, JSON, the case written; its page."""

from __future__ import annotations

import json
import re
import shlex
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from massbalance.domain.purchases import PURCHASE_SPEC
from tests.e2e.command import DATA, ROOT, Ended, everything_in, inside, massbalance
from tests.golden.tiny import tiny
from tests.golden.tiny_purchases import write_offers

PAGE = ROOT / "docs" / "purchase.md"


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """4 t of credit; a promise of 10 t, and another order of 5 t at 6."""
    return tiny(
        lots={"L": {"quantity": 4, "green_share": 1}},
        orders={
            "F": {"mass_t": 10, "premium_per_t": 1, "firm": "true"},
            "O": {"mass_t": 5, "premium_per_t": 6},
        },
    ).write(tmp_path / "case")


@pytest.fixture
def offers(tmp_path: Path) -> Path:
    return write_offers(tmp_path / "offers.csv", {"N": {"price_per_uom": 2}, "D": {"price_per_uom": 7}})


def document(ended: Ended) -> dict[str, Any]:
    return json.loads(ended.out, parse_float=Decimal)


def test_json_is_one_document_and_nothing_else(case: Path, offers: Path) -> None:
    ended = massbalance("purchase", case, offers, "--json")
    assert (ended.code, ended.err) == (0, "")
    found = document(ended)
    assert (found["status"], found["gap"], found["cost"], found["budget"]) == ("optimal", 0, 22, None)
    dear, cheap = found["offers"]
    assert (dear["lot"], dear["buy"], dear["quantity"]) == ("D", False, 0)
    assert (cheap["lot"], cheap["buy"], cheap["quantity"], cheap["cost"]) == ("N", True, 11, 22)
    assert cheap["used"] == [{"period": "Q1", "quantity": 11}]
    assert found["net_margin"] == {"nothing": 4, "plan": 18, "down_the_list": 18}
    assert [one["order"] for one in found["orders"]] == ["F", "O"]


def test_the_case_written_runs(case: Path, offers: Path, tmp_path: Path) -> None:
    ended = inside("purchase", case, offers, "--out", tmp_path / "bought")
    assert ended.code == 0
    assert f"massbalance run {tmp_path / 'bought'}" in ended.out.replace("\n", "")
    told = json.loads((tmp_path / "bought" / "advice.json").read_text(encoding="utf-8"))
    ended = inside("run", tmp_path / "bought", "--out", tmp_path / "run", "--json")
    assert ended.code == 0
    found = {goal["name"]: goal["value"] for goal in document(ended)["objectives"]}
    for goal in told["objectives"]:
        assert float(found[goal["name"]]) == pytest.approx(goal["plan"], abs=1e-5)
    assert inside("purchase", case, offers, "--out", tmp_path / "run").code == 2


def test_exit_codes(case: Path, offers: Path, tmp_path: Path) -> None:
    assert inside("purchase", case, tmp_path / "none.csv").code == 2
    for budget in ("-1", "nan", "a lot", "1,000"):
        ended = inside("purchase", case, offers, "--budget", budget)
        assert (ended.code, "--budget" in ended.err) == (2, True)
    bad = write_offers(tmp_path / "bad.csv", {"N": {"site": "nowhere", "price_per_uom": -1}})
    ended = inside("purchase", case, bad, "--out", tmp_path / "bought")
    assert ended.code == 3
    assert ended.err.count("purchases row 2") == 2
    assert not (tmp_path / "bought").exists()
    faults = document(inside("purchase", case, bad, "--json"))["faults"]
    assert {f["column"] for f in faults if f["severity"] == "error"} == {"site", "price_per_uom"}


def test_a_budget_is_kept_and_a_limit_is_said(case: Path, tmp_path: Path) -> None:
    offers = write_offers(tmp_path / "offers.csv", {"N": {"price_per_uom": 2, "fixed_cost": 1}})
    ended = inside("purchase", case, offers, "--budget", "15.50", "--json")
    assert ended.code == 0
    found = document(ended)
    assert (found["budget"], found["cost"]) == (Decimal("15.5"), Decimal("15.5"))
    ended = inside("purchase", case, offers, "--time-limit", "0")
    assert ended.code == 5
    assert "time limit" in ended.err


def test_nothing_is_written_where_nothing_is_asked_for(case: Path, offers: Path, tmp_path: Path) -> None:
    before = everything_in(tmp_path)
    assert inside("purchase", case, offers).code == 0
    assert everything_in(tmp_path) == before


def test_same_words_every_time(case: Path, offers: Path) -> None:
    first, second = (inside("purchase", case, offers) for _ in range(2))
    assert (first.code, first.out) == (0, second.out)
    assert "11.000 t of firm orders" not in first.out
    assert "6.000 t of firm orders, priority 1" not in first.out  # D could mend them, too


# ---- docs/purchase.md ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_example_is_what_the_command_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    page = PAGE.read_text(encoding="utf-8")
    command = next(line for line in page.splitlines() if line.startswith("    massbalance purchase "))
    shown = re.search(r"\n```\n(.*?)```", page, re.DOTALL)
    assert shown is not None
    ended = inside(*shlex.split(command)[1:])
    assert (ended.code, ended.out) == (0, shown[1])


def test_every_option_and_column_is_on_its_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    told = set(re.findall(r"--[a-z-]+", inside("purchase", "--help").out)) - {"--help"}
    assert told <= set(re.findall(r"--[a-z-]+", page))
    tables = (DATA / "README.md").read_text(encoding="utf-8")
    section = tables.split("### purchases")[1].split("\n## ")[0]
    terms = set(PURCHASE_SPEC.columns) - {"lot"}
    written = set(re.findall(r"^\| \**([a-z_]+)\** \|", section, re.MULTILINE)) - {"column"}
    assert {"price_per_uom", "max_quantity", "fixed_cost", "min_quantity", "lot_size", "group"} == written
    assert written <= terms
