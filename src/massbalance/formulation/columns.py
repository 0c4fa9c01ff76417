"""The columns of the Pyomo model, each with a finite bound, and where each belongs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyomo.environ as pyo

from massbalance.formulation.pairs import PoolEffect
from massbalance.formulation.problem import SLACK_OF_BOUNDS, Problem


class Columns:
    """f[g,t] lots to periods, x[n] pool to recipe (lot's unit), y[r], step[j] (t), take[j] (0/1), and the
    shares that strategies raise (`common`, `fair`, at most one of each).

    pyomo: the model that holds them; periods_of: usable periods of each supply group in which
    some recipe could use its pool; row_keys: equation -> keys of its rows, in row order;
    origin_size: the unit in which each C2 row is stated.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.pyomo = pyo.ConcreteModel()
        self.row_keys: dict[str, list[object]] = {}
        self.origin_size: dict[object, float] = {}
        pools, pairs, steps = problem.pools, problem.pairs, problem.steps
        period = problem.recipes.period[pairs.recipe]
        served = set(zip(pairs.pool.tolist(), period.tolist(), strict=True))
        self.periods_of = {
            g: [
                t
                for t in range(int(pools.group_first[g]), int(pools.group_last[g]) + 1)
                if (int(pools.group_pool[g]), t) in served
            ]
            for g in range(len(pools.group_pool))
        }
        quantity, upper, mass = pools.group_quantity, problem.pair_upper, problem.recipe_mass
        flows = [(g, t) for g, periods in self.periods_of.items() for t in periods]
        model = self.pyomo
        model.f = self.f = pyo.Var(flows, bounds=lambda _, g, t: (0.0, SLACK_OF_BOUNDS * float(quantity[g])))
        model.x = self.x = pyo.Var(range(len(pairs.pool)), bounds=lambda _, n: (0.0, float(upper[n])))
        model.y = self.y = pyo.Var(range(len(mass)), bounds=lambda _, r: (0.0, float(mass[r])))
        model.step = self.step = pyo.Var(range(len(steps)), bounds=lambda _, j: (0.0, float(steps.most[j])))
        model.take = self.take = pyo.Var(
            [int(j) for j in np.flatnonzero(steps.integer)],
            domain=pyo.Binary,
            bounds=lambda _, j: (0, 0 if steps.barred[j] else 1),
        )
        order = problem.case.objective.order
        model.common = self.common = pyo.Var(range(int("common_share" in order)), bounds=(0.0, 1.0))
        model.fair = self.fair = pyo.Var(range(int("fair_share" in order)), bounds=(0.0, 1.0))

    def add(self, name: str, keys: Sequence[object], component: pyo.Constraint) -> None:
        """A family of rows, its component named as the equation."""
        self.pyomo.add_component(name, component)
        self.row_keys[name] = list(keys)

    def pairs_of(self, recipe: int) -> range:
        """Pairs of a recipe, in order."""
        start = self.problem.pair_start
        return range(int(start[recipe]), int(start[recipe + 1]))

    def effect_of(self, pair: int) -> PoolEffect:
        """Effect per unit of a pair."""
        pairs, limit = self.problem.pairs, self.problem.recipes.limit
        return pairs.effect(int(pairs.pool[pair]), int(limit[pairs.recipe[pair]]))
