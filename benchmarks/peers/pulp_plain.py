"""The plain model in PuLP, solved by its HiGHS interface (highspy).

    python -m benchmarks.peers.pulp_plain CASE

Expressions are made from (variable, value) pairs, PuLP's fastest way. Its interface hands the whole model
to a new HiGHS for each goal.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pulp

from benchmarks.peers.plain_case import Cap, Goal, PlainCase, read
from benchmarks.peers.report import goal, measured, optimal, say, slack, stage


class Model:
    """x[pair], y[term], take[term] as PuLP variables."""

    def __init__(self, case: PlainCase) -> None:
        self.case = case
        self.problem = pulp.LpProblem("plain", pulp.LpMaximize)
        upper = case.quantity[case.lot].tolist()
        self.x = [pulp.LpVariable(f"x_{i}", 0, most) for i, most in enumerate(upper)]
        self.y = [pulp.LpVariable(f"y_{j}", 0, most) for j, most in enumerate(case.mass.tolist())]
        self.count = 0

    def at_most(self, terms: list[tuple[pulp.LpVariable, float]], most: float) -> None:
        """One row: sum of value * variable <= most."""
        self.count += 1
        row = pulp.LpConstraint(pulp.LpAffineExpression(terms), pulp.LpConstraintLE, f"r_{self.count}", most)
        self.problem.addConstraint(row)

    def build(self) -> None:
        """Claims, caps, supply."""
        case = self.case
        for cap in case.caps:
            self.add_cap(cap)
        for lot, pairs in groups(case.lot):
            self.at_most([(self.x[i], 1.0) for i in pairs], float(case.quantity[lot]))
        for _, at in groups(case.origin):
            self.at_most([(self.x[case.origin_pair[i]], float(case.share[i])) for i in at], 1.0)
        self.add_yes_or_no()

    def add_cap(self, cap: Cap) -> None:
        """A row a term: its pairs' values less limit * y."""
        pair, value = cap.pair.tolist(), cap.value.tolist()
        for row, at in groups(cap.row):
            terms = [(self.x[pair[i]], value[i]) for i in at]
            self.at_most([*terms, (self.y[cap.term[row]], -float(cap.limit[row]))], 0.0)

    def add_yes_or_no(self) -> None:
        """Whole orders, minimum fills, and at most one of an order's terms."""
        case = self.case
        take = {int(j): pulp.LpVariable(f"z_{j}", cat=pulp.LpBinary) for j in np.flatnonzero(case.binary)}
        for j, chosen in take.items():
            mass = float(case.mass[j])
            self.at_most([(self.y[j], 1.0), (chosen, -mass)], 0.0)
            self.at_most([(self.y[j], -1.0), (chosen, float(case.least[j]) * mass)], 0.0)
        several = np.flatnonzero(case.choice >= 0)
        for _, at in groups(case.choice[several]):
            self.at_most([(take[int(several[i])], 1.0) for i in at], 1.0)

    def expression(self, aim: Goal) -> pulp.LpAffineExpression:
        """The goal's linear expression."""
        terms = [(self.y[j], float(aim.gain[j])) for j in np.flatnonzero(aim.gain)]
        if aim.cost:
            terms += [(self.x[i], -float(self.case.cost[i])) for i in np.flatnonzero(self.case.cost)]
        return pulp.LpAffineExpression(terms)

    def solve(self) -> None:
        """Goals in order, the earlier ones held."""
        found: list[dict[str, object]] = []
        solver = pulp.HiGHS(msg=False, gapRel=0.0)
        for aim in self.case.goals:
            with goal(found):
                wanted = self.expression(aim)
                self.problem.setObjective(wanted)
                self.problem.solve(solver)
                optimal(pulp.LpStatus[self.problem.status])
                reached = float(wanted.value())
                found.append(aim.reported(reached))
            self.problem.addConstraint(wanted >= reached - slack(reached))


def groups(keys: np.ndarray) -> Iterator[tuple[int, list[int]]]:
    """Every key, and the positions that have it."""
    order = np.argsort(keys, kind="stable")
    named, first = np.unique(keys[order], return_index=True)
    for key, at in zip(named.tolist(), np.split(order, first[1:]), strict=False):
        yield key, at.tolist()


def body(folder: Path) -> None:
    """Read, build, solve."""
    warnings.simplefilter("ignore")
    with stage("read"):
        case = read(folder)
    with stage("build"):
        model = Model(case)
        model.build()
        say(sizes={"columns": len(model.x) + len(model.y) + int(case.binary.sum()), "rows": model.count})
    with stage("solve"):
        model.solve()


if __name__ == "__main__":
    measured(body, ("PuLP", "highspy", "numpy", "pandas"))
