"""Allocation and orders, row by row and limit by limit, on the booked figures (C1 to C14)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from massbalance.domain.grid import GRID, decimal_text
from massbalance.verification.facts import GHG_CLAIMS, SHARE_CLAIMS, Facts, Limits, Lot, Term
from massbalance.verification.files import Faults, Line, exact, on_grid, plain, read_csv

ALLOCATION = ("lot", "order", "offer", "quantity", "uom", "credited_t", "scope1", "scope2", "scope3")
ORDERS = (
    "order", "offer", "claimed_t", "unmet_t", "claim", "level", "cfp_before", "cfp_after", "premium",
    "customer", "product", "period", "mass_t", "premium_per_t",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One allocation row that names a lot and terms of the case; all in millionths."""

    line: Line
    lot: Lot
    term: Term
    quantity: int
    credited: int
    scopes: tuple[int, ...]


@dataclass
class Sums:
    """Booked sums of one order; delta: element -> sum of (wt - base) * credited mass."""

    credited: int = 0
    category: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    shares: list[int] = field(default_factory=lambda: [0, 0, 0])
    energy: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    scopes: list[int] = field(default_factory=lambda: [0, 0, 0])
    delta: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, row: Row, limits: Limits) -> None:
        """Count one allocation row; limits: of its product."""
        traits = row.lot.traits
        self.scopes = [a + b for a, b in zip(self.scopes, row.scopes, strict=True)]
        if traits.carrier:
            self.energy[traits.carrier] += row.quantity
        if traits.kind == "material":
            self.credited += row.credited
            self.category[traits.category] += row.credited
            self.shares = [a + b * row.credited for a, b in zip(self.shares, traits.shares, strict=True)]
            for element, (_, base) in limits.elements.items():
                if element in traits.wt:
                    self.delta[element] += (traits.wt[element] - base) * row.credited


@dataclass(frozen=True)
class Decision:
    """One order as booked: claimed mass (millionths of a t), the terms taken, sums of its rows."""

    line: Line
    claimed: int
    term: Term
    sums: Sums

    @property
    def reduction(self) -> int:
        """Millionths of a t CO2e."""
        return sum(self.sums.scopes)


@dataclass(frozen=True)
class Booked:
    """What the files say was decided: allocation rows, and a decision per order (case order)."""

    rows: list[Row]
    decisions: list[Decision]


def _read_row(line: Line, facts: Facts, lots: dict[str, Lot], faults: Faults) -> Row | None:
    """The row, if all its names and numbers can be read."""
    lot, term = lots.get(line["lot"]), facts.terms.get((line["order"], line["offer"]))
    if lot is None:
        faults.at(line, "lot", "a lot of the case", "C1 lot_supply")
    if term is None:
        asked = f"{line['order']}/{line['offer']}"
        faults.at(line, "order", "an order of the case, or an offer to it", "C11 order_mass", asked)
    numbers = []
    for column, least in (("quantity", 1), ("credited_t", 0), ("scope1", 0), ("scope2", 0), ("scope3", 0)):
        value = on_grid(line[column] if least else line[column] or "0")
        if value is None or value < least:
            faults.at(line, column, f"a number on the grid of 1e-6, at least {least} of it", "C1 lot_supply")
        else:
            numbers.append(value)
    if lot is None or term is None or len(numbers) != 5:
        return None
    return Row(line, lot, term, numbers[0], numbers[1], tuple(numbers[2:]))


def _check_row(row: Row, facts: Facts, faults: Faults) -> None:
    """The lot may serve the order, and its effect is what its quantity gives, rounded down."""
    line, traits, product = row.line, row.lot.traits, row.term.product
    if line["uom"] != row.lot.uom:
        faults.at(line, "uom", row.lot.uom, "C1 lot_supply")
    refused = facts.refuses(row.lot, row.term)
    if refused:
        faults.at(line, "lot", *refused)
        return
    rate = facts.products[product].rate if traits.kind == "material" else 0
    credited = rate * row.quantity // facts.scale
    if row.credited != credited:
        faults.at(line, "credited_t", decimal_text(credited), "C5 mass_cap")
    reduced = facts.reduction(traits, product) * row.quantity // facts.scale
    if sum(row.scopes) != reduced:
        expected, found = f"{decimal_text(reduced)} over its scopes", decimal_text(sum(row.scopes))
        faults.at(line, f"scope{min(traits.scopes)}", expected, "C9 scope_cap", found)
    for s, part in enumerate(row.scopes, start=1):
        if part and s not in traits.scopes:
            faults.at(line, f"scope{s}", f"0: the lot acts in scope {sorted(traits.scopes)}", "C9 scope_cap")


def check_allocation(run: Path, facts: Facts, faults: Faults) -> list[Row]:
    """allocation.csv row by row, then C1 and C2; returns the rows that can be read."""
    lots, rows, seen = {lot.name: lot for lot in facts.lots}, [], set[tuple[str, str]]()
    for line in read_csv(run, "allocation.csv", ALLOCATION, faults):
        key = (line["lot"], line["order"])
        if key in seen:
            faults.at(line, "lot", "one row per lot and order", "C1 lot_supply")
        seen.add(key)
        row = _read_row(line, facts, lots, faults)
        if row is not None:
            _check_row(row, facts, faults)
            rows.append(row)
    _check_supply(rows, faults)
    return rows


