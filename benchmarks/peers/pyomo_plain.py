"""The plain model in Pyomo, solved by its own persistent interface to HiGHS.

    python -m benchmarks.peers.pyomo_plain CASE

Constraints are made by rules over index sets, with expressions built at once from values and variables. The
interface looks for new constraints and another objective between goals, and for nothing else.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyomo.environ as pyo
from pyomo.contrib.solver.common.factory import SolverFactory
from pyomo.core.expr.numeric_expr import LinearExpression

from benchmarks.peers.plain_case import Cap, Goal, PlainCase, read
from benchmarks.peers.report import goal, measured, optimal, say, slack, stage


def linear(values: list[float], variables: list[object]) -> LinearExpression:
    """Sum of value * variable."""
    return LinearExpression(constant=0.0, linear_coefs=values, linear_vars=variables)


def positions(keys: np.ndarray, count: int) -> list[list[int]]:
    """For each key 0 … count - 1 the positions that have it."""
    order = np.argsort(keys, kind="stable")
    cuts = np.searchsorted(keys[order], np.arange(1, count))
    return [part.tolist() for part in np.split(order, cuts)]


def build(case: PlainCase) -> pyo.ConcreteModel:
    """x[pair], y[term], take[term]; claims, caps, supply."""
    model = pyo.ConcreteModel()
    quantity, mass = case.quantity[case.lot].tolist(), case.mass.tolist()
    model.x = pyo.Var(range(len(case.term)), bounds=lambda _, i: (0, quantity[i]))
    model.y = pyo.Var(range(len(case.mass)), bounds=lambda _, j: (0, mass[j]))
    model.caps = pyo.Block(range(len(case.caps)), rule=lambda block, k: add_cap(block, case.caps[k]))
    drawn = positions(case.lot, len(case.quantity))
    model.supply = pyo.Constraint(
        [lot for lot, pairs in enumerate(drawn) if pairs],
        rule=lambda m, lot: (
            linear([1.0] * len(drawn[lot]), [m.x[i] for i in drawn[lot]]) <= float(case.quantity[lot])
        ),
    )
    if len(case.origin):
        share, pair = case.share.tolist(), case.origin_pair.tolist()
        shared = positions(case.origin, int(case.origin.max()) + 1)
        model.origins = pyo.Constraint(
            range(len(shared)),
            rule=lambda m, a: linear([share[i] for i in shared[a]], [m.x[pair[i]] for i in shared[a]]) <= 1.0,
        )
    add_yes_or_no(model, case)
    return model


def add_cap(block: pyo.Block, cap: Cap) -> None:
    """A row a term: its pairs' values less limit * y."""
    model = block.model()
    pair, value = cap.pair.tolist(), cap.value.tolist()
    at, term, limit = positions(cap.row, len(cap.term)), cap.term.tolist(), cap.limit.tolist()

    def row(_: object, r: int) -> object:
        values = [value[i] for i in at[r]]
        return linear([*values, -limit[r]], [*(model.x[pair[i]] for i in at[r]), model.y[term[r]]]) <= 0.0

    block.row = pyo.Constraint(range(len(term)), rule=row)


def add_yes_or_no(model: pyo.ConcreteModel, case: PlainCase) -> None:
    """Whole orders, minimum fills, and at most one of an order's terms."""
    at = np.flatnonzero(case.binary).tolist()
    if not at:
        return
    mass, least = case.mass.tolist(), (case.least * case.mass).tolist()
    model.take = pyo.Var(at, domain=pyo.Binary)
    model.most = pyo.Constraint(at, rule=lambda m, j: m.y[j] - mass[j] * m.take[j] <= 0)
    model.least = pyo.Constraint(at, rule=lambda m, j: m.y[j] - least[j] * m.take[j] >= 0)
    several = np.flatnonzero(case.choice >= 0)
    orders, number = np.unique(case.choice[several], return_inverse=True)
    chosen = [[int(several[i]) for i in part] for part in positions(number, len(orders))]
    if len(orders):
        model.offer = pyo.Constraint(
            range(len(orders)), rule=lambda m, k: pyo.quicksum(m.take[j] for j in chosen[k]) <= 1
        )


def expression(model: pyo.ConcreteModel, case: PlainCase, aim: Goal) -> LinearExpression:
    """The goal's linear expression."""
    used = np.flatnonzero(aim.gain).tolist()
    values, variables = aim.gain[used].tolist(), [model.y[j] for j in used]
    if aim.cost:
        paid = np.flatnonzero(case.cost).tolist()
        values, variables = [*values, *(-case.cost[paid]).tolist()], [*variables, *(model.x[i] for i in paid)]
    return linear(values, variables)


def solve(model: pyo.ConcreteModel, case: PlainCase) -> None:
    """Goals in order, the earlier ones held."""
    solver = SolverFactory("highs")
    solver.config.rel_gap = 0.0
    for unchanged in ("update_constraints", "update_vars", "update_parameters", "update_named_expressions"):
        solver.config.auto_updates[unchanged] = False
    found: list[dict[str, object]] = []
    model.hold = pyo.ConstraintList()
    for aim in case.goals:
        with goal(found):
            wanted = expression(model, case, aim)
            if model.component("objective") is not None:
                model.del_component(model.objective)
            model.objective = pyo.Objective(expr=wanted, sense=pyo.maximize)
            result = solver.solve(model, load_solutions=False, raise_exception_on_nonoptimal_result=False)
            said = result.termination_condition.name
            optimal("optimal" if said == "convergenceCriteriaSatisfied" else said)
            reached = float(result.incumbent_objective)
            found.append(aim.reported(reached))
        model.hold.add(wanted >= reached - slack(reached))


def body(folder: Path) -> None:
    """Read, build, solve."""
    with stage("read"):
        case = read(folder)
    with stage("build"):
        model = build(case)
        rows = sum(len(found) for found in model.component_objects(pyo.Constraint))
        say(sizes={"columns": case.sizes["columns"] + int(case.binary.sum()), "rows": rows})
    with stage("solve"):
        solve(model, case)


if __name__ == "__main__":
    measured(body, ("pyomo", "highspy", "numpy", "pandas"))
