"""Is what a lot displaces known wherever a GHG claim could be served by it (A5.1.2B)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from massbalance.domain.case import Case
from massbalance.domain.effects import CARRIER_OF_UOM, boundaries
from massbalance.domain.faults import Fault
from massbalance.intake.build import Built
from massbalance.intake.cells import Mask
from massbalance.intake.demand import GHG_BITS, SHARE_BITS, Demand
from massbalance.intake.log import Log
from massbalance.intake.names import code

FACTORS = {
    "electricity": ("electricity_mwh_per_t", "electricity_tco2e_per_mwh"),
    "heat": ("heat_gj_per_t", "heat_tco2e_per_gj"),
}
"""Carrier -> what a product uses of it, and its conventional factor at the product's site."""


@dataclass(frozen=True)
class Reach:
    """Products that some lot with an intensity could serve, whatever the dates and schemes.

    material: by area and feasible category, shape (products,); energy: carrier -> the same, by
    area and use of the carrier.
    """

    material: Mask
    energy: dict[str, Mask]


def reach(case: Case) -> Reach:
    """Which products the lots with an intensity could serve (same boundary; feasible, or carrier used)."""
    lots, products, areas = case.lots, case.products, boundaries(case)
    counted = lots.exact["intensity_tco2e_per_uom"].given
    kinds, areas_of_lots = lots.text("kind"), areas.lot
    categories, uoms = lots.text("category"), lots.text("uom")
    held = {
        (kinds[i], areas_of_lots[i], categories[i] if kinds[i] == "material" else CARRIER_OF_UOM[uoms[i]])
        for i in np.flatnonzero(counted & (kinds != "project"))
    }
    feasible: dict[str, list[str]] = {}
    allowed = case.alloys.exact["max_share"].values > 0
    for alloy, category, some in zip(
        case.alloys.text("alloy"), case.alloys.text("category"), allowed, strict=True
    ):
        if some:
            feasible.setdefault(alloy, []).append(category)
    area = areas.of_products(case.rules.boundary("material"))
    material = [
        any(("material", area[p], category) in held for category in feasible.get(alloy, ()))
        for p, alloy in enumerate(products.text("alloy"))
    ]
    area = areas.of_products(case.rules.boundary("energy"))
    energy = {}
    for carrier, (use, _) in FACTORS.items():
        uses = products.exact[use].values > 0
        found = [bool(uses[p]) and ("energy", area[p], carrier) in held for p in range(len(products))]
        energy[carrier] = np.array(found, dtype=bool)
    return Reach(np.array(material, dtype=bool), energy)


def check_displaced(case: Case, built: dict[str, Built], ordered: Demand, log: Log) -> list[Fault]:
    """Log errors where a GHG claim needs what is not given; warnings where only a share claim meets it."""
    products, sites = built["products"], built["sites"]
    claims = ordered.of_products(len(products.table))
    name = code("displaced_known", case.rules)
    reached = reach(case)
    unknown = ~products.table.exact["metal_tco2e_per_t"].given & reached.material
    expected = "the conventional input metal: lots can serve a GHG claim on this product"
    needed = unknown & (claims & GHG_BITS > 0)
    products.draft.fault(log, products.order[needed], "metal_tco2e_per_t", expected, name)
    at_site = sites.table.find(products.table.text("site"))
    for carrier, (_, column) in FACTORS.items():
        lacking = (
            ~sites.table.exact[column].given[at_site] & reached.energy[carrier] & (claims & GHG_BITS > 0)
        )
        rows = np.unique(at_site[lacking])
        expected = f"the conventional {carrier}: lots can serve a GHG claim on a product of this site"
        sites.draft.fault(log, sites.order[rows], column, expected, name)
    return [
        Fault(
            "products",
            int(products.table.source_row[p]),
            "metal_tco2e_per_t",
            "",
            "the conventional input metal: without it, lots reduce nothing on this product",
            name,
            "warning",
        )
        for p in np.flatnonzero(unknown & ~needed & (claims & SHARE_BITS > 0))
    ]
