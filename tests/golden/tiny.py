"""Minimal case folders from a few words, for tests: what a row leaves out takes a sensible default.

    case = tiny(
        lots={"L": {"quantity": 6, "green_share": 1}},
        orders={"O": {"mass_t": 10, "premium_per_t": 4}},
    )
    case.write(folder)                                # a case of one order and one lot
    case.but(lots={"L": {"quantity": 100}})           # the same with a larger lot
    case.but(lots={"L": None})                        # the same without it

A table maps keys to rows; a key of several columns is a tuple: `alloys={("A", "scrap"): {"max_share": 0.3}}`.
Where a table has one figure it may stand alone: `alloys={("A", "scrap"): 0.3}`. `quarters` is the number of
periods: Q1 (April to June 2026), Q2 ... Tables not given are those of FRAME: one site, one product `bar`
of alloy `A`, which takes `ingot`. Production is what is ordered, unless given.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import tomli_w

from massbalance.domain.schema import TABLE_SPECS

Key = str | tuple[str, ...]
Rows = dict[Key, Any]
Tables = dict[str, Rows]

QUARTERS = (
    ("2026-04-01", "2026-06-30"), ("2026-07-01", "2026-09-30"), ("2026-10-01", "2026-12-31"),
    ("2027-01-01", "2027-03-31"),
)  # fmt: skip

FRAME: Tables = {
    "sites": {"works": {}},
    "alloys": {("A", "ingot"): 1},
    "products": {"bar": {}},
    "lots": {},
    "orders": {},
}

FIGURE = {
    "alloys": "max_share", "composition": "wt_pct", "alloy_limits": "max_wt_pct", "production": "mass_t",
}  # fmt: skip
"""The column of a row that is given as a figure alone."""

DEFAULTS: dict[str, dict[str, Any]] = {
    "sites": {"unit": "main", "electricity_tco2e_per_mwh": 0.5, "heat_tco2e_per_gj": 0.05},
    "products": {
        "name": "a product", "alloy": "A", "site": "works", "s1": 1, "s2": 2, "s3": 10,
        "metal_tco2e_per_t": 12, "verified_by": "verifier", "verified_on": "2026-03-01", "source": "invented",
        "data_year": 2025,
    },
    "orders": {
        "customer": "buyer", "product": "bar", "period": "Q1", "claim": "green_share", "level": 1,
        "premium_per_t": 1,
    },
    "offers": {"claim": "green_share", "level": 1, "premium_per_t": 1},
    "projects": {
        "computation_start": "2024-04-01", "computation_end": "2025-03-31", "name": "a project",
        "start": "2023-04-01", "additional": "true", "baseline_method": "ISO 14064-2",
        "verified_by": "verifier", "verified_on": "2025-06-20",
    },
}  # fmt: skip
LOT_DEFAULTS: dict[str, dict[str, Any]] = {
    "material": {"category": "ingot", "uom": "t"},
    "energy": {"category": "power", "uom": "MWh", "intensity_tco2e_per_uom": 0},
    "project": {"category": "saving", "uom": "tCO2e", "project": ""},
}
EVERY_LOT = {
    "site": "works", "received": "2026-04-01", "scheme": "own", "certificate": "C", "evidence": "note",
}  # fmt: skip


@dataclass(frozen=True)
class Tiny:
    """A case as data: tables by name, rows by key; settings: case.toml; quarters: how many periods."""

    tables: Tables
    settings: dict[str, Any]
    quarters: int = 1

    def but(self, *, settings: Mapping[str, Any] | None = None, **tables: Mapping[Key, Any]) -> Tiny:
        """The same case with some cells changed; a row given as None is taken out.

        settings: replaces keys of case.toml.
        """
        changed = deepcopy(self.tables)
        for table, rows in tables.items():
            found = changed.setdefault(table, {})
            for key, row in rows.items():
                if row is None:
                    del found[key]
                elif isinstance(row, Mapping) and isinstance(found.get(key, {}), Mapping):
                    found[key] = {**found.get(key, {}), **row}
                else:
                    found[key] = row
        return Tiny(changed, {**self.settings, **(settings or {})}, self.quarters)

    def write(self, folder: Path) -> Path:
        """Write the folder (it must not exist); returns it."""
        folder.mkdir(parents=True)
        (folder / "case.toml").write_text(tomli_w.dumps(self.settings), encoding="utf-8")
        for name, rows in self._complete().items():
            _write_table(folder / f"{name}.csv", name, rows)
        return folder

    def _complete(self) -> Tables:
        tables = {**FRAME, **self.tables}
        tables["periods"] = {
            f"Q{n}": {"start": start, "end": end}
            for n, (start, end) in enumerate(QUARTERS[: self.quarters], start=1)
        }
        tables.setdefault("production", _ordered(tables["orders"]))
        return tables


def tiny(
    *,
    rules: str | Mapping[str, Any] = "jaa-2026",
    goals: tuple[str, ...] = ("firm_shortfall", "margin"),
    quarters: int = 1,
    **tables: Mapping[Key, Any],
) -> Tiny:
    """A case; rules: the id of a rule model, or `{"id": ..., parameter: override}`; goals: their order."""
    settings: dict[str, Any] = {"name": "tiny", "currency": "USD", "rules": rules}
    settings["objective"] = {"order": list(goals), "strategy": "firm-then-margin"}
    return Tiny({name: dict(rows) for name, rows in tables.items()}, settings, quarters)


def _ordered(orders: Rows) -> Rows:
    """Production that is just what is ordered."""
    made: dict[Key, Fraction] = {}
    for row in orders.values():
        full = {**DEFAULTS["orders"], **row}
        key = (full["product"], full["period"])
        made[key] = made.get(key, Fraction(0)) + Fraction(str(full["mass_t"]))
    return {key: {"mass_t": float(mass)} for key, mass in made.items()}


def _defaults(table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    if table == "lots":
        kind = row.get("kind", "material")
        return {"kind": kind, **LOT_DEFAULTS[kind], **EVERY_LOT}
    return DEFAULTS.get(table, {})


def _full_row(table: str, key: Key, row: Any) -> dict[str, Any]:
    """Key columns, defaults and what is given; a figure alone belongs to the table's one column."""
    names = TABLE_SPECS[table].key
    given = row if isinstance(row, Mapping) else {FIGURE[table]: row}
    keys = (key,) if isinstance(key, str) else key
    return {**_defaults(table, given), **dict(zip(names, keys, strict=False)), **given}


def _write_table(path: Path, table: str, rows: Rows) -> None:
    full = [_full_row(table, key, row) for key, row in rows.items()]
    used = {column for row in full for column in row}
    columns = [name for name, spec in TABLE_SPECS[table].columns.items() if spec.required or name in used]
    unknown = used - set(TABLE_SPECS[table].columns)
    if unknown:
        raise ValueError(f"{table} has no column {sorted(unknown)}")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(full)
