"""What a strategy asks of every order and group, on the booked figures (C16 to C18; B-A, B-B)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from massbalance.domain.grid import GRID, decimal_text
from massbalance.verification.files import Faults, plain
from massbalance.verification.integers import Ints, Wide, which
from massbalance.verification.orders import Booked
from massbalance.verification.strategy import C16, C17, C18, Strategy

MOST_LOTS = 1000
"""Lots of one order whose rounding counts at most; so masses stay far from 2**63."""
MOST_TOGETHER = 10**6
"""The grams of all orders together count up to 1 t."""
PLACES = 9
"""Places to which a share stands in summary.json, at least."""


def check_strategy(strategy: Strategy, booked: Booked, told: Fraction | None, faults: Faults) -> None:
    """Orders that stay conventional, least shares and the common share; told: that of summary.json."""
    _check_conventional(strategy, booked, faults)
    _check_minimums(strategy, booked, faults)
    if strategy.asks("common_share"):
        _check_common(strategy, booked, told, faults)


def _grams(strategy: Strategy, booked: Booked) -> Ints:
    """What the grid may leave out of each order: its grams, for each lot that serves it."""
    lots = np.bincount(booked.rows.order, minlength=len(booked.claimed))
    return np.asarray(strategy.grams * np.clip(lots, 1, MOST_LOTS), dtype=np.int64)


def _grams_of_one(strategy: Strategy, booked: Booked) -> Ints:
    """The same where what rounding costs all orders may fall on one."""
    return np.maximum(_grams(strategy, booked), min(Wide.of(strategy.grams).total(), MOST_TOGETHER))


def _check_conventional(strategy: Strategy, booked: Booked, faults: Faults) -> None:
    """What is neither firm nor of a chosen product claims nothing (B-A)."""
    products = ", ".join(strategy.objective.products)
    for at in which(strategy.conventional & (booked.claimed > 0)):
        faults.at(booked.lines, at, "claimed_t", f"0: neither firm nor one of {products}", "B-A concentrate")


def _check_minimums(strategy: Strategy, booked: Booked, faults: Faults) -> None:
    """Every group has its least share, but for the grams that the grid leaves out of its orders (C16)."""
    for by in dict.fromkeys(by for by, _ in strategy.minimums):
        groups = strategy.groups(by)
        claimed, grams = groups.sums(booked.claimed), groups.sums(_grams(strategy, booked))
        for name, at in groups.position.items():
            share = strategy.minimums.get((by, name))
            if share is None or share * groups.mass[at] - claimed[at] <= grams[at]:
                continue
            asked = plain(share * groups.mass[at] / GRID)
            expected = f"at least {asked} t, {plain(share)} of what {by} {name} ordered"
            faults.add("orders.csv", None, "claimed_t", decimal_text(claimed[at]), expected, C16)


def _check_common(strategy: Strategy, booked: Booked, told: Fraction | None, faults: Faults) -> None:
    """Covered orders have the common share, none more, none less by more than its grams (C17, C18; B-B).

    That of summary.json says which orders are wrong; nobody else could.
    """
    found = strategy.common(booked.claimed)
    share, scale = (found if told is None or not 0 <= told <= 1 else told), 10 ** (PLACES + 3)
    covered = np.flatnonzero(strategy.covered)
    claimed, mass = Wide.of(booked.claimed[covered]) * scale, Wide.of(strategy.facts.mass[covered])
    above = claimed - mass * (int(share * scale) + 1 + scale // 10**PLACES)
    below = mass * int(share * scale) - claimed - Wide.of(_grams_of_one(strategy, booked)[covered]) * scale
    for code, words, wrong in ((C18, "at most", above), (C17, "no less than", below)):
        for at in which(wrong.sign() > 0):
            asked = plain(Fraction(strategy.facts.mass[covered[at]].item(), GRID) * share)
            faults.at(booked.lines, int(covered[at]), "claimed_t", f"{words} its part of {asked} t", code)


def entry(strategy: Strategy, claimed: Ints) -> dict[str, Any] | None:
    """summary.json's `strategy`, but for the weights; None where firm orders and margin are all.

    groups: every one of a kind that a least or a fair share was asked of, in order.
    """
    objective, fair = strategy.objective, strategy.asks("fair_share")
    if objective.plain:
        return None
    kinds = {by for by, _ in strategy.minimums} | ({objective.by} if fair else set())
    groups = []
    for by in sorted(kinds):
        found = strategy.groups(by)
        for name, part, mass in zip(found.names, found.sums(claimed), found.mass, strict=True):
            one = {
                "by": by,
                "group": name,
                "ordered_t": Fraction(mass, GRID),
                "claimed_t": Fraction(part, GRID),
                "service": Fraction(part, mass or 1),
                "minimum": strategy.minimums.get((by, name)),
                "stage": strategy.stages.get(name) if fair and by == objective.by else None,
            }
            groups += [one] if mass else []
    return {
        "name": objective.strategy,
        "order": list(objective.order),
        "products": list(objective.products),
        "by": objective.by if fair else None,
        "groups": groups,
    }
