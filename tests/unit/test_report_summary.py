"""summary.json: exact figures without float noise, and values that are those of what was booked."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from massbalance.report.documents import dumps
from massbalance.report.goal_values import booked_margin, exact, grams
from massbalance.report.summary import rounded, versions
from tests.unit.report_case import solved


@pytest.mark.parametrize("text", ["0", "-3", "0.125", "-0.000000000001", "10000000000000000000.1"])
def test_decimal_fractions_stay_exact(text: str) -> None:
    written = dumps({"v": exact(Fraction(text))})
    assert json.loads(written, parse_float=Decimal, parse_int=Decimal)["v"] == Decimal(text)


def test_grams_are_tonnes_with_six_decimals() -> None:
    assert [str(grams(v)) for v in (0, 1, 1_500_000, -20)] == ["0", "0.000001", "1.5", "-0.00002"]


@pytest.mark.parametrize("value", [None, math.inf, -math.inf, math.nan])
def test_what_is_no_figure_is_none(value: float | None) -> None:
    assert rounded(value) is None


def test_floats_are_shown_without_noise() -> None:
    assert str(rounded(0.1 + 0.2)) == "0.3"
    assert str(rounded(1 / 3, 3)) == "0.333"


def test_texts_stay_readable() -> None:
    assert "①" in dumps({"name": "受注①"})


def document(orders: list[dict[str, Any]], lots: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """The summary as a reader of the file gets it, with exact numbers."""
    text = dumps(solved(orders, lots, **more).summary)
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


def test_goals_are_the_booked_ones_one_per_priority_with_firm_orders() -> None:
    orders = [
        {"order": "a", "firm": "true", "priority": 3, "mass_t": 12, "premium_per_t": "0.1"},
        {"order": "b", "firm": "true", "priority": 1, "mass_t": 12, "premium_per_t": "0.3"},
        {"order": "c", "priority": 2, "mass_t": 5},
    ]
    found = document(orders, [{"unit_cost": "0.7"}])
    assert [(g["name"], g["priority"], g["value"]) for g in found["objectives"]] == [
        ("firm_shortfall_t", 1, 0),
        ("firm_shortfall_t", 3, 4),
        ("margin", None, Decimal("-2.6")),  # 12 * 0.3 + 8 * 0.1 - 10 * 0.7
    ]
    assert (found["asked_t"], found["claimed_t"], found["unmet_firm_t"]) == (29, 20, 4)
    assert all(abs(g["booking_cost"]) <= Decimal("1e-6") for g in found["objectives"])


def test_goals_stand_in_the_order_of_the_case() -> None:
    found = document([{"firm": "true"}], [{}], settings='[objective]\norder = ["margin", "firm_shortfall"]\n')
    assert [g["name"] for g in found["objectives"]] == ["margin", "firm_shortfall_t"]


def test_an_offer_that_is_taken_pays_its_own_premium() -> None:
    offers = [{"order": "o", "offer": "b", "claim": "green_share", "level": "0.1", "premium_per_t": "9.5"}]
    found = solved([{"mass_t": 40}], [{}], offers=offers)
    assert booked_margin(found.problem, found.allocation) == Fraction("9.5") * 40


def test_credits_by_unit_and_overrides_are_told() -> None:
    lots = [
        {"lot": "L"},
        {"lot": "M", "kind": "energy", "category": "e", "uom": "MWh", "green_share": "", "quantity": "2.5"},
    ]
    settings = '[rules]\nid = "jaa-2026"\nexpiry_months = 6\n'
    found = document([{"mass_t": 10}], lots, settings=settings)
    assert found["credits"]["t"] == {
        "opening": 0, "received": 10, "allocated": 5, "blocked": 0, "expired": 0, "held": 5,
    }  # fmt: skip
    assert found["credits"]["MWh"]["held"] == Decimal("2.5")
    assert found["rules"]["id"] == "jaa-2026"
    assert list(found["rules"]["overrides"]) == ["expiry_months"]
    assert len(found["rules"]["sha256"]) == 64


def test_versions_name_what_a_result_rests_on() -> None:
    assert {"python", "massbalance", "pyomo", "highspy"} <= set(versions())
    assert all(versions().values())
