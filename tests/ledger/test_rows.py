"""A row's one spelling, and the chain, against hashes made here by hand."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from massbalance.ledger.rows import GENESIS, Row, chained, details_text, held_after
from massbalance.ledger.store import Ledger
from samples import START, allocate, receive

OPEN = '[1,1,"open","2026-04-01T09:00:00Z","","","","",0,null,"","",{"format":1,"ledger":"%s","name":""}]'
POST = '[2,2,"post","2026-04-01T09:00:00Z","","","","",0,null,"","run:1",{"name":"初回 \\"1\\""}]'
RECEIVED = '[3,2,"received","2026-04-01T09:00:00Z","P1","lot:A","source","held",5,5,"","",{}]'
ALLOCATED = (
    '[4,2,"allocated","2026-04-01T09:00:00Z","P1","lot:A","held","allocated",2,3,"O1","",{"a":1,"b":[2]}]'
)


def test_the_chain_of_known_rows(ledger_url: str) -> None:
    with Ledger.open(ledger_url, clock=lambda: START) as ledger:
        with ledger.writing(lambda: START) as writer:
            writer.journal("post", key="run:1", details={"name": '初回 "1"'})
            receive(writer, "A", 5)
            allocate(writer, "A", 2, subject="O1", details={"b": [2], "a": 1})
        rows = list(ledger.hashed_rows())
        lines = [OPEN % ledger.id, POST, RECEIVED, ALLOCATED]
    assert [row.line() for row, _ in rows] == lines
    before = bytes(32)
    for line, (_, stored) in zip(lines, rows, strict=True):
        before = hashlib.sha256(before + hashlib.sha256(line.encode("utf-8")).digest()).digest()
        assert stored == before.hex()


def test_a_known_hash() -> None:
    """Never changes: certificates and checkpoints out there rest on it."""
    row = Row(1, 1, "open", "2026-04-01T09:00:00Z", "", "", "", "", 0, None, "", "", '{"format":1}')
    assert row.digest().hex() == hashlib.sha256(row.line().encode()).hexdigest()
    known = "481a6e2cf4ed064aa3a0ce8b780ed5bbfa8e4e7267c84d1ec40930f3b7aeeb63"
    assert chained(GENESIS, row.digest()).hex() == known


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NUMBER = st.integers(0, 2**63 - 1)
QUICK = settings(max_examples=60)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=4,
)
DETAILS = st.dictionaries(TEXT, VALUE)


@QUICK
@given(NUMBER, NUMBER, st.lists(TEXT, min_size=8, max_size=8), NUMBER, st.none() | NUMBER, DETAILS)
def test_a_line_is_json_and_its_own_inverse(
    n: int, journal: int, texts: list[str], quantity: int, held: int | None, details: dict[str, object]
) -> None:
    kind, at, period, commodity, debit, credit, subject, key = texts
    row = Row(
        n,
        journal,
        kind,
        at,
        period,
        commodity,
        debit,
        credit,
        quantity,
        held,
        subject,
        key,
        details_text(details),
    )
    line = row.line()
    *columns, facts = json.loads(line)
    assert columns == [n, journal, *texts[:6], quantity, held, *texts[6:]]
    assert facts == details == row.facts()
    assert line == json.dumps([*columns, facts], ensure_ascii=False, separators=(",", ":"), sort_keys=True)


@QUICK
@given(DETAILS)
def test_details_have_one_spelling(details: dict[str, object]) -> None:
    text = details_text(details)
    assert details_text(json.loads(text)) == text
    assert details_text(dict(reversed(details.items()))) == text


@given(st.recursive(st.floats(), lambda inner: st.lists(inner, min_size=1, max_size=2), max_leaves=3))
def test_floats_are_refused_at_any_depth(value: object) -> None:
    for details in ({"a": value}, {"a": {"b": [1, value]}}):
        with pytest.raises(TypeError):
            details_text(details)


@given(NUMBER, NUMBER)
def test_what_is_held(before: int, quantity: int) -> None:
    assert held_after(before, "source", "held", quantity) == before + quantity
    assert held_after(before, "held", "allocated", quantity) == before - quantity
    assert held_after(before, "held", "held", quantity) == before
    assert held_after(before, "allocated", "expired", quantity) == before
