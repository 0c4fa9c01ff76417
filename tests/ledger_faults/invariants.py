"""What must hold of a ledger after any fault, found out with as little of the ledger's code as possible."""

from __future__ import annotations

import csv
import hashlib
import json
import zlib
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from massbalance.ledger.chain import verify_ledger
from massbalance.ledger.location import address
from massbalance.ledger.store import Ledger

Content = tuple[tuple[Any, ...], ...]
Tally = dict[str, dict[str, int]]

_OTHERWISE = {"open", "key", "signed"}
"""Kinds of rows whose details tell the ledger's id, the key or a hash."""
_COLUMNS = "n, journal, kind, period, commodity, debit, credit, quantity, held, subject, key, details"
_ROWS = sa.text(f"SELECT {_COLUMNS} FROM entry ORDER BY n")
_DOCUMENTS = sa.text("SELECT sha256, size, content FROM document ORDER BY sha256")
_ENDS = {"lot": ("held", "allocated", "blocked", "expired"),
         "effect": ("held", "allocated", "forgone", "expired", "retired")}  # fmt: skip


def content(url: str | Path) -> Content:
    """All that a ledger says, apart from times, hashes and signatures: the same for the same postings."""
    engine = sa.create_engine(address(str(url)))
    try:
        with engine.connect() as connection:
            rows = [tuple(row) for row in connection.execute(_ROWS)]
            documents = [tuple(row) for row in connection.execute(_DOCUMENTS)]
    finally:
        engine.dispose()
    for sha256, size, packed in documents:
        unpacked = zlib.decompress(packed)
        assert (hashlib.sha256(unpacked).hexdigest(), len(unpacked)) == (sha256, size)
    told = [(*row[:-2], row[-2], row[-1]) if row[2] not in _OTHERWISE else row[:-2] for row in rows]
    return (*told, *((sha256,) for sha256, _, _ in documents))


def accounts(content_of: Content) -> Tally:
    """Commodity -> account -> balance, summed from the movements; asserts what each row says is held."""
    sums: Tally = defaultdict(lambda: defaultdict(int))
    for row in content_of:
        if len(row) < 10 or not row[4]:
            continue
        _, _, _, _, commodity, debit, credit, quantity, held, *_ = row
        sums[commodity][debit] -= quantity
        sums[commodity][credit] += quantity
        assert sums[commodity]["held"] == held >= 0, row
    return sums


def conserved(content_of: Content) -> None:
    """What came in is held, or went to accounts that a commodity has; nothing is below zero."""
    for commodity, account in accounts(content_of).items():
        known = _ENDS[commodity.partition(":")[0]]
        assert set(account) <= {"source", *known}, commodity
        assert -account["source"] == sum(account[name] for name in known), commodity
        assert min(account[name] for name in known) >= 0, commodity
    journals: dict[int, list[str]] = defaultdict(list)
    for row in content_of:
        if len(row) >= 10:
            journals[row[1]].append(row[2])
    for n, kinds in journals.items():
        # a lock of several periods is one transaction, signed at its end
        ends = kinds[-1] == "signed" or (kinds == ["lock"] and n + 1 in journals)
        assert n == 1 or ends, f"journal {n} is cut off: {kinds}"


def claims(content_of: Content) -> dict[str, int]:
    """Order -> how many claims of it are live."""
    live: dict[str, int] = defaultdict(int)
    for row in content_of:
        if row[2:3] == ("claim",):
            live[row[9]] += 1
        elif row[2:3] == ("withdrawn",) and not row[10].startswith("withdrawn:residual:"):
            live[row[9]] -= 1
    assert set(live.values()) <= {0, 1}, live
    return live


def sound(url: str | Path) -> Content:
    """The ledger's content, after every invariant was asserted."""
    with Ledger.open(url, create=False) as ledger:
        faults = verify_ledger(ledger)
    assert not faults, faults
    found = content(url)
    conserved(found)
    claims(found)
    return found


def as_accounted(found: Content, run: Path) -> None:
    """The posted run's movements are its account, to the last millionth."""
    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    posted = next(row for row in found if row[2:3] == ("post",) and f'"{summary["case_sha256"]}"' in row[-1])
    moved: dict[tuple[str, str, str], int] = defaultdict(int)
    for row in found:
        if row[1:2] == (posted[0],) and str(row[4]).startswith("lot:"):
            moved[row[4][4:], row[3], row[2]] += row[7]
    with (run / "account.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            for kind in ("received", "allocated", "blocked", "expired"):
                figure = moved.get((row["lot"], row["period"], kind), 0)
                assert figure == Decimal(row[kind]) * 10**6, (row, kind)
