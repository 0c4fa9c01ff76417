"""HiGHS alone on massbalance's reduced matrix: its default options, the same goals, no tie-break.

    python -m benchmarks.peers.highs_reduced CASE

Reading and building are massbalance's own; what is compared is `solve`.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.peers.highs_goals import Cost, Matrix, load, minimise
from benchmarks.peers.report import measured, stage
from massbalance.formulation.problem import build_problem
from massbalance.intake.read import read_case
from massbalance.solving.assembly import assemble
from massbalance.solving.compiled import Compiled


def goals(compiled: Compiled) -> list[Cost]:
    """Every goal but the last, which only makes the answer unique."""
    return [
        Cost(
            compiled.costs[at],
            lambda reached, at=at, goal=goal: {  # type: ignore[misc]
                "name": goal.name,
                "priority": goal.priority,
                "value": goal.sign * (reached + float(compiled.offsets[at])),
            },
        )
        for at, goal in enumerate(compiled.goals)
        if goal.name != "tie_break"
    ]


def body(folder: Path) -> None:
    """Read, build, solve."""
    with stage("read"):
        case = read_case(folder)
    with stage("build"):
        compiled = assemble(build_problem(case))
        highs = load(
            Matrix(
                compiled.matrix,
                compiled.row_lower,
                compiled.row_upper,
                compiled.lower,
                compiled.upper,
                compiled.integer,
            )
        )
    with stage("solve"):
        minimise(highs, goals(compiled))


if __name__ == "__main__":
    measured(body, ("highspy", "pyomo", "numpy", "scipy"))
