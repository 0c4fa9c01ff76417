"""Lexicographic solution of a plain model with OR-tools: GLOP for LPs, SCIP for MIPs.

A goal once reached is held without slack (a vertex meets its rows to the last bits). Every LP answer is
certified: its rows hold, and the weak-duality bound from its duals is no more than `PROVEN` above it. A
MIP's integers come from SCIP at tight tolerances; its value always from GLOP with those integers fixed.
Where SCIP's bound lies above that value (an answer that used a tolerance), the pattern is forbidden and
SCIP asked again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from ortools.linear_solver import pywraplp

if TYPE_CHECKING:
    from plain_model import Goal, Model

PROVEN = 2e-9  # relative to max(1, |value|), LP stages
MIP_PROVEN = 1e-8
ROW_TOLERANCE = 1e-9  # breach of a row, relative to max(1, |right-hand side|)
HOLD_SLACKS = (0.0, 1e-12, 1e-11, 1e-10)
GLOP_TRIES = (
    "primal_feasibility_tolerance: 1e-9 dual_feasibility_tolerance: 1e-9 use_dual_simplex: false",
    "primal_feasibility_tolerance: 1e-9 dual_feasibility_tolerance: 1e-9 use_dual_simplex: true",
    "primal_feasibility_tolerance: 1e-10 dual_feasibility_tolerance: 1e-10 use_preprocessing: false",
    "primal_feasibility_tolerance: 1e-9 dual_feasibility_tolerance: 1e-9 use_scaling: false",
    "",
)
SCIP_SETTINGS = """numerics/feastol = 1e-9
numerics/dualfeastol = 1e-9
limits/gap = 0
limits/absgap = 0
misc/allowstrongdualreds = FALSE
"""
PATTERNS = 200  # SCIP answers tried for one goal


@dataclass(frozen=True)
class Hold:
    """An earlier goal, to stay at least at `value`."""

    goal: Goal
    value: float


@dataclass(frozen=True)
class Answer:
    value: float
    columns: list[float]


class Unsolved(RuntimeError):
    """No proven optimum."""


class _Engine:
    """One OR-tools solver over a model's columns, rows and holds; `fixed` gives the binaries' values."""

    def __init__(
        self,
        kind: str,
        model: Model,
        holds: Sequence[Hold],
        slack: float,
        fixed: Mapping[int, int] | None = None,
    ) -> None:
        self.solver = pywraplp.Solver.CreateSolver(kind)
        self.upper = [float(u) for u in model.upper]
        self.lower = [0.0] * len(self.upper)
        for column, value in (fixed or {}).items():
            self.lower[column] = self.upper[column] = float(value)
        self.columns = [
            self.solver.IntVar(0, 1, "")
            if fixed is None and i in model.binary
            else self.solver.NumVar(self.lower[i], self.upper[i], "")
            for i in range(len(self.upper))
        ]
        self.rows = [({c: float(v) for c, v in terms.items()}, float(rhs)) for _, terms, rhs in model.rows]
        for hold in holds:
            self.rows.append(
                (
                    {c: -float(v) for c, v in hold.goal.coefficients.items()},
                    slack * max(1.0, abs(hold.value)) - hold.value,
                )
            )
        self.constraints = [self.add(terms, rhs) for terms, rhs in self.rows]

    def add(self, terms: Mapping[int, float], rhs: float) -> Any:
        constraint = self.solver.Constraint(-self.solver.infinity(), rhs)
        for column, value in terms.items():
            constraint.SetCoefficient(self.columns[column], value)
        return constraint

    def maximise(self, goal: Goal, settings: str) -> int:
        objective = self.solver.Objective()
        objective.Clear()
        for column, value in goal.coefficients.items():
            objective.SetCoefficient(self.columns[column], float(value))
        objective.SetMaximization()
        if not self.solver.SetSolverSpecificParametersAsString(settings):
            raise Unsolved(f"settings not understood: {settings}")
        parameters = pywraplp.MPSolverParameters()
        parameters.SetDoubleParam(parameters.RELATIVE_MIP_GAP, 0.0)
        return int(self.solver.Solve(parameters))

    def solution(self) -> list[float]:
        found = (column.solution_value() for column in self.columns)
        return [min(max(v, lo), up) for v, lo, up in zip(found, self.lower, self.upper, strict=True)]

    def violation(self, columns: Sequence[float]) -> float:
        """Largest breach of a row, relative to the row's right-hand side (at least 1)."""
        return max(
            (
                ((math.fsum(v * columns[c] for c, v in terms.items()) - rhs) / max(1.0, abs(rhs)))
                for terms, rhs in self.rows
            ),
            default=0.0,
        )

    def dual_bound(self, goal: Goal) -> float:
        """Weak-duality bound of an LP: right for any duals >= 0, so for the solver's too."""
        reduced = [0.0] * len(self.columns)
        for column, gain in goal.coefficients.items():
            reduced[column] = float(gain)
        parts = []
        for constraint, (terms, rhs) in zip(self.constraints, self.rows, strict=True):
            dual = max(0.0, constraint.dual_value())
            if dual:
                parts.append(dual * rhs)
                for column, value in terms.items():
                    reduced[column] -= dual * value
        bounds = zip(reduced, self.lower, self.upper, strict=True)
        parts += [slope * (most if slope > 0 else least) for slope, least, most in bounds]
        return math.fsum(parts)


