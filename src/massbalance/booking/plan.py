"""The solver's answer as booking needs it: targets in order, mixes by recipe, prices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from massbalance.booking.recipe import RecipeBook
from massbalance.booking.targets import Floats, Targets, booking_order, targets
from massbalance.domain.case import IndexArray
from massbalance.domain.grid import GRID
from massbalance.formulation.goals import strategy_costs
from massbalance.formulation.labels import EQUATION_NAMES
from massbalance.formulation.problem import OF_STAKES, Problem
from massbalance.solving.compiled import Compiled
from massbalance.solving.solution import Solution, Stage

LEAST_UNITS = 0.5
"""A pool that gives a recipe less than this many grid units in all gives it nothing."""


@dataclass(frozen=True)
class Mixes:
    """Pools of every recipe's mix, shape (entries,); those of recipe r are start[r]:start[r + 1].

    per_t: amount per t of claimed mass; serves: does the pool add to the claim. Of a recipe's pools
    those that serve come first, and of them the one whose credit costs the goals least.
    """

    start: IndexArray
    pool: IndexArray
    per_t: Floats
    serves: npt.NDArray[np.bool_]

    def count(self) -> IndexArray:
        """Number of pools of each recipe."""
        return np.diff(self.start)


class Plan:
    """A solution made ready: what is to be booked, in which order, from which pools, at what price.

    targets: in booking order; recipe, period: of each; prices: what a unit of each pool in each
    period costs each goal that has prices, shape (goals, pools, periods); worths: what a tonne of each step
    brings each, shape (goals, steps). given: as `targets.targets` takes it.
    """

    def __init__(self, problem: Problem, compiled: Compiled, solution: Solution, given: float = 0.0) -> None:
        columns = solution.columns
        self.problem, self.flows = problem, compiled.flows
        self.f = columns[compiled.f] if len(compiled.f) else np.zeros(0)
        priced = [s for s in solution.stages if s.goal.name != "tie_break" and s.row_dual is not None]
        model = solution.as_solved(compiled)
        self.prices = _prices(problem, model, priced)
        self.worths = _worths(problem, model, priced)
        self.mixes = _mixes(problem, compiled, columns, self.prices)
        step_t = columns[compiled.step] if len(compiled.step) else np.zeros(0)
        take = (compiled.take >= 0) & (columns[np.maximum(compiled.take, 0)] > 0.5)
        wanted = targets(problem, step_t, take, given)
        ways = self.mixes.count()[problem.recipes.of_term[wanted.term]]
        self.targets: Targets = wanted.take(booking_order(problem, wanted, ways))
        self.recipe: IndexArray = problem.recipes.of_term[self.targets.term]
        self.period: IndexArray = problem.recipes.period[self.recipe]
        self._books: dict[int, RecipeBook] = {}

    @property
    def periods(self) -> int:
        """Number of periods; a place is pool * periods + period."""
        return len(self.problem.case.periods)

    def places(self, position: int) -> IndexArray:
        """Places that the mix of a target draws on."""
        recipe = self.recipe[position]
        pools = self.mixes.pool[self.mixes.start[recipe] : self.mixes.start[recipe + 1]]
        return pools * self.periods + self.period[position]

    def users(self, positions: IndexArray) -> IndexArray:
        """How many of these targets draw on each place, shape (pools * periods,)."""
        count = self.mixes.count()
        by_recipe = np.bincount(self.recipe[positions], minlength=len(count))
        place = self.mixes.pool * self.periods + np.repeat(self.problem.recipes.period, count)
        found = np.zeros(len(self.problem.pools.ids) * self.periods, dtype=np.intp)
        np.add.at(found, place, np.repeat(by_recipe, count))
        return found

    def worth(self, term: int) -> tuple[float, ...]:
        """What a tonne of a term brings each goal that has prices."""
        return tuple(self.worths[:, int(self.problem.steps.of_term[term])].tolist())

    def price(self, period: int) -> Callable[[int], tuple[float, ...]]:
        """The prices of one period by pool."""
        return lambda pool: self._price_tuples[pool][period]

    @cached_property
    def _price_tuples(self) -> list[list[tuple[float, ...]]]:
        by_pool = np.moveaxis(self.prices, 0, -1).tolist()
        return [[tuple(found) for found in periods] for periods in by_pool]

    def mix(self, recipe: int) -> dict[int, float]:
        """Amount of each pool per t of claimed mass."""
        span = slice(int(self.mixes.start[recipe]), int(self.mixes.start[recipe + 1]))
        found = zip(self.mixes.pool[span].tolist(), self.mixes.per_t[span].tolist(), strict=True)
        return dict(sorted(found))

    def book_of(self, recipe: int) -> RecipeBook:
        """The recipe's rows in integers, made once."""
        if recipe not in self._books:
            self._books[recipe] = RecipeBook(self.problem, recipe)
        return self._books[recipe]


