"""The ledger's commands, each a process of its own, on a ledger of the test's own."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from pathlib import Path

import pytest

from massbalance.ledger.store import Ledger
from tests.e2e.command import COMMAND, DATA, Ended, inside, massbalance


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a ledger and a key of its own."""
    monkeypatch.setenv("MASSBALANCE_LEDGER", str(tmp_path / "ledger.db"))
    monkeypatch.setenv("MASSBALANCE_KEY", str(tmp_path / "key.pem"))
    return tmp_path


def ledger(*arguments: object) -> Ended:
    return inside("ledger", *arguments)


def document(ended: Ended) -> dict[str, object]:
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    assert isinstance(found, dict)
    return found


def test_from_posting_to_a_checkpoint_in_processes(home: Path, tutorial_run: Path) -> None:
    posted = massbalance(
        "post", tutorial_run, "--proposer", "Ana", "--approver", "Ben", "--note", "Q2", "--json"
    )
    first = document(posted)
    assert (first["journal"], first["done_before"]) == (2, False)
    again = massbalance("post", tutorial_run)
    assert again.code == 0
    assert "posted before, nothing to do" in again.out
    shown = document(massbalance("ledger", "show", "--json"))
    assert shown["rules"]["id"] == "jaa-2026"  # type: ignore[index]
    assert [p["period"] for p in shown["open_periods"]] == ["2026Q2", "2026Q3"]  # type: ignore[attr-defined]
    made = massbalance("ledger", "checkpoint", "--out", home / "held")
    assert made.code == 0
    file = Path(made.out.strip())
    assert file.parent == home / "held"
    assert massbalance("ledger", "verify", "--checkpoint", file).code == 0


def test_every_look_and_every_operation(home: Path, tutorial_run: Path) -> None:
    assert inside("post", tutorial_run).code == 0
    assert "2026Q2 (2026-04-01 to 2026-06-30)" in ledger("show").out
    assert [b["lot"] for b in document(ledger("balance", "INGOT-1", "--json"))["balances"]] == ["INGOT-1"]  # type: ignore[attr-defined]
    kinds = [row["kind"] for row in document(ledger("history", "O1", "--json"))["rows"]]  # type: ignore[attr-defined]
    assert kinds == ["allocated", "allocated", "allocated", "claim"]
    assert "held > allocated" in ledger("history", "SAVING-1").out

    assert ledger("assert", "INGOT-1", "0").code == 0
    assert "nothing to do" in ledger("receive", DATA / "tutorial").out
    assert "nothing to do" in ledger("adopt", DATA / "tutorial").out
    assert "nothing to do" in ledger("expire", "2026Q3").out
    reversed_ = ledger("reverse", tutorial_run, "--order", "O1", "--period", "2026Q3", "--reason", "returned")
    assert "1 claim(s) withdrawn" in reversed_.out
    assert "INGOT-1" in ledger("balance").out
    assert "locked through 2026-06-30" in ledger("lock", "2026Q2").out
    assert ledger("adjust", "INGOT-1", "51", "--period", "2026Q3", "--reason", "weighed").code == 0
    moved = ledger("carry", "2026Q4", "--start", "2026-10-01", "--end", "2026-12-31")
    assert moved.code == 0
    done = document(ledger("expire", "2026Q4", "--json"))
    assert done["lots"] == ["INGOT-1", "SCRAP-1"]
    verified = ledger("verify", "--json")
    assert document(verified)["ok"] is True


def test_exit_codes(home: Path, tutorial_run: Path, tmp_path: Path) -> None:
    """2: no ledger, no run, no such lot or row; 3: not a quantity; 7: conflicts; nothing is recorded."""
    assert inside("post", tmp_path / "nothing").code == 2
    none = ledger("show")
    assert none.code == 2
    assert not (home / "ledger.db").exists()
    assert ledger("lock", "2026Q2").code == 2
    assert inside("post", tutorial_run).code == 0
    assert ledger("history", "nobody").code == 2
    assert ledger("carry", "Q9", "--start", "2027-01-01").code == 2
    assert ledger("assert", "INGOT-1", "1e3").code == 3
    assert ledger("balance", "INGOT-9").code == 3
    wrong = ledger("assert", "INGOT-1", "1")
    assert wrong.code == 7
    assert "expected 0 t, the balance of lot INGOT-1 [A4.2.1]" in wrong.err
    assert ledger("lock", "2026Q2").code == 0
    stale = inside("post", tutorial_run)
    assert stale.code == 0, "posted before: nothing to do, locked or not"
    late = ledger("reverse", tutorial_run, "--period", "2026Q2", "--reason", "late")
    assert late.code == 7
    assert "locked through 2026-06-30" in late.err


