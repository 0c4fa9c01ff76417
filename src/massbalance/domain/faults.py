"""Faults are values: where, what was found, what is expected, and the rule that asks for it.

Checks return lists of faults and never raise on the first; the caller shows all of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, order=True)
class Fault:
    """One fault of a case.

    table: table name, `case` for the settings, or a file name; row: as in the file, the header
    is row 1 (None when the whole table is meant); column, value: as written; expected: what
    would be right, in words; code: the rule's code (`rules.md`) or the name of the intake
    check; severity: an error refuses the case, a warning is listed.
    """

    table: str
    row: int | None
    column: str
    value: str
    expected: str
    code: str
    severity: Severity = "error"

    def text(self) -> str:
        """One line for people: table, row, column, value, what is expected, code."""
        where = self.table if self.row is None else f"{self.table} row {self.row}"
        column = f", column {self.column}" if self.column else ""
        value = f": {self.value!r}" if self.value != "" else ""
        return f"{self.severity}: {where}{column}{value}: expected {self.expected} [{self.code}]"

    def as_dict(self) -> dict[str, object]:
        """For `--json` and summary.json."""
        return asdict(self)


def in_order(faults: Iterable[Fault]) -> list[Fault]:
    """Canonical order, without repeats: errors first, then by table, row and column."""
    return sorted(
        set(faults),
        key=lambda f: (
            f.severity,
            f.table,
            -1 if f.row is None else f.row,
            f.column,
            f.code,
            f.value,
            f.expected,
        ),
    )


class CaseRefused(Exception):
    """A case with errors (exit 3). `faults` holds every fault found, warnings too."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = in_order(faults)
        super().__init__("\n".join(f.text() for f in self.faults if f.severity == "error"))
