"""The model as arrays, straight from the problem: what Pyomo would compile, without stating it there.

Columns in blocks f, x, y, step, take, common, fair; rows in the order of the equations (solving.statement).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from massbalance.formulation.goals import (
    TIE_WEIGHT,
    Goal,
    expiry_weight,
    generic,
    goals,
    strategy_costs,
)
from massbalance.formulation.problem import SLACK_OF_BOUNDS, Problem
from massbalance.solving.compiled import Compiled, check
from massbalance.solving.entries import matrix
from massbalance.solving.rows import RowLabels
from massbalance.solving.statement import STATEMENTS, Layout, origin_sizes

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]


def assemble(problem: Problem) -> Compiled:
    """The compiled model of a problem. ValueError where a figure is not finite."""
    at = Layout(problem)
    families = [state(at) for state in STATEMENTS]
    found = goals(problem)
    take = np.full(len(problem.steps), -1, dtype=np.intp)
    take[at.integer] = at.take()
    upper = np.concatenate([found.upper for found in families])
    equal = np.repeat([one.equal for one in families], [len(one.upper) for one in families])
    compiled = Compiled(
        matrix=matrix(families, len(at.pool), at.at_x, at.columns),
        costs=np.stack([_costs(at, goal) for goal in found]),
        offsets=np.array([goal.constant for goal in found], dtype=np.float64),
        row_lower=np.where(equal, upper, -np.inf),
        row_upper=upper,
        lower=np.zeros(at.columns),
        upper=_bounds(at),
        integer=(np.arange(at.columns) >= at.at_take) & (np.arange(at.columns) < at.at_common),
        rows=RowLabels([one.labels for one in families]),
        goals=tuple(found),
        flows=tuple(zip(at.flow_group.tolist(), at.flow_period.tolist(), strict=True)),
        f=at.f(),
        x=np.arange(at.at_x, at.at_y),
        y=np.arange(at.at_y, at.at_step),
        step=np.arange(at.at_step, at.at_take),
        take=take,
        origin_size=origin_sizes(problem),
        common=np.arange(at.at_common, at.at_fair),
        fair=np.arange(at.at_fair, at.columns),
    )
    check(compiled)
    return compiled


def _bounds(at: Layout) -> Floats:
    """Upper bound of every column; the lower one is 0."""
    problem = at.problem
    return np.concatenate(
        [
            SLACK_OF_BOUNDS * problem.pools.group_quantity[at.flow_group],
            problem.pair_upper,
            problem.recipe_mass,
            problem.steps.most,
            np.where(problem.steps.barred[at.integer], 0.0, 1.0),
            np.ones(at.columns - at.at_common),
        ]
    )


def _costs(at: Layout, goal: Goal) -> Floats:
    """What a goal minimises over the columns (formulation.goals)."""
    problem, steps = at.problem, at.problem.steps
    cost = np.zeros(at.columns)
    of_x, of_step = cost[at.at_x : at.at_y], cost[at.at_step : at.at_take]
    if goal.name == "firm_shortfall_t":
        of_step[steps.priority == goal.priority] = -1.0
    elif goal.name == "margin":
        of_x[:] = problem.pairs.unit_cost.floats()[problem.pairs.pool]
        of_step[:] = 0.0 - steps.premium
    elif goal.name != "tie_break":
        _of_strategy(at, goal, cost)
    else:
        flows, mixes, masses = (
            generic(n, salt) for salt, n in enumerate((len(at.flow_group), len(of_x), len(of_step)))
        )
        cost[: at.at_x] = expiry_weight(problem)[at.flow_group] + TIE_WEIGHT * flows
        of_x[:], of_step[:] = TIE_WEIGHT * mixes, TIE_WEIGHT * masses
    return cost


def _of_strategy(at: Layout, goal: Goal, cost: Floats) -> None:
    """Fill in what a goal of a strategy minimises."""
    found = strategy_costs(at.problem, goal)
    if found.group is not None:
        cost[: at.at_x] = found.group[at.flow_group]
    if found.pair is not None:
        cost[at.at_x : at.at_y] = found.pair
    if found.step is not None:
        cost[at.at_step : at.at_take] = found.step
    cost[at.at_common : at.at_fair] = found.common
    cost[at.at_fair :] = found.fair
