"""From the solver's floats to the booked allocation: integers that break no row by any amount.

An integer ledger of lots is drawn on in three parts. Orders that must be exact (whole, minimum fill)
and the full ones that simple rounding does not fit come first, one after the other. Then all the
others at once (`bulk`), firm ones first and the dearest first, the partial ones last, which take what
rounding left and give what it cost. What the lots did not fill is booked one after the other again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from massbalance.booking.bulk import Bulk, Rows
from massbalance.booking.fit import Fitter, Trial
from massbalance.booking.ledger import Ledger
from massbalance.booking.plan import Plan
from massbalance.booking.recipe import RecipeBook
from massbalance.booking.scopes import ScopeSet, split
from massbalance.booking.targets import Ints
from massbalance.domain.case import IndexArray
from massbalance.domain.grid import GRID
from massbalance.domain.result import Allocation
from massbalance.formulation.problem import Problem
from massbalance.solving.compiled import Compiled
from massbalance.solving.solution import Solution

AGAIN = 8
"""How often all is booked again for orders that found nothing."""
SHARED = 5
"""How often all is booked again for orders that rounding leaves with less than the common share."""
GIVEN_G = 4.0
"""What orders under the common share give for the rounding of each order of the case at first, g; then twice
that, and so on."""
MENDED = 0.75
"""More is given only for what leaves no more than this part of the shortage."""
ROUNDING_G = 2
"""What whole grams may cost an order, on the average."""


@dataclass
class _Rows:
    """Booked rows as they grow, one after the other."""

    lot: list[int] = field(default_factory=list)
    order: list[int] = field(default_factory=list)
    quantity: list[int] = field(default_factory=list)
    credited: list[int] = field(default_factory=list)
    scopes: list[tuple[int, int, int]] = field(default_factory=list)


def book(
    problem: Problem,
    compiled: Compiled,
    solution: Solution,
    *,
    draw_more: bool = True,
    progress: Callable[[str], None] | None = None,
) -> tuple[Allocation, list[int]]:
    """Book a solution of the model: the allocation, and the terms that no whole grams fit.

    draw_more: an order that rounding leaves short draws a unit more of a lot (else it claims a
    gram less). Always returns a feasible allocation. Where others leave an order nothing that
    holds in whole grams, all is booked again with that order first.
    """
    if progress is not None:
        progress("booking whole grams")
    best = _booked(Plan(problem, compiled, solution), draw_more)
    given = GIVEN_G / GRID * len(problem.case.orders) / max(problem.stakes.common_t, 1.0)
    for _ in range(SHARED):
        worst = best.beside_the_share
        if worst <= ROUNDING_G:
            break
        again = _booked(Plan(problem, compiled, solution, given), draw_more)
        if again.beside_the_share < MENDED * worst:
            best = again
        given *= 2.0
    return best.allocation(), [int(best.plan.targets.term[i]) for i in best.missed]


def _booked(plan: Plan, draw_more: bool) -> _Attempt:
    """A plan booked; where others leave an order nothing that holds, once more with that order first."""
    bulk = Bulk(plan, draw_more=draw_more)
    first: list[int] = []
    best = _Attempt(plan, bulk, first)
    missed = best.missed
    for _ in range(AGAIN):
        fresh = [i for i in missed if i not in first]
        if not fresh:
            break
        first = [*fresh, *first]
        again = _Attempt(plan, bulk, first)
        if again.missing < best.missing:
            best = again
        missed = again.missed
    return best


class _Attempt:
    """All targets booked once, those of `first` (positions) before all others.

    nothing: positions of the targets that found nothing.
    """

    def __init__(self, plan: Plan, bulk: Bulk, first: list[int]) -> None:
        self.plan, self.draw_more = plan, bulk.draw_more
        self.ledger = Ledger(plan.problem, plan.flows, plan.f)
        self.rows = _Rows()
        self.claimed = np.zeros(len(plan.targets), dtype=np.int64)
        self.nothing: list[int] = []
        self.users = plan.users(np.arange(len(plan.targets)))
        ahead = plan.targets.exact.copy()
        ahead[bulk.hard[plan.targets.full[bulk.hard]]] = True
        ahead[first] = False
        self._each([*first, *np.flatnonzero(ahead).tolist()])
        ahead[first] = True
        self.bulk = bulk
        self.parts: list[Rows] = []
        for batch in bulk.batches():
            self._together(batch[~ahead[batch]])
        self._each(bulk.hard[~ahead[bulk.hard]].tolist())

    @property
    def beside_the_share(self) -> float:
        """By how much the order that fell most short of the greatest common share did, g."""
        plan, stakes = self.plan, self.plan.problem.stakes
        order = plan.problem.terms.order[plan.targets.term]
        at = np.flatnonzero(np.isin(order, stakes.covered))
        if not len(at):
            return 0.0
        mass = np.asarray(plan.problem.case.orders.grid("mass_t"), dtype=np.float64)[order[at]]
        short = (self.claimed[at] / mass).max() * mass - self.claimed[at]
        return float(short.max())

    @property
    def missed(self) -> list[int]:
        """Positions of the targets that found nothing; none where those that need not be exact are no
        more mass than whole grams cost anyway.
        """
        exact = self.plan.targets.exact
        loose = sum(int(self.plan.targets.mass[i]) for i in self.nothing if not exact[i])
        all_of_them = loose > ROUNDING_G * len(exact)
        return [i for i in self.nothing if all_of_them or exact[i]]

    @property
    def missing(self) -> int:
        """Mass of the targets that found nothing, g."""
        return int(self.plan.targets.mass[self.nothing].sum())

    def _together(self, batch: IndexArray) -> None:
        """Book these targets at once, and then one after the other what that leaves."""
        booked = self.bulk.book(self.ledger, batch)
        self.parts.append(booked.rows)
        self.claimed[booked.target] = booked.mass
        users = self.plan.users(booked.target)
        self.users -= users
        self._release(np.flatnonzero(users))
        left = np.zeros(len(self.claimed), dtype=bool)
        left[batch] = True
        left[booked.target] = False
        self._each(np.flatnonzero(left).tolist())

    def _each(self, positions: list[int]) -> None:
        """Book these targets one after the other."""
        for i in positions:
            self._one(i)
            gone = self.plan.places(i)
            self.users[gone] -= 1
            self._release(gone)

    def _release(self, places: IndexArray) -> None:
        """A plan that nobody else is to draw on is free for others."""
        for place in places[self.users[places] == 0].tolist():
            self.ledger.release(*divmod(place, self.plan.periods))

    def _one(self, position: int) -> None:
        plan, target = self.plan, self.plan.targets.one(position)
        recipe = int(plan.recipe[position])
        book, mix = plan.book_of(recipe), plan.mix(recipe)
        fitter = Fitter(book, self.ledger, mix, plan.price(book.period), plan.worth(target.term))
        more = self.draw_more or target.exact or not target.full
        urgent = target.exact or (more and target.full)
        trial = fitter.fit(target.mass, target.least, draw_more=more, urgent=urgent)
        self.ledger.forget()
        if trial is None:
            self.nothing.append(position)
            return
        self.claimed[position] = trial.claimed
        _commit(book, self.ledger, trial, int(plan.problem.terms.order[target.term]), self.rows)

    def allocation(self) -> Allocation:
        """What was booked."""
        terms, orders = self.plan.problem.terms, len(self.plan.problem.case.orders)
        at = np.flatnonzero(self.claimed)
        term = self.plan.targets.term[at]
        claimed, taken = np.zeros(orders, dtype=np.int64), np.full(orders, -1, dtype=np.intp)
        claimed[terms.order[term]], taken[terms.order[term]] = self.claimed[at], terms.offer[term]
        rows, many = self.rows, Rows.joined(self.parts)
        scopes = self.bulk.scopes(many, self.claimed)
        lot = np.concatenate([np.array(rows.lot, dtype=np.intp), many.lot])
        order = np.array(rows.order, dtype=np.intp)
        order = np.concatenate([order, terms.order[self.plan.targets.term[many.target]]])
        at = np.argsort(order * len(self.plan.problem.case.lots) + lot)
        scope1, scope2, scope3 = np.concatenate([_ints(rows.scopes).reshape(-1, 3), scopes])[at].T
        return Allocation(
            lot=lot[at],
            order=order[at],
            offer=taken[order[at]],
            quantity=np.concatenate([_ints(rows.quantity), many.quantity])[at],
            credited=np.concatenate([_ints(rows.credited), many.credited])[at],
            scope1=scope1,
            scope2=scope2,
            scope3=scope3,
            claimed=claimed,
            taken=taken,
        )


def _ints(values: object) -> Ints:
    return np.array(values, dtype=np.int64)


def _commit(recipe: RecipeBook, ledger: Ledger, trial: Trial, order: int, rows: _Rows) -> None:
    """Draw the lots and write the rows, with the best split of project reductions."""
    booked: list[tuple[int, int, tuple[int, int, int], ScopeSet]] = []
    for k in sorted(trial.amounts):
        draw, parts = trial.draws[k]
        ledger.commit(recipe.period, draw, parts)
        for lot, quantity in sorted(draw.items()):
            booked.append((lot, quantity, recipe.pools[k].measures(quantity), recipe.pools[k].scopes))
    amounts: dict[ScopeSet, int] = {}
    for _, _, (_, _, reduction), scopes in booked:
        amounts[scopes] = amounts.get(scopes, 0) + reduction
    room = {s: recipe.scope_room(s, trial.claimed) for s in (1, 2, 3)}
    parts_left = split(amounts, room)
    for lot, quantity, (_, credited, reduction), scopes in booked:
        rows.lot.append(lot)
        rows.order.append(order)
        rows.quantity.append(quantity)
        rows.credited.append(credited)
        own = [0, 0, 0]
        for s in scopes:
            own[s - 1] = min(reduction, parts_left[scopes].get(s, 0))
            reduction -= own[s - 1]
            parts_left[scopes][s] -= own[s - 1]
        rows.scopes.append((own[0], own[1], own[2]))
