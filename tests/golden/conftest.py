"""The golden check: stored rows, the optimum by hand, and the proof that the equation is on.

Stored texts lie in lp/. After a wanted change of the formulation,

    MASSBALANCE_GOLDEN=write python -m pytest tests/golden

writes them anew; a test whose text changed fails this once, so look at the difference and run again.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from tests.golden.lp_text import goals_text, holds_text, rows_text
from tests.golden.tiny import Tiny

from massbalance.api import Outcome, read_case, run_case
from massbalance.formulation.problem import Problem, build_problem
from massbalance.report.summary import solver_objectives
from massbalance.solving.compiled import Compiled, compile_model
from massbalance.solving.highs import Highs
from massbalance.solving.lexicographic import solve

STORED = Path(__file__).parent / "lp"
ABS = 1e-5
"""t or currency: booking may cost some millionths of a tonne, the solver less."""

Values = Mapping[str, float]


def goal_values(objectives: list[dict[str, object]]) -> dict[str, float]:
    """`firm_shortfall:1`, `margin` -> value, in the order of the goals."""
    return {
        str(g["name"]) if g["priority"] is None else f"firm_shortfall:{g['priority']}": float(str(g["value"]))
        for g in objectives
    }


def solved(compiled: Compiled) -> dict[str, float]:
    """The solver's goal values."""
    return goal_values(solver_objectives(compiled, solve(compiled)))


def without_rows(compiled: Compiled, equation: str) -> Compiled:
    """The model with a family of rows taken out."""
    kept = np.array([i for i, (name, _) in enumerate(compiled.rows) if name != equation], dtype=np.intp)
    assert len(kept) < len(compiled.rows)
    return replace(
        compiled,
        matrix=compiled.matrix.tocsr()[kept].tocsc(),
        row_lower=compiled.row_lower[kept],
        row_upper=compiled.row_upper[kept],
        rows=tuple(compiled.rows[i] for i in kept),
    )


@dataclass
class Golden:
    """The checks of one test; every case is written to a folder of its own."""

    folder: Path
    count: int = 0
    files: list[Path] = field(default_factory=list)

    def write(self, case: Tiny) -> Path:
        """Write a case to a new folder."""
        self.count += 1
        return case.write(self.folder / f"case-{self.count}")

    def compiled(self, case: Tiny) -> tuple[Problem, Compiled]:
        """The case read, built and compiled."""
        problem = build_problem(read_case(self.write(case)))
        return problem, compile_model(problem)

    def stored(self, name: str, text: str) -> None:
        """The text is the stored one."""
        path = STORED / f"{name}.txt"
        before = path.read_text(encoding="utf-8") if path.exists() else None
        if before != text and os.environ.get("MASSBALANCE_GOLDEN") == "write":
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
            pytest.fail(f"{path.name} is written anew: look at the difference and run again")
        assert text == before, f"{path.name} differs (see tests/golden/conftest.py)"

    def optimum(self, case: Tiny, values: Values) -> Outcome:
        """A verified run reaches these goals, in this order."""
        outcome = run_case(self.write(case), self.folder / f"run-{self.count}")
        found = goal_values(outcome.summary["objectives"])
        assert list(found) == list(values)
        assert found == pytest.approx(dict(values), abs=ABS)
        assert outcome.summary["status"] == "optimal"
        assert outcome.report.ok
        return outcome

    def other_optimum(self, case: Tiny, values: Values) -> None:
        """The solver reaches these goals."""
        assert solved(self.compiled(case)[1]) == pytest.approx(dict(values), abs=ABS)

    def equation(self, name: str, case: Tiny, values: Values, *, without: Tiny, then: Values) -> Outcome:
        """The rows are the stored ones, the optimum is `values`, and both ways to switch the equation
        off change it: the case `without` the limit reaches `then`, the model without the rows
        something else again or the same.

        name: `C6_category_cap`, with a variant behind it where one label has several cases.
        """
        equation = next(n for _, n in LABELS if name.partition("_")[2].startswith(n))
        problem, compiled = self.compiled(case)
        self.stored(name, rows_text(problem, compiled, equation))
        outcome = self.optimum(case, values)
        assert dict(then) != dict(values)
        self.other_optimum(without, then)
        assert solved(without_rows(compiled, equation)) != pytest.approx(dict(values), abs=0.01)
        return outcome

    def goal(self, name: str, case: Tiny, values: Values, *, without: Tiny, then: Values) -> Outcome:
        """The goals of one kind are the stored ones, and lead to the optimum; without what they look at
        there is another one.
        """
        label, _, rest = name.partition("_")
        problem, compiled = self.compiled(case)
        self.stored(name, goals_text(problem, compiled, label, next(n for _, n in LABELS if rest.startswith(n))))
        outcome = self.optimum(case, values)
        assert list(then) != list(values) or dict(then) != dict(values) or name.startswith("G3")
        self.other_optimum(without, then)
        return outcome
