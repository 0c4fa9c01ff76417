"""The register of documents: what the ledger has issued, cancelled and replaced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from massbalance.certificates.posted import Basis, withdrawn
from massbalance.ledger.rows import Row

if TYPE_CHECKING:
    from massbalance.ledger.reading import Reading

LIVE, CANCELLED, REPLACED, WITHDRAWN = "live", "cancelled", "replaced", "withdrawn"
_DIGITS = 6


def serial_text(ledger_id: str, number: int) -> str:
    """`MB-`, the first 8 digits of the ledger's id, and the running number."""
    return f"MB-{ledger_id[:8]}-{number:0{_DIGITS}d}"


def next_serial(reading: Reading, ledger_id: str) -> str:
    """The serial after the last one issued. Serials run on without gaps, so few look-ups find it."""

    def issued(number: int) -> bool:
        return reading.find(f"certificate:{serial_text(ledger_id, number)}") is not None

    high = 1
    while issued(high):
        high *= 2
    low = high // 2  # issued, or 0
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if issued(middle) else (low, middle)
    return serial_text(ledger_id, high)


@dataclass(frozen=True)
class Entry:
    """A document in the register: its `certified` fact."""

    row: Row
    facts: Mapping[str, Any]

    @property
    def serial(self) -> str:
        """The document's serial."""
        return str(self.facts["serial"])


@dataclass(frozen=True)
class Status:
    """Where a document stands. state: live, cancelled, replaced, or withdrawn (its claim was reversed)."""

    state: str
    reason: str = ""
    replaced_by: str = ""


@dataclass(frozen=True)
class About:
    """What a document is about: a claim of an order, or the residual of a product and period to someone."""

    kind: str
    subject: str
    period: str = ""
    customer: str = ""

    @staticmethod
    def of(basis: Basis, customer: str = "") -> About:
        """About the fact that a document rests on; an order is one document, whatever its period."""
        if basis.row.kind == "claim":
            return About("certificate", basis.row.subject)
        return About("residual_statement", basis.row.subject, basis.row.period, customer)

    def details(self) -> dict[str, str]:
        """For the `certified` fact."""
        return {"kind": self.kind, "period": self.period, "customer": self.customer}


def entry(reading: Reading, serial: str) -> Entry | None:
    """The document with that serial."""
    row = reading.find(f"certificate:{serial}")
    return None if row is None else Entry(row, row.facts())


def entries(reading: Reading, about: About | None = None) -> list[Entry]:
    """Every document in order of issue, or those about one thing."""
    rows = reading.rows(kind="certified", subject=None if about is None else about.subject)
    found = [Entry(row, row.facts()) for row in rows]
    if about is None:
        return found
    wanted = about.details()
    return [item for item in found if all(item.facts[name] == value for name, value in wanted.items())]


def status(reading: Reading, item: Entry) -> Status:
    """Where a document stands now."""
    row = reading.find(f"cancelled:{item.serial}")
    if row is not None:
        facts = row.facts()
        heir = str(facts.get("replaced_by") or "") or _heir(reading, item)
        return Status(REPLACED if heir else CANCELLED, str(facts.get("reason", "")), heir)
    basis = next(reading.rows(after=item.facts["basis"] - 1, upto=item.facts["basis"]))
    return Status(WITHDRAWN if withdrawn(reading, basis) else LIVE)


def _heir(reading: Reading, item: Entry) -> str:
    """The serial that names this one as replaced: issued after it had been cancelled."""
    rows = reading.rows(kind="certified", subject=item.row.subject, after=item.row.n)
    return next((str(f["serial"]) for f in (row.facts() for row in rows) if f["replaces"] == item.serial), "")
