"""Orders, row by row and limit by limit, on the booked figures (C4 to C14)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from massbalance.domain.grid import GRID, GRID_DECIMALS, decimal_text
from massbalance.verification.effects import Effects
from massbalance.verification.facts import CARRIERS, Facts
from massbalance.verification.files import Faults, Lines, decimals, exact, on_grid, plain, positions, read_csv
from massbalance.verification.integers import Index, Ints, Mask, Wide, which
from massbalance.verification.rows import Rows
from massbalance.verification.terms import CLAIMS, SHARE_CLAIMS, texts

ORDERS = (
    "order", "offer", "claimed_t", "unmet_t", "claim", "level", "cfp_before", "cfp_after", "premium",
    "customer", "product", "period", "mass_t", "premium_per_t",
)  # fmt: skip


@dataclass(frozen=True)
class Booked:
    """What the files say was decided: allocation rows, and of each order, shape (orders,):

    lines: of orders.csv; claimed: millionths of a t; term: position of the terms taken; reduction:
    millionths of a t CO2e.
    """

    rows: Rows
    lines: Lines
    claimed: Ints
    term: Index
    reduction: Wide


@dataclass(frozen=True)
class Decisions:
    """Orders with a row of orders.csv that can be read, in its order; shape (n,).

    order, term: positions; demand, product: what follows; claimed: millionths; at: where each order
    stands here, -1 where it does not, shape (orders,).
    """

    lines: Lines
    order: Index
    term: Index
    demand: Index
    product: Index
    claimed: Ints
    at: Index


def check_orders(run: Path, facts: Facts, effects: Effects, rows: Rows, faults: Faults) -> Booked | None:
    """orders.csv, and every limit of every order; None where an order cannot be read."""
    found = _read_orders(run, facts, faults)
    reduction = Wide.of(rows.reduced).sum_by(rows.order, len(facts.mass))
    _check_lines(found, facts, effects, reduction[found.order], faults)
    _check_limits(found, facts, effects, rows, reduction[found.order], faults)
    for order in which(found.at < 0):
        name = str(facts.names[int(order)])
        faults.add("orders.csv", None, "order", name, "a row for this order", "C11 order_mass")
    at = found.at[rows.order]
    wrong = at >= 0
    wrong[wrong] = found.term[at[wrong]] != rows.term[wrong]
    for i in which(wrong):
        taken = facts.terms.offer_of(found.term[at[i]])
        faults.at(rows.lines, i, "offer", f"{taken!r}, the one taken in orders.csv", "C14 one_offer")
    if (found.at < 0).any():
        return None
    return Booked(rows, found.lines.take(found.at), found.claimed[found.at], found.term[found.at], reduction)


def _read_orders(run: Path, facts: Facts, faults: Faults) -> Decisions:
    """The rows of orders.csv that can be read, one per order."""
    lines = read_csv(run, "orders.csv", ORDERS, faults)
    order = positions(lines["order"], facts.names)
    term, (claimed, readable) = facts.terms.find(order, lines["offer"]), on_grid(lines["claimed_t"])
    sound = (term >= 0) & readable & (claimed >= 0)
    for at in which(~sound):
        value = "{}/{}: {}".format(*(lines.cell(at, column) for column in ("order", "offer", "claimed_t")))
        faults.at(
            lines, at, "order", "an order or its offer, and a mass on the grid", "C11 order_mass", value
        )
    told, where = np.flatnonzero(sound)[::-1], np.full(len(facts.mass), -1, dtype=np.intp)
    where[order[told]] = told  # the first of several stands
    again = sound & (where[order] != np.arange(len(lines)))
    faults.where(lines, again, "order", "one row per order", "C14 one_offer")
    kept = np.flatnonzero(sound & ~again)
    where[order[kept]] = np.arange(len(kept))
    term, demand = term[kept], facts.terms.demand[term[kept]]
    return Decisions(
        lines.take(kept),
        order[kept],
        term,
        demand,
        facts.terms.product_of[demand],
        claimed[kept],
        where,
    )


def _check_lines(found: Decisions, facts: Facts, effects: Effects, reduction: Wide, faults: Faults) -> None:
    """The figures of every order's row follow from what was claimed and allocated (A4.1)."""
    lines, claimed, mass = found.lines, Wide.of(found.claimed), Wide.of(facts.mass[found.order])
    premium, before = Wide.of(facts.terms.premium[found.term]), Wide.of(effects.baseline[found.product])
    level, grid, fine = Wide.of(facts.terms.level_of[found.demand]), GRID_DECIMALS, facts.decimals
    for column, value, places, code in (
        ("unmet_t", mass - claimed, grid, "C11 order_mass"),
        ("level", level, fine, "C4 claim"),
        ("premium", premium * claimed, fine + grid, "G2 margin"),
        ("premium_per_t", premium, fine, "C14 one_offer"),
        ("mass_t", mass, grid, "C11 order_mass"),
        ("cfp_before", before, fine, "A4.1 cfp"),
    ):
        told = decimals(lines[column])
        most = max(told.places, places)
        gap = told.value * 10 ** (most - told.places) - value * 10 ** (most - places)
        for at in which(~told.sound | (gap.sign() != 0)):
            _tell_figure(lines, at, column, Fraction(value.at(at), 10**places), code, faults)
    _check_footprints(found, before * claimed - reduction * facts.scale, facts, faults)
    idle = (facts.terms.offer[found.term] > 0) & (found.claimed == 0)
    _check_texts(found, facts, faults)
    faults.where(lines, idle, "offer", "no offer, as nothing is claimed", "C14 one_offer")


