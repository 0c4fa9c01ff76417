"""Claims and caps of many recipes as integer arrays, to check a million booked orders at once.

Recipes that differ only in period and schemes have the same rows: they are one kind. What a pool does
for a kind is one line of the arrays, a use; orders are checked as a matrix of uses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from massbalance.booking.plan import Mixes
from massbalance.booking.recipe import CREDITED, QUANTITY, REDUCTION, RecipeBook
from massbalance.booking.scopes import ScopeSet
from massbalance.booking.targets import Bools, Floats, Ints
from massbalance.domain.case import IndexArray
from massbalance.domain.grid import INT64_SAFE
from massbalance.formulation.problem import Problem

SAFE = float(2**61)
"""Sums that stay below this in magnitude, with room for a row's few terms, are exact in int64."""
MORE_G = 4096.0
"""How much more than its mass (g) an order's units may be rounded to stand for."""
MEASURES = (QUANTITY, CREDITED, REDUCTION)
Measures = tuple[Ints, Ints, Ints]
"""Booked quantity, credited mass and reduction, each of shape (orders, pools of the mix)."""


@dataclass(frozen=True)
class Kinds:
    """Rows of C kinds over U uses; coefficients as in `recipe.Row`, rows of a measure padded with zeros.

    use_pool, use_kind: shape (U,); rate[measure], unit: (numerator, denominator) of a measure per
    unit of quantity, and of what a use is rounded by (the claim's measure, else credited mass,
    else quantity), each shape (U, 2); claim: coefficient, shape (U,); caps[measure]: shape (U, rows).
    claim_rhs, ghg: shape (C,); cap_rhs[measure]: shape (C, rows), for reductions the scopes that
    the row sums, shape (C, rows, 3); scopes: intensity per scope as (numerator, denominator), shape
    (C, 3, 2). scope_sets, use_scopes: the sets of scopes, and each use's. use_of: of the entries of
    the mixes, -1 where the recipe is not among them; kind_of: of every recipe, likewise. most: units
    of quantity per g (of mass and MORE_G) that a use may come to, shape (U,); reach: the greatest
    mass (g) at which int64 is enough for that, shape (C,).
    """

    use_pool: IndexArray
    use_kind: IndexArray
    rate: tuple[Ints, Ints, Ints]
    unit: Ints
    claim: Ints
    caps: tuple[Ints, Ints, Ints]
    claim_rhs: Ints
    ghg: Bools
    cap_rhs: tuple[Ints, Ints, Ints]
    scopes: Ints
    scope_sets: tuple[ScopeSet, ...]
    use_scopes: IndexArray
    use_of: IndexArray
    kind_of: IndexArray
    most: Floats
    reach: Floats

    def measures(self, use: IndexArray, quantity: Ints) -> Measures:
        """What rows of these quantities book, each rounded down."""
        credited, reduction = (_floored(quantity, self.rate[m], use) for m in (CREDITED, REDUCTION))
        return quantity, credited, reduction

    def room(self, kind: IndexArray, scope: int, mass: Ints) -> Ints:
        """floor(s_s * y), g CO2e, for orders of these kinds and masses (g)."""
        numerator, denominator = self.scopes[kind, scope].T
        return mass * numerator // denominator

    def hold(self, use: IndexArray, kind: IndexArray, mass: Ints, booked: Measures) -> Bools:
        """Do the claim and every cap hold, exactly, for orders booked so?

        use: uses of each order's mix, shape (orders, m); kind, mass (g): shape (orders,); booked:
        sums over the rows of each use.
        """
        good = self.claimed(use, kind, booked) >= self.claim_rhs[kind] * mass
        for measure, coefs, limit in self.limits(use, kind, mass):
            good &= weighed(coefs, booked[measure]) <= limit
        return good

    def limits(self, use: IndexArray, kind: IndexArray, mass: Ints) -> Iterator[tuple[int, Ints, Ints]]:
        """Every cap as (measure, coefficients (orders, m), limit (orders,)) at these masses (g)."""
        for measure in (QUANTITY, CREDITED):
            for row in range(self.caps[measure].shape[1]):
                yield measure, self.caps[measure][:, row][use], self.cap_rhs[measure][kind, row] * mass
        rooms = np.stack([self.room(kind, scope, mass) for scope in range(3)], axis=1)
        for row in range(self.caps[REDUCTION].shape[1]):
            limit = (self.cap_rhs[REDUCTION][kind, row] * rooms).sum(axis=1)
            yield REDUCTION, self.caps[REDUCTION][:, row][use], limit

    def claimed(self, use: IndexArray, kind: IndexArray, booked: Measures) -> Ints:
        """Left side of the claim of each order."""
        ghg = self.ghg[kind]
        if ghg.all():
            return weighed(self.claim[use], booked[REDUCTION])
        if not ghg.any():
            return weighed(self.claim[use], booked[CREDITED])
        return weighed(self.claim[use], np.where(ghg[:, None], booked[REDUCTION], booked[CREDITED]))


