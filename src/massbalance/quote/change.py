"""A case with a few cells changed, in memory: what a relaxation is, and how it is tried before it is told."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from massbalance.domain.case import Case, IndexArray, Table
from massbalance.domain.grid import Column, decimal_text, shrink
from massbalance.domain.schema import TABLE_SPECS

DECIMALS = 6
"""Figures of a changed cell have at most so many decimals."""


@dataclass(frozen=True)
class Edit:
    """One cell of a table: `key` names the row, texts are as in the file; old None: a row that is added.

    unit: of the column, empty where it has none.
    """

    table: str
    key: tuple[str, ...]
    column: str
    old: str | None
    new: str
    unit: str = ""

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "table": self.table, "key": list(self.key), "column": self.column, "from": self.old,
            "to": self.new, "unit": self.unit,
        }  # fmt: skip


def text_of(value: Fraction) -> str:
    """An exact decimal fraction as text, without trailing zeros."""
    decimals = 0
    while (value * 10**decimals).denominator != 1:
        decimals += 1
    return decimal_text(int(value * 10**decimals), decimals)


def rounded(value: float, digits: int, *, up: bool) -> Fraction:
    """A figure rounded to the side that works; what is nearly a step is that step."""
    scale = 10**digits
    steps = math.ceil(value * scale - 1e-3) if up else math.floor(value * scale + 1e-3)
    return Fraction(steps, scale)


def taken(table: Table, index: IndexArray) -> Table:
    """Some rows of a table, in that order."""
    rows = table.rows.iloc[index].reset_index(drop=True)
    exact = {name: column.take(index) for name, column in table.exact.items()}
    return Table(table.name, rows, exact, table.source_row[index])


def joined(table: Table, more: Table) -> Table:
    """The rows of both in the order of their keys; no key stands in both."""
    rows = pd.concat([table.rows, more.rows], ignore_index=True)
    exact = {name: column.joined(more.exact[name]) for name, column in table.exact.items()}
    made = Table(table.name, rows, exact, np.concatenate([table.source_row, more.source_row]))
    order = sorted(range(len(rows)), key=lambda i: key_of(made, i))
    return taken(made, np.array(order, dtype=np.intp))


def with_figures(table: Table, column: str, values: Sequence[Fraction | None]) -> Table:
    """The table with a number column replaced; exact, on no coarser a grid than before."""
    new = Column.from_fractions(values)
    decimals = max(new.decimals, table.exact[column].decimals)
    made = Column(new.at(decimals), decimals, new.given)
    return replace(
        table,
        rows=table.rows.assign(**{column: made.floats()}),
        exact={**table.exact, column: made},
    )


def with_words(table: Table, column: str, values: Sequence[object]) -> Table:
    """The table with a column of texts or flags replaced."""
    kind = table.rows[column].dtype
    cells = pd.Series(list(values), index=table.rows.index, dtype="object").astype(kind)
    return replace(table, rows=table.rows.assign(**{column: cells}))


def key_of(table: Table, row: int) -> tuple[str, ...]:
    """What names a row."""
    return tuple(str(table.rows[name].iloc[row]) for name in TABLE_SPECS[table.name].key)


def row_at(table: Table, key: tuple[str, ...]) -> int:
    """Position of the row of that name, -1 where there is none."""
    names = TABLE_SPECS[table.name].key
    same = np.logical_and.reduce([table.text(n) == part for n, part in zip(names, key, strict=True)])
    found = np.flatnonzero(same)
    return int(found[0]) if len(found) else -1


def cell(table: Table, row: int, column: str) -> str:
    """A cell as a file would hold it."""
    if column in table.exact:
        exact = table.exact[column]
        return text_of(exact.fraction(row)) if exact.given[row] else ""
    value = table.rows[column].iloc[row]
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if TABLE_SPECS[table.name].columns[column].kind == "date":
        return "" if pd.isna(value) else str(np.datetime64(value, "D"))
    return str(value)


def changed(case: Case, edits: Iterable[Edit]) -> Case:
    """The case with these cells changed; its content hash stays that of the original."""
    tables = dict(case.tables)
    for edit in edits:
        tables[edit.table] = _edited(tables[edit.table], edit)
    return replace(case, tables=tables)


def _edited(table: Table, edit: Edit) -> Table:
    row = row_at(table, edit.key)
    return _added(table, edit) if row < 0 else _set(table, row, edit.column, edit.new)


def _set(table: Table, row: int, column: str, text: str) -> Table:
    if column in table.exact:
        old = table.exact[column]
        value = Fraction(Decimal(text))
        new = Column.from_fractions([value])
        decimals = max(old.decimals, new.decimals)
        values, given = old.at(decimals).copy(), old.given.copy()
        exact = int(value * 10**decimals)
        values = values if abs(exact) < 2**62 else values.astype(object)
        values[row], given[row] = exact, True
        made = Column(shrink(values), decimals, given)
        rows = table.rows.assign(**{column: made.floats()})
        return replace(table, rows=rows, exact={**table.exact, column: made})
    cells = table.rows[column].copy()
    cells.iloc[row] = _typed(table, column, text)
    return replace(table, rows=table.rows.assign(**{column: cells}))


def _typed(table: Table, column: str, text: str) -> Any:
    kind = TABLE_SPECS[table.name].columns[column].kind
    if kind == "flag":
        return text == "true"
    return pd.Timestamp(text) if kind == "date" else text


def _added(table: Table, edit: Edit) -> Table:
    """A new row: its key and one figure (a category that an alloy now takes)."""
    names = TABLE_SPECS[table.name].key
    cells = {**dict(zip(names, edit.key, strict=True)), edit.column: float(Decimal(edit.new))}
    row = pd.DataFrame([{name: cells.get(name, "") for name in table.rows.columns}])
    one = Column.from_fractions([Fraction(Decimal(edit.new))])
    exact = dict.fromkeys(table.exact, one)
    after = np.array([int(table.source_row.max(initial=1)) + 1], dtype=np.int64)
    return joined(table, Table(table.name, row.astype(table.rows.dtypes.to_dict()), exact, after))
