"""What conventional products take of forgone and expired effects (A4.2.4, J5.3.3).

A pool is what one accounting unit has to give in one area, period, scope set and gas. It goes to the
conventional products of that area and period by mass, never beyond the conventional baseline of a
product's scope, and GHG effects never to a product whose intensity is CO2 only. What one product
cannot take goes by mass to the others; the last grams go one by one in the products' order. Nobody
left to take it: it is retired.

Pools are served in a fixed order that keeps room for the choosy: by period, fewer scopes first, then
scopes ascending, GHG before CO2, the narrower boundary before the wider, area, unit. Within a product
a pool fills its scopes in ascending order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from massbalance.domain.rulemodel import Boundary

WIDTHS: tuple[Boundary, ...] = ("site", "accounting_unit", "organisation")


@dataclass(frozen=True)
class Pool:
    """Effects to be released: `amount` in g (CO2e, or input metal for shares).

    boundary, area: where they may go; unit: the accounting unit they come from; scopes: where they
    reduce; gas: `CO2` or `GHG`; period: position.
    """

    boundary: Boundary
    area: str
    unit: str
    scopes: tuple[int, ...]
    gas: str
    period: int
    amount: int

    @property
    def turn(self) -> tuple[object, ...]:
        """The pool's place in the order of service."""
        return (
            self.period, len(self.scopes), self.scopes, self.gas != "GHG",
            WIDTHS.index(self.boundary), self.area, self.unit,
        )  # fmt: skip


@dataclass(frozen=True)
class Taker:
    """The conventional mass of a product in one period.

    mass: g, above 0; co2_only: its intensity is CO2 only; unit: its accounting unit; areas: its area
    under each kind of boundary; room: its baseline in scopes 1, 2, 3, g CO2e.
    """

    period: int
    mass: int
    co2_only: bool
    unit: str
    areas: dict[Boundary, str]
    room: tuple[int, int, int]


@dataclass
class Released:
    """What became of the pools, g CO2e.

    taken: of each taker in scopes 1, 2, 3; flows: (from unit, to unit) -> released; retired: unit ->
    what nobody took.
    """

    taken: list[tuple[int, int, int]]
    flows: dict[tuple[str, str], int] = field(default_factory=dict)
    retired: dict[str, int] = field(default_factory=dict)

    def flow(self, source: str, target: str, amount: int) -> None:
        """Count `amount` as released by one unit to products of another, or its own."""
        self.flows[source, target] = self.flows.get((source, target), 0) + amount

    def retire(self, unit: str, amount: int) -> None:
        """Count `amount` of a unit as retired."""
        self.retired[unit] = self.retired.get(unit, 0) + amount


def water_fill(amount: int, masses: Sequence[int], rooms: Sequence[int]) -> list[int]:
    """Split `amount` by mass, no more than its room to each: shape (takers,), integers.

    masses: above 0; rooms: at least 0. The sum of the answer is min(amount, sum of rooms). Who has
    room to spare gets amount * mass / masses rounded down, and the grams left over go one each in
    order.
    """
    if amount >= sum(rooms):
        return list(rooms)
    taken = [0] * len(rooms)
    spare = [i for i, room in enumerate(rooms) if room > 0]
    while True:
        weight = sum(masses[i] for i in spare)
        full = {i for i in spare if amount * masses[i] >= rooms[i] * weight}
        if not full:
            break
        for i in full:
            taken[i] = rooms[i]
            amount -= rooms[i]
        spare = [i for i in spare if i not in full]
    for i in spare:
        taken[i] = amount * masses[i] // weight
    for i in spare[: amount - sum(taken[i] for i in spare)]:
        taken[i] += 1
    return taken


def by_area(takers: Sequence[Taker], boundary: Boundary) -> dict[tuple[str, int], list[int]]:
    """(area, period) under a kind of boundary -> positions of the takers there, in order."""
    places: dict[tuple[str, int], list[int]] = {}
    for i, taker in enumerate(takers):
        places.setdefault((taker.areas[boundary], taker.period), []).append(i)
    return places


def release(pools: Sequence[Pool], takers: Sequence[Taker], allowed: bool) -> Released:
    """Give the pools to the takers; the rest is retired, and everything where it is not `allowed`."""
    room = [list(taker.room) for taker in takers]
    result = Released([])
    places = {boundary: by_area(takers, boundary) for boundary in {p.boundary for p in pools}}
    for pool in sorted(pools, key=lambda p: p.turn):
        near = places[pool.boundary].get((pool.area, pool.period), []) if allowed else []
        able = [i for i in near if not (pool.gas == "GHG" and takers[i].co2_only)]
        rooms = [sum(room[i][scope - 1] for scope in pool.scopes) for i in able]
        parts = water_fill(pool.amount, [takers[i].mass for i in able], rooms)
        for i, part in zip(able, parts, strict=True):
            if part:
                _take(room[i], part, pool.scopes)
                result.flow(pool.unit, takers[i].unit, part)
        result.retire(pool.unit, pool.amount - sum(parts))
    for taker, left in zip(takers, room, strict=True):
        one, two, three = (a - b for a, b in zip(taker.room, left, strict=True))
        result.taken.append((one, two, three))
    return result


def _take(room: list[int], amount: int, scopes: tuple[int, ...]) -> None:
    """Take `amount` out of the room of these scopes, lowest first."""
    for scope in scopes:
        part = min(amount, room[scope - 1])
        room[scope - 1] -= part
        amount -= part
