"""Exact lexicographic optimum of a tiny plain model: integer-pivoting simplex, binaries by enumeration.

No tolerance anywhere, so it judges the floating-point answers of `plain_solver`. Every row of a plain
model has a right-hand side of at least 0 once the binaries are fixed at 0, so the simplex starts from the
origin; a later goal is optimised over the exact optimal face of the earlier ones (columns whose reduced
cost is not 0 are barred from entering).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import product
from math import lcm

from plain_model import Goal, Model

Terms = dict[int, Fraction]


class Tableau:
    """Maximise over rows sum(a x) <= rhs with rhs >= 0, x >= 0; all entries integers over `self.unit`."""

    def __init__(self, columns: int, rows: list[tuple[Terms, Fraction]]) -> None:
        self.rows: list[list[int]] = []
        self.scales: list[int] = []
        for position, (terms, rhs) in enumerate(rows):
            if rhs < 0:
                raise ValueError("a right-hand side below 0 needs a first phase")
            scale = lcm(rhs.denominator, *(v.denominator for v in terms.values()))
            line = [0] * (columns + len(rows) + 1)
            for column, value in terms.items():
                line[column] = int(value * scale)
            line[columns + position] = 1
            line[-1] = int(rhs * scale)
            self.rows.append(line)
        self.basis = [columns + i for i in range(len(rows))]
        self.unit = 1
        self.width = columns + len(rows)
        self.barred: set[int] = set()

    def reduced(self, goal: Terms) -> list[int]:
        """unit * (goal - goal of the basis), scaled to integers; last entry: minus the value."""
        scale = lcm(1, *(v.denominator for v in goal.values()))
        cost = [int(goal.get(c, Fraction(0)) * scale) for c in range(self.width)] + [0]
        line = [c * self.unit for c in cost]
        for basic, row in zip(self.basis, self.rows, strict=True):
            if cost[basic]:
                factor = cost[basic]
                line = [v - factor * r for v, r in zip(line, row, strict=True)]
        return line

    def maximise(self, goal: Terms) -> Fraction:
        """The goal's exact maximum over what earlier goals leave; bars what would lower it."""
        line = self.reduced(goal)
        while (entering := self.entering(line)) is not None:
            leaving = self.leaving(entering)
            line = self.pivot(leaving, entering, line)
        self.barred |= {c for c in range(self.width) if line[c] < 0}
        scale = lcm(1, *(v.denominator for v in goal.values()))
        return Fraction(-line[-1], self.unit * scale)

    def entering(self, line: list[int]) -> int | None:
        """Bland's rule: the first column that improves the goal."""
        return next((c for c in range(self.width) if line[c] > 0 and c not in self.barred), None)

    def leaving(self, entering: int) -> int:
        ratios = [
            (Fraction(row[-1], row[entering]), self.basis[i], i)
            for i, row in enumerate(self.rows)
            if row[entering] > 0
        ]
        if not ratios:
            raise ValueError("unbounded")
        return min(ratios)[2]

    def pivot(self, leaving: int, entering: int, line: list[int]) -> list[int]:
        chosen = self.rows[leaving]
        pivot, unit = chosen[entering], self.unit

        def eliminated(row: list[int]) -> list[int]:
            factor = row[entering]
            return [(v * pivot - factor * p) // unit for v, p in zip(row, chosen, strict=True)]

        self.rows = [row if i == leaving else eliminated(row) for i, row in enumerate(self.rows)]
        self.basis[leaving] = entering
        line = eliminated(line)
        self.unit = pivot
        return line


def patterns(model: Model) -> Iterator[dict[int, int]]:
    binaries = sorted(model.binary)
    for values in product((0, 1), repeat=len(binaries)):
        yield dict(zip(binaries, values, strict=True))


def with_binaries(model: Model, pattern: Mapping[int, int]) -> tuple[list[tuple[Terms, Fraction]], Terms]:
    """Rows without binaries, and the least fills as a goal: its value must reach the sum of the least.

    A row least - y <= 0 becomes a new column v <= least with v - y <= 0; all are reached together when
    the sum of the v reaches the sum of the least.
    """
    rows: list[tuple[Terms, Fraction]] = [({c: Fraction(1)}, up) for c, up in enumerate(model.upper)]
    fill: Terms = {}
    column = len(model.upper)
    for _, terms, rhs in model.rows:
        free = {c: v for c, v in terms.items() if c not in pattern}
        rest = rhs - sum((v * pattern[c] for c, v in terms.items() if c in pattern), Fraction(0))
        if rest >= 0:
            rows.append((free, rest))
            continue
        rows += [({column: Fraction(1)}, -rest), (free | {column: Fraction(1)}, Fraction(0))]
        fill[column] = -rest
        column += 1
    return rows, fill


def best_of(model: Model, goals: list[Goal], pattern: Mapping[int, int]) -> tuple[Fraction, ...] | None:
    """The goals' exact maxima in turn with the binaries fixed; None where that is infeasible."""
    if any(
        not set(terms) - set(pattern) and sum(v * pattern[c] for c, v in terms.items()) > rhs
        for _, terms, rhs in model.rows
    ):
        return None
    rows, fill = with_binaries(model, pattern)
    tableau = Tableau(len(model.upper) + len(fill), rows)
    if fill and tableau.maximise({c: Fraction(1) for c in fill}) < sum(fill.values()):
        return None
    return tuple(tableau.maximise(goal.coefficients) for goal in goals)


def solve_exactly(model: Model) -> list[Fraction]:
    """The goals' exact optimal values in turn (all maximised), as `plain_solver.solve` gives in floats."""
    found = [values for pattern in patterns(model) if (values := best_of(model, model.goals, pattern))]
    return list(max(found))
