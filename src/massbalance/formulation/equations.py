"""The numbered equations, stated in Pyomo. Maths, units and clauses: models/FORMULATION.md.

Every function adds one family of rows; its label, the component's name, the row names and the
golden test of the family are the same word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pyomo.environ as pyo
from pyomo.core.expr.numeric_expr import LinearExpression

from massbalance.domain.case import IndexArray
from massbalance.formulation.columns import Columns
from massbalance.formulation.labels import LABELS, LEAST_NEED
from massbalance.formulation.problem import Problem

Rows = dict[object, tuple[list[float], list[pyo.Var]]]


@dataclass(frozen=True)
class Equation:
    """One family of rows: label, name, the clauses it applies, and the function that adds it."""

    label: str
    name: str
    clauses: tuple[str, ...]
    add: Callable[[Columns, Problem], None]


def _linear(coefs: Iterable[float], variables: Iterable[pyo.Var]) -> LinearExpression:
    return LinearExpression(constant=0, linear_coefs=list(coefs), linear_vars=list(variables))


def _add_rows(model: Columns, name: str, rows: Rows, upper: float | Mapping[object, float]) -> None:
    """One `<= upper` row for each entry."""
    keys = list(rows)
    most = upper if isinstance(upper, Mapping) else dict.fromkeys(keys, upper)

    def rule(_: pyo.ConcreteModel, n: int) -> object:
        return (None, _linear(*rows[keys[n]]), most[keys[n]])

    model.add(name, keys, pyo.Constraint(range(len(keys)), rule=rule))


def lot_supply(model: Columns, problem: Problem) -> None:
    """C1: sum_t f[l,t] <= quantity[l] (A4.2.1, A5.1.1, J5.2.1, J5.3.1). An account never goes below zero."""
    rows: Rows = {}
    for (g, _), flow in model.f.items():
        coefs, variables = rows.setdefault(g, ([], []))
        coefs.append(1.0)
        variables.append(flow)
    quantity = problem.pools.group_quantity
    _add_rows(model, "lot_supply", rows, {g: float(q) for g, q in enumerate(quantity)})


def origin_once(model: Columns, problem: Problem) -> None:
    """C2: sum_{l of origin} sum_t f[l,t] / quantity[l] <= 1 (A4.2.3, J4.4).

    Stated in units of the origin's largest lot, so that the solver's absolute tolerance is one
    of mass and not of shares.
    """
    quantity, pools = problem.pools.group_quantity, problem.pools
    rows: Rows = {}
    size: dict[object, float] = {}
    for origin, groups in pools.origin_groups.items():
        measured = [g for g in groups if quantity[g] > 0]
        if len(measured) < 2:
            continue
        size[origin] = max(float(quantity[g]) for g in measured)
        rows[origin] = (
            [size[origin] / quantity[g] for g in measured for _ in model.periods_of[g]],
            [model.f[g, t] for g in measured for t in model.periods_of[g]],
        )
    model.origin_size.update(size)
    _add_rows(model, "origin_once", rows, size)


def pool_balance(model: Columns, problem: Problem) -> None:
    """C3: sum_r x[k,r] - sum_l f[l,t] <= 0 for r in period t (A4.2.2, A5.1.3A, A5.1.3B, J5.2.3, J5.2.4)."""
    rows: Rows = {}
    period = problem.recipes.period
    for n, (k, r) in enumerate(zip(problem.pairs.pool, problem.pairs.recipe, strict=True)):
        coefs, variables = rows.setdefault((int(k), int(period[r])), ([], []))
        coefs.append(1.0)
        variables.append(model.x[n])
    for (g, t), flow in model.f.items():
        coefs, variables = rows[int(problem.pools.group_pool[g]), t]
        coefs.append(-1.0)
        variables.append(flow)
    _add_rows(model, "pool_balance", rows, 0.0)


def claim(model: Columns, problem: Problem) -> None:
    """C4: need[r] y[r] - sum_k claim_value[k,r] x[k,r] <= 0 (A4.1, A5.1.1, B-C): all five claims."""
    need = problem.recipes.need.floats()
    # the solver drops what is below 1e-9; a need so small stays a need, a gram in a thousand tonnes
    need = np.where(need > 0, np.maximum(need, LEAST_NEED), 0.0)
    rows: Rows = {}
    for r in range(len(problem.recipes)):
        if need[r] > 0:
            pairs = model.pairs_of(r)
            coefs = [float(need[r]), *(-float(problem.claim_value[n]) for n in pairs)]
            rows[r] = (coefs, [model.y[r], *(model.x[n] for n in pairs)])
    _add_rows(model, "claim", rows, 0.0)


def mass_cap(model: Columns, problem: Problem) -> None:
    """C5: sum_k credited[k,r] x[k,r] - y[r] <= 0 (A5.1.1)."""
    rows: Rows = {}
    for r in range(len(problem.recipes)):
        pairs = [n for n in model.pairs_of(r) if problem.credited[n] > 0]
        if pairs:
            coefs = [-1.0, *(float(problem.credited[n]) for n in pairs)]
            rows[r] = (coefs, [model.y[r], *(model.x[n] for n in pairs)])
    _add_rows(model, "mass_cap", rows, 0.0)


def category_cap(model: Columns, problem: Problem) -> None:
    """C6: sum_{k of category} credited x - max_share y <= 0 (A5.1.2C). A share of 1 is C5's."""
    rows: Rows = {}
    for r in range(len(problem.recipes)):
        shares = problem.limit_of(r).shares
        for n in model.pairs_of(r):
            category = model.effect_of(n).category
            if category and shares[category] < 1:
                found = rows.setdefault((r, category), ([-float(shares[category])], [model.y[r]]))
                found[0].append(float(problem.credited[n]))
                found[1].append(model.x[n])
    _add_rows(model, "category_cap", rows, 0.0)