def _check_texts(found: Decisions, facts: Facts, faults: Faults) -> None:
    """Every row repeats the claim of the terms taken, and the order's customer, product and period."""
    orders, order = facts.case.orders, found.order
    claims = pa.array(CLAIMS, pa.large_string()).take(pa.array(facts.terms.claim_of[found.demand]))
    every = len(order) == len(facts.mass) and bool((order == np.arange(len(order))).all())
    for column in ("claim", "customer", "product", "period"):
        right = claims if column == "claim" else texts(orders, column)
        if column != "claim" and not every:
            right = right.take(pa.array(order))
        for at in which(~np.asarray(pc.equal(found.lines[column], right), dtype=bool)):
            faults.at(found.lines, at, column, str(right[at]), "C4 claim")


def _tell_figure(
    lines: Lines, at: int, column: str, expected: Fraction | None, code: str, faults: Faults
) -> None:
    """A fault unless the cell, read by itself, is the expected number (None: empty)."""
    cell = lines.cell(at, column)
    if (exact(cell) if cell else None) != expected:
        faults.at(lines, at, column, plain(expected), code)


def _check_footprints(found: Decisions, left: Wide, facts: Facts, faults: Faults) -> None:
    """cfp_after: what is left (t CO2e, scaled and in 1e-6) per claimed t, rounded up to 6 places."""
    lines, (told, readable) = found.lines, on_grid(found.lines["cfp_after"])
    step = Wide.of(found.claimed) * (facts.scale // GRID)
    over = Wide.of(told) * step - left  # at least 0 and less than a step
    some, none = found.claimed > 0, np.asarray(pc.equal(lines["cfp_after"], ""), dtype=bool)
    right = np.where(some, readable & (over.sign() >= 0) & ((over - step).sign() < 0), none)
    for at in which(~right):
        expected = None
        if some[at]:
            expected = Fraction(-(-left.at(at) // step.at(at)), GRID)
        _tell_figure(lines, at, "cfp_after", expected, "A4.1 cfp", faults)


def _check_limits(
    found: Decisions, facts: Facts, effects: Effects, rows: Rows, reduction: Wide, faults: Faults
) -> None:
    """Mass, minimum fill, whole, claim and caps of every order, exactly."""
    mass = facts.mass[found.order]
    partial = facts.whole[found.order] & (found.claimed != 0) & (found.claimed != mass)
    for at in which(partial):
        faults.at(found.lines, at, "claimed_t", f"0 or {decimal_text(int(mass[at]))}", "C13 whole")
    for code, index, unit, where, left, right in _limits(found, facts, effects, rows, reduction):
        for i in which((right - left).sign() < 0):
            at = int(where[i])
            row = f"{code.split()[1]}[{facts.names[int(found.order[at])]}{index and ','}{index}]"
            sides = (plain(Fraction(side.at(i), unit)) for side in (left, right))
            faults.at(found.lines, at, "claimed_t", f"{row}: {' <= '.join(sides)}", code)


def _limits(
    found: Decisions, facts: Facts, effects: Effects, rows: Rows, reduction: Wide
) -> Iterator[tuple[str, str, int, Index, Wide, Wide]]:
    """(label, index, unit, decisions, left, right), left <= right, in t (or wt % t, MWh ...) times unit."""
    every, y, product = np.arange(len(found.order)), Wide.of(found.claimed), found.product
    scale, unit = facts.scale, GRID * facts.scale
    if not len(every):
        return
    yield "C11 order_mass", "", GRID, every, y, Wide.of(facts.mass[found.order])
    some = np.flatnonzero(found.claimed)
    fill = Wide.of(facts.min_fill[found.order[some]]) * Wide.of(facts.mass[found.order[some]])
    yield "C12 min_fill", "", unit, some, fill, y[some] * scale

    at, kind, credited = found.at[rows.order], rows.kind, Wide.of(rows.credited)
    material = (at >= 0) & effects.material[kind]
    claim = facts.terms.claim_of[found.demand]
    of_share = claim < len(SHARE_CLAIMS)
    some = np.flatnonzero(material & of_share[at])
    share = Wide.of(effects.shares[kind[some], claim[at[some]]]) * credited[some]
    given = share.sum_by(at[some], len(every)).where(of_share, reduction * scale)
    yield "C4 claim", "", unit, every, Wide.of(facts.needs[found.demand]) * y, given
    yield "C5 mass_cap", "", GRID, every, credited[material].sum_by(at[material], len(every)), y
    for c, category in enumerate(effects.categories):
        some, those, group = _groups(at, material & (effects.category[kind] == c))
        cap = Wide.of(np.maximum(effects.cap[product[those], c], 0))
        sums = credited[some].sum_by(group, len(those))
        yield "C6 category_cap", category, unit, those, sums * scale, cap * y[those]
    for element in effects.elements:
        some = np.flatnonzero(material & effects.limited[element][rows.product])
        delta = Wide.of(effects.delta(element, kind[some], rows.product[some])) * credited[some]
        those = np.flatnonzero(effects.limited[element][product])
        sums, room = delta.sum_by(at[some], len(every))[those], effects.room[element][product[those]]
        yield "C7 element_cap", element, unit, those, sums, Wide.of(room) * y[those]
    for c, carrier in enumerate(CARRIERS):
        some, those, group = _groups(at, (at >= 0) & (effects.carrier[kind] == c))
        sums = Wide.of(rows.quantity[some]).sum_by(group, len(those))
        use = Wide.of(effects.use[product[those], c])
        yield "C8 energy_cap", carrier, unit, those, sums * scale, use * y[those]
    some = np.flatnonzero(at >= 0)
    for s, part in enumerate(rows.scopes):
        sums = Wide.of(part[some]).sum_by(at[some], len(every))
        yield "C9 scope_cap", str(s + 1), unit, every, sums * scale, Wide.of(effects.scopes[product, s]) * y


def _groups(at: Index, some: Mask) -> tuple[Index, Index, Index]:
    """Rows of a mask, the decisions that they belong to, and the position there of each row's."""
    rows = np.flatnonzero(some)
    those, group = np.unique(at[rows], return_inverse=True)
    return rows, those, group
