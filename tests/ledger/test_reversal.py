"""Claims withdrawn by new entries: credits and effects return, siblings are freed, emissions balance."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from massbalance.ledger import operations as ops
from massbalance.ledger.chain import verify_ledger
from massbalance.ledger.posting import post
from massbalance.ledger.problems import Conflict, Refused
from massbalance.ledger.reversal import reverse
from massbalance.ledger.run_folder import key_of
from massbalance.ledger.store import Ledger
from massbalance.records import run_from_ledger
from tests.ledger.test_operations import refused, rows_of
from tests.ledger.tiny import LOTS, read, run_tiny, write_tiny

T = 10**6


def test_one_order(ledger: Ledger, tiny_first: Path) -> None:
    """OLD gets back 2 t with the 8 t CO2e that O1 got and the 4 t that it forwent: 6 a tonne again."""
    post(ledger, read(tiny_first))
    key = key_of(tiny_first)
    done = reverse(ledger, key, ["O1"], "Q1", "delivered without claim")
    assert rows_of(ledger, done.journal) == [
        "returned Q1 lot:OLD allocated>held 2 O1",
        "returned Q1 effect:OLD allocated>held 8",
        "returned Q1 effect:OLD forgone>held 4",
        "withdrawn Q1 O1 withdrawn:O1:1",
        *rows_of(ledger, done.journal)[4:],
    ]
    assert (ledger.balance("lot:OLD"), ledger.balance("effect:OLD")) == (5 * T, 30 * T)
    assert reverse(ledger, key[:8], ["O1"], "Q1", "again").journal == 0
    assert verify_ledger(ledger) == []


def test_late_correction_after_six_months(ledger: Ledger, tiny_run: Path) -> None:
    """H1 is locked; in Q3 O1 falls away: OLD is over by then, its effect expires, and X declares 8 t more."""
    post(ledger, read(tiny_run))
    ops.lock(ledger, "Q2")
    ops.carry_over(ledger, "Q3", (date(2026, 10, 1), date(2026, 12, 31)))
    assert refused(Conflict, ledger, reverse, key_of(tiny_run), ["O1"], "Q2", "late") == [
        ("period", "A5.1.3A")
    ]
    done = reverse(ledger, key_of(tiny_run), ["O1"], "Q3", "the customer returned it")
    assert rows_of(ledger, done.journal) == [
        "returned Q3 lot:OLD allocated>expired 2 O1",
        "returned Q3 effect:OLD allocated>expired 8",
        "withdrawn Q3 O1 withdrawn:O1:1",
        "correction Q3 X",
    ]
    correction = next(ledger.rows(kind="correction")).facts()
    assert (correction["of_period"], correction["mass_g"], correction["declared_gco2e"]) == (
        "Q1",
        2 * T,
        8 * T,
    )
    assert verify_ledger(ledger) == [], "declared - held - retired = baseline - realised"


def test_siblings_are_freed_and_the_rest_retired_returns(ledger: Ledger, tiny_run: Path) -> None:
    """O2 used 0.15 of WATT-B: 4.5 of WATT-A are unblocked; 3 allocated and 1.5 retired are held again."""
    post(ledger, read(tiny_run))
    done = reverse(ledger, str(next(ledger.rows(kind="post")).n), ["O2"], "Q2", "order cancelled")
    assert rows_of(ledger, done.journal)[:5] == [
        "returned Q2 lot:WATT-B allocated>held 3 O2",
        "unblocked Q2 lot:WATT-A blocked>held 4.5 WATT-A",
        "returned Q2 effect:origin:WATT allocated>held 3",
        "returned Q2 effect:origin:WATT retired>held 1.5",
        "withdrawn Q2 O2 withdrawn:O2:1",
    ]
    assert ledger.balance("effect:origin:WATT") == 30 * T
    assert next(ledger.rows(kind="correction")).facts()["declared_gco2e"] == 3 * T
    assert verify_ledger(ledger) == []


def test_returned_credits_are_used_again(book: Ledger, tmp_path: Path) -> None:
    """NEW serves O1 in Q1, returns in Q2 and serves another order there, from the ledger's balance."""
    lots = {"OLD": "", "WATT-A": "", "WATT-B": ""}
    first = run_tiny(tmp_path / "first", ("Q1",), lots=lots, orders={"O1": "K1,X,Q1,8,reduction,4,10,"})
    post(book, read(first))
    assert book.balance("lot:NEW") == 2 * T
    ops.lock(book, "Q1")
    ops.carry_over(book, "Q2", (date(2026, 7, 1), date(2026, 9, 30)))
    reverse(book, key_of(first), ["O1"], "Q2", "returned")
    orders = {"O2": "K2,X,Q2,9,reduction,4,10,"}
    run_from_ledger(
        write_tiny(tmp_path / "case", ("Q2",), lots=lots, orders=orders), tmp_path / "run", book.place
    )
    post(book, read(tmp_path / "run"))
    assert book.balance("lot:NEW") == 1 * T
    correction = next(book.rows(kind="correction")).facts()
    assert (correction["returned_g"], correction["clawed_back_g"]) == (32 * T, 16 * T)
    assert verify_ledger(book) == []


