"""The account of every lot, by hand: receipt, use, blocking by origin, expiry, balances."""

import pytest

from massbalance.books.account import MOVES, BooksError, account_rows
from massbalance.books.tables import account_csv
from tests.unit.books_case import allocate, grid, make_case, months

PRODUCTS = [{"product": "p", "s1": 10, "s2": 10, "s3": 10, "metal_tco2e_per_t": 15}]


def case_with(lots, periods=3, **more):
    names = [f"P{i + 1}" for i in range(periods)]
    return make_case(
        periods=months(periods), products=PRODUCTS, lots=lots,
        production=[{"product": "p", "period": name, "mass_t": 1000} for name in names],
        orders=[{"order": f"o{name[1:]}", "product": "p", "period": name, "mass_t": 1000} for name in names],
        **more,
    )  # fmt: skip


def moves(case, allocation, lot):
    """The lot's rows as lists of decimals in units, one per period, in the order of MOVES."""
    rows = account_rows(case, allocation)
    rows = rows[rows["lot"] == lot]
    assert list(rows["period"]) == list(case.periods.text("period"))
    return [[int(v) / 10**6 for v in row] for row in rows[list(MOVES)].to_numpy()]


def test_receipt_use_and_expiry():
    case = case_with([{"lot": "l", "quantity": 100, "received": "2025-01-20", "expires": "2025-02-28"}])
    allocation = allocate(case, [("l", "o1", 30), ("l", "o2", "20.000001")], {})
    # opening, received, allocated, blocked, expired, closing
    assert moves(case, allocation, "l") == [
        [0, 100, 30, 0, 0, 70],
        [70, 0, 20.000001, 0, 0, 49.999999],
        [49.999999, 0, 0, 0, 49.999999, 0],
    ]


def test_lot_before_the_first_period_is_opening_balance():
    case = case_with([{"lot": "l", "quantity": 5, "received": "2024-06-01"}], periods=2)
    assert moves(case, allocate(case, [("l", "o1", 2)], {}), "l") == [[5, 0, 2, 0, 0, 3], [3, 0, 0, 0, 0, 3]]


def test_lot_that_expired_before_the_first_period_leaves_in_it():
    case = case_with(
        [{"lot": "l", "quantity": 5, "received": "2024-06-01", "expires": "2024-12-31"}], periods=2
    )
    assert moves(case, allocate(case, [], {}), "l") == [[5, 0, 0, 0, 5, 0], [0] * 6]


def test_lot_after_the_last_period_is_not_in_the_books():
    case = case_with([{"lot": "l", "quantity": 5, "received": "2025-12-01"}], periods=2)
    assert moves(case, allocate(case, [], {}), "l") == [[0] * 6, [0] * 6]


def test_lot_counts_from_the_day_of_use():
    case = case_with([{"lot": "l", "quantity": 5, "received": "2025-01-05", "used": "2025-02-05"}], periods=2)
    assert moves(case, allocate(case, [], {}), "l") == [[0] * 6, [0, 5, 0, 0, 0, 5]]


def test_without_carry_over_the_rest_leaves_with_the_period_of_receipt():
    case = case_with([{"lot": "l", "quantity": 5}], periods=2, overrides={"carry_over": "none"})
    assert moves(case, allocate(case, [("l", "o1", 2)], {}), "l") == [[0, 5, 2, 0, 3, 0], [0] * 6]


def test_siblings_are_blocked_by_the_used_share_rounded_up():
    case = case_with(
        [
            {"lot": "a", "quantity": 3, "origin": "g"},
            {"lot": "b", "quantity": 100, "origin": "g"},
            {"lot": "z", "quantity": 100},
        ],
        periods=2,
    )
    allocation = allocate(case, [("a", "o1", 1), ("b", "o2", 10)], {})
    # a third of b is 33.333333..., rounded up; then a loses a tenth of 3
    assert moves(case, allocation, "b") == [
        [0, 100, 0, 33.333334, 0, 66.666666],
        [66.666666, 0, 10, 0, 0, 56.666666],
    ]
    assert moves(case, allocation, "a") == [[0, 3, 1, 0, 0, 2], [2, 0, 0, 0.3, 0, 1.7]]
    assert moves(case, allocation, "z")[0] == [0, 100, 0, 0, 0, 100]


def test_block_of_rounded_thirds_adds_up_over_periods():
    case = case_with(
        [{"lot": "a", "quantity": 3, "origin": "g"}, {"lot": "b", "quantity": "0.000010", "origin": "g"}]
    )
    allocation = allocate(case, [("a", "o1", 1), ("a", "o2", 1), ("a", "o3", 1)], {})
    # ceilings of 10/3, 20/3 and 30/3 millionths: 4, 7, 10
    assert [row[3] for row in moves(case, allocation, "b")] == [4e-6, 3e-6, 3e-6]
    assert moves(case, allocation, "b")[-1][-1] == 0


