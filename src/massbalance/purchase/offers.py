"""Purchase offers: read, checked with the case that they are meant for, and as lots of it.

Every row is checked twice: its terms here, and all else as a row of `lots` by the case's own intake.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa

from massbalance.domain.case import Case, IndexArray
from massbalance.domain.faults import CaseRefused, Fault, in_order
from massbalance.domain.grid import GRID, GRID_DECIMALS
from massbalance.domain.purchases import LOT_COLUMNS, PURCHASE_SPEC, PURCHASES, TERMS, TERMS_SPEC
from massbalance.domain.schema import TABLE_SPECS
from massbalance.intake.cells import Cells
from massbalance.intake.checks import check_key
from massbalance.intake.draft import Draft, draft
from massbalance.intake.log import Log, nearest
from massbalance.intake.raw import RawTable, trimmed
from massbalance.intake.read import read_case
from massbalance.intake.source import READERS
from massbalance.intake.workbook import read_workbook

Progress = Callable[[str], None]
BELOW = 10**9
"""Rows of purchase offers stand so far below those of `lots` that messages can tell them apart."""
_ROW = re.compile(r"\brow (\d{10,})\b")


@dataclass(frozen=True)
class PurchaseOffer:
    """One purchase offer; exact. Quantities in the lot's unit, money in the case's currency.

    lot: its key; position: of its lot in the case's table; received: that day, ISO; price: per unit; least,
    most: quantities on the grid; size: multiples of it only (None: any quantity); group: "" is none.
    """

    lot: str
    position: int
    category: str
    uom: str
    received: str
    fixed: Fraction
    price: Fraction
    least: Fraction
    most: Fraction
    size: Fraction | None
    group: str


@dataclass(frozen=True)
class Purchases:
    """A case with every purchase offer in it as a lot of its greatest quantity.

    case: that case; path: of the case itself; offers: in the order of the case's lots; rows: the offers as
    rows of `lots`; base: the case without them.
    """

    case: Case
    base: Case
    path: Path
    offers: tuple[PurchaseOffer, ...]
    rows: RawTable

    def with_bought(self, quantities: Mapping[str, Fraction]) -> Case:
        """The case with the lots bought: lot -> quantity on the grid, above 0."""
        if not quantities:
            return self.base
        names = self.rows.columns[self.rows.header.index("lot")].text().to_pylist()
        rows = np.array([i for i, name in enumerate(names) if name in quantities], dtype=np.intp)
        texts = [_text(quantities[names[i]]) for i in rows]
        columns = [cells.take(rows) for cells in self.rows.columns]
        columns[self.rows.header.index("quantity")] = Cells.of(pa.array(texts, pa.large_string()))
        chosen = replace(self.rows, columns=tuple(columns), rows=self.rows.rows[rows])
        return read_case(self.path, more_lots=chosen)


def _text(value: Fraction) -> str:
    """A quantity on the grid as a decimal."""
    whole, rest = divmod(int(value * GRID), GRID)
    return f"{whole}.{rest:0{GRID_DECIMALS}d}".rstrip("0").rstrip(".")


def read_purchases(case: Path, purchases: Path, *, progress: Progress | None = None) -> Purchases:
    """A case, and the purchase offers of a file (CSV, Parquet, or the sheet `purchases` of a workbook).

    CaseRefused holds every fault of both.
    """
    log = Log()
    terms, rows = _read(purchases, log)
    found: Case | None = None
    faults: list[Fault] = []
    try:
        found = read_case(case, progress=progress, more_lots=rows)
    except CaseRefused as refused:
        faults = [_told(fault) for fault in refused.faults]
    if terms is not None:
        _check_terms(terms, log)
        if found is not None:
            _check_against(found, terms, log)
    faults += log.finish()
    if found is None or terms is None or rows is None or any(f.severity == "error" for f in faults):
        raise CaseRefused(faults)
    found = replace(found, warnings=tuple(in_order(_told(fault) for fault in found.warnings)))
    return Purchases(found, read_case(case), case, _offers(found, terms), rows)


# ---- reading ---------------------------------------------------------------------------------------------


def _read(path: Path, log: Log) -> tuple[Draft | None, RawTable | None]:
    """The terms, typed, and the rest as rows of `lots`; None where there is nothing to check."""
    raw = _raw(path, log)
    if raw is None:
        return None, None
    raw = trimmed(raw, PURCHASES, log)
    _check_header(raw, log)
    terms = draft(PURCHASES, _columns(raw, TERMS_SPEC.columns), log, TERMS_SPEC)
    required = [name for name, spec in LOT_COLUMNS.items() if spec.required]
    if not set(required) <= set(raw.header) or "max_quantity" not in raw.header:
        # else the check of the lots tells of keys used twice
        check_key(terms, log)
        return terms, None
    rows = _columns(raw, LOT_COLUMNS)
    most = raw.columns[raw.header.index("max_quantity")]
    return terms, RawTable(
        (*rows.header, "quantity"), (*rows.columns, most), rows.rows + BELOW, rows.complete, rows.encoding
    )


def _raw(path: Path, log: Log) -> RawTable | None:
    kind = path.suffix.lower()
    if kind in READERS:
        return READERS[kind](path, PURCHASES, log)
    if kind != ".xlsx":
        log.add(path.name, None, "", path.name, "a file of CSV, Parquet or Excel (.xlsx)", "file")
        return None
    book = read_workbook(path, log)
    if book is not None and book.tables.get(PURCHASES) is None:
        log.add(path.name, None, "", "", f"a sheet `{PURCHASES}`", "missing_table")
    return None if book is None else book.tables.get(PURCHASES)


def _columns(raw: RawTable, known: Mapping[str, object]) -> RawTable:
    """The columns among those known, each once."""
    at = [i for i, name in enumerate(raw.header) if name in known and name not in raw.header[:i]]
    return replace(raw, header=tuple(raw.header[i] for i in at), columns=tuple(raw.columns[i] for i in at))


def _check_header(raw: RawTable, log: Log) -> None:
    for i, name in enumerate(raw.header):
        if name in raw.header[:i]:
            log.add(PURCHASES, 1, name, name, "each column once", "duplicate_column")
        elif name == "quantity":
            expected = "`min_quantity` and `max_quantity`: how much is bought is what is asked"
            log.add(PURCHASES, 1, name, name, expected, "unknown_column")
        elif name not in PURCHASE_SPEC.columns:
            expected = f"a known column (nearest: `{nearest(name, PURCHASE_SPEC.columns)}`)"
            log.add(PURCHASES, 1, name, name, expected, "unknown_column")
    for name, spec in PURCHASE_SPEC.columns.items():
        # the draft of the terms tells of its own
        if spec.required and name not in raw.header and name not in TERMS_SPEC.columns:
            log.add(PURCHASES, None, name, "", f"a column `{name}`", "missing_column")


def _told(fault: Fault) -> Fault:
    """A fault of a purchase offer's row in `lots`, as one of its own table."""
    expected = _ROW.sub(lambda m: f"row {int(m[1]) - BELOW} of {PURCHASES}", fault.expected)
    if fault.table != "lots" or fault.row is None or fault.row <= BELOW:
        return replace(fault, expected=expected)
    column = "max_quantity" if fault.column == "quantity" else fault.column
    return replace(fault, table=PURCHASES, row=fault.row - BELOW, column=column, expected=expected)


