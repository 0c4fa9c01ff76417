"""One table while it is checked: typed columns over distinct words, and which rows are sound."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from massbalance.domain.grid import Column, IntArray
from massbalance.domain.schema import GRID_COLUMNS, TABLE_SPECS, ColumnSpec, TableSpec
from massbalance.intake import numbers, values
from massbalance.intake.cells import Cells, Mask
from massbalance.intake.log import Log, nearest, one_of
from massbalance.intake.numbers import Numbers
from massbalance.intake.raw import RawTable, RowNumbers

Positions = npt.NDArray[np.intp]


@dataclass
class DraftColumn:
    """cells: the rows in canonical words; numbers, days: of the distinct words, where the column
    is of that kind; faulty: rows whose cell broke a rule, shape (n,).
    """

    cells: Cells
    faulty: Mask
    numbers: Numbers | None = None
    days: npt.NDArray[np.datetime64] | None = None

    @property
    def known(self) -> Mask:
        """Rows with a value that broke no rule."""
        return ~self.cells.blank & ~self.faulty

    def exact(self) -> Column:
        """Numbers of the rows; not given where empty or faulty."""
        assert self.numbers is not None  # noqa: S101 - asked of number columns only
        known = self.known
        rows = self.numbers.values[self.cells.codes]
        return Column(np.where(known, rows, 0), self.numbers.decimals, known)

    def dates(self) -> npt.NDArray[np.datetime64]:
        """datetime64[D] of the rows, NaT where empty or faulty."""
        assert self.days is not None  # noqa: S101 - asked of date columns only
        days = self.days[self.cells.codes]
        days[self.faulty] = np.datetime64("NaT")
        return days


@dataclass
class Draft:
    """present: the file or sheet exists; complete: every row of it is here; columns: those the
    file has; dropped: rows with a fault, or that depend on one, shape (n,).
    """

    spec: TableSpec
    present: bool
    complete: bool
    rows: RowNumbers
    columns: dict[str, DraftColumn] = field(default_factory=dict)
    encoding: str = ""
    dropped: Mask = field(default_factory=lambda: np.zeros(0, dtype=bool))

    @property
    def name(self) -> str:
        """The table's name."""
        return self.spec.name

    def __len__(self) -> int:
        return len(self.rows)

    def has(self, *columns: str) -> bool:
        """Are all of these columns in the file?"""
        return all(column in self.columns for column in columns)

    def known(self, column: str) -> Mask:
        """Rows with a value in the column that broke no rule."""
        return self.columns[column].known if column in self.columns else np.zeros(len(self), dtype=bool)

    def is_word(self, column: str, *words: str) -> Mask:
        """Rows whose cell is one of the words."""
        if column not in self.columns:
            return np.zeros(len(self), dtype=bool)
        cells = self.columns[column].cells
        return np.isin(cells.words.to_numpy(zero_copy_only=False), words)[cells.codes]

    def exact(self, column: str) -> Column:
        """Exact numbers; not given where the column is missing, the cell empty or faulty."""
        if column in self.columns:
            return self.columns[column].exact()
        none: IntArray = np.zeros(len(self), dtype=np.int64)
        return Column(none, 0, np.zeros(len(self), dtype=bool))

    def dates(self, column: str) -> npt.NDArray[np.datetime64]:
        """datetime64[D]; NaT where the column is missing, the cell empty or faulty."""
        if column in self.columns:
            return self.columns[column].dates()
        return np.full(len(self), np.datetime64("NaT"), dtype="datetime64[D]")

    def texts(self, column: str) -> list[str]:
        """The column as Python strings ('' throughout where it is missing); for small tables."""
        if column not in self.columns:
            return [""] * len(self)
        words = self.columns[column].cells.text().to_pylist()
        return [str(word) for word in words]

    def fault(self, log: Log, rows: Mask | Positions, column: str, expected: str, code: str) -> None:
        """Log each of the rows, as far as the log names them, and drop all of them."""
        positions = np.flatnonzero(rows) if rows.dtype == bool else rows
        if len(positions) == 0:
            return
        named = positions[: log.room(self.name, column, code)]
        for row in named:
            value = self.columns[column].cells.at(row) if column in self.columns else ""
            log.add(self.name, int(self.rows[row]), column, value, expected, code)
        log.add_many(self.name, column, code, len(positions) - len(named))
        self.dropped[positions] = True
        if column in self.columns:
            self.columns[column].faulty[positions] = True


def no_rows(name: str, *, known: bool) -> Draft:
    """A table without a file. known: nothing stands in it (an optional table that was left out);
    else it could not be read, and nothing that depends on it is checked.
    """
    return Draft(TABLE_SPECS[name], False, known, np.zeros(0, dtype=np.int64))


