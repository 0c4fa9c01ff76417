"""Strict reading of a run's files: exact numbers, every oddity a fault with its file and row."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from massbalance.domain.faults import Fault
from massbalance.domain.grid import GRID_DECIMALS
from massbalance.verification.integers import Index, Ints, Mask, Wide, which

SUMMARY = "summary.json"
FAIR_SHARE = "proof/fair_share.csv"
"""Only of runs that ask for fair shares: the stage at which each group's was settled."""
OUT_OF_REACH = "proof/out_of_reach.csv"
"""Only of runs that ask for a common share: why some claims cannot be reached at all."""
FILES = (
    "case/case.toml", "rules.toml", "allocation.csv", "orders.csv", "account.csv", "residual.csv", SUMMARY,
    "proof/recipes.csv", "proof/pools.csv", OUT_OF_REACH, "proof/duals.csv", FAIR_SHARE, "prices.csv",
    "result.xlsx", "manifest.json",
)  # fmt: skip
"""Files of a run, in the order in which their faults are told."""

NOUGHT = pa.scalar("0", pa.large_string())
EXACT_TEXT = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?")
_GRID_TEXT = rf"^-?[0-9]{{1,12}}(\.[0-9]{{1,{GRID_DECIMALS}}})?$"
_PLAIN_TEXT = r"^-?[0-9]{1,15}(\.[0-9]{1,22})?$"


@dataclass(frozen=True)
class Lines:
    """Rows of a CSV file by column (arrow large_string); number: row in the file (header = 1)."""

    file: str
    number: Ints
    columns: Mapping[str, Any]

    def __len__(self) -> int:
        return len(self.number)

    def __getitem__(self, column: str) -> Any:
        return self.columns[column]

    def cell(self, at: int, column: str) -> str:
        """One cell."""
        return str(self.columns[column][int(at)].as_py())

    def take(self, at: Index | Mask) -> Lines:
        """Some of the rows."""
        at = np.flatnonzero(at) if at.dtype == bool else at
        if len(at) == len(self) and bool((at == np.arange(len(at))).all()):
            return self
        columns = {name: cells.take(pa.array(at)) for name, cells in self.columns.items()}
        return Lines(self.file, self.number[at], columns)


class Faults:
    """Collects what is wrong with a run."""

    def __init__(self) -> None:
        self.found: list[Fault] = []

    def add(self, file: str, row: int | None, column: str, value: object, expected: str, code: str) -> None:
        """One fault; row as in the file (header = 1), None for the whole file."""
        self.found.append(Fault(file, row, column, str(value), expected, code))

    def at(self, lines: Lines, at: int, column: str, expected: str, code: str, value: object = None) -> None:
        """One fault of a line; value: where it is not the cell's."""
        found = lines.cell(at, column) if value is None else value
        self.add(lines.file, int(lines.number[at]), column, found, expected, code)

    def where(self, lines: Lines, wrong: Mask, column: str, expected: str, code: str) -> None:
        """One fault of each line of a mask."""
        for at in which(wrong):
            self.at(lines, at, column, expected, code)

    def in_order(self) -> list[Fault]:
        """By file as in FILES, then by row; what only the manifest tells comes last."""

        def place(fault: Fault) -> tuple[bool, int, int]:
            at = FILES.index(fault.table) if fault.table in FILES else 0
            return fault.code == "manifest", at, fault.row or 0

        return sorted(dict.fromkeys(self.found), key=place)


