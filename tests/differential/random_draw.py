"""Random words, short decimals and shuffled tables for `random_cases`, from a seed's text alone."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import TypeVar

T = TypeVar("T")
Record = dict[str, str]

REQUIRED_COLUMNS = {
    "periods": ("period", "start", "end"),
    "sites": ("site", "unit"),
    "lots": ("lot", "kind", "category", "site", "received", "quantity", "uom"),
    "alloys": ("alloy", "category", "max_share"),
    "products": ("product", "name", "alloy", "site", "s1", "s2", "s3"),
    "production": ("product", "period", "mass_t"),
    "orders": ("order", "customer", "product", "period", "mass_t", "claim", "level", "premium_per_t"),
}


class Draw:
    """Random short texts and numbers."""

    def __init__(self, seed: str) -> None:
        self.random = Random(seed)

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def whole(self, low: int, high: int) -> int:
        return self.random.randint(low, high)

    def one(self, words: Sequence[T]) -> T:
        return self.random.choice(words)

    def some(self, words: Sequence[T], least: int = 1) -> list[T]:
        return self.random.sample(words, self.whole(min(least, len(words)), len(words)))

    def number(self, low: float, high: float, places: Sequence[int] = (0, 1, 2, 3, 3, 4, 4, 6)) -> str:
        """A decimal in [low, high] (to 6 places), mostly short."""
        drawn = round(self.random.uniform(low, high), self.one(places))
        return f"{Decimal(repr(round(min(max(drawn, low), high), 6))).normalize():f}"

    def share(self, low: float = 0.0, high: float = 1.0) -> str:
        return self.number(low, high, (1, 2, 2, 3, 4, 6))


def plain(value: Decimal) -> str:
    """Decimal text without exponent or trailing zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def write_table(path: Path, rows: list[Record], encoding: str, draw: Draw) -> None:
    """A CSV file with columns and rows (but for `periods`) in random order.

    Optional columns that are empty throughout may be left out.
    """
    required = list(REQUIRED_COLUMNS.get(path.stem, ()))
    optional = list(dict.fromkeys(c for row in rows for c in row if c not in required))
    columns = required + [c for c in optional if any(row.get(c) for row in rows) or draw.chance(0.3)]
    shuffled = list(rows)
    if path.stem != "periods":
        draw.random.shuffle(shuffled)
    draw.random.shuffle(columns)
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(shuffled)
