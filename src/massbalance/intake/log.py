"""Collects faults while a case is read; nothing here decides, and nothing is hidden."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from massbalance.domain.faults import Fault, Severity

ROWS_PER_CHECK = 1000
"""A check of a column names this many rows one by one; one further fault counts the others."""
LONGEST_VALUE = 80


def clip(value: object) -> str:
    """A value as a message shows it: at most 80 characters."""
    text = str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"


def nearest(word: str, known: Iterable[str]) -> str:
    """The known name most like `word` ('' where nothing is known)."""
    names = list(known)

    def likeness(name: str) -> float:
        return difflib.SequenceMatcher(None, word[:LONGEST_VALUE].lower(), name.lower()).ratio()

    return max(names, key=likeness, default="")


def one_of(words: Iterable[str]) -> str:
    """`a`, `b` or `c`."""
    quoted = [f"`{w}`" for w in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


class Log:
    """All faults of one reading."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._counts: dict[tuple[str, str, str], int] = {}

    @property
    def has_errors(self) -> bool:
        """Was any error added so far?"""
        return any(f.severity == "error" for f in self.faults)

    def add(
        self,
        table: str,
        row: int | None,
        column: str,
        value: object,
        expected: str,
        code: str,
        severity: Severity = "error",
    ) -> None:
        """One fault; beyond `ROWS_PER_CHECK` of one table, column and code it is only counted."""
        key = (table, column, code)
        self._counts[key] = self._counts.get(key, 0) + 1
        if self._counts[key] <= ROWS_PER_CHECK:
            self.faults.append(Fault(table, row, column, clip(value), expected, code, severity))

    def add_many(self, table: str, column: str, code: str, count: int) -> None:
        """Count `count` further faults of the same table, column and code without naming them."""
        key = (table, column, code)
        self._counts[key] = self._counts.get(key, 0) + count

    def room(self, table: str, column: str, code: str) -> int:
        """How many more faults of that table, column and code will be named."""
        return max(0, ROWS_PER_CHECK - self._counts.get((table, column, code), 0))

    def finish(self) -> list[Fault]:
        """Every fault, with one more for each check that found more rows than it named."""
        for (table, column, code), count in self._counts.items():
            if count > ROWS_PER_CHECK:
                self.faults.append(
                    Fault(
                        table,
                        None,
                        column,
                        f"{count - ROWS_PER_CHECK} more rows",
                        f"the same as in the {ROWS_PER_CHECK} rows named",
                        code,
                    )
                )
        self._counts.clear()
        return self.faults
