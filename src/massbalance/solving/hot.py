"""A solved model kept at hand: an order is laid upon it, asked about, and taken off again.

Every trial begins from the same basis with nothing else remembered, so an answer never depends on what was
asked before. The earlier goals stay held (C15) all the while. What HiGHS answers is believed only if the held
goals are no worse; else the two models are merged and solved again from nothing, checked as any run is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import highspy
import numpy as np
import numpy.typing as npt
import scipy.sparse

from massbalance.solving.compiled import Compiled
from massbalance.solving.core import SMALLEST, Core, core_of
from massbalance.solving.core_trial import CoreTrial
from massbalance.solving.highs import Answer, Highs, SolverError
from massbalance.solving.joint import joint_costs, margin_of, solve_jointly
from massbalance.solving.robust import LEAST_SLACK, WORSE, solve_checked
from massbalance.solving.stamp import Base, Stamp, laid, merged, new_columns
from massbalance.solving.ties import PRICED, Optimum, break_ties

Floats = npt.NDArray[np.float64]
Holds = Sequence[tuple[Floats, float]]
DUAL, PRIMAL, DEVEX = 1, 4, 1
"""HiGHS: the simplex method to go on with, and a pricing whose weights need no start-up."""
CLOSE = 1e-9
"""A figure this close to a bound stands at it."""
NEARLY = 1e-9
"""A mass this close, relative, to the whole is the whole."""


@dataclass(frozen=True)
class Found:
    """One optimum of a trial: minimum, the point with its prices, and the price of the order's last tonne.

    point: columns and rows of the base, then the new ones; marginal: by how much the minimum grows with
    one more tonne of the order, where its mass is fixed.
    """

    minimum: float
    point: Optimum
    marginal: float
    hot: bool


def least_price(costs: Floats) -> float:
    """A reduced cost below this is the solver's noise."""
    return PRICED * max(1.0, float(np.abs(costs).max(initial=0.0)))


@dataclass(frozen=True)
class Settled:
    """The basis of the optimum that the tie-break chooses for the base: a trial's own is near it."""

    columns: list[highspy.HighsBasisStatus]
    rows: list[highspy.HighsBasisStatus]

    @staticmethod
    def near(compiled: Compiled, held: Holds, columns: Floats) -> highspy.HighsBasis:
        """A basis for an optimum that is known already, as far as its figures tell; HiGHS completes it."""
        kinds, made = highspy.HighsBasisStatus, highspy.HighsBasis()
        close = CLOSE * np.maximum(1.0, np.abs(columns))
        status = np.full(len(columns), kinds.kBasic, dtype=object)
        status[columns >= compiled.upper - close] = kinds.kUpper
        status[columns <= compiled.lower + close] = kinds.kLower
        room = compiled.row_upper - compiled.matrix @ columns
        slack = room > CLOSE * np.maximum(1.0, np.abs(compiled.row_upper))
        rows = np.full(len(room), kinds.kUpper, dtype=object)
        rows[slack] = kinds.kBasic
        made.col_status = status.tolist()
        made.row_status = rows.tolist() + [kinds.kBasic] * len(held)
        made.valid = True
        return made

    @staticmethod
    def of(model: Highs) -> Settled:
        """That of a model just settled."""
        basis = model.highs.getBasis()
        return Settled(list(basis.col_status), list(basis.row_status))

    def extended(self, columns: int, rows: int) -> highspy.HighsBasis:
        """With so many more columns, at 0, and rows, slack."""
        return self.between(len(self.rows), columns, rows)

    def between(self, first: int, columns: int, rows: int) -> highspy.HighsBasis:
        """The same, the new rows before those (of held goals) from position `first` on."""
        kinds, made = highspy.HighsBasisStatus, highspy.HighsBasis()
        made.col_status = self.columns + [kinds.kLower] * columns
        made.row_status = self.rows[:first] + [kinds.kBasic] * rows + self.rows[first:]
        made.valid, made.alien = True, False
        return made


