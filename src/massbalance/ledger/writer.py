"""Appending to a ledger: journals, movements, facts and documents, all or nothing."""

from __future__ import annotations

import hashlib
import json
import unicodedata
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from massbalance.ledger import kinds
from massbalance.ledger.engine import append, asker
from massbalance.ledger.problems import Conflict, Refused, fault
from massbalance.ledger.reading import Head, Reading
from massbalance.ledger.rows import LARGEST, Row, chained, details_text, held_after
from massbalance.ledger.schema import COLUMNS, DOCUMENT, ENTRY

Clock = Callable[[], datetime]
"""Tells the time, with its zone."""

NOTHING: Mapping[str, Any] = MappingProxyType({})

_HELD = "SELECT held, period FROM entry WHERE commodity = ? ORDER BY n DESC LIMIT 1"

_BATCH = 5000  # rows kept before they go to the database
_KEYS = 500  # keys asked for in one query


def now() -> datetime:
    """The time by the computer's clock."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """A moment as rows tell it: UTC, whole seconds."""
    if moment.tzinfo is None:
        raise ValueError("a clock that does not tell its zone")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


class Writer(Reading):
    """Appends rows within one transaction. Made by `Ledger.writing`.

    It reads like a ledger and sees its own rows. What a row breaks is told at once (Refused, Conflict),
    except for a key that exists already: that is told when rows go to the database, at the latest at the end.
    """

    def __init__(self, connection: Connection, identity: str, clock: Clock = now) -> None:
        self.id = identity
        self._connection = connection
        self._clock = clock
        self._pending: list[tuple[object, ...]] = []
        self._keys: dict[str, Row] = {}  # of pending rows
        self._holding: dict[str, int] = {}
        self._reached: dict[str, str] = {}  # start of the last period in which a lot moved
        self._ask_held = asker(connection, _HELD)
        self._journal = 0
        self._open = True
        head = super().head()
        self._n, self._hash, self._at = head.n, bytes.fromhex(head.hash), head.at
        periods = list(super().rows(kind=kinds.PERIOD))
        self._starts = {row.period: start for row in periods if (start := _start(row.facts()))}
        self._locked = {row.period for row in super().rows(kind=kinds.LOCK)}

    # ---- reading, own rows included -----------------------------------------------------------------------

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        if not self._open:
            raise RuntimeError("this writer's transaction has ended")
        self.flush()
        yield self._connection

    def head(self) -> Head:
        """The last row's number, hash and time; with the rows of this writer."""
        return Head(self._n, self._hash.hex(), self._at)

    def find(self, key: str) -> Row | None:
        """The row with that key, if there is one; with the rows of this writer."""
        return self._keys[key] if key in self._keys else super().find(key)

    def balance(self, commodity: str) -> int:
        """What is held of a commodity now, in millionths of its unit; with the rows of this writer."""
        known = self._holding.get(commodity)
        return known if known is not None else self._look_up(commodity)

    def _look_up(self, commodity: str) -> int:
        # A commodity that is not yet known has no pending rows: nothing to flush.
        found = self._ask_held(commodity)
        self._holding[commodity] = held = found[0] if found else 0
        self._reached[commodity] = self._starts.get(found[1], "") if found else ""
        return held

    # ---- appending ----------------------------------------------------------------------------------------

    def journal(
        self,
        kind: str,
        *,
        key: str = "",
        period: str = "",
        subject: str = "",
        details: Mapping[str, Any] = NOTHING,
    ) -> int:
        """Begins what is posted together; returns the n of its first row, which those that follow carry."""
        if kind not in kinds.HEADERS:
            raise Refused(fault("a kind of journal", "ledger-kind", column="kind", value=kind))
        self._assert(kind, details)
        self._at = max(self._at, stamp(self._clock()))
        self._journal = self._n + 1
        self._append(kind, period, "", "", "", 0, None, subject, key, details)
        if kind == kinds.LOCK:
            self._locked.add(period)
        return self._journal

    def move(
        self,
        kind: str,
        *,
        period: str,
        commodity: str,
        debit: str,
        credit: str,
        quantity: int,
        subject: str = "",
        key: str = "",
        details: Mapping[str, Any] = NOTHING,
    ) -> Row:
        """Moves a quantity (millionths of the commodity's unit) from the account `debit` to `credit`.

        Raises Conflict where more is drawn than is held, the period is locked or earlier than one in which
        the lot moved already; Refused where kind, accounts or quantity are none that a ledger knows.
        """
        before = self._holding.get(commodity)
        if before is None:
            before = self._look_up(commodity)
        if type(quantity) is not int or not 0 <= quantity <= LARGEST:
            raise _quantity(commodity, quantity)
        if not kinds.may_move(kind, commodity, debit, credit):
            raise _accounts(kind, commodity, debit, credit)
        held = held_after(before, debit, credit, quantity)
        if not 0 <= held <= LARGEST or (debit == credit and held != quantity):
            raise _balance(commodity, before, debit, credit, quantity)
        self._enter(period, commodity)
        row = self._append(kind, period, commodity, debit, credit, quantity, held, subject, key, details)
        self._holding[commodity] = held
        return row

    def state(
        self,
        kind: str,
        *,
        period: str = "",
        commodity: str = "",
        subject: str = "",
        key: str = "",
        details: Mapping[str, Any] = NOTHING,
    ) -> Row:
        """States a fact; nothing moves. A commodity goes into details, since a fact's own is empty."""
        if kind not in kinds.FACTS:
            raise Refused(fault("a kind of fact", "ledger-kind", column="kind", value=kind))
        if commodity:
            details = {**details, "commodity": commodity}
        self._assert(kind, details)
        row = self._append(kind, period, "", "", "", 0, None, subject, key, details)
        if kind == kinds.PERIOD and (start := _start(row.facts())):
            self._starts[period] = start
        return row

    def archive(self, content: bytes) -> str:
        """Keeps a document and returns its SHA-256 (hex), by which it is found. Twice is the same as once."""
        sha256 = hashlib.sha256(content).hexdigest()
        known = sa.select(sa.literal(1)).where(DOCUMENT.c.sha256 == sha256)
        if self._connection.scalar(known) is None:
            row = {"sha256": sha256, "size": len(content), "content": zlib.compress(content)}
            self._connection.execute(DOCUMENT.insert(), row)
        return sha256

    def flush(self) -> None:
        """Sends the rows kept so far to the database, still within the transaction."""
        if not self._pending:
            return
        self._refuse_known_keys()
        append(self._connection, ENTRY.name, COLUMNS, self._pending)
        self._pending, self._keys = [], {}

    def close(self) -> None:
        """Sends what is left; nothing can be appended or read after."""
        self.flush()
        self._open = False

    def _append(
        self,
        kind: str,
        period: str,
        commodity: str,
        debit: str,
        credit: str,
        quantity: int,
        held: int | None,
        subject: str,
        key: str,
        details: Mapping[str, Any],
    ) -> Row:
        if not self._open or not self._journal:
            raise RuntimeError("rows are appended to a journal, while its transaction lasts")
        if not (period + commodity + subject + key).isprintable():
            _refuse_unprintable(period=period, commodity=commodity, subject=subject, key=key)
        n = self._n + 1
        text = details_text(details) if details else "{}"
        row = Row(
            n,
            self._journal,
            kind,
            self._at,
            period,
            commodity,
            debit,
            credit,
            quantity,
            held,
            subject,
            key,
            text,
        )
        try:
            self._hash = chained(self._hash, row.digest())
        except UnicodeEncodeError as error:
            raise Refused(
                fault("text in Unicode", "ledger-text", column="details", value=ascii(text))
            ) from error
        if key:
            if key in self._keys:
                raise _known_key(key, self._keys[key].n)
            self._keys[key] = row
        self._pending.append(
            (
                n, self._journal, kind, self._at, period, commodity, debit, credit, quantity, held, subject,
                key or None, text, self._hash.hex(),
            )
        )  # fmt: skip
        self._n = n
        if len(self._pending) >= _BATCH:
            self.flush()
        return row

    # ---- what a row may not break -------------------------------------------------------------------------

    def _enter(self, period: str, commodity: str) -> None:
        """A movement's period is open, and not before the one in which the lot moved last."""
        if not period:
            raise Refused(fault("the period of a movement", "ledger-period", column="period"))
        if period in self._locked:
            raise Conflict(
                fault("a period that is not locked", "ledger-locked", column="period", value=period)
            )
        start = self._starts.get(period)
        if start is None or not commodity.startswith(kinds.LOT):
            return
        if start < self._reached[commodity]:
            words = f"a period not before {self._reached[commodity]}, in which {commodity} moved already"
            raise Conflict(fault(words, "ledger-period-order", column="period", value=period))
        self._reached[commodity] = start

    def _assert(self, kind: str, details: Mapping[str, Any]) -> None:
        """An assertion of a balance holds when it is recorded."""
        if kind != kinds.ASSERTION or "commodity" not in details:
            return
        held = self.balance(details["commodity"])
        if details.get("quantity") != held:
            words = f"{held} of {details['commodity']} held"
            raise Conflict(
                fault(words, "ledger-assertion", column="quantity", value=details.get("quantity", ""))
            )

    def _refuse_known_keys(self) -> None:
        keys = list(self._keys)
        for first in range(0, len(keys), _KEYS):
            query = sa.select(ENTRY.c.key, ENTRY.c.n).where(ENTRY.c.key.in_(keys[first : first + _KEYS]))
            known = self._connection.execute(query.order_by(ENTRY.c.n)).first()
            if known:
                raise _known_key(known.key, known.n)


