"""C1 to C9: one tiny case for each, in which that equation is what binds (models/FORMULATION.md).

The sentence of a test derives its optimum by hand; the stored rows are in lp/. Frame (tiny.py): product
`bar` with s1 = 1, s2 = 2, s3 = 10, made of metal at 12; alloy `A` takes `ingot`.
"""

from __future__ import annotations

from tests.golden.checks import Golden, table, uses
from tests.golden.tiny import Tiny, tiny

GREEN = {"green_share": 1}


def test_c1_lot_supply(golden: Golden) -> None:
    """The lot's 12 t give O1 its 10 t at 4 and then O2, a quarter later, 2 t at 3: 40 + 6 = 46, not 70."""
    case = tiny(
        quarters=2,
        lots={"L": {"quantity": 12, **GREEN}},
        orders={
            "O1": {"mass_t": 10, "premium_per_t": 4},
            "O2": {"mass_t": 10, "premium_per_t": 3, "period": "Q2"},
        },
    )
    golden.equation(
        "C1_lot_supply",
        case,
        {"margin": 46},
        without=case.but(lots={"L": {"quantity": 20}}),
        then={"margin": 70},
    )


def test_c2_origin_once_of_different_quantities(golden: Golden) -> None:
    """One metal, measured as 10 t at half or 4 t at full: O1 takes 6 of the 10 t, so 0.4 of the 4 t are left
    to O2, 1.6 t that claim 3.2 t at 0.5: (6 + 3.2) x 2 = 18.4, not (6 + 8) x 2 = 28.
    """
    case = tiny(
        lots={
            "HALF": {"quantity": 10, "green_share": 0.5, "origin": "metal", "scheme": "a"},
            "FULL": {"quantity": 4, "green_share": 1, "origin": "metal", "scheme": "b"},
        },
        orders={
            "O1": {"mass_t": 6, "premium_per_t": 2, "level": 0.5, "schemes": "a"},
            "O2": {"mass_t": 20, "premium_per_t": 2, "level": 0.5, "schemes": "b"},
        },
    )
    outcome = golden.equation(
        "C2_origin_once_quantities",
        case,
        {"margin": 18.4},
        without=case.but(lots={"FULL": {"origin": ""}}),
        then={"margin": 28},
    )
    assert uses(outcome) == {("HALF", "O1"): 6, ("FULL", "O2"): 1.6}


def test_c2_origin_once_over_kinds(golden: Golden) -> None:
    """One effect, booked as 5 MWh of power (0.5 t CO2e each) or as 10 t CO2e of a project: a tonne of O needs
    0.1 t CO2e of either, since scope 1 takes only 0.1, so 0.2 / 5 + 0.1 / 10 = 0.05 of the effect: 20 t at 3.
    """
    case = tiny(
        products={"bar": {"s1": 0.1, "electricity_mwh_per_t": 1}},
        lots={
            "POWER": {"kind": "energy", "quantity": 5, "origin": "effect"},
            "SAVING": {"kind": "project", "quantity": 10, "scopes": "1", "origin": "effect"},
        },
        orders={"O": {"mass_t": 25, "premium_per_t": 3, "claim": "reduction", "level": 0.2}},
    )
    outcome = golden.equation(
        "C2_origin_once_kinds",
        case,
        {"margin": 60},
        without=case.but(lots={"POWER": {"origin": ""}}),
        then={"margin": 75},
    )
    assert uses(outcome) == {("POWER", "O"): 4, ("SAVING", "O"): 2}


def test_c3_pool_balance_with_expiry(golden: Golden) -> None:
    """EARLY expires within Q2, so it serves O1 alone (6 t at 1) and Q2 has only LATE's 5 t, for O2 at 5 not
    for O3, which pays 2 per t of lot: 6 + 25 = 31; unexpired, 15 t go to O2 (10) and O3 (5): 50 + 10 = 60.
    """
    case = expiring("2026-08-15")
    outcome = golden.equation(
        "C3_pool_balance_expiry",
        case,
        {"margin": 31},
        without=case.but(lots={"EARLY": {"expires": "2026-12-31"}}),
        then={"margin": 60},
    )
    assert uses(outcome) == {("EARLY", "O1"): 6, ("LATE", "O2"): 5}


def expiring(day: str) -> Tiny:
    """Two lots of one pool, EARLY and LATE, two quarters, three recipes."""
    return tiny(
        quarters=3,
        lots={"EARLY": {"quantity": 10, "expires": day, **GREEN}, "LATE": {"quantity": 5, **GREEN}},
        orders={
            "O1": {"mass_t": 6, "premium_per_t": 1},
            "O2": {"mass_t": 10, "premium_per_t": 5, "period": "Q2"},
            "O3": {"mass_t": 10, "premium_per_t": 1, "level": 0.5, "period": "Q2"},
        },
    )


