"""Scenario files (TOML) to scenarios; every fault of a file at once.

name = "hydro a month late"
[[edit]]
table = "lots"
where = { category = "primary_*", received = { ">=" = 2026-05-01 } }
shift_days = { received = 30, used = 30 }
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from massbalance.domain.faults import CaseRefused
from massbalance.domain.schema import TABLE_SPECS, ColumnSpec, TableSpec
from massbalance.intake.log import Log, nearest, one_of
from massbalance.scenario.cells import MOST_DAYS, cell_text, days_text, expected, number_text
from massbalance.scenario.edits import COMPARISONS, Action, Cells, Condition, Edit, Scenario

ACTIONS = ("multiply", "set", "add", "drop", "shift_days")
SECTIONS = ("objective", "rules", "issuer")
SETTINGS = (*SECTIONS, "fiscal_year_start")
"""Settings of `case.toml` that a scenario may replace."""
TOP = ("name", "description", "edit", *SETTINGS)
ORDERED = ("number", "whole", "date", "text")
"""Kinds of columns whose values have an order (texts: that of their characters)."""


def read_scenario(path: Path) -> Scenario:
    """The scenario of a file. CaseRefused: all that is wrong with it."""
    return scenario_of(read_toml(path), source=path.name, name=path.stem)


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file with exact decimals. CaseRefused where it is none or cannot be read."""
    log = Log()
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"), parse_float=Decimal)
    except OSError as error:
        log.add(path.name, None, "", error.strerror or "", "a file that can be read", "file")
    except UnicodeDecodeError:
        log.add(path.name, None, "", "", "UTF-8", "file")
    except (ValueError, RecursionError) as error:
        log.add(path.name, None, "", error, "a TOML file", "file")
    raise CaseRefused(log.finish())


def scenario_of(document: Mapping[str, Any], *, source: str = "", name: str = "scenario") -> Scenario:
    """The scenario of a document as a file holds it, with numbers as int, Decimal or text.

    name: where the document gives none. CaseRefused: all that is wrong with it.
    """
    log = Log()
    found = parse_scenario(document, source or "scenario", name, log)
    if not log.has_errors and not found.edits and not found.settings:
        log.add(source or "scenario", None, "edit", "", "at least one [[edit]] or setting", "no_edit")
    if log.has_errors:
        raise CaseRefused(log.finish())
    return Scenario(found.name, found.edits, found.description, found.settings, source)


def parse_scenario(document: Mapping[str, Any], source: str, name: str, log: Log) -> Scenario:
    """The scenario of a document; faults are logged, and what is faulty is left out.

    An edit that is None keeps its number and does nothing.
    """
    at = Place(source, "", log)
    for key in document:
        if key not in TOP:
            at.unknown(key, TOP)
    texts = {key: at.within(key).text(document[key]) for key in ("name", "description") if key in document}
    listed = document.get("edit", [])
    if not isinstance(listed, list):
        at.within("edit").fault(listed, "edits as a list: [[edit]]")
        listed = []
    edits = [
        parse_edit(one, at.within(f"edit {n}"), n) for n, one in enumerate(listed, start=1) if one is not None
    ]
    settings = {key: value for key, value in document.items() if key in SETTINGS}
    return Scenario(
        texts.get("name") or name,
        tuple(edit for edit in edits if edit is not None),
        texts.get("description", ""),
        {key: plain_settings(value) for key, value in settings.items()},
        source,
    )


def plain_settings(value: Any) -> Any:
    """Settings as intake takes them: dates as text, whole numbers and texts as they are, decimals as text."""
    if isinstance(value, Mapping):
        return {str(key): plain_settings(v) for key, v in value.items()}
    if isinstance(value, list):
        return [plain_settings(v) for v in value]
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return value


class Place:
    """A place in a file, for its faults: `edit 2.where.category`."""

    def __init__(self, source: str, path: str, log: Log) -> None:
        self.source, self.path, self.log = source, path, log

    def within(self, key: str) -> Place:
        """A key inside this place."""
        return Place(self.source, f"{self.path}.{key}" if self.path else key, self.log)

    def fault(self, value: Any, what: str, code: str = "scenario") -> None:
        """What stands here is not what is expected."""
        self.log.add(self.source, None, self.path, "" if value is None else value, what, code)

    def unknown(self, key: str, known: tuple[str, ...], what: str = "key", code: str = "unknown_key") -> None:
        """A name that is none of the known."""
        self.within(key).fault(key, f"a known {what} (nearest: `{nearest(key, known)}`)", code)

    def text(self, value: Any) -> str:
        """A text; '' with a fault where it is none."""
        if isinstance(value, str):
            return value
        self.fault(value, "a text")
        return ""

    def column(self, spec: TableSpec, name: str) -> ColumnSpec | None:
        """A column of the table, or a fault that names the nearest."""
        if name in spec.columns:
            return spec.columns[name]
        self.unknown(name, tuple(spec.columns), f"column of `{spec.name}`", "unknown_column")
        return None