def read_csv(run: Path, file: str, columns: Sequence[str], faults: Faults) -> Lines:
    """The rows of a file that has (at least) these columns; none, with faults, where it has not.

    Arrow splits what it splits as Python's csv module does; all else goes through that module.
    """
    none = Lines(file, np.zeros(0, np.int64), {c: pa.array([], pa.large_string()) for c in columns})
    try:
        data = (run / file).read_bytes()
        if not data.isascii():
            data.decode("utf-8")
        header, found = _split(data, columns) or ([], None)
        if found is None:
            header, *rows = csv.reader(io.StringIO(data.decode("utf-8"), newline=""), strict=True)
    except (OSError, ValueError, csv.Error) as error:
        faults.add(file, None, "", error, "a readable UTF-8 CSV file", "files")
        return none
    if not set(columns) <= set(header) or len(set(header)) != len(header):
        faults.add(file, 1, "", ",".join(header), f"columns {','.join(columns)}, once each", "files")
        return none
    if found is not None:
        cells = {name: found.column(name).combine_chunks() for name in columns}
        return Lines(file, np.arange(2, 2 + found.num_rows, dtype=np.int64), cells)
    numbers = []
    for number, row in enumerate(rows, start=2):
        if len(row) == len(header):
            numbers.append(number)
        else:
            faults.add(file, number, "", len(row), f"{len(header)} cells, as in the header", "files")
    at = {name: header.index(name) for name in columns}
    kept = [rows[number - 2] for number in numbers]
    cells = {name: pa.array([row[at[name]] for row in kept], pa.large_string()) for name in columns}
    return Lines(file, np.array(numbers, dtype=np.int64), cells)