def test_c3_pool_balance_before_it_is_used(golden: Golden) -> None:
    """NEW is bought in Q1 but used from Q2 on, so Q1 has only the 3 t of OLD, for O1 at 5 and not for O2: 15,
    and NEW gives O3 4 t at 1: 19; used at once, O1 takes 10, O2 5 and O3 1 t of lot: 58.5.
    """
    case = tiny(
        quarters=2,
        lots={
            "NEW": {"quantity": 13, "used": "2026-07-01", **GREEN},
            "OLD": {"quantity": 3, **GREEN},
        },
        orders={
            "O1": {"mass_t": 10, "premium_per_t": 5},
            "O2": {"mass_t": 10, "premium_per_t": 0.75, "level": 0.5},
            "O3": {"mass_t": 4, "premium_per_t": 1, "period": "Q2"},
        },
    )
    outcome = golden.equation(
        "C3_pool_balance_before_use",
        case,
        {"margin": 19},
        without=case.but(lots={"NEW": {"used": ""}}),
        then={"margin": 58.5},
    )
    assert uses(outcome) == {("OLD", "O1"): 3, ("NEW", "O3"): 4}


def test_c3_pool_balance_without_carry_over(golden: Golden) -> None:
    """Unused credits leave with their quarter, so O2 in Q2 gets none and Q1's 10 t go to O1 (8 at 2) and O3
    (2 t claim 4 at 0.5): 16 + 2 = 18; carried over, O2 takes 8 at 3 and O1 the other 2: 24 + 4 = 28.
    """
    orders = {
        "O1": {"mass_t": 8, "premium_per_t": 2},
        "O2": {"mass_t": 8, "premium_per_t": 3, "period": "Q2"},
        "O3": {"mass_t": 10, "premium_per_t": 0.5, "level": 0.5},
    }
    case = tiny(
        rules={"id": "jaa-2026", "carry_over": "none"},
        quarters=2,
        lots={"L": {"quantity": 10, **GREEN}},
        orders=orders,
    )
    golden.equation(
        "C3_pool_balance_no_carry_over",
        case,
        {"margin": 18},
        without=case.but(settings={"rules": "jaa-2026"}),
        then={"margin": 28},
    )


def share_case(claim: str, level: float, **lot: float) -> Tiny:
    """One order of 20 t at 3, one lot of 5 t that gives 0.8 t of product per t."""
    return tiny(
        products={"bar": {"t_product_per_t_input": 0.8}},
        lots={"L": {"quantity": 5, **lot}},
        orders={"O": {"mass_t": 20, "premium_per_t": 3, "claim": claim, "level": level}},
    )


def test_c4_claim_green_share(golden: Golden) -> None:
    """5 t of lot credit 4 t of product, half of it green, 2 t: 10 t at a green share of 0.2, at 3: 30."""
    case = share_case("green_share", 0.2, green_share=0.5)
    golden.equation(
        "C4_claim_green_share",
        case,
        {"margin": 30},
        without=case.but(orders={"O": {"level": 0}}),
        then={"margin": 60},
    )


def test_c4_claim_recycled_share(golden: Golden) -> None:
    """5 t of lot credit 4 t of product, 0.25 + 0.5 of it recycled, 3 t: 12 t at a share of 0.25, at 3: 36."""
    case = share_case("recycled_share", 0.25, recycled_pre=0.25, recycled_post=0.5)
    golden.equation(
        "C4_claim_recycled_share",
        case,
        {"margin": 36},
        without=case.but(orders={"O": {"level": 0}}),
        then={"margin": 60},
    )


def test_c4_claim_post_consumer_share(golden: Golden) -> None:
    """5 t of lot credit 4 t of product, 0.5 of it post-consumer, 2 t: 8 t at a share of 0.25, at 3: 24."""
    case = share_case("post_consumer_share", 0.25, recycled_pre=0.25, recycled_post=0.5)
    golden.equation(
        "C4_claim_post_consumer_share",
        case,
        {"margin": 24},
        without=case.but(orders={"O": {"level": 0}}),
        then={"margin": 60},
    )


def test_c4_claim_cfp(golden: Golden) -> None:
    """A t of lot at 4 in place of 12 saves 8: 5 t save 40, and 13 down to 11 takes 2 per t: 20 t at 3, and 7
    t of FREE, which asks for no less than the 13 it has, at 1: 67.
    """
    case = tiny(
        lots={"L": {"quantity": 5, "intensity_tco2e_per_uom": 4}},
        orders={
            "O": {"mass_t": 50, "premium_per_t": 3, "claim": "cfp", "level": 11},
            "FREE": {"mass_t": 7, "premium_per_t": 1, "claim": "cfp", "level": 13},
        },
    )
    golden.equation(
        "C4_claim_cfp",
        case,
        {"margin": 67},
        without=case.but(orders={"O": {"level": 13}}),
        then={"margin": 157},
    )


