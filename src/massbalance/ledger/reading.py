"""What can be read from a ledger: on one connection, or on a new one each time."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from massbalance.ledger.problems import LedgerMissing, Tampered, fault
from massbalance.ledger.rows import GENESIS, LARGEST, Row
from massbalance.ledger.schema import DOCUMENT, ENTRY

_STREAM = 2000  # rows fetched at once
_KEYS = 500  # keys asked for in one query

_BALANCES = {
    "sqlite": """
WITH RECURSIVE found(commodity) AS (
    SELECT min(commodity) FROM entry WHERE commodity >= :low AND commodity < :high
    UNION ALL
    SELECT (SELECT min(commodity) FROM entry WHERE commodity > found.commodity AND commodity < :high)
    FROM found WHERE found.commodity IS NOT NULL
)
SELECT commodity,
    (SELECT held FROM entry WHERE entry.commodity = found.commodity ORDER BY n DESC LIMIT 1)
FROM found WHERE commodity IS NOT NULL
""",
    "postgresql": """
WITH RECURSIVE found AS (
    (SELECT commodity, held FROM entry WHERE commodity >= :low AND commodity < :high
    ORDER BY commodity DESC, n DESC LIMIT 1)
    UNION ALL
    SELECT before.commodity, before.held FROM found, LATERAL (
        SELECT commodity, held FROM entry WHERE commodity >= :low AND commodity < found.commodity
        ORDER BY commodity DESC, n DESC LIMIT 1
    ) AS before
)
SELECT commodity, held FROM found ORDER BY commodity
""",
}
# One or two steps in the index per commodity, however many rows each has.


@dataclass(frozen=True)
class Head:
    """The last row: its n, its hash (64 hex) and its time. An empty ledger: 0, 64 zeros, ""."""

    n: int
    hash: str
    at: str


EMPTY = Head(0, GENESIS.hex(), "")


class Reading:
    """Everything that reads. A subclass says on which connection; id: the ledger's (32 hex, from row 1)."""

    id: str

    def _connected(self) -> AbstractContextManager[Connection]:
        raise NotImplementedError

    def head(self) -> Head:
        """The last row's number, hash and time."""
        query = sa.select(ENTRY.c.n, ENTRY.c.hash, ENTRY.c.at).order_by(ENTRY.c.n.desc()).limit(1)
        with self._connected() as connection:
            last = connection.execute(query).first()
        return Head(*last) if last else EMPTY

    def rows(
        self,
        *,
        kind: str | None = None,
        kinds: Iterable[str] | None = None,
        period: str | None = None,
        commodity: str | None = None,
        subject: str | None = None,
        journal: int | None = None,
        after: int = 0,
        upto: int | None = None,
    ) -> Iterator[Row]:
        """Rows in their order, streamed: those that meet every condition given; after < n <= upto."""
        conditions = _conditions(kind, kinds, period, commodity, subject, journal, after, upto)
        return (row for row, _ in self._selected(conditions))

    def hashed_rows(
        self,
        *,
        kind: str | None = None,
        kinds: Iterable[str] | None = None,
        period: str | None = None,
        commodity: str | None = None,
        subject: str | None = None,
        journal: int | None = None,
        after: int = 0,
        upto: int | None = None,
    ) -> Iterator[tuple[Row, str]]:
        """As `rows`, each with its hash as it stands (64 hex)."""
        return self._selected(_conditions(kind, kinds, period, commodity, subject, journal, after, upto))

    def _selected(self, conditions: list[sa.ColumnElement[bool]]) -> Iterator[tuple[Row, str]]:
        query = sa.select(ENTRY).where(*conditions).order_by(ENTRY.c.n)
        for record in self._streamed(query):
            yield as_row(record), record[-1]

    def _streamed(self, query: sa.Select[Any]) -> Iterator[Any]:
        with self._connected() as connection:
            yield from connection.execute(query, execution_options={"yield_per": _STREAM})

    def find(self, key: str) -> Row | None:
        """The row with that key, if there is one."""
        with self._connected() as connection:
            record = connection.execute(sa.select(ENTRY).where(ENTRY.c.key == key)).first()
        return as_row(record) if record else None

    def find_all(self, keys: Iterable[str]) -> dict[str, Row]:
        """The rows with these keys, by key; a key that no row has is left out."""
        wanted = list(keys)
        found: dict[str, Row] = {}
        with self._connected() as connection:
            for first in range(0, len(wanted), _KEYS):
                query = sa.select(ENTRY).where(ENTRY.c.key.in_(wanted[first : first + _KEYS]))
                found.update((record.key, as_row(record)) for record in connection.execute(query))
        return found

    def last(self, commodity: str) -> Row | None:
        """The last movement of a commodity, None if it never moved."""
        query = sa.select(ENTRY).where(ENTRY.c.commodity == commodity).order_by(ENTRY.c.n.desc()).limit(1)
        with self._connected() as connection:
            record = connection.execute(query).first()
        return as_row(record) if record else None

    def balance(self, commodity: str) -> int:
        """What is held of a commodity now, in millionths of its unit (0 if it never moved)."""
        query = (
            sa.select(ENTRY.c.held).where(ENTRY.c.commodity == commodity).order_by(ENTRY.c.n.desc()).limit(1)
        )
        with self._connected() as connection:
            return connection.scalar(query) or 0

    def balances(self, prefix: str = "lot:") -> dict[str, int]:
        """What is held of every commodity that begins so and ever moved (zeros too), sorted by commodity."""
        limits = {"low": prefix or "\x01", "high": _beyond(prefix)}
        with self._connected() as connection:
            found = connection.execute(sa.text(_BALANCES[connection.dialect.name]), limits)
            return {row[0]: row[1] for row in found}

    def document(self, sha256: str) -> bytes:
        """An archived document. LedgerMissing if there is none; Tampered if it is not what its name says."""
        query = sa.select(DOCUMENT.c.size, DOCUMENT.c.content).where(DOCUMENT.c.sha256 == sha256)
        with self._connected() as connection:
            found = connection.execute(query).first()
        if found is None:
            raise LedgerMissing(fault("a document of the ledger", "document", value=sha256, table="document"))
        content = unpacked(found.content, found.size, sha256)
        if content is None:
            raise Tampered(fault("the content its name says", "document", value=sha256, table="document"))
        return content

    def documents(self) -> Iterator[tuple[str, int]]:
        """Every archived document: SHA-256 and size in bytes, by SHA-256."""
        for record in self._streamed(
            sa.select(DOCUMENT.c.sha256, DOCUMENT.c.size).order_by(DOCUMENT.c.sha256)
        ):
            yield record[0], record[1]


