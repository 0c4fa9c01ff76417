"""A run as rows of the ledger: pure, from its books and from what the ledger holds before.

Row by row the movements are the run's account: opening, received, allocated, blocked and expired of every
lot and period (A4.2.1), and beside it the effect of every lot or origin: realised, allocated, forgone,
expired, retired. Order within the journal: the rules and periods that are new; then, period by period,
what is carried over, what arrives, what orders take, what siblings block, what is forgone, what expires,
what is retired; then the claims and the residual. So no balance is below zero at any row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from massbalance.books.residual import Statement
from massbalance.books.value import sum_by
from massbalance.domain.case import IndexArray
from massbalance.domain.grid import IntArray, as_python_ints
from massbalance.ledger.drafts import Draft
from massbalance.ledger.lots import LotFacts, commodity_of
from massbalance.ledger.run_folder import Record, RunFolder
from massbalance.ledger.state import LotState

SCOPES = ("scope1", "scope2", "scope3")


@dataclass(frozen=True)
class Before:
    """What the ledger holds before the run.

    lots: the run's lots that it knows, by name; effects: commodity -> g CO2e held; waiting: effects of
    origins of which it holds a lot that is not in the run's books; periods: names that it knows; claims:
    order -> k of its next claim; residuals: (product, period) -> k of its next residual.
    """

    lots: Mapping[str, LotState]
    effects: Mapping[str, int]
    waiting: frozenset[str]
    periods: frozenset[str]
    claims: Mapping[str, int]
    residuals: Mapping[tuple[str, str], int]


def values(books: Statement, facts: LotFacts) -> dict[str, int]:
    """Effect commodity -> what its lots are worth in a run's books, g CO2e; of the lots that are in them."""
    worth: dict[str, int] = {}
    for lot in np.flatnonzero(books.window.received < books.account.closing.shape[1]):
        name = facts.effect(int(lot))
        worth[name] = worth.get(name, 0) + int(books.split.realised[lot])
    return worth


