"""A ledger that has lived: data/aluminium month by month, with everything that may happen between."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path

from massbalance import records
from massbalance.audit.pack import pack_files
from massbalance.audit.publish import quiet
from massbalance.certificates.issue import Wanted, issue
from massbalance.ledger.posting import post
from massbalance.ledger.reversal import reverse
from massbalance.ledger.run_folder import manifest_bytes, read_run
from massbalance.ledger.signing import Signer
from massbalance.ledger.store import Ledger
from world import World

DATA = Path(__file__).parents[2] / "data" / "aluminium"
MONTHS = ("2026-04", "2026-05", "2026-06", "2026-07")


def part_of(case: Path, months: tuple[str, ...], folder: Path) -> Path:
    """The case of some of its months."""
    shutil.copytree(case, folder, ignore=shutil.ignore_patterns("*.py", "README.md", "__pycache__"))
    kept: set[str] = set()
    for name in ("periods", "production", "orders"):
        path = folder / f"{name}.csv"
        rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8"), newline="")))
        rows = [row for row in rows if row["period"] in months]
        kept |= {row["order"] for row in rows if name == "orders"}
        _write(path, rows)
    offers = folder / "offers.csv"
    rows = list(csv.DictReader(io.StringIO(offers.read_text("utf-8"), newline="")))
    found = [row for row in rows if row["order"] in kept]
    _write(offers, found) if found else offers.unlink()
    return folder


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(out.getvalue(), "utf-8", newline="")


def live(folder: Path) -> tuple[World, dict[str, dict[str, bytes]]]:
    """A ledger after four months, and a pack of each month and of two together."""
    where, key = folder / "ledger.db", folder / "key.pem"
    runs: list[str] = []
    for at, month in enumerate(MONTHS):
        case = part_of(DATA, (month,), folder / f"case-{month}")
        out = folder / f"run-{month}"
        if at:
            records.run_from_ledger(case, out, where)
        else:
            from massbalance.api import run_case

            run_case(case, out)
        with Ledger.open(where) as ledger:
            signer = Signer.of("", key)
            runs.append(post(ledger, read_run(out, manifest_bytes(out)), signer=signer).key)
            between(ledger, at, runs, signer)
    with Ledger.open(where) as ledger, ledger.snapshot() as reading:
        signer = Signer.of("", key)
        packs = {
            "+".join(periods): pack_files(reading, periods, signer, quiet)
            for periods in (*((month,) for month in MONTHS), (MONTHS[0], MONTHS[2]))
        }
    world = World(folder, where, key, folder / f"run-{MONTHS[0]}", (MONTHS[0],), packs[MONTHS[0]])
    return world, packs


def between(ledger: Ledger, at: int, runs: list[str], signer: Signer) -> None:
    """What happens after each month's run."""
    from massbalance.ledger import operations

    month = MONTHS[at]
    orders = [row.subject for row in ledger.rows(kind="claim") if row.period == month]
    for order in orders[:2]:
        issue(ledger, Wanted(runs[at], order=order), signer)
    if at == 0:
        lots = {name: held for name, held in ledger.balances().items() if held}
        name, held = next(iter(sorted(lots.items())))
        operations.assert_balance(ledger, name.removeprefix("lot:"), held, signer=signer)
    if at == 1:
        operations.lock(ledger, MONTHS[0], signer=signer)
        early = [row.subject for row in ledger.rows(kind="claim") if row.period == MONTHS[0]]
        reverse(ledger, runs[0], early[:3], MONTHS[1], "returned by the customer", signer=signer)
    if at == 2:
        reverse(ledger, runs[2], (), MONTHS[2], "a wrong price", signer=signer)
        operations.lock(ledger, MONTHS[1], signer=signer)
