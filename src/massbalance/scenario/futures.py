"""Futures: what may come otherwise than the case says, drawn from a few distributions.

futures = read_futures(Path("futures.toml"), case)
for future in futures:          # numbered from 1
    future.delays, future.factors, future.cancelled, future.yields

Future number 7 of a seed is the same however many are drawn, and whatever the order of rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction

from massbalance.domain.grid import GRID, decimal_text
from massbalance.scenario.chance import Distribution, happens, ticket


@dataclass(frozen=True)
class Rule:
    """One way in which futures differ.

    kind: `late`, `short`, `cancelled` or `yield`; name: what its draws are keyed by; figures: days or
    factors, None for `cancelled`; rows: lots, orders or products that it may touch -> the word that they
    draw by (rows of one word have one draw).
    """

    kind: str
    name: str
    probability: Fraction
    figures: Distribution | None
    rows: Mapping[str, str]

    def drawn(self, seed: int, number: int) -> dict[str, int]:
        """Row -> figure in millionths (of `cancelled`: 0), of the rows that it strikes in a future."""
        of_word: dict[str, int | None] = {}
        for word in self.rows.values():
            if word not in of_word:
                of_word[word] = self._of(seed, number, word)
        found = ((row, of_word[word]) for row, word in self.rows.items())
        return {row: figure for row, figure in found if figure is not None}

    def _of(self, seed: int, number: int, word: str) -> int | None:
        key = (seed, number, self.name, word)
        if not happens(self.probability, ticket(*key, "whether")):
            return None
        return 0 if self.figures is None else self.figures.draw(ticket(*key, "how much"))


@dataclass(frozen=True)
class Future:
    """What comes otherwise; what a future does not name comes as the case says.

    number: from 1; delays: lot -> days; factors: lot -> part of its quantity, 0 to 1; cancelled: orders;
    yields: product -> factor on its t_product_per_t_input. All in canonical order, exact.
    """

    number: int
    delays: Mapping[str, int] = field(default_factory=dict)
    factors: Mapping[str, Decimal] = field(default_factory=dict)
    cancelled: tuple[str, ...] = ()
    yields: Mapping[str, Decimal] = field(default_factory=dict)

    @property
    def same(self) -> tuple[object, ...]:
        """Equal for futures in which the same happens."""
        told = (self.delays, self.factors, self.yields)
        return (*(tuple(one.items()) for one in told), self.cancelled)

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "future": self.number,
            "late_days": dict(self.delays),
            "short_factor": dict(self.factors),
            "cancelled": list(self.cancelled),
            "yield_factor": dict(self.yields),
        }


@dataclass(frozen=True)
class Futures:
    """A description of what may happen, and how many futures to draw from it.

    source: SHA-256 of the file; notes: what a planner should know of it.
    """

    name: str
    seed: int
    count: int
    rules: tuple[Rule, ...]
    source: str = ""
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Future]:
        return (self.draw(number) for number in range(1, self.count + 1))

    def again(self, *, seed: int | None = None, count: int | None = None) -> Futures:
        """The same description with another seed or count."""
        return replace(
            self, seed=self.seed if seed is None else seed, count=self.count if count is None else count
        )

    def draw(self, number: int) -> Future:
        """One future. Several rules that strike a row: delays add up, factors multiply (rounded down)."""
        delays: dict[str, int] = {}
        factors: dict[str, int] = {}
        yields: dict[str, int] = {}
        cancelled: set[str] = set()
        for rule in self.rules:
            for row, figure in rule.drawn(self.seed, number).items():
                if rule.kind == "late":
                    delays[row] = delays.get(row, 0) + figure // GRID
                elif rule.kind == "cancelled":
                    cancelled.add(row)
                else:
                    of = factors if rule.kind == "short" else yields
                    of[row] = of.get(row, GRID) * figure // GRID
        return Future(
            number=number,
            delays={row: days for row, days in sorted(delays.items()) if days},
            factors=_factors(factors),
            cancelled=tuple(sorted(cancelled)),
            yields=_factors(yields),
        )


def _factors(found: Mapping[str, int]) -> dict[str, Decimal]:
    """Factors other than 1 as decimals, in order."""
    return {row: Decimal(decimal_text(value)) for row, value in sorted(found.items()) if value != GRID}
