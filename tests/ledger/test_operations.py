"""Lots received without a run, carried over, expired, corrected; locks, assertions and rules."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from massbalance.intake.read import read_case
from massbalance.ledger import operations as ops
from massbalance.ledger.approval import Approval
from massbalance.ledger.chain import verify_ledger
from massbalance.ledger.posting import post
from massbalance.ledger.problems import Conflict, LedgerError, Refused
from massbalance.ledger.store import Ledger
from massbalance.records import run_from_ledger
from tests.ledger.tiny import LOTS, read, run_tiny, short, write_tiny

T = 10**6


def rows_of(book: Ledger, journal: int) -> list[str]:
    """The rows of a journal without its header and signature."""
    return [
        short(r) for r in book.rows(journal=journal) if r.n != journal and r.kind not in ("key", "signed")
    ]


def refused(
    kind: type[LedgerError], book: Ledger, operation: object, *arguments: object
) -> list[tuple[str, str]]:
    """Column and code of every fault of an operation that must not be done."""
    head = book.head()
    with pytest.raises(kind) as raised:
        operation(book, *arguments)  # type: ignore[operator]
    assert book.head() == head
    return [(fault.column, fault.code) for fault in raised.value.faults]


# ---- receive ----


def test_lots_without_a_run(ledger: Ledger, tmp_path: Path) -> None:
    """Those of the case's periods; an origin is valued at its best measure; again is nothing."""
    lots = {"LATE": LOTS["NEW"].replace("2026-04-10", "2026-12-01")}
    case = read_case(write_tiny(tmp_path / "case", ("Q1", "Q2"), lots=lots))
    done = ops.receive(ledger, case)
    assert rows_of(ledger, done.journal) == [
        "rules",
        "period Q1 period:Q1",
        "period Q2 period:Q2",
        "lot Q1 NEW lot:NEW",
        "received Q1 lot:NEW source>held 10 NEW",
        "realised Q1 effect:NEW source>held 60",
        "lot Q1 OLD lot:OLD",
        "opening Q1 lot:OLD source>held 5 OLD",
        "realised Q1 effect:OLD source>held 30",
        "lot Q1 WATT-A lot:WATT-A",
        "received Q1 lot:WATT-A source>held 30 WATT-A",
        "realised Q1 effect:origin:WATT source>held 30",
        "lot Q1 WATT-B lot:WATT-B",
        "received Q1 lot:WATT-B source>held 20 WATT-B",
    ]
    assert ops.receive(ledger, case).journal == 0
    assert verify_ledger(ledger) == []


def test_a_run_on_lots_that_wait_in_the_ledger(book: Ledger, tiny_run: Path, tmp_path: Path) -> None:
    """Untouched lots are as the run has them: nothing is received twice."""
    ops.receive(book, read_case(write_tiny(tmp_path / "case")))
    done = post(book, read(tiny_run))
    moved = rows_of(book, done.journal)
    assert not [row for row in moved if row.startswith(("lot", "received", "opening", "realised", "period"))]
    assert "allocated Q1 lot:OLD held>allocated 2 O1" in moved
    assert book.balance("lot:OLD") == 0
    assert verify_ledger(book) == []


def test_lots_with_other_facts(book: Ledger, tmp_path: Path) -> None:
    ops.receive(book, read_case(write_tiny(tmp_path / "case")))
    lots = {
        "NEW": LOTS["NEW"].replace(",4,10,", ",4,9,"),
        "OLD": LOTS["OLD"].replace("2026-06-30", "2026-07-30"),
    }
    other = read_case(write_tiny(tmp_path / "other", lots=lots))
    assert refused(Conflict, book, ops.receive, other) == [
        ("displaced_tco2e_per_uom", "A4.2.1"), ("value per unit", "A4.2.1"), ("expires", "A4.2.1"),
    ]  # fmt: skip


