"""An order upon the core of a model: what the core lacks is added, and the whole model is asked in doubt."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import highspy
import numpy as np
import numpy.typing as npt
import scipy.sparse

from massbalance.solving.core import FEASIBLE, Core, Prices, Said
from massbalance.solving.highs import Answer
from massbalance.solving.robust import LEAST_SLACK, WORSE
from massbalance.solving.stamp import Stamp, new_columns

if TYPE_CHECKING:
    from massbalance.solving.hot import Found, Hot, Trial

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]
DUAL, PRIMAL = 1, 4
ROUNDS = 12
"""So often what is missing is added before the whole model is asked."""
MOST = 0.25
"""And so many columns, as part of those that the core has."""
PRICED = 1e-10


class CoreTrial:
    """As `hot.Trial`, with the same questions and the same answers, in terms of the whole model.

    rows, columns: of the whole, added to the core for this order, in order.
    """

    def __init__(self, whole: Hot, core: Core, stamp: Stamp, trial: Trial) -> None:
        self.whole, self.core, self.stamp, self.plain = whole, core, stamp, trial
        self.full: Trial | None = None
        self.stack = ExitStack()
        count, width = whole.compiled.matrix.shape
        self.row_at, self.column_at = np.full(count, -1, dtype=np.intp), np.full(width, -1, dtype=np.intp)
        self.row_at[core.rows], self.column_at[core.columns] = (
            np.arange(len(core.rows)), np.arange(len(core.columns)),
        )  # fmt: skip
        self.step = self._mine(stamp.step, width, len(core.columns), self.column_at)
        self.x = self._mine(stamp.x, width, len(core.columns), self.column_at)
        self.rows: list[int] = []
        self.columns: list[int] = []
        self.aim = "margin"
        self.bounds: tuple[float | Floats, float | Floats] = plain_bounds(trial)
        self.reduced = np.zeros(0)

    @staticmethod
    def _mine(positions: Positions, first: int, mine: int, at: Positions) -> Positions:
        """Positions in the core of positions in whole and stamp together."""
        new = positions >= first
        return np.where(new, positions - first + mine, at[np.where(new, 0, positions)])

    # ---- laying and lifting ----------------------------------------------------------------------------

    def lay(self) -> None:
        """Add the order's rows and columns to the core."""
        hot, small = self.core.hot, self.stamp.small
        count = self.whole.compiled.matrix.shape[0]
        if hot.basis is not None:
            hot.model.restart(hot.basis)
        entries = new_columns(self.stamp, count, 0).tocoo()
        new = entries.row >= count
        held, own = len(hot.held), len(self.core.rows)
        row = np.where(new, entries.row - count + own + held, self.row_at[np.where(new, 0, entries.row)])
        of_rows, of_columns = self.stamp.rows, self.stamp.columns
        height = own + held + len(of_rows)
        matrix = scipy.sparse.csc_array((entries.data, (row, entries.col)), shape=(height, len(of_columns)))
        hot.model.add_rows(small.row_lower[of_rows], small.row_upper[of_rows])
        hot.model.add_columns(matrix, self.stamp.costs("margin"), small.upper[of_columns])

    def lift(self) -> None:
        """Take it off again, and off the whole model if that was asked."""
        hot = self.core.hot
        hot.model.cut_back(hot.columns, hot.rows)
        hot.model.set_costs(hot.margin)
        self.stack.close()

    def _whole(self) -> Trial:
        """The order upon the whole model, as far as this trial has come."""
        if self.full is None:
            self.full = self.stack.enter_context(self.whole.upon_whole(self.stamp))
            self.full.between(*self.bounds)
            self._aim_whole(self.full)
        return self.full

    def _aim_whole(self, full: Trial) -> None:
        {"margin": full.aim_at_margin, "mass": full.aim_at_mass, "claim": full.aim_at_claim}[self.aim]()

    # ---- questions -------------------------------------------------------------------------------------

    def between(self, least: float | Floats, most: float | Floats) -> None:
        """Bounds of the order's claimed mass (of some orders: of each), t."""
        self.bounds = (least, most)
        if self.full is not None:
            self.full.between(least, most)
            return
        shape = self.step.shape
        self.core.hot.model.bound(self.step, np.broadcast_to(least, shape), np.broadcast_to(most, shape))

    def aim_at_margin(self) -> None:
        """The margin, the order's own premium being 0."""
        self._aim("margin")

    def aim_at_mass(self) -> None:
        """The greatest mass of the order."""
        self._aim("mass")

    def aim_at_claim(self) -> None:
        """The greatest claim that the order's credits carry."""
        self._aim("claim")

    def _aim(self, what: str) -> None:
        if what != self.aim:
            self.aim = what
            if self.full is None:
                self._set_costs()
        if self.full is not None:
            self._aim_whole(self.full)

    def _costs(self) -> Floats:
        """Costs of what is aimed at, over whole and stamp."""
        width = self.whole.compiled.matrix.shape[1]
        if self.aim == "margin":
            return np.concatenate([self.whole.margin, self.stamp.costs("margin")])
        costs = np.zeros(width + len(self.stamp.columns))
        if self.aim == "mass":
            costs[self.stamp.step] = -1.0
        else:
            costs[self.stamp.x] = -self.stamp.problem.claim_value
        return costs

    def _inside(self, costs: Floats) -> Floats:
        """Costs over whole and stamp as those of the model at hand."""
        width = self.whole.compiled.matrix.shape[1]
        return np.concatenate([costs[self.core.columns], costs[width:], costs[self.columns]])

    def _set_costs(self) -> None:
        self.core.hot.model.set_costs(self._inside(self._costs()))

    def begin_again(self) -> None:
        """Forget what this trial has solved so far, but not what it has added."""
        if self.full is not None:
            self.full.begin_again()
        elif (basis := self.core.hot.basis) is not None:
            self.core.hot.model.restart(self._extended(list(basis.col_status), list(basis.row_status)))

    def _extended(
        self, columns: list[highspy.HighsBasisStatus], rows: list[highspy.HighsBasisStatus]
    ) -> highspy.HighsBasis:
        """A basis of the core, with what was laid and added at its bounds, and slack."""
        kinds, made = highspy.HighsBasisStatus, highspy.HighsBasis()
        high = self._high(np.array(self.columns, dtype=np.intp))
        made.col_status = (
            columns
            + [kinds.kLower] * len(self.stamp.columns)
            + [kinds.kUpper if up else kinds.kLower for up in high.tolist()]
        )
        made.row_status = rows + [kinds.kBasic] * (len(self.stamp.rows) + len(self.rows))
        made.valid, made.alien = True, False
        return made

    def _high(self, columns: Positions) -> Bools:
        """Which columns left out stand at their upper bounds."""
        core = self.core
        moves = core.upper[columns] > core.lower[columns]
        return np.asarray(moves & (core.at[columns] >= core.upper[columns]))

    def both(self) -> tuple[Found | None, Floats | None] | None:
        """None: a core is asked for the margin, then for the tie-break."""
        return None

    def go_on(self, method: int) -> Found | None:
        """The optimum of what is aimed at; None may mean anything, and another question must follow."""
        if self.full is not None:
            return self.full.go_on(method)
        return self._solve(method)

    def solve(self, method: int) -> Found | None:
        """The optimum of what is aimed at; None where there is no point."""
        found = None if self.full is not None else self._solve(method)
        if found is not None:
            return found
        full = self._whole()
        return full.solve(method)

    # ---- solving, and what is missing ------------------------------------------------------------------

    def _solve(self, method: int) -> Found | None:
        model = self.core.hot.model
        for _ in range(ROUNDS):
            model.option("simplex_strategy", method)
            answer = model.solve(deadline=None, cold=False)
            if answer.status != "optimal" or answer.columns is None:
                return None
            columns = self._columns(answer.columns)
            prices = self.core.margin if self.aim == "margin" else self._none()
            self.reduced = self._reduced(prices)
            rows, missing = self._broken(columns), self._wanting(self.reduced, self._all())
            if len(rows) == 0 and len(missing) == 0:
                if not self.whole.keeps(columns, WORSE):
                    return None
                return self._found(answer, columns)
            # columns keep the point feasible, rows the prices: one after the other, each costs few pivots
            if not self._add(rows if len(missing) == 0 else rows[:0], missing):
                return None
            method = DUAL if len(missing) == 0 else PRIMAL
        return None

    def _none(self) -> Prices:
        return Prices(np.zeros(len(self.column_at)), np.zeros(len(self.row_at)))

    def _all(self) -> Bools:
        return np.ones(len(self.core.out), dtype=bool)

    def _columns(self, found: Floats) -> Floats:
        """Values over whole and stamp."""
        core, laid = self.core, len(self.stamp.columns)
        own = len(core.columns)
        values = core.at.copy()
        values[core.columns] = found[:own]
        values[self.columns] += found[own + laid :]
        return np.concatenate([values, found[own : own + laid]])

    def _row_prices(self, prices: Prices) -> tuple[Floats, Floats]:
        """HiGHS's prices of every row of the whole, and of the held goals."""
        _, _, dual = self.core.hot.model.solved
        own, held, laid = len(self.core.rows), len(self.core.hot.held), len(self.stamp.rows)
        rows = prices.rows.copy()
        rows[self.core.rows] = dual[:own]
        rows[self.rows] = dual[own + held + laid :]
        return rows, dual[own : own + held]

    def _reduced(self, prices: Prices) -> Floats:
        """Reduced costs of the columns left out."""
        rows, held = self._row_prices(prices)
        return self.core.reduced_by(prices.costs, rows, held, self.whole.held)

    def _wanting(self, reduced: Floats, free: Bools) -> Positions:
        """Columns left out that would move."""
        found = self.core.out[self.core.wanting(reduced) & free]
        return found[self.column_at[found] < 0]

    def _broken(self, columns: Floats) -> Positions:
        """Rows left out that do not hold."""
        core, width = self.core, len(self.column_at)
        over = core.by_row @ columns[:width] > core.room + FEASIBLE * self.whole.model.unit
        found = core.lazy[over]
        return found[self.row_at[found] < 0]

    def _add(self, rows: Positions, columns: Positions) -> bool:
        """Add rows and columns, and of a block that slept all; False: the model would grow too large."""
        core = self.core
        woken = np.unique(core.block[columns[core.asleep[columns]]])
        if len(woken):
            columns = np.union1d(columns, np.flatnonzero(np.isin(core.block, woken) & (self.column_at < 0)))
        # where one cap is broken, or a mix changes, others of the recipe are next
        touched = np.unique(np.concatenate([core.block[columns], core.row_block[rows]]))
        rows = np.flatnonzero(np.isin(core.row_block, touched[touched >= 0]) & (self.row_at < 0))
        if len(self.columns) + len(columns) > MOST * len(core.columns):
            return False
        self._add_rows(rows)
        self._add_columns(columns)
        return True

    def _add_rows(self, rows: Positions) -> None:
        compiled, model = self.whole.compiled, self.core.hot.model
        part = self.core.whole_rows[rows].tocoo()
        at = self.column_at[part.col]
        there = at >= 0
        entries = scipy.sparse.csr_array(
            (part.data[there], (part.row[there], at[there])), shape=(len(rows), model.count)
        )
        first = model.height
        shift = self.core.shift[rows]
        model.add_rows(compiled.row_lower[rows] - shift, compiled.row_upper[rows] - shift, entries)
        self.row_at[rows] = first + np.arange(len(rows))
        self.rows += rows.tolist()

    def _add_columns(self, columns: Positions) -> None:
        core, model = self.core, self.core.hot.model
        part = self.whole.compiled.matrix[:, columns].tocoo()
        at = self.row_at[part.row]
        there = at >= 0
        row, column, data = at[there], part.col[there], part.data[there]
        for n, ((costs, _), hold) in enumerate(zip(self.whole.held, model.held, strict=True)):
            own = np.flatnonzero(costs[columns]) if not hold.fixed else np.zeros(0, dtype=np.intp)
            row = np.concatenate([row, np.full(len(own), len(core.rows) + n)])
            column, data = np.concatenate([column, own]), np.concatenate([data, costs[columns][own]])
        entries = scipy.sparse.csc_array((data, (row, column)), shape=(model.height, len(columns)))
        first = model.count
        at_now = core.at[columns]
        # as steps away from where they stand, so that no row's room changes
        model.add_columns(
            entries, self._costs()[columns], core.upper[columns] - at_now, core.lower[columns] - at_now
        )
        self.column_at[columns] = first + np.arange(len(columns))
        self.columns += columns.tolist()

    # ---- answers ---------------------------------------------------------------------------------------

    def _found(self, answer: Answer, columns: Floats) -> Found:
        """The optimum in terms of the whole model, the order and the held goals."""
        core, model = self.core, self.core.hot.model
        width, laid = len(self.column_at), len(self.stamp.columns)
        prices = core.margin if self.aim == "margin" else self._none()
        rows, held = self._row_prices(prices)
        _, reduced, dual = model.solved
        own, first = len(core.columns), len(core.rows) + len(core.hot.held)
        all_reduced = np.zeros(width + laid)
        all_reduced[core.out] = self.reduced
        all_reduced[core.columns] = reduced[:own]
        all_reduced[self.columns] = reduced[own + laid :]
        all_reduced[width:] = reduced[own : own + laid]
        all_dual = np.concatenate([rows, held, dual[first : first + len(self.stamp.rows)]])
        self.whole.model.price_holds(all_dual, all_reduced)
        minimum = float(self._costs() @ columns)
        whole = Answer("optimal", columns, all_dual, all_reduced, minimum, minimum)
        return self.plain.found(whole, hot=True)

    def unique(self, found: Found) -> Floats:
        """Columns of that optimum of the margin, just solved, which the tie-break chooses."""
        if self.full is None:
            columns = self._settle(found)
            if columns is not None:
                return columns
            full = self._whole()
            again = full.solve(DUAL)
            found = found if again is None else again
        else:
            full = self.full
        return full.unique(found)

    def _settle(self, found: Found) -> Floats | None:
        """The same by the core; None where that does not end soon."""
        core, hot, model = self.core, self.core.hot, self.core.hot.model
        if hot.settled is None:
            return None
        margin = self._costs()
        least = PRICED * max(1.0, float(np.abs(margin).max(initial=0.0)))
        tie_break = np.concatenate([self.whole.tie_break, self.stamp.costs("tie_break")])
        ties = np.abs(self.reduced) <= least
        solved, method = model.solved, DUAL
        start: highspy.HighsBasis | None = self._extended(hot.settled.columns, hot.settled.rows)
        for _ in range(ROUNDS):
            answer = model.settle(self._inside(tie_break), least, method, start, solved)
            if answer.status != "optimal" or answer.columns is None:
                return None
            columns = self._columns(answer.columns)
            missing = self._wanting(self._reduced(core.tie_break), ties)
            rows = self._broken(columns)
            if len(rows) == 0 and len(missing) == 0:
                return columns if self._best(columns, margin, found) else None
            before = len(self.rows), len(self.columns)
            if not self._add(rows if len(missing) == 0 else rows[:0], missing):
                return None
            solved = self._more(solved, *before)
            start, method = None, DUAL if len(missing) == 0 else PRIMAL
        return None

    def _more(self, solved: Said, rows: int, columns: int) -> Said:
        """What HiGHS said of the margin, with what was added since at the prices that it had outside."""
        reduced = np.zeros(len(self.column_at))
        reduced[self.core.out] = self.reduced
        new = self.columns[columns:]
        return (
            np.concatenate([solved[0], np.zeros(len(new))]),
            np.concatenate([solved[1], reduced[new]]),
            np.concatenate([solved[2], self.core.margin.rows[self.rows[rows:]]]),
        )

    def _best(self, columns: Floats, margin: Floats, found: Found) -> bool:
        """Is it an optimum of the margin, and no held goal worse?"""
        most = found.minimum + LEAST_SLACK * max(1.0, abs(found.minimum))
        return float(margin @ columns) <= most and self.whole.keeps(columns, LEAST_SLACK)


def plain_bounds(trial: Trial) -> tuple[float | Floats, float | Floats]:
    """Bounds of the order's mass before anybody asks."""
    return trial.least, trial.most
