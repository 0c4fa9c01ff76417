"""Strategies and rules of thumb beside each other: what the optimum gains, and what fairness costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from massbalance.api import Result, SolverError, solve
from massbalance.domain.case import Case
from massbalance.domain.infeasible import Infeasible, Undecided
from massbalance.formulation.problem import build_problem
from massbalance.intake.objective import with_objective
from massbalance.quote.answer import shown
from massbalance.solving.assembly import assemble
from massbalance.solving.compiled import Compiled
from massbalance.strategy.average import rolling_average
from massbalance.strategy.baselines import QUOTAS, SEQUENCES, baseline
from massbalance.strategy.figures import Figures, figures, of_allocation

Progress = Callable[[str], None]
Floats = npt.NDArray[np.float64]
BROKEN = 1e-6
"""A row may be off by this much of what stands in it: HiGHS is no finer."""
PLAIN: Mapping[str, Any] = {"strategy": "firm-then-margin"}
"""What all others are compared with."""
ALWAYS = ("firm-then-margin", "tonnage", "least-expiry", "spread", "leximin")
"""Strategies that need no settings of their own."""
AVERAGE = "rolling average"
RULES = (AVERAGE, *SEQUENCES, *QUOTAS)
"""Rules of thumb, in the order in which they are shown."""


@dataclass(frozen=True)
class Line:
    """One way to share out credits.

    kind: `strategy` (an optimum, booked) or `rule`; status: as summary.json's, `infeasible` where minimum
    services clash, empty for a rule; figures: None where there is no answer; gap: of an optimum.
    """

    name: str
    kind: str
    status: str
    figures: Figures | None
    gap: float | None


@dataclass(frozen=True)
class SideBySide:
    """Lines, the plain optimum (firm orders, then margin) first."""

    name: str
    case_sha256: str
    currency: str
    lines: tuple[Line, ...]

    def line(self, name: str) -> Line:
        """The line of a name. KeyError where there is none."""
        return next(one for one in self.lines if one.name == name)

    def against_plain(self, line: Line) -> dict[str, float] | None:
        """What the plain optimum has more than this line: margin, claimed t, firm t met."""
        plain, own = self.lines[0].figures, line.figures
        if plain is None or own is None:
            return None
        return {
            "margin": plain.margin - own.margin,
            "claimed_t": plain.claimed_t - own.claimed_t,
            "firm_t": own.unmet_firm_t - plain.unmet_firm_t,
        }

    def price_of_fairness(self, line: Line) -> float | None:
        """The part of the plain optimum's margin that this line gives up; None where there is no margin."""
        plain, own = self.lines[0].figures, line.figures
        if plain is None or own is None or plain.margin <= 0:
            return None
        return (plain.margin - own.margin) / plain.margin

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "name": self.name,
            "case_sha256": self.case_sha256,
            "currency": self.currency,
            "lines": [self._line(one) for one in self.lines],
        }

    def _line(self, line: Line) -> dict[str, object]:
        found: dict[str, object] = {"name": line.name, "kind": line.kind, "status": line.status or None}
        if line.figures is None:
            return {**found, "figures": None}
        told = asdict(line.figures)
        shortfall = told.pop("firm_shortfall_t")
        more = self.against_plain(line)
        return {
            **found,
            "gap": shown(line.gap),
            "figures": {
                "unmet_firm_t": shown(line.figures.unmet_firm_t),
                "firm_shortfall_t": {str(p): shown(t) for p, t in shortfall.items()},
                **{key: value if isinstance(value, int) else shown(value) for key, value in told.items()},
            },
            "plain_has_more": None if more is None else {key: shown(value) for key, value in more.items()},
            "price_of_fairness": shown(self.price_of_fairness(line)),
        }


def side_by_side(
    case: Case,
    *,
    rules: Sequence[str] = RULES,
    time_limit: float | None = None,
    gap: float = 0.0,
    progress: Progress | None = None,
) -> SideBySide:
    """The plain optimum, the case's own strategy, every strategy that needs no settings, and the rules.

    rules: some of RULES; time_limit: seconds for each strategy; gap: relative MIP gap.
    """
    say = progress or (lambda _: None)
    lines = []
    for name, settings in _strategies(case):
        say(f"strategy {name}")
        lines.append(_strategy(case, name, settings, time_limit, gap))
    lines += _rules(case, rules, say)
    return SideBySide(case.name, case.sha256, case.currency, tuple(lines))


def _strategies(case: Case) -> list[tuple[str, Mapping[str, Any]]]:
    """Names and settings: the case's own first after the plain one, if it is another."""
    own = dict(case.settings.get("objective", {}))
    found: list[tuple[str, Mapping[str, Any]]] = [("firm-then-margin", PLAIN)]
    if not case.objective.plain or case.objective.order[0] != "firm_shortfall":
        found.append((f"the case's own ({case.objective.strategy})", own))
    by = case.objective.by
    return [
        *found,
        *((name, {"strategy": name, **({"by": by} if name == "leximin" else {})}) for name in ALWAYS[1:]),
    ]


def _strategy(
    case: Case, name: str, settings: Mapping[str, Any], time_limit: float | None, gap: float
) -> Line:
    try:
        found: Result = solve(with_objective(case, settings), time_limit=time_limit, gap=gap)
    except Infeasible:
        return Line(name, "strategy", "infeasible", None, None)
    except Undecided:
        return Line(name, "strategy", "limit", None, None)
    told = figures(case, of_allocation(case, found.allocation))
    return Line(name, "strategy", str(found.summary["status"]), told, found.solution.solver_gap)


def _rules(case: Case, rules: Sequence[str], say: Progress) -> list[Line]:
    """Every rule on the case without a strategy of its own."""
    problem = build_problem(with_objective(case, PLAIN))
    compiled = assemble(problem)
    lines = []
    for rule in rules:
        say(f"rule: {rule}")
        if rule == AVERAGE:
            outcome = rolling_average(problem)
        else:
            desk = baseline(problem, compiled, rule, say)
            require_feasible(compiled, desk.columns(), rule)
            outcome = desk.outcome()
        lines.append(Line(rule, "rule", "", figures(case, outcome), None))
    return lines


def require_feasible(compiled: Compiled, columns: Floats, rule: str) -> None:
    """A rule that broke a row of the model could not be compared: SolverError."""
    moved = compiled.matrix @ columns
    size = 1.0 + abs(compiled.matrix) @ np.abs(columns)
    over = np.maximum(moved - compiled.row_upper, compiled.row_lower - moved) / size
    if over.max(initial=0.0) > BROKEN:
        equation, key = compiled.rows[int(over.argmax())]
        raise SolverError(f"the rule {rule!r} broke the row {equation} {key}")
