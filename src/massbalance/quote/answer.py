"""What a quote says, and as a document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from math import isinf

from massbalance.domain.grid import decimal_text
from massbalance.quote.ask import Ask
from massbalance.quote.curve import Point
from massbalance.quote.explain import Explanation
from massbalance.quote.limits import Clash
from massbalance.quote.losers import Displaced, Drawn
from massbalance.quote.mend import Relaxation
from massbalance.quote.reserved import Counted
from massbalance.quote.words import Binding

DIGITS = 9
"""Significant digits of what a solver found."""


def shown(value: float | None) -> Decimal | None:
    """A solver's figure as a decimal of nine significant digits, at most nine decimals.

    None where there is none, as a gap that nothing bounds yet.
    """
    if value is None or isinf(value):
        return None
    short = Decimal(f"{value:.{DIGITS}g}").quantize(Decimal(1).scaleb(-DIGITS)).normalize()
    return Decimal(f"{short + 0:f}")


@dataclass(frozen=True)
class Alternative:
    """Other terms, and what they would take: checked by a solve.

    kind: `mass`, `level`, `period` or `schemes`; feasible_t of mass_t; floor: least premium per t.
    """

    kind: str
    ask: Ask
    feasible_t: float
    floor: float

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "kind": self.kind,
            "period": self.ask.period,
            "level": exact(self.ask.level),
            "mass_t": Decimal(decimal_text(self.ask.mass)),
            "schemes": list(self.ask.schemes),
            "feasible_t": shown(self.feasible_t),
            "floor_premium_per_t": shown(self.floor),
        }


def exact(value: object) -> Decimal | None:
    """An exact figure of the terms asked for."""
    if value is None:
        return None
    numerator, denominator = value.as_integer_ratio()  # type: ignore[attr-defined]
    return Decimal(numerator) / Decimal(denominator)


@dataclass(frozen=True)
class Side:
    """One way to answer: `linear` (the case's LP, or the relaxation of its MIP) or `decided` (the MIP).

    floor_whole: least premium of the whole mass, None where that is not feasible; floor_feasible: of the
    feasible mass; gap: proven relative gap of the margin.
    """

    how: str
    feasible_t: float
    floor_whole: float | None
    floor_feasible: float | None
    gap: float

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "how": self.how,
            "feasible_t": shown(self.feasible_t),
            "floor_premium_per_t": shown(self.floor_whole),
            "floor_premium_of_feasible_per_t": shown(self.floor_feasible),
            "gap": shown(self.gap),
        }


@dataclass(frozen=True)
class Quote:
    """The answer to an ask.

    answer: the exact one; relaxation: the linear one of a case that decides yes or no, else None;
    price_per_t: what the base's prices alone would ask; displaced: who loses; drawn: lots taken; binding:
    what limits the mass or makes the price; margin: the base's; look, trace: find the alternatives and the
    curve; why_not: finds the conflict; notes: in words; reserved: reservations that were counted, if there is
    a book; seconds: by stage.
    """

    ask: Ask
    currency: str
    answer: Side
    relaxation: Side | None
    price_per_t: float | None
    margin: float
    displaced: tuple[Displaced, ...]
    drawn: tuple[Drawn, ...]
    binding: tuple[Binding, ...]
    look: Callable[[], tuple[Alternative, ...]] = field(repr=False, compare=False)
    trace: Callable[[], tuple[Point, ...]] = field(repr=False, compare=False)
    why_not: Callable[[], Explanation] = field(repr=False, compare=False, default=Explanation)
    notes: tuple[str, ...] = ()
    reserved: Counted | None = None
    seconds: Mapping[str, float] = field(default_factory=dict, compare=False)

    @cached_property
    def alternatives(self) -> tuple[Alternative, ...]:
        """Other terms that fit whole, or the part that does: solved for when first asked for."""
        return self.look()

    @cached_property
    def explanation(self) -> Explanation:
        """Why not the whole mass, and what would mend it; empty where it is feasible."""
        return self.why_not()

    @property
    def conflict(self) -> tuple[Clash, ...]:
        """The limits that clash where the whole mass is not feasible: without any one of them it is."""
        return self.explanation.conflict

    @property
    def relaxations(self) -> tuple[Relaxation, ...]:
        """The least that would make the whole mass feasible, each checked by a solve."""
        return self.explanation.relaxations

    @cached_property
    def curve(self) -> tuple[Point, ...]:
        """The floor premium over the mass at every breakpoint (of a MIP: its relaxation), when asked for."""
        return self.trace()

    @property
    def feasible_t(self) -> float:
        """Greatest mass that can be promised without any firm shortfall growing, t."""
        return self.answer.feasible_t

    @property
    def floor_premium_per_t(self) -> float | None:
        """Least premium per t for the whole mass; None where the whole is not feasible."""
        return self.answer.floor_whole

    @property
    def gain(self) -> float | None:
        """What the margin gains if the whole mass is taken at its premium; None: no such thing."""
        if self.ask.premium is None or self.floor_premium_per_t is None:
            return None
        return (float(self.ask.premium) - self.floor_premium_per_t) * self.ask.mass_t

    @property
    def accept(self) -> bool | None:
        """Is the whole mass worth its premium? None where no premium is named."""
        if self.ask.premium is None:
            return None
        gain = self.gain
        return gain is not None and gain >= -1e-9 * max(1.0, abs(self.margin))

    def as_dict(self, *, with_curve: bool = False) -> dict[str, object]:
        """The document of `quote --json`; it looks for the alternatives."""
        ask = self.ask
        document: dict[str, object] = {
            "product": ask.product,
            "period": ask.period,
            "mass_t": Decimal(decimal_text(ask.mass)),
            "claim": ask.claim,
            "level": exact(ask.level),
            "schemes": list(ask.schemes),
            "currency": self.currency,
            **self.answer.as_dict(),
            "relaxation": None if self.relaxation is None else self.relaxation.as_dict(),
            "price_per_t": shown(self.price_per_t),
            "premium_per_t": exact(ask.premium),
            "accept": self.accept,
            "gain": shown(self.gain),
            "displaced": [{"order": d.order, "t": shown(d.t)} for d in self.displaced],
            "lots": [
                {"lots": list(d.lots), "category": d.category, "quantity": shown(d.quantity), "uom": d.uom}
                for d in self.drawn
            ],
            "binding": [
                {
                    "of": b.of, "words": b.words, "code": b.code, "label": b.label, "row": b.row,
                    "price": shown(b.price),
                }
                for b in self.binding
            ],
            "alternatives": [one.as_dict() for one in self.alternatives],
            **self.explanation.as_dict(),
        }  # fmt: skip
        if with_curve:
            document["curve"] = [
                {
                    "mass_t": shown(p.mass),
                    "floor_premium_per_t": shown(p.floor),
                    "marginal_premium_per_t": shown(p.marginal),
                }
                for p in self.curve
            ]
        document["reservations"] = None if self.reserved is None else self.reserved.as_dict()
        document["notes"] = list(self.notes)
        document["seconds"] = {name: shown(round(s, 4)) for name, s in self.seconds.items()}
        return document
