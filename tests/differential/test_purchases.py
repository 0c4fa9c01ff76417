"""Purchase advice against outside optima: the plan's goals, and break-even prices from both sides.

Just below the break-even price the offer must better the outside optimum without it, just above it must not.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from massbalance.purchase.advise import Advice, advise
from massbalance.purchase.offers import read_purchases
from plain_purchase import buy_plainly
from purchase_offers import write_random_purchases
from random_cases import write_random_case

COUNTS = {"lp": 9, "mip": 10, "whole": 5, "budget": 4}
"""Kind -> how many cases: linear; offers that need a yes or no; orders that do, too; with a budget."""
KEYS = [(kind, seed) for kind, count in COUNTS.items() for seed in range(count)]
FIRST_SEED = 4000
TOLERANCE = 1e-7
NEAR = Fraction(1, 10**4)
LEAST_GAIN = 1e-6
Key = tuple[str, int]


def key_name(key: Key) -> str:
    return f"{key[0]}-{key[1]}"


def ours(kind: str, seed: int, folder: Path) -> tuple[Path, Path, Advice]:
    """A random case, random purchase offers, and the advice."""
    write_random_case(folder, FIRST_SEED + seed, mip=kind == "whole")
    file = folder.with_suffix(".offers.csv")
    write_random_purchases(folder, file, FIRST_SEED + seed, mip=kind != "lp")
    purchases = read_purchases(folder, file)
    free = advise(purchases)
    if kind != "budget":
        return folder, file, free
    return folder, file, advise(purchases, budget=Fraction(int(free.cost * 60), 100))


def questions(folder: Path, file: Path, advice: Advice) -> list[dict[str, Any]]:
    """The plan; and for each offer with a break-even price: without it, a little below, a little above."""
    budget = None if advice.budget is None else str(advice.budget)
    asked: dict[str, Any] = {"case": str(folder), "purchases": str(file), "budget": budget}
    found = [{**asked, "prices": {}, "without": []}]
    for one in advice.offers:
        worth = one.worth
        assert worth is not None
        found.append({**asked, "prices": {}, "without": [one.offer.lot]})
        if worth.break_even:
            price = Fraction(worth.break_even).limit_denominator(10**9)
            for near in (1 - NEAR, 1 + NEAR):
                prices = {one.offer.lot: str(price * near)}
                found.append({**asked, "prices": prices, "without": []})
    return found


Answers = dict[Key, tuple[Advice, list[list[float]]]]


@pytest.fixture(scope="module")
def answered(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """Key -> our advice and the plain model's answers to our questions."""
    root = tmp_path_factory.mktemp("cases")
    items = [i for i in request.session.items if isinstance(i, pytest.Function) and i.path == request.path]
    keys = [i.callspec.params["key"] for i in items if hasattr(i, "callspec")]
    if len(keys) < len(items):
        keys = KEYS  # one test is about all of them
    found = {key: ours(*key, root / key_name(key)) for key in keys}
    asked = {key: questions(*one) for key, one in found.items()}
    flat = iter(buy_plainly([one for many in asked.values() for one in many], root))
    return {key: (found[key][2], [next(flat) for _ in many]) for key, many in asked.items()}


def better(one: list[float], other: list[float], advice: Advice) -> bool:
    """Is a plan better, goal by goal: shortfalls the less, the margin the more?"""
    for goal, a, b in zip(advice.goals, one, other, strict=True):
        if abs(a - b) > LEAST_GAIN * max(1.0, abs(b)) * (0.01 if goal.name == "margin" else 10):
            return a > b if goal.name == "margin" else a < b
    return False


@pytest.mark.parametrize("key", KEYS, ids=key_name)
def test_plan_and_break_even_prices_are_those_of_outside_optima(key: Key, answered: Answers) -> None:
    advice, (plan, *rest) = answered[key]
    assert advice.status == "optimal"
    net = [goal.plan - (float(advice.cost) if goal.name == "margin" else 0.0) for goal in advice.goals]
    for goal, found, expected in zip(advice.goals, net, plan, strict=True):
        allowed = TOLERANCE * max(1.0, abs(expected)) + 2e-6 * (1 + float(advice.cost))
        assert found == pytest.approx(expected, abs=allowed), goal.name
    answers = iter(rest)
    margin = next(n for n, goal in enumerate(advice.goals) if goal.name == "margin")
    for one in advice.offers:
        worth, without = one.worth, next(answers)
        assert worth is not None
        assert bool(worth.mends) <= (without[:margin] != plan[:margin] or advice.budget is not None)
        if one.quantity > 0 and not worth.mends and advice.budget is None:
            assert worth.gain == pytest.approx(plan[margin] - without[margin], rel=1e-5, abs=1e-5)
        if worth.break_even:
            below, above = next(answers), next(answers)
            # what 1e-4 of the price saves must be seen beside the margin
            seen = worth.break_even * worth.at_quantity * float(NEAR) > 1e-7 * max(1.0, abs(without[margin]))
            assert better(below, without, advice) or not seen, (one.offer.lot, worth)
            assert not better(above, without, advice), (one.offer.lot, worth)


def test_the_cases_ask_for_all_there_is(answered: Answers) -> None:
    """Some offers are bought, some not, some mend promises, some have a price of their own."""
    worths = [(one, one.worth) for advice, _ in answered.values() for one in advice.offers]
    bought = [one for one, _ in worths if one.quantity > 0]
    priced = [(one, worth) for one, worth in worths if worth is not None and worth.break_even]
    left = [one for one, _ in priced if one.quantity == 0]
    mending = [worth for _, worth in worths if worth is not None and worth.mends]
    counts = [len(found) for found in (bought, priced, left, mending)]
    assert all(count >= least for count, least in zip(counts, (8, 8, 4, 3), strict=True)), counts
