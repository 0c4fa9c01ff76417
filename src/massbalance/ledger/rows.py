"""A row of the ledger, its one spelling, and the hash that chains it to the row before.

A row either moves a quantity of one commodity from one account to another (double entry: what one
account loses, the other gains) or states a fact (no commodity moves). Rows are numbered 1, 2, 3, ...
and never change. digest(row) = SHA-256 of its line; hash(row) = SHA-256(hash of the row before +
digest), as raw bytes, from 32 zero bytes. So whoever holds the digests alone can follow the chain, and
an extract may leave out the text of rows that are nobody else's business.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from json.encoder import encode_basestring as _quoted
from typing import Any

GENESIS = bytes(32)
"""The hash before the first row."""

HELD = "held"
"""The account that may be drawn upon; its balance is never below zero."""

_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"))

_PLAIN = frozenset({str, int, bool, type(None)})

LARGEST = 2**63 - 1
"""Quantities are 64-bit integers in the database."""


def details_text(details: Mapping[str, Any]) -> str:
    """Details in their one spelling: keys sorted, no spaces, no floats (TypeError)."""
    _refuse_floats(details)
    return _ENCODER.encode(details)


def _refuse_floats(value: object) -> None:
    if isinstance(value, float):
        raise TypeError("floats have no place in a ledger")
    if isinstance(value, Mapping):
        value = value.values()
    elif not isinstance(value, list | tuple):
        return
    for inner in value:
        if type(inner) not in _PLAIN:
            _refuse_floats(inner)


@dataclass(frozen=True)
class Row:
    """One row. Its columns in the order of its line.

    n: 1, 2, 3, ...; journal: n of the first row of what was posted together; kind: a word of the
    glossary (`data/README.md`); at: UTC time of recording, `YYYY-MM-DDTHH:MM:SSZ`, never before the row
    before; period: accounting period, "" where none is meant; commodity: what moves, "" for a fact;
    debit, credit: the accounts that lose and gain; quantity: millionths of the commodity's unit, at least
    0; held: balance of the commodity's account `held` after this row (None for a fact); subject: what the
    row is about (an order, a product, a lot, a certificate), for walks; key: unique in the ledger, for
    what may happen once only, else ""; details: JSON in its one spelling.
    """

    n: int
    journal: int
    kind: str
    at: str
    period: str
    commodity: str
    debit: str
    credit: str
    quantity: int
    held: int | None
    subject: str
    key: str
    details: str

    def line(self) -> str:
        """The row in its one spelling: a JSON array, details as an object."""
        held = "null" if self.held is None else self.held
        return (
            f"[{self.n},{self.journal},{_quoted(self.kind)},{_quoted(self.at)},{_quoted(self.period)},"
            f"{_quoted(self.commodity)},{_quoted(self.debit)},{_quoted(self.credit)},{self.quantity},{held},"
            f"{_quoted(self.subject)},{_quoted(self.key)},{self.details}]"
        )

    def digest(self) -> bytes:
        """SHA-256 of the line in UTF-8."""
        return hashlib.sha256(self.line().encode()).digest()

    def facts(self) -> dict[str, Any]:
        """The details as a dictionary."""
        return dict(json.loads(self.details))


def chained(before: bytes, digest: bytes) -> bytes:
    """Hash of a row from the hash of the row before and its own digest (32 bytes each)."""
    return hashlib.sha256(before + digest).digest()


def held_after(before: int, debit: str, credit: str, quantity: int) -> int:
    """Balance of `held` after a movement (a carry-over moves from `held` to `held`)."""
    return before + (quantity if credit == HELD else 0) - (quantity if debit == HELD else 0)
