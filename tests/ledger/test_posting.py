"""Posting a run: every row of a case done by hand, the account to the last unit, once, and only if fresh."""

from __future__ import annotations

import dataclasses
import json
import shutil
from fractions import Fraction
from pathlib import Path

import pytest

from massbalance.domain.faults import Fault
from massbalance.ledger import operations
from massbalance.ledger.approval import Approval
from massbalance.ledger.chain import verify_ledger
from massbalance.ledger.posting import post
from massbalance.ledger.problems import Conflict, Refused, Unverified
from massbalance.ledger.run_folder import key_of, manifest_bytes, read_run
from massbalance.ledger.store import Ledger
from massbalance.records import post_run, run_from_ledger
from tests.ledger.tiny import (
    LOTS,
    account,
    account_file,
    read,
    run_tiny,
    short,
    write_tiny,
)

DATA = Path(__file__).resolve().parents[2] / "data"


def test_every_row_of_the_tiny_case(ledger: Ledger, tiny_run: Path) -> None:
    """On both databases; figures as in tiny's docstring."""
    done = post(ledger, read(tiny_run), Approval("Ana", "Ben", "first half"))
    rows = [short(row) for row in ledger.rows(journal=done.journal)]
    key = key_of(tiny_run)
    assert rows == [
        f"post run:{key}",
        "rules",
        "period Q1 period:Q1",
        "period Q2 period:Q2",
        "lot Q1 NEW lot:NEW",
        "received Q1 lot:NEW source>held 10 NEW",
        "lot Q1 OLD lot:OLD",
        "opening Q1 lot:OLD source>held 5 OLD",
        "lot Q1 WATT-A lot:WATT-A",
        "received Q1 lot:WATT-A source>held 30 WATT-A",
        "lot Q1 WATT-B lot:WATT-B",
        "received Q1 lot:WATT-B source>held 20 WATT-B",
        "realised Q1 effect:NEW source>held 60",
        "realised Q1 effect:OLD source>held 30",
        "realised Q1 effect:origin:WATT source>held 30",
        "allocated Q1 lot:OLD held>allocated 2 O1",
        "allocated Q1 effect:OLD held>allocated 8",
        "forgone Q1 effect:OLD held>forgone 4",
        "carried_over Q2 lot:NEW held>held 10 NEW",
        "carried_over Q2 lot:OLD held>held 3 OLD",
        "carried_over Q2 lot:WATT-A held>held 30 WATT-A",
        "carried_over Q2 lot:WATT-B held>held 20 WATT-B",
        "allocated Q2 lot:WATT-B held>allocated 3 O2",
        "blocked Q2 lot:WATT-A held>blocked 4.5 WATT-A",
        "allocated Q2 effect:origin:WATT held>allocated 3",
        "expired Q2 lot:OLD held>expired 3 OLD",
        "expired Q2 effect:OLD held>expired 18",
        "retired Q2 effect:origin:WATT held>retired 1.5",
        "claim Q1 O1 claim:O1:1",
        "claim Q2 O2 claim:O2:1",
        "residual Q1 X residual:X:Q1:1",
        "residual Q2 X residual:X:Q2:1",
        *rows[-2:],
    ]
    assert rows[-2].startswith("key key:")
    assert rows[-1] == f"signed checkpoint:{done.journal + len(rows) - 2}"
    header = next(ledger.rows(kind="post")).facts()
    assert (header["proposer"], header["approver"], header["note"]) == ("Ana", "Ben", "first half")
    assert header["tco2e_g"]["forgone"] == 4 * 10**6
    assert verify_ledger(ledger) == []


def test_facts_of_claims_residuals_and_lots(book: Ledger, tiny_run: Path) -> None:
    post(book, read(tiny_run))
    claim = book.find("claim:O1:1")
    assert claim is not None
    facts = claim.facts()
    terms = {"customer": "K1", "product": "X", "claim": "reduction", "level": "4"}
    assert facts.items() >= {**terms, "cfp_before": "10", "cfp_after": "6"}.items()
    assert (facts["claimed_g"], facts["credited_g"], facts["scope3_g"]) == (2 * 10**6, 2 * 10**6, 8 * 10**6)
    residual = book.find("residual:X:Q2:1")
    assert residual is not None
    assert residual.facts()["released_g"] == [0, 0, 18 * 10**6]
    assert residual.facts()["produced_t"] == "10"
    lot = book.find("lot:OLD")
    assert lot is not None
    assert lot.facts()["unit_value"] == "6"
    assert lot.facts()["row"]["expires"] == "2026-06-30"
    assert lot.facts()["quantity"] == 5 * 10**6


