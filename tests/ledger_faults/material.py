"""Small runs for the fault tests: a first quarter, and second quarters that draw on what it left.

The first quarter uses, blocks, expires and forgoes something of every kind of lot. Runs of one list decide
over the same lots, so of one list at most one run may ever be posted to a ledger.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from massbalance import records
from massbalance.api import run_case
from massbalance.ledger.signing import ENVIRONMENT
from tests.golden.tiny import QUARTERS, Tiny, tiny

LOTS: dict[str, dict[str, Any]] = {
    "GREEN": {"quantity": 20, "green_share": 1, "intensity_tco2e_per_uom": 4, "displaced_tco2e_per_uom": 12},
    "SCRAP": {
        "quantity": 9, "recycled_post": 1, "intensity_tco2e_per_uom": 7, "displaced_tco2e_per_uom": 12,
        "expires": "2026-06-30",
    },
    "WIND": {
        "kind": "energy", "quantity": 40, "origin": "mill", "displaced_tco2e_per_uom": 0.5, "scheme": "power",
    },
    "MILL": {"kind": "project", "quantity": 15, "scopes": "2", "origin": "mill", "scheme": "power"},
    "KILN": {
        "kind": "project", "quantity": 33, "scopes": "1+2", "received": "2026-05-10", "scheme": "power",
    },
}  # fmt: skip
LATER: dict[str, dict[str, Any]] = {
    "NEW": {"quantity": 5, "green_share": 1, "intensity_tco2e_per_uom": 6, "received": "2026-07-05"},
}
PRODUCTS: dict[str, dict[str, Any]] = {
    "bar": {"electricity_mwh_per_t": 2, "measured_tco2e_per_t": 12.5},
    "rod": {"metal_tco2e_per_t": 10},
}


@dataclass(frozen=True)
class Material:
    """Folders of runs: those of the first quarter, and those of the second, opened from a ledger.

    ledger: that ledger, where `first[0]` was posted; its key is beside it.
    """

    first: tuple[Path, ...]
    second: tuple[Path, ...]
    ledger: Path

    @property
    def key(self) -> Path:
        """The file of the ledger's key."""
        return self.ledger.with_name("key.pem")


def orders(name: str, quarter: str, more: int) -> dict[str, dict[str, Any]]:
    """Four orders that want parts of every lot; `more` makes the quantities differ."""
    own: dict[str, dict[str, Any]] = {
        "share": {"product": "rod", "mass_t": 10 + more, "level": 0.5, "premium_per_t": 9},
        "less": {"mass_t": 7, "claim": "reduction", "level": 1 + more / 10, "premium_per_t": 30},
        "power": {
            "mass_t": 8, "claim": "reduction", "level": 1.2 + more / 100, "premium_per_t": 7,
            "schemes": "power",
        },
        "scrap": {"mass_t": 4, "claim": "post_consumer_share", "level": 1, "premium_per_t": 2},
    }  # fmt: skip
    return {f"{name}-{what}": {**row, "period": quarter} for what, row in own.items()}


def quarter(number: int, name: str, more: int, lots: dict[str, dict[str, Any]]) -> Tiny:
    """A case of one quarter, whose orders begin with a name."""
    made = f"Q{number}"
    case = tiny(
        quarters=number, products=PRODUCTS, lots=lots, orders=orders(name, made, more),
        production={("bar", made): 60, ("rod", made): 40},
        customers={"buyer": {"name": "Buyer Ltd.", "address": "Osaka", "contact": "B. Uyer"}},
    )  # fmt: skip
    issuer = {"name": "Maker Ltd.", "address": "Tokyo", "contact": "M. Aker"}
    return case.but(settings={"issuer": issuer})


def make(folder: Path, firsts: int = 2, seconds: int = 5) -> Material:
    """Solve and publish all of them below a folder."""
    ledger = folder / "ledger.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ENVIRONMENT, str(ledger.with_name("key.pem")))
        first = [_case(1, f"A{k}", k, LOTS, folder / f"first-{k}") for k in range(firsts)]
        first = [run_case(case, case.with_name("run")).out for case in first]
        records.post_run(first[0], ledger)
        second = [_case(2, f"B{k}", k, LATER, folder / f"second-{k}") for k in range(seconds)]
        second = [records.run_from_ledger(case, case.with_name("run"), ledger).out for case in second]
    return Material(tuple(first), tuple(second), ledger)


def _case(number: int, name: str, more: int, lots: dict[str, dict[str, Any]], folder: Path) -> Path:
    case = quarter(number, name, more, lots).write(folder / "case")
    start, end = QUARTERS[number - 1]
    (case / "periods.csv").write_text(f"period,start,end\nQ{number},{start},{end}\n", encoding="utf-8")
    return case
