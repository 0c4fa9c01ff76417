"""One order after the other, as it is done by hand: each takes what it can of what is left, and stays served.

An order's mix keeps every cap and its claim (C4 to C9, the rows of the compiled model itself). Of the
mixes that serve it best, the one of the oldest credits is taken: first in, first out. What the order
would take from those behind it is not looked at; that is what the optimum does differently.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from massbalance.domain.case import IndexArray
from massbalance.formulation.problem import Problem
from massbalance.solving.compiled import Compiled
from massbalance.solving.highs import Highs, SolverError
from massbalance.strategy.figures import NOTHING_T, Outcome, counted

Floats = npt.NDArray[np.float64]
OF_A_MIX = ("claim", "mass_cap", "category_cap", "element_cap", "energy_cap", "scope_cap")
LEAST = 1e-6
"""Units of a lot that count as nothing: its grid, and no finer than the solver."""
TIGHT = (0.0, 1e-9)
"""How far below its greatest mass, relative, an order is held while the oldest credits are looked for."""


class Stock:
    """What is left of the lots. Of lots that share an origin only the most valuable one is drawn on.

    left: in the lots' units, shape (lots,); of_pool: usable lots of each pool, oldest first.
    """

    def __init__(self, problem: Problem) -> None:
        lots, self.window = problem.case.lots, problem.windows
        self.left = lots.floats("quantity").copy()
        names = lots.text("lot")
        age = np.lexsort((names, self.window.expires, self.window.available))
        self.rank = np.empty(len(names), dtype=np.intp)
        self.rank[age] = np.arange(len(names))
        self.of_pool = [np.zeros(0, dtype=np.intp)] * len(problem.pools.ids)
        members = defaultdict[int, list[int]](list)
        may = counted(problem.case, problem.effects, self.window)
        for i in age.tolist():
            pool = int(problem.pools.lot_pool[i])
            if pool >= 0 and may[i]:
                members[pool].append(i)
        for pool, found in members.items():
            self.of_pool[pool] = np.array(found, dtype=np.intp)

    def there(self, pool: int, period: int) -> IndexArray:
        """Lots of a pool that may be used in a period and hold something, oldest first."""
        lots = self.of_pool[pool]
        now = (self.window.first[lots] <= period) & (period <= self.window.last[lots])
        return lots[now & (self.left[lots] > LEAST)]

    def amount(self, pool: int, period: int) -> float:
        """What the pool holds for a period."""
        return float(self.left[self.there(pool, period)].sum())

    def age(self, pool: int, period: int) -> int:
        """Rank of the pool's oldest lot."""
        lots = self.there(pool, period)
        return int(self.rank[lots[0]]) if len(lots) else len(self.rank)

    def draw(self, pool: int, period: int, amount: float) -> list[tuple[int, float]]:
        """Take an amount, the oldest lots first: how much of which."""
        parts: list[tuple[int, float]] = []
        for lot in self.there(pool, period).tolist():
            part = min(amount, float(self.left[lot]))
            self.left[lot] -= part
            amount -= part
            parts.append((lot, part))
            if amount <= LEAST:
                break
        return parts


class MixModel:
    """The mixes of one recipe: its pairs and its mass, in the rows C4 to C9 of the whole model."""

    def __init__(self, problem: Problem, compiled: Compiled, rows: IndexArray, recipe: int) -> None:
        self.pairs = np.arange(problem.pair_start[recipe], problem.pair_start[recipe + 1])
        self.pools = problem.pairs.pool[self.pairs]
        columns = np.append(compiled.x[self.pairs], compiled.y[recipe])
        count = len(columns)
        self.upper = np.append(problem.pair_upper[self.pairs], problem.recipe_mass[recipe])
        empty = np.zeros(0, dtype=np.intp)
        self.model = Highs(
            Compiled(
                matrix=compiled.matrix[rows][:, columns].tocsc(),
                costs=np.zeros((1, count)),
                offsets=np.zeros(1),
                row_lower=compiled.row_lower[rows],
                row_upper=compiled.row_upper[rows],
                lower=np.zeros(count),
                upper=self.upper,
                integer=np.zeros(count, dtype=bool),
                rows=tuple(("mix", int(row)) for row in rows),
                goals=(),
                flows=(),
                f=empty,
                x=np.arange(count - 1),
                y=np.array([count - 1], dtype=np.intp),
                step=empty,
                take=empty,
                origin_size={},
            ),
            integers=False,
        )

    def best(self, there: Floats, mass: float, age: Floats) -> tuple[Floats, float]:
        """The greatest mass (t, up to `mass`) from what is there of each pool, and its oldest mix."""
        every = np.arange(len(self.upper))
        upper = np.append(np.minimum(there, self.upper[:-1]), min(mass, self.upper[-1]))
        self.model.bound(every, np.zeros(len(upper)), upper)
        got = self._solve(np.append(np.zeros(len(there)), -1.0))[-1]
        if got <= NOTHING_T:
            return np.zeros(len(there)), 0.0
        for tight in TIGHT:
            self.model.bound(every, np.append(np.zeros(len(there)), got * (1.0 - tight)), upper)
            mix = self._tried(np.append(1.0 + age, 0.0))
            if mix is not None:
                return np.minimum(mix[:-1], there), float(mix[-1])
        raise SolverError("HiGHS: an order's oldest mix could not be found")

    def _solve(self, costs: Floats) -> Floats:
        found = self._tried(costs)
        if found is None:
            raise SolverError("HiGHS: an order's mix could not be found")
        return found

    def _tried(self, costs: Floats) -> Floats | None:
        self.model.set_costs(costs)
        answer = self.model.solve(deadline=None)
        if answer.columns is None or answer.status != "optimal":
            return None
        return np.maximum(answer.columns, 0.0)


