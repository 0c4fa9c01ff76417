"""How much of its claim a recipe could ever get: caps only, as if every lot were endless."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from massbalance.domain.case import IndexArray
from massbalance.domain.effects import CARRIER_OF_UOM
from massbalance.domain.faults import Fault
from massbalance.formulation.problem import Problem, row_name
from massbalance.formulation.recipes import GHG_CLAIMS, Limit

NEARLY = 1e-9
CLEARLY = 1e-5
NAMED = 20
"""How many orders alike a warning names one by one."""


@dataclass(frozen=True)
class Reach:
    """Greatest claim per t of each recipe, and the names of the caps that stop it.

    most: shape (R,), in the claim's unit (t per t or t CO2e per t); caps: (equation, key) of binding rows;
    prices: what a unit of each of them adds to the claim.
    """

    most: npt.NDArray[np.float64]
    caps: tuple[tuple[tuple[str, object], ...], ...]
    prices: tuple[tuple[float, ...], ...] = ()

    def impossible(self, problem: Problem) -> npt.NDArray[np.bool_]:
        """Recipes whose claim no mix reaches. Shape (R,)."""
        need = problem.recipes.need.floats()
        return self.most < need - NEARLY * np.maximum(1.0, need)

    def out_of_reach(self, problem: Problem) -> npt.NDArray[np.bool_]:
        """Recipes whose claim no mix comes near: so clearly that prices prove it."""
        return self.most < (1.0 - CLEARLY) * problem.recipes.need.floats()

    def hopeless(self, problem: Problem) -> IndexArray:
        """Orders under the common share none of whose terms is in reach: positions, ascending."""
        out = self.out_of_reach(problem)[problem.recipes.of_term]
        in_reach = np.zeros(len(problem.case.orders), dtype=bool)
        in_reach[problem.terms.order[~out]] = True
        covered = problem.stakes.covered
        return np.asarray(covered[~in_reach[covered]], dtype=np.intp)


EXCUSES = {
    "window": "no credit in its window: every lot that would fit comes later or has expired",
    "scheme": "scheme: no lot that would fit has a scheme the customer accepts",
    "technical": "technical limits: its alloy or process takes no such lot",
    "boundary": "boundary: the lots that would fit belong to another accounting unit or organisation",
    "gas": "gas: GHG credits may not go to a product whose intensity is CO2 only",
}
"""What each test of "may serve" is called when it alone keeps every useful lot away."""


class Excuses:
    """Why no lot serves a recipe's claim. What depends on pools only is read once."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._told: dict[tuple[object, ...], str] = {}

    def missing(self, recipe: int) -> str:
        """The reason in a planner's words (nothing is computed by a solver)."""
        recipes = self.problem.recipes
        alike = (
            recipes.limit[recipe],
            recipes.period[recipe],
            recipes.schemes[recipe],
            recipes.claim[recipe],
        )
        if alike not in self._told:
            self._told[alike] = self._find(recipe)
        return self._told[alike]

    def _find(self, recipe: int) -> str:
        useful = self._useful(recipe)
        if not useful.any():
            once = _useful_once(self.problem, recipe)
            return EXCUSES["window"] if once else "no lot carries what the claim asks for"
        tests = self._tests(recipe)
        for name, words in EXCUSES.items():
            others = [passed for other, passed in tests.items() if other != name]
            if np.logical_and.reduce([useful, *others]).any():
                return words
        return "no lot fits: boundary, window, scheme and technical limits together leave none"

    @cached_property
    def _of_pools(self) -> dict[str, npt.NDArray[np.object_]]:
        """Text columns of the lots, one row for each pool."""
        lots, problem = self.problem.pools.representative, self.problem
        return {name: problem.case.lots.text(name)[lots] for name in ("gas", "scheme", "category")}

    def _tests(self, recipe: int) -> dict[str, npt.NDArray[np.bool_]]:
        """Every test of "may serve" for one recipe, over the pools."""
        case, pools, recipes = self.problem.case, self.problem.pools, self.problem.recipes
        limit, period = self.problem.limit_of(recipe), int(recipes.period[recipe])
        accepted = recipes.scheme_sets[recipes.schemes[recipe]]
        lots, of = pools.representative, self._of_pools
        own_gas = case.products.text("gas")[limit.product]
        areas = self.problem.effects.boundaries
        here = [
            areas.of_products(case.rules.boundary(kind))[limit.product]
            for kind in self.problem.effects.kind[lots]
        ]
        alive = np.zeros(len(lots), dtype=bool)
        alive[pools.group_pool[(pools.group_first <= period) & (period <= pools.group_last)]] = True
        technical = [self._technical(k, limit) for k in range(len(lots))]
        return {
            "window": alive,
            "scheme": np.array([not accepted or scheme in accepted for scheme in of["scheme"]], dtype=bool),
            "technical": np.array(technical, dtype=bool),
            "boundary": np.array(here, dtype=object) == areas.lot[lots],
            "gas": np.array([(gas, own_gas) != ("GHG", "CO2") for gas in of["gas"]], dtype=bool),
        }

    def _useful(self, recipe: int) -> npt.NDArray[np.bool_]:
        """Pools that carry what the recipe's claim asks for. Shape (K,)."""
        problem = self.problem
        lots, claim = problem.pools.representative, str(problem.recipes.claim[recipe])
        if claim in GHG_CLAIMS:
            product = np.full(len(lots), problem.limit_of(recipe).product)
            return problem.effects.reduction(lots, product).values > 0
        shares = [getattr(s, claim) > 0 for s in problem.pairs.shares]
        return np.array(shares, dtype=bool) & problem.effects.is_material[lots]

    def _technical(self, pool: int, limit: Limit) -> bool:
        effects, lot = self.problem.effects, int(self.problem.pools.representative[pool])
        if effects.is_material[lot]:
            return self._of_pools["category"][pool] in limit.shares
        return bool(effects.is_project[lot]) or CARRIER_OF_UOM[effects.uom[lot]] in limit.use


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


def warnings(problem: Problem, reach: Reach) -> list[Fault]:
    """Claims that caps make impossible for their product, order by order."""
    case, recipes = problem.case, problem.recipes
    excuses = Excuses(problem)
    by_recipe = np.argsort(recipes.of_term, kind="stable")
    start = np.searchsorted(recipes.of_term[by_recipe], np.arange(len(recipes) + 1))
    found = []
    need, levels = recipes.need.floats(), recipes.level.floats()
    for r in np.flatnonzero(reach.impossible(problem)).tolist():
        members = by_recipe[start[r] : start[r + 1]]
        if problem.pair_start[r + 1] == problem.pair_start[r]:
            why = excuses.missing(r)
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