def test_no_lot_into_a_locked_period(book: Ledger, tiny_run: Path, tmp_path: Path) -> None:
    post(book, read(tiny_run))
    ops.lock(book, "Q1")
    lots = {"MORE": LOTS["NEW"]}
    late = read_case(write_tiny(tmp_path / "case", lots=lots))
    assert refused(Conflict, book, ops.receive, late) == [("period", "A5.1.3A")]
    later = read_case(write_tiny(tmp_path / "later", ("Q2",), lots=lots))
    done = ops.receive(book, later)
    assert "opening Q2 lot:MORE source>held 10 MORE" in rows_of(book, done.journal)


def test_origin_in_use(book: Ledger, tiny_run: Path, tmp_path: Path) -> None:
    post(book, read(tiny_run))
    lots = {"WATT-C": LOTS["WATT-B"]}
    case = read_case(write_tiny(tmp_path / "case", ("Q2",), lots=lots))
    assert refused(Conflict, book, ops.receive, case) == [("origin", "A4.2.3")]


# ---- carry over, expire ----


def test_carry_over(book: Ledger, tiny_first: Path) -> None:
    post(book, read(tiny_first))
    assert refused(Refused, book, ops.carry_over, "Q2") == [("period", "A5.1.3A")]
    overlapping = (date(2026, 6, 1), date(2026, 9, 30))
    assert refused(Refused, book, ops.carry_over, "Q2", overlapping) == [("period", "A5.1.3A")]
    days = (date(2026, 7, 1), date(2026, 9, 30))
    done = ops.carry_over(book, "Q2", days)
    assert rows_of(book, done.journal) == [
        "period Q2 period:Q2",
        "carried_over Q2 lot:NEW held>held 10 NEW",
        "carried_over Q2 lot:OLD held>held 3 OLD",
        "carried_over Q2 lot:WATT-A held>held 30 WATT-A",
        "carried_over Q2 lot:WATT-B held>held 20 WATT-B",
    ]
    assert ops.carry_over(book, "Q2").journal == 0
    assert refused(Conflict, book, ops.carry_over, "Q1") == [("period", "A5.1.3A")]
    assert verify_ledger(book) == []


def test_expire(ledger: Ledger, tiny_first: Path) -> None:
    """OLD may serve until the last day of Q1, and after it no more; its effect goes to nobody."""
    post(ledger, read(tiny_first))
    done = ops.expire(ledger, "Q1")
    assert rows_of(ledger, done.journal) == [
        "expired Q1 lot:OLD held>expired 3 OLD",
        "expired Q1 effect:OLD held>expired 18",
    ]
    assert done.details["lots"] == ["OLD"]
    assert ops.expire(ledger, "Q1").journal == 0
    assert verify_ledger(ledger) == []


def test_one_lot_of_an_origin_expires(book: Ledger, tmp_path: Path) -> None:
    """The better measure is over: what is held of the origin is worth what the other says."""
    lots = {"WATT-A": LOTS["WATT-A"].replace("2026-04-20,,30", "2026-04-20,2026-06-30,30"), "OLD": ""}
    orders = {"O1": "K1,X,Q1,1,green_share,0.5,10,"}
    post(book, read(run_tiny(tmp_path, ("Q1",), lots=lots, orders=orders)))
    done = ops.expire(book, "Q1")
    assert rows_of(book, done.journal) == [
        "expired Q1 lot:WATT-A held>expired 30 WATT-A",
        "expired Q1 effect:origin:WATT held>expired 10",
    ]
    assert verify_ledger(book) == []


# ---- lock, assert, adopt ----


def test_lock_takes_earlier_periods_too(ledger: Ledger, tiny_run: Path) -> None:
    post(ledger, read(tiny_run))
    ops.lock(ledger, "Q2", Approval("Ana", "Ben", "closed"))
    assert [(row.period, row.facts()["through"]) for row in ledger.rows(kind="lock")] == [
        ("Q1", "2026-06-30"), ("Q2", "2026-09-30"),
    ]  # fmt: skip
    assert ops.lock(ledger, "Q1").journal == 0
    assert refused(Conflict, ledger, ops.expire, "Q2") == [("period", "A5.1.3A")]
    assert refused(Refused, ledger, ops.lock, "Q9") == [("period", "A5.1.3A")]
    assert verify_ledger(ledger) == []


