"""A posted run, an order's claim and a product's residual as the ledger holds them.

Figures come from ledger rows and from documents that the ledger archived when the run was posted; a run's
folder only names the run, and may be lost.
"""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from massbalance.ledger.problems import Conflict, LedgerMissing, Tampered, fault
from massbalance.ledger.rows import Row

if TYPE_CHECKING:
    from massbalance.ledger.reading import Reading

MIN_PREFIX = 8
"""A run is named by its folder, its key, or at least so many of the key's first digits."""


def named_run(run: Path | str) -> str:
    """The key that `run` names: of a run's folder, or the text itself."""
    folder = Path(run)
    if str(run) and folder.is_dir():
        from massbalance.ledger.run_folder import key_of

        return key_of(folder)
    return str(run)


@dataclass(frozen=True)
class Guideline:
    """What documents say of a rule model. Read without its schema, which later versions may change: what was
    posted years ago must still get its document.
    """

    id: str
    title: str
    version: str
    codes: frozenset[str]


@dataclass(frozen=True)
class PostedRun:
    """A run that the ledger holds: its header row and what was archived with it."""

    reading: Reading
    header: Row

    @cached_property
    def facts(self) -> Mapping[str, Any]:
        """Details of the header."""
        return self.header.facts()

    @property
    def key(self) -> str:
        """The run's key."""
        return str(self.facts["run"])

    def file(self, name: str) -> bytes:
        """An archived file of the run's folder. Tampered where it is not what was posted."""
        return self.reading.document(self.facts["files"][name])

    def table(self, name: str) -> list[dict[str, str]]:
        """A table of the posted case; empty where the case has none."""
        path = f"case/{name}.csv"
        if path not in self.facts["files"]:
            return []
        return read_table(self.file(path))

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        """case.toml of the posted case."""
        return tomllib.loads(self.file("case/case.toml").decode())

    @cached_property
    def guideline(self) -> Guideline:
        """The rule model that the run was made under."""
        found = tomllib.loads(self.file("rules.toml").decode())
        codes = frozenset(str(clause["code"]) for clause in found["clauses"])
        return Guideline(str(found["id"]), str(found["title"]), str(found["version"]), codes)


def read_table(content: bytes) -> list[dict[str, str]]:
    """Rows of a CSV file, column -> text."""
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))


def posted_run(reading: Reading, run: str) -> PostedRun:
    """The posted run with that key, or whose key alone begins so. Conflict where there is none (exit 7)."""
    found = reading.find(f"run:{run}")
    if found is None and len(run) >= MIN_PREFIX:
        alike = [row for row in reading.rows(kind="post") if row.key.startswith(f"run:{run}")]
        found = alike[0] if len(alike) == 1 else None
    if found is None:
        raise Conflict(
            fault("a run that this ledger holds; post it first", "not-posted", value=run, table="run")
        )
    return PostedRun(reading, found)


@dataclass(frozen=True)
class Basis:
    """What a document rests on: a fact of a posted run, `claim` or `residual`, and its hash in the chain."""

    posted: PostedRun
    row: Row
    hash: str

    @cached_property
    def facts(self) -> Mapping[str, Any]:
        """Details of the fact."""
        return self.row.facts()


def live_claim(posted: PostedRun, order: str) -> Basis:
    """The claim of an order by that run. Conflict where the run posted none, or it was withdrawn."""
    rows = posted.reading.rows(kind="claim", subject=order, journal=posted.header.n)
    row = next(rows, None)
    if row is None:
        words = f"an order that got a claim in run {posted.key[:16]}"
        raise Conflict(fault(words, "not-posted", table="orders", column="order", value=order))
    if withdrawn(posted.reading, row):
        words = "a claim that stands; this one was withdrawn"
        raise Conflict(fault(words, "withdrawn", table="orders", column="order", value=order))
    return Basis(posted, row, hash_of(posted.reading, row))


def live_residual(posted: PostedRun, product: str, period: str) -> Basis:
    """The residual of a product and period by that run. Conflict where there is none, or it was withdrawn."""
    rows = posted.reading.rows(kind="residual", subject=product, period=period, journal=posted.header.n)
    row = next(rows, None)
    if row is None:
        words = f"a product and period with production in run {posted.key[:16]}"
        raise Conflict(fault(words, "not-posted", table="residual", value=f"{product}, {period}"))
    if withdrawn(posted.reading, row):
        words = "a residual that stands; this one was withdrawn"
        raise Conflict(fault(words, "withdrawn", table="residual", value=f"{product}, {period}"))
    return Basis(posted, row, hash_of(posted.reading, row))


def withdrawn(reading: Reading, row: Row) -> bool:
    """Was a claim or a residual withdrawn?"""
    name = row.key.removeprefix("claim:") if row.kind == "claim" else row.key
    return reading.find(f"withdrawn:{name}") is not None


def hash_of(reading: Reading, row: Row) -> str:
    """The row's hash in the chain (64 hex)."""
    return next(text for _, text in reading.hashed_rows(after=row.n - 1, upto=row.n))


def need(reading: Reading, key: str) -> Row:
    """The row with that key, which other rows rely on. Tampered where it is missing."""
    row = reading.find(key)
    if row is None:
        raise Tampered(fault("the fact that other rows rely on", "ledger-gap", column="key", value=key))
    return row


def archived(reading: Reading, sha256: str) -> bytes:
    """An archived document that a row names. Tampered where it is missing or altered."""
    try:
        return reading.document(sha256)
    except LedgerMissing as missing:
        raise Tampered(missing.faults) from missing
