"""The master: how many tonnes of each recipe get which mix, so that lots, periods and orders balance.

Rows C1 to C3 and C10 to C14 of the compiled model and C15, as they are; columns f, step and take as
they are, and one column for each mix that a recipe has answered. Every column has a finite bound, so
that the dual simplex method goes on from any basis.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import scipy.sparse

from massbalance.formulation.goals import generic
from massbalance.formulation.labels import EQUATION_NAMES
from massbalance.formulation.problem import SLACK_OF_BOUNDS, Problem
from massbalance.solving.compiled import Compiled
from massbalance.solving.decomposition.blocks import Answer, Blocks
from massbalance.solving.highs import Answer as Solved
from massbalance.solving.highs import Highs

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]


@dataclass
class Mixes:
    """Mixes in the master, in order of their columns.

    recipe: (n,); costs: (goals, n) of a tonne; owner, pair, amount: entries, owner being the mix.
    """

    recipe: Positions
    costs: Floats
    owner: Positions
    pair: Positions
    amount: Floats

    def __len__(self) -> int:
        return len(self.recipe)

    def joined(self, other: Mixes) -> Mixes:
        """These, then the others."""
        return Mixes(
            np.concatenate([self.recipe, other.recipe]),
            np.concatenate([self.costs, other.costs], axis=1),
            np.concatenate([self.owner, other.owner + len(self)]),
            np.concatenate([self.pair, other.pair]),
            np.concatenate([self.amount, other.amount]),
        )


@dataclass(frozen=True)
class Prices:
    """Prices at which the recipes answer.

    rows: non-negative price of each coupling row (free for equations); held: of each C15; cost: of a
    unit of every pair at these prices, goal and holds included; own: of every compiled column, the
    goal's cost and the held ones'.
    """

    rows: Floats
    held: Floats
    cost: Floats
    own: Floats


class Master:
    """The restricted master over some recipes; `columns` are positions in the compiled model."""

    def __init__(
        self, problem: Problem, compiled: Compiled, blocks: Blocks, recipes: Positions, weight: float
    ) -> None:
        """recipes: those it decides on; weight: how often each counts (1 but for samples)."""
        self.compiled, self.recipes = compiled, recipes
        inside = np.zeros(blocks.count, dtype=bool)
        inside[recipes] = True
        self.inside = inside & blocks.possible
        self.answering: Positions = np.flatnonzero(self.inside)
        of_recipe = compiled.recipe_of_row
        coupling = np.ones(len(compiled.rows), dtype=bool)
        coupling[blocks.rows] = False
        coupling &= (of_recipe < 0) | inside[of_recipe]
        steps = np.flatnonzero(inside[problem.steps.recipe])
        whole = len(recipes) == blocks.count
        take = compiled.take[compiled.take >= 0] if whole else np.empty(0, dtype=np.intp)
        if not whole:
            coupling &= compiled.equation_of_row <= EQUATION_NAMES.index("recipe_mass")
        self.rows: Positions = np.flatnonzero(coupling)
        self.columns: Positions = np.concatenate([compiled.f, compiled.step[steps], take])
        self.base = len(self.columns)
        self.recipe_of_step: Positions = problem.steps.recipe[steps]
        self.flows = slice(0, len(compiled.f))
        self.steps = slice(len(compiled.f), len(compiled.f) + len(steps))
        self.takes = slice(self.base - len(take), self.base)
        self._balances(blocks, problem)
        self.mixes = Mixes(
            np.empty(0, dtype=np.intp), np.empty((len(compiled.goals), 0)),
            np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp), np.empty(0),
        )  # fmt: skip
        self.model = self._model(weight)
        self.seen = np.empty((0, 2))
        self.held: list[tuple[int, float]] = []

    def _balances(self, blocks: Blocks, problem: Problem) -> None:
        """Row of each recipe's mass (C10), and the balance (C3) that each pair and flow stands in."""
        compiled = self.compiled
        by_row = compiled.matrix.tocsr()[self.rows]
        self.coupled = scipy.sparse.csc_array(by_row[:, self.columns])
        kind = compiled.equation_of_row[self.rows]
        self.mass_row = np.full(blocks.count, -1, dtype=np.intp)
        masses = np.flatnonzero(kind == EQUATION_NAMES.index("recipe_mass"))
        self.mass_row[compiled.recipe_of_row[self.rows[masses]]] = masses
        self.is_balance = kind == EQUATION_NAMES.index("pool_balance")
        self.cell_of_pair = np.full(len(compiled.x), -1, dtype=np.intp)
        drawn = by_row[:, compiled.x].tocoo()
        self.cell_of_pair[drawn.col] = drawn.row
        carried = self.coupled[:, self.flows].tocoo()
        here = self.is_balance[carried.row]
        self.cell_of_flow = np.empty(len(compiled.f), dtype=np.intp)
        self.cell_of_flow[carried.col[here]] = carried.row[here]

    def _model(self, weight: float) -> Highs:
        compiled, columns = self.compiled, self.columns
        self.upper = compiled.upper[columns].copy()
        self.upper[self.steps] *= np.where(self.inside[self.recipe_of_step], weight, 0.0)
        mass = np.bincount(self.recipe_of_step, weights=self.upper[self.steps], minlength=len(self.inside))
        self.most: Floats = SLACK_OF_BOUNDS * mass.astype(np.float64)
        self.row_upper = compiled.row_upper[self.rows]
        return Highs(self.with_mixes(), integers=False)

    def add(self, answers: Answer, which: Flags) -> int:
        """Columns for the answers at `which` that are not there yet; how many there were."""
        place = np.cumsum(which) - 1
        keep = which[answers.row]
        new = self._mixes(
            answers.recipes[which], place[answers.row[keep]], answers.pair[keep], answers.amount[keep]
        )
        fresh = self._fresh(new)
        if not fresh.all():
            place = np.cumsum(fresh) - 1
            keep = fresh[new.owner]
            new = Mixes(
                new.recipe[fresh],
                new.costs[:, fresh],
                place[new.owner[keep]],
                new.pair[keep],
                new.amount[keep],
            )
        if len(new):
            self._add(new)
        return len(new)

    def _mixes(self, recipe: Positions, owner: Positions, pair: Positions, amount: Floats) -> Mixes:
        of_pair = self.compiled.costs[:, self.compiled.x[pair]] * amount
        costs = np.stack([np.bincount(owner, weights=c, minlength=len(recipe)) for c in of_pair])
        return Mixes(recipe, costs.astype(np.float64), owner, pair, amount)

    def _fresh(self, new: Mixes) -> Flags:
        """Mixes that neither the master nor an earlier one of `new` holds, told by a weighted sum."""
        weights = generic(len(self.compiled.x), 7)
        mark = np.bincount(new.owner, weights=weights[new.pair] * new.amount, minlength=len(new))
        # ten digits, whatever the unit: a claim close to the baseline takes a millionth of a lot
        digits, power = np.frexp(mark)
        marks = np.column_stack([new.recipe, np.ldexp(np.round(digits, 10), power)])
        every = np.concatenate([self.seen, marks])
        _, first = np.unique(every, axis=0, return_index=True)
        fresh = np.zeros(len(every), dtype=bool)
        fresh[first] = True
        fresh = fresh[len(self.seen) :]
        self.seen = np.concatenate([self.seen, marks[fresh]])
        return fresh

    def _add(self, new: Mixes) -> None:
        """Append columns: the tonne itself (C10), what it draws (C3), what it counts in held goals (C15)."""
        n, rows = len(new), len(self.rows)
        mix = np.arange(n)
        entries = [
            (self.mass_row[new.recipe], mix, np.ones(n)),
            (self.cell_of_pair[new.pair], new.owner, new.amount),
        ]
        for i, (goal, _) in enumerate(self.held):
            some = np.flatnonzero(new.costs[goal])
            entries.append((np.full(len(some), rows + i), some, new.costs[goal][some]))
        row, column, value = (np.concatenate(parts) for parts in zip(*entries, strict=True))
        matrix = scipy.sparse.csc_array((value, (row, column)), shape=(rows + len(self.held), n))
        self.mixes = self.mixes.joined(new)
        self.model.add_columns(matrix, new.costs[self.goal], self.most[new.recipe])

    def take_over(self, mixes: Mixes) -> None:
        """All mixes of another master."""
        self.goal = 0
        if len(mixes):
            self._fresh(mixes)
            self._add(mixes)

    def with_mixes(self) -> Compiled:
        """The master as it stands, as a model of its own (held goals apart)."""
        mixes, rows = self.mixes, len(self.rows)
        row = np.concatenate([self.mass_row[mixes.recipe], self.cell_of_pair[mixes.pair]])
        column = np.concatenate([np.arange(len(mixes)), mixes.owner])
        value = np.concatenate([np.ones(len(mixes)), mixes.amount])
        added = scipy.sparse.csc_array((value, (row, column)), shape=(rows, len(mixes)))
        compiled, none = self.compiled, np.empty(0, dtype=np.intp)
        return replace(
            compiled,
            matrix=scipy.sparse.csc_array(scipy.sparse.hstack([self.coupled, added])),
            costs=np.concatenate([compiled.costs[:, self.columns], mixes.costs], axis=1),
            row_lower=compiled.row_lower[self.rows],
            row_upper=self.row_upper,
            lower=np.concatenate([compiled.lower[self.columns], np.zeros(len(mixes))]),
            upper=np.concatenate([self.upper, self.most[mixes.recipe]]),
            integer=np.concatenate([compiled.integer[self.columns], np.zeros(len(mixes), dtype=bool)]),
            x=none,
            y=none,
        )

    def aim(self, goal: int) -> None:
        """Minimise this goal from now on."""
        self.goal = goal
        self.model.set_costs(self._costs(goal))

    def valued(self) -> Positions:
        """Recipes whose tonnes count in the goal, or whose lots earn money in it."""
        own = self.compiled.costs[self.goal]
        if (own[self.compiled.x] < 0).any():
            return self.answering
        counts = np.zeros(len(self.inside), dtype=bool)
        counts[self.recipe_of_step[own[self.columns[self.steps]] != 0]] = True
        return np.flatnonzero(counts & self.inside)

    def _costs(self, goal: int) -> Floats:
        return np.concatenate([self.compiled.costs[goal, self.columns], self.mixes.costs[goal]])

    def hold(self, goal: int, value: float) -> None:
        """C15 goal_hold: the goal stays at this value or better."""
        self.model.hold(self._costs(goal), value)
        self.held.append((goal, value))

    def held_costs(self) -> list[tuple[Floats, float]]:
        """Costs over the master's columns and value of each held goal."""
        return [(self._costs(goal), value) for goal, value in self.held]

    def prices(self, rows: Floats, held: Floats) -> Prices:
        """The recipes' view of row prices: a balance is worth no less than what its cheapest lot is.

        Where a pool and period draws nothing the solver's price may be anything below that; raising it
        costs the bound nothing and keeps recipes from answering prices at which there is nothing.
        """
        compiled = self.compiled
        own = compiled.costs[self.goal].copy()
        for (goal, _), price in zip(self.held, held, strict=True):
            own += price * compiled.costs[goal]
        rows = rows.copy()
        left = own[compiled.f] + self.coupled[:, self.flows].T @ rows
        # a lot of nothing says nothing of what its pool is worth
        some = np.flatnonzero(self.upper[self.flows] > 0)
        least = np.full(len(rows), np.inf)
        np.minimum.at(least, self.cell_of_flow[some], left[some])
        cells = np.flatnonzero(np.isfinite(least))
        rows[cells] = np.maximum(0.0, rows[cells] + least[cells])
        return Prices(rows, held, own[compiled.x] + rows[self.cell_of_pair], own)

    def bound(self, prices: Prices, answers: Answer) -> float:
        """Lagrangian bound of the minimum: what is left when every recipe does its best at these prices."""
        rows = prices.rows.copy()
        rows[self.mass_row[answers.recipes]] = -answers.cost
        reduced = prices.own[self.columns] + self.coupled.T @ rows
        lower = self.compiled.lower[self.columns]
        gain = np.minimum(reduced, 0.0) * self.upper + np.maximum(reduced, 0.0) * lower
        finite = np.where(np.isfinite(self.row_upper), self.row_upper, 0.0)
        kept = sum(p * value for p, (_, value) in zip(prices.held, self.held, strict=True))
        return float(gain.sum() - finite @ rows - kept)

    def cheapest(self, prices: Prices) -> Floats:
        """Cost of the best mix that each recipe has in the master, at these prices; inf for none."""
        mixes = self.mixes
        cost = np.bincount(mixes.owner, weights=prices.cost[mixes.pair] * mixes.amount, minlength=len(mixes))
        least = np.full(len(self.inside), np.inf)
        np.minimum.at(least, mixes.recipe, cost)
        return least

    def split(self, solved: Solved) -> tuple[Floats, Floats]:
        """(row prices, hold prices) of an answer; prices are the negated duals of a minimisation."""
        if solved.row_dual is None:
            raise ValueError("a limit left no prices")
        dual = -solved.row_dual
        count = len(self.rows)
        equal = self.compiled.row_lower[self.rows] == self.row_upper
        return np.where(equal, dual[:count], np.maximum(dual[:count], 0.0)), np.maximum(dual[count:], 0.0)
