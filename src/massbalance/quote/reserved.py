"""Reservations laid upon a case kept hot: later quotes find their credits taken.

They come after the case's own firm orders: these keep what they get without any reservation. Among themselves
what was made first comes first. Each mass is fixed, at what it can have, and no later quote may move it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from massbalance.domain.case import Case
from massbalance.domain.faults import CaseRefused
from massbalance.domain.grid import GRID, decimal_text
from massbalance.formulation.problem import Problem, Supply, build_problem
from massbalance.quote.ask import Ask, case_of, read_ask
from massbalance.quote.exact import Decider
from massbalance.quote.linear import worth
from massbalance.quote.losers import claimed
from massbalance.quote.reservations import Reservation, exact_text
from massbalance.solving.compiled import Compiled
from massbalance.solving.highs import SolverError
from massbalance.solving.hot import DUAL, Hot
from massbalance.solving.stamp import SALT, Stamp

Floats = npt.NDArray[np.float64]
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Kept:
    """A reservation in force, and what of its mass the case can still keep, g; why: where that is not all."""

    reservation: Reservation
    held: int
    why: str = ""

    @property
    def short(self) -> int:
        """What is missing, g."""
        return self.reservation.mass - self.held

    def words(self) -> str:
        """For people: who is short of how much."""
        one = self.reservation
        return (
            f"reservation {one.name} for {one.customer} is {decimal_text(self.short)} t short of "
            f"{decimal_text(one.mass)} t: {self.why}"
        )


@dataclass(frozen=True)
class Counted:
    """What a quote counted: the reservations in force on a day, each with what is kept of it."""

    as_of: date
    kept: tuple[Kept, ...]

    def notes(self) -> list[str]:
        """In words, the short ones by name."""
        if not self.kept:
            return []
        total = decimal_text(sum(one.held for one in self.kept))
        count = len(self.kept)
        those = "1 reservation" if count == 1 else f"{count} reservations"
        first = f"{those} in force on {self.as_of} counted, {total} t"
        return [first, *(one.words() for one in self.kept if one.short)]

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "as_of": self.as_of.isoformat(),
            "in_force": len(self.kept),
            "held_t": _tonnes(sum(one.held for one in self.kept)),
            "short": [
                {
                    "reservation": one.reservation.name,
                    "customer": one.reservation.customer,
                    "mass_t": _tonnes(one.reservation.mass),
                    "held_t": _tonnes(one.held),
                    "short_t": _tonnes(one.short),
                    "why": one.why,
                }
                for one in self.kept
                if one.short
            ],
        }


def _tonnes(grams: int) -> Decimal:
    return Decimal(decimal_text(grams))


@dataclass(frozen=True)
class Ground:
    """What quotes stand on: the hot model, decisions (of a MIP), and each order's claimed mass, t; gap: of
    the decisions made for reservations; laid: how many stamps stay upon the model.
    """

    hot: Hot
    decider: Decider | None
    claimed: Floats
    gap: float = 0.0
    laid: int = 0


class Layer:
    """Lays reservations upon a ground."""

    def __init__(
        self, case: Case, supply: Supply, problem: Problem, compiled: Compiled, say: Progress
    ) -> None:
        self.case, self.supply, self.problem, self.compiled, self.say = case, supply, problem, compiled, say

    def upon(self, ground: Ground, reservations: Sequence[Reservation]) -> tuple[Ground, tuple[Kept, ...]]:
        """The ground with all of them on it, as far as the case can keep them; in their order."""
        asks: list[tuple[Reservation, Ask]] = []
        foreign: dict[str, Kept] = {}
        for one in reservations:
            try:
                asks.append((one, ask_of(self.case, one)))
            except CaseRefused as refused:
                foreign[one.name] = Kept(
                    one,
                    0,
                    "; ".join(f"{f.column} {f.value!r}: expected {f.expected}" for f in refused.faults),
                )
        held: dict[str, Kept] = {}
        if asks:
            self.say("laying reservations")
            ground = self._lay(ground, asks, held)
        return ground, tuple(foreign.get(one.name) or held[one.name] for one in reservations)

    def _lay(self, ground: Ground, asks: list[tuple[Reservation, Ask]], held: dict[str, Kept]) -> Ground:
        """All at once if all can be kept whole; else half of them and then the others."""
        together = self._together(ground, asks)
        if together is not None:
            held.update({one.name: Kept(one, one.mass) for one, _ in asks})
            return together
        if len(asks) > 1:
            half = len(asks) // 2
            return self._lay(self._lay(ground, asks[:half], held), asks[half:], held)
        return self._alone(ground, *asks[0], held)

    def _stamp(self, ground: Ground, asks: list[tuple[Reservation, Ask]]) -> Stamp:
        named = sorted((one.name, ask) for one, ask in asks)
        stamp = ground.hot.base.stamp(build_problem(case_of(self.case, named), self.supply))
        return replace(stamp, salt=SALT + 1 + ground.laid)

    def _together(self, ground: Ground, asks: list[tuple[Reservation, Ask]]) -> Ground | None:
        """All of them whole; None where that is not feasible."""
        stamp = self._stamp(ground, asks)
        mass = stamp.problem.steps.upper
        with ground.hot.trial(stamp) as trial:
            trial.between(mass, mass)
            if trial.go_on(DUAL) is None:
                return None
        return self._kept(ground, stamp, mass)

    def _kept(self, ground: Ground, stamp: Stamp, mass: Floats) -> Ground | None:
        """The ground with orders that stay; None where they cannot be decided so."""
        if ground.decider is None:
            hot = ground.hot.keeping(stamp, mass)
            return Ground(hot, None, claimed(self.problem, self.compiled, hot.chosen), 0.0, ground.laid + 1)
        decided = ground.decider.all_of(stamp, mass)
        if decided is None or decided.taken is None or decided.columns is None:
            return None
        hot = _relaxed(ground.hot, ground.decider, stamp, mass)
        decider = ground.decider.keeping(hot, stamp, mass, decided.taken.minimum)
        got = claimed(self.problem, self.compiled, decided.columns)
        return Ground(hot, decider, got, max(ground.gap, decided.gap), ground.laid + 1)

    def _alone(self, ground: Ground, one: Reservation, ask: Ask, held: dict[str, Kept]) -> Ground:
        """One of them, as much of it as is feasible."""
        stamp = self._stamp(ground, [(one, ask)])
        if ground.decider is None:
            feasible = worth(ground.hot, stamp, ask.mass_t, unique=False).feasible
        else:
            feasible = ground.decider.decide(stamp, ask.mass_t, unique=False).feasible
        grams = min(ask.mass, round(feasible * GRID))
        kept = self._kept(ground, stamp, np.array([grams / GRID])) if grams else None
        held[one.name] = Kept(one, grams if kept else 0, "" if grams == ask.mass and kept else SHORT)
        return kept or ground


def _relaxed(hot: Hot, decider: Decider, stamp: Stamp, mass: Floats) -> Hot:
    """The relaxation with orders that stay.

    Taken in parts, firm orders may get more than any decisions give them, and leave no room for what was
    decided: then they are held to what these give them.
    """
    try:
        return hot.keeping(stamp, mass)
    except SolverError:
        return hot.keeping(stamp, mass, decider.held)


SHORT = "the case as it is cannot keep all of it"


def ask_of(case: Case, one: Reservation) -> Ask:
    """What is held, as terms of the case. CaseRefused where it knows no such thing."""
    return read_ask(
        case, product=one.product, period=one.period, mass_t=decimal_text(one.mass), claim=one.claim,
        level=exact_text(one.level), schemes=one.schemes,
    )  # fmt: skip
