"""Edits by hand, guards dropped: `verify_ledger` sees every one and names the first wrong row."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest

from direct import Direct
from edits import Record, records, rehashed, renumbered, rewrite
from massbalance.domain.faults import Fault
from massbalance.ledger.chain import MOST, verify_ledger
from massbalance.ledger.schema import COLUMNS
from massbalance.ledger.signing import Signer
from massbalance.ledger.store import Ledger
from samples import fill, verify


def told(ledger: Ledger, *arguments: object, **named: object) -> list[Fault]:
    """Faults but for those of the guards that were dropped."""
    return [fault for fault in verify(ledger, *arguments, **named) if fault.code != "guard"]


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer.of("test", tmp_path / "key.pem")


OTHER_VALUES: dict[str, list[object]] = {
    "n": [1000],
    "journal": [1, 7, 10**6],
    "kind": ["received", "claim", "post", "none"],
    "at": ["2026-01-01T00:00:00Z", "2099-01-01T00:00:00Z"],
    "period": ["P3", "P9", "x"],
    "commodity": ["lot:B", "lot:x", "lot:A "],
    "debit": ["held", "allocated", "blocked"],
    "credit": ["expired", "held", "source"],
    "quantity": [1, 4 * 10**8 + 1, 2**62],
    "held": [0, 1, 2**62],
    "subject": ["O7", ""],
    "key": ["other"],
    "details": ["{}", '{"note": "初回"}', '{"offer":"x","credited_g":1}'],
    "hash": ["0" * 64, "F" * 64],
}


def test_every_column_of_every_third_row(ledger: Ledger, ledger_url: str, signer: Signer) -> None:
    points = fill(ledger, signer)
    assert verify(ledger, points) == []
    with Direct(ledger_url) as other:
        other.drop_guards(checks=False)
        rows = records(other)
        for record in rows[::3] + rows[-1:]:
            for column in COLUMNS:
                for value in OTHER_VALUES[column]:
                    if value == record[column]:
                        continue
                    mark = (column, value, record["n"])
                    other.run(f'UPDATE entry SET "{column}" = ? WHERE n = ?', value, record["n"])
                    faults = told(ledger, points)
                    assert faults, mark
                    if column == "n" and record is not rows[-1]:
                        assert faults[0].row == record["n"] + 1, mark
                    else:
                        assert faults[0].row == (value if column == "n" else record["n"]), mark
                    now = value if column == "n" else record["n"]
                    other.run(f'UPDATE entry SET "{column}" = ? WHERE n = ?', record[column], now)
    assert told(ledger, points) == []


def test_missing_guards_are_told(ledger: Ledger, ledger_url: str) -> None:
    fill(ledger)
    with Direct(ledger_url) as other:
        other.drop_guards()
    faults = verify(ledger)
    assert {fault.code for fault in faults} == {"guard"}
    assert "entry_append" in {fault.value for fault in faults}


@pytest.mark.parametrize(
    "weaken",
    [
        ["CREATE OR REPLACE FUNCTION {schema}.entry_append() RETURNS trigger LANGUAGE plpgsql "
         "AS 'BEGIN RETURN NEW; END'"],
        ["ALTER TABLE entry ENABLE TRIGGER entry_update"],
        ["DROP TRIGGER entry_delete ON entry"],
        ["CREATE FUNCTION {schema}.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
         "CREATE TRIGGER a BEFORE INSERT ON entry FOR EACH ROW EXECUTE FUNCTION {schema}.f()"],
    ],
)  # fmt: skip
def test_weakened_guards_are_told(new_postgres_url, weaken: list[str]) -> None:
    url = new_postgres_url()
    with Ledger.open(url) as ledger, Direct(url) as other:
        assert verify(ledger) == []
        schema = other.all("SELECT quote_ident(current_schema())")[0][0]
        for statement in weaken:
            other.connection.execute(statement.replace("{schema}", schema))
        assert [fault.code for fault in verify(ledger)] == ["guard"]


def test_rows_taken_out_put_in_and_swapped(ledger: Ledger, ledger_url: str) -> None:
    fill(ledger)
    with Direct(ledger_url) as other:
        rows = records(other)
        last = rows[-1]["n"]

        def swap(rows: list[Record]) -> None:
            rows[6]["n"], rows[8]["n"] = rows[8]["n"], rows[6]["n"]

        for name, change, first in [
            ("out", lambda rows: rows[:9] + rows[10:], 11),
            ("out and numbered again", lambda rows: renumbered(rows[:9] + rows[10:]), 10),
            ("the first out", lambda rows: rows[1:], 2),
            ("twice", lambda rows: [*rows, rows[9]], 10),
            ("put in", lambda rows: [*rows, rows[9] | {"n": last + 1}], last + 1),
            ("put in before", lambda rows: [rows[9] | {"n": -5}, *rows], -5),
            ("swapped", swap, 7),
        ]:
            rewrite(other, change, rehash=False)
            faults = told(ledger)
            assert faults, name
            assert faults[0].row == first, name
            rewrite(other, lambda _: [dict(row) for row in rows], rehash=False)
            assert told(ledger) == [], name


def test_many_faults_are_not_all_told(ledger: Ledger, ledger_url: str) -> None:
    with ledger.writing() as writer:
        for _ in range(3 * MOST):
            writer.journal("intake")
    with Direct(ledger_url) as other:
        other.drop_guards()
        other.run("UPDATE entry SET hash = ? WHERE n > 1", "0" * 64)
    faults = told(ledger)
    assert len(faults) == MOST + 1
    assert faults[0].row == 2


# ---- checkpoints -----------------------------------------------------------------------------------------


def test_a_cut_tail_is_seen_by_whoever_holds_a_checkpoint(
    ledger: Ledger, ledger_url: str, signer: Signer
) -> None:
    points = fill(ledger, signer)
    with Direct(ledger_url) as other:
        other.drop_guards()
        other.run("DELETE FROM entry WHERE n >= ?", points[1].n)
    assert told(ledger) == []
    (fault,) = told(ledger, points)
    assert (fault.row, fault.code) == (points[1].n, "checkpoint")
    assert told(ledger, points[:1]) == []


def test_a_chain_made_anew_is_seen(ledger: Ledger, ledger_url: str, signer: Signer, tmp_path: Path) -> None:
    """First against the signatures in it; with them and the keys replaced, against what others hold."""
    points = fill(ledger, signer)
    forger = Signer.of("forger", tmp_path / "forger.pem")

    def less(rows: list[Record]) -> None:
        rows[6]["details"] = '{"offer":"changed"}'

    with Direct(ledger_url) as other:
        rewrite(other, less)
        faults = told(ledger)
        assert [fault.code for fault in faults] == ["checkpoint"] * len(faults)
        assert faults[0].row == points[0].n + 1
        rewrite(other, lambda rows: signed_again(rows, forger))
    assert told(ledger) == []
    assert {fault.row for fault in told(ledger, points)} >= {points[0].n, points[1].n}
    assert told(ledger, keys=[signer.public_hex])


def signed_again(rows: list[Record], forger: Signer) -> list[Record]:
    """Keys and signatures of the forger in place of the keeper's."""
    from dataclasses import replace

    from massbalance.ledger.checkpoint import Checkpoint
    from massbalance.ledger.rows import details_text

    for at, record in enumerate(rows):
        if record["kind"] == "key":
            record["key"] = f"key:{forger.key_id}"
            record["details"] = details_text({"public": forger.public_hex, "who": "the keeper"})
        if record["kind"] == "signed":
            rehashed(rows[:at])
            old = Checkpoint.read(record["details"])
            bare = replace(old, hash=rows[at - 1]["hash"], key=forger.public_hex)
            record["details"] = details_text(replace(bare, signature=forger.sign(bare.message())).document())
    return rows


