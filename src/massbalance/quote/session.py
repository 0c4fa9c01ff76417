"""A case kept hot for quotes: solved once, asked many times.

    session = Session(Path("data/aluminium"))
    quote = session.quote(product="PL-5052", period="2026-09", mass_t=300, claim="cfp", level="4.0")
    quote.feasible_t, quote.floor_premium_per_t, quote.displaced

A quote leaves nothing behind: the next answer is the same as without it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
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
from massbalance.quote.curve import curve
from massbalance.quote.exact import Decided, Decider
from massbalance.quote.linear import Worth, worth
from massbalance.quote.losers import Displaced, Drawn, claimed, displaced, drawn
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
    them. CaseRefused where the case is not valid.
    """

    def __init__(
        self,
        case: Case | Path,
        *,
        time_limit: float | None = None,
        gap: float = 0.0,
        progress: Progress | None = None,
    ) -> None:
        say, begun = progress or (lambda _: None), time.perf_counter()
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
            self.decider = Decider(self.hot, base, self.compiled, time_limit, gap)
        self.base = base
        self.claimed = claimed(self.problem, self.compiled, base.columns)
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

    @property
    def margin(self) -> float:
        """The margin without any quote, in the case's currency."""
        return -(self.hot.minimum if self.decider is None else self.decider.minimum)

    def stamp(self, ask: Ask) -> Stamp:
        """What an ask adds to the model."""
        return self.hot.base.stamp(build_problem(ask.case(self.case), self.supply))

    def quote(self, **terms: Any) -> Quote:
        """The quote for some terms: product, period, mass_t, claim, level, premium_per_t, schemes.

        Units and meanings: `quote.ask.read_ask`. CaseRefused holds all faults of the terms.
        """
        return self._answer(read_ask(self.case, **terms))

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
        return [self._answer(ask) for ask in asks]

    def _answer(self, ask: Ask) -> Quote:
        clock = _Clock()
        stamp = self.stamp(ask)
        tonne = Tonne(stamp)
        price = tonne.price(self.hot)
        linear = worth(self.hot, stamp, ask.mass_t, unique=self.decider is None)
        clock.stage("linear")
        found: Worth | Decided = linear
        if self.decider is not None:
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
            trace=lambda: tuple(curve(self.hot, stamp, linear)),
            notes=(*ask.notes, *self._notes(ask)),
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
        notes = []
        if ordered + ask.mass > made:
            notes.append(
                f"with the {decimal_text(ordered)} t ordered it exceeds the production of {ask.product} in "
                f"{ask.period}, {decimal_text(made)} t"
            )
        if self.base.status != "optimal":
            notes.append("the case itself was stopped at a limit: the floor premium is as good as its gap")
        return notes


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
