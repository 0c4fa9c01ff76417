"""A model as the arrays that HiGHS takes, with labels for rows and columns.

`solving.assembly` makes them from the problem; `compile_model` from the reference statement in Pyomo.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import scipy.sparse

from massbalance.formulation.goals import Goal
from massbalance.formulation.labels import LEAST
from massbalance.formulation.problem import Problem
from massbalance.solving.rows import AnyRows, equation_codes, recipe_codes

if TYPE_CHECKING:
    from massbalance.formulation.columns import Columns

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Compiled:
    """minimise costs[g] x + offset[g] subject to row_lower <= A x <= row_upper, lower <= x <= upper.

    matrix: CSC (rows, columns); costs: (goals, columns); integer: bool over columns;
    rows: (equation, key) of each row, equation_of_row and recipe_of_row the same as codes; f, x, y,
    step, take: column of each variable, f in the order of `flows` [(group, period)], take by step
    position (-1 where a step has none); common, fair: columns of the shares that strategies raise (one at
    most, each); origin_size: unit of each C2 row.
    """

    matrix: scipy.sparse.csc_array
    costs: Floats
    offsets: Floats
    row_lower: Floats
    row_upper: Floats
    lower: Floats
    upper: Floats
    integer: npt.NDArray[np.bool_]
    rows: AnyRows
    goals: tuple[Goal, ...]
    flows: tuple[tuple[int, int], ...]
    f: Positions
    x: Positions
    y: Positions
    step: Positions
    take: Positions
    origin_size: dict[object, float]
    common: Positions = field(default_factory=lambda: np.zeros(0, dtype=np.intp))
    fair: Positions = field(default_factory=lambda: np.zeros(0, dtype=np.intp))

    @cached_property
    def equation_of_row(self) -> npt.NDArray[np.int8]:
        """Position of each row's equation in formulation.labels.EQUATION_NAMES."""
        return equation_codes(self.rows)

    @cached_property
    def recipe_of_row(self) -> Positions:
        """Recipe of each row of C4 to C10, -1 elsewhere."""
        return recipe_codes(self.rows)


def compile_model(problem: Problem) -> Compiled:
    """State the model in Pyomo and compile it. ValueError where a figure is not finite."""
    # Pyomo takes a second to import, and only the reference needs it
    from massbalance.formulation.model import build_model

    return compile_stated(problem, *build_model(problem))


def compile_stated(problem: Problem, model: Columns, goals: list[Goal]) -> Compiled:
    """Compile a model that stands in Pyomo, with whatever else was stated there."""
    from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

    standard = LinearStandardFormCompiler().write(model.pyomo, mixed_form=True, set_sense=None)
    column_of = {id(v): i for i, v in enumerate(standard.columns)}

    def positions(variable: object) -> Positions:
        return np.array([column_of.get(id(v), -1) for v in variable.values()], dtype=np.intp)  # type: ignore[attr-defined]

    kinds = np.array([bound for _, bound in standard.rows], dtype=np.int64)
    rhs = np.asarray(standard.rhs, dtype=np.float64)
    take = np.full(len(problem.steps), -1, dtype=np.intp)
    for j, variable in model.take.items():
        take[j] = column_of[id(variable)]
    matrix = scipy.sparse.csc_array(standard.A)
    # HiGHS would drop these with a warning
    matrix.data[np.abs(matrix.data) < LEAST] = 0.0
    matrix.eliminate_zeros()
    compiled = Compiled(
        matrix=matrix,
        costs=np.asarray(standard.c.todense(), dtype=np.float64).reshape(len(goals), len(standard.columns)),
        offsets=np.asarray(standard.c_offset, dtype=np.float64),
        row_lower=np.where(kinds == 1, -np.inf, rhs),
        row_upper=np.where(kinds == -1, np.inf, rhs),
        lower=np.array([float(v.lb) for v in standard.columns], dtype=np.float64),
        upper=np.array([float(v.ub) for v in standard.columns], dtype=np.float64),
        integer=np.array([v.is_binary() for v in standard.columns], dtype=bool),
        rows=tuple(_row_label(model, constraint) for constraint, _ in standard.rows),
        goals=tuple(goals),
        flows=tuple(model.f.keys()),
        f=positions(model.f),
        x=positions(model.x),
        y=positions(model.y),
        step=positions(model.step),
        take=take,
        origin_size=model.origin_size,
        common=positions(model.common),
        fair=positions(model.fair),
    )
    check(compiled)
    return compiled


def without(problem: Problem, compiled: Compiled, terms: set[int]) -> Compiled:
    """The same model in which these terms (positions) get nothing."""
    upper = compiled.upper.copy()
    for term in terms:
        j = int(problem.steps.of_term[term])
        if problem.steps.integer[j]:
            upper[compiled.step[j]] = 0.0
            upper[compiled.take[j]] = 0.0
    return replace(compiled, upper=upper)


def with_taken(compiled: Compiled, taken: Floats) -> Compiled:
    """The same model with every yes/no column fixed; taken: in the order of the steps that have one."""
    lower, upper = compiled.lower.copy(), compiled.upper.copy()
    at = compiled.take[compiled.take >= 0]
    lower[at] = upper[at] = taken
    return replace(compiled, lower=lower, upper=upper)


def with_integers(compiled: Compiled, values: Floats) -> Compiled:
    """The same model with every integer column fixed; values: in the order of the columns."""
    lower, upper = compiled.lower.copy(), compiled.upper.copy()
    at = np.flatnonzero(compiled.integer)
    lower[at] = upper[at] = values
    return replace(compiled, lower=lower, upper=upper)


def _row_label(model: Columns, constraint: object) -> tuple[str, object]:
    name = constraint.parent_component().local_name  # type: ignore[attr-defined]
    return name, model.row_keys[name][constraint.index()]  # type: ignore[attr-defined]


def check(compiled: Compiled) -> None:
    """HiGHS calls a model with NaN or unbounded columns optimal, so neither may reach it."""
    finite = (compiled.matrix.data, compiled.costs, compiled.offsets, compiled.lower, compiled.upper)
    if not all(np.isfinite(a).all() for a in finite):
        raise ValueError("the compiled model holds a figure that is not finite")
    for positions in (compiled.f, compiled.x, compiled.y, compiled.step):
        if (positions < 0).any():
            raise ValueError("a column of the model vanished in compilation")
