"""Whether the database still has the tables and triggers that its migrations made.

Rows are proven by their hashes whatever the database; its guards keep it from taking wrong ones at all.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from massbalance.domain.faults import Fault
from massbalance.ledger.migrations.versions import v0001_entry_document as made
from massbalance.ledger.problems import fault

_TRIGGERS = """
SELECT t.tgname, c.relname, p.proname, p.prosrc, t.tgenabled, pg_get_triggerdef(t.oid)
FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid
JOIN pg_proc p ON p.oid = t.tgfoid
JOIN pg_namespace s ON s.oid = c.relnamespace
WHERE s.nspname = current_schema() AND NOT t.tgisinternal
"""


def missing_guards(connection: Connection) -> list[Fault]:
    """Triggers and tables that are gone or not as they were made; on SQLite also damage to the file."""
    if connection.dialect.name == "sqlite":
        return [*_sqlite(connection), *_damage(connection)]
    return _postgresql(connection)


def _sqlite(connection: Connection) -> list[Fault]:
    expected = {statement.split()[2]: statement.strip() for statement in made.SQLITE_TABLES}
    expected |= {name: statement.strip() for name, statement in made.SQLITE_GUARDS.items()}
    stored = connection.execute(sa.text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
    found = {row[0]: row[1] for row in stored if row[0] != "ledger_revision"}
    return _compared(expected, found)


def _damage(connection: Connection) -> list[Fault]:
    """Faults of the file itself: rows missing from an index, values of another type, torn pages."""
    found = connection.exec_driver_sql("PRAGMA integrity_check(20)").scalars().all()
    return [
        fault("a file that is whole", "guard", table="file", value=text) for text in found if text != "ok"
    ]


def _postgresql(connection: Connection) -> list[Fault]:
    schema = str(connection.scalar(sa.text("SELECT quote_ident(current_schema())")))
    expected = {}
    for name, (table, when, function) in made.POSTGRESQL_TRIGGERS.items():
        source = made.POSTGRESQL_GUARDS[function].replace("{schema}", schema)
        expected[name] = (table, function, source, "A", when.split(" ON ")[0])
    found = {}
    for name, table, function, source, enabled, text in connection.execute(sa.text(_TRIGGERS)):
        when = text.split(" ON ")[0].removeprefix(f"CREATE TRIGGER {name} ")
        found[name] = (table, function, source, enabled, when + (" WHEN" if " WHEN " in text else ""))
    return _compared(expected, found)


def _compared(expected: dict[str, Any], found: dict[str, Any]) -> list[Fault]:
    words = "as the ledger's migrations make it"
    names = [name for name, made_as in expected.items() if found.get(name) != made_as]
    strange = sorted(set(found) - set(expected))
    return [fault(words, "guard", table="schema", value=name) for name in [*names, *strange]]
