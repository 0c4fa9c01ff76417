"""What the solver wants booked: the claimed mass of every order, and the order of booking."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from massbalance.domain.case import IndexArray
from massbalance.domain.grid import GRID, INT64_SAFE, IntArray, as_python_ints, peak
from massbalance.formulation.problem import Problem

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
FULL_WITHIN_T = 2e-6
"""A step this close to its full mass (t, and 1e-9 of it) is full: the solver is no finer."""
SLIVER = 1e-2
"""A mass this part of a gram below a whole one is that."""
NOT_FIRM = 2**31
"""Priority of what is not firm: after every other."""


@dataclass(frozen=True)
class Target:
    """What the solver wants for one term: mass (g), the least that is allowed, full or not.

    exact: less than `least` (more than nothing) may not be booked.
    """

    term: int
    mass: int
    least: int
    full: bool
    exact: bool


@dataclass(frozen=True)
class Targets:
    """Every target as arrays, shape (n,): term, mass and least in g, full, exact (see `Target`)."""

    term: IndexArray
    mass: Ints
    least: Ints
    full: Bools
    exact: Bools

    def __len__(self) -> int:
        return len(self.term)

    def one(self, i: int) -> Target:
        """Target i."""
        return Target(
            int(self.term[i]), int(self.mass[i]), int(self.least[i]), bool(self.full[i]), bool(self.exact[i])
        )

    def take(self, at: IndexArray) -> Targets:
        """The targets at these positions, in that order."""
        return Targets(self.term[at], self.mass[at], self.least[at], self.full[at], self.exact[at])


def targets(problem: Problem, step_t: Floats, take: Bools, given: float = 0.0) -> Targets:
    """Claimed mass of every term, the terms of a step filled in canonical order.

    step_t: claimed mass of each step (t); take: which steps that need a yes or no are taken; given: part of
    its mass that each order under the common share gives for the rounding of all.
    """
    step_t = _given_back(problem, step_t, given)
    yes_no = _yes_no(problem, step_t, take)
    filled = _filled(problem, step_t)
    term, mass, least, full, exact = (np.concatenate(part) for part in zip(yes_no, filled, strict=True))
    return Targets(term, mass, least, full, exact)


def _given_back(problem: Problem, step_t: Floats, given: float) -> Floats:
    """Claimed mass of the steps, orders under the common share giving that part of their mass for what
    rounding costs: else the last one booked would have to give it all, and have less than its share.
    """
    steps = problem.steps
    if not given:
        return step_t
    covered = np.isin(problem.terms.order[steps.first_terms()], problem.stakes.covered)
    partly = covered & (step_t < steps.upper - FULL_WITHIN_T)
    return np.where(partly, np.maximum(0.0, step_t - given * steps.upper), step_t)


def _masses(problem: Problem) -> Ints:
    """Mass of every term in the order of the steps' members, g."""
    mass = np.asarray(problem.case.orders.grid("mass_t"), dtype=np.int64)
    return mass[problem.terms.order[problem.steps.members]]


Columns = tuple[IndexArray, Ints, Ints, Bools, Bools]


def _filled(problem: Problem, step_t: Floats) -> Columns:
    """Targets of the steps that need no yes or no: one order after the other until the mass is used up."""
    steps = problem.steps
    mass, step = _masses(problem), np.repeat(np.arange(len(steps)), np.diff(steps.start))
    # up to the end of each member, over all steps: in int64 where that is provably enough
    wide = peak(mass) * max(len(mass), 1) >= INT64_SAFE
    reached = np.zeros(len(mass) + 1, dtype=object if wide else np.int64)
    reached[1:] = np.cumsum(as_python_ints(mass) if wide else mass)
    total = reached[steps.start[1:]] - reached[steps.start[:-1]]
    before = reached[:-1] - reached[steps.start[:-1]][step]
    rest = _grams(step_t, total, _down(problem)[steps.first_terms()])[step] - before
    wanted = np.clip(rest, 0, mass).astype(np.int64)
    at = np.flatnonzero((wanted > 0) & ~steps.integer[step])
    least, exact = np.ones(len(at), dtype=np.int64), np.zeros(len(at), dtype=bool)
    return steps.members[at], wanted[at], least, wanted[at] == mass[at], exact


