"""The bound is the formula of weak duality, holds for any duals, and is fast."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from handmade import MODELS
from massbalance.intake.read import read_case
from massbalance.verification.bound import prove
from massbalance.verification.effects import Effects
from massbalance.verification.facts import Facts, Lot
from massbalance.verification.files import Faults, Lines
from massbalance.verification.goals import GoalProof
from massbalance.verification.integers import Wide
from massbalance.verification.orders import Booked, check_orders
from massbalance.verification.proof import (
    DUAL,
    SCOPE_SETS,
    Duals,
    Groups,
    read_duals,
    read_groups,
    shared_origins,
)
from massbalance.verification.rows import Rows, check_allocation
from massbalance.verification.strategy import Strategy
from massbalance.verification.terms import GHG_CLAIMS, SHARE_CLAIMS, Demand
from runs import SETTINGS

RULES = (MODELS / "jaa-2026.toml").read_bytes()


@dataclass(frozen=True)
class Loaded:
    """What the verifier takes from a sound run."""

    facts: Facts
    effects: Effects
    booked: Booked
    groups: Groups

    def prove(self, duals: dict[str, Duals]) -> list[GoalProof]:
        return prove(Strategy(self.facts), self.effects, self.booked, self.groups, duals).goals


def load(run: Path) -> Loaded:
    faults = Faults()
    facts = Facts(read_case(run / "case", rule_source=RULES))
    effects = Effects(facts)
    booked = check_orders(run, facts, effects, check_allocation(run, facts, effects, faults), faults)
    groups = read_groups(run, facts, faults)
    assert booked is not None
    assert groups is not None
    assert not faults.found
    return Loaded(facts, effects, booked, groups)


def nothing_booked(facts: Facts) -> Booked:
    """No rows, nothing claimed."""
    none, lines, terms = np.zeros(0, np.int64), Lines("", np.zeros(0, np.int64), {}), facts.terms
    rows = Rows(lines, none, none, none, none, none, none, none, [none, none, none])
    nought = np.zeros(len(facts.mass), np.int64)
    return Booked(rows, lines, nought, terms.own, Wide.of(nought))


def some_duals(facts: Facts, groups: Groups, rng: random.Random) -> dict[str, Duals]:
    """Random duals for every kind of row."""
    goals = list(Strategy(facts).goals)
    out: dict[str, Duals] = {}
    for n, goal in enumerate(goals):
        rows = [("goal_hold", h, "") for h in goals[:n]]
        rows += [("pool_balance", pool, t) for pool in groups.pools for t in facts.case.periods.position]
        rows += [("origin_once", origin, "") for origin in shared_origins(facts)]
        for name, demand in groups.recipes.items():
            limits = facts.products[facts.terms.demands[demand].product]
            rows += [("claim", name, ""), ("mass_cap", name, "")]
            rows += [("category_cap", name, c) for c in limits.caps]
            rows += [("element_cap", name, e) for e in limits.elements]
            rows += [("energy_cap", name, c) for c in limits.use]
            rows += [("scope_cap", name, s) for s in SCOPE_SETS]
        size = 10 ** rng.randrange(10, 16)
        out[goal] = {row: rng.randrange(size) for row in rows if rng.random() < 0.6}
    return out


def fraction(facts: Facts, value: int) -> Fraction:
    return Fraction(value, facts.scale)


def plain_reduction(facts: Facts, lot: Lot, product: int) -> int:
    """max(0, min(D_l, d_p) - intensity), scaled."""
    traits, limits = lot.traits, facts.products[product]
    other = limits.factor[traits.carrier] if traits.carrier else limits.metal
    if traits.kind == "project":
        return facts.scale
    if None in (traits.displaced, traits.intensity, other):
        return 0
    return max(0, min(traits.displaced, other) - traits.intensity)


def may_serve(facts: Facts, lot: Lot, demand: Demand) -> bool:
    """May the lot serve the demand?"""
    traits, limits = lot.traits, facts.products[demand.product]
    return (
        lot.first <= demand.period <= lot.last
        and (not demand.schemes or traits.scheme in demand.schemes)
        and limits.areas[traits.area[0]] == traits.area[1]
        and (traits.gas, limits.gas) != ("GHG", "CO2")
        and (traits.kind != "material" or traits.category in limits.caps)
        and (not traits.carrier or limits.use[traits.carrier] > 0)
    )


def plain_cost(facts: Facts, lot: Lot, demand: Demand, price: dict[tuple[str, str], Fraction]) -> Fraction:
    """What the recipe's rows say of one unit of the lot in a recipe of the demand, without its supply."""
    traits, limits, wt = lot.traits, facts.products[demand.product], dict(lot.traits.wt)
    reduction = fraction(facts, plain_reduction(facts, lot, demand.product))
    rate = fraction(facts, limits.rate)
    share = dict(zip(SHARE_CLAIMS, traits.shares, strict=True)).get(demand.claim, 0)
    claimed = reduction if demand.claim in GHG_CLAIMS else rate * fraction(facts, share)
    cost = price.get(("claim", ""), 0) * claimed
    if traits.kind == "material":
        cost -= rate * (price.get(("mass_cap", ""), 0) + price.get(("category_cap", traits.category), 0))
        for element, (_, base) in limits.elements.items():
            if element in wt:
                delta = fraction(facts, wt[element] - base)
                cost -= rate * delta * price.get(("element_cap", element), 0)
    cost -= price.get(("energy_cap", traits.carrier), 0)
    for scopes in SCOPE_SETS:
        if traits.scopes <= {int(s) for s in scopes.split("+")}:
            cost -= reduction * price.get(("scope_cap", scopes), 0)
    return cost


