"""The case's model with firm orders apart, and what they draw and find in every sampled future.

Futures that say the same of firm orders and of the lots that serve them are one, with a weight.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from massbalance.domain.case import Case, IndexArray
from massbalance.domain.grid import GRID
from massbalance.formulation.problem import Problem, build_problem
from massbalance.formulation.recipes import SHARE_CLAIMS
from massbalance.robust.world import World
from massbalance.scenario.futures import Future

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Stock:
    """Lots that may serve firm orders, in some futures; shape (futures, lots).

    quantity: in the lot's unit; first, last: usable periods (first > last: none).
    """

    quantity: Floats
    first: IndexArray
    last: IndexArray


@dataclass(frozen=True)
class Sample:
    """S distinct futures of a problem whose firm orders share no recipe with others.

    A place is a pool that firm orders may draw on, in a period: position pool * periods + period, `pools`
    of them. pair, place: the n pairs of firm recipes, and the place of each, shape (n,); need: R2's factor
    on each, shape (S, n); lot_pool, origin (-1: no other lot here shares it): of the lots that serve them;
    stock: of the futures; planned: of the case, one row; weight: sampled futures that each one stands for,
    shape (S,); of_future: the distinct one of each sampled future.
    """

    problem: Problem
    pools: int
    periods: int
    pair: IndexArray
    place: IndexArray
    need: Floats
    lot_pool: IndexArray
    origin: IndexArray
    stock: Stock
    planned: Stock
    weight: IndexArray
    of_future: IndexArray

    def __len__(self) -> int:
        return len(self.weight)

    @property
    def count(self) -> int:
        """Number of sampled futures."""
        return len(self.of_future)

    def drawn(self, x: Floats) -> Floats:
        """What firm orders draw on each pool and period in each future, shape (S, pools, periods).

        x: amounts of all pairs of the problem.
        """
        amount = self.need * x[self.pair]
        found = np.zeros((len(self), self.pools * self.periods))
        for s in range(len(self)):
            found[s] = np.bincount(self.place, weights=amount[s], minlength=found.shape[1])
        return found.reshape(len(self), self.pools, self.periods)


def build_sample(case: Case, futures: Sequence[Future]) -> Sample:
    """The problem and its sampled futures."""
    world = World(case)
    gone, more = _cancelled(world, futures), _input(world, futures)
    problem = build_problem(case, apart=_apart(case, gone, more))
    pair, need = _needs(problem, gone, more)
    pools, pool = np.unique(problem.pairs.pool[pair], return_inverse=True)
    periods = len(case.periods)
    place = pool * periods + problem.recipes.period[problem.pairs.recipe[pair]]
    compact = np.full(len(problem.pools.ids) + 1, -1, dtype=np.intp)
    compact[pools] = np.arange(len(pools))
    lots = np.flatnonzero(compact[problem.pools.lot_pool] >= 0)
    stock, planned = _stock(world, futures, lots)
    first, of_future = _distinct(stock, need)
    return Sample(
        problem=problem,
        pools=len(pools),
        periods=periods,
        pair=pair,
        place=place.astype(np.intp),
        need=need[first],
        lot_pool=compact[problem.pools.lot_pool[lots]],
        origin=_origins(problem, lots),
        stock=Stock(stock.quantity[first], stock.first[first], stock.last[first]),
        planned=planned,
        weight=np.bincount(of_future, minlength=len(first)).astype(np.intp),
        of_future=of_future,
    )


def _cancelled(world: World, futures: Sequence[Future]) -> Bools:
    """Is the order cancelled? Shape (futures, orders)."""
    found = np.zeros((len(futures), len(world.order)), dtype=bool)
    for s, future in enumerate(futures):
        found[s, world.cancelled(future)] = True
    return found


def _input(world: World, futures: Sequence[Future]) -> Floats:
    """World.input_per_t of every product, shape (futures, products)."""
    found = np.ones((len(futures), len(world.product)))
    for s, future in enumerate(futures):
        for name in future.yields:
            p = world.product[name]
            found[s, p] = float(world.input_per_t(future, p))
    return found


def _apart(case: Case, gone: Bools, more: Floats) -> IndexArray:
    """A code of each order: 0 where not firm; firm ones share it where every future strikes them alike."""
    firm = np.flatnonzero(case.orders.flag("firm"))
    product = case.products.find(case.orders.text("product"))
    code = np.zeros(len(case.orders), dtype=np.intp)
    known: dict[bytes, int] = {}
    for order in firm.tolist():
        struck = gone[:, order].tobytes() + more[:, product[order]].tobytes()
        code[order] = known.setdefault(struck, len(known) + 1)
    return code


def _needs(problem: Problem, gone: Bools, more: Floats) -> tuple[IndexArray, Floats]:
    """Pairs of firm recipes, and what each unit planned becomes in every future, shape (futures, n).

    Nothing of a cancelled order. A share claim counts credited mass, so its material follows the yield; a
    reduction counts by the tonne of input and stays, as energy and projects do.
    """
    case, recipes, pairs = problem.case, problem.recipes, problem.pairs
    order = problem.terms.order[recipes.first_term]
    product = case.products.find(case.orders.text("product"))
    pair = np.flatnonzero(case.orders.flag("firm")[order][pairs.recipe])
    recipe = pairs.recipe[pair]
    by_yield = np.isin(recipes.claim.astype(str), SHARE_CLAIMS)[recipe]
    by_yield &= np.asarray(pairs.coefficients.material, dtype=bool)[pairs.pool[pair]]
    of_order = order[recipe]
    need = np.where(by_yield, more[:, product[of_order]], 1.0)
    return pair, np.where(gone[:, of_order], 0.0, need)


def _stock(world: World, futures: Sequence[Future], lots: IndexArray) -> tuple[Stock, Stock]:
    """Lots of every future, and as planned."""
    found = [world.lots(future) for future in futures]
    parts = [np.array([getattr(one, name)[lots] for one in found]) for name in ("quantity", "first", "last")]
    quantity, first, last = (part.reshape(len(found), len(lots)) for part in parts)
    plan = world.planned
    return (
        Stock(quantity / GRID, first.astype(np.intp), last.astype(np.intp)),
        Stock(
            plan.quantity[None, lots] / GRID,
            plan.first[None, lots].astype(np.intp),
            plan.last[None, lots].astype(np.intp),
        ),
    )


def _distinct(stock: Stock, need: Floats) -> tuple[IndexArray, IndexArray]:
    """The first future of each kind, and the kind of each future."""
    known: dict[bytes, int] = {}
    first: list[int] = []
    of_future = np.zeros(len(need), dtype=np.intp)
    for s in range(len(need)):
        told = (stock.quantity[s], stock.first[s], stock.last[s], need[s])
        key = b"".join(part.tobytes() for part in told)
        if key not in known:
            known[key] = len(first)
            first.append(s)
        of_future[s] = known[key]
    return np.array(first, dtype=np.intp), of_future


def _origins(problem: Problem, lots: IndexArray) -> IndexArray:
    """Code of the origin that a lot shares with another one of these, -1 for none."""
    place = {int(lot): i for i, lot in enumerate(lots)}
    found = np.full(len(lots), -1, dtype=np.intp)
    code = 0
    for groups in problem.pools.origin_groups.values():
        here = [place[lot] for g in groups for lot in problem.pools.group_lots[g] if lot in place]
        if len(here) > 1:
            found[here] = code
            code += 1
    return found
