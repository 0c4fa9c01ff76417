"""A scenario is what a planner would get who edits the files by hand and runs the command on them.

The edits here are made with the csv module and Python's own decimals, apart from the code under test.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from massbalance.report.documents import dumps
from massbalance.scenario.apply import apply, read_base
from massbalance.scenario.outcome import How, outcome
from massbalance.scenario.parse import scenario_of
from tests.e2e.command import DATA, inside, rows
from tests.e2e.tables import CaseTables, part_of

Hand = Callable[[CaseTables], None]
Edits = list[dict[str, Any]]
NEW = {
    "order": "N-1", "customer": "C-CAN01", "product": "CB-3104", "period": "2026-05", "mass_t": 35,
    "claim": "recycled_share", "level": Decimal("0.55"), "premium_per_t": Decimal("22.25"), "whole": True,
}  # fmt: skip


def later(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat() if day else ""


def short_and_late(tables: CaseTables) -> None:
    for row in tables.rows["lots"]:
        if row["category"].startswith("primary_") and row["received"] >= "2026-03-01":
            row["quantity"] = f"{Decimal(row['quantity']) * Decimal('0.83'):f}"
            row["received"], row["used"] = later(row["received"], 9), later(row["used"], 9)
            row["expires"] = later(row["expires"], 9)


def other_orders(tables: CaseTables) -> None:
    gone = {row["order"] for row in tables.rows["orders"] if row["customer"] in ("C-CAN02", "C-FOI06")}
    for name in ("orders", "offers"):
        tables.rows[name] = [row for row in tables.rows[name] if row["order"] not in gone]
    tables.rows["orders"].append({key: str(value).replace("True", "true") for key, value in NEW.items()})


def dearer(tables: CaseTables) -> None:
    for row in tables.rows["orders"]:
        row["premium_per_t"] = f"{Decimal(row['premium_per_t']) + Decimal('0.75'):f}"
        if row["firm"] == "true":
            row["firm"] = "false"
    tables.settings = tables.settings.replace('["firm_shortfall", "margin"]', '["margin", "firm_shortfall"]')
    tables.settings = tables.settings.replace('rules = "jaa-2026"', "")
    tables.settings += '\n[rules]\nid = "jaa-2026"\nresidual = "baseline"\n'


LATE = {"category": "primary_*", "received": {">=": "2026-03-01"}}
HANDS: dict[str, tuple[Hand, dict[str, Any]]] = {
    "short and late": (
        short_and_late,
        {
            "edit": [
                {"table": "lots", "where": LATE, "multiply": {"quantity": Decimal("0.83")}},
                {"table": "lots", "where": LATE, "shift_days": {"received": 9, "used": 9, "expires": 9}},
            ]
        },
    ),
    "other orders": (
        other_orders,
        {
            "edit": [
                {"table": "orders", "where": {"customer": ["C-CAN02", "C-FOI06"]}, "drop": True},
                {"table": "orders", "add": [NEW]},
            ]
        },
    ),
    "dearer": (
        dearer,
        {
            "edit": [
                {"table": "orders", "add": {"premium_per_t": Decimal("0.75")}},
                {"table": "orders", "where": {"firm": True}, "set": {"firm": False}},
            ],
            "objective": {"order": ["margin", "firm_shortfall"]},
            "rules": {"residual": "baseline"},
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HANDS)
def test_goals_and_figures_are_those_of_a_run_on_files_edited_by_hand(name: str, tmp_path: Path) -> None:
    hand, document = HANDS[name]
    tables = part_of(DATA / "aluminium", ("2026-04", "2026-05"))
    base = read_base(tables.write_csv(tmp_path / "base"))
    found = outcome(base, scenario_of(document), How())
    hand(tables)
    ended = inside("run", tables.write_csv(tmp_path / "hand"), "--out", tmp_path / "run", "--json")
    assert ended.code == 0, ended.err
    run = json.loads(ended.out, parse_float=Decimal)
    assert found["case_sha256"] == run["case_sha256"]
    goals = [{key: goal[key] for key in ("name", "priority", "value")} for goal in run["objectives"]]
    assert dumps({"objectives": found["objectives"]}) == dumps({"objectives": goals})
    for key in ("status", "claimed_t", "unmet_firm_t", "credits", "tco2e"):
        assert found[key] == run[key], key
    orders = rows(tmp_path / "run" / "orders.csv")
    claimed = {one["order"]: one["claimed_t"] for one in found["orders"]}  # type: ignore[attr-defined]
    assert claimed == {row["order"]: Decimal(row["claimed_t"]) for row in orders}
    by_customer: dict[str, Decimal] = {}
    for row in orders:
        by_customer[row["customer"]] = by_customer.get(row["customer"], Decimal(0)) + Decimal(
            row["claimed_t"]
        )
    assert found["customers"] == by_customer


def test_residual_and_prices_are_those_of_the_run_s_files(tmp_path: Path) -> None:
    """The mean is by conventional mass, within what a row's rounding to six decimals leaves."""
    tables = part_of(DATA / "aluminium", ("2026-04",))
    folder = tables.write_csv(tmp_path / "case")
    assert inside("run", folder, "--out", tmp_path / "run").code == 0
    found: Any = outcome(read_base(folder), None, How())
    mean: dict[str, list[Fraction]] = {}
    worst: dict[str, Decimal] = {}
    for row in rows(tmp_path / "run" / "residual.csv"):
        product, mass = row["product"], Fraction(row["conventional_t"])
        if not mass:
            continue
        sums = mean.setdefault(product, [Fraction(0), Fraction(0)])
        sums[0] += mass * Fraction(row["cfp_residual"])
        sums[1] += mass
        worst[product] = max(worst.get(product, Decimal(0)), Decimal(row["cfp_residual"]))
    assert {p: one["worst"] for p, one in found["residual"].items() if one["worst"] is not None} == worst
    for product, (carried, mass) in mean.items():
        assert abs(Fraction(found["residual"][product]["mean"]) - carried / mass) <= Fraction(2, 10**6)
    greatest: dict[tuple[str, str], Decimal] = {}
    for row in rows(tmp_path / "run" / "prices.csv"):
        if (row["goal"], row["kind"]) == ("margin", "lot_supply"):
            key = (row["detail"], row["unit"])
            greatest[key] = max(greatest.get(key, Decimal(0)), Decimal(row["price_per_unit"]))
    assert {(one["category"], one["uom"]): one["greatest"] for one in found["prices"]} == greatest
    assert all(0 <= one["mean"] <= one["greatest"] for one in found["prices"])


