"""What must hold of any scenario, whatever it multiplies, shifts or drops."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from massbalance.domain.faults import CaseRefused
from massbalance.domain.schema import TABLE_SPECS
from massbalance.scenario.apply import Base, apply, read_base
from massbalance.scenario.parse import scenario_of

DATA = Path(__file__).parents[2] / "data"
BASE = read_base(DATA / "tutorial")
ACTIONS = {"number": ("multiply", "add"), "whole": ("multiply", "add"), "date": ("shift_days",)}
NOTHING = {"multiply": 1, "add": 0, "shift_days": 0}
COLUMNS = [
    (table, column.name, action)
    for table, spec in TABLE_SPECS.items()
    if table in BASE.tables
    for column in spec.columns.values()
    for action in ACTIONS.get(column.kind, ())
]
LOTS = [str(lot) for lot in BASE.case.lots.text("lot")]
FACTORS = st.decimals(Decimal("0.000001"), Decimal(10), places=6)


def sha(base: Base, *edits: dict[str, Any]) -> str | None:
    """The edited case, or None where it is refused."""
    try:
        return apply(base, scenario_of({"edit": list(edits)})).sha256
    except CaseRefused:
        return None


@pytest.mark.parametrize(("table", "column", "action"), COLUMNS)
def test_what_changes_nothing_gives_the_base(table: str, column: str, action: str) -> None:
    # beside an edit that finds rows, since a scenario without effect is refused
    same = {"table": "lots", "multiply": {"quantity": 1}}
    assert sha(BASE, same, {"table": table, action: {column: NOTHING[action]}}) == BASE.case.sha256


@given(a=FACTORS, b=FACTORS, rows=st.sets(st.sampled_from(LOTS), min_size=1))
@settings(max_examples=8)
def test_factors_multiply_exactly(a: Decimal, b: Decimal, rows: set[str]) -> None:
    where = {"lot": sorted(rows)}
    one, other = ({"table": "lots", "where": where, "multiply": {"unit_cost": f}} for f in (a, b))
    product = {"table": "lots", "where": where, "multiply": {"unit_cost": a * b}}
    assert sha(BASE, one, other) == sha(BASE, other, one) == sha(BASE, product) is not None


@given(a=st.integers(-40, 40), b=st.integers(-40, 40))
@settings(max_examples=8)
def test_shifts_add_up_and_come_back(a: int, b: int) -> None:
    def shift(days: int) -> dict[str, Any]:
        return {"table": "lots", "shift_days": {"received": days, "used": days, "expires": days}}

    assert sha(BASE, shift(a), shift(b)) == sha(BASE, shift(a + b)) is not None
    assert sha(BASE, shift(a), shift(-a)) == BASE.case.sha256


@given(rows=st.sets(st.sampled_from(LOTS), min_size=1, max_size=len(LOTS) - 1))
@settings(max_examples=6)
def test_dropping_rows_is_dropping_them_one_by_one_in_any_order(rows: set[str]) -> None:
    each = [{"table": "lots", "where": {"lot": lot}, "drop": True} for lot in sorted(rows)]
    together = {"table": "lots", "where": {"lot": sorted(rows)}, "drop": True}
    rest = {"table": "lots", "where": {"lot": {"!=": sorted(set(LOTS) - rows)}}, "drop": True}
    assert sha(BASE, *each) == sha(BASE, *each[::-1]) == sha(BASE, together) == sha(BASE, rest) is not None


@given(factor=FACTORS)
@settings(max_examples=6)
def test_a_dropped_row_added_again_is_the_base(factor: Decimal) -> None:
    order = {
        "order": "O3", "customer": "appliances", "product": "SHEET", "period": "2026Q2", "mass_t": 40,
        "claim": "cfp", "level": 11, "premium_per_t": 60, "priority": 1, "firm": False, "whole": False,
        "min_fill": 0,
    }  # fmt: skip
    edits = [
        {"table": "orders", "where": {"order": "O3"}, "multiply": {"premium_per_t": factor}},
        {"table": "orders", "where": {"order": "O3"}, "drop": True},
        {"table": "orders", "add": [order]},
    ]
    assert sha(BASE, *edits) == BASE.case.sha256
