"""The ledger's rows as the pack has them: chain, spelling, double entry, keys, periods, checkpoints.

ledger/entries.txt has a line for every row of the ledger, in order: `n TAB hash TAB row`, and for a
row that has nothing to do with the pack's periods `n TAB hash TAB =digest`. digest = SHA-256 of the
row in UTF-8; hash = SHA-256(hash of the row before + digest), as raw bytes, from 32 zero bytes. So
the whole chain is followed, and a row cannot be changed, left out or put in.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Set, Tuple

from massbalance.audit.alone.ed25519 import key_id, signature_holds

HELD = "held"
HEADERS = (
    "open", "post", "intake", "reversal", "adjustment", "expiry", "lock", "assertion", "adoption",
    "certificate", "cancellation", "checkpoint",
)  # fmt: skip
"""Kinds of a journal's first row."""
_IN, _ADJUSTED = {("source", HELD)}, {("source", HELD), (HELD, "source")}
MOVES: Dict[Tuple[str, str], Set[Tuple[str, str]]] = {
    ("lot", "opening"): _IN,
    ("lot", "received"): _IN,
    ("lot", "carried_over"): {(HELD, HELD)},
    ("lot", "allocated"): {(HELD, "allocated")},
    ("lot", "blocked"): {(HELD, "blocked")},
    ("lot", "unblocked"): {("blocked", HELD), ("blocked", "expired")},
    ("lot", "expired"): {(HELD, "expired")},
    ("lot", "returned"): {("allocated", HELD), ("allocated", "expired")},
    ("lot", "adjusted"): _ADJUSTED,
    ("effect", "realised"): _IN,
    ("effect", "allocated"): {(HELD, "allocated")},
    ("effect", "forgone"): {(HELD, "forgone")},
    ("effect", "expired"): {(HELD, "expired")},
    ("effect", "retired"): {(HELD, "retired")},
    ("effect", "returned"): {
        (out, back)
        for out in ("allocated", "forgone", "expired", "retired")
        for back in (HELD, "expired", "retired")
        if out != back
    },
    ("effect", "adjusted"): _ADJUSTED,
}
"""What moves: (sort of commodity, kind) -> from which account to which."""
MOVING = {kind for _, kind in MOVES}


class Entry(NamedTuple):
    """A row of the ledger; `details` as read; hash: 64 hex digits."""

    n: int
    journal: int
    kind: str
    at: str
    period: str
    commodity: str
    debit: str
    credit: str
    quantity: int
    held: Optional[int]
    subject: str
    key: str
    details: Dict[str, Any]
    hash: str

    @property
    def moves(self) -> bool:
        """Whether a quantity moves."""
        return bool(self.debit or self.credit)


class Extract:
    """entries.txt, read: `rows` that are shown, `hashes` of all rows (n - 1 -> hex), and `faults`."""

    def __init__(self, content: bytes) -> None:
        self.rows: List[Entry] = []
        self.hashes: List[str] = []
        self.faults: List[str] = []
        before = bytes(32)
        lines = content.split(b"\n")
        if lines.pop() != b"":
            self.faults.append("ledger/entries.txt does not end with a line feed")
        for n, line in enumerate(lines, start=1):
            before = self._read(n, line, before)
        self.by_kind: Dict[str, List[Entry]] = defaultdict(list)
        self.by_journal: Dict[int, List[Entry]] = defaultdict(list)
        self.by_commodity: Dict[str, List[Entry]] = defaultdict(list)
        self._by_number = {row.n: row for row in self.rows}
        for row in self.rows:
            self.by_kind[row.kind].append(row)
            self.by_journal[row.journal].append(row)
            if row.moves:
                self.by_commodity[row.commodity].append(row)

    def _read(self, n: int, line: bytes, before: bytes) -> bytes:
        """One line: its number, its hash, its row; returns the hash that the chain gives."""
        parts = line.split(b"\t", 2)
        if len(parts) != 3 or parts[0] != str(n).encode():
            self.faults.append(f"row {n}: line {n} of entries.txt is not row {n}")
            parts = [b"", b"", parts[-1]]
        shown = not parts[2].startswith(b"=")
        digest = hashlib.sha256(parts[2]).digest() if shown else _from_hex(parts[2][1:])
        found = hashlib.sha256(before + digest).digest()
        if parts[1] != found.hex().encode():
            self.faults.append(f"row {n}: its hash is not that of the chain ({found.hex()})")
        self.hashes.append(found.hex())
        if shown:
            self._read_row(n, parts[2], found.hex())
        return found

    def _read_row(self, n: int, text: bytes, hash_: str) -> None:
        try:
            cells = json.loads(text)
            row = Entry._make((*cells, hash_))
            spelt = json.dumps(cells[:12], ensure_ascii=False, separators=(",", ":"))[:-1]
            spelt += (
                "," + json.dumps(cells[12], sort_keys=True, ensure_ascii=False, separators=(",", ":")) + "]"
            )
            typed = _typed(row)
        except (ValueError, TypeError, IndexError):
            self.faults.append(f"row {n}: it cannot be read")
            return
        if not typed or row.n != n or spelt.encode() != text:
            self.faults.append(f"row {n}: it is not in its one spelling")
        if typed:
            self.rows.append(row)

    def row(self, n: int) -> Optional[Entry]:
        """A row by its number, where it is shown."""
        return self._by_number.get(n)

    @property
    def hidden(self) -> int:
        """How many rows are there by their digest only."""
        return len(self.hashes) - len(self.rows)

    def head(self) -> Tuple[int, str]:
        """The last row's number and hash."""
        return len(self.hashes), self.hashes[-1] if self.hashes else ""

    def ledger(self) -> str:
        """The ledger's id, from row 1; "" where that is no `open`."""
        first = self.rows[0] if self.rows else None
        return str(first.details.get("ledger", "")) if first and first.kind == "open" and first.n == 1 else ""

    def public_keys(self) -> List[str]:
        """The public keys that the ledger names, as hex, in order."""
        return [str(row.details.get("public", "")) for row in self.by_kind["key"]]

    def periods(self) -> Dict[str, Tuple[str, str]]:
        """Period -> first and last day, as the ledger fixed them."""
        return {
            row.key[len("period:") :]: (str(row.details.get("start")), str(row.details.get("end")))
            for row in self.by_kind["period"]
        }

    def complete(self, periods: Iterable[str]) -> Set[int]:
        """Journals that touch the periods; the pack has them whole."""
        wanted = set(periods)
        return {row.journal for row in self.rows if row.period in wanted}


