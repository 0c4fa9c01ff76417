"""Goals one after the other on one master: each is optimised over all mixes, then held (C15)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from massbalance.formulation.problem import Problem
from massbalance.solving.compiled import Compiled
from massbalance.solving.decomposition.blocks import Blocks
from massbalance.solving.decomposition.generation import Optimum, first_mixes, optimise
from massbalance.solving.decomposition.lifting import columns_of, point_of
from massbalance.solving.decomposition.master import Master, Mixes
from massbalance.solving.solution import Progress, Solution, Stage, finish
from massbalance.solving.ties import Optimum as Point
from massbalance.solving.ties import break_ties

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]

SAMPLE = 600
"""Least recipes in the sample from which the first prices come."""


class Sequence:
    """The goals of one model by decomposition; `known`: first row prices of each goal, if any."""

    def __init__(
        self,
        problem: Problem,
        compiled: Compiled,
        blocks: Blocks,
        deadline: float | None,
        say: Progress,
        known: list[Floats] | None = None,
    ) -> None:
        self.problem, self.compiled, self.blocks = problem, compiled, blocks
        self.deadline, self.say = deadline, say
        self.known = [] if known is None else known

    def master(self, mixes: Mixes | None = None) -> Master:
        """A master over every recipe, with the mixes of an earlier one."""
        master = Master(self.problem, self.compiled, self.blocks, np.arange(self.blocks.count), 1.0)
        if mixes is not None:
            master.take_over(mixes)
        return master

    def goal(self, master: Master, goal: int) -> Optimum:
        """Optimise one goal on a master, over all mixes."""
        cold = not master.held
        master.aim(goal)
        first_mixes(master, self.blocks, self.known[goal] if goal < len(self.known) else None)
        name = self.compiled.goals[goal].key
        return optimise(master, self.blocks, self.deadline, self.say, name, cold=cold)

    def stage(self, master: Master, goal: int, optimum: Optimum) -> tuple[Stage, Point]:
        """What an optimum came to, in the compiled model's terms."""
        point = point_of(master, self.blocks, optimum)
        minimum = float(self.compiled.costs[goal] @ point.columns)
        price, held = np.maximum(0.0, point.rows), tuple(point.held.tolist())
        status = optimum.solved.status
        return Stage(self.compiled.goals[goal], minimum, optimum.bound, status, price, held), point

    def solve(self, mixes: Mixes | None = None) -> Solution:
        """Every goal of an LP, the tie-break last."""
        compiled, master = self.compiled, self.master(mixes)
        count = len(compiled.goals) - 1
        stages: list[Stage] = []
        columns: Floats | None = None
        point: Point | None = None
        for g in range(count):
            self.say(f"solving by prices: {compiled.goals[g].key}")
            optimum = self.goal(master, g)
            solved = optimum.solved
            if solved.columns is not None:
                columns = columns_of(master, solved.columns)
            if solved.columns is None or optimum.prices is None:
                stages.append(Stage(compiled.goals[g], solved.objective, optimum.bound, "limit", None))
            else:
                stage, point = self.stage(master, g, optimum)
                stages.append(stage)
            if solved.status != "optimal":
                return finish(compiled, stages, stages, columns)
            if g + 1 < count:
                master.hold(g, optimum.value)
        if point is not None:
            held = [(compiled.costs[g], stages[g].minimum) for g in range(count - 1)]
            self.say(f"solving: {compiled.goals[count].key}")
            answer, columns = break_ties(compiled, point, count - 1, held, self.deadline)
            stages.append(Stage(compiled.goals[count], answer.objective, answer.bound, answer.status, None))
        return finish(compiled, stages, stages, columns)

    def relaxed(self, clean: Solution, mixes: Mixes) -> list[Stage]:
        """Stages without integers, the earlier goals held at what was reached with them."""
        master, found = self.master(mixes), []
        for g, reached in enumerate(clean.stages[:-1]):
            self.say(f"bound without whole orders: {reached.goal.key}")
            optimum = self.goal(master, g)
            if optimum.solved.status != "optimal":
                break
            found.append(self.stage(master, g, optimum)[0])
            master.hold(g, reached.minimum)
        return found


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
    sequence, found = Sequence(problem, compiled, blocks, deadline, say), []
    for g in range(len(compiled.goals) - 1):
        optimum = sequence.goal(master, g)
        if optimum.prices is None:
            break
        rows = np.zeros(len(compiled.rows))
        rows[master.rows] = optimum.prices.rows
        found.append(rows)
        if optimum.solved.status != "optimal":
            break
        master.hold(g, optimum.value)
    return found