def test_everything_of_the_run_is_archived(book: Ledger, tiny_run: Path) -> None:
    post(book, read(tiny_run))
    files = next(book.rows(kind="post")).facts()["files"]
    there = {p.relative_to(tiny_run).as_posix() for p in tiny_run.rglob("*") if p.is_file()}
    assert set(files) == there
    for name, sha256 in files.items():
        assert book.document(sha256) == (tiny_run / name).read_bytes()


@pytest.mark.parametrize("name", ["aluminium", "steel"])
def test_movements_are_the_account(name: str, tmp_path: Path) -> None:
    """Opening, received, allocated, blocked, expired of every lot and period; emissions of the summary."""
    from massbalance.api import run_case

    run = run_case(DATA / name, tmp_path / "run").out
    with Ledger.open(tmp_path / "book.db") as book:
        post(book, read(run))
        assert_is_the_run(book, run)


def assert_is_the_run(book: Ledger, run: Path) -> None:
    """A new ledger with one run holds exactly its account and its emissions."""
    posted = account(book.rows())
    for at, amounts in account_file(run).items():
        here = dict(posted.get(at, {}))
        opening = here.pop("opening", 0) + here.pop("carried_over", 0)
        assert {**({"opening": opening} if opening else {}), **here} == amounts, at
    told = json.loads((run / "summary.json").read_text(encoding="utf-8"), parse_float=Fraction)["tco2e"]
    sums = dict.fromkeys(("realised", "allocated", "forgone", "expired"), 0)
    for row in book.rows(kinds=sums):
        if row.commodity.startswith("effect:"):
            sums[row.kind] += row.quantity
    assert {name: Fraction(grams, 10**6) for name, grams in sums.items()} == {
        name: told[name] for name in sums
    }
    assert Fraction(sum(book.balances("effect:").values()), 10**6) == told["held"]
    assert verify_ledger(book) == []


def test_posting_twice_changes_nothing(book: Ledger, tiny_run: Path, tmp_path: Path) -> None:
    first = post(book, read(tiny_run))
    head = book.head()
    copy = tmp_path / "copy"
    shutil.copytree(tiny_run, copy)
    again = post(book, read(copy), Approval("somebody", "else"))
    assert again.done_before
    assert not first.done_before
    assert (again.journal, again.key, again.checkpoint) == (first.journal, first.key, first.checkpoint)
    assert book.head() == head


def test_the_key_is_of_the_decision(tiny_run: Path, tmp_path: Path) -> None:
    """Summary and workbook hold timings: another run of the case decides the same and has the same key."""
    again = run_tiny(tmp_path)
    assert (again / "summary.json").read_bytes() != (tiny_run / "summary.json").read_bytes()
    assert key_of(again) == key_of(tiny_run)
    other = run_tiny(tmp_path / "other", mass="11")
    assert key_of(other) != key_of(tiny_run)


# ---- stale ----


def refusal(book: Ledger, run: Path) -> list[Fault]:
    """Why a run is not posted; nothing is written."""
    head = book.head()
    with pytest.raises(Conflict) as refused:
        post(book, read(run))
    assert book.head() == head
    assert refused.value.exit_code == 7
    return refused.value.faults


def told(faults: list[Fault]) -> set[tuple[str, str, str]]:
    return {(f.table, f.column, f.code) for f in faults}


@pytest.fixture
def posted(book: Ledger, tmp_path: Path) -> Ledger:
    """A ledger with Q1 posted."""
    post(book, read(run_tiny(tmp_path / "q1", ("Q1",))))
    return book


def test_balances_other_than_the_ledgers(posted: Ledger, tmp_path: Path) -> None:
    """A run of Q2 that knows nothing of Q1: OLD has 3 t left, not 5."""
    faults = refusal(posted, run_tiny(tmp_path / "q2", ("Q2",)))
    assert told(faults) == {("lots", "quantity", "J5.3.1")}
    assert faults[0].row == 3
    assert faults[0].value == "5"
    assert faults[0].expected.startswith("3, ")


def test_facts_other_than_the_ledgers(posted: Ledger, tmp_path: Path) -> None:
    lots = {"NEW": LOTS["NEW"].replace("2026-04-10,,10,t,4,10", "2026-04-10,,10,t,3.5,10"), "OLD": ""}
    faults = refusal(posted, run_tiny(tmp_path / "q2", ("Q2",), lots=lots))
    columns = {f.column: f for f in faults}
    assert columns["intensity_tco2e_per_uom"].value == "3.5"
    assert columns["value per unit"].expected.startswith("6, ")
    assert columns["lot"].code == "A4.2.1", "OLD holds something, and is left out"


