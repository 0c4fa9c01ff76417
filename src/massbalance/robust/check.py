"""Would an allocation's firm promises be kept? Future by future, in integers, without a solver's word.

A future keeps the promises of a booked allocation if what its firm orders draw (those not cancelled, more
input where the yield is poorer) can be drawn from the lots as they come: lots alike in all but quantity and
dates stand in for each other, and no other order draws anything. Lots that share no origin are dealt out the
earliest-expiring first, which finds a way if there is one. Where origins are shared a linear program proposes
flows, and what counts is whether they hold when rounded down to whole millionths.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy.special import betaincinv

from massbalance.domain.case import Case
from massbalance.domain.grid import GRID
from massbalance.domain.result import Allocation
from massbalance.formulation.recipes import SHARE_CLAIMS
from massbalance.robust.flows import Place, Source, dealt
from massbalance.robust.world import Lots, World
from massbalance.scenario.futures import Future
from massbalance.verification.facts import Facts

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Lack:
    """What a future lacks: a lot of the kind that runs out, the period, and how much (in its unit)."""

    lot: str
    period: str
    quantity: Fraction
    uom: str


@dataclass(frozen=True)
class Kept:
    """How many of some futures keep the promises; low, high: of the share, with CONFIDENCE (Clopper-Pearson:
    never less than that, whatever the true share is).
    """

    kept: int
    of: int

    @property
    def share(self) -> float:
        """Kept ones of all."""
        return self.kept / self.of

    @property
    def low(self) -> float:
        """The least true share that would give as many with a chance of half of what CONFIDENCE leaves."""
        if self.kept == 0:
            return 0.0
        return float(betaincinv(self.kept, self.of - self.kept + 1, (1 - CONFIDENCE) / 2))

    @property
    def high(self) -> float:
        """The same, the greatest."""
        if self.kept == self.of:
            return 1.0
        return float(betaincinv(self.kept + 1, self.of - self.kept, (1 + CONFIDENCE) / 2))


@dataclass(frozen=True)
class _Draw:
    """One allocation row of a firm order."""

    order: int
    product: int
    kind: int
    period: int
    quantity: int
    by_yield: bool


class Check:
    """The firm promises of one booked allocation."""

    def __init__(self, case: Case, allocation: Allocation) -> None:
        self.case, self.world, self.facts = case, World(case), Facts(case)
        self.kind = self.facts.kind
        self.draws = self._draws(allocation)
        self.used = {draw.kind for draw in self.draws}
        self.lots_of: dict[int, list[int]] = {kind: [] for kind in self.used}
        for lot, kind in enumerate(self.kind.tolist()):
            if kind in self.used:
                self.lots_of[kind].append(lot)
        self.tied = self._tied()

    def _draws(self, allocation: Allocation) -> list[_Draw]:
        case, orders = self.case, self.case.orders
        firm = orders.flag("firm")
        product = case.products.find(orders.text("product"))
        period = case.periods.find(orders.text("period"))
        own, offered = orders.text("claim"), case.offers.text("claim")
        material = case.lots.text("kind") == "material"
        found = []
        for i in np.flatnonzero(firm[allocation.order]).tolist():
            order, lot, offer = (int(a[i]) for a in (allocation.order, allocation.lot, allocation.offer))
            claim = own[order] if offer < 0 else offered[offer]
            by_yield = bool(material[lot]) and claim in SHARE_CLAIMS
            quantity = int(allocation.quantity[i])
            kind = int(self.kind[lot])
            found.append(_Draw(order, int(product[order]), kind, int(period[order]), quantity, by_yield))
        return found

    def _tied(self) -> set[int]:
        """Kinds used with a lot whose origin is that of another lot of such a kind."""
        names = self.case.lots.text("origin")
        found: dict[str, list[int]] = {}
        for kind, lots in self.lots_of.items():
            for lot in lots:
                if names[lot]:
                    found.setdefault(str(names[lot]), []).append(kind)
        return {kind for kinds in found.values() if len(kinds) > 1 for kind in kinds}

    def wanted(self, future: Future) -> dict[Place, int]:
        """Millionths that firm orders draw on each kind of lots in each period."""
        gone = set(self.world.cancelled(future).tolist())
        more = {self.world.product[name]: Fraction(0) for name in future.yields}
        more = {product: self.world.input_per_t(future, product) for product in more}
        found: dict[Place, int] = {}
        for draw in self.draws:
            if draw.order not in gone:
                ratio = more.get(draw.product) if draw.by_yield else None
                quantity = draw.quantity if ratio is None else -(-draw.quantity * ratio // 1)
                place = draw.kind, draw.period
                found[place] = found.get(place, 0) + int(quantity)
        return found

    def lacks(self, future: Future) -> list[Lack]:
        """What the future lacks, empty where it keeps the promises. Exact."""
        wanted, lots = self.wanted(future), self.world.lots(future)
        found = [
            (kind, period, lack)
            for kind in sorted(self.used - self.tied)
            for period, lack in self._dealt(kind, wanted, lots)
        ]
        alone = {place: want for place, want in wanted.items() if place[0] in self.tied}
        if alone:
            found += self._flowing(alone, lots)
        return [self._told(*one) for one in found]

    def _told(self, kind: int, period: int, lack: int) -> Lack:
        lots, first = self.case.lots, self.lots_of[kind][0]
        names = lots.text("lot"), self.case.periods.text("period"), lots.text("uom")
        return Lack(str(names[0][first]), str(names[1][period]), Fraction(lack, GRID), str(names[2][first]))

    def _dealt(self, kind: int, wanted: dict[Place, int], lots: Lots) -> list[tuple[int, int]]:
        """Lots of one kind, the earliest-expiring first: (period, lacking millionths)."""
        arriving: dict[int, list[list[int]]] = {}
        for lot in self.lots_of[kind]:
            first, last = int(lots.first[lot]), int(lots.last[lot])
            if first <= last:
                arriving.setdefault(max(0, first), []).append([last, int(lots.quantity[lot])])
        there: list[list[int]] = []
        found = []
        for period in range(len(self.case.periods)):
            for one in arriving.get(period, ()):
                heapq.heappush(there, one)
            while there and there[0][0] < period:
                heapq.heappop(there)
            want = wanted.get((kind, period), 0)
            while want and there:
                taken = min(want, there[0][1])
                there[0][1] -= taken
                want -= taken
                if there[0][1] == 0:
                    heapq.heappop(there)
            if want:
                found.append((period, want))
        return found

    def _flowing(self, wanted: dict[Place, int], lots: Lots) -> list[tuple[int, int, int]]:
        """Kinds whose lots share origins: (kind, period, lacking millionths)."""
        names = self.case.lots.text("origin")
        got = dealt(
            [
                Source(
                    int(lots.quantity[lot]), str(names[lot]), kind, int(lots.first[lot]), int(lots.last[lot])
                )
                for kind in sorted({kind for kind, _ in wanted})
                for lot in self.lots_of[kind]
                if lots.quantity[lot] > 0
            ],
            wanted,
        )
        return [(*place, want - got[place]) for place, want in sorted(wanted.items()) if got[place] < want]

    def kept(self, futures: Iterable[Future]) -> Kept:
        """How many of these futures keep the promises."""
        lacking = [bool(self.lacks(future)) for future in futures]
        return Kept(lacking.count(False), len(lacking))
