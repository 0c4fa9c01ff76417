"""Conflicts worked by hand: what is named, and the least amounts that mend it."""

from __future__ import annotations

from pathlib import Path

import pytest

from massbalance.quote.answer import Quote
from massbalance.quote.clash import hitting
from massbalance.quote.session import Session
from massbalance.quote.short import short_orders, why_short
from tests.golden.test_quote_examples import two_buyers
from tests.golden.tiny import Tiny, tiny


def asked(case: Tiny, folder: Path, **terms: object) -> Quote:
    usual = {"product": "bar", "period": "Q1", "claim": "green_share", "level": 1, "mass_t": 1}
    return Session(case.write(folder / "case")).quote(**{**usual, **terms})


def kinds(quote: Quote) -> set[str]:
    return {f"{one.kind}:{one.of}" for one in quote.conflict}


def edits(quote: Quote, kind: str) -> list[tuple[str, str, str | None, str]]:
    """(row, column, from, to) of a kind of relaxation."""
    return [
        (";".join(e.key), e.column, e.old, e.new)
        for one in quote.relaxations
        if one.kind == kind
        for e in one.edits
    ]


INGOT = {"L": {"quantity": 10, "green_share": 1}}


def test_minimum_services_are_told_where_they_alone_stand_in_the_way(tmp_path: Path) -> None:
    """Of 10 t, 8 t go to an order that is not firm: 2 t are left, though 5 t fit beside firm orders."""
    least = {"by": "customer", "group": "c", "share": 0.8}
    case = tiny(
        lots=INGOT,
        orders={"O": {"mass_t": 10, "premium_per_t": 9, "customer": "c"}},
        production={("bar", "Q1"): 40},
    ).but(settings={"objective": {"minimum_service": [least]}})
    quote = asked(case, tmp_path, mass_t=5)
    assert quote.feasible_t == pytest.approx(2)
    assert quote.conflict == ()
    [note] = quote.as_dict()["conflict_notes"]  # type: ignore[misc]
    assert "minimum services" in note


def test_what_is_feasible_has_no_conflict(tmp_path: Path) -> None:
    quote = asked(two_buyers(), tmp_path, mass_t=10)
    assert (quote.conflict, quote.relaxations) == ((), ())
    assert quote.as_dict()["conflict"] == []


def test_credits_run_out(tmp_path: Path) -> None:
    """12 t of green metal from a lot of 10: 2 t more, a level of 10/12 rounded down, or 10 t."""
    quote = asked(tiny(lots=INGOT), tmp_path, mass_t=12)
    assert kinds(quote) == {"level:", "credits:ingot"}
    assert all(one.alone for one in quote.conflict)
    assert edits(quote, "more_credit") == [("L", "quantity", "10", "12")]
    assert edits(quote, "level") == [("", "level", "1", "0.833333")]
    assert edits(quote, "part") == [("", "mass_t", "12", "10")]


def test_promised_to_another(tmp_path: Path) -> None:
    """`dear` is firm and has 6 of 10 t: 5 t clash with it and the lot; 1 t less for it would do."""
    quote = asked(two_buyers().but(orders={"dear": {"firm": "true"}}), tmp_path, mass_t=5)
    assert kinds(quote) == {"level:", "credits:ingot", "promised:dear"}
    assert edits(quote, "less_to_others") == [("dear", "mass_t", "6", "5")]
    assert edits(quote, "more_credit") == [("L", "quantity", "10", "11")]


def test_firm_orders_that_are_short_themselves_take_what_is_added(tmp_path: Path) -> None:
    """`dear` wants 14 and gets 10: a quote for 5 t needs 4 t for it first, 9 t in all."""
    case = two_buyers().but(orders={"dear": {"firm": "true", "mass_t": 14}}, production={("bar", "Q1"): 60})
    quote = asked(case, tmp_path, mass_t=5)
    assert edits(quote, "more_credit") == [("L", "quantity", "10", "19")]
    # what it keeps is the 10 t of the run; with 5 t ordered in all the lot has 5 t left
    assert edits(quote, "less_to_others") == [("dear", "mass_t", "14", "5")]


def test_arrives_too_late(tmp_path: Path) -> None:
    case = tiny(quarters=2, lots={"L": {"quantity": 10, "green_share": 1, "received": "2026-07-05"}})
    quote = asked(case, tmp_path, mass_t=8)
    assert kinds(quote) == {"level:", "arrival:"}
    assert "L (2026-07-05)" in quote.conflict[1].words
    assert edits(quote, "earlier") == [("L", "received", "2026-07-05", "2026-06-30")]
    assert edits(quote, "later") == [("", "period", "Q1", "Q2")]


def test_several_lots_are_wanted_earlier(tmp_path: Path) -> None:
    """Two of three late lots are needed, none alone is enough."""
    late = {"green_share": 1, "received": "2026-07-05"}
    lots = {name: {"quantity": q, **late, "unit_cost": n} for n, (name, q) in enumerate(
        [("A", 5), ("B", 4), ("C", 1)]
    )}  # fmt: skip
    quote = asked(tiny(quarters=2, lots=lots), tmp_path, mass_t=9)
    assert [row for row, *_ in edits(quote, "earlier")] == ["A", "B"]


