"""What the database itself refuses, to whoever comes with a connection of their own."""

from __future__ import annotations

import re

import pytest

from direct import Direct
from massbalance.ledger.rows import Row, chained
from massbalance.ledger.schema import COLUMNS
from massbalance.ledger.store import Ledger
from samples import fill, verify

EDITS = [
    "UPDATE entry SET quantity = quantity + 1",
    "UPDATE entry SET n = n",
    "UPDATE entry SET details = '{}' WHERE n = 3",
    "UPDATE entry SET hash = hash WHERE n = (SELECT max(n) FROM entry)",
    'UPDATE entry SET "key" = NULL WHERE "key" IS NOT NULL',
    "UPDATE document SET size = 0",
    "UPDATE document SET content = content",
    "DELETE FROM entry",
    "DELETE FROM entry WHERE n = (SELECT max(n) FROM entry)",
    "DELETE FROM document",
    "DELETE FROM document WHERE size > 0",
    "INSERT INTO entry SELECT * FROM entry WHERE n = 3",
    "INSERT INTO document SELECT * FROM document",
    "INSERT INTO entry SELECT * FROM entry WHERE n = 3 ON CONFLICT (n) DO UPDATE SET quantity = 1",
    'INSERT INTO entry SELECT * FROM entry WHERE n = 2 ON CONFLICT ("key") DO UPDATE SET quantity = 1',
    "INSERT INTO document SELECT * FROM document WHERE true ON CONFLICT (sha256) DO UPDATE SET size = 1",
]
SQLITE = [
    "REPLACE INTO entry SELECT * FROM entry WHERE n = 3",
    "INSERT OR REPLACE INTO entry SELECT * FROM entry",
    "INSERT OR REPLACE INTO entry SELECT * FROM entry WHERE n = (SELECT max(n) FROM entry)",
    "INSERT OR ROLLBACK INTO entry SELECT * FROM entry",
    "INSERT OR FAIL INTO entry SELECT * FROM entry WHERE n = 3",
    "INSERT OR IGNORE INTO entry SELECT * FROM entry",
    "UPDATE OR REPLACE entry SET n = 4 WHERE n = 3",
    "UPDATE OR IGNORE entry SET quantity = 0",
    "UPDATE entry SET _rowid_ = 900 WHERE _rowid_ = 2",
    "UPDATE entry AS e SET quantity = 1 FROM document",
    "REPLACE INTO document SELECT * FROM document",
    "INSERT OR REPLACE INTO document SELECT sha256, 1, x'00' FROM document",
    "WITH gone(n) AS (SELECT 3) DELETE FROM entry WHERE n IN (SELECT n FROM gone)",
]
POSTGRESQL = [
    "TRUNCATE entry",
    "TRUNCATE document",
    "TRUNCATE entry, document RESTART IDENTITY CASCADE",
    "WITH gone AS (DELETE FROM entry WHERE n = 3 RETURNING *) SELECT * FROM gone",
    "WITH new AS (UPDATE entry SET quantity = 0 RETURNING *) SELECT * FROM new",
    "MERGE INTO entry USING (SELECT 3 AS n) AS s ON entry.n = s.n WHEN MATCHED THEN DELETE",
    "MERGE INTO entry USING (SELECT 3 AS n) AS s ON entry.n = s.n WHEN MATCHED THEN UPDATE SET quantity = 0",
    "DELETE FROM ONLY entry",
    "SET session_replication_role = replica; DELETE FROM entry",
    "SET session_replication_role = replica; INSERT INTO entry SELECT n + 1000, journal, kind, at, period, "
    "commodity, debit, credit, quantity, held, subject, NULL, details, hash FROM entry WHERE n = 3",
    "BEGIN; LOCK TABLE entry; DELETE FROM entry; COMMIT",
]


def test_edits_are_refused(ledger: Ledger, ledger_url: str) -> None:
    fill(ledger)
    with Direct(ledger_url) as other:
        before = other.content()
        for edit in EDITS + (SQLITE if other.sqlite else POSTGRESQL):
            if edit.startswith("MERGE") and other.connection.info.server_version < 150_000:
                continue
            with pytest.raises(other.error) as refused:
                other.connection.execute(edit)
            # a second document of one name breaks PostgreSQL's own constraint
            assert re.search("massbalance: |duplicate key", str(refused.value)), edit
            if not other.sqlite:
                other.connection.rollback()
                other.connection.execute("RESET session_replication_role")
            assert other.content() == before, edit
    assert verify(ledger) == []


@pytest.mark.parametrize("recursive", ["on", "off"])
def test_replacing_is_refused_whatever_the_session_sets(new_sqlite_url, recursive: str) -> None:
    url = new_sqlite_url()
    with Ledger.open(url) as ledger:
        fill(ledger)
    with Direct(url) as other:
        other.run(f"PRAGMA recursive_triggers = {recursive}")
        other.run("PRAGMA foreign_keys = off")
        other.run("PRAGMA ignore_check_constraints = on")
        before = other.content()
        for edit in SQLITE:
            with pytest.raises(other.error, match="massbalance: "):
                other.run(edit)
            assert other.content() == before


