"""Lots that share origins, dealt out to places: a linear program proposes, whole millionths decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse
from scipy.optimize import linprog

from massbalance.domain.grid import GRID

Place = tuple[int, int]
"""Kind of lots, period."""


class Source(NamedTuple):
    """A lot with something in it: millionths, origin (empty: none), kind, first and last usable period."""

    quantity: int
    origin: str
    kind: int
    first: int
    last: int


def dealt(sources: Sequence[Source], wanted: Mapping[Place, int]) -> dict[Place, int]:
    """Millionths that can be had at each place, together, without overdrawing a lot or an origin.

    Every figure is one that the flows found really give; where all is wanted that there is, it may be a
    few millionths less than the best.
    """
    places = sorted(wanted)
    flows = [
        (n, i)
        for n, source in enumerate(sources)
        for i, (kind, period) in enumerate(places)
        if source.kind == kind and source.first <= period <= source.last
    ]
    got = dict.fromkeys(places, 0)
    if flows:
        for (_, i), quantity in zip(
            flows, _whole(flows, sources, _proposed(flows, sources, places, wanted)), strict=True
        ):
            got[places[i]] += quantity
    return got


def _proposed(
    flows: Sequence[tuple[int, int]],
    sources: Sequence[Source],
    places: Sequence[Place],
    wanted: Mapping[Place, int],
) -> npt.NDArray[np.float64]:
    """The flows that give most of what is wanted, in units."""
    origins = sorted({source.origin for source in sources if source.origin})
    size = {name: max(source.quantity for source in sources if source.origin == name) for name in origins}
    rows, columns, values = list[int](), list[int](), list[float]()
    for column, (n, i) in enumerate(flows):
        source = sources[n]
        entries = [(n, 1.0), (len(sources) + len(origins) + i, 1.0)]
        if source.origin:
            share = size[source.origin] / source.quantity
            entries.append((len(sources) + origins.index(source.origin), share))
        for row, value in entries:
            rows.append(row)
            columns.append(column)
            values.append(value)
    upper = [source.quantity for source in sources]
    upper += [size[name] for name in origins] + [wanted[place] for place in places]
    matrix = scipy.sparse.csr_array((values, (rows, columns)), shape=(len(upper), len(flows)))
    answer = linprog(-np.ones(len(flows)), A_ub=matrix, b_ub=np.array(upper) / GRID, method="highs")
    if answer.status != 0:
        raise ArithmeticError(f"a linear program that always has an answer: {answer.message}")
    return np.asarray(answer.x, dtype=np.float64)


def _whole(
    flows: Sequence[tuple[int, int]], sources: Sequence[Source], proposed: npt.NDArray[np.float64]
) -> list[int]:
    """The flows in whole millionths, cut where a lot or an origin would be overdrawn. Exact."""
    left = [source.quantity for source in sources]
    share = {source.origin: Fraction(1) for source in sources}
    found = []
    for (n, _), value in zip(flows, proposed, strict=True):
        source = sources[n]
        quantity = min(max(0, round(float(value) * GRID)), left[n])
        if source.origin:
            quantity = min(quantity, int(share[source.origin] * source.quantity))
            share[source.origin] -= Fraction(quantity, source.quantity)
        left[n] -= quantity
        found.append(quantity)
    return found
