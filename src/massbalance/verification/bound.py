"""Why nothing better exists: a bound on every goal, by weak duality, in integers.

Any non-negative duals give a valid bound: every row is added with its dual, and of what is left each
variable takes the bound that its reduced cost points to. So nothing here trusts the solver that
found the duals; bad duals only make a loose bound. All numbers are exact integers (`integers.Wide`):
duals in 1e-12, coefficients times `facts.scale`, masses in 1e-6; so is a sum of products of the three.
What the few rows of least, common and fair shares add (`shares`), and what is held, are exact fractions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from massbalance.domain.grid import GRID
from massbalance.verification.effects import Effects
from massbalance.verification.goals import GoalProof, Scale, Values
from massbalance.verification.integers import Index, Wide, integers
from massbalance.verification.matrix import Matrix, Pairs, Prices
from massbalance.verification.orders import Booked
from massbalance.verification.proof import DUAL, SHARE_ROWS, Duals, Groups, shared_origins
from massbalance.verification.shares import Served, Settled, Shares
from massbalance.verification.strategy import PARTS, Strategy

NO_RECIPE = ("goal_hold", *SHARE_ROWS)
"""Equations whose duals count beside those of lots and recipes."""


class Bound:
    """The bound of one goal; sums are in units of 1e-12 / `times` * scale^-2 * 1e-6 of the goal's prices.

    times: what all duals are multiplied by, so that the weights of a weighted goal stay whole numbers.
    """

    def __init__(self, matrix: Matrix, strategy: Strategy, served: Served, duals: Duals, goal: str) -> None:
        self.matrix, self.facts, self.strategy = matrix, matrix.facts, strategy
        self.held = {h: dual for (equation, h, _), dual in duals.items() if equation == "goal_hold"}
        weights = {**self.held, goal: DUAL}
        self.shares = Shares(strategy, served, duals, goal, weights)
        self._weigh(weights)
        duals = {row: dual * self.times for row, dual in duals.items() if row[0] not in NO_RECIPE}
        self.prices = Prices(matrix, duals)

    def _weigh(self, weights: dict[str, int]) -> None:
        """What a unit of each part, and a t claimed of each firm priority and product, is worth to the goals.

        In units of a dual; parts: PARTS.
        """
        goals = self.strategy.goals
        self.times = math.lcm(*(worth.denominator for _, worth in self.strategy.objective.weights))
        self.worth = dict.fromkeys(PARTS, 0)
        self.firm, self.chosen = dict[int | None, int](), dict[str | None, int]()
        for key, weight in weights.items():
            goal, value = goals[key], weight * self.times
            if goal.word == "firm_shortfall":
                self.firm[goal.priority] = value
            elif goal.word == "chosen":
                self.chosen[goal.group] = value
            for part, worth in self.strategy.mix(goal.word).items():
                self.worth[part] += int(value * worth)

    def pairs(self, pairs: Pairs) -> int:
        """What pairs with a positive reduced cost could still add, at most."""
        matrix, k, scale = self.matrix, pairs.pool, self.facts.scale
        cost = self.prices.reduced(pairs)
        cost = cost - Wide.of(matrix.effects.cost[pairs.kind]) * (self.worth["margin"] * scale)
        if self.worth["expired_tco2e"]:
            cost = cost + Wide.of(matrix.leaving)[k] * (self.worth["expired_tco2e"] * scale)
        gains = np.flatnonzero(cost.sign() > 0)
        return int((cost[gains].python() * matrix.supply[k[gains], pairs.period[gains]]).sum())

    def kept(self, values: dict[str, Fraction]) -> Fraction:
        """What the earlier goals, held at their booked values, are worth at their prices (C15)."""
        units = self.strategy.units
        return sum((values[h] * units[h] * dual for h, dual in self.held.items()), Fraction(0)) / DUAL

    def lots(self) -> int:
        """What the lots' quantities are worth at the pools' prices (C1, C2).

        A unit of a lot is worth less by what an expiring lot of the pool counts for more than it.
        """
        facts, total, best = self.facts, 0, dict[int, int]()
        leaving, scale = facts.leaving.tolist(), facts.scale
        for k, lots in enumerate(self.matrix.pools.values()):
            most = int(self.matrix.leaving[k])
            for i in lots:
                lot = facts.lots[i]
                price = max(self.prices.balance[k, lot.first : lot.last + 1]) * scale
                best[i] = lot.quantity * max(0, price - self.worth["expired_tco2e"] * (most - leaving[i]))
        for origin, shared in shared_origins(facts).items():
            price = self.prices.origin.get(origin, 0) * GRID * scale
            total += price + sum(max(0, best.pop(i) - price) for i in shared)
        return (total + sum(best.values())) * scale

    def orders(self) -> int:
        """What the orders' masses are worth beyond what their mixes cost (C11, C14; B-A)."""
        facts, terms, strategy = self.facts, self.facts.terms, self.strategy
        value = Wide.of(terms.premium) * self.worth["margin"] + self._tonnes()[terms.order] * facts.scale
        value = value - self.prices.rho[self.matrix.groups.recipe]
        able = (value.sign() > 0) & ~strategy.conventional[terms.order]
        alone = (np.bincount(terms.order) == 1)[terms.order] if len(terms.order) else terms.own
        gains = np.flatnonzero(alone & able)
        total = (value[gains] * Wide.of(facts.mass[terms.order[gains]])).total()
        best, several = dict[int, int](), np.flatnonzero(~alone & able)
        for o, worth in zip(terms.order[several].tolist(), value[several].python().tolist(), strict=True):
            best[o] = max(best.get(o, 0), worth)
        return (total + sum(int(facts.mass[o]) * worth for o, worth in best.items())) * facts.scale

    def _tonnes(self) -> Wide:
        """What a claimed t is worth beside its premium, in units of a dual, shape (orders,)."""
        facts = self.facts
        ranks = sorted(set(facts.priority[facts.firm].tolist()))
        weights = [
            self.worth["tonnage_t"] + of_firm for of_firm in (0, *(self.firm.get(p, 0) for p in ranks))
        ]
        rank = np.where(facts.firm, np.searchsorted(ranks, facts.priority) + 1, 0)
        found = Wide.of(integers(weights))[rank]
        if self.chosen:
            of_product = [self.chosen.get(name, 0) for name in facts.case.products.position]
            found = found + Wide.of(integers(of_product))[self.strategy.product_of]
        rows = self.shares.worth()
        return found if rows is None else found + rows * self.times


