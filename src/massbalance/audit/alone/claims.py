"""Whether the booked claims of a run hold: every order, every limit, in exact fractions (C1 to C14)."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from typing import Dict, Iterator, List, NamedTuple, Tuple

from massbalance.audit.alone.case import (
    CARRIER,
    FACTOR,
    GRID,
    USE,
    Case,
    Lot,
    Table,
    amount,
    given,
    number,
    on_grid,
    plain,
)

SHARE_CLAIMS = ("green_share", "recycled_share", "post_consumer_share")


class Use(NamedTuple):
    """A row of allocation.csv: millionths throughout."""

    lot: str
    order: str
    offer: str
    quantity: int
    credited: int
    scopes: Tuple[int, int, int]

    @property
    def reduced(self) -> int:
        """Reduction over all scopes, g CO2e."""
        return sum(self.scopes)


def uses_of(allocation: Table) -> List[Use]:
    """allocation.csv as figures. KeyError, ValueError where it is none."""
    return [
        Use(
            r["lot"], r["order"], r["offer"], on_grid(r["quantity"]), on_grid(r["credited_t"]),
            (on_grid(r["scope1"]), on_grid(r["scope2"]), on_grid(r["scope3"])),
        )
        for r in allocation
    ]  # fmt: skip


def claim_faults(case: Case, allocation: Table, orders: Table) -> Iterator[str]:
    """Everything by which the run's claims do not hold; each text begins with the order or lot."""
    uses = uses_of(allocation)
    by_order: Dict[str, List[Use]] = defaultdict(list)
    for use in uses:
        by_order[use.order].append(use)
    yield from _supply_faults(case, uses)
    told = {row["order"]: row for row in orders}
    if len(told) != len(orders):
        yield "orders.csv: an order with more than one row"
    for name in sorted(set(case.orders) ^ set(told)):
        where = "of orders.csv" if name in case.orders else "in the case"
        yield f"order {name}: it has no row {where}"
    for name in sorted(set(by_order) - set(told)):
        yield f"order {name}: credits without a row of orders.csv"
    claimed: Dict[Tuple[str, str], int] = defaultdict(int)
    for name, row in told.items():
        if name in case.orders:
            try:
                yield from _Order(case, row, by_order.get(name, [])).faults()
            except KeyError as error:
                yield f"order {name}: the case knows no {error}"
            order = case.orders[name]
            claimed[order["product"], order["period"]] += on_grid(row["claimed_t"])
    made = case.production()
    for place, mass in sorted(claimed.items()):
        if mass > made.get(place, 0):
            most = amount(made.get(place, 0))
            yield f"product {place[0]} in {place[1]}: {amount(mass)} t claimed of {most} t made"


def _supply_faults(case: Case, uses: List[Use]) -> Iterator[str]:
    """No lot gives more than it has, nor do lots of one origin together (C1, C2)."""
    drawn: Dict[str, int] = defaultdict(int)
    pairs = set()
    for use in uses:
        drawn[use.lot] += use.quantity
        if (use.lot, use.order) in pairs:
            yield f"lot {use.lot}: two rows for order {use.order}"
        pairs.add((use.lot, use.order))
    parts: Dict[str, Fraction] = defaultdict(Fraction)
    for name, quantity in sorted(drawn.items()):
        lot = case.lots.get(name)
        if lot is None:
            yield f"lot {name}: it is no lot of the case"
        elif quantity > lot.quantity:
            yield f"lot {name}: {amount(quantity)} {lot.uom} drawn of {amount(lot.quantity)} (C1, A4.2.1)"
        elif lot.origin and lot.quantity:
            parts[lot.origin] += Fraction(quantity, lot.quantity)
    for origin, part in sorted(parts.items()):
        if part > 1:
            yield f"origin {origin}: used {plain(part)} times (C2, A4.2.3)"


