"""Opening, reading and writing a ledger."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from direct import Direct
from massbalance.ledger import schema
from massbalance.ledger.problems import LedgerMissing, Refused, Tampered
from massbalance.ledger.rows import LARGEST
from massbalance.ledger.store import Ledger
from samples import START, fill, receive, verify

# ---- opening -----------------------------------------------------------------------------------------------


def test_a_new_ledger_has_one_row_that_names_it(ledger_url: str) -> None:
    with pytest.raises(LedgerMissing):
        Ledger.open(ledger_url, create=False)
    with Ledger.open(ledger_url, name="日軽", clock=lambda: START) as ledger:
        (first,) = ledger.rows()
        assert (first.n, first.journal, first.kind, first.at) == (1, 1, "open", "2026-04-01T09:00:00Z")
        assert first.facts() == {"format": 1, "ledger": ledger.id, "name": "日軽"}
        assert len(bytes.fromhex(ledger.id)) == 16
        assert ledger.head().n == 1
        assert verify(ledger) == []
    with Ledger.open(ledger_url, create=False) as again:
        assert again.id == ledger.id
        assert again.head() == ledger.head()


def test_an_empty_file_is_no_ledger_but_becomes_one(new_sqlite_url) -> None:
    url = new_sqlite_url()
    with Direct(url):
        pass
    with pytest.raises(LedgerMissing):
        Ledger.open(url, create=False)
    with Ledger.open(url) as ledger:
        assert ledger.head().n == 1


def test_another_database_is_refused_and_left_alone(ledger_url: str) -> None:
    with Direct(ledger_url) as other:
        other.run("CREATE TABLE wages (name TEXT)")
    for create in (True, False):
        with pytest.raises(Refused) as refused:
            Ledger.open(ledger_url, create=create)
        assert refused.value.faults[0].code == "ledger-foreign"
        assert refused.value.exit_code == 3
    with Direct(ledger_url) as other:
        assert other.run("SELECT count(*) FROM wages").fetchone()[0] == 0
        if other.sqlite:
            assert other.all("SELECT name FROM sqlite_master") == [("wages",)]
            assert other.all("PRAGMA journal_mode") == [("delete",)]


def test_a_file_of_something_else_is_refused(new_sqlite_url, tmp_path) -> None:
    url = new_sqlite_url()
    for content in (b"date,amount\n" * 100, b"SQLite format 3\x00" + b"\x07" * 4000):
        Path(url).write_bytes(content)
        with pytest.raises((Refused, Tampered)):
            Ledger.open(url)
        assert Path(url).read_bytes() == content
    with pytest.raises(LedgerMissing):
        Ledger.open(tmp_path)


def test_a_newer_ledger_is_refused(ledger: Ledger, ledger_url: str) -> None:
    with Direct(ledger_url) as other:
        other.run(f"UPDATE {schema.VERSION_TABLE} SET version_num = '9999'")
    with pytest.raises(Refused) as refused:
        Ledger.open(ledger_url)
    assert refused.value.faults[0].code == "ledger-newer"


def test_a_ledger_of_another_format_is_refused(ledger_url: str) -> None:
    with Ledger.open(ledger_url), Direct(ledger_url) as other:
        other.drop_guards()
        other.run("UPDATE entry SET details = replace(details, '\"format\":1', '\"format\":2')")
    with pytest.raises(Refused):
        Ledger.open(ledger_url)
    with Direct(ledger_url) as other:
        other.run("UPDATE entry SET details = '[' WHERE n = 1")
    with pytest.raises(Tampered):
        Ledger.open(ledger_url)


def test_an_older_ledger_is_brought_forward(ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a future version would: its migrations run at the next opening, on rows that stay as they are."""
    with Ledger.open(ledger_url) as ledger:
        fill(ledger)
        head = ledger.head()
    made = []

    def known() -> list[str]:
        return ["0002", "0001"]

    def upgrade(connection: object) -> None:
        made.append(connection)
        connection.exec_driver_sql(f"UPDATE {schema.VERSION_TABLE} SET version_num = '0002'")

    monkeypatch.setattr(schema, "REVISION", "0002")
    monkeypatch.setattr(schema, "known_revisions", known)
    monkeypatch.setattr(schema, "upgrade", upgrade)
    with Ledger.open(ledger_url, create=False) as ledger:
        assert ledger.head() == head
    assert len(made) == 1
    with Ledger.open(ledger_url):
        assert len(made) == 1


def test_the_revision_is_that_of_the_newest_migration() -> None:
    assert schema.known_revisions()[0] == schema.REVISION


def test_the_tables_are_as_queries_see_them(ledger: Ledger) -> None:
    import sqlalchemy as sa

    with ledger.snapshot() as snapshot:
        found = sa.inspect(snapshot.connection)
        for table in schema.METADATA.sorted_tables:
            assert [c["name"] for c in found.get_columns(table.name)] == [c.name for c in table.columns]


# ---- writing and reading -----------------------------------------------------------------------------------


