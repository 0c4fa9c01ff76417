"""What must hold of any quote, on random cases of every feature."""

from __future__ import annotations

import random
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "differential"))

from massbalance.domain.case import Case, Table
from massbalance.domain.grid import Column
from massbalance.formulation.problem import build_problem
from massbalance.quote.answer import Quote
from massbalance.quote.ask import Ask
from massbalance.quote.explain import Explanation
from massbalance.quote.session import Session
from massbalance.solving.assembly import assemble
from massbalance.solving.methods import solve as solve_compiled
from quote_terms import drawn_terms
from random_cases import write_random_case

LINEAR, DECIDED = range(30), range(4)
FIRST_SEED = 9100
CLOSE = 1e-6


def session_of(folder: Path, seed: int, *, mip: bool = False, size: str = "small") -> Session:
    write_random_case(folder, FIRST_SEED + seed, mip=mip, size=size)
    return Session(folder)


def told(quote: Quote) -> dict[str, object]:
    """All that a quote says but the time it took, and why not more (tests/conflict: another model)."""
    document = replace(quote, why_not=Explanation).as_dict(with_curve=True)
    return {name: value for name, value in document.items() if name != "seconds"}


def tolerance(session: Session, value: float = 0.0) -> float:
    return CLOSE * max(1.0, abs(value)) + 1e-8 * max(1.0, abs(session.margin))


@pytest.mark.parametrize("seed", LINEAR)
def test_more_mass_is_never_cheaper_and_never_less(seed: int, tmp_path: Path) -> None:
    """Floor premium and feasible mass are nondecreasing in the mass; bid prices alone never ask more."""
    session = session_of(tmp_path / "case", seed)
    terms = drawn_terms(session.case, seed)
    floor, feasible = -1e9, 0.0
    for mass in ("0.5", "5", "20", "80", "400"):
        quote = session.quote(**{**terms, "mass_t": mass})
        assert quote.feasible_t >= feasible - 1e-6
        feasible = quote.feasible_t
        found = quote.answer.floor_feasible
        if found is None or feasible < 1e-3:
            continue
        assert found >= floor - tolerance(session, found) / min(1.0, feasible)
        assert quote.price_per_t is not None
        assert quote.price_per_t <= found + tolerance(session, found) / min(1.0, feasible)
        floor = found


@pytest.mark.parametrize("seed", LINEAR)
def test_curve_bends_upwards_and_ends_at_the_quote(seed: int, tmp_path: Path) -> None:
    session = session_of(tmp_path / "case", seed)
    quote = session.quote(**{**drawn_terms(session.case, seed), "mass_t": "150"})
    if quote.feasible_t < 1e-3:
        assert quote.curve == () or quote.feasible_t > 0
        return
    first, *_, last = quote.curve
    assert (first.mass, last.mass) == (0.0, quote.feasible_t)
    assert last.floor == pytest.approx(quote.answer.floor_feasible, abs=tolerance(session, last.floor))
    slopes = [point.marginal for point in quote.curve[1:]]
    assert slopes == sorted(slopes)
    for point in quote.curve[1:-1]:
        there = session.quote(**{**drawn_terms(session.case, seed), "mass_t": f"{point.mass:.6f}"})
        allowed = tolerance(session, point.floor) + 2e-6 * last.marginal / point.mass
        assert there.answer.floor_feasible == pytest.approx(point.floor, abs=allowed / min(1.0, point.mass))


@pytest.mark.parametrize("seed", LINEAR)
def test_a_quote_leaves_nothing_behind(seed: int, tmp_path: Path) -> None:
    """Asked again, asked among others, asked of another session: the same to the last digit."""
    session = session_of(tmp_path / "case", seed)
    many = [drawn_terms(session.case, 100 * seed + n) for n in range(4)]
    alone = [told(Session(session.case).quote(**terms)) for terms in many]
    together = [told(quote) for quote in session.quotes(many)]
    backwards = [told(session.quote(**terms)) for terms in reversed(many)]
    assert together == alone
    assert backwards[::-1] == alone


