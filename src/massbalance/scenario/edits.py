"""What a scenario says: edits of a case's tables and settings, as plain data.

`massbalance.scenario.parse` makes it of a file or a document and checks every word of it;
`massbalance.scenario.apply` puts it into a case. All figures are texts as a table would hold them, so a
scenario is exact, and the same wherever it is sent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from massbalance.domain.faults import Fault

Action = Literal["multiply", "add", "set", "shift_days", "append", "drop"]
COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
Cells = tuple[tuple[str, str], ...]
"""(column, text) of some columns."""


@dataclass(frozen=True)
class Condition:
    """What a row's cell must be.

    tests: (comparison, texts), all of which hold; `=` one of the texts, `!=` none of them, where `*`
    stands for anything if `glob`.
    """

    column: str
    tests: tuple[tuple[str, tuple[str, ...]], ...]
    glob: bool = False


@dataclass(frozen=True)
class Edit:
    """One edit of one table.

    where: all of them hold for the rows it takes (none: every row). action: `multiply`, `add` (a number to
    cells), `set`, `shift_days`: `values` says by column what by; `append`: `rows`; `drop`.
    """

    table: str
    action: Action
    where: tuple[Condition, ...] = ()
    values: Cells = ()
    rows: tuple[Cells, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns whose cells it changes; empty: whole rows."""
        return tuple(column for column, _ in self.values)


@dataclass(frozen=True)
class Scenario:
    """Edits in order, and settings of `case.toml` that are replaced key by key.

    source: the file it comes from, as faults name it.
    """

    name: str
    edits: tuple[Edit, ...] = ()
    description: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""

    @property
    def label(self) -> str:
        """What faults call it."""
        return self.source or self.name

    def key(self) -> str:
        """All that it does, as one text: the same for scenarios that do the same; names do not count."""
        edits = [
            [e.table, e.action, [[c.column, c.tests, c.glob] for c in e.where], e.values, e.rows]
            for e in self.edits
        ]
        return json.dumps([edits, self.settings], sort_keys=True, ensure_ascii=False, default=str)


@dataclass(frozen=True, order=True)
class EditFault(Fault):
    """A fault of an edited case: in which scenario, and which of its edits (from 1) touched the place."""

    scenario: str = ""
    edits: tuple[int, ...] = ()

    def text(self) -> str:
        """One line for people, the scenario and its edits first."""
        severity, rest = super().text().split(": ", 1)
        named = "".join(f", edit {number}" for number in self.edits)
        return f"{severity}: {self.scenario}{named}: {rest}"
