"""Who gets less by an order, and which lots it draws on: two optima side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from massbalance.formulation.problem import Problem
from massbalance.solving.compiled import Compiled
from massbalance.solving.stamp import Stamp

Floats = npt.NDArray[np.float64]
LEAST_T = 1e-5
"""A claimed mass that falls by less than 10 g does not fall: the solver's last digits."""


@dataclass(frozen=True)
class Displaced:
    """An order, and the claimed mass in t that it loses."""

    order: str
    t: float


@dataclass(frozen=True)
class Drawn:
    """What the order takes of lots alike: their names, category, quantity in their unit."""

    lots: tuple[str, ...]
    category: str
    quantity: float
    uom: str


def claimed(problem: Problem, compiled: Compiled, columns: Floats) -> Floats:
    """Claimed mass of each order, t, before booking; a step's orders are filled one after the other."""
    steps, terms = problem.steps, problem.terms
    if len(steps) == 0:
        return np.zeros(len(problem.case.orders))
    mass = problem.case.orders.floats("mass_t")[terms.order]
    of_step = columns[compiled.step]
    members = steps.members
    inside = np.cumsum(mass[members])
    begin = np.concatenate([[0.0], inside])[steps.start[:-1]]
    step = steps.of_term[members]
    before = inside - mass[members] - begin[step]
    got = np.clip(of_step[step] - before, 0.0, mass[members])
    found = np.bincount(terms.order[members], weights=got, minlength=len(problem.case.orders))
    return np.asarray(found, dtype=np.float64)


def displaced(problem: Problem, before: Floats, after: Floats) -> tuple[Displaced, ...]:
    """Orders whose claimed mass falls, the most first."""
    lost = before - after
    orders = problem.names.orders
    found = [Displaced(str(orders[i]), round(float(lost[i]), 6)) for i in np.flatnonzero(lost >= LEAST_T)]
    return tuple(sorted(found, key=lambda d: (-d.t, d.order)))


def drawn(problem: Problem, stamp: Stamp, columns: Floats) -> tuple[Drawn, ...]:
    """Lots that the order takes, pool by pool."""
    amount, pairs = columns[stamp.x], stamp.problem.pairs
    lots, pools = problem.case.lots.rows, problem.pools
    found = []
    for n in np.flatnonzero(amount >= LEAST_T).tolist():
        pool = int(pairs.pool[n])
        members = np.flatnonzero(pools.lot_pool == pool)
        first = lots.iloc[int(members[0])]
        names = tuple(str(problem.names.lots[i]) for i in members)
        word = str(first["category"]) or str(first["kind"])
        found.append(Drawn(names, word, round(float(amount[n]), 6), str(first["uom"])))
    return tuple(found)
