"""prices.csv: the bid prices of a worked network, and what one more unit of each cap is worth."""

from __future__ import annotations

from typing import Any

import pytest

from massbalance.api import Result
from massbalance.report.prices import COLUMNS
from tests.unit.report_case import PRODUCT, Row, solved

LEGS = {"GA": 110, "AC": 130, "AN": 111}
FLIGHTS = {
    "GA1": (190, 49, "GA"), "GA2": (90, 90, "GA"), "GC1": (264, 24, "GA AC"), "GC2": (229, 43, "GA AC"),
    "GN1": (261, 12, "GA AN"), "GN2": (219, 67, "GA AN"), "AC1": (140, 44, "AC"), "AC2": (95, 69, "AC"),
    "AN1": (186, 16, "AN"), "AN2": (103, 17, "AN"),
}  # fmt: skip
"""Fare, demand and legs of every flight (worked number 1 of the facts, lindo.com NetRevMan)."""


def price(result: Result, **where: str) -> list[float]:
    """The prices of the lines with these values."""
    table = result.tables["prices"]
    for column, value in where.items():
        table = table[table[column] == value]
    return [float(text) for text in table["price_per_unit"]]


def network() -> Result:
    """Legs are lots of a category each, a flight takes its legs in equal parts, seats are tonnes.

    A flight over two legs needs a tonne of each for two tonnes of product at half the fare.
    """
    tables: dict[str, list[Row]] = {"alloys": [], "products": [], "production": []}
    orders = []
    for name, (fare, demand, legs) in FLIGHTS.items():
        over = legs.split()
        tables["alloys"] += [
            {"alloy": name, "category": leg, "max_share": 1 if len(over) == 1 else "0.5"} for leg in over
        ]
        tables["products"].append({**PRODUCT, "product": name, "alloy": name})
        mass = demand * len(over)
        tables["production"].append({"product": name, "period": "P1", "mass_t": mass})
        orders.append(
            {
                "order": name, "product": name, "mass_t": mass, "claim": "green_share", "level": 1,
                "premium_per_t": f"{fare / len(over):.1f}",
            }
        )  # fmt: skip
    lots = [{"lot": leg, "category": leg, "quantity": seats} for leg, seats in LEGS.items()]
    return solved(orders, lots, **tables)


def test_the_worked_network_has_its_optimum_and_its_bid_prices() -> None:
    found = network()
    assert float(found.summary["objectives"][-1]["value"]) == 42366
    for leg, worth in {"GA": 190, "AC": 74, "AN": 29}.items():
        assert price(found, goal="margin", kind="lot_supply", name=leg) == [pytest.approx(worth)]
        assert price(found, goal="margin", kind="pool_balance", name=leg, period="P1") == [
            pytest.approx(worth)
        ]


def test_every_lot_and_every_pool_and_period_has_a_price_for_every_goal() -> None:
    orders = [{"order": "a", "firm": "true", "mass_t": 5}, {"order": "b", "period": "P2", "mass_t": 5}]
    found = solved(orders, [{"lot": "L"}, {"lot": "M", "green_share": "0.9"}])
    table = found.tables["prices"]
    assert tuple(table.columns) == COLUMNS
    for goal in ("firm_shortfall:1", "margin"):
        lines = table[table["goal"] == goal]
        assert sorted(lines[lines["kind"] == "lot_supply"]["name"]) == ["L", "M"]
        pools = lines[lines["kind"] == "pool_balance"]
        assert sorted(zip(pools["name"], pools["period"], strict=True)) == [
            ("L", "P1"), ("L", "P2"), ("M", "P1"), ("M", "P2"),
        ]  # fmt: skip
    assert set(table["price_per_unit"]) == {"0"}


def test_what_one_more_tonne_is_worth_to_a_firm_order_and_to_the_margin() -> None:
    found = solved([{"order": "firm", "firm": "true", "mass_t": 30}, {"order": "o"}], [{}])
    assert price(found, goal="firm_shortfall:1", kind="lot_supply") == [2]
    assert price(found, goal="margin", kind="lot_supply") == [pytest.approx(20)]


IRON: dict[str, list[Row]] = {
    "composition": [
        {"key": "base", "element": "Fe", "wt_pct": "0.1"},
        {"key": "c", "element": "Fe", "wt_pct": "0.5"},
    ],
    "alloy_limits": [{"alloy": "A", "element": "Fe", "max_wt_pct": "0.26"}],
}


@pytest.mark.parametrize(
    ("kind", "detail", "unit", "share", "tables", "tonnes"),
    [("category_cap", "c", "t", "0.4", {}, 1.0), ("element_cap", "Fe", "wt% t", "1", IRON, 1 / 0.4)],
)
def test_a_cap_that_binds_is_listed_with_its_unit(
    kind: str, detail: str, unit: str, share: str, tables: dict[str, Any], tonnes: float
) -> None:
    """One more unit of the cap puts so many tonnes of cheap metal in the place of dear metal."""
    recycled = {"quantity": 1000, "green_share": "", "recycled_post": 1}
    lots = [
        {**recycled, "lot": "L", "unit_cost": 1},
        {**recycled, "lot": "M", "category": "d", "unit_cost": 9},
    ]
    alloys = [{"alloy": "A", "category": c, "max_share": s} for c, s in (("c", share), ("d", 1))]
    order = {"claim": "recycled_share", "level": "0.5", "mass_t": 20}
    lines = solved([order], lots, alloys=alloys, **tables).tables["prices"]
    (line,) = lines[(lines["goal"] == "margin") & (lines["kind"] == kind)].to_dict("records")
    assert (line["name"], line["detail"], line["period"], line["unit"]) == ("o", detail, "P1", unit)
    assert line["row"] == f"{kind}[o,{detail}]"
    assert float(line["price_per_unit"]) == pytest.approx((9 - 1) * tonnes)


def test_a_cap_that_does_not_bind_is_left_out() -> None:
    found = solved([{}], [{}])
    assert not {"category_cap", "mass_cap", "scope_cap"} & set(found.tables["prices"]["kind"])


def test_an_origin_is_priced_as_a_whole() -> None:
    """The thing and the 10 t of its better measurement are together worth the 20 t of product at 10."""
    lots = [{"lot": "L", "origin": "g"}, {"lot": "M", "origin": "g", "quantity": 8, "green_share": "0.9"}]
    found = solved([{}], lots)
    table = found.tables["prices"]
    (line,) = table[(table["goal"] == "margin") & (table["kind"] == "origin_once")].to_dict("records")
    assert (line["name"], line["unit"], line["lots"]) == ("g", "origin", "L M")
    (lot,) = price(found, goal="margin", kind="lot_supply", name="L")
    assert float(line["price_per_unit"]) + 10 * lot == pytest.approx(200)
    assert float(line["price_per_unit"]) >= 144  # what the other measurement would bring


def test_lots_that_are_alike_are_one_pool_and_each_has_its_line() -> None:
    found = solved([{}], [{"lot": "L"}, {"lot": "M", "quantity": 3, "certificate": "C-7"}])
    table = found.tables["prices"]
    table = table[table["goal"] == "margin"]
    assert sorted(table[table["kind"] == "lot_supply"]["name"]) == ["L", "M"]
    pools = table[(table["kind"] == "pool_balance") & (table["period"] == "P1")]
    assert list(pools["lots"]) == ["L M"]
