"""Whether a ledger is what was recorded: every row, every document, every checkpoint."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from massbalance.domain.faults import Fault
from massbalance.ledger import kinds
from massbalance.ledger.checkpoint import Checkpoint
from massbalance.ledger.engine import driver_errors
from massbalance.ledger.guards import missing_guards
from massbalance.ledger.problems import LedgerError, Tampered, fault
from massbalance.ledger.reading import as_row, unpacked
from massbalance.ledger.rows import GENESIS, Row, chained, details_text
from massbalance.ledger.schema import COLUMNS, DOCUMENT, ENTRY
from massbalance.ledger.semantic import Check, CheckMaker, Keys, standard_checks
from massbalance.ledger.store import Ledger, Snapshot

MOST = 100
"""Faults told of the rows; the first are what matters, one change may make many."""

_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{64}")
_STREAM = 2000
_SENSELESS = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
"""What a check of meaning raises on details that lack what it needs: a fault, not an error."""


def verify_ledger(
    ledger: Ledger,
    checkpoints: Iterable[Checkpoint | Mapping[str, Any]] = (),
    *,
    keys: Iterable[str] = (),
    checks: Iterable[CheckMaker] | None = None,
) -> list[Fault]:
    """Every fault of the ledger, those of rows by their n: the first is the first wrong row.

    checkpoints: such as others held. keys: public keys (hex) known from elsewhere; if given, only these may
    have signed. checks: of meaning, else `standard_checks`. Checked are numbering, spelling, chain, keys,
    journals, times, double entry, balances, periods, locks, assertions, checkpoints, documents and the
    database's guards. Rows are streamed: 1,000,000 take well under a minute.
    """
    makers = standard_checks() if checks is None else checks
    try:
        with ledger.snapshot() as snapshot:
            return Walk(snapshot, checkpoints, frozenset(keys), makers).faults()
    except Tampered as damage:
        return damage.faults


def require_sound(
    ledger: Ledger, progress: Callable[[str], None], *, checks: Iterable[CheckMaker] | None = ()
) -> None:
    """Raises Tampered (8) with every fault of a ledger, before anybody builds on it; no meaning unless told.

    checks: as `verify_ledger`.
    """
    progress("checking the ledger")
    found = verify_ledger(ledger, checks=checks)
    if found:
        raise Tampered(found)


class Walk:
    """One pass over a ledger."""

    def __init__(
        self,
        snapshot: Snapshot,
        checkpoints: Iterable[Checkpoint | Mapping[str, Any]],
        trusted: frozenset[str],
        makers: Iterable[CheckMaker],
    ) -> None:
        self._snapshot = snapshot
        self._unread: list[Fault] = []
        self._checkpoints = self._given(checkpoints)
        self._signed = Keys(snapshot.id, trusted, lambda: self._before)
        self._checks: list[Check] = [self._signed, *(make() for make in makers)]
        self._by_kind: dict[str, list[Check]] = {}
        self._n, self._journal, self._at = 0, 0, ""
        self._hash, self._before = GENESIS.hex(), ""
        self._keys: set[str] = set()
        self._wanted = {point.n for point in self._checkpoints}
        self._hashes: dict[int, str] = {}

    def faults(self) -> list[Fault]:
        """All faults: rows first, in their order."""
        found: list[Fault] = []
        for told in self._rows():
            found.append(told)
            if len(found) >= MOST:
                words = "no further faults; only the first are told"
                found.append(fault(words, "ledger-many", row=told.row))
                break
        else:
            found += self._end()
        found += self._unread
        for point in self._checkpoints:
            found += self._held_by_others(point)
        return found + list(_documents(self._snapshot)) + missing_guards(self._snapshot.connection)

    # ---- rows ---------------------------------------------------------------------------------------------

    def _rows(self) -> Iterator[Fault]:
        for record in self._records():
            if isinstance(record, Fault):
                yield record
                return
            yield from self._record(record)

    def _records(self) -> Iterator[Sequence[Any] | Fault]:
        """Every row of the table, whatever its n; at last a fault if one cannot even be read."""
        connection = self._snapshot.connection
        query = sa.select(ENTRY).order_by(ENTRY.c.n)
        try:
            yield from connection.execute(query, execution_options={"yield_per": _STREAM})
        except driver_errors(connection.engine) as error:
            yield fault(f"a row that can be read ({error})", "ledger-damaged", row=self._n + 1)

    def _record(self, record: Sequence[Any]) -> Iterator[Fault]:
        if tuple(map(type, record)) not in _TYPES:
            yield from self._mistyped(record)
            return
        row, stored = as_row(record), record[-1]
        if row.n != self._n + 1:
            yield fault(f"row {self._n + 1}", "ledger-number", row=row.n, column="n", value=row.n)
        self._n = row.n
        self._before = self._hash
        yield from self._chain(row, stored)
        if row.at != self._at or row.journal != self._journal or row.journal == row.n:
            yield from self._order(row)
        if record[11] is not None:
            yield from self._key(row.key)
        facts = _facts(row.details)
        if facts is None:
            yield fault("JSON in its one spelling", "ledger-spelling", row=row.n, column="details")
            return
        yield from self._meaning(row, facts)

    def _mistyped(self, record: Sequence[Any]) -> Iterator[Fault]:
        n = record[0] if type(record[0]) is int else None
        for name, value in zip(COLUMNS, record, strict=True):
            if type(value) not in _COLUMN_TYPES.get(name, (str,)):
                words = "a value of the column's type"
                yield fault(words, "ledger-spelling", row=n or self._n + 1, column=name, value=repr(value))
        self._n = n or self._n + 1
        if isinstance(record[-1], str) and _HASH.fullmatch(record[-1]):
            self._hash = record[-1]
        self._keep()

    def _chain(self, row: Row, stored: str) -> Iterator[Fault]:
        try:
            expected = chained(bytes.fromhex(self._hash), row.digest()).hex()
        except UnicodeEncodeError:
            expected = "of text in Unicode"
        if stored != expected:
            yield fault(f"hash {expected}", "ledger-hash", row=row.n, column="hash", value=stored)
            self._hash = stored if _HASH.fullmatch(stored) else GENESIS.hex()
        else:
            self._hash = stored
        self._keep()

    def _keep(self) -> None:
        if self._n in self._wanted:
            self._hashes[self._n] = self._hash

    def _order(self, row: Row) -> Iterator[Fault]:
        """Time never goes back; the rows of a journal follow its first."""
        if row.at < self._at or not _AT.fullmatch(row.at):
            words = f"a time not before {self._at}" if self._at else "a time"
            yield fault(words, "ledger-time", row=row.n, column="at", value=row.at)
        self._at = max(self._at, row.at)
        if row.journal not in (row.n, self._journal):
            words = f"journal {self._journal}, or {row.n} where one begins"
            yield fault(words, "ledger-journal", row=row.n, column="journal", value=row.journal)
        self._journal = row.journal

    def _key(self, key: str) -> Iterator[Fault]:
        if key in self._keys or not key:
            yield fault("a key used once", "ledger-key", row=self._n, column="key", value=key)
        self._keys.add(key)

    def _meaning(self, row: Row, facts: Mapping[str, Any]) -> Iterator[Fault]:
        if not _well_formed(row):
            yield fault("a row of a kind that a ledger knows", "ledger-kind", row=row.n, value=row.kind)
            return
        checks = self._by_kind.get(row.kind)
        if checks is None:
            wanting = [c for c in self._checks if c.kinds is None or row.kind in c.kinds]
            checks = self._by_kind[row.kind] = wanting
        try:
            for check in checks:
                yield from check.row(row, facts)
        except _SENSELESS as error:
            yield _senseless(error, row.n)

    def _end(self) -> Iterator[Fault]:
        for check in self._checks:
            try:
                yield from check.end(self._snapshot)
            except _SENSELESS as error:
                yield _senseless(error, self._n)

    # ---- checkpoints --------------------------------------------------------------------------------------

    def _given(self, checkpoints: Iterable[Checkpoint | Mapping[str, Any]]) -> list[Checkpoint]:
        read = []
        for given in checkpoints:
            try:
                read.append(given if isinstance(given, Checkpoint) else Checkpoint.read(given))
            except LedgerError as problem:
                self._unread += problem.faults
        return read

    def _held_by_others(self, point: Checkpoint) -> Iterator[Fault]:
        here = f"checkpoint of row {point.n}"
        if point.ledger != self._snapshot.id:
            yield fault(
                f"a checkpoint of ledger {self._snapshot.id}", "checkpoint", table=here, value=point.ledger
            )
        for told in self._signed.signature(point, None):
            yield fault(told.expected, told.code, table=here, column=told.column, value=told.value)
        stands = self._hashes.get(point.n)
        if stands is None:
            words = f"row {point.n}, which this checkpoint signs, among {self._n}"
            yield fault(words, "checkpoint", row=point.n)
        elif stands != point.hash:
            words = f"hash {point.hash}, which a checkpoint signs"
            yield fault(words, "checkpoint", row=point.n, column="hash", value=stands)


def _column_types() -> tuple[dict[str, tuple[type, ...]], frozenset[tuple[type, ...]]]:
    none = type(None)
    columns: dict[str, tuple[type, ...]] = dict.fromkeys(COLUMNS, (str,))
    columns |= {"n": (int,), "journal": (int,), "quantity": (int,), "held": (int, none), "key": (str, none)}
    rows: list[tuple[type, ...]] = [()]
    for name in COLUMNS:
        rows = [(*row, kind) for row in rows for kind in columns[name]]
    return columns, frozenset(rows)


_COLUMN_TYPES, _TYPES = _column_types()


def _refuse(text: str) -> None:
    raise ValueError(text)


_DECODER = json.JSONDecoder(parse_float=_refuse, parse_constant=_refuse)


def _facts(details: str) -> dict[str, Any] | None:
    """Details as a dictionary; None where they are not in their one spelling."""
    if details == "{}":
        return {}
    try:
        facts = _DECODER.decode(details)
        return facts if isinstance(facts, dict) and details_text(facts) == details else None
    except (ValueError, RecursionError):
        return None


def _senseless(error: Exception, n: int) -> Fault:
    words = f"details that a row of its kind has ({type(error).__name__}: {error})"
    return fault(words, "ledger-meaning", row=n, column="details")


def _well_formed(row: Row) -> bool:
    """A header, a fact or a movement, with the columns that it needs and no others."""
    if row.commodity:
        return row.kind in kinds.MOVEMENTS and row.held is not None and row.quantity >= 0 and row.period != ""
    bare = not row.debit and not row.credit and row.quantity == 0 and row.held is None
    return bare and (row.kind in kinds.HEADERS if row.journal == row.n else row.kind in kinds.FACTS)


def _documents(snapshot: Snapshot) -> Iterator[Fault]:
    query = sa.select(DOCUMENT).order_by(DOCUMENT.c.sha256)
    try:
        for sha256, size, content in snapshot.connection.execute(query, execution_options={"yield_per": 20}):
            if unpacked(content, size, str(sha256)) is None:
                yield fault("the content its name says", "document", table="document", value=sha256)
    except driver_errors(snapshot.connection.engine) as error:
        yield fault(f"documents that can be read ({error})", "ledger-damaged", table="document")
