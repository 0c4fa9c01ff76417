"""Reads a description of futures (TOML) for a case: every fault of it at once, or the futures.

Keys and meanings: docs/robust.md.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from massbalance.domain.case import Case, Table
from massbalance.domain.effects import windows
from massbalance.domain.faults import CaseRefused, Fault, in_order
from massbalance.domain.grid import decimal_text
from massbalance.domain.schema import TABLE_SPECS
from massbalance.intake.cells import Cells
from massbalance.intake.log import Log, clip, nearest
from massbalance.intake.raw import RawTable
from massbalance.scenario.actions import matching
from massbalance.scenario.chance import (
    DAYS,
    FACTOR,
    YIELD,
    Distribution,
    NoDistribution,
    Range,
    parse,
    probability,
)
from massbalance.scenario.futures import Futures, Rule
from massbalance.scenario.parse import Place, parse_edit

MOST_FUTURES = 100_000
MOST_SEED = 2**63 - 1
TOP = ("name", "seed", "count", "today")


@dataclass(frozen=True)
class Kind:
    """A kind of rule: the table whose rows it strikes, its figure's key and range, if it has one."""

    table: str
    figure: str
    limits: Range | None


KINDS = {
    "late": Kind("lots", "days", DAYS),
    "short": Kind("lots", "factor", FACTOR),
    "cancelled": Kind("orders", "", None),
    "yield": Kind("products", "factor", YIELD),
}


def read_futures(path: Path, case: Case, *, seed: int | None = None, count: int | None = None) -> Futures:
    """The futures that a file describes for a case. seed, count: instead of the file's.

    CaseRefused holds every fault (`table` is the file's name); OSError where it cannot be read.
    """
    data = path.read_bytes()
    reader = _Reader(path.name, case)
    found = reader.read(data)
    if found is None or reader.faults:
        raise CaseRefused(in_order(reader.faults))
    return found.again(seed=seed, count=count)


