"""How credits are shared out without an optimum: rules that spreadsheets and certificate registers use.

Each rule serves period after period and keeps every limit of the case (a rule that broke one could not be
compared). None knows what the credits are worth to the orders that come later. `average` is the rolling
average (A2): not a way to share credits out, but what a maker without them could declare.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from massbalance.domain.case import IndexArray
from massbalance.formulation.problem import Problem
from massbalance.solving.compiled import Compiled
from massbalance.strategy.myopic import Desk

Floats = npt.NDArray[np.float64]
Progress = Callable[[str], None]
Rank = Callable[[Problem], Floats]
"""A number for each term: the smallest is served first within its period."""


def _as_named(problem: Problem) -> Floats:
    """All alike: then the number of the order decides, as in a register that numbers what comes in."""
    return np.zeros(len(problem.terms))


def _emissions(problem: Problem) -> Floats:
    """The product with the greatest intensity first."""
    limits = problem.recipes.limit[problem.recipes.of_term]
    return -np.array([float(limit.baseline) for limit in problem.limits])[limits]


def _premium(problem: Problem) -> Floats:
    return -problem.terms.premium.floats()


SEQUENCES: dict[str, Rank] = {
    "first in, first out": _as_named,
    "highest emissions first": _emissions,
    "highest premium first": _premium,
}
"""Rules that serve one order after the other: by what the order of an order's terms is told."""
QUOTAS = ("pro rata", "equal share")
"""Rules that give each order a quota of every pool: by its mass, or the same for all."""


def in_sequence(problem: Problem, compiled: Compiled, rank: Rank, say: Progress) -> Desk:
    """One order after the other, period by period; offers only where the own terms get nothing."""
    desk, order = Desk(problem, compiled), problem.terms.order
    terms = problem.terms
    # an order keeps its place whichever of its terms it takes
    own = np.flatnonzero(terms.offer < 0)
    place = np.zeros(len(problem.case.orders))
    place[order[own]] = rank(problem)[own]
    done: set[int] = set()
    for term in _by_period(problem, place[order], say):
        if int(order[term]) not in done and desk.serve(term) > 0:
            done.add(int(order[term]))
    return desk


def by_quota(problem: Problem, compiled: Compiled, rule: str, say: Progress) -> Desk:
    """Every order of a period gets a part of each pool that may serve it; what it cannot use stays."""
    desk, terms = Desk(problem, compiled), problem.terms
    mass = problem.case.orders.floats("mass_t")
    weight = mass[terms.order] if rule == "pro rata" else np.ones(len(terms))
    period = problem.recipes.period[problem.recipes.of_term]
    own = terms.offer < 0
    for t in range(len(problem.case.periods)):
        now = np.flatnonzero((period == t) & own)
        say(f"{rule}: {problem.names.periods[t]}")
        quotas = _quotas(problem, desk, now, weight)
        for term in now.tolist():
            if desk.serve(term, quotas[term]) > 0:
                continue
            for other in np.flatnonzero((terms.order == terms.order[term]) & ~own).tolist():
                if desk.serve(other, _shifted(problem, desk, term, other, quotas[term])) > 0:
                    break
    return desk


def _quotas(problem: Problem, desk: Desk, terms: IndexArray, weight: Floats) -> dict[int, Floats]:
    """Quota of each term in each pool of its recipe: what is there times its part of the weight."""
    pools = len(problem.pools.ids)
    total = np.zeros(pools)
    of = {term: desk.model(int(problem.recipes.of_term[term])).pools for term in terms.tolist()}
    for term, found in of.items():
        total[found] += weight[term]
    return {
        term: desk.there(int(problem.recipes.of_term[term])) * weight[term] / np.maximum(total[found], 1e-12)
        for term, found in of.items()
    }


def _shifted(problem: Problem, desk: Desk, term: int, other: int, quota: Floats) -> Floats:
    """The same quotas for another term of the order; a pool that the own terms do not use gives nothing."""
    pools = desk.model(int(problem.recipes.of_term[term])).pools
    known = dict(zip(pools.tolist(), quota.tolist(), strict=True))
    wanted = desk.model(int(problem.recipes.of_term[other])).pools
    return np.array([known.get(int(k), 0.0) for k in wanted])


def _by_period(problem: Problem, place: Floats, say: Progress) -> list[int]:
    """Terms period by period, then by place, order and offer."""
    period = problem.recipes.period[problem.recipes.of_term]
    say("serving one order after the other")
    return np.lexsort((problem.terms.offer, problem.terms.order, place, period)).tolist()


def baseline(problem: Problem, compiled: Compiled, rule: str, say: Progress) -> Desk:
    """Everybody served by a rule of SEQUENCES or QUOTAS. KeyError where it is none."""
    if rule in QUOTAS:
        return by_quota(problem, compiled, rule, say)
    return in_sequence(problem, compiled, SEQUENCES[rule], say)
