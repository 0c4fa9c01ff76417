"""Booking on random cases of every kind: whatever the solver says, what is booked holds to the gram, and
booking many orders at once costs the goals no more than booking them one by one.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.generate import Size, write_case
from massbalance.booking import bulk
from massbalance.booking.book import _Attempt, book
from massbalance.booking.ledger import Ledger
from massbalance.booking.many import kinds_of
from massbalance.booking.plan import Plan
from massbalance.booking.recipe import RecipeBook
from massbalance.booking.room import Room
from massbalance.booking.targets import targets
from massbalance.booking.whole import Mixed, whole_units
from massbalance.domain.grid import GRID
from massbalance.domain.result import Allocation
from massbalance.formulation.problem import Problem, build_problem
from massbalance.intake.read import read_case
from massbalance.report.goal_values import booked_value
from massbalance.solving.compiled import Compiled, compile_model
from massbalance.solving.lexicographic import Solution, solve
from tests.property.booked import wrong

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "differential"))

from random_cases import write_random_case

FEW = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
Model = tuple[Problem, Compiled]
seeds = st.integers(0, 3000)


@cache
def model(seed: int, mip: bool = False) -> Model:
    """A random case as problem and compiled model."""
    with tempfile.TemporaryDirectory() as folder:
        write_random_case(Path(folder), seed, mip=mip)
        problem = build_problem(read_case(Path(folder)))
    return problem, compile_model(problem)


@cache
def solved(seed: int, mip: bool = False) -> Solution:
    """Its optimum."""
    return solve(model(seed, mip)[1])


def values(case: Model, allocation: Allocation) -> list[float]:
    """Every goal of what was booked, the greater the better."""
    goals = [goal for goal in case[1].goals if goal.name != "tie_break"]
    return [-goal.sign * float(booked_value(case[0], allocation, goal)) for goal in goals]


def one_by_one(case: Model, solution: Solution, *, draw_more: bool = True) -> Allocation:
    """The same solution without booking many orders at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bulk, "whole_units", lambda kinds, orders: (orders.use * 0, orders.mass < 0))
        return book(*case, solution, draw_more=draw_more)[0]


def tolerance(problem: Problem, value: float) -> float:
    """What the grid may cost: 1e-6 of the value, and 10 g of each order at the dearest premium."""
    dearest = max(1.0, *np.abs(problem.steps.premium)) if len(problem.steps) else 1.0
    return 1e-6 * max(1.0, abs(value)) + 1e-5 * dearest * len(problem.case.orders)


@FEW
@given(seeds, st.booleans(), st.booleans())
def test_what_is_booked_holds_to_the_gram(seed: int, mip: bool, draw_more: bool) -> None:
    case, solution = model(seed, mip), solved(seed, mip)
    allocation, _ = book(*case, solution, draw_more=draw_more)
    assert wrong(case[0], allocation) == []


@FEW
@given(seeds)
def test_many_at_once_cost_no_more_than_one_by_one(seed: int) -> None:
    case, solution = model(seed), solved(seed)
    many, single = book(*case, solution)[0], one_by_one(case, solution)
    assert wrong(case[0], single) == []
    for ours, theirs in zip(values(case, many), values(case, single), strict=True):
        assert ours >= theirs - tolerance(case[0], theirs)


@FEW
@given(seeds, st.integers(0, 10**6), st.floats(1e-11, 1e-8))
def test_a_point_between_optima_is_booked_as_well(seed: int, draw: int, noise: float) -> None:
    """Mixes of several pools, as a decomposition gives them, with the solver's noise on them."""
    problem, compiled = model(seed)
    random = np.random.default_rng(draw)
    points = [solved(seed).columns]
    for _ in range(2):
        costs = compiled.costs * random.uniform(0.5, 1.5, compiled.costs.shape)
        points.append(solve(replace(compiled, costs=costs)).columns)
    parts = random.dirichlet(np.ones(len(points)))
    columns = sum(part * point for part, point in zip(parts, points, strict=True))
    columns = columns * (1 + noise * random.uniform(-1, 1, len(columns)))
    solution = replace(solved(seed), columns=np.clip(columns, compiled.lower, compiled.upper))
    allocation, _ = book(problem, compiled, solution)
    assert wrong(problem, allocation) == []
    wanted = float(solution.columns[compiled.step].sum()) if len(compiled.step) else 0.0
    claimed = float(allocation.claimed.sum()) / GRID
    lost = float(one_by_one((problem, compiled), solution).claimed.sum()) / GRID
    slack = 1e-5 * wanted + 1e-5 * len(problem.case.orders)
    assert claimed >= min(wanted, lost) - slack


@FEW
@given(seeds, st.integers(1, 10**9) | st.integers(1, 10**15))
def test_rows_as_arrays_are_the_rows_in_fractions(seed: int, mass: int) -> None:
    """Whole units that the arrays call good hold in the recipe's own rows, and the other way round; orders
    too large for int64 are left alone.
    """
    problem, compiled = model(seed)
    plan = Plan(problem, compiled, solved(seed))
    recipes = np.flatnonzero(plan.mixes.count() > 0)
    kinds = kinds_of(problem, plan.mixes, recipes)
    for recipe in recipes.tolist():
        entry = np.arange(plan.mixes.start[recipe], plan.mixes.start[recipe + 1])[None, :]
        orders = Mixed(
            np.array([recipe]), kinds.kind_of[[recipe]], np.array([mass]), kinds.use_of[entry],
            plan.mixes.per_t[entry], plan.mixes.serves[entry],
        )  # fmt: skip
        units, good = whole_units(kinds, orders)
        if mass > kinds.reach[orders.kind[0]]:
            assert not good[0]
            continue
        rows, pools = RecipeBook(problem, recipe), kinds.use_pool[orders.use[0]].tolist()
        for moved in (units, units + 1, np.maximum(units - 1, 0)):
            holds = kinds.hold(orders.use, orders.kind, orders.mass, kinds.measures(orders.use, moved))
            booked = zip(pools, moved[0].tolist(), strict=True)
            assert holds[0] == exactly(rows, {k: rows.pools[k].measures(n) for k, n in booked}, mass)
            assert holds[0] or not good[0] or moved is not units


