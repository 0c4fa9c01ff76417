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
from massbalance.domain.grid import GRID
from massbalance.domain.result import Allocation
from massbalance.formulation.problem import Problem
from massbalance.solving.compiled import Compiled
from massbalance.solving.lexicographic import Solution

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


@dataclass
class _Rows:
    """Booked rows as they grow."""

    lot: list[int] = field(default_factory=list)
    order: list[int] = field(default_factory=list)
    offer: list[int] = field(default_factory=list)
    quantity: list[int] = field(default_factory=list)
    credited: list[int] = field(default_factory=list)
    scopes: tuple[list[int], list[int], list[int]] = field(default_factory=lambda: ([], [], []))


def _targets(problem: Problem, step_t: npt.NDArray[np.float64], take: npt.NDArray[np.bool_]) -> list[Target]:
    """Claimed mass of every term, the terms of a step filled in canonical order."""
    orders, steps, terms = problem.case.orders, problem.steps, problem.terms
    mass, whole = orders.grid("mass_t"), orders.flag("whole")
    fill = orders.exact["min_fill"]
    found = []
    for j, members in enumerate(steps.terms):
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


def _booking_order(problem: Problem, targets: list[Target]) -> list[Target]:
    """Exact orders, full ones, partial ones; firm before not, dearest credit use first."""
    steps, terms = problem.steps, problem.terms
    need = problem.recipes.need.floats()

    def key(target: Target) -> tuple[object, ...]:
        step = int(steps.of_term[target.term])
        priority = int(steps.priority[step]) or 2**31
        worth = float(steps.premium[step]) / max(float(need[steps.recipe[step]]), 1e-12)
        return (
            not target.exact,
            not target.full,
            priority,
            -worth,
            int(terms.order[target.term]),
            target.term,
        )

    return sorted(targets, key=key)


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
) -> Allocation:
    """Book a solution of the model.

    draw_more: an order that rounding leaves short draws a unit
    more of a lot (else it claims a gram less). Always returns a feasible allocation.
    """
    if progress is not None:
        progress("booking whole grams")
    columns = solution.columns
    step_t = columns[compiled.step] if len(compiled.step) else np.zeros(0)
    take = np.array([c >= 0 and columns[c] > 0.5 for c in compiled.take], dtype=bool)
    ledger = Ledger(problem, compiled.flows, columns[compiled.f] if len(compiled.f) else np.zeros(0))
    mix = _mixes(problem, compiled, columns)
    books: dict[int, RecipeBook] = {}
    rows = _Rows()
    orders = len(problem.case.orders)
    claimed = np.zeros(orders, dtype=np.int64)
    taken = np.full(orders, -1, dtype=np.intp)
    queue = _booking_order(problem, _targets(problem, step_t, take))
    of_target = [int(problem.recipes.of_term[target.term]) for target in queue]
    mixes = {r: mix(r) for r in set(of_target)}
    prices = _prices(compiled, solution)
    users = Counter((k, int(problem.recipes.period[r])) for r in of_target for k in mixes[r])
    for target, recipe in zip(queue, of_target, strict=True):
        if recipe not in books:
            books[recipe] = RecipeBook(problem, recipe)
        fitter = Fitter(books[recipe], ledger, mixes[recipe], _price(prices, books[recipe].period))
        more = draw_more or target.exact or not target.full
        trial = fitter.fit(target.mass, target.least, draw_more=more)
        ledger.forget()
        if trial is None:
            _release(ledger, users, mixes[recipe], books[recipe].period)
            continue
        order = int(problem.terms.order[target.term])
        claimed[order] = trial.claimed
        taken[order] = problem.terms.offer[target.term]
        _commit(books[recipe], ledger, trial, order, int(taken[order]), rows)
        _release(ledger, users, mixes[recipe], books[recipe].period)
    return _allocation(rows, claimed, taken)


def _prices(compiled: Compiled, solution: Solution) -> dict[tuple[int, int], tuple[float, ...]]:
    """What a unit of each pool and period is worth to each goal, by (pool, period)."""
    at = {key: i for i, (equation, key) in enumerate(compiled.rows) if equation == "pool_balance"}
    duals = [s.row_dual for s in solution.stages if s.goal.name != "tie_break" and s.row_dual is not None]
    return {key: tuple(float(d[i]) for d in duals) for key, i in at.items()}  # type: ignore[misc]


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
