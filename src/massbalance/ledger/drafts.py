"""A row before it has a number: what the translation of a run, or an operation, wants recorded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from massbalance.ledger.writer import Writer


@dataclass(frozen=True, slots=True)
class Draft:
    """A movement, or (without a commodity) a fact. The fields are those of `rows.Row`."""

    kind: str
    period: str = ""
    commodity: str = ""
    debit: str = ""
    credit: str = ""
    quantity: int = 0
    subject: str = ""
    key: str = ""
    details: Mapping[str, Any] | None = None


def record(writer: Writer, drafts: Iterable[Draft]) -> int:
    """Append the drafts to the writer's journal, in their order; how many they were."""
    count = 0
    for d in drafts:
        count += 1
        if d.commodity:
            writer.move(
                d.kind, period=d.period, commodity=d.commodity, debit=d.debit, credit=d.credit,
                quantity=d.quantity, subject=d.subject, key=d.key, details=d.details or {},
            )  # fmt: skip
        else:
            writer.state(d.kind, period=d.period, subject=d.subject, key=d.key, details=d.details or {})
    return count
