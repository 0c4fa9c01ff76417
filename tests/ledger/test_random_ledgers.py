"""Random cases period after period: every figure of every run, and every identity after every step."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from random import Random

import pytest

from massbalance.api import run_case
from massbalance.domain.case import Case
from massbalance.intake.canonical import write_case
from massbalance.intake.read import read_case
from massbalance.ledger import operations as ops
from massbalance.ledger.chain import verify_ledger
from massbalance.ledger.posting import post
from massbalance.ledger.reversal import reverse
from massbalance.ledger.run_folder import key_of
from massbalance.ledger.state import State
from massbalance.ledger.store import Ledger
from massbalance.records import run_from_ledger
from tests.ledger.test_posting import assert_is_the_run
from tests.ledger.tiny import read

sys.path.append(str(Path(__file__).parents[1] / "differential"))

from random_cases import write_random_case


@pytest.mark.parametrize("seed", [1, 3, 12, 18, 25])
def test_account_and_emissions(seed: int, tmp_path: Path) -> None:
    write_random_case(tmp_path / "case", seed, mip=seed % 3 == 0)
    run = run_case(tmp_path / "case", tmp_path / "run").out
    with Ledger.open(tmp_path / "book.db") as book:
        post(book, read(run))
        assert_is_the_run(book, run)


@pytest.mark.parametrize("seed", [7, 103, 111, 126, 150, 152])
def test_run_after_run_with_corrections(seed: int, tmp_path: Path) -> None:
    """Two runs, the second from the ledger; after each claims are withdrawn, lots adjusted and expired."""
    random = Random(seed)
    write_random_case(tmp_path / "raw", seed, mip=False)
    case = read_case(tmp_path / "raw")
    periods = list(case.periods.text("period"))
    with Ledger.open(tmp_path / "book.db") as book:
        for number, names in enumerate((periods[:1], periods[1:])):
            part, run = tmp_path / f"case{number}", tmp_path / f"run{number}"
            write_part(case, part, names)
            run_from_ledger(part, run, book.place)
            done = post(book, read(run))
            assert verify_ledger(book) == []
            correct(book, key_of(run), done.journal, names[-1], random)


def write_part(case: Case, folder: Path, periods: list[str]) -> None:
    """The case with some of its periods, and what belongs to them."""
    write_case(case, folder)
    for name in ("periods", "orders", "production"):
        keep(folder / f"{name}.csv", "period", set(periods))
    if (folder / "offers.csv").exists():
        with (folder / "orders.csv").open(encoding="utf-8", newline="") as file:
            orders = {row["order"] for row in csv.DictReader(file)}
        keep(folder / "offers.csv", "order", orders)


def keep(file: Path, column: str, values: set[str]) -> None:
    """Leave only the rows with one of the values."""
    with file.open(encoding="utf-8", newline="") as opened:
        header, *rows = csv.reader(opened)
    with file.open("w", encoding="utf-8", newline="") as opened:
        at = header.index(column)
        csv.writer(opened, lineterminator="\n").writerows([header, *(r for r in rows if r[at] in values)])


def correct(book: Ledger, key: str, journal: int, period: str, random: Random) -> None:
    """Withdraw some of a run's claims, adjust a lot, let lots expire; the ledger is sound after each."""
    orders = [row.subject for row in book.rows(kind="claim", journal=journal)]
    if orders:
        reverse(book, key, random.sample(orders, random.randint(1, len(orders))), period, "test")
        assert verify_ledger(book) == []
    with book.snapshot() as now:
        lots = [lot for lot in State(now).open_lots.values() if not lot.origin]
    if lots:
        lot = random.choice(lots)
        ops.adjust(book, lot.lot, lot.fact["quantity"] - random.randint(0, lot.held), period, "test")
        assert verify_ledger(book) == []
    ops.expire(book, period)
    assert verify_ledger(book) == []