def test_forged_checkpoints(ledger: Ledger, signer: Signer, tmp_path: Path) -> None:
    from dataclasses import replace

    points = fill(ledger, signer)
    point = points[1]
    forger = Signer.of("forger", tmp_path / "forger.pem")
    theirs = replace(point, key=forger.public_hex)
    for forged in (
        replace(point, n=point.n - 1),
        replace(point, hash="0" * 64),
        replace(point, at="2030-01-01T00:00:00Z"),
        replace(point, ledger="0" * 32),
        replace(point, signature=points[0].signature),
        replace(point, signature=point.signature.upper()),
        replace(point, signature="nonsense"),
        replace(point, key=forger.public_hex),
        replace(theirs, signature=forger.sign(theirs.message())),
        {"n": 3},
        point.document() | {"n": "3"},
    ):
        faults = told(ledger, [forged])
        assert faults, forged
        assert {fault.code for fault in faults} == {"checkpoint"}
    assert told(ledger, points, keys=[signer.public_hex]) == []
    assert told(ledger, points, keys=[forger.public_hex])


# ---- documents -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "edit",
    [
        ("UPDATE document SET content = ?", b"nonsense"),
        ("UPDATE document SET content = ?", zlib.compress(b"something else")),
        ("UPDATE document SET size = size + ?", 1),
        ("UPDATE document SET size = size - ?", 1),
        ("DELETE FROM document WHERE size > ?", 2),
    ],
)
def test_changed_documents(ledger: Ledger, ledger_url: str, edit: tuple[str, object]) -> None:
    fill(ledger)
    with Direct(ledger_url) as other:
        other.drop_guards()
        other.run(*edit)
    faults = told(ledger)
    assert faults
    assert {fault.code for fault in faults} == {"document"}


# ---- wrong though the chain is right ----------------------------------------------------------------------


def moved(rows: list[Record], kind: str = "allocated", commodity: str = "lot:A") -> Record:
    return next(row for row in rows if row["kind"] == kind and row["commodity"] == commodity)


def set_in(of: str, commodity: str = "lot:A", **values: object):
    def change(rows: list[Record]) -> None:
        moved(rows, of, commodity).update(values)

    return change


def more_held(rows: list[Record]) -> None:
    """Five more in lot A from its receipt on, so that all later balances fit."""
    for row in rows:
        if row["commodity"] == "lot:A":
            row["held"] += 5


