"""The allocation, row by row, on the booked figures (C1 to C3, and what a row must say of its effect).

Every check runs over all rows at once, in integers; faults are told for the rows that it finds wrong.
Faults of one row stand in the order of the checks.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from massbalance.domain.grid import decimal_text
from massbalance.verification.effects import AREA, CARRIER, CATEGORY, GAS, Effects
from massbalance.verification.facts import Facts
from massbalance.verification.files import NOUGHT, Faults, Lines, on_grid, positions, read_csv
from massbalance.verification.integers import Index, Integers, Ints, Mask, Wide, which

ALLOCATION = ("lot", "order", "offer", "quantity", "uom", "credited_t", "scope1", "scope2", "scope3")
TIME, SCHEME = 5, 6
"""What else stands between a lot and terms, beside what `effects` knows."""


@dataclass(frozen=True)
class Rows:
    """Allocation rows that name a lot and terms of the case and can be read; shape (n,).

    lines: of allocation.csv, of these rows; lot, term: positions; kind, order, product: what follows
    from them; quantity, credited, scopes (three arrays): millionths.
    """

    lines: Lines
    lot: Index
    term: Index
    kind: Index
    order: Index
    product: Index
    quantity: Ints
    credited: Ints
    scopes: list[Ints]

    @cached_property
    def reduced(self) -> Ints:
        """Reductions in all scopes; each part is below 10**18."""
        one, two, three = self.scopes
        return one + two + three


def check_allocation(run: Path, facts: Facts, effects: Effects, faults: Faults) -> Rows:
    """allocation.csv row by row, then C1 and C2; returns the rows that can be read."""
    lines = read_csv(run, "allocation.csv", ALLOCATION, faults)
    lot = positions(lines["lot"], [lot.name for lot in facts.lots])
    order = positions(lines["order"], facts.names)
    term = facts.terms.find(order, lines["offer"])
    for at in _repeated(lines, lot, order):
        faults.at(lines, at, "lot", "one row per lot and order", "C1 lot_supply")
    faults.where(lines, lot < 0, "lot", "a lot of the case", "C1 lot_supply")
    for at in which(term < 0):
        asked = f"{lines.cell(at, 'order')}/{lines.cell(at, 'offer')}"
        faults.at(lines, at, "order", "an order of the case, or an offer to it", "C11 order_mass", asked)
    sound, numbers = (lot >= 0) & (term >= 0), []
    for column, least in (("quantity", 1), ("credited_t", 0), ("scope1", 0), ("scope2", 0), ("scope3", 0)):
        cells = lines[column] if least else pc.if_else(pc.equal(lines[column], ""), NOUGHT, lines[column])
        value, readable = on_grid(cells)
        wrong = ~readable | (value < least)
        expected = f"a number on the grid of 1e-6, at least {least} of it"
        faults.where(lines, wrong, column, expected, "C1 lot_supply")
        sound &= ~wrong
        numbers.append(value)
    lot, term, (quantity, credited, *scopes) = lot[sound], term[sound], (v[sound] for v in numbers)
    order, product = facts.terms.order[term], facts.terms.product_of[facts.terms.demand[term]]
    rows = Rows(lines.take(sound), lot, term, facts.kind[lot], order, product, quantity, credited, scopes)
    _check_rows(rows, facts, effects, faults)
    _check_supply(rows, facts, faults)
    return rows


def _repeated(lines: Lines, lot: Index, order: Index) -> list[int]:
    """Rows whose lot and order an earlier row has, known or not."""
    known = (lot >= 0) & (order >= 0)
    key = order[known] * (lot.max(initial=0) + 1) + lot[known]
    found = list[int]()
    if (np.diff(key) <= 0).any():  # rows of a run stand in order
        again = np.ones(len(key), dtype=bool)
        again[np.unique(key, return_index=True)[1]] = False
        found = np.flatnonzero(known)[again].tolist()
    seen = set[tuple[str, str]]()
    for at in which(~known):
        names = lines.cell(at, "lot"), lines.cell(at, "order")
        if names in seen:
            found.append(at)
        seen.add(names)
    return sorted(found)


def _refused(rows: Rows, facts: Facts, effects: Effects) -> Index:
    """Why lots may not serve the terms that they serve; 0 where they may."""
    demand = facts.terms.demand[rows.term]
    first, last = (
        np.array([getattr(lot, end) for lot in facts.lots], dtype=np.intp) for end in ("first", "last")
    )
    period = facts.terms.period_of[demand]
    in_time = (first[rows.lot] <= period) & (period <= last[rows.lot])
    takes = effects.accepts(facts.terms.schemes)[facts.terms.schemes_of[demand], rows.kind]
    obstacle = effects.obstacle(rows.kind, rows.product)
    return np.where(in_time, np.where(takes, obstacle, SCHEME), TIME)


def _reason(why: int, lot: int, term: int, facts: Facts) -> tuple[str, str]:
    """What would be right, and the code, for each reason of `_refused`."""
    demand, traits = facts.terms.demands[facts.terms.demand[term]], facts.lots[lot].traits
    boundary = traits.area[0]
    return {
        TIME: ("a lot that is available, and not expired, at the end of the period", "C3 pool_balance"),
        SCHEME: (f"a lot of scheme {';'.join(sorted(demand.schemes))}", "C3 pool_balance"),
        AREA: (f"a lot of {boundary} {facts.products[demand.product].areas[boundary]}", "C3 pool_balance"),
        GAS: ("a CO2 credit, as the product's intensity is CO2 only", "C3 pool_balance"),
        CATEGORY: ("a category that is feasible for the alloy", "C6 category_cap"),
        CARRIER: (f"a product that uses {traits.carrier}", "C8 energy_cap"),
    }[why]


def _not_floor(told: Ints, quantity: Ints, factor: Integers, scale: int) -> tuple[Mask, Wide]:
    """Where told is not floor(factor * quantity / scale); and factor * quantity."""
    product = Wide.of(factor) * Wide.of(quantity)
    left = product - Wide.of(told) * scale
    return (left.sign() < 0) | ((left - scale).sign() >= 0), product


def _check_rows(rows: Rows, facts: Facts, effects: Effects, faults: Faults) -> None:
    """The lot may serve the order, and its effect is what its quantity gives, rounded down."""
    lines, scale = rows.lines, facts.scale
    uoms = [lot.uom for lot in facts.lots]
    known = sorted(set(uoms))
    uom = np.array([known.index(one) for one in uoms], dtype=np.intp)
    for at in which(positions(lines["uom"], known) != uom[rows.lot]):
        faults.at(lines, at, "uom", uoms[rows.lot[at]], "C1 lot_supply")
    refused = _refused(rows, facts, effects)
    for at in which(refused):
        faults.at(lines, at, "lot", *_reason(refused[at], rows.lot[at], rows.term[at], facts))
    able = refused == 0
    rate = effects.credited(rows.kind, rows.product)
    wrong, exactly = _not_floor(rows.credited, rows.quantity, rate, scale)
    for at in which(wrong & able):
        credited = exactly.at(at) // scale
        faults.at(lines, at, "credited_t", decimal_text(credited), "C5 mass_cap")
    reduction = effects.reduction(rows.kind, rows.product)
    wrong, exactly = _not_floor(rows.reduced, rows.quantity, reduction, scale)
    for at in which(wrong & able):
        expected = f"{decimal_text(exactly.at(at) // scale)} over its scopes"
        column = f"scope{min(facts.kinds[rows.kind[at]].scopes)}"
        faults.at(lines, at, column, expected, "C9 scope_cap", decimal_text(int(rows.reduced[at])))
    for s, part in enumerate(rows.scopes):
        for at in which((part != 0) & ~effects.acts_in[rows.kind, s] & able):
            expected = f"0: the lot acts in scope {sorted(facts.kinds[rows.kind[at]].scopes)}"
            faults.at(lines, at, f"scope{s + 1}", expected, "C9 scope_cap")


def _check_supply(rows: Rows, facts: Facts, faults: Faults) -> None:
    """No lot and no origin gives more than it has; the fault stands at the row that goes over."""
    lots = facts.lots
    sums = Wide.of(rows.quantity).sum_by(rows.lot, len(lots)).python().tolist()
    share = defaultdict[str, Fraction](Fraction)
    for lot, used in zip(lots, sums, strict=True):
        if used and lot.origin and lot.quantity:
            share[lot.origin] += Fraction(used, lot.quantity)
    over = {origin for origin, part in share.items() if part > 1}
    suspect = [used > lot.quantity or lot.origin in over for lot, used in zip(lots, sums, strict=True)]
    running, share = defaultdict[int, int](int), defaultdict[str, Fraction](Fraction)
    for at in which(np.array(suspect, dtype=bool)[rows.lot]):
        lot, quantity = lots[rows.lot[at]], int(rows.quantity[at])
        running[rows.lot[at]] += quantity
        used = running[rows.lot[at]]
        if used > lot.quantity >= used - quantity:
            expected = f"at most {decimal_text(lot.quantity)} from lot {lot.name} in all"
            faults.at(rows.lines, at, "quantity", expected, "C1 lot_supply", decimal_text(used))
        if lot.origin and lot.quantity:
            part = Fraction(quantity, lot.quantity)
            share[lot.origin] += part
            if share[lot.origin] > 1 >= share[lot.origin] - part:
                expected = f"origin {lot.origin} used at most once"
                faults.at(rows.lines, at, "quantity", expected, "C2 origin_once", str(share[lot.origin]))
