"""Robust promises against brute force, and against the model of R1 to R4 as it reads."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from massbalance.intake.read import read_case
from massbalance.robust.cuts import Oracle
from massbalance.robust.master import Master
from massbalance.robust.run import budget
from massbalance.robust.sample import Sample, build_sample
from massbalance.robust.solve import Decided, Search
from massbalance.robust.statement import state
from massbalance.scenario.futures import Future
from massbalance.scenario.futures_file import read_futures
from massbalance.solving.assembly import assemble
from massbalance.solving.compiled import Compiled
from massbalance.solving.highs import Highs
from random_cases import write_random_case
from robust_brute import Plain, best
from tests.golden.tiny import tiny

CLOSE = 1e-5
"""t: a future may lack 1e-6 of a unit at each place before a cut is added (robust.solve.VIOLATED)."""
QUARTER_STARTS = ("2026-03-01", "2026-05-01", "2026-08-01", "2026-11-01")
ENDS = ("2026-06-30", "2026-09-30", "2026-12-31", "2027-03-31")
RISKS = """
count = 12
today = 2026-01-01
[[late]]
probability = 0.3
days = { uniform = [5, 120] }
[[short]]
probability = 0.4
factor = { uniform = [0, 1] }
[[cancelled]]
probability = 0.1
[[yield]]
probability = 0.5
factor = { uniform = [0.8, 1.1] }
"""


def drawn_case(rng: random.Random) -> Plain:
    """A few lots and orders of two products in three quarters."""
    lots = {}
    for n in range(rng.randint(3, 6)):
        last = rng.choice(["", *ENDS[1:]])
        lots[f"L{n}"] = {
            "quantity": rng.randint(1, 12), "green_share": rng.choice([1, 0.6]),
            "unit_cost": rng.choice([0, 1]), "received": rng.choice(QUARTER_STARTS[:3]), "expires": last,
            "origin": rng.choice(["", "", "one", "two"]),
        }  # fmt: skip
    orders = {}
    for n in range(rng.randint(3, 6)):
        orders[f"O{n}"] = {
            "mass_t": rng.randint(2, 12), "level": rng.choice([1, 0.5]), "premium_per_t": rng.randint(1, 9),
            "firm": rng.random() < 0.6, "product": rng.choice(["bar", "rod"]), "at": rng.randrange(3),
        }  # fmt: skip
    return Plain(lots, orders, [dt.date.fromisoformat(end) for end in ENDS], {"bar": 0.9, "rod": 1.0})


def drawn_future(rng: random.Random, case: Plain, number: int) -> Future:
    """Anything may happen to a few rows."""
    late = {lot: rng.choice([40, 100, 200]) for lot in case.lots if rng.random() < 0.3}
    short = {lot: Decimal(rng.choice(["0", "0.25", "0.7"])) for lot in case.lots if rng.random() < 0.3}
    gone = tuple(sorted(order for order in case.orders if rng.random() < 0.1))
    poor = {name: Decimal(rng.choice(["0.8", "1.05"])) for name in case.rates if rng.random() < 0.3}
    return Future(number, late, short, gone, poor)


def written(case: Plain, folder: Path) -> Path:
    """The same case as files."""
    rows = {
        name: {**{k: v for k, v in order.items() if k not in ("at", "firm")},
               "period": f"Q{order['at'] + 1}", "firm": str(order["firm"]).lower()}
        for name, order in case.orders.items()
    }  # fmt: skip
    products = {name: {"t_product_per_t_input": rate} for name, rate in case.rates.items()}
    return tiny(lots=case.lots, orders=rows, products=products, quarters=len(ENDS)).write(folder)


def decided(sample: Sample, most: int) -> tuple[Decided, Search]:
    """The package's answer, without room for rounding."""
    search = Search(Master(assemble(sample.problem), sample, most), Oracle(sample))
    search.reserve = 0.0
    return search.solve(), search


def values(found: Decided, compiled: Compiled) -> list[float]:
    return [
        goal.goal.sign * (goal.minimum + float(compiled.offsets[n])) for n, goal in enumerate(found.goals)
    ]


@pytest.mark.parametrize("seed", range(16))
def test_equals_every_choice_of_broken_futures_tried(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    plain = drawn_case(rng)
    futures = [drawn_future(rng, plain, n) for n in range(1, 6)]
    case = read_case(written(plain, tmp_path / "case"))
    sample = build_sample(case, futures)
    for most in (0, 1, 2, 5):
        found, search = decided(sample, most)
        *shortfalls, margin = values(found, search.master.base)
        shortfall, outside = best(plain, futures, most)
        assert sum(shortfalls) == pytest.approx(shortfall, abs=CLOSE)
        assert margin == pytest.approx(outside, rel=CLOSE, abs=CLOSE)
        assert found.status == "optimal"
        assert (found.broken * sample.weight).sum() <= most


def by_statement(compiled: Compiled) -> list[float]:
    """Every goal but the tie-break of a model with yes/no columns, each held while the next is solved."""
    model = Highs(compiled, integers=True)
    found = []
    for n, goal in enumerate(compiled.goals[:-1]):
        model.set_costs(compiled.costs[n])
        answer = model.solve(deadline=None)
        assert answer.status == "optimal"
        found.append(goal.sign * (answer.objective + float(compiled.offsets[n])))
        model.hold(compiled.costs[n], answer.objective + 1e-7)
    return found


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("mip", [False, True])
def test_equals_the_model_as_it_reads_on_cases_of_every_feature(seed: int, mip: bool, tmp_path: Path) -> None:
    write_random_case(tmp_path / "case", 4200 + seed, mip=mip, size="small")
    (tmp_path / "futures.toml").write_text(RISKS, encoding="utf-8")
    case = read_case(tmp_path / "case")
    sample = build_sample(case, list(read_futures(tmp_path / "futures.toml", case)))
    for share in (Fraction(3, 4), Fraction(1)):
        most = budget(share, sample.count)
        found, search = decided(sample, most)
        reference = by_statement(state(sample, most))
        assert values(found, search.master.base) == pytest.approx(reference, rel=1e-5, abs=1e-5)