class Movements:
    """The rows of one run."""

    def __init__(self, run: RunFolder, books: Statement, before: Before) -> None:
        self.run, self.books, self.before = run, books, before
        self.case, self.allocation = run.case, run.allocation
        self.facts = LotFacts(run.case, books.effects, books.window)
        self.periods = list(run.case.periods.text("period"))
        self.starts = run.case.periods.days("start")
        self.names = self.facts.names
        self.inside = books.window.received < len(self.periods)
        self.entry = np.maximum(books.window.received, 0)

    def drafts(self) -> Iterator[Draft]:
        """All rows after the journal's header, in their order (but for the rules)."""
        yield from self._new_periods()
        for period in range(len(self.periods)):
            yield from self._carried(period)
            yield from self._arrivals(period)
            yield from self._realised(period)
            yield from self._allocated(period)
            yield from self._lot_moves("blocked", period)
            yield from self._effects("allocated", period)
            yield from self._effects("forgone", period)
            yield from self._lot_moves("expired", period)
            yield from self._effects("expired", period)
            yield from self._effects("retired", period)
        yield from self._claims()
        yield from self._residuals()

    # ---- facts ----------------------------------------------------------------------------------------

    def _new_periods(self) -> Iterator[Draft]:
        ends = self.case.periods.days("end")
        for name, start, end in zip(self.periods, self.starts, ends, strict=True):
            if name not in self.before.periods:
                details = {"start": str(start), "end": str(end)}
                yield Draft("period", name, key=f"period:{name}", details=details)

    def _claims(self) -> Iterator[Draft]:
        """One fact per order of which something is claimed."""
        sums = {
            name: sum_by(self.allocation.order, getattr(self.allocation, name), len(self.run.orders))
            for name in ("credited", *SCOPES)
        }
        for at in np.flatnonzero(self.allocation.claimed):
            row = self.run.orders[at]
            order = row["order"]
            figures = {f"{name}_g": int(values[at]) for name, values in sums.items()}
            key = f"claim:{order}:{self.before.claims.get(order, 1)}"
            yield Draft(
                "claim", row["period"], subject=order, key=key,
                details={
                    "run": self.run.key, **_without(row, "order", "period", "why"),
                    "claimed_g": int(self.allocation.claimed[at]), **figures,
                },
            )  # fmt: skip

    def _residuals(self) -> Iterator[Draft]:
        """One fact per product and period with production."""
        for row, found in zip(self.run.residual, self.books.residual.rows, strict=True):
            product, period = row["product"], row["period"]
            k = self.before.residuals.get((product, period), 1)
            yield Draft(
                "residual", period, subject=product, key=f"residual:{product}:{period}:{k}",
                details={
                    "run": self.run.key, **_without(row, "product", "period"),
                    "produced_g": found.produced, "claimed_g": found.claimed,
                    "baseline_g": list(found.baseline), "claimed_baseline_g": list(found.claimed_baseline),
                    "allocated_g": list(found.allocated), "released_g": list(found.released),
                    "green_g": found.green, "recycled_g": found.recycled,
                },
            )  # fmt: skip

    # ---- lots -----------------------------------------------------------------------------------------

    @cached_property
    def known(self) -> list[LotState | None]:
        """The ledger's state of each lot of the case."""
        return [self.before.lots.get(name) for name in self.names]

    def _is_new(self, lot: int) -> bool:
        return self.known[lot] is None

    def _reached(self, lot: int, period: int) -> bool:
        """Did the ledger's lot move in this period or later before the run?"""
        state = self.known[lot]
        return state is not None and state.reached is not None and state.reached >= self.starts[period]

    def _carried(self, period: int) -> Iterator[Draft]:
        account = self.books.account
        entering = account.opening[:, period] + np.where(self.entry == period, account.received[:, period], 0)
        name = self.periods[period]
        for lot in np.flatnonzero(entering).tolist():
            if self._is_new(lot):
                quantity = 0 if self.entry[lot] == period else int(account.opening[lot, period])
            else:
                quantity = 0 if self._reached(lot, period) else int(entering[lot])
            if quantity:
                yield Draft(
                    "carried_over", name, commodity_of(self.names[lot]), "held", "held", quantity,
                    subject=self.names[lot],
                )  # fmt: skip

    def _arrivals(self, period: int) -> Iterator[Draft]:
        name, window = self.periods[period], self.books.window
        for lot in np.flatnonzero(self.inside & (self.entry == period)).tolist():
            if not self._is_new(lot):
                continue
            yield from arrival(self.facts, lot, name, opening=bool(window.received[lot] < 0))

    def _allocated(self, period: int) -> Iterator[Draft]:
        name, a = self.periods[period], self.allocation
        offers = self.case.offers.text("offer")
        orders = self.case.orders.text("order")
        for at in self._rows_of[period]:
            lot = a.lot[at]
            yield Draft(
                "allocated", name, commodity_of(self.names[lot]), "held", "allocated", int(a.quantity[at]),
                subject=orders[a.order[at]],
                details={
                    "offer": offers[a.offer[at]] if a.offer[at] >= 0 else "",
                    "credited_g": int(a.credited[at]),
                    "scope1_g": int(a.scope1[at]), "scope2_g": int(a.scope2[at]),
                    "scope3_g": int(a.scope3[at]),
                },
            )  # fmt: skip

    def _lot_moves(self, what: str, period: int) -> Iterator[Draft]:
        column = getattr(self.books.account, what)[:, period]
        for lot in np.flatnonzero(column):
            yield Draft(
                what, self.periods[period], commodity_of(self.names[lot]), "held", what, int(column[lot]),
                subject=self.names[lot],
            )  # fmt: skip

    @cached_property
    def _row_period(self) -> IndexArray:
        """Period of each allocation row."""
        of_order = self.case.periods.find(self.case.orders.text("period"))
        return of_order[self.allocation.order]

    @cached_property
    def _rows_of(self) -> list[IndexArray]:
        """Allocation rows of each period, in the allocation's order."""
        by = np.argsort(self._row_period, kind="stable")
        bounds = np.searchsorted(self._row_period[by], np.arange(len(self.periods) + 1))
        return [by[a:b] for a, b in pairwise(bounds)]

    # ---- effects --------------------------------------------------------------------------------------

    @cached_property
    def values(self) -> dict[str, int]:
        """As the function `values`."""
        return values(self.books, self.facts)

    @cached_property
    def first_entry(self) -> dict[str, int]:
        """Commodity -> period in which the first of its lots is in the run's books.

        An origin's effect is there from then on, so before any lot of it is used.
        """
        first: dict[str, int] = {}
        for lot in np.flatnonzero(self.inside).tolist():
            name, at = self.facts.effect(lot), int(self.entry[lot])
            first[name] = min(first.get(name, at), at)
        return first

    def _realised(self, period: int) -> Iterator[Draft]:
        """The effect of what arrives; of a known origin, what a better measure adds or what is lost.

        An origin's lots are rounded down one by one when they are blocked, so what is left of them may be
        worth some grams less than what is held: that goes to nobody.
        """
        name = self.periods[period]
        for commodity, at in self.first_entry.items():
            if at != period:
                continue
            held = self.before.effects.get(commodity, 0)
            change = self.values[commodity] - held
            if change > 0:
                yield Draft("realised", name, commodity, "source", "held", change)
            elif change < 0 and commodity not in self.before.waiting:
                yield Draft(
                    "retired", name, commodity, "held", "retired", -change,
                    details={"reason": "the origin's lots that are left are worth less"},
                )  # fmt: skip

    def _effects(self, what: str, period: int) -> Iterator[Draft]:
        for commodity, amount in self._moves_of_effects[what][period].items():
            if amount:
                yield Draft(what, self.periods[period], commodity, "held", what, amount)

    @cached_property
    def _moves_of_effects(self) -> dict[str, list[dict[str, int]]]:
        """Kind -> period -> commodity -> g CO2e."""
        split, lots = self.books.split, np.arange(len(self.names), dtype=np.intp)
        home = split.home[self.allocation.lot]
        return {
            "allocated": self._by_commodity(home, self._row_period, self.allocation.reduction),
            "forgone": self._by_commodity(*self.books.forgone),
            "expired": self._by_commodity(lots, split.expired_in.astype(np.intp), split.expired),
            "retired": self._by_commodity(lots, self.books.retired_in, split.retired),
        }

    def _by_commodity(self, home: IndexArray, period: IndexArray, amount: IntArray) -> list[dict[str, int]]:
        periods = len(self.periods)
        sums = as_python_ints(sum_by(home * periods + period, amount, len(self.names) * periods))
        found: list[dict[str, int]] = [{} for _ in range(periods)]
        for at in np.flatnonzero(sums):
            name = self.facts.effect(int(at) // periods)
            here = found[int(at) % periods]
            here[name] = here.get(name, 0) + int(sums[at])
        return found


def arrival(facts: LotFacts, lot: int, period: str, *, opening: bool) -> Iterator[Draft]:
    """The fact of a lot and its receipt (`opening` where it was available before the first period)."""
    name, quantity = facts.names[lot], facts.quantity[lot]
    yield Draft("lot", period, subject=name, key=f"lot:{name}", details=facts.of(lot))
    if quantity:
        kind = "opening" if opening else "received"
        yield Draft(kind, period, commodity_of(name), "source", "held", quantity, subject=name)


def _without(row: Record, *columns: str) -> Record:
    return {name: text for name, text in row.items() if name not in columns}
