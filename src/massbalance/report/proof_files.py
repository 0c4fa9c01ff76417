"""proof/: what `massbalance verify` needs to prove the bound without a solver."""

from __future__ import annotations

import numpy as np

from massbalance.domain.texts import TextTable, decimal_texts, pick, strings, text
from massbalance.formulation.problem import Problem
from massbalance.solving.duals import DUAL_DECIMALS, Duals


def proof_files(problem: Problem, duals: Duals) -> dict[str, TextTable]:
    """File name -> table: which lots and orders are alike, and the prices of every goal."""
    case, pools, terms = problem.case, problem.pools, problem.terms
    usable = np.flatnonzero(pools.lot_pool >= 0)
    return {
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
