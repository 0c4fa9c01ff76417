"""C10 to C15 and G1 to G3: one tiny case for each, in which that equation or goal decides.

As test_equations.py: the sentence derives the optimum, lp/ holds the rows. Every order asks for a green
share of 1 and every lot is green, unless said otherwise, so a tonne of lot serves a tonne.
"""

from __future__ import annotations

import pytest

from tests.golden.checks import Golden, claimed, uses
from tests.golden.tiny import Tiny, tiny


def green(quantity: float, **lot: object) -> dict[str, dict[str, object]]:
    """One lot, all green."""
    return {"L": {"quantity": quantity, "green_share": 1, **lot}}


def test_c10_recipe_mass(golden: Golden) -> None:
    """What is claimed belongs to an order: 6 t of lot serve 4 t of O1 at 5 and 2 t of O2 at 3, which ask for
    the same: 20 + 6 = 26; with 14 t of lot 20 + 30 = 50.
    """
    case = tiny(
        lots=green(6),
        orders={"O1": {"mass_t": 4, "premium_per_t": 5}, "O2": {"mass_t": 10, "premium_per_t": 3}},
    )
    golden.equation(
        "C10_recipe_mass",
        case,
        {"margin": 26},
        without=case.but(lots={"L": {"quantity": 14}}),
        then={"margin": 50},
    )


def test_c10_orders_at_one_price_share_a_step(golden: Golden) -> None:
    """As before, both at 5 and in one step of 14 t: 6 x 5 = 30; apart from each other at 5 and 4, 20 + 8 =
    28.
    """
    case = tiny(
        lots=green(6),
        orders={"O1": {"mass_t": 4, "premium_per_t": 5}, "O2": {"mass_t": 10, "premium_per_t": 5}},
    )
    golden.equation(
        "C10_recipe_mass_one_step",
        case,
        {"margin": 30},
        without=case.but(orders={"O2": {"premium_per_t": 4}}),
        then={"margin": 28},
    )


def test_c11_order_mass(golden: Golden) -> None:
    """With 15 t of lot, O takes all its 10 t at 5: 50; its offer (0.5 at 2) would use the other 5 t, but a
    tonne not taken has no mass; with a mass of 12 t 60.
    """
    case = tiny(
        lots=green(15),
        orders={"O": {"mass_t": 10, "premium_per_t": 5}},
        offers={("O", "half"): {"level": 0.5, "premium_per_t": 2}},
    )
    outcome = golden.equation(
        "C11_order_mass",
        case,
        {"margin": 50},
        without=case.but(orders={"O": {"mass_t": 12}}),
        then={"margin": 60},
    )
    assert claimed(outcome) == {"O": 10}


def test_c12_min_fill(golden: Golden) -> None:
    """O2 takes 5 of its 10 t or nothing: with 14 t of lot O1 gives way, 9 x 5 + 5 x 4 = 65, which beats O1 in
    full without O2, 50; if O2 took any mass, 50 + 4 x 4 = 66.
    """
    case = tiny(
        lots=green(14),
        orders={
            "O1": {"mass_t": 10, "premium_per_t": 5, "min_fill": 0.8},
            "O2": {"mass_t": 10, "premium_per_t": 4, "min_fill": 0.5},
        },
    )
    outcome = golden.equation(
        "C12_min_fill",
        case,
        {"margin": 65},
        without=case.but(orders={"O2": {"min_fill": 0}}),
        then={"margin": 66},
    )
    assert claimed(outcome) == {"O1": 9, "O2": 5}


def test_c13_whole(golden: Golden) -> None:
    """All or nothing: 10 t of lot go to B and C, 5 t each at 4: 40, since A's 6 t at 5 leave too little for
    either: 30; in parts 6 x 5 + 4 x 4 = 46.
    """
    orders = {
        "A": {"mass_t": 6, "premium_per_t": 5, "whole": "true"},
        "B": {"mass_t": 5, "premium_per_t": 4, "whole": "true"},
        "C": {"mass_t": 5, "premium_per_t": 4, "whole": "true"},
    }
    case = tiny(lots=green(10), orders=orders)
    outcome = golden.equation(
        "C13_whole",
        case,
        {"margin": 40},
        without=case.but(orders={name: {"whole": "false"} for name in orders}),
        then={"margin": 46},
    )
    assert claimed(outcome) == {"B": 5, "C": 5}


