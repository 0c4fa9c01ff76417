"""The bound of every strategy: never below the truth for any prices, and tight for the right ones."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from massbalance.intake.read import read_case
from massbalance.verification.bound import Proof, prove
from massbalance.verification.effects import Effects
from massbalance.verification.facts import Facts
from massbalance.verification.files import Lines
from massbalance.verification.goals import Scale, Values
from massbalance.verification.integers import Wide
from massbalance.verification.orders import Booked
from massbalance.verification.proof import DUAL, Duals, Groups, shared_origins
from massbalance.verification.rows import Rows
from massbalance.verification.strategy import Strategy
from strategy_truth import (
    STRATEGIES,
    PlainStrategy,
    Stage,
    fair_rows,
    maximise,
    model_of,
    solve,
    write_strategy_case,
)

GRID = 10**6
EQUATIONS = {
    "claim": "claim", "mass": "mass_cap", "category": "category_cap", "element": "element_cap",
    "energy": "energy_cap", "minimum_service": "minimum_service", "common_share": "common_share",
    "no_more": "no_more", "fair_share": "fair_share",
}  # fmt: skip
CARRIER = {"MWh": "electricity", "GJ": "heat"}


@dataclass(frozen=True)
class Solved:
    """A random case solved plainly, and the same as the verifier reads it, booked on the grid."""

    plain: PlainStrategy
    stages: list[Stage]
    strategy: Strategy
    effects: Effects
    groups: Groups
    booked: Booked

    def unit(self, key: str) -> float:
        """What the prices of a goal are per."""
        return float(self.plain.units.get(key.split(":")[0], 1))

    def prove(self, duals: Mapping[str, Duals]) -> Proof:
        return prove(self.strategy, self.effects, self.booked, self.groups, dict(duals))


def floor(value: float) -> int:
    """Millionths, rounded down; a float a hair below a whole number counts as it."""
    return max(0, int(np.floor(value * GRID + 1e-4)))


def load(folder: Path) -> Solved | None:
    """A case as solved; None where nothing fits its least shares, or nothing is ordered."""
    plain = model_of(folder)
    found = solve(plain)
    if found is None or not found[0]:
        return None
    stages, stage_of = found
    facts = Facts(read_case(folder))
    hopeless = np.array([name in plain.hopeless for name in facts.names.to_pylist()], dtype=bool)
    strategy, effects = Strategy(facts, stage_of, hopeless), Effects(facts)
    names = [facts.terms.name(term) for term in range(len(facts.terms.order))]
    usable = [i for i, lot in enumerate(facts.lots) if lot.first <= lot.last]
    groups = Groups(
        {facts.lots[i].name: [i] for i in usable},
        dict(zip(names, facts.terms.demand.tolist(), strict=True)),
        np.arange(len(names)),
    )
    return Solved(plain, stages, strategy, effects, groups, book(plain, stages[-1].columns, facts))


def book(plain: PlainStrategy, columns: np.ndarray, facts: Facts) -> Booked:
    """Claims and rows rounded down; nothing else is taken of a booking by a proof."""
    claimed, term = np.zeros(len(facts.mass), np.int64), facts.terms.own.copy()
    by_name = {facts.terms.name(t): t for t in range(len(facts.terms.order))}
    offers = plain.case.terms()
    for one, y in zip(offers, sorted(plain.mass), strict=True):
        at, mass = by_name[one.order["order"] + (f"/{one.offer}" if one.offer else "")], floor(columns[y])
        if mass > claimed[facts.terms.order[at]]:
            claimed[facts.terms.order[at]], term[facts.terms.order[at]] = mass, at
    lot = {name: i for i, name in enumerate(facts.case.lots.position)}
    rows: dict[tuple[int, int], int] = {}
    for y, end in zip(sorted(plain.mass), [*sorted(plain.mass)[1:], 10**9], strict=True):
        order = facts.case.orders.position[plain.mass[y]["order"]]
        for name, parts in plain.uses.items():
            used = sum(floor(columns[c]) for c in parts if y < c < end)
            if used:
                rows[lot[name], order] = rows.get((lot[name], order), 0) + used
    lots, orders = (np.array([key[n] for key in rows], dtype=np.intp) for n in (0, 1))
    nought, lines = np.zeros(len(rows), np.int64), Lines("", np.zeros(0, np.int64), {})
    product = facts.terms.product_of[facts.terms.demand[term[orders]]]
    kind, quantity = facts.kind[lots], np.array(list(rows.values()), dtype=np.int64)
    found = Rows(lines, lots, term[orders], kind, orders, product, quantity, nought, [nought] * 3)
    return Booked(found, lines, claimed, term, Wide.of(np.zeros(len(claimed), np.int64)))


def duals_of(solved: Solved, stage: Stage) -> Duals:
    """A stage's prices as the proof names rows: of single lots and terms; of a share per t that it is of."""
    out, scopes = dict[tuple[str, str, str], float](), dict[str, dict[int, float]]()
    for label, price in stage.prices.items():
        equation, _, inside = label[:-1].partition("[")
        key, _, index = inside.partition(",")
        if equation == "goal_hold":
            out["goal_hold", key, ""] = price / solved.unit(key)
        elif equation == "scope":
            scopes.setdefault(key.removesuffix("/"), {})[int(index)] = price
        elif equation in EQUATIONS:
            out[EQUATIONS[equation], key.removesuffix("/"), CARRIER.get(index, index)] = price
    out |= of_lots(solved, stage.prices)
    for key, of_scope in scopes.items():
        # nested sets, each at what it costs more than the next: a lot pays the least of its scopes
        falling = sorted(((of_scope.get(s, 0.0), s) for s in (1, 2, 3)), reverse=True)
        for n in range(3):
            more = falling[n][0] - (falling[n + 1][0] if n < 2 else 0.0)
            out["scope_cap", key, "+".join(str(s) for s in sorted(s for _, s in falling[: n + 1]))] = more
    unit = solved.unit(stage.key)
    return {row: round(price * unit * DUAL) for row, price in out.items() if price > 0}


