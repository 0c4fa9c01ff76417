"""`why` in orders.csv: one small case for each reason, in the words that planners read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from massbalance.report.why import reasons
from massbalance.solving.reach import reach
from tests.unit.report_case import PRODUCT, PROJECT, Row, solved

LOT: Row = {}


def whys(orders: list[Row], lots: list[Row], **others: Any) -> dict[str, str]:
    """Order -> why, of the solved case."""
    found = solved(orders, lots, **others).tables["orders"]
    return dict(zip(found["order"], found["why"], strict=True))


def why(order: Row, *lots: Row, **others: Any) -> str:
    """The reason of one order alone."""
    return whys([order], list(lots), **others)["o"]


def test_an_order_that_gets_all_of_it_has_no_reason() -> None:
    assert why({"mass_t": 20}, LOT) == ""


def test_no_lot_at_all() -> None:
    assert why({}) == "no lot carries what the claim asks for"


def test_no_lot_carries_the_claim() -> None:
    assert why({"claim": "recycled_share"}, LOT) == "no lot carries what the claim asks for"


@pytest.mark.parametrize(
    "dates", [{"received": "2025-02-10"}, {"received": "2024-12-01", "expires": "2025-01-30"}]
)
def test_no_credit_in_its_window(dates: Row) -> None:
    assert why({}, {**dates}).startswith("no credit in its window")


def test_a_lot_after_the_last_period_is_out_of_its_window() -> None:
    assert why({}, {"received": "2025-06-01"}).startswith("no credit in its window")


def test_scheme() -> None:
    assert why({"schemes": "ASI;ISCC"}, {"scheme": "own"}).startswith("scheme:")


def test_boundary() -> None:
    sites = [{"site": "S", "unit": "U"}, {"site": "T", "unit": "V"}]
    assert why({}, {"site": "T"}, sites=sites).startswith("boundary:")


def test_gas() -> None:
    assert why({}, LOT, products=[{**PRODUCT, "gas": "CO2"}]).startswith("gas:")


def test_alloy_takes_no_such_lot() -> None:
    assert why({}, {"category": "d"}).startswith("technical limits:")


def test_several_reasons_together() -> None:
    found = why({"schemes": "ASI"}, {"scheme": "own", "category": "d"})
    assert found.startswith("no lot fits:")


def test_alloy_limit_by_iron() -> None:
    """Worked number 2 of the facts: Fe .855 % into an alloy of at most .20 % is at most 23.4 %."""
    found = why(
        {"level": "0.3"},
        LOT,
        composition=[{"key": "c", "element": "Fe", "wt_pct": "0.855"}],
        alloy_limits=[{"alloy": "A", "element": "Fe", "max_wt_pct": "0.2"}],
    )
    assert found == "claim out of reach: at most 0.2339 of 0.3 per t, by alloy limit by Fe"


@pytest.mark.parametrize("category", ["c", "scrap, [old]", "a[b]"])
def test_alloy_limit_for_a_category_whatever_its_name(category: str) -> None:
    alloys = [{"alloy": "A", "category": category, "max_share": "0.25"}]
    found = why({}, {"category": category}, alloys=alloys)
    assert found == f"claim out of reach: at most 0.25 of 0.5 per t, by alloy limit for {category}"


def test_mass_of_the_order_itself() -> None:
    found = why({}, {"green_share": "0.4"})
    assert found.startswith("claim out of reach: at most 0.4 of 0.5 per t, by ")
    assert "the mass of the order itself" in found or "alloy limit for c" in found


def test_scope_1_cap() -> None:
    found = why({"claim": "reduction", "level": "1.5"}, PROJECT)
    assert found == "claim out of reach: at most 1 of 1.5 per t, by scope 1 cap"


def test_energy_use() -> None:
    found = why(
        {"claim": "reduction", "level": "0.9"},
        {"kind": "energy", "uom": "MWh", "scopes": "2", "intensity_tco2e_per_uom": 0},
        products=[{**PRODUCT, "electricity_mwh_per_t": 1}],
        sites=[{"site": "S", "unit": "U", "electricity_tco2e_per_mwh": "0.5"}],
    )
    assert found == "claim out of reach: at most 0.5 of 0.9 per t, by electricity use of the product"


def test_no_credit_left() -> None:
    assert why({}, LOT) == "no credit left in its window at this price (premium 10.00 per t)"


def test_price_below_others() -> None:
    orders = [{"order": "dear", "premium_per_t": 30}, {"order": "cheap"}]
    found = whys(orders, [LOT])
    assert found["dear"].startswith("no credit left in its window at this price (premium 30.00 per t)")
    assert found["cheap"].startswith("price below others:")
    assert "30.00" in found["cheap"]
    assert "10.00" in found["cheap"]


def test_price_below_cost() -> None:
    found = why({}, {"unit_cost": 40})
    assert found.startswith("price below others:")
    assert "20.00" in found
    assert "10.00" in found


def test_a_negative_premium_is_no_worth_of_credits_elsewhere() -> None:
    found = why({"premium_per_t": -5}, LOT)
    assert found.startswith("price below others:")
    assert "elsewhere, 0.00" in found
    assert found.endswith("its premium is -5.00")


def test_firm_order_short() -> None:
    firm = {"firm": "true", "premium_per_t": 0}
    orders = [{**firm, "order": "first", "priority": 1}, {**firm, "order": "second", "priority": 2}]
    found = whys([*orders, {"order": "other", "premium_per_t": 1000}], [LOT])
    assert found["first"] == "firm, but no credit left in its window"
    assert found["second"] == "firm, but no credit left in its window"
    assert found["other"]


def test_firm_where_the_margin_comes_first() -> None:
    orders = [{"order": "firm", "firm": "true"}, {"order": "dear", "premium_per_t": 30}]
    found = whys(orders, [LOT], settings='[objective]\norder = ["margin", "firm_shortfall"]\n')
    assert found["firm"].startswith("price below others:")


def test_a_whole_order_that_cannot_be_filled() -> None:
    found = why({"whole": "true"}, LOT)
    assert found == "the credits left do not make up the whole order, or another offer pays more"


def test_a_minimum_fill_that_cannot_be_reached() -> None:
    found = why({"min_fill": "0.3"}, LOT)
    assert found == "the credits left do not make up its minimum fill, or another offer pays more"


def test_a_minimum_fill_that_is_reached_is_short_of_credits() -> None:
    assert why({"min_fill": "0.2"}, LOT).startswith("no credit left in its window")


def test_every_offer_has_its_reason() -> None:
    offers = [{"order": "o", "offer": "b", "claim": "recycled_share", "level": "0.1", "premium_per_t": 3}]
    found = why({"schemes": "ASI"}, {"scheme": "own"}, offers=offers)
    assert found.split("; or ")[0].startswith("scheme:")
    assert found.split("; or ")[1] == "no lot carries what the claim asks for"


def test_the_offer_taken_gives_the_reason() -> None:
    offers = [{"order": "o", "offer": "b", "claim": "green_share", "level": "0.2", "premium_per_t": 9}]
    found = why({"claim": "recycled_share"}, LOT, offers=offers)
    assert found == "no credit left in its window at this price (premium 9.00 per t)"


def test_what_binds_besides_is_named() -> None:
    found = why(
        {"claim": "reduction", "level": "3"},
        {"lot": "L", "intensity_tco2e_per_uom": 2},
        {**PROJECT, "lot": "M", "quantity": 1000},
    )
    assert found.startswith("no credit left in its window at this price (premium 10.00 per t); also binding:")
    assert "scope 1 cap" in found


HALF = [{"alloy": "A", "category": "c", "max_share": "0.5"}]
"""Between the claim of a half and this cap, only an even number of grams can be claimed."""


def test_a_gram_that_rounding_costs() -> None:
    assert why({"mass_t": "1.000001"}, LOT, alloys=HALF) == "rounding to whole grams"


def test_an_order_of_a_gram_that_rounding_leaves_out() -> None:
    assert why({"mass_t": "0.000001"}, LOT, alloys=HALF) == "rounding to whole grams"


def test_not_decided_where_a_limit_came_before_the_margin() -> None:
    found = solved([{}], [LOT])
    cut = tuple(replace(stage, row_dual=None) for stage in found.solution.stages)
    told = reasons(
        found.problem,
        found.compiled,
        replace(found.solution, stages=cut, status="limit"),
        reach(found.problem, found.compiled),
        found.allocation,
    )
    assert told.to_pylist() == ["not decided: the run stopped at a limit before the margin was optimised"]