def test_other_rules_and_parameters(posted: Ledger, tmp_path: Path) -> None:
    settings = 'name = "tiny"\ncurrency = "JPY"\n[rules]\nid = "jaa-2026"\nresidual = "baseline"\n'
    faults = refusal(posted, run_tiny(tmp_path / "q2", ("Q2",), settings=settings))
    assert ("rules", "residual", "A6.2") in told(faults)
    assert ("lots", "quantity", "J5.3.1") in told(faults), "all reasons are told at once"


def test_other_dates_and_overlaps(posted: Ledger, tmp_path: Path) -> None:
    dates = {"Q1": "2026-04-01,2026-07-31", "Q2": "2026-08-01,2026-09-30"}
    faults = refusal(posted, run_tiny(tmp_path / "dates", ("Q1", "Q2"), dates=dates))
    assert ("periods", "start", "A5.1.3A") in told(faults)
    orders = {"H": "K1,X,H1,1,reduction,4,10,"}
    other = run_tiny(tmp_path / "overlap", ("H1",), dates={"H1": "2026-06-01,2026-09-30"}, orders=orders)
    overlap = [f for f in refusal(posted, other) if "overlap" in f.expected]
    assert [(f.table, f.row, f.code) for f in overlap] == [("periods", 2, "A5.1.3A")]


def test_locked_period(posted: Ledger, tmp_path: Path) -> None:
    operations.lock(posted, "Q1")
    faults = refusal(posted, run_tiny(tmp_path / "again", ("Q1",), mass="12"))
    assert ("periods", "period", "A5.1.3A") in told(faults)
    early = run_tiny(tmp_path / "early", ("Q0",), dates={"Q0": "2026-01-01,2026-03-31"})
    assert ("periods", "period", "A5.1.3A") in told(refusal(posted, early)), "nothing before a locked period"


def test_order_and_residual_once_only(posted: Ledger, tmp_path: Path) -> None:
    orders = {"O1": "K1,X,Q2,2,reduction,4,10,"}
    lots = {"OLD": LOTS["OLD"].replace("30,5,t", "30,3,t")}
    faults = refusal(posted, run_tiny(tmp_path / "q2", ("Q2",), orders=orders, lots=lots))
    assert ("orders.csv", "order", "A4.2.3") in told(faults)
    faults = refusal(
        posted,
        run_tiny(
            tmp_path / "other", ("Q1",), mass="12", lots=lots, orders={"O1": "K1,X,Q1,1,reduction,1,10,S"}
        ),
    )
    assert ("residual.csv", "product", "J5.3.3") in told(faults)


def test_late_lot_of_a_used_origin(book: Ledger, tmp_path: Path) -> None:
    """WATT-B comes after WATT-A was used: it would count the same thing again."""
    alone = {"WATT-B": "", "WATT-A": LOTS["WATT-A"].replace(",1,,F", ",1,S,F")}
    orders = {"O1": "K1,X,Q1,2,reduction,1,10,S"}
    post(book, read(run_tiny(tmp_path / "q1", ("Q1",), lots=alone, orders=orders)))
    left = {**alone, "WATT-A": alone["WATT-A"].replace(",30,", ",28,"), "WATT-B": LOTS["WATT-B"]}
    faults = refusal(book, run_tiny(tmp_path / "q2", ("Q2",), lots=left))
    assert told(faults) == {("lots", "origin", "A4.2.3")}
    assert faults[0].value == "WATT-B"


def test_late_lot_of_an_untouched_origin_is_valued_once(book: Ledger, tmp_path: Path) -> None:
    """WATT-A is measured higher and comes later: only what it adds is realised."""
    post(book, read(run_tiny(tmp_path / "q1", ("Q1",), lots={"WATT-A": ""})))
    assert book.balance("effect:origin:WATT") == 20 * 10**6
    lots = {"OLD": LOTS["OLD"].replace("30,5,t", "30,3,t")}
    post(book, read(run_tiny(tmp_path / "q2", ("Q2",), lots=lots)))
    gains = [row.quantity for row in book.rows(commodity="effect:origin:WATT") if row.kind == "realised"]
    assert gains == [20 * 10**6, 10 * 10**6]
    assert verify_ledger(book) == []