def _split(data: bytes, columns: Sequence[str]) -> tuple[list[str], Any] | None:
    """Header and columns; None where arrow might not read the file as the csv module does.

    Asked for: lines end in a line feed and none is empty, all have as many cells as the header (arrow
    refuses others), there are two columns or more, and quotes, if any, stand around whole cells and
    are doubled inside.
    """
    end = data.find(b"\n")
    first = data[:end].decode("utf-8")
    header, quoted = first.split(","), b'"' in data
    plain = end >= 0 and end + 1 < len(data) and not any(odd in data for odd in (b"\r", b"\0", b"\n\n"))
    known = len(header) > 1 and set(columns) <= set(header) and len(set(header)) == len(header)
    if not (plain and known) or '"' in first or (quoted and not _quotes_stand_around_cells(data)):
        return None
    try:
        return header, arrow_csv.read_csv(
            pa.BufferReader(pa.py_buffer(memoryview(data)[end + 1 :])),
            read_options=arrow_csv.ReadOptions(column_names=header, block_size=1 << 23),
            parse_options=arrow_csv.ParseOptions(
                quote_char='"' if quoted else False, newlines_in_values=quoted, ignore_empty_lines=False
            ),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=list(columns),
                column_types=dict.fromkeys(header, pa.large_string()),
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid:
        return None


def _quotes_stand_around_cells(data: bytes) -> bool:
    """Is every first quote at the begin of a cell, every second at its end, or doubled with the next?"""
    content = np.frombuffer(data, dtype=np.uint8)
    at = np.flatnonzero(content == ord('"'))
    if len(at) % 2:
        return False
    bounds = np.isin(np.arange(256), [ord(","), ord("\n")])
    doubled = at[2::2] == at[1:-1:2] + 1
    opens = bounds[content[at[::2] - 1]]  # the header has no quote: a byte stands before each
    closes = bounds[content[np.minimum(at[1::2] + 1, len(data) - 1)]]
    closes[-1] |= at[-1] == len(data) - 1
    opens[1:] |= doubled
    closes[:-1] |= doubled
    return bool(opens.all() and closes.all())


@dataclass(frozen=True)
class Decimals:
    """Cells as exact numbers: value / 10**places where `sound`, 0 elsewhere; shape (n,)."""

    value: Wide
    places: int
    sound: Mask


def _decimals(cells: Any, pattern: str, places: int | None) -> Decimals:
    """Cells of a pattern (at most 38 digits), at as many places as the finest has, or as told."""
    sound = np.array(pc.match_substring_regex(cells, pattern), dtype=bool)
    plain = cells if sound.all() else pc.if_else(pa.array(sound), cells, NOUGHT)
    if places is None:
        point = np.asarray(pc.find_substring(plain, "."), dtype=np.int64)
        length = np.asarray(pc.binary_length(plain), dtype=np.int64)
        places = int(np.where(point < 0, 0, length - point - 1).max(initial=0))
    found = plain.cast(pa.decimal128(38, places))
    halves = np.frombuffer(found.buffers()[1], dtype="<i8").reshape(-1, 2)
    low, high = halves[found.offset : found.offset + len(found)].T
    return Decimals(Wide.of_halves(low.copy(), high), places, sound)


def on_grid(cells: Any) -> tuple[Ints, Mask]:
    """Millionths of a unit, below 10**18, and where a text is such a number; 0 where it is not.

    Such a number has at most 12 digits and 6 places.
    """
    found = _decimals(cells, _GRID_TEXT, GRID_DECIMALS)
    return found.value.low, found.sound


def decimals(cells: Any) -> Decimals:
    """Decimals of at most 15 digits and 22 places; what is unsound may still be a number to `exact`."""
    return _decimals(cells, _PLAIN_TEXT, None)


def exact(text: str) -> Fraction | None:
    """The decimal as written; None where the text is none."""
    return Fraction(text) if EXACT_TEXT.fullmatch(text) else None


def positions(cells: Any, known: Any) -> Index:
    """Where each text stands among distinct ones (both arrow, or texts); -1 where it does not."""
    known = known if isinstance(known, pa.Array) else pa.array(known, pa.large_string())
    if cells.equals(known):  # tables of orders stand in the case's order
        return np.arange(len(known), dtype=np.intp)
    found = pc.fill_null(pc.index_in(cells, value_set=known), -1)
    return np.asarray(found, dtype=np.intp)


def read_json(run: Path, file: str, faults: Faults) -> dict[str, Any]:
    """A JSON object with exact numbers (Decimal); empty, with a fault, where it is none."""
    try:
        found = json.loads((run / file).read_bytes().decode("utf-8"), parse_float=Decimal)
    except (OSError, ValueError, RecursionError) as error:
        faults.add(file, None, "", error, "a readable JSON file", "files")
        return {}
    if not isinstance(found, dict):
        faults.add(file, None, "", type(found).__name__, "a JSON object", "files")
        return {}
    return found


def number(found: object) -> Fraction | None:
    """A JSON number (or a decimal as text), exactly; None for anything else."""
    if isinstance(found, Decimal):
        return Fraction(found) if found.is_finite() and abs(found.adjusted()) < 40 else None
    if isinstance(found, str):
        return exact(found)
    return Fraction(found) if isinstance(found, int) and not isinstance(found, bool) else None


def plain(value: Fraction | None) -> str:
    """A number as text, for messages."""
    if value is None:
        return "nothing"
    return f"{Decimal(value.numerator) / Decimal(value.denominator):f}"


def check_present(run: Path, faults: Faults) -> None:
    """Every file that all runs need is there."""
    for file in FILES:
        if file not in (FAIR_SHARE, OUT_OF_REACH) and not (run / file).is_file():
            faults.add(file, None, "", "missing", "the file", "files")


def check_manifest(run: Path, faults: Faults) -> None:
    """Every file's bytes are those that were signed off; no file more, no file less."""
    hashes = read_json(run, "manifest.json", faults).get("files")
    if not isinstance(hashes, dict):
        faults.add("manifest.json", None, "files", hashes, "path -> SHA-256", "manifest")
        return
    there = {p.relative_to(run).as_posix(): p for p in run.rglob("*") if p.is_file()}
    there.pop("manifest.json", None)
    for file in sorted(set(there) | set(hashes)):
        found = _sha256(there[file]) if file in there else "missing"
        if found != hashes.get(file):
            expected = f"SHA-256 {hashes[file]}" if file in hashes else "no file beside those of the run"
            faults.add(file, None, "", found, expected, "manifest")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
