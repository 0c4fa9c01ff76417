"""A case small enough to post by hand: two quarters, one product, an expiring lot and an origin of two lots.

Q1: O1 (2 t) takes 2 t of OLD, which expires first: 4 t CO2e per t, though OLD is worth 6. Q2: O2 (3 t)
accepts only scheme S, so it takes 3 t CO2e of WATT-B; that is 0.15 of it, and blocks 0.15 of WATT-A, the
same thing measured higher. What is left of OLD expires in Q2.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

from massbalance.api import run_case
from massbalance.ledger.drafts import Draft
from massbalance.ledger.rows import Row
from massbalance.ledger.run_folder import RunFolder, manifest_bytes, read_run

PERIODS = {
    "Q1": "2026-04-01,2026-06-30", "Q2": "2026-07-01,2026-09-30", "Q3": "2026-10-01,2026-12-31",
    "Q4": "2027-01-01,2027-03-31",
}  # fmt: skip
LOTS = {
    "NEW": "material,green,works,2026-04-10,,10,t,4,10,1,,,,",
    "OLD": "material,green,works,2026-01-15,2026-06-30,5,t,4,10,1,,,,",
    "WATT-A": "project,saving,works,2026-04-20,,30,tCO2e,,,,1,,F,WATT",
    "WATT-B": "project,saving,works,2026-04-20,,20,tCO2e,,,,2,S,F,WATT",
}
ORDERS = {
    "O1": "K1,X,Q1,2,reduction,4,10,",
    "O2": "K2,X,Q2,3,reduction,1,10,S",
}
SETTINGS = 'name = "tiny"\nrules = "jaa-2026"\ncurrency = "JPY"\n'
COLUMNS = {
    "periods": "period,start,end",
    "sites": "site,unit",
    "lots": "lot,kind,category,site,received,expires,quantity,uom,intensity_tco2e_per_uom,"
    "displaced_tco2e_per_uom,green_share,scopes,scheme,project,origin",
    "alloys": "alloy,category,max_share",
    "products": "product,name,alloy,site,s1,s2,s3,metal_tco2e_per_t",
    "production": "product,period,mass_t",
    "orders": "order,customer,product,period,mass_t,claim,level,premium_per_t,schemes",
    "projects": "project,computation_start,computation_end",
}


def write_tiny(
    folder: Path,
    periods: tuple[str, ...] = ("Q1", "Q2"),
    *,
    lots: Mapping[str, str] | None = None,
    orders: Mapping[str, str] | None = None,
    settings: str = SETTINGS,
    product: str = "X,plate,1050,works,1,1,8,8",
    dates: Mapping[str, str] | None = None,
    mass: str = "10",
) -> Path:
    """The case with some periods and their orders; lots, orders: added to or instead of those above."""
    every = {**ORDERS, **(orders or {})}
    chosen = {name: row for name, row in every.items() if next(csv.reader([row]))[2] in periods}
    rows = {
        "periods": [f"{name},{({**PERIODS, **(dates or {})})[name]}" for name in periods],
        "sites": ["works,U1"],
        "lots": [f"{name},{row}" for name, row in {**LOTS, **(lots or {})}.items() if row],
        "alloys": ["1050,green,1"],
        "products": [product],
        "production": [f"X,{name},{mass}" for name in periods],
        "orders": [f"{name},{row}" for name, row in chosen.items()],
        "projects": ["F,2025-04-01,2026-03-31"],
    }
    folder.mkdir(parents=True)
    (folder / "case.toml").write_text(settings, encoding="utf-8")
    for name, lines in rows.items():
        (folder / f"{name}.csv").write_text("\n".join([COLUMNS[name], *lines]) + "\n", encoding="utf-8")
    return folder


def run_tiny(folder: Path, periods: tuple[str, ...] = ("Q1", "Q2"), **changes: object) -> Path:
    """A run of the case, in `folder/run`."""
    run_case(write_tiny(folder / "case", periods, **changes), folder / "run")  # type: ignore[arg-type]
    return folder / "run"


def read(run: Path) -> RunFolder:
    """A run's folder, as posting reads it."""
    return read_run(run, manifest_bytes(run))


def short(row: Row | Draft) -> str:
    """A row in one line, without what changes from ledger to ledger."""
    if row.commodity:
        return (
            f"{row.kind} {row.period} {row.commodity} {row.debit}>{row.credit} {row.quantity / 10**6:g}"
            + (f" {row.subject}" if row.subject else "")
        )
    return " ".join(part for part in (row.kind, row.period, row.subject, row.key) if part)


def account(rows: Iterator[Row]) -> dict[tuple[str, str], dict[str, int]]:
    """(lot, period) -> kind -> millionths, of the movements of lots."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for row in rows:
        if row.commodity.startswith("lot:"):
            here = found.setdefault((row.commodity.removeprefix("lot:"), row.period), {})
            here[row.kind] = here.get(row.kind, 0) + row.quantity
    return found


def account_file(run: Path) -> dict[tuple[str, str], dict[str, int]]:
    """The same of a run's account.csv; what is nought is left out."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    with (run / "account.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            amounts = {
                name: int(row[name].replace(".", "").ljust(len(row[name].partition(".")[0]) + 6, "0"))
                for name in ("opening", "received", "allocated", "blocked", "expired")
            }
            found[row["lot"], row["period"]] = {name: n for name, n in amounts.items() if n}
    return found
