"""The residual by hand: rounding, errors, the CSV files, and how a release is dealt out."""

from dataclasses import replace

import pytest

from massbalance.books.account import BooksError
from massbalance.books.release import water_fill
from massbalance.books.residual import imbalances, residual_book
from massbalance.books.tables import allocation_table, orders_table, residual_csv
from tests.unit.books_case import EXPIRED, allocate, made, make_case, months, project, tonnes

# ---- rounding, errors, files ---------------------------------------------------------------------------


def test_rounding_grams_of_a_lot_are_forgone_in_the_period_of_its_last_use():
    """Two uses of a third of the lot and a third held, each rounded down: the later use's period."""
    case = make_case(
        periods=months(2), products=[{"product": "p", "s3": 9, "metal_tco2e_per_t": "1.9"}],
        production=[*made("p"), *made("p", period="P2")],
        lots=[{"lot": "l", "quantity": "0.000009", "intensity_tco2e_per_uom": 0}],
        orders=[
            {"order": o, "product": "p", "period": f"P{t}", "mass_t": 50} for o, t in (("z", 1), ("a", 2))
        ],
    )  # fmt: skip
    uses = [("l", "z", "0.000003"), ("l", "a", "0.000003")]
    book = residual_book(case, allocate(case, uses, {"a": 1, "z": 1}))
    # V = floor(17.1) = 17; uses floor(5.7) each; held floor(5.7); 2 left over, of P2
    assert (book.tco2e["allocated"], book.tco2e["held"], book.tco2e["forgone"]) == (10, 5, 2)
    assert [row.released[2] for row in book.rows] == [0, 2]


def test_cfp_residual_rounds_up_and_is_empty_where_all_is_claimed():
    case = make_case(
        products=[
            {"product": "p", "s1": 1, "measured_tco2e_per_t": "0.12345678"},
            {"product": "q", "s1": 1, "measured_tco2e_per_t": 1},
        ],
        production=[*made("p", mass=3), *made("q", mass=1)],
        lots=[project("l", 1, **EXPIRED)],
        orders=[{"order": "o", "product": "q", "mass_t": 1}],
    )
    book = residual_book(case, allocate(case, [], {"o": 1}))
    lines = residual_csv(case, book).decode().splitlines()[1:]
    assert lines == ["p,P1,3,0,3,1,0.666667,0,0,0.54321022", "q,P1,1,1,0,1,,,,"]


def test_rows_are_products_by_key_in_time_order_and_production_of_zero_has_none():
    case = make_case(
        periods=[
            {"period": "Z-first", "start": "2025-01-01", "end": "2025-01-31"},
            {"period": "A-second", "start": "2025-02-01", "end": "2025-02-28"},
        ],
        products=[{"product": "r"}, {"product": "q"}, {"product": "p"}],
        production=[
            *made("q", period="A-second"), *made("p", period="A-second"), *made("p", period="Z-first"),
            *made("r", period="Z-first"), *made("q", period="Z-first", mass=0),
        ],
    )  # fmt: skip
    lines = residual_csv(case, residual_book(case, allocate(case, [], {}))).decode().splitlines()[1:]
    assert [line.split(",")[:2] for line in lines] == [
        ["p", "Z-first"],
        ["p", "A-second"],
        ["q", "A-second"],
        ["r", "Z-first"],
    ]


@pytest.mark.parametrize(
    ("production", "found"), [(made("p", mass=10), "exceed the production"), ([], "without production")]
)
def test_claims_beyond_production_are_an_internal_error(production, found):
    case = make_case(
        products=[{"product": "p"}], production=production,
        orders=[{"order": "o", "product": "p", "mass_t": 11}],
    )  # fmt: skip
    with pytest.raises(BooksError, match=found):
        residual_book(case, allocate(case, [], {"o": 11}))


def test_a_reduction_beyond_the_value_is_an_internal_error():
    case = make_case(
        products=[{"product": "p", "s1": 9}], production=made("p"), lots=[project("l", 10)],
        orders=[{"order": "o", "product": "p", "mass_t": 11}],
    )  # fmt: skip
    with pytest.raises(BooksError):
        residual_book(case, allocate(case, [("l", "o", 1, {1: "1.000001"})], {"o": 11}))


def test_a_reduction_beyond_the_baseline_of_a_scope_is_an_internal_error():
    case = make_case(
        products=[{"product": "p", "s1": 1, "s2": 9}], production=made("p"), lots=[project("l", 10)],
        orders=[{"order": "o", "product": "p", "mass_t": 11}],
    )  # fmt: skip
    with pytest.raises(BooksError, match="below zero"):
        residual_book(case, allocate(case, [("l", "o", 10)], {"o": "9.999999"}))


def test_imbalances_name_what_is_broken():
    case = make_case(products=[{"product": "p", "s1": 9}], production=made("p"), lots=[project("l", 10)])
    book = residual_book(case, allocate(case, [], {}))
    assert imbalances(book) == []
    book.tco2e["held"] -= 1
    book.shares["green"]["lost"] += 1
    book.credits["tCO2e"]["received"] += 1
    names = {problem.split(":")[0] for problem in imbalances(book)}
    assert names == {"emissions_identity", "shares_identity", "account_balance"}


