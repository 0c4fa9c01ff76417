"""The equations of purchasing in Pyomo, upon the model of the case: the statement to read.

`purchase.model` states the same as arrays; a test holds both to each other. Maths: models/PURCHASE.md.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pyomo.environ as pyo

from massbalance.formulation.columns import Columns
from massbalance.formulation.goals import TIE_WEIGHT, Goal, generic
from massbalance.formulation.model import build_model
from massbalance.formulation.problem import SLACK_OF_BOUNDS
from massbalance.purchase.sets import LABELS, SALT, Sets


class PurchaseColumns:
    """bought[i] (the lot's unit), buy[i] (0/1), count[i] (whole multiples), upon the columns of a case."""

    def __init__(self, sets: Sets, case: Columns) -> None:
        self.case = case
        most, sizes = [float(q) for q in sets.most], [offer.size for offer in sets.offers]
        model = case.pyomo
        of_group = {group: most[i] for i, group in enumerate(sets.group_of)}
        for (group, _), flow in case.f.items():
            if group in of_group:
                flow.setub(SLACK_OF_BOUNDS * of_group[group])
        model.bought = self.bought = pyo.Var(range(len(most)), bounds=lambda _, i: (0.0, most[i]))
        model.buy = self.buy = pyo.Var(list(sets.decides), domain=pyo.Binary)
        model.count = self.count = pyo.Var(
            list(sets.counts),
            domain=pyo.NonNegativeIntegers,
            bounds=lambda _, i: (0, int(sets.most[i] / (sizes[i] or Fraction(1)))),
        )


def purchase_supply(model: PurchaseColumns, sets: Sets) -> None:
    """P1: sum_t f[g,t] - bought[i] <= 0: what is used was bought. It stands in place of the offer's C1."""
    keys = model.case.row_keys["lot_supply"]
    of_group = {g: n for n, g in enumerate(keys)}
    rows = [i for i, g in enumerate(sets.group_of) if g in of_group]
    for i in rows:
        model.case.pyomo.lot_supply[of_group[sets.group_of[i]]].deactivate()

    def rule(_: pyo.ConcreteModel, n: int) -> object:
        i, f = rows[n], model.case.f
        g = sets.group_of[i]
        return (None, pyo.quicksum(f[g, t] for t in model.case.periods_of[g]) - model.bought[i], 0.0)

    model.case.add("purchase_supply", rows, pyo.Constraint(range(len(rows)), rule=rule))


def purchase_most(model: PurchaseColumns, sets: Sets) -> None:
    """P2: bought[i] - most[i] buy[i] <= 0: nothing is bought without buying."""

    def rule(_: pyo.ConcreteModel, n: int) -> object:
        i = sets.decides[n]
        return (None, model.bought[i] - float(sets.most[i]) * model.buy[i], 0.0)

    rows = range(len(sets.decides))
    model.case.add("purchase_most", list(sets.decides), pyo.Constraint(rows, rule=rule))


def purchase_least(model: PurchaseColumns, sets: Sets) -> None:
    """P3: min_quantity[i] buy[i] - bought[i] <= 0: the least that is sold."""
    keys = [i for i in sets.decides if sets.offers[i].least > 0]

    def rule(_: pyo.ConcreteModel, n: int) -> object:
        i = keys[n]
        return (None, float(sets.offers[i].least) * model.buy[i] - model.bought[i], 0.0)

    model.case.add("purchase_least", keys, pyo.Constraint(range(len(keys)), rule=rule))


def purchase_size(model: PurchaseColumns, sets: Sets) -> None:
    """P4: bought[i] - lot_size[i] count[i] = 0: whole multiples only."""

    def rule(_: pyo.ConcreteModel, n: int) -> object:
        i = sets.counts[n]
        return model.bought[i] - float(sets.offers[i].size or 0) * model.count[i] == 0.0

    rows = range(len(sets.counts))
    model.case.add("purchase_size", list(sets.counts), pyo.Constraint(rows, rule=rule))


def purchase_group(model: PurchaseColumns, sets: Sets) -> None:
    """P5: sum_{i of group} buy[i] <= 1: at most one of them."""
    keys = list(sets.groups)

    def rule(_: pyo.ConcreteModel, n: int) -> object:
        return (None, pyo.quicksum(model.buy[i] for i in sets.groups[keys[n]]), 1.0)

    model.case.add("purchase_group", keys, pyo.Constraint(range(len(keys)), rule=rule))


def purchase_budget(model: PurchaseColumns, sets: Sets) -> None:
    """P6: sum_i fixed_cost[i] buy[i] + price[i] bought[i] <= budget."""
    keys = [] if sets.budget is None else ["budget"]

    def rule(_: pyo.ConcreteModel, n: int) -> object:
        return (None, _cost(model, sets), float(sets.budget or 0))

    model.case.add("purchase_budget", keys, pyo.Constraint(range(len(keys)), rule=rule))


EQUATIONS: tuple[Callable[[PurchaseColumns, Sets], None], ...] = (
    purchase_supply, purchase_most, purchase_least, purchase_size, purchase_group, purchase_budget,
)  # fmt: skip
"""One function for each label, in order."""
assert tuple(one.__name__ for one in EQUATIONS) == tuple(LABELS.values())  # noqa: S101 - one word each


def _cost(model: PurchaseColumns, sets: Sets) -> object:
    return pyo.quicksum(
        float(offer.price) * model.bought[i] for i, offer in enumerate(sets.offers)
    ) + pyo.quicksum(float(sets.offers[i].fixed) * model.buy[i] for i in sets.decides)


def build_purchase_model(sets: Sets) -> tuple[PurchaseColumns, list[Goal]]:
    """The case's model with P1 to P6: purchases cost margin, and the tie-break buys no more than needed."""
    case, goals = build_model(sets.problem)
    model = PurchaseColumns(sets, case)
    for add in EQUATIONS:
        add(model, sets)
    for number, goal in enumerate(goals, start=1):
        objective = case.pyomo.goal[number]
        if goal.name == "margin":
            objective.expr = objective.expr + _cost(model, sets)
        elif goal.name == "tie_break":
            weights = generic(len(sets.offers), SALT)
            objective.expr = objective.expr + pyo.quicksum(
                TIE_WEIGHT * float(w) * model.bought[i] for i, w in enumerate(weights)
            )
    return model, goals
