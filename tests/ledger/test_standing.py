"""What a run from the ledger reads of it: one moment, on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from massbalance.ledger.opening import open_case
from massbalance.ledger.problems import LedgerMissing
from massbalance.ledger.reading import Reading
from massbalance.ledger.standing import read_standing
from massbalance.ledger.state import Period
from massbalance.ledger.store import Ledger
from massbalance.records import post_run, run_from_ledger
from tests.e2e.command import DATA
from tests.e2e.tables import part_of

Q2 = Period("2026Q2", date(2026, 4, 1), date(2026, 6, 30))


@pytest.fixture
def posted(ledger: Ledger, ledger_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """A ledger with the tutorial's first quarter."""
    from massbalance.api import run_case

    monkeypatch.setenv("MASSBALANCE_KEY", str(tmp_path / "key.pem"))
    run = run_case(
        part_of(DATA / "tutorial", ["2026Q2"]).write_csv(tmp_path / "case-1"), tmp_path / "run-1"
    ).out
    post_run(run, ledger_url)
    return ledger


def test_an_empty_ledger_holds_nothing(ledger: Ledger) -> None:
    found = read_standing(ledger)
    assert (found.ledger, found.n, found.hash) == (ledger.id, 1, ledger.head().hash)
    assert (found.lots, found.balances, found.periods, found.used) == ({}, {}, {}, {})
    assert found.closed_through is None


def test_a_posted_ledger_holds_what_is_left(posted: Ledger) -> None:
    found = read_standing(posted)
    assert (found.n, found.hash) == (posted.head().n, posted.head().hash)
    assert {lot: found.held(lot) for lot in found.lots} == {
        "INGOT-1": 5_000_000, "SAVING-1": 10_000_000, "SCRAP-1": 4_000_000,
    }  # fmt: skip
    assert found.periods == {"2026Q2": Q2}
    assert found.held("unknown") == 0


def test_a_locked_period_is_closed(posted: Ledger) -> None:
    with posted.writing() as writer:
        writer.journal("lock", period="2026Q2", key="lock:2026Q2")
    assert read_standing(posted).closed_through == Q2.end


def test_all_of_it_is_of_one_moment(posted: Ledger, ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody takes all of a lot while the ledger is read: either all of that is seen, or nothing."""
    before, read = read_standing(posted), Reading.balances
    with Ledger.open(ledger_url, create=False) as other:

        def slow(self: Reading, prefix: str = "lot:") -> dict[str, int]:
            monkeypatch.undo()
            with other.writing() as writer:
                writer.journal("adjustment", subject="SCRAP-1")
                writer.move(
                    "adjusted", period="2026Q2", commodity="lot:SCRAP-1", debit="held", credit="source",
                    quantity=4_000_000,
                )  # fmt: skip
            return read(self, prefix)

        monkeypatch.setattr(Reading, "balances", slow)
        assert read_standing(posted) == before
    after = read_standing(posted)
    assert (after.held("SCRAP-1"), after.n) == (0, before.n + 2)


def test_the_next_quarter_runs_from_either_database(posted: Ledger, ledger_url: str, tmp_path: Path) -> None:
    case = part_of(DATA / "tutorial", ["2026Q3"]).write_csv(tmp_path / "case-2")
    outcome = run_from_ledger(case, tmp_path / "run-2", ledger_url, proposer="Ana")
    assert outcome.report.ok
    assert outcome.summary["opening"] == {
        "ledger": posted.id, "n": posted.head().n, "hash": posted.head().hash,
    }  # fmt: skip
    assert post_run(tmp_path / "run-2", ledger_url).rows > 0
    from massbalance.intake.read import read_case

    again = open_case(read_case(case), read_standing(posted))
    assert set(again.document["lots"].values()) == {0}


def test_where_there_is_no_ledger_none_is_made(new_url, tmp_path: Path) -> None:
    case = part_of(DATA / "tutorial", ["2026Q3"]).write_csv(tmp_path / "case")
    with pytest.raises(LedgerMissing):
        run_from_ledger(case, tmp_path / "run", new_url())
    assert not (tmp_path / "run").exists()
