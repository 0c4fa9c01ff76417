"""What the case says, derived anew from its tables: windows, boundaries, displaced value, effects.

A second derivation, on purpose: it shares no code with `domain.effects`, which the model uses.
Every coefficient is an integer: its value times `scale`, one power of ten that holds every decimal
of the case. Masses and quantities are integers in millionths of their unit. Lots and products are
objects; orders, of which there may be millions, are arrays, and their terms name one of the distinct
demands. `effects` has the coefficients of lots on products as arrays.
"""

from __future__ import annotations

import calendar
import datetime as dt
import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import chain, combinations
from typing import Any

import numpy as np

from massbalance.domain.case import Case, Table
from massbalance.domain.grid import GRID
from massbalance.verification.integers import Index, Integers, Ints, Wide, integers
from massbalance.verification.terms import GHG_CLAIMS, SHARE_CLAIMS, Demand, Terms, scaled, terms_of, texts

MANY = 24
"""How many distinct caps are added up when a claim is compared with them."""
CARRIERS = ("electricity", "heat")


@dataclass(frozen=True)
class Traits:
    """All of a lot that enters an equation, but quantity, window and origin (C3: equal in a pool).

    area: (kind of boundary, name); carrier: of energy, else ""; displaced, intensity: None = not
    given, or no matter; shares: credited content by share claim; wt: (element, wt %), sorted.
    """

    kind: str
    carrier: str
    category: str
    area: tuple[str, str]
    displaced: int | None
    intensity: int | None
    scopes: frozenset[int]
    scheme: str
    gas: str
    cost: int
    shares: tuple[int, int, int]
    wt: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Lot:
    """A lot; first, last: periods it may serve (first > last: none); inside: it enters the books.

    leaves: some period may use it, and what none of them uses can never be used after them.
    """

    name: str
    uom: str
    quantity: int
    first: int
    last: int
    inside: bool
    leaves: bool
    origin: str
    traits: Traits


@dataclass(frozen=True)
class Limits:
    """What one tonne of a product may take (C5 to C9).

    areas: by kind of boundary; scopes: s1, s2, s3; use, factor: by carrier; caps: category ->
    max_share; elements: element -> (max wt %, wt % of the base metal).
    """

    areas: dict[str, str]
    scopes: tuple[int, int, int]
    metal: int | None
    rate: int
    use: dict[str, int]
    factor: dict[str, int | None]
    gas: str
    caps: dict[str, int]
    elements: dict[str, tuple[int, int]]

    @property
    def baseline(self) -> int:
        """s1 + s2 + s3."""
        return sum(self.scopes)