def draft(name: str, raw: RawTable, log: Log, spec: TableSpec | None = None) -> Draft:
    """The typed table of what was read; faults of header and single cells are logged.

    spec: its columns, where it is no table of a case.

    A table without a required column keeps its other columns, so that they are checked too, but
    none of its rows is sound.
    """
    spec = spec or TABLE_SPECS[name]
    table = Draft(spec, True, raw.complete, raw.rows, encoding=raw.encoding)
    table.dropped = np.zeros(len(raw.rows), dtype=bool)
    if raw.header and not set(raw.header) & set(spec.columns):
        required = ", ".join(c.name for c in spec.columns.values() if c.required)
        expected = f"a header of table `{name}` ({required} ...)"
        log.add(name, 1, "", ",".join(raw.header), expected, "file")
        return Draft(spec, False, False, np.zeros(0, dtype=np.int64))
    for column, cells in _known_columns(raw, spec, log).items():
        _add_column(table, spec.columns[column], cells, log)
    absent = [c.name for c in spec.columns.values() if c.required and c.name not in table.columns]
    for column in absent:
        log.add(name, None, column, "", f"a column `{column}`", "missing_column")
    if absent:
        table.dropped[:] = True
    return table


def _known_columns(raw: RawTable, spec: TableSpec, log: Log) -> dict[str, Cells]:
    found: dict[str, Cells] = {}
    for column, cells in zip(raw.header, raw.columns, strict=True):
        if column in found:
            log.add(spec.name, 1, column, column, "each column once", "duplicate_column")
        elif column in spec.columns:
            found[column] = cells
        else:
            expected = f"a known column (nearest: `{nearest(column, spec.columns)}`)"
            log.add(spec.name, 1, column, column, expected, "unknown_column")
    return found


def _add_column(table: Draft, spec: ColumnSpec, cells: Cells, log: Log) -> None:
    """Type a column's words, fault its rows, and keep it in canonical words."""
    if spec.kind not in ("text", "word", "schemes"):
        cells = cells.narrow()
    column = DraftColumn(cells, np.zeros(len(cells), dtype=bool))
    table.columns[spec.name] = column
    if spec.required:
        table.fault(log, cells.blank, spec.name, "a value", "empty_cell")
    checks = {
        "text": _check_text,
        "word": _check_word,
        "number": _check_number,
        "whole": _check_number,
        "date": _check_date,
        "flag": _check_flag,
        "scopes": _check_scopes,
        "schemes": _check_text,
    }
    checks[spec.kind](table, spec, column, log)


def _check_text(table: Draft, spec: ColumnSpec, column: DraftColumn, log: Log) -> None:
    is_name = spec.required or spec.of is not None or spec.kind == "schemes"
    bad = values.with_control_characters(column.cells.words, name=is_name)
    table.fault(log, bad[column.cells.codes], spec.name, "text without control characters", "text")
    if spec.kind == "schemes":
        column.cells = values.schemes(column.cells)


def _check_word(table: Draft, spec: ColumnSpec, column: DraftColumn, log: Log) -> None:
    cells = column.cells
    good = np.isin(cells.words.to_numpy(zero_copy_only=False), ("", *spec.words))
    table.fault(log, ~good[cells.codes], spec.name, one_of(spec.words), "unknown_word")


def _check_number(table: Draft, spec: ColumnSpec, column: DraftColumn, log: Log) -> None:
    cells = column.cells
    floored = (table.name, spec.name) in GRID_COLUMNS
    most = numbers.MOST_FLOORED_DECIMALS if floored else numbers.MOST_DECIMALS
    found = numbers.parse(cells.words, most)
    written = "a number as 1234.5 (no separators, finite)"
    for state, expected, code in (
        (numbers.NO_NUMBER, written, "not_a_number"),
        (numbers.TOO_FINE, f"at most {most} decimals", "out_of_range"),
    ):
        table.fault(log, (found.state == state)[cells.codes], spec.name, expected, code)
    outside = found.outside(spec.low, spec.high, spec.above)
    table.fault(log, outside[cells.codes], spec.name, spec.range_text, "out_of_range")
    if spec.kind == "whole":
        table.fault(log, found.fractional[cells.codes], spec.name, spec.range_text, "not_whole")
    column.numbers = found


def _check_date(table: Draft, spec: ColumnSpec, column: DraftColumn, log: Log) -> None:
    cells = column.cells
    days = values.dates(cells.words)
    bad = np.isnat(days)[cells.codes] & ~cells.blank
    expected = f"a date that exists, as YYYY-MM-DD, from {values.EARLIEST_YEAR} on"
    table.fault(log, bad, spec.name, expected, "not_a_date")
    column.days = days


def _check_flag(table: Draft, spec: ColumnSpec, column: DraftColumn, log: Log) -> None:
    cells = column.cells = values.flags(column.cells)
    good = np.isin(cells.words.to_numpy(zero_copy_only=False), ("", "true", "false"))
    table.fault(log, ~good[cells.codes], spec.name, "`true` or `false`", "not_a_flag")


def _check_scopes(table: Draft, spec: ColumnSpec, column: DraftColumn, log: Log) -> None:
    column.cells, bad = values.scopes(column.cells)
    expected = "scopes, each once: `1`, `2`, `3`, `1+2`, `1+3`, `2+3` or `1+2+3`"
    table.fault(log, bad[column.cells.codes], spec.name, expected, "unknown_word")
