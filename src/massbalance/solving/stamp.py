"""A small model laid upon a large one: the rows and columns that an order adds to a compiled model.

The small model is assembled from the same supply and an order alone (`formulation`, `solving.assembly`), so
no equation is stated here. What both have in common is told by labels: the rows C1 to C3 of lots, origins
and pools, and the flows f. All else of the small model is new. New rows have entries in new columns only:
where a pool has no row yet in a period, no lot flows there yet.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import scipy.sparse

from massbalance.formulation.goals import TIE_WEIGHT, generic
from massbalance.formulation.problem import Problem
from massbalance.solving.assembly import assemble
from massbalance.solving.compiled import Compiled

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]
SHARED = ("lot_supply", "origin_once", "pool_balance")
"""Equations whose rows stand between recipes: the same row in every model of one supply."""
SALT = 3
"""The new columns' weights in the tie-break are other numbers than those of the model's own columns."""


@dataclass(frozen=True)
class Stamp:
    """What an order, or some orders, add to a base model of m rows and n columns.

    small: the order's own model; row_of, column_of: where its rows and columns stand in both together
    (below m and n: in the base); rows, columns: of the small model, those that are new, in order; salt: of
    the new columns' weights in the tie-break, another number for each stamp that stays.
    """

    problem: Problem
    small: Compiled
    row_of: Positions
    column_of: Positions
    rows: Positions
    columns: Positions
    salt: int = SALT

    @property
    def x(self) -> Positions:
        """Columns of the order's mixes in both models together."""
        return self.column_of[self.small.x]

    @property
    def step(self) -> Positions:
        """Columns of the order's claimed mass."""
        return self.column_of[self.small.step]

    def costs(self, name: str) -> Floats:
        """Costs of the new columns in a goal: `margin`, `tie_break`."""
        number = next(n for n, goal in enumerate(self.small.goals) if goal.name == name)
        costs = self.small.costs[number][self.columns]
        if name == "tie_break":
            # weights without relations to those of the base's columns
            costs = np.where(costs > 0, costs + TIE_WEIGHT * generic(len(costs), self.salt), costs)
        return np.asarray(costs, dtype=np.float64)

    def without(self, equation: str) -> Stamp:
        """The same with the new rows of an equation free."""
        upper = self.small.row_upper.copy()
        upper[[i for i in self.rows if self.small.rows[int(i)][0] == equation]] = np.inf
        return replace(self, small=replace(self.small, row_upper=upper))


class Base:
    """Where the shared rows and the flows of a compiled model stand.

    before, stamp: where the model is another one with a stamp that stays, what both knew.
    """

    def __init__(self, compiled: Compiled, before: Base | None = None, stamp: Stamp | None = None) -> None:
        self.compiled = compiled
        if before is None or stamp is None:
            self.row = {label: i for i, label in enumerate(compiled.rows) if label[0] in SHARED}
            self.flow = dict(zip(compiled.flows, compiled.f.tolist(), strict=True))
            return
        small = stamp.small
        rows = [(small.rows[int(i)], int(stamp.row_of[i])) for i in stamp.rows]
        self.row = {**before.row, **{label: at for label, at in rows if label[0] in SHARED}}
        flows = stamp.column_of[small.f].tolist()
        self.flow = {**before.flow, **dict(zip(small.flows, flows, strict=True))}

    def stamp(self, problem: Problem) -> Stamp:
        """What the orders of `problem` add; it must have the base's supply."""
        small = assemble(problem)
        rows, columns = self.compiled.matrix.shape
        row_of = np.array([self.row.get(label, -1) for label in small.rows], dtype=np.intp)
        column_of = np.full(small.matrix.shape[1], -1, dtype=np.intp)
        column_of[small.f] = [self.flow.get(flow, -1) for flow in small.flows]
        new_rows, new_columns = np.flatnonzero(row_of < 0), np.flatnonzero(column_of < 0)
        row_of[new_rows] = rows + np.arange(len(new_rows))
        column_of[new_columns] = columns + np.arange(len(new_columns))
        return Stamp(problem, small, row_of, column_of, new_rows, new_columns)


def new_columns(stamp: Stamp, rows: int, shift: int = 0) -> scipy.sparse.csc_array:
    """The new columns' entries, shape (rows + shift + new rows, new columns).

    rows: those of the base; shift: rows that stand between them and the new ones (held goals).
    """
    part = scipy.sparse.csc_array(stamp.small.matrix[:, stamp.columns])
    at = stamp.row_of[part.indices]
    at = at + np.where(at >= rows, shift, 0)
    height = rows + shift + len(stamp.rows)
    made = scipy.sparse.csc_array((part.data, at, part.indptr), shape=(height, len(stamp.columns)))
    made.sort_indices()
    return made


def merged(base: Compiled, stamp: Stamp, margin: Floats, tie_break: Floats) -> Compiled:
    """Both models as one, with two goals: the margin and the tie-break; labels are those of the parts.

    margin, tie_break: the base's costs, shape (columns,).
    """
    rows, columns = base.matrix.shape
    new, small = new_columns(stamp, rows), stamp.small
    own = base.matrix
    matrix = scipy.sparse.csc_array(
        (
            np.concatenate([own.data, new.data]),
            np.concatenate([own.indices, new.indices.astype(own.indices.dtype)]),
            np.concatenate([own.indptr, own.indptr[-1] + new.indptr[1:].astype(own.indptr.dtype)]),
        ),
        shape=(rows + len(stamp.rows), columns + len(stamp.columns)),
    )
    margin = np.concatenate([margin, stamp.costs("margin")])
    tie_break = np.concatenate([tie_break, stamp.costs("tie_break")])
    of_rows, of_columns = stamp.rows, stamp.columns
    return replace(
        base,
        matrix=matrix,
        costs=np.stack([margin, tie_break]),
        offsets=np.zeros(2),
        row_lower=np.concatenate([base.row_lower, small.row_lower[of_rows]]),
        row_upper=np.concatenate([base.row_upper, small.row_upper[of_rows]]),
        lower=np.concatenate([base.lower, small.lower[of_columns]]),
        upper=np.concatenate([base.upper, small.upper[of_columns]]),
        integer=np.concatenate([base.integer, small.integer[of_columns]]),
        rows=(),
        goals=small.goals,
    )


def laid(base: Compiled, stamp: Stamp, mass: Floats) -> Compiled:
    """Both models as one with the base's goals, the order's claimed mass fixed (t, shape of `stamp.step`).

    The order has no part in goals but the margin and the tie-break; rows have no labels (see `Base`).
    """
    names = [goal.name for goal in base.goals]
    none = np.zeros(len(stamp.columns))
    costs = [
        np.concatenate([own, stamp.costs(name) if name in ("margin", "tie_break") else none])
        for own, name in zip(base.costs, names, strict=True)
    ]
    both = merged(base, stamp, base.costs[names.index("margin")], base.costs[-1])
    lower, upper = both.lower.copy(), both.upper.copy()
    lower[stamp.step] = upper[stamp.step] = mass
    return replace(
        both, costs=np.stack(costs), offsets=base.offsets, goals=base.goals, lower=lower, upper=upper
    )
