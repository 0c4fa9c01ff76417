"""Column generation: prices out of the master, mixes out of the recipes, until no mix is missing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from massbalance.formulation.goals import generic
from massbalance.solving.decomposition.blocks import Blocks
from massbalance.solving.decomposition.master import Master, Prices
from massbalance.solving.highs import Answer as Solved
from massbalance.solving.highs import SolverError
from massbalance.solving.robust import solve_checked

Floats = npt.NDArray[np.float64]
Progress = Callable[[str], None]

CLOSED = 1e-12
"""A gap this small, relative, is the noise of floats."""
CHEAPER = 1e-10
"""A mix must be this much cheaper, relative, to be worth a column."""
ROUNDS = 1000
FEW = 0.05
"""Up to this share of recipes with a new mix, the master goes on by the primal simplex method."""
DUAL, PRIMAL = 1, 4
"""HiGHS's names of the two."""
LEVELS = (0.0, 0.25, 1.0, 4.0, 16.0, 64.0)
"""Flat prices of the first answers, in typical unit costs."""
SPREAD = (0.0, 0.02, 0.02, 0.1, 0.1, 0.1)
"""How far prices are shaken for the first answers, where prices are known."""


@dataclass(frozen=True)
class Optimum:
    """A goal's optimum over the master's recipes, or the best that a limit left.

    solved: the master's best answer, status `limit` where it is not the last; prices: with which the
    bound is proven, None where the limit came before any; bound: of the minimum, proven (-inf: none).
    """

    solved: Solved
    prices: Prices | None
    bound: float

    @property
    def value(self) -> float:
        """The minimum, no better than what is proven: the solver's point may overstep rows by a little."""
        return max(self.solved.objective, self.bound)

    @property
    def gap(self) -> float:
        """Relative gap between what was found and what is proven."""
        return (self.solved.objective - self.bound) / max(1.0, abs(self.solved.objective))


def first_mixes(master: Master, blocks: Blocks, balance: Floats | None) -> None:
    """Mixes to begin with: at flat prices, or around prices that are nearly right.

    balance: price of each pool and period (compiled pool_balance rows) of a smaller sample.
    """
    cost = master.compiled.costs[master.goal, master.compiled.x]
    useful = master.valued()
    if balance is None:
        typical = float(np.median(np.abs(cost[cost != 0]))) if (cost != 0).any() else 1.0
        trials = [cost + level * typical for level in LEVELS]
    else:
        at = balance[master.rows[np.maximum(master.cell_of_pair, 0)]]
        trials = []
        for salt, spread in enumerate(SPREAD):
            shake = 1.0 + spread * (2.0 * generic(len(master.compiled.rows), 20 + salt) - 3.0)
            shaken = shake[master.rows[np.maximum(master.cell_of_pair, 0)]]
            trials.append(cost + at * shaken)
    for trial in trials:
        answers = blocks.answer(useful, trial)
        master.add(answers, np.ones(len(useful), dtype=bool))


def optimise(
    master: Master, blocks: Blocks, deadline: float | None, say: Progress, what: str, *, cold: bool
) -> Optimum:
    """Minimise the master's goal over all mixes, or as far as the deadline lets.

    SolverError where it does not converge.
    """
    master.model.option("simplex_strategy", DUAL)
    best: Prices | None = None
    last: Solved | None = None
    bound, said = -np.inf, time.monotonic()
    for _ in range(ROUNDS):
        solved = solve_checked(master.model, master.held_costs(), deadline, cold=cold)
        cold = False
        if solved.status != "optimal":
            return Optimum(_better(solved, last, master.model.count), best, bound)
        last = solved
        rows, held = master.split(solved)
        prices = master.prices(rows, held)
        answers = blocks.answer(master.answering, prices.cost)
        proven = master.bound(prices, answers)
        if best is None or proven > bound:
            bound, best = proven, prices
        scale = max(1.0, abs(solved.objective))
        if (solved.objective - bound) / scale <= CLOSED:
            break
        if time.monotonic() - said > 1.0:
            said = time.monotonic()
            say(f"{what}: gap {(solved.objective - bound) / scale:.1e}, {len(master.mixes)} mixes")
        worth = np.minimum(master.cheapest(prices)[answers.recipes], -rows[master.mass_row[answers.recipes]])
        better = answers.cost < worth - CHEAPER * (1.0 + np.abs(worth))
        added = master.add(answers, better)
        if added == 0:
            break
        # a few new mixes are a few primal pivots; of many the dual method settles most by bounds
        few = added < FEW * len(master.answering)
        master.model.option("simplex_strategy", PRIMAL if few else DUAL)
    else:
        raise SolverError("the decomposition does not converge")
    return Optimum(solved, best, bound)


def _better(cut: Solved, last: Solved | None, columns: int) -> Solved:
    """The better of an answer that a limit cut and the one before it, which knows fewer columns."""
    if last is None or last.columns is None or (cut.columns is not None and cut.objective <= last.objective):
        return cut
    padded = np.concatenate([last.columns, np.zeros(columns - len(last.columns))])
    return replace(last, status=cut.status, columns=padded, bound=-np.inf)
