"""What a future can give, without its flows: Hall's condition and its generalisation to shared origins.

In a future, firm orders can draw U[k,t] if and only if for every price a[k,t] >= 0

    sum a[k,t] U[k,t] <= support(a) = sum over lots of quantity * greatest a in the lot's window
                                      (lots of one origin: only the dearest of them)

which is the dual of the flows g[l,t] (R1 to R3, models/ROBUST.md). Without a shared origin prices of 0 and 1
in one pool are enough: the mass of some periods is at most what the lots that reach them hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse
from scipy.optimize import linprog

from massbalance.domain.case import IndexArray
from massbalance.robust.sample import Bools, Floats, Sample, Stock

SAME = 1e-12
"""Supports this close, relative, are the same."""
PRICE_DECIMALS = 6
"""Prices from an LP are rounded to this: any price is valid, equal ones are told to be, and HiGHS would drop
what is below 1e-9."""


@dataclass(frozen=True)
class Violated:
    """A price at which a future gives less than is drawn: future, price over places (flat), by how much."""

    future: int
    price: Floats
    by: float


class Oracle:
    """Finds what a future cannot give, and what any future can give at most at a price."""

    def __init__(self, sample: Sample) -> None:
        self.sample = sample
        self.pool_has_origin = np.zeros(sample.pools, dtype=bool)
        self.pool_has_origin[sample.lot_pool[sample.origin >= 0]] = True

    @cached_property
    def reached(self) -> Floats:
        """[s,k,i,j]: what lots of pool k hold that reach period j and no period before i.

        Shape (S, pools, periods + 1, periods).
        """
        of, stock = self.sample, self.sample.stock
        member = np.zeros((len(of.lot_pool), of.pools))
        member[np.arange(len(of.lot_pool)), of.lot_pool] = 1.0
        found = np.zeros((len(of), of.pools, of.periods + 1, of.periods))
        for j in range(of.periods):
            there = (stock.first <= j) & (j <= stock.last)
            for i in range(j + 1):
                found[:, :, i, j] = (stock.quantity * (there & (stock.first >= i))) @ member
        return found

    def violated(self, drawn: Floats, futures: Bools, least: float) -> list[Violated]:
        """Prices at which these futures give less than is drawn, by more than `least`.

        drawn: shape (S, pools, periods); futures: which to look at, shape (S,). By pool the worst set of
        periods, and where that is fine everywhere, the worst price of pools with a shared origin.
        """
        chosen = np.flatnonzero(futures)
        if not len(chosen) or not self.sample.pools:
            return []
        found = self._by_pool(drawn, chosen, least)
        if self.pool_has_origin.any():
            bad = {one.future for one in found if self._of_origins(one.price)}
            rest = np.array([s for s in chosen.tolist() if s not in bad], dtype=np.intp)
            found += self._by_origin(drawn, rest, least)
        return found

    def _of_origins(self, price: Floats) -> bool:
        pools = np.flatnonzero(price.reshape(self.sample.pools, -1).any(axis=1))
        return bool(self.pool_has_origin[pools].any())

    def _by_pool(self, drawn: Floats, chosen: IndexArray, least: float) -> list[Violated]:
        """The set of periods with the greatest lack, by future and pool: longest chains over periods.

        A lot's window has no gaps, so of the lots that reach period j those are new to a chain which begin
        after the chain's period before j.
        """
        of, reached, drawn = self.sample, self.reached[chosen], drawn[chosen]
        value = np.zeros(drawn.shape)
        before = np.zeros(drawn.shape, dtype=np.intp)
        for j in range(of.periods):
            options = [-reached[:, :, 0, j]]
            options += [value[:, :, t] - reached[:, :, t + 1, j] for t in range(j)]
            stacked = np.stack(options)
            before[:, :, j] = stacked.argmax(axis=0) - 1
            value[:, :, j] = drawn[:, :, j] + stacked.max(axis=0)
        last, lack = value.argmax(axis=2), value.max(axis=2)
        found = []
        for s, k in zip(*np.nonzero(lack > least), strict=True):
            price = np.zeros(of.pools * of.periods)
            t = int(last[s, k])
            while t >= 0:
                price[k * of.periods + t] = 1.0
                t = int(before[s, k, t])
            found.append(Violated(int(chosen[s]), price, float(lack[s, k])))
        return found

    def _by_origin(self, drawn: Floats, chosen: IndexArray, least: float) -> list[Violated]:
        """Least lack of the pools that share origins, all futures in one LP; prices are its duals."""
        of = self.sample
        blocks = [block for s in chosen.tolist() if (block := self._block(drawn[s], s)) is not None]
        if not blocks:
            return []
        matrix = scipy.sparse.block_diag([block.matrix for block in blocks], format="csr")
        upper = np.concatenate([block.upper for block in blocks])
        cost = np.concatenate([block.cost for block in blocks])
        answer = linprog(cost, A_ub=matrix, b_ub=upper, method="highs")
        if answer.status != 0:
            raise ArithmeticError(f"a linear program that always has an answer: {answer.message}")
        found, at = [], 0
        for block in blocks:
            dual = np.maximum(0.0, -answer.ineqlin.marginals[at : at + len(block.upper)])
            at += len(block.upper)
            price = np.zeros(of.pools * of.periods)
            price[block.place] = np.round(dual[len(dual) - len(block.place) :], PRICE_DECIMALS)
            by = float(price @ drawn[block.future].ravel()) - float(
                self.support(price[None], of.stock, np.array([block.future]))[0]
            )
            if by > least:
                found.append(Violated(block.future, price, by))
        return found

    def _block(self, drawn: Floats, future: int) -> _Block | None:
        """Flows g[l,t] of the lots in pools with shared origins, and what is lacking at each place."""
        of, stock = self.sample, self.sample.stock
        place = np.flatnonzero((drawn > 0).ravel() & np.repeat(self.pool_has_origin, of.periods))
        if not len(place):
            return None
        pool, period = place // of.periods, place % of.periods
        first, last, quantity = (a[future] for a in (stock.first, stock.last, stock.quantity))
        lots = np.flatnonzero(self.pool_has_origin[of.lot_pool] & (quantity > 0) & (first <= last))
        row, lot = np.nonzero(
            (of.lot_pool[lots][None, :] == pool[:, None])
            & (first[lots][None, :] <= period[:, None])
            & (period[:, None] <= last[lots][None, :])
        )
        flows, places = len(row), len(place)
        origin = of.origin[lots]
        codes = np.unique(origin[origin >= 0])
        size = {int(c): float(quantity[lots][origin == c].max()) for c in codes}
        shared = origin[lot] >= 0
        of_code = np.searchsorted(codes, origin[lot[shared]])
        share = np.array([size[int(c)] for c in origin[lot[shared]]]) / quantity[lots[lot[shared]]]
        flow = np.arange(flows)
        rows = np.concatenate([lot, len(lots) + of_code, len(lots) + len(codes) + row])
        columns = np.concatenate([flow, flow[shared], flow])
        values = np.concatenate([np.ones(flows), share, -np.ones(flows)])
        lack = len(lots) + len(codes) + np.arange(places)
        rows, columns = np.concatenate([rows, lack]), np.concatenate([columns, flows + np.arange(places)])
        values = np.concatenate([values, -np.ones(places)])
        shape = (len(lots) + len(codes) + places, flows + places)
        upper = np.concatenate([quantity[lots], [size[int(c)] for c in codes], -drawn.ravel()[place]])
        cost = np.concatenate([np.zeros(flows), np.ones(places)])
        matrix = scipy.sparse.csr_array((values, (rows, columns)), shape=shape)
        return _Block(future, place, matrix, upper, cost)

    def support(self, price: Floats, stock: Stock, futures: IndexArray | None = None) -> Floats:
        """What each future gives at most at a price; price: (1 or futures, places). Shape (futures,)."""
        of = self.sample
        pools = np.flatnonzero(price.reshape(len(price), of.pools, of.periods).any(axis=(0, 2)))
        lots = np.flatnonzero(np.isin(of.lot_pool, pools))
        rows = np.arange(len(stock.quantity)) if futures is None else futures
        first, last = stock.first[np.ix_(rows, lots)], stock.last[np.ix_(rows, lots)]
        quantity = stock.quantity[np.ix_(rows, lots)]
        pool = np.searchsorted(pools, of.lot_pool[lots])
        table = price.reshape(len(price), of.pools, of.periods)[:, pools]
        dearest = np.zeros((*table.shape, of.periods))
        for i in range(of.periods):
            dearest[:, :, i, i:] = np.maximum.accumulate(table[:, :, i:], axis=2)
        which = np.arange(len(price))[:, None] if len(price) > 1 else 0
        inside = first <= last
        top = dearest[which, pool[None, :], np.where(inside, first, 0), np.where(inside, last, 0)]
        worth = quantity * np.where(inside, top, 0.0)
        origin = of.origin[lots]
        total: Floats = worth[:, origin < 0].sum(axis=1)
        for code in np.unique(origin[origin >= 0]):
            total = total + worth[:, origin == code].max(axis=1)
        return total


@dataclass(frozen=True)
class _Block:
    """min cost v, matrix v <= upper, v >= 0, of one future; its last rows are those of the places."""

    future: int
    place: IndexArray
    matrix: scipy.sparse.csr_array
    upper: Floats
    cost: Floats


@dataclass(frozen=True)
class Cut:
    """At one price: sum coefficient x <= most of every future that is kept.

    pair: positions among the sample's firm pairs, ascending; coefficient: of each; most: shape (S,), inf
    where a future is no narrower than the case as planned; planned: what the case itself gives; own: which
    futures need the same of these pairs, so that `most` says all of them at this price, shape (S,).
    """

    pair: IndexArray
    coefficient: Floats
    most: Floats
    planned: float
    own: Bools


def cut(oracle: Oracle, violated: Violated, reserve: float) -> Cut:
    """The cut of a price at the needs of one future, for all futures.

    Where another future needs more (or less) of what is drawn, its own limit is carried over: its support
    at the greatest ratio of the needs. reserve: units that booking may round up, for each firm pair.
    """
    of = oracle.sample
    value = violated.price[of.place] * of.need[violated.future]
    pair = np.flatnonzero(value > 0)
    place, mine = of.place[pair], of.need[violated.future, pair]
    price = np.zeros(len(violated.price))
    price[place] = violated.price[place]
    with np.errstate(divide="ignore"):
        ratio = mine / of.need[:, pair]
    prices = price[None]
    if (ratio != 1.0).any():
        most_of = np.zeros((len(of), len(price)))
        for s in range(len(of)):
            np.maximum.at(most_of[s], place, ratio[s])
        prices = most_of * price
    # a future in which an order of these is cancelled tells nothing at this price
    told = np.isfinite(prices).all(axis=1)
    most = np.where(told, oracle.support(np.where(np.isfinite(prices), prices, 0.0), of.stock), np.inf)
    as_planned = np.zeros(len(price))
    np.maximum.at(as_planned, place, price[place] * mine)
    planned = float(oracle.support(as_planned[None], of.planned)[0])
    narrower = most < planned * (1 - SAME)
    rounding = reserve * float(value[pair].sum())
    own = (ratio == 1.0).all(axis=1)
    return Cut(pair, value[pair], np.where(narrower, most - rounding, np.inf), planned, own)