def test_opening_of_another_ledger_or_an_old_one(posted: Ledger, tmp_path: Path) -> None:
    run = tmp_path / "run"
    write_tiny(tmp_path / "case", ("Q2",))
    run_from_ledger(tmp_path / "case", run, posted.place)
    with Ledger.open(tmp_path / "other.db") as other:
        post(other, read(run_tiny(tmp_path / "q1-again", ("Q1",))))
        assert ("opening.json", "ledger", "A4.2.1") in told(refusal(other, run))
    operations.adjust(posted, "NEW", 11 * 10**6, "Q1", "weighed again")
    faults = refusal(posted, run)
    assert ("opening.json", "lots.NEW", "J5.3.1") in told(faults)
    assert ("lots", "quantity", "J5.3.1") in told(faults)


def test_what_does_not_move_lots_does_not_make_a_run_stale(posted: Ledger, tmp_path: Path) -> None:
    run = tmp_path / "run"
    write_tiny(tmp_path / "case", ("Q2",))
    run_from_ledger(tmp_path / "case", run, posted.place)
    operations.assert_balance(posted, "NEW", 10 * 10**6)
    assert not post(posted, read(run)).done_before
    assert posted.balances() == {
        "lot:NEW": 10 * 10**6, "lot:OLD": 0, "lot:WATT-A": 25_500_000, "lot:WATT-B": 17 * 10**6,
    }  # fmt: skip
    assert verify_ledger(posted) == []


def test_status_other_than_final(book: Ledger, tiny_run: Path) -> None:
    run = read(tiny_run)
    unfinished = dataclasses.replace(run, summary={**run.summary, "status": "infeasible"})
    with pytest.raises(Conflict) as refused:
        post(book, unfinished)
    assert told(refused.value.faults) == {("summary.json", "status", "A6.2")}


@pytest.mark.parametrize("stage", ["posting", "archiving"])
def test_an_interrupted_posting_leaves_nothing(ledger: Ledger, tiny_first: Path, stage: str) -> None:
    """Ctrl-C before the first row, or before the last; then it is posted as if nothing had been."""

    def interrupt(now: str) -> None:
        if now == stage:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        post(ledger, read(tiny_first), progress=interrupt)
    assert ledger.head().n == 1
    assert not list(ledger.documents())
    assert not post(ledger, read(tiny_first)).done_before


# ---- what is not verified, and who approves ----


def spoil(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"\n", b"\n\n", 1))


@pytest.mark.parametrize("name", ["allocation.csv", "case/lots.csv", "result.xlsx"])
def test_a_run_that_changed_since_verified(book: Ledger, tiny_run: Path, tmp_path: Path, name: str) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tiny_run, copy)
    manifest = manifest_bytes(copy)
    spoil(copy / name)
    with pytest.raises(Unverified) as refused:
        post(book, read_run(copy, manifest))
    assert refused.value.exit_code == 6
    assert refused.value.faults[0].table == name
    assert book.head().n == 1
    with pytest.raises(Unverified):
        post_run(copy, book.place)
    assert book.head().n == 1


FOUR_EYES = 'name = "tiny"\n[rules]\nid = "jaa-2026"\napproval = "four_eyes"\n'


@pytest.mark.parametrize(("proposer", "approver"), [("Ana", ""), ("Ana", " ana ")])
def test_four_eyes(book: Ledger, tmp_path: Path, proposer: str, approver: str) -> None:
    run = read(run_tiny(tmp_path, settings=FOUR_EYES))
    with pytest.raises(Refused) as refused:
        post(book, run, Approval(proposer, approver))
    assert refused.value.exit_code == 3
    assert refused.value.faults[0].code == "A6.2"
    assert book.head().n == 1
    assert not post(book, run, Approval(proposer, "Ben")).done_before
    with pytest.raises(Refused):
        operations.lock(book, "Q1", Approval("Ana", "Ana"))
    operations.lock(book, "Q1", Approval("Ana", "Ben"))


def test_reading_the_state_is_exact_about_text(tmp_path: Path) -> None:
    """Names with quotes and commas in a run's files."""
    orders = {"O1": '"K,""1""",X,Q1,2,reduction,4,10,'}
    run = read(run_tiny(tmp_path, ("Q1",), orders=orders))
    assert run.orders[0]["customer"] == 'K,"1"'


def test_lot_named_like_an_origin(book: Ledger, tmp_path: Path) -> None:
    lots = {"origin:WATT": LOTS["NEW"]}
    assert ("lots", "", "A4.2.1") in told(refusal(book, run_tiny(tmp_path, lots=lots)))
