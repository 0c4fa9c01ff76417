"""What one tonne of each recipe may take, as many tiny LPs that are solved side by side.

Recipe r: min cost x subject to C4 to C9 at one tonne, x >= 0. Prices change only the cost, so the
basis of the last answer is always feasible for the next: primal simplex, all recipes in step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse

from massbalance.formulation.labels import EQUATION_NAMES, LEAST
from massbalance.formulation.problem import CAPS, Problem
from massbalance.solving.compiled import Compiled
from massbalance.solving.highs import SolverError

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]

PRICED = 1e-11
"""A reduced cost below this, relative to the costs at hand, is noise."""
PIVOT = 1e-9
"""Least pivot."""
NEARLY = 1e-9
"""A claim this close, relative, to what caps allow is possible."""
CAREFUL, MOST = 60, 2000
"""After so many pivots the least index enters (Bland: no cycling); after so many it is an error."""


@dataclass(frozen=True)
class Answer:
    """Best response of some recipes to costs.

    recipes: positions, shape (n,); cost: of a tonne, (n,); row, pair, amount: the mixes as a list of
    entries, row being the position within `recipes`, amounts in the lots' units per t.
    """

    recipes: Positions
    cost: Floats
    row: Positions
    pair: Positions
    amount: Floats


class Blocks:
    """R recipes with up to m rows each; slot 0 is the claim, where a recipe has one.

    matrix: (block rows, pairs); slots: (R, m) block row of each slot, -1 where there is none; rhs:
    (R, m) at one tonne; possible: recipes whose claim some mix reaches. State: `basis` (R, m), a pair,
    or -1 - s for the slack of slot s; `inverse` (R, m, m); `value` (R, m) of the basic columns.
    """

    def __init__(self, problem: Problem, compiled: Compiled) -> None:
        claim = EQUATION_NAMES.index("claim")
        kinds = [claim, *(EQUATION_NAMES.index(name) for name in CAPS)]
        self.rows: Positions = np.flatnonzero(np.isin(compiled.equation_of_row, kinds))
        self.count = len(problem.recipes)
        self.start: Positions = problem.pair_start
        self.recipe_of_pair: Positions = problem.pairs.recipe
        by_row = compiled.matrix.tocsr()[self.rows]
        self.matrix = scipy.sparse.csc_array(by_row[:, compiled.x])
        self._slots(compiled, by_row, claim)
        self._reset()
        self.reached = np.zeros(self.count)
        self.ray = np.zeros((self.count, self.width))
        self.possible = self._start()

    def _slots(self, compiled: Compiled, by_row: scipy.sparse.csr_array, claim: int) -> None:
        """Where each row stands in its recipe, and its right-hand side at one tonne."""
        recipe = compiled.recipe_of_row[self.rows]
        is_claim = compiled.equation_of_row[self.rows] == claim
        order = np.lexsort((np.arange(len(recipe)), ~is_claim, recipe))
        first = np.searchsorted(recipe[order], np.arange(self.count))
        slot = np.empty(len(recipe), dtype=np.intp)
        slot[order] = np.arange(len(recipe)) - first[recipe[order]]
        self.has_claim = np.zeros(self.count, dtype=bool)
        self.has_claim[recipe[is_claim]] = True
        slot += ~self.has_claim[recipe]
        self.width = int(slot.max(initial=0)) + 1
        self.slots = np.full((self.count, self.width), -1, dtype=np.intp)
        self.slots[recipe, slot] = np.arange(len(recipe))
        on_mass = np.zeros(len(recipe))
        coupled = by_row[:, compiled.y].tocoo()
        on_mass[coupled.row] = coupled.data
        # a slot without a row gets one that never binds
        self.rhs = np.ones((self.count, self.width))
        self.rhs[recipe, slot] = -on_mass

    def _reset(self) -> None:
        slack = -1 - np.arange(self.width, dtype=np.intp)
        self.basis = np.tile(slack, (self.count, 1))
        self.inverse = np.tile(np.eye(self.width), (self.count, 1, 1))
        self.value = self.rhs.copy()

    def _start(self) -> Flags:
        """Feasible bases: the claim raised under the caps until it is met (or can be raised no more)."""
        gain = np.zeros(self.matrix.shape[1])
        claims = self.slots[self.has_claim, 0]
        part = self.matrix.tocsr()[claims].tocoo()
        gain[part.col] = part.data
        todo = np.flatnonzero(self.has_claim & (self.rhs[:, 0] < 0))
        prices = self._descend(todo, gain, raising=True)
        short = np.where(self.basis[todo] == -1, self.value[todo], 0.0).sum(axis=1)
        need = -self.rhs[todo, 0]
        stuck = short < -NEARLY * np.maximum(1.0, need)
        possible = np.ones(self.count, dtype=bool)
        possible[todo[stuck]] = False
        self.reached[todo] = need + short
        self.ray[todo[stuck]] = prices[stuck]
        self.value[possible] = np.maximum(self.value[possible], 0.0)
        return possible

    def answer(self, recipes: Positions, cost: Floats) -> Answer:
        """Cheapest mixes of possible recipes; cost: per unit of each pair, shape (pairs,)."""
        self._descend(recipes, cost, raising=False)
        row, slot = np.nonzero((self.basis[recipes] >= 0) & (self.value[recipes] > LEAST))
        pair, amount = self.basis[recipes][row, slot], self.value[recipes][row, slot]
        total = np.bincount(row, weights=cost[pair] * amount, minlength=len(recipes))
        return Answer(recipes, total.astype(np.float64), row, pair, amount)

    def refresh(self, recipes: Positions) -> None:
        """Invert the bases anew: products of many pivots lose digits."""
        basis = self.basis[recipes]
        full = np.zeros((len(recipes), self.width, self.width))
        for slot in range(self.width):
            full[:, :, slot] = self._columns(recipes, basis[:, slot])
        self.inverse[recipes] = np.linalg.inv(full)
        self.value[recipes] = np.maximum(
            np.einsum("nij,nj->ni", self.inverse[recipes], self.rhs[recipes]), 0.0
        )

    def prices(self, recipes: Positions, cost: Floats) -> Floats:
        """Price of every block row at the present bases; 0 for recipes that are not listed. (rows,)"""
        basis = self.basis[recipes]
        own = _of_basis(cost, basis)
        return self._spread(recipes, -np.einsum("nm,nmk->nk", own, self.inverse[recipes]))

    def capped(self, recipes: Positions, cost: Floats) -> Floats:
        """Slot prices of the cheapest mixes under the caps alone, for recipes whose claim is out of reach.

        Shape (n, m), 0 for the claim; only a mix that earns money costs less than nothing.
        """
        return self._descend(recipes, cost, raising=True)

    def _spread(self, recipes: Positions, by_slot: Floats) -> Floats:
        out = np.zeros(len(self.rows))
        slots = self.slots[recipes]
        out[slots[slots >= 0]] = by_slot[slots >= 0]
        return out

    def _columns(self, recipes: Positions, entering: Positions) -> Floats:
        """Column of one entering variable of each recipe, by slot. Shape (n, m)."""
        out = np.zeros((len(recipes), self.width))
        slack = np.flatnonzero(entering < 0)
        out[slack, -1 - entering[slack]] = 1.0
        at = np.flatnonzero(entering >= 0)
        part = self.matrix[:, entering[at]].tocoo()
        place = np.full(len(self.rows), -1, dtype=np.intp)
        slots = self.slots[recipes[at]]
        place[slots[slots >= 0]] = np.nonzero(slots >= 0)[1]
        out[at[part.col], place[part.row]] = part.data
        return out

    def _descend(self, recipes: Positions, cost: Floats, *, raising: bool) -> Floats:
        """Pivot every recipe to its optimum; slot prices at the end, (n, m).

        raising: the claim's own slack may be negative, whatever the cost, and a recipe is done as soon
        as it is not.
        """
        found = np.zeros((len(recipes), self.width))
        active = np.arange(len(recipes))
        for count in range(MOST):
            if len(active) == 0:
                return found
            at = recipes[active]
            basis = self.basis[at]
            own = _of_basis(cost, basis)
            price = -np.einsum("nm,nmk->nk", own, self.inverse[at])
            if raising:
                price[:, 0] = 0.0
            found[active] = price
            least = -PRICED * (1.0 + np.abs(own).max(axis=1))
            entering, gain = self._entering(at, cost, price, least if count >= CAREFUL else None)
            go = gain < least
            if raising:
                go &= np.where(basis == -1, self.value[at], 0.0).sum(axis=1) < 0
            active = active[go]
            self._pivot(at[go], entering[go], raising=raising, careful=count >= CAREFUL)
        raise SolverError(f"{len(active)} recipes do not end: their caps are out of scale")

    def _entering(
        self, recipes: Positions, cost: Floats, price: Floats, below: Floats | None
    ) -> tuple[Positions, Floats]:
        """The column that enters each recipe's basis, and its reduced cost: the least one, or the
        first that is below `below` (n,).
        """
        # a row's price must not be negative, or its slack would enter
        slack = np.where(self.slots[recipes] >= 0, price, 0.0)
        slot = (slack if below is None else ~(slack < below[:, None])).argmin(axis=1)
        best, entering = slack[np.arange(len(recipes)), slot], -1 - slot
        sizes = self.start[recipes + 1] - self.start[recipes]
        full = np.flatnonzero(sizes > 0)
        if len(full) == 0:
            return entering, best
        begin = np.cumsum(sizes) - sizes
        pair = np.arange(sizes.sum()) + np.repeat(self.start[recipes] - begin, sizes)
        part = self.matrix if len(pair) == self.matrix.shape[1] else self.matrix[:, pair]
        reduced = cost[pair] + part.T @ self._spread(recipes, price)
        if below is None:
            hit = reduced == np.repeat(np.minimum.reduceat(reduced, begin[full]), sizes[full])
        else:
            hit = reduced < np.repeat(below, sizes)
        at = np.flatnonzero(hit)[::-1]
        first = np.full(len(recipes), -1, dtype=np.intp)
        first[np.repeat(np.arange(len(recipes)), sizes)[at]] = at
        gain = np.where(first >= 0, reduced[first], np.inf)
        # slacks come before pairs
        better = gain < best if below is None else best >= below
        return np.where(better, pair[first], entering), np.where(better, gain, best)

    def _pivot(self, recipes: Positions, entering: Positions, *, raising: bool, careful: bool) -> None:
        """Bring the entering columns into the bases."""
        if len(recipes) == 0:
            return
        n = np.arange(len(recipes))
        value, inverse, basis = self.value[recipes], self.inverse[recipes], self.basis[recipes]
        change = np.einsum("nij,nj->ni", inverse, self._columns(recipes, entering))
        able = change > PIVOT
        if raising:
            able &= basis != -1
        ratio = np.where(able, np.maximum(value, 0.0) / np.where(able, change, 1.0), np.inf)
        step = ratio.min(axis=1)
        if not np.isfinite(step).all():
            raise SolverError("a recipe takes without end: no cap bounds one of its lots")
        tied = ratio <= step[:, None] * (1.0 + 1e-12) + 1e-13
        # among equals the largest pivot leaves, or for safety the first
        first = -np.where(basis < 0, -1 - basis, self.width + basis).astype(np.float64)
        rank = np.where(tied, first if careful else change, -np.inf)
        leaving = rank.argmax(axis=1)
        step = np.maximum(ratio[n, leaving], 0.0)
        value -= step[:, None] * change
        value[n, leaving] = step
        row = inverse[n, leaving] / change[n, leaving][:, None]
        inverse -= change[:, :, None] * row[:, None, :]
        inverse[n, leaving] = row
        self.value[recipes], self.inverse[recipes] = value, inverse
        self.basis[recipes, leaving] = entering


def _of_basis(cost: Floats, basis: Positions) -> Floats:
    """Cost of every basic column; a slack costs nothing. Shape of `basis`."""
    of_pair = basis >= 0
    out = np.zeros(basis.shape)
    out[of_pair] = cost[basis[of_pair]]
    return out