def following(rows: list[tuple[object, ...]]) -> dict[str, object]:
    """A row that the database takes: lot A allocates 7 more."""
    last = dict(zip(COLUMNS, rows[-1], strict=True))
    held = next(row[9] for row in reversed(rows) if row[5] == "lot:A")
    row = Row(
        last["n"] + 1, last["journal"], "allocated", last["at"], "P2", "lot:A", "held", "allocated", 7,
        held - 7, "O9", "claim:O9:1", "{}",
    )  # fmt: skip
    made = dict(zip(COLUMNS, (*vars(row).values(), ""), strict=True))
    made["hash"] = chained(bytes.fromhex(last["hash"]), row.digest()).hex()
    return made


FACT = {"commodity": "", "debit": "", "credit": "", "quantity": 0, "held": None, "kind": "claim"}

WRONG = {
    "a gap": lambda row: {"n": row["n"] + 1},
    "a number again": lambda row: {"n": row["n"] - 1},
    "below the first": lambda row: {"n": 0},
    "earlier": lambda row: {"at": "2026-04-01T08:59:59Z"},
    "no time": lambda row: {"at": "9"},
    "an old journal": lambda row: {"journal": 2},
    "a journal to come": lambda row: {"journal": row["n"] + 1},
    "a movement that is a header": lambda row: {"journal": row["n"]},
    "a key again": lambda row: {"key": "run:1"},
    "an empty key": lambda row: {"key": ""},
    "more held": lambda row: {"held": row["held"] + 1},
    "less held": lambda row: {"held": row["held"] - 1},
    "nothing held": lambda row: {"held": None},
    "more than is held": lambda row: {"quantity": row["held"] + 8, "held": -1},
    "below zero": lambda row: {"quantity": -7, "held": row["held"] + 14},
    "a commodity of its own": lambda row: {"commodity": "lot:new"},
    "a new commodity in debt": lambda row: {"commodity": "lot:new", "held": -7},
    "to nowhere": lambda row: {"credit": ""},
    "from itself": lambda row: {"credit": "held", "held": row["held"] + 7},
    "no period": lambda row: {"period": ""},
    "a locked period": lambda row: {"period": "P1"},
    "a part carried over": lambda row: {"kind": "carried_over", "credit": "held", "held": row["held"] + 7},
    "a carry-over that allocates": lambda row: {"kind": "carried_over"},
    "half a hash": lambda row: {"hash": row["hash"][:32]},
    "a fact with a quantity": lambda row: FACT | {"quantity": 1},
    "a fact with a balance": lambda row: FACT | {"held": 0},
    "a fact with an account": lambda row: FACT | {"debit": "held"},
    "a second beginning": lambda row: FACT | {"kind": "open"},
    "no kind": lambda row: FACT | {"kind": ""},
    "no subject": lambda row: {"subject": None},
    "no details": lambda row: {"details": None},
}


def test_wrong_rows_are_refused_and_the_right_one_is_not(ledger: Ledger, ledger_url: str) -> None:
    fill(ledger)
    with Direct(ledger_url) as other:
        before = other.content()
        right = following(before[0])
        for name, change in WRONG.items():
            with pytest.raises(other.error):
                other.insert(right | change(right))
            assert other.content() == before, name
        other.insert(right)
    assert verify(ledger) == []
    assert ledger.balance("lot:A") == right["held"]


def test_values_of_another_type_are_refused(new_sqlite_url) -> None:
    """SQLite would take anything anywhere; PostgreSQL never does."""
    url = new_sqlite_url()
    with Ledger.open(url) as ledger:
        fill(ledger)
    with Direct(url) as other:
        right = following(other.content()[0])
        for change in ({"n": "x"}, {"quantity": 7.5}, {"held": "many"}, {"details": b"{}"}, {"n": None}):
            with pytest.raises(other.error):
                other.insert(right | change)


def test_another_schema_cannot_stand_in(new_postgres_url) -> None:
    """A search path that puts an empty table first does not mislead the triggers."""
    url = new_postgres_url()
    with Ledger.open(url) as ledger, Direct(url) as other:
        fill(ledger)
        schema = other.all("SELECT current_schema()")[0][0]
        row = following(other.content()[0])
        other.run("CREATE TEMPORARY TABLE entry AS SELECT * FROM entry LIMIT 0")
        row |= {"n": 1, "journal": 1, "commodity": "lot:new", "held": 7, "debit": "source", "credit": "held"}
        names = ", ".join(f'"{name}"' for name in COLUMNS)
        marks = ", ".join("?" * len(COLUMNS))
        with pytest.raises(other.error, match="massbalance: "):
            other.run(f'INSERT INTO "{schema}".entry ({names}) VALUES ({marks})', *(row[c] for c in COLUMNS))