def test_a_run_that_fails_its_check(home: Path, tutorial_run: Path, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "run"
    shutil.copytree(tutorial_run, copy)
    account = copy / "account.csv"
    account.write_text(account.read_text(encoding="utf-8").replace("45", "44"), encoding="utf-8")
    refused = inside("post", copy)
    assert refused.code == 6
    assert "account.csv" in refused.err
    assert not (home / "ledger.db").exists()


def test_tampering_is_exit_8(home: Path, tutorial_run: Path) -> None:
    import sqlite3

    assert inside("post", tutorial_run).code == 0
    with sqlite3.connect(home / "ledger.db") as connection:
        for (trigger,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            connection.execute(f"DROP TRIGGER {trigger}")
        connection.execute("UPDATE entry SET quantity = quantity + 1 WHERE n = 9")
    found = ledger("verify", "--json")
    assert found.code == 8
    faults = json.loads(found.out)["faults"]
    assert faults[0]["row"] == 9


def test_two_post_at_once(home: Path, tutorial_run: Path, tmp_path: Path) -> None:
    """Runs of the same orders: one is posted, the other gets 7."""
    import shutil

    case = tmp_path / "case"
    shutil.copytree(DATA / "tutorial", case)
    orders = case / "orders.csv"
    orders.write_text(orders.read_text(encoding="utf-8").replace(",80,", ",79,", 1), encoding="utf-8")
    other = tmp_path / "other"
    assert massbalance("run", case, "--out", other).code == 0
    ledger_file = home / "ledger.db"
    Ledger.open(ledger_file).close()
    posts = [
        subprocess.Popen([*COMMAND, "post", str(run)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for run in (tutorial_run, other)
    ]
    codes = sorted(post.wait(timeout=120) for post in posts)
    for post in posts:
        post.communicate()
    assert codes == [0, 7]
    assert document(ledger("verify", "--json"))["ok"] is True


@pytest.fixture
def tampered(home: Path, tutorial_run: Path) -> Path:
    """A ledger in which somebody raised a claim by hand; all that was out before is as it was."""
    assert inside("post", tutorial_run).code == 0
    issued = inside("certificate", tutorial_run, "O1", "--date", "2026-07-01", "--out", home / "out")
    assert issued.code == 0, issued.err
    with sqlite3.connect(home / "ledger.db") as file:
        (text,) = file.execute("SELECT sql FROM sqlite_master WHERE name = 'entry_no_update'").fetchone()
        file.execute("DROP TRIGGER entry_no_update")
        change = """replace(details, '"level":"', '"level":"0')"""
        file.execute(f"UPDATE entry SET details = {change} WHERE kind = 'claim'")
        file.execute(text)
    return home


@pytest.mark.parametrize(
    "words",
    [
        "post RUN", "certificate RUN O1", "certificate RUN O1 --cancel wrong", "certificate --check PDF",
        "audit --period 2026Q2 --out OUT", "run CASE --from-ledger --out OUT", "ledger lock 2026Q2",
        "ledger checkpoint", "ledger reverse RUN --period 2026Q3 --reason wrong", "ledger verify",
    ],
)  # fmt: skip
def test_no_command_goes_on_with_a_ledger_that_was_changed(
    tampered: Path, tutorial_run: Path, words: str
) -> None:
    (pdf,) = (tampered / "out").glob("*.pdf")
    places = {"RUN": tutorial_run, "PDF": pdf, "OUT": tampered / "new", "CASE": DATA / "tutorial"}
    ended = inside(*(places.get(word, word) for word in words.split()))
    assert ended.code == 8, ended.out + ended.err
    assert "ledger-hash" in ended.err
    assert not (tampered / "new").exists()
