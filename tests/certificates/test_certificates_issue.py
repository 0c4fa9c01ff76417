"""Issuing: once, the same again, only what is posted; cancelling, replacing, and who else is at it."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from massbalance.certificates import issue as issuing
from massbalance.certificates.issue import Wanted, cancel, issue
from massbalance.certificates.register import entry, next_serial, serial_text, status
from massbalance.ledger.problems import Conflict, Refused, Tampered
from massbalance.ledger.signing import Signer
from massbalance.ledger.store import Ledger
from posted_by_hand import RUN, Tiny, clock, new_ledger, withdraw, write

WANTED = Wanted(RUN, order="O1")
HERE = Path(__file__).parent

ONE = """
import sys
sys.path.insert(0, {here!r})
from massbalance.certificates.issue import Wanted, issue
from massbalance.ledger.problems import Conflict
from massbalance.ledger.store import Ledger
from posted_by_hand import RUN, clock, signer
import hashlib
with Ledger.open({path!r}, create=False) as book:
    for order in {orders!r}:
        made = issue(book, Wanted(RUN, order=order), signer(), clock=clock)
        print(order, made.serial, made.new, *(hashlib.sha256(c).hexdigest() for c in made.files().values()))
"""


def started(path: Path, orders: list[str]) -> subprocess.Popen[str]:
    code = ONE.format(here=str(HERE), path=str(path), orders=orders)
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)


def told(process: subprocess.Popen[str]) -> list[list[str]]:
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return [line.split() for line in out.splitlines()]


def test_again_is_the_same(ledger: Ledger, key: Signer) -> None:
    first = issue(ledger, WANTED, key, clock=clock)
    head = ledger.head()
    for run in (RUN, RUN[:8]):
        second = issue(ledger, Wanted(run, order="O1"), key, clock=clock)
        assert (first.new, second.new) == (True, False)
        assert second.files() == first.files()
        assert second.notes == ()
    assert ledger.head() == head


def test_again_in_another_process(ledger: Ledger, key: Signer, tmp_path: Path) -> None:
    import hashlib

    first = issue(ledger, WANTED, key, clock=clock)
    here = [hashlib.sha256(content).hexdigest() for content in first.files().values()]
    assert told(started(tmp_path / "ledger.db", ["O1"])) == [["O1", first.serial, "False", *here]]


def test_made_in_another_process(tmp_path: Path, key: Signer) -> None:
    """Two ledgers that are the same give the same files, whoever makes them."""
    import shutil

    with new_ledger(tmp_path / "one.db", Tiny()):
        pass
    shutil.copy(tmp_path / "one.db", tmp_path / "two.db")
    one, two = (told(started(tmp_path / f"{name}.db", ["O1"])) for name in ("one", "two"))
    assert one == two
    assert one[0][2] == "True"


def test_two_processes_never_share_a_serial(tmp_path: Path) -> None:
    with new_ledger(tmp_path / "ledger.db", Tiny()) as book:
        with book.writing(clock) as writer:
            facts = {**writer.find("claim:O1:1").facts(), "cfp_after": "13"}
            header = writer.find(f"run:{RUN}")
            for i in range(8):
                writer.journal("post", key=f"run:{i}", details={**header.facts(), "run": str(i)})
                details = {**facts, "run": str(i)}
                writer.state("claim", period="2026Q2", subject=f"X{i}", key=f"claim:X{i}:1", details=details)
        both = [started_runs(tmp_path / "ledger.db", order) for order in (range(8), reversed(range(8)))]
        lines = [line for process in both for line in told(process)]
        serials = {order: {line[1] for line in lines if line[0] == order} for order, *_ in lines}
        assert all(len(found) == 1 for found in serials.values())
        assert sorted(s for found in serials.values() for s in found) == [
            serial_text(book.id, n) for n in range(1, 9)
        ]
        assert len([line for line in lines if line[2] == "True"]) == 8
        assert len(list(book.rows(kind="certified"))) == 8


def started_runs(path: Path, numbers: Any) -> subprocess.Popen[str]:
    """Issues for the runs 0, 1, ..., each with an order of its own."""
    code = ONE.format(here=str(HERE), path=str(path), orders=[f"X{i}" for i in numbers])
    code = code.replace("Wanted(RUN, order=order)", "Wanted(order[1:], order=order)")
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)


def test_serials_run_on(ledger: Ledger, key: Signer) -> None:
    issue(ledger, WANTED, key, clock=clock)
    serials = [issue(ledger, WANTED, key, replace=f"again {i}", clock=clock).serial for i in range(9)]
    assert serials == [serial_text(ledger.id, n) for n in range(2, 11)]
    assert next_serial(ledger, ledger.id) == serial_text(ledger.id, 11)


def test_the_database_keeps_serials_apart(
    ledger: Ledger, key: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even a wrong count cannot give a serial twice: its key is unique."""
    first = issue(ledger, WANTED, key, clock=clock)
    monkeypatch.setattr(issuing.register, "next_serial", lambda *_: first.serial)
    head = ledger.head()
    with pytest.raises(Conflict):
        issue(ledger, WANTED, key, replace="x", clock=clock)
    assert ledger.head() == head
    assert status(ledger, entry(ledger, first.serial)).state == "live"


