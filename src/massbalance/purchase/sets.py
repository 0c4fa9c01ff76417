"""What the purchase model is stated over: offers, their bounds, and which decisions each needs.

Maths, units and labels: models/PURCHASE.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import numpy as np

from massbalance.domain.grid import GRID
from massbalance.formulation.problem import SLACK_OF_BOUNDS, Problem, build_problem, build_supply
from massbalance.purchase.offers import PurchaseOffer, Purchases

LABELS = {
    "P1": "purchase_supply",
    "P2": "purchase_most",
    "P3": "purchase_least",
    "P4": "purchase_size",
    "P5": "purchase_group",
    "P6": "purchase_budget",
}
"""Label -> name of the rows, in order."""
SALT = 4
"""The weights of `bought` in the tie-break are other numbers than those of the case's columns."""
SNAP = 1e-3
"""What can be used is a float: so much of a millionth above a whole one is the solver's own tolerance."""


@dataclass(frozen=True)
class Sets:
    """I purchase offers upon the problem of the case that holds them as lots.

    group_of: supply group of each offer, -1 where no period could use it; most: the greatest quantity that
    could be of use, within what is offered; decides: offers with a buy or not (`buy`); counts: those sold
    in multiples; groups: name -> offers of which at most one is bought; budget: None is none.
    """

    problem: Problem
    offers: tuple[PurchaseOffer, ...]
    group_of: tuple[int, ...]
    most: tuple[Fraction, ...]
    decides: tuple[int, ...]
    counts: tuple[int, ...]
    groups: dict[str, tuple[int, ...]]
    budget: Fraction | None


def build_sets(purchases: Purchases, budget: Fraction | None = None) -> Sets:
    """The sets of a case with its purchase offers."""
    case, offers = purchases.case, purchases.offers
    supply = build_supply(case, apart=frozenset(offer.lot for offer in offers))
    problem = build_problem(case, supply)
    of_lot = {lots[0]: g for g, lots in enumerate(problem.pools.group_lots)}
    named: dict[str, list[int]] = {}
    for i, offer in enumerate(offers):
        if offer.group:
            named.setdefault(offer.group, []).append(i)
    groups = {name: tuple(found) for name, found in sorted(named.items()) if len(found) > 1}
    grouped = {i for found in groups.values() for i in found}
    return Sets(
        problem=problem,
        offers=offers,
        group_of=tuple(of_lot.get(offer.position, -1) for offer in offers),
        most=tuple(_most(problem, offer) for offer in offers),
        decides=tuple(i for i, o in enumerate(offers) if o.fixed > 0 or o.least > 0 or i in grouped),
        counts=tuple(i for i, offer in enumerate(offers) if offer.size is not None),
        groups=groups,
        budget=budget,
    )


def _most(problem: Problem, offer: PurchaseOffer) -> Fraction:
    """The most that is worth bounding by: what is offered, and what all recipes could take of its pool.

    A price is never below 0, so an optimum buys no more than the next quantity on sale above that.
    """
    pool, pairs = problem.pools.lot_pool[offer.position], problem.pairs
    mine = pairs.pool == pool if pool >= 0 else np.zeros(len(pairs.pool), dtype=bool)
    useful = float(problem.pair_upper[mine].sum()) / SLACK_OF_BOUNDS
    most = min(offer.most, Fraction(ceil(useful * GRID - SNAP), GRID))
    if offer.size is None:
        return max(most, offer.least)
    count = min(-(-max(most, offer.least) // offer.size), offer.most // offer.size)
    return count * offer.size
