"""The residual by hand: values, origins, releases, shares, units."""

from fractions import Fraction

import pytest

from massbalance.books.account import BooksError
from massbalance.books.residual import residual_book
from massbalance.books.tables import allocation_table, orders_table, residual_csv
from tests.unit.books_case import EXPIRED, T, allocate, made, make_case, months, project, tonnes

# ---- worked numbers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("residual", ["inventory", "baseline"])
def test_800_t_beside_200_t_at_0_6_are_declared_at_2_1(residual):
    """facts: 1,000 t at 2.1, 300 t CO2e saved; 200 t sold at 0.6 take all of it."""
    case = make_case(
        overrides={"residual": residual},
        products=[{"product": "strip", "s1": "1.6", "s2": "0.5", "measured_tco2e_per_t": "1.8"}],
        production=made("strip", mass=1000), lots=[project("furnace", 300)],
        orders=[{"order": "o", "product": "strip", "mass_t": 200, "claim": "cfp", "level": "0.6"}],
    )  # fmt: skip
    allocation = allocate(case, [("furnace", "o", 300)], {"o": 200})
    book = residual_book(case, allocation)
    assert tonnes(book.tco2e) == {
        "baseline": 2100, "realised": 300, "allocated": 300, "claimed_products": 120,
        "conventional_products": 1680, "accounted": 1800,
    }  # fmt: skip
    assert book.rows[0].cfp_residual == Fraction("2.1")
    assert residual_csv(case, book).decode() == (
        "product,period,produced_t,claimed_t,conventional_t,cfp_before,cfp_residual,"
        "green_share_residual,recycled_share_residual,correction_tco2e_per_t\n"
        "strip,P1,1000,200,800,2.1,2.1,0,0,0.3\n"
    )
    assert allocation_table(case, allocation).csv_bytes().decode() == (
        "lot,order,offer,quantity,uom,credited_t,scope1,scope2,scope3\nfurnace,o,,300,tCO2e,0,300,0,0\n"
    )
    assert orders_table(case, allocation, ["all, as asked"]).csv_bytes().decode() == (
        "order,offer,claimed_t,unmet_t,claim,level,cfp_before,cfp_after,premium,why,"
        "customer,product,period,mass_t,premium_per_t\n"
        'o,,200,0,cfp,0.6,2.1,0.6,0,"all, as asked",x,strip,P1,200,0\n'
    )


def test_same_under_the_steel_guideline():
    case = make_case(
        "jisf-2.0", products=[{"product": "strip", "s1": "2.1"}], production=made("strip", mass=1000),
        lots=[project("furnace", 300)], orders=[{"order": "o", "product": "strip", "mass_t": 200}],
    )  # fmt: skip
    book = residual_book(case, allocate(case, [("furnace", "o", 300)], {"o": 200}))
    assert book.rows[0].cfp_residual == Fraction("2.1")
    assert book.tco2e["accounted"] == 1800 * T


def test_one_tonne_at_4_in_place_of_15_1_is_worth_11_1():
    case = make_case(
        products=[{"product": "p", "s3": 20, "metal_tco2e_per_t": "15.1"}], production=made("p"),
        lots=[{"lot": "l", "quantity": 1, "intensity_tco2e_per_uom": "4.0"}],
        orders=[{"order": "o", "product": "p", "mass_t": 1}],
    )  # fmt: skip
    book = residual_book(case, allocate(case, [("l", "o", 1)], {"o": 1}))
    assert book.tco2e["realised"] == book.tco2e["allocated"] == 11_100_000
    assert book.rows[0].allocated == (0, 0, 11_100_000)


def test_what_a_product_cannot_take_is_forgone_and_released_by_mass():
    """A lot that displaces 15.1, used where only 10 are displaced: 5.1 t a tonne go to the others."""
    case = make_case(
        products=[
            {"product": "p", "s3": 20, "metal_tco2e_per_t": 10},
            {"product": "q", "s3": 20},
            {"product": "r", "s3": 20},
        ],
        production=[*made("p", mass=10), *made("q", mass=30), *made("r", mass=60)],
        lots=[{
            "lot": "l", "quantity": 10, "displaced_tco2e_per_uom": "15.1", "intensity_tco2e_per_uom": 4,
        }],
        orders=[{"order": "o", "product": "p", "mass_t": 10}],
    )  # fmt: skip
    book = residual_book(case, allocate(case, [("l", "o", 10)], {"o": 10}))
    assert tonnes(book.tco2e) == {
        "baseline": 2000, "realised": 111, "allocated": 60, "forgone": 51, "released": 51,
        "claimed_products": 140, "conventional_products": 1749, "accounted": 1889,
    }  # fmt: skip
    assert [row.released[2] for row in book.rows] == [0, 17 * T, 34 * T]
    assert book.rows[0].cfp_residual is None