def _floored(quantity: Ints, rate: Ints, use: IndexArray) -> Ints:
    return quantity * rate[:, 0][use] // rate[:, 1][use]


def weighed(coefs: Ints, values: Ints) -> Ints:
    """Sum over each order's pools of coefficient times value."""
    found: Ints = (coefs * values).sum(axis=1)
    return found


def kinds_of(problem: Problem, mixes: Mixes, recipes: IndexArray) -> Kinds:
    """The kinds of these recipes (positions, each once), over the pools that their mixes use."""
    kind = _kind(problem, recipes)
    count = int(kind.max(initial=-1)) + 1
    kind_of = np.full(len(problem.recipes), -1, dtype=np.intp)
    kind_of[recipes] = kind
    owner = kind_of[np.repeat(np.arange(len(problem.recipes)), mixes.count())]
    code = owner * len(problem.pools.ids) + mixes.pool
    at = np.flatnonzero(owner >= 0)
    uses, number = np.unique(code[at], return_inverse=True)
    use_of = np.full(len(owner), -1, dtype=np.intp)
    use_of[at] = number
    use_kind, use_pool = np.divmod(uses, max(len(problem.pools.ids), 1))
    books = _books(problem, recipes, kind, use_pool, np.searchsorted(use_kind, np.arange(count + 1)))
    most = np.ones(len(uses))
    np.maximum.at(most, number, 1.01 * mixes.per_t[at])
    return _arrays(books, use_pool, use_kind, use_of, kind_of, most)


def _kind(problem: Problem, recipes: IndexArray) -> IndexArray:
    """Number of what a recipe's rows depend on: limit, claim, need."""
    found = problem.recipes
    need = np.unique(found.need.values, return_inverse=True)[1]
    claim = np.unique(found.claim.astype(str), return_inverse=True)[1]
    keys = np.stack([found.limit, claim, need], axis=1)[recipes]
    return np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1).astype(np.intp)


def _books(
    problem: Problem, recipes: IndexArray, kind: IndexArray, use_pool: IndexArray, start: IndexArray
) -> list[RecipeBook]:
    """Rows of every kind: those of one of its recipes, with the scope rows of all."""
    cuts: list[set[ScopeSet]] = [set() for _ in range(len(start) - 1)]
    first = np.zeros(len(cuts), dtype=np.intp)
    for recipe, c in zip(recipes.tolist(), kind.tolist(), strict=True):
        cuts[c].update(problem.scope_rows[recipe])
        first[c] = recipe
    return [
        RecipeBook(problem, int(first[c]), use_pool[start[c] : start[c + 1]], sorted(found))
        for c, found in enumerate(cuts)
    ]


class _Caps:
    """Caps of every kind that measure the same, side by side: coefs (uses, rows), rhs (kinds, rows), Python
    integers; inside: the scopes that each row sums (kinds, rows, 3).
    """

    def __init__(
        self, books: list[RecipeBook], measure: int, use_at: list[dict[int, int]], uses: int
    ) -> None:
        rows = [[row for row in book.caps if row.measure == measure] for book in books]
        width = max(map(len, rows), default=0)
        self.coefs = np.zeros((uses, width), dtype=object)
        self.rhs = np.zeros((len(books), width), dtype=object)
        self.inside = np.zeros((len(books), width, 3), dtype=np.int64)
        for c, found in enumerate(rows):
            for n, row in enumerate(found):
                self.rhs[c, n] = row.rhs
                self.inside[c, n, [scope - 1 for scope in row.cut]] = 1
                for pool, coef in row.coefs.items():
                    self.coefs[use_at[c][pool], n] = coef