def test_a_case_without_orders_and_lots_is_all_conventional():
    case = make_case(products=[{"product": "p", "s1": "0.3"}], production=made("p"))
    allocation = allocate(case, [], {})
    book = residual_book(case, allocation)
    assert tonnes(book.tco2e) == {"baseline": 30, "conventional_products": 30, "accounted": 30}
    assert book.credits == {}
    assert len(allocation_table(case, allocation)) == len(orders_table(case, allocation, [])) == 0


@pytest.mark.parametrize("tables", [{}, {"periods": []}, {"lots": [{"lot": "l", "quantity": 1}]}])
def test_empty_tables_have_empty_books(tables):
    case = make_case(**({"periods": []} | tables))
    book = residual_book(case, allocate(case, [], {}))
    assert book.rows == ()
    assert set(book.tco2e.values()) == {0}
    assert residual_csv(case, book).count(b"\n") == 1


def test_numbers_beyond_64_bits_stay_exact():
    case = make_case(
        products=[{"product": "p", "s1": "999999999.999999999", "s3": "999999999.9"}],
        production=made("p", mass="999999999.999999"),
        lots=[{
            "lot": "l", "quantity": "999999999.999999", "displaced_tco2e_per_uom": "999999999.9",
            "intensity_tco2e_per_uom": "0.000000001", **EXPIRED,
        }],
    )  # fmt: skip
    book = residual_book(case, allocate(case, [], {}))
    mass = 10**15 - 1
    assert book.tco2e["realised"] == mass * (9_999_999_999 * 10**8 - 1) // 10**9
    assert book.tco2e["baseline"] == mass * (10**18 - 1) // 10**9 + mass * 9_999_999_999 // 10
    assert book.tco2e["released"] == book.tco2e["realised"]


# ---- orders.csv ----------------------------------------------------------------------------------------


def order_case():
    return make_case(
        products=[{"product": "p", "s1": "1.5", "s2": "0.25"}], production=made("p"),
        lots=[project("l", 30), project('k "x"', 30)],
        orders=[
            {"order": "b", "product": "p", "mass_t": 3, "level": "0.10", "premium_per_t": "12.50"},
            {"order": "a", "product": "p", "mass_t": 10, "claim": "cfp", "level": 1, "premium_per_t": -1},
        ],
        offers=[
            {"order": "b", "offer": "half, or so", "claim": "cfp", "level": "1.25", "premium_per_t": 7},
            {"order": "b", "offer": "all"},
        ],
    )  # fmt: skip


def test_orders_csv_tells_the_taken_terms_and_rounds_the_footprint_up():
    case = order_case()
    allocation = allocate(
        case, [("l", "b", "1.6"), ('k "x"', "b", "0.000001")], {"b": "2.999999"}, {"b": "half, or so"}
    )
    assert orders_table(case, allocation, ["line\nbreak", ""]).csv_bytes().decode() == (
        "order,offer,claimed_t,unmet_t,claim,level,cfp_before,cfp_after,premium,why,"
        "customer,product,period,mass_t,premium_per_t\n"
        'a,,0,10,cfp,1,1.75,,0,"line\nbreak",x,p,P1,10,-1\n'
        'b,"half, or so",2.999999,0.000001,cfp,1.25,1.75,1.216667,20.999993,,x,p,P1,3,7\n'
    )
    assert allocation_table(case, allocation).csv_bytes().decode() == (
        "lot,order,offer,quantity,uom,credited_t,scope1,scope2,scope3\n"
        '"k ""x""",b,"half, or so",0.000001,tCO2e,0,0.000001,0,0\n'
        'l,b,"half, or so",1.6,tCO2e,0,1.6,0,0\n'
    )
    columns = ("lot", "order", "offer", "quantity", "credited", "scope1", "scope2", "scope3")
    turned = replace(allocation, **{name: getattr(allocation, name)[::-1] for name in columns})
    assert allocation_table(case, turned).csv_bytes() == allocation_table(case, allocation).csv_bytes()


def test_orders_csv_keeps_the_own_terms_as_written_exactly():
    case = order_case()
    lines = orders_table(case, allocate(case, [], {"b": 1}), ["", "x"]).csv_bytes().decode().splitlines()
    assert lines[2] == "b,,1,2,reduction,0.1,1.75,1.75,12.5,x,x,p,P1,3,12.5"


def test_every_order_needs_a_reason():
    case = order_case()
    with pytest.raises(ValueError, match="1 reasons for 2 orders"):
        orders_table(case, allocate(case, [], {}), ["x"])


# ---- water filling -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "masses", "rooms", "parts"),
    [
        (10, [1, 1, 2], [99, 99, 99], [3, 2, 5]),
        (11, [1, 1, 1], [99, 99, 99], [4, 4, 3]),
        (10, [1, 1, 2], [1, 99, 99], [1, 3, 6]),
        (10, [1, 1, 2], [0, 1, 2], [0, 1, 2]),
        (0, [1, 2], [3, 4], [0, 0]),
        (5, [], [], []),
    ],
)
def test_water_fill(amount, masses, rooms, parts):
    assert water_fill(amount, masses, rooms) == parts
