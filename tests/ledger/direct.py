"""Hands on the database past the ledger: a connection of one's own, with the database's own driver."""

from __future__ import annotations

import sqlite3
from typing import Any

from massbalance.ledger.migrations.versions import v0001_entry_document as made
from massbalance.ledger.schema import COLUMNS


class Direct:
    """Plain SQL; marks are `?` for both databases. Every statement commits at once."""

    def __init__(self, url: str) -> None:
        self.sqlite = "://" not in url
        if self.sqlite:
            self.connection: Any = sqlite3.connect(url, isolation_level=None, timeout=10)
            self.connection.execute("PRAGMA synchronous = off")
            self.error: type[Exception] = sqlite3.Error
        else:
            import psycopg

            self.connection = psycopg.connect(url, autocommit=True)
            self.error = psycopg.Error

    def __enter__(self) -> Direct:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def run(self, sql: str, *values: object) -> Any:
        return self.connection.execute(sql if self.sqlite else sql.replace("?", "%s"), values)

    def all(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.run(sql, *values).fetchall()]

    def content(self) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
        """All that both tables hold."""
        return self.all("SELECT * FROM entry ORDER BY n"), self.all("SELECT * FROM document ORDER BY sha256")

    def insert(self, row: dict[str, object]) -> None:
        names = ", ".join(f'"{name}"' for name in COLUMNS)
        marks = ", ".join("?" * len(COLUMNS))
        self.run(f"INSERT INTO entry ({names}) VALUES ({marks})", *(row[name] for name in COLUMNS))

    def drop_guards(self, *, checks: bool = True) -> None:
        """Triggers gone; with checks=False constraints too (the table is rebuilt without any)."""
        if self.sqlite:
            for name in made.SQLITE_GUARDS:
                self.run(f"DROP TRIGGER IF EXISTS {name}")
        else:
            for table in ("entry", "document"):
                self.run(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        if not checks:
            self.run("ALTER TABLE entry RENAME TO entry_old")
            self.run("CREATE TABLE entry AS SELECT * FROM entry_old")
            self.run("DROP TABLE entry_old")
