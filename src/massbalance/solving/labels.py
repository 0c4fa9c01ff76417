"""The labels of a compiled model's rows as arrays, made in one pass."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from massbalance.domain.case import IndexArray
from massbalance.formulation.problem import Problem, recipe_of
from massbalance.solving.compiled import Compiled


class Labels:
    """Equation and key of every row of a compiled model."""

    def __init__(self, problem: Problem, compiled: Compiled) -> None:
        self.problem, self.compiled = problem, compiled
        self.rows = list(compiled.rows)
        self._code: dict[str, int] = {}
        codes = (self._code.setdefault(equation, len(self._code)) for equation, _ in self.rows)
        self._equation = np.fromiter(codes, dtype=np.int16, count=len(self.rows))

    def of(self, *equations: str) -> npt.NDArray[np.bool_]:
        """Which rows belong to one of the equations, shape (rows,)."""
        wanted = [self._code[equation] for equation in equations if equation in self._code]
        return np.isin(self._equation, wanted)

    def units(self) -> npt.NDArray[np.float64]:
        """What one unit of each row stands for: an origin's largest lot, else 1. Shape (rows,)."""
        units = np.ones(len(self.rows))
        for i in np.flatnonzero(self.of("origin_once")):
            units[i] = self.compiled.origin_size[self.rows[i][1]]
        return units

    def recipes(self, rows: IndexArray) -> IndexArray:
        """Recipes of some rows of C4 to C10, shape (n,)."""
        return np.array([recipe_of(self.rows[i][1]) for i in rows], dtype=np.intp)

    def keys(self, rows: IndexArray) -> list[tuple[str, ...]]:
        """The parts of the names of some rows: ids instead of positions."""
        names = self.problem.names
        return [names.key(*self.rows[i]) for i in rows]