def months_later(day: dt.date, months: int) -> dt.date:
    """The same day, or the month's last one where that day does not exist."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > dt.date.max.year:
        return dt.date.max
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


class Facts:
    """The facts of one case; lots, products, orders, periods by their position in the tables."""

    def __init__(self, case: Case) -> None:
        self.case = case
        columns = [c for table in case.tables.values() for c in table.exact.values()]
        self.decimals = max([6, *(c.decimals for c in columns)])
        self.scale: int = 10**self.decimals
        self.periods = list(self._rows(case.periods, "start end"))
        self.names = texts(case.orders, "order")
        self.mass: Ints = np.asarray(case.orders.grid("mass_t"), dtype=np.int64)
        self.priority: Ints = case.orders.floats("priority").astype(np.int64)
        self.min_fill = scaled(case.orders, "min_fill", self.decimals)
        self.firm, self.whole = case.orders.flag("firm"), case.orders.flag("whole")
        self._steps: dict[tuple[int, str, int], int] = {}

    def _rows(self, table: Table, columns: str) -> Iterator[tuple[Any, ...]]:
        """Rows of some columns: numbers scaled (None = not given), dates (the same), texts."""
        return zip(*(self._column(table, name) for name in columns.split()), strict=True)

    def _column(self, table: Table, name: str) -> list[Any]:
        if name in table.exact:
            values = scaled(table, name, self.decimals).tolist()
            return [v if ok else None for v, ok in zip(values, table.exact[name].given, strict=True)]
        if name in ("start", "end", "received", "used", "expires"):
            return list(table.days(name).tolist())
        return list(table.text(name))

    @cached_property
    def sites(self) -> dict[str, tuple[dict[str, str], dict[str, int | None]]]:
        """Site -> its area by kind of boundary, its conventional factor by carrier."""
        columns = "site unit organisation electricity_tco2e_per_mwh heat_tco2e_per_gj"
        return {
            site: (
                {"site": site, "accounting_unit": f"{owner}/{unit}", "organisation": owner},
                {"electricity": power, "heat": heat},
            )
            for site, unit, owner, power, heat in self._rows(self.case.sites, columns)
        }

    @cached_property
    def composition(self) -> dict[str, dict[str, int]]:
        """Key of the composition table -> element -> wt %."""
        found = defaultdict[str, dict[str, int]](dict)
        for key, element, wt in self._rows(self.case.composition, "key element wt_pct"):
            if wt is not None:
                found[key][element] = wt
        return found

    def _wt(self, *keys: str) -> dict[str, int]:
        """Element -> wt %, element by element; a later key goes before an earlier one."""
        return {element: wt for key in keys for element, wt in self.composition.get(key, {}).items()}

    @cached_property
    def products(self) -> list[Limits]:
        """Limits of every product."""
        case, out = self.case, []
        caps = defaultdict[str, dict[str, int]](dict)
        for alloy, category, share in self._rows(case.alloys, "alloy category max_share"):
            caps[alloy][category] = share
        elements = defaultdict[str, dict[str, tuple[int, int]]](dict)
        for alloy, element, most in self._rows(case.alloy_limits, "alloy element max_wt_pct"):
            if most is not None:
                elements[alloy][element] = most, self._wt("base", f"base:{alloy}").get(element, 0)
        columns = "alloy site gas s1 s2 s3 metal_tco2e_per_t t_product_per_t_input"
        for row in self._rows(case.products, f"{columns} electricity_mwh_per_t heat_gj_per_t"):
            alloy, site, gas, s1, s2, s3, metal, rate, power, heat = row
            limits = Limits(
                areas=self.sites[site][0], scopes=(s1, s2, s3), metal=metal,
                rate=self.scale if rate is None else rate, gas=gas or "GHG",
                use={"electricity": power or 0, "heat": heat or 0}, factor=self.sites[site][1],
                caps=caps[alloy], elements=elements[alloy],
            )  # fmt: skip
            out.append(limits)
        return out

    @cached_property
    def mean_metal(self) -> dict[str, int]:
        """Accounting unit -> mean metal_tco2e_per_t by production / rate, down to 1e-6; scaled."""
        sums = defaultdict[str, list[Fraction]](lambda: [Fraction(0)] * 2)
        made = defaultdict[str, int](int)
        for product, mass in self._rows(self.case.production, "product mass_t"):
            made[product] += mass
        for product, mass in made.items():
            limits = self.products[self.case.products.position[product]]
            if limits.metal is not None:
                both = sums[limits.areas["accounting_unit"]]
                both[0] += Fraction(mass * limits.metal, limits.rate)
                both[1] += Fraction(mass, limits.rate)
        step = self.scale // GRID
        return {unit: total // mass // step * step for unit, (total, mass) in sums.items() if mass > 0}

    @cached_property
    def lots(self) -> list[Lot]:
        """Every lot."""
        end, out = (self.periods[-1][1] if self.periods else dt.date.min), list[Lot]()
        columns = "lot uom origin quantity received used expires"
        rows = self._rows(self.case.lots, columns)
        for (name, uom, origin, quantity, received, used, expires), traits in zip(
            rows, self._traits(), strict=True
        ):
            first, last, leaves = self._window(received, used or received, expires)
            inside, units = (used or received) <= end, quantity * GRID // self.scale
            out.append(Lot(name, uom, units, first, last, inside, leaves, origin, traits))
        return out

    def _traits(self) -> Iterator[Traits]:
        columns = (
            "lot kind uom category site scopes scheme gas displaced_tco2e_per_uom intensity_tco2e_per_uom"
            " green_share recycled_pre recycled_post unit_cost"
        )
        for row in self._rows(self.case.lots, columns):
            name, kind, uom, category, site, scopes, scheme, gas, worth, intensity, *shares, cost = row
            green, pre, post = (share or 0 for share in shares)
            material, carrier = kind == "material", {"MWh": "electricity", "GJ": "heat"}.get(uom, "")
            (areas, factor), boundary = self.sites[site], self.case.rules.boundary(kind)
            if worth is None and kind != "project":
                worth = self.mean_metal.get(areas["accounting_unit"]) if material else factor[carrier]
            reduces = kind != "project" and worth is not None and intensity is not None
            told = "3" if material else scopes or {"MWh": "2", "GJ": "1"}[uom]
            yield Traits(
                kind=kind, carrier=carrier, category=category if material else "",
                area=(boundary, areas[boundary]), displaced=worth if reduces else None,
                intensity=intensity if reduces else None, scopes=frozenset(map(int, told.split("+"))),
                scheme=scheme, gas=gas or "GHG", cost=cost or 0,
                shares=(green, pre + post, post) if material else (0, 0, 0),
                wt=tuple(sorted(self._wt(category, name).items())) if material else (),
            )  # fmt: skip

    def _window(
        self, received: dt.date, available: dt.date, expires: dt.date | None
    ) -> tuple[int, int, bool]:
        """First and last usable period, available <= end <= expires; are there none after these?

        A5.1.3A (carry-over), A5.1.3B (expiry).
        """
        parameters = self.case.rules.parameters
        if expires is None and parameters.expiry_months != "unlimited":
            expires = months_later(received, int(parameters.expiry_months))
        usable = [
            t
            for t, (start, end) in enumerate(self.periods)
            if available <= end
            and (expires is None or end <= expires)
            and (parameters.carry_over != "none" or start <= available)
        ]
        if not usable:
            return 0, -1, False
        ends = expires is not None and expires <= self.periods[-1][1]
        return usable[0], usable[-1], ends or parameters.carry_over == "none"

    @cached_property
    def kinds(self) -> list[Traits]:
        """The distinct traits of lots."""
        return list(dict.fromkeys(lot.traits for lot in self.lots))

    @cached_property
    def kind(self) -> Index:
        """Each lot's traits as a position in `kinds`."""
        at = {traits: k for k, traits in enumerate(self.kinds)}
        return np.array([at[lot.traits] for lot in self.lots], dtype=np.intp)

    @cached_property
    def terms(self) -> Terms:
        """What all orders and offers ask for."""
        return terms_of(self.case, self.decimals)

    def unit_value(self, lot: Lot) -> int:
        """t CO2e that a unit of the lot is worth, scaled: max(0, D_l - intensity); 1 for projects."""
        gain = max(0, (lot.traits.displaced or 0) - (lot.traits.intensity or 0))
        return self.scale if lot.traits.kind == "project" else gain

    @cached_property
    def leaving(self) -> Integers:
        """t CO2e per unit, scaled, of each lot that can be used only within the periods; 0 of others."""
        return integers([self.unit_value(lot) if lot.leaves else 0 for lot in self.lots])

    def realised(self) -> int:
        """Value of all lots in the books, t CO2e in 1e-6; one origin is worth its best lot (A4.2.3)."""
        singles, origins = list[int](), defaultdict[str, list[int]](list)
        for lot in self.lots:
            worth = self.unit_value(lot) * lot.quantity
            if lot.inside:
                (origins[lot.origin] if lot.origin else singles).append(worth)
        return sum(w // self.scale for w in (*singles, *map(max, origins.values())))

    def need(self, demand: Demand) -> int:
        """Claim per t of claimed mass, scaled."""
        if demand.claim == "cfp":
            return max(0, self.products[demand.product].baseline - demand.level)
        return demand.level

    @cached_property
    def needs(self) -> Integers:
        """`need` of every demand."""
        return integers([self.need(demand) for demand in self.terms.demands])

    def knife_edge(self, demand: Demand) -> int:
        """Step (g) of the masses that the grid leaves an order; at least 1.

        One unit of a lot carries so much of a claim that a unit less costs this much mass.

        Where the claim equals its caps only whole units of credit fit between them: 0.123 t CO2e
        per t claimed and allowed leaves no other masses than multiples of 1000 g (C4 with C6 or
        C9), and fewer where a unit of a lot reduces by more than a gram.
        """
        key = (demand.product, demand.claim, demand.level)
        if key not in self._steps:
            self._steps[key] = self._knife_edge(demand)
        return self._steps[key]

    def _knife_edge(self, demand: Demand) -> int:
        limits, need, scale = self.products[demand.product], self.need(demand), self.scale
        if need == 0:
            return 1
        ghg = demand.claim in GHG_CLAIMS
        unit = math.ceil(self._greatest_reduction) if ghg else 1
        if ghg:
            caps: list[tuple[int, tuple[int, ...]]] = [(s * scale, (s,)) for s in limits.scopes]
        else:
            shares = self._shares[SHARE_CLAIMS.index(demand.claim)]
            pairs = [(cap, share) for c, cap in limits.caps.items() for share in shares.get(c, ())]
            caps = [(cap * share, (cap, share)) for cap, share in pairs if cap * share > 0]
            caps += [(scale * share, (share,)) for _, share in pairs]
        sums = chain.from_iterable(combinations(sorted(set(caps))[:MANY], n) for n in (1, 2, 3))
        equal = [one for one in sums if sum(value for value, _ in one) == need * scale]
        figures = [(need, *chain.from_iterable(parts for _, parts in one)) for one in equal]
        step = max((self._whole_step(*found) for found in figures), default=1)
        least = -(-unit * scale // need)
        return max(least, step * (2 * unit if unit > 1 else 1) if equal else 1)

    def _whole_step(self, *scaled: int) -> int:
        """Least common denominator of figures."""
        return math.lcm(*(self.scale // math.gcd(value, self.scale) for value in scaled))

    @cached_property
    def _greatest_reduction(self) -> Fraction:
        """The most that a unit of any lot reduces, t CO2e; 1 for projects."""
        found = [Fraction(0)]
        for traits in self.kinds:
            if traits.kind == "project":
                found.append(Fraction(1))
            elif traits.displaced is not None and traits.intensity is not None:
                found.append(Fraction(traits.displaced - traits.intensity, self.scale))
        return max(found)

    @cached_property
    def _shares(self) -> list[dict[str, set[int]]]:
        """By share claim: category -> the shares that its material lots carry."""
        found: list[dict[str, set[int]]] = [defaultdict(set) for _ in SHARE_CLAIMS]
        for traits in self.kinds:
            if traits.kind == "material":
                for of_claim, share in zip(found, traits.shares, strict=True):
                    of_claim[traits.category].add(share)
        return found

    def is_linear(self) -> bool:
        """No order needs a yes or no: none whole, none with a minimum fill, no offers."""
        return not (self.whole.any() or self.min_fill.any() or len(self.case.offers))

    def firm_mass(self, priority: int | None) -> int:
        """Mass of the firm orders of a priority."""
        return Wide.of(self.mass[self.firm & (self.priority == priority)]).total()
