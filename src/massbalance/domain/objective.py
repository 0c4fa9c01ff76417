"""What `[objective]` asks for: the strategy, the order of goals, minimum services.

`ObjectiveSettings` is the section as pydantic reads it (form only); `Objective` is the same as the rest
of the program reads it, with every default applied. What names products, customers or segments is
checked against the case by `intake.objective`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

if TYPE_CHECKING:
    from massbalance.domain.case import Case

Strategy = Literal[
    "firm-then-margin", "concentrate", "spread", "leximin", "tonnage", "least-expiry", "weighted"
]
Goal = Literal[
    "firm_shortfall", "margin", "tonnage", "chosen", "expiry", "weighted", "common_share", "fair_share"
]
GroupKind = Literal["customer", "segment", "product"]

STRATEGIES: tuple[str, ...] = get_args(Strategy)
OWN_GOALS = {
    "concentrate": "chosen",
    "spread": "common_share",
    "leximin": "fair_share",
    "tonnage": "tonnage",
    "least-expiry": "expiry",
    "weighted": "weighted",
}
"""Strategy -> the goal that makes it; it stands between the firm orders and the margin unless told."""
SETTINGS_OF = {
    "chosen": "concentrate",
    "common_share": "spread",
    "fair_share": "leximin",
    "weighted": "weighted",
}
"""Goals that only one strategy's settings explain."""
GROUP_KINDS: tuple[str, ...] = get_args(GroupKind)
MOST_DECIMALS = 6
LARGEST_WEIGHT = 10**9

_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")


def plain_number(value: object) -> object:
    """A number as written, exactly: whole ones as int, others as Decimal without needless zeros.

    Anything else comes back as it is. A float counts as its shortest spelling.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | Fraction):
        return value
    if isinstance(value, Fraction):
        value = Decimal(value.numerator) / Decimal(value.denominator)
    found = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not found.is_finite():
        return value
    if found == found.to_integral_value():
        return int(found) if abs(found) < 10**30 else value
    return Decimal(format(found.normalize(), "f"))


def number_of_text(text: str) -> object:
    """A sheet's cell as a number, where it is one; otherwise the text."""
    word = text.strip()
    return plain_number(Decimal(word)) if _NUMBER.fullmatch(word) else text


def _exact(most: int, expected: str) -> BeforeValidator:
    """Accept numbers from 0 to `most` with at most six decimals."""

    def check(value: object) -> Decimal:
        found = plain_number(value)
        is_number = isinstance(found, int | Decimal) and not isinstance(found, bool)
        number = Decimal(str(found)) if is_number else Decimal("nan")
        if not number.is_finite() or not 0 <= number <= most:
            raise ValueError(expected)
        if (number * 10**MOST_DECIMALS) % 1 != 0:
            raise ValueError(f"at most {MOST_DECIMALS} decimals")
        return number

    return BeforeValidator(check)


Weight = Annotated[Decimal, _exact(LARGEST_WEIGHT, f"a number from 0 to {LARGEST_WEIGHT}")]
Share = Annotated[Decimal, _exact(1, "a share from 0 to 1")]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Weights(_Section):
    """Strategy `weighted`: what a unit of each goal is worth, in the margin's currency."""

    margin: Weight | None = Field(None, description="of a unit of margin")
    tonnage_t: Weight | None = Field(None, description="of a t claimed")
    expired_tco2e: Weight | None = Field(None, description="of a t CO2e that expires unused (counts against)")


class MinimumService(_Section):
    """The least share of what a group ordered that gets its claim; hard."""

    by: GroupKind
    group: str = ""
    share: Share


class ObjectiveSettings(_Section):
    """Strategy, order of the goals, and what they need."""

    order: list[Goal] | None = None
    strategy: Strategy = "firm-then-margin"
    products: list[str] = []
    by: GroupKind | None = None
    weights: Weights | None = None
    minimum_service: list[MinimumService] = []

    @field_validator("order", mode="before")
    @classmethod
    def _as_in_summary(cls, value: object) -> object:
        """`firm_shortfall_t`, as summary.json calls the goal, is `firm_shortfall`."""
        if not isinstance(value, list):
            return value
        return ["firm_shortfall" if goal == "firm_shortfall_t" else goal for goal in value]

    @field_validator("order")
    @classmethod
    def _each_once(cls, value: list[str] | None) -> list[str] | None:
        if value is not None and len(set(value)) < len(value):
            raise ValueError("each goal once")
        if value is not None and not {"firm_shortfall", "margin"} <= set(value):
            raise ValueError("`firm_shortfall` and `margin`, and each goal once")
        return value