@pytest.mark.parametrize("terms", [{"whole": "true"}, {"min_fill": 0.5}])
def test_c13_an_order_of_no_mass_needs_no_decision(golden: Golden, terms: dict[str, object]) -> None:
    """NONE asks for 0 t, all or nothing: it gets them, and O its 3 t at 1: 3."""
    case = tiny(lots=green(5), orders={"NONE": {"mass_t": 0, **terms}, "O": {"mass_t": 3}})
    assert claimed(golden.optimum(case, {"margin": 3})) == {"O": 3}


def test_c14_one_offer(golden: Golden) -> None:
    """Of 6 t of lot O's own terms make 6 x 5 = 30, its offer of a share of 0.5 makes 10 x 3.5 = 35 from 5 t,
    and only one is taken: 35; as an order apart, the own terms would get the sixth tonne: 40.
    """
    case = tiny(
        lots=green(6),
        products={"bar": {}},
        production={("bar", "Q1"): 20},
        orders={"O": {"mass_t": 10, "premium_per_t": 5}},
        offers={
            ("O", "half"): {"level": 0.5, "premium_per_t": 3.5},
            ("O", "most"): {"level": 0.9, "premium_per_t": 4},
        },
    )
    apart = case.but(
        offers={("O", "half"): None},
        orders={"P": {"mass_t": 10, "level": 0.5, "premium_per_t": 3.5}},
    )
    outcome = golden.equation("C14_one_offer", case, {"margin": 35}, without=apart, then={"margin": 40})
    assert claimed(outcome) == {"O/half": 10}


def conflict(*goals: str) -> Tiny:
    """6 t of lot; F1 and F2 firm, 4 t each at 1; N pays 10 for 4 t."""
    return tiny(
        goals=goals,
        lots=green(6),
        orders={
            "F1": {"mass_t": 4, "firm": "true", "priority": 1},
            "F2": {"mass_t": 4, "firm": "true", "priority": 2},
            "N": {"mass_t": 4, "premium_per_t": 10},
        },
    )


def test_c15_goal_hold(golden: Golden, monkeypatch: pytest.MonkeyPatch) -> None:
    """F1 comes first with 4 t, F2 gets the other 2 and lacks 2, N nothing: margin 6; none firm, N takes 4 t
    and the others 2: 42.
    """
    case = conflict("firm_shortfall", "margin")
    outcome = golden.holds(
        "C15_goal_hold",
        case,
        {"firm_shortfall:1": 0, "firm_shortfall:2": 2, "margin": 6},
        without=case.but(orders={"F1": {"firm": "false"}, "F2": {"firm": "false"}}),
        then={"margin": 42},
        monkeypatch=monkeypatch,
    )
    assert claimed(outcome) == {"F1": 4, "F2": 2}


def test_c15_goal_hold_with_the_margin_first(golden: Golden, monkeypatch: pytest.MonkeyPatch) -> None:
    """N takes 4 t; the other 2 earn 1 each with F1 or F2, so the margin is 42 and F1, the first priority,
    gets them: short by 2 and 4.
    """
    case = conflict("margin", "firm_shortfall")
    outcome = golden.holds(
        "C15_goal_hold_margin_first",
        case,
        {"margin": 42, "firm_shortfall:1": 2, "firm_shortfall:2": 4},
        without=case.but(orders={"N": None}),
        then={"margin": 6, "firm_shortfall:1": 0, "firm_shortfall:2": 2},
        monkeypatch=monkeypatch,
    )
    assert claimed(outcome) == {"F1": 2, "N": 4}


def test_c15_goal_hold_with_whole_orders(golden: Golden, monkeypatch: pytest.MonkeyPatch) -> None:
    """As before, firm orders first, but F1 and F2 whole: F1 takes 4 t and F2 cannot, so N gets 2 at 10: 24;
    with F1 in parts F1 still comes first.
    """
    case = conflict("firm_shortfall", "margin").but(orders={"F1": {"whole": "true"}, "F2": {"whole": "true"}})
    outcome = golden.holds(
        "C15_goal_hold_whole",
        case,
        {"firm_shortfall:1": 0, "firm_shortfall:2": 4, "margin": 24},
        without=case.but(orders={"F2": {"whole": "false"}}),
        then={"firm_shortfall:1": 0, "firm_shortfall:2": 2, "margin": 6},
        monkeypatch=monkeypatch,
    )
    assert claimed(outcome) == {"F1": 4, "N": 2}


