"""What orders and offers ask for, as arrays: each term names one of the few distinct demands."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from massbalance.domain.case import Case, Table
from massbalance.verification.files import positions
from massbalance.verification.integers import SAFE, Index, Integers, peak

SHARE_CLAIMS = ("green_share", "recycled_share", "post_consumer_share")
GHG_CLAIMS = ("cfp", "reduction")
CLAIMS = (*SHARE_CLAIMS, *GHG_CLAIMS)


def texts(table: Table, name: str) -> Any:
    """A text column as one arrow large_string array."""
    found = pa.array(table.rows[name], pa.large_string())
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def scaled(table: Table, name: str, decimals: int) -> Integers:
    """A number column times 10**decimals (no fewer than the column has), 0 where not given."""
    found = table.exact[name]
    values, up = np.where(found.given, found.values, 0), 10 ** (decimals - found.decimals)
    if peak(values) * up < SAFE:
        return values.astype(np.int64) * np.int64(min(up, SAFE))  # beyond SAFE all values are 0
    return values.astype(object) * up


@dataclass(frozen=True)
class Demand:
    """What terms ask for, orders' and offers' alike; product, period: positions; level: scaled."""

    product: int
    period: int
    claim: str
    level: int
    schemes: frozenset[str]


@dataclass(frozen=True)
class Terms:
    """Every order's own terms (offer 0) and then its offers' in order of their names; shape (n,).

    order: position; offer: position in `offers`, the distinct names; demand: position in `demands`;
    premium: per t, scaled; names: of the orders (arrow). product_of, period_of, claim_of (positions),
    level_of (scaled), schemes_of (positions in `schemes`): of the distinct demands, shape (demands,).
    """

    order: Index
    offer: Index
    demand: Index
    premium: Integers
    offers: list[str]
    names: Any
    product_of: Index
    period_of: Index
    claim_of: Index
    level_of: Integers
    schemes_of: Index
    schemes: list[frozenset[str]]

    def find(self, order: Index, offer: Any) -> Index:
        """Positions of the terms of some orders (positions, -1: none) and offers (arrow), else -1."""
        offer = positions(offer, self.offers)
        asked = order * len(self.offers) + offer
        at = np.minimum(np.searchsorted(self._keys, asked), max(0, len(self._keys) - 1))
        there = (order >= 0) & (offer >= 0)
        there[there] = self._keys[at[there]] == asked[there]
        return np.where(there, at, -1)

    @cached_property
    def _keys(self) -> Index:
        return self.order * len(self.offers) + self.offer

    @cached_property
    def demands(self) -> list[Demand]:
        """The distinct demands."""
        columns = self.product_of, self.period_of, self.claim_of, self.level_of, self.schemes_of
        rows = zip(*(column.tolist() for column in columns), strict=True)
        return [Demand(p, t, CLAIMS[c], level, self.schemes[s]) for p, t, c, level, s in rows]

    @cached_property
    def own(self) -> Index:
        """The orders' own terms, shape (orders,)."""
        return np.flatnonzero(self.offer == 0)

    def offer_of(self, term: int) -> str:
        """Name of the offer; empty for an order's own terms."""
        return self.offers[self.offer[term]]

    def name(self, term: int) -> str:
        """`order`, or `order/offer`."""
        offer = self.offer_of(term)
        return str(self.names[int(self.order[term])]) + (f"/{offer}" if offer else "")


def terms_of(case: Case, decimals: int) -> Terms:
    """The terms of a case; decimals: of the scale."""
    orders, offers = case.orders, case.offers
    names, own = texts(orders, "order"), np.arange(len(orders))
    kinds = ["", *sorted(set(offers.text("offer")))]
    order = np.concatenate([own, positions(texts(offers, "order"), names)])
    offer = np.concatenate([np.zeros(len(own), np.intp), positions(texts(offers, "offer"), kinds)])
    at = np.lexsort((offer, order)) if len(offers) else own
    order, offer = order[at], offer[at]
    level, premium = (
        np.concatenate([scaled(orders, name, decimals), scaled(offers, name, decimals)])[at]
        for name in ("level", "premium_per_t")
    )
    product = positions(texts(orders, "product"), texts(case.products, "product"))[order]
    period = positions(texts(orders, "period"), texts(case.periods, "period"))[order]
    claim = positions(pa.concat_arrays([texts(orders, "claim"), texts(offers, "claim")]), CLAIMS)[at]
    sets, schemes = _schemes(texts(orders, "schemes"))
    schemes = schemes[order]
    demand = np.zeros(len(order), dtype=np.intp)
    for part in (product, period, claim, pd.factorize(level)[0], schemes):
        # one number for each distinct pair of what was seen so far and this part
        demand = pd.factorize(demand * (part.max(initial=0) + 1) + part)[0]
    first = np.unique(demand, return_index=True)[1]
    return Terms(
        order, offer, demand, premium, kinds, names,
        product[first], period[first], claim[first], level[first], schemes[first], sets,
    )  # fmt: skip


def _schemes(cells: Any) -> tuple[list[frozenset[str]], Index]:
    """The distinct sets of accepted schemes, and each order's; an order that lists none takes any."""
    words = pc.dictionary_encode(cells)
    lists = [frozenset(filter(None, map(str.strip, w.split(";")))) for w in words.dictionary.to_pylist()]
    sets = list(dict.fromkeys(lists))
    at = np.array([sets.index(one) for one in lists], dtype=np.intp)
    return sets, at[np.asarray(words.indices)]
