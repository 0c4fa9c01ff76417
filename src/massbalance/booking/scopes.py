"""The best split of multi-scope project reductions over scopes (A5.2.2C, J5.3.2)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

ScopeSet = tuple[int, ...]
Ints = npt.NDArray[np.int64]
Positions = npt.NDArray[np.intp]


def split(amounts: dict[ScopeSet, int], room: dict[int, int]) -> dict[ScopeSet, dict[int, int]]:
    """Split each scope set's amount over its scopes within `room` (g CO2e left per scope).

    A maximum flow with at most seven sources and three sinks: ascending scopes first, then
    along augmenting paths. ValueError where the amounts do not fit (the scope rows exclude it).
    """
    left = dict(room)
    found: dict[ScopeSet, dict[int, int]] = {scopes: dict.fromkeys(scopes, 0) for scopes in amounts}
    for scopes in sorted(amounts, key=lambda s: (len(s), s)):
        rest = amounts[scopes]
        while rest > 0:
            path = _path(found, left, scopes)
            if path is None:
                raise ValueError(f"{rest} g CO2e of scopes {scopes} do not fit")
            step = min([rest, left[path[-1][1]], *(found[s][old] for s, _, old in _moves(path))])
            for owner, scope in path[:1]:
                found[owner][scope] += step
            for owner, scope, old in _moves(path):
                found[owner][old] -= step
                found[owner][scope] += step
            left[path[-1][1]] -= step
            rest -= step
    return found


def _moves(path: list[tuple[ScopeSet, int]]) -> list[tuple[ScopeSet, int, int]]:
    """(owner, new scope, old scope) of every later step of a path."""
    return [(owner, scope, path[i][1]) for i, (owner, scope) in enumerate(path[1:])]


def _path(
    found: dict[ScopeSet, dict[int, int]], left: dict[int, int], start: ScopeSet
) -> list[tuple[ScopeSet, int]] | None:
    """Shortest way from a scope set to a scope with room, moving what others hold where needed."""
    queue: list[list[tuple[ScopeSet, int]]] = [[(start, s)] for s in start]
    seen = set(start)
    while queue:
        path = queue.pop(0)
        scope = path[-1][1]
        if left.get(scope, 0) > 0:
            return path
        for owner in sorted(found):
            if found[owner].get(scope, 0) > 0:
                for other in owner:
                    if other not in seen:
                        seen.add(other)
                        queue.append([*path, (owner, other)])
    return None


def split_rows(
    order: Positions,
    scopes: Positions,
    reduction: Ints,
    sets: Sequence[ScopeSet],
    room: Ints,
    keys: tuple[Positions, ...],
) -> Ints:
    """Reduction of every booked row by scope, g CO2e, as `split` has it. Shape (rows, 3).

    order: of each row; scopes: number of its set in `sets`; room: g CO2e per order and scope, shape
    (orders, 3); keys: rows of one order and set take their share sorted by these, the last one first.
    """
    parts = np.zeros((len(order), 3), dtype=np.int64)
    several = np.array([len(one) > 1 for one in sets], dtype=bool)
    for number, one in enumerate(sets):
        if len(one) == 1:
            own = scopes == number
            parts[own, one[0] - 1] = reduction[own]
    if not several.any():
        return parts
    mixed = np.zeros(len(room), dtype=bool)
    mixed[order[several[scopes] & (reduction > 0)]] = True
    at = np.flatnonzero(mixed[order])
    at = at[np.lexsort((*(key[at] for key in keys), order[at]))]
    place = (np.cumsum(mixed) - 1)[order[at]]
    amounts = np.zeros((int(mixed.sum()), len(sets)), dtype=np.int64)
    np.add.at(amounts, (place, scopes[at]), reduction[at])
    shares = _shares(amounts, sets, room[mixed])
    for number in np.flatnonzero(several).tolist():
        own = scopes[at] == number
        parts[at[own]] = _dealt(place[own], reduction[at[own]], shares[:, number])
    return parts


def _shares(amounts: Ints, sets: Sequence[ScopeSet], room: Ints) -> Ints:
    """Each order's amount of each set by scope, shape (orders, sets, 3): the smallest sets first, ascending
    scopes first; where that does not fit, along augmenting paths.
    """
    shares, left = np.zeros((*amounts.shape, 3), dtype=np.int64), room.copy()
    over = np.zeros(len(amounts), dtype=bool)
    for number in sorted(range(len(sets)), key=lambda i: (len(sets[i]), sets[i])):
        rest = amounts[:, number].copy()
        for scope in sets[number]:
            part = np.minimum(rest, left[:, scope - 1])
            shares[:, number, scope - 1] = part
            left[:, scope - 1] -= part
            rest -= part
        over |= rest > 0
    for i in np.flatnonzero(over).tolist():
        asked = {one: int(amounts[i, n]) for n, one in enumerate(sets) if amounts[i, n]}
        found = split(asked, {s: int(room[i, s - 1]) for s in (1, 2, 3)})
        for n, one in enumerate(sets):
            shares[i, n] = [found.get(one, {}).get(s, 0) for s in (1, 2, 3)]
    return shares


def _dealt(place: Positions, reduction: Ints, shares: Ints) -> Ints:
    """Shares (orders, 3) of one set dealt out to its rows, which are sorted by place. Shape (rows, 3)."""
    reached = np.cumsum(reduction)
    first = np.searchsorted(place, place)
    reached = reached - (reached[first] - reduction[first])
    parts, low = np.zeros((len(place), 3), dtype=np.int64), np.zeros(len(place), dtype=np.int64)
    for scope in range(3):
        high = low + shares[place, scope]
        parts[:, scope] = np.clip(np.minimum(reached, high) - np.maximum(reached - reduction, low), 0, None)
        low = high
    return parts