# ---- held, expired, retired ----------------------------------------------------------------------------


def test_held_credits_stay_out_of_conventional_products():
    case = make_case(products=[{"product": "p", "s1": 5}], production=made("p"), lots=[project("l", 30)])
    book = residual_book(case, allocate(case, [], {}))
    assert tonnes(book.tco2e) == {
        "baseline": 500, "realised": 30, "held": 30, "conventional_products": 500, "accounted": 470,
    }  # fmt: skip


def test_expired_credits_are_released_within_their_scope_and_the_rest_is_retired():
    """50 t of scope 1: p takes its 10, q its 20 of scope 1, r (scope 2 only) nothing, 20 are retired."""
    case = make_case(
        products=[
            {"product": "p", "s1": "0.1", "s2": 5},
            {"product": "q", "s1": "0.2"},
            {"product": "r", "s2": 5},
        ],
        production=made("p", "q", "r"), lots=[project("l", 50, **EXPIRED)],
    )  # fmt: skip
    book = residual_book(case, allocate(case, [], {}))
    assert tonnes(book.tco2e) == {
        "baseline": 1030, "realised": 50, "expired": 50, "released": 30, "retired": 20,
        "conventional_products": 1000, "accounted": 980,
    }  # fmt: skip
    assert [row.released for row in book.rows] == [(10 * T, 0, 0), (20 * T, 0, 0), (0, 0, 0)]
    assert [row.cfp_residual for row in book.rows] == [5, 0, 5]


def test_under_baseline_everything_expired_and_forgone_is_retired():
    case = make_case(
        overrides={"residual": "baseline"},
        products=[{"product": "p", "s1": 9, "s3": 9, "metal_tco2e_per_t": 5}],
        production=made("p"),
        lots=[
            project("l", 50, **EXPIRED),
            {"lot": "m", "quantity": 1, "displaced_tco2e_per_uom": 8, "intensity_tco2e_per_uom": 0},
        ],
        orders=[{"order": "o", "product": "p", "mass_t": 1}],
    )
    book = residual_book(case, allocate(case, [("m", "o", 1)], {"o": 1}))
    assert tonnes(book.tco2e) == {
        "baseline": 1800, "realised": 58, "allocated": 5, "forgone": 3, "expired": 50, "retired": 53,
        "claimed_products": 13, "conventional_products": 1782, "accounted": 1742,
    }  # fmt: skip


def test_what_one_product_cannot_take_goes_by_mass_to_the_others():
    case = make_case(
        products=[
            {"product": "p", "s1": "0.05"},
            {"product": "q", "s1": 1},
            {"product": "r", "s1": 1},
        ],
        production=[*made("p"), *made("q", mass=50), *made("r", mass=150)],
        lots=[project("l", 45, **EXPIRED)],
    )
    book = residual_book(case, allocate(case, [], {}))
    assert [row.released[0] for row in book.rows] == [5 * T, 10 * T, 30 * T]


def test_single_scopes_go_first_and_wider_ones_fill_what_is_left_in_order():
    """Scope 1 holds 100: 70 of `1` and 30 of `1+2`; the other 20 of `1+2` go to scope 2."""
    case = make_case(
        products=[{"product": "p", "s1": 1, "s2": 1}], production=made("p"),
        lots=[project("a", 50, "1+2", **EXPIRED), project("b", 70, "1", **EXPIRED)],
    )  # fmt: skip
    book = residual_book(case, allocate(case, [], {}))
    assert book.rows[0].released == (100 * T, 20 * T, 0)


def test_those_with_less_choice_go_first():
    """GHG before CO2 (p takes GHG, q is CO2 only), and a unit's credits before the organisation's."""
    case = make_case(
        products=[{"product": "p", "s1": "0.1"}, {"product": "q", "s1": 1, "gas": "CO2"}],
        production=made("p", "q"),
        lots=[project("a", 20, gas="CO2", **EXPIRED), project("b", 10, **EXPIRED)],
    )
    assert residual_book(case, allocate(case, [], {})).tco2e["released"] == 30 * T
    case = make_case(
        sites=[{"site": "A", "unit": "U1"}, {"site": "B", "unit": "U2"}],
        products=[{"product": "p", "s2": "0.1"}, {"product": "q", "s2": 1, "site": "B"}],
        production=made("p", "q"),
        lots=[
            project("a", 20, scopes="2", **EXPIRED),
            {
                "lot": "b", "kind": "energy", "uom": "MWh", "quantity": 10, "scopes": "2",
                "displaced_tco2e_per_uom": 1, "intensity_tco2e_per_uom": 0, **EXPIRED,
            },
        ],
    )  # fmt: skip
    assert residual_book(case, allocate(case, [], {})).tco2e["released"] == 30 * T