def exactly(rows: RecipeBook, measures: dict[int, tuple[int, int, int]], mass: int) -> bool:
    """Do the claim and every cap hold?"""
    for row in (rows.claim, *rows.caps):
        value = sum(c * measures[k][row.measure] for k, c in row.coefs.items() if k in measures)
        room = rows.room(row, mass)
        if (value < room) if row is rows.claim else (value > room):
            return False
    return True


@FEW
@given(seeds, st.integers(0, 10**6))
def test_plans_that_move_claim_no_more_than_there_is(seed: int, draw: int) -> None:
    """Neither of a lot nor of an origin; and who asked first is not short of what was planned for them."""
    problem, compiled = model(seed)
    plan = Plan(problem, compiled, solved(seed))
    ledger, random = Ledger(problem, plan.flows, plan.f), np.random.default_rng(draw)
    room = Room(ledger, plan.periods)
    before = room.planned.copy()
    places = np.flatnonzero(before)
    if len(places) == 0:
        return
    first = before[places] // 2
    room.ask(places, first, np.arange(len(places)))
    assert (room.planned[places] >= first).all()
    more = random.integers(0, 1 + first)
    room.ask(places, more, len(places) + np.arange(len(places)))
    assert (room.planned >= 0).all()
    for g, left in enumerate(ledger.group_left):
        planned = [ledger.plan.get((g, t), 0) for t in ledger.periods_of[g]]
        assert min(planned, default=0) >= 0
        assert sum(planned) == ledger.planned[g] <= left
    for groups in problem.pools.origin_groups.values():
        lots = [ledger.group_lots[g][0] for g in groups]
        shares = zip(groups, lots, strict=True)
        assert sum(Fraction(ledger.planned[g], max(1, ledger.quantity[i])) for g, i in shares) <= 1
    portions = ledger.portions()
    by_place = np.zeros(len(before), dtype=np.int64)
    for portion in portions:
        by_place[portion.place] += portion.amount
    assert (by_place == room.planned).all()
    for portion in portions:
        ledger.take(portion, portion.amount)
    assert min(ledger.left, default=0) >= 0
    assert not any(ledger.planned)


@FEW
@given(seeds, st.booleans(), st.integers(0, 10**6))
def test_targets_fill_each_step_in_order(seed: int, mip: bool, draw: int) -> None:
    problem, _ = model(seed, mip)
    random = np.random.default_rng(draw)
    steps, terms, orders = problem.steps, problem.terms, problem.case.orders
    fill = random.choice([0.0, 0.3, 1.0 - 1e-10, 1.0], len(steps))
    step_t, take = steps.upper * fill, random.random(len(steps)) < 0.5
    found = targets(problem, step_t, take)
    mass, whole = orders.grid("mass_t"), orders.flag("whole")
    got = {
        int(t): (int(m), int(least)) for t, m, least in zip(found.term, found.mass, found.least, strict=True)
    }
    expected = {}
    for j in range(len(steps)):
        members = [(int(t), int(mass[terms.order[t]])) for t in steps.terms_of(j)]
        total = sum(grams for _, grams in members)
        rest = total if fill[j] > 0.9 else round(Fraction(float(step_t[j])) * GRID)
        if steps.integer[j]:
            term, order = members[0][0], int(terms.order[members[0][0]])
            least = total if whole[order] else -int(-orders.exact["min_fill"].fraction(order) * total // 1)
            if take[j] and total:
                expected[term] = (max(total if whole[order] else rest, least), max(1, least))
            continue
        for term, grams in members:
            if min(grams, rest) > 0:
                expected[term] = (min(grams, rest), 1)
            rest -= min(grams, rest)
    assert got.keys() == expected.keys()
    assert all(abs(got[t][0] - m) <= 1 and got[t][1] == least for t, (m, least) in expected.items())


def test_a_case_of_many_orders_is_booked_at_once(tmp_path: Path) -> None:
    """Nearly every order needs no search, and nothing is broken or lost."""
    write_case(tmp_path, Size(orders=3000, lots=120, periods=6, pools=20, seed=5), "parquet")
    problem = build_problem(read_case(tmp_path))
    compiled = compile_model(problem)
    solution = solve(compiled)
    searched: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        one = _Attempt._one
        patch.setattr(_Attempt, "_one", lambda self, i: (searched.append(i), one(self, i))[1])
        allocation, unfit = book(problem, compiled, solution)
    assert not unfit
    assert wrong(problem, allocation) == []
    assert len(searched) < 0.05 * np.count_nonzero(allocation.claimed)
    goals = [(n, goal) for n, goal in enumerate(compiled.goals) if goal.name != "tie_break"]
    for n, goal in goals:
        cost = goal.sign * (float(booked_value(problem, allocation, goal)) - solution.value(compiled, n))
        assert cost <= 1e-6 * (max(1.0, abs(solution.value(compiled, n))) + 2 * len(problem.case.orders))