def parse_edit(given: Any, at: Place, number: int = 0) -> Edit | None:
    """One edit, numbered; None, with faults, where it is none."""
    if not isinstance(given, Mapping):
        at.fault(given, "a table with `table`, `where` and one action")
        return None
    before = len(at.log.faults)
    for key in given:
        if key not in ("table", "where", *ACTIONS):
            at.unknown(key, ("table", "where", *ACTIONS))
    spec = _table(given.get("table"), at)
    actions = [key for key in ACTIONS if key in given]
    if len(actions) != 1:
        at.fault(", ".join(actions), f"exactly one of {one_of(ACTIONS)}", "action")
    if spec is None:
        return None
    where = _where(given.get("where", {}), spec, at.within("where"))
    edits = [_action(word, given[word], spec, where, at.within(word)) for word in actions]
    if len(edits) == 1 and edits[0].action == "append" and "where" in given:
        at.within("where").fault(None, "no conditions: rows are added as they are", "action")
    return replace(edits[0], number=number) if len(at.log.faults) == before else None


def _table(name: Any, at: Place) -> TableSpec | None:
    if name is None:
        at.within("table").fault(None, f"a table: {one_of(TABLE_SPECS)}")
    elif not isinstance(name, str) or name not in TABLE_SPECS:
        likely = nearest(str(name), TABLE_SPECS)
        at.within("table").fault(name, f"a table of a case (nearest: `{likely}`)", "unknown_table")
    return TABLE_SPECS[name] if isinstance(name, str) and name in TABLE_SPECS else None


def _action(word: str, given: Any, spec: TableSpec, where: tuple[Condition, ...], at: Place) -> Edit:
    if word == "drop":
        if given is not True:
            at.fault(given, "`true`")
        return Edit(spec.name, "drop", where)
    if word == "add" and isinstance(given, list):
        rows = [_cells(row, spec, at.within(f"row {n}"), "set") for n, row in enumerate(given, start=1)]
        if not rows:
            at.fault(None, "at least one row")
        return Edit(spec.name, "append", (), (), tuple(rows))
    action: Action = word  # type: ignore[assignment]
    values = _cells(given, spec, at, action)
    return Edit(spec.name, action, where, values)


def _cells(given: Any, spec: TableSpec, at: Place, action: str) -> Cells:
    """(column, text) of a table of values; faults for columns that cannot take them."""
    if not isinstance(given, Mapping) or not given:
        rows = ", or rows as a list: add = [{ ... }]" if action == "add" else ""
        at.fault(
            None if isinstance(given, Mapping) else given, f"columns with values: {{ column = value }}{rows}"
        )
        return ()
    found = []
    for name, value in given.items():
        column = at.column(spec, name)
        if column is None:
            continue
        text, what = _value(value, column, action)
        if text is None:
            at.within(name).fault(value, what)
        else:
            found.append((name, text))
    return tuple(found)


def _value(value: Any, column: ColumnSpec, action: str) -> tuple[str | None, str]:
    """The text that an action takes for a column, None if it cannot; and what it must be."""
    if action == "set":
        return cell_text(value, column), expected(column)
    if action == "shift_days":
        if column.kind != "date":
            return None, "a column of dates"
        return days_text(value), f"whole days, at most {MOST_DAYS}"
    if column.kind not in ("number", "whole"):
        return (
            None,
            "a column of numbers (to add rows: add = [{ ... }])"
            if action == "add"
            else "a column of numbers",
        )
    return number_text(value), "a number"


def _where(given: Any, spec: TableSpec, at: Place) -> tuple[Condition, ...]:
    if not isinstance(given, Mapping):
        at.fault(given, "conditions: { column = value }")
        return ()
    found = []
    for name, value in given.items():
        column = at.column(spec, name)
        condition = None if column is None else _condition(value, column, at.within(name))
        if condition is not None:
            found.append(condition)
    return tuple(found)


def _condition(given: Any, column: ColumnSpec, at: Place) -> Condition | None:
    if not isinstance(given, Mapping):
        texts = _texts(given, column, at, glob=True)
        return Condition(column.name, (("=", texts),), any("*" in text for text in texts))
    if not given:
        at.fault(None, f"a comparison: {one_of(COMPARISONS)}")
    tests = []
    for word, value in given.items():
        if word not in COMPARISONS:
            at.within(word).fault(word, f"a comparison: {one_of(COMPARISONS)}", "unknown_key")
        elif word not in ("=", "!=") and (
            column.kind not in ORDERED or isinstance(value, list) or value == ""
        ):
            at.within(word).fault(value, "one value of a column of numbers, dates or text")
        else:
            tests.append((word, _texts(value, column, at.within(word), glob=False)))
    return Condition(column.name, tuple(tests))


def _texts(given: Any, column: ColumnSpec, at: Place, *, glob: bool) -> tuple[str, ...]:
    """One value or a list of them, as cells of the column; glob: texts may hold `*`."""
    found = []
    for value in given if isinstance(given, list) else [given]:
        pattern = glob and isinstance(value, str) and "*" in value
        text = str(value) if pattern else cell_text(value, column)
        if text is None:
            at.fault(value, expected(column))
        else:
            found.append(text)
    if isinstance(given, list) and not given:
        at.fault(None, "at least one value")
    return tuple(found)