def test_ghg_effects_do_not_go_to_a_product_of_co2_only():
    case = make_case(
        products=[{"product": "p", "s1": 1, "gas": "CO2"}, {"product": "q", "s1": 1}],
        production=made("p", "q"),
        lots=[project("a", 10, **EXPIRED), project("b", 20, gas="CO2", **EXPIRED)],
    )
    book = residual_book(case, allocate(case, [], {}))
    assert [row.released[0] for row in book.rows] == [10 * T, 20 * T]


def test_forgone_belongs_to_the_period_of_its_order_and_expired_to_the_expiry():
    case = make_case(
        periods=months(3), products=[{"product": "p", "s3": 9, "metal_tco2e_per_t": 5}],
        production=[row for t in (1, 2, 3) for row in made("p", period=f"P{t}")],
        lots=[{
            "lot": "m", "quantity": 10, "displaced_tco2e_per_uom": 8, "intensity_tco2e_per_uom": 0,
            "expires": "2025-02-28",
        }],
        orders=[{"order": f"o{t}", "product": "p", "period": f"P{t}", "mass_t": 10} for t in (1, 2)],
    )  # fmt: skip
    book = residual_book(case, allocate(case, [("m", "o1", 2), ("m", "o2", 1)], {"o1": 2, "o2": 1}))
    assert [row.released[2] / T for row in book.rows] == [6, 3, 56]


def test_lots_outside_the_periods_or_without_intensity_realise_nothing():
    case = make_case(
        products=[{"product": "p", "s1": 5, "s3": 5, "metal_tco2e_per_t": 5}], production=made("p"),
        lots=[project("later", 30, received="2026-02-01"), {"lot": "plain", "quantity": 7}],
    )  # fmt: skip
    assert residual_book(case, allocate(case, [], {})).tco2e["realised"] == 0


# ---- one origin ----------------------------------------------------------------------------------------


def origin_case(**more):
    """One saving measured as project (100 t) and as metal (20 t, 80 t CO2e)."""
    return make_case(
        periods=months(2), products=[{"product": "p", "s1": 5, "s3": 5, "metal_tco2e_per_t": 5}],
        production=[*made("p"), *made("p", period="P2")],
        lots=[
            project("a", 100, origin="g", **more),
            {"lot": "b", "quantity": 20, "intensity_tco2e_per_uom": 1, "origin": "g", **more},
        ],
        orders=[{"order": "o", "product": "p", "mass_t": 50}],
    )  # fmt: skip


def test_an_origin_is_valued_once_at_the_highest_and_the_lesser_choice_retires_the_difference():
    case = origin_case()
    book = residual_book(case, allocate(case, [("b", "o", 10)], {"o": 50}))
    assert tonnes(book.tco2e) == {
        "baseline": 2000, "realised": 100, "allocated": 40, "retired": 10, "held": 50,
        "claimed_products": 460, "conventional_products": 1500, "accounted": 1900,
    }  # fmt: skip
    assert book.retired_at_origin == 10 * T
    assert tonnes(book.credits["tCO2e"]) == {"received": 100, "blocked": 50, "held": 50}
    assert tonnes(book.credits["t"]) == {"received": 20, "allocated": 10, "held": 10}


def test_the_rest_of_an_origin_is_released_once_where_its_highest_measure_says():
    case = origin_case(expires="2025-01-31")
    book = residual_book(case, allocate(case, [("b", "o", 10)], {"o": 50}))
    assert tonnes(book.tco2e) == {
        "baseline": 2000, "realised": 100, "allocated": 40, "expired": 50, "released": 50, "retired": 10,
        "claimed_products": 460, "conventional_products": 1450, "accounted": 1900,
    }  # fmt: skip
    assert [row.released for row in book.rows] == [(0, 0, 0), (50 * T, 0, 0)]  # lapsed in P2, scope 1


def test_an_origin_is_held_while_any_of_its_lots_lives():
    case = make_case(
        periods=months(2), products=[{"product": "p", "s1": 5}], production=made("p"),
        lots=[project("a", 100, origin="g", expires="2025-01-31"), project("b", 80, origin="g")],
    )  # fmt: skip
    assert tonnes(residual_book(case, allocate(case, [], {})).tco2e)["held"] == 100


