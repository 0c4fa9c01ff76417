"""Other terms that would fit: a part of the mass, another level, another period, other schemes."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

from massbalance.domain.grid import GRID
from massbalance.quote.answer import Alternative
from massbalance.quote.ask import Ask, shifted
from massbalance.quote.exact import Decided
from massbalance.quote.linear import Worth, worth
from massbalance.solving.hot import DUAL, NEARLY, PRIMAL
from massbalance.solving.stamp import Stamp

if TYPE_CHECKING:
    from massbalance.quote.session import Session

STEP = 1000
"""Levels are offered in thousandths."""


class Finder:
    """Looks for other terms, each checked by the same solves as the quote itself."""

    def __init__(self, session: Session, ask: Ask, stamp: Stamp, found: Worth | Decided) -> None:
        self.session, self.ask, self.stamp, self.found_as = session, ask, stamp, found
        # what the quote stood on: reservations may come later
        self.hot, self.decider = session.hot, session.decider

    def found(self) -> tuple[Alternative, ...]:
        """A part of the mass; the best level; the same in other periods; without a choice of schemes."""
        asks = [("level", ask) for ask in self._levels()]
        asks += [("period", shifted(self.ask, period=str(p))) for p in self.session.problem.names.periods]
        if self.ask.schemes:
            asks.append(("schemes", shifted(self.ask, schemes=())))
        checked = [self._checked(kind, ask) for kind, ask in asks if ask != self.ask]
        return tuple(one for one in [self._part(), *checked] if one is not None)

    def _part(self) -> Alternative | None:
        floor, feasible = self.found_as.floor, self.found_as.feasible
        if self.found_as.whole or floor is None:
            return None
        return Alternative("mass", shifted(self.ask, mass=round(feasible * GRID)), feasible, floor)

    def _checked(self, kind: str, ask: Ask) -> Alternative | None:
        """The terms, if the whole mass fits on them."""
        stamp = self.session.stamp(ask, self.hot)
        found: Worth | Decided
        if self.decider is None:
            found = worth(self.hot, stamp, ask.mass_t, unique=False)
        else:
            found = self.decider.decide(stamp, ask.mass_t, unique=False)
        if not found.whole or found.floor is None:
            return None
        return Alternative(kind, ask, found.feasible, found.floor)

    def _levels(self) -> list[Ask]:
        """The best level that the whole mass could have (in the linear model), in thousandths."""
        best = self._greatest_claim()
        if best is None:
            return []
        if self.ask.claim == "cfp":
            base = self.stamp.problem.limit_of(0).baseline
            least = max(Fraction(0), base - Fraction(best))
            level = Fraction(math.ceil(least * STEP - Fraction(NEARLY)), STEP)
            useful = level < base
        else:
            level = Fraction(math.floor(Fraction(best) * STEP + Fraction(NEARLY) * STEP), STEP)
            level = level if self.ask.claim == "reduction" else min(level, Fraction(1))
            useful = level > 0
        return [shifted(self.ask, level=level)] if useful else []

    def _greatest_claim(self) -> float | None:
        """The greatest claim per t that the whole mass could carry, whatever it costs the margin."""
        mass = self.ask.mass_t
        with self.hot.trial(self.stamp.without("claim")) as trial:
            trial.between(mass, mass)
            trial.aim_at_margin()
            if trial.go_on(DUAL) is None:
                return None
            trial.aim_at_claim()
            best = trial.solve(PRIMAL)
        return None if best is None else -best.minimum / mass