class Hot:
    """A compiled model as an LP, its margin optimal while the firm shortfalls are held.

    margin, tie_break: costs over columns; held: costs and values of the goals held; model: what has just
    been solved to the margin's optimum with these holds, if it is at hand; near: columns of that optimum
    which the tie-break chooses, or a basis near it, if they are known; base: where rows and flows stand, if
    the compiled model has no labels; fixes: of a core, which goals the whole holds by fixing columns.
    chosen: columns of the optimum that the tie-break chooses; joint: are the costs at rest those of
    margin and tie-break at once?
    """

    def __init__(
        self, compiled: Compiled, margin: Floats, tie_break: Floats, held: Holds, model: Highs | None = None,
        near: Floats | highspy.HighsBasis | None = None, base: Base | None = None,
        fixes: Sequence[bool] | None = None,
    ) -> None:  # fmt: skip
        self.compiled, self.margin, self.tie_break = compiled, margin, tie_break
        self.held, self.base = list(held), Base(compiled) if base is None else base
        # a held goal concerns few columns
        self._few = [(np.flatnonzero(costs), costs[np.flatnonzero(costs)], value) for costs, value in held]
        self.model = Highs(compiled, integers=False) if model is None else model
        if model is None:
            for number, (costs, value) in enumerate(held):
                self.model.hold(costs, value, may_fix=fixes is None or fixes[number])
        self.model.set_costs(margin)
        self.columns, self.rows = self.model.count, self.model.highs.getNumRow()
        self.minimum, self.prices = 0.0, np.zeros(compiled.matrix.shape[0])
        self.basis: highspy.HighsBasis | None = None
        self.settled: Settled | None = None
        self.chosen = np.zeros(self.columns)
        self.core: Core | None = None
        self.joint = False
        if self.columns:
            self._solve(model is None, near, fixes is None and len(self.prices) >= SMALLEST)

    def _solve(self, fresh: bool, near: Floats | highspy.HighsBasis | None, core: bool) -> None:
        """The margin's optimum with its prices, and the bases from which trials begin."""
        start = Settled.near(self.compiled, self.held, near) if isinstance(near, np.ndarray) else near
        if fresh and start is not None:
            self.model.restart(start)
        answer = solve_checked(self.model, self.held, None, cold=fresh and start is None)
        if answer.row_dual is None:
            raise SolverError(f"HiGHS: the margin has no prices ({answer.status})")
        self.minimum = answer.objective
        self.prices = np.maximum(0.0, -answer.row_dual[: self.compiled.matrix.shape[0]])
        self.model.option("simplex_dual_edge_weight_strategy", DEVEX)
        self.basis = self.model.highs.getBasis()
        of_margin = self.model.solved
        unique = self.model.settle(self.tie_break, least_price(self.margin), PRIMAL, start)
        self.settled = Settled.of(self.model)
        self.model.set_costs(self.margin)
        found = answer.columns if unique.columns is None else unique.columns
        self.chosen = np.zeros(self.columns) if found is None else found
        self.said = (of_margin, self.model.solved)
        if core and unique.status == "optimal":
            self.core = core_of(self, self.said, least_price(self.margin))
            self._join()

    def _join(self) -> None:
        """Let trials begin where margin and tie-break are both at their optimum."""
        self.joint = True
        self.rest()
        if solve_jointly(self.model).status == "optimal":
            self.basis = self.model.highs.getBasis()
            return
        self.joint = False
        self.rest()

    def rest(self) -> None:
        """The costs from which trials begin."""
        self.model.set_costs(joint_costs(self.margin, self.tie_break) if self.joint else self.margin)

    def keeping(self, stamp: Stamp, mass: Floats, held: Holds | None = None) -> Hot:
        """The same model with orders that stay upon it, their claimed mass fixed (t); this one is left alone.

        held: what goals are held at instead, if given. Nothing is stated again; HiGHS goes on from this one's
        basis. SolverError: the mass is not feasible.
        """
        both = laid(self.compiled, stamp, mass)
        none = np.zeros(len(stamp.columns))
        held = [(np.concatenate([costs, none]), value) for costs, value in held or self.held]
        names = [goal.name for goal in both.goals]
        start = None
        if self.settled is not None:
            start = self.settled.between(self.compiled.matrix.shape[0], len(stamp.columns), len(stamp.rows))
        return Hot(
            both, both.costs[names.index("margin")], both.costs[-1], held, None, start,
            Base(both, self.base, stamp),
        )  # fmt: skip

    def keeps(self, columns: Floats, worse: float) -> bool:
        """Is no held goal worse, beyond `worse` relative to max(1, |value|)?"""
        return all(
            float(costs @ columns[index]) <= value + worse * max(1.0, abs(value))
            for index, costs, value in self._few
        )

    @contextmanager
    def trial(self, stamp: Stamp) -> Iterator[Trial | CoreTrial]:
        """Lay an order upon the model, a light one upon its core; it is off again when this is left."""
        if self.core is None or not self.core.suits(float(stamp.problem.recipe_mass.sum())):
            with self.upon_whole(stamp) as trial:
                yield trial
            return
        small = CoreTrial(self, self.core, stamp, Trial(self, stamp))
        try:
            small.lay()
            yield small
        finally:
            small.lift()

    @contextmanager
    def upon_whole(self, stamp: Stamp) -> Iterator[Trial]:
        """The same, upon the whole model."""
        if self.basis is not None:
            self.model.restart(self.basis)
        trial = Trial(self, stamp)
        try:
            trial.lay()
            yield trial
        finally:
            self.model.cut_back(self.columns, self.rows)
            if not trial.at_rest:
                self.rest()


