"""The purchase model as arrays: columns and rows added to the assembled model of the case.

It states what `purchase.equations` states in Pyomo; labels and maths: models/PURCHASE.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import scipy.sparse

from massbalance.formulation.goals import TIE_WEIGHT, generic
from massbalance.formulation.problem import SLACK_OF_BOUNDS
from massbalance.purchase.sets import SALT, Sets
from massbalance.solving.assembly import assemble
from massbalance.solving.compiled import Compiled, check

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]


@dataclass(frozen=True)
class PurchaseModel:
    """compiled: the whole model; bought, buy, count: columns of each offer, -1 where it has none. Shape (I,).

    margin: position of that goal; rows: label of a row -> its position, of P1 to P6.
    """

    sets: Sets
    compiled: Compiled
    bought: Positions
    buy: Positions
    count: Positions
    margin: int
    rows: dict[tuple[str, object], int] = field(repr=False)

    def without(self, *offers: int) -> PurchaseModel:
        """The same with nothing bought on these offers."""
        return self.between(dict.fromkeys(offers, (0.0, 0.0)))

    def between(self, quantities: dict[int, tuple[float, float]]) -> PurchaseModel:
        """The same with what is bought on some offers within bounds; what must be above 0 is bought."""
        lower, upper = self.compiled.lower.copy(), self.compiled.upper.copy()
        for i, (least, most) in quantities.items():
            lower[self.bought[i]], upper[self.bought[i]] = least, most
            for column in (self.buy[i], self.count[i]):
                if column >= 0 and most <= 0:
                    upper[column] = 0.0
            if self.buy[i] >= 0 and least > 0:
                lower[self.buy[i]] = 1.0
        return replace(self, compiled=replace(self.compiled, lower=lower, upper=upper))

    def at_price(self, offer: int, price: float) -> PurchaseModel:
        """The same with another price of one offer, whose own cost is outside the budget."""
        costs = self.compiled.costs.copy()
        costs[self.margin, self.bought[offer]] = price
        found = replace(self.compiled, costs=costs)
        row = self.rows.get(("purchase_budget", "budget"))
        if row is not None:
            matrix = found.matrix.tolil()
            for column in (self.bought[offer], self.buy[offer]):
                if column >= 0:
                    matrix[row, column] = 0.0
            found = replace(found, matrix=scipy.sparse.csc_array(matrix.tocsc()))
        return replace(self, compiled=found)

    def unbound(self, offer: int) -> PurchaseModel:
        """The same in which one offer may be bought in any quantity, as if it had no terms but its price."""
        upper, lower = self.compiled.row_upper.copy(), self.compiled.row_lower.copy()
        for name in ("purchase_most", "purchase_least", "purchase_size"):
            row = self.rows.get((name, offer))
            if row is not None:
                lower[row], upper[row] = -np.inf, np.inf
        return replace(self, compiled=replace(self.compiled, row_lower=lower, row_upper=upper))


@dataclass
class _Rows:
    """Rows as they are added: label, entries, bounds."""

    labels: list[tuple[str, object]] = field(default_factory=list)
    entries: list[dict[int, float]] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    equal: list[bool] = field(default_factory=list)

    def add(
        self, name: str, key: object, entries: dict[int, float], upper: float = 0.0, *, equal: bool = False
    ) -> None:
        self.labels.append((name, key))
        self.entries.append(entries)
        self.upper.append(upper)
        self.equal.append(equal)


def build_purchase_arrays(sets: Sets) -> PurchaseModel:
    """The assembled model of the case, and upon it bought, buy, count and P1 to P6."""
    base = assemble(sets.problem)
    first, many = base.matrix.shape[1], len(sets.offers)
    bought = first + np.arange(many, dtype=np.intp)
    buy, count = np.full((2, many), -1, dtype=np.intp)
    buy[list(sets.decides)] = first + many + np.arange(len(sets.decides))
    count[list(sets.counts)] = first + many + len(sets.decides) + np.arange(len(sets.counts))
    rows = _rows(sets, bought, buy, count)
    supply = {key: n for n, (name, key) in enumerate(base.rows) if name == "lot_supply"}
    matrix, labels, upper = _widened(sets, base, bought, supply, rows)
    margin = next(n for n, goal in enumerate(base.goals) if goal.name == "margin")
    compiled = replace(
        base,
        matrix=matrix,
        costs=_costs(sets, base, buy),
        row_lower=np.where([*(base.row_lower == base.row_upper), *rows.equal], upper, -np.inf),
        row_upper=upper,
        lower=np.concatenate([base.lower, np.zeros(many + len(sets.decides) + len(sets.counts))]),
        upper=np.concatenate([_flows_bounded(sets, base), _bounds(sets)]),
        integer=np.concatenate(
            [base.integer, np.zeros(many, bool), np.ones(len(sets.decides) + len(sets.counts), bool)]
        ),
        rows=labels,
    )
    check(compiled)
    found = {label: n for n, label in enumerate(labels) if label[0].startswith("purchase_")}
    return PurchaseModel(sets, compiled, bought, buy, count, margin, found)


def _flows_bounded(sets: Sets, base: Compiled) -> Floats:
    """Upper bounds of the case's columns; what flows from an offer is bounded by what could be of use."""
    most = {group: float(sets.most[i]) for i, group in enumerate(sets.group_of)}
    upper = base.upper.copy()
    for column, (group, _) in zip(base.f.tolist(), base.flows, strict=True):
        if group in most:
            upper[column] = SLACK_OF_BOUNDS * most[group]
    return upper


