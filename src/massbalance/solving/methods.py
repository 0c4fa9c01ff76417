"""Which way a model is solved: whole, by decomposition, or as the reference states it."""

from __future__ import annotations

import time
from dataclasses import replace

from massbalance.formulation.problem import Problem
from massbalance.solving import decomposition, lexicographic
from massbalance.solving.assembly import assemble
from massbalance.solving.compiled import Compiled, compile_model
from massbalance.solving.minimum import within_reach
from massbalance.solving.reach import without_hopeless
from massbalance.solving.solution import Progress, Solution

METHODS = ("auto", "monolith", "decomposition", "reference")
"""auto: by size; monolith: the whole matrix; decomposition: on credit prices; reference: the whole
model as stated in Pyomo. All reach the same optimum."""

MOST_RECIPES = 12_000
"""Above so many recipes an LP is decomposed: the monolith's rows grow with them, the master's hardly."""
MOST_YES_NO = 400
"""Above so many yes/no columns a MIP is decided over the mixes that prices call for."""


class MethodRefused(ValueError):
    """A method that is none, or does not take this case."""


def chosen(problem: Problem, compiled: Compiled, method: str) -> str:
    """The method that `auto` stands for. MethodRefused for a word that is none."""
    if method not in METHODS:
        raise MethodRefused(f"method {method!r}: one of {', '.join(METHODS)}")
    if method == "decomposition" and not problem.case.objective.plain:
        raise MethodRefused(
            "method 'decomposition': it takes firm orders and margin only; this case's [objective] has other "
            "goals or minimum services (methods: auto, monolith, reference)"
        )
    if method != "auto" or not problem.case.objective.plain:
        return "monolith" if method == "auto" else method
    many = len(problem.recipes) > MOST_RECIPES or int(compiled.integer.sum()) > MOST_YES_NO
    return "decomposition" if many else "monolith"


def compiled_by(problem: Problem, method: str) -> Compiled:
    """The model's arrays, assembled directly or, for the reference, compiled from Pyomo."""
    return compile_model(problem) if method == "reference" else assemble(problem)


def prepared(
    problem: Problem,
    compiled: Compiled,
    deadline: float | None = None,
    progress: Progress | None = None,
    *,
    spare: bool = False,
) -> Compiled:
    """The model as it is solved: nothing else where the case asks for firm orders and margin only.

    Its minimum services can be met (Infeasible otherwise), and an order whose claim is out of reach does
    not hold the common share of all others. spare: as `minimum.within_reach` takes it.
    """
    # first what no mix can serve: it would hold the common share at 0, and minimum services out of reach
    compiled = without_hopeless(problem, compiled)
    return within_reach(problem, compiled, deadline, progress, spare=spare)


def solve(
    problem: Problem,
    compiled: Compiled,
    *,
    method: str = "auto",
    time_limit: float | None = None,
    gap: float = 0.0,
    progress: Progress | None = None,
    spare: bool = False,
    prove: bool = True,
) -> Solution:
    """Lexicographic optimum by one of METHODS (feasible: nothing need be allocated but minimum services).

    time_limit: seconds for all solves together; gap: relative MIP gap to stop at. Infeasible where minimum
    services cannot be met; SolverError where HiGHS answers what cannot be true. spare: minimum services are
    raised by what rounding may cost, where there is room; prove: as `lexicographic.solve` takes it.
    """
    method = chosen(problem, compiled, method)
    begun = time.monotonic()
    deadline = None if time_limit is None else begun + time_limit
    given, compiled = compiled, prepared(problem, compiled, deadline, progress, spare=spare)
    if time_limit is not None:
        time_limit = max(0.0, begun + time_limit - time.monotonic())
    if method == "decomposition":
        found = decomposition.solve(problem, compiled, time_limit=time_limit, gap=gap, progress=progress)
    else:
        found = lexicographic.solve(compiled, time_limit=time_limit, gap=gap, progress=progress, prove=prove)
    if found.model is None and compiled is not given:
        found = replace(found, model=compiled)
    return replace(found, method=method)
