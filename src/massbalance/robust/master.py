"""The model of the case with the promise laid upon it: yes/no columns of futures, and cuts as they are found.

Rows (models/ROBUST.md): `broken_share` R4, and for every cut the rows that say the same of R1 to R3.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import scipy.sparse

from massbalance.domain.case import IndexArray
from massbalance.formulation.labels import LEAST
from massbalance.robust.cuts import Cut
from massbalance.robust.sample import Floats, Sample
from massbalance.solving.compiled import Compiled
from massbalance.solving.entries import Positions
from massbalance.solving.rows import Family, RowLabels


@dataclass(frozen=True)
class Row:
    """sum of values over columns (of the model with the futures' columns) <= most."""

    columns: Positions
    values: Floats
    most: float

    def excess(self, point: Floats) -> float:
        """By how much a point breaks it."""
        return float(self.values @ point[self.columns]) - self.most


@dataclass
class Master:
    """A compiled case, its sample, how many sampled futures may be broken, and the rows found so far.

    The columns of the futures come last, one for each distinct future: 1, the promise is broken in it.
    """

    base: Compiled
    sample: Sample
    budget: int
    rows: list[Row] = field(default_factory=list)
    _known: set[tuple[bytes, ...]] = field(default_factory=set)

    @property
    def count(self) -> int:
        """Columns of the base."""
        return int(self.base.matrix.shape[1])

    @property
    def futures(self) -> Positions:
        """The futures' columns."""
        return np.arange(self.count, self.count + len(self.sample))

    def add(self, rows: Iterable[Row]) -> list[Row]:
        """Keep those of the rows that are new."""
        fresh = []
        for row in rows:
            key = (row.columns.tobytes(), row.values.tobytes(), np.float64(row.most).tobytes())
            if key not in self._known:
                self._known.add(key)
                fresh.append(row)
        self.rows += fresh
        return fresh

    def clear(self) -> None:
        """Forget all rows."""
        self.rows.clear()
        self._known.clear()

    def order(self, cut: Cut) -> tuple[IndexArray, float]:
        """The futures that may lie below what at least one kept future gives, narrowest first, and that.

        More sampled futures than may be broken give that or less: one of them is kept.
        """
        narrow = np.argsort(cut.most, kind="stable")
        passed = np.cumsum(self.sample.weight[narrow])
        at = int(np.searchsorted(passed, self.budget, side="right"))
        if at == len(narrow):
            return np.empty(0, dtype=np.intp), np.inf
        most = float(min(cut.most[narrow[at]], cut.planned))
        below = narrow[:at]
        return below[cut.most[below] < most], most

    def of(self, cut: Cut) -> list[Row]:
        """The rows of a cut: with these, any choice among the futures that it is the own of is held to it.

        sum c x <= most where that is less than the case gives anyway, and for a narrower future s
        sum c x <= most_s + (most - most_s) z_s: the greatest value that is possible, not a big M.
        """
        below, most = self.order(cut)
        if not np.isfinite(most):
            return []
        x = self.base.x[self.sample.pair[cut.pair]]
        rows = []
        if most < cut.planned:
            rows.append(Row(x, cut.coefficient, max(0.0, most)))
        for s in below[cut.own[below]].tolist():
            least = max(0.0, float(cut.most[s]))
            if most - least >= LEAST:
                columns = np.append(x, self.futures[s])
                rows.append(Row(columns, np.append(cut.coefficient, least - most), least))
        return rows

    def star(self, cut: Cut, broken: Floats) -> Row | None:
        """The one row that says most at a fractional point: over the futures whose columns fall one after
        the other as they get wider.

        What x may be rises from what the narrowest gives, step by step, only as far as every future that
        gives no more than the step is broken; broken: the point's values of the futures' columns.
        """
        below, most = self.order(cut)
        if not np.isfinite(most) or len(below) == 0:
            return None
        chosen, least = [], np.inf
        for s in below.tolist():
            if broken[s] < least:
                chosen.append(s)
                least = float(broken[s])
        steps = np.diff(np.append(np.maximum(0.0, cut.most[chosen]), most))
        x = self.base.x[self.sample.pair[cut.pair]]
        told = steps >= LEAST
        columns = np.concatenate([x, self.futures[chosen][told]])
        values = np.concatenate([cut.coefficient, -steps[told]])
        return Row(columns, values, float(max(0.0, cut.most[chosen[0]])))

    @cached_property
    def others(self) -> Positions:
        """Columns of the base that are orders' which are not firm."""
        base, problem = self.base, self.sample.problem
        loose = problem.steps.priority == 0
        firm = np.zeros(len(problem.recipes), dtype=bool)
        firm[problem.steps.recipe[~loose]] = True
        x = base.x[~firm[problem.pairs.recipe]]
        return np.concatenate([x, base.y[~firm], base.step[loose], base.take[loose & (base.take >= 0)]])

    def compiled(self, *, firm_only: bool = False) -> Compiled:
        """The base, the futures' columns, R4 and the rows found so far.

        firm_only: all other orders get nothing, which no firm shortfall minds.
        """
        base, sample = self.base, self.sample
        budget = Row(self.futures, sample.weight.astype(np.float64), float(self.budget))
        rows = [budget, *self.rows]
        wide = scipy.sparse.hstack(
            [base.matrix, scipy.sparse.csc_array((base.matrix.shape[0], len(sample)))], format="csc"
        )
        ones = np.ones(len(sample))
        upper = base.upper.copy()
        if firm_only:
            upper[self.others] = 0.0
        return replace(
            with_rows(base, wide, rows, ("broken_share", "kept")),
            costs=np.hstack([base.costs, np.zeros((len(base.costs), len(sample)))]),
            lower=np.concatenate([base.lower, np.zeros(len(sample))]),
            upper=np.concatenate([upper, ones if self.budget else 0.0 * ones]),
            integer=np.concatenate([base.integer, np.ones(len(sample), dtype=bool)]),
        )

    def decided(self, broken: Floats, *, firm_only: bool = False) -> Compiled:
        """The base with the rows that hold for one choice of futures; broken: 0 or 1, shape (S,)."""
        rows = []
        for row in self.rows:
            of_x = row.columns < self.count
            fixed = row.values[~of_x] @ broken[row.columns[~of_x] - self.count]
            rows.append(Row(row.columns[of_x], row.values[of_x], row.most - float(fixed)))
        found = with_rows(self.base, self.base.matrix, rows, ("kept",))
        if not firm_only:
            return found
        upper = found.upper.copy()
        upper[self.others] = 0.0
        return replace(found, upper=upper)


def with_rows(
    base: Compiled, matrix: scipy.sparse.csc_array, rows: list[Row], names: tuple[str, ...]
) -> Compiled:
    """The base with more rows; names: of the first, the second ... and, the last, of all others."""
    if not rows:
        return replace(base, matrix=matrix)
    lengths = [len(row.columns) for row in rows]
    more = scipy.sparse.csr_array(
        (
            np.concatenate([row.values for row in rows]),
            np.concatenate([row.columns for row in rows]),
            np.cumsum([0, *lengths]),
        ),
        shape=(len(rows), matrix.shape[1]),
    )
    upper = np.array([row.most for row in rows])
    labels = base.rows if isinstance(base.rows, RowLabels) else RowLabels([])
    single = [Family(name, np.array([0])) for name in names[:-1]]
    last = Family(names[-1], np.arange(len(rows) - len(single)))
    stacked = scipy.sparse.vstack([matrix, more], format="csc")
    stacked.sort_indices()
    return replace(
        base,
        matrix=stacked,
        row_lower=np.concatenate([base.row_lower, np.full(len(rows), -np.inf)]),
        row_upper=np.concatenate([base.row_upper, upper]),
        rows=RowLabels([*labels.families, *single, last]),
    )