@dataclass
class _Reader:
    file: str
    case: Case
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def fault(self, key: str, value: object, expected: str, code: str = "setting") -> None:
        self.faults.append(Fault(self.file, None, key, clip(value), expected, code))

    def read(self, data: bytes) -> Futures | None:
        try:
            written = tomllib.loads(data.decode("utf-8-sig"), parse_float=Decimal)
        except UnicodeDecodeError:
            self.fault("", self.file, "UTF-8", "file")
            return None
        except (ValueError, RecursionError) as error:
            self.fault("", error, "a TOML file", "file")
            return None
        self.known(written, (*TOP, *KINDS), "")
        today = self.today(written.get("today"))
        rules = [
            rule
            for kind in KINDS
            for number, one in enumerate(self.blocks(written, kind), start=1)
            if (rule := self.rule(kind, number, one, today)) is not None
        ]
        self.once([rule.name for rule in rules])
        name = written.get("name", Path(self.file).stem)
        if not isinstance(name, str):
            self.fault("name", name, "text")
        return Futures(
            name=str(name),
            seed=self.whole(written, "seed", 1, 0, MOST_SEED),
            count=self.whole(written, "count", 100, 1, MOST_FUTURES),
            rules=tuple(rules),
            source=hashlib.sha256(data).hexdigest(),
            notes=tuple(self.notes),
        )

    def known(self, written: Mapping[str, Any], names: tuple[str, ...], at: str) -> None:
        """A fault for each key that is none."""
        for key in written:
            if key not in names:
                self.fault(
                    f"{at}{key}", key, f"a known key (nearest: `{nearest(key, names)}`)", "unknown_setting"
                )

    def whole(self, written: Mapping[str, Any], key: str, default: int, low: int, high: int) -> int:
        value = written.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.fault(key, value, f"a whole number from {low} to {high}")
            return default
        return value

    def today(self, written: Any) -> np.datetime64:
        """The day before whose lots are there; the first period's first unless told."""
        if isinstance(written, dt.date) and not isinstance(written, dt.datetime):
            return np.datetime64(written, "D")
        if written is not None:
            self.fault("today", written, "a date, 2026-04-01")
        start = self.case.periods.days("start")
        return start[0] if len(start) else np.datetime64("1900-01-01", "D")

    def blocks(self, written: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
        found = written.get(kind, [])
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            self.fault(kind, found, f"blocks that begin with [[{kind}]]")
            return []
        return found

    def once(self, names: list[str]) -> None:
        for name in sorted({name for name in names if names.count(name) > 1}):
            self.fault("name", name, "each rule's name once: draws are keyed by it", "duplicate_key")

    def rule(self, kind: str, number: int, written: Mapping[str, Any], today: np.datetime64) -> Rule | None:
        of, at, before = KINDS[kind], f"{kind} {number}.", len(self.faults)
        figure = (of.figure,) if of.figure else ()
        self.known(written, ("name", "where", "by", "probability", *figure), at)
        name = written.get("name", f"{kind} {number}")
        if not isinstance(name, str):
            self.fault(f"{at}name", name, "text")
        chance = self.chance(written, of, at)
        figures = self.figures(written, of, at)
        rows = self.rows(of.table, written, at)
        if len(self.faults) > before or rows is None:
            return None
        if of.table == "lots":
            rows = self.to_come(rows, today, str(name))
        return Rule(kind, str(name), chance, figures, rows)

    def chance(self, written: Mapping[str, Any], of: Kind, at: str) -> Fraction:
        if "probability" not in written and of.figure:
            return Fraction(1)
        try:
            return probability(written.get("probability"))
        except NoDistribution as wrong:
            self.fault(f"{at}probability", wrong.value, wrong.expected)
            return Fraction(0)

    def figures(self, written: Mapping[str, Any], of: Kind, at: str) -> Distribution | None:
        if of.limits is None:
            return None
        if of.figure not in written:
            self.fault(f"{at}{of.figure}", "", f"{of.limits.words}, or how it is distributed")
            return None
        try:
            return parse(written[of.figure], of.limits)
        except NoDistribution as wrong:
            self.fault(f"{at}{of.figure}", wrong.value, wrong.expected)
            return None

    def rows(self, name: str, written: Mapping[str, Any], at: str) -> dict[str, str] | None:
        """Key of each row that meets the conditions (as scenarios have them) -> the word that it draws by.

        Conditions that no row meets are a fault: what should have been risked would not be.
        """
        table, by = self.case.tables[name], written.get("by")
        columns = tuple(TABLE_SPECS[name].columns)
        if by is not None and by not in columns:
            near = nearest(str(by), columns)
            self.fault(f"{at}by", by, f"a column of `{name}` (nearest: `{near}`)", "unknown_setting")
        log = Log()
        conditions = {"where": written["where"]} if "where" in written else {}
        edit = parse_edit({"table": name, "drop": True, **conditions}, Place(self.file, at.rstrip("."), log))
        self.faults += log.finish()
        if edit is None or (by is not None and by not in columns):
            return None
        asked = [condition.column for condition in edit.where]
        cells = tuple(Cells.of(pa.array(_words(table, column), pa.large_string())) for column in asked)
        met = matching(RawTable(tuple(asked), cells, np.arange(len(table)), True, "case"), edit)
        if len(table) and not met.any():
            self.fault(f"{at}where", "", f"conditions that a row of `{name}` meets")
        keys = table.text(columns[0])
        words = [f"{by}={word}" for word in _words(table, by)] if by is not None else keys
        return {str(keys[i]): str(words[i]) for i in np.flatnonzero(met)}

    def to_come(self, rows: dict[str, str], today: np.datetime64, name: str) -> dict[str, str]:
        """Lots that become available on this day or later: what is there is neither late nor short."""
        available, lots = windows(self.case).available, self.case.lots.text("lot")
        ahead = {str(lot) for lot in lots[available >= today]}
        left = {lot: word for lot, word in rows.items() if lot in ahead}
        if rows and not left:
            self.notes.append(f"{name}: every lot that it names is there before {today}")
        return left


def _words(table: Table, column: str) -> list[str]:
    """A column as words: as written, numbers in their one spelling, `true` and `false`, ISO dates."""
    if column in table.exact:
        exact = table.exact[column]
        cells = zip(exact.values.tolist(), exact.given.tolist(), strict=True)
        return [decimal_text(int(value), exact.decimals) if given else "" for value, given in cells]
    kind = TABLE_SPECS[table.name].columns[column].kind
    if kind == "flag":
        return ["true" if flag else "false" for flag in table.flag(column)]
    if kind == "date":
        return ["" if np.isnat(day) else str(day) for day in table.days(column)]
    return [str(word) for word in table.text(column)]
