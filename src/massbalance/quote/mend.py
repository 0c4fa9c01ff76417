"""The least that would mend a promise: each found by a solve, applied to the case, and asked for again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from massbalance.domain.case import Case
from massbalance.domain.grid import GRID
from massbalance.quote.amends import QUOTE, Amender, Part
from massbalance.quote.ask import Ask
from massbalance.quote.change import Edit, changed, rounded, taken
from massbalance.quote.clash import ClashSet, Filter
from massbalance.quote.exact import Decided
from massbalance.quote.levers import (
    DIGITS,
    EARLIER,
    KIND_OF,
    LONGER,
    LOWER,
    MORE,
    SLIGHT,
    Lever,
    candidates,
    lever,
    weight,
)
from massbalance.quote.linear import Worth, worth
from massbalance.quote.promise import LEVEL, Key, Promise

if TYPE_CHECKING:
    from massbalance.quote.session import Session

TRIES = 4
"""So often an amount is corrected by what the changed case still lacks."""
GAINED = 1e-4
"""An order that gets so much more, t, gains."""
MOST_SHOWN = 3
"""Relaxations of one limit that are told, the least first; of credits one for each category."""
MOST_PAIRS = 3
"""Pairs of limits that are told where no single one mends the promise."""
ENOUGH = 40
"""Levers of one limit that are looked at."""


@dataclass(frozen=True)
class Relaxation:
    """What would mend a promise; one part, or two that are wanted together. Checked by a solve."""

    parts: tuple[Part, ...]

    @property
    def kind(self) -> str:
        """Kinds of its parts."""
        return "+".join(part.kind for part in self.parts)

    @property
    def words(self) -> str:
        """In words."""
        return "; and ".join(part.words for part in self.parts)

    @property
    def edits(self) -> tuple[Edit, ...]:
        """The cells it changes, those of the ask among them."""
        return tuple(edit for part in self.parts for edit in part.edits)

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {"kind": self.kind, "words": self.words, "parts": [part.as_dict() for part in self.parts]}


def amended(ask: Ask, edits: Iterable[Edit]) -> Ask:
    """The ask with its own edits made."""
    for edit in edits:
        if edit.table != QUOTE:
            continue
        if edit.column == "mass_t":
            ask = replace(ask, mass=int(Fraction(edit.new) * GRID))
        elif edit.column == "level":
            ask = replace(ask, level=Fraction(edit.new))
        elif edit.column == "period":
            ask = replace(ask, period=edit.new)
        else:
            ask = replace(ask, schemes=tuple(part for part in edit.new.split(";") if part))
    return ask


def firm_part(case: Case) -> Case:
    """The case without the orders that no promise depends on.

    With the firm shortfalls first, orders that are not firm leave no trace in what can be promised: all of
    them may get nothing. Under any other objective every order stays.
    """
    objective = dict(case.settings.get("objective", {}))
    goals = objective.pop("order", ["firm_shortfall"])
    plain = objective.pop("strategy", "firm-then-margin") == "firm-then-margin" and not objective
    if not plain or not str(goals[0]).startswith("firm_shortfall"):
        return case
    firm = case.orders.flag("firm").nonzero()[0]
    orders = taken(case.orders, firm)
    names = set(orders.text("order"))
    kept = [n for n, order in enumerate(case.offers.text("order")) if order in names]
    offers = taken(case.offers, np.array(kept, dtype=np.intp))
    return replace(case, tables={**case.tables, "orders": orders, "offers": offers})


@dataclass(frozen=True)
class Trial:
    """A relaxation applied: a session on the changed case, the ask there, and does it get all of its mass?"""

    session: Session
    ask: Ask
    works: bool


@dataclass(frozen=True)
class _Attempt:
    """Amounts, the relaxation that they make, and how it went."""

    total: list[Fraction]
    made: Relaxation
    trial: Trial


Again = Callable[[Sequence[Edit]], Trial]


class Mender:
    """Looks for relaxations of one ask.

    clash: the limits; feasible: t; again: how a relaxation is tried, by asking the changed case unless given.
    """

    def __init__(
        self, promise: Promise, limits: Filter, clash: ClashSet, feasible: float, again: Again | None = None
    ) -> None:
        self.session, self.ask, self.promise = promise.session, promise.ask, promise
        self.limits, self.clash, self.feasible, self.again = limits, clash, feasible, again
        session, ask = self.session, self.ask
        kept = dict(zip(promise.problem.names.orders, promise.held.mass.tolist(), strict=True))
        self.amender = Amender(session.case, ask, {str(k): float(v) for k, v in kept.items()})

    def found(self, periods: Collection[str] | None = None) -> tuple[Relaxation, ...]:
        """Each limit alone, two together where none alone mends it, a lower level, a part, a later period.

        periods: the only ones in which it could be had instead; None: any.
        """
        single = [one for key in self.clash.keys if key[0] in KIND_OF for one in self._of(key)]
        giving = [one for one in single if one.kind != LOWER]
        lower = [one for one in single if one.kind == LOWER]
        if not giving:
            giving = self._pairs()
        rest = [one for one in (self._later(periods), self._part()) if one is not None]
        return (*giving, *lower, *rest)

    # ---- one limit ------------------------------------------------------------------------------------

    def _of(self, key: Key) -> list[Relaxation]:
        """The least relaxations of a limit that alone mends the promise."""
        if key not in self.clash.alone:
            return []
        if KIND_OF[key[0]] == MORE:
            return self._cheapest(key)
        made: list[Relaxation] = []
        for _, names in self._ranked(key):
            one = self.least([(key, names)])
            made += [] if one is None else [one]
            if len(made) >= MOST_SHOWN:
                break
        return made

    def _cheapest(self, key: Key) -> list[Relaxation]:
        """The lot of which least is wanted: what firm orders would take of it first counts, too."""
        best: Relaxation | None = None
        for least, names in self._ranked(key):
            if best is not None and least >= _amount(best):
                break
            one = self.least([(key, names)])
            if one is not None and (best is None or _amount(one) < _amount(best)):
                best = one
        return [] if best is None else [best]

    def _ranked(self, key: Key) -> list[tuple[float, tuple[str, ...]]]:
        """Levers of a limit with their least amounts, in order; those that alone do not mend it left out."""
        lots, found = self.session.case.lots, []
        for names in candidates(self.promise, key)[:ENOUGH]:
            amounts = self._amounts(self.promise, [(key, names)])
            if amounts is not None:
                cost = 0.0
                if KIND_OF[key[0]] == MORE:
                    cost = float(lots.floats("unit_cost")[lots.position[names[0]]])
                found.append((round(amounts[0], 6), cost, names))
        if not found and KIND_OF[key[0]] in (EARLIER, LONGER):
            several = self._several(key)
            return [(0.0, several)] if several else []
        return self._alike(key, [(amount, names) for amount, _, names in sorted(found)])

    def _alike(
        self, key: Key, ranked: list[tuple[float, tuple[str, ...]]]
    ) -> list[tuple[float, tuple[str, ...]]]:
        """One lot of each sort: more of any lot of a pool is the same."""
        if KIND_OF[key[0]] != MORE:
            return ranked
        pools, position = self.promise.problem.pools.lot_pool, self.session.case.lots.position
        first: dict[int, tuple[float, tuple[str, ...]]] = {}
        for one in ranked:
            first.setdefault(int(pools[position[one[1][0]]]), one)
        return list(first.values())

    def _several(self, key: Key) -> tuple[str, ...]:
        """Lots that mend it together, none of which can be left out."""
        every = tuple(name for names in candidates(self.promise, key) for name in names)
        opened = lever(self.promise, key, every)
        point = None if opened is None else self.promise.least(opened.columns)
        if point is None:
            return ()
        ids, behind = self.promise.sources.lots.text("lot"), set(self.promise.behind_only(key))
        groups = [
            tuple(str(ids[lot]) for lot in self.promise.sources.all[n].lots)
            for n in self.promise.drawn(point)
            if n in behind
        ]
        for group in list(reversed(groups)):
            fewer = [g for g in groups if g != group]
            names = tuple(name for g in fewer for name in g)
            if names and self._amounts(self.promise, [(key, names)]) is not None:
                groups = fewer
        return tuple(name for group in groups for name in group)

    # ---- the least amount, and its proof --------------------------------------------------------------

    def _levers(self, promise: Promise, wanted: Sequence[tuple[Key, tuple[str, ...]]]) -> list[Lever]:
        made = [lever(promise, key, names) for key, names in wanted]
        return [one for one in made if one is not None]

    def _amounts(self, promise: Promise, wanted: Sequence[tuple[Key, tuple[str, ...]]]) -> list[float] | None:
        """The least amounts together at which the whole mass fits in a promise."""
        levers = self._levers(promise, wanted)
        if len(levers) < len(wanted):
            return None
        costs: dict[int, float] = {}
        for one in levers:
            by = weight(one, promise.mass) if one.counted else 1.0 / promise.mass
            costs.update({column: by * unit for column, unit in one.columns.items()})
        point = promise.least(costs)
        if point is None:
            return None
        return [
            sum(unit * max(0.0, float(point[column])) for column, unit in one.columns.items())
            for one in levers
        ]

    def least(self, wanted: Sequence[tuple[Key, tuple[str, ...]]]) -> Relaxation | None:
        """The relaxation by these levers, tried on the changed case; None where it does not work there.

        What the changed case gives firm orders that were short is found only there: the amount grows by
        what is still lacking until the whole fits.
        """
        none = [Fraction(0)] * len(wanted)
        found = self._attempt(self.promise, wanted, none)
        if found is None or found.trial.works:
            return None if found is None else found.made
        gainers = self._gainers(found.trial)
        if gainers:
            # whatever is added goes to these first: fill them, and the ask
            better = self._attempt(Promise(self.session, self.ask, gainers), wanted, none)
            found = better or found
        for _ in range(TRIES):
            if found is None or found.trial.works:
                break
            promise = Promise(found.trial.session, found.trial.ask)
            found = self._attempt(promise, wanted, found.total)
        return None if found is None or not found.trial.works else found.made

    def _attempt(
        self, promise: Promise, wanted: Sequence[tuple[Key, tuple[str, ...]]], begun: list[Fraction]
    ) -> _Attempt | None:
        """So much more as a promise asks for, tried; None where it cannot be had by these levers."""
        amounts = self._amounts(promise, wanted)
        if amounts is None:
            return None
        total = self._raised(wanted, begun, amounts)
        made = self._parts(wanted, total)
        return None if made is None else _Attempt(total, made, self.tried(made.edits))

    def _gainers(self, trial: Trial) -> frozenset[str]:
        """Firm orders that were short, and get more in the changed case."""
        case, claimed = trial.session.case, trial.session.claimed
        before = dict(zip(self.session.case.orders.text("order"), self.session.claimed, strict=True))
        every = zip(case.orders.text("order"), claimed, case.orders.flag("firm"), strict=True)
        return frozenset(
            str(name) for name, got, firm in every if firm and got > before.get(name, got) + GAINED
        )

    def _raised(
        self, wanted: Sequence[tuple[Key, tuple[str, ...]]], total: list[Fraction], amounts: list[float]
    ) -> list[Fraction]:
        """More by what is lacking, rounded up; at least by one step where nothing seems to lack."""
        digits = [DIGITS[KIND_OF[key[0]]] for key, _ in wanted]
        more = [
            rounded(amount, places, up=True) if places else Fraction(0)
            for amount, places in zip(amounts, digits, strict=True)
        ]
        if not any(more):
            more = [Fraction(1, 10**places) if places else Fraction(0) for places in digits]
        return [a + b for a, b in zip(total, more, strict=True)]

    def _parts(
        self, wanted: Sequence[tuple[Key, tuple[str, ...]]], total: list[Fraction]
    ) -> Relaxation | None:
        levers = self._levers(self.promise, wanted)
        parts = [self.amender.part(one, amount) for one, amount in zip(levers, total, strict=True)]
        kept = [part for part in parts if part is not None]
        return Relaxation(tuple(kept)) if len(kept) == len(wanted) else None

    def tried(self, edits: Sequence[Edit]) -> Trial:
        """The changed case solved again, and asked again."""
        if self.again is not None:
            return self.again(edits)
        of_case = [edit for edit in edits if edit.table != QUOTE]
        session, ask = self._as_it_is, amended(self.ask, edits)
        if of_case:
            session = self.session.again(firm_part(changed(self.session.case, of_case)))
        return Trial(session, ask, answered(session, ask).whole)

    @cached_property
    def _as_it_is(self) -> Session:
        """The case itself, without the orders that no promise depends on."""
        part = firm_part(self.session.case)
        return self.session if part is self.session.case else self.session.again(part)

    # ---- two limits -----------------------------------------------------------------------------------

    def _pairs(self) -> list[Relaxation]:
        """The least of two limits together, where no single one will do."""
        found = []
        for pair in self._pairs_of_limits():
            wanted = self._concrete(pair)
            amounts = None if wanted is None else self._amounts(self.promise, wanted)
            if wanted is not None and amounts is not None:
                found.append((round(self._size(wanted, amounts), 9), wanted))
        made: list[Relaxation] = []
        for _, wanted in sorted(found):
            one = self.least(wanted)
            if one is not None:
                made.append(one)
            if len(made) >= MOST_PAIRS:
                break
        return made

    def _size(self, wanted: Sequence[tuple[Key, tuple[str, ...]]], amounts: list[float]) -> float:
        levers = self._levers(self.promise, wanted)
        return sum(
            weight(one, self.promise.mass) * amount for one, amount in zip(levers, amounts, strict=True)
        )

    def _pairs_of_limits(self) -> list[tuple[Key, Key]]:
        """Two limits that give way, without both of which the whole fits."""

        def gives(key: Key) -> bool:
            return key[0] in KIND_OF and key[0] != LEVEL

        every, found = self.limits.every, set()
        for first in filter(gives, self.clash.keys):
            without = self.limits.holding(every - {first})
            for second in filter(gives, sorted(without.by)):
                if self.limits.holding(every - {first, second}).whole:
                    found.add((min(first, second), max(first, second)))
        return sorted(found)

    def _concrete(self, pair: tuple[Key, Key]) -> list[tuple[Key, tuple[str, ...]]] | None:
        """Of each limit the one lever that is used most when all its levers may be."""
        costs: dict[int, float] = {}
        all_of = []
        for key in pair:
            names = candidates(self.promise, key)[:ENOUGH]
            levers = [one for one in (lever(self.promise, key, n) for n in names) if one is not None]
            all_of.append((key, levers))
            for one in levers:
                by = weight(one, self.promise.mass) if one.counted else SLIGHT
                costs.update({column: by * unit for column, unit in one.columns.items()})
        point = self.promise.least(costs)
        if point is None:
            return None
        chosen = []
        for key, levers in all_of:
            used = [(sum(float(point[c]) for c in one.columns), one.names) for one in levers]
            if not used:
                return None
            chosen.append((key, max(used, key=lambda u: (round(u[0], 9), u[1]))[1]))
        return chosen

    # ---- less, and later ------------------------------------------------------------------------------

    def _part(self) -> Relaxation | None:
        """The part of the mass that fits, in whole kilograms where there is one."""
        grams = round(self.feasible * GRID)
        kilograms = grams // 1000 * 1000
        for mass in (kilograms or grams, kilograms - 1000, grams - 1):
            if mass <= 0:
                continue
            made = Relaxation((self.amender.smaller(mass),))
            if self.tried(made.edits).works:
                return made
        return None

    def _later(self, allowed: Collection[str] | None) -> Relaxation | None:
        """The first later period in which all of it fits."""
        periods = [str(p) for p in self.session.problem.names.periods]
        later = periods[periods.index(self.ask.period) + 1 :]
        for period in (p for p in later if allowed is None or p in allowed):
            made = Relaxation((self.amender.later(period),))
            if self.tried(made.edits).works:
                return made
        return None


def _amount(one: Relaxation) -> float:
    return float(one.parts[0].amount or 0)


def answered(session: Session, ask: Ask) -> Worth | Decided:
    """What a session answers, without choosing among its optima."""
    stamp = session.stamp(ask)
    if session.decider is None:
        return worth(session.hot, stamp, ask.mass_t, unique=False)
    return session.decider.decide(stamp, ask.mass_t, unique=False)
