"""Conditions and actions on columns of distinct words: exact, and as fast as there are few words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Context, Decimal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from massbalance.domain.grid import as_python_ints
from massbalance.domain.schema import TABLE_SPECS, ColumnSpec
from massbalance.intake import numbers, values
from massbalance.intake.cells import Cells, Mask
from massbalance.intake.raw import RawTable
from massbalance.scenario.cells import plain
from massbalance.scenario.edits import Condition, Edit

Compared = npt.NDArray[np.object_] | npt.NDArray[np.int64] | npt.NDArray[np.str_]
EXACT = Context(prec=400)
"""Enough digits for any product of two figures of a case."""
MOST_NUMBER_DECIMALS = 60
_COMPARE: dict[str, Callable[..., Mask]] = {
    "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal,
}  # fmt: skip


def column_of(table: RawTable, name: str) -> Cells:
    """A column's cells, as the table has it; empty throughout where it is not there."""
    if name in table.header:
        return table.columns[table.header.index(name)]
    return same(len(table.rows), "")


def same(count: int, text: str) -> Cells:
    """One text in every row."""
    return Cells(np.zeros(count, np.int32), pa.array([text], pa.large_string()))


def matching(table: RawTable, edit: Edit) -> Mask:
    """Rows that meet all conditions of an edit, shape (n,). An empty cell counts as its column's default."""
    found = np.ones(len(table.rows), dtype=bool)
    columns = TABLE_SPECS[edit.table].columns
    for condition in edit.where:
        spec = columns[condition.column]
        cells = _spelled(column_of(table, condition.column), spec)
        found &= _meets(cells.words, condition, spec)[cells.codes]
    return found


def _spelled(cells: Cells, spec: ColumnSpec) -> Cells:
    """The cells as intake reads them: half width, one spelling of flags, scopes and schemes, defaults."""
    if spec.kind not in ("text", "word", "schemes"):
        cells = cells.narrow()
    if spec.kind == "flag":
        cells = values.flags(cells)
    elif spec.kind == "scopes":
        cells = values.scopes(cells)[0]
    elif spec.kind == "schemes":
        cells = values.schemes(cells)
    if spec.default and cells.blank.any():
        cells = cells.mapped(pc.if_else(pc.equal(cells.words, ""), spec.default, cells.words))
    return cells


def _meets(words: pa.Array, condition: Condition, spec: ColumnSpec) -> Mask:
    """Which distinct words meet a condition, shape (k,)."""
    found = np.ones(len(words), dtype=bool)
    for comparison, texts in condition.tests:
        if comparison in ("=", "!="):
            equal = _equal(words, texts, spec, glob=condition.glob)
            found &= equal if comparison == "=" else ~equal
        else:
            found &= _compared(words, texts[0], spec, _COMPARE[comparison])
    return found


def _equal(words: pa.Array, texts: tuple[str, ...], spec: ColumnSpec, *, glob: bool) -> Mask:
    if spec.kind in ("number", "whole"):
        words = numbers.canonical_words(words, numbers.parse(words, MOST_NUMBER_DECIMALS))
    given = {text for text in texts if not (glob and "*" in text)}
    patterns = [".*".join(map(re.escape, text.split("*"))) for text in texts if glob and "*" in text]
    listed = words.to_pylist()
    found = np.array([word in given for word in listed], dtype=bool)
    if patterns:
        any_of = re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.DOTALL)
        found |= np.array([any_of.fullmatch(word) is not None for word in listed], dtype=bool)
    return found


def _compared(words: pa.Array, text: str, spec: ColumnSpec, compare: Callable[..., Mask]) -> Mask:
    """Comparison in the column's own order; an empty cell meets none."""
    filled = np.asarray(pc.not_equal(words, ""), dtype=bool)
    if spec.kind in ("number", "whole"):
        parsed = numbers.parse(words, MOST_NUMBER_DECIMALS)
        limit = Decimal(text)
        decimals = max(parsed.decimals, -int(limit.as_tuple().exponent))
        left = as_python_ints(parsed.values) * 10 ** (decimals - parsed.decimals)
        right = int(limit.scaleb(decimals, EXACT))
        return parsed.given & np.asarray(compare(left, right), dtype=bool)
    # ISO dates have the order of their characters
    listed = np.array(words.to_pylist(), dtype=np.str_)
    return filled & np.asarray(compare(listed, np.str_(text)), dtype=bool)


def changed(cells: Cells, rows: Mask, action: str, text: str, spec: ColumnSpec) -> tuple[Cells, bool]:
    """The column with `multiply`, `add`, `set` or `shift_days` by a text done to some rows.

    False where all of these are empty and an action needs a value. A cell that comes out at the same value
    keeps its spelling.
    """
    used, into = np.unique(cells.codes[rows], return_inverse=True)
    before = cells.words.take(pa.array(used)).to_pylist()
    after = [_done(word, action, text, spec) for word in before]
    words = pa.concat_arrays([cells.words, pa.array([w or "" for w in after], pa.large_string())])
    codes = cells.codes.copy()
    codes[rows] = (len(cells.words) + into).astype(np.int32)
    return Cells(codes, words).mapped(words), any(word is not None for word in after)


def _done(word: str, action: str, text: str, spec: ColumnSpec) -> str | None:
    """A cell after an action; None where there is nothing to act on."""
    if action == "set":
        return text
    narrow = unicodedata.normalize("NFKC", word)
    value = narrow or spec.default or ""
    if value == "":
        return None
    if action == "shift_days":
        return _shifted(value, int(text)) if int(text) else word
    number, by = Decimal(value), Decimal(text)
    new = EXACT.multiply(number, by) if action == "multiply" else EXACT.add(number, by)
    return word if new == number else plain(new)


def _shifted(word: str, days: int) -> str:
    """A date some days later; what lies outside the calendar is left for intake to refuse."""
    try:
        return (date.fromisoformat(word) + timedelta(days=days)).isoformat()
    except OverflowError:
        return f"{word}{days:+d} days"


def appended(table: RawTable | None, edit: Edit) -> RawTable:
    """The table with an edit's rows at its end, numbered on."""
    if table is None:
        table = RawTable((), (), np.zeros(0, np.int64), True, "scenario")
    rows = [dict(row) for row in edit.rows]
    named = dict.fromkeys(column for row in rows for column in row)
    header = (*table.header, *(column for column in named if column not in table.header))
    columns = []
    for name in header:
        old = column_of(table, name)
        texts = pa.array([row.get(name, "") for row in rows], pa.large_string())
        columns.append(Cells.of(pa.concat_arrays([old.text(), texts])))
    last = int(table.rows.max(initial=1))
    number = np.concatenate([table.rows, np.arange(last + 1, last + 1 + len(rows))])
    return RawTable(header, tuple(columns), number, table.complete, table.encoding)
