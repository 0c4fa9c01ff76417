"""The proof's files: pools and recipes, checked to be alike inside, and the duals of every goal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from massbalance.verification.facts import CARRIERS, Facts, Limits
from massbalance.verification.files import EXACT_TEXT, Faults, positions, read_csv
from massbalance.verification.integers import Index, which
from massbalance.verification.strategy import Strategy

DUAL_PLACES = 12
DUAL: int = 10**DUAL_PLACES
"""Duals are integers in units of 1e-12."""
SHARE_ROWS = ("minimum_service", "common_share", "no_more", "fair_share")
"""Equations of least, common and fair shares (C16 to C19)."""
SCOPE_SETS = ("1", "2", "3", "1+2", "1+3", "2+3", "1+2+3")

Duals = dict[tuple[str, str, str], int]
"""(equation, key, index) -> dual."""


@dataclass(frozen=True)
class Groups:
    """Pools and recipes: lots, and terms, that no equation tells apart.

    pools: name -> positions of its lots; recipes: name -> position of its demand, equal in all that
    matters for each of its terms; recipe: of every term, as a position in `recipes`, shape (terms,).
    """

    pools: dict[str, list[int]]
    recipes: dict[str, int]
    recipe: Index


def read_groups(run: Path, facts: Facts, faults: Faults) -> Groups | None:
    """proof/pools.csv and recipes.csv; None, with faults, where they are incomplete or mixed."""
    before = len(faults.found)
    groups = Groups(_read_pools(run, facts, faults), *_read_recipes(run, facts, faults))
    return groups if len(faults.found) == before else None


def _read_pools(run: Path, facts: Facts, faults: Faults) -> dict[str, list[int]]:
    """Pool -> its lots: every usable lot once, alike in all that enters an equation (C3)."""
    file, code, pools = "proof/pools.csv", "C3 pool_balance", defaultdict[str, list[int]](list)
    left = {lot.name: i for i, lot in enumerate(facts.lots) if lot.first <= lot.last}
    lines = read_csv(run, file, ("lot", "pool"), faults)
    for at, (name, pool) in enumerate(zip(lines["lot"].to_pylist(), lines["pool"].to_pylist(), strict=True)):
        lot = left.pop(name, None)
        if lot is None:
            faults.at(lines, at, "lot", "a lot that some period can use, once", code)
            continue
        pools[pool].append(lot)
        if facts.kind[lot] != facts.kind[pools[pool][0]]:
            faults.at(lines, at, "pool", "a pool of lots that are alike", code)
    for name in left:
        faults.add(file, None, "lot", name, "a row for this lot", code)
    for name, members in pools.items():
        first = facts.lots[min(members)].name
        if name != first:
            faults.add(file, None, "pool", name, f"the name of its first lot, {first}", code)
    return dict(pools)


def _read_recipes(run: Path, facts: Facts, faults: Faults) -> tuple[dict[str, int], Index]:
    """Recipes and each term's: every order and offer once, alike in limits, period, claim, schemes."""
    file, code, terms = "proof/recipes.csv", "C10 recipe_mass", facts.terms
    lines = read_csv(run, file, ("order", "offer", "recipe"), faults)
    term = terms.find(positions(lines["order"], facts.names), lines["offer"])
    line_of = np.full(len(terms.order), -1, dtype=np.intp)
    known = np.flatnonzero(term >= 0)[::-1]
    line_of[term[known]] = known  # the first of several stands
    once = term >= 0
    once[once] = line_of[term[once]] == np.flatnonzero(once)
    faults.where(lines, ~once, "order", "an order or one of its offers, once", code)
    lines, term = lines.take(once), term[once]
    words = pc.dictionary_encode(lines["recipe"])
    names, recipe = words.dictionary.to_pylist(), np.asarray(words.indices, dtype=np.intp)
    alike, demand = _alike(facts), terms.demand[term]
    leader, least = (np.full(len(names), len(line_of), dtype=np.intp) for _ in range(2))
    np.minimum.at(leader, recipe, np.arange(len(term)))
    np.minimum.at(least, recipe, term)
    unlike = alike[demand] != alike[demand[leader[recipe]]]
    faults.where(lines, unlike, "recipe", "a recipe of terms that are alike", code)
    for at in which(line_of < 0):
        name = f"{facts.names[int(terms.order[at])]}/{terms.offer_of(at)}"
        faults.add(file, None, "order", name, "a row for it", code)
    for name, first in zip(names, least.tolist(), strict=True):
        if name != terms.name(first):
            faults.add(file, None, "recipe", name, f"the name of its first member, {terms.name(first)}", code)
    of_term = np.full(len(line_of), -1, dtype=np.intp)
    of_term[term] = recipe
    return dict(zip(names, demand[leader].tolist(), strict=True)), of_term


