"""`why` in orders.csv: what stopped each order, in a planner's words."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from massbalance.domain.grid import GRID
from massbalance.domain.result import Allocation
from massbalance.formulation.possible import Reach, missing
from massbalance.formulation.problem import CAPS, Problem, recipe_of, row_key
from massbalance.solving.compiled import Compiled
from massbalance.solving.lexicographic import Solution

Floats = npt.NDArray[np.float64]
ROUNDING_G = 10_000
"""Up to this much short (10 kg) of an order that the optimum fills is put down to booking."""


class Reasons:
    """What the solution says about recipes, computed once."""

    def __init__(self, problem: Problem, compiled: Compiled, solution: Solution, reach: Reach) -> None:
        self.problem, self.compiled = problem, compiled
        self.reach = reach
        self.impossible = reach.impossible(problem)
        self.wanted = solution.columns[compiled.step] if len(compiled.step) else np.zeros(0)
        self.margin = next(
            (s.row_dual for s in solution.stages if s.goal.name == "margin" and s.row_dual is not None), None
        )
        self.rows: dict[int, list[tuple[str, object, int]]] = {}
        for i, (equation, key) in enumerate(compiled.rows):
            if equation in CAPS:
                self.rows.setdefault(recipe_of(key), []).append((equation, key, i))
        self.cost = self._credit_cost()
        orders = problem.case.orders
        self.need, self.mass = problem.recipes.need.floats(), orders.floats("mass_t")
        self.firm, self.whole = orders.flag("firm"), orders.flag("whole")
        self.start = problem.pair_start

    def _credit_cost(self) -> Floats:
        """What the credits of one claimed tonne are worth elsewhere (at the margin's prices)."""
        recipes = len(self.problem.recipes)
        if self.margin is None or recipes == 0:
            return np.zeros(recipes)
        keep = np.array([equation != "recipe_mass" for equation, _ in self.compiled.rows])
        price = np.where(keep, self.margin, 0.0)
        column = self.compiled.matrix.T @ price
        return np.asarray(column)[self.compiled.y]

    def binding(self, recipe: int) -> str:
        """The caps that bind for a recipe, in words."""
        found = []
        for equation, key, i in self.rows.get(recipe, ()):
            if self.margin is not None and self.margin[i] > 1e-7:
                found.append(_cap_words(equation, row_key(self.problem, equation, key)))
        return ", ".join(dict.fromkeys(found))

    def of_term(self, term: int, claimed: int, mass: int) -> str:
        """Why a term got less than its order's mass."""
        problem = self.problem
        recipe, step = int(problem.recipes.of_term[term]), int(problem.steps.of_term[term])
        if self.impossible[recipe]:
            if self.start[recipe] == self.start[recipe + 1]:
                return missing(problem, recipe)
            words = [_cap_words(e, row_key(problem, e, key)) for e, key in self.reach.caps[recipe]]
            need = self.need[recipe]
            limits = ", ".join(dict.fromkeys(words)) or "what the lots carry"
            return (
                f"claim out of reach: at most {self.reach.most[recipe]:.4g} of {need:.4g} per t, by {limits}"
            )
        if self.mass[problem.terms.order[term]] == 0:
            return ""
        full = self.wanted[step] >= problem.steps.upper[step] * (1 - LEVEL_PRICE)
        if (claimed or full) and mass - claimed <= ROUNDING_G and self.wanted[step] * GRID >= claimed:
            return "rounding to whole grams"
        return self._competition(term, recipe, step, claimed)

    def _competition(self, term: int, recipe: int, step: int, claimed: int) -> str:
        problem = self.problem
        order, premium = int(problem.terms.order[term]), float(problem.steps.premium[step])
        firm = bool(self.firm[order])
        least = "the whole order" if self.whole[order] else "its minimum fill"
        worth = float(self.cost[recipe])
        caps = self.binding(recipe)
        beside = f"; also binding: {caps}" if caps else ""
        if self.margin is None:
            return "not decided: the run stopped at a limit before the margin was optimised"
        if problem.steps.integer[step] and not claimed and firm:
            return f"firm, but the credits left do not make up {least}, or another order's{beside}"
        if firm and problem.case.goals[0] == "firm_shortfall":
            return f"firm, but no credit left in its window{beside}"
        well_paid = premium > worth + LEVEL_PRICE * max(1.0, abs(worth))
        if problem.steps.integer[step] and not claimed and well_paid:
            return f"the credits left do not make up {least}, or another offer pays more{beside}"
        if premium < worth - LEVEL_PRICE * max(1.0, abs(worth)) and not claimed:
            return (
                f"price below others: the credits for a tonne cost, or bring elsewhere, {worth:.2f}; "
                f"its premium is {premium:.2f}{beside}"
            )
        return f"no credit left in its window at this price (premium {premium:.2f} per t){beside}"


UNFIT = "no whole grams fit between its claim and its caps"
LEVEL_PRICE = 1e-7
"""Prices this close, relative, are equal."""


def _cap_words(equation: str, key: tuple[str, ...]) -> str:
    """A cap as planners call it."""
    detail = key[-1]
    return {
        "mass_cap": "the mass of the order itself",
        "category_cap": f"alloy limit for {detail}",
        "element_cap": f"alloy limit by {detail}",
        "energy_cap": f"{detail} use of the product",
        "scope_cap": f"scope {detail} cap",
    }[equation]


def reasons(
    problem: Problem,
    compiled: Compiled,
    solution: Solution,
    reach: Reach,
    allocation: Allocation,
    unfit: frozenset[int] = frozenset(),
) -> list[str]:
    """One text for each order; empty where all of it is claimed.

    unfit: terms for which no whole grams fit between claim and caps.
    """
    about = Reasons(problem, compiled, solution, reach)
    mass = problem.case.orders.grid("mass_t")
    terms_of: dict[int, list[int]] = {}
    for t, order in enumerate(problem.terms.order):
        terms_of.setdefault(int(order), []).append(t)
    found = []
    for order in range(len(mass)):
        claimed, whole = int(allocation.claimed[order]), int(mass[order])
        if claimed >= whole:
            found.append("")
            continue
        terms = terms_of[order]
        if claimed:
            terms = [t for t in terms if problem.terms.offer[t] == allocation.taken[order]]
        words = dict.fromkeys(UNFIT if t in unfit else about.of_term(t, claimed, whole) for t in terms)
        found.append("; or ".join(words))
    return found
