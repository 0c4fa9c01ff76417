"""What a run has promised to firm orders: the orders of a case, each as that run keeps it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Protocol

import numpy as np
import numpy.typing as npt

from massbalance.domain.case import Case, IndexArray
from massbalance.domain.grid import GRID, Column
from massbalance.formulation.problem import Problem
from massbalance.quote.change import taken, with_figures, with_words
from massbalance.solving.compiled import Compiled
from massbalance.solving.solution import Solution

Floats = npt.NDArray[np.float64]
LEAST = 1e-6
"""A claimed mass below a gram is none."""


class Run(Protocol):
    """A case and how it was decided; claimed: t of each order. A session is one."""

    case: Case
    problem: Problem
    compiled: Compiled
    base: Solution
    claimed: Floats


@dataclass(frozen=True)
class Held:
    """Orders that keep what they have: order (positions in the case) and mass (t), shape (n,); case: theirs.

    In `case` nobody needs a yes or no, and an order stands on the terms that the run takes for it.
    """

    order: IndexArray
    mass: Floats
    case: Case


def held_orders(run: Run, which: npt.NDArray[np.bool_], full: Collection[str] = ()) -> Held:
    """Those of `which`, shape (orders,), that get something in a run; full: names that get all they ask."""
    orders, claimed = run.case.orders, run.claimed
    if full:
        claimed = np.where(np.isin(orders.text("order"), sorted(full)), orders.floats("mass_t"), claimed)
    order = np.flatnonzero(which & (claimed >= LEAST)).astype(np.intp)
    return Held(order, claimed[order], _kept(run, order, claimed[order]))


def _kept(run: Run, order: IndexArray, mass: Floats) -> Case:
    case = run.case
    terms = [_term(run, int(one)) for one in order]
    of = run.problem.terms
    table = taken(case.orders, order)
    for name, column in (("level", of.level), ("premium_per_t", of.premium)):
        table = with_figures(table, name, [column.fraction(term) for term in terms])
    table = with_words(table, "claim", [str(of.claim[term]) for term in terms])
    table = with_words(table, "whole", [False] * len(terms))
    table = with_figures(table, "min_fill", [Fraction(0)] * len(terms))
    grams = np.maximum(1, np.round(mass * GRID)).astype(np.int64)
    exact = Column.of(grams, 6)
    table = replace(
        table,
        rows=table.rows.assign(mass_t=exact.floats()),
        exact={**table.exact, "mass_t": exact},
    )
    none = taken(case.offers, np.empty(0, dtype=np.intp))
    return replace(case, tables={**case.tables, "orders": table, "offers": none})


def _term(run: Run, order: int) -> int:
    """The terms that the run takes for an order: its own, or an offer's."""
    terms = np.flatnonzero(run.problem.terms.order == order)
    if len(terms) == 1:
        return int(terms[0])
    got = run.base.columns[run.compiled.step[run.problem.steps.of_term[terms]]]
    return int(terms[int(np.argmax(got))])
