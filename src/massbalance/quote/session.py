"""A case kept hot for quotes: solved once, asked many times.

    session = Session(Path("data/aluminium"))
    quote = session.quote(product="PL-5052", period="2026-09", mass_t=300, claim="cfp", level="4.0")
    quote.feasible_t, quote.floor_premium_per_t, quote.displaced

A quote leaves nothing behind: the next answer is the same as without it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from massbalance.domain.case import Case
from massbalance.domain.faults import CaseRefused, Fault, in_order
from massbalance.domain.grid import decimal_text
from massbalance.formulation.problem import build_problem, build_supply
from massbalance.intake.read import read_case
from massbalance.quote.alternatives import Finder
from massbalance.quote.answer import Quote, Side
from massbalance.quote.ask import Ask, read_ask
from massbalance.quote.curve import Point, curve
from massbalance.quote.desk import Desk, release_in
from massbalance.quote.exact import Decided, Decider
from massbalance.quote.explain import Explanation, explain
from massbalance.quote.linear import Worth, worth
from massbalance.quote.losers import Displaced, Drawn, claimed, displaced, drawn
from massbalance.quote.reservations import Reservation
from massbalance.quote.reserved import Ground, Kept, Layer
from massbalance.quote.reserved_orders import why_not
from massbalance.quote.strategies import refuse_strategies
from massbalance.quote.tonne import Tonne
from massbalance.quote.words import Binders, Binding
from massbalance.solving.assembly import assemble
from massbalance.solving.highs import Highs
from massbalance.solving.hot import Hot
from massbalance.solving.lean import lean
from massbalance.solving.lexicographic import solve_and_keep
from massbalance.solving.methods import chosen, prepared
from massbalance.solving.methods import solve as solve_compiled
from massbalance.solving.solution import Solution
from massbalance.solving.stamp import Stamp

Floats = npt.NDArray[np.float64]
Progress = Callable[[str], None]
DECIDED, LINEAR = "decided", "linear"


class Session:
    """A case, its optimum, and a model of it that quotes are asked of.

    case: a checked case, or where to read one; gap, time_limit: of the decisions of a MIP, as `run` has
    them; reservations: the file of the book whose reservations in force on `as_of` (today unless told) every
    quote counts, read again whenever it has changed. CaseRefused where the case or the book is not valid.
    """

    def __init__(
        self,
        case: Case | Path,
        *,
        time_limit: float | None = None,
        gap: float = 0.0,
        reservations: Path | None = None,
        as_of: date | None = None,
        progress: Progress | None = None,
    ) -> None:
        say, begun = progress or (lambda _: None), time.perf_counter()
        self.time_limit, self.gap = time_limit, gap
        self.case = case if isinstance(case, Case) else read_case(case, progress=progress)
        refuse_strategies(self.case)
        self.supply = build_supply(self.case)
        self.problem = build_problem(self.case, self.supply)
        self.compiled = prepared(self.problem, lean(self.problem, assemble(self.problem)))
        base, model = self._linear(say)
        self.hot = self._hot(base, model)
        self.decider: Decider | None = None
        if self.problem.is_mip:
            base = solve_compiled(
                self.problem, self.compiled, time_limit=time_limit, gap=gap, progress=progress
            )
            self.decider = Decider.of(self.hot, base, self.compiled, time_limit, gap)
        self.base = base
        self.claimed = claimed(self.problem, self.compiled, base.columns)
        self._free = Ground(self.hot, self.decider, self.claimed)
        self.desk = Desk(
            reservations, as_of, Layer(self.case, self.supply, self.problem, self.compiled, say), say
        )
        self._stand()
        self.seconds = time.perf_counter() - begun

    def _linear(self, say: Progress) -> tuple[Solution, Highs | None]:
        """The optimum without integers, and the model that it comes from, where there is one of the whole."""
        relaxed = replace(self.compiled, integer=np.zeros_like(self.compiled.integer))
        if chosen(self.problem, relaxed, "auto") == "monolith":
            return solve_and_keep(relaxed, progress=say)
        return solve_compiled(self.problem, relaxed, progress=say), None

    def _hot(self, base: Solution, model: Highs | None) -> Hot:
        """The model with the firm shortfalls held where the optimum has them, and the margin to be had."""
        compiled, names = self.compiled, [goal.name for goal in self.compiled.goals]
        held = [
            (compiled.costs[n], base.stages[n].minimum)
            for n, name in enumerate(names)
            if name == "firm_shortfall_t"
        ]
        # where the margin came first, the kept model holds it, too
        kept = model if names[-2] == "margin" else None
        return Hot(
            compiled, compiled.costs[names.index("margin")], compiled.costs[-1], held, kept, base.columns
        )

    def _stand(self) -> None:
        """Stand on what is reserved now."""
        ground = self.desk.upon(self._free)
        self.hot, self.decider, self.claimed = ground.hot, ground.decider, ground.claimed

    @property
    def margin(self) -> float:
        """The margin without any quote, of the case's own orders, in its currency."""
        return -(self.hot.minimum if self.decider is None else self.decider.minimum)

    def again(self, case: Case) -> Session:
        """A session on another case, with the same limits of time and gap."""
        return Session(case, time_limit=self.time_limit, gap=self.gap)

    def _why_not(self, ask: Ask, feasible: float) -> Explanation:
        """The limits that clash; what is reserved stands among them as firm orders behind all others."""
        kept = () if self.desk.counted is None else self.desk.counted.kept
        if feasible >= ask.mass_t or not any(one.held for one in kept):
            return explain(self, ask, feasible)
        return why_not(self, kept, self.desk.day, ask, feasible)

    def stand_on(self, reservations: Sequence[Reservation]) -> tuple[Kept, ...]:
        """Stand on these reservations, in their order; what is kept of each. For a session without a book."""
        ground, kept = self.desk.layer.upon(self._free, reservations)
        self.hot, self.decider, self.claimed = ground.hot, ground.decider, ground.claimed
        return kept

    def stamp(self, ask: Ask, hot: Hot | None = None) -> Stamp:
        """What an ask adds to the model (as it stands, or to `hot`)."""
        return (hot or self.hot).base.stamp(build_problem(ask.case(self.case), self.supply))

    def quote(self, **terms: Any) -> Quote:
        """The quote for some terms: product, period, mass_t, claim, level, premium_per_t, schemes.

        Units and meanings: `quote.ask.read_ask`. CaseRefused holds all faults of the terms, or of the book of
        reservations.
        """
        ask = read_ask(self.case, **terms)
        self._stand()
        return self._answer(ask)

    def reserve(
        self, *, customer: str, until: date | str, part: bool = False, **terms: Any
    ) -> tuple[Reservation | None, Quote]:
        """A quote, and a reservation of it in the book, until a day (ISO), that day included.

        Only if the whole mass is feasible beside all that is in force; part: else of what is feasible. None,
        and nothing written, where it is not. The book is locked meanwhile, so no other can take the same
        credits. CaseRefused holds all faults of the terms; BookConflict where the book is not to be had;
        ValueError where the session has none.
        """
        held = self.desk.held(self.case, customer, until, terms)
        with self.desk.writing() as writer:
            self._stand()
            quote = self._answer(held.ask)
            made = self.desk.record(writer, held, quote.feasible_t, part=part)
        return made, quote

    def release(self, name: str, order: str = "") -> Reservation:
        """Count a reservation of the book no more, from today (`as_of`) on; order: the order that it became.

        CaseRefused where it is not in force; BookConflict, ValueError as `reserve`.
        """
        with self.desk.writing() as writer:
            return release_in(writer, name, self.desk.day, order)

    def quotes(self, many: Iterable[Mapping[str, Any]]) -> list[Quote]:
        """Quotes for many terms, each as if it were the only one.

        CaseRefused holds the faults of all of them; `row` is the number of the terms, from 1.
        """
        asks, faults = [], []
        for number, terms in enumerate(many, start=1):
            try:
                asks.append(read_ask(self.case, **terms))
            except CaseRefused as refused:
                faults += [
                    Fault(f.table, number, f.column, f.value, f.expected, f.code) for f in refused.faults
                ]
        if faults:
            raise CaseRefused(in_order(faults))
        self._stand()
        return [self._answer(ask) for ask in asks]

    def _answer(self, ask: Ask) -> Quote:
        clock = _Clock()
        stamp = self.stamp(ask)
        tonne = Tonne(stamp)
        price = tonne.price(self.hot)
        linear = Worth(ask.mass_t, 0.0, 0.0, None, None, None)
        if not tonne.out_of_reach():
            linear = worth(self.hot, stamp, ask.mass_t, unique=self.decider is None)
        clock.stage("linear")
        found: Worth | Decided = linear
        if self.decider is not None:
            found = Decided(ask.mass_t, 0.0, 0.0, None, None, 0.0)
            if not tonne.out_of_reach():
                found = self.decider.decide(stamp, ask.mass_t, unique=True)
            clock.stage("decided")
        binding = self._binding(tonne, linear, found)
        columns = found.columns
        lost: tuple[Displaced, ...] = ()
        lots: tuple[Drawn, ...] = ()
        if columns is not None:
            lost = displaced(self.problem, self.claimed, claimed(self.problem, self.compiled, columns))
            lots = drawn(self.problem, stamp, columns)
        clock.stage("explained")
        return Quote(
            ask=ask,
            currency=self.case.currency,
            answer=side(found),
            relaxation=None if self.decider is None else side(linear),
            price_per_t=price,
            margin=self.margin,
            displaced=lost,
            drawn=lots,
            binding=binding,
            look=Finder(self, ask, stamp, found).found,
            trace=partial(_curve, self.hot, stamp, linear),
            why_not=lambda: self._why_not(ask, found.feasible),
            notes=(*ask.notes, *self._notes(ask)),
            reserved=self.desk.counted,
            seconds=clock.seconds,
        )

    def _binding(self, tonne: Tonne, linear: Worth, found: Worth | Decided) -> tuple[Binding, ...]:
        """What limits the mass (by the linear model), and what makes the price."""
        binders = Binders(self.problem, tonne)
        rows: list[Binding] = []
        if not found.whole:
            rows += binders.hopeless()
            if not rows and linear.short is not None:
                rows += binders.of(linear.short, "mass")
        if found.taken is not None:
            rows += binders.of(found.taken, "premium")
        return tuple(rows)

    def _notes(self, ask: Ask) -> list[str]:
        """What a planner should know beside the figures."""
        production, orders = self.case.production.rows, self.case.orders
        there = (production["product"] == ask.product) & (production["period"] == ask.period)
        made = int(self.case.production.grid("mass_t")[there.to_numpy()].sum())
        same = (orders.rows["product"] == ask.product) & (orders.rows["period"] == ask.period)
        ordered = int(orders.grid("mass_t")[same.to_numpy()].sum())
        reserved = self.desk.mass_of(ask)
        notes = []
        if ordered + reserved + ask.mass > made:
            more = f" and the {decimal_text(reserved)} t reserved" if reserved else ""
            notes.append(
                f"with the {decimal_text(ordered)} t ordered{more} it exceeds the production of "
                f"{ask.product} in {ask.period}, {decimal_text(made)} t"
            )
        if self.base.status != "optimal" or self.desk.gap > 0:
            notes.append("the case itself was stopped at a limit: the floor premium is as good as its gap")
        return [*notes, *self.desk.notes()]


def _curve(hot: Hot, stamp: Stamp, found: Worth) -> tuple[Point, ...]:
    return tuple(curve(hot, stamp, found))


def side(found: Worth | Decided) -> Side:
    """One way to answer, as a value."""
    whole = found.floor if found.whole else None
    gap = found.gap if isinstance(found, Decided) else 0.0
    return Side(LINEAR if isinstance(found, Worth) else DECIDED, found.feasible, whole, found.floor, gap)


class _Clock:
    """Seconds by stage; a stage ends when it is named."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.begun = self.last = time.perf_counter()

    def stage(self, name: str) -> None:
        now = time.perf_counter()
        self.seconds[name] = now - self.last
        self.seconds["total"] = now - self.begun
        self.last = now
