"""The lexicographic optimum by decomposition: a sample for first prices, then every recipe."""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt

from massbalance.formulation.problem import Problem
from massbalance.solving.compiled import Compiled
from massbalance.solving.decomposition.blocks import Blocks
from massbalance.solving.decomposition.generation import Optimum, first_mixes, optimise
from massbalance.solving.decomposition.lifting import columns_of, point_of
from massbalance.solving.decomposition.master import Master
from massbalance.solving.solution import Progress, Solution, Stage, finish
from massbalance.solving.ties import break_ties

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]

SAMPLE = 600
"""Least recipes in the sample from which the first prices come."""


def solve_lp(
    problem: Problem, compiled: Compiled, deadline: float | None, say: Progress, blocks: Blocks | None = None
) -> Solution:
    """Lexicographic optimum of an LP. SolverError where HiGHS answers what cannot be true."""
    blocks = Blocks(problem, compiled) if blocks is None else blocks
    known = sample_prices(problem, compiled, blocks, deadline, say)
    master = Master(problem, compiled, blocks, np.arange(blocks.count), 1.0)
    count = len(compiled.goals) - 1
    stages: list[Stage] = []
    columns: Floats | None = None
    for g in range(count):
        goal = compiled.goals[g]
        say(f"solving by prices: {goal.key}")
        optimum = _goal(master, blocks, g, known, deadline, say)
        solved = optimum.solved
        if solved.columns is not None:
            columns = columns_of(master, solved.columns)
        if solved.status != "optimal":
            stages.append(Stage(goal, solved.objective, optimum.bound, "limit", None))
            break
        point = point_of(master, blocks, optimum)
        minimum = float(compiled.costs[g] @ point.columns)
        price = np.maximum(0.0, point.rows)
        stages.append(Stage(goal, minimum, optimum.bound, "optimal", price, tuple(point.held.tolist())))
        if g + 1 < count:
            master.hold(g, solved.objective)
    else:
        held = [(compiled.costs[g], stages[g].minimum) for g in range(count - 1)]
        say(f"solving: {compiled.goals[count].key}")
        answer, columns = break_ties(compiled, point, count - 1, held, deadline)
        stages.append(Stage(compiled.goals[count], answer.objective, answer.bound, answer.status, None))
    return finish(compiled, stages, stages, columns)


def _goal(
    master: Master, blocks: Blocks, goal: int, known: list[Floats], deadline: float | None, say: Progress
) -> Optimum:
    cold = not master.held
    master.aim(goal)
    first_mixes(master, blocks, known[goal] if goal < len(known) else None)
    return optimise(master, blocks, deadline, say, master.compiled.goals[goal].key, cold=cold)


def sample_prices(
    problem: Problem, compiled: Compiled, blocks: Blocks, deadline: float | None, say: Progress
) -> list[Floats]:
    """Row prices of each goal from every n-th recipe, each counted n times; none for few recipes."""
    possible = np.flatnonzero(blocks.possible)
    stride = len(possible) // SAMPLE
    if stride < 3:
        return []
    say("first prices from a sample")
    in_time = possible[np.lexsort((possible, problem.recipes.period[possible]))]
    chosen = np.sort(in_time[::stride])
    mass = problem.recipe_mass
    master = Master(problem, compiled, blocks, chosen, float(mass[possible].sum() / mass[chosen].sum()))
    found = []
    for g in range(len(compiled.goals) - 1):
        optimum = _goal(master, blocks, g, [], deadline, say)
        rows = np.zeros(len(compiled.rows))
        rows[master.rows] = optimum.prices.rows
        found.append(rows)
        master.hold(g, optimum.solved.objective)
    return found
