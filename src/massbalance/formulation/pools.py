"""Pools: lots alike in everything that enters an equation but quantity and window.

Two lots of one pool are interchangeable wherever both may be used, so the model needs one
variable per pool and recipe; the supply groups carry quantity and window, and keep expiry exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from massbalance.domain.case import Case, IndexArray
from massbalance.domain.effects import NEVER, Effects, Windows
from massbalance.domain.grid import Column

COLUMNS_ALIKE = ("kind", "uom", "category", "scheme", "gas", "scopes")
EXACT_ALIKE = (
    "intensity_tco2e_per_uom", "green_share", "recycled_pre", "recycled_post", "unit_cost",
)  # fmt: skip
HORIZON_MONTHS = 120
"""Expiry beyond ten years counts as ten years in the last goal."""


@dataclass(frozen=True)
class Composition:
    """wt % of elements: resolved element by element, a lot before its category.

    elements: names in canonical order; lot: (lots, elements) `Column`s as a list per element.
    """

    elements: tuple[str, ...]
    lot: dict[str, Column]
    base: dict[str, dict[str, tuple[int, int]]]

    def base_of(self, alloy: str, element: str) -> tuple[int, int]:
        """(integer, decimals) of the base metal of an alloy; `base:ALLOY`, else `base`, else 0."""
        for key in (f"base:{alloy}", "base"):
            if element in self.base.get(key, {}):
                return self.base[key][element]
        return (0, 0)


def composition(case: Case) -> Composition:
    """The composition table, resolved for every lot (A5.1.2C)."""
    table = case.composition
    keys, elements, wt = table.text("key"), table.text("element"), table.exact["wt_pct"]
    cells: dict[str, dict[str, int]] = {}
    for i in range(len(table)):
        if wt.given[i]:
            cells.setdefault(keys[i], {})[elements[i]] = int(wt.values[i])
    names = tuple(sorted(set(elements)))
    lots, categories = case.lots.text("lot"), case.lots.text("category")
    material = case.lots.text("kind") == "material"
    resolved = {}
    for element in names:
        values, given = np.zeros(len(lots), dtype=object), np.zeros(len(lots), dtype=bool)
        for i in np.flatnonzero(material).tolist():
            for key in (lots[i], categories[i]):
                if element in cells.get(key, {}):
                    values[i], given[i] = cells[key][element], True
                    break
        resolved[element] = Column(values, wt.decimals, given)
    base = {
        key: {e: (v, wt.decimals) for e, v in found.items()}
        for key, found in cells.items()
        if key == "base" or key.startswith("base:")
    }
    return Composition(names, resolved, base)


@dataclass(frozen=True)
class Pools:
    """K pools and their G supply groups.

    lot_pool: pool of each lot, -1 for a lot that no period can use; representative: a lot of
    each pool; ids: pool id = its canonically first lot. Groups are lots of one pool with the
    same usable periods and expiry month (a lot of a shared origin stands alone):
    group_pool, group_first, group_last, group_month (months to expiry, 0..120) and
    group_quantity (in the lot's unit, float) have shape (G,); group_lots lists the lots in
    booking order; origin_groups: shared origin -> its groups.
    """

    lot_pool: IndexArray
    representative: IndexArray
    ids: tuple[str, ...]
    group_pool: IndexArray
    group_first: IndexArray
    group_last: IndexArray
    group_month: npt.NDArray[np.int64]
    group_quantity: npt.NDArray[np.float64]
    group_lots: tuple[tuple[int, ...], ...]
    origin_groups: dict[str, tuple[int, ...]]


def _same(columns: Sequence[npt.NDArray[Any]]) -> IndexArray:
    """Code of each row's combination of values, numbered by first appearance."""
    frame = pd.DataFrame({str(i): pd.factorize(c)[0] for i, c in enumerate(columns)})
    return np.asarray(frame.groupby(list(frame.columns), sort=False).ngroup(), dtype=np.intp)


def _alike(case: Case, effects: Effects, parts: Composition) -> IndexArray:
    """Code of everything that enters an equation, for each lot."""
    lots = case.lots
    exact = [lots.exact[name] for name in EXACT_ALIKE]
    exact += [effects.displaced, *parts.lot.values()]
    columns: list[npt.NDArray[Any]] = [lots.text(name) for name in COLUMNS_ALIKE] + [effects.boundaries.lot]
    for column in exact:
        columns += [column.values.astype(str), column.given]
    return _same(columns)


def months_to_expiry(case: Case, windows: Windows) -> npt.NDArray[np.int64]:
    """Whole months from the first period's month to expiry, within 0..120."""
    if len(case.periods) == 0:
        return np.zeros(len(case.lots), dtype=np.int64)
    start = case.periods.days("start")[0].astype("datetime64[M]")
    capped = np.minimum(windows.expires, NEVER).astype("datetime64[M]")
    return np.clip((capped - start).astype(np.int64), 0, HORIZON_MONTHS)


def shared_origins(case: Case, usable: npt.NDArray[np.bool_]) -> set[str]:
    """Origins with two or more usable lots; one lot alone needs no row (C2)."""
    names = pd.Series(case.lots.text("origin")[usable])
    counts = names[names != ""].value_counts()
    return set(counts.index[counts > 1])


def build_pools(
    case: Case,
    effects: Effects,
    windows: Windows,
    parts: Composition,
    lapse: npt.NDArray[np.bool_] | None = None,
) -> Pools:
    """Group the usable lots of a case; lapse: what else tells lots apart, where a goal asks for it."""
    lots = case.lots
    usable = windows.first <= windows.last
    code = _alike(case, effects, parts)
    lot_pool = np.full(len(lots), -1, dtype=np.intp)
    members = np.flatnonzero(usable)
    _, first_at, numbered = np.unique(code[members], return_index=True, return_inverse=True)
    by_first_lot = np.argsort(np.argsort(first_at))
    lot_pool[members] = by_first_lot[numbered]
    representative = members[np.sort(first_at)]

    months = months_to_expiry(case, windows)
    origin, shared = lots.text("origin"), shared_origins(case, usable)
    quantity, names = lots.floats("quantity"), lots.text("lot")
    groups: dict[tuple[object, ...], list[int]] = {}
    for i in members:
        alone = names[i] if origin[i] in shared else ""
        own = () if lapse is None else (lapse[i],)
        key = (lot_pool[i], windows.first[i], windows.last[i], months[i], alone, *own)
        groups.setdefault(key, []).append(int(i))
    keys = sorted(groups)
    ordered = [
        tuple(sorted(groups[k], key=lambda i: (windows.expires[i], windows.available[i], names[i])))
        for k in keys
    ]
    by_origin: dict[str, list[int]] = {}
    for g, found in enumerate(ordered):
        if origin[found[0]] in shared:
            by_origin.setdefault(origin[found[0]], []).append(g)
    return Pools(
        lot_pool=lot_pool,
        representative=representative,
        ids=tuple(names[representative]),
        group_pool=np.array([k[0] for k in keys], dtype=np.intp),
        group_first=np.array([k[1] for k in keys], dtype=np.intp),
        group_last=np.array([k[2] for k in keys], dtype=np.intp),
        group_month=np.array([k[3] for k in keys], dtype=np.int64),
        group_quantity=np.array([quantity[list(m)].sum() for m in ordered]),
        group_lots=tuple(ordered),
        origin_groups={name: tuple(found) for name, found in sorted(by_origin.items())},
    )