def of_lots(solved: Solved, prices: Mapping[str, float]) -> dict[tuple[str, str, str], float]:
    """Prices of lots (a pool each, the same in every period) and of origins."""
    facts, out = solved.strategy.facts, dict[tuple[str, str, str], float]()
    supply = {name: prices.get(f"supply[{name}]", 0.0) for name in solved.groups.pools}
    for origin, shared in shared_origins(facts).items():
        out["origin_once", origin, ""] = prices.get(f"origin[{origin}]", 0.0)
        assert len(shared) > 1
    for lot in facts.lots:
        if lot.name in supply and lot.origin and lot.quantity:
            supply[lot.name] += prices.get(f"origin[{lot.origin}]", 0.0) * GRID / lot.quantity
    for lot, price in supply.items():
        for period in facts.case.periods.position:
            out["pool_balance", lot, period] = price
    return out


@cache
def solved(folder: Path, seed: int, strategy: str, mip: bool) -> Solved | None:
    write_strategy_case(folder / f"{strategy}-{seed}-{mip}", seed, strategy, mip=mip)
    return load(folder / f"{strategy}-{seed}-{mip}")


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("strategies")


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_right_prices_prove_every_stage(strategy: str, cases: Path) -> None:
    """Plain LPs' duals bound every goal within what the grid costs, and settle every group."""
    proven = 0
    for seed in range(9):
        case = solved(cases, seed, strategy, False)
        if case is None:
            continue
        proof = case.prove({stage.key: duals_of(case, stage) for stage in case.stages})
        assert [goal.key for goal in proof.goals] == list(case.strategy.goals)
        for goal, stage in zip(proof.goals, case.stages, strict=True):
            assert goal.gap >= -goal.tolerance, (seed, goal.key)  # rounded down here without repair
            assert goal.proven, (seed, goal.key, float(goal.gap), float(goal.tolerance))
            told = Scale(case.strategy).told(case.strategy.goals[goal.key], Fraction(stage.value))
            assert abs(goal.bound - told) <= goal.tolerance + abs(told) / 10**6, (seed, goal.key)
        for one in proof.settled:
            assert one.most - one.booked <= one.tolerance, (seed, one)
        proven += 1
    assert proven >= 5


def pooled(case: Solved) -> Groups:
    """Lots that are alike in one pool, terms alike in one recipe, as a run has them."""
    facts, pools = case.strategy.facts, dict[int, list[int]]()
    for i, lot in enumerate(facts.lots):
        if lot.first <= lot.last:
            pools.setdefault(int(facts.kind[i]), []).append(i)
    demands = list(dict.fromkeys(facts.terms.demand.tolist()))
    recipe = np.array([demands.index(d) for d in facts.terms.demand.tolist()], dtype=np.intp)
    names = [facts.terms.name(int(np.flatnonzero(recipe == r)[0])) for r in range(len(demands))]
    by_lot = {facts.lots[lots[0]].name: lots for lots in pools.values()}
    return Groups(by_lot, dict(zip(names, demands, strict=True)), recipe)


