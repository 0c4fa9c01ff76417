"""Robust promises worked by hand: each answer follows from the sentence above it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from massbalance.domain.faults import CaseRefused
from massbalance.intake.read import read_case
from massbalance.robust.check import Kept
from massbalance.robust.document import verified
from massbalance.robust.run import Robust, budget, robust
from massbalance.scenario.futures_file import read_futures
from tests.golden.tiny import Tiny, tiny

GRAMS = 1e-4


def promised(case: Tiny, folder: Path, futures: str, *shares: str, fresh: int = 0) -> Robust:
    """Robust mode on a tiny case; shares: 1 unless told."""
    read = read_case(case.write(folder / "case"))
    (folder / "futures.toml").write_text(futures, encoding="utf-8")
    found = read_futures(folder / "futures.toml", read)
    again = found.again(seed=found.seed + 1, count=fresh) if fresh else None
    return robust(read, found, [Fraction(share) for share in shares or ("1",)], fresh=again)


def values(found: Robust, point: int = 0) -> tuple[float, float]:
    """Firm shortfall and margin of a point."""
    side = found.points[point].side
    return float(side.values["firm_shortfall:1"]), float(side.values["margin"])


def ship() -> Tiny:
    """6 t are there and 6 t come by ship; a firm order takes 10 t at 3, another would pay 5 for 6 t."""
    return tiny(
        lots={
            "there": {"quantity": 6, "green_share": 1, "received": "2026-03-01"},
            "ship": {"quantity": 6, "green_share": 1, "received": "2026-04-10"},
        },
        orders={
            "firm": {"mass_t": 10, "premium_per_t": 3, "firm": "true"},
            "loose": {"mass_t": 6, "premium_per_t": 5},
        },
        quarters=2,
    )


def test_a_lot_that_comes_short_is_promised_as_far_as_it_comes(tmp_path: Path) -> None:
    """Half the ship: 6 + 3 = 9 t can be promised, and the 3 t left as planned earn 5 instead of 3."""
    found = promised(ship(), tmp_path, '[[short]]\nwhere = { lot = "ship" }\nfactor = 0.5')
    assert float(found.plain.values["margin"]) == pytest.approx(10 * 3 + 2 * 5)
    assert found.plain.kept == Kept(0, 100)
    assert values(found) == pytest.approx((1, 9 * 3 + 3 * 5), abs=GRAMS)
    assert found.points[0].side.kept == Kept(100, 100)
    assert found.distinct == 1


def test_a_lot_that_comes_after_the_period_is_not_promised(tmp_path: Path) -> None:
    """82 days after 10 April is 1 July: the second quarter; 81 days is 30 June."""
    late = '[[late]]\nwhere = {{ lot = "ship" }}\ndays = {}'
    assert values(promised(ship(), tmp_path / "a", late.format(82)))[0] == pytest.approx(4, abs=GRAMS)
    assert values(promised(ship(), tmp_path / "b", late.format(81)))[0] == 0


def test_what_is_there_before_today_is_neither_late_nor_short(tmp_path: Path) -> None:
    """All lots are struck, yet the 6 t that were there in March come whole and in time."""
    found = promised(ship(), tmp_path, "[[late]]\ndays = 200\n[[short]]\nfactor = 0")
    assert values(found)[0] == pytest.approx(4, abs=GRAMS)


def test_late_futures_beyond_the_share_asked_cost_the_promise(tmp_path: Path) -> None:
    """If k of 20 futures are late, the whole promise holds in 20 - k; what more is asked costs the ship."""
    futures = 'count = 20\n[[late]]\nwhere = { lot = "ship" }\nprobability = 0.3\ndays = 100'
    read = read_case(ship().write(tmp_path / "read"))
    (tmp_path / "f.toml").write_text(futures, encoding="utf-8")
    late = sum(bool(future.delays) for future in read_futures(tmp_path / "f.toml", read))
    assert 0 < late < 20
    just, more = str(Fraction(20 - late, 20)), str(Fraction(20 - late, 20) + Fraction(1, 1000))
    found = promised(ship(), tmp_path, futures, just, more)
    assert values(found, 0) == (0, 40)
    assert found.points[0].side.kept == Kept(20 - late, 20)
    assert values(found, 1) == pytest.approx((4, 6 * 3 + 6 * 5), abs=GRAMS)
    assert found.points[1].side.kept == Kept(20, 20)
    assert found.distinct == 2


def test_a_poorer_yield_takes_more_input_for_the_same_share(tmp_path: Path) -> None:
    """10 t of input make 9 t as planned; at nine tenths of the yield, 8.1 t. A reduction counts the input."""
    case = tiny(
        lots={"L": {"quantity": 10, "green_share": 1, "intensity_tco2e_per_uom": 4}},
        orders={"firm": {"mass_t": 20, "firm": "true"}},
        products={"bar": {"t_product_per_t_input": 0.9}},
    )
    poorer = "[[yield]]\nfactor = 0.9"
    assert values(promised(case, tmp_path / "a", poorer))[0] == pytest.approx(20 - 8.1, abs=GRAMS)
    better = "[[yield]]\nfactor = 1.05"
    assert values(promised(case, tmp_path / "b", better))[0] == pytest.approx(20 - 9, abs=GRAMS)
    reduction = case.but(orders={"firm": {"claim": "reduction", "level": 5}})
    plain = promised(reduction, tmp_path / "c", poorer)
    assert values(plain)[0] == pytest.approx(20 - 10 * (12 - 4) / 5, abs=GRAMS)


def test_a_cancelled_order_draws_nothing(tmp_path: Path) -> None:
    """Half of 10 t is enough for one firm order of 5 t where the other is always cancelled."""
    case = tiny(
        lots={"L": {"quantity": 10, "green_share": 1}},
        orders={"gone": {"mass_t": 5, "firm": "true"}, "stays": {"mass_t": 5, "firm": "true"}},
    )
    short = "[[short]]\nfactor = 0.5\n"
    both = promised(case, tmp_path / "a", short)
    assert values(both)[0] == pytest.approx(5, abs=GRAMS)
    one = promised(case, tmp_path / "b", short + '[[cancelled]]\nwhere = { order = "gone" }\nprobability = 1')
    assert values(one) == pytest.approx((0, 10), abs=GRAMS)


def test_lots_of_one_origin_are_used_once_in_every_future(tmp_path: Path) -> None:
    """As planned 5/10 + 5/10 of the origin. With A at 5 t, b = 5 t takes half of it and leaves a = 2.5 t."""
    case = tiny(
        lots={
            "A": {"quantity": 10, "green_share": 1, "origin": "one", "scheme": "a"},
            "B": {"quantity": 10, "green_share": 1, "origin": "one", "scheme": "b"},
        },
        orders={
            "of A": {"mass_t": 5, "firm": "true", "schemes": "a", "priority": 2},
            "of B": {"mass_t": 5, "firm": "true", "schemes": "b"},
        },
    )
    found = promised(case, tmp_path, '[[short]]\nwhere = { lot = "A" }\nfactor = 0.5')
    side = found.points[0].side
    assert float(side.values["firm_shortfall:1"]) == pytest.approx(0, abs=GRAMS)
    assert float(side.values["firm_shortfall:2"]) == pytest.approx(2.5, abs=GRAMS)
    assert (found.plain.kept.kept, side.kept.kept) == (0, 100)


def test_a_whole_order_is_promised_whole_or_not(tmp_path: Path) -> None:
    """9 t will be there: a firm order of 10 t that is whole gets nothing, and the other takes its 6 t."""
    case = ship().but(orders={"firm": {"whole": "true"}})
    found = promised(case, tmp_path, '[[short]]\nwhere = { lot = "ship" }\nfactor = 0.5')
    assert values(found) == (10, 30)


def test_no_firm_order_no_price(tmp_path: Path) -> None:
    case = ship().but(orders={"firm": {"firm": "false"}})
    found = promised(case, tmp_path, "[[short]]\nfactor = 0", fresh=5)
    assert found.points[0].side.values == found.plain.values
    assert found.plain.kept == Kept(100, 100)
    assert found.plain.fresh == Kept(5, 5)


@pytest.mark.parametrize(
    ("share", "count", "most"),
    [("0.95", 100, 5), ("0.95", 99, 4), ("0", 7, 7), ("1", 7, 0), ("0.5", 1, 0), ("0.999999999", 100, 0)],
)
def test_at_least_the_share_is_kept(share: str, count: int, most: int) -> None:
    assert budget(Fraction(share), count) == most


def test_confidence_limits_are_those_of_the_tables() -> None:
    """Clopper and Pearson: 0 of 10 gives 1 - 0.025**0.1; 5 of 10 lies in 0.1871 to 0.8129."""
    assert (Kept(0, 10).low, Kept(10, 10).high) == (0, 1)
    assert Kept(0, 10).high == pytest.approx(1 - 0.025**0.1)
    assert Kept(10, 10).low == pytest.approx(0.025**0.1)
    assert (Kept(5, 10).low, Kept(5, 10).high) == pytest.approx((0.1871, 0.8129), abs=5e-5)


def test_an_allocation_that_claims_a_gram_too_much_is_caught(tmp_path: Path) -> None:
    """The verifier's rules: 9 t and a gram on 9 t of green metal break the claim of the order."""
    found = promised(ship(), tmp_path, '[[short]]\nwhere = { lot = "ship" }\nfactor = 0.5')
    allocation = found.points[0].side.allocation
    assert verified(found.case, allocation) == []
    more = replace(allocation, claimed=allocation.claimed + 1)
    assert {fault.code for fault in verified(found.case, more)} >= {"C4 claim"}


def test_goals_that_it_does_not_know_are_refused(tmp_path: Path) -> None:
    case = read_case(ship().write(tmp_path / "case"))
    settings = {"objective": {"minimum_service": [{"by": "customer", "share": 1}]}}
    (tmp_path / "f.toml").write_text("[[short]]\nfactor = 0", encoding="utf-8")
    other = type(case)(case.name, case.currency, case.rules, settings, case.tables, case.sha256)
    with pytest.raises(CaseRefused) as refused:
        robust(other, read_futures(tmp_path / "f.toml", other), [Fraction(1)])
    assert [fault.value for fault in refused.value.faults] == ["minimum_service"]
