"""The golden check: stored rows, the optimum by hand, and the proof that the equation is on.

Stored texts lie in lp/. After a wanted change of the formulation,

    MASSBALANCE_GOLDEN=write python -m pytest tests/golden

writes them anew; a test whose text changed fails this once: look at the difference, then run again.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from massbalance.api import Outcome, Result, read_case, run_case
from massbalance.api import solve as solve_case
from massbalance.formulation.equations import EQUATIONS
from massbalance.formulation.goals import Goal
from massbalance.formulation.problem import Problem, build_problem
from massbalance.report.summary import solver_objectives
from massbalance.solving.compiled import Compiled, compile_model
from massbalance.solving.highs import Highs, SolverError
from massbalance.solving.lexicographic import solve
from tests.golden.lp_text import goals_text, holds_text, rows_text
from tests.golden.tiny import Tiny

STORED = Path(__file__).parent / "lp"
NAMES = {e.label: e.name for e in EQUATIONS} | {
    "C15": "goal_hold", "G1": "firm_shortfall", "G2": "margin", "G3": "tie_break", "G4": "tonnage",
    "G5": "chosen", "G6": "expiry", "G7": "weighted", "G8": "common_share", "G9": "fair_share",
}  # fmt: skip
ABS = 1e-5
"""t or currency: booking may cost some millionths of a tonne, the solver less."""

Values = Mapping[str, float]


def goal_values(objectives: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """`firm_shortfall:1`, `margin`, `chosen:P`, `fair_share:2` -> value, in the order of the goals."""
    return {
        Goal(g["name"], g["priority"], 0.0, 1, g.get("group", "")).key: float(g["value"]) for g in objectives
    }


def solved(compiled: Compiled) -> dict[str, float]:
    """The solver's goal values."""
    return goal_values(solver_objectives(compiled, solve(compiled)))


def without_rows(compiled: Compiled, equation: str) -> Compiled:
    """The model with a family of rows taken out."""
    kept = np.array([i for i, (name, _) in enumerate(compiled.rows) if name != equation], dtype=np.intp)
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

    def write(self, case: Tiny) -> Path:
        """Write a case to a new folder."""
        self.count += 1
        return case.write(self.folder / f"case-{self.count}")

    def compiled(self, case: Tiny) -> tuple[Problem, Compiled]:
        """The case read, built and compiled."""
        problem = build_problem(read_case(self.write(case)))
        return problem, compile_model(problem)

    def solved(self, case: Tiny) -> Result:
        """The case solved and booked, in memory."""
        return solve_case(read_case(self.write(case)))

    def stored(self, name: str, text: str) -> None:
        """The text is the stored one."""
        path = STORED / f"{name}.txt"
        before = path.read_text(encoding="utf-8") if path.exists() else None
        if before != text and os.environ.get("MASSBALANCE_GOLDEN") == "write":
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
            pytest.fail(f"{path.name} is written anew: look at the difference, then run again")
        assert text == before, f"{path.name} differs (tests/golden/checks.py says how to write it anew)"

    def optimum(self, case: Tiny, values: Values) -> Outcome:
        """A verified run reaches these goals, in this order."""
        outcome = run_case(self.write(case), self.folder / f"run-{self.count}")
        found = goal_values(outcome.summary["objectives"])
        assert list(found) == list(values)
        assert found == pytest.approx(values, abs=ABS)
        assert outcome.summary["status"] == "optimal"
        assert outcome.report.ok
        return outcome

    def other_optimum(self, case: Tiny, values: Values, then: Values) -> None:
        """The solver reaches `then` on this case, which is not `values`."""
        assert then != values
        found = solved(self.compiled(case)[1])
        assert list(found) == list(then)
        assert found == pytest.approx(then, abs=ABS)

    def equation(self, name: str, case: Tiny, values: Values, *, without: Tiny, then: Values) -> Outcome:
        """Three proofs: the rows of the family are the stored ones; a verified run reaches `values`;
        the equation is on, since the case `without` the limit reaches `then` and the model without
        the rows does not stop at `values`.

        name: `C6_category_cap`, with a variant behind it where a label has several cases.
        """
        equation = NAMES[name.partition("_")[0]]
        problem, compiled = self.compiled(case)
        self.stored(name, rows_text(problem, compiled, equation))
        outcome = self.optimum(case, values)
        self.other_optimum(without, values, then)
        assert solved(without_rows(compiled, equation)) != pytest.approx(values, abs=1e-3)
        return outcome

    def goal(self, name: str, case: Tiny, values: Values, *, without: Tiny, then: Values) -> Outcome:
        """The goals of one kind are the stored ones; a verified run reaches `values`; the case `without`
        what the goal looks at reaches `then`.
        """
        label = name.partition("_")[0]
        problem, compiled = self.compiled(case)
        self.stored(name, goals_text(problem, compiled, label, NAMES[label]))
        outcome = self.optimum(case, values)
        self.other_optimum(without, values, then)
        return outcome

    def holds(
        self,
        name: str,
        case: Tiny,
        values: Values,
        *,
        without: Tiny,
        then: Values,
        monkeypatch: pytest.MonkeyPatch,
    ) -> Outcome:
        """As `equation`, for C15: the rows are those given to the solver between solves; a solver that
        drops them is caught.
        """
        problem, compiled = self.compiled(case)
        held: list[tuple[np.ndarray, float]] = []
        add = Highs.hold

        def record(model: Highs, costs: np.ndarray, value: float) -> None:
            held.append((costs, value))
            add(model, costs, value)

        with monkeypatch.context() as patch:
            patch.setattr(Highs, "hold", record)
            solve(compiled)
        self.stored(name, holds_text(problem, compiled, held))
        outcome = self.optimum(case, values)
        self.other_optimum(without, values, then)
        with monkeypatch.context() as patch:
            patch.setattr(Highs, "hold", lambda *_: None)
            with pytest.raises(SolverError, match="held goal"):
                solve(compiled)
        return outcome


def table(outcome: Outcome, name: str) -> list[dict[str, str]]:
    """A CSV file of a run, as rows of text."""
    with (outcome.out / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def uses(outcome: Outcome) -> dict[tuple[str, str], float]:
    """(lot, order) -> quantity of the allocation, in the lot's unit."""
    return {(r["lot"], r["order"]): float(r["quantity"]) for r in table(outcome, "allocation")}


def claimed(outcome: Outcome) -> dict[str, float]:
    """Order, or order/offer where an offer is taken -> t claimed; orders without a claim are left out."""
    return {
        "/".join(filter(None, (r["order"], r["offer"]))): float(r["claimed_t"])
        for r in table(outcome, "orders")
        if float(r["claimed_t"]) > 0
    }