def test_g1_firm_shortfall(golden: Golden) -> None:
    """3 t of lot: F1's offer of a share of 0.5 covers its 4 t with 2 t, so F1 lacks nothing (its mass counts
    once, whichever terms are taken) and F2 gets 1 of 4 t: 0 and 3; without the offer 1 and 4.
    """
    case = tiny(
        lots=green(3),
        orders={
            "F1": {"mass_t": 4, "firm": "true", "priority": 1},
            "F2": {"mass_t": 4, "firm": "true", "priority": 2},
            "N": {"mass_t": 4, "premium_per_t": 10},
        },
        offers={("F1", "half"): {"level": 0.5, "premium_per_t": 0}},
    )
    outcome = golden.goal(
        "G1_firm_shortfall",
        case,
        {"firm_shortfall:1": 0, "firm_shortfall:2": 3, "margin": 1},
        without=case.but(offers={("F1", "half"): None}),
        then={"firm_shortfall:1": 1, "firm_shortfall:2": 4, "margin": 3},
    )
    assert claimed(outcome) == {"F1/half": 4, "F2": 1}


def test_g1_orders_of_one_priority_are_one_goal(golden: Golden) -> None:
    """3 t of lot for 4 + 4 t of one priority lack 5, and go to F2, which pays more: margin 6."""
    case = tiny(
        lots=green(3),
        orders={
            "F1": {"mass_t": 4, "firm": "true", "priority": 7},
            "F2": {"mass_t": 4, "firm": "true", "priority": 7, "premium_per_t": 2},
        },
    )
    golden.goal(
        "G1_firm_shortfall_one_priority",
        case,
        {"firm_shortfall:7": 5, "margin": 6},
        without=case.but(orders={"F1": {"priority": 3}}),
        then={"firm_shortfall:3": 1, "firm_shortfall:7": 4, "margin": 3},
    )


def test_g2_margin(golden: Golden) -> None:
    """4 t of CHEAP at 1 serve 8 t at a share of 0.5, at 5: 40 - 4; DEAR at 11 would cost 5.5 a tonne; 3 t of
    PAID bring 1 each and fit into the 8: 39; with DEAR at 2 10 t: 50 - 4 - 2 + 3 = 47.
    """
    case = tiny(
        lots={
            "CHEAP": {"quantity": 4, "green_share": 1, "unit_cost": 1},
            "DEAR": {"quantity": 9, "green_share": 1, "unit_cost": 11},
            "PAID": {"quantity": 3, "unit_cost": -1},
        },
        orders={"O": {"mass_t": 10, "premium_per_t": 5, "level": 0.5}},
    )
    outcome = golden.goal(
        "G2_margin",
        case,
        {"margin": 39},
        without=case.but(lots={"DEAR": {"unit_cost": 2}}),
        then={"margin": 47},
    )
    assert uses(outcome) == {("CHEAP", "O"): 4, ("PAID", "O"): 3}


def test_g3_tie_break(golden: Golden) -> None:
    """Either lot gives O its 6 t at 1, a margin of 6; the one that expires first, SOON, is used; without it 6
    t of LATER serve O, and with 4 t of SOON only 2 of LATER are added.
    """
    case = tiny(
        lots={
            "LATER": {"quantity": 10, "green_share": 1, "expires": "2027-12-31"},
            "SOON": {"quantity": 10, "green_share": 1, "expires": "2026-12-31"},
        },
        orders={"O": {"mass_t": 6}},
    )
    outcome = golden.goal(
        "G3_tie_break",
        case,
        {"margin": 6},
        without=case.but(lots={"LATER": None, "SOON": None}),
        then={"margin": 0},
    )
    assert uses(outcome) == {("SOON", "O"): 6}
    swapped = case.but(lots={"LATER": {"expires": "2026-10-31"}})
    assert uses(golden.optimum(swapped, {"margin": 6})) == {("LATER", "O"): 6}
    scarce = case.but(lots={"SOON": {"quantity": 4}})
    assert uses(golden.optimum(scarce, {"margin": 6})) == {("SOON", "O"): 4, ("LATER", "O"): 2}


def test_g3_uses_no_more_than_needed(golden: Golden) -> None:
    """Power is free and there is plenty, yet O at a reduction of 0.5 gets 1 MWh (0.5 t CO2e) a tonne and no
    more.
    """
    case = tiny(
        products={"bar": {"electricity_mwh_per_t": 4}},
        lots={"POWER": {"kind": "energy", "quantity": 100}},
        orders={"O": {"mass_t": 6, "claim": "reduction", "level": 0.5}},
    )
    assert uses(golden.optimum(case, {"margin": 6})) == {("POWER", "O"): 6}