@dataclass(frozen=True)
class Minimum:
    """share: least part of a group's mass that gets its claim; group: empty for every group of the kind."""

    by: str
    group: str
    share: Fraction


@dataclass(frozen=True)
class Objective:
    """What a case asks for, defaults applied.

    order: goal words, the most important first; products: those that `concentrate` chose, in order; by:
    kind of group of `leximin`; weights: `margin`, `tonnage_t`, `expired_tco2e` -> worth (those given);
    minimums: as written.
    """

    strategy: str
    order: tuple[str, ...]
    products: tuple[str, ...] = ()
    by: str = "customer"
    weights: tuple[tuple[str, Fraction], ...] = ()
    minimums: tuple[Minimum, ...] = ()

    def weight(self, name: str) -> Fraction:
        """Worth of a unit of `margin`, `tonnage_t` or `expired_tco2e`; 0 where not given."""
        return dict(self.weights).get(name, Fraction(0))

    @property
    def plain(self) -> bool:
        """Are firm orders and margin the only goals, without minimum services?"""
        return set(self.order) == {"firm_shortfall", "margin"} and not self.minimums

    def after_firm(self, goal: str) -> bool:
        """Have firm orders got what they can before the goal's turn comes?"""
        return self.order.index("firm_shortfall") < self.order.index(goal)


def default_order(strategy: str) -> tuple[str, ...]:
    """Goals of a strategy where none are told: the firm orders, its own goal, the margin."""
    own = OWN_GOALS.get(strategy)
    return ("firm_shortfall", "margin") if own is None else ("firm_shortfall", own, "margin")


def read_objective(settings: Mapping[str, Any]) -> Objective:
    """The objective of checked settings (`[objective]` as a mapping; empty: all defaults)."""
    given = ObjectiveSettings.model_validate(dict(settings))
    weights = {} if given.weights is None else given.weights.model_dump(exclude_none=True)
    return Objective(
        strategy=given.strategy,
        order=default_order(given.strategy) if given.order is None else tuple(given.order),
        products=tuple(given.products),
        by=given.by or "customer",
        weights=tuple(sorted((name, Fraction(worth)) for name, worth in weights.items())),
        minimums=tuple(Minimum(m.by, m.group, Fraction(m.share)) for m in given.minimum_service),
    )


def group_of(case: Case, by: str) -> tuple[tuple[str, ...], npt.NDArray[np.intp]]:
    """Groups of a case's orders: their names, sorted, and each order's position in them, shape (orders,).

    by: `customer`, `segment` (of the order's customer; -1 where it has none) or `product`. Only groups
    that ordered something are there.
    """
    orders = case.orders
    words = orders.text("product" if by == "product" else "customer")
    if by == "segment":
        customers = case.customers
        known = dict(zip(customers.text("customer"), customers.text("segment"), strict=True))
        words = np.array([known.get(word, "") for word in words], dtype=object)
    names = tuple(sorted({str(word) for word in words} - ({""} if by == "segment" else set())))
    position = {name: n for n, name in enumerate(names)}
    return names, np.array([position.get(str(word), -1) for word in words], dtype=np.intp)


def minimum_shares(case: Case) -> dict[tuple[str, str], Fraction]:
    """(by, group) -> greatest least share asked of it, in canonical order; a group without a row has none."""
    found: dict[tuple[str, str], Fraction] = {}
    for least in case.objective.minimums:
        names = (least.group,) if least.group else group_of(case, least.by)[0]
        for name in names:
            key = (least.by, name)
            found[key] = max(found.get(key, Fraction(0)), least.share)
    return dict(sorted(found.items()))
