"""An allocation checked against the problem, order by order in Python integers and fractions."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction

from massbalance.booking.recipe import REDUCTION, RecipeBook
from massbalance.domain.result import Allocation
from massbalance.formulation.problem import Problem


def wrong(problem: Problem, allocation: Allocation) -> list[str]:
    """Everything that the allocation breaks, in words."""
    return [*_lots(problem, allocation), *_orders(problem, allocation)]


def _lots(problem: Problem, allocation: Allocation) -> list[str]:
    names, origins = problem.case.lots.text("lot"), problem.case.lots.text("origin")
    quantity = [int(q) for q in problem.case.lots.grid("quantity")]
    used, share = defaultdict[int, int](int), defaultdict[str, Fraction](Fraction)
    for lot, amount in zip(allocation.lot.tolist(), allocation.quantity.tolist(), strict=True):
        used[lot] += amount
        if origins[lot]:
            share[origins[lot]] += Fraction(amount, quantity[lot])
    found = [f"lot {names[lot]}: {amount}" for lot, amount in used.items() if amount > quantity[lot]]
    return found + [f"origin {origin}: {part}" for origin, part in share.items() if part > 1]


def _orders(problem: Problem, allocation: Allocation) -> list[str]:
    terms, orders = problem.terms, problem.case.orders
    term_of = {(int(o), int(f)): t for t, (o, f) in enumerate(zip(terms.order, terms.offer, strict=True))}
    rows: dict[int, list[int]] = defaultdict(list)
    for n, order in enumerate(allocation.order.tolist()):
        rows[order].append(n)
    mass, books, found = orders.grid("mass_t"), dict[int, RecipeBook](), list[str]()
    for o in range(len(orders)):
        claimed = int(allocation.claimed[o])
        if not claimed:
            found += [f"order {o}: rows without a claim"] if rows[o] else []
            continue
        recipe = int(problem.recipes.of_term[term_of[o, int(allocation.taken[o])]])
        book = books.setdefault(recipe, RecipeBook(problem, recipe))
        found += [f"order {o}: {word}" for word in _rows(problem, allocation, book, rows[o], claimed)]
        whole, least = orders.flag("whole")[o], orders.exact["min_fill"].fraction(o) * int(mass[o])
        if claimed > mass[o] or claimed < least or (whole and claimed < mass[o]):
            found.append(f"order {o}: {claimed} g claimed of {mass[o]}, at least {least}")
    return found


def _rows(
    problem: Problem, allocation: Allocation, book: RecipeBook, rows: list[int], claimed: int
) -> list[str]:
    found, sums = [], defaultdict[int, list[int]](lambda: [0, 0, 0])
    scopes = [0, 0, 0]
    if len({int(allocation.lot[n]) for n in rows}) < len(rows):
        found.append("a lot twice")
    for n in rows:
        lot = int(allocation.lot[n])
        pool = int(problem.pools.lot_pool[lot])
        if pool not in book.pools or not (
            problem.windows.first[lot] <= book.period <= problem.windows.last[lot]
        ):
            return [f"lot {lot} may not serve it"]
        measures = book.pools[pool].measures(int(allocation.quantity[n]))
        parts = [int(p[n]) for p in (allocation.scope1, allocation.scope2, allocation.scope3)]
        outside = [p for s, p in enumerate(parts, start=1) if s not in book.pools[pool].scopes]
        if measures[0] <= 0 or measures[1] != allocation.credited[n] or sum(parts) != measures[REDUCTION]:
            found.append(f"row {n} books {parts} of {measures}")
        if any(outside):
            found.append(f"row {n}: {parts} outside its scopes")
        sums[pool] = [a + b for a, b in zip(sums[pool], measures, strict=True)]
        scopes = [a + b for a, b in zip(scopes, parts, strict=True)]
    for row in (book.claim, *book.caps):
        value = sum(c * sums[k][row.measure] for k, c in row.coefs.items())
        room = book.room(row, claimed)
        if (value < room) if row is book.claim else (value > room):
            found.append(f"{row.name}: {value} against {room}")
    found += [f"scope {s}" for s in (1, 2, 3) if scopes[s - 1] > book.scope_room(s, claimed)]
    return found