def test_c4_claim_reduction(golden: Golden) -> None:
    """10 MWh at 0.1 in place of 0.5 save 4, the project 6, and half a t of metal at 4 in place of 12 saves 4:
    14 t CO2e are 7 t at 2 per t, at 3: 21.
    """
    case = tiny(
        products={"bar": {"electricity_mwh_per_t": 10}},
        lots={
            "METAL": {"quantity": 0.5, "intensity_tco2e_per_uom": 4},
            "POWER": {"kind": "energy", "quantity": 10, "intensity_tco2e_per_uom": 0.1},
            "SAVING": {"kind": "project", "quantity": 6, "scopes": "1+2"},
        },
        orders={"O": {"mass_t": 20, "premium_per_t": 3, "claim": "reduction", "level": 2}},
    )
    golden.equation(
        "C4_claim_reduction",
        case,
        {"margin": 21},
        without=case.but(orders={"O": {"level": 0}}),
        then={"margin": 60},
    )


def test_c5_mass_cap(golden: Golden) -> None:
    """A tonne is filled by one tonne of lots, so a share of 0.7 takes half a t of WEAK (0.4) and half a t of
    FULL (1): 5 t of FULL serve 10 t at 3: 30; with more than a tonne in a tonne, WEAK alone would serve 20.
    """
    case = tiny(
        lots={"FULL": {"quantity": 5, "green_share": 1}, "WEAK": {"quantity": 100, "green_share": 0.4}},
        orders={"O": {"mass_t": 20, "premium_per_t": 3, "level": 0.7}},
    )
    outcome = golden.equation(
        "C5_mass_cap",
        case,
        {"margin": 30},
        without=case.but(lots={"WEAK": {"green_share": 0.7}}),
        then={"margin": 60},
    )
    assert uses(outcome) == {("FULL", "O"): 5, ("WEAK", "O"): 5}


def test_c6_category_cap(golden: Golden) -> None:
    """Scrap may be 0.3 of the mass, so of a half 0.3 are scrap and 0.2 ingot: 2 t of ingot serve 10 t at 3:
    30; without the cap scrap alone would serve all 20 t.
    """
    case = tiny(
        alloys={("A", "ingot"): 1, ("A", "scrap"): 0.3},
        lots={"INGOT": {"quantity": 2, **GREEN}, "SCRAP": {"quantity": 100, "category": "scrap", **GREEN}},
        orders={"O": {"mass_t": 20, "premium_per_t": 3, "level": 0.5}},
    )
    golden.equation(
        "C6_category_cap",
        case,
        {"margin": 30},
        without=case.but(alloys={("A", "scrap"): 1}),
        then={"margin": 60},
    )


def iron_case() -> Tiny:
    """Base metal at 0.3 % Fe, the limit at 0.4; scrap at 0.5; 1 t of PURE at 0.1, which carries no claim."""
    return tiny(
        alloys={("A", "ingot"): 1, ("A", "scrap"): 1},
        alloy_limits={("A", "Fe"): 0.4},
        composition={("base", "Fe"): 0.3, ("scrap", "Fe"): 0.5, ("PURE", "Fe"): 0.1},
        lots={
            "PURE": {"quantity": 1, "unit_cost": 2},
            "SCRAP": {"quantity": 100, "category": "scrap", "recycled_post": 1},
        },
        orders={"O": {"mass_t": 20, "premium_per_t": 3, "claim": "recycled_share", "level": 0.6}},
    )


def test_c7_element_cap_with_a_diluting_lot(golden: Golden) -> None:
    """0.6 t of scrap bring 0.6 x 0.2 = 0.12 % Fe over the base where 0.1 is room, and 0.1 t of PURE takes
    back 0.02: 1 t of PURE makes room for 10 t at 3, at a cost of 2: 28; without the limit 60.
    """
    case = iron_case()
    outcome = golden.equation(
        "C7_element_cap",
        case,
        {"margin": 28},
        without=case.but(alloy_limits={("A", "Fe"): 0.5}),
        then={"margin": 60},
    )
    assert uses(outcome) == {("PURE", "O"): 1, ("SCRAP", "O"): 6}


def test_c7_element_cap_without_the_diluting_lot(golden: Golden) -> None:
    """Scrap alone may be 0.1 / 0.2 = 0.5 of the mass, so no tonne reaches 0.6: nothing is claimed; scrap
    whose composition is not given is not limited, and serves all 20 t at 3: 60.
    """
    case = iron_case().but(lots={"PURE": None}, composition={("PURE", "Fe"): None})
    golden.equation(
        "C7_element_cap_alone",
        case,
        {"margin": 0},
        without=case.but(composition={("scrap", "Fe"): None}),
        then={"margin": 60},
    )