def test_expired(tmp_path: Path) -> None:
    lots = {"L": {"quantity": 10, "green_share": 1, "expires": "2026-08-31"}}
    quote = asked(tiny(quarters=2, lots=lots), tmp_path, mass_t=8, period="Q2")
    assert kinds(quote) == {"level:", "expiry:"}
    assert edits(quote, "longer") == [("L", "expires", "2026-08-31", "2026-09-30")]


def test_alloy_takes_too_little(tmp_path: Path) -> None:
    case = tiny(lots=INGOT, alloys={("A", "ingot"): 0.3})
    quote = asked(case, tmp_path, mass_t=8, level="0.45")
    assert kinds(quote) == {"level:", "alloy:ingot"}
    assert edits(quote, "alloy") == [("A;ingot", "max_share", "0.3", "0.45")]
    assert edits(quote, "level") == [("", "level", "0.45", "0.3")]


def test_alloy_takes_none(tmp_path: Path) -> None:
    """A category that the alloy does not list comes in with the least share that mends it."""
    lots = {"S": {"quantity": 10, "green_share": 0.8, "category": "slab"}}
    quote = asked(tiny(lots=lots), tmp_path, mass_t=8, level="0.4")
    assert kinds(quote) == {"level:", "alloy_takes_none:"}
    assert edits(quote, "alloy") == [("A;slab", "max_share", None, "0.5")]


def test_element_limit(tmp_path: Path) -> None:
    """wt % of the mix at a share x: 0.1 + 0.5 x, at most 0.2, so x is at most 0.2; for 0.4 it takes 0.3."""
    case = tiny(
        lots=INGOT,
        composition={("ingot", "Fe"): 0.6, ("base", "Fe"): 0.1},
        alloy_limits={("A", "Fe"): 0.2},
    )
    quote = asked(case, tmp_path, mass_t=8, level="0.4")
    assert kinds(quote) == {"level:", "element:Fe"}
    assert edits(quote, "element") == [("A;Fe", "max_wt_pct", "0.2", "0.3")]


def test_schemes(tmp_path: Path) -> None:
    lots = {name: {"quantity": 10, "green_share": 1, "scheme": name} for name in ("ASI", "ISCC")}
    quote = asked(tiny(lots=lots), tmp_path, mass_t=15, schemes="ASI")
    assert kinds(quote) == {"level:", "credits:ingot", "schemes:"}
    assert edits(quote, "schemes") == [("", "schemes", "ASI", "ASI;ISCC")]


def test_two_limits_at_once_where_no_single_one_will_do(tmp_path: Path) -> None:
    """5 t of scrap for half of 10 t: there is 1 t, and the alloy takes 0.3. Neither alone is enough."""
    lots = {"S": {"quantity": 1, "green_share": 1, "category": "scrap"}}
    quote = asked(tiny(lots=lots, alloys={("A", "scrap"): 0.3}), tmp_path, mass_t=10, level="0.5")
    pairs = [one for one in quote.relaxations if len(one.parts) == 2]
    assert [one.kind for one in pairs] == ["alloy+more_credit"]
    assert [(e.column, e.new) for e in pairs[0].edits] == [("max_share", "0.5"), ("quantity", "5")]


def test_hopeless_claims_name_the_caps(tmp_path: Path) -> None:
    """Whatever there is of it, metal with 0.6 green makes no product with 0.9."""
    quote = asked(tiny(lots={"L": {"quantity": 999, "green_share": 0.6}}), tmp_path, level="0.9")
    assert kinds(quote) == {"level:", "mass_cap:"}
    assert [one.kind for one in quote.relaxations] == ["level"]
    assert edits(quote, "level")[0][3] == "0.6"


def test_nothing_mends_what_no_lot_carries(tmp_path: Path) -> None:
    quote = asked(tiny(lots=INGOT), tmp_path, claim="recycled_share", level="0.2")
    assert kinds(quote) == {"level:"}
    assert quote.relaxations == ()
    assert [note.split(":")[0] for note in quote.explanation.notes] == [
        "no mix of this case's lots reaches the claim, whatever else gives way",
        "nothing that was looked for mends it",
    ]


def test_boundary_gas_scope_and_origin_are_facts(tmp_path: Path) -> None:
    """They are named, and no relaxation asks for them to change."""
    case = tiny(
        sites={"works": {}, "far": {"unit": "other"}},
        lots={
            "F": {"quantity": 10, "green_share": 1, "site": "far"},
            "A": {"quantity": 4, "green_share": 1, "origin": "heap"},
            "B": {"quantity": 4, "green_share": 1, "origin": "heap"},
        },
    )
    quote = asked(case, tmp_path, mass_t=6)
    assert kinds(quote) == {"level:", "boundary:", "credits:ingot", "origin:heap"}
    assert {one.kind for one in quote.relaxations} == {"level", "part", "more_credit"}
    assert edits(quote, "more_credit") == [("A", "quantity", "4", "6")]


