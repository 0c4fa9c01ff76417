"""The proof's files: pools and recipes, checked to be alike inside, and the duals of every goal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from massbalance.verification.facts import CARRIERS, Facts, Term
from massbalance.verification.files import Faults, exact, read_csv

DUAL = 10**12
"""Duals are integers in units of 1e-12."""
SCOPE_SETS = ("1", "2", "3", "1+2", "1+3", "2+3", "1+2+3")

Duals = dict[tuple[str, str, str], int]
"""(equation, key, index) -> dual."""


@dataclass(frozen=True)
class Groups:
    """Pools and recipes: positions of lots, and terms, that no equation tells apart."""

    pools: dict[str, list[int]]
    recipes: dict[str, list[Term]]


def read_groups(run: Path, facts: Facts, faults: Faults) -> Groups | None:
    """proof/pools.csv and recipes.csv; None, with faults, where they are incomplete or mixed."""
    before = len(faults.found)
    groups = Groups(_read_pools(run, facts, faults), _read_recipes(run, facts, faults))
    return groups if len(faults.found) == before else None


def _read_pools(run: Path, facts: Facts, faults: Faults) -> dict[str, list[int]]:
    """Pool -> its lots: every usable lot once, alike in all that enters an equation (C3)."""
    file, code, pools = "proof/pools.csv", "C3 pool_balance", defaultdict[str, list[int]](list)
    left = {lot.name: i for i, lot in enumerate(facts.lots) if lot.first <= lot.last}
    for line in read_csv(run, file, ("lot", "pool"), faults):
        lot = left.pop(line["lot"], None)
        if lot is None:
            faults.at(line, "lot", "a lot that some period can use, once", code)
            continue
        pools[line["pool"]].append(lot)
        if facts.lots[lot].traits != facts.lots[pools[line["pool"]][0]].traits:
            faults.at(line, "pool", "a pool of lots that are alike", code)
    for name in left:
        faults.add(file, None, "lot", name, "a row for this lot", code)
    for name, members in pools.items():
        first = facts.lots[min(members)].name
        if name != first:
            faults.add(file, None, "pool", name, f"the name of its first lot, {first}", code)
    return dict(pools)


def _read_recipes(run: Path, facts: Facts, faults: Faults) -> dict[str, list[Term]]:
    """Recipe -> its terms: every order and offer once, alike in limits, period, claim, schemes."""
    file, code, recipes = "proof/recipes.csv", "C10 recipe_mass", defaultdict[str, list[Term]](list)
    left = dict(facts.terms)
    for line in read_csv(run, file, ("order", "offer", "recipe"), faults):
        term = left.pop((line["order"], line["offer"]), None)
        if term is None:
            faults.at(line, "order", "an order or one of its offers, once", code)
            continue
        recipes[line["recipe"]].append(term)
        if not _alike(facts, recipes[line["recipe"]][0], term):
            faults.at(line, "recipe", "a recipe of terms that are alike", code)
    for order, offer in left:
        faults.add(file, None, "order", f"{order}/{offer}", "a row for it", code)
    for name, members in recipes.items():
        term = min(members, key=lambda t: (t.order, t.offer))
        first = facts.names[term.order] + (f"/{term.offer}" if term.offer else "")
        if name != first:
            faults.add(file, None, "recipe", name, f"the name of its first member, {first}", code)
    return dict(recipes)


def _alike(facts: Facts, a: Term, b: Term) -> bool:
    same = (a.period, a.claim, a.level, a.schemes) == (b.period, b.claim, b.level, b.schemes)
    return same and (a.product == b.product or facts.products[a.product] == facts.products[b.product])


def shared_origins(facts: Facts) -> dict[str, list[int]]:
    """Origins with two or more usable lots -> those lots."""
    found = defaultdict[str, list[int]](list)
    for i, lot in enumerate(facts.lots):
        if lot.origin and lot.first <= lot.last:
            found[lot.origin].append(i)
    return {origin: lots for origin, lots in found.items() if len(lots) > 1}


def read_duals(run: Path, facts: Facts, groups: Groups, faults: Faults) -> dict[str, Duals] | None:
    """Goal -> its duals; None, with faults, where one is below zero or belongs to no row."""
    file, code, before = "proof/duals.csv", "C15 goal_hold", len(faults.found)
    duals: dict[str, Duals] = {goal: {} for goal in facts.goals}
    origins = shared_origins(facts)
    for line in read_csv(run, file, ("goal", "equation", "key", "index", "dual"), faults):
        goal, row = line["goal"], (line["equation"], line["key"], line["index"])
        value = exact(line["dual"])
        if value is None or value < 0 or (value * DUAL).denominator != 1:
            faults.at(line, "dual", "a decimal of at least 0 with at most 12 places", code)
        elif (
            goal not in duals or row in duals[goal] or row[2] not in _rows(facts, groups, origins, goal, row)
        ):
            faults.at(line, "equation", "a row of the case's equations, once", code, f"{goal}: {row}")
        else:
            duals[goal][row] = int(value * DUAL)
    return duals if len(faults.found) == before else None


def _rows(
    facts: Facts, groups: Groups, origins: Collection[str], goal: str, row: tuple[str, str, str]
) -> Collection[str]:
    """Second index of the rows that an equation has for a key; none: no such row."""
    equation, key, _ = row
    if equation == "pool_balance":
        return facts.case.periods.position if key in groups.pools else ()
    if equation == "origin_once":
        return ("",) if key in origins else ()
    if equation == "goal_hold":
        order = list(facts.goals)
        return ("",) if key in order[: order.index(goal)] else ()
    if key not in groups.recipes:
        return ()
    limits = facts.products[groups.recipes[key][0].product]
    return {
        "claim": ("",), "mass_cap": ("",), "category_cap": limits.caps, "element_cap": limits.elements,
        "energy_cap": CARRIERS, "scope_cap": SCOPE_SETS,
    }.get(equation, ())  # fmt: skip
