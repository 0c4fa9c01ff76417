"""Puts scenarios into a case: its tables as given, edited exactly, go through the whole intake again.

base = read_base(Path("data/aluminium"))
case = apply(base, read_scenario(Path("late.toml")))    # CaseRefused with EditFaults where it is invalid

The base is read once; nothing is written. Cells are edited as columns of distinct words (intake.cells).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from massbalance.domain.case import Case
from massbalance.domain.faults import CaseRefused, Fault, in_order
from massbalance.domain.schema import TABLE_SPECS
from massbalance.intake.cells import Cells, Mask
from massbalance.intake.log import Log
from massbalance.intake.raw import RawTable, trimmed
from massbalance.intake.read import checked
from massbalance.intake.settings import SettingsSource
from massbalance.intake.source import Source, read_source
from massbalance.scenario.actions import appended, changed, column_of, matching
from massbalance.scenario.edits import Edit, EditFault, Scenario

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Base:
    """A case and what it was read from.

    tables: table -> as read, without blank rows; a table that is not there is left out.
    """

    case: Case
    tables: Mapping[str, RawTable]
    settings: SettingsSource


@dataclass
class Edited:
    """A base under edits, before it is checked.

    touched: by edit, the table, the rows of it that were changed or added (as numbered in the file) and
    the columns (empty: whole rows); warnings: what an edit did not find.
    """

    tables: dict[str, RawTable]
    settings: SettingsSource
    touched: list[tuple[str, Rows, tuple[str, ...]]] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)


def read_base(path: Path, *, progress: Callable[[str], None] | None = None) -> Base:
    """Read a case to apply scenarios to. CaseRefused, as `read_case`: the base must be valid itself."""
    log = Log()
    source = read_source(path, log, progress or (lambda _: None))
    return _base(source, log, None, progress)


def _base(
    source: Source, log: Log, rule_source: bytes | None, progress: Callable[[str], None] | None
) -> Base:
    tables = {name: trimmed(raw, name, Log()) for name, raw in source.tables.items() if raw is not None}
    settings = source.settings or SettingsSource({})
    case = checked(source, log, rule_source=rule_source, progress=progress)
    return Base(case, tables, settings)


def apply(base: Base, scenario: Scenario) -> Case:
    """The checked case under a scenario.

    Its warnings are those of the edited case and of edits that find no row.

    Raises:
        CaseRefused: the edited case has errors, or no edit finds any row; faults of the edited tables
            are EditFaults, which name the scenario and its edits.
    """
    edited = edit(base, scenario)
    try:
        case = checked(Source(dict(edited.tables), edited.settings), Log())
    except CaseRefused as refused:
        named = [_named(fault, scenario, edited) for fault in refused.faults]
        raise CaseRefused([*named, *edited.warnings]) from None
    return replace(case, warnings=tuple(in_order([*case.warnings, *edited.warnings])))


def edit(base: Base, scenario: Scenario) -> Edited:
    """The base's tables and settings under a scenario, unchecked. CaseRefused where no edit finds a row."""
    edited = Edited(dict(base.tables), _settings(base.settings, scenario.settings))
    missed = 0
    for number, one in enumerate(scenario.edits, start=1):
        found = _apply(edited, one, number, scenario.label)
        missed += not found
    if missed and missed == len(scenario.edits) and not scenario.settings:
        raise CaseRefused([replace(fault, severity="error") for fault in edited.warnings])
    return edited


def _settings(base: SettingsSource, given: Mapping[str, Any]) -> SettingsSource:
    """The base's settings, replaced key by key."""
    data = copy.deepcopy(base.data)
    for key, value in given.items():
        if isinstance(value, Mapping):
            there = data.get(key, {})
            if key == "rules" and isinstance(there, str):
                there = {"id": there}
            data[key] = {**there, **value} if isinstance(there, dict) else dict(value)
        else:
            data[key] = value
    return SettingsSource(data, base.rows)


def _apply(edited: Edited, one: Edit, number: int, label: str) -> bool:
    """One edit on the tables; False where it finds no row."""
    table = edited.tables.get(one.table)
    if one.action == "append":
        new = appended(table, one)
        edited.tables[one.table] = new
        edited.touched.append((one.table, new.rows[-len(one.rows) :], ()))
        return True
    rows = np.zeros(0, dtype=bool) if table is None else matching(table, one)
    where = np.zeros(0, np.int64) if table is None else table.rows[rows]
    edited.touched.append((one.table, where, one.columns))
    if table is None or not rows.any():
        expected = "rows that meet its conditions; there are none"
        edited.warnings.append(_warning(one, number, label, "", expected))
        return False
    if one.action == "drop":
        edited.tables[one.table] = _kept(table, ~rows)
        if one.table == "orders":
            _drop_offers(edited, table, rows)
        return True
    for column, text in one.values:
        spec = TABLE_SPECS[one.table].columns[column]
        cells, some = changed(column_of(table, column), rows, one.action, text, spec)
        table = _with_column(table, column, cells)
        if not some:
            expected = f"a value in some of the {int(rows.sum())} rows; all are empty and stay so"
            edited.warnings.append(_warning(one, number, label, column, expected))
    edited.tables[one.table] = table
    return True


def _with_column(table: RawTable, name: str, cells: Cells) -> RawTable:
    """The table with a column in place of its own of that name, or as a further one."""
    if name not in table.header:
        return replace(table, header=(*table.header, name), columns=(*table.columns, cells))
    at = table.header.index(name)
    return replace(table, columns=(*table.columns[:at], cells, *table.columns[at + 1 :]))


def _warning(one: Edit, number: int, label: str, column: str, expected: str) -> Fault:
    return EditFault(
        one.table, None, column, "", expected, "edit_without_effect", "warning", label, (number,)
    )


def _kept(table: RawTable, keep: Mask) -> RawTable:
    rows = np.flatnonzero(keep)
    return replace(table, columns=tuple(cells.take(rows) for cells in table.columns), rows=table.rows[rows])


def _drop_offers(edited: Edited, orders: RawTable, dropped: Mask) -> None:
    """An order's offers go with it."""
    offers = edited.tables.get("offers")
    if offers is None or "order" not in offers.header:
        return
    column = orders.columns[orders.header.index("order")]
    gone = {column.at(int(i)) for i in np.flatnonzero(dropped)}
    cells = offers.columns[offers.header.index("order")]
    hit = np.array([word in gone for word in cells.words.to_pylist()], dtype=bool)[cells.codes]
    if hit.any():
        edited.tables["offers"] = _kept(offers, ~hit)


def _named(fault: Fault, scenario: Scenario, edited: Edited) -> Fault:
    """An error of the edited case with the edits that touched its place; warnings as they are."""
    if fault.severity != "error":
        return fault
    columns = set(fault.column.split(", "))
    hits = [
        (number, not touched or bool(columns & set(touched)))
        for number, (table, rows, touched) in enumerate(edited.touched, start=1)
        if table == fault.table and (fault.row is None or bool((rows == fault.row).any()))
    ]
    exact = tuple(number for number, of_column in hits if of_column)
    return EditFault(
        **asdict(fault), scenario=scenario.label, edits=exact or tuple(number for number, _ in hits)
    )
