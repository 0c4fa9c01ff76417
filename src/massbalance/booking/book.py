"""From the solver's floats to the booked allocation: integers that break no row by any amount.

Orders are booked one after the other against an integer ledger: first those that must be exact
(whole, minimum fill), then the ones claimed in full, firm ones first and the dearest first, at
last the partial ones, which take what rounding left and give what it cost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from massbalance.booking.fit import Fitter, Trial
from massbalance.booking.ledger import Ledger
from massbalance.booking.recipe import RecipeBook
from massbalance.booking.scopes import ScopeSet, split
from massbalance.booking.targets import Target, booking_order, targets
from massbalance.domain.result import Allocation
from massbalance.formulation.problem import Problem
from massbalance.solving.compiled import Compiled
from massbalance.solving.lexicographic import Solution, Stage

AGAIN = 8
"""How often all is booked again for orders that found nothing."""


@dataclass
class _Rows:
    """Booked rows as they grow."""

    lot: list[int] = field(default_factory=list)
    order: list[int] = field(default_factory=list)
    offer: list[int] = field(default_factory=list)
    quantity: list[int] = field(default_factory=list)
    credited: list[int] = field(default_factory=list)
    scopes: tuple[list[int], list[int], list[int]] = field(default_factory=lambda: ([], [], []))


def _mixes(
    problem: Problem, compiled: Compiled, columns: npt.NDArray[np.float64]
) -> Callable[[int], dict[int, float]]:
    """Amount of each pool per t of claimed mass, by recipe."""
    x, y = np.maximum(columns[compiled.x], 0.0), columns[compiled.y]
    pool, start = problem.pairs.pool, problem.pair_start

    def mix(recipe: int) -> dict[int, float]:
        if y[recipe] <= 0:
            return {}
        span = range(int(start[recipe]), int(start[recipe + 1]))
        return {int(pool[n]): float(x[n] / y[recipe]) for n in span if x[n] > 0}

    return mix


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
    plan = _Plan(problem, compiled, solution)
    queue = plan.queue
    best, missed = _attempt(plan, queue, draw_more=draw_more)
    first: list[Target] = []
    left = missed
    for _ in range(AGAIN):
        fresh = [target for target in missed if target not in first]
        if not fresh:
            break
        first = [*fresh, *first]
        again, still = _attempt(plan, [*first, *(t for t in queue if t not in first)], draw_more=draw_more)
        if sum(t.mass for t in still) < sum(t.mass for t in left):
            best, left = again, still
        missed = still
    return best, [t.term for t in left]


class _Plan:
    """The solver's answer as booking needs it: targets in order, mixes by recipe, prices."""

    def __init__(self, problem: Problem, compiled: Compiled, solution: Solution) -> None:
        columns = solution.columns
        self.problem, self.flows = problem, compiled.flows
        self.f = columns[compiled.f] if len(compiled.f) else np.zeros(0)
        step_t = columns[compiled.step] if len(compiled.step) else np.zeros(0)
        take = np.array([c >= 0 and columns[c] > 0.5 for c in compiled.take], dtype=bool)
        wanted = targets(problem, step_t, take)
        mix = _mixes(problem, compiled, columns)
        self.mixes = {r: mix(r) for r in {self.recipe(t) for t in wanted}}
        self.queue = booking_order(problem, wanted, lambda t: len(self.mixes[self.recipe(t)]))
        self.goals = [s.goal for s in _priced(solution)]
        self.prices = _prices(problem, compiled, solution)
        self.books: dict[int, RecipeBook] = {}

    def recipe(self, target: Target) -> int:
        """Recipe of a target's term."""
        return int(self.problem.recipes.of_term[target.term])

    def worth(self, target: Target) -> tuple[float, ...]:
        """What a tonne of a target brings each goal that has prices."""
        step = int(self.problem.steps.of_term[target.term])
        priority, premium = int(self.problem.steps.priority[step]), float(self.problem.steps.premium[step])
        return tuple(
            premium if goal.name == "margin" else float(priority == goal.priority) for goal in self.goals
        )

    def book_of(self, recipe: int) -> RecipeBook:
        """The recipe's rows in integers, made once."""
        if recipe not in self.books:
            self.books[recipe] = RecipeBook(self.problem, recipe)
        return self.books[recipe]