def test_whole_run_in_open_periods_can_be_posted_corrected(
    book: Ledger, tiny_first: Path, tmp_path: Path
) -> None:
    """It takes its residual with it: nothing stays declared, and the same order may be claimed again."""
    post(book, read(tiny_first))
    done = reverse(book, key_of(tiny_first), [], "Q1", "wrong case")
    assert done.details["whole"] is True
    assert not list(book.rows(kind="correction"))
    orders = {"O1": "K1,X,Q1,3,reduction,4,10,"}
    case = write_tiny(tmp_path / "case", ("Q1",), orders=orders)
    run_from_ledger(case, tmp_path / "run", book.place)
    post(book, read(tmp_path / "run"))
    assert book.find("claim:O1:2") is not None
    assert book.find("residual:X:Q1:2") is not None
    assert book.balance("lot:OLD") == 2 * T
    assert verify_ledger(book) == []
    reverse(book, key_of(tmp_path / "run"), ["O1"], "Q1", "again")
    assert book.find("withdrawn:O1:2") is not None
    assert verify_ledger(book) == []


@pytest.mark.parametrize("locked", [False, True])
def test_whole_run_of_two_periods(book: Ledger, tiny_run: Path, tmp_path: Path, locked: bool) -> None:
    """Q1 keeps its residual and a correction; Q2 may be run again from what the ledger holds."""
    post(book, read(tiny_run))
    if locked:
        ops.lock(book, "Q1")
    done = reverse(book, key_of(tiny_run), [], "Q2", "wrong case")
    assert done.details["restated"] == "Q2"
    assert done.details["retired_g"] == 18 * T, "what was released of OLD in Q2"
    assert [(row.subject, row.facts()["of_period"]) for row in book.rows(kind="correction")] == [("X", "Q1")]
    assert verify_ledger(book) == []
    run_from_ledger(write_tiny(tmp_path / "case", ("Q2",)), tmp_path / "run", book.place)
    post(book, read(tmp_path / "run"))
    assert book.find("residual:X:Q2:2") is not None
    assert verify_ledger(book) == []


def test_whole_run_in_a_later_period_leaves_corrections(book: Ledger, tiny_run: Path) -> None:
    """Every residual stands; also a claim that needed no credit is named."""
    post(book, read(tiny_run))
    ops.carry_over(book, "Q3", (date(2026, 10, 1), date(2026, 12, 31)))
    done = reverse(book, key_of(tiny_run), [], "Q3", "wrong case")
    assert (done.details["whole"], done.details["retired_g"]) == (False, 0)
    found = [(row.facts()["of_period"], row.facts()["orders"]) for row in book.rows(kind="correction")]
    assert found == [("Q1", ["O1"]), ("Q2", ["O2"])]
    assert verify_ledger(book) == []


