"""What goals are worth: of what was booked, and how far booking on the grid may leave them from the best.

Values are exact fractions of the goal's own unit, and maximised: a shortfall counts as the firm mass that
is claimed, expiry as the value of expiring lots that is used; `Scale` turns them into what the summary
says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from massbalance.domain.grid import GRID
from massbalance.verification.effects import Effects
from massbalance.verification.facts import CARRIERS
from massbalance.verification.integers import Ints, Wide, integers
from massbalance.verification.orders import Booked
from massbalance.verification.strategy import PARTS, Goal, Strategy


@dataclass(frozen=True)
class GoalProof:
    """One goal: its booked value, the value that nothing can beat, and the gap between them.

    key: as duals.csv names it; name, priority, group: as summary.json does. What is minimised
    (`firm_shortfall_t`, `expired_tco2e`) is bounded from below, all else from above; tolerance: the gap
    that booking on the grid may cost; mip: a yes or no was decided, and the bound then only says how
    much of the value is proven.
    """

    key: str
    name: str
    priority: int | None
    group: str | None
    booked: Fraction
    bound: Fraction
    gap: Fraction
    tolerance: Fraction
    mip: bool

    @property
    def proven(self) -> bool:
        """Is the value optimal within the tolerance?"""
        return self.gap <= self.tolerance


class Values:
    """The maximised values of what was booked; by_goal: of every goal, by key."""

    def __init__(self, strategy: Strategy, effects: Effects, booked: Booked) -> None:
        facts, rows = strategy.facts, booked.rows
        self.strategy, self.facts, self.claimed = strategy, facts, booked.claimed
        premium, cost = Wide.of(facts.terms.premium[booked.term]), Wide.of(effects.cost[rows.kind])
        earned = (premium * Wide.of(booked.claimed)).total() - (cost * Wide.of(rows.quantity)).total()
        used = (Wide.of(facts.leaving)[rows.lot] * Wide.of(rows.quantity)).total()
        parts = (
            Fraction(earned, facts.scale * GRID),
            _tonnes(booked.claimed),
            Fraction(used, facts.scale * GRID),
        )
        self.parts = dict(zip(PARTS, parts, strict=True))
        self.by_goal = {key: self._value(goal) for key, goal in strategy.goals.items()}

    def _value(self, goal: Goal) -> Fraction:
        facts, claimed = self.facts, self.claimed
        if goal.word == "firm_shortfall":
            return _tonnes(claimed[facts.firm & (facts.priority == goal.priority)])
        if goal.word == "chosen":
            position = facts.case.products.position[goal.group or ""]
            return _tonnes(claimed[self.strategy.product_of == position])
        if goal.word == "common_share":
            return self.strategy.common(claimed)
        if goal.word == "fair_share":
            return self.strategy.least_share(claimed, goal.key)
        return _mixed(self.strategy.mix(goal.word), self.parts)


def _mixed(mix: Mapping[str, Fraction], parts: Mapping[str, Fraction]) -> Fraction:
    """The parts of a goal by their weights."""
    return sum((worth * parts[part] for part, worth in mix.items()), Fraction(0))


def _tonnes(claimed: Ints) -> Fraction:
    """t of millionths."""
    return Fraction(Wide.of(claimed).total(), GRID)


class Scale:
    """How goals are told, and what booking on the grid may cost them.

    Of each order the grid may leave out 2 g, or the step between the masses that whole units of credit
    leave it, where that is more (`Strategy.grams`). grams: of all orders; slack: what they are worth of
    each part, in millionths; stake: what all there is, is worth.
    """

    def __init__(self, strategy: Strategy) -> None:
        facts = self.facts = strategy.facts
        self.strategy, grams, mass = strategy, Wide.of(strategy.grams), Wide.of(facts.mass)
        terms, own = facts.terms, facts.terms.own
        price = Wide.of(np.maximum(np.abs(terms.premium[own]), integers([facts.scale])))
        self.grams, of_premium = Fraction(grams.total()), Fraction((price * grams).total(), facts.scale)
        quantity = integers([lot.quantity for lot in facts.lots])
        worth = (Wide.of(facts.leaving) * Wide.of(quantity)).total() if len(quantity) else 0
        self.leaving = Fraction(worth, facts.scale * GRID)
        stakes = Fraction((price * mass).total(), facts.scale * GRID), _tonnes(facts.mass), self.leaving
        slacks = of_premium, self.grams, self._grams_of_value()
        self.stake, self.slack = (dict(zip(PARTS, each, strict=True)) for each in (stakes, slacks))

    def told(self, goal: Goal, value: Fraction) -> Fraction:
        """A maximised value as summary.json tells it: a shortfall, or what expires."""
        if goal.word == "firm_shortfall":
            return Fraction(self.facts.firm_mass(goal.priority), GRID) - value
        if goal.word == "expiry":
            return self.leaving - value
        return value - self.strategy.mix(goal.word).get("expired_tco2e", 0) * self.leaving

    def tolerance(self, goal: Goal, value: Fraction, lost: Fraction) -> Fraction:
        """What booking on the grid may cost a goal: value: as told; lost: what it gains by what booking
        cost the earlier ones.

        1e-6 of the value and the grams of every order; and `lost`, up to a thousandth of all that is
        at stake, lest a boundless price of an earlier goal hides a bad value.
        """
        slack, stake = self._slack(goal), self._stake(goal)
        return (max(Fraction(1), abs(value)) + slack) / 10**6 + min(lost, stake / 1000)

    def _slack(self, goal: Goal) -> Fraction:
        """The grams of every order in the goal's unit, in millionths of it."""
        if goal.word in ("common_share", "fair_share"):
            return self.grams / self._least_mass(goal)
        mix = self.strategy.mix(goal.word)
        return _mixed(mix, self.slack) if mix else self.grams

    def _stake(self, goal: Goal) -> Fraction:
        """All that the goal is about, in its unit."""
        if goal.word == "firm_shortfall":
            return Fraction(self.facts.firm_mass(goal.priority), GRID)
        if goal.word in ("common_share", "fair_share"):
            return Fraction(1)
        mix = self.strategy.mix(goal.word)
        return _mixed(mix, self.stake) if mix else self.stake["tonnage_t"]

    def _least_mass(self, goal: Goal) -> Fraction:
        """Mass (t) that a gram is a share of: of all covered orders; of the smallest open group."""
        strategy = self.strategy
        if goal.word == "common_share":
            return max(_tonnes(self.facts.mass[strategy.covered]), Fraction(1, GRID))
        free = strategy.free(goal.key)
        masses = [mass for mass, open_ in zip(strategy.fair.mass, free, strict=True) if open_ and mass]
        return Fraction(min(masses, default=GRID), GRID)

    def _grams_of_value(self) -> Fraction:
        """t CO2e (in 1e-6) of expiring lots that the grams of every order may leave unused.

        A t of product takes at most 1 / rate t of material, its use of energy, and its intensity of
        projects.
        """
        facts, strategy = self.facts, self.strategy
        worth = {"material": 0, "electricity": 0, "heat": 0, "project": 0}
        for lot, value in zip(facts.lots, facts.leaving.tolist(), strict=True):
            kind = lot.traits.carrier or lot.traits.kind
            worth[kind] = max(worth[kind], value)
        each = [
            Fraction(worth["material"], limits.rate)
            + Fraction(
                sum(worth[c] * limits.use[c] for c in CARRIERS) + worth["project"] * limits.baseline,
                facts.scale**2,
            )
            for limits in facts.products
        ]
        grams = Wide.of(strategy.grams).sum_by(strategy.product_of, len(each)).python().tolist()
        return sum((g * value for g, value in zip(grams, each, strict=True)), Fraction(0))
