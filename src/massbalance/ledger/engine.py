"""Connections to a ledger's database, and its errors in words.

SQLite: write-ahead log, every commit synced, writers queue up (`BEGIN IMMEDIATE`) until the timeout.
PostgreSQL: readers see one state (repeatable read), writers lock the table of entries.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine

from massbalance.ledger.location import shown
from massbalance.ledger.problems import Conflict, LedgerError, LedgerMissing, Refused, Tampered, fault

TIMEOUT = 30.0
"""Seconds that a writer waits for the one before it."""

_WRITE = "ledger_write"
_TURN_MS = 250
_CACHE = 64 * 1024  # kB of pages a connection to SQLite may keep


def make_engine(url: URL, *, timeout: float = TIMEOUT, read_only: bool = False) -> Engine:
    """An engine for the address. Nothing is opened yet. LedgerError where a driver is missing."""
    if url.drivername.startswith("sqlite"):
        return _sqlite(url, timeout, read_only)
    try:
        return sa.create_engine(
            url,
            pool_pre_ping=True,
            connect_args={"connect_timeout": max(2, int(timeout)), "application_name": "massbalance"},
            execution_options={"lock_timeout": timeout},
        )
    except ModuleNotFoundError as error:
        words = "the driver of PostgreSQL: install massbalance[postgres]"
        raise LedgerError(fault(words, "ledger-driver", value=shown(url))) from error


def _sqlite(url: URL, timeout: float, read_only: bool) -> Engine:
    path = Path(url.database or "")

    def connect() -> sqlite3.Connection:
        mode = "mode=ro&immutable=1" if read_only else "mode=rwc"
        # No implicit BEGIN: SQLAlchemy's begin (below) is the only one.
        return sqlite3.connect(
            f"{path.as_uri()}?{mode}",
            uri=True,
            timeout=timeout,
            isolation_level=None,
            check_same_thread=False,
        )

    engine = sa.create_engine(url, creator=connect)
    sa.event.listen(engine, "connect", _prepare)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: sqlite3.Connection, record: object) -> None:
    connection.executescript(
        "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA foreign_keys = ON;"
        f"PRAGMA recursive_triggers = ON; PRAGMA trusted_schema = OFF; PRAGMA cache_size = -{_CACHE};"
    )


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get(_WRITE, False):
        driver: Any = connection.connection.driver_connection
        _take_turn(driver)
    else:
        connection.exec_driver_sql("BEGIN")


def _take_turn(driver: sqlite3.Connection) -> None:
    """Begins as the one writer. Waits in short turns, since within one nothing hears of a Ctrl-C."""
    patience = int(driver.execute("PRAGMA busy_timeout").fetchone()[0])
    until = time.monotonic() + patience / 1000
    driver.execute(f"PRAGMA busy_timeout = {min(patience, _TURN_MS)}")
    try:
        while True:
            try:
                driver.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if not _busy(error) or time.monotonic() > until:
                    raise
            else:
                return
    finally:
        driver.execute(f"PRAGMA busy_timeout = {patience}")


def use_write_ahead_log(engine: Engine, timeout: float = TIMEOUT) -> None:
    """Switches an SQLite file to its write-ahead log; another process may be doing the same."""
    until = time.monotonic() + timeout
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        while True:
            try:
                # Some file systems cannot have one; then SQLite's older journal serves, as safely.
                cursor.execute("PRAGMA journal_mode = WAL").fetchone()
            except sqlite3.OperationalError as error:
                if not _busy(error) or time.monotonic() > until:
                    raise
                time.sleep(0.02)
            else:
                return
    finally:
        connection.close()


def settle(engine: Engine) -> None:
    """Moves what an SQLite file's log holds into the file: no lost log can then cost a ledger its tables."""
    connection = engine.raw_connection()
    try:
        connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    finally:
        connection.close()


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection whose reads all see one state of the ledger."""
    options: dict[str, Any] = {}
    if engine.dialect.name != "sqlite":
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with (
        in_words(engine),
        engine.connect().execution_options(**options) as connection,
        connection.begin(),
    ):
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A connection in a transaction of its own that commits at the end and rolls back on any exception."""
    with (
        in_words(engine),
        engine.connect().execution_options(**{_WRITE: True}) as connection,
        connection.begin(),
    ):
        if engine.dialect.name != "sqlite":
            wait = int(1000 * connection.get_execution_options()["lock_timeout"])
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {max(1, wait)}")
            connection.exec_driver_sql("SET LOCAL synchronous_commit = on")
        yield connection


def append(
    connection: Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[object, ...]]
) -> None:
    """Inserts rows, many at once, in the way that is quickest for the database."""
    names = ", ".join(f'"{name}"' for name in columns)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(columns))
        connection.exec_driver_sql(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)  # noqa: S608
        return
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def asker(connection: Connection, query: str) -> Callable[[str], Sequence[Any] | None]:
    """Asks for one row, often: straight from the driver. query: with one mark `?` for what differs."""
    driver: Any = connection.connection.driver_connection
    cursor = driver.cursor()
    text = query if connection.dialect.name == "sqlite" else query.replace("?", "%s")

    def ask(value: str) -> Sequence[Any] | None:
        found: Sequence[Any] | None = cursor.execute(text, (value,)).fetchone()
        return found

    return ask