def _attempt(plan: _Plan, queue: list[Target], *, draw_more: bool) -> tuple[Allocation, list[Target]]:
    """Book the targets one after the other; the allocation, and the targets that found nothing."""
    problem, terms = plan.problem, plan.problem.terms
    ledger = Ledger(problem, plan.flows, plan.f)
    rows, missed = _Rows(), []
    claimed = np.zeros(len(problem.case.orders), dtype=np.int64)
    taken = np.full(len(problem.case.orders), -1, dtype=np.intp)
    users = Counter((k, plan.book_of(r).period) for r in map(plan.recipe, queue) for k in plan.mixes[r])
    for target in queue:
        recipe, mix = plan.book_of(plan.recipe(target)), plan.mixes[plan.recipe(target)]
        price = _price(plan.prices, recipe.period)
        fitter = Fitter(recipe, ledger, mix, price, plan.worth(target))
        more = draw_more or target.exact or not target.full
        urgent = target.exact or (more and target.full)
        trial = fitter.fit(target.mass, target.least, draw_more=more, urgent=urgent)
        ledger.forget()
        if trial is None:
            missed.append(target)
        else:
            order = int(terms.order[target.term])
            claimed[order], taken[order] = trial.claimed, terms.offer[target.term]
            _commit(recipe, ledger, trial, order, int(taken[order]), rows)
        _release(ledger, users, mix, recipe.period)
    return _allocation(rows, claimed, taken), missed


def _priced(solution: Solution) -> list[Stage]:
    """The goals that were solved to the end, and so have prices."""
    return [s for s in solution.stages if s.goal.name != "tie_break" and s.row_dual is not None]


def _prices(
    problem: Problem, compiled: Compiled, solution: Solution
) -> dict[tuple[int, int], tuple[float, ...]]:
    """What a unit of each pool and period costs each goal, by (pool, period): its price, and its
    unit cost where the goal is the margin.
    """
    rows = ((key, i) for i, (equation, key) in enumerate(compiled.rows) if equation == "pool_balance")
    at = {(int(key[0]), int(key[1])): i for key, i in rows}  # type: ignore[index]
    duals = _priced(solution)
    cost = np.maximum(0.0, problem.pairs.unit_cost.floats())
    found: dict[tuple[int, int], tuple[float, ...]] = {}
    for (k, t), i in at.items():
        own = (float(s.row_dual[i]) + cost[k] * (s.goal.name == "margin") for s in duals)  # type: ignore[index]
        found[k, t] = tuple(float(v) for v in own)
    return found


def _price(
    prices: dict[tuple[int, int], tuple[float, ...]], period: int
) -> Callable[[int], tuple[float, ...]]:
    """The prices of one period by pool."""
    return lambda pool: prices.get((pool, period), ())


def _release(ledger: Ledger, users: Counter[tuple[int, int]], mix: dict[int, float], period: int) -> None:
    """After the last order that draws on a pool and period, its plan is free for others."""
    for k in mix:
        users[k, period] -= 1
        if users[k, period] == 0:
            ledger.release(k, period)


def _commit(recipe: RecipeBook, ledger: Ledger, trial: Trial, order: int, offer: int, rows: _Rows) -> None:
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
        rows.offer.append(offer)
        rows.quantity.append(quantity)
        rows.credited.append(credited)
        for s in (1, 2, 3):
            part = min(reduction, parts_left[scopes].get(s, 0)) if s in scopes else 0
            reduction -= part
            if part:
                parts_left[scopes][s] -= part
            rows.scopes[s - 1].append(part)


def _allocation(rows: _Rows, claimed: npt.NDArray[np.int64], taken: npt.NDArray[np.intp]) -> Allocation:
    at = np.lexsort((rows.lot, rows.offer, rows.order)) if rows.lot else np.zeros(0, dtype=np.intp)

    def column(values: list[int]) -> npt.NDArray[np.int64]:
        return np.array(values, dtype=np.int64)[at]

    return Allocation(
        lot=column(rows.lot).astype(np.intp),
        order=column(rows.order).astype(np.intp),
        offer=column(rows.offer).astype(np.intp),
        quantity=column(rows.quantity),
        credited=column(rows.credited),
        scope1=column(rows.scopes[0]),
        scope2=column(rows.scopes[1]),
        scope3=column(rows.scopes[2]),
        claimed=claimed,
        taken=taken,
    )
