"""How much of its claim a recipe could ever get: caps only, as if every lot were endless."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from massbalance.domain.effects import CARRIER_OF_UOM
from massbalance.domain.faults import Fault
from massbalance.formulation.problem import Problem, row_name
from massbalance.formulation.recipes import GHG_CLAIMS

NEARLY = 1e-9
NAMED = 20
"""How many orders alike a warning names one by one."""


@dataclass(frozen=True)
class Reach:
    """Greatest claim per t of each recipe, and the names of the caps that stop it.

    most: shape (R,), in the claim's unit (t per t or t CO2e per t); caps: (equation, key) of binding rows.
    """

    most: npt.NDArray[np.float64]
    caps: tuple[tuple[tuple[str, object], ...], ...]

    def impossible(self, problem: Problem) -> npt.NDArray[np.bool_]:
        """Recipes whose claim no mix reaches. Shape (R,)."""
        need = problem.recipes.need.floats()
        return self.most < need - NEARLY * np.maximum(1.0, need)


EXCUSES = {
    "window": "no credit in its window: every lot that would fit comes later or has expired",
    "scheme": "scheme: no lot that would fit has a scheme the customer accepts",
    "technical": "technical limits: its alloy or process takes no such lot",
    "boundary": "boundary: the lots that would fit belong to another accounting unit or organisation",
    "gas": "gas: GHG credits may not go to a product whose intensity is CO2 only",
}
"""What each test of "may serve" is called when it alone keeps every useful lot away."""


def _tests(problem: Problem, recipe: int) -> dict[str, npt.NDArray[np.bool_]]:
    """Every test of "may serve" for one recipe, over the pools."""
    case, pools, recipes = problem.case, problem.pools, problem.recipes
    limit, period = problem.limit_of(recipe), int(recipes.period[recipe])
    accepted = recipes.scheme_sets[recipes.schemes[recipe]]
    lots = pools.representative
    kinds, gases = problem.effects.kind[lots], case.lots.text("gas")[lots]
    own_gas = case.products.text("gas")[limit.product]
    areas = problem.effects.boundaries
    here = [areas.of_products(case.rules.boundary(kind))[limit.product] for kind in kinds]
    alive = np.zeros(len(lots), dtype=bool)
    alive[pools.group_pool[(pools.group_first <= period) & (period <= pools.group_last)]] = True
    schemes = case.lots.text("scheme")[lots]
    return {
        "window": alive,
        "scheme": np.array([not accepted or scheme in accepted for scheme in schemes], dtype=bool),
        "technical": np.array([_technical(problem, int(lot), recipe) for lot in lots], dtype=bool),
        "boundary": np.array(here, dtype=object) == areas.lot[lots],
        "gas": np.array([(gas, own_gas) != ("GHG", "CO2") for gas in gases], dtype=bool),
    }


def _useful(problem: Problem, recipe: int) -> npt.NDArray[np.bool_]:
    """Pools that carry what the recipe's claim asks for. Shape (K,)."""
    lots, claim = problem.pools.representative, str(problem.recipes.claim[recipe])
    if claim in GHG_CLAIMS:
        product = np.full(len(lots), problem.limit_of(recipe).product)
        return problem.effects.reduction(lots, product).values > 0
    shares = [getattr(s, claim) > 0 for s in problem.pairs.shares]
    return np.array(shares, dtype=bool) & problem.effects.is_material[lots]


def _useful_once(problem: Problem, recipe: int) -> bool:
    """Is there a lot that carries the claim but is usable in no period?"""
    claim, lots = str(problem.recipes.claim[recipe]), problem.case.lots
    idle = problem.pools.lot_pool < 0
    if claim in GHG_CLAIMS:
        return bool((problem.effects.unit_value.values[idle] > 0).any())
    columns = {
        "green_share": ("green_share",),
        "recycled_share": ("recycled_pre", "recycled_post"),
        "post_consumer_share": ("recycled_post",),
    }[claim]
    return any(bool((lots.exact[c].values[idle] > 0).any()) for c in columns)


def missing(problem: Problem, recipe: int) -> str:
    """Why no lot serves a recipe's claim, in a planner's words (nothing is computed by a solver)."""
    useful = _useful(problem, recipe)
    if not useful.any():
        return (
            EXCUSES["window"] if _useful_once(problem, recipe) else "no lot carries what the claim asks for"
        )
    tests = _tests(problem, recipe)
    for name, words in EXCUSES.items():
        others = [passed for other, passed in tests.items() if other != name]
        if np.logical_and.reduce([useful, *others]).any():
            return words
    return "no lot fits: boundary, window, scheme and technical limits together leave none"


def _technical(problem: Problem, lot: int, recipe: int) -> bool:
    limit, effects = problem.limit_of(recipe), problem.effects
    if effects.is_material[lot]:
        return problem.case.lots.text("category")[lot] in limit.shares
    return bool(effects.is_project[lot]) or CARRIER_OF_UOM[effects.uom[lot]] in limit.use


def warnings(problem: Problem, reach: Reach) -> list[Fault]:
    """Claims that caps make impossible for their product, order by order."""
    case, recipes = problem.case, problem.recipes
    stopped = np.flatnonzero(reach.impossible(problem))
    found = []
    start, need, levels = problem.pair_start, recipes.need.floats(), recipes.level.floats()
    for r in stopped:
        members = np.flatnonzero(recipes.of_term == r)
        if start[r + 1] == start[r]:
            why = missing(problem, int(r))
        else:
            caps = ", ".join(sorted(row_name(problem, *cap) for cap in reach.caps[r]))
            limits = caps or "the lots' own shares or reductions"
            why = f"at most {reach.most[r]:.6g} of {need[r]:.6g} per t ({limits})"
        others = f" (and {len(members) - NAMED} more alike)" if len(members) > NAMED else ""
        for term in members[:NAMED]:
            offer = int(problem.terms.offer[term])
            table = case.orders if offer < 0 else case.offers
            row = int(problem.terms.order[term]) if offer < 0 else offer
            found.append(
                Fault(
                    table=table.name,
                    row=int(table.source_row[row]),
                    column="level",
                    value=f"{recipes.claim[r]} {levels[r]:.6g}",
                    expected=f"a claim that the lots and caps of its product can reach{others}: {why}",
                    code="A5.1.2C",
                    severity="warning",
                )
            )
    return found
