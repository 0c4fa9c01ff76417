"""summary.json: the run in numbers; exact decimals, no float noise."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from decimal import Decimal
from importlib import metadata

import numpy as np

from massbalance.books.book import ResidualBook
from massbalance.domain.case import Case
from massbalance.domain.faults import Fault
from massbalance.domain.grid import decimal_text, total
from massbalance.domain.result import Allocation
from massbalance.formulation.goals import Goal
from massbalance.formulation.problem import Problem
from massbalance.report.documents import Json
from massbalance.report.goal_values import booked_values, grams, strategy, told
from massbalance.solving.compiled import Compiled
from massbalance.solving.solution import Solution

PACKAGES = ("massbalance", "pyomo", "highspy", "numpy", "pandas", "pyarrow")


def rounded(value: float | None, decimals: int = 9) -> Decimal | None:
    """A float for display; None where there is none."""
    if value is None or not np.isfinite(value):
        return None
    return Decimal(decimal_text(round(value * 10**decimals), decimals))


def objectives(
    problem: Problem, compiled: Compiled, solution: Solution, allocation: Allocation
) -> list[dict[str, object]]:
    """Booked value of each goal, beside the solver's and what booking cost."""
    found: list[dict[str, object]] = []
    model = solution.as_solved(compiled)
    values = booked_values(problem, compiled, solution, allocation)
    for number, goal in enumerate(model.goals):
        if goal.name != "tie_break":
            value = values[len(found)]
            solved = solution.value(model, number)
            found.append(
                {
                    **_named(goal),
                    "value": told(goal, value),
                    "solver_value": rounded(solved),
                    "booking_cost": rounded(goal.sign * (float(value) - solved)),
                }
            )
    return found


def _named(goal: Goal) -> dict[str, object]:
    """What tells a goal from the others."""
    named: dict[str, object] = {"name": goal.name, "priority": goal.priority}
    return {**named, "group": goal.group} if goal.group else named


def solver_objectives(compiled: Compiled, solution: Solution) -> list[dict[str, object]]:
    """The solver's goal values before booking: name, priority, value."""
    model = solution.as_solved(compiled)
    return [
        {**_named(goal), "value": solution.value(model, number)}
        for number, goal in enumerate(model.goals)
        if goal.name != "tie_break"
    ]


def versions() -> dict[str, str]:
    """Python and the packages that a result rests on."""
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in PACKAGES}}


def _amounts(values: Mapping[str, int]) -> dict[str, Decimal]:
    return {name: grams(value) for name, value in values.items()}


def summary(
    problem: Problem,
    compiled: Compiled,
    solution: Solution,
    allocation: Allocation,
    book: ResidualBook,
    warnings: Sequence[Fault],
    seconds: Mapping[str, float],
) -> Json:
    """The document of interface.md, with objectives' solver values and booking costs beside."""
    case: Case = problem.case
    firm = case.orders.flag("firm")
    mass = np.asarray(case.orders.grid("mass_t"), dtype=np.int64)
    document: Json = {
        "name": case.name,
        "currency": case.currency,
        "status": solution.status,
        "unfinished_goal": solution.unfinished or None,
        "stopped_by": solution.stopped_by or None,
        "unique": solution.stages[-1].status == "optimal",
        "method": solution.method,
        "mip": problem.is_mip,
        "objectives": objectives(problem, compiled, solution, allocation),
        "prices": "LP with the yes/no decisions fixed" if problem.is_mip else "LP",
        "gap": rounded(solution.solver_gap, 12),
        "verified": True,
        "orders": len(case.orders),
        "asked_t": grams(total(mass)),
        "claimed_t": grams(total(allocation.claimed)),
        "unmet_firm_t": grams(total(mass[firm]) - total(allocation.claimed[firm])),
        "credits": {uom: _amounts(values) for uom, values in book.credits.items()},
        "tco2e": _amounts(book.tco2e),
        "shares_t": {name: _amounts(values) for name, values in book.shares.items()},
        "units": {name: _amounts(values) for name, values in book.units.items()},
        "rules": {
            "id": case.rules.id,
            "version": case.rules.model.version,
            "sha256": case.rules.sha256,
            "overrides": dict(case.rules.overrides),
        },
        "case_sha256": case.sha256,
        "proposer": None,
        "opening": None,
        "encodings": dict(case.encodings),
        "model": {
            "rows": compiled.matrix.shape[0],
            "columns": compiled.matrix.shape[1],
            "nonzeros": int(compiled.matrix.nnz),
            "pools": len(problem.pools.ids),
            "recipes": len(problem.recipes),
        },
        "versions": versions(),
        "seconds": {name: Decimal(f"{value:.3f}") for name, value in seconds.items()},
        "warnings": [w.as_dict() for w in warnings],
    }
    if not case.objective.plain:
        document["strategy"] = strategy(problem, allocation, solution)
    return document
