"""Reservations as firm orders of a case: what else stands in a promise's way, in the words of orders.

What comes out of it is told as of the book, and a relaxation is tried as a quote would count it: the
reservations laid upon the changed case.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from massbalance.domain.case import Case, Table
from massbalance.domain.grid import GRID, Column, decimal_text
from massbalance.quote.amends import QUOTE, Part
from massbalance.quote.ask import Ask, case_of
from massbalance.quote.change import Edit, changed
from massbalance.quote.explain import Explanation, explain
from massbalance.quote.limits import Clash
from massbalance.quote.losers import LEAST_T
from massbalance.quote.mend import Relaxation, Trial, amended, answered, firm_part
from massbalance.quote.promise import PROMISED
from massbalance.quote.reservations import TABLE
from massbalance.quote.reserved import Kept, ask_of

if TYPE_CHECKING:
    from massbalance.quote.session import Session


def why_not(session: Session, kept: Sequence[Kept], day: date, ask: Ask, feasible: float) -> Explanation:
    """`explain`, beside what is kept of each reservation in force on a day."""
    book = _Book(session, {name_of(session.case, one): one for one in kept if one.held}, day)
    return book.told(explain(book.beside(session.case), ask, feasible, again=lambda e: book.again(ask, e)))


def name_of(case: Case, one: Kept) -> str:
    """What a reservation is called as an order; no order of the case is called so."""
    name = f"reservation {one.reservation.name}"
    while name in case.orders.position:
        name += " of the book"
    return name


@dataclass(frozen=True)
class _Book:
    """What is kept, by its name as an order, of a session's case on a day."""

    session: Session
    kept: dict[str, Kept]
    day: date

    def beside(self, case: Case) -> Session:
        """A session on a case with the reservations as firm orders, each keeping what is kept of it."""
        made = self.session.again(with_reservations(case, list(self.kept.values())))
        position = made.case.orders.position
        held = {position[name]: one.held / GRID for name, one in self.kept.items()}
        if any(made.claimed[at] < mass - LEAST_T for at, mass in held.items()):
            # with the margin first a run gives orders without a premium nothing: what the book keeps counts
            before = dict(zip(self.session.case.orders.text("order"), self.session.claimed, strict=True))
            names = made.case.orders.text("order")
            made.claimed = np.array([held.get(at, before.get(name, 0.0)) for at, name in enumerate(names)])
        return made

    def again(self, ask: Ask, edits: Sequence[Edit]) -> Trial:
        """The changed case, the changed book upon it, asked again; no reservation may be short."""
        of_case = [e for e in edits if e.table != QUOTE and e.key[:1] not in {(n,) for n in self.kept}]
        fewer = [(one, self._left(name, edits)) for name, one in self.kept.items()]
        wanted = [(one, mass) for one, mass in fewer if mass]
        case, ask = changed(self.session.case, of_case), amended(ask, edits)
        quoted = self.session.again(firm_part(case))
        found = quoted.stand_on([replace(one.reservation, mass=mass) for one, mass in wanted])
        fits = all(now.held >= mass for now, (_, mass) in zip(found, wanted, strict=True))
        if fits and answered(quoted, ask).whole:
            return Trial(quoted, ask, True)
        less = _Book(
            self.session, {n: replace(o, held=self._left(n, edits)) for n, o in self.kept.items()}, self.day
        )
        return Trial(less.beside(case), ask, False)

    def _left(self, name: str, edits: Sequence[Edit]) -> int:
        """What a reservation holds after some edits, g."""
        held = self.kept[name].held
        for edit in edits:
            if edit.table == "orders" and edit.key == (name,):
                held = 0 if edit.column == "firm" else int(Fraction(edit.new) * GRID)
        return held

    # ---- in the words of the book ---------------------------------------------------------------------

    def told(self, found: Explanation) -> Explanation:
        """The same with rows and changes of the book, where they are reservations'."""
        return replace(
            found,
            conflict=tuple(self._clash(one) for one in found.conflict),
            relaxations=tuple(
                Relaxation(tuple(self._part(part) for part in one.parts)) for one in found.relaxations
            ),
        )

    def _clash(self, one: Clash) -> Clash:
        if one.kind != PROMISED:
            return one
        rows = tuple(
            (TABLE, (self.kept[key[0]].reservation.name,), column)
            if key[0] in self.kept
            else (table, key, column)
            for table, key, column in one.rows
        )
        # it stands behind all orders, whatever number that would be
        alone = len(one.rows) == 1 and rows != one.rows
        words = re.sub(r", priority [0-9]+", "", one.words) if alone else one.words
        return replace(one, rows=rows, words=words)

    def _part(self, part: Part) -> Part:
        mine = next((e for e in part.edits if e.table == "orders" and e.key[0] in self.kept), None)
        if mine is None:
            return part
        one = self.kept[mine.key[0]]
        key = (one.reservation.name,)
        if mine.column == "firm":
            who = f"{mine.key[0]} ({one.reservation.customer})"
            words = f"{who} is released: it loses its {decimal_text(one.held)} t"
            return replace(
                part, words=words, edits=(Edit(TABLE, key, "released_on", "", self.day.isoformat()),)
            )
        old = decimal_text(one.reservation.mass)
        return replace(part, edits=(replace(mine, table=TABLE, key=key, old=old),))


def with_reservations(case: Case, kept: Sequence[Kept]) -> Case:
    """The case with what is kept of each reservation as a firm order behind all others, in their order."""
    asks = [
        (name_of(case, one), replace(ask_of(case, one.reservation), mass=one.held))
        for one in kept
        if one.held
    ]
    if not asks:
        return case
    orders, rank = case.orders, {name_of(case, one): n for n, one in enumerate(kept)}
    behind = int(orders.floats("priority").max(initial=0.0)) + 1
    found = case_of(case, asks).orders
    priority = [Fraction(behind + rank[name]) for name, _ in asks]
    customer = {name_of(case, one): one.reservation.customer for one in kept}
    exact = {**found.exact, "priority": Column.from_fractions(priority)}
    rows = found.rows.assign(
        customer=[customer[name] for name, _ in asks],
        firm=True,
        priority=[float(p) for p in priority],
    )
    every = pd.concat([orders.rows, rows.astype(orders.rows.dtypes.to_dict())], ignore_index=True)
    order = np.argsort(every["order"].astype(object).to_numpy(), kind="stable")
    table = Table(
        "orders",
        every.iloc[order].reset_index(drop=True),
        {name: column.joined(exact[name]).take(order) for name, column in orders.exact.items()},
        np.concatenate([orders.source_row, found.source_row])[order],
    )
    return replace(case, tables={**case.tables, "orders": table})