def element_cap(model: Columns, problem: Problem) -> None:
    """C7: sum_k (wt - base) credited x - (max - base) y <= 0, wt % (A5.1.2C).

    Left out where no lot exceeds the maximum: then C5 keeps it.
    """
    rows: Rows = {}
    for r in range(len(problem.recipes)):
        pairs = [(n, model.effect_of(n).deltas) for n in model.pairs_of(r)]
        for element, (maximum, base) in problem.limit_of(r).elements.items():
            found = [(n, deltas[element]) for n, deltas in pairs if element in deltas]
            if any(delta > maximum - base for _, delta in found):
                coefs = [-float(maximum - base), *(float(d) * float(problem.credited[n]) for n, d in found)]
                rows[r, element] = (coefs, [model.y[r], *(model.x[n] for n, _ in found)])
    _add_rows(model, "element_cap", rows, 0.0)


def energy_cap(model: Columns, problem: Problem) -> None:
    """C8: sum_{k of carrier} x - use y <= 0, MWh or GJ (A5.1.2C)."""
    rows: Rows = {}
    for r in range(len(problem.recipes)):
        use = problem.limit_of(r).use
        for n in model.pairs_of(r):
            carrier = model.effect_of(n).carrier
            if carrier:
                found = rows.setdefault((r, carrier), ([-float(use[carrier])], [model.y[r]]))
                found[0].append(1.0)
                found[1].append(model.x[n])
    _add_rows(model, "energy_cap", rows, 0.0)


def scope_cap(model: Columns, problem: Problem) -> None:
    """C9: sum_{k: scopes within S} reduction x - (sum_{s in S} s_s) y <= 0 (A5.2.2C, J5.3.2).

    One row for every union S of scope sets present: by max-flow/min-cut exactly what the best
    split of multi-scope projects allows, without split variables.
    """
    rows: Rows = {}
    for r in range(len(problem.recipes)):
        scopes = problem.limit_of(r).scopes
        for cut in problem.scope_rows[r]:
            pairs = [
                n
                for n in model.pairs_of(r)
                if problem.reduction[n] > 0 and set(model.effect_of(n).scopes) <= set(cut)
            ]
            coefs = [-float(sum(scopes[s - 1] for s in cut)), *(float(problem.reduction[n]) for n in pairs)]
            rows[r, cut] = (coefs, [model.y[r], *(model.x[n] for n in pairs)])
    _add_rows(model, "scope_cap", rows, 0.0)


def recipe_mass(model: Columns, problem: Problem) -> None:
    """C10: y[r] - sum_j step[j] = 0: what is claimed belongs to orders (A4.1)."""
    rows: Rows = {r: ([1.0], [model.y[r]]) for r in range(len(problem.recipes))}
    for j, r in enumerate(problem.steps.recipe):
        rows[int(r)][0].append(-1.0)
        rows[int(r)][1].append(model.step[j])
    keys = list(rows)
    model.add(
        "recipe_mass",
        keys,
        pyo.Constraint(range(len(keys)), rule=lambda _, n: _linear(*rows[keys[n]]) == 0.0),
    )


def _integer_rows(
    model: Columns, name: str, rows: dict[int, tuple[float, float]], *, equal: bool = False
) -> None:
    """a step[j] + b take[j] <= 0 (or = 0) for each entry j: (a, b)."""
    keys = list(rows)

    def rule(_: pyo.ConcreteModel, n: int) -> object:
        j = keys[n]
        body = _linear(rows[j], (model.step[j], model.take[j]))
        return body == 0.0 if equal else (None, body, 0.0)

    model.add(name, keys, pyo.Constraint(range(len(keys)), rule=rule))


def _order_of_step(problem: Problem, j: int) -> int:
    return int(problem.terms.order[problem.steps.terms_of(j)[0]])


