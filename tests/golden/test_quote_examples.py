"""Quotes worked by hand: bid prices from outside, who loses, what binds, whole orders; and the text shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from massbalance.interfaces.console_quote import quote_text
from massbalance.quote.answer import Quote
from massbalance.quote.session import Session
from tests.golden.test_facts import network
from tests.golden.tiny import Tiny, tiny

TEXT = Path(__file__).with_name("quote.txt")


def two_buyers() -> Tiny:
    """10 t of green ingot; `dear` pays 9 for 6 t, `cheap` 4 for 8 t and gets the 4 t left."""
    return tiny(
        lots={"L": {"quantity": 10, "green_share": 1}},
        orders={
            "dear": {"mass_t": 6, "premium_per_t": 9},
            "cheap": {"mass_t": 8, "premium_per_t": 4},
        },
        production={("bar", "Q1"): 40},
    )


def asked(case: Tiny, folder: Path, **terms: object) -> Quote:
    """A quote for the tiny case's product: green share 1 in the first quarter, unless told."""
    usual = {"product": "bar", "period": "Q1", "claim": "green_share", "level": 1, "mass_t": 1}
    return Session(case.write(folder / "case")).quote(**{**usual, **terms})


@pytest.mark.parametrize(("leg", "price"), [("GA", 190), ("AC", 74), ("AN", 29)])
def test_network_revenue_floor_premium_of_one_seat_is_the_bid_price(
    leg: str, price: int, tmp_path: Path
) -> None:
    """lindo.com NetRevMan: one seat of a leg displaces 190, 74 or 29 of the fares."""
    quote = asked(network(), tmp_path, product=f"{leg}1")
    assert quote.feasible_t == 1
    assert quote.floor_premium_per_t == pytest.approx(price, abs=1e-6)
    assert quote.price_per_t == pytest.approx(price, abs=1e-6)


def test_network_revenue_many_seats_cost_more_than_their_bid_price(tmp_path: Path) -> None:
    quote = asked(network(), tmp_path, product="AN1", mass_t=100)
    assert quote.floor_premium_per_t is not None
    assert quote.floor_premium_per_t > 29
    assert quote.price_per_t == pytest.approx(29, abs=1e-6)


def test_who_loses_and_from_what_premium(tmp_path: Path) -> None:
    """3 t push `cheap` aside; 5 t take the last tonne from `dear`: (4·4 + 1·9) / 5."""
    quote = asked(two_buyers(), tmp_path / "3", mass_t=3)
    assert [(d.order, d.t) for d in quote.displaced] == [("cheap", pytest.approx(3))]
    assert quote.floor_premium_per_t == pytest.approx(4)
    quote = asked(two_buyers(), tmp_path / "5", mass_t=5)
    assert [(d.order, d.t) for d in quote.displaced] == [
        ("cheap", pytest.approx(4)), ("dear", pytest.approx(1)),
    ]  # fmt: skip
    assert quote.floor_premium_per_t == pytest.approx(5)
    assert quote.price_per_t == pytest.approx(4)
    assert [(d.lots, d.quantity, d.uom) for d in quote.drawn] == [(("L",), pytest.approx(5), "t")]


def test_curve_bends_where_the_next_order_loses(tmp_path: Path) -> None:
    quote = asked(two_buyers(), tmp_path, mass_t=10)
    found = [(p.mass, p.floor, p.marginal) for p in quote.curve]
    assert found == [
        pytest.approx((0, 4, 4)), pytest.approx((4, 4, 4)), pytest.approx((10, 7, 9)),
    ]  # fmt: skip


def test_firm_orders_lose_nothing(tmp_path: Path) -> None:
    """With `dear` firm only 4 t can be promised; what limits it is told, and the part that fits."""
    case = two_buyers().but(orders={"dear": {"firm": "true"}})
    quote = asked(case, tmp_path, mass_t=5)
    assert quote.feasible_t == pytest.approx(4)
    assert quote.floor_premium_per_t is None
    assert quote.answer.floor_feasible == pytest.approx(4)
    limits = [b for b in quote.binding if b.of == "mass"]
    assert [(b.row, b.label, b.code) for b in limits] == [
        ("goal_hold[firm_shortfall:1]", "C15", "interface"), ("pool_balance[L,Q1]", "C3", "A4.2.2"),
    ]  # fmt: skip
    part, *_ = quote.alternatives
    assert (part.kind, part.feasible_t, part.floor) == ("mass", pytest.approx(4), pytest.approx(4))


