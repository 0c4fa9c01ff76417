"""How much of its claim a recipe could ever get: caps only, as if every lot were endless."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from massbalance.domain.faults import Fault
from massbalance.formulation.problem import Problem

NEARLY = 1e-9


@dataclass(frozen=True)
class Reach:
    """Greatest claim per t of each recipe, and the names of the caps that stop it.

    most: shape (R,), in the claim's unit (t per t or t CO2e per t); caps: names of binding rows.
    """

    most: npt.NDArray[np.float64]
    caps: tuple[tuple[str, ...], ...]

    def impossible(self, problem: Problem) -> npt.NDArray[np.bool_]:
        """Recipes whose claim no mix reaches. Shape (R,)."""
        need = problem.recipes.need.floats()
        return self.most < need - NEARLY * np.maximum(1.0, need)


REASON_CHECKS = ("boundary", "gas", "technical", "window", "scheme", "effect")


def missing(problem: Problem, recipe: int) -> str:
    """Why no lot serves a recipe's claim, in a planner's words (nothing is computed by a solver)."""
    case, pools, recipes = problem.case, problem.pools, problem.recipes
    limit, period = problem.limit_of(recipe), int(recipes.period[recipe])
    accepted = recipes.scheme_sets[recipes.schemes[recipe]]
    lots = pools.representative
    passed = np.ones((len(REASON_CHECKS), len(lots)), dtype=bool)
    ghg = str(recipes.claim[recipe]) in ("cfp", "reduction")
    reduction = problem.effects.reduction(lots, np.full(len(lots), limit.product)).floats()
    for n, lot in enumerate(lots):
        kind = problem.effects.kind[lot]
        area = problem.effects.boundaries.of_products(case.rules.boundary(kind))[limit.product]
        passed[0, n] = area == problem.effects.boundaries.lot[lot]
        gases = case.lots.text("gas")[lot], case.products.text("gas")[limit.product]
        passed[1, n] = gases != ("GHG", "CO2")
        passed[2, n] = _technical(problem, int(lot), kind, recipe)
        passed[4, n] = not accepted or case.lots.text("scheme")[lot] in accepted
        shares = problem.pairs.shares[n]
        share = 0 if ghg or kind != "material" else getattr(shares, str(recipes.claim[recipe]))
        passed[5, n] = reduction[n] > 0 if ghg else share > 0
    for g, pool in enumerate(pools.group_pool):
        passed[3, pool] = passed[3, pool] if g else passed[3, pool]
    alive = np.zeros(len(lots), dtype=bool)
    spans = (pools.group_first <= period) & (period <= pools.group_last)
    alive[pools.group_pool[spans]] = True
    passed[3] = alive
    if not passed[5].any():
        return "no lot carries what the claim asks for"
    useful = passed[5]
    for check, words in (
        (3, "no credit in its window: every lot that would fit comes later or has expired"),
        (4, "scheme: no lot that would fit has a scheme the customer accepts"),
        (2, f"technical limits: the alloy or process of {_product(problem, limit.product)} takes no such lot"),
        (0, "boundary: the lots that would fit belong to another accounting unit or organisation"),
        (1, "gas: GHG credits may not go to a product whose intensity is CO2 only"),
    ):
        others = [i for i in range(len(REASON_CHECKS)) if i != check]
        if (passed[others].all(axis=0) & useful).any():
            return words
    return "no lot fits: boundary, window, scheme and technical limits leave none"


def _product(problem: Problem, product: int) -> str:
    return str(problem.case.products.text("product")[product])


def _technical(problem: Problem, lot: int, kind: str, recipe: int) -> bool:
    limit = problem.limit_of(recipe)
    if kind == "material":
        return problem.case.lots.text("category")[lot] in limit.shares
    if kind == "energy":
        carrier = {"MWh": "electricity", "GJ": "heat"}[str(problem.effects.uom[lot])]
        return carrier in limit.use
    return True


def warnings(problem: Problem, reach: Reach) -> list[Fault]:
    """Claims that caps make impossible for their product: one warning for each recipe."""
    case, recipes = problem.case, problem.recipes
    stopped = np.flatnonzero(reach.impossible(problem))
    found = []
    start = problem.pair_start
    for r in stopped:
        term = int(recipes.first_term[r])
        offer = int(problem.terms.offer[term])
        table = case.orders if offer < 0 else case.offers
        row = int(problem.terms.order[term]) if offer < 0 else offer
        count = int((recipes.of_term == r).sum())
        level = problem.recipes.level.floats()[r]
        if start[r + 1] == start[r]:
            why = missing(problem, int(r))
        else:
            caps = ", ".join(reach.caps[r]) or "the lots' own shares or reductions"
            why = f"at most {reach.most[r]:.6g} of {recipes.need.floats()[r]:.6g} per t ({caps})"
        others = f" (and {count - 1} more alike)" if count > 1 else ""
        found.append(
            Fault(
                table.name, int(table.source_row[row]), "level", f"{recipes.claim[r]} {level:.6g}",
                f"a claim that the lots and caps of its product can reach{others}: {why}", "A5.1.2C", "warning",
            )
        )  # fmt: skip
    return found
