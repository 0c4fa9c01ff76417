"""One HiGHS model, owned and checked: every status that is not OK is an error."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import highspy
import numpy as np
import numpy.typing as npt
import scipy.sparse

from massbalance.solving.compiled import Compiled

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]
Progress = Callable[[str], None]
LARGE = 2.0**15
"""Where bounds go beyond this, in t, MWh, GJ or t CO2e, HiGHS gets all of them in a larger unit."""
EXACT = 1e-13
"""A held value this close, relative, to the best that bounds allow is that."""
LOOK_S = 0.2
"""How often a run is looked at."""
OVERRUN_S = 0.5
"""How far a MIP may overrun its time before it is cancelled."""


class SolverError(RuntimeError):
    """HiGHS refused a call or answered something that cannot be used."""


@dataclass(frozen=True)
class Answer:
    """What one solve said.

    status: `optimal`, `limit`, `infeasible` or `unknown`; columns: primal values (None where there is no
    feasible point); row_dual: of the minimisation, None for a MIP; objective: of the columns,
    without offset; bound: best proven bound of the minimum (-inf: none).
    """

    status: str
    columns: Floats | None
    row_dual: Floats | None
    column_dual: Floats | None
    objective: float
    bound: float


@dataclass(frozen=True)
class Hold:
    """A held goal: its value, its columns and their costs.

    fixed: all its columns are fixed, by it or by a hold before it, and no row holds it; best: which of
    them could move, and stand at the better of their own bounds for this goal.
    """

    value: float
    columns: Positions
    costs: Floats
    fixed: bool
    best: npt.NDArray[np.bool_]


class Highs:
    """A compiled model in HiGHS, minimised always; costs and holds change, labels do not.

    lower, upper: every column's own bounds, whatever holds say; place: where holds have fixed it, NaN
    where it is free. Shape (count,).
    """

    def __init__(self, compiled: Compiled, *, integers: bool) -> None:
        self.compiled = compiled
        self.integers = integers and bool(compiled.integer.any())
        self.count = compiled.matrix.shape[1]
        self.highs = highspy.Highs()
        self.lower, self.upper = compiled.lower, compiled.upper
        self.place = np.full(self.count, np.nan)
        self.held: list[Hold] = []
        self._solved = (np.zeros(0), np.zeros(0), np.zeros(0))
        self._stop = False
        for name, value in (
            ("output_flag", False), ("threads", 1), ("random_seed", 0),
            ("mip_abs_gap", 0.0), ("mip_rel_gap", 0.0),
        ):  # fmt: skip
            self._ok(self.highs.setOptionValue(name, value), name)
        self.unit = 1.0 if self.integers else self._unit()
        self._ok(self.highs.passModel(self._model()), "passModel")
        if self.integers:
            # asks for an interrupt now and then: cheap in branch and bound, not in the simplex method
            self.highs.cbMipInterrupt += self._heed
            self.highs.cbSimplexInterrupt += self._heed

    def _unit(self) -> float:
        """Power of two in which HiGHS sees quantities: its tolerances are absolute, and beside a million t
        a double is no finer than 1e-10.
        """
        made = self.compiled
        rows = [np.abs(b[np.isfinite(b)]).max(initial=0.0) for b in (made.row_lower, made.row_upper)]
        most = max(float(np.abs(made.upper).max(initial=0.0)), *map(float, rows))
        return float(2.0 ** np.ceil(np.log2(most / LARGE))) if most > LARGE else 1.0

    def _ok(self, status: highspy.HighsStatus, what: str) -> None:
        if status != highspy.HighsStatus.kOk:
            raise SolverError(f"HiGHS: {what} answered {status}")

    def _model(self) -> highspy.HighsLp:
        made, matrix = self.compiled, self.compiled.matrix
        rows, columns = matrix.shape
        lengths = {
            len(made.lower): columns, len(made.upper): columns, len(made.integer): columns,
            len(made.row_lower): rows, len(made.row_upper): rows, len(matrix.indptr): columns + 1,
        }  # fmt: skip
        if any(got != expected for got, expected in lengths.items()):
            raise SolverError("array lengths do not match the model")
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = columns, rows
        lp.col_cost_ = np.zeros(columns)
        lp.col_lower_, lp.col_upper_ = made.lower / self.unit, made.upper / self.unit
        lp.row_lower_ = np.where(np.isinf(made.row_lower), -highspy.kHighsInf, made.row_lower / self.unit)
        lp.row_upper_ = np.where(np.isinf(made.row_upper), highspy.kHighsInf, made.row_upper / self.unit)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_ = matrix.indptr.astype(np.int32)
        lp.a_matrix_.index_ = matrix.indices.astype(np.int32)
        lp.a_matrix_.value_ = matrix.data
        if self.integers:
            kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
            lp.integrality_ = [kinds[int(flag)] for flag in made.integer]
        return lp

    def search_plainly(self) -> None:
        """Branch and bound without small models on the way: they cost the most time near an optimum."""
        for name in (
            "mip_heuristic_run_rins",
            "mip_heuristic_run_rens",
            "mip_heuristic_run_root_reduced_cost",
        ):
            self._ok(self.highs.setOptionValue(name, False), name)
        self.option("mip_heuristic_effort", 0.0)
        self._ok(self.highs.setOptionValue("mip_allow_restart", False), "mip_allow_restart")

    def set_costs(self, costs: Floats) -> None:
        """Replace the costs, shape (columns,)."""
        if costs.shape != (self.count,) or not np.isfinite(costs).all():
            raise SolverError("costs must be finite, one for each column")
        self._ok(
            self.highs.changeColsCost(self.count, np.arange(self.count, dtype=np.int32), costs),
            "changeColsCost",
        )

    def hold(self, costs: Floats, value: float, *, may_fix: bool = True) -> None:
        """C15 goal_hold: costs x <= value, with no slack at all.

        Where the value is the least that bounds allow (nothing firm falls short), it says that every
        column stands at its better bound: they are fixed there, which is far easier than a dense row.
        What holds before it have fixed stays where it is and counts as it stands. may_fix: of a part of a
        model, what the whole does.
        """
        index = np.flatnonzero(costs)
        lower, upper, place = self.lower[index], self.upper[index], self.place[index]
        better = np.where(costs[index] > 0, lower, upper)
        at = np.where(np.isnan(place), better, place)
        least = float(costs[index] @ at)
        fixed = may_fix and not self.integers and value <= least + EXACT * max(1.0, abs(least))
        most = highspy.kHighsInf if fixed else value / self.unit
        self._ok(
            self.highs.addRow(-highspy.kHighsInf, most, len(index), index.astype(np.int32), costs[index]),
            "addRow",
        )
        self.held.append(Hold(value, index, costs[index], fixed, (at == better) & (upper > lower)))
        if fixed:
            self._fix(index, at)

    @property
    def solved(self) -> tuple[Floats, Floats, Floats]:
        """What HiGHS said of the last optimum: values, reduced costs, prices of rows; in its own signs."""
        return self._solved

    @property
    def height(self) -> int:
        """Rows, those of held goals and those added among them."""
        return int(self.highs.getNumRow())

    def add_columns(
        self, matrix: scipy.sparse.csc_array, costs: Floats, upper: Floats, lower: Floats | None = None
    ) -> None:
        """Append columns within `lower` (0 unless told) and `upper`; matrix: (rows and holds, columns)."""
        rows, count = matrix.shape
        lower = np.zeros(count) if lower is None else lower
        if rows != self.highs.getNumRow() or costs.shape != (count,) or upper.shape != (count,):
            raise SolverError("array lengths do not match the model")
        if not all(np.isfinite(a).all() for a in (matrix.data, costs, upper)):
            raise SolverError("columns must be finite")
        start, index = matrix.indptr[:-1].astype(np.int32), matrix.indices.astype(np.int32)
        self._ok(
            self.highs.addCols(
                count, costs, lower / self.unit, upper / self.unit, matrix.nnz, start, index, matrix.data
            ),
            "addCols",
        )
        self.lower = np.concatenate([self.lower, lower])
        self.upper = np.concatenate([self.upper, upper])
        self.place = np.concatenate([self.place, np.full(count, np.nan)])
        self.count += count
        if any(held.fixed for held in self.held):
            self._hold_new(matrix.tocsr()[self.compiled.matrix.shape[0] :].tocoo())

    def add_rows(self, lower: Floats, upper: Floats, entries: scipy.sparse.csr_array | None = None) -> None:
        """Append rows below the held goals; entries: (rows, columns), none unless told."""
        count = len(lower)
        if upper.shape != (count,) or np.isnan(lower).any() or np.isnan(upper).any():
            raise SolverError("array lengths do not match the model")
        least = np.where(np.isinf(lower), -highspy.kHighsInf, lower / self.unit)
        most = np.where(np.isinf(upper), highspy.kHighsInf, upper / self.unit)
        made = scipy.sparse.csr_array((count, self.count)) if entries is None else entries
        if made.shape != (count, self.count) or not np.isfinite(made.data).all():
            raise SolverError("rows must be finite, and as wide as the model")
        start, index = made.indptr[:-1].astype(np.int32), made.indices.astype(np.int32)
        data = made.data.astype(np.float64)
        self._ok(self.highs.addRows(count, least, most, made.nnz, start, index, data), "addRows")

    def cut_back(self, columns: int, rows: int) -> None:
        """Delete every column and row but the first so many: what was added last goes first."""
        more = np.arange(columns, self.highs.getNumCol(), dtype=np.int32)
        self._ok(self.highs.deleteCols(len(more), more), "deleteCols")
        more = np.arange(rows, self.highs.getNumRow(), dtype=np.int32)
        self._ok(self.highs.deleteRows(len(more), more), "deleteRows")
        self.lower, self.upper = self.lower[:columns], self.upper[:columns]
        self.place, self.count = self.place[:columns], columns

    def restart(self, basis: highspy.HighsBasis) -> None:
        """Forget all but the model, and begin from a basis of it."""
        self._ok(self.highs.clearSolver(), "clearSolver")
        self._ok(self.highs.setBasis(basis), "setBasis")

    def bound(self, columns: Positions, lower: Floats, upper: Floats) -> None:
        """New bounds of a few columns that no hold has fixed."""
        self.lower, self.upper = self.lower.copy(), self.upper.copy()
        self.lower[columns], self.upper[columns] = lower, upper
        self._bound(columns, lower, upper)

    def _hold_new(self, entries: scipy.sparse.coo_array) -> None:
        """Holds that fixed their columns keep out new ones that would make them worse; entries: (holds, new).

        Where one could make a held goal better, its value is no longer the best: rows hold from now on.
        """
        first = self.count - entries.shape[1]
        for i, held in enumerate(self.held):
            if not held.fixed:
                continue
            own = entries.row == i
            columns, costs = first + entries.col[own], entries.data[own]
            movable, free = self.upper[columns] > 0.0, np.isnan(self.place[columns])
            if (movable & free & (costs < 0)).any():
                self._release()
                return
            self._fix(columns[free], np.zeros(int(free.sum())))
            self.held[i] = replace(
                held,
                columns=np.concatenate([held.columns, columns]),
                costs=np.concatenate([held.costs, costs]),
                best=np.concatenate([held.best, movable & (costs > 0)]),
            )

    def change_row(self, row: int, column: int, value: float, upper: float) -> None:
        """Another coefficient and another upper bound of a row; the compiled model knows nothing of it."""
        if not np.isfinite([value, upper]).all():
            raise SolverError("coefficients and bounds must be finite")
        self._ok(self.highs.changeCoeff(row, column, value), "changeCoeff")
        self._ok(self.highs.changeRowBounds(row, -highspy.kHighsInf, upper / self.unit), "changeRowBounds")

    def loosen(self, relative: float) -> None:
        """Give every held goal a slack relative to max(1, |value|)."""
        self._release()
        for i, held in enumerate(self.held):
            self._hold_row(i, held.value + relative * max(1.0, abs(held.value)))

    def _release(self) -> None:
        """Rows hold what fixed columns held so far; the columns get their own bounds back."""
        for i, held in enumerate(self.held):
            if held.fixed:
                self._hold_row(i, held.value)
                self.held[i] = replace(held, fixed=False)
        columns = np.flatnonzero(~np.isnan(self.place))
        self.place[columns] = np.nan
        self._bound(columns, self.lower[columns], self.upper[columns])

    def _hold_row(self, number: int, most: float) -> None:
        row = self.compiled.matrix.shape[0] + number
        self._ok(self.highs.changeRowBounds(row, -highspy.kHighsInf, most / self.unit), "changeRowBounds")

    def _fix(self, columns: Positions, values: Floats) -> None:
        self.place[columns] = values
        self._bound(columns, values, values)

    def _bound(self, columns: Positions, lower: Floats, upper: Floats) -> None:
        index = columns.astype(np.int32)
        self._ok(
            self.highs.changeColsBounds(len(index), index, lower / self.unit, upper / self.unit),
            "changeColsBounds",
        )

    def settle(
        self,
        costs: Floats,
        least: float,
        method: int,
        start: highspy.HighsBasis | None = None,
        solved: tuple[Floats, Floats, Floats] | None = None,
    ) -> Answer:
        """Minimise other costs over the optima of what has just been solved (or of `solved`, what was said of
        it), from the basis at hand or `start`.

        A column with a reduced cost above `least` stays where it is, a row with such a price stays tight;
        afterwards bounds are what they were, the costs are the new ones.
        """
        value, reduced, price = self._solved if solved is None else solved
        columns, rows = np.flatnonzero(np.abs(reduced) > least), np.flatnonzero(np.abs(price) > least)
        status, _, lower, upper, _ = self.highs.getRows(len(rows), rows.astype(np.int32))
        self._ok(status, "getRows")
        self.set_costs(costs)
        at = np.clip(value[columns], self.lower[columns], self.upper[columns])
        self._bound(columns, at, at)
        # every row is `<=` or `=`: what has a price stands at its upper bound
        self._bound_rows(rows, np.asarray(upper), np.asarray(upper))
        self.option("simplex_strategy", method)
        if start is not None:
            self.restart(start)
        answer = self.solve(deadline=None, cold=False)
        place = self.place[columns]
        free = np.isnan(place)
        own = (np.where(free, self.lower[columns], place), np.where(free, self.upper[columns], place))
        self._bound(columns, *own)
        self._bound_rows(rows, np.asarray(lower), np.asarray(upper))
        return answer

    def _bound_rows(self, rows: Positions, lower: Floats, upper: Floats) -> None:
        """Bounds of rows, in the solver's unit."""
        index = rows.astype(np.int32)
        changed = self.highs.changeRowsBounds(len(index), index, lower, upper)  # type: ignore[attr-defined]
        self._ok(changed, "changeRowsBounds")

    def start(self, columns: Floats) -> None:
        """A point from which a MIP may start."""
        if columns.shape != (self.count,):
            raise SolverError("a point has one value for each column")
        point = highspy.HighsSolution()
        point.col_value = columns
        self._ok(self.highs.setSolution(point), "setSolution")

    def basis_prices(self, goals: Sequence[Floats]) -> tuple[npt.NDArray[np.bool_], list[Floats]]:
        """Which columns are basic at the optimum just found, and what that basis gives rows in some goals.

        goals: costs, shape (columns,) each; prices have HiGHS's own signs.
        """
        status, found = self.highs.getBasicVariables()  # type: ignore[attr-defined]
        self._ok(status, "getBasicVariables")
        index = np.asarray(found, dtype=np.intp)
        of_column, basic = index >= 0, np.zeros(self.count, dtype=bool)
        basic[index[of_column]] = True
        prices = []
        for costs in goals:
            right = np.zeros(len(index))
            right[of_column] = costs[index[of_column]]
            status, price = self.highs.getBasisTransposeSolve(right)  # type: ignore[attr-defined]
            self._ok(status, "getBasisTransposeSolve")
            prices.append(np.array(price, dtype=np.float64))
        return basic, prices

    def option(self, name: str, value: float | str) -> None:
        """Set an option; a misspelt one is an error."""
        self._ok(self.highs.setOptionValue(name, value), name)

    def solve(self, *, deadline: float | None, gap: float = 0.0, cold: bool = True) -> Answer:
        """Solve until optimal within `gap`, or until `deadline` (time.monotonic())."""
        if cold:
            self._ok(self.highs.clearSolver(), "clearSolver")
        if self.integers:
            self.option("mip_rel_gap", gap)
        # the limit is on the solver's total clock, which never goes back
        left = np.inf if deadline is None else max(0.01, deadline - time.monotonic())
        self.option("time_limit", float(min(self.highs.getRunTime() + left, 1e15)))
        self._run(deadline)
        return self._answer()

    def _run(self, deadline: float | None) -> None:
        """Run beside the main thread, so that Ctrl-C is heard at once; a MIP that overruns is stopped."""
        outcome: list[highspy.HighsStatus] = []
        # highspy's own flag would stay up and stop every later solve, too
        self._stop = False
        worker = threading.Thread(target=lambda: outcome.append(self.highs.run()), daemon=True)
        worker.start()
        while worker.is_alive():
            worker.join(LOOK_S)
            if self.integers and deadline is not None and time.monotonic() > deadline + OVERRUN_S:
                self._stop = True
        if not outcome or outcome[0] == highspy.HighsStatus.kError:
            raise SolverError("HiGHS: run answered an error")

    def _heed(self, event: Any) -> None:
        """Stop where that was asked for, and only there: HiGHS remembers what it was told last."""
        event.interrupt(self._stop)

    def price_holds(self, dual: Floats, reduced: Floats) -> None:
        """A hold that fixed its columns costs what the dearest of them would save by giving way.

        Changes `dual` and `reduced` to those of the same model with the holds as rows. The last hold
        comes first: what its price does to a column that stands at the worse bound for its goal, the
        hold before it that fixed the column has to make good.
        """
        first = self.compiled.matrix.shape[0]
        for i, held in reversed(list(enumerate(self.held))):
            if held.fixed:
                best = held.columns[held.best]
                price = float((-reduced[best] / held.costs[held.best]).max(initial=0.0))
                dual[first + i] = -price
                reduced[held.columns] += price * held.costs

    def _answer(self) -> Answer:
        status, info = self.highs.getModelStatus(), self.highs.getInfo()
        kinds = highspy.HighsModelStatus
        if status == kinds.kInfeasible:
            return Answer("infeasible", None, None, None, np.inf, np.inf)
        if status == kinds.kUnknown:
            # HiGHS lost its way: another start may still find it
            return Answer("unknown", None, None, None, np.inf, -np.inf)
        limits = (kinds.kTimeLimit, kinds.kIterationLimit, kinds.kSolutionLimit, kinds.kInterrupt)
        if status != kinds.kOptimal and status not in limits:
            raise SolverError(f"HiGHS: model status {self.highs.modelStatusToString(status)}")
        feasible = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
        solution = self.highs.getSolution()
        columns = np.asarray(solution.col_value, dtype=np.float64) * self.unit if feasible else None
        if columns is not None and not (columns.shape == (self.count,) and np.isfinite(columns).all()):
            raise SolverError("HiGHS: the solution holds a figure that is not finite")
        dual = reduced = None
        if not self.integers and solution.dual_valid:
            dual = np.array(solution.row_dual, dtype=np.float64)
            reduced = np.array(solution.col_dual, dtype=np.float64)
            if columns is not None:
                self._solved = (columns, reduced.copy(), dual.copy())
            self.price_holds(dual, reduced)
        done = status == kinds.kOptimal
        objective = float(info.objective_function_value) * self.unit if columns is not None else np.inf
        bound = float(info.mip_dual_bound) if self.integers else (objective if done else -np.inf)
        return Answer("optimal" if done else "limit", columns, dual, reduced, objective, bound)
