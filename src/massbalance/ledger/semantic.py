"""What rows must mean, beyond their chain: checks that `verify_ledger` feeds with every row.

A check looks at rows in their order and tells faults; at the end it may look at the whole ledger. A new
one is added to `standard_checks`, or passed to `verify_ledger` by a package that stands above this one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

from massbalance.domain.faults import Fault
from massbalance.ledger import kinds
from massbalance.ledger.checkpoint import Checkpoint
from massbalance.ledger.meaning import Claims, Emissions, Runs, Worth
from massbalance.ledger.problems import Refused, fault
from massbalance.ledger.reading import Reading
from massbalance.ledger.rows import HELD, Row
from massbalance.ledger.signing import key_id


class Check(Protocol):
    """A check of meaning."""

    @property
    def kinds(self) -> frozenset[str] | None:
        """The kinds of rows it looks at (None: all)."""

    def row(self, row: Row, facts: Mapping[str, Any]) -> Iterable[Fault]:
        """Faults of this row, given all before it; facts: its details."""

    def end(self, reading: Reading) -> Iterable[Fault]:
        """Faults that only the whole tells; called once after the last row."""


CheckMaker = Callable[[], Check]


def standard_checks() -> list[CheckMaker]:
    """The checks of every ledger."""
    return [Books, Periods, Assertions, Documents, Claims, Runs, Worth, Emissions]


class Books:
    """Double entry: known accounts, `held` as stated, no account below zero but the source."""

    kinds = kinds.MOVEMENTS

    def __init__(self) -> None:
        self.accounts: dict[str, dict[str, int]] = {}

    def row(self, row: Row, facts: Mapping[str, Any]) -> Iterator[Fault]:
        """One movement."""
        accounts = self.accounts.get(row.commodity)
        if accounts is None:
            accounts = self.accounts[row.commodity] = {HELD: 0}
        debit, credit = row.debit, row.credit
        accounts[debit] = left = accounts.get(debit, 0) - row.quantity
        accounts[credit] = accounts.get(credit, 0) + row.quantity
        if left < 0 and debit != kinds.SOURCE and (debit != HELD or accounts[HELD] < 0):
            words = f"no more taken from {debit} of {row.commodity} than is there"
            yield fault(words, "ledger-balance", row=row.n, column="quantity", value=row.quantity)
        if accounts[HELD] != row.held:
            words = f"{accounts[HELD]} of {row.commodity}"
            yield fault(words, "ledger-held", row=row.n, column="held", value=row.held)
            accounts[HELD] = row.held or 0
        if not kinds.may_move(row.kind, row.commodity, debit, credit):
            yield fault("accounts that belong to the kind", "ledger-accounts", row=row.n, value=row.kind)
        elif debit == credit and row.quantity != row.held:
            words = f"all that is held of {row.commodity} carried over"
            yield fault(words, "ledger-held", row=row.n, column="quantity", value=row.quantity)

    def end(self, reading: Reading) -> Iterator[Fault]:
        """What the database answers as balances is what the rows come to."""
        stated = reading.balances("")
        for commodity, accounts in self.accounts.items():
            if stated.get(commodity) != accounts[HELD]:
                words = f"{accounts[HELD]} as the balance of {commodity}"
                yield fault(words, "ledger-held", column="held", value=stated.get(commodity, ""))


class Periods:
    """No movement in a locked period; a lot never goes back to an earlier one."""

    kinds = kinds.MOVEMENTS | {kinds.PERIOD, kinds.LOCK}

    def __init__(self) -> None:
        self.starts: dict[str, str] = {}
        self.locked: set[str] = set()
        self.reached: dict[str, str] = {}

    def row(self, row: Row, facts: Mapping[str, Any]) -> Iterator[Fault]:
        """One movement, period or lock."""
        if not row.commodity:
            yield from self._told(row, facts)
            return
        if row.period in self.locked:
            words = "a period that is not locked"
            yield fault(words, "ledger-locked", row=row.n, column="period", value=row.period)
        start = self.starts.get(row.period)
        if start is None or not row.commodity.startswith(kinds.LOT):
            return
        reached = self.reached.get(row.commodity, "")
        if start < reached:
            words = f"a period not before {reached}, in which {row.commodity} moved already"
            yield fault(words, "ledger-period-order", row=row.n, column="period", value=row.period)
        self.reached[row.commodity] = max(start, reached)

    def _told(self, row: Row, facts: Mapping[str, Any]) -> Iterator[Fault]:
        if row.kind == kinds.LOCK:
            self.locked.add(row.period)
            return
        start = facts.get("start")
        if not isinstance(start, str) or self.starts.setdefault(row.period, start) != start:
            words = "one first day of the period"
            yield fault(words, "ledger-period-order", row=row.n, column="details", value=start)

    def end(self, reading: Reading) -> Iterator[Fault]:
        """Nothing more."""
        return iter(())


class Assertions:
    """A balance that somebody asserted was the balance."""

    kinds = kinds.MOVEMENTS | {kinds.ASSERTION}

    def __init__(self) -> None:
        self.held: dict[str, int | None] = {}

    def row(self, row: Row, facts: Mapping[str, Any]) -> Iterator[Fault]:
        """One movement or assertion."""
        if row.commodity:
            self.held[row.commodity] = row.held
        elif "commodity" in facts:
            held = self.held.get(str(facts["commodity"]), 0)
            if facts.get("quantity") != held:
                words = f"{held} of {facts['commodity']} held"
                yield fault(
                    words, "ledger-assertion", row=row.n, column="details", value=facts.get("quantity", "")
                )

    def end(self, reading: Reading) -> Iterator[Fault]:
        """Nothing more."""
        return iter(())


class Documents:
    """Documents that rows name are in the archive."""

    kinds = frozenset({"post", "intake", "adoption", "certified", "cancelled"})

    def __init__(self) -> None:
        self.named: dict[str, int] = {}

    def row(self, row: Row, facts: Mapping[str, Any]) -> Iterator[Fault]:
        """`files` of a post or intake (name to SHA-256), `document` and `pdf` of a certificate."""
        files = facts.get("files")
        named = list(files.values()) if isinstance(files, dict) else []
        for sha256 in [*named, facts.get("document"), facts.get("pdf")]:
            if isinstance(sha256, str) and sha256:
                self.named.setdefault(sha256, row.n)
        return iter(())

    def end(self, reading: Reading) -> Iterator[Fault]:
        """All that were named are there."""
        there = {sha256 for sha256, _ in reading.documents()}
        for sha256, n in self.named.items():
            if sha256 not in there:
                yield fault("a document of the archive", "document", row=n, column="details", value=sha256)


class Keys:
    """Keys are stated before they sign; a `signed` row signs the row before it."""

    kinds = frozenset({kinds.KEY, kinds.SIGNED})

    def __init__(self, ledger: str, trusted: frozenset[str], hash_before: Callable[[], str]) -> None:
        self.ledger = ledger
        self.trusted = trusted
        self.stated: set[str] = set()
        self.hash_before = hash_before

    def row(self, row: Row, facts: Mapping[str, Any]) -> Iterator[Fault]:
        """One key or checkpoint."""
        if row.kind == kinds.KEY:
            yield from self._key(row, facts)
            return
        try:
            signed = Checkpoint.read(facts)
        except Refused as problem:
            words = problem.faults[0].expected
            yield fault(words, "checkpoint", row=row.n, column="details")
            return
        if (signed.ledger, signed.n, signed.hash) != (self.ledger, row.n - 1, self.hash_before()):
            words = f"a checkpoint of row {row.n - 1}: {self.hash_before()}"
            yield fault(words, "checkpoint", row=row.n, column="details", value=signed.hash)
        yield from self.signature(signed, row.n)

    def _key(self, row: Row, facts: Mapping[str, Any]) -> Iterator[Fault]:
        public = facts.get("public")
        try:
            right = isinstance(public, str) and row.key == f"key:{key_id(public)}"
        except ValueError:
            right = False
        if not right:
            yield fault("a public key and the key made of it", "checkpoint", row=row.n, value=row.key)
        self.stated.add(str(public))

    def signature(self, signed: Checkpoint, row: int | None) -> Iterator[Fault]:
        """The signature holds, and its key is the ledger's (or, where keys are given, one of them)."""
        if not signed.holds():
            words = "a signature of its key"
            yield fault(words, "checkpoint", row=row, column="signature", value=signed.signature)
        elif self.trusted and signed.key not in self.trusted:
            words = "a key that is trusted"
            yield fault(words, "checkpoint", row=row, column="key", value=signed.key)
        elif not self.trusted and signed.key not in self.stated:
            words = "a key that the ledger states"
            yield fault(words, "checkpoint", row=row, column="key", value=signed.key)

    def end(self, reading: Reading) -> Iterator[Fault]:
        """Nothing more."""
        return iter(())