def as_row(record: Sequence[Any]) -> Row:
    """A row from the table's columns (in the database a row without key has none)."""
    columns = list(record[:13])
    columns[11] = columns[11] or ""
    return Row(*columns)


def unpacked(packed: object, size: object, sha256: str) -> bytes | None:
    """The document's content; None where it is not what its name and size say."""
    if not isinstance(packed, bytes | bytearray | memoryview) or not isinstance(size, int) or size < 0:
        return None
    try:
        content = zlib.decompressobj().decompress(bytes(packed), size + 1)
    except (zlib.error, OverflowError):
        return None
    right = len(content) == size and hashlib.sha256(content).hexdigest() == sha256
    return content if right else None


def _conditions(
    kind: str | None,
    kinds: Iterable[str] | None,
    period: str | None,
    commodity: str | None,
    subject: str | None,
    journal: int | None,
    after: int,
    upto: int | None,
) -> list[sa.ColumnElement[bool]]:
    equal = {"kind": kind, "period": period, "commodity": commodity, "subject": subject}
    conditions = [ENTRY.c[name] == value for name, value in equal.items() if value is not None]
    if kinds is not None:
        conditions.append(ENTRY.c.kind.in_(sorted(kinds)))
    if journal is not None:
        conditions += [ENTRY.c.n >= journal, ENTRY.c.n < _end_of(journal), ENTRY.c.journal == journal]
    if after > 0:
        conditions.append(ENTRY.c.n > after)
    if upto is not None:
        conditions.append(ENTRY.c.n <= upto)
    return conditions


def _end_of(journal: int) -> sa.ColumnElement[int]:
    """The n of the first row after a journal: its rows follow each other (the guards see to it)."""
    other = sa.alias(ENTRY)
    query = sa.select(other.c.n).where(other.c.n > journal, other.c.journal != journal)
    return sa.func.coalesce(query.order_by(other.c.n).limit(1).scalar_subquery(), LARGEST)


def _beyond(prefix: str) -> str:
    """The least text above all that begin with the prefix, by code points."""
    while prefix and prefix[-1] == chr(0x10FFFF):
        prefix = prefix[:-1]
    if not prefix:
        return chr(0x10FFFF)
    following = ord(prefix[-1]) + 1
    return prefix[:-1] + chr(0xE000 if 0xD800 <= following < 0xE000 else following)