def _scale(value: float) -> float:
    return max(1.0, abs(value))


def _value(goal: Goal, columns: Sequence[float]) -> float:
    return math.fsum(float(v) * columns[c] for c, v in goal.coefficients.items())


def solve_lp(model: Model, goal: Goal, holds: Sequence[Hold], fixed: Mapping[int, int]) -> Answer | None:
    """The certified optimum of one goal with the binaries fixed; None where no settings find one.

    Settings and then the holds' slack are varied until an answer is proven to `PROVEN`; Unsolved where
    there are answers but none is proven.
    """
    unproven = 0
    for slack, settings in product(HOLD_SLACKS if holds else (0.0,), GLOP_TRIES):
        engine = _Engine("GLOP", model, holds, slack, fixed)
        if engine.maximise(goal, settings) != pywraplp.Solver.OPTIMAL:
            continue
        columns = engine.solution()
        value, bound = _value(goal, columns), engine.dual_bound(goal)
        if engine.violation(columns) <= ROW_TOLERANCE and abs(bound - value) <= PROVEN * _scale(value):
            return Answer(value, columns)
        unproven += 1
    if unproven:
        raise Unsolved(f"{goal.name} {goal.priority}: {unproven} LP answers, none proven")
    return None


def solve_mip(model: Model, goal: Goal, holds: Sequence[Hold]) -> Answer:
    """The optimum of one goal over the binaries, proven by SCIP's bound to `MIP_PROVEN`."""
    engine = _Engine("SCIP", model, holds, HOLD_SLACKS[1] if holds else 0.0)
    best: Answer | None = None
    for _ in range(PATTERNS):
        status = engine.maximise(goal, SCIP_SETTINGS)
        if status == pywraplp.Solver.INFEASIBLE and best is not None:
            return best
        if status != pywraplp.Solver.OPTIMAL:
            raise Unsolved(f"{goal.name} {goal.priority}: SCIP status {status}")
        bound = engine.solver.Objective().BestBound()
        pattern = {c: round(engine.columns[c].solution_value()) for c in model.binary}
        found = solve_lp(model, goal, holds, pattern)
        if found is not None and (best is None or found.value > best.value):
            best = found
        if best is not None and bound - best.value <= MIP_PROVEN * _scale(best.value):
            return best
        engine.add({c: 1.0 if on else -1.0 for c, on in pattern.items()}, sum(pattern.values()) - 1.0)
    raise Unsolved(f"{goal.name} {goal.priority}: {PATTERNS} patterns without proof")


def solve(model: Model) -> list[float]:
    """The goals' values in turn, each with the earlier ones held. Unsolved where one is not proven."""
    holds: list[Hold] = []
    for goal in model.goals:
        answer = solve_mip(model, goal, holds) if model.binary else solve_lp(model, goal, holds, {})
        if answer is None:
            raise Unsolved(f"{goal.name} {goal.priority}: infeasible")
        holds.append(Hold(goal, answer.value))
    return [hold.value for hold in holds]
