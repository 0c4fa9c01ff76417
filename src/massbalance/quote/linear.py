"""The linear answer: greatest mass, and the least premium, by re-solves of a model kept hot."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from massbalance.domain.grid import GRID
from massbalance.solving.highs import SolverError
from massbalance.solving.hot import DUAL, NEARLY, PRIMAL, AnyTrial, Found, Hot
from massbalance.solving.stamp import Stamp

Floats = npt.NDArray[np.float64]
GRAM = 1.0 / GRID
SLIVER = 1e-2
"""A solver's mass may lie this part of a gram below a whole one and still be it."""
NOISE = 1e-9
"""A margin that differs by less than this, relative to max(1, |margin|), does not differ."""


@dataclass(frozen=True)
class Worth:
    """What an order can have and what it costs.

    asked, feasible: t; loss: what the margin loses if the feasible mass is taken without a premium; taken:
    that optimum (None: nothing is
    feasible); columns: the one that the tie-break chooses of such optima, if asked for; short: the optimum
    of the greatest mass, where the whole is not feasible.
    """

    asked: float
    feasible: float
    loss: float
    taken: Found | None
    columns: Floats | None
    short: Found | None

    @property
    def whole(self) -> bool:
        """Is all of it feasible?"""
        return self.feasible >= self.asked

    @property
    def floor(self) -> float | None:
        """Least premium per t of the feasible mass; None where there is none."""
        return self.loss / self.feasible if self.feasible > 0 else None


def loss_of(minimum: float, base: float) -> float:
    """By how much a minimum lies above the base's; below it by no more than the solver's noise is none."""
    loss = minimum - base
    return 0.0 if abs(loss) <= NOISE * max(1.0, abs(base)) and loss < 0 else loss


def grams(mass: float) -> float:
    """A mass in t, rounded down to whole grams but for a sliver."""
    return max(0.0, math.floor(mass * GRID + SLIVER) / GRID)


def worth(hot: Hot, stamp: Stamp, mass: float, *, unique: bool) -> Worth:
    """Greatest mass up to `mass` with no firm shortfall worse, and what it costs the margin.

    unique: also choose among the optima, to tell who loses.
    """
    with hot.trial(stamp) as trial:
        trial.between(mass, mass)
        found, columns = _best(trial, unique)
        short, feasible = None, mass
        if found is None:
            short, feasible = _greatest(trial, mass)
            if feasible > 0:
                found, columns = _at(trial, feasible, unique)
    loss = 0.0 if found is None else loss_of(found.minimum, hot.minimum)
    return Worth(mass, feasible, loss, found, columns, short)


def _greatest(trial: AnyTrial, mass: float) -> tuple[Found, float]:
    trial.begin_again()
    trial.between(0.0, mass)
    trial.aim_at_mass()
    short = trial.solve(PRIMAL)
    if short is None:
        raise SolverError("HiGHS: without the order there is a point, with none of it there is none")
    most = -short.minimum
    return short, mass if most >= mass * (1 - NEARLY) else grams(most)


def _best(trial: AnyTrial, unique: bool) -> tuple[Found | None, Floats | None]:
    """The best margin, and the columns that the tie-break chooses, if asked; None may mean anything."""
    both = trial.both() if unique else None
    if both is not None:
        return both
    trial.aim_at_margin()
    found = trial.go_on(DUAL)
    return found, trial.unique(found) if unique and found is not None else None


def _at(trial: AnyTrial, mass: float, unique: bool) -> tuple[Found, Floats | None]:
    """The same with a mass that is feasible."""
    trial.begin_again()
    trial.between(mass, mass)
    found, columns = _best(trial, unique)
    if found is not None:
        return found, columns
    trial.begin_again()
    trial.aim_at_margin()
    found = trial.solve(DUAL)
    if found is None:
        raise SolverError("HiGHS: the greatest mass of an order is not feasible")
    return found, trial.unique(found) if unique else None
