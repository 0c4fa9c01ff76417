"""The reference model in Pyomo, over recipes x pools: columns, then every equation, then the goals."""

from __future__ import annotations

from massbalance.formulation.columns import Columns
from massbalance.formulation.equations import EQUATIONS
from massbalance.formulation.goals import Goal, add_goals
from massbalance.formulation.problem import Problem


def build_model(problem: Problem) -> tuple[Columns, list[Goal]]:
    """The model with all equations and goals (maths: models/FORMULATION.md), and the goals in order."""
    model = Columns(problem)
    for equation in EQUATIONS:
        equation.add(model, problem)
    return model, add_goals(model, problem)
