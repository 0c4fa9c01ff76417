"""C16 to C19 and G4 to G9: one tiny case for each, in which that equation or goal of a strategy decides.

As test_equations.py: the sentence derives the optimum, lp/ holds the rows. Every order asks for a green
share of 1 and every lot is green, unless said otherwise, so a tonne of lot serves a tonne.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from massbalance.api import Infeasible, read_case, solve
from tests.golden.checks import Golden, claimed, table
from tests.golden.tiny import Tiny, tiny


def green(quantity: float, **lot: object) -> dict[str, dict[str, object]]:
    """One lot, all green."""
    return {"L": {"quantity": quantity, "green_share": 1, **lot}}


def asking(case: Tiny, **objective: Any) -> Tiny:
    """The case under another `[objective]`."""
    return case.but(settings={"objective": objective})


def why(outcome: Any) -> dict[str, str]:
    return {row["order"]: row["why"] for row in table(outcome, "orders")}


TWO = {
    "A": {"mass_t": 10, "premium_per_t": 5, "customer": "a"},
    "B": {"mass_t": 10, "premium_per_t": 1, "customer": "b"},
}
APART = {
    "X": {"quantity": 4, "green_share": 1, "scheme": "x"},
    "Y": {"quantity": 10, "green_share": 1, "scheme": "y"},
}


def test_c16_minimum_service(golden: Golden) -> None:
    """10 t of lot: B's customer is to get 30 % of 10 t, so A has 7 at 5 and B 3 at 1: 38; without that A
    has all, 50.
    """
    case = tiny(lots=green(10), orders=TWO)
    least = asking(case, minimum_service=[{"by": "customer", "group": "b", "share": 0.3}])
    outcome = golden.equation("C16_minimum_service", least, {"margin": 38}, without=case, then={"margin": 50})
    assert claimed(outcome) == {"A": 7, "B": 3}
    assert outcome.summary["strategy"]["groups"][1] == {
        "by": "customer", "group": "b", "ordered_t": 10, "claimed_t": 3, "service": Decimal("0.3"),
        "minimum": Decimal("0.3"), "stage": None,
    }  # fmt: skip


def test_c16_of_two_kinds(golden: Golden) -> None:
    """20 t of lot for A (bar, customer a) and B (rod, customer b), 10 t each, and C (rod, customer a), 10 t
    at 1: customers are to get 50 %, the rod 60 %: 10 t of A at 5 leave 10 t for the rods, which want
    12: A has 8; of the rods' 12, C at 2 has 7 and B, at 1, the 5 t of its customer: 40 + 14 + 5 = 59.
    """
    orders = {
        "A": {"mass_t": 10, "premium_per_t": 5, "customer": "a"},
        "B": {"mass_t": 10, "premium_per_t": 1, "customer": "b", "product": "rod"},
        "C": {"mass_t": 10, "premium_per_t": 2, "customer": "a", "product": "rod"},
    }
    case = tiny(lots=green(20), orders=orders, products={"bar": {}, "rod": {}})
    least = [{"by": "customer", "share": 0.5}, {"by": "product", "group": "rod", "share": 0.6}]
    outcome = golden.equation(
        "C16_minimum_service_of_two_kinds",
        asking(case, minimum_service=least),
        {"margin": 59},
        without=case,
        then={"margin": 70},
    )
    assert claimed(outcome) == {"A": 8, "B": 5, "C": 7}


def test_c16_what_cannot_be_met_is_named(golden: Golden) -> None:
    """10 t of lot, yet both customers are to get 60 % of 10 t: 2 t are missing, and the two clash; b's 60 %
    alone would be in reach.
    """
    case = tiny(lots=green(10), orders=TWO)
    both = asking(case, minimum_service=[{"by": "customer", "share": 0.6}])
    with pytest.raises(Infeasible) as told:
        solve(read_case(golden.write(both)))
    clash = told.value.clash
    assert [(one.by, one.group, one.least_t) for one in clash] == [("customer", "a", 6), ("customer", "b", 6)]
    assert sum(one.missing_t for one in clash) == pytest.approx(2)
    one = asking(case, minimum_service=[{"by": "customer", "group": "b", "share": 0.6}])
    golden.optimum(one, {"margin": 26})


def test_c16_whole_orders_count(golden: Golden) -> None:
    """10 t of lot: B's customer wants 30 % of B, which is whole: B has all 10 and A nothing: 10. Were A
    whole, too, and its customer to get something, nothing would do.
    """
    case = tiny(lots=green(10), orders=TWO).but(orders={"B": {"whole": "true"}})
    b = {"by": "customer", "group": "b", "share": 0.3}
    golden.optimum(asking(case, minimum_service=[b]), {"margin": 10})
    both = case.but(orders={"A": {"whole": "true"}})
    with pytest.raises(Infeasible) as told:
        solve(read_case(golden.write(asking(both, minimum_service=[{"by": "customer", "share": 0.3}]))))
    assert sum(one.missing_t for one in told.value.clash) == pytest.approx(3)


def test_c17_common_share(golden: Golden) -> None:
    """10 t of lot for two orders of 10 t: each gets one half, 5 t: 25 + 5 = 30; with 20 t all, 60."""
    case = asking(tiny(lots=green(10), orders=TWO), strategy="spread")
    outcome = golden.equation(
        "C17_common_share",
        case,
        {"common_share": 0.5, "margin": 30},
        without=case.but(lots={"L": {"quantity": 20}}),
        then={"common_share": 1, "margin": 60},
    )
    assert claimed(outcome) == {"A": 5, "B": 5}
    assert why(outcome)["B"] == "the share common to all orders, 50.0%"


def test_c18_no_more(golden: Golden) -> None:
    """Only X, 4 t, may serve A: 40 % of it; so B has 40 %, too, though 10 t of Y lie there: 20 + 4 = 24;
    with 10 t of X both have all: 60.
    """
    case = tiny(lots=APART, orders=TWO).but(orders={"A": {"schemes": "x"}})
    case = asking(case, strategy="spread")
    outcome = golden.equation(
        "C18_no_more",
        case,
        {"common_share": 0.4, "margin": 24},
        without=case.but(lots={"X": {"quantity": 10}}),
        then={"common_share": 1, "margin": 60},
    )
    assert claimed(outcome) == {"A": 4, "B": 4}


def test_c18_an_order_out_of_reach_holds_nobody_back(golden: Golden) -> None:
    """HIGH asks for a share of 1 of an alloy that takes 30 % of ingot: no credit reaches that, and it is
    left out, proven by prices; A and B have one half each, as without it.
    """
    case = tiny(
        lots=green(10),
        alloys={("A", "ingot"): 1, ("C", "ingot"): 0.3},
        products={"bar": {}, "cast": {"alloy": "C"}},
        orders={**TWO, "HIGH": {"mass_t": 5, "product": "cast"}},
    )
    outcome = golden.optimum(asking(case, strategy="spread"), {"common_share": 0.5, "margin": 30})
    proof = (outcome.out / "proof" / "out_of_reach.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[:3] for line in proof[1:]] == [
        ["category_cap", "HIGH", "ingot"],
        ["claim", "HIGH", ""],
    ]
    assert "out of reach" in why(outcome)["HIGH"]


def test_c19_fair_share(golden: Golden) -> None:
    """B may have X only, 4 t: its share is at most 0.4, which is the least; A gets the 6 t of Y, 0.6: 30 +
    4 = 34; with 8 t of X 14 t are there for 20: 0.7 each.
    """
    lots = {**APART, "Y": {"quantity": 6, "green_share": 1, "scheme": "y"}}
    case = asking(tiny(lots=lots, orders=TWO).but(orders={"B": {"schemes": "x"}}), strategy="leximin")
    outcome = golden.equation(
        "C19_fair_share",
        case,
        {"fair_share:1": 0.4, "fair_share:2": 0.6, "margin": 34},
        without=case.but(lots={"X": {"quantity": 8}}),
        then={"fair_share:1": 0.7, "margin": 42},
    )
    assert claimed(outcome) == {"A": 6, "B": 4}
    assert "fair share of customer b, 40.0%" in why(outcome)["B"]
    assert [g["stage"] for g in outcome.summary["strategy"]["groups"]] == [2, 1]


def test_g4_tonnage(golden: Golden) -> None:
    """10 t of lot: HALF asks for a share of 0.5, so they serve 20 t of it at 1: 20 t, margin 20, though A
    would pay 5 for 10 t; with 20 t of lot both are served: 30 t, 70.
    """
    case = tiny(
        lots=green(10),
        orders={"A": {"mass_t": 10, "premium_per_t": 5}, "HALF": {"mass_t": 20, "level": 0.5}},
    )
    case = asking(case, strategy="tonnage")
    golden.goal(
        "G4_tonnage",
        case,
        {"tonnage": 20, "margin": 20},
        without=case.but(lots={"L": {"quantity": 20}}),
        then={"tonnage": 30, "margin": 70},
    )


def test_g5_chosen(golden: Golden) -> None:
    """The rod is chosen: of 10 t of lot the firm order of a bar has 2, the rod 6; A, a bar, stays
    conventional, though 2 t are left and it pays 5: margin 8; with 4 t of lot the rod has 2: 4.
    """
    case = tiny(
        lots=green(10),
        products={"bar": {}, "rod": {}},
        orders={
            "A": {"mass_t": 10, "premium_per_t": 5},
            "F": {"mass_t": 2, "firm": "true"},
            "R": {"mass_t": 6, "product": "rod"},
        },
    )
    case = asking(case, strategy="concentrate", products=["rod"])
    outcome = golden.goal(
        "G5_chosen",
        case,
        {"firm_shortfall:1": 0, "chosen:rod": 6, "margin": 8},
        without=case.but(lots={"L": {"quantity": 4}}),
        then={"firm_shortfall:1": 0, "chosen:rod": 2, "margin": 4},
    )
    assert claimed(outcome) == {"F": 2, "R": 6}
    assert (
        why(outcome)["A"] == "conventional by strategy concentrate: its product is not among the chosen ones"
    )


def test_g5_products_are_chosen_in_order(golden: Golden) -> None:
    """The tube comes first, then the rod: of 10 t the tube has its 7, the rod 3, whatever they pay: 22."""
    case = tiny(
        lots=green(10),
        products={"bar": {}, "rod": {}, "tube": {}},
        orders={
            "R": {"mass_t": 6, "product": "rod", "premium_per_t": 5},
            "T": {"mass_t": 7, "product": "tube"},
        },
    )
    case = asking(case, strategy="concentrate", products=["tube", "rod"])
    golden.goal(
        "G5_chosen_in_order",
        case,
        {"chosen:tube": 7, "chosen:rod": 3, "margin": 22},
        without=asking(case, strategy="concentrate", products=["rod", "tube"]),
        then={"chosen:rod": 6, "chosen:tube": 4, "margin": 34},
    )


def lapsing(**soon: object) -> Tiny:
    """O asks for 6 t; SOON expires with the last period and costs 3, LATER costs nothing; a tonne of either
    is worth 12 - 4 = 8 t CO2e.
    """
    case = tiny(
        lots={
            "SOON": {
                "quantity": 10, "green_share": 1, "intensity_tco2e_per_uom": 4, "unit_cost": 3,
                "expires": "2026-06-30", **soon,
            },
            "LATER": {"quantity": 10, "green_share": 1, "intensity_tco2e_per_uom": 4},
        },
        orders={"O": {"mass_t": 6}},
    )  # fmt: skip
    return asking(case, strategy="least-expiry")


def test_g6_expiry(golden: Golden) -> None:
    """SOON serves O though LATER is free: 4 t of it expire, 32 t CO2e, and the margin is 6 - 18; of 5 t of
    SOON none expires, and LATER adds one: 6 - 15.
    """
    golden.goal(
        "G6_expiry",
        lapsing(),
        {"expiry": 32, "margin": -12},
        without=lapsing(quantity=5),
        then={"expiry": 0, "margin": -9},
    )


def test_g6_a_claim_may_carry_more_than_it_asks_for(golden: Golden) -> None:
    """At a level of 0.5 O needs 3 t of SOON, but a credit that nobody uses expires: O carries 6, no more
    than its mass.
    """
    case = lapsing().but(orders={"O": {"level": 0.5}})
    golden.optimum(case, {"expiry": 32, "margin": -12})


def test_g7_weighted(golden: Golden) -> None:
    """A tonne counts 4 beside its margin, a t CO2e that expires 0.5 against: 40 t of lot serve A's 10 t at
    5 and, in full, HALF's 20 t at 1; 10 t expire, worth 8 each: 70 + 4 x 30 - 40 = 150; of 30 t none
    does: 190.
    """
    case = tiny(
        lots=green(40, intensity_tco2e_per_uom=4, expires="2026-06-30"),
        orders={"A": {"mass_t": 10, "premium_per_t": 5}, "HALF": {"mass_t": 20, "level": 0.5}},
    )
    case = asking(case, strategy="weighted", weights={"margin": 1, "tonnage_t": 4, "expired_tco2e": 0.5})
    golden.goal(
        "G7_weighted",
        case,
        {"weighted": 150, "margin": 70},
        without=case.but(lots={"L": {"quantity": 30}}),
        then={"weighted": 190, "margin": 70},
    )


def test_g8_common_share(golden: Golden) -> None:
    """F is firm and has its 4 of 10 t first; W is whole and so no part of the share, which is 6 of 12 t for
    A and B: 4 + 15 + 3 = 22; F not firm is under it: 10 of 16 t, 0.625: 2.5 + 18.75 + 3.75 = 25.
    """
    orders = {
        "A": {"mass_t": 6, "premium_per_t": 5},
        "B": {"mass_t": 6},
        "F": {"mass_t": 4, "firm": "true"},
        "W": {"mass_t": 3, "premium_per_t": 9, "whole": "true"},
    }
    case = asking(tiny(lots=green(10), orders=orders), strategy="spread")
    golden.goal(
        "G8_common_share",
        case,
        {"firm_shortfall:1": 0, "common_share": 0.5, "margin": 22},
        without=case.but(orders={"F": {"firm": "false"}}),
        then={"common_share": 0.625, "margin": 25},
    )


def test_g9_fair_share(golden: Golden) -> None:
    """C may have X only, 1 t of 10: a share of 0.1; the 12 t of Y are 0.6 for A and B, at 5 and 1: 30 + 6 +
    1 = 37; with 7 t of X all have 19 of 30 t.
    """
    lots = {
        "X": {"quantity": 1, "green_share": 1, "scheme": "x"},
        "Y": {"quantity": 12, "green_share": 1, "scheme": "y"},
    }
    orders = {**TWO, "C": {"mass_t": 10, "customer": "c", "schemes": "x"}}
    case = asking(tiny(lots=lots, orders=orders), strategy="leximin")
    golden.goal(
        "G9_fair_share",
        case,
        {"fair_share:1": 0.1, "fair_share:2": 0.6, "margin": 37},
        without=case.but(lots={"X": {"quantity": 7}}),
        then={"fair_share:1": 19 / 30, "margin": 7 * 19 / 3},
    )


def test_g9_blend_with_the_margin_first(golden: Golden) -> None:
    """The margin comes first: A at 5 has all 10 t of lot, and fairness may only share what pays the same: B
    and D, at 5, too: with D 10 t for A and D, 5 t each; B gets nothing at 1.
    """
    orders = {**TWO, "D": {"mass_t": 10, "premium_per_t": 5, "customer": "d"}}
    case = tiny(lots=green(10), orders=orders)
    case = asking(case, strategy="leximin", order=["firm_shortfall", "margin", "fair_share"])
    outcome = golden.optimum(case, {"margin": 50, "fair_share:1": 0, "fair_share:2": 0.5})
    assert claimed(outcome) == {"A": 5, "D": 5}
