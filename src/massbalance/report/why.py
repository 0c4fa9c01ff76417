"""`why` in orders.csv: what stopped each order, in a planner's words.

Orders that differ in nothing a text says have one text: it is made once and handed to all of them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from massbalance.domain.case import IndexArray
from massbalance.domain.grid import GRID
from massbalance.domain.result import Allocation
from massbalance.domain.texts import Strings, pick, strings
from massbalance.formulation.possible import Excuses, Reach
from massbalance.formulation.problem import CAPS, Problem
from massbalance.report.strategy_words import StrategyWords
from massbalance.solving.compiled import Compiled
from massbalance.solving.labels import Labels
from massbalance.solving.solution import Solution

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
ROUNDING_G = 10_000
"""Up to this much short (10 kg) of an order that the optimum fills is put down to booking."""
UNFIT = "no whole grams fit between its claim and its caps"
ROUNDING = "rounding to whole grams"
LEVEL_PRICE = 1e-7
"""Prices this close, relative, are equal."""


class Reasons:
    """What the solution says about recipes and steps, computed once."""

    def __init__(self, problem: Problem, compiled: Compiled, solution: Solution, reach: Reach) -> None:
        self.problem, self.compiled, self.reach = problem, compiled, reach
        self.labels = Labels(problem, compiled)
        self.impossible = reach.impossible(problem)
        self.wanted = solution.columns[compiled.step] if len(compiled.step) else np.zeros(0)
        self.margin = next(
            (s.row_dual for s in solution.stages if s.goal.name == "margin" and s.row_dual is not None), None
        )
        self.binding = self._binding()
        self.firm_first = problem.case.objective.after_firm("margin")
        self.cost = self._credit_cost()
        self.excuses = Excuses(problem)
        self.strategy = StrategyWords(problem, compiled, solution)
        self.need = problem.recipes.need.floats()
        whole = problem.case.orders.flag("whole")
        first = problem.steps.first_terms() if len(problem.steps) else np.zeros(0, dtype=np.intp)
        self.whole = whole[problem.terms.order[first]]

    def _binding(self) -> dict[int, str]:
        """Recipe -> the caps that bind for it, in words."""
        if self.margin is None:
            return {}
        rows = np.flatnonzero(self.labels.of(*CAPS) & (self.margin > 1e-7))
        found: dict[int, dict[str, None]] = {}
        keys = self.labels.keys(rows)
        for i, recipe, key in zip(rows, self.labels.recipes(rows).tolist(), keys, strict=True):
            found.setdefault(recipe, {})[_cap_words(self.labels.rows[i][0], key)] = None
        return {recipe: ", ".join(words) for recipe, words in found.items()}

    def _credit_cost(self) -> Floats:
        """What the credits of one claimed tonne are worth elsewhere (at the margin's prices)."""
        recipes = len(self.problem.recipes)
        if self.margin is None or recipes == 0:
            return np.zeros(recipes)
        price = np.where(self.labels.of("recipe_mass"), 0.0, self.margin)
        column = self.compiled.matrix.T @ price
        return np.asarray(column)[self.compiled.y]

    def fills(self, terms: IndexArray, claimed: npt.NDArray[np.int64], short: npt.NDArray[np.int64]) -> Bools:
        """Terms that the optimum fills, but for what booking in whole grams costs. Shape (n,).

        claimed: g of each term's order; short: g less than its mass.
        """
        steps = self.problem.steps
        step = steps.of_term[terms]
        wanted = self.wanted[step]
        full = wanted >= steps.upper[step] * (1 - LEVEL_PRICE)
        return np.asarray(((claimed > 0) | full) & (short <= ROUNDING_G) & (wanted * GRID >= claimed))

    def out_of_reach(self, recipe: int) -> str:
        """Why a recipe's claim is impossible."""
        problem = self.problem
        if problem.pair_start[recipe] == problem.pair_start[recipe + 1]:
            return self.excuses.missing(recipe)
        words = [_cap_words(e, problem.names.key(e, key)) for e, key in self.reach.caps[recipe]]
        limits = ", ".join(dict.fromkeys(words)) or "what the lots carry"
        most, need = self.reach.most[recipe], self.need[recipe]
        return f"claim out of reach: at most {most:.4g} of {need:.4g} per t, by {limits}"

    def competition(self, step: int, claimed: bool) -> str:
        """Why a step that could be served is not, or not in full."""
        steps = self.problem.steps
        by_strategy = self.strategy.told(step)
        if by_strategy:
            return by_strategy
        if self.margin is None:
            return "not decided: the run stopped at a limit before the margin was optimised"
        recipe, premium = int(steps.recipe[step]), float(steps.premium[step])
        firm = bool(steps.priority[step] > 0)
        none_of_it = bool(steps.integer[step]) and not claimed
        least = "the whole order" if self.whole[step] else "its minimum fill"
        worth = float(self.cost[recipe])
        caps = self.binding.get(recipe, "")
        beside = f"; also binding: {caps}" if caps else ""
        if none_of_it and firm:
            return f"firm, but the credits left do not make up {least}, or another order's{beside}"
        if firm and self.firm_first:
            return f"firm, but no credit left in its window{beside}"
        well_paid = premium > worth + LEVEL_PRICE * max(1.0, abs(worth))
        if self.strategy.ahead:
            return f"no credit left for it in its window beside {self.strategy.ahead}{beside}"
        if none_of_it and well_paid:
            return f"the credits left do not make up {least}, or another offer pays more{beside}"
        if premium < worth - LEVEL_PRICE * max(1.0, abs(worth)) and not claimed:
            return (
                f"price below others: the credits for a tonne cost, or bring elsewhere, {worth:.2f}; "
                f"its premium is {premium:.2f}{beside}"
            )
        return f"no credit left in its window at this price (premium {premium:.2f} per t){beside}"


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
) -> Strings:
    """One text for each order; empty where all of it is claimed.

    unfit: terms for which no whole grams fit between claim and caps.
    """
    about = Reasons(problem, compiled, solution, reach)
    mass = np.asarray(problem.case.orders.grid("mass_t"), dtype=np.int64)
    order, offer = problem.terms.order, problem.terms.offer
    short, claimed = mass - allocation.claimed, allocation.claimed
    # an order that got something is explained by the terms taken, another by all its terms
    told = (short[order] > 0) & ((claimed[order] == 0) | (offer == allocation.taken[order]))
    terms = np.flatnonzero(told)
    order = order[terms]
    which, text = _texts_of(about, terms, claimed[order], short[order], unfit)
    first = np.flatnonzero(np.diff(order, prepend=-1))
    at = np.full(len(mass), -1, dtype=np.intp)
    at[order[first]] = which[first]
    several = first[np.diff(first, append=len(order)) > 1]
    for i in several:
        others = which[i : np.searchsorted(order, order[i], side="right")]
        at[order[i]] = len(text)
        text.append("; or ".join(dict.fromkeys(text[n] for n in others)))
    return pick(strings(text), at)


def _texts_of(
    about: Reasons,
    terms: IndexArray,
    claimed: npt.NDArray[np.int64],
    short: npt.NDArray[np.int64],
    unfit: frozenset[int],
) -> tuple[IndexArray, list[str]]:
    """Position of each term's text among the distinct ones, and these."""
    recipes, steps = len(about.problem.recipes), about.problem.steps.of_term[terms]
    recipe = about.problem.recipes.of_term[terms]
    # one number for each text: the kind of reason, then what it depends on
    at_step = 2 + recipes
    code = at_step + 2 * steps + (claimed > 0)
    code[about.fills(terms, claimed, short)] = 1
    hopeless = about.impossible[recipe]
    code[hopeless] = 2 + recipe[hopeless]
    code[np.isin(terms, np.array(sorted(unfit), dtype=np.intp))] = 0
    distinct, which = np.unique(code, return_inverse=True)

    def words(one: int) -> str:
        if one < 2:
            return (UNFIT, ROUNDING)[one]
        if one < at_step:
            return about.out_of_reach(one - 2)
        step, some = divmod(one - at_step, 2)
        return about.competition(step, bool(some))

    return which, [words(one) for one in distinct.tolist()]
