"""What the solver wants booked: the claimed mass of every order, and the order of booking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from massbalance.domain.grid import GRID
from massbalance.formulation.problem import Problem

FULL_WITHIN_T = 2e-6
"""A step this close to its full mass (t, and 1e-9 of it) is full: the solver is no finer."""


@dataclass(frozen=True)
class Target:
    """What the solver wants for one term: mass (g), the least that is allowed, full or not."""

    term: int
    mass: int
    least: int
    full: bool
    exact: bool


def targets(problem: Problem, step_t: npt.NDArray[np.float64], take: npt.NDArray[np.bool_]) -> list[Target]:
    """Claimed mass of every term, the terms of a step filled in canonical order."""
    orders, steps, terms = problem.case.orders, problem.steps, problem.terms
    mass, whole = orders.grid("mass_t"), orders.flag("whole")
    fill = orders.exact["min_fill"]
    found = []
    for j in range(len(steps)):
        members = steps.terms_of(j)
        at = [int(mass[terms.order[t]]) for t in members]
        total = sum(at)
        if steps.integer[j]:
            t, order = int(members[0]), int(terms.order[members[0]])
            least = total if whole[order] else -int(-fill.fraction(order) * total // 1)
            if take[j] and total > 0:
                wanted = total if whole[order] else _grams(step_t[j], total)
                found.append(Target(t, max(wanted, least), max(1, least), wanted == total, exact=least > 0))
            continue
        rest = _grams(step_t[j], total)
        for t, grams in zip(members, at, strict=True):
            wanted = min(grams, rest)
            rest -= wanted
            if wanted > 0:
                found.append(Target(int(t), wanted, 1, wanted == grams, exact=False))
    return found


def _grams(step_t: float, total: int) -> int:
    """Grams of a step: all of it where the float says so within the solver's accuracy."""
    if step_t * GRID >= total - FULL_WITHIN_T * GRID - 1e-9 * total:
        return total
    return min(total, max(0, int(np.floor(step_t * GRID + 0.5))))


def booking_order(problem: Problem, wanted: list[Target], scarce: Callable[[Target], int]) -> list[Target]:
    """Exact orders, full ones, partial ones; firm before not, dearest credit use first.

    scarce: in how many ways an order can be filled; of exact orders those with the fewest come
    first, since the others can give way.
    """
    steps, terms = problem.steps, problem.terms
    need = problem.recipes.need.floats()

    def key(target: Target) -> tuple[object, ...]:
        step = int(steps.of_term[target.term])
        priority = int(steps.priority[step]) or 2**31
        worth = float(steps.premium[step]) / max(float(need[steps.recipe[step]]), 1e-12)
        return (
            not target.exact,
            not target.full,
            scarce(target) if target.exact else 0,
            priority,
            -worth,
            int(terms.order[target.term]),
            target.term,
        )

    return sorted(wanted, key=key)
