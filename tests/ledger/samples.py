"""A small ledger in which something of everything happened."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from massbalance.domain.faults import Fault
from massbalance.ledger.chain import verify_ledger
from massbalance.ledger.checkpoint import Checkpoint, sign
from massbalance.ledger.semantic import Assertions, Books, Documents, Periods
from massbalance.ledger.signing import Signer
from massbalance.ledger.store import Ledger
from massbalance.ledger.writer import Writer

STORE = [Books, Periods, Assertions, Documents]
"""Checks of any ledger. Those of what runs and claims mean need rows that a posting wrote."""

START = datetime(2026, 4, 1, 9, 0, 0, tzinfo=UTC)


class Ticking:
    """A clock that goes on by a minute each time it is asked."""

    def __init__(self, start: datetime = START) -> None:
        self.time = start

    def __call__(self) -> datetime:
        self.time += timedelta(minutes=1)
        return self.time


def verify(ledger: Ledger, checkpoints: Iterable[object] = (), **named: object) -> list[Fault]:
    """Faults of the store: numbering, chain, books, periods, documents, checkpoints, guards."""
    return verify_ledger(ledger, checkpoints, checks=STORE, **named)


def receive(writer: Writer, lot: str, quantity: int, period: str = "P1", **more: object) -> None:
    writer.move(
        "received",
        period=period,
        commodity=f"lot:{lot}",
        debit="source",
        credit="held",
        quantity=quantity,
        **more,
    )


def allocate(writer: Writer, lot: str, quantity: int, period: str = "P1", **more: object) -> None:
    writer.move(
        "allocated",
        period=period,
        commodity=f"lot:{lot}",
        debit="held",
        credit="allocated",
        quantity=quantity,
        **more,
    )


def carry(writer: Writer, lot: str, period: str) -> None:
    held = writer.balance(f"lot:{lot}")
    writer.move(
        "carried_over", period=period, commodity=f"lot:{lot}", debit="held", credit="held", quantity=held
    )


def periods(writer: Writer) -> None:
    for number, (start, end) in enumerate([("04-01", "06-30"), ("07-01", "09-30"), ("10-01", "12-31")], 1):
        writer.state(
            "period", period=f"P{number}", key=f"period:P{number}",
            details={"start": f"2026-{start}", "end": f"2026-{end}"},
        )  # fmt: skip


def fill(ledger: Ledger, signer: Signer | None = None) -> list[Checkpoint]:
    """Two posts, a lock, an assertion and a certificate; gives the checkpoints. 30 rows or so."""
    clock = Ticking()
    points = []
    with ledger.writing(clock) as writer:
        document = writer.archive("日本語の文書".encode() * 50)
        writer.journal("post", key="run:1", details={"files": {"orders.csv": document}, "note": "初回"})
        periods(writer)
        for lot in ("A", "B", "銅"):
            receive(writer, lot, 10**9, subject=lot)
            allocate(writer, lot, 4 * 10**8, subject="O1", details={"offer": "", "credited_g": 1})
        writer.move("blocked", period="P1", commodity="lot:B", debit="held", credit="blocked", quantity=5)
        if signer:
            points.append(sign(writer, signer, "the keeper"))
    with ledger.writing(clock) as writer:
        writer.journal("lock", period="P1", key="lock:P1")
        writer.journal("assertion", details={"commodity": "lot:A", "quantity": 6 * 10**8})
    with ledger.writing(clock) as writer:
        writer.journal("post", key="run:2")
        for lot in ("A", "B", "銅"):
            carry(writer, lot, "P2")
            allocate(writer, lot, 10**8, "P2", subject="O2")
        for number in range(3):
            facts = {"run": "2", "claimed_g": number, "cfp_after": "1.250000"}
            writer.state("claim", key=f"claim:O2:{number}", subject="O2", period="P2", details=facts)
        writer.journal("certificate")
        pdf, text = writer.archive(b"%PDF"), writer.archive(b"{}")
        facts = {"serial": "S1", "document": text, "pdf": pdf}
        writer.state("certified", key="certificate:S1", subject="O2", details=facts)
        if signer:
            points.append(sign(writer, signer))
    return points
