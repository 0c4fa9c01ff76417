"""What the strategies of `[objective]` ask of orders: whose mass counts together, and who stays out.

Steps merge terms that no row tells apart; `codes` says which orders the strategies' rows do tell apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from massbalance.domain.case import Case, IndexArray
from massbalance.domain.grid import GRID, IntArray, total
from massbalance.domain.objective import GROUP_KINDS, group_of, minimum_shares
from massbalance.domain.rulemodel import Rules

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Group:
    """Orders whose mass counts together. by: `customer`, `segment` or `product`; orders: positions;
    mass: what they ordered (g), above 0.
    """

    by: str
    name: str
    orders: IndexArray
    mass: int

    @property
    def mass_t(self) -> float:
        """What they ordered, t."""
        return self.mass / GRID


@dataclass(frozen=True)
class Minimum:
    """The least share of what a group ordered that must be claimed."""

    group: Group
    share: Fraction

    @property
    def least(self) -> Fraction:
        """The least claimed mass, t."""
        return self.share * self.group.mass / GRID


@dataclass(frozen=True)
class Stakes:
    """minimums: C16; covered: positions of the orders that share a common share (C17, C18), and their
    masses (g); groups: those of leximin (C19); chosen: positions of the products that `concentrate` chose,
    in order; barred: orders that stay conventional, shape (orders,); codes: for each order which of the
    orders it may share a step with, shape (orders,) each; expires: does what expires count.
    """

    minimums: tuple[Minimum, ...]
    covered: IndexArray
    covered_mass: IntArray
    groups: tuple[Group, ...]
    chosen: IndexArray
    barred: Bools
    codes: tuple[IndexArray, ...]
    expires: bool

    def shares(self, count: int) -> Bools:
        """Which of so many orders stand in a row of a share (C17 to C19)."""
        found = np.zeros(count, dtype=bool)
        found[self.covered] = True
        for group in self.groups:
            found[group.orders] = True
        return found

    @property
    def common_t(self) -> float:
        """Mass of all orders under the common share, t."""
        return total(self.covered_mass) / GRID

    @property
    def fair_t(self) -> float:
        """Mass of all groups of leximin, t."""
        return sum(group.mass for group in self.groups) / GRID


def groups(case: Case, by: str) -> tuple[Group, ...]:
    """Groups that ordered something, sorted by name."""
    names, of_order = group_of(case, by)
    mass = case.orders.grid("mass_t")
    found = []
    for n, name in enumerate(names):
        orders = np.flatnonzero(of_order == n)
        ordered = total(mass[orders])
        if ordered > 0:
            found.append(Group(by, name, orders, ordered))
    return tuple(found)


def expiry_counts(case: Case) -> bool:
    """Does some goal of the case look at what expires?"""
    objective = case.objective
    weighed = "weighted" in objective.order and objective.weight("expired_tco2e") > 0
    return "expiry" in objective.order or weighed


def lapses(case: Case, rules: Rules, expires: npt.NDArray[np.datetime64]) -> Bools:
    """Lots that no later period could use: they expire by the end of the last one, or nothing carries over.

    expires: last day of each lot, shape (lots,).
    """
    if rules.parameters.carry_over == "none" or len(case.periods) == 0:
        return np.ones(len(expires), dtype=bool)
    return np.asarray(expires <= case.periods.days("end")[-1], dtype=bool)


def build_stakes(case: Case) -> Stakes:
    """What the case's objective asks of its orders; nothing where it is plain."""
    objective, orders = case.objective, case.orders
    none = np.zeros(0, dtype=np.intp)
    if objective.plain:
        return Stakes((), none, none, (), none, np.zeros(len(orders), dtype=bool), (), False)
    shares = minimum_shares(case)
    by_name = {(g.by, g.name): g for by in sorted({by for by, _ in shares}) for g in groups(case, by)}
    minimums = tuple(Minimum(by_name[key], share) for key, share in shares.items() if key in by_name)
    covered = _covered(case) if "common_share" in objective.order else none
    fair = groups(case, objective.by) if "fair_share" in objective.order else ()
    product = case.products.find(orders.text("product"))
    chosen = np.array([case.products.position[name] for name in objective.products], dtype=np.intp)
    concentrates = "chosen" in objective.order
    barred = ~orders.flag("firm") & ~np.isin(product, chosen) & concentrates
    codes = [_code(len(orders), [group.orders for group in found]) for found in _kinds(minimums, fair)]
    if len(covered):
        codes.append(_code(len(orders), [np.array([o]) for o in covered]))
    if concentrates:
        codes.append(_code(len(orders), [np.flatnonzero(product == p) for p in chosen]))
    return Stakes(
        minimums=minimums,
        covered=covered,
        covered_mass=orders.grid("mass_t")[covered],
        groups=fair,
        chosen=chosen if concentrates else none,
        barred=barred,
        codes=tuple(codes),
        expires=expiry_counts(case),
    )


def _kinds(minimums: tuple[Minimum, ...], fair: tuple[Group, ...]) -> list[list[Group]]:
    """Groups kind by kind: those of one kind have no order in common."""
    of_minimums = [[m.group for m in minimums if m.group.by == by] for by in GROUP_KINDS]
    return [found for found in [*of_minimums, list(fair)] if found]


def _code(count: int, parts: list[IndexArray]) -> IndexArray:
    """0 for every order, n for those of the nth part."""
    code = np.zeros(count, dtype=np.intp)
    for n, orders in enumerate(parts, start=1):
        code[orders] = n
    return code


def _covered(case: Case) -> IndexArray:
    """Orders that may be taken in part; firm ones only where their turn has not come before."""
    orders = case.orders
    apart = orders.flag("whole") | (orders.exact["min_fill"].values > 0)
    if case.objective.after_firm("common_share"):
        apart = apart | orders.flag("firm")
    return np.flatnonzero(~apart & np.asarray(orders.grid("mass_t") > 0, dtype=bool))