def _yes_no(problem: Problem, step_t: Floats, take: Bools) -> Columns:
    """Targets of the steps that are taken, each one term alone."""
    orders, steps, terms = problem.case.orders, problem.steps, problem.terms
    whole, fill = orders.flag("whole"), orders.exact["min_fill"]
    at = np.flatnonzero(steps.integer & take)
    term = steps.first_terms()[at]
    order = terms.order[term]
    mass = np.asarray(orders.grid("mass_t"), dtype=np.int64)[order]
    least = np.array(
        [-int(-fill.fraction(o) * int(m) // 1) for o, m in zip(order, mass, strict=True)], dtype=np.int64
    )
    least = np.where(whole[order], mass, least)
    wanted = _grams(step_t[at], mass, _down(problem)[term]).astype(np.int64)
    wanted = np.where(whole[order], mass, wanted)
    wanted = np.maximum(wanted, least)
    some = np.flatnonzero(mass > 0)
    full, exact = wanted == mass, least > 0
    return term[some], wanted[some], np.maximum(1, least)[some], full[some], exact[some]


def _down(problem: Problem) -> Bools:
    """Terms whose mass is rounded down: their orders have a share, none more than it. Shape (terms,)."""
    shares = problem.stakes.shares(len(problem.case.orders))
    return np.asarray(shares[problem.terms.order], dtype=bool)


def _grams(step_t: Floats, total: IntArray, down: Bools) -> IntArray:
    """Grams of steps: all of a step where the float says so within the solver's accuracy.

    down: steps whose grams are rounded down but for a sliver, not to the nearest.
    """
    most = total.astype(np.float64)
    full = step_t * GRID >= most - FULL_WITHIN_T * GRID - 1e-9 * most
    nearest = np.floor(np.clip(step_t * GRID, 0.0, most) + np.where(down, SLIVER, 0.5))
    wide = total.dtype == object
    some: IntArray = np.array([int(v) for v in nearest], dtype=object) if wide else nearest.astype(np.int64)
    return np.where(full, total, np.minimum(some, total))


def booking_order(problem: Problem, wanted: Targets, scarce: IndexArray) -> IndexArray:
    """Exact orders first, the full ones before the others; then by turn, the dearest credit use first.

    scarce: in how many ways each target can be filled; of exact orders those with the fewest come
    first, since the others can give way. Returns the positions in the order of booking.
    """
    steps, order = problem.steps, problem.terms.order[wanted.term]
    step = steps.of_term[wanted.term]
    worth = steps.premium[step] / np.maximum(problem.recipes.need.floats()[steps.recipe[step]], 1e-12)
    keys = (
        wanted.term,
        order,
        -worth,
        turns(problem, wanted),
        np.where(wanted.exact, scarce, 0),
        wanted.exact & ~wanted.full,
        ~wanted.exact,
    )
    return np.lexsort(keys)


def turns(problem: Problem, wanted: Targets) -> Ints:
    """When each target is booked: what comes later gives what rounding costs.

    Where firm orders are the first goal: firm ones by priority, of each the full before the partial,
    then what is not firm, full before partial. Where the margin is: full before partial.
    """
    priority = problem.steps.priority[problem.steps.of_term[wanted.term]]
    rank = np.where(priority > 0, np.minimum(priority, NOT_FIRM - 1), NOT_FIRM)
    if not problem.case.objective.after_firm("margin"):
        return np.where(wanted.full, rank, rank + 2 * NOT_FIRM)
    return 2 * rank + ~wanted.full