def plain_room(facts: Facts, demand: Demand, price: dict[tuple[str, str], Fraction]) -> Fraction:
    """What one t of claimed mass costs by the recipe's rows."""
    limits = facts.products[demand.product]
    room = {("claim", ""): -facts.need(demand), ("mass_cap", ""): facts.scale}
    room |= {("category_cap", c): share for c, share in limits.caps.items()}
    room |= {("element_cap", e): most - base for e, (most, base) in limits.elements.items()}
    room |= {("energy_cap", c): use for c, use in limits.use.items()}
    room |= {("scope_cap", s): sum(limits.scopes[int(i) - 1] for i in s.split("+")) for s in SCOPE_SETS}
    return -sum((dual * fraction(facts, room[row]) for row, dual in price.items()), Fraction(0))


def plain_bound(facts: Facts, groups: Groups, duals: Duals, goal: str, held: dict[str, Fraction]) -> Fraction:
    """The bound, pair by pair, in fractions: of the maximised goal, without the rounding of books."""
    price = {row: Fraction(dual, DUAL) for row, dual in duals.items()}
    weight = {h: price.get(("goal_hold", h, ""), Fraction(0)) for h in held} | {goal: Fraction(1)}
    margin, total = weight.get("margin", Fraction(0)), Fraction(0)
    periods = list(facts.case.periods.position)
    worth = {}
    for pool, lots in groups.pools.items():
        for i in lots:
            lot = facts.lots[i]
            prices = [price.get(("pool_balance", pool, t), 0) for t in periods[lot.first : lot.last + 1]]
            worth[i] = Fraction(lot.quantity, 10**6) * max(prices)
    for origin, lots in shared_origins(facts).items():
        omega = price.get(("origin_once", origin, ""), Fraction(0))
        total += omega + sum(max(Fraction(0), worth.pop(i) - omega) for i in lots)
    total += sum(worth.values())
    best, terms = [Fraction(0)] * len(facts.names), facts.terms
    for r, (name, at) in enumerate(groups.recipes.items()):
        demand = terms.demands[at]
        own = {(e, i): dual for (e, key, i), dual in price.items() if key == name and e != "pool_balance"}
        own.pop(("goal_hold", ""), None)
        for term in np.flatnonzero(groups.recipe == r):
            order = terms.order[term]
            value = margin * fraction(facts, int(terms.premium[term])) - plain_room(facts, demand, own)
            if facts.firm[order]:
                value += weight.get(f"firm_shortfall:{facts.priority[order]}", 0)
            best[order] = max(best[order], value)
        for pool, lots in groups.pools.items():
            able = [facts.lots[i] for i in lots if may_serve(facts, facts.lots[i], demand)]
            if able:
                cost = plain_cost(facts, able[0], demand, own)
                cost -= price.get(("pool_balance", pool, periods[demand.period]), 0)
                cost -= margin * fraction(facts, able[0].traits.cost)
                total += max(Fraction(0), cost) * Fraction(sum(lot.quantity for lot in able), 10**6)
    total += sum(value * Fraction(mass, 10**6) for value, mass in zip(best, facts.mass.tolist(), strict=True))
    return total - sum(weight[h] * value for h, value in held.items())


