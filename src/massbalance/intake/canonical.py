"""The canonical copy of a case: one spelling for every case that says the same.

Tables sorted by key, values in one spelling (1.0 = 1 = 1.00), columns in the order of the
interface and left out where nothing stands in them. The case's SHA-256 is over this content, so
the order of rows and columns, the format and the spelling of numbers do not change it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import tomli_w

from massbalance.domain.case import TABLES, Case
from massbalance.domain.rulemodel import Rules
from massbalance.domain.texts import BLOCK_ROWS, Strings, csv_cells, csv_rows
from massbalance.intake.build import Built
from massbalance.intake.draft import DraftColumn
from massbalance.intake.numbers import canonical_words


def settings_content(settings: Mapping[str, Any], rules: Rules) -> dict[str, Any]:
    """`case.toml` of the canonical copy: the settings, and the rule model with its overrides."""
    overrides = {name: getattr(rules.parameters, name) for name, _ in rules.overrides}
    chosen = {"rules": {"id": rules.id, **overrides}} if overrides else {"rules": rules.id}
    return {**chosen, **settings}


def table_content(built: Built) -> bytes:
    """A table as canonical CSV: UTF-8, LF, required columns and those with some value."""
    draft, order = built.draft, built.order
    columns = [
        name
        for name, spec in draft.spec.columns.items()
        if name in draft.columns and (spec.required or not built.blank(name).all())
    ]
    words = [_words(draft.columns[name]) for name in columns]
    codes = [draft.columns[name].cells.codes for name in columns]
    pieces: list[bytes | memoryview] = [(",".join(columns) + "\n").encode()]
    for start in range(0, len(order), BLOCK_ROWS):
        rows = order[start : start + BLOCK_ROWS]
        pieces.append(csv_rows([w.take(pa.array(c[rows])) for w, c in zip(words, codes, strict=True)]))
    return b"".join(pieces)


def _words(column: DraftColumn) -> Strings:
    """Canonical, quoted texts of a column's distinct words."""
    words = column.cells.words
    return csv_cells(words if column.numbers is None else canonical_words(words, column.numbers))


def digest(settings: Mapping[str, Any], rules: Rules, content: Mapping[str, bytes]) -> str:
    """SHA-256 of a case, over its canonical content; an optional table without rows counts as absent."""
    found = hashlib.sha256()
    text = json.dumps(settings_content(settings, rules), sort_keys=True, ensure_ascii=False, default=str)
    found.update(text.encode())
    for name in TABLES:
        if name in content and content[name].count(b"\n", 0) > 1:
            found.update(f"\n{name} {len(content[name])}\n".encode())
            found.update(content[name])
    return found.hexdigest()


def write_case(case: Case, folder: Path) -> None:
    """Write the canonical copy: `case.toml`, and a CSV per table that was present.

    Reading it gives the same tables, SHA-256 and warnings (but for the rows in the file).
    Quantities keep the digits they had before they were rounded down to the grid.
    """
    folder.mkdir(parents=True, exist_ok=True)
    toml = tomli_w.dumps(settings_content(case.settings, case.rules))
    (folder / "case.toml").write_bytes(toml.encode())
    for name, data in case.content.items():
        (folder / f"{name}.csv").write_bytes(data)