def test_whole_orders_and_offers_keep_what_the_run_takes(tmp_path: Path) -> None:
    """`dear` takes its offer of half the share, 3 of 10 t; the exact answer and the set agree on 7 t."""
    case = tiny(
        lots=INGOT,
        orders={"dear": {"mass_t": 6, "premium_per_t": 1, "firm": "true", "whole": "true"}},
        offers={("dear", "half"): {"level": 0.5, "premium_per_t": 2}},
        production={("bar", "Q1"): 40},
    )
    quote = asked(case, tmp_path, mass_t=8)
    assert quote.feasible_t == pytest.approx(7)
    assert kinds(quote) == {"level:", "credits:ingot", "promised:dear"}
    assert "promised to dear (buyer), priority 1: 6.000 t" in [one.words for one in quote.conflict]
    assert edits(quote, "more_credit") == [("L", "quantity", "10", "11")]
    assert edits(quote, "less_to_others") == [("dear", "mass_t", "6", "4")]


def test_same_words_every_time(tmp_path: Path) -> None:
    case = two_buyers().but(orders={"dear": {"firm": "true"}})
    first, second = (asked(case, tmp_path / name, mass_t=5).as_dict() for name in "ab")
    assert [first[key] for key in ("conflict", "relaxations")] == [
        second[key] for key in ("conflict", "relaxations")
    ]


def ranked() -> Tiny:
    """12 t for a firm order of 10 of the first priority and 10 of the second, and one that is not firm."""
    return tiny(
        lots={"L": {"quantity": 12, "green_share": 1}},
        orders={
            "first": {"mass_t": 10, "firm": "true"},
            "second": {"mass_t": 10, "firm": "true", "priority": 2},
            "loose": {"mass_t": 2, "premium_per_t": 99},
        },
    )


def test_order_that_falls_short(tmp_path: Path) -> None:
    session = Session(ranked().write(tmp_path / "case"))
    assert short_orders(session) == ["second"]
    found = why_short(session, "second")
    assert (found.priority, found.claimed_t, found.feasible_t) == (2, pytest.approx(2), pytest.approx(2))
    told = {f"{one.kind}:{one.of}" for one in found.explanation.conflict}
    assert told == {"level:", "credits:ingot", "promised:first"}
    changes = {(e.table, *e.key, e.column): e.new for r in found.explanation.relaxations for e in r.edits}
    assert changes == {
        ("lots", "L", "quantity"): "20",
        ("orders", "first", "mass_t"): "2",
        ("orders", "second", "level"): "0.2",
        ("orders", "second", "mass_t"): "2",
    }


def test_order_that_is_not_firm_falls_short_beside_all_others(tmp_path: Path) -> None:
    found = why_short(Session(ranked().write(tmp_path / "case")), "loose")
    words = [one.words for one in found.explanation.conflict if one.kind == "promised"]
    assert words == [
        "promised to first (buyer), priority 1: 10.000 t", "promised to second (buyer), priority 2: 2.000 t",
    ]  # fmt: skip
    assert found.priority is None
    assert any("not firm" in note for note in found.explanation.notes)


def test_equals_that_are_short_too_get_what_the_run_would_give_them(tmp_path: Path) -> None:
    """Both of one rank, 12 t for 20: what helps `a` is what makes a run fill it, whichever it prefers."""
    case = tiny(
        lots={"L": {"quantity": 12, "green_share": 1}},
        orders={
            "a": {"mass_t": 10, "firm": "true", "premium_per_t": 1},
            "b": {"mass_t": 10, "firm": "true", "premium_per_t": 5},
        },
    )
    session = Session(case.write(tmp_path / "case"))
    assert short_orders(session) == ["a"]
    credit = [
        e for r in why_short(session, "a").explanation.relaxations for e in r.edits if e.table == "lots"
    ]
    assert [(e.old, e.new) for e in credit] == [("12", "20")]


def test_no_later_period_without_production(tmp_path: Path) -> None:
    """Credits come in the second quarter; 4 t of production there leave no room for 10 t."""
    lots = {"L": {"quantity": 12, "green_share": 1, "received": "2026-07-05"}}
    orders = {"O": {"mass_t": 10, "firm": "true"}}
    made = {("bar", "Q1"): 20, ("bar", "Q2"): 4}
    case = tiny(quarters=2, lots=lots, orders=orders, production=made)
    for room, expected in ((4, False), (40, True)):
        folder = case.but(production={("bar", "Q2"): room}).write(tmp_path / str(room))
        found = why_short(Session(folder), "O")
        assert ("later" in [one.kind for one in found.explanation.relaxations]) is expected


@pytest.mark.parametrize(
    ("sets", "below", "expected"),
    [
        (["a", "bc"], 9, "ab"),
        (["ab", "bc", "cd"], 9, "ac"),
        (["abc", "bd", "ae", "be"], 9, "ab"),
        (["a", "b"], 2, None),
    ],
)
def test_smallest_hitting_sets(sets: list[str], below: int, expected: str | None) -> None:
    keys = [frozenset((letter, "") for letter in one) for one in sets]
    found, proven = hitting(keys, below)
    assert proven
    assert found == (None if expected is None else {(letter, "") for letter in expected})
