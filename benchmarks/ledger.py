"""How quick a ledger is: recording, verifying, balances.

    python -m benchmarks.ledger [--rows 1000000] [--lots 5000] [URL]

Fills a new ledger (a file of its own, or the empty database at URL) with journals of 10,000 rows and one
document each, verifies it and asks for balances. Prints one line a figure, with the versions that gave it.
"""

from __future__ import annotations

import argparse
import platform
import resource
import sqlite3
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

from massbalance.ledger.chain import verify_ledger
from massbalance.ledger.store import Ledger
from massbalance.ledger.writer import Writer

JOURNAL = 10_000
PERIODS = 12
T = TypeVar("T")


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("url", nargs="?", help="an empty database (default: a file, removed afterwards)")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--lots", type=int, default=5_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ledger.db"
        with Ledger.open(arguments.url or file) as ledger:
            print(
                f"{database(ledger)}, Python {platform.python_version()}, SQLAlchemy {version('sqlalchemy')}"
            )
            measure(ledger, arguments.rows, arguments.lots)
            if file.exists():
                print(f"  file: {file.stat().st_size / 1e6:.0f} MB")
    print(f"  most memory used: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def database(ledger: Ledger) -> str:
    """Which database, and its version."""
    if ledger.engine.dialect.name == "sqlite":
        return f"SQLite {sqlite3.sqlite_version}"
    with ledger.snapshot() as snapshot:
        return f"PostgreSQL {snapshot.connection.exec_driver_sql('SHOW server_version').scalar()}"


def measure(ledger: Ledger, rows: int, lots: int) -> None:
    """Fills the ledger and prints the figures."""
    seconds, _ = timed(lambda: fill(ledger, rows, lots))
    count = ledger.head().n
    print(f"recording {count:,} rows: {seconds:.1f} s, {count / seconds:,.0f} rows/s")
    seconds, faults = timed(lambda: verify_ledger(ledger))
    print(f"verifying: {seconds:.1f} s, {count / seconds:,.0f} rows/s, {len(faults)} faults")
    for attempt in ("first", "second"):
        seconds, balances = timed(ledger.balances)
        print(f"balances of {len(balances):,} lots, {attempt} time: {1000 * seconds:.1f} ms")
    seconds, _ = timed(lambda: ledger.balance("lot:L00001"))
    print(f"balance of one: {1000 * seconds:.1f} ms")
    seconds, found = timed(lambda: sum(1 for _ in ledger.rows(commodity="lot:L00001")))
    print(f"the {found:,} rows of one lot: {1000 * seconds:.1f} ms")


def fill(ledger: Ledger, rows: int, lots: int) -> None:
    """Journals that receive and allocate, period after period."""
    names = [f"lot:L{number:05d}" for number in range(lots)]
    for first in range(0, rows, JOURNAL):
        period = f"P{first * PERIODS // rows + 1:02d}"
        with ledger.writing() as writer:
            writer.journal(
                "post", key=f"run:{first}", details={"files": {"a": writer.archive(bytes(JOURNAL))}}
            )
            if writer.find(f"period:{period}") is None:
                days = {"start": f"2026-{period[1:]}-01", "end": f"2026-{period[1:]}-28"}
                writer.state("period", period=period, key=f"period:{period}", details=days)
            journal(writer, period, names, first, min(JOURNAL, rows - first))


def journal(writer: Writer, period: str, names: list[str], first: int, rows: int) -> None:
    """Rows on the lots in turn; what is not there yet is received."""
    for number in range(first, first + rows):
        lot = names[number % len(names)]
        if number < len(names):
            move = ("received", "source", "held", 10**12)
        else:
            move = ("allocated", "held", "allocated", number)
        kind, debit, credit, quantity = move
        details = {"offer": "", "credited_g": quantity, "scope1_g": 0, "scope2_g": 0, "scope3_g": quantity}
        writer.move(
            kind, period=period, commodity=lot, debit=debit, credit=credit, quantity=quantity,
            subject=f"O{number:07d}", details=details,
        )  # fmt: skip


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Seconds, and what the work gave."""
    start, used = time.perf_counter(), time.process_time()
    answer = work()
    seconds = time.perf_counter() - start
    print(f"  [{time.process_time() - used:.2f} s of this process's CPU]", end=" ", flush=True)
    return seconds, answer


if __name__ == "__main__":
    main()