# ---- checking --------------------------------------------------------------------------------------------


def _check_terms(terms: Draft, log: Log) -> None:
    """Quantities that a purchase can have: on the grid, least at most the most, and a multiple between."""
    for name in ("min_quantity", "lot_size"):
        column = terms.exact(name)
        finer = [column.given[i] and (column.fraction(i) * GRID).denominator > 1 for i in range(len(terms))]
        expected = "whole millionths of a unit"
        terms.fault(log, np.array(finer, dtype=bool), name, expected, "out_of_range")
    least, most, size = (terms.exact(name) for name in ("min_quantity", "max_quantity", "lot_size"))
    above, between = np.zeros((2, len(terms)), dtype=bool)
    for i in range(len(terms)):
        low = least.fraction(i) if least.given[i] else Fraction(0)
        if most.given[i] and low > most.fraction(i):
            above[i] = True
        elif most.given[i] and size.given[i] and size.fraction(i) > 0:
            step = size.fraction(i)
            between[i] = most.fraction(i) // step * step < max(low, step)
    terms.fault(log, above, "min_quantity", "at most max_quantity", "limits_in_order")
    expected = "a multiple of it from min_quantity to max_quantity"
    terms.fault(log, between, "lot_size", expected, "out_of_range")


def _check_against(case: Case, terms: Draft, log: Log) -> None:
    """An origin that lots share says that they are one thing of known sizes: a purchase has none yet."""
    names, origins = case.lots.text("lot"), case.lots.text("origin")
    count: dict[str, int] = {}
    for origin in origins.tolist():
        count[origin] = count.get(origin, 0) + 1
    shared = {name for name, o in zip(names.tolist(), origins.tolist(), strict=True) if o and count[o] > 1}
    for i, name in enumerate(terms.texts("lot")):
        if name in shared:
            origin = str(origins[case.lots.position[name]])
            expected = (
                "an origin that no other lot or purchase offer has: of offers that are one thing, "
                "give one `group`"
            )
            log.add(PURCHASES, int(terms.rows[i]), "origin", origin, expected, "ambiguous_name")


def _offers(case: Case, terms: Draft) -> tuple[PurchaseOffer, ...]:
    exact = {name: terms.exact(name) for name in TERMS if name != "group"}
    names, groups, quantity = terms.texts("lot"), terms.texts("group"), case.lots.grid("quantity")
    position: IndexArray = case.lots.find(np.array(names, dtype=object))
    category, uom = case.lots.text("category"), case.lots.text("uom")
    received = case.lots.days("received")
    found = []
    for i, at in enumerate(position.tolist()):
        figure = {
            name: column.fraction(i) if column.given[i] else Fraction(0) for name, column in exact.items()
        }
        found.append(
            PurchaseOffer(
                lot=names[i], position=at, category=str(category[at]), uom=str(uom[at]),
                received=str(received[at]), fixed=figure["fixed_cost"], price=figure["price_per_uom"],
                least=figure["min_quantity"], most=Fraction(int(quantity[at]), GRID), group=groups[i],
                size=figure["lot_size"] if exact["lot_size"].given[i] else None,
            )
        )  # fmt: skip
    return tuple(sorted(found, key=lambda offer: offer.position))


assert TABLE_SPECS["lots"].columns.keys() - LOT_COLUMNS.keys() == {"quantity"}  # noqa: S101 - see PURCHASE_SPEC
