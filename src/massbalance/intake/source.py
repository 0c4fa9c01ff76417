"""Finds a case's files or sheets and reads each; what it does not know is an error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from massbalance.domain.schema import TABLE_SPECS
from massbalance.intake.csvfile import read_csv
from massbalance.intake.log import Log, nearest, one_of
from massbalance.intake.parquetfile import read_parquet
from massbalance.intake.raw import RawTable
from massbalance.intake.settings import SettingsSource, from_sheet, from_toml
from massbalance.intake.workbook import read_workbook

READERS = {".csv": read_csv, ".parquet": read_parquet}
_OTHER_TABLES = (".xlsx", ".xls", ".xlsm", ".ods", ".tsv", ".txt", ".json", ".feather", ".gz", ".zip")
"""Kinds of file that are named when they bear a table's name: nothing is left out in silence."""


@dataclass(frozen=True)
class Source:
    """tables: table -> what was read, None where the file is there but cannot be read; settings:
    None where there are none (with a fault).
    """

    tables: dict[str, RawTable | None]
    settings: SettingsSource | None


def read_source(path: Path, log: Log, progress: Callable[[str], None]) -> Source:
    """All tables and settings of a folder or workbook, as text."""
    try:
        if path.is_dir():
            return _folder(path, log, progress)
        if path.is_file() and path.suffix.lower() == ".xlsx":
            return _workbook(path, log, progress)
        log.add("case", None, "", path, "a folder with `case.toml`, or a workbook (.xlsx)", "file")
    except OSError as error:
        log.add("case", None, "", path, f"a folder or workbook that can be read ({error.strerror})", "file")
    return Source(dict.fromkeys(TABLE_SPECS), None)


def _folder(path: Path, log: Log, progress: Callable[[str], None]) -> Source:
    progress("reading case.toml")
    settings = _toml(path / "case.toml", log)
    files: dict[str, Path] = {}
    for file in sorted(path.iterdir()):
        if _is_table_file(file, log):
            if file.stem in files:
                log.add(
                    file.name, None, "", file.name, f"one file of `{file.stem}`, not two", "unknown_table"
                )
            else:
                files[file.stem] = file
    tables: dict[str, RawTable | None] = {}
    for name, file in files.items():
        progress(f"reading {file.name}")
        if file.is_file():
            tables[name] = READERS[file.suffix](file, name, log)
        else:
            tables[name] = None
            log.add(file.name, None, "", file.name, "a file", "file")
    return Source(tables, settings)


def _is_table_file(file: Path, log: Log) -> bool:
    """Is it NAME.csv or NAME.parquet of a known table; an unknown one is a fault."""
    kind = file.suffix.lower()
    if file.name.startswith((".", "~$")):
        return False
    if file.suffix in READERS and file.stem in TABLE_SPECS:
        return True
    if kind in READERS:
        expected = f"a table of a case (nearest: `{nearest(file.stem, TABLE_SPECS)}{kind}`)"
        log.add(file.name, None, "", file.name, expected, "unknown_table")
    elif kind in _OTHER_TABLES and file.stem in TABLE_SPECS:
        log.add(file.name, None, "", file.name, f"{one_of(file.stem + r for r in READERS)}", "unknown_table")
    return False


def _toml(path: Path, log: Log) -> SettingsSource | None:
    if not path.is_file():
        log.add("case", None, "", path.name, "a file `case.toml`", "missing_table")
        return None
    try:
        return from_toml(path.read_bytes(), log)
    except OSError as error:
        log.add("case", None, "", error.strerror or "", "a readable file `case.toml`", "file")
        return None


def _workbook(path: Path, log: Log, progress: Callable[[str], None]) -> Source:
    progress(f"reading {path.name}")
    book = read_workbook(path, log)
    if book is None:
        return Source(dict.fromkeys(TABLE_SPECS), None)
    for name in list(book.tables):
        if name not in TABLE_SPECS:
            expected = f"a table of a case (nearest: `{nearest(name, [*TABLE_SPECS, 'case'])}`)"
            log.add(name, None, "", name, expected, "unknown_table")
            del book.tables[name]
    if book.settings is None:
        log.add("case", None, "", path.name, "a sheet `case`", "missing_table")
        return Source(book.tables, None)
    return Source(book.tables, from_sheet(book.settings, log))
