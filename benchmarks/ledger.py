"""How quick a ledger is: recording, verifying, balances.

    python -m benchmarks.ledger [--runs 100] [URL]

Fills a new ledger (a file of its own, or the empty database at URL) with posted runs of 50 new lots and 3,300
orders each, about 10,000 rows, verifies it and asks for balances: 100 runs make a million rows, 5,000 lots.
Prints one line a figure, with the versions that gave it.
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
from typing import Any, TypeVar

from massbalance.ledger.chain import verify_ledger
from massbalance.ledger.store import Ledger
from massbalance.ledger.writer import Writer

LOTS, ORDERS, PERIODS = 50, 3300, 12
QUANTITY = 10**9
Facts = dict[str, Any]
T = TypeVar("T")


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("url", nargs="?", help="an empty database (default: a file, removed afterwards)")
    parser.add_argument("--runs", type=int, default=100)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ledger.db"
        with Ledger.open(arguments.url or file) as ledger:
            print(
                f"{database(ledger)}, Python {platform.python_version()}, SQLAlchemy {version('sqlalchemy')}"
            )
            measure(ledger, arguments.runs)
            if file.exists():
                print(f"  file: {file.stat().st_size / 1e6:.0f} MB")
    print(f"  most memory used: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def database(ledger: Ledger) -> str:
    """Which database, and its version."""
    if ledger.engine.dialect.name == "sqlite":
        return f"SQLite {sqlite3.sqlite_version}"
    with ledger.snapshot() as snapshot:
        return f"PostgreSQL {snapshot.connection.exec_driver_sql('SHOW server_version').scalar()}"


def measure(ledger: Ledger, runs: int) -> None:
    """Fills the ledger and prints the figures."""
    seconds, _ = timed(lambda: fill(ledger, runs))
    count = ledger.head().n
    print(f"recording {count:,} rows: {seconds:.1f} s, {count / seconds:,.0f} rows/s")
    seconds, faults = timed(lambda: verify_ledger(ledger))
    print(f"verifying: {seconds:.1f} s, {count / seconds:,.0f} rows/s, {len(faults)} faults")
    seconds, _ = timed(lambda: verify_ledger(ledger, checks=()))
    print(f"what a command looks at before it adds anything (no meaning): {seconds:.1f} s")
    for attempt in ("first", "second"):
        seconds, balances = timed(ledger.balances)
        print(f"balances of {len(balances):,} lots, {attempt} time: {1000 * seconds:.1f} ms")
    seconds, _ = timed(lambda: ledger.balance(lot_name(0, 1)))
    print(f"balance of one: {1000 * seconds:.1f} ms")
    seconds, found = timed(lambda: sum(1 for _ in ledger.rows(commodity=lot_name(0, 1))))
    print(f"the {found:,} rows of one lot: {1000 * seconds:.1f} ms")


def fill(ledger: Ledger, runs: int) -> None:
    """Runs, period after period."""
    for run in range(runs):
        period = f"P{run * PERIODS // runs + 1:02d}"
        with ledger.writing() as writer:
            document = writer.archive(f"run {run}".encode())
            grams = 2 * ORDERS * (run + 1)
            totals = {"baseline": 10**12, "allocated": grams, "forgone": 0, "expired": 0}
            totals |= {"retired": 0, "retired_at_origin": 0, "released": 0}
            writer.journal("post", key=f"run:{run}", details={"files": {"a": document}, "tco2e_g": totals})
            if writer.find(f"period:{period}") is None:
                days = {"start": f"2026-{period[1:]}-01", "end": f"2026-{period[1:]}-28"}
                writer.state("period", period=period, key=f"period:{period}", details=days)
            post(writer, run, period)
            facts = {"baseline_g": [10**12, 0, 0], "allocated_g": [0, 0, grams], "released_g": [0, 0, 0]}
            product = f"product {run}"
            key = f"residual:{product}:{period}:1"
            writer.state("residual", period=period, subject=product, key=key, details=facts)


def lot_name(run: int, number: int) -> str:
    """The commodity of a run's lot."""
    return f"lot:{run:03d}-{number:02d}"


def post(writer: Writer, run: int, period: str) -> None:
    """Lots received, two of them drawn on for every order, and what that means in g CO2e."""
    effects = dict.fromkeys(range(LOTS), 0)
    for number in range(LOTS):
        lot = lot_name(run, number)
        facts: Facts = {"row": {"category": "low_carbon_primary"}, "unit_value": "1"}
        writer.state("lot", subject=lot[4:], key=lot, details=facts)
        move(writer, "received", period, lot, QUANTITY)
        move(writer, "realised", period, "effect:" + lot[4:], QUANTITY)
    for number in range(ORDERS):
        order = f"{run:03d}-{number:05d}"
        for drawn in (number % LOTS, (number + 1) % LOTS):
            facts = grams_of(run + 1) | {"offer": ""}
            move(writer, "allocated", period, lot_name(run, drawn), run + 1, order, facts)
            effects[drawn] += run + 1
        facts = grams_of(2 * (run + 1)) | {"product": f"product {run}", "cfp_after": "1.250000"}
        writer.state("claim", period=period, subject=order, key=f"claim:{order}:1", details=facts)
    for number, grams in effects.items():
        move(writer, "allocated", period, "effect:" + lot_name(run, number)[4:], grams)


def grams_of(grams: int) -> Facts:
    """Details of what an order got."""
    return {"credited_g": grams, "scope1_g": 0, "scope2_g": 0, "scope3_g": grams}


def move(
    writer: Writer, kind: str, period: str, commodity: str, quantity: int, subject: str = "",
    details: Facts | None = None,
) -> None:  # fmt: skip
    """From the source to held, or from held to allocated."""
    accounts = {"debit": "held", "credit": "allocated"}
    if kind != "allocated":
        accounts = {"debit": "source", "credit": "held"}
    writer.move(
        kind, period=period, commodity=commodity, quantity=quantity, subject=subject, details=details or {},
        **accounts,
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
