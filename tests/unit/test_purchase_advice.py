"""What purchase advice promises: promises first, prices that hold, and a case that keeps what was advised."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from massbalance.api import read_case, run_case
from massbalance.domain.faults import CaseRefused
from massbalance.purchase.advise import Advice, advise
from massbalance.purchase.answer import document, write_bought
from massbalance.purchase.model import build_purchase_arrays
from massbalance.purchase.offers import read_purchases
from massbalance.purchase.sets import build_sets
from massbalance.purchase.worth import Worth
from massbalance.report.documents import dumps
from massbalance.report.publish import OutputRefused
from tests.golden.tiny import Tiny, tiny
from tests.golden.tiny_purchases import Offers, write_offers

FIRM = tiny(
    lots={"L": {"quantity": 4, "green_share": 1}},
    orders={
        "F": {"mass_t": 10, "premium_per_t": 1, "firm": "true"},
        "O": {"mass_t": 5, "premium_per_t": 6},
    },
)
"""4 t of credit for a promise of 10 t at 1 and another order of 5 t at 6."""


def advice_on(folder: Path, case: Tiny, offers: Offers, budget: int | None = None) -> Advice:
    found = read_purchases(case.write(folder / "case"), write_offers(folder / "offers.csv", offers))
    return advise(found, budget=None if budget is None else Fraction(budget))


def worth(advice: Advice, lot: str) -> Worth:
    found = next(one.worth for one in advice.offers if one.offer.lot == lot)
    assert found is not None
    return found


def goals(advice: Advice) -> dict[str, tuple[float, float]]:
    """Goal -> value without buying, and as advised."""
    return {
        goal.name: (pytest.approx(goal.nothing), pytest.approx(goal.plan))  # type: ignore[misc]
        for goal in advice.goals
    }


def test_a_promise_is_mended_whatever_it_costs(tmp_path: Path) -> None:
    """6 t fall short; N at 50 per t mends them, and not one t more, since O pays 6 only."""
    advice = advice_on(tmp_path, FIRM, {"N": {"price_per_uom": 50}})
    assert advice.bought == {"N": 6}
    assert goals(advice)["firm_shortfall_t"] == (6, 0)
    assert worth(advice, "N").mends == {"firm_shortfall:1": pytest.approx(6)}
    assert worth(advice, "N").break_even is None
    assert advice.changes == {"F": pytest.approx(6)}


def test_with_the_margin_first_a_promise_has_its_price(tmp_path: Path) -> None:
    """The 4 t go to O (24); a fifth for O pays up to 6, those of F up to 1."""
    case = tiny(goals=("margin", "firm_shortfall"), lots=FIRM.tables["lots"], orders=FIRM.tables["orders"])
    advice = advice_on(tmp_path, case, {"N": {"price_per_uom": 5}})
    assert advice.bought == {"N": 1}
    assert worth(advice, "N").mends == {}
    assert worth(advice, "N").break_even == pytest.approx(6)
    assert worth(advice, "N").gain == pytest.approx(1)


def test_a_budget_stops_what_it_cannot_pay(tmp_path: Path) -> None:
    """100 buy 2 t at 50: 4 t of the promise stay short, and with more money it would mend all 6 t."""
    advice = advice_on(tmp_path, FIRM, {"N": {"price_per_uom": 50}}, budget=100)
    assert advice.bought == {"N": 2}
    assert goals(advice)["firm_shortfall_t"] == (6, 4)
    assert advice.cost == 100
    assert worth(advice, "N").mends == {"firm_shortfall:1": pytest.approx(6)}


def test_a_quantity_between_grams_does_not_break_the_budget(tmp_path: Path) -> None:
    """100 buy 33.333333 t at 3, not 33.333334."""
    case = tiny(orders={"O": {"mass_t": 50, "premium_per_t": 6}})
    advice = advice_on(tmp_path, case, {"N": {"price_per_uom": 3}}, budget=100)
    assert advice.bought == {"N": Fraction(33_333_333, 10**6)}


def test_of_a_group_the_one_that_mends_leaves_the_others_no_price(tmp_path: Path) -> None:
    """LATE is cheap, but whoever buys it cannot have EARLY, which alone keeps F."""
    case = tiny(
        quarters=2,
        orders={
            "F": {"mass_t": 10, "premium_per_t": 1, "firm": "true"},
            "O": {"mass_t": 10, "premium_per_t": 9, "period": "Q2"},
        },
    )
    same = {"group": "metal", "max_quantity": 10}
    offers: Offers = {"EARLY": {"price_per_uom": 5, **same}, "LATE": {"received": "2026-07-01", **same}}
    advice = advice_on(tmp_path, case, offers)
    assert advice.bought == {"EARLY": 10}
    assert worth(advice, "LATE").break_even == 0
    assert worth(advice, "EARLY").mends == {"firm_shortfall:1": pytest.approx(10)}
    assert advice.listed == {"LATE": 10}  # cheapest first, and better than nothing


def test_a_price_list_cannot_see_what_offers_are_worth_together(tmp_path: Path) -> None:
    """O takes 10 t or nothing at 3. Neither 5 t pays alone; both do: 30 - 10."""
    case = tiny(orders={"O": {"mass_t": 10, "premium_per_t": 3, "whole": "true"}})
    advice = advice_on(tmp_path, case, {"A": {"max_quantity": 5}, "B": {"max_quantity": 5}})
    assert advice.bought == {"A": 5, "B": 5}
    assert advice.listed == {}
    assert worth(advice, "A").break_even == pytest.approx(5)  # 30 - 5 for B, over 5 t
    assert worth(advice, "A").bid == 0


def test_a_fixed_cost_is_spread_over_what_is_bought(tmp_path: Path) -> None:
    """10 t at 4 and 10 at 2, 12 once: at 20 t 60 - 12 - 20 p, at 10 t 40 - 12 - 10 p: up to 2.8, for 10 t."""
    orders = {
        "O1": {"mass_t": 10, "premium_per_t": 4},
        "O2": {"mass_t": 10, "premium_per_t": 2},
    }
    advice = advice_on(tmp_path, tiny(orders=orders), {"N": {"fixed_cost": 12, "price_per_uom": 1}})
    found = worth(advice, "N")
    assert advice.bought == {"N": 20}
    assert found.advised_break_even == pytest.approx(48 / 20)
    assert (found.break_even, found.at_quantity) == (pytest.approx(2.8), pytest.approx(10))
    assert found.bid == pytest.approx(4)


def test_an_offer_worth_less_than_its_fixed_cost_has_no_price(tmp_path: Path) -> None:
    case = tiny(orders={"O": {"mass_t": 10, "premium_per_t": 4}})
    advice = advice_on(tmp_path, case, {"N": {"fixed_cost": 41, "price_per_uom": 0}})
    assert advice.bought == {}
    assert worth(advice, "N").break_even == 0


@pytest.mark.parametrize("factor", [Fraction(999, 1000), Fraction(1001, 1000)])
def test_just_below_its_break_even_price_an_offer_is_bought_and_just_above_not(
    factor: Fraction, tmp_path: Path
) -> None:
    """Of the test above, 2.8: asked again at other prices."""
    orders = {
        "O1": {"mass_t": 10, "premium_per_t": 4},
        "O2": {"mass_t": 10, "premium_per_t": 2},
    }
    price = float(Fraction(28, 10) * factor)
    advice = advice_on(tmp_path, tiny(orders=orders), {"N": {"fixed_cost": 12, "price_per_uom": price}})
    assert advice.bought == ({"N": 10} if factor < 1 else {})


def test_what_could_never_be_used_is_not_bought_nor_bounds_the_model(tmp_path: Path) -> None:
    """The bound of an offer of 1e9 t is what O can take (or the next multiple above), not 1e9."""
    case = tiny(orders={"O": {"mass_t": 10, "premium_per_t": 4}})
    offers: Offers = {
        "ALL": {"max_quantity": 10**9},
        "BY7": {"max_quantity": 10**9, "lot_size": 7},
        "OLD": {"expires": "2026-04-02"},
    }
    found = read_purchases(case.write(tmp_path / "case"), write_offers(tmp_path / "offers.csv", offers))
    every, by7, old = build_sets(found).most
    assert 10 <= every < Fraction(10_001, 1000)
    assert (by7, old) == (14, 0)
    assert build_purchase_arrays(build_sets(found)).compiled.upper.max() < 100


def test_no_offers_or_no_orders_are_no_fault(tmp_path: Path) -> None:
    none = advice_on(tmp_path / "a", FIRM, {"N": {"max_quantity": 0}})
    assert (none.status, none.bought) == ("optimal", {})
    empty = advice_on(tmp_path / "b", tiny(), {"N": {}})
    assert (empty.status, empty.bought) == ("optimal", {})


def test_a_time_limit_says_so(tmp_path: Path) -> None:
    offers = write_offers(tmp_path / "offers.csv", {"N": {"fixed_cost": 1}})
    advice = advise(read_purchases(FIRM.write(tmp_path / "case"), offers), time_limit=0.0)
    assert advice.status == "limit"
    assert advice.offers[0].worth is None
    assert json.loads(dumps(document(advice)))["gap"] is None


def test_other_goals_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Purchases are weighed by shortfall and margin alone: nothing is said of other goals."""
    from massbalance.purchase import advise as module

    found = read_purchases(FIRM.write(tmp_path / "case"), write_offers(tmp_path / "offers.csv", {"N": {}}))

    def other(sets: object) -> object:
        model = build_purchase_arrays(sets)  # type: ignore[arg-type]
        goal = replace(model.compiled.goals[0], name="tonnage_t")
        return replace(model, compiled=replace(model.compiled, goals=(goal, *model.compiled.goals[1:])))

    monkeypatch.setattr(module, "build_purchase_arrays", other)
    with pytest.raises(CaseRefused, match="tonnage_t"):
        advise(found)