class _Figures:
    """Everything of the kinds' books as Python integers in arrays, and how far int64 carries it."""

    def __init__(self, books: list[RecipeBook], use_pool: IndexArray, use_kind: IndexArray) -> None:
        self.kind = use_kind
        uses = list(zip(use_kind.tolist(), use_pool.tolist(), strict=True))
        use_at: list[dict[int, int]] = [{} for _ in books]
        for u, (c, k) in enumerate(uses):
            use_at[c][k] = u
        pools = [books[c].pools[k] for c, k in uses]
        one = _objects([(1, 1) for _ in pools], 2)
        self.rate = (one, _objects([p.rate for p in pools], 2), _objects([p.reduction for p in pools], 2))
        self.scope_sets = [p.scopes for p in pools]
        self.claim = _objects([books[c].claim.coefs.get(k, 0) for c, k in uses])
        self.claim_rhs = _objects([book.claim.rhs for book in books])
        self.ghg = np.array([book.claim.measure == REDUCTION for book in books], dtype=bool)
        self.caps = tuple(_Caps(books, measure, use_at, len(uses)) for measure in MEASURES)
        scopes = [[(s.numerator, s.denominator) for s in book.scopes] for book in books]
        self.scopes = _objects(scopes, 3, 2)

    def unit(self) -> npt.NDArray[np.object_]:
        """What a use is rounded by: the claim's measure, else credited mass, else quantity."""
        material = (self.rate[CREDITED][:, 0] > 0)[:, None]
        reduces = ((self.claim > 0) & self.ghg[self.kind])[:, None]
        found = np.where(material, self.rate[CREDITED], self.rate[QUANTITY])
        return np.where(reduces, self.rate[REDUCTION], found)

    def reach(self, most: Floats) -> Floats:
        """Greatest mass (g) of each kind at which no product or sum leaves int64. Shape (C,).

        most: units of quantity per g of mass that a use may come to, at least 1.
        """
        worst = np.ones(len(self.claim_rhs))
        np.maximum.at(worst, self.kind, most)
        sides = [(self.claim, CREDITED), (self.claim, REDUCTION)]
        for measure, caps in zip(MEASURES, self.caps, strict=True):
            rate = self.rate[measure].astype(np.float64)
            np.maximum.at(worst, self.kind, most * rate.max(axis=1))
            sides += [(caps.coefs[:, n], measure) for n in range(caps.coefs.shape[1])]
            worst = np.maximum(worst, np.abs(caps.rhs.astype(np.float64)).max(axis=1, initial=0.0))
        for coefs, measure in sides:
            rate = self.rate[measure].astype(np.float64)
            total = np.zeros(len(worst))
            np.add.at(total, self.kind, np.abs(coefs.astype(np.float64)) * most * rate[:, 0] / rate[:, 1])
            worst = np.maximum(worst, total)
        worst = np.maximum(worst, self.claim_rhs.astype(np.float64))
        worst = np.maximum(worst, 3.0 * self.scopes.astype(np.float64).max(axis=(1, 2), initial=0.0))
        return SAFE / worst - MORE_G


def _objects(values: Sequence[object], *shape: int) -> npt.NDArray[np.object_]:
    """Python integers as an array of shape (n, *shape)."""
    return np.array(values, dtype=object).reshape(len(values), *shape)


def _whole(values: npt.NDArray[np.object_]) -> Ints:
    """As int64; 0 in place of what does not fit (its kind has no reach then)."""
    return np.where(np.abs(values) < INT64_SAFE, values, 0).astype(np.int64)


def _arrays(
    books: list[RecipeBook], use_pool: IndexArray, use_kind: IndexArray, use_of: IndexArray,
    kind_of: IndexArray, most: Floats,
) -> Kinds:  # fmt: skip
    """The books' rows as arrays of int64."""
    found = _Figures(books, use_pool, use_kind)
    sets = sorted(set(found.scope_sets))
    rate, caps = [_whole(r) for r in found.rate], [_whole(c.coefs) for c in found.caps]
    rhs = [_whole(c.rhs) for c in found.caps]
    return Kinds(
        use_pool=use_pool,
        use_kind=use_kind,
        rate=(rate[0], rate[1], rate[2]),
        unit=_whole(found.unit()),
        claim=_whole(found.claim),
        caps=(caps[0], caps[1], caps[2]),
        claim_rhs=_whole(found.claim_rhs),
        ghg=found.ghg,
        cap_rhs=(rhs[0], rhs[1], found.caps[REDUCTION].inside),
        scopes=_whole(found.scopes),
        scope_sets=tuple(sets),
        use_scopes=np.array([sets.index(s) for s in found.scope_sets], dtype=np.intp),
        use_of=use_of,
        kind_of=kind_of,
        most=most,
        reach=found.reach(most),
    )