def test_an_origin_lapses_with_its_last_lot_and_a_lot_of_zero_keeps_nothing_alive():
    case = make_case(
        periods=months(3), products=[{"product": "p", "s1": 5}],
        production=[row for t in (1, 2, 3) for row in made("p", period=f"P{t}")],
        lots=[
            project("a", 100, origin="g", expires="2025-01-31"),
            project("b", 80, origin="g", expires="2025-02-28"),
            project("c", 0, origin="g"),
        ],
    )  # fmt: skip
    book = residual_book(case, allocate(case, [], {}))
    assert [row.released[0] for row in book.rows] == [0, 0, 100 * T]


def test_rounding_grams_of_an_origin_go_where_the_lot_used_last_may_go():
    """Both measures are worth 11 g (a is home). 3 tenths of b: 3.3 booked as 3, 7.7 held as 7: 1 is left."""
    case = make_case(
        products=[{"product": "p", "s1": 5, "s3": 5, "metal_tco2e_per_t": 2}], production=made("p"),
        lots=[
            {"lot": "b", "quantity": "0.000010", "intensity_tco2e_per_uom": "0.9", "origin": "g"},
            {
                "lot": "a", "kind": "energy", "uom": "MWh", "scopes": "1", "quantity": "0.000010",
                "displaced_tco2e_per_uom": "1.2", "intensity_tco2e_per_uom": "0.1", "origin": "g",
            },
        ],
        orders=[{"order": "o", "product": "p", "mass_t": 50}],
    )  # fmt: skip
    book = residual_book(case, allocate(case, [("b", "o", "0.000003")], {"o": 50}))
    found = [book.tco2e[key] for key in ("realised", "allocated", "held", "retired", "forgone")]
    assert found == [11, 3, 7, 0, 1]
    assert book.rows[0].released == (0, 0, 1)


def test_an_origin_with_one_lot_in_the_books_is_like_none():
    case = make_case(
        products=[{"product": "p", "s1": 5}], production=made("p"),
        lots=[project("a", 100, origin="g"), project("b", 180, origin="g", received="2026-02-01")],
    )  # fmt: skip
    assert tonnes(residual_book(case, allocate(case, [], {})).tco2e)["realised"] == 100


def test_an_origin_used_in_thirds_balances_to_the_last_gram():
    case = make_case(
        products=[{"product": "p", "s1": 5, "s3": 5, "metal_tco2e_per_t": "5.7"}],
        production=made("p"),
        lots=[
            project("a", "0.000010", origin="g"),
            project("b", "0.000007", origin="g"),
            {"lot": "c", "quantity": "0.000003", "intensity_tco2e_per_uom": "2.1", "origin": "g"},
        ],
        orders=[{"order": "o", "product": "p", "mass_t": 50}],
    )
    book = residual_book(case, allocate(case, [("b", "o", "0.000002"), ("c", "o", "0.000001")], {"o": 50}))
    # W: a 10, b 7, c 3 * 3.6 = 10.8 (home); a_b = 2/7, a_c = 1/3
    # booked 2 + floor(3.6); retired floor(2/7 * 3.8); held floor((1 - 2/7 - 1/3) * 10.8)
    assert {key: value for key, value in book.tco2e.items() if value < 1000 and value} == {
        "realised": 10, "allocated": 5, "retired": 1, "held": 4,
    }  # fmt: skip


def test_an_origin_used_beyond_the_whole_is_an_internal_error():
    case = origin_case()
    with pytest.raises(BooksError, match="value_once_per_origin"):
        residual_book(case, allocate(case, [("a", "o", 60), ("b", "o", 10)], {"o": 50}))


# ---- accounting units ----------------------------------------------------------------------------------


def unit_case(**rules):
    return make_case(
        overrides=rules, sites=[{"site": "A", "unit": "U1"}, {"site": "B", "unit": "U2"}],
        products=[{"product": "p", "s1": 1}, {"product": "q", "s1": 1, "site": "B"}],
        production=[*made("p"), *made("q", mass=300)],
        lots=[project("l", 40), project("m", 40, **EXPIRED)],
        orders=[{"order": "o", "product": "q", "mass_t": 100}],
    )  # fmt: skip


