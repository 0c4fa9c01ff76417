"""proof/: what `massbalance verify` needs to prove the bound without a solver."""

from __future__ import annotations

import numpy as np

from massbalance.domain.texts import TextTable, decimal_texts, pick, strings, text
from massbalance.formulation.possible import Reach
from massbalance.formulation.problem import Problem
from massbalance.solving.duals import DUAL_DECIMALS, Duals

SPARE = 1e-6
"""What a t of lots pays on top, as a part of the claim: far less than `possible.CLEARLY` leaves."""
CLAIM_PRICE = 1.0 - 1e-6
"""Price of a claim in the proof that it is out of reach: rounding then makes no pair worth having."""


def proof_files(problem: Problem, duals: Duals, stages: list[int], reach: Reach) -> dict[str, TextTable]:
    """File name -> table: which lots and orders are alike, and the prices of every goal.

    stages: of a fair share, the stage in which each group was held; none where there is no such goal.
    """
    case, pools, terms = problem.case, problem.pools, problem.terms
    usable = np.flatnonzero(pools.lot_pool >= 0)
    files = {
        "proof/recipes.csv": TextTable(
            {
                "order": pick(text(case.orders, "order"), terms.order),
                "offer": pick(text(case.offers, "offer"), terms.offer),
                "recipe": pick(strings(problem.recipes.ids), problem.recipes.of_term),
            }
        ),
        "proof/pools.csv": TextTable(
            {
                "lot": pick(text(case.lots, "lot"), usable),
                "pool": pick(strings(pools.ids), pools.lot_pool[usable]),
            }
        ),
        "proof/duals.csv": TextTable(
            {
                "goal": strings(duals.goal),
                "equation": strings(duals.equation),
                "key": strings(duals.key),
                "index": strings(duals.index),
                "dual": decimal_texts(duals.value, DUAL_DECIMALS),
            },
            frozenset({"dual"}),
        ),
    }
    if "fair_share" in case.objective.order:
        names = [group.name for group in problem.stakes.groups]
        columns = {"group": strings(names), "stage": strings([str(stage) for stage in stages])}
        files["proof/fair_share.csv"] = TextTable(columns, frozenset({"stage"}))
    if "common_share" in case.objective.order:
        files["proof/out_of_reach.csv"] = _out_of_reach(problem, reach)
    return files


def _out_of_reach(problem: Problem, reach: Reach) -> TextTable:
    """Prices of the claim and the caps of each recipe that keeps an order out of the common share: at them
    the claim asks for more than the caps allow.
    """
    orders = np.isin(problem.terms.order, reach.hopeless(problem))
    found: dict[tuple[str, str, str], int] = {}
    need = problem.recipes.need.floats()
    for recipe in np.unique(problem.recipes.of_term[orders]).tolist():
        name = problem.recipes.ids[recipe]
        found["claim", name, ""] = _scaled(CLAIM_PRICE)
        for (equation, key), price in zip(reach.caps[recipe], reach.prices[recipe], strict=True):
            parts = problem.names.key(equation, key)
            found[equation, parts[0], parts[1] if len(parts) > 1 else ""] = _scaled(price)
        # rounded up, an element's price would pay a lot that dilutes it: every lot pays a little more
        found["mass_cap", name, ""] = found.get(("mass_cap", name, ""), 0) + _scaled(SPARE * need[recipe])
    rows = [(*key, price) for key, price in sorted(found.items())]
    columns = {
        name: strings([str(row[n]) for row in rows]) for n, name in enumerate(("equation", "key", "index"))
    }
    prices = np.array([row[3] for row in rows], dtype=object)
    return TextTable({**columns, "dual": decimal_texts(prices, DUAL_DECIMALS)}, frozenset({"dual"}))


def _scaled(price: float) -> int:
    return int(np.ceil(price * 10.0**DUAL_DECIMALS))