class Trial:
    """An order upon a model: its mass is fixed or free between bounds, one goal after another aimed at."""

    def __init__(self, hot: Hot, stamp: Stamp) -> None:
        self.hot, self.stamp = hot, stamp
        self.least: float | Floats = 0.0
        self.most: float | Floats = float(stamp.problem.recipe_mass.sum())
        self.costs = np.zeros(0)
        self.at_rest, self.for_margin = True, not hot.joint
        self.basis: highspy.HighsBasis | None = None
        self.entries = scipy.sparse.csc_array((0, 0))

    def lay(self) -> None:
        """Add the order's rows and columns."""
        hot, small = self.hot, self.stamp.small
        rows = hot.compiled.matrix.shape[0]
        self.entries = new_columns(self.stamp, rows, len(hot.held))
        of_rows, of_columns = self.stamp.rows, self.stamp.columns
        hot.model.add_rows(small.row_lower[of_rows], small.row_upper[of_rows])
        costs = self.stamp.costs("margin")
        at_rest = joint_costs(costs, self.stamp.costs("tie_break")) if hot.joint else costs
        hot.model.add_columns(self.entries, at_rest, small.upper[of_columns])
        self.costs = np.concatenate([hot.margin, costs])
        basis = hot.model.highs.getBasis()
        self.basis = basis if hot.basis is not None and basis.valid else None

    def between(self, least: float | Floats, most: float | Floats) -> None:
        """Bounds of the order's claimed mass (of some orders: of each), t."""
        self.least, self.most = least, most
        shape = self.stamp.step.shape
        self.hot.model.bound(self.stamp.step, np.broadcast_to(least, shape), np.broadcast_to(most, shape))

    def aim_at_margin(self) -> None:
        """The margin, the order's own premium being 0."""
        if not self.for_margin:
            self._aim(np.concatenate([self.hot.margin, self.stamp.costs("margin")]))
            self.for_margin = True

    def aim_at_mass(self) -> None:
        """The greatest mass of the order."""
        costs = np.zeros(len(self.costs))
        costs[self.stamp.step] = -1.0
        self._aim(costs)

    def aim_at_claim(self) -> None:
        """The greatest claim that the order's credits carry."""
        costs = np.zeros(len(self.costs))
        costs[self.stamp.x] = -self.stamp.problem.claim_value
        self._aim(costs)

    def _aim(self, costs: Floats) -> None:
        self.costs, self.for_margin, self.at_rest = costs, False, False
        self.hot.model.set_costs(costs)

    def both(self) -> tuple[Found | None, Floats | None] | None:
        """The margin's optimum and the one that the tie-break chooses, by one solve.

        None in doubt, the trial then being as it was; two times None where it finds no point, which may mean
        anything.
        """
        hot = self.hot
        if not hot.joint:
            return None
        margin = np.concatenate([hot.margin, self.stamp.costs("margin")])
        ties = np.concatenate([hot.tie_break, self.stamp.costs("tie_break")])
        if not self.at_rest:
            self._aim(joint_costs(margin, ties))
        answer = solve_jointly(hot.model)
        if answer.status == "infeasible":
            return None, None
        if answer.columns is not None and self._believed(answer, LEAST_SLACK):
            lower = [hot.compiled.row_lower, np.full(len(hot.held), -np.inf), self._least_of_rows()]
            slacks = np.isneginf(np.concatenate(lower))
            said = margin_of(
                hot.model, answer.columns, (margin, ties), self.entries, slacks, hot.held, least_price(margin)
            )
            if said is not None:
                return self.found(said, hot=True), answer.columns
        self.begin_again()
        return None

    def _least_of_rows(self) -> Floats:
        """Left sides of the order's rows."""
        return self.stamp.small.row_lower[self.stamp.rows]

    def solve(self, method: int) -> Found | None:
        """The optimum of what is aimed at; None where there is no point (HiGHS is asked again, cold)."""
        model = self.hot.model
        model.option("simplex_strategy", method)
        answer = model.solve(deadline=None, cold=False)
        if self._believed(answer, WORSE):
            return self.found(answer, hot=True)
        return self.cold()

    def begin_again(self) -> None:
        """Forget what this trial has solved so far."""
        if self.basis is not None:
            self.hot.model.restart(self.basis)

    def go_on(self, method: int) -> Found | None:
        """As `solve`, but not asked twice: None may mean anything, and another question must follow."""
        model = self.hot.model
        model.option("simplex_strategy", method)
        answer = model.solve(deadline=None, cold=False)
        if self._believed(answer, WORSE):
            return self.found(answer, hot=True)
        return None

    def cold(self) -> Found | None:
        """The same by a model of its own, from nothing."""
        compiled = self.merged()
        model = Highs(compiled, integers=False)
        for costs, value in self._held():
            model.hold(costs, value)
        model.set_costs(self.costs)
        try:
            answer = solve_checked(model, self._held(), None, cold=True)
        except SolverError:
            return None
        return self.found(answer, hot=False) if answer.status == "optimal" else None

    def merged(self) -> Compiled:
        """Base and order as one model, with the order's bounds as they are."""
        both = merged(self.hot.compiled, self.stamp, self.hot.margin, self.hot.tie_break)
        lower, upper = both.lower.copy(), both.upper.copy()
        lower[self.stamp.step], upper[self.stamp.step] = self.least, self.most
        return replace(both, lower=lower, upper=upper)

    def unique(self, found: Found) -> Floats:
        """Columns of that optimum of the margin, just solved, which the tie-break chooses."""
        model = self.hot.model
        if found.hot and self.hot.settled is not None:
            costs = np.concatenate([self.hot.tie_break, self.stamp.costs("tie_break")])
            start = self.hot.settled.extended(*(len(n) for n in (self.stamp.columns, self.stamp.rows)))
            answer = model.settle(costs, least_price(self.costs), DUAL, start)
            self.for_margin = self.at_rest = False
            if answer.columns is not None and self._believed(answer, LEAST_SLACK):
                least = found.minimum + LEAST_SLACK * max(1.0, abs(found.minimum))
                if float(self.costs @ answer.columns) <= least:
                    return answer.columns
        return break_ties(self.merged(), found.point, 0, self._held(), None)[1]

    def _believed(self, answer: Answer, worse: float) -> bool:
        """Optimal, and no held goal worse."""
        if answer.status != "optimal" or answer.columns is None:
            return False
        return self.hot.keeps(answer.columns, worse)

    def _held(self) -> list[tuple[Floats, float]]:
        """Held goals over all columns; the order has no part in them."""
        none = np.zeros(len(self.stamp.columns))
        return [(np.concatenate([costs, none]), value) for costs, value in self.hot.held]

    def found(self, answer: Answer, *, hot: bool) -> Found:
        """An optimum in terms of base, order and held goals; hot: its rows lie as in the model."""
        if answer.columns is None or answer.row_dual is None or answer.column_dual is None:
            raise SolverError("HiGHS: an optimum without prices")
        dual, holds = -answer.row_dual, len(self.hot.held)
        first = self.hot.compiled.matrix.shape[0] if hot else len(dual) - holds
        held = dual[first : first + holds]
        rows = np.concatenate([dual[:first], dual[first + holds :]])
        marginal = float(answer.column_dual[self.stamp.step[0]])
        return Found(answer.objective, Optimum(answer.columns, rows, held), marginal, hot)


AnyTrial = Trial | CoreTrial
"""An order upon the whole model, or upon its core."""
