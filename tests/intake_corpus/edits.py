"""What a malformed case is, and the edits that make one of a valid case."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from tests.intake_corpus.valid import Files, Row, valid

Edit = Callable[[Files], None]


@dataclass(frozen=True)
class Malformed:
    """A case with one fault.

    place: "table row column" of the fault as its message must name it, `-` where it names none;
    code: the fault's code; says: words its message must hold; base: the valid case that is edited.
    """

    name: str
    edit: Edit
    place: str
    code: str
    says: str = ""
    base: Callable[[], Files] = valid

    @property
    def fault(self) -> tuple[str, int | None, str, str]:
        """Table, row, column and code."""
        table, row, column = self.place.split(" ")
        return table, None if row == "-" else int(row), "" if column == "-" else column, self.code


def cell(place: str, value: str) -> Edit:
    """Set one cell; place: "table row column", row as in the file (the first data row is 2)."""
    table, row, column = place.split(" ")
    return cells(f"{table} {row}", **{column: value})


def cells(place: str, **values: str) -> Edit:
    """Set some cells of one row; place: "table row"."""
    table, row = place.split(" ")

    def edit(files: Files) -> None:
        files.tables[table][int(row) - 2].update(values)

    return edit


def again(place: str, **values: str) -> Edit:
    """Add a copy of a row at the end, with other values; place: "table row"."""
    table, row = place.split(" ")

    def edit(files: Files) -> None:
        files.tables[table].append({**files.tables[table][int(row) - 2], **values})

    return edit


def swapped(table: str) -> Edit:
    """The rows in reverse."""

    def edit(files: Files) -> None:
        files.tables[table].reverse()

    return edit


def only(table: str, keep: Callable[[Row], bool]) -> Edit:
    """Leave out the rows that are not to be kept."""

    def edit(files: Files) -> None:
        files.tables[table] = [row for row in files.tables[table] if keep(row)]

    return edit


def text(table: str, old: str, new: str) -> Edit:
    """Replace once in the CSV text."""

    def edit(files: Files) -> None:
        before = files.csv(table)
        assert old in before
        files.raw[f"{table}.csv"] = before.replace(old, new, 1).encode()

    return edit


def file(name: str, data: bytes) -> Edit:
    """Write a file as it is, in place of the table of its name."""

    def edit(files: Files) -> None:
        files.raw[name] = data
        stem = name.rsplit(".", 1)[0]
        if name != f"{stem}.csv" and stem in files.tables:
            files.without.add(f"{stem}.csv")

    return edit


def also(name: str, data: bytes) -> Edit:
    """Write one file more."""

    def edit(files: Files) -> None:
        files.raw[name] = data

    return edit


def without(name: str) -> Edit:
    """Leave out a table or file."""

    def edit(files: Files) -> None:
        files.without.add(name)

    return edit


def no_column(table: str, column: str) -> Edit:
    """Leave out a column."""

    def edit(files: Files) -> None:
        files.columns[table].remove(column)
        for row in files.tables[table]:
            del row[column]

    return edit


def setting(old: str, new: str) -> Edit:
    """Replace once in case.toml."""

    def edit(files: Files) -> None:
        assert old in files.settings
        files.settings = files.settings.replace(old, new, 1)

    return edit


def rules_section(*lines: str, identity: str = "jaa-2026") -> Edit:
    """`[rules]` with overrides in place of `rules = ...`."""

    def edit(files: Files) -> None:
        kept = [line for line in files.settings.splitlines() if not line.startswith("rules =")]
        files.settings = "\n".join((*kept, "", "[rules]", f'id = "{identity}"', *lines, ""))

    return edit


def every(*edits: Edit) -> Edit:
    """One edit after the other."""

    def edit(files: Files) -> None:
        for one in edits:
            one(files)

    return edit


def parquet(**columns: object) -> bytes:
    """A Parquet file of these columns."""
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()
