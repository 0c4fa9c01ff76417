"""The reference model in Pyomo, over recipes x pools: columns, then every equation, then the goals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo

from massbalance.formulation.columns import Columns
from massbalance.formulation.equations import EQUATIONS
from massbalance.formulation.goals import (
    TIE_WEIGHT,
    Goal,
    expiry_weight,
    generic,
    goals,
    strategy_costs,
)
from massbalance.formulation.problem import Problem


def build_model(problem: Problem) -> tuple[Columns, list[Goal]]:
    """The model with all equations and goals (maths: models/FORMULATION.md), and the goals in order."""
    model = Columns(problem)
    for equation in EQUATIONS:
        equation.add(model, problem)
    return model, add_goals(model, problem)


def add_goals(model: Columns, problem: Problem) -> list[Goal]:
    """One active objective per goal, in order; all are compiled together."""
    found = goals(problem)
    model.pyomo.goal = pyo.ObjectiveList()
    for goal in found:
        model.pyomo.goal.add(_expression(model, problem, goal))
    return found


def _expression(model: Columns, problem: Problem, goal: Goal) -> object:
    steps = problem.steps
    if goal.name == "firm_shortfall_t":
        return goal.constant - pyo.quicksum(
            model.step[int(j)] for j in np.flatnonzero(steps.priority == goal.priority)
        )
    if goal.name == "margin":
        cost = problem.pairs.unit_cost.floats()[problem.pairs.pool]
        return pyo.quicksum(float(c) * model.x[n] for n, c in enumerate(cost) if c != 0) - pyo.quicksum(
            float(p) * model.step[j] for j, p in enumerate(steps.premium) if p != 0
        )
    if goal.name != "tie_break":
        return goal.constant + _of_strategy(model, problem, goal)
    weight = expiry_weight(problem)
    flows, mixes, masses = (
        generic(n, salt) for salt, n in enumerate((len(model.f), len(model.x), len(steps)))
    )
    return (
        pyo.quicksum(
            (float(weight[g]) + TIE_WEIGHT * float(w)) * v
            for ((g, _), v), w in zip(model.f.items(), flows, strict=True)
        )
        + pyo.quicksum(TIE_WEIGHT * float(w) * v for v, w in zip(model.x.values(), mixes, strict=True))
        + pyo.quicksum(TIE_WEIGHT * float(w) * v for v, w in zip(model.step.values(), masses, strict=True))
    )


def _of_strategy(model: Columns, problem: Problem, goal: Goal) -> Any:
    """What a goal of a strategy minimises, without its constant."""
    costs = strategy_costs(problem, goal)
    found: Any = 0.0
    if costs.group is not None:
        found += pyo.quicksum(
            float(costs.group[g]) * v for (g, _), v in model.f.items() if costs.group[g] != 0
        )
    for over, variables in ((costs.pair, model.x), (costs.step, model.step)):
        if over is not None:
            found += pyo.quicksum(float(c) * variables[n] for n, c in enumerate(over) if c != 0)
    found += pyo.quicksum(costs.common * v for v in model.common.values() if costs.common)
    return found + pyo.quicksum(costs.fair * v for v in model.fair.values() if costs.fair)
