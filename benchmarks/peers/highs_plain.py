"""The plain model given to HiGHS as one matrix: what is left of a peer without a modelling language.

python -m benchmarks.peers.highs_plain CASE
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.sparse

from benchmarks.peers.highs_goals import Cost, Matrix, load, minimise
from benchmarks.peers.plain_case import PlainCase, read
from benchmarks.peers.report import measured, stage

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]


class Rows:
    """Rows `at most`, gathered as triplets: columns x, then y, then z (for terms that need a yes or no)."""

    def __init__(self, case: PlainCase) -> None:
        self.case = case
        self.y = len(case.term)
        self.z = self.y + len(case.mass) + np.cumsum(case.binary) - 1
        self.parts: list[tuple[Floats, Index, Index]] = []
        self.upper: list[Floats] = []
        self.count = 0

    def add(self, upper: Floats, *parts: tuple[Floats, Index, Index]) -> None:
        """`len(upper)` rows; a part is values, rows (from 0), columns."""
        for value, row, column in parts:
            self.parts.append((value, row + self.count, column))
        self.upper.append(upper)
        self.count += len(upper)

    def build(self) -> Matrix:
        """All rows of the plain model."""
        case = self.case
        for cap in case.caps:
            rows = np.arange(len(cap.term))
            self.add(
                np.zeros(len(rows)), (cap.value, cap.row, cap.pair), (-cap.limit, rows, self.y + cap.term)
            )
        every = np.arange(len(case.term))
        self.add(case.quantity, (np.ones(len(every)), case.lot, every))
        if len(case.origin):
            self.add(np.ones(int(case.origin.max()) + 1), (case.share, case.origin, case.origin_pair))
        upper = np.concatenate([case.quantity[case.lot], case.mass, np.ones(int(case.binary.sum()))])
        self.add_yes_or_no()
        value, row, column = (np.concatenate(part) for part in zip(*self.parts, strict=True))
        shape = (self.count, len(upper))
        integer = np.zeros(len(upper), dtype=bool)
        integer[self.y + len(case.mass) :] = True
        return Matrix(
            matrix=scipy.sparse.coo_array((value, (row, column)), shape=shape).tocsc(),
            row_lower=np.full(self.count, -np.inf),
            row_upper=np.concatenate(self.upper),
            lower=np.zeros(len(upper)),
            upper=upper,
            integer=integer,
        )

    def add_yes_or_no(self) -> None:
        """Y <= mass * z, y >= least * mass * z, and at most one of an order's terms."""
        case = self.case
        at = np.flatnonzero(case.binary)
        rows, none = np.arange(len(at)), np.zeros(len(at))
        mass, y, z = case.mass[at], self.y + at, self.z[at]
        self.add(none, (np.ones(len(at)), rows, y), (-mass, rows, z))
        self.add(none, (-np.ones(len(at)), rows, y), (case.least[at] * mass, rows, z))
        several = np.flatnonzero(case.choice >= 0)
        orders, row = np.unique(case.choice[several], return_inverse=True)
        self.add(np.ones(len(orders)), (np.ones(len(several)), row, self.z[several]))

    def costs(self) -> list[Cost]:
        """The goals, to be minimised."""
        case, none = self.case, np.zeros(int(self.case.binary.sum()))
        return [
            Cost(
                np.concatenate([case.cost if goal.cost else np.zeros(len(case.cost)), -goal.gain, none]),
                lambda reached, goal=goal: goal.reported(-reached),  # type: ignore[misc]
            )
            for goal in case.goals
        ]


def body(folder: Path) -> None:
    """Read, build, solve."""
    with stage("read"):
        case = read(folder)
    with stage("build"):
        rows = Rows(case)
        highs = load(rows.build())
        costs = rows.costs()
    with stage("solve"):
        minimise(highs, costs)


if __name__ == "__main__":
    measured(body, ("highspy", "numpy", "pandas", "scipy"))
