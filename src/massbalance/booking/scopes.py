"""The best split of multi-scope project reductions over scopes (A5.2.2C, J5.3.2)."""

from __future__ import annotations

ScopeSet = tuple[int, ...]


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