@pytest.mark.parametrize(
    ("run", "order"),
    [("0" * 64, "O1"), (RUN[:7], "O1"), (RUN, "O2"), (RUN, ""), ("", "O1"), (RUN, "INGOT-1")],
)
def test_only_what_is_posted(ledger: Ledger, key: Signer, run: str, order: str) -> None:
    with pytest.raises(Conflict) as conflict:
        issue(ledger, Wanted(run, order=order), key, clock=clock)
    assert conflict.value.exit_code == 7
    assert not list(ledger.rows(kind="certified"))


def test_a_withdrawn_claim_gets_none(ledger: Ledger, key: Signer) -> None:
    first = issue(ledger, WANTED, key, clock=clock)
    withdraw(ledger, "O1:1", "O1")
    assert status(ledger, entry(ledger, first.serial)).state == "withdrawn"
    for replace in ("", "because"):
        with pytest.raises(Conflict):
            issue(ledger, WANTED, key, replace=replace, clock=clock)
    assert cancel(ledger, WANTED, "claim withdrawn", key, clock=clock) == (first.serial, True)


def test_after_a_withdrawal_and_a_new_post(ledger: Ledger, key: Signer) -> None:
    first = issue(ledger, WANTED, key, clock=clock)
    withdraw(ledger, "O1:1", "O1")
    write(ledger, Tiny(), run="f" * 64)
    again = Wanted("f" * 64, order="O1")
    with pytest.raises(Conflict, match="withdrawn"):
        issue(ledger, again, key, clock=clock)  # the old one is still out
    cancel(ledger, WANTED, "claim withdrawn", key, clock=clock)
    second = issue(ledger, again, key, clock=clock)
    assert second.serial != first.serial
    assert json.loads(second.document)["replaces"] is None


def test_cancel(ledger: Ledger, key: Signer) -> None:
    first = issue(ledger, WANTED, key, clock=clock)
    assert cancel(ledger, WANTED, "wrong mass", key, clock=clock) == (first.serial, True)
    head = ledger.head()
    assert cancel(ledger, WANTED, "twice", key, clock=clock) == (first.serial, False)
    assert ledger.head() == head
    now = status(ledger, entry(ledger, first.serial))
    assert (now.state, now.reason, now.replaced_by) == ("cancelled", "wrong mass", "")
    with pytest.raises(Conflict, match="wrong mass"):
        issue(ledger, WANTED, key, clock=clock)
    heir = issue(ledger, WANTED, key, replace="right mass", clock=clock)
    assert json.loads(heir.document)["replaces"] == first.serial
    now = status(ledger, entry(ledger, first.serial))
    assert (now.state, now.replaced_by) == ("replaced", heir.serial)


