"""Orders whose claim no mix reaches, however much credit there were: a common share leaves them out.

proof/out_of_reach.csv has prices of the claim and the caps (C4 to C9) of some recipes, lots being free. If no
pair of the recipe is worth anything at them, and a claimed t costs something, no t can be claimed: any
mix would have to be worth what the claim costs.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from massbalance.verification.effects import Effects
from massbalance.verification.facts import Facts
from massbalance.verification.files import OUT_OF_REACH, Faults, Lines, read_csv
from massbalance.verification.integers import Index, Mask
from massbalance.verification.matrix import Matrix, Prices
from massbalance.verification.proof import DualRows, Duals, Groups, dual_of
from massbalance.verification.strategy import C17, Strategy


def read_out_of_reach(
    run: Path, facts: Facts, effects: Effects, groups: Groups | None, faults: Faults
) -> Mask:
    """Which orders are proven to be out of reach with all their terms; shape (orders,)."""
    strategy, none = Strategy(facts), np.zeros(len(facts.mass), dtype=bool)
    if not strategy.asks("common_share"):
        if (run / OUT_OF_REACH).is_file():
            faults.add(OUT_OF_REACH, None, "", "there", "no such file: no goal asks for a common share", C17)
        return none
    lines = read_csv(run, OUT_OF_REACH, ("equation", "key", "index", "dual"), faults)
    if groups is None:
        return none
    duals, at = _read(lines, DualRows(strategy, groups), faults)
    matrix = Matrix(facts, effects, groups)
    hopeless = _proven(Prices(matrix, duals), at)
    for recipe, line in at.items():
        if not hopeless[recipe]:
            faults.at(lines, line, "key", "a recipe that these prices put out of reach", C17)
    within = ~hopeless[groups.recipe]
    return np.bincount(facts.terms.order, weights=within, minlength=len(facts.mass)) == 0


def _read(lines: Lines, rows: DualRows, faults: Faults) -> tuple[Duals, dict[int, int]]:
    """The prices, and each recipe's position -> its first line."""
    columns, duals, at = ("equation", "key", "index", "dual"), Duals(), dict[int, int]()
    position = {name: r for r, name in enumerate(rows.groups.recipes)}
    for n, (*row, text) in enumerate(zip(*(lines[c].to_pylist() for c in columns), strict=True)):
        value, (equation, key, index) = dual_of(text), row
        if value is None or value < 0:
            faults.at(lines, n, "dual", "a decimal of at least 0 with at most 12 places", C17)
        elif (equation, key, index) in duals or index not in rows.of_recipe(equation, key):
            faults.at(lines, n, "equation", "a claim or cap of a recipe, once", C17, f"{row}")
        else:
            duals[equation, key, index] = value
            at.setdefault(position[key], n)
    return duals, at


def _proven(prices: Prices, listed: dict[int, int]) -> Mask:
    """Which of the recipes that are listed are out of reach; shape (recipes,)."""
    found = np.zeros(len(prices.matrix.demand), dtype=bool)
    some: Index = np.array(sorted(listed), dtype=np.intp)
    found[some] = prices.rho[some].sign() > 0
    for pairs in prices.matrix.feasible():
        gains = prices.reduced(pairs).sign() > 0
        found[pairs.recipe[gains]] = False
    return found
