"""Rules of thumb: hand cases derived in a sentence, every row kept, no better than the optimum."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from massbalance.api import read_case, solve
from massbalance.domain.case import Case
from massbalance.formulation.problem import build_problem
from massbalance.intake.objective import with_objective
from massbalance.solving.assembly import assemble
from massbalance.strategy.average import rolling_average
from massbalance.strategy.baselines import QUOTAS, SEQUENCES, baseline
from massbalance.strategy.figures import Outcome, figures, of_allocation
from massbalance.strategy.side_by_side import PLAIN, RULES, require_feasible, side_by_side
from tests.differential.random_cases import write_random_case
from tests.golden.tiny import Tiny, tiny

ROOT = Path(__file__).parents[2]


def served(case: Case, rule: str) -> Outcome:
    """The outcome of a rule; no row of the model may be broken by it."""
    problem = build_problem(with_objective(case, PLAIN))
    if rule == "rolling average":
        return rolling_average(problem)
    compiled = assemble(problem)
    desk = baseline(problem, compiled, rule, lambda _: None)
    require_feasible(compiled, desk.columns(), rule)
    return desk.outcome()


def claims(case: Case, rule: str) -> dict[str, float]:
    got = served(case, rule).claimed
    return {str(name): round(float(t), 6) for name, t in zip(case.orders.text("order"), got, strict=True)}


def three_buyers() -> Tiny:
    """10 t of green ingot for A (8 t at 1), B (8 t at 3) and C (4 t at 2, dirtier product)."""
    return tiny(
        lots={"L": {"quantity": 10, "green_share": 1}},
        products={"bar": {}, "dirty": {"s3": 11}},
        orders={
            "A": {"mass_t": 8, "premium_per_t": 1},
            "B": {"mass_t": 8, "premium_per_t": 3},
            "C": {"mass_t": 4, "premium_per_t": 2, "product": "dirty"},
        },
    )


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        # A comes first and takes 8 t, B gets the 2 t left
        ("first in, first out", {"A": 8, "B": 2, "C": 0}),
        # C's product emits 14 t per t, the others 13
        ("highest emissions first", {"A": 6, "B": 0, "C": 4}),
        # B pays 3, C 2
        ("highest premium first", {"A": 0, "B": 8, "C": 2}),
        # 10 t over 20 t ordered: half of each
        ("pro rata", {"A": 4, "B": 4, "C": 2}),
        # a third of 10 t each, C can use it all
        ("equal share", {"A": 3.333333, "B": 3.333333, "C": 3.333333}),
    ],
)
def test_ten_tonnes_for_twenty(rule: str, expected: dict[str, float], tmp_path: Path) -> None:
    assert claims(read_case(three_buyers().write(tmp_path / "case")), rule) == expected


def test_whole_orders_and_minimum_fills_take_nothing_rather_than_too_little(tmp_path: Path) -> None:
    """First in, first out with 10 t: A (8 t) is served; B, whole, would need 8 t of the 2 t left and gets
    nothing; C takes the 2 t, half of its mass, unless it wants at least 60 %.
    """
    case = three_buyers().but(orders={"B": {"whole": "true"}})
    assert claims(read_case(case.write(tmp_path / "one")), "first in, first out") == {"A": 8, "B": 0, "C": 2}
    case = case.but(orders={"C": {"min_fill": 0.6}})
    assert claims(read_case(case.write(tmp_path / "two")), "first in, first out") == {"A": 8, "B": 0, "C": 0}


def test_an_offer_is_taken_where_the_own_terms_get_nothing(tmp_path: Path) -> None:
    """A wants 8 t whole of 5 t green ingot: nothing; its offer of a green share of 0.5 needs only 4 t."""
    case = tiny(
        lots={"L": {"quantity": 5, "green_share": 1}},
        orders={"A": {"mass_t": 8, "whole": "true"}},
        offers={("A", "half"): {"level": 0.5}},
    )
    read = read_case(case.write(tmp_path / "case"))
    for rule in (*SEQUENCES, *QUOTAS):
        outcome = served(read, rule)
        assert outcome.claimed.tolist() == pytest.approx([8])
        assert outcome.taken.tolist() == [0]
        assert outcome.used.tolist() == pytest.approx([4])


def test_of_one_thing_measured_twice_only_the_more_valuable_is_used(tmp_path: Path) -> None:
    """Two lots of one origin: 4 t and 3 t; only the 4 t count, so 4 of the 8 t ordered are served."""
    lots = {
        name: {"quantity": q, "green_share": 1, "origin": "melt", "intensity_tco2e_per_uom": 2}
        for name, q in (("L1", 3), ("L2", 4))
    }
    case = read_case(tiny(lots=lots, orders={"A": {"mass_t": 8}}).write(tmp_path / "case"))
    assert claims(case, "first in, first out") == {"A": 4}


def test_an_origin_counts_once_in_the_average_too(tmp_path: Path) -> None:
    """10 t of one melt, told by two lots, for 20 t made: a mean of a half, not of one."""
    lots = {name: {"quantity": 10, "green_share": 1, "origin": "melt"} for name in ("L1", "L2")}
    orders = {"A": {"mass_t": 10, "level": 0.5}, "B": {"mass_t": 10, "level": 0.6}}
    case = read_case(tiny(lots=lots, orders=orders).write(tmp_path / "case"))
    assert claims(case, "rolling average") == {"A": 10, "B": 0}


def test_a_lot_that_no_period_can_use_does_not_stand_for_its_origin(tmp_path: Path) -> None:
    """The greater lot of the melt expired before the first period; the other one serves."""
    kept = {"green_share": 1, "origin": "melt", "intensity_tco2e_per_uom": 2}
    gone = {"quantity": 100, "received": "2025-01-01", "expires": "2025-12-31"}
    lots = {"L1": {"quantity": 5, **kept}, "L2": {**kept, **gone}}
    case = read_case(tiny(lots=lots, orders={"A": {"mass_t": 8}}).write(tmp_path / "case"))
    for rule in (*SEQUENCES, *QUOTAS):
        assert claims(case, rule) == {"A": 5}, rule


def test_first_in_first_out_goes_by_the_order_s_name_whatever_the_row(tmp_path: Path) -> None:
    """Z is listed first, A is served first: the rows of a table have no order."""
    lots = {"L": {"quantity": 5, "green_share": 1}}
    case = read_case(
        tiny(lots=lots, orders={"Z": {"mass_t": 8}, "A": {"mass_t": 4}}).write(tmp_path / "case")
    )
    assert claims(case, "first in, first out") == {"A": 4, "Z": 1}


def test_the_oldest_credits_go_first(tmp_path: Path) -> None:
    """4 t wanted in the second quarter, 3 t there since April and 3 t since July: 3 and 1."""
    lots = {
        "B": {"quantity": 3, "green_share": 1},
        "A": {"quantity": 3, "green_share": 1, "received": "2026-07-01", "scheme": "other"},
    }
    made = tiny(quarters=2, lots=lots, orders={"O": {"mass_t": 4, "period": "Q2"}})
    case = read_case(made.write(tmp_path / "case"))
    used = dict(zip(case.lots.text("lot"), served(case, "first in, first out").used.tolist(), strict=True))
    assert used == pytest.approx({"A": 1, "B": 3})


def test_the_rolling_average_meets_whole_orders_at_the_mean_only(tmp_path: Path) -> None:
    """6 t of green ingot for 20 t made (a yield of 1): a mean of 0.3 meets an order at 0.3, none at 0.31;
    a quarter later, 40 t made, the mean of the year is 0.15.
    """
    case = tiny(
        quarters=2,
        lots={"L": {"quantity": 6, "green_share": 1}},
        orders={
            "A": {"mass_t": 8, "level": 0.3},
            "B": {"mass_t": 8, "level": 0.31},
            "C": {"mass_t": 8, "level": 0.3, "period": "Q2"},
            "D": {"mass_t": 8, "level": 0.15, "period": "Q2"},
        },
        production={("bar", "Q1"): 20, ("bar", "Q2"): 20},
    )
    read = read_case(case.write(tmp_path / "case"))
    assert claims(read, "rolling average") == {"A": 8, "B": 0, "C": 0, "D": 8}


def test_the_rolling_average_of_reductions(tmp_path: Path) -> None:
    """40 t CO2e of a project over 20 t made: 2 t CO2e per t, so a CFP of 13 - 2 = 11 is met, 10.9 is not."""
    case = tiny(
        lots={"P": {"kind": "project", "quantity": 40, "scopes": "3", "project": "saving"}},
        projects={"saving": {}},
        orders={
            "A": {"mass_t": 5, "claim": "cfp", "level": 11},
            "B": {"mass_t": 5, "claim": "cfp", "level": 10.9},
            "C": {"mass_t": 5, "claim": "reduction", "level": 2},
        },
        production={("bar", "Q1"): 20},
    )
    read = read_case(case.write(tmp_path / "case"))
    assert claims(read, "rolling average") == {"A": 5, "B": 0, "C": 5}


@pytest.mark.parametrize("mip", [False, True])
@pytest.mark.parametrize("seed", [0, 1, 2, 3, 4, 7])
def test_no_rule_breaks_a_limit_or_betters_the_optimum(seed: int, mip: bool, tmp_path: Path) -> None:
    """Firm shortfalls, priority by priority, then the margin: the optimum is never behind a rule."""
    write_random_case(tmp_path / "case", seed, mip=mip)
    case = with_objective(read_case(tmp_path / "case"), PLAIN)
    best = figures(case, of_allocation(case, solve(case).allocation))
    for rule in (*SEQUENCES, *QUOTAS):
        found = figures(case, served(case, rule))
        assert not better(found, best), rule


def better(one: object, other: object) -> bool:
    """Is `one` ahead by more than booking costs?"""
    for p, short in one.firm_shortfall_t.items():
        if abs(short - other.firm_shortfall_t[p]) > 1e-4:
            return short < other.firm_shortfall_t[p]
    return one.margin > other.margin + 1e-4 * max(1.0, abs(other.margin))


def test_figures_are_those_of_the_summary() -> None:
    """Claimed mass, firm shortfall, margin and t CO2e of a booked optimum, against summary.json's."""
    case = read_case(ROOT / "data" / "tutorial")
    found = solve(case)
    told = figures(case, of_allocation(case, found.allocation))
    values = {goal["name"]: float(goal["value"]) for goal in found.summary["objectives"]}
    assert told.margin == pytest.approx(values["margin"])
    assert told.unmet_firm_t == pytest.approx(float(found.summary["unmet_firm_t"]))
    assert told.claimed_t == pytest.approx(float(found.summary["claimed_t"]))
    assert told.allocated_tco2e == pytest.approx(float(found.summary["tco2e"]["allocated"]))
    expiring = solve(with_objective(case, {"strategy": "least-expiry"}))
    value = {goal["name"]: float(goal["value"]) for goal in expiring.summary["objectives"]}["expired_tco2e"]
    own = figures(case, of_allocation(case, expiring.allocation))
    assert own.expired_tco2e == pytest.approx(value, abs=1e-4)


def test_side_by_side_begins_with_the_optimum_and_holds_every_rule() -> None:
    """The table of data/tutorial: strategies first, each rule once, nothing ahead of the plain optimum."""
    found = side_by_side(read_case(ROOT / "data" / "tutorial"))
    names = [line.name for line in found.lines]
    assert names[0] == "firm-then-margin"
    assert names[-len(RULES) :] == list(RULES)
    assert len(set(names)) == len(names)
    for line in found.lines[1:]:
        assert found.price_of_fairness(line) >= -1e-9, line.name
    fair = found.line("leximin").figures
    assert fair.least_share >= max(line.figures.least_share for line in found.lines) - 1e-6
    most = found.line("tonnage").figures.claimed_t
    assert most >= max(line.figures.claimed_t for line in found.lines if line.kind == "strategy") - 1e-4
    assert np.isfinite([line.figures.margin for line in found.lines]).all()
