"""Strict reading of a run's files: exact numbers, every oddity a fault with its file and row."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from massbalance.domain.faults import Fault
from massbalance.domain.grid import GRID, GRID_DECIMALS

SUMMARY = "summary.json"
NEEDED = (
    "case/case.toml", "rules.toml", "allocation.csv", "orders.csv", "account.csv", "residual.csv", SUMMARY,
    "proof/recipes.csv", "proof/pools.csv", "proof/duals.csv", "prices.csv", "result.xlsx", "manifest.json",
)  # fmt: skip
"""Files of every run, in the order in which their faults are told."""

_GRID_TEXT = re.compile(r"(-?)([0-9]{1,12})(?:\.([0-9]{1,6}))?")
_EXACT_TEXT = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?")


class Line(dict[str, str]):
    """One row of a CSV file: column -> text, its file, and its row there (header = 1)."""

    file: str
    number: int


class Faults:
    """Collects what is wrong with a run."""

    def __init__(self) -> None:
        self.found: list[Fault] = []

    def add(self, file: str, row: int | None, column: str, value: object, expected: str, code: str) -> None:
        """One fault; row as in the file (header = 1), None for the whole file."""
        self.found.append(Fault(file, row, column, str(value), expected, code))

    def at(self, line: Line, column: str, expected: str, code: str, value: object = None) -> None:
        """One fault of a line; value: where it is not the cell's."""
        self.add(line.file, line.number, column, line[column] if value is None else value, expected, code)

    def in_order(self) -> list[Fault]:
        """By file as in NEEDED, then by row; what only the manifest tells comes last."""

        def place(fault: Fault) -> tuple[bool, int, int]:
            at = NEEDED.index(fault.table) if fault.table in NEEDED else 0
            return fault.code == "manifest", at, fault.row or 0

        return sorted(dict.fromkeys(self.found), key=place)


def read_csv(run: Path, file: str, columns: Sequence[str], faults: Faults) -> list[Line]:
    """The rows of a file that has (at least) these columns; empty, with faults, where it has not."""
    try:
        text = (run / file).read_bytes().decode("utf-8")
        header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    except (OSError, ValueError, csv.Error) as error:
        faults.add(file, None, "", error, "a readable UTF-8 CSV file", "files")
        return []
    if not set(columns) <= set(header) or len(set(header)) != len(header):
        faults.add(file, 1, "", ",".join(header), f"columns {','.join(columns)}, once each", "files")
        return []
    lines = []
    for number, cells in enumerate(rows, start=2):
        if len(cells) != len(header):
            faults.add(file, number, "", len(cells), f"{len(header)} cells, as in the header", "files")
            continue
        line = Line(zip(header, cells, strict=True))
        line.file, line.number = file, number
        lines.append(line)
    return lines


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


def on_grid(text: str) -> int | None:
    """Millionths of a unit; None where the text is no decimal with at most 6 places."""
    match = _GRID_TEXT.fullmatch(text)
    if match is None:
        return None
    sign, whole, part = match.groups()
    value = int(whole) * GRID + int((part or "").ljust(GRID_DECIMALS, "0"))
    return -value if sign else value


def exact(text: str) -> Fraction | None:
    """The decimal as written; None where the text is none."""
    return Fraction(text) if _EXACT_TEXT.fullmatch(text) else None


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
    """Every needed file is there."""
    for file in NEEDED:
        if not (run / file).is_file():
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
        found = hashlib.sha256(there[file].read_bytes()).hexdigest() if file in there else "missing"
        if found != hashes.get(file):
            expected = f"SHA-256 {hashes[file]}" if file in hashes else "no file beside those of the run"
            faults.add(file, None, "", found, expected, "manifest")
