"""Orders of a case that fall short: the same questions as of a quote, asked of an order that is there.

The order is taken out, what ranks below it too, and asked for beside the rest.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from massbalance.domain.case import Case
from massbalance.domain.faults import CaseRefused, Fault
from massbalance.domain.grid import decimal_text
from massbalance.formulation.problem import Problem, build_problem
from massbalance.quote.amends import QUOTE, Part
from massbalance.quote.answer import exact, shown
from massbalance.quote.ask import Ask
from massbalance.quote.change import Edit, cell, changed, joined, row_at, taken, with_figures, with_words
from massbalance.quote.explain import Explanation, explain
from massbalance.quote.held import Run, held_orders
from massbalance.quote.limits import Clash
from massbalance.quote.losers import LEAST_T, claimed
from massbalance.quote.mend import Relaxation, Trial, answered
from massbalance.quote.promise import PROMISED
from massbalance.solving.assembly import assemble
from massbalance.solving.compiled import Compiled
from massbalance.solving.lean import lean
from massbalance.solving.methods import solve as solve_compiled
from massbalance.solving.solution import Solution

if TYPE_CHECKING:
    from massbalance.quote.session import Session

NOT_FIRM = (
    "the order is not firm: beside it every other order keeps what this run gives it; a new run would share "
    "out again, and holds credits for it only if it is firm"
)
FITS = "all of it fits beside the others: it is its price, or the order of the goals, that leaves it short"


@dataclass(frozen=True)
class Shortfall:
    """An order that gets less than its mass, and why.

    priority: None where it is not firm; claimed_t: by the run; feasible_t: beside orders of a higher
    rank, and what the run gives others of its own.
    """

    order: str
    customer: str
    priority: int | None
    mass_t: float
    claimed_t: float
    feasible_t: float
    ask: Ask
    explanation: Explanation

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        ask = self.ask
        return {
            "order": self.order,
            "customer": self.customer,
            "product": ask.product,
            "period": ask.period,
            "claim": ask.claim,
            "level": exact(ask.level),
            "schemes": list(ask.schemes),
            "priority": self.priority,
            "mass_t": Decimal(decimal_text(ask.mass)),
            "claimed_t": shown(round(self.claimed_t, 6)),
            "short_t": shown(round(float(self.mass_t - self.claimed_t), 6)),
            "feasible_t": shown(self.feasible_t),
            **self.explanation.as_dict(),
        }


def short_orders(session: Session) -> list[str]:
    """Firm orders that the run leaves short, those of the first priority first, then the shortest."""
    orders = session.case.orders
    lacks = orders.floats("mass_t") - session.claimed
    found = np.flatnonzero(orders.flag("firm") & (lacks >= LEAST_T)).tolist()
    rank = orders.floats("priority")
    names = orders.text("order")
    by_rank = sorted(found, key=lambda n: (rank[n], -round(float(lacks[n]), 6), names[n]))
    return [str(names[n]) for n in by_rank]


def lacking(session: Session, order: str) -> float:
    """What the run leaves an order short of, t. CaseRefused where the case has no such order."""
    at = _position(session.case, order)
    return float(session.case.orders.floats("mass_t")[at] - session.claimed[at])


def _position(case: Case, order: str) -> int:
    at = case.orders.position.get(order)
    if at is None:
        near = difflib.get_close_matches(order, list(case.orders.position), n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        fault = Fault("orders", None, "order", order, f"an order of the case{hint}", "unknown_reference")
        raise CaseRefused([fault])
    return at


def why_short(session: Session, order: str) -> Shortfall:
    """Why an order gets less than its mass. CaseRefused where the case has no such order."""
    case, at = session.case, _position(session.case, order)
    ask, firm = _asked(case, at), bool(case.orders.flag("firm")[at])
    beside = session.again(_beside(session, at))
    found = answered(beside, ask)
    tie = firm and _equals_short(session, at)
    told = explain(
        beside,
        ask,
        found.feasible,
        periods=_periods(case, at),
        again=partial(_rerun, session, order) if tie else None,
    )
    notes = [*told.notes, *([] if firm else [NOT_FIRM])]
    if found.feasible >= ask.mass_t:
        notes.insert(0, FITS)
    conflict = tuple(_told(case, one) for one in told.conflict)
    mended = tuple(_of_order(case, order, one) for one in told.relaxations)
    return Shortfall(
        order=order,
        customer=str(case.orders.rows["customer"].iloc[at]),
        priority=int(case.orders.floats("priority")[at]) if firm else None,
        mass_t=ask.mass_t,
        claimed_t=float(session.claimed[at]),
        feasible_t=found.feasible,
        ask=ask,
        explanation=replace(told, conflict=conflict, relaxations=mended, notes=tuple(notes)),
    )


def _asked(case: Case, at: int) -> Ask:
    """An order's own terms as an ask."""
    orders = case.orders
    row = orders.rows.iloc[at]
    schemes = tuple(sorted({part.strip() for part in str(row["schemes"]).split(";")} - {""}))
    return Ask(
        str(row["product"]), str(row["period"]), int(orders.grid("mass_t")[at]), str(row["claim"]),
        orders.exact["level"].fraction(at), None, schemes,
    )  # fmt: skip