def order_mass(model: Columns, problem: Problem) -> None:
    """C11: step[j] - mass take[j] <= 0 where an order needs a yes or no (interface, "whole")."""
    whole = problem.case.orders.flag("whole")
    _integer_rows(
        model,
        "order_mass",
        {
            j: (1.0, -float(problem.steps.upper[j]))
            for j in model.take
            if not whole[_order_of_step(problem, j)]
        },
    )


def min_fill(model: Columns, problem: Problem) -> None:
    """C12: min_fill mass take[j] - step[j] <= 0."""
    orders = problem.case.orders
    whole, least = orders.flag("whole"), orders.floats("min_fill")
    found = {j: _order_of_step(problem, j) for j in model.take}
    _integer_rows(
        model,
        "min_fill",
        {
            j: (-1.0, float(least[o] * problem.steps.upper[j]))
            for j, o in found.items()
            if least[o] > 0 and not whole[o]
        },
    )


def whole(model: Columns, problem: Problem) -> None:
    """C13: step[j] - mass take[j] = 0: all of the order or nothing."""
    flags = problem.case.orders.flag("whole")
    _integer_rows(
        model,
        "whole",
        {j: (1.0, -float(problem.steps.upper[j])) for j in model.take if flags[_order_of_step(problem, j)]},
        equal=True,
    )


def one_offer(model: Columns, problem: Problem) -> None:
    """C14: sum_j take[j] <= 1 over an order's own terms and its offers (A4.2.3)."""
    rows: Rows = {}
    for j in model.take:
        coefs, variables = rows.setdefault(_order_of_step(problem, j), ([], []))
        coefs.append(1.0)
        variables.append(model.take[j])
    _add_rows(model, "one_offer", {o: row for o, row in rows.items() if len(row[0]) > 1}, 1.0)


def _members(problem: Problem, orders: IndexArray) -> list[int]:
    """Steps of some orders, in order; steps keep the orders of rows apart."""
    inside = np.zeros(len(problem.case.orders), dtype=bool)
    inside[orders] = True
    first = problem.terms.order[problem.steps.first_terms()]
    return [int(j) for j in np.flatnonzero(inside[first])]


def minimum_service(model: Columns, problem: Problem) -> None:
    """C16: -sum_{j of group} step[j] <= -share M: no group of customers goes short (interface)."""
    rows: Rows = {}
    upper: dict[object, float] = {}
    for n, least in enumerate(problem.stakes.minimums):
        steps = _members(problem, least.group.orders)
        rows[n] = ([-1.0] * len(steps), [model.step[j] for j in steps])
        upper[n] = -float(least.least)
    _add_rows(model, "minimum_service", rows, upper)


def _shared(
    model: Columns,
    problem: Problem,
    groups: Iterable[tuple[object, IndexArray, float]],
    share: pyo.Var,
    sign: float,
) -> Rows:
    """sign (share M - sum_j step[j]) for each (key, orders, M)."""
    rows: Rows = {}
    for key, orders, mass in groups:
        steps = _members(problem, orders)
        rows[key] = (
            [*([-sign] * len(steps)), sign * mass],
            [*(model.step[j] for j in steps), share[0]],
        )
    return rows


def _covered(problem: Problem) -> list[tuple[object, IndexArray, float]]:
    """(order, itself, mass in t) of the orders under the common share."""
    mass = problem.case.orders.floats("mass_t")
    return [(int(o), np.array([o]), float(mass[o])) for o in problem.stakes.covered]


def common_share(model: Columns, problem: Problem) -> None:
    """C17: theta M[o] - sum_{j of o} step[j] <= 0: every order has at least the common share (B-B)."""
    _add_rows(model, "common_share", _shared(model, problem, _covered(problem), model.common, 1.0), 0.0)


def no_more(model: Columns, problem: Problem) -> None:
    """C18: sum_{j of o} step[j] - theta M[o] <= 0: and no order has more than it (B-B)."""
    _add_rows(model, "no_more", _shared(model, problem, _covered(problem), model.common, -1.0), 0.0)


def fair_share(model: Columns, problem: Problem) -> None:
    """C19: theta M - sum_{j of group} step[j] <= 0: every group has at least theta of its mass (B-C).

    That is the first stage; later ones hold what the groups fixed before had (solving.fair).
    """
    groups = [(n, group.orders, group.mass_t) for n, group in enumerate(problem.stakes.groups)]
    _add_rows(model, "fair_share", _shared(model, problem, groups, model.fair, 1.0), 0.0)


_ADD = (
    lot_supply, origin_once, pool_balance, claim, mass_cap, category_cap, element_cap, energy_cap, scope_cap,
    recipe_mass, order_mass, min_fill, whole, one_offer, minimum_service, common_share, no_more, fair_share,
)  # fmt: skip
EQUATIONS = tuple(
    Equation(one.label, one.name, one.clauses, add) for one, add in zip(LABELS, _ADD, strict=True)
)
"""The rows of the model, in order (labels: formulation.labels)."""