def test_margin_first_gives_no_firm_order_less_either(tmp_path: Path) -> None:
    """`poor` is firm, but the margin comes first and leaves it 4 of 8 t: these it keeps."""
    case = tiny(
        goals=("margin", "firm_shortfall"),
        lots={"L": {"quantity": 10, "green_share": 1}},
        orders={
            "rich": {"mass_t": 6, "premium_per_t": 9},
            "poor": {"mass_t": 8, "premium_per_t": 4, "firm": "true"},
        },
        production={("bar", "Q1"): 40},
    )
    quote = asked(case, tmp_path, mass_t=6)
    assert quote.feasible_t == 6
    assert quote.floor_premium_per_t == pytest.approx(9)
    assert [d.order for d in quote.displaced] == ["rich"]


def test_best_level_for_the_whole_mass(tmp_path: Path) -> None:
    """12 t cannot all be green; at 10/12 they can, rounded down to thousandths."""
    quote = asked(two_buyers(), tmp_path, mass_t=12)
    levels = [a for a in quote.alternatives if a.kind == "level"]
    assert [(float(a.ask.level), a.feasible_t) for a in levels] == [(0.833, 12)]


def test_other_period_and_other_schemes_fit(tmp_path: Path) -> None:
    """The one lot is ISCC and comes in the second quarter."""
    case = tiny(
        quarters=2,
        lots={"L": {"quantity": 10, "green_share": 1, "scheme": "ISCC", "received": "2026-07-05"}},
        orders={"O": {"mass_t": 1, "period": "Q2"}},
    )
    quote = asked(case, tmp_path / "period")
    assert quote.feasible_t == 0
    assert quote.binding[0].words.startswith("no credit in its window")
    assert [(a.kind, a.ask.period) for a in quote.alternatives] == [("period", "Q2")]
    quote = asked(case, tmp_path / "schemes", period="Q2", schemes="ASI")
    assert quote.binding[0].words.startswith("scheme:")
    assert [(a.kind, a.ask.schemes) for a in quote.alternatives] == [("schemes", ())]


def test_claim_out_of_reach_tells_which_cap(tmp_path: Path) -> None:
    case = two_buyers().but(alloys={("A", "ingot"): 0.25})
    quote = asked(case, tmp_path, level=0.5)
    assert quote.feasible_t == 0
    assert quote.price_per_t is None
    assert [(b.label, b.code, b.words) for b in quote.binding] == [
        ("C6", "A5.1.2C", "out of reach, at most 0.25 of 0.5 per t: alloy limit for ingot")
    ]


def test_claim_that_needs_no_credit_costs_nothing(tmp_path: Path) -> None:
    """CFP at the baseline of 13."""
    quote = asked(two_buyers(), tmp_path, claim="cfp", level=13, mass_t=1000)
    assert (quote.feasible_t, quote.floor_premium_per_t, quote.displaced) == (1000, 0, ())
    assert any("exceeds the production" in note for note in quote.notes)


def test_whole_orders_are_decided_again(tmp_path: Path) -> None:
    """Both ask for all or nothing: one tonne costs all of the 4 t of `cheap`, in parts only a quarter."""
    case = two_buyers().but(orders={"cheap": {"mass_t": 4, "whole": "true"}, "dear": {"whole": "true"}})
    quote = asked(case, tmp_path, mass_t=1)
    assert quote.answer.how == "decided"
    assert quote.floor_premium_per_t == pytest.approx(16)
    assert quote.relaxation is not None
    assert quote.relaxation.floor_whole == pytest.approx(4)
    assert [(d.order, d.t) for d in quote.displaced] == [("cheap", pytest.approx(4))]


def test_premium_is_accepted_from_the_floor_on(tmp_path: Path) -> None:
    session = Session(two_buyers().write(tmp_path / "case"))
    terms = {"product": "bar", "period": "Q1", "mass_t": 5, "claim": "green_share", "level": 1}
    found = {p: session.quote(**terms, premium_per_t=p) for p in ("4.99", "5", "6")}
    assert {p: q.accept for p, q in found.items()} == {"4.99": False, "5": True, "6": True}
    assert found["6"].gain == pytest.approx(5)


def test_a_case_without_orders_or_lots_can_be_asked(tmp_path: Path) -> None:
    quote = asked(tiny(production={("bar", "Q1"): 5}), tmp_path / "nothing")
    assert (quote.feasible_t, quote.floor_premium_per_t) == (0, None)
    case = tiny(lots={"L": {"quantity": 2, "green_share": 1, "unit_cost": 3}}, production={("bar", "Q1"): 5})
    quote = asked(case, tmp_path / "lots", mass_t=2)
    assert (quote.feasible_t, quote.floor_premium_per_t) == (2, pytest.approx(3))
    assert quote.price_per_t == pytest.approx(3)


def test_text_of_a_quote(tmp_path: Path) -> None:
    """What planners read, letter by letter."""
    case = two_buyers().but(orders={"dear": {"firm": "true"}})
    quote = asked(case, tmp_path, mass_t=5, premium_per_t="7.5")
    assert quote_text("tiny", quote.as_dict(with_curve=True)) + "\n" == TEXT.read_text(encoding="utf-8")