def test_block_waits_for_receipt_and_ends_with_expiry():
    case = case_with(
        [
            {"lot": "a", "quantity": 10, "origin": "g"},
            {"lot": "late", "quantity": 100, "origin": "g", "received": "2025-02-10"},
            {"lot": "gone", "quantity": 100, "origin": "g", "expires": "2025-01-31"},
        ]
    )
    allocation = allocate(case, [("a", "o1", 2), ("a", "o3", 3)], {})
    assert moves(case, allocation, "late") == [
        [0] * 6,
        [0, 100, 0, 20, 0, 80],
        [80, 0, 0, 30, 0, 50],
    ]
    # `gone` leaves in February with what January's use left of it
    assert moves(case, allocation, "gone") == [[0, 100, 0, 20, 0, 80], [80, 0, 0, 0, 80, 0], [0] * 6]


def test_use_in_the_period_of_expiry_blocks_before_the_rest_expires():
    case = case_with(
        [
            {"lot": "a", "quantity": 10, "origin": "g"},
            {"lot": "b", "quantity": 100, "origin": "g", "expires": "2025-01-31"},
        ],
        periods=2,
    )
    assert moves(case, allocate(case, [("a", "o2", 4)], {}), "b")[1] == [100, 0, 0, 40, 60, 0]


def test_lots_of_quantity_zero_or_outside_the_books_block_nothing():
    case = case_with(
        [
            {"lot": "a", "quantity": 10, "origin": "g"},
            {"lot": "none", "quantity": 0, "origin": "g"},
            {"lot": "later", "quantity": 10, "origin": "g", "received": "2026-01-01"},
        ],
        periods=1,
    )
    allocation = allocate(case, [("a", "o1", 4)], {})
    assert moves(case, allocation, "a") == [[0, 10, 4, 0, 0, 6]]
    assert moves(case, allocation, "none") == [[0] * 6]
    assert moves(case, allocation, "later") == [[0] * 6]


@pytest.mark.parametrize(
    ("lot", "uses"),
    [
        ({"quantity": 5}, [("l", "o1", 3), ("l", "o2", "2.000001")]),
        ({"quantity": 5, "received": "2025-02-01"}, [("l", "o1", 1)]),
        ({"quantity": 5, "expires": "2025-01-31"}, [("l", "o3", 1)]),
        ({"quantity": 5, "received": "2026-01-01"}, [("l", "o3", 1)]),
    ],
    ids=["overdrawn", "before receipt", "after expiry", "outside the books"],
)
def test_a_lot_drawn_below_zero_is_an_internal_error(lot, uses):
    case = case_with([{"lot": "l", **lot}])
    with pytest.raises(BooksError, match="account_balance: lot 'l'"):
        account_rows(case, allocate(case, uses, {}))


def test_every_lot_and_period_has_a_row_of_integers():
    case = case_with([{"lot": name, "quantity": 1} for name in "cab"], periods=2)
    rows = account_rows(case, allocate(case, [], {}))
    assert list(rows["lot"]) == ["a", "a", "b", "b", "c", "c"]
    assert list(rows["period"]) == ["P1", "P2"] * 3
    assert {str(rows[move].dtype) for move in MOVES} == {"int64"}


def test_a_case_without_lots_has_an_empty_account():
    case = case_with([], periods=1)
    rows = account_rows(case, allocate(case, [], {}))
    assert len(rows) == 0
    assert account_csv(case, rows) == b"lot,period,opening,received,allocated,blocked,expired,closing\n"


def test_account_csv_is_exact_and_in_canonical_order():
    case = make_case(
        periods=[
            {"period": "Z-first", "start": "2025-01-01", "end": "2025-01-31"},
            {"period": "A-second", "start": "2025-02-01", "end": "2025-02-28"},
        ],
        lots=[{"lot": 'l "1", new', "quantity": "1000000000"}, {"lot": "k", "quantity": "0.000001"}],
    )
    rows = account_rows(case, allocate(case, [], {})).sample(frac=1, random_state=1)
    assert account_csv(case, rows).decode() == (
        "lot,period,opening,received,allocated,blocked,expired,closing\n"
        "k,Z-first,0,0.000001,0,0,0,0.000001\n"
        "k,A-second,0.000001,0,0,0,0,0.000001\n"
        '"l ""1"", new",Z-first,0,1000000000,0,0,0,1000000000\n'
        '"l ""1"", new",A-second,1000000000,0,0,0,0,1000000000\n'
    )
    assert grid("0.000001") == 1
