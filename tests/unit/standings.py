"""What a ledger would hold after a run, worked out from the run's files: for tests without a ledger."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

from massbalance.domain.case import Case
from massbalance.domain.effects import windows
from massbalance.intake.read import read_case
from massbalance.ledger.lots import LotFacts
from massbalance.ledger.stale import case_periods
from massbalance.ledger.standing import Standing

EMPTY = Standing("0" * 32, 1, "0" * 64, {}, {}, {}, None, {})


def rows(file: Path) -> list[dict[str, str]]:
    """A CSV file of a run."""
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened, strict=True))


def millionths(text: str) -> int:
    """A booked figure as an integer."""
    return int(Decimal(text) * 10**6)


def moves(run: Path) -> dict[str, dict[str, int]]:
    """Lot -> opening, closing and what it moved over all periods, in millionths."""
    found: dict[str, dict[str, int]] = {}
    for row in rows(run / "account.csv"):
        lot = found.setdefault(row["lot"], {"opening": millionths(row["opening"])})
        for column in ("received", "allocated", "blocked", "expired"):
            lot[column] = lot.get(column, 0) + millionths(row[column])
        lot["closing"] = millionths(row["closing"])
    return found


def case_of(run: Path) -> Case:
    """The case that a run's folder keeps."""
    return read_case(run / "case", rule_source=(run / "rules.toml").read_bytes())


def posted(run: Path, before: Standing = EMPTY) -> Standing:
    """The standing after a run is posted: its lots that came into the books, and its periods."""
    case = case_of(run)
    facts, entered = LotFacts(case), windows(case).received < len(case.periods)
    lots, balances = dict(before.lots), dict(before.balances)
    for at, lot in enumerate(case.lots.text("lot")):
        if entered[at]:
            lots.setdefault(lot, facts.of(at))
            balances[lot] = moves(run)[lot]["closing"]
    periods = {**before.periods, **{period.name: period for period in case_periods(case)}}
    used = {
        fact["row"]["origin"]: "some was used"
        for lot, fact in lots.items()
        if "origin" in fact["row"] and balances[lot] < fact["quantity"]
    }
    n = before.n + len(lots)
    return Standing(
        before.ledger, n, f"{n:064x}", lots, balances, periods, None, used, posted=frozenset(periods)
    )
