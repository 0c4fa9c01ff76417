"""A ledger: opening it, reading it, and the one way to write it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy.engine import URL, Connection, Engine

from massbalance.ledger import engine as engines
from massbalance.ledger import kinds, schema
from massbalance.ledger.location import address, shown
from massbalance.ledger.problems import LedgerError, LedgerMissing, Refused, Tampered, fault
from massbalance.ledger.reading import Head, Reading
from massbalance.ledger.rows import Row
from massbalance.ledger.writer import Clock, Writer, now

__all__ = ["FORMAT", "Head", "Ledger", "Row", "Snapshot", "Writer"]

FORMAT = 1
"""Of the rows' spelling and their chain; in row 1."""

_ADVISORY = 0x6D62_6C31  # one creator at a time on a PostgreSQL server


class Ledger(Reading):
    """One account book in one database. Every reading method sees one state; several calls may see several:
    `snapshot` gives them all the same.
    """

    def __init__(self, url: URL, engine: Engine, identity: str) -> None:
        self.url = url
        self.engine = engine
        self.id = identity

    @classmethod
    def open(
        cls,
        url: str | Path | None = None,
        *,
        create: bool = True,
        name: str = "",
        timeout: float = engines.TIMEOUT,
        clock: Clock = now,
    ) -> Ledger:
        """Opens the ledger at `url` (path or address; else MASSBALANCE_LEDGER, else the user's data folder).

        create: makes it where there is none (name goes into its first row); timeout: seconds a writer waits
        for another. Raises LedgerMissing (no ledger there), Refused (a database that is not a ledger, or one
        of a newer version), LedgerError (it cannot be reached or opened).
        """
        where = address(url)
        engine = _found(where, create=create, timeout=timeout)
        try:
            if _look(engine) != "ready":
                _bring_forward(engine, create=create, timeout=timeout, name=name, clock=clock)
            return cls(where, engine, _identity(engine))
        except BaseException:
            engine.dispose()
            raise

    @property
    def place(self) -> str:
        """The address for people, without its password."""
        return shown(self.url)

    def _connected(self) -> AbstractContextManager[Connection]:
        return engines.reading(self.engine)

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Reads that all see the ledger as it is now, whatever others append meanwhile."""
        with engines.reading(self.engine) as connection:
            yield Snapshot(connection, self.id)

    @contextmanager
    def writing(self, clock: Clock = now) -> Iterator[Writer]:
        """Alone, from here to the end: all that is appended is committed, or on any exception nothing.

        Raises Conflict where another process keeps writing for longer than the ledger's timeout.
        """
        with engines.writing(self.engine) as connection:
            if connection.dialect.name != "sqlite":
                connection.exec_driver_sql("LOCK TABLE entry IN EXCLUSIVE MODE")
            writer = Writer(connection, self.id, clock)
            yield writer
            writer.close()

    def close(self) -> None:
        """Closes every connection."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Snapshot(Reading):
    """A ledger as it was at one moment. Made by `Ledger.snapshot`."""

    def __init__(self, connection: Connection, identity: str) -> None:
        self.connection = connection
        self.id = identity

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        yield self.connection


def _found(where: URL, *, create: bool, timeout: float) -> Engine:
    """An engine for the address; an SQLite file that cannot be written is opened for reading only."""
    if not where.drivername.startswith("sqlite"):
        return engines.make_engine(where, timeout=timeout)
    path = Path(where.database or "")
    if path.is_dir() or (not path.exists() and not create):
        raise LedgerMissing(fault("a ledger's file", "ledger-missing", value=path))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        words = f"a folder that may be made ({error.strerror})"
        raise LedgerError(fault(words, "ledger-permission", value=path.parent)) from error
    engine = engines.make_engine(where, timeout=timeout)
    return engines.make_engine(where, read_only=True) if _only_readable(engine, path) else engine


def _only_readable(engine: Engine, path: Path) -> bool:
    """Whether the file opens only as one that nobody writes: without its log, which must then be empty."""
    try:
        _look(engine)
    except LedgerError as error:
        log = path.with_name(path.name + "-wal")
        closed = error.faults[0].code == "ledger-permission"
        return closed and path.exists() and (not log.exists() or log.stat().st_size == 0)
    return False


def _look(engine: Engine) -> str:
    with engines.reading(engine) as connection:
        return _state(connection, shown(engine.url))


def _state(connection: Connection, place: str) -> str:
    """`ready`, `empty` or `older`. Refused if the database is another's, or of a newer version."""
    found = schema.tables(connection)
    if not found:
        return "empty"
    ours = {schema.VERSION_TABLE, schema.ENTRY.name, schema.DOCUMENT.name}
    revision = schema.revision(connection) if ours <= found else None
    if revision is None:
        raise Refused(fault("a ledger, or an empty database to make one in", "ledger-foreign", value=place))
    if revision == schema.REVISION:
        return "ready"
    if revision in schema.known_revisions():
        return "older"
    words = f"a ledger of revision {schema.REVISION} or earlier; a newer massbalance reads this one"
    raise Refused(fault(words, "ledger-newer", value=revision))


def _bring_forward(engine: Engine, *, create: bool, timeout: float, name: str, clock: Clock) -> None:
    """Makes the tables or upgrades them; whoever comes second finds it done."""
    if engine.dialect.name == "sqlite":
        with engines.in_words(engine):
            engines.use_write_ahead_log(engine, timeout)
    with engines.writing(engine) as connection:
        if engine.dialect.name != "sqlite":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY})")
        state = _state(connection, shown(engine.url))
        if state == "ready":
            return
        if state == "empty" and not create:
            raise LedgerMissing(fault("a ledger", "ledger-missing", value=shown(engine.url)))
        schema.upgrade(connection)
        if state == "empty":
            writer = Writer(connection, secrets.token_hex(16), clock)
            details = {"format": FORMAT, "ledger": writer.id, "name": name}
            writer.journal(kinds.OPEN, details=details)
            writer.close()
    if engine.dialect.name == "sqlite":
        with engines.in_words(engine):
            engines.settle(engine)


def _identity(engine: Engine) -> str:
    with engines.reading(engine) as connection:
        first = next(Snapshot(connection, "").rows(upto=1), None)
        try:
            facts = first.facts() if first else {}
        except ValueError:
            facts = {}
    identity = facts.get("ledger")
    if first is None or not isinstance(identity, str):
        raise Tampered(
            fault("a first row that names the ledger", "ledger-open", row=1, value=shown(engine.url))
        )
    if facts.get("format") != FORMAT:
        words = f"a ledger of format {FORMAT}; a newer massbalance reads this one"
        raise Refused(fault(words, "ledger-newer", row=1, value=facts.get("format")))
    return identity