@dataclass
class Served:
    """Who has been served so far. x: amount of each pair; claimed: t of each term; drawn: amount of each lot
    in each period.
    """

    x: Floats
    claimed: Floats
    drawn: dict[tuple[int, int], float] = field(default_factory=dict)


class Desk:
    """Serves terms one after the other from one stock."""

    def __init__(self, problem: Problem, compiled: Compiled) -> None:
        self.problem, self.compiled = problem, compiled
        self.stock = Stock(problem)
        self.served = Served(np.zeros(len(problem.pairs.pool)), np.zeros(len(problem.terms)))
        self._models: dict[int, MixModel] = {}
        names = [label[0] in OF_A_MIX for label in compiled.rows]
        rows = np.flatnonzero(np.array(names, dtype=bool))
        recipe = compiled.recipe_of_row[rows]
        by_recipe = np.argsort(recipe, kind="stable")
        self._rows = rows[by_recipe]
        self._start = np.searchsorted(recipe[by_recipe], np.arange(len(problem.recipes) + 1))
        orders = problem.case.orders
        self.mass = orders.floats("mass_t")
        self.least = np.where(orders.flag("whole"), 1.0, orders.floats("min_fill")) * self.mass

    def model(self, recipe: int) -> MixModel:
        """The recipe's mixes, made once."""
        if recipe not in self._models:
            rows = self._rows[self._start[recipe] : self._start[recipe + 1]]
            self._models[recipe] = MixModel(self.problem, self.compiled, rows, recipe)
        return self._models[recipe]

    def serve(self, term: int, quota: Floats | None = None) -> float:
        """Give a term what it can get, t; nothing where that is less than its order takes.

        quota: at most so much of each of its recipe's pools.
        """
        recipe = int(self.problem.recipes.of_term[term])
        period = int(self.problem.recipes.period[recipe])
        order = int(self.problem.terms.order[term])
        model = self.model(recipe)
        there = self.there(recipe)
        if quota is not None:
            there = np.minimum(there, quota)
        age = np.array([self.stock.age(int(k), period) for k in model.pools], dtype=np.float64)
        mix, got = model.best(there, float(self.mass[order]), age)
        if got <= NOTHING_T or got < self.least[order] - NOTHING_T:
            return 0.0
        for pool, amount in zip(model.pools.tolist(), mix.tolist(), strict=True):
            if amount > LEAST:
                for lot, part in self.stock.draw(pool, period, amount):
                    drawn = self.served.drawn
                    drawn[lot, period] = drawn.get((lot, period), 0.0) + part
        self.served.x[model.pairs] += mix
        self.served.claimed[term] = got
        return got

    def there(self, recipe: int) -> Floats:
        """What the stock holds now of each of a recipe's pools."""
        period = int(self.problem.recipes.period[recipe])
        return np.array([self.stock.amount(int(k), period) for k in self.model(recipe).pools])

    def columns(self) -> Floats:
        """The same as a point of the whole model: every row of it must hold there."""
        problem, made = self.problem, self.compiled
        found = np.zeros(made.matrix.shape[1])
        found[made.x] = self.served.x
        group_of = {lot: g for g, lots in enumerate(problem.pools.group_lots) for lot in lots}
        flow_of = {flow: at for at, flow in enumerate(made.flows)}
        for (lot, period), amount in self.served.drawn.items():
            found[made.f[flow_of[group_of[lot], period]]] += amount
        np.add.at(found, made.y[problem.recipes.of_term], self.served.claimed)
        np.add.at(found, made.step[problem.steps.of_term], self.served.claimed)
        at = made.take[problem.steps.of_term]
        found[at[(at >= 0) & (self.served.claimed > 0)]] = 1.0
        return found

    def outcome(self) -> Outcome:
        """Who got what."""
        problem, terms = self.problem, self.problem.terms
        claimed = np.zeros(len(problem.case.orders))
        taken = np.full(len(claimed), -1, dtype=np.intp)
        got = np.flatnonzero(self.served.claimed > 0)
        claimed[terms.order[got]] = self.served.claimed[got]
        taken[terms.order[got]] = terms.offer[got]
        used = problem.case.lots.floats("quantity") - self.stock.left
        return Outcome(claimed, taken, used, float(problem.reduction @ self.served.x))
