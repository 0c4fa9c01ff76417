"""Small cases through the whole of it, in a temporary folder: read, solve, book, explain.

Two months, one site, one product of one alloy, one green lot; tests say what differs.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from massbalance.api import Result, read_case, solve
from massbalance.domain.schema import TABLE_SPECS

Row = dict[str, Any]

LOT: Row = {
    "lot": "L", "kind": "material", "category": "c", "site": "S", "received": "2025-01-10", "quantity": 10,
    "uom": "t", "green_share": 1,
}  # fmt: skip
PROJECT: Row = {
    "lot": "L", "kind": "project", "category": "p", "site": "S", "received": "2025-01-10", "quantity": 50,
    "uom": "tCO2e", "scopes": "1",
}  # fmt: skip
PRODUCT: Row = {
    "product": "p", "name": "sheet", "alloy": "A", "site": "S", "s1": 1, "s2": 1, "s3": 8,
    "metal_tco2e_per_t": 12,
}  # fmt: skip
ORDER: Row = {
    "order": "o", "customer": "k", "product": "p", "period": "P1", "mass_t": 100, "claim": "green_share",
    "level": "0.5", "premium_per_t": 10,
}  # fmt: skip
TABLES: dict[str, list[Row]] = {
    "periods": [
        {"period": "P1", "start": "2025-01-01", "end": "2025-01-31"},
        {"period": "P2", "start": "2025-02-01", "end": "2025-02-28"},
    ],
    "sites": [{"site": "S", "unit": "U"}],
    "alloys": [{"alloy": "A", "category": "c", "max_share": 1}],
    "products": [PRODUCT],
    "production": [{"product": "p", "period": t, "mass_t": 1000} for t in ("P1", "P2")],
}


def solved(
    orders: Sequence[Row],
    lots: Sequence[Row],
    *,
    settings: str = "",
    limit: float | None = None,
    **tables: Any,
) -> Result:
    """The result of a case; orders and lots: what differs from ORDER and LOT; limit: seconds."""
    rows = {
        **TABLES,
        "orders": [{**ORDER, **order} for order in orders],
        "lots": [{**LOT, **lot} for lot in lots],
        **tables,
    }
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "case.toml").write_text(settings or 'name = "small"\n', encoding="utf-8")
        for table, found in rows.items():
            _write(Path(folder) / f"{table}.csv", table, found)
        return solve(read_case(Path(folder)), time_limit=limit)


def _write(file: Path, table: str, rows: Sequence[Row]) -> None:
    columns = [name for name, spec in TABLE_SPECS[table].columns.items() if spec.required]
    columns += [c for c in dict.fromkeys(c for row in rows for c in row) if c not in columns]
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
