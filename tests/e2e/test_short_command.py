"""`massbalance short`, and conflicts in `massbalance quote`: text, JSON, exit codes, and the page."""

from __future__ import annotations

import json
import re
import shlex
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.conflict.test_conflict_examples import ranked
from tests.e2e.command import DATA, ROOT, Ended, inside, massbalance

PAGE = ROOT / "docs" / "short.md"
TERMS = ("--product", "bar", "--period", "Q1", "--claim", "green_share", "--level", "1", "--mass")


@pytest.fixture
def case(tmp_path: Path) -> Path:
    return ranked().write(tmp_path / "case")


def document(ended: Ended) -> dict[str, Any]:
    return json.loads(ended.out, parse_float=Decimal)


def test_json_is_one_document_and_nothing_else(case: Path) -> None:
    ended = massbalance("short", case, "--json")
    assert (ended.code, ended.err) == (0, "")
    found = document(ended)
    (order,) = found["orders"]
    assert (found["short"], order["order"], order["short_t"]) == (1, "second", 8)
    assert {one["kind"] for one in order["conflict"]} == {"level", "credits", "promised"}
    (part,) = next(r for r in order["relaxations"] if r["kind"] == "more_credit")["parts"]
    assert (part["amount"], part["unit"]) == (8, "t")
    assert part["changes"] == [
        {"table": "lots", "key": ["L"], "column": "quantity", "from": "12", "to": "20", "unit": "t"}
    ]


def test_one_order_or_all_of_them_or_none(case: Path) -> None:
    assert "1 firm order(s) short" in inside("short", case).out
    assert "second (buyer), firm, priority 2" in inside("short", case, "second").out
    assert "first gets all of its mass" in inside("short", case, "first").out
    whole = inside("short", case, "loose", "--json")
    assert document(whole)["orders"][0]["priority"] is None


def test_no_firm_order_short(tmp_path: Path) -> None:
    full = ranked().but(lots={"L": {"quantity": 99}}).write(tmp_path / "full")
    assert inside("short", full).out == "tiny: no firm order falls short\n"


def test_exit_codes(case: Path, tmp_path: Path) -> None:
    ended = inside("short", case, "secnd", "--json")
    assert ended.code == 3
    (fault,) = document(ended)["faults"]
    assert "did you mean 'second'" in fault["expected"]
    assert inside("short", tmp_path / "nowhere").code == 2
    assert inside("short").code == 2


def test_others_are_named_beyond_the_most(tmp_path: Path) -> None:
    case = ranked().but(orders={"third": {"mass_t": 1, "firm": "true", "priority": 3}})
    found = document(inside("short", case.write(tmp_path / "case"), "--most", 1, "--json"))
    assert ([one["order"] for one in found["orders"]], found["not_explained"]) == (["second"], ["third"])


def test_quote_tells_what_clashes_and_what_would_mend_it(case: Path, tmp_path: Path) -> None:
    ended = inside("quote", case, *TERMS, 4)
    assert "limits that clash" in ended.out
    found = document(inside("quote", case, *TERMS, 4, "--json"))
    assert {one["kind"] for one in found["conflict"]} == {"level", "credits", "promised"}
    assert found["conflict_smallest"] is True
    assert all(one["words"] in ended.out for one in found["relaxations"])
    fits = document(
        inside("quote", ranked().but(lots={"L": {"quantity": 99}}).write(case / "x"), *TERMS, 4, "--json")
    )
    assert (fits["conflict"], fits["relaxations"]) == ([], [])


def blocks() -> list[tuple[str, str]]:
    """Commands of the page, and what it shows of each."""
    page = PAGE.read_text(encoding="utf-8")
    commands = [line.strip() for line in page.splitlines() if line.startswith("    massbalance ")]
    return list(zip(commands, re.findall(r"\n```\n(.*?)```", page, re.DOTALL), strict=True))


@pytest.mark.parametrize(("command", "shown"), blocks())
def test_the_page_shows_what_the_commands_print(
    command: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    ended = inside(*shlex.split(command)[1:])
    assert ended.code == 0
    assert shown in ended.out


def test_its_python_runs() -> None:
    page = PAGE.read_text(encoding="utf-8")
    shown = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert shown is not None
    found: dict[str, Any] = {}
    exec(shown[1].replace("data/tutorial", (DATA / "tutorial").as_posix()), found)
    assert [one.kind for one in found["quote"].conflict] == ["level", "credits"]


def test_every_option_is_on_the_page() -> None:
    told = set(re.findall(r"--[a-z-]+", inside("short", "--help").out)) - {"--help"}
    assert told <= set(re.findall(r"--[a-z-]+", PAGE.read_text(encoding="utf-8")))