def test_a_reversed_run_is_not_taken_for_posted(book: Ledger, tiny_run: Path, tiny_first: Path) -> None:
    """Some claims withdrawn: posted before; all of it: run it again."""
    post(book, read(tiny_run))
    reverse(book, key_of(tiny_run), ["O1"], "Q2", "returned")
    again = post(book, read(tiny_run))
    assert (again.done_before, again.withdrawn) == (True, 1)
    reverse(book, key_of(tiny_run), [], "Q2", "wrong")
    assert refused(Conflict, book, post, read(tiny_run)) == [("run", "A4.2.1")]


def test_a_claim_without_credits_is_withdrawn_too(book: Ledger, tmp_path: Path) -> None:
    run = run_tiny(tmp_path, ("Q1",), orders={"O9": "K9,X,Q1,1,cfp,10,10,"})
    post(book, read(run))
    reverse(book, key_of(run), ["O9"], "Q1", "returned")
    correction = next(book.rows(kind="correction")).facts()
    assert (correction["orders"], correction["declared_gco2e"]) == (["O9"], 0)
    assert verify_ledger(book) == []


def test_an_adjusted_lot_returns_to_its_value(book: Ledger, tmp_path: Path) -> None:
    """Fractions of a gram: what is held is worth its floor after every step."""
    lots = {"OLD": "", "NEW": "material,green,works,2026-04-10,,10.000003,t,4,4.3333337,1,,,,"}
    first = run_tiny(tmp_path, ("Q1",), lots=lots, orders={"O1": "K1,X,Q1,1.234567,reduction,0.1,10,"})
    post(book, read(first))
    ops.adjust(book, "NEW", 10_000_001, "Q1", "weighed again")
    reverse(book, key_of(first), ["O1"], "Q1", "returned")
    assert verify_ledger(book) == []


def test_unknown_runs_orders_and_periods(book: Ledger, tiny_run: Path) -> None:
    post(book, read(tiny_run))
    key = key_of(tiny_run)
    assert refused(Refused, book, reverse, "99", [], "Q2", "x") == [("run", "A4.2.1")]
    assert refused(Refused, book, reverse, key, ["O1", "O7", "O8"], "Q2", "x") == [("order", "A4.2.1")] * 2
    assert refused(Refused, book, reverse, key, ["O1"], "Q7", "x") == [("period", "A5.1.3A")]
    late = refused(Conflict, book, reverse, key, ["O2"], "Q1", "x")
    assert late == [("period", "A5.1.3A")] * 2, "both lots of the origin stand in Q2"


@pytest.mark.parametrize("subject", ["O1", "X"])
def test_certificates_fall_with_what_they_are_about(book: Ledger, tiny_first: Path, subject: str) -> None:
    """Of the claim, and (with the whole run) of the residual."""
    post(book, read(tiny_first))
    basis = next(book.rows(subject=subject, kind="claim" if subject == "O1" else "residual"))
    with book.writing() as writer:
        writer.journal("certificate")
        facts = {"serial": "MB-1", "basis": basis.n, "kind": "certificate"}
        writer.state("certified", subject=subject, key="certificate:MB-1", details=facts)
    reverse(book, key_of(tiny_first), ["O1"] if subject == "O1" else [], "Q1", "wrong")
    cancelled = book.find("cancelled:MB-1")
    assert cancelled is not None
    assert cancelled.facts() == {"serial": "MB-1", "reason": "wrong", "replaced_by": ""}
    assert verify_ledger(book) == []


def test_lots_of_the_tiny_case_are_as_told() -> None:
    """What the figures above rest on."""
    assert LOTS["OLD"].split(",")[4:8] == ["2026-06-30", "5", "t", "4"]