def test_an_lp_whose_booking_costs_more_than_is_sure_is_booked_as_a_run_books_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The careful way gives what the quick way gives, where the quick way would do."""
    folder = CaseTables(DATA / "steel").write_csv(tmp_path / "case")
    base = read_base(folder)
    quick = outcome(base, None, How())
    monkeypatch.setattr("massbalance.scenario.outcome.SURE", -1.0)
    careful = outcome(base, None, How())
    assert {**quick, "seconds": 0} == {**careful, "seconds": 0}


def test_edited_tables_need_no_base_order(tmp_path: Path) -> None:
    """Shuffled rows and columns under a scenario are the same case, to the last bit of its content."""
    document = {"edit": [edit for _, one in HANDS.values() for edit in one["edit"]]}
    scenario = scenario_of(document)
    tables = CaseTables(DATA / "aluminium")
    first = apply(read_base(DATA / "aluminium"), scenario)
    for seed in range(3):
        folder = tables.shuffle(seed).write_csv(tmp_path / str(seed))
        assert apply(read_base(folder), scenario).sha256 == first.sha256
    workbook = tables.write_workbook(tmp_path / "case.xlsx")
    parquet = tables.write_parquet(tmp_path / "parquet")
    assert apply(read_base(workbook), scenario).sha256 == first.sha256
    assert apply(read_base(parquet), scenario).sha256 == first.sha256