def test_replace(ledger: Ledger, key: Signer) -> None:
    first = issue(ledger, WANTED, key, clock=clock)
    heir = issue(ledger, WANTED, key, replace="new address", clock=clock)
    assert json.loads(heir.document)["replaces"] == first.serial
    now = status(ledger, entry(ledger, first.serial))
    assert (now.state, now.reason, now.replaced_by) == ("replaced", "new address", heir.serial)
    assert issue(ledger, WANTED, key, clock=clock).files() == heir.files()
    (fact,) = ledger.rows(kind="cancelled")
    (journal,) = {row.journal for row in ledger.rows(kind="certified") if row.key.endswith(heir.serial)}
    assert fact.journal == journal  # both or none


def test_every_journal_is_signed_to_its_end(ledger: Ledger, key: Signer) -> None:
    issue(ledger, WANTED, key, clock=clock)
    issue(ledger, WANTED, key, replace="new address", clock=clock)
    cancel(ledger, WANTED, "sent back", key, clock=clock)
    last = [*ledger.rows()][-1]
    ends = {row.journal: row.kind for row in ledger.rows()}
    kinds = [ends[row.n] for row in ledger.rows(kinds=("certificate", "cancellation"))]
    assert kinds == ["signed"] * 3
    assert (last.kind, last.facts()["n"]) == ("signed", last.n - 1)


def test_nothing_to_cancel_or_replace(ledger: Ledger, key: Signer) -> None:
    with pytest.raises(Conflict):
        cancel(ledger, WANTED, "x", key, clock=clock)
    with pytest.raises(Conflict):
        issue(ledger, WANTED, key, replace="x", clock=clock)


def test_other_terms_need_another_serial(ledger: Ledger, key: Signer) -> None:
    first = Wanted(RUN, order="O1", language="ja", issued_on=date(2026, 7, 3))
    issue(ledger, first, key, clock=clock)
    issue(ledger, first, key, clock=clock)
    with pytest.raises(Conflict) as conflict:
        issue(ledger, Wanted(RUN, order="O1", language="en", issued_on=date(2026, 7, 4)), key, clock=clock)
    assert {fault.column for fault in conflict.value.faults} == {"language", "issued_on"}
    assert json.loads(issue(ledger, WANTED, key, clock=clock).document)["issued_on"] == "2026-07-03"


def test_the_date(ledger: Ledger, key: Signer) -> None:
    with pytest.raises(Refused) as refused:
        issue(ledger, Wanted(RUN, order="O1", issued_on=date(2026, 3, 31)), key, clock=clock)
    assert [fault.code for fault in refused.value.faults] == ["A6.1 a"]
    assert json.loads(issue(ledger, WANTED, key, clock=clock).document)["issued_on"] == "2026-07-01"


def test_a_failure_leaves_nothing(ledger: Ledger, key: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    head, documents = ledger.head(), list(ledger.documents())

    def broken(*_: object) -> bytes:
        raise OSError("no space left")

    monkeypatch.setattr(issuing, "_pdf", broken)
    with pytest.raises(OSError, match="space"):
        issue(ledger, WANTED, key, clock=clock)
    assert ledger.head() == head
    assert list(ledger.documents()) == documents


def test_other_versions_are_told(ledger: Ledger, key: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A later typst may set other bytes: the archived file is handed out, and the versions are told."""
    first = issue(ledger, WANTED, key, clock=clock)
    real = issuing._pdf
    monkeypatch.setattr(issuing, "_pdf", lambda *given: real(*given) + b" ")
    with pytest.raises(Tampered):
        issue(ledger, WANTED, key, clock=clock)
    versions = dict(issuing.made_with())
    monkeypatch.setattr(issuing, "made_with", lambda: {**versions, "typst": "9.9"})
    later = issue(ledger, WANTED, key, clock=clock)
    assert later.files() == first.files()
    assert "9.9" in later.notes[0]
