"""The part of a large model that an order could move, kept hot by itself; the rest is checked each time.

At an optimum most columns stand at a bound that pays, and most caps have room. A core leaves such columns
where they are, such rows out, and recipes that get nothing out altogether. What a solve of the core gives is
the optimum of the whole model if no row left out is broken and no column left out has a price that asks for
it: both are seen by one product with the whole matrix. What is missing is added and the solve goes on, so an
answer is as exact as the whole model's; where that does not end soon, the whole model is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import highspy
import numpy as np
import numpy.typing as npt
import scipy.sparse
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from massbalance.solving.hot import Hot

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]
Said = tuple[Floats, Floats, Floats]
SMALLEST = 3000
"""Models of fewer rows are quick as they are."""
AT_BOUND = 1e-9
"""A column this close to a bound, relative to max(1, |bound|), stands at it."""
NEAR = 0.25
"""So many columns beside those that are basic, as part of them, are nearly as cheap."""
LIGHT = 2.0
"""An order of more than so many times the mean mass of a step moves too much: the whole model is quicker."""
TRIES = 4
"""So often a core takes what it lacks before it is used as it is."""
WORTH = 0.7
"""A core of more rows, as part of the whole's, is not worth it."""
FEASIBLE = 1e-7
"""HiGHS's own tolerance, of rows and of reduced costs."""


@dataclass(frozen=True)
class Prices:
    """Prices (HiGHS's row duals) of rows left out, for one goal, and the goal's costs of all columns."""

    costs: Floats
    rows: Floats


@dataclass(frozen=True)
class Core:
    """A part of a whole model.

    hot: the core by itself; rows, columns: those of the whole that it has; block, row_block: which columns
    and rows hang together but for shared rows and flows (-1: these); asleep: columns of blocks that get
    nothing and are left out whole. out: columns left out that could move; high: which of them stand at their
    upper bounds; by_column: their entries, (out, rows). lazy: rows left out of blocks that are in; by_row:
    their entries; room: their right sides; whole_rows: the whole matrix by rows. at: values of all columns
    left out, 0 elsewhere; shift: what these take of each row; margin, tie_break: prices of the rows left
    out; lower, upper: bounds of all columns, as holds have them; constant: the margin of what is left out;
    mean: mass of a step of the whole, t.
    """

    hot: Hot
    rows: Positions
    columns: Positions
    block: Positions
    row_block: Positions
    asleep: Bools
    out: Positions
    high: Bools
    by_column: scipy.sparse.csr_array
    lazy: Positions
    by_row: scipy.sparse.csr_array
    whole_rows: scipy.sparse.csr_array
    room: Floats
    at: Floats
    shift: Floats
    margin: Prices
    tie_break: Prices
    lower: Floats
    upper: Floats
    constant: float
    mean: float

    def reduced(self, prices: Prices, dual: Floats, held: Sequence[tuple[Floats, float]]) -> Floats:
        """Reduced costs of the columns left out, by the core's own rows and held goals (HiGHS's prices)."""
        rows, own = prices.rows.copy(), len(self.rows)
        rows[self.rows] = dual[:own]
        return self.reduced_by(prices.costs, rows, dual[own : own + len(held)], held)

    def reduced_by(
        self, costs: Floats, rows: Floats, of_held: Floats, held: Sequence[tuple[Floats, float]]
    ) -> Floats:
        """The same by prices of every row of the whole, and of the held goals."""
        reduced = costs[self.out] - self.by_column @ rows
        for (of_goal, _), price in zip(held, of_held.tolist(), strict=True):
            if price:
                reduced -= price * of_goal[self.out]
        return np.asarray(reduced, dtype=np.float64)

    def suits(self, mass: float) -> bool:
        """Is an order of this mass, t, likely to move little beyond the core?"""
        return mass <= LIGHT * self.mean

    def wanting(self, reduced: Floats) -> Bools:
        """Which columns left out would move."""
        return np.where(self.high, reduced > FEASIBLE, reduced < -FEASIBLE)


