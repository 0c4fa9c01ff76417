"""`reserve`, `reservations`, `release` and `quote --reservations`, end to end, also by processes at once."""

from __future__ import annotations

import csv
import json
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import COMMAND, Ended, inside, massbalance
from tests.golden.test_quote_examples import two_buyers
from tests.golden.test_reservations import ten_tonnes

TERMS = ("--product", "bar", "--period", "Q1", "--claim", "green_share", "--level", "1")
MAY = ("--as-of", "2026-05-01")


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """4 t are free."""
    return ten_tonnes().write(tmp_path / "case")


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return tmp_path / "book.csv"


def arguments(case: Path, book: Path, mass: object, customer: str = "A") -> tuple[object, ...]:
    held = ("--customer", customer, "--until", "2026-05-31", "--reservations", book)
    return ("reserve", case, *TERMS, "--mass", mass, *held, *MAY)


def document(ended: Ended) -> dict[str, Any]:
    return json.loads(ended.out, parse_float=Decimal)


def test_reserved_counted_listed_released(case: Path, book: Path) -> None:
    ended = massbalance(*arguments(case, book, 3), "--premium", "2.5")
    assert (ended.code, ended.err) == (0, "")
    assert "reserved as R-0001: 3 t for A, from 2026-05-01 until 2026-05-31" in ended.out
    quoted = ("quote", case, *TERMS, "--mass", 4, "--reservations", book, "--json")
    found = document(inside(*quoted, *MAY))
    assert (found["feasible_t"], found["reservations"]["held_t"]) == (1, 3)
    assert document(inside(*quoted, "--as-of", "2026-06-01"))["feasible_t"] == 4
    assert document(inside("quote", case, *TERMS, "--mass", 4, "--json"))["reservations"] is None
    listed = document(inside("reservations", book, *MAY, "--json"))
    assert [(r["reservation"], r["status"]) for r in listed["reservations"]] == [("R-0001", "in_force")]
    assert "3.000 t in force" in inside("reservations", book, *MAY).out
    ended = inside("release", book, "R-0001", *MAY)
    assert (ended.code, ended.out) == (0, "R-0001 for A is released from 2026-05-01 on\n")
    assert document(inside(*quoted, *MAY))["feasible_t"] == 4
    assert inside("release", book, "R-0001", *MAY).code == 3
    ended = inside("release", book, "R-001", *MAY, "--json")
    assert (ended.code, document(ended)["faults"][0]["code"]) == (3, "unknown_reference")


def test_exit_4_and_nothing_written_where_not_all_is_feasible(case: Path, book: Path) -> None:
    ended = inside(*arguments(case, book, 5), "--json")
    assert (ended.code, document(ended)["reservation"]) == (4, None)
    assert not book.exists()
    ended = inside(*arguments(case, book, 5), "--part", "--json")
    assert (ended.code, document(ended)["reservation"]["mass_t"]) == (0, "4")
    before = book.read_bytes()
    assert inside(*arguments(case, book, 1), "--part").code == 4
    assert book.read_bytes() == before


def test_exit_3_tells_every_fault_and_exit_2_what_is_not_there(case: Path, book: Path) -> None:
    wrong = ("reserve", case, *TERMS[:-1], "7", "--mass", "0", "--customer", " ", "--until", "2026-02-30")
    ended = inside(*wrong, "--reservations", book, "--json")
    assert ended.code == 3
    assert [f["column"] for f in document(ended)["faults"]] == ["level", "mass", "customer", "until"]
    assert inside("quote", case, *TERMS, "--mass", 1, "--reservations", book).code == 2
    assert inside("reservations", book).code == 2
    assert inside(*arguments(case, book.parent / "nowhere" / "b.csv", 1)).code == 2
    book.write_text("reservation\nR-1\n", encoding="utf-8")
    for command in (arguments(case, book, 1), ("reservations", book), ("release", book, "R-1")):
        assert inside(*command).code == 3
    assert book.read_text(encoding="utf-8") == "reservation\nR-1\n"
    book.write_text("another,file\n1,2\n", encoding="utf-8")
    assert inside("quote", case, *TERMS, "--mass", 1, "--reservations", book).code == 3
    assert inside("reservations", book).code == 3


def test_the_book_is_kept_in_time_order(case: Path, book: Path) -> None:
    assert inside(*arguments(case, book, 1)).code == 0
    ended = inside(*arguments(case, book, 1)[:-1], "2026-04-30")
    assert (ended.code, "as_of" in ended.err) == (3, True)


def test_of_processes_at_once_only_as_many_reserve_as_there_are_credits(case: Path, book: Path) -> None:
    """Five want 2 t each of the last 4 t."""
    running = [
        subprocess.Popen(
            [*COMMAND, *map(str, arguments(case, book, 2, customer))],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for customer in "ABCDE"
    ]  # fmt: skip
    ended = [(process.communicate(timeout=180), process.returncode) for process in running]
    assert sorted(code for _, code in ended) == [0, 0, 4, 4, 4], ended
    with book.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["reservation"] for row in rows] == ["R-0001", "R-0002"]
    won = {name for name, (_, code) in zip("ABCDE", ended, strict=True) if code == 0}
    assert {row["customer"] for row in rows} == won


def test_a_reservation_becomes_an_order_that_the_run_keeps(tmp_path: Path, book: Path) -> None:
    """Printed as a firm row of `orders`; with it in the case, nothing is counted twice."""
    case = two_buyers().write(tmp_path / "case")
    assert inside(*arguments(case, book, 3)).code == 0
    assert (
        inside("reservations", book, "--as-orders", *MAY).out.splitlines()[1].startswith("R-0001,A,bar,Q1,3,")
    )
    ended = inside("release", book, "R-0001", "--to-order", "N-1", *MAY)
    header, row = ended.out.splitlines()
    given = dict(zip(header.split(","), row.split(","), strict=True))
    orders = case / "orders.csv"
    with orders.open(encoding="utf-8", newline="") as file:
        there = list(csv.DictReader(file))
    columns = list(dict.fromkeys([*there[0], *given]))
    with orders.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows([*there, given])
    assert document(inside("reservations", book, *MAY, "--json"))["reservations"][0]["status"] == "ordered"
    quoted = ("quote", case, *TERMS, "--mass", 9, "--reservations", book, "--json", *MAY)
    assert document(inside(*quoted))["feasible_t"] == 7
    out = tmp_path / "run"
    assert inside("run", case, "--out", out).code == 0
    with (out / "orders.csv").open(encoding="utf-8", newline="") as file:
        assert {r["order"]: r["claimed_t"] for r in csv.DictReader(file)}["N-1"] == "3"


def test_reservations_on_what_the_ledger_holds(tmp_path: Path, book: Path) -> None:
    """Of a lot of 20 t the posted run took 14: of the 6 t left 5 are reserved."""
    ledger, lots = tmp_path / "ledger.db", {"L": {"quantity": 20}}
    case = two_buyers().but(lots=lots).write(tmp_path / "case")
    assert inside("run", case, "--out", tmp_path / "run").code == 0
    assert inside("post", tmp_path / "run", "--ledger", ledger).code == 0
    later = two_buyers().but(orders={"dear": None, "cheap": None}, lots=lots).write(tmp_path / "later")
    assert inside(*arguments(later, book, 7), "--ledger", ledger).code == 4
    assert inside(*arguments(later, book, 5), "--ledger", ledger).code == 0
    quoted = ("quote", later, *TERMS, "--mass", 7, "--reservations", book, *MAY, "--json")
    assert document(inside(*quoted, "--ledger", ledger))["feasible_t"] == 1
