"""A mix for one order that keeps clear of every row by what rounding can move it.

Where the solver's mix sits in a corner of many rows, whole units near it may break one row for
another. A few units inside the corner nothing can.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from massbalance.booking.recipe import CREDITED, RecipeBook, Row
from massbalance.solving.tiny import maximise

SCARCE, PLENTY = 3.0, 1e-3
"""What a unit beyond the solver's mix costs, in the mass that it could support: a scarce pool's
units are planned for other orders."""


@dataclass(frozen=True)
class ClearMix:
    """A claimed mass (g) and the amount of each pool, near which every row holds."""

    claimed: int
    amounts: dict[int, int]


def clear_mix(
    book: RecipeBook,
    stock: Mapping[int, float],
    mix: Mapping[int, float],
    scarce: set[int],
    target: int,
    *,
    by_mass: bool,
) -> ClearMix | None:
    """The most mass, up to `target` (g), with every row kept by a margin.

    stock: what may be drawn on each pool; mix: the solver's amounts per unit of mass; by_mass
    False: without a margin on rows of credited mass, which whole grams can meet exactly (a
    claim for all of the mass leaves none). None where there is no such mass.

    Columns: amount of each pool, amount beyond the mix of each pool, claimed mass.
    """
    pools = list(stock)
    count = len(pools)
    rows, most = [], []
    for row in (book.claim, *book.caps):
        sign = -1.0 if row is book.claim else 1.0
        weights, rhs = _weights(book, row, pools)
        rows.append([*(sign * w for w in weights), *([0.0] * count), -sign * rhs])
        margin = sum(abs(w) for w in weights) + 2.0 * sum(abs(float(row.coefs.get(k, 0))) for k in pools)
        keeps = by_mass or row.measure != CREDITED
        most.append(-(margin + abs(rhs) + len(row.cut)) if keeps else 0.0)
    for i, k in enumerate(pools):
        beyond = np.zeros(2 * count + 1)
        beyond[i], beyond[count + i] = 1.0, -1.0
        rows.append(list(beyond))
        most.append(mix.get(k, 0.0) * target)
    upper = np.array([*stock.values(), *stock.values(), float(target)])
    scale = np.maximum(np.abs(rows).max(axis=1), 1e-12)
    found = maximise(
        _gain(book, pools, scarce), np.array(rows) / scale[:, None], np.array(most) / scale, upper
    )
    if found is None or found[-1] < 1:
        return None
    amounts = {k: round(float(n)) for k, n in zip(pools, found[:count], strict=True) if n >= 0.5}
    return ClearMix(int(found[-1]), amounts)


def _weights(book: RecipeBook, row: Row, pools: list[int]) -> tuple[list[float], float]:
    """Measure per unit of each pool times its coefficient, and the right-hand side per g."""
    weights = [row.coefs.get(k, 0) * book.pools[k].per_unit(row.measure) for k in pools]
    rhs = float(sum(book.scopes[s - 1] for s in row.cut)) if row.cut else float(row.rhs)
    return weights, rhs


def _gain(book: RecipeBook, pools: list[int], scarce: set[int]) -> np.ndarray:
    """Mass counts for itself, less what is drawn beyond the mix."""
    weights, rhs = _weights(book, book.claim, pools)
    per_unit = [max(abs(w) / max(rhs, 1e-12), 1e-6) if rhs > 0 else 1e-6 for w in weights]
    beyond = [-(SCARCE if k in scarce else PLENTY) * p for k, p in zip(pools, per_unit, strict=True)]
    return np.array([*([0.0] * len(pools)), *beyond, 1.0])