def any_duals(case: Solved, groups: Groups, rng: random.Random) -> dict[str, Duals]:
    """Random duals for every kind of row of every goal."""
    strategy, facts, out = case.strategy, case.strategy.facts, dict[str, Duals]()
    keys = list(strategy.goals)
    for n, goal in enumerate(keys):
        rows = [("goal_hold", h, "") for h in keys[:n]]
        rows += [("pool_balance", pool, t) for pool in groups.pools for t in facts.case.periods.position]
        rows += [("origin_once", origin, "") for origin in shared_origins(facts)]
        rows += [("minimum_service", *least) for least in strategy.minimums]
        rows += [("fair_share", name, "") for name in strategy.stages]
        for at in np.flatnonzero(strategy.covered):
            rows += [(row, str(facts.names[int(at)]), "") for row in ("common_share", "no_more")]
        for name, demand in groups.recipes.items():
            limits = facts.products[facts.terms.demands[demand].product]
            rows += [("claim", name, ""), ("mass_cap", name, "")]
            rows += [("category_cap", name, c) for c in limits.caps]
            rows += [("element_cap", name, e) for e in limits.elements]
            rows += [("energy_cap", name, c) for c in limits.use]
            rows += [("scope_cap", name, s) for s in ("1", "2", "3", "1+2", "1+2+3")]
        size = 10 ** rng.randrange(9, 15)
        out[goal] = {row: rng.randrange(size) for row in rows if rng.random() < 0.5}
    return out


def shaken(duals: Duals, rng: random.Random) -> Duals:
    """Right duals, spoilt here and there."""
    return {row: int(dual * rng.choice([0, 0.5, 0.99, 1, 1, 1, 1, 1.01, 2])) for row, dual in duals.items()}


def truth(case: Solved, stage: int) -> float | None:
    """The best that nothing can beat which is as good as what was booked up to a stage (maximised)."""
    plain, strategy, claimed = case.plain, case.strategy, case.booked.claimed
    values = Values(strategy, case.effects, case.booked).by_goal
    key = case.stages[stage].key
    theta = {word: {column: Fraction(1)} for word, column in plain.theta.items()}
    columns = {goal.key: goal.columns for goal in plain.goals} | {"fair_share": theta.get("fair_share", {})}
    by_name = dict(zip(facts_names(case), claimed.tolist(), strict=True))
    settled = {}
    if plain.groups:
        free = dict(zip(strategy.fair.names, strategy.free(key), strict=True))
        mine = plain.by(str(plain.objective.get("by", "customer")))
        settled = {n: Fraction(sum(by_name[o] for o in mine[n]), GRID) for n in free if not free[n]}
    rows = fair_rows(plain, settled)
    for one in case.stages[:stage]:
        goal = columns[one.key.split(":")[0] if one.key.startswith("fair") else one.key]
        rows.append(("goal_hold[]", {c: -v for c, v in goal.items()}, -values[one.key]))
    kept = list(plain.model.rows)
    for n, (label, terms, rhs) in enumerate(kept):
        if label.startswith("minimum_service["):
            by, _, name = label[len("minimum_service[") : -1].partition(",")
            booked = Fraction(sum(by_name[o] for o in plain.by(by)[name]), GRID)
            plain.model.rows[n] = (label, terms, -min(-rhs, booked))
    found = maximise(plain, columns[key.split(":")[0] if key.startswith("fair") else key], rows)
    plain.model.rows = kept
    return None if found is None else found[0]


def facts_names(case: Solved) -> list[str]:
    return [str(name) for name in case.strategy.facts.names.to_pylist()]


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("mip", [False, True])
def test_no_prices_prove_less_than_the_truth(strategy: str, mip: bool, cases: Path) -> None:
    """Whatever the duals, the bound is no lower than the best of all that is as good as booked before."""
    compared = 0
    for seed in range(6):
        case, rng = solved(cases, seed, strategy, mip), random.Random(seed)
        if case is None:
            continue
        best = [truth(case, n) for n in range(len(case.stages))]
        right = {stage.key: duals_of(case, stage) for stage in case.stages}
        tries: list[Proof] = []
        for _ in range(4):
            tries.append(case.prove({key: shaken(duals, rng) for key, duals in right.items()}))
            groups = pooled(case)
            duals = any_duals(case, groups, rng)
            tries.append(prove(case.strategy, case.effects, case.booked, groups, duals))
        for proof in tries:
            for goal, value in zip(proof.goals, best, strict=True):
                if value is not None:
                    scale = Scale(case.strategy)
                    told = scale.told(case.strategy.goals[goal.key], Fraction(value))
                    below = told - goal.bound if goal.gap == goal.bound - goal.booked else goal.bound - told
                    assert below <= max(1, abs(value)) * 1e-7, (seed, goal.key, value, float(goal.bound))
                    compared += 1
    assert compared > 50