def blocks_of(hot: Hot) -> tuple[Positions, Positions]:
    """Which rows and columns hang together but for shared rows and flows; -1: these themselves."""
    matrix = hot.compiled.matrix.tocoo()
    rows, columns = matrix.shape
    shared, flow = np.zeros(rows, dtype=bool), np.zeros(columns, dtype=bool)
    shared[list(hot.base.row.values())] = True
    flow[list(hot.base.flow.values())] = True
    own = ~shared[matrix.row] & ~flow[matrix.col]
    links = (np.ones(int(own.sum())), (matrix.row[own], rows + matrix.col[own]))
    graph = scipy.sparse.coo_array(links, shape=(rows + columns, rows + columns))
    _, label = connected_components(graph, directed=False)
    of_rows, of_columns = label[:rows].astype(np.intp), label[rows:].astype(np.intp)
    of_rows[shared], of_columns[flow] = -1, -1
    return of_rows, of_columns


def _basic(statuses: list[highspy.HighsBasisStatus]) -> Bools:
    kind = highspy.HighsBasisStatus.kBasic
    return np.array([status == kind for status in statuses], dtype=bool)


class _Choice:
    """What a core takes of a model just solved; said: what HiGHS said of the margin and of the tie-break."""

    def __init__(self, hot: Hot, said: tuple[Said, Said]) -> None:
        compiled, model = hot.compiled, hot.model
        self.hot, self.said, self.matrix = hot, said, compiled.matrix.tocsr()
        fixed = ~np.isnan(model.place)
        self.lower = np.where(fixed, model.place, compiled.lower)
        self.upper = np.where(fixed, model.place, compiled.upper)
        self.row_block, self.block = blocks_of(hot)
        value = np.clip(hot.chosen, self.lower, self.upper)
        low = value <= self.lower + AT_BOUND * np.maximum(1.0, np.abs(self.lower))
        self.high = ~low & (value >= self.upper - AT_BOUND * np.maximum(1.0, np.abs(self.upper)))
        stirs = ~low | (self.lower != 0.0)
        for hold, (costs, _) in zip(model.held, hot.held, strict=True):
            # what falls short could be served where a row holds the goal
            stirs |= (costs != 0.0) & (not hold.fixed)
        size = max(int(self.row_block.max(initial=-1)), int(self.block.max(initial=-1))) + 1
        inside = self.block >= 0
        # position -1 is the last one: flows and shared rows are always in
        self.awake = np.ones(size + 1, dtype=bool)
        self.awake[:size] = np.bincount(self.block[inside], weights=stirs[inside], minlength=size) > 0
        self.columns = self._moving() | ~(low | self.high)
        self.rows = ~(np.isneginf(compiled.row_lower) & self._roomy())

    def _moving(self) -> Bools:
        """All but amounts and masses, and of these what is basic in either optimum or nearly as cheap."""
        hot = self.hot
        if hot.basis is None or hot.settled is None:
            raise ValueError("a core is made of a model that was solved")
        basic = _basic(list(hot.basis.col_status)) | _basic(hot.settled.columns)
        fickle = np.zeros(len(basic), dtype=bool)
        fickle[hot.compiled.x] = fickle[hot.compiled.step] = True
        price = np.where(basic | ~fickle, np.inf, np.abs(self.said[0][1]))
        most = int(NEAR * basic.sum())
        near = np.partition(price, most)[most] if most < len(price) else np.inf
        return np.asarray(basic | ~fickle | (price < near))

    def _roomy(self) -> Bools:
        """Rows that are slack and have room in both optima."""
        hot, count = self.hot, len(self.row_block)
        if hot.basis is None or hot.settled is None:
            raise ValueError("a core is made of a model that was solved")
        slack = _basic(list(hot.basis.row_status))[:count] & _basic(hot.settled.rows)[:count]
        most = hot.compiled.row_upper
        for columns in (self.said[0][0], hot.chosen):
            slack &= self.matrix @ columns < most - FEASIBLE * np.maximum(1.0, np.abs(most))
        return np.asarray(slack)

    def core(self) -> Core:
        """The core as chosen so far."""
        hot, compiled = self.hot, self.hot.compiled
        count = len(self.row_block)
        keep_columns = (self.columns & self.awake[self.block]) | (self.block < 0)
        keep_rows = (self.rows & self.awake[self.row_block]) | (self.row_block < 0)
        at = np.where(keep_columns, 0.0, np.where(self.high, self.upper, self.lower))
        shift = self.matrix @ at
        out = np.flatnonzero(~keep_columns & (self.upper > self.lower))
        lazy = np.flatnonzero(~keep_rows & self.awake[self.row_block])
        rows, columns = np.flatnonzero(keep_rows), np.flatnonzero(keep_columns)
        awake = self.awake[self.row_block]
        return Core(
            hot=_hot(hot, self.matrix, rows, columns, at, shift),
            rows=rows, columns=columns, block=self.block, row_block=self.row_block,
            asleep=~self.awake[self.block],
            out=out, high=self.high[out], by_column=scipy.sparse.csr_array(compiled.matrix[:, out].T),
            lazy=lazy, by_row=scipy.sparse.csr_array(self.matrix[lazy]), room=compiled.row_upper[lazy],
            whole_rows=self.matrix, at=at, shift=shift,
            margin=Prices(hot.margin, np.where(awake, 0.0, self.said[0][2][:count])),
            tie_break=Prices(hot.tie_break, np.where(awake, 0.0, self.said[1][2][:count])),
            lower=self.lower, upper=self.upper, constant=float(hot.margin @ at),
            mean=float(compiled.upper[compiled.step].mean()) if len(compiled.step) else 0.0,
        )  # fmt: skip

    def lacks(self, core: Core, least: float) -> bool:
        """Take what the core's own optima lack, too; False: they lack nothing."""
        of_margin, of_tie_break = core.hot.said
        reduced = core.reduced(core.margin, of_margin[2], self.hot.held)
        ties = core.reduced(core.tie_break, of_tie_break[2], self.hot.held)
        missing = core.wanting(reduced) | (core.wanting(ties) & (np.abs(reduced) <= least))
        broken = np.zeros(len(core.lazy), dtype=bool)
        for said in core.hot.said:
            values = core.at.copy()
            values[core.columns] = said[0]
            broken |= core.by_row @ values > core.room + FEASIBLE * self.hot.model.unit
        self.awake[self.block[core.out[missing]]] = True
        self.columns[core.out[missing]] = True
        self.rows[core.lazy[broken]] = True
        return bool(missing.any() or broken.any())


