"""Sound rows of drafts to tables: canonical order, defaults, the grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from massbalance.domain.case import Table
from massbalance.domain.faults import Fault
from massbalance.domain.grid import GRID_DECIMALS, Column, IntArray, decimal_text, shrink
from massbalance.domain.schema import DEFAULT_SCOPES, GRID_COLUMNS, ColumnSpec
from massbalance.intake.cells import Cells, Codes, Mask
from massbalance.intake.checks_case import on_grid
from massbalance.intake.draft import Draft, Positions

TEXT = pd.StringDtype("pyarrow", na_value=np.nan)
"""pandas `str`."""


@dataclass(frozen=True)
class Built:
    """table: the checked table; draft: what it came from; order: the draft's rows, in the table's order."""

    table: Table
    draft: Draft
    order: Positions

    def blank(self, column: str) -> Mask:
        """Rows of the table in which the file gave nothing, shape (n,)."""
        if column not in self.draft.columns:
            return np.ones(len(self.order), dtype=bool)
        return self.draft.columns[column].cells.blank[self.order]

    def codes(self, column: str) -> tuple[Codes, list[str]]:
        """A text column as positions, shape (n,), in distinct words ('' throughout where it is missing)."""
        if column not in self.draft.columns:
            return np.zeros(len(self.order), dtype=np.int32), [""]
        cells = self.draft.columns[column].cells
        return cells.codes[self.order], cells.words.to_pylist()


def build(draft: Draft) -> Built:
    """The table of a draft's sound rows."""
    order = canonical_order(draft)
    columns: dict[str, Any] = {}
    exact: dict[str, Column] = {}
    for name, spec in draft.spec.columns.items():
        if spec.kind in ("number", "whole"):
            exact[name] = _numbers(draft, spec, order)
            columns[name] = exact[name].floats()
        elif spec.kind == "date":
            columns[name] = draft.dates(name)[order].astype("datetime64[s]")
        elif spec.kind == "flag":
            columns[name] = draft.is_word(name, "true")[order]
        else:
            columns[name] = _text(draft, spec, order)
    if draft.name == "lots":
        columns["scopes"] = _with_default_scopes(columns["scopes"], columns["uom"])
    rows = pd.DataFrame(columns, index=pd.RangeIndex(len(order)))
    return Built(Table(draft.name, rows, exact, draft.rows[order]), draft, order)


def canonical_order(draft: Draft) -> Positions:
    """Positions of the sound rows, sorted by key; periods stay in time order."""
    rows = np.flatnonzero(~draft.dropped)
    key = draft.spec.key
    if draft.name == "periods" or len(rows) == 0:
        return rows
    ranks = [_ranks(draft.columns[column].cells)[rows] for column in reversed(key)]
    if len(ranks) == 1 and np.all(ranks[0][1:] >= ranks[0][:-1]):
        return rows
    return rows[np.lexsort(ranks)]


def _ranks(cells: Cells) -> npt.NDArray[np.int64]:
    """Rank of each row's word in binary order, shape (n,)."""
    words = cells.words
    ranks = np.empty(len(words), dtype=np.int64)
    if len(words) < 2 or bool(pc.all(pc.less_equal(words[:-1], words[1:])).as_py()):
        ranks[:] = np.arange(len(words))
    else:
        ranks[np.asarray(pc.sort_indices(words))] = np.arange(len(words))
    return ranks[cells.codes]


def _numbers(draft: Draft, spec: ColumnSpec, order: Positions) -> Column:
    """Exact numbers with the default applied; booked quantities on the grid."""
    column = draft.exact(spec.name).take(order)
    if (draft.name, spec.name) in GRID_COLUMNS:
        return Column(on_grid(column)[0], GRID_DECIMALS, column.given)
    if spec.default is None or column.given.all():
        return column
    default = int(spec.default) * 10**column.decimals
    values: IntArray = np.where(column.given, column.values, default)
    return Column.of(shrink(values), column.decimals)


def _arrow_text(array: Any) -> Any:
    return pd.array(array, dtype=TEXT)


def _text(draft: Draft, spec: ColumnSpec, order: Positions) -> Any:
    """pandas `str`, '' = not given, with the default applied."""
    default = spec.default or ""
    if spec.name not in draft.columns:
        return _arrow_text(
            pa.array([default], pa.large_string()).take(pa.array(np.zeros(len(order), np.int64)))
        )
    cells = draft.columns[spec.name].cells
    words = cells.words
    if default:
        words = pc.if_else(pc.equal(words, ""), default, words)
    return _arrow_text(words.take(pa.array(cells.codes[order])))


def _with_default_scopes(scopes: Any, uom: Any) -> Any:
    """Scopes of a lot where none are given: 3 for material, 2 for MWh, 1 for GJ."""
    filled = pd.Series(scopes).where(pd.Series(scopes) != "", pd.Series(uom).map(DEFAULT_SCOPES))
    return filled.fillna("").astype(TEXT).array


def floored(built: Built, limit: int) -> list[Fault]:
    """Warnings for quantities finer than the grid, one by one, or one for all beyond `limit` rows."""
    found = []
    for table, column in GRID_COLUMNS:
        if built.table.name != table:
            continue
        exact = built.draft.exact(column).take(built.order)
        cut = np.flatnonzero(on_grid(exact)[1])
        named = cut if len(cut) <= limit else cut[:1]
        more = "" if len(cut) <= limit else f" ({len(cut)} rows are rounded down; this is the first)"
        for i in named:
            row = int(built.table.source_row[i])
            value = decimal_text(int(exact.values[i]), exact.decimals)
            expected = f"millionths of a unit: rounded down to them{more}"
            found.append(Fault(table, row, column, value, expected, "quantity_floored", "warning"))
    return found
