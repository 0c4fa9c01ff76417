"""What could be given way to, and by how much: each lever is a few doors of a promise, with an amount.

A lever is found again by its name in the promise of a changed case, so that more of it can be asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from massbalance.quote.promise import ALLOY, CREDITS, ELEMENT, LEVEL, PROMISED, Key, Promise
from massbalance.quote.sources import ARRIVAL, EXPIRY, SCHEMES, UNLISTED

MORE, EARLIER, LONGER, WITHIN, OF_ELEMENT = "more_credit", "earlier", "longer", "alloy", "element"
ACCEPT, LESS, LOWER, PART, LATER = "schemes", "less_to_others", "level", "part", "later"
KIND_OF = {
    CREDITS: MORE, ARRIVAL: EARLIER, EXPIRY: LONGER, UNLISTED: WITHIN, ALLOY: WITHIN, ELEMENT: OF_ELEMENT,
    SCHEMES: ACCEPT, PROMISED: LESS, LEVEL: LOWER,
}  # fmt: skip
"""Limit -> kind of the relaxation that mends it; what is not here is a fact, and gives no way."""
DIGITS = {MORE: 3, LESS: 3, WITHIN: 6, OF_ELEMENT: 6, LOWER: 6, EARLIER: 0, LONGER: 0, ACCEPT: 0}
"""Decimals of the amount; it is rounded up on them."""
SLIGHT = 1e-6
"""What a lever without an amount costs per unit drawn, so that no more is drawn than is needed."""


@dataclass(frozen=True)
class Lever:
    """One way to mend a promise.

    limit: which gives way; names: lots, a category, an element, a scheme or an order; columns: opened ->
    what a unit of it adds to the amount; counted: is there an amount?
    """

    limit: Key
    names: tuple[str, ...]
    columns: dict[int, float]
    counted: bool

    @property
    def kind(self) -> str:
        """Kind of relaxation."""
        return KIND_OF[self.limit[0]]


def lever(promise: Promise, limit: Key, names: tuple[str, ...]) -> Lever | None:
    """The lever of that name; None where this promise has none such (any more)."""
    columns = _MAKERS[limit[0]](promise, limit, names)
    counted = KIND_OF[limit[0]] not in (EARLIER, LONGER, ACCEPT)
    return Lever(limit, names, columns, counted) if columns else None


def _credits(promise: Promise, _: Key, names: tuple[str, ...]) -> dict[int, float]:
    at = promise.sources.lots.position[names[0]]
    alike = [lots[0] for lots in promise.problem.pools.group_lots if at in lots]
    first = alike[0] if alike else at
    return {promise.supply[first]: 1.0} if first in promise.supply else {}


def _lots(promise: Promise, limit: Key, names: tuple[str, ...]) -> dict[int, float]:
    ids = promise.sources.lots.text("lot")
    behind = promise.behind_only(limit)
    return {
        promise.z[n]: SLIGHT for n in behind if any(ids[lot] in names for lot in promise.sources.all[n].lots)
    }


def _schemes(promise: Promise, limit: Key, names: tuple[str, ...]) -> dict[int, float]:
    scheme = promise.sources.scheme
    behind = promise.behind_only(limit)
    return {promise.z[n]: SLIGHT for n in behind if scheme[promise.sources.all[n].lot] in names}


def _unlisted(promise: Promise, limit: Key, names: tuple[str, ...]) -> dict[int, float]:
    sources = promise.sources
    return {
        promise.z[n]: float(sources.credited[sources.all[n].lot]) / promise.mass
        for n in promise.behind_only(limit)
        if sources.category[sources.all[n].lot] in names
    }


def _slack(promise: Promise, limit: Key, _: tuple[str, ...]) -> dict[int, float]:
    return {promise.slack[limit]: 1.0} if limit in promise.slack else {}


def _level(promise: Promise, limit: Key, _: tuple[str, ...]) -> dict[int, float]:
    return {promise.slack[limit]: 1.0 / promise.mass}


def _less(promise: Promise, _: Key, names: tuple[str, ...]) -> dict[int, float]:
    return {promise.less[names[0]]: 1.0} if names[0] in promise.less else {}


_MAKERS: dict[str, Callable[[Promise, Key, tuple[str, ...]], dict[int, float]]] = {
    CREDITS: _credits, ARRIVAL: _lots, EXPIRY: _lots, UNLISTED: _unlisted, ALLOY: _slack, ELEMENT: _slack,
    SCHEMES: _schemes, PROMISED: _less, LEVEL: _level,
}  # fmt: skip


def candidates(promise: Promise, limit: Key) -> list[tuple[str, ...]]:
    """Names of single levers of a limit, canonical order."""
    kind, word = limit
    ids = promise.sources.lots.text("lot")
    if kind == CREDITS:
        found = [lot for lot in promise.supply if promise.category_of(lot) == word]
        return [(str(ids[lot]),) for lot in sorted(found)]
    if kind in (ARRIVAL, EXPIRY):
        sources = [promise.sources.all[n] for n in promise.behind_only(limit)]
        return [tuple(str(ids[lot]) for lot in source.lots) for source in sources]
    if kind in (SCHEMES, UNLISTED):
        of = promise.sources.scheme if kind == SCHEMES else promise.sources.category
        words = {str(of[promise.sources.all[n].lot]) for n in promise.behind_only(limit)}
        return [(one,) for one in sorted(words - {""})]
    if kind == PROMISED:
        held = dict(zip(promise.problem.names.orders, promise.held.mass.tolist(), strict=True))
        largest = sorted(promise.members[word], key=lambda name: (-held[name], name))
        return [(name,) for name in largest]
    return [(word,)]


def weight(found: Lever, mass: float) -> float:
    """What a unit of the amount counts where levers of several kinds are weighed: parts of the mass."""
    return {MORE: 1.0 / mass, LESS: 1.0 / mass, OF_ELEMENT: 0.1}.get(found.kind, 1.0)
