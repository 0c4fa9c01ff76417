"""What a strategy means for an order that gets less than it asks for, in a planner's words."""

from __future__ import annotations

import numpy as np

from massbalance.formulation.problem import Problem
from massbalance.solving.compiled import Compiled
from massbalance.solving.fair import Fair
from massbalance.solving.solution import Solution

BEFORE_MARGIN = {
    "tonnage": "the greatest tonnage",
    "chosen": "the chosen products",
    "expiry": "the least expiry",
    "weighted": "the weighted goals",
}
"""Goals that may take an order's credits before the margin is asked."""


class StrategyWords:
    """ahead: the goals before the margin that explain a shortage, in words; empty where there are none."""

    def __init__(self, problem: Problem, compiled: Compiled, solution: Solution) -> None:
        self.problem, steps, stakes = problem, problem.steps, problem.stakes
        order = problem.case.objective.order
        first = order[: order.index("margin")]
        self.ahead = ", ".join(words for goal, words in BEFORE_MARGIN.items() if goal in first)
        self.orders = problem.terms.order[steps.first_terms()] if len(steps) else np.zeros(0, dtype=np.intp)
        self.covered = set(stakes.covered.tolist())
        self.common = float(solution.columns[compiled.common[0]]) if len(compiled.common) else 0.0
        self.group_of: dict[int, str] = {}
        if len(compiled.fair) and stakes.groups:
            claimed = Fair(compiled).claimed(solution.columns)
            for group, got in zip(stakes.groups, claimed.tolist(), strict=True):
                words = f"the fair share of {group.by} {group.name}, {got / group.mass_t:.1%} of its orders"
                self.group_of |= dict.fromkeys(group.orders.tolist(), words)

    def told(self, step: int) -> str:
        """Why the orders of a step get what they get; empty where no strategy says so."""
        order = int(self.orders[step])
        if self.problem.steps.barred[step]:
            return "conventional by strategy concentrate: its product is not among the chosen ones"
        if order in self.covered:
            return f"the share common to all orders, {self.common:.1%}"
        words = self.group_of.get(order, "")
        return f"{words}: more would leave less to a group that has no more" if words else ""