def test_rows_come_back_as_written(ledger: Ledger) -> None:
    written = []
    with ledger.writing(lambda: START) as writer:
        journal = writer.journal(
            "post", key="run:1", subject="S", period="P1", details={"名": ["é", 1, None, True]}
        )
        assert journal == 2
        written.append(
            writer.state("claim", key="claim:é:0", subject="e\u0301", period="P1", details={"a": "\x00"})
        )
        written.append(
            writer.move(
                "received", period="P1", commodity="lot:🜚", debit="source", credit="held", quantity=LARGEST,
                subject="　", details={"b": 2**70},
            )
        )  # fmt: skip
        assert list(writer.rows(after=2)) == written
        assert writer.find("claim:é:0") == written[0]
        assert writer.find("run:1").n == 2
        assert writer.balance("lot:🜚") == LARGEST
        assert writer.balances() == {"lot:🜚": LARGEST}
        assert writer.head().n == 4
        head = writer.head()
    assert list(ledger.rows(after=2)) == written
    assert ledger.head() == head
    assert next(ledger.rows(journal=2)).facts() == {"名": ["é", 1, None, True]}
    assert ledger.find("claim:é:0") == written[0]
    assert ledger.find("nothing") is None
    assert verify(ledger) == []


def test_rows_can_be_chosen(ledger: Ledger) -> None:
    fill(ledger)
    every = list(ledger.rows())
    hashed = list(ledger.hashed_rows())
    assert [row for row, _ in hashed] == every
    assert hashed[-1][1] == ledger.head().hash
    by = {
        "kind": "allocated", "period": "P2", "commodity": "lot:銅", "subject": "O1",
        "journal": every[-1].journal,
    }  # fmt: skip
    for column, value in by.items():
        expected = [row for row in every if getattr(row, column) == value]
        assert expected
        assert list(ledger.rows(**{column: value})) == expected
    some = list(ledger.rows(kinds=["allocated", "received"], period="P1", after=6, upto=9))
    assert some == [
        row
        for row in every
        if row.kind in ("allocated", "received") and row.period == "P1" and 6 < row.n <= 9
    ]
    assert list(ledger.rows(kinds=[])) == []
    for journal in {row.journal for row in every}:
        assert list(ledger.rows(journal=journal)) == [row for row in every if row.journal == journal]


def test_balances_by_prefix(ledger: Ledger) -> None:
    names = ["lot:A", "lot:AB", "lot:B", "lot:\U0010ffff", "lot:é", "lot:日本"]
    with ledger.writing() as writer:
        writer.journal("intake")
        for number, name in enumerate(names):
            receive(writer, name[4:], number)
        writer.move("realised", period="P1", commodity="effect:A", debit="source", credit="held", quantity=9)
    expected = {name: number for number, name in enumerate(names)}
    assert ledger.balances() == expected
    assert list(ledger.balances()) == sorted(expected)
    assert ledger.balances("effect:") == {"effect:A": 9}
    assert ledger.balances("") == expected | {"effect:A": 9}
    assert ledger.balances("lot:A") == {"lot:A": 0, "lot:AB": 1}
    assert ledger.balances("lot:é") == {"lot:é": 4}
    assert ledger.balances("lot:\U0010ffff") == {"lot:\U0010ffff": 3}
    assert ledger.balances("x") == {}
    assert ledger.balance("lot:x") == 0


def test_documents(ledger: Ledger) -> None:
    contents = [b"", b"x", random.Random(4).randbytes(300_000), b"0" * 10**6]
    with ledger.writing() as writer:
        names = [writer.archive(content) for content in contents]
        assert [writer.archive(content) for content in contents] == names
        assert writer.document(names[2]) == contents[2]
    with ledger.writing() as writer:
        assert writer.archive(b"x") == names[1]
    assert [ledger.document(name) for name in names] == contents
    assert dict(ledger.documents()) == dict(zip(names, map(len, contents), strict=True))
    assert ledger.head().n == 1
    with pytest.raises(LedgerMissing):
        ledger.document("0" * 64)


def test_a_changed_document_is_not_given_out(ledger: Ledger, ledger_url: str) -> None:
    with ledger.writing() as writer:
        name = writer.archive(b"paid")
    with Direct(ledger_url) as other:
        other.drop_guards()
        other.run("UPDATE document SET content = ?", b"nonsense")
    with pytest.raises(Tampered) as seen:
        ledger.document(name)
    assert seen.value.exit_code == 8


# ---- all or nothing ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_nothing_stays_of_what_did_not_end(ledger: Ledger, error: type[BaseException]) -> None:
    fill(ledger)
    before, documents = list(ledger.hashed_rows()), dict(ledger.documents())

    def interrupted() -> None:
        with ledger.writing() as writer:
            writer.journal("intake")
            for number in range(6000):
                receive(writer, f"L{number}", 1, "P2")
            writer.archive(b"a new one")
            raise error

    with pytest.raises(error):
        interrupted()
    assert list(ledger.hashed_rows()) == before
    assert dict(ledger.documents()) == documents
    with ledger.writing() as writer:
        writer.journal("intake")
    assert ledger.head().n == len(before) + 1
    assert verify(ledger) == []


def test_a_writer_ends_with_its_transaction(ledger: Ledger) -> None:
    with ledger.writing() as writer:
        with pytest.raises(RuntimeError):
            writer.state("claim")
        writer.journal("intake")
    with pytest.raises(RuntimeError):
        writer.journal("intake")
    with pytest.raises(RuntimeError):
        list(writer.rows())


def test_readers_see_one_state(ledger: Ledger, ledger_url: str) -> None:
    fill(ledger)
    before = list(ledger.rows())
    rows = ledger.rows()
    next(rows)
    with ledger.snapshot() as snapshot:
        assert snapshot.head().n == len(before)
        with Ledger.open(ledger_url) as other, other.writing() as writer:
            writer.journal("intake")
            receive(writer, "new", 1, "P2")
        assert snapshot.head().n == len(before)
        assert list(snapshot.rows()) == before
        assert "lot:new" not in snapshot.balances()
    assert len(list(rows)) == len(before) - 1
    assert ledger.balances()["lot:new"] == 1