def _beside(run: Run, at: int) -> Case:
    """The case with those orders alone that keep what they have.

    Beside a firm order: firm ones of a higher rank, and what the run gives those of its own. Beside another:
    all firm orders, and what the run gives the rest.
    """
    case, orders = run.case, run.case.orders
    firm, rank = orders.flag("firm"), orders.floats("priority")
    others = np.arange(len(orders)) != at
    if firm[at]:
        above, equal = firm & (rank < rank[at]), firm & (rank == rank[at])
        last = Fraction(int(rank[at]))
    else:
        above, equal = firm, ~firm
        last = Fraction(int(rank[firm].max(initial=0.0)) + 1)
    held = held_orders(run, others & equal)
    kept = with_words(held.case.orders, "firm", [True] * len(held.order))
    kept = with_figures(kept, "priority", [last] * len(held.order))
    beside = _only(case, others & above)
    return replace(beside, tables={**beside.tables, "orders": joined(beside.orders, kept)})


def _equals_short(session: Session, at: int) -> bool:
    """Is another firm order of its rank short, too? Then a run may give what is added to that one."""
    orders = session.case.orders
    lacks = orders.floats("mass_t") - session.claimed >= LEAST_T
    same = orders.flag("firm") & (orders.floats("priority") == orders.floats("priority")[at])
    lacks[at] = False
    return bool((lacks & same).any())


def _rerun(session: Session, order: str, edits: Sequence[Edit]) -> Trial:
    """The whole case changed and decided again: does the order get all of its mass from that run?"""
    case = changed(session.case, [_edit_of_order(session.case, order, e) for e in edits])
    run, at = _decided(session, case), _position(case, order)
    if float(case.orders.floats("mass_t")[at] - run.claimed[at]) < LEAST_T:
        return Trial(session, _asked(case, at), True)
    return Trial(session.again(_beside(run, at)), _asked(case, at), False)


@dataclass
class _Decided:
    """A case decided as a run would, without what a session needs beside (held.Run)."""

    case: Case
    problem: Problem
    compiled: Compiled
    base: Solution
    claimed: npt.NDArray[np.float64]


def _decided(session: Session, case: Case) -> _Decided:
    problem = build_problem(case)
    compiled = lean(problem, assemble(problem))
    base = solve_compiled(problem, compiled, time_limit=session.time_limit, gap=session.gap)
    return _Decided(case, problem, compiled, base, claimed(problem, compiled, base.columns))


def _only(case: Case, which: npt.NDArray[np.bool_]) -> Case:
    orders = taken(case.orders, np.flatnonzero(which).astype(np.intp))
    names = set(orders.text("order"))
    kept = [n for n, order in enumerate(case.offers.text("order")) if order in names]
    offers = taken(case.offers, np.array(kept, dtype=np.intp))
    return replace(case, tables={**case.tables, "orders": orders, "offers": offers})


def _periods(case: Case, at: int) -> list[str]:
    """Later periods in which the product is made in quantities that leave room for the order."""
    row, mass = case.orders.rows.iloc[at], int(case.orders.grid("mass_t")[at])
    product, room = str(row["product"]), dict.fromkeys(case.periods.text("period"), 0)
    for table, sign in ((case.production, 1), (case.orders, -1)):
        same = (table.rows["product"] == product).to_numpy()
        periods, grams = table.text("period")[same], table.grid("mass_t")[same]
        for period, amount in zip(periods, grams, strict=True):
            room[period] += sign * int(amount)
    return [str(period) for period, left in room.items() if left >= mass]


def _told(case: Case, clash: Clash) -> Clash:
    """What the run gives an order that is not firm is not promised to it."""
    if clash.kind != PROMISED or case.orders.flag("firm")[case.orders.position[clash.rows[0][1][0]]]:
        return clash
    words = re.sub(r",? ?priority [0-9]+", "", clash.words.removeprefix("promised to "))
    return replace(clash, words=f"given by the run, not firm, to {words}")


def _of_order(case: Case, order: str, one: Relaxation) -> Relaxation:
    """A relaxation whose changes are those of the case: the terms asked for are the order's own row."""
    return Relaxation(tuple(_part_of_order(case, order, part) for part in one.parts))


def _part_of_order(case: Case, order: str, part: Part) -> Part:
    return replace(part, edits=tuple(_edit_of_order(case, order, edit) for edit in part.edits))


def _edit_of_order(case: Case, order: str, edit: Edit) -> Edit:
    if edit.table == QUOTE:
        old = cell(case.orders, row_at(case.orders, (order,)), edit.column)
        return replace(edit, table="orders", key=(order,), old=old)
    if edit.table != "orders":
        return edit
    row = row_at(case.orders, edit.key)
    if edit.column == "firm" and not case.orders.flag("firm")[row]:
        # it was never firm: what it would lose is its mass
        return Edit("orders", edit.key, "mass_t", cell(case.orders, row, "mass_t"), "0", "t")
    return replace(edit, old=cell(case.orders, row, edit.column))