def _prices(problem: Problem, compiled: Compiled, priced: list[Stage]) -> Floats:
    """What a unit of each pool and period costs each goal: its price, and its unit cost where the goal
    is the margin. 0 where no recipe may draw on it.
    """
    rows = ((i, key) for i, (equation, key) in enumerate(compiled.rows) if equation == "pool_balance")
    at = np.array([(i, *key) for i, key in rows], dtype=np.intp).reshape(-1, 3)  # type: ignore[misc]
    found = np.zeros((len(priced), len(problem.pools.ids), len(problem.case.periods)))
    cost = np.maximum(0.0, problem.pairs.unit_cost.floats())
    for own, stage in zip(found, priced, strict=True):
        assert stage.row_dual is not None  # noqa: S101
        own[at[:, 1], at[:, 2]] = stage.row_dual[at[:, 0]]
        if stage.goal.name == "margin":
            own[at[:, 1], at[:, 2]] += cost[at[:, 1]]
        elif stage.goal.name in ("expired_tco2e", "weighted"):
            spent = strategy_costs(problem, stage.goal).pair
            assert spent is not None  # noqa: S101
            own[at[:, 1], at[:, 2]] += _of_pool(problem, spent)[at[:, 1]]
    return np.maximum(found, 0.0)


def _of_pool(problem: Problem, of_pair: Floats) -> Floats:
    """What the pairs of each pool have in common: they cost a goal the same. Shape (K,)."""
    found = np.zeros(len(problem.pools.ids))
    found[problem.pairs.pool] = of_pair
    return found


def _worths(problem: Problem, model: Compiled, priced: list[Stage]) -> Floats:
    """What a tonne of each step brings each goal: by itself, and to the rows of groups and shares."""
    steps = problem.steps
    found = np.zeros((len(priced), len(steps)))
    rows = np.flatnonzero(np.isin(model.equation_of_row, [EQUATION_NAMES.index(one) for one in OF_STAKES]))
    shares = model.matrix.tocsr()[rows][:, model.step] if len(rows) else None
    for own, stage in zip(found, priced, strict=True):
        if stage.goal.name == "margin":
            own[:] = steps.premium
        elif stage.goal.name == "firm_shortfall_t":
            own[:] = steps.priority == stage.goal.priority
        else:
            brings = strategy_costs(problem, stage.goal).step
            own[:] = 0.0 if brings is None else 0.0 - brings
        if shares is not None and stage.row_dual is not None:
            own -= shares.T @ stage.row_dual[rows]
    return found


def _mixes(problem: Problem, compiled: Compiled, columns: Floats, prices: Floats) -> Mixes:
    """Amounts of the pools per t, from x and y."""
    x, y = np.maximum(columns[compiled.x], 0.0), columns[compiled.y]
    pool, recipe = problem.pairs.pool, problem.pairs.recipe
    at = np.flatnonzero((x * GRID >= LEAST_UNITS) & (y[recipe] > 0)) if len(x) else np.zeros(0, dtype=np.intp)
    pool, recipe = pool[at], recipe[at]
    per_t, value = x[at] / y[recipe], problem.claim_value[at]
    serves = value > 0
    per_unit = np.where(serves, value, 1.0)
    own = prices[:, pool, problem.recipes.period[recipe]]
    keys = (pool, -per_t, *np.round(own / per_unit, 12)[::-1], ~serves, recipe)
    order = np.lexsort(keys)
    start = np.searchsorted(recipe[order], np.arange(len(problem.recipes) + 1))
    return Mixes(start, pool[order], per_t[order], serves[order])
