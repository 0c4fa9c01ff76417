"""proof/: what `massbalance verify` needs to prove the bound without a solver."""

from __future__ import annotations

import numpy as np

from massbalance.domain.texts import TextTable, decimal_texts, pick, strings, text
from massbalance.formulation.problem import Problem
from massbalance.solving.duals import DUAL_DECIMALS, Duals


def proof_files(problem: Problem, duals: Duals, stages: list[int]) -> dict[str, TextTable]:
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
    return files
