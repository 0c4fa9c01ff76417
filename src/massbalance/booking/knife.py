"""Masses at which a claim that leaves its caps no slack can be booked at all.

Where a claim asks for all that a scope holds, the booked reduction has to equal the cap to the
gram: only some masses, and of those only the ones that whole units of a lot hit, will do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from massbalance.booking.recipe import REDUCTION, RecipeBook

TRIES = 20_000
"""How many masses are tried, downwards."""
MOVES = (0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6)
"""Units by which a coarser pool is moved so that the finest one fits."""
FULL = 1e-9
"""A scope this close to its cap, relative, is full."""


def _full_scopes(book: RecipeBook, mix: Mapping[int, float]) -> dict[int, list[int]]:
    """Scope that the mix fills -> its pools, the finest (least reduction per unit) last.

    Empty where a pool may split over several scopes.
    """
    of_scope: dict[int, list[int]] = {}
    for k in mix:
        pool = book.pools[k]
        if pool.reduction[0] == 0:
            continue
        if len(pool.scopes) != 1:
            return {}
        of_scope.setdefault(pool.scopes[0], []).append(k)
    full = {}
    for scope, pools in of_scope.items():
        filled = sum(mix[k] * book.pools[k].per_unit(REDUCTION) for k in pools)
        cap = float(book.scopes[scope - 1])
        if abs(filled - cap) <= FULL * max(cap, 1.0):
            full[scope] = sorted(pools, key=lambda k: -book.pools[k].per_unit(REDUCTION))
    return full


def _fill(book: RecipeBook, amounts: dict[int, int], pools: list[int], cap: int) -> bool:
    """Change the amounts so that the pools' booked reductions are the cap to the gram; is there a way?"""
    *others, finest = pools
    start = dict(amounts)
    for move in MOVES if others else (0,):
        if others:
            amounts[others[0]] = max(0, start[others[0]] + move)
        rest = cap - sum(book.pools[k].measures(amounts[k])[REDUCTION] for k in others)
        if rest >= 0:
            num, den = book.pools[finest].reduction
            amounts[finest] = -(-rest * den // num)
            if book.pools[finest].measures(amounts[finest])[REDUCTION] == rest:
                return True
    return False


def whole_masses(
    book: RecipeBook, mix: Mapping[int, float], target: int, least: int
) -> Iterator[tuple[int, dict[int, int]]]:
    """(claimed mass, amount of each pool), from `target` (g) down to `least`, that fill scopes exactly."""
    full = _full_scopes(book, mix)
    if not full:
        return
    step = book.whole_step
    for claimed in range(target - target % step, max(least, 1) - 1, -step)[:TRIES]:
        amounts = {k: round(per_t * claimed) for k, per_t in mix.items()}
        caps = {scope: book.scope_room(scope, claimed) for scope in full}
        if all(_fill(book, amounts, pools, caps[scope]) for scope, pools in full.items()):
            yield claimed, amounts