@dataclass(frozen=True)
class Proof:
    """The proofs of all goals, in order, and of all groups whose fair share was settled."""

    goals: list[GoalProof]
    settled: list[Settled]


def prove(
    strategy: Strategy, effects: Effects, booked: Booked, groups: Groups, duals: dict[str, Duals]
) -> Proof:
    """The proof of every goal, in the order of the case."""
    facts, matrix = strategy.facts, Matrix(strategy.facts, effects, groups)
    values, served = Values(strategy, effects, booked).by_goal, Served(strategy, booked.claimed)
    used, count = _booked_pairs(matrix, booked)
    bounds = {goal: Bound(matrix, strategy, served, dual, goal) for goal, dual in duals.items()}
    totals = {
        key: bound.lots() + bound.orders() + bound.prices.rounding(used, count)
        for key, bound in bounds.items()
    }
    for pairs in matrix.feasible():
        for key, bound in bounds.items():
            totals[key] += bound.pairs(pairs)
    proofs, scale, mip = dict[str, GoalProof](), Scale(strategy), not facts.is_linear()
    for key, bound in bounds.items():
        goal, value = strategy.goals[key], values[key]
        best = Fraction(totals[key], DUAL * bound.times * facts.scale**2 * GRID)
        best = (best + bound.shares.constant - bound.kept(values)) / strategy.units[key]
        lost = bound.kept({h: proofs[h].gap for h in bound.held}) + bound.shares.loose(served)
        tolerance = scale.tolerance(goal, scale.told(goal, value), lost / strategy.units[key])
        told = scale.told(goal, value), scale.told(goal, best)
        proofs[key] = GoalProof(
            key, goal.name, goal.priority, goal.group, *told, best - value, tolerance, mip
        )
        if goal.word == "fair_share":
            bound.shares.settle(served, goal, proofs[key])
    return Proof(list(proofs.values()), served.settled)


def _booked_pairs(matrix: Matrix, booked: Booked) -> tuple[Pairs, Index]:
    """The pairs of pool and recipe that rows were booked of, and how many rows of each."""
    rows, pool_of = booked.rows, np.full(len(matrix.facts.lots), -1, dtype=np.intp)
    for k, lots in enumerate(matrix.pools.values()):
        pool_of[lots] = k
    many = max(1, len(matrix.pools))
    pair, count = np.unique(matrix.groups.recipe[rows.term] * many + pool_of[rows.lot], return_counts=True)
    return matrix.pairs_of(pair // many, pair % many), count
