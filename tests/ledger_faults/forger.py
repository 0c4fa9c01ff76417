"""Somebody with the database's password and a knowledge of the format, but not the keeper's key."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from massbalance.ledger.checkpoint import Checkpoint
from massbalance.ledger.migrations.versions.v0001_entry_document import SQLITE_GUARDS
from massbalance.ledger.rows import GENESIS, HELD, Row, chained, details_text, held_after
from massbalance.ledger.schema import COLUMNS
from massbalance.ledger.signing import Signer

Record = dict[str, Any]
Lie = Callable[[list[Record]], list[Record]]


def rewrite(file: Path, lie: Lie, *, rehash: bool = False, key: Signer | None = None) -> None:
    """Tell a lie: the rows are changed behind the guards, which stand again afterwards.

    rehash: the chain is made anew from the first wrong row on; key: signatures are, too, with this key.
    """
    with sqlite3.connect(file) as database:
        rows = [dict(zip(COLUMNS, row, strict=True)) for row in database.execute("SELECT * FROM entry")]
        rows = lie(rows)
        if rehash or key is not None:
            rechained(rows, key)
        for name in SQLITE_GUARDS:
            database.execute(f"DROP TRIGGER {name}")
        database.execute("DELETE FROM entry")
        marks = ", ".join("?" * len(COLUMNS))
        database.executemany(f"INSERT INTO entry VALUES ({marks})", [tuple(row.values()) for row in rows])
        for guard in SQLITE_GUARDS.values():
            database.execute(guard.strip())


def rechained(rows: list[Record], key: Signer | None) -> None:
    """Hashes that follow from what the rows say now; with a key, its signatures and its name."""
    before = GENESIS
    for at, row in enumerate(rows):
        if key is not None and row["kind"] == "key":
            row["key"] = f"key:{key.key_id}"
            row["details"] = details_text({**json.loads(row["details"]), "public": key.public_hex})
        if key is not None and row["kind"] == "signed":
            old = Checkpoint.read(row["details"])
            new = replace(old, n=rows[at - 1]["n"], hash=before.hex(), key=key.public_hex, signature="")
            signed = replace(new, signature=key.sign(new.message()))
            row["key"], row["details"] = f"checkpoint:{new.n}", details_text(signed.document())
        columns = {name: value for name, value in row.items() if name != "hash"}
        before = chained(before, Row(**{**columns, "key": row["key"] or ""}).digest())
        row["hash"] = before.hex()


def renumbered(rows: list[Record]) -> list[Record]:
    """Rows numbered one after the other again, their journals with them, balances summed anew."""
    new = {row["n"]: at for at, row in reversed(list(enumerate(rows, 1)))}
    held: dict[str, int] = {}
    for at, row in enumerate(rows, 1):
        row["journal"], row["n"] = new.get(row["journal"], row["journal"]), at
        name = row["commodity"]
        if row["kind"] == "expired":
            row["quantity"] = min(row["quantity"], held.get(name, 0))
        if name:
            moved = row["debit"], row["credit"], row["quantity"]
            row["held"] = held[name] = held_after(held.get(name, 0), *moved)
            if row["debit"] == row["credit"] == HELD:
                row["quantity"] = row["held"]
    return rows


def first(rows: list[Record], kind: str, subject: str | None = None) -> Record:
    """The first row of a kind, about a subject."""
    return next(row for row in rows if row["kind"] == kind and subject in (None, row["subject"]))


def told(row: Record, **facts: object) -> None:
    """Other details of a row."""
    row["details"] = details_text({**json.loads(row["details"]), **facts})


def without(rows: list[Record], kind: str) -> list[Record]:
    """The rows without every journal of a kind."""
    gone = {row["n"] for row in rows if row["kind"] == kind}
    return renumbered([row for row in rows if row["journal"] not in gone])


def _told(kind: str, about: str | None = None, /, **facts: object) -> Lie:
    """Other details of the first row of a kind."""

    def lie(rows: list[Record]) -> list[Record]:
        told(first(rows, kind, about), **facts)
        return renumbered(rows)

    return lie


def _put(kind: str, about: str | None = None, /, **columns: object) -> Lie:
    """Other columns of the first row of a kind."""

    def lie(rows: list[Record]) -> list[Record]:
        first(rows, kind, about).update(columns)
        return renumbered(rows)

    return lie


def _put_in(rows: list[Record]) -> list[Record]:
    at = rows.index(first(rows, "period"))
    return renumbered([*rows[: at + 1], {**rows[at], "key": "period:Q9", "period": "Q9"}, *rows[at + 1 :]])


def _two_swapped(rows: list[Record]) -> list[Record]:
    claims = [at for at, row in enumerate(rows) if row["kind"] == "claim"]
    a, b = claims[0], claims[1]
    rows[a], rows[b] = rows[b], rows[a]
    return renumbered(rows)


def _cut(rows: list[Record]) -> list[Record]:
    last = max(row["journal"] for row in rows)
    return [row for row in rows if row["journal"] < last]


LIES: dict[str, Lie] = {
    "a claim of more": _told("claim", "A0-share", claimed_g=11_000_000),
    "a better footprint": _told("claim", "A0-share", cfp_after="9"),
    "an allocation to another order": _put("allocated", "A0-share", subject="A0-power"),
    "more drawn": _put("allocated", "A0-share", quantity=5_500_000),
    "a receipt raised": _put("received", "GREEN", quantity=25_000_000),
    "a lot that is another": _told("lot", "GREEN", unit_value="9"),
    "no lock": lambda rows: without(rows, "lock"),
    "no reversal": lambda rows: without(rows, "reversal"),
    "no expiry": lambda rows: without(rows, "expiry"),
    "another approver": _told("post", approver="somebody"),
    "another rule": _told("rules", version="9"),
    "another reason": _told("reversal", reason="none"),
    "an earlier time": _put("post", at="1999-12-31T23:59:59Z"),
    "a period that ends later": _told("period", end="2026-12-31"),
    "a certificate of another number": _put("certified", key="certificate:X-9"),
    "a certificate for another": _put("certified", subject="A0-power"),
    "another ledger": _told("open", ledger="0" * 32),
    "another key": _told("key", who="the forger"),
    "two rows swapped": _two_swapped,
    "a row taken out": lambda rows: renumbered([r for r in rows if r["kind"] != "withdrawn"]),
    "a row put in": _put_in,
    "the tail cut off": _cut,
    "nothing but the beginning": lambda rows: rows[:1],
}  # fmt: skip
"""What somebody might want the ledger to say; balances are summed anew, so that only the lie is left."""