def in_debt(rows: list[Record]) -> None:
    """Lot A allocates more than it has, with all balances as they follow."""
    row = moved(rows)
    row["quantity"] = 2 * 10**9
    row["held"] = -(10**9)


def overdrawn_elsewhere(rows: list[Record]) -> None:
    row = moved(rows, "blocked", "lot:B")
    row.update(kind="unblocked", debit="blocked", credit="held", held=row["held"] + 10)


def late(rows: list[Record]) -> None:
    moved(rows, "carried_over")["period"] = "P1"


def back(rows: list[Record]) -> None:
    rows[:] = [row for row in rows if row["kind"] != "lock"]
    renumbered(rows)
    row = [row for row in rows if row["commodity"] == "lot:A"][-1]
    row["period"] = "P1"


def twice(rows: list[Record]) -> None:
    rows[-1]["key"] = "run:1"


def asserted(rows: list[Record]) -> None:
    row = next(row for row in rows if row["kind"] == "assertion")
    row["details"] = '{"commodity":"lot:A","quantity":1}'


def spelled(rows: list[Record]) -> None:
    rows[5]["details"] = '{"a": 1}'


def fractional(rows: list[Record]) -> None:
    rows[5]["details"] = '{"a":1.5}'


def backwards(rows: list[Record]) -> None:
    rows[5]["at"] = "2020-01-01T00:00:00Z"


def unkeyed(rows: list[Record]) -> None:
    next(row for row in rows if row["kind"] == "key")["details"] = '{"public":"00","who":""}'


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (more_held, "ledger-held"),
        (in_debt, "ledger-balance"),
        (overdrawn_elsewhere, "ledger-balance"),
        (set_in("allocated", debit="source"), "ledger-held"),
        (set_in("blocked", "lot:B", credit="allocated"), "ledger-accounts"),
        (set_in("carried_over", quantity=1), "ledger-held"),
        (set_in("received", kind="realised"), "ledger-accounts"),
        (late, "ledger-locked"),
        (back, "ledger-period-order"),
        (twice, "ledger-key"),
        (asserted, "ledger-assertion"),
        (spelled, "ledger-spelling"),
        (fractional, "ledger-spelling"),
        (backwards, "ledger-time"),
        (unkeyed, "checkpoint"),
        (set_in("received", kind="wished"), "ledger-kind"),
        (set_in("received", journal=1), "ledger-journal"),
    ],
)
def test_what_a_right_chain_cannot_hide(
    ledger: Ledger, ledger_url: str, signer: Signer, change, code: str
) -> None:
    fill(ledger, signer)
    with Direct(ledger_url) as other:
        rewrite(
            other, lambda rows: change(rows) or (rows if change is unkeyed else signed_again(rows, signer))
        )
    assert told(ledger)[0].code == code


def test_values_no_ledger_writes(new_sqlite_url) -> None:
    """SQLite without its constraints takes anything; reading on goes past it."""
    url = new_sqlite_url()
    with Ledger.open(url) as ledger, Direct(url) as other:
        fill(ledger)
        other.drop_guards(checks=False)
        for column, value in [
            ("held", "5"),
            ("quantity", 1.5),
            ("details", None),
            ("n", None),
            ("kind", b"post"),
        ]:
            old = other.all(f"SELECT {column} FROM entry WHERE n = 8")[0][0]
            other.run(f"UPDATE entry SET {column} = ? WHERE n = 8", value)
            assert told(ledger), (column, value)
            other.run(f"UPDATE entry SET {column} = ? WHERE n = 8 OR n IS NULL", old)
        assert told(ledger) == []
        other.run("UPDATE entry SET subject = CAST(x'ff' AS TEXT) WHERE n = 8")
        assert told(ledger)[0].row is not None


def test_an_index_that_lies(new_sqlite_url) -> None:
    """A balance that the database would answer wrongly is seen too."""
    url = new_sqlite_url()
    with Ledger.open(url) as ledger:
        fill(ledger)
    with Direct(url) as other:
        index = other.all("SELECT * FROM sqlite_master WHERE name = 'entry_commodity'")[0]
        other.drop_guards()
        last = other.all("SELECT max(n) FROM entry WHERE commodity = 'lot:A'")[0][0]
        other.run("UPDATE entry SET held = held + 1 WHERE n = ?", last)
    with Direct(url) as other:  # the index out of sight, while the table is put right again
        other.run("PRAGMA writable_schema = on")
        other.run("DELETE FROM sqlite_master WHERE name = 'entry_commodity'")
    with Direct(url) as other:
        other.run("UPDATE entry SET held = held - 1 WHERE n = ?", last)
        other.run("PRAGMA writable_schema = on")
        other.run("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", *index)
    with Ledger.open(url) as ledger:
        faults = verify(ledger)
    assert "ledger-held" in {fault.code for fault in faults}
    assert "file" in {fault.table for fault in faults}


def test_details_without_sense_are_a_fault(ledger: Ledger) -> None:
    """A right chain of rows that no posting writes: told by the checks of meaning, no error of theirs."""
    fill(ledger)
    faults = verify_ledger(ledger)
    assert faults
    assert {fault.code for fault in faults} == {"ledger-meaning"}