def _from_hex(text: bytes) -> bytes:
    try:
        found = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        return b""
    return found if found.hex().encode() == text and len(found) == 32 else b""


def _typed(row: Entry) -> bool:
    """Whether every cell is of its type (and no boolean passes for a number)."""
    texts = (row.kind, row.at, row.period, row.commodity, row.debit, row.credit, row.subject, row.key)
    numbers = (row.n, row.journal, row.quantity, 0 if row.held is None else row.held)
    return (
        all(type(cell) is str for cell in texts)
        and all(type(cell) is int for cell in numbers)
        and isinstance(row.details, dict)
    )


# ---- rules that rows keep ----------------------------------------------------------------------------


def ledger_faults(extract: Extract) -> Iterator[str]:
    """Everything that is wrong with the rows as a ledger; each text begins with the row."""
    yield from extract.faults
    yield from _order_faults(extract)
    yield from _movement_faults(extract)
    yield from _period_faults(extract)
    yield from _key_faults(extract)
    yield from _assertion_faults(extract)


def _order_faults(extract: Extract) -> Iterator[str]:
    """Row 1 opens the ledger, times never go back, keys are unique, journals have their first row."""
    if not extract.ledger():
        yield "row 1: it does not open a ledger"
    keys: Dict[str, int] = {}
    before = ""
    for row in extract.rows:
        if row.at < before:
            yield f"row {row.n}: recorded at {row.at}, before the row before it"
        before = row.at
        if row.key:
            if row.key in keys:
                yield f"row {row.n}: its key {row.key!r} is that of row {keys[row.key]}"
            keys[row.key] = row.n
        first = row.journal == row.n
        if first != (row.kind in HEADERS):
            where = "begins" if first else "is inside"
            yield f"row {row.n}: a row of kind {row.kind} {where} a journal"
        if row.journal > row.n:
            yield f"row {row.n}: its journal begins after it"
    for journal, rows in extract.by_journal.items():
        if rows[0].n != journal:
            yield f"row {rows[0].n}: its journal's first row {journal} is not shown"
    yield from _unbroken(extract)


def _unbroken(extract: Extract) -> Iterator[str]:
    """No row of one journal stands inside another."""
    running = 0
    for row in extract.rows:
        if row.journal < running:
            yield f"row {row.n}: journal {row.journal} goes on after journal {running} began"
        running = max(running, row.journal)


def _movement_faults(extract: Extract) -> Iterator[str]:
    """Double entry: every kind moves between its accounts, and what does not move has no quantity."""
    for row in extract.rows:
        if row.moves:
            sort = row.commodity.partition(":")[0]
            if (row.debit, row.credit) not in MOVES.get((sort, row.kind), ()):
                what = f"{row.kind} of {row.commodity!r}"
                yield f"row {row.n}: {what} moves from {row.debit!r} to {row.credit!r}"
            if row.quantity < 0:
                yield f"row {row.n}: a quantity below zero"
        elif row.kind in MOVING or row.quantity or row.held is not None:
            yield f"row {row.n}: a row of kind {row.kind} with a quantity and no accounts"
    for commodity, rows in extract.by_commodity.items():
        yield from _balance_faults(commodity, rows)


