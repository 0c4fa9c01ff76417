"""Period after period through the command: run, post, run from the ledger, post; and what is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from massbalance.intake.read import read_case
from massbalance.ledger.chain import verify_ledger
from massbalance.ledger.operations import receive
from massbalance.ledger.reversal import reverse
from massbalance.ledger.store import Ledger
from massbalance.records import post_run
from tests.e2e.command import DATA, Ended, inside, massbalance, rows
from tests.e2e.tables import CaseTables, part_of

QUARTERS = (("2026-04", "2026-05", "2026-06"), ("2026-07", "2026-08", "2026-09"))
Change = Callable[[CaseTables], object]


def account(run: Path, first: bool) -> dict[str, Decimal]:
    """Lot -> opening of a run's first period, or closing of its last."""
    found: dict[str, Decimal] = {}
    for row in rows(run / "account.csv"):
        if not first or row["lot"] not in found:
            found[row["lot"]] = Decimal(row["opening" if first else "closing"])
    return found


def allocated(run: Path) -> dict[str, Decimal]:
    """Lot -> what orders got of it."""
    found: dict[str, Decimal] = {}
    for row in rows(run / "allocation.csv"):
        found[row["lot"]] = found.get(row["lot"], Decimal(0)) + Decimal(row["quantity"])
    return found


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a ledger and a key of its own."""
    monkeypatch.setenv("MASSBALANCE_LEDGER", str(tmp_path / "ledger.db"))
    monkeypatch.setenv("MASSBALANCE_KEY", str(tmp_path / "key.pem"))
    return tmp_path


def test_two_quarters_of_the_aluminium_example(home: Path) -> None:
    """What one quarter leaves opens the next; both together give no lot more than it had."""
    for number, periods in enumerate(QUARTERS, start=1):
        part_of(DATA / "aluminium", periods).write_csv(home / f"case-{number}")
    one, two = home / "run-1", home / "run-2"
    assert massbalance("run", home / "case-1", "--out", one, "--proposer", "Ana").code == 0
    assert massbalance("post", one, "--approver", "Ben").code == 0
    ended = massbalance("run", home / "case-2", "--out", two, "--from-ledger", "--proposer", "Ana", "--json")
    assert ended.code == 0, ended.err
    summary = json.loads(ended.out)
    assert summary["proposer"] == "Ana"
    opening = json.loads((two / "opening.json").read_text(encoding="utf-8"))
    assert summary["opening"] == {key: opening[key] for key in ("ledger", "n", "hash")}
    assert opening["elsewhere"] == {}

    whole = CaseTables(DATA / "aluminium")
    quantity = {row["lot"]: Decimal(row["quantity"]) for row in whole.rows["lots"]}
    closing, opens = account(one, first=False), account(two, first=True)
    known = set(opening["lots"])
    assert {lot for lot, left in closing.items() if left} <= known
    assert {lot: opens[lot] for lot in known} == {lot: closing[lot] for lot in known}
    first, second = allocated(one), allocated(two)
    assert all(first.get(lot, 0) + second.get(lot, 0) <= quantity[lot] for lot in quantity)
    assert {lot for lot in known if first.get(lot) and second.get(lot)}  # some lots serve both quarters

    for folder in ("ledger.db", "case-1", "case-2", "run-1"):  # the run's folder is enough to verify it
        path = home / folder
        shutil.rmtree(path) if path.is_dir() else path.rename(home / "away.db")
    assert massbalance("verify", two).code == 0
    (home / "away.db").rename(home / "ledger.db")

    assert massbalance("post", two, "--approver", "Ben").code == 0
    closing = account(two, first=False)
    with Ledger.open(home / "ledger.db", create=False) as ledger:
        balances = ledger.balances("lot:")
        assert {lot: left for lot, left in balances.items() if left} == {
            f"lot:{lot}": int(left * 10**6) for lot, left in closing.items() if left
        }
        for row in ledger.rows(kind="lot"):
            facts = row.facts()
            if "origin" not in facts["row"]:
                worth = int(Fraction(facts["unit_value"]) * balances[f"lot:{row.subject}"])
                assert ledger.balance(f"effect:{row.subject}") == worth


# ---- refused ---------------------------------------------------------------------------------------------


@pytest.fixture
def posted(home: Path) -> Path:
    """The tutorial's first quarter, posted."""
    part_of(DATA / "tutorial", ["2026Q2"]).write_csv(home / "case-1")
    assert inside("run", home / "case-1", "--out", home / "run-1").code == 0
    assert inside("post", home / "run-1").code == 0
    return home


def only(order: str) -> Change:
    """Leave the other orders out."""

    def change(tables: CaseTables) -> None:
        tables.rows["orders"] = [row for row in tables.rows["orders"] if row["order"] == order]

    return change


def second(home: Path, change: Change = lambda _: None, name: str = "2", **options: str) -> Ended:
    """Run the tutorial's second quarter, changed, from the ledger."""
    tables = part_of(DATA / "tutorial", ["2026Q3"])
    change(tables)
    tables.write_csv(home / f"case-{name}")
    more = [word for key, value in options.items() for word in (f"--{key}", value)]
    return inside("run", home / f"case-{name}", "--out", home / f"run-{name}", "--from-ledger", *more)


def test_without_a_ledger_it_is_2(home: Path) -> None:
    ended = second(home)
    assert (ended.code, ended.out) == (2, "")
    assert "ledger" in ended.err
    assert not (home / "run-2").exists()
    assert not (home / "ledger.db").exists()


