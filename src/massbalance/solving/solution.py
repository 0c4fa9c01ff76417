"""What the goals came to: stages with prices, and the lexicographic optimum as floats."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from massbalance.formulation.goals import Goal
from massbalance.solving.compiled import Compiled
from massbalance.solving.highs import Answer

Floats = npt.NDArray[np.float64]
Progress = Callable[[str], None]
TIME_LIMIT = "stopped at the time limit"


@dataclass(frozen=True)
class Stage:
    """One goal as solved: minimum without offset, proven bound of it, status, duals of its LP.

    row_dual: non-negative price of each `<=` row of the compiled model; hold_dual: of each
    earlier goal's C15. None where no LP was solved to the end. kept: what each group of C19 had to keep in
    it, t (NaN: its share was being raised); None where the model has no C19.
    """

    goal: Goal
    minimum: float
    bound: float
    status: str
    row_dual: Floats | None
    hold_dual: tuple[float, ...] = ()
    kept: Floats | None = None

    @property
    def gap(self) -> float:
        """Relative gap that the solver proves; below 1e-9 is none."""
        gap = (self.minimum - self.bound) / max(1.0, abs(self.minimum))
        return 0.0 if gap < 1e-9 else gap


@dataclass(frozen=True)
class Solution:
    """The lexicographic optimum as floats.

    status: `optimal` or `limit`; columns: of the compiled model; stages: goals in order with
    the clean LP values (integers fixed in a MIP) and their prices; proof: the stages whose
    duals prove the bounds (the same for an LP, the relaxation for a MIP); solver_gap: greatest
    relative gap over the goals; unfinished: name of the goal that the limit cut; stopped_by: what
    limit that was, in words; method: one of solving.methods.METHODS but `auto`; model: the compiled model as
    the goals were solved, where that is not the one given (`as_solved`).
    """

    status: str
    columns: Floats
    stages: tuple[Stage, ...]
    proof: tuple[Stage, ...]
    solver_gap: float
    unfinished: str
    stopped_by: str = ""
    method: str = "monolith"
    model: Compiled | None = None

    def as_solved(self, compiled: Compiled) -> Compiled:
        """The model whose goals the stages are: a fair share has a goal for each of its stages."""
        return compiled if self.model is None else self.model

    def value(self, compiled: Compiled, number: int) -> float:
        """The goal's own value (shortfall in t, margin in currency, a share)."""
        stage = self.stages[number]
        value = stage.goal.sign * (stage.minimum + float(compiled.offsets[number]))
        return value if stage.goal.unit == 1.0 else value / stage.goal.unit


def empty(compiled: Compiled) -> Solution:
    """The optimum of a model without columns."""
    price = np.zeros(len(compiled.rows))
    stages = tuple(Stage(g, 0.0, 0.0, "optimal", price, ()) for g in compiled.goals)
    return Solution("optimal", np.zeros(0), stages, stages[:-1], 0.0, "")


def stage_of(goal: Goal, answer: Answer, rows: int) -> Stage:
    """The stage of an answer whose model has `rows` rows before the held goals."""
    if answer.row_dual is None or answer.status != "optimal":
        return Stage(goal, answer.objective, answer.bound, answer.status, None)
    # rows are `<=` in a minimisation: their duals are non-positive, prices are non-negative
    price = np.maximum(0.0, -answer.row_dual)
    held = tuple(float(p) for p in price[rows:])
    return Stage(goal, answer.objective, answer.bound, answer.status, price[:rows], held)


def finish(compiled: Compiled, stages: list[Stage], proof: list[Stage], columns: Floats | None) -> Solution:
    """Status, and an empty allocation where the limit came before any other."""
    count = len(compiled.goals)
    done = [s for s in stages if s.status == "optimal"]
    cut = next((s for s in stages if s.status != "optimal"), None)
    if columns is None:
        columns = np.zeros(compiled.matrix.shape[1])
    full = [
        stages[g]
        if g < len(done)
        else Stage(compiled.goals[g], float(compiled.costs[g] @ columns), -np.inf, "limit", None)
        for g in range(count)
    ]
    proven = tuple(s for s in proof if s.goal.name != "tie_break")
    # the tie-break only chooses among optima: a limit that cuts it leaves the optimum proven
    if cut is None or cut.goal.name == "tie_break":
        return Solution("optimal", columns, tuple(full), proven, 0.0, "")
    return Solution("limit", columns, tuple(full), proven, float("inf"), cut.goal.key, TIME_LIMIT)