def test_c8_energy_cap(golden: Golden) -> None:
    """A tonne uses 2 MWh and 10 GJ, which saves 2 x 0.5 + 10 x 0.05 = 1.5 of the 1.6 it needs; 1 t CO2e of
    the project gives 0.1 to each of 10 t at 3: 30; with 4 MWh a tonne power alone would do: 60.
    """
    case = tiny(
        products={"bar": {"electricity_mwh_per_t": 2, "heat_gj_per_t": 10}},
        lots={
            "GAS": {"kind": "energy", "quantity": 200, "uom": "GJ"},
            "POWER": {"kind": "energy", "quantity": 100},
            "SAVING": {"kind": "project", "quantity": 1, "scopes": "1"},
        },
        orders={"O": {"mass_t": 20, "premium_per_t": 3, "claim": "reduction", "level": 1.6}},
    )
    outcome = golden.equation(
        "C8_energy_cap",
        case,
        {"margin": 30},
        without=case.but(products={"bar": {"electricity_mwh_per_t": 4}}),
        then={"margin": 60},
    )
    assert uses(outcome) == {("GAS", "O"): 100, ("POWER", "O"): 20, ("SAVING", "O"): 1}


def scopes_case(level: float, **projects: str) -> Tiny:
    """s1 = 0.5, s2 = 0.3; plenty of each project (name=scopes), a later one dearer; metal for 2 t CO2e."""
    lots = {
        name: {"kind": "project", "quantity": 100, "scopes": scopes, "unit_cost": 0.5 * cost}
        for cost, (name, scopes) in enumerate(projects.items())
    }
    return tiny(
        products={"bar": {"s1": 0.5, "s2": 0.3}},
        lots={"METAL": {"quantity": 0.25, "intensity_tco2e_per_uom": 4}, **lots},
        orders={"O": {"mass_t": 20, "premium_per_t": 3, "claim": "reduction", "level": level}},
    )


def test_c9_scope_cap_of_one_scope(golden: Golden) -> None:
    """The project saves scope 1, of which a tonne has 0.5 of the 0.7 it needs; 2 t CO2e from metal give the
    other 0.2 to 10 t at 3: 30; with a scope 1 of 0.7 the project would serve all 20 t.
    """
    case = scopes_case(0.7, BURNER="1")
    golden.equation(
        "C9_scope_cap_one",
        case,
        {"margin": 30},
        without=case.but(products={"bar": {"s1": 0.7}}),
        then={"margin": 60},
    )


def test_c9_scope_cap_of_two_projects_together(golden: Golden) -> None:
    """Two projects of scopes 1 and 2 together save at most 0.5 + 0.3 of the 1 a tonne needs; 2 t CO2e of
    metal give the other 0.2 to 10 t at 3, the first project being free: 30; with s2 = 0.5 all 20 t: 60.
    """
    case = scopes_case(1, FURNACE="1+2", HEAT="1+2")
    golden.equation(
        "C9_scope_cap_two_projects",
        case,
        {"margin": 30},
        without=case.but(products={"bar": {"s2": 0.5}}),
        then={"margin": 60},
    )


def test_c9_scope_cap_after_the_best_split(golden: Golden) -> None:
    """Of the 1 a tonne needs, BURNER gives the 0.5 of scope 1, so HEAT (1 or 2, at 0.5 per t CO2e) all goes
    to the 0.3 of scope 2, and 2 t CO2e of metal serve 10 t at 3: 30 - 3 x 0.5 = 28.5; with s2 = 0.5 all 20 t
    are served, and metal saves 2 of their 10 t CO2e of HEAT: 60 - 8 x 0.5 = 56.
    """
    case = scopes_case(1, BURNER="1", HEAT="1+2")
    outcome = golden.equation(
        "C9_scope_cap_best_split",
        case,
        {"margin": 28.5},
        without=case.but(products={"bar": {"s2": 0.5}}),
        then={"margin": 56},
    )
    rows = {r["lot"]: [float(r[f"scope{s}"] or 0) for s in (1, 2, 3)] for r in table(outcome, "allocation")}
    assert rows == {"BURNER": [5, 0, 0], "HEAT": [0, 3, 0], "METAL": [0, 0, 2]}


def test_c9_a_project_of_two_scopes_may_fill_both(golden: Golden) -> None:
    """As before but with HEAT at 0.5 and BURNER at 1 per t CO2e: HEAT alone gives all 8 t CO2e, 5 of them in
    scope 1: 30 - 8 x 0.5 = 26.
    """
    case = scopes_case(1, BURNER="1", HEAT="1+2").but(lots={"BURNER": {"unit_cost": 1}})
    outcome = golden.optimum(case, {"margin": 26})
    assert uses(outcome) == {("HEAT", "O"): 8, ("METAL", "O"): 0.25}
