"""`massbalance quote` from end to end: answers, exit codes, JSON, and the ledger's balances."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import DATA, Ended, inside, massbalance
from tests.golden.test_quote_examples import two_buyers

TERMS = ("--product", "bar", "--period", "Q1", "--claim", "green_share", "--level", "1", "--mass")
KEYS = {
    "feasible_t", "floor_premium_per_t", "displaced", "binding", "alternatives", "seconds", "price_per_t",
    "accept", "gain", "lots", "notes", "opening", "case_sha256",
}  # fmt: skip


@pytest.fixture
def case(tmp_path: Path) -> Path:
    return two_buyers().write(tmp_path / "case")


def document(ended: Ended) -> dict[str, Any]:
    return json.loads(ended.out, parse_float=Decimal)


def test_json_is_one_document_and_nothing_else(case: Path) -> None:
    ended = massbalance("quote", case, *TERMS, 5, "--premium", "5.5", "--curve", "--json")
    assert (ended.code, ended.err) == (0, "")
    found = document(ended)
    assert set(found) >= KEYS
    assert (found["feasible_t"], found["floor_premium_per_t"], found["accept"]) == (5, 5, True)
    assert found["gain"] == Decimal("2.5")
    assert found["displaced"] == [{"order": "cheap", "t": 4}, {"order": "dear", "t": 1}]
    assert [point["mass_t"] for point in found["curve"]] == [0, 4, 5]


def test_same_words_every_time(case: Path) -> None:
    first, second = (inside("quote", case, *TERMS, 5) for _ in range(2))
    assert (first.code, first.out) == (0, second.out)
    assert "floor premium  5.00 USD per t" in first.out


def test_exit_4_only_where_the_quote_must_be_taken(case: Path) -> None:
    assert inside("quote", case, *TERMS, 50).code == 0
    ended = inside("quote", case, *TERMS, 50, "--must", "--json")
    assert ended.code == 4
    assert document(ended)["floor_premium_per_t"] is None
    assert inside("quote", case, *TERMS, 5, "--must").code == 0


def test_exit_3_tells_every_fault(case: Path) -> None:
    arguments = ("--product", "x", "--period", "y", "--claim", "z", "--level", "?", "--mass", "0")
    ended = inside("quote", case, *arguments, "--json")
    assert ended.code == 3
    assert [f["column"] for f in document(ended)["faults"]] == ["claim", "level", "mass", "period", "product"]


def test_exit_2_and_a_broken_case(case: Path, tmp_path: Path) -> None:
    assert inside("quote", tmp_path / "nowhere", *TERMS, 1).code == 2
    assert inside("quote", case, "--product", "bar").code == 2
    (case / "lots.csv").write_text("lot\n", encoding="utf-8")
    assert inside("quote", case, *TERMS, 1).code == 3


def test_quote_on_what_the_ledger_holds(tmp_path: Path) -> None:
    """Of a lot of 20 t the posted run took 14: 6 t are left for a new order, whatever the case says."""
    ledger, lots = tmp_path / "ledger.db", {"L": {"quantity": 20}}
    case = two_buyers().but(lots=lots).write(tmp_path / "case")
    assert inside("quote", case, *TERMS, 1, "--ledger", ledger).code == 2
    assert massbalance("run", case, "--out", tmp_path / "run").code == 0
    assert massbalance("post", tmp_path / "run", "--ledger", ledger).code == 0
    later = two_buyers().but(orders={"dear": None, "cheap": None}, lots=lots).write(tmp_path / "later")
    free = document(inside("quote", later, *TERMS, 7, "--json"))
    held = document(inside("quote", later, *TERMS, 7, "--ledger", ledger, "--json"))
    assert (free["feasible_t"], free["opening"]) == (7, None)
    assert (held["feasible_t"], set(held["opening"])) == (6, {"ledger", "n", "hash"})


def test_help_and_a_quote_on_the_example() -> None:
    assert "--product" in massbalance("quote", "--help").out
    terms = ("--product", "PL-5052", "--period", "2026-08", "--mass", "50", "--claim", "cfp", "--level", "11")
    found = document(massbalance("quote", DATA / "aluminium", *terms, "--json"))
    assert found["how"] == "decided"
    assert found["relaxation"]["how"] == "linear"