class _Order:
    """One order of a run: its row, its credits and every limit on them."""

    def __init__(self, case: Case, row: Dict[str, str], uses: List[Use]) -> None:
        self.case, self.row, self.uses = case, row, uses
        self.order = case.orders[row["order"]]
        self.term = case.term(row["order"], row["offer"])
        self.product = case.products[self.order["product"]]
        self.claimed, self.mass = on_grid(row["claimed_t"]), on_grid(self.order["mass_t"])
        self.baseline = case.baseline(self.order["product"])
        self.lots = [(use, case.lots[use.lot]) for use in uses]

    def faults(self) -> Iterator[str]:
        """All faults of the order."""
        for text in self._all():
            yield f"order {self.row['order']}: {text}"

    def _all(self) -> Iterator[str]:
        yield from self._figures()
        yield from self._mass()
        for use, lot in self.lots:
            yield from self._use(use, lot)
        if self.uses and not self.claimed:
            yield "credits and no claimed mass"
        yield from self._claim()
        yield from self._caps()

    def _figures(self) -> Iterator[str]:
        """The row repeats the order and its terms, and its figures follow (A4.1)."""
        for column in ("customer", "product", "period"):
            if self.row[column] != self.order[column]:
                yield f"{column} {self.row[column]!r} where the case has {self.order[column]!r}"
        if self.row["claim"] != self.term.claim or number(self.row["level"]) != self.term.level:
            yield f"claim {self.row['claim']} {self.row['level']} where the terms ask for {self.term.claim}"
        if number(self.row["cfp_before"]) != self.baseline:
            yield f"cfp_before {self.row['cfp_before']} where s1 + s2 + s3 is {plain(self.baseline)}"
        if number(self.row["premium"]) != self.term.premium * Fraction(self.claimed, GRID):
            yield f"premium {self.row['premium']} is not premium_per_t on the claimed mass"
        if number(self.row["unmet_t"]) != Fraction(self.mass - self.claimed, GRID):
            yield f"unmet_t {self.row['unmet_t']} is not what is left of the order"
        after = ""
        if self.claimed:
            reduced = Fraction(sum(use.reduced for use in self.uses), self.claimed)
            after = plain(Fraction(-((reduced - self.baseline) * GRID // 1), GRID))
        if self.row["cfp_after"] != after:
            yield f"cfp_after {self.row['cfp_after'] or 'nothing'} where {after or 'nothing'} follows (A4.1)"

    def _mass(self) -> Iterator[str]:
        least = given(self.order, "min_fill") * self.mass
        if not 0 <= self.claimed <= self.mass:
            yield f"{amount(self.claimed)} t claimed of {amount(self.mass)} t (C11)"
        if self.claimed and self.claimed < least:
            yield f"{amount(self.claimed)} t claimed, less than its minimum fill (C12)"
        if self.order.get("whole") == "true" and self.claimed not in (0, self.mass):
            yield f"{amount(self.claimed)} t claimed of an order that is whole or nothing (C13)"
        if self.row["offer"] and not self.claimed:
            yield "an offer taken and nothing claimed (C14)"

    def _use(self, use: Use, lot: Lot) -> Iterator[str]:
        """The lot may serve the order, and gives what its quantity gives, rounded down (C3, A5.1.2)."""
        name, period = f"lot {lot.name}", self.case.period_at[self.order["period"]]
        if use.offer != self.row["offer"]:
            yield f"{name} serves offer {use.offer!r}, and {self.row['offer']!r} is taken (C14)"
        if not lot.first <= period <= lot.last:
            yield f"{name} is not available, or has expired, in {self.order['period']} (A5.1.3B, J5.2.3)"
        boundary = self.case.boundary(lot.kind)
        if self.case.area(lot.site, boundary) != self.case.area(self.product["site"], boundary):
            yield f"{name} is of another {boundary.replace('_', ' ')} (A4.2.2)"
        schemes = [s.strip() for s in self.order.get("schemes", "").split(";") if s.strip()]
        if schemes and lot.scheme not in schemes:
            yield f"{name} is of scheme {lot.scheme!r}, which the order does not accept"
        if self.product.get("gas") == "CO2" and lot.gas == "GHG":
            yield f"{name} is in GHG, and the product's intensity in CO2 only (A3.2, J3.2.4)"
        yield from self._gives(use, lot)

    def _gives(self, use: Use, lot: Lot) -> Iterator[str]:
        """What the row says of its effect is what its quantity gives, rounded down (A5.1.1, A5.1.2B)."""
        name = f"lot {lot.name}"
        if use.quantity <= 0:
            yield f"{name} gives {amount(use.quantity)}"
        rate = given(self.product, "t_product_per_t_input", 1) if lot.kind == "material" else Fraction(0)
        if use.credited != rate * use.quantity // 1:
            yield f"{name} credits {amount(use.credited)} t, not {amount(rate * use.quantity // 1)} (A5.1.1)"
        bound = self._per_unit(lot) * use.quantity // 1
        if use.reduced != bound:
            yield f"{name} reduces {amount(use.reduced)} t CO2e, not {amount(bound)} (A5.1.2B)"
        for scope, part in enumerate(use.scopes, start=1):
            if part < 0 or (part and scope not in lot.scopes):
                yield f"{name} reduces scope {scope}, in which it does not act (A5.2.2C)"

    def _per_unit(self, lot: Lot) -> Fraction:
        """max(0, min(D_l, the product's own) - intensity); 1 for a project."""
        if lot.kind == "project":
            return Fraction(1)
        if lot.kind == "material":
            own = number(self.product.get("metal_tco2e_per_t", ""))
        else:
            own = number(self.case.sites[self.product["site"]].get(FACTOR[CARRIER[lot.uom]], ""))
        if own is None or lot.displaced is None or lot.intensity is None:
            return Fraction(0)
        return max(Fraction(0), min(own, lot.displaced) - lot.intensity)

    def _claim(self) -> Iterator[str]:
        """The level is reached on the claimed mass (C4)."""
        if self.term.claim in SHARE_CLAIMS:
            at = SHARE_CLAIMS.index(self.term.claim)
            need = self.term.level
            reached = sum((lot.shares[at] * use.credited for use, lot in self.lots), Fraction(0))
        else:
            need = self.term.level
            if self.term.claim == "cfp":
                need = max(Fraction(0), self.baseline - self.term.level)
            reached = Fraction(sum(use.reduced for use in self.uses))
        if reached < need * self.claimed:
            short = plain(Fraction(need * self.claimed - reached) / GRID)
            yield f"{self.term.claim} {plain(self.term.level)} is not reached, {short} is missing (C4, A4.1)"

    def _caps(self) -> Iterator[str]:
        """Mass, categories, elements, energy, scopes: never more than the claimed mass takes (C5 to C9)."""
        material = [(use, lot) for use, lot in self.lots if lot.kind == "material"]
        credited = sum(use.credited for use, _ in material)
        if credited > self.claimed:
            yield f"{amount(credited)} t credited to {amount(self.claimed)} t (C5, A5.1.1)"
        by_category: Dict[str, int] = defaultdict(int)
        for use, lot in material:
            by_category[lot.category] += use.credited
        alloy = self.product["alloy"]
        for category, mass in sorted(by_category.items()):
            cap = self.case.category_caps.get((alloy, category))
            if cap is None or mass > cap * self.claimed:
                most = "none" if cap is None else plain(cap * Fraction(self.claimed, GRID))
                yield f"{amount(mass)} t of {category}, {most} is feasible in {alloy} (C6, A5.1.2C)"
        yield from self._elements(material, alloy)
        for carrier, column in USE.items():
            used = sum(use.quantity for use, lot in self.lots if CARRIER.get(lot.uom) == carrier)
            if used > given(self.product, column) * self.claimed:
                yield f"{amount(used)} of {carrier}, more than the product uses (C8, A5.1.2C)"
        for scope in (1, 2, 3):
            reduced = sum(use.scopes[scope - 1] for use in self.uses)
            if reduced > given(self.product, f"s{scope}") * self.claimed:
                what = f"{amount(reduced)} t CO2e in scope {scope}"
                yield f"{what}, more than the product has (C9, A5.2.2C, J5.3.2)"

    def _elements(self, material: List[Tuple[Use, Lot]], alloy: str) -> Iterator[str]:
        base = self.case.wt("base", f"base:{alloy}")
        wts = [(use, self.case.wt(lot.category, lot.name)) for use, lot in material]
        for element, most in sorted(self.case.limits.get(alloy, {}).items()):
            fill = base.get(element, Fraction(0))
            mix = sum(((wt[element] - fill) * use.credited for use, wt in wts if element in wt), Fraction(0))
            if mix > (most - fill) * self.claimed:
                yield f"too much {element} for {alloy} (C7, A5.1.2C)"