@pytest.mark.parametrize("seed", LINEAR)
def test_who_loses_had_it_and_firm_orders_lose_nothing_together(seed: int, tmp_path: Path) -> None:
    session = session_of(tmp_path / "case", seed)
    quote = session.quote(**drawn_terms(session.case, seed))
    orders = session.case.orders
    had = dict(zip(orders.text("order"), session.claimed, strict=True))
    assert all(0 < lost.t <= had[lost.order] + 1e-6 for lost in quote.displaced)
    assert [d.t for d in quote.displaced] == sorted((d.t for d in quote.displaced), reverse=True)


@pytest.mark.parametrize("seed", DECIDED)
def test_decisions_are_the_same_when_asked_again(seed: int, tmp_path: Path) -> None:
    session = session_of(tmp_path / "case", seed, mip=True, size="tiny")
    terms = drawn_terms(session.case, seed)
    first = told(session.quote(**terms))
    session.quote(**drawn_terms(session.case, seed + 50))
    assert told(session.quote(**terms)) == first
    assert told(Session(session.case).quote(**terms)) == first


@pytest.mark.parametrize("seed", LINEAR)
def test_a_premium_above_the_floor_never_lowers_the_margin(seed: int, tmp_path: Path) -> None:
    """The gain is what the premium brings over the floor; below it the answer is no."""
    session = session_of(tmp_path / "case", seed)
    terms = drawn_terms(session.case, seed)
    floor = session.quote(**terms).floor_premium_per_t
    if floor is None:
        return
    for part in (0.5, 0.999, 1.001, random.Random(seed).uniform(1, 3)):
        premium = round(floor * part + (part - 1) * 10, 6)
        quote = session.quote(**terms, premium_per_t=premium)
        assert quote.gain == pytest.approx((premium - floor) * float(terms["mass_t"]))
        assert quote.accept is (premium >= floor)


@pytest.mark.parametrize("seed", LINEAR)
def test_a_twin_of_an_order_is_worth_what_the_run_with_it_says(seed: int, tmp_path: Path) -> None:
    """The quote's own recipe against a run's merged one: the same order in the case, firm and last of all."""
    session = session_of(tmp_path / "case", seed)
    case = session.case
    if case.goals[0] != "firm_shortfall" or len(case.orders) == 0:
        return
    twin = case.orders.rows.iloc[seed % len(case.orders)]
    terms = {name: str(twin[name]) for name in ("product", "period", "claim", "schemes")}
    quote = session.quote(**terms, level=f"{float(twin['level']):g}", mass_t=25)
    with_it = build_problem(replace(case, tables={**case.tables, "orders": extended(case, quote.ask)}))
    compiled = assemble(with_it)
    stages = solve_compiled(with_it, compiled).stages
    *_, last, margin, _ = stages
    assert last.goal.priority == 10**6
    short = last.minimum + last.goal.constant
    assert quote.feasible_t == pytest.approx(25 - short, abs=2e-6)
    if quote.answer.floor_feasible is not None and quote.feasible_t > 1e-3:
        floor = (session.margin + margin.minimum) / (25 - short)
        assert quote.answer.floor_feasible == pytest.approx(floor, abs=tolerance(session, floor))


def extended(case: Case, ask: Ask) -> Table:
    """The case's orders and this one behind them, firm."""
    own, more = case.orders, ask.orders(case)
    rows = pd.concat([own.rows, more.rows.assign(firm=True, priority=10**6)], ignore_index=True)
    exact = {name: column.joined(more.exact[name]) for name, column in own.exact.items()}
    exact["priority"] = own.exact["priority"].joined(Column.from_fractions([Fraction(10**6)]))
    return Table("orders", rows.astype(own.rows.dtypes), exact, np.append(own.source_row, 0))