def _start(facts: Mapping[str, Any]) -> str:
    """The first day of a period by its fact; "" where it tells none."""
    start = facts.get("start", "")
    return start if isinstance(start, str) else json.dumps(start)


def _known_key(key: str, n: int) -> Conflict:
    return Conflict(fault("a key used once", "ledger-key", row=n, column="key", value=key))


def _quantity(commodity: str, quantity: object) -> Refused:
    words = f"an integer from 0 to {LARGEST} for {commodity}"
    return Refused(fault(words, "ledger-quantity", column="quantity", value=repr(quantity)))


def _accounts(kind: str, commodity: str, debit: str, credit: str) -> Refused:
    value = f"{kind} of {commodity} from {debit} to {credit}"
    return Refused(
        fault("a movement between accounts that belong to its kind", "ledger-accounts", value=value)
    )


def _balance(commodity: str, before: int, debit: str, credit: str, quantity: int) -> Conflict | Refused:
    if debit == credit:
        words = f"all that is held of {commodity} carried over: {before}"
        return Conflict(fault(words, "ledger-balance", column="quantity", value=quantity))
    if before + quantity > LARGEST and credit != debit and debit != "held":
        words = f"a balance of {commodity} up to {LARGEST}"
        return Refused(fault(words, "ledger-quantity", column="quantity", value=quantity))
    words = f"at most {before} of {commodity}, which is all that is held"
    return Conflict(fault(words, "ledger-balance", column="quantity", value=quantity))


def _refuse_unprintable(**texts: str) -> None:
    """No control characters and no half characters in what rows are found by."""
    for column, text in texts.items():
        if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in text):
            raise Refused(
                fault("text without control characters", "ledger-text", column=column, value=ascii(text))
            )