def core_of(hot: Hot, said: tuple[Said, Said], least: float) -> Core | None:
    """The core of a model just solved; said: of the margin and of the tie-break (values, reduced, prices);
    least: reduced costs below it are noise.

    None where it would not be much smaller, or gives another optimum.
    """
    choice = _Choice(hot, said)
    for _ in range(TRIES):
        core = choice.core()
        if len(core.rows) > WORTH * len(choice.row_block):
            return None
        if not choice.lacks(core, least):
            break
    agreed = abs(core.hot.minimum + core.constant - hot.minimum) <= AT_BOUND * max(1.0, abs(hot.minimum))
    return core if agreed else None


def _hot(
    hot: Hot, matrix: scipy.sparse.csr_array, rows: Positions, columns: Positions, at: Floats, shift: Floats
) -> Hot:
    """The core as a model of its own, solved."""
    compiled, none = hot.compiled, np.zeros(0, dtype=np.intp)
    part = replace(
        compiled,
        matrix=scipy.sparse.csc_array(matrix[rows].tocsc()[:, columns]),
        costs=compiled.costs[:, columns],
        row_lower=compiled.row_lower[rows] - shift[rows],
        row_upper=compiled.row_upper[rows] - shift[rows],
        lower=compiled.lower[columns],
        upper=compiled.upper[columns],
        integer=np.zeros(len(columns), dtype=bool),
        rows=(), flows=(), f=none, x=none, y=none, step=none, take=none,
    )  # fmt: skip
    held = []
    for hold, (costs, value) in zip(hot.model.held, hot.held, strict=True):
        own = costs[columns]
        # what is held by fixing columns is fixed here, too, to the last digit
        there = hot.model.place[columns][own != 0]
        left = float(own[own != 0] @ there) if hold.fixed else value - float(costs @ at)
        held.append((own, left))
    return type(hot)(
        part, hot.margin[columns], hot.tie_break[columns], held, None, _near(hot, rows, columns), hot.base,
        [hold.fixed for hold in hot.model.held],
    )  # fmt: skip


def _near(hot: Hot, rows: Positions, columns: Positions) -> highspy.HighsBasis | None:
    """The margin's basis, as far as it is in the core; HiGHS completes it."""
    if hot.basis is None:
        return None
    count, made = hot.compiled.matrix.shape[0], highspy.HighsBasis()
    of_columns, of_rows = list(hot.basis.col_status), list(hot.basis.row_status)
    made.col_status = [of_columns[i] for i in columns.tolist()]
    made.row_status = [of_rows[i] for i in rows.tolist()] + of_rows[count:]
    made.valid = True
    return made