def driver_errors(engine: Engine) -> tuple[type[Exception], ...]:
    """What reading and writing may raise: SQLAlchemy's errors, and those of the driver itself."""
    return sa.exc.SQLAlchemyError, engine.dialect.loaded_dbapi.Error


@contextmanager
def in_words(engine: Engine) -> Iterator[None]:
    """Turns the database's errors into a LedgerError that says what happened and where."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        raise _translated(error.orig, engine.url) from error
    except engine.dialect.loaded_dbapi.Error as error:
        raise _translated(error, engine.url) from error
    except sa.exc.SQLAlchemyError as error:
        raise LedgerError(fault("a database that answers", "ledger-database", value=_first(error))) from error


def _translated(error: BaseException | None, url: URL) -> LedgerError:
    if isinstance(error, sqlite3.Error):
        return _from_sqlite(error, url)
    return _from_postgresql(error, url)


_SQLITE: tuple[tuple[str, type[LedgerError], str, str], ...] = (
    ("SQLITE_BUSY", Conflict, "no other process writing the ledger; try again", "ledger-busy"),
    ("SQLITE_LOCKED", Conflict, "no other process writing the ledger; try again", "ledger-busy"),
    ("SQLITE_CONSTRAINT", Conflict, "a row that the ledger's guards let pass", "ledger-guard"),
    ("SQLITE_FULL", LedgerError, "room on the disk; nothing was recorded", "ledger-disk"),
    ("SQLITE_IOERR", LedgerError, "a disk that can be read and written; nothing was recorded", "ledger-disk"),
    ("SQLITE_NOTADB", Refused, "a ledger's file", "ledger-foreign"),
    ("SQLITE_CORRUPT", Tampered, "a file that is whole", "ledger-damaged"),
    ("SQLITE_TOOBIG", Refused, "less than 1 GB in one piece", "ledger-size"),
    ("SQLITE_READONLY", LedgerError, "a file that may be written", "ledger-permission"),
    ("SQLITE_PERM", LedgerError, "a file that may be opened", "ledger-permission"),
    ("SQLITE_AUTH", LedgerError, "a file that may be opened", "ledger-permission"),
    ("SQLITE_CANTOPEN", LedgerError, "a file in a folder that may be opened", "ledger-permission"),
)


def _from_sqlite(error: sqlite3.Error, url: URL) -> LedgerError:
    name = getattr(error, "sqlite_errorname", "") or ""
    for start, kind, words, code in _SQLITE:
        if name.startswith(start):
            return kind(fault(f"{words} ({_first(error)})", code, value=shown(url)))
    return LedgerError(fault("a database that answers", "ledger-database", value=_first(error)))


_POSTGRESQL: tuple[tuple[str, type[LedgerError], str, str], ...] = (
    ("40", Conflict, "no other process writing the ledger; try again", "ledger-busy"),
    ("55P03", Conflict, "no other process writing the ledger; try again", "ledger-busy"),
    ("23", Conflict, "a row that the ledger's guards let pass", "ledger-guard"),
    ("P0001", Conflict, "a row that the ledger's guards let pass", "ledger-guard"),
    ("53", LedgerError, "a server with room to work; nothing was recorded", "ledger-disk"),
    ("58", LedgerError, "a server with a disk that works; nothing was recorded", "ledger-disk"),
    ("22", Refused, "values that the columns take", "ledger-guard"),
    ("25006", LedgerError, "a database that may be written", "ledger-permission"),
    ("42501", LedgerError, "the rights to use the ledger", "ledger-permission"),
    ("28", LedgerError, "a name and password that the server takes", "ledger-permission"),
    ("3D000", LedgerMissing, "a database that exists", "ledger-missing"),
    ("XX", Tampered, "a database that is whole", "ledger-damaged"),
    ("54", Refused, "less than 1 GB in one piece", "ledger-size"),
)


def _from_postgresql(error: BaseException | None, url: URL) -> LedgerError:
    state = getattr(error, "sqlstate", None) or ""
    for start, kind, words, code in _POSTGRESQL:
        if state.startswith(start):
            return kind(fault(f"{words} ({_first(error)})", code, value=shown(url)))
    if not state and "connection failed" in str(error):
        return _unreachable(error, url)
    if not state or state.startswith(("08", "57P")):
        words = (
            f"a server that answers ({_first(error)}); what was being recorded is in the ledger whole or not "
            "at all: do it again, a second time changes nothing"
        )
        return LedgerError(fault(words, "ledger-connection", value=shown(url)))
    return LedgerError(fault("a database that answers", "ledger-database", value=_first(error)))


def _unreachable(error: BaseException | None, url: URL) -> LedgerError:
    """No connection; the server's reason comes as words only."""
    if "does not exist" in str(error):
        return LedgerMissing(
            fault(f"a database that exists ({_first(error)})", "ledger-missing", value=shown(url))
        )
    words = f"a server that answers and lets us in ({_first(error)})"
    return LedgerError(fault(words, "ledger-connection", value=shown(url)))


def _busy(error: BaseException | None) -> bool:
    return (getattr(error, "sqlite_errorname", "") or "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


def _first(error: BaseException | None) -> str:
    return (str(error).splitlines() or [""])[0]