def _alike(facts: Facts) -> Index:
    """A number for each demand, the same where limits, period, claim, level and schemes are."""
    limits = [_key(product) for product in facts.products]
    keys = [(limits[d.product], d.period, d.claim, d.level, d.schemes) for d in facts.terms.demands]
    at = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    return np.array([at[key] for key in keys], dtype=np.intp)


def _key(limits: Limits) -> tuple[object, ...]:
    """A product's limits as something that can be looked up."""
    return tuple(tuple(sorted(v.items())) if isinstance(v, dict) else v for v in vars(limits).values())


def shared_origins(facts: Facts) -> dict[str, list[int]]:
    """Origins with two or more usable lots -> those lots."""
    found = defaultdict[str, list[int]](list)
    for i, lot in enumerate(facts.lots):
        if lot.origin and lot.first <= lot.last:
            found[lot.origin].append(i)
    return {origin: lots for origin, lots in found.items() if len(lots) > 1}


def read_duals(run: Path, strategy: Strategy, groups: Groups, faults: Faults) -> dict[str, Duals] | None:
    """Goal -> its duals; None, with faults, where one is below zero or belongs to no row."""
    file, code, before = "proof/duals.csv", "C15 goal_hold", len(faults.found)
    duals: dict[str, Duals] = {goal: {} for goal in strategy.goals}
    rows, columns = DualRows(strategy, groups), ("goal", "equation", "key", "index", "dual")
    lines = read_csv(run, file, columns, faults)
    for at, (goal, *key, text) in enumerate(zip(*(lines[c].to_pylist() for c in columns), strict=True)):
        value, row = dual_of(text), (key[0], key[1], key[2])
        if value is None or value < 0:
            faults.at(lines, at, "dual", "a decimal of at least 0 with at most 12 places", code)
        elif goal not in duals or row in duals[goal] or row[2] not in rows.indices(goal, *row[:2]):
            faults.at(lines, at, "equation", "a row of the case's equations, once", code, f"{goal}: {row}")
        else:
            duals[goal][row] = value
    return duals if len(faults.found) == before else None


def dual_of(text: str) -> int | None:
    """A decimal in units of 1e-12; None where it is none, or finer."""
    whole, _, part = text.partition(".")
    part = part.rstrip("0")
    if len(part) > DUAL_PLACES or not EXACT_TEXT.fullmatch(text):
        return None
    return int(whole + part.ljust(DUAL_PLACES, "0"))


class DualRows:
    """The rows of a case's equations that a dual may belong to."""

    def __init__(self, strategy: Strategy, groups: Groups) -> None:
        self.strategy, self.facts, self.groups = strategy, strategy.facts, groups
        self.origins = shared_origins(self.facts)
        self.minimums = defaultdict[str, set[str]](set)
        for by, group in strategy.minimums:
            self.minimums[by].add(group)

    def indices(self, goal: str, equation: str, key: str) -> Collection[str]:
        """Second index of the rows that an equation has for a key; none: no such row."""
        if equation == "pool_balance":
            return self.facts.case.periods.position if key in self.groups.pools else ()
        if equation == "origin_once":
            return ("",) if key in self.origins else ()
        if equation == "goal_hold":
            order = list(self.strategy.goals)
            return ("",) if key in order[: order.index(goal)] else ()
        return self._of_shares(equation, key) if equation in SHARE_ROWS else self.of_recipe(equation, key)

    def _of_shares(self, equation: str, key: str) -> Collection[str]:
        """Of the rows of least, common and fair shares (C16 to C19)."""
        strategy = self.strategy
        if equation == "minimum_service":
            return self.minimums[key]
        if equation == "fair_share":
            return ("",) if key in strategy.stages else ()
        order = self.facts.case.orders.position.get(key)
        # what claims nothing, as it is out of reach, has no more than the common share either
        able = strategy.covered if equation == "common_share" else strategy.partial
        return ("",) if order is not None and able[order] else ()

    def of_recipe(self, equation: str, key: str) -> Collection[str]:
        """Of the claim and the caps of a recipe (C4 to C9)."""
        if key not in self.groups.recipes:
            return ()
        limits = self.facts.products[self.facts.terms.product_of[self.groups.recipes[key]]]
        return {
            "claim": ("",), "mass_cap": ("",), "category_cap": limits.caps, "element_cap": limits.elements,
            "energy_cap": CARRIERS, "scope_cap": SCOPE_SETS,
        }.get(equation, ())  # fmt: skip