def maximised(facts: Facts, proof: GoalProof, value: Fraction) -> Fraction:
    """A shortfall as the mass that is claimed."""
    if proof.name == "margin":
        return value
    return Fraction(facts.firm_mass(proof.priority), 10**6) - value


@pytest.mark.parametrize("name", ["scarce", "mixed"])
@pytest.mark.parametrize("seed", range(5))
def test_bound_is_the_formula(name: str, seed: int, request: pytest.FixtureRequest) -> None:
    run = load(request.getfixturevalue(name))
    facts, groups = run.facts, run.groups
    duals = some_duals(facts, groups, random.Random(seed))
    proofs = replace(run, booked=nothing_booked(facts)).prove(duals)
    held: dict[str, Fraction] = {}
    for goal, proof in zip(Strategy(facts).goals, proofs, strict=True):
        expected = plain_bound(facts, groups, duals[goal], goal, held)
        assert maximised(facts, proof, proof.bound) == expected
        held[goal] = maximised(facts, proof, proof.booked)


@pytest.mark.parametrize("name", ["scarce", "mixed"])
def test_no_duals_whatever_put_the_bound_below_what_was_booked(
    name: str, request: pytest.FixtureRequest
) -> None:
    run = load(request.getfixturevalue(name))
    for seed in range(40):
        proofs = run.prove(some_duals(run.facts, run.groups, random.Random(seed)))
        assert all(proof.gap >= 0 for proof in proofs)


def test_right_duals_prove_the_optimum_to_the_last_digit(scarce: Path) -> None:
    run = load(scarce)
    duals = read_duals(scarce, Strategy(run.facts), run.groups, Faults())
    assert duals is not None
    proofs = run.prove(duals)
    assert [(p.name, p.priority, p.booked, p.bound, p.mip) for p in proofs] == [
        ("firm_shortfall_t", 1, 0, 0, False),
        ("firm_shortfall_t", 2, 50, 50, False),
        ("margin", None, 7000, 7000, False),
    ]
    assert all(p.proven for p in proofs)


def test_fifty_thousand_pairs_in_three_seconds(tmp_path: Path) -> None:
    case = tmp_path / "case"
    case.mkdir()
    pools, recipes = 250, 200
    lots = "".join(f"L{i},material,green,S1,2025-04-02,{i + 1},t,0.{i + 100},{i}\n" for i in range(pools))
    orders = "".join(f"O{i},c,X,P1,1,green_share,0.{i + 100},{i}\n" for i in range(recipes))
    tables = {
        "periods": "period,start,end\nP1,2025-04-01,2025-06-30\n",
        "sites": "site,unit\nS1,U1\n",
        "lots": f"lot,kind,category,site,received,quantity,uom,green_share,unit_cost\n{lots}",
        "alloys": "alloy,category,max_share\n6063,green,0.9\n",
        "products": "product,name,alloy,site,s1,s2,s3\nX,billet,6063,S1,1,1,8\n",
        "production": "product,period,mass_t\nX,P1,1000\n",
        "orders": f"order,customer,product,period,mass_t,claim,level,premium_per_t\n{orders}",
    }
    (case / "case.toml").write_text(SETTINGS, encoding="utf-8")
    for table, text in tables.items():
        (case / f"{table}.csv").write_text(text, encoding="utf-8")
    facts = Facts(read_case(case, rule_source=RULES))
    groups = Groups(
        {lot.name: [i] for i, lot in enumerate(facts.lots)},
        dict(zip(facts.names.to_pylist(), facts.terms.demand.tolist(), strict=True)),
        np.arange(recipes),
    )
    run = Loaded(facts, Effects(facts), nothing_booked(facts), groups)
    duals = some_duals(facts, groups, random.Random(1))
    begun = time.process_time()
    proofs = run.prove(duals)
    assert time.process_time() - begun < 3
    assert proofs[0].gap >= 0
