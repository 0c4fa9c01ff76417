"""Where the credits went, for the Sankey: amounts from categories of lots to customers, and what nobody got.

Amounts are exact, in millionths of their unit. In t CO2e a lot's value is meant, as the books split it
(`books.value`): what customers got, what was forgone, expired, held and retired make up what was realised.
Lots of one origin are valued once: their value stands with the dearest of them, and so do flows of its
siblings. In t, MWh or GJ quantities are meant: allocated, blocked, expired and held make up opening and
received.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from massbalance.books.value import sum_by
from massbalance.domain.case import Case, IndexArray
from massbalance.domain.grid import IntArray, as_python_ints
from massbalance.pages.run import Reported

CUSTOMER = "customer"
OTHERS = ""
"""Name of a node that stands for several; no lot's category and no customer is called so."""
EFFECT = "tCO2e"
MOST_SOURCES, MOST_TARGETS = 12, 18
"""Nodes that a page can show."""

Node = tuple[str, str]
"""Name, and kind of the lots or fate."""


@dataclass(frozen=True)
class Flow:
    """An amount that went from a category of lots to a customer, or was lost or kept.

    kind: of the lots; fate: `customer`, or (then the target has no name) `forgone`, `blocked`, `expired`,
    `retired` or `held`; amount: millionths of the unit.
    """

    source: str
    kind: str
    target: str
    fate: str
    amount: int


@dataclass(frozen=True)
class Flows:
    """All flows of one unit. members: of a node that stands for several, how many; names: of customers."""

    unit: str
    rows: tuple[Flow, ...]
    members: Mapping[Node, int] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Everything that came in, millionths of the unit."""
        return sum(flow.amount for flow in self.rows)

    def by_fate(self) -> dict[str, int]:
        """Fate -> amount."""
        sums: dict[str, int] = {}
        for flow in self.rows:
            sums[flow.fate] = sums.get(flow.fate, 0) + flow.amount
        return sums


def units(source: Reported) -> list[str]:
    """The units in which there are flows: t CO2e, then those of the lots."""
    return [EFFECT, *sorted(set(source.case.lots.text("uom")) - {EFFECT})]


def flows_of(source: Reported, unit: str = EFFECT) -> Flows:
    """The flows of a run in a unit (`units`). ValueError for a unit that no lot has."""
    if unit not in units(source):
        raise ValueError(f"no lot is counted in {unit!r}; there are: {', '.join(units(source))}")
    return _effects(source) if unit == EFFECT else _quantities(source, unit)


def customer_names(case: Case) -> dict[str, str]:
    """Customer -> the name that `customers` gives, where it gives one."""
    names = zip(case.customers.text("customer"), case.customers.text("name"), strict=True)
    return {str(key): str(name) for key, name in names if name}


def _effects(source: Reported) -> Flows:
    split, allocation = source.books.split, source.run.allocation
    ends = {
        "forgone": split.remainder, "expired": split.expired, "retired": split.retired, "held": split.held,
    }  # fmt: skip
    return _flows(source, EFFECT, split.home[allocation.lot], allocation.reduction, ends)


def _quantities(source: Reported, unit: str) -> Flows:
    allocation, account = source.run.allocation, source.books.account
    counted = source.case.lots.text("uom") == unit
    ends: dict[str, IntArray] = {
        "blocked": account.blocked.sum(axis=1),
        "expired": account.expired.sum(axis=1),
        "held": account.held(),
    }
    ends = {fate: np.where(counted, amounts, 0) for fate, amounts in ends.items()}
    quantity = np.where(counted[allocation.lot], allocation.quantity, 0)
    return _flows(source, unit, allocation.lot, quantity, ends)


def _flows(
    source: Reported, unit: str, lot: IndexArray, amount: IntArray, ends: Mapping[str, IntArray]
) -> Flows:
    """lot, amount: of each row of the allocation; ends: fate -> amount of each lot."""
    case = source.case
    names, group = _groups(case)
    customers, of_order = np.unique(case.orders.text("customer").astype(str), return_inverse=True)
    pair = group[lot] * len(customers) + of_order[source.run.allocation.order]
    found, which = np.unique(pair, return_inverse=True)
    sums = sum_by(which.astype(np.intp), amount, len(found))
    rows = []
    for both, total in zip(found.tolist(), sums.tolist(), strict=True):
        of, to = divmod(int(both), len(customers))
        if total:
            rows.append(Flow(*names[of], str(customers[to]), CUSTOMER, int(total)))
    for fate, amounts in ends.items():
        left = sum_by(group, as_python_ints(amounts), len(names))
        rows += [Flow(*names[at], "", fate, int(left[at])) for at in range(len(names)) if left[at]]
    return Flows(unit, tuple(rows), names=customer_names(case))


def _groups(case: Case) -> tuple[list[Node], IndexArray]:
    """(category, kind) of the lots, and which one each lot is of."""
    categories, kinds = case.lots.text("category"), case.lots.text("kind")
    keys = [(str(c) or str(k), str(k)) for c, k in zip(categories, kinds, strict=True)]
    names = sorted(set(keys))
    at = {key: i for i, key in enumerate(names)}
    return names, np.array([at[key] for key in keys], dtype=np.intp)


def grouped(flows: Flows, *, sources: int = MOST_SOURCES, targets: int = MOST_TARGETS) -> Flows:
    """The same amounts with at most so many sources and customers: the smaller ones as "others".

    Sources are grouped by kind of lot, so some more of them may stand. What is lost or kept is never
    grouped. One node alone is not called "others".
    """
    from_ = _kept(((f.source, f.kind), f.amount) for f in flows.rows)
    to = _kept(((f.target, f.fate), f.amount) for f in flows.rows if f.fate == CUSTOMER)
    name_from, from_count = _renamed(from_, sources)
    name_to, to_count = _renamed(to, targets)
    sums: dict[tuple[Node, Node], int] = {}
    for flow in flows.rows:
        start = name_from[flow.source, flow.kind]
        end = name_to.get((flow.target, flow.fate), (flow.target, flow.fate))
        sums[start, end] = sums.get((start, end), 0) + flow.amount
    rows = tuple(Flow(*start, *end, amount) for (start, end), amount in sorted(sums.items()))
    return Flows(flows.unit, rows, {**from_count, **to_count}, flows.names)


def _kept(amounts: Iterable[tuple[Node, int]]) -> list[Node]:
    """Nodes from the largest to the smallest."""
    sums: dict[Node, int] = {}
    for node, amount in amounts:
        sums[node] = sums.get(node, 0) + amount
    return sorted(sums, key=lambda node: (-sums[node], node))


def _renamed(nodes: list[Node], most: int) -> tuple[dict[Node, Node], dict[Node, int]]:
    """Node -> itself, or the node that stands for it and others; and how many each of those stands for."""
    if len(nodes) <= most:
        return {node: node for node in nodes}, {}
    small: dict[str, list[Node]] = {}
    for node in nodes[most - 1 :]:
        small.setdefault(node[1], []).append(node)
    named = {node: node for node in nodes}
    counts = {}
    for group, members in small.items():
        if len(members) > 1:
            named.update(dict.fromkeys(members, (OTHERS, group)))
            counts[OTHERS, group] = len(members)
    return named, counts