def test_assertions(ledger: Ledger, tiny_run: Path) -> None:
    post(ledger, read(tiny_run))
    done = ops.assert_balance(ledger, "WATT-A", 25_500_000)
    assert done.rows == 2
    assert refused(Conflict, ledger, ops.assert_balance, "WATT-A", 25_500_001) == [("quantity", "A4.2.1")]
    assert refused(Refused, ledger, ops.assert_balance, "WATT-Z", 1) == [("lot", "A4.2.1")]
    assert verify_ledger(ledger) == []


def test_other_rules_come_into_force_by_adoption(book: Ledger, tiny_first: Path, tmp_path: Path) -> None:
    """A run under other parameters is refused before and posted after; in force already is nothing."""
    post(book, read(tiny_first))
    settings = 'name = "tiny"\n[rules]\nid = "jaa-2026"\nresidual = "baseline"\n'
    case = write_tiny(tmp_path / "case", ("Q2",), settings=settings)
    run_from_ledger(case, tmp_path / "run", book.place)
    run = read(tmp_path / "run")
    assert refused(Conflict, book, post, run) == [("residual", "A6.2")]
    assert ops.adopt(book, run.case.rules, Approval("Ana", note="2027")).rows == 3
    assert ops.adopt(book, run.case.rules).journal == 0
    assert not post(book, run).done_before
    assert next(book.rows(kind="adoption")).facts()["before"]["id"] == "jaa-2026"
    assert verify_ledger(book) == []


# ---- adjust ----


@pytest.mark.parametrize(
    ("quantity", "held", "effect"), [("12.5", 12.5, 75), ("0.000001", 0.000001, 0.000006)]
)
def test_adjust(ledger: Ledger, tiny_first: Path, quantity: str, held: float, effect: float) -> None:
    from massbalance.records import quantity_of

    post(ledger, read(tiny_first))
    ops.adjust(ledger, "NEW", quantity_of(quantity), "Q1", "weighed again")
    assert ledger.balance("lot:NEW") == round(held * T)
    assert ledger.balance("effect:NEW") == round(effect * T)
    assert ops.adjust(ledger, "NEW", quantity_of(quantity), "Q1", "weighed again").journal == 0
    ops.adjust(ledger, "NEW", 10 * T, "Q1", "the first was right")
    assert (ledger.balance("lot:NEW"), ledger.balance("effect:NEW")) == (10 * T, 60 * T)
    assert verify_ledger(ledger) == []


def test_adjust_below_what_was_used(book: Ledger, tiny_run: Path) -> None:
    """The orders that used it are named."""
    post(book, read(tiny_run))
    with pytest.raises(Conflict) as stopped:
        ops.adjust(book, "OLD", 1 * T, "Q2", "weighed again")
    assert [(f.table, f.column, f.value) for f in stopped.value.faults] == [
        ("ledger", "quantity", "1"), ("orders", "order", "O1"),
    ]  # fmt: skip
    assert refused(Conflict, book, ops.adjust, "WATT-A", 40 * T, "Q2", "again") == [("lot", "A4.2.3")]
    assert refused(Refused, book, ops.adjust, "NEW", -1, "Q2", "again") == [("quantity", "A4.2.1")]


def test_adjust_an_untouched_origin(book: Ledger, tiny_first: Path) -> None:
    """Its value follows the better measure."""
    post(book, read(tiny_first))
    ops.adjust(book, "WATT-B", 35 * T, "Q1", "measured again")
    assert book.balance("effect:origin:WATT") == 35 * T
    ops.adjust(book, "WATT-B", 10 * T, "Q1", "measured again")
    assert book.balance("effect:origin:WATT") == 30 * T
    assert verify_ledger(book) == []
