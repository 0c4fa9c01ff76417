"""A case as tables of text, changed in memory and written in every format a case may have."""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

Record = dict[str, str]
Tables = dict[str, list[Record]]
Headers = dict[str, list[str]]

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_TEXT_COLUMNS = {
    "period", "site", "unit", "lot", "category", "alloy", "key", "element", "product", "name", "order",
    "offer", "customer", "project", "scopes", "scheme", "schemes", "certificate", "evidence", "origin",
    "address", "contact", "source", "verified_by",
}  # fmt: skip
FULL_WIDTH = str.maketrans("0123456789.-", "０１２３４５６７８９．－")


class CaseTables:
    """settings: text of case.toml; headers and rows of every table."""

    def __init__(self, folder: Path) -> None:
        self.settings = (folder / "case.toml").read_text(encoding="utf-8")
        self.headers: Headers = {}
        self.rows: Tables = {}
        for file in sorted(folder.glob("*.csv")):
            with file.open(encoding="utf-8-sig", newline="") as opened:
                reader = csv.DictReader(opened)
                self.rows[file.stem] = list(reader)
                self.headers[file.stem] = list(reader.fieldnames or ())

    def row(self, table: str, key: str) -> Record:
        """The row whose first column holds the key."""
        return next(r for r in self.rows[table] if r[self.headers[table][0]] == key)

    def add(self, table: str, like: str, **changes: str) -> Record:
        """A further row, like the one of a key but for the changes."""
        row = dict(self.row(table, like))
        self.rows[table].append(row)
        self.set(table, row, **changes)
        return row

    def set(self, table: str, row: Record, **values: str) -> None:
        """Give a row's columns these values; columns that the table left out come in."""
        row.update(values)
        self.headers[table] += [c for c in values if c not in self.headers[table]]

    def rename(self, columns: dict[str, tuple[str, ...]], names: dict[str, str]) -> None:
        """New names wherever these columns (by table) hold the old ones."""
        for table, wanted in columns.items():
            for row in self.rows[table]:
                for column in wanted:
                    row[column] = names.get(row[column], row[column])

    def shuffle(self, seed: int) -> CaseTables:
        """Rows (but of `periods`, which stand in time order) and columns of every table, shuffled."""
        rng = Random(seed)
        for table, rows in self.rows.items():
            if table != "periods":
                rng.shuffle(rows)
            rng.shuffle(self.headers[table])
        return self

    def write_csv(self, folder: Path, encoding: str = "utf-8", change: Callable[[str], str] = str) -> Path:
        """A folder of CSV files; change: applied to every number."""
        self._settings(folder)
        for table, header in self.headers.items():
            with (folder / f"{table}.csv").open("w", encoding=encoding, newline="") as opened:
                writer = csv.writer(opened, lineterminator="\r\n" if encoding == "cp932" else "\n")
                writer.writerow(header)
                for row in self.rows[table]:
                    cells = ((c, row.get(c, "")) for c in header)
                    writer.writerow([change(v) if _is_number(c, v) else v for c, v in cells])
        return folder

    def write_parquet(self, folder: Path) -> Path:
        """A folder of Parquet files with typed columns: floats, dates, booleans, texts, nulls."""
        self._settings(folder)
        for table, header in self.headers.items():
            columns = {c: [_typed(c, row[c]) for row in self.rows[table]] for c in header}
            pq.write_table(pa.table(columns), folder / f"{table}.parquet")
        return folder

    def write_workbook(self, file: Path) -> Path:
        """A workbook with typed cells and the settings in a sheet `case`."""
        book = openpyxl.Workbook()
        sheet = book.active
        sheet.title = "case"
        for line in [("key", "value"), *flattened(tomllib.loads(self.settings))]:
            sheet.append(line)
        for table, header in self.headers.items():
            sheet = book.create_sheet(table)
            sheet.append(header)
            for row in self.rows[table]:
                sheet.append([_typed(c, row[c]) for c in header])
        file.parent.mkdir(parents=True, exist_ok=True)
        book.save(file)
        return file

    def _settings(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        (folder / "case.toml").write_text(self.settings, encoding="utf-8")


def part_of(folder: Path, periods: Iterable[str]) -> CaseTables:
    """The tables of some periods of a case: all lots, and the periods' orders, offers and production."""
    tables, kept = CaseTables(folder), set(periods)
    for table in ("periods", "orders", "production"):
        tables.rows[table] = [row for row in tables.rows[table] if row["period"] in kept]
    orders = {row["order"] for row in tables.rows["orders"]}
    if "offers" in tables.rows:
        tables.rows["offers"] = [row for row in tables.rows["offers"] if row["order"] in orders]
    return tables


def flattened(settings: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Settings as dotted keys and values, lists of words joined by `;`."""
    for key, value in settings.items():
        if isinstance(value, dict):
            yield from flattened(value, f"{prefix}{key}.")
        elif isinstance(value, list) and isinstance(value[0], dict):
            for number, block in enumerate(value):
                yield from flattened(block, f"{prefix}{key}.{number}.")
        else:
            yield prefix + key, ";".join(value) if isinstance(value, list) else value


def _is_number(column: str, value: str) -> bool:
    return column not in _TEXT_COLUMNS and _NUMBER.fullmatch(value) is not None


def _typed(column: str, value: str) -> object:
    """A cell as a spreadsheet or data frame holds it."""
    if value == "":
        return None
    if column in _TEXT_COLUMNS:
        return value
    if value in ("true", "false"):
        return value == "true"
    if _NUMBER.fullmatch(value):
        return float(value) if "." in value else int(value)
    try:
        return date.fromisoformat(value)
    except ValueError:
        return value
