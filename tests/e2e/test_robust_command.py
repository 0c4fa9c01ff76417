"""`massbalance robust` from end to end: answers, exit codes, JSON, and the folder."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import DATA, Ended, contents, inside, massbalance, rows
from tests.golden.test_robust_examples import ship

HALF = '[[short]]\nwhere = { lot = "ship" }\nfactor = 0.5\n'


@pytest.fixture
def case(tmp_path: Path) -> Path:
    return ship().write(tmp_path / "case")


@pytest.fixture
def futures(tmp_path: Path) -> Path:
    file = tmp_path / "futures.toml"
    file.write_text(HALF, encoding="utf-8")
    return file


def document(ended: Ended) -> dict[str, Any]:
    return json.loads(ended.out, parse_float=Decimal)


def test_json_is_one_document_and_nothing_else(case: Path, futures: Path) -> None:
    ended = massbalance("robust", case, futures, "--share", 1, "--shares", "0,0.5", "--fresh", 50, "--json")
    assert (ended.code, ended.err) == (0, "")
    found = document(ended)
    assert (found["kind"], found["robust"]["status"], found["robust"]["gap"]) == (
        "robust promises",
        "optimal",
        0,
    )
    shortfall, margin = found["robust"]["objectives"]
    assert shortfall["cost"] == pytest.approx(Decimal(1), abs=Decimal("0.0001"))
    assert margin["plain"] == 40
    assert margin["cost"] == pytest.approx(Decimal(-2), abs=Decimal("0.001"))
    assert found["plain"]["sample"]["kept"] == 0
    assert found["robust"]["sample"] == {"kept": 100, "of": 100, "share": 1}
    assert (found["robust"]["fresh"]["kept"], found["robust"]["fresh"]["seed"]) == (50, 2)
    assert [point["asked_share"] for point in found["curve"]] == [0, Decimal("0.5"), 1]
    assert found["broken"] == []


def test_people_read_what_it_costs_and_in_how_many_futures_it_holds(case: Path, futures: Path) -> None:
    first, second = (inside("robust", case, futures, "--fresh", 20, "--shares", "0") for _ in range(2))
    assert (first.code, first.out) == (0, second.out)
    assert "firm promises in 95 % of 100 futures, optimal" in first.out
    for line in (
        "plain                 0 of 100",
        "robust              100 of 100",
        "what other shares cost",
    ):
        assert " ".join(line.split()) in " ".join(first.out.split())
    assert first.out.isascii()


def test_seed_and_count_of_the_command_come_before_the_files(case: Path, futures: Path) -> None:
    found = document(inside("robust", case, futures, "--seed", 9, "--count", 7, "--fresh", 0, "--json"))
    assert (found["futures"]["seed"], found["futures"]["count"]) == (9, 7)
    assert (found["robust"]["sample"]["of"], found["robust"]["fresh"]) == (7, None)


def test_the_folder_holds_allocation_promises_and_futures(case: Path, futures: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    told = document(inside("robust", case, futures, "--out", out, "--fresh", 0, "--json"))
    promised = {row["order"]: row for row in rows(out / "promises.csv")}
    assert float(promised["firm"]["promised_t"]) == pytest.approx(9, abs=1e-4)
    assert promised["firm"]["plain_t"] == "10"
    taken = {row["order"]: row for row in rows(out / "orders.csv")}
    assert taken["firm"]["claimed_t"] == promised["firm"]["promised_t"]
    assert "95 %" in taken["firm"]["why"]
    states = {(row["plain_kept"], row["robust_kept"]) for row in rows(out / "futures.csv")}
    assert states == {("false", "true")}
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"), parse_float=Decimal)
    assert summary["promises"] == told["promises"]
    names = ("allocation.csv", "orders.csv", "promises.csv", "futures.csv")
    before = contents(out, names)
    assert inside("robust", case, futures, "--out", out, "--fresh", 0).code == 0
    assert contents(out, names) == before


def test_it_is_no_run_and_cannot_pass_for_one(case: Path, futures: Path, tmp_path: Path) -> None:
    assert inside("robust", case, futures, "--out", tmp_path / "out", "--fresh", 0).code == 0
    assert inside("verify", tmp_path / "out").code == 6


def test_a_folder_with_other_things_in_it_is_left_alone(case: Path, futures: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep me", encoding="utf-8")
    assert inside("robust", case, futures, "--out", tmp_path / "mine").code == 2
    assert (tmp_path / "mine" / "notes.txt").read_text(encoding="utf-8") == "keep me"


def test_exit_3_tells_every_fault_of_the_futures(case: Path, futures: Path) -> None:
    futures.write_text("cuont = 3\n" + HALF.replace("0.5", "2"), encoding="utf-8")
    ended = inside("robust", case, futures, "--json")
    assert ended.code == 3
    assert [fault["column"] for fault in document(ended)["faults"]] == ["cuont", "short 1.factor"]
    assert "futures.toml" in ended.err


@pytest.mark.parametrize("arguments", [("--share", "1.01"), ("--share", "x"), ("--shares", "0.5,-1")])
def test_exit_2_for_what_is_no_share(case: Path, futures: Path, arguments: tuple[str, str]) -> None:
    ended = inside("robust", case, futures, *arguments)
    assert ended.code == 2
    assert "no share" in ended.err


def test_exit_2_where_there_is_no_such_file(case: Path, tmp_path: Path) -> None:
    assert inside("robust", case, tmp_path / "none.toml").code == 2
    assert inside("robust", tmp_path / "none", tmp_path / "none.toml").code == 2


def test_exit_5_with_a_valid_answer_where_the_time_is_too_short(tmp_path: Path) -> None:
    """What comes out of no time at all is valid, keeps its share, and claims no gap that was not proven."""
    futures = DATA / "aluminium" / "scenarios" / "futures.toml"
    arguments = ("--count", 10, "--share", 0.9, "--fresh", 0, "--time-limit", 0, "--json")
    ended = massbalance("robust", DATA / "aluminium", futures, *arguments)
    assert ended.code == 5
    found = document(ended)
    assert found["robust"]["status"] == "limit"
    assert found["robust"]["gap"] is None or found["robust"]["gap"] > 0
    assert found["robust"]["sample"]["kept"] >= 9


def test_aluminium_keeps_nearly_all_promises_for_next_to_nothing() -> None:
    """The example of docs/robust.md, with fewer futures."""
    futures = DATA / "aluminium" / "scenarios" / "futures.toml"
    ended = inside(
        "robust", DATA / "aluminium", futures, "--count", 20, "--share", 0.9, "--fresh", 100, "--json"
    )
    assert ended.code == 0
    found = document(ended)
    assert found["plain"]["sample"]["kept"] < 8
    assert found["robust"]["sample"]["kept"] >= 18
    assert found["robust"]["fresh"]["low"] > Decimal("0.4")
    assert Decimal(0) < found["robust"]["objectives"][-1]["cost"] < 100