def _check_supply(rows: list[Row], faults: Faults) -> None:
    """No lot and no origin gives more than it has; the fault stands at the row that goes over."""
    used, share = defaultdict[str, int](int), defaultdict[str, Fraction](Fraction)
    for row in rows:
        lot = row.lot
        used[lot.name] += row.quantity
        if used[lot.name] > lot.quantity >= used[lot.name] - row.quantity:
            expected = f"at most {decimal_text(lot.quantity)} from lot {lot.name} in all"
            faults.at(row.line, "quantity", expected, "C1 lot_supply", decimal_text(used[lot.name]))
        if lot.origin and lot.quantity:
            part = Fraction(row.quantity, lot.quantity)
            share[lot.origin] += part
            if share[lot.origin] > 1 >= share[lot.origin] - part:
                expected = f"origin {lot.origin} used at most once"
                faults.at(row.line, "quantity", expected, "C2 origin_once", str(share[lot.origin]))


def check_orders(run: Path, facts: Facts, rows: list[Row], faults: Faults) -> Booked | None:
    """orders.csv, and every limit of every order; None where an order cannot be read."""
    sums, found = [Sums() for _ in facts.names], dict[int, Decision]()
    for row in rows:
        sums[row.term.order].add(row, facts.products[row.term.product])
    for line in read_csv(run, "orders.csv", ORDERS, faults):
        term, claimed = facts.terms.get((line["order"], line["offer"])), on_grid(line["claimed_t"])
        if term is None or claimed is None or claimed < 0:
            value = f"{line['order']}/{line['offer']}: {line['claimed_t']}"
            faults.at(line, "order", "an order or its offer, and a mass on the grid", "C11 order_mass", value)
        elif term.order in found:
            faults.at(line, "order", "one row per order", "C14 one_offer")
        else:
            found[term.order] = Decision(line, claimed, term, sums[term.order])
            _check_line(found[term.order], facts, faults)
            _check_limits(found[term.order], facts, faults)
    for o, name in enumerate(facts.names):
        if o not in found:
            faults.add("orders.csv", None, "order", name, "a row for this order", "C11 order_mass")
    for row in rows:
        taken = found[row.term.order].term.offer if row.term.order in found else row.term.offer
        if taken != row.term.offer:
            faults.at(row.line, "offer", f"{taken!r}, the one taken in orders.csv", "C14 one_offer")
    return Booked(rows, [found[o] for o in range(len(sums))]) if len(found) == len(sums) else None


def _check_line(decision: Decision, facts: Facts, faults: Faults) -> None:
    """The figures of one order's row follow from what was claimed and allocated (A4.1)."""
    line, term, claimed = decision.line, decision.term, decision.claimed
    baseline, after = facts.products[term.product].baseline, None
    if claimed:
        left = baseline * claimed - decision.reduction * facts.scale
        after = Fraction(-(-left * GRID // (claimed * facts.scale)), GRID)  # rounded up
    figures = [
        ("unmet_t", Fraction(facts.mass[term.order] - claimed, GRID), "C11 order_mass"),
        ("level", Fraction(term.level, facts.scale), "C4 claim"),
        ("premium", Fraction(term.premium * claimed, facts.scale * GRID), "G2 margin"),
        ("premium_per_t", Fraction(term.premium, facts.scale), "C14 one_offer"),
        ("mass_t", Fraction(facts.mass[term.order], GRID), "C11 order_mass"),
        ("cfp_before", Fraction(baseline, facts.scale), "A4.1 cfp"),
        ("cfp_after", after, "A4.1 cfp"),
    ]
    for column, value, code in figures:
        if (exact(line[column]) if line[column] else None) != value:
            faults.at(line, column, plain(value), code)
    told = {"claim": term.claim} | {c: str(facts.of_order[c][term.order]) for c in facts.of_order}
    for column, text in told.items():
        if line[column] != text:
            faults.at(line, column, text, "C4 claim")
    if term.offer and not claimed:
        faults.at(line, "offer", "no offer, as nothing is claimed", "C14 one_offer")


def _check_limits(decision: Decision, facts: Facts, faults: Faults) -> None:
    """Mass, minimum fill, whole, claim and caps of one order, exactly."""
    order, unit = decision.term.order, GRID * facts.scale
    if facts.whole[order] and decision.claimed not in (0, facts.mass[order]):
        faults.at(decision.line, "claimed_t", f"0 or {decimal_text(facts.mass[order])}", "C13 whole")
    for code, index, left, right in _limits(decision, facts):
        if left > right:
            row = f"{code.split()[1]}[{facts.names[order]}{index and ','}{index}]"
            expected = f"{row}: {plain(Fraction(left, unit))} <= {plain(Fraction(right, unit))}"
            faults.at(decision.line, "claimed_t", expected, code)


def _limits(decision: Decision, facts: Facts) -> Iterator[tuple[str, str, int, int]]:
    """(label, index, left, right) with left <= right; in t (or wt % t, MWh ...) times scale and 1e6."""
    term, y, sums, scale = decision.term, decision.claimed, decision.sums, facts.scale
    limits, mass = facts.products[term.product], facts.mass[term.order]
    yield "C11 order_mass", "", y * scale, mass * scale
    if y:
        yield "C12 min_fill", "", facts.min_fill[term.order] * mass, y * scale
    ghg = term.claim in GHG_CLAIMS
    given = decision.reduction * scale if ghg else sums.shares[SHARE_CLAIMS.index(term.claim)]
    yield "C4 claim", "", facts.need(term) * y, given
    yield "C5 mass_cap", "", sums.credited * scale, y * scale
    for category, credited in sums.category.items():
        yield "C6 category_cap", category, credited * scale, limits.caps.get(category, 0) * y
    for element, (most, base) in limits.elements.items():
        yield "C7 element_cap", element, sums.delta[element], (most - base) * y
    for carrier, used in sums.energy.items():
        yield "C8 energy_cap", carrier, used * scale, limits.use[carrier] * y
    for s in range(3):
        yield "C9 scope_cap", str(s + 1), sums.scopes[s] * scale, limits.scopes[s] * y
