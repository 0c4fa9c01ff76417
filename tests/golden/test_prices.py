"""prices.csv on the golden cases: every scarce lot, cap and period has the price worked out by hand.

A price is what one more unit is worth. Where none is named here it is 0: what is not scarce is free.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.golden.checks import Golden
from tests.golden.tiny import Tiny, tiny

BAR = {"s1": 0.5, "s2": 0.3}


def prices(golden: Golden, case: Tiny, goal: str = "margin") -> dict[str, float]:
    """Row -> price that is not 0, lots and caps; those of pool_balance are the lots' again."""
    result = golden.solved(case)
    found = {
        r["row"]: float(r["price_per_unit"])
        for r in result.tables["prices"].to_dict("records")
        if r["goal"] == goal and not r["row"].startswith("pool_balance")
    }
    return {row: price for row, price in found.items() if price != 0}


def one_order(lots: Mapping[str, Mapping[str, object]], **order: object) -> Tiny:
    """20 t at 3 a tonne."""
    return tiny(lots=lots, orders={"O": {"mass_t": 20, "premium_per_t": 3, **order}})


def test_a_scarce_lot_of_one_order(golden: Golden) -> None:
    """A t of lot serves 2 t at 3: 6."""
    case = one_order({"L": {"quantity": 5, "green_share": 1}}, level=0.5)
    assert prices(golden, case) == {"lot_supply[L]": pytest.approx(6)}


def test_a_scarce_lot_of_two_orders(golden: Golden) -> None:
    """After 4 t of O1 at 5 the next t of lot goes to O2 at 3: 3."""
    case = tiny(
        lots={"L": {"quantity": 6, "green_share": 1}},
        orders={
            "O1": {"mass_t": 4, "premium_per_t": 5},
            "O2": {"mass_t": 10, "premium_per_t": 3, "level": 0.99},
        },
    )
    assert prices(golden, case) == {"lot_supply[L]": pytest.approx(3 / 0.99)}


def test_a_lot_that_is_not_scarce(golden: Golden) -> None:
    """10 t of lot for 10 t at 0.5: another is worth nothing."""
    case = one_order({"L": {"quantity": 30, "green_share": 1}}, level=0.5)
    assert prices(golden, case) == {}


@pytest.mark.parametrize(
    ("claim", "worth"),
    [
        ("green_share", 3 * 0.5 / 0.25),
        ("recycled_share", 3 * 0.75 / 0.25),
        ("post_consumer_share", 3 * 0.5 / 0.25),
    ],
)
def test_a_scarce_lot_in_each_share_claim(golden: Golden, claim: str, worth: float) -> None:
    """A t of lot serves its share / 0.25 tonnes at 3."""
    lot = {"quantity": 2, "green_share": 0.5, "recycled_pre": 0.25, "recycled_post": 0.5}
    case = one_order({"L": lot}, claim=claim, level=0.25)
    assert prices(golden, case) == {"lot_supply[L]": pytest.approx(worth)}


@pytest.mark.parametrize(("claim", "level"), [("cfp", 11), ("reduction", 2)])
def test_a_scarce_lot_in_each_ghg_claim(golden: Golden, claim: str, level: float) -> None:
    """A t of lot saves 8 t CO2e, which is 4 t at 3: 12."""
    case = one_order({"L": {"quantity": 2, "intensity_tco2e_per_uom": 4}}, claim=claim, level=level)
    assert prices(golden, case) == {"lot_supply[L]": pytest.approx(12)}


def test_a_lot_that_makes_room(golden: Golden) -> None:
    """FULL (1) and WEAK (0.4) fill a tonne half and half for a share of 0.7: one more t of FULL serves 2 t,
    6; room for one more t of WEAK brings 0.4 t of green, for which 4/3 t more are claimed: 4.
    """
    lots = {"FULL": {"quantity": 5, "green_share": 1}, "WEAK": {"quantity": 100, "green_share": 0.4}}
    expected = {"lot_supply[FULL]": pytest.approx(6), "mass_cap[O]": pytest.approx(4)}
    assert prices(golden, one_order(lots, level=0.7)) == expected


def test_a_lot_beside_a_category_cap(golden: Golden) -> None:
    """Of a half 0.3 are scrap and 0.2 ingot: a t of ingot serves 5 t, 15, as does room for a t of scrap."""
    case = one_order(
        {
            "INGOT": {"quantity": 2, "green_share": 1},
            "SCRAP": {"quantity": 100, "category": "scrap", "green_share": 1},
        },
        level=0.5,
    ).but(alloys={("A", "ingot"): 1, ("A", "scrap"): 0.3})
    expected = {"lot_supply[INGOT]": pytest.approx(15), "category_cap[O,scrap]": pytest.approx(15)}
    assert prices(golden, case) == expected


def test_a_lot_beside_a_scope_cap(golden: Golden) -> None:
    """Projects give 0.8 of the 1 a tonne needs and metal 0.2: the 8 t CO2e of a t of metal serve 40 t, 120;
    room for a t CO2e in scopes 1 and 2 serves 5 t, 15.
    """
    case = tiny(
        products={"bar": BAR},
        lots={
            "METAL": {"quantity": 0.25, "intensity_tco2e_per_uom": 4},
            "HEAT": {"kind": "project", "quantity": 100, "scopes": "1+2"},
        },
        orders={"O": {"mass_t": 20, "premium_per_t": 3, "claim": "reduction", "level": 1}},
    )
    expected = {"lot_supply[METAL]": pytest.approx(120), "scope_cap[O,1+2]": pytest.approx(15)}
    assert prices(golden, case) == expected


def test_a_period_has_its_own_price(golden: Golden) -> None:
    """NEW is there from Q2 on, so a t more of OLD serves O1 in Q1 at 5; NEW is not scarce."""
    case = tiny(
        quarters=2,
        lots={
            "NEW": {"quantity": 13, "used": "2026-07-01", "green_share": 1},
            "OLD": {"quantity": 3, "green_share": 1},
        },
        orders={
            "O1": {"mass_t": 10, "premium_per_t": 5},
            "O2": {"mass_t": 4, "premium_per_t": 1, "period": "Q2"},
        },
    )
    assert prices(golden, case) == {"lot_supply[OLD]": pytest.approx(5)}


def test_a_firm_order_has_a_price_in_tonnes(golden: Golden) -> None:
    """A t of lot serves 2 t of a firm order that is short; the margin is then settled: its price is 0."""
    case = one_order({"L": {"quantity": 5, "green_share": 1}}, level=0.5, firm="true")
    assert prices(golden, case, "firm_shortfall:1") == {"lot_supply[L]": pytest.approx(2)}
