"""The tables as queries see them, and bringing a database to the revision that this version knows.

The tables themselves, their triggers and indices are made by the migrations and nowhere else.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.engine import Connection

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

REVISION = "0001"
"""The revision this version writes and reads: that of the newest migration."""

VERSION_TABLE = "ledger_revision"

_ONE_AT_A_TIME = threading.Lock()  # Alembic's context is the process's

METADATA = sa.MetaData()

ENTRY = sa.Table(
    "entry",
    METADATA,
    sa.Column("n", sa.BigInteger, primary_key=True),
    sa.Column("journal", sa.BigInteger),
    sa.Column("kind", sa.Text),
    sa.Column("at", sa.Text),
    sa.Column("period", sa.Text),
    sa.Column("commodity", sa.Text),
    sa.Column("debit", sa.Text),
    sa.Column("credit", sa.Text),
    sa.Column("quantity", sa.BigInteger),
    sa.Column("held", sa.BigInteger),
    sa.Column("subject", sa.Text),
    sa.Column("key", sa.Text),
    sa.Column("details", sa.Text),
    sa.Column("hash", sa.Text),
)

DOCUMENT = sa.Table(
    "document",
    METADATA,
    sa.Column("sha256", sa.Text, primary_key=True),
    sa.Column("size", sa.BigInteger),
    sa.Column("content", sa.LargeBinary),
)

COLUMNS = tuple(column.name for column in ENTRY.columns)
"""Columns of `entry` in the order of a row's line, the hash last."""


def revision(connection: Connection) -> str | None:
    """The revision the database is at; None where the table that tells it is missing or empty."""
    if VERSION_TABLE not in tables(connection):
        return None
    found: str | None = connection.scalar(sa.text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608
    return found


def tables(connection: Connection) -> set[str]:
    """Names of the tables in the database (PostgreSQL: in the first schema of the search path)."""
    if connection.dialect.name == "sqlite":
        names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
    else:
        names = (
            "SELECT c.relname FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace"
            " WHERE s.nspname = current_schema() AND c.relkind IN ('r', 'p', 'f', 'v', 'm')"
        )
    return set(connection.scalars(sa.text(names)))


def known_revisions() -> list[str]:
    """All revisions that this version can bring forward, the newest first."""
    return [script.revision for script in _scripts().walk_revisions()]


def upgrade(connection: Connection) -> None:
    """Runs the migrations that the database lacks, within the connection's transaction."""
    from alembic import command

    config = _config()
    config.attributes["connection"] = connection
    with _ONE_AT_A_TIME:
        command.upgrade(config, REVISION)


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _scripts() -> ScriptDirectory:
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_config())