def _bounds(sets: Sets) -> Floats:
    """Upper bounds of bought, buy and count."""
    most = [float(q) for q in sets.most]
    counts = [float(sets.most[i] / (sets.offers[i].size or 1)) for i in sets.counts]
    return np.array([*most, *([1.0] * len(sets.decides)), *counts], dtype=np.float64)


def _rows(sets: Sets, bought: Positions, buy: Positions, count: Positions) -> _Rows:
    """P2 to P6, which stand on the new columns alone."""
    rows, offers = _Rows(), sets.offers
    for i in sets.decides:
        rows.add("purchase_most", i, {int(bought[i]): 1.0, int(buy[i]): -float(sets.most[i])})
    for i in (i for i in sets.decides if offers[i].least > 0):
        rows.add("purchase_least", i, {int(buy[i]): float(offers[i].least), int(bought[i]): -1.0})
    for i in sets.counts:
        size = float(offers[i].size or 0)
        rows.add("purchase_size", i, {int(bought[i]): 1.0, int(count[i]): -size}, equal=True)
    for name, members in sets.groups.items():
        rows.add("purchase_group", name, {int(buy[i]): 1.0 for i in members}, 1.0)
    if sets.budget is not None:
        cost = {int(bought[i]): float(offer.price) for i, offer in enumerate(offers)}
        cost |= {int(buy[i]): float(offers[i].fixed) for i in sets.decides}
        rows.add("purchase_budget", "budget", cost, float(sets.budget))
    return rows


def _widened(
    sets: Sets, base: Compiled, bought: Positions, supply: dict[object, int], rows: _Rows
) -> tuple[scipy.sparse.csc_array, tuple[tuple[str, object], ...], Floats]:
    """The matrix with the new columns and rows; C1 of each offer's group becomes P1."""
    height, first = base.matrix.shape
    labels, upper = [*base.rows, *rows.labels], np.concatenate([base.row_upper, rows.upper])
    wide: dict[tuple[int, int], float] = {}
    for i, group in enumerate(sets.group_of):
        if group in supply:
            row = supply[group]
            labels[row], upper[row] = ("purchase_supply", i), 0.0
            wide[row, int(bought[i])] = -1.0
    for n, entries in enumerate(rows.entries):
        wide |= {(height + n, column): value for column, value in entries.items() if value}
    width = first + len(bought) + len(sets.decides) + len(sets.counts)
    at = np.array(list(wide), dtype=np.intp).reshape(len(wide), 2)
    own = base.matrix.tocoo()
    matrix = scipy.sparse.csc_array(
        (
            np.concatenate([own.data, list(wide.values())]),
            (np.concatenate([own.row, at[:, 0]]), np.concatenate([own.col, at[:, 1]])),
        ),
        shape=(height + len(rows.labels), width),
    )
    matrix.sort_indices()
    return matrix, tuple(labels), upper


def _costs(sets: Sets, base: Compiled, buy: Positions) -> Floats:
    """The goals over all columns: a purchase costs margin, and a unit bought a little in the tie-break."""
    offers, first = sets.offers, base.matrix.shape[1]
    costs = np.zeros((len(base.goals), len(offers) + len(sets.decides) + len(sets.counts)))
    for n, goal in enumerate(base.goals):
        if goal.name == "margin":
            costs[n, : len(offers)] = [float(offer.price) for offer in offers]
            costs[n, buy[list(sets.decides)] - first] = [float(offers[i].fixed) for i in sets.decides]
        elif goal.name == "tie_break":
            costs[n, : len(offers)] = TIE_WEIGHT * generic(len(offers), SALT)
    return np.hstack([base.costs, costs])
