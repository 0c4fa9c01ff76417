"""Anything in any order: a ledger against a dictionary of balances and a list of rows."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from massbalance.ledger import kinds
from massbalance.ledger.problems import Conflict, LedgerError
from massbalance.ledger.rows import LARGEST
from massbalance.ledger.store import Ledger
from samples import START, verify

LOTS = st.sampled_from(["lot:A", "lot:B", "lot:é", "effect:A"])
PERIODS = ["P1", "P2", "P3"]
QUANTITY = st.integers(0, 30) | st.sampled_from([LARGEST, LARGEST - 1, 2**40])
OUT = {"lot": ["allocated", "blocked", "expired"], "effect": ["allocated", "forgone", "expired", "retired"]}
STARTS = {"P1": "2026-01-01", "P2": "2026-04-01", "P3": "2026-07-01"}


class Books:
    """What the ledger should come to."""

    def __init__(self) -> None:
        self.accounts: dict[tuple[str, str], int] = {}
        self.reached: dict[str, str] = {}
        self.keys: dict[str, int] = {}
        self.locked: set[str] = set()
        self.rows = 1
        self.documents: set[bytes] = set()

    def copy(self) -> Books:
        other = Books()
        other.accounts, other.reached, other.keys = dict(self.accounts), dict(self.reached), dict(self.keys)
        other.locked, other.rows, other.documents = set(self.locked), self.rows, set(self.documents)
        return other

    def of(self, commodity: str, account: str = "held") -> int:
        return self.accounts.get((commodity, account), 0)

    def may(self, period: str, commodity: str) -> bool:
        if period in self.locked:
            return False
        return not commodity.startswith("lot:") or period >= self.reached.get(commodity, "")

    def move(self, period: str, commodity: str, debit: str, credit: str, quantity: int) -> None:
        self.accounts[commodity, debit] = self.of(commodity, debit) - quantity
        self.accounts[commodity, credit] = self.of(commodity, credit) + quantity
        self.reached[commodity] = period
        self.rows += 1


class Machine(RuleBasedStateMachine):
    """Journals of movements, facts and documents, ended or given up; the ledger opened again at any time."""

    new_url: ClassVar

    def __init__(self) -> None:
        super().__init__()
        self.url = type(self).new_url()
        self.now = START
        self.ledger = Ledger.open(self.url, clock=self.clock)
        self.books = Books()
        self.draft: Books | None = None
        self.stack = ExitStack()
        self.writer = None

    def clock(self) -> datetime:
        return self.now

    @initialize()
    def periods(self) -> None:
        with self.ledger.writing(self.clock) as writer:
            writer.journal("post")
            for period in PERIODS:
                details = {"start": STARTS[period], "end": ""}
                writer.state("period", period=period, key=f"period:{period}", details=details)
        self.books.rows += 4
        self.books.keys |= {f"period:{period}": 3 + number for number, period in enumerate(PERIODS)}

    @rule(seconds=st.integers(-(10**9), 10**9))
    def clock_moves(self, seconds: int) -> None:
        self.now = START + timedelta(seconds=seconds)

    @precondition(lambda self: self.writer is None)
    @rule()
    def begin(self) -> None:
        self.writer = self.stack.enter_context(self.ledger.writing(self.clock))
        self.draft = self.books.copy()
        self.journal("", None)

    @precondition(lambda self: self.writer is not None)
    @rule(key=st.sampled_from(["", "a", "b", "c"]), lock=st.none() | st.sampled_from(PERIODS[:2]))
    def journal(self, key: str, lock: str | None) -> None:
        if key and self.writer.find(key):
            assert self.draft.keys[key] == self.writer.find(key).n
            return
        kind, period = ("intake", "") if lock is None else (kinds.LOCK, lock)
        n = self.writer.journal(kind, key=key, period=period)
        self.draft.rows += 1
        assert n == self.draft.rows
        if key:
            self.draft.keys[key] = n
        if lock:
            self.draft.locked.add(lock)

    @precondition(lambda self: self.writer is not None)
    @rule(lot=LOTS, quantity=QUANTITY, period=st.sampled_from(PERIODS))
    def receive(self, lot: str, quantity: int, period: str) -> None:
        kind = "received" if lot.startswith("lot") else "realised"
        right = self.draft.of(lot) + quantity <= LARGEST
        self.try_move(kind, right, period, lot, "source", "held", quantity)

    @precondition(lambda self: self.writer is not None)
    @rule(lot=LOTS, quantity=QUANTITY, period=st.sampled_from(PERIODS), data=st.data())
    def give(self, lot: str, quantity: int, period: str, data: st.DataObject) -> None:
        account = data.draw(st.sampled_from(OUT[lot.partition(":")[0]]))
        self.try_move(account, quantity <= self.draft.of(lot), period, lot, "held", account, quantity)

    @precondition(lambda self: self.writer is not None)
    @rule(
        lot=st.sampled_from(["lot:A", "lot:B", "lot:é"]),
        period=st.sampled_from(PERIODS),
        all_of_it=st.booleans(),
    )
    def carry(self, lot: str, period: str, all_of_it: bool) -> None:
        held = self.writer.balance(lot)
        assert held == self.draft.of(lot)
        quantity = held if all_of_it else held + 1
        self.try_move("carried_over", all_of_it, period, lot, "held", "held", quantity)

    def try_move(
        self, kind: str, right: bool, period: str, lot: str, debit: str, credit: str, quantity: int
    ) -> None:
        named = {"period": period, "commodity": lot, "debit": debit, "credit": credit, "quantity": quantity}
        if right and self.draft.may(period, lot):
            row = self.writer.move(kind, **named)
            self.draft.move(period, lot, debit, credit, quantity)
            assert (row.n, row.held) == (self.draft.rows, self.draft.of(lot))
            return
        with pytest.raises(LedgerError):
            self.writer.move(kind, **named)

    @precondition(lambda self: self.writer is not None)
    @rule(key=st.sampled_from(["", "d", "e"]), right=st.booleans())
    def fact(self, key: str, right: bool) -> None:
        if key in self.draft.keys:
            return
        commodity = "lot:A"
        quantity = self.draft.of(commodity) + (0 if right else 1)
        if not right:
            with pytest.raises(Conflict):
                self.writer.state("assertion", details={"commodity": commodity, "quantity": quantity})
            return
        self.writer.state("assertion", key=key, details={"commodity": commodity, "quantity": quantity})
        self.draft.rows += 1
        if key:
            self.draft.keys[key] = self.draft.rows

    @precondition(lambda self: self.writer is not None)
    @rule(content=st.binary(max_size=3))
    def archive(self, content: bytes) -> None:
        assert self.writer.document(self.writer.archive(content)) == content
        self.draft.documents.add(content)

    @precondition(lambda self: self.writer is not None)
    @rule()
    def look(self) -> None:
        assert self.writer.head().n == self.draft.rows
        self.compare(self.writer, self.draft)

    @precondition(lambda self: self.writer is not None)
    @rule()
    def end(self) -> None:
        self.stack.close()
        self.books, self.writer = self.draft, None

    @precondition(lambda self: self.writer is not None)
    @rule()
    def give_up(self) -> None:
        with pytest.raises(ZeroDivisionError), self.stack:
            raise ZeroDivisionError
        self.writer = None

    @precondition(lambda self: self.writer is not None)
    @rule(key=st.sampled_from(["a", "b", "c", "d", "period:P1"]))
    def use_a_key_twice(self, key: str) -> None:
        if key not in self.draft.keys:
            return
        with pytest.raises(Conflict), self.stack:
            self.writer.state("claim", key=key)
        self.writer = None

    @precondition(lambda self: self.writer is None)
    @rule()
    def open_again(self) -> None:
        self.ledger.close()
        self.ledger = Ledger.open(self.url, create=False)

    @precondition(lambda self: self.writer is None)
    @rule()
    def verify(self) -> None:
        assert verify(self.ledger) == []

    @invariant()
    def as_it_should_be(self) -> None:
        """Readers see what was committed, whatever is under way."""
        if self.writer is None:
            self.compare(self.ledger, self.books)
        assert self.ledger.head().n == self.books.rows

    def compare(self, reading: object, books: Books) -> None:
        held = {lot: books.of(lot) for lot, account in books.accounts if account == "held"}
        assert reading.balances("") == held
        for commodity in {lot for lot, _ in books.accounts}:
            assert sum(quantity for (lot, _), quantity in books.accounts.items() if lot == commodity) == 0
            assert reading.balance(commodity) == books.of(commodity)
        assert sum(1 for _ in reading.rows()) == books.rows
        for key, n in books.keys.items():
            assert reading.find(key).n == n
        assert len(list(reading.documents())) == len(books.documents)

    def teardown(self) -> None:
        if self.writer is not None:
            with pytest.raises(ZeroDivisionError), self.stack:
                raise ZeroDivisionError
        assert verify(self.ledger) == []
        self.ledger.close()


def test_anything_in_any_order(new_url) -> None:
    class Here(Machine):
        pass

    Here.new_url = staticmethod(new_url)
    quiet = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    limits = settings(max_examples=15, stateful_step_count=25, suppress_health_check=quiet, deadline=None)
    run_state_machine_as_test(Here, settings=limits)
