"""What a lot is worth and where it may go: windows, boundaries, displaced value, reduction.

Everything is exact. Sources: interface, "Meaning"; A4.2.2, A5.1.2B, A5.1.3, A5.2.2C, J5.2.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
import numpy.typing as npt

from massbalance.domain.case import Case, IndexArray
from massbalance.domain.grid import GRID_DECIMALS, Column, as_python_ints, shrink

NEVER = np.datetime64("9999-12-31", "D")
"""Expiry of a lot that does not expire."""

CARRIER_OF_UOM = {"MWh": "electricity", "GJ": "heat"}


def scope_set(text: str) -> tuple[int, ...]:
    """'2+1' -> (1, 2)."""
    return tuple(sorted({int(part) for part in text.split("+")})) if text else ()


def scope_text(scopes: tuple[int, ...]) -> str:
    """(1, 2) -> '1+2'."""
    return "+".join(str(s) for s in scopes)


@dataclass(frozen=True)
class Windows:
    """When each lot may be used; arrays over lots, periods as positions 0..T-1.

    available, expires: datetime64[D]; first, last: usable periods (first > last: none);
    received: period in which the lot enters the account (-1: before the first, it is opening
    balance; T: after the last, outside this case's books); expiry: period in which what is
    left leaves the account (T: still held at the end).
    """

    available: npt.NDArray[np.datetime64]
    expires: npt.NDArray[np.datetime64]
    first: npt.NDArray[np.int64]
    last: npt.NDArray[np.int64]
    received: npt.NDArray[np.int64]
    expiry: npt.NDArray[np.int64]


def _add_months(days: npt.NDArray[np.datetime64], months: int) -> npt.NDArray[np.datetime64]:
    """The same day `months` later; the last day of the month where that day does not exist."""
    month = days.astype("datetime64[M]")
    day_of_month = days - month.astype("datetime64[D]")
    moved = (month + months).astype("datetime64[D]")
    last_day = (month + months + 1).astype("datetime64[D]") - np.timedelta64(1, "D")
    return np.minimum(moved + day_of_month, last_day)


def windows(case: Case) -> Windows:
    """available (used, else received) <= end of period <= expires; carry-over by the rule model.

    A5.1.3A (carry-over), A5.1.3B, J5.2.3 (expiry). A default expiry counts from receipt.
    """
    lots, ends = case.lots, case.periods.days("end")
    periods = len(ends)
    received, used = lots.days("received"), lots.days("used")
    available = np.where(np.isnat(used), received, used)
    expires = lots.days("expires")
    default = case.rules.parameters.expiry_months
    filled = np.full(len(lots), NEVER) if default == "unlimited" else _add_months(received, int(default))
    expires = np.where(np.isnat(expires), filled, expires)

    # first period that ends on or after the day; periods are ordered without gaps
    first = np.searchsorted(ends, available, side="left").astype(np.int64)
    last = np.searchsorted(ends, expires, side="right").astype(np.int64) - 1
    before = available < case.periods.days("start")[0] if periods else np.zeros(len(lots), bool)
    entered = np.where(before, -1, first)
    expiry = np.maximum(last + 1, first)
    if case.rules.parameters.carry_over == "none":
        # usable only in the period it becomes available in; what is left leaves with that period
        last = np.where(before, -1, np.minimum(last, first))
        expiry = np.where(before, 0, first)
    return Windows(available, expires, first, last, entered, np.minimum(expiry, periods))


@dataclass(frozen=True)
class Boundaries:
    """Where lots and products belong. Text arrays; unit keys are 'organisation/unit'.

    An accounting unit lies inside one organisation (A4.2.2), so two organisations that use one
    unit name have two units.
    """

    lot: npt.NDArray[np.object_]
    lot_unit: npt.NDArray[np.object_]
    product_site: npt.NDArray[np.object_]
    product_unit: npt.NDArray[np.object_]
    product_organisation: npt.NDArray[np.object_]

    def of_products(self, boundary: str) -> npt.NDArray[np.object_]:
        """Each product's area under a boundary of that kind."""
        return {
            "site": self.product_site,
            "accounting_unit": self.product_unit,
            "organisation": self.product_organisation,
        }[boundary]


def boundaries(case: Case) -> Boundaries:
    """The area within which each lot may serve, and the areas each product lies in."""
    sites = case.sites
    site, organisation = sites.text("site"), sites.text("organisation")
    unit = np.array([f"{o}/{u}" for o, u in zip(organisation, sites.text("unit"), strict=True)], dtype=object)
    areas = {"site": site, "accounting_unit": unit, "organisation": organisation}
    at_lot, at_product = sites.find(case.lots.text("site")), sites.find(case.products.text("site"))
    kinds = case.lots.text("kind")
    lot = np.array(
        [areas[case.rules.boundary(k)][s] for k, s in zip(kinds, at_lot, strict=True)], dtype=object
    )
    return Boundaries(lot, unit[at_lot], site[at_product], unit[at_product], organisation[at_product])


class Effects:
    """Exact effect of lots on products; one instance serves a whole case.

    `displaced` and `unit_value` are columns over lots; `reduction` answers pairs.
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        self.kind = case.lots.text("kind")
        self.uom = case.lots.text("uom")
        self.is_material = self.kind == "material"
        self.is_energy = self.kind == "energy"
        self.is_project = self.kind == "project"
        self.boundaries = boundaries(case)

    @cached_property
    def mean_metal(self) -> dict[str, int]:
        """Accounting unit -> mean conventional metal intensity, floored to 1e-6 t CO2e per t.

        Weighted by production / t_product_per_t_input over the products that give one, over
        the whole case; a unit without such production has no entry.
        """
        case, products = self.case, self.case.products
        produced = case.production
        at = products.find(produced.text("product"))
        mass: dict[int, int] = {}
        for p, grams in zip(at.tolist(), as_python_ints(produced.grid("mass_t")), strict=True):
            mass[p] = mass.get(p, 0) + grams
        metal, rate = products.exact["metal_tco2e_per_t"], products.exact["t_product_per_t_input"]
        sums: dict[str, tuple[int, int]] = {}
        # a common multiple of the rates' integers keeps mass / rate an integer
        multiple = int(np.lcm.reduce(as_python_ints(rate.values))) if len(rate) else 1
        for p, grams in mass.items():
            if metal.given[p]:
                weight = grams * (multiple // int(rate.values[p]))
                unit = self.boundaries.product_unit[p]
                value, weights = sums.get(unit, (0, 0))
                sums[unit] = (value + weight * int(metal.values[p]), weights + weight)
        return {
            unit: value * 10**GRID_DECIMALS // (weights * 10**metal.decimals)
            for unit, (value, weights) in sums.items()
            if weights > 0
        }

    @cached_property
    def site_factor(self) -> dict[str, Column]:
        """Carrier -> conventional emission factor over sites."""
        exact = self.case.sites.exact
        return {"electricity": exact["electricity_tco2e_per_mwh"], "heat": exact["heat_tco2e_per_gj"]}

    @cached_property
    def product_site(self) -> IndexArray:
        """Position of each product's site."""
        return self.case.sites.find(self.case.products.text("site"))

    @cached_property
    def displaced(self) -> Column:
        """D_l, t CO2e per unit of each lot; not given where nothing tells it (and for projects)."""
        lots = self.case.lots
        own = lots.exact["displaced_tco2e_per_uom"]
        at_site = self.case.sites.find(lots.text("site"))
        items: list[Fraction | None] = []
        for i in range(len(lots)):
            if self.is_project[i]:
                items.append(None)
            elif own.given[i]:
                items.append(own.fraction(i))
            elif self.is_material[i]:
                mean = self.mean_metal.get(self.boundaries.lot_unit[i])
                items.append(None if mean is None else Column.of(np.array([mean]), GRID_DECIMALS).fraction(0))
            else:
                factor = self.site_factor[CARRIER_OF_UOM[self.uom[i]]]
                items.append(factor.fraction(at_site[i]) if factor.given[at_site[i]] else None)
        return Column.from_fractions(items)

    @cached_property
    def unit_value(self) -> Column:
        """Value of one unit of each lot, t CO2e: max(0, D_l - intensity); 1 for projects.

        0 where the lot has no intensity or nothing is displaced (it then reduces nothing).
        """
        gain = self.displaced.minus(self.case.lots.exact["intensity_tco2e_per_uom"]).floor_at_zero()
        values = np.where(self.is_project, as_python_ints(np.full(len(gain), 10**gain.decimals)), gain.values)
        return Column.of(shrink(values), gain.decimals)

    def product_displaced(self, lot: IndexArray, product: IndexArray) -> Column:
        """What the product gives as displaced by the lot: its metal's or its site's factor.

        lot, product: positions, shape (n,). Not given where the product does not tell.
        """
        metal = self.case.products.exact["metal_tco2e_per_t"].take(product)
        at_site = self.product_site[product]
        electricity = self.site_factor["electricity"].take(at_site)
        heat = self.site_factor["heat"].take(at_site)
        decimals = max(metal.decimals, electricity.decimals, heat.decimals)
        is_metal, is_power = self.is_material[lot], self.uom[lot] == "MWh"
        values = np.where(
            is_metal, metal.at(decimals), np.where(is_power, electricity.at(decimals), heat.at(decimals))
        )
        given = np.where(is_metal, metal.given, np.where(is_power, electricity.given, heat.given))
        return Column(values, decimals, given)

    def reduction(self, lot: IndexArray, product: IndexArray) -> Column:
        """t CO2e by which one unit of the lot lowers the product: max(0, min(D_l, d_p) - intensity).

        lot, product: positions, shape (n,). 1 for projects; 0 where a part is not given.
        """
        effective = self.displaced.take(lot).minimum(self.product_displaced(lot, product))
        gain = effective.minus(self.case.lots.exact["intensity_tco2e_per_uom"].take(lot)).floor_at_zero()
        one = np.full(len(lot), 10**gain.decimals, dtype=object)
        return Column.of(shrink(np.where(self.is_project[lot], one, gain.values)), gain.decimals)

    @cached_property
    def scopes(self) -> list[tuple[int, ...]]:
        """Scopes of each lot: material (3,); energy and projects as given or by default."""
        return [scope_set(text) for text in self.case.lots.text("scopes")]