def _balance_faults(commodity: str, rows: List[Entry]) -> Iterator[str]:
    """`held` goes from row to row, never below zero; what is carried over is all of it."""
    held = 0
    for row in rows:
        after = held + (row.credit == HELD) * row.quantity - (row.debit == HELD) * row.quantity
        if row.held != after:
            yield f"row {row.n}: {commodity} holds {row.held} after it where {after} is left"
        if after < 0:
            yield f"row {row.n}: {commodity} is drawn below zero ({after})"
        if row.kind == "carried_over" and row.quantity != held:
            yield f"row {row.n}: {commodity} carries {row.quantity} over where it holds {held}"
        held = after if row.held is None else row.held


def _period_faults(extract: Extract) -> Iterator[str]:
    """Periods do not overlap, every movement is in one, in time order, and none in a locked period."""
    periods = extract.periods()
    days = sorted((start, end, name) for name, (start, end) in periods.items())
    for (start, end, name), (after, _, other) in zip(days, days[1:]):
        if after <= end or end < start:
            yield f"period {name}: it overlaps {other}"
    locked: Dict[str, int] = {}
    for row in extract.rows:
        if row.kind == "lock":
            locked[row.period or row.subject] = row.n
        elif row.period in locked and (row.moves or row.kind in ("claim", "residual")):
            yield f"row {row.n}: {row.kind} in period {row.period}, which row {locked[row.period]} locked"
        if row.moves and row.period not in periods:
            yield f"row {row.n}: {row.period!r} is no period of the ledger"
    for commodity, rows in extract.by_commodity.items():
        latest = ""
        for row in rows:
            start = periods.get(row.period, ("", ""))[0]
            if start < latest:
                yield f"row {row.n}: {commodity} moves in {row.period} after it moved in a later period"
            latest = max(latest, start)


def _key_faults(extract: Extract) -> Iterator[str]:
    """Keys say what they are for; the k-th claim or residual follows k - 1 withdrawals."""
    fixed = {
        "key": "key:",
        "period": "period:",
        "lot": "lot:",
        "certified": "certificate:",
        "cancelled": "cancelled:",
    }
    withdrawn: Dict[str, int] = defaultdict(int)
    for row in extract.rows:
        if row.kind in fixed and not row.key.startswith(fixed[row.kind]):
            yield f"row {row.n}: a row of kind {row.kind} under the key {row.key!r}"
        if row.kind == "key" and row.key != f"key:{key_id(str(row.details.get('public', '')))}":
            yield f"row {row.n}: the public key is not the one that its key names"
        if row.kind == "withdrawn":
            withdrawn[row.key.rpartition(":")[0][len("withdrawn:") :]] += 1
        elif row.kind in ("claim", "residual"):
            name = row.subject if row.kind == "claim" else f"residual:{row.subject}:{row.period}"
            k = withdrawn[name] + 1
            if row.key != f"{'claim:' if row.kind == 'claim' else ''}{name}:{k}":
                yield f"row {row.n}: {row.key!r}, where {row.kind} {k} on {name} follows"


def _assertion_faults(extract: Extract) -> Iterator[str]:
    """What an assertion says of a balance is so, if the pack has the commodity's rows."""
    for row in extract.by_kind["assertion"]:
        commodity = str(row.details.get("commodity", ""))
        rows = [r for r in extract.by_commodity.get(commodity, ()) if r.n < row.n]
        if commodity in extract.by_commodity and (rows[-1].held if rows else 0) != row.details.get(
            "quantity"
        ):
            told = row.details.get("quantity")
            yield f"row {row.n}: it asserts {told} of {commodity}, which is not its balance"


# ---- checkpoints -------------------------------------------------------------------------------------


def canonical_line(value: Dict[str, Any]) -> bytes:
    """JSON as the ledger spells it: keys sorted, no spaces."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def checkpoint_faults(
    extract: Extract, name: str, document: Dict[str, Any], keys: Iterable[str]
) -> Iterator[str]:
    """A checkpoint is signed by one of the keys and names this ledger and the hash of one of its rows."""
    try:
        n, told = int(document["n"]), str(document["hash"])
        signature, ledger = str(document["signature"]), document["ledger"]
        shown = str(document["key"])
    except (KeyError, ValueError, TypeError):
        yield f"{name}: it is no checkpoint"
        return
    message = canonical_line({key: value for key, value in document.items() if key != "signature"})
    signers = [key for key in keys if shown in (key, key_id(key))]
    if not any(signature_holds(key, message, signature) for key in signers):
        yield f"{name}: its signature is not that of a known key ({shown})"
    if ledger != extract.ledger():
        yield f"{name}: it is of ledger {ledger}"
    row = extract.row(n)
    if row is not None and row.at != document.get("at"):
        yield f"{name}: row {n} was recorded at {row.at}, not {document.get('at')}"
    if not 1 <= n <= len(extract.hashes):
        yield f"{name}: it is of row {n}, and the pack ends with row {len(extract.hashes)}"
    elif extract.hashes[n - 1] != told:
        yield f"{name}: row {n} has the hash {told} there, and {extract.hashes[n - 1]} here"