def test_naming_a_ledger_means_from_it(posted: Path) -> None:
    (posted / "ledger.db").rename(posted / "other.db")
    part_of(DATA / "tutorial", ["2026Q3"]).write_csv(posted / "case-2")
    ended = inside("run", posted / "case-2", "--out", posted / "run-2", "--ledger", posted / "other.db")
    assert ended.code == 0, ended.err
    opening = json.loads((posted / "run-2" / "opening.json").read_text(encoding="utf-8"))
    assert f"opens with ledger {opening['ledger']} as of row {opening['n']}" in ended.out


def test_without_the_option_the_case_speaks_for_itself(posted: Path) -> None:
    part_of(DATA / "tutorial", ["2026Q3"]).write_csv(posted / "case-2")
    assert inside("run", posted / "case-2", "--out", posted / "run-2").code == 0
    assert not (posted / "run-2" / "opening.json").exists()
    ended = inside("post", posted / "run-2")
    assert ended.code == 7
    assert "J5.3.1" in ended.err


def test_a_lot_that_the_ledger_has_otherwise_is_7(posted: Path) -> None:
    def change(tables: CaseTables) -> None:
        tables.row("lots", "SCRAP-1")["intensity_tco2e_per_uom"] = "1"
        tables.row("lots", "INGOT-1")["expires"] = "2027-12-31"

    ended = second(posted, change)
    assert (ended.code, ended.out) == (7, "")
    assert "lots row 4, column intensity_tco2e_per_uom: '1': expected 2" in ended.err
    assert "lots row 2, column expires: '2027-12-31': expected 2026-12-31" in ended.err
    assert not (posted / "run-2").exists()


def test_a_locked_period_is_7(posted: Path) -> None:
    with Ledger.open(posted / "ledger.db", create=False) as ledger, ledger.writing() as writer:
        writer.journal("lock", period="2026Q2", key="lock:2026Q2")
    ended = inside("run", posted / "case-1", "--out", posted / "again", "--from-ledger")
    assert ended.code == 7
    assert "locked through 2026-06-30" in ended.err
    assert second(posted).code == 0


def test_other_days_of_a_period_are_7(posted: Path) -> None:
    tables = part_of(DATA / "tutorial", ["2026Q2"])
    tables.rows["periods"][0]["end"] = "2026-07-31"
    tables.write_csv(posted / "longer")
    ended = inside("run", posted / "longer", "--out", posted / "again", "--from-ledger")
    assert ended.code == 7
    assert "2026-04-01 to 2026-06-30" in ended.err


def test_an_invalid_case_is_3_whatever_the_ledger(posted: Path) -> None:
    def change(tables: CaseTables) -> None:
        tables.row("orders", "O4")["mass_t"] = "nan"

    ended = second(posted, change)
    assert (ended.code, ended.out) == (3, "")
    assert "mass_t" in ended.err


def test_a_stale_opening_is_not_posted(posted: Path) -> None:
    """Two runs open with the same balances; the one that is posted second is about a ledger that moved on."""
    assert second(posted, only("O5"), "2").code == 0
    assert second(posted, only("O4"), "3").code == 0
    assert inside("post", posted / "run-2").code == 0
    ended = inside("post", posted / "run-3")
    assert ended.code == 7
    assert "opening.json" in ended.err
    assert inside("post", posted / "run-2").code == 0  # again: nothing to do


def test_the_same_opening_gives_the_same_bytes(posted: Path) -> None:
    assert second(posted, name="2").code == 0
    assert second(posted, lambda tables: tables.shuffle(7), name="3").code == 0
    for name in ("opening.json", "allocation.csv", "account.csv", "case/lots.csv", "case/composition.csv"):
        assert (posted / "run-2" / name).read_bytes() == (posted / "run-3" / name).read_bytes(), name


def test_a_third_quarter_opens_with_what_two_left(posted: Path) -> None:
    """Lots are listed by nobody any more, and the ledger brings them in."""
    assert second(posted, only("O5")).code == 0
    assert inside("post", posted / "run-2").code == 0
    tables = part_of(DATA / "tutorial", ["2026Q3"])
    tables.rows["lots"] = []
    tables.rows["periods"] = [{"period": "2026Q4", "start": "2026-10-01", "end": "2026-12-31"}]
    for table in ("orders", "production"):
        for row in tables.rows[table]:
            row["period"] = "2026Q4"
    for row in tables.rows["orders"]:
        row["order"] += "-Q4"
    tables.write_csv(posted / "case-4")
    assert inside("run", posted / "case-4", "--out", posted / "run-4", "--from-ledger").code == 0
    left = {lot: amount for lot, amount in account(posted / "run-2", first=False).items() if amount}
    assert left
    assert account(posted / "run-4", first=True) == left
    assert inside("post", posted / "run-4").code == 0


def test_lots_received_without_a_run_and_a_run_after_a_reversal(home: Path) -> None:
    """What the ledger holds is what a run of the same period may use, however it came to be there."""
    part_of(DATA / "tutorial", ["2026Q2"]).write_csv(home / "case-1")
    with Ledger.open() as ledger:
        receive(ledger, read_case(home / "case-1"))
    runs = [home / "run-1", home / "run-2"]
    for run in runs:
        assert inside("run", home / "case-1", "--out", run, "--from-ledger").code == 0
        key = post_run(run).key
        with Ledger.open() as ledger:
            left = {lot: ledger.balance(f"lot:{lot}") for lot in account(run, first=False)}
            assert left == {lot: int(a * 10**6) for lot, a in account(run, first=False).items()}
            if run == runs[0]:
                reverse(ledger, key, [], "2026Q2", "an order was wrong")
    assert (runs[0] / "allocation.csv").read_bytes() == (runs[1] / "allocation.csv").read_bytes()
    with Ledger.open() as ledger:
        assert verify_ledger(ledger) == []