def test_projects_cross_units_and_sent_equals_received():
    """U1 sells 30 to U2's order; 40 expire and go by mass to 100 t in U1 and 200 t in U2."""
    case = unit_case()
    book = residual_book(case, allocate(case, [("l", "o", 30)], {"o": 100}))
    assert [row.released[0] for row in book.rows] == [13_333_334, 26_666_666]
    assert {name: tonnes(unit) for name, unit in book.units.items()} == {
        "/U1": {
            "baseline": 100, "realised": 80, "released": 13.333334, "sent": 56.666666, "held": 10,
            "declared": 86.666666, "accounted": 20,
        },
        "/U2": {
            "baseline": 300, "allocated": 30, "released": 26.666666, "received": 56.666666,
            "declared": 243.333334, "accounted": 300,
        },
    }  # fmt: skip


def test_a_narrower_boundary_keeps_releases_in_the_unit():
    case = unit_case(boundary_project="accounting_unit")
    book = residual_book(case, allocate(case, [], {}))
    assert [row.released[0] for row in book.rows] == [40 * T, 0]
    assert all(unit["sent"] == unit["received"] == 0 for unit in book.units.values())


# ---- shares --------------------------------------------------------------------------------------------


def share_case(**more):
    """100 t of input, green 0.5, recycled 0.1 + 0.2; the product keeps 0.9 t per t of input."""
    return make_case(
        products=[{"product": "p", "t_product_per_t_input": "0.9"}, {"product": "q"}],
        production=[*made("p", mass=60), *made("q", mass=20)],
        lots=[{
            "lot": "l", "quantity": 100, "green_share": "0.5", "recycled_pre": "0.1", "recycled_post": "0.2",
            **more,
        }],
        orders=[{"order": "o", "product": "p", "mass_t": 40, "claim": "green_share"}],
    )  # fmt: skip


def test_held_shares_and_conversion_losses():
    case = share_case()
    book = residual_book(case, allocate(case, [("l", "o", 40)], {"o": 36}))
    assert tonnes(book.shares["green"]) == {"realised": 50, "allocated": 18, "lost": 2, "held": 30}
    assert tonnes(book.shares["recycled"]) == {"realised": 30, "allocated": 10.8, "lost": 1.2, "held": 18}


def test_expired_shares_go_to_conventional_products_by_mass_at_their_own_rate():
    """Green 50 t on 60 t and 20 t: q is full at 20, p takes 30 and keeps 27. Recycled: 22.5 and 7.5."""
    case = share_case(**EXPIRED)
    book = residual_book(case, allocate(case, [], {}))
    assert tonnes(book.shares["green"]) == {"realised": 50, "expired": 50, "released": 46.25, "lost": 3.75}
    assert [(row.green / T, row.recycled / T) for row in book.rows] == [(33.75, 20.25), (12.5, 7.5)]
    assert [row.split(",")[7:9] for row in residual_csv(case, book).decode().splitlines()[1:]] == [
        ["0.5625", "0.3375"],
        ["0.625", "0.375"],
    ]


def test_shares_never_exceed_the_conventional_mass():
    """200 t of green input on 60 t (0.9) and 20 t: full, and the rest is retired."""
    case = share_case(**EXPIRED, quantity=400)
    book = residual_book(case, allocate(case, [], {}))
    green = book.shares["green"]
    assert [(row.green, row.share_residual("green")) for row in book.rows] == [
        (59_999_999, Fraction(59_999_999, 60 * T)),  # 66.666666 t of input at 0.9
        (20 * T, 1),
    ]
    assert (green["lost"], green["retired"]) == (6_666_667, 200 * T - 86_666_666)
    assert residual_csv(case, book).decode().splitlines()[1].split(",")[7] == "0.999999"


def test_under_baseline_no_share_is_released():
    case = make_case(
        overrides={"residual": "baseline"}, products=[{"product": "p"}], production=made("p"),
        lots=[{"lot": "l", "quantity": 10, "green_share": 1, **EXPIRED}],
    )  # fmt: skip
    book = residual_book(case, allocate(case, [], {}))
    assert tonnes(book.shares["green"]) == {"realised": 10, "expired": 10, "retired": 10}


def test_shares_of_one_origin_are_valued_once():
    """10 t all green, or 8 t all green: half of the second leaves 5 held and 1 retired."""
    case = make_case(
        products=[{"product": "p"}], production=made("p"),
        lots=[{"lot": n, "quantity": q, "green_share": 1, "origin": "g"} for n, q in (("a", 10), ("b", 8))],
        orders=[{"order": "o", "product": "p", "mass_t": 40, "claim": "green_share"}],
    )  # fmt: skip
    book = residual_book(case, allocate(case, [("b", "o", 4)], {"o": 4}))
    assert tonnes(book.shares["green"]) == {"realised": 10, "allocated": 4, "retired": 1, "held": 5}