# ---- the case with the lots bought -----------------------------------------------------------------------

BUYING: Offers = {
    "N": {"price_per_uom": 2, "unit_cost": 0.5, "lot_size": 1.5},
    "M": {"price_per_uom": 1, "max_quantity": 2.25, "min_quantity": 1},
}


def test_the_case_written_runs_to_what_was_advised(tmp_path: Path) -> None:
    """Firm shortfall and margin of the run are those of the plan; what was paid is no part of the case."""
    advice = advice_on(tmp_path, FIRM, BUYING)
    write_bought(advice, document(advice), tmp_path / "bought")
    bought = read_case(tmp_path / "bought")
    quantities = dict(zip(bought.lots.text("lot"), bought.lots.floats("quantity"), strict=True))
    assert quantities == {"L": 4, "M": 2, "N": 9}
    assert dict(zip(bought.lots.text("lot"), bought.lots.floats("unit_cost"), strict=True))["N"] == 0.5
    outcome = run_case(tmp_path / "bought", tmp_path / "run")
    found = {goal["name"]: goal["value"] for goal in outcome.summary["objectives"]}  # type: ignore[attr-defined]
    expected = {goal.name: goal.plan for goal in advice.goals}
    assert {name: float(value) for name, value in found.items()} == pytest.approx(expected, abs=1e-5)


def test_a_folder_of_earlier_advice_is_replaced_and_any_other_is_not(tmp_path: Path) -> None:
    advice = advice_on(tmp_path, FIRM, BUYING)
    told = document(advice)
    write_bought(advice, told, tmp_path / "bought")
    before = {path.name: path.read_bytes() for path in (tmp_path / "bought").iterdir()}
    write_bought(advice, told, tmp_path / "bought")
    assert {path.name: path.read_bytes() for path in (tmp_path / "bought").iterdir()} == before
    (tmp_path / "bought" / "notes.txt").write_text("mine", encoding="utf-8")
    for other in (tmp_path / "bought", tmp_path / "case", tmp_path / "offers.csv"):
        with pytest.raises(OutputRefused):
            write_bought(advice, told, other)


def test_the_order_of_rows_does_not_matter(tmp_path: Path) -> None:
    turned = dict(reversed(BUYING.items()))
    one, two = (advice_on(tmp_path / name, FIRM, offers) for name, offers in (("a", BUYING), ("b", turned)))
    documents = [{**document(advice), "seconds": None, "warnings": None} for advice in (one, two)]
    assert documents[0] == documents[1]
