"""Small cases whose optimum is worked by hand, as data: tables over a common frame, and the values.

Frame: one period, one site and unit, product `B` of alloy `A` (category `m` up to a share of 1) with
intensities s1 = 1, s2 = 2, s3 = 10 t CO2e per t and a conventional metal of 12. A case gives what it
changes. Values: firm shortfalls (t) by priority, then margin, as the goals stand in the case.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Rows = list[dict[str, Any]]

FRAME: dict[str, Rows] = {
    "periods": [{"period": "P1", "start": "2025-04-01", "end": "2025-04-30"}],
    "sites": [{"site": "W", "unit": "U"}],
    "alloys": [{"alloy": "A", "category": "m", "max_share": 1}],
    "products": [
        {
            "product": "B",
            "name": "sheet",
            "alloy": "A",
            "site": "W",
            "s1": 1,
            "s2": 2,
            "s3": 10,
            "metal_tco2e_per_t": 12,
        }
    ],
}
TOML = 'name = "hand"\ncurrency = "JPY"\n{rules}\n'


@dataclass
class HandCase:
    """Tables (those of the frame may be replaced), settings, and the goals' values in order."""

    values: list[float]
    tables: dict[str, Rows]
    rules: str = 'rules = "jaa-2026"'
    priorities: list[int | None] = field(default_factory=lambda: [None])

    def write(self, folder: Path) -> Path:
        folder.mkdir(parents=True)
        (folder / "case.toml").write_text(TOML.format(rules=self.rules), encoding="utf-8")
        tables = FRAME | self.tables
        tables.setdefault("production", ordered(tables["orders"]))
        for name, rows in tables.items():
            columns = list(dict.fromkeys(column for row in rows or [lot("", 0)] for column in row))
            with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, columns, restval="")
                writer.writeheader()
                writer.writerows(rows)
        return folder


def ordered(orders: Rows) -> Rows:
    """Production that is just what is ordered."""
    made: dict[tuple[str, str], float] = {}
    for row in orders:
        key = (row["product"], row["period"])
        made[key] = made.get(key, 0) + row["mass_t"]
    return [
        {"product": product, "period": period, "mass_t": mass} for (product, period), mass in made.items()
    ]


def lot(name: str, quantity: float, **given: Any) -> dict[str, Any]:
    return {
        "lot": name,
        "kind": "material",
        "category": "m",
        "site": "W",
        "received": "2025-04-01",
        "quantity": quantity,
        "uom": "t",
        "green_share": 1,
    } | given


def project(name: str, quantity: float, scopes: str, **given: Any) -> dict[str, Any]:
    return {
        "lot": name,
        "kind": "project",
        "category": "p",
        "site": "W",
        "received": "2025-04-01",
        "quantity": quantity,
        "uom": "tCO2e",
        "scopes": scopes,
    } | given


def power(name: str, quantity: float, uom: str = "MWh", **given: Any) -> dict[str, Any]:
    return {
        "lot": name,
        "kind": "energy",
        "category": uom,
        "site": "W",
        "received": "2025-04-01",
        "quantity": quantity,
        "uom": uom,
        "intensity_tco2e_per_uom": 0,
    } | given


def order(
    name: str, mass: float, premium: float, claim: str = "green_share", level: float = 1, **given: Any
) -> dict[str, Any]:
    return {
        "order": name,
        "customer": "K",
        "product": "B",
        "period": "P1",
        "mass_t": mass,
        "claim": claim,
        "level": level,
        "premium_per_t": premium,
    } | given


def product(name: str, **given: Any) -> dict[str, Any]:
    return FRAME["products"][0] | {"product": name, "alloy": "A"} | given


def network(ga: int = 110, ac: int = 130, an: int = 111) -> dict[str, Rows]:
    """The network revenue example: legs are lots, fares are orders; a fare over two legs is an alloy of two
    categories at up to a half each, with twice the mass and half the premium."""
    legs = {"GA": ga, "AC": ac, "AN": an}
    routes = {"GA": ("GA",), "AC": ("AC",), "AN": ("AN",), "GC": ("GA", "AC"), "GN": ("GA", "AN")}
    fares = {
        "GA": ((190, 49), (90, 90)),
        "GC": ((264, 24), (229, 43)),
        "GN": ((261, 12), (219, 67)),
        "AC": ((140, 44), (95, 69)),
        "AN": ((186, 16), (103, 17)),
    }
    return {
        "lots": [lot(leg, seats, category=leg) for leg, seats in legs.items()],
        "alloys": [
            {"alloy": route, "category": leg, "max_share": 1 / len(used)}
            for route, used in routes.items()
            for leg in used
        ],
        "products": [product(route, alloy=route) for route in routes],
        "orders": [
            order(f"{route}{i}", seats * len(routes[route]), fare / len(routes[route]), product=route)
            for route, classes in fares.items()
            for i, (fare, seats) in enumerate(classes, 1)
        ],
    }


def composition(level: float) -> dict[str, Rows]:
    """Scrap with 0.855 % iron into an alloy of at most 0.20 %, beside plenty of iron-free metal."""
    return {
        "lots": [lot("scrap", 1000, recycled_post=1), lot("pure", 1000, category="n")],
        "alloys": [{"alloy": "A", "category": c, "max_share": 1} for c in "mn"],
        "composition": [
            {"key": "m", "element": "Fe", "wt_pct": 0.855},
            {"key": "pure", "element": "Fe", "wt_pct": 0},
            {"key": "base", "element": "Fe", "wt_pct": 0},
        ],
        "alloy_limits": [{"alloy": "A", "element": "Fe", "max_wt_pct": 0.2}],
        "orders": [order("O", 100, 3, "post_consumer_share", level)],
    }


FOUR_MONTHS = [
    {"period": f"P{m}", "start": f"2025-0{m}-01", "end": f"2025-0{m}-{d}"}
    for m, d in ((4, 30), (5, 31), (6, 30), (7, 31))
]
# Windows over April-July: old (April), june (from June), late (never), used (from May), april (April).
WINDOW_LOTS = [
    lot("old", 1, received="2025-01-05", expires="2025-05-30"),
    lot("june", 2, received="2025-06-30"),
    lot("late", 4, received="2025-08-01"),
    lot("used", 8, received="2025-04-02", used="2025-05-31"),
    lot("april", 16, received="2025-04-03", expires="2025-04-30"),
]
WINDOW_ORDERS = [
    order(f"O{m}", 100, premium, period=f"P{m}") for m, premium in ((4, 1), (5, 10), (6, 100), (7, 1000))
]
TWO_SITES: dict[str, Rows] = {
    "sites": [{"site": "W", "unit": "U"}, {"site": "V", "unit": "U"}],
    "lots": [lot("here", 5), lot("there", 3, site="V"), project("far", 7, "3", site="V")],
    "orders": [order("O", 100, 1), order("Q", 100, 1, "reduction", 1)],
}
WHOLE = [order("a", 60, 10, whole="true"), order("b", 50, 9, whole="true"), order("c", 80, 5, min_fill=0.5)]

CASES: dict[str, HandCase] = {
    "bid prices of a network": HandCase([42366], network()),
    "one more seat GA": HandCase([42366 + 190], network(ga=111)),
    "one more seat AC": HandCase([42366 + 74], network(ac=131)),
    "one more seat AN": HandCase([42366 + 29], network(an=112)),
    # 0.2 / 0.855 = 0.23391...: the whole mass just below, nothing just above, iron-free metal or not.
    "iron below its limit": HandCase([300], composition(0.2339)),
    "iron above its limit": HandCase([0], composition(0.234)),
    # Base at its limit: scrap is 0.655 over, pure 0.2 under, both inside the mass: 0.2 / 0.855 again.
    "dilution": HandCase(
        [300],
        composition(0.2339)
        | {
            "composition": [
                {"key": "scrap", "element": "Fe", "wt_pct": 0.855},
                {"key": "n", "element": "Fe", "wt_pct": 0},
                {"key": "base:A", "element": "Fe", "wt_pct": 0.2},
                {"key": "base", "element": "Fe", "wt_pct": 9},
            ]
        },
    ),
    "no composition, no limit": HandCase(
        [300], composition(1) | {"composition": [{"key": "base", "element": "Fe", "wt_pct": 0.2}]}
    ),
    # 300 t of credits, 1.5 a tonne: 200 of the 1,000 t.
    "residual example": HandCase(
        [800, 400],
        {
            "lots": [project("furnace", 300, "1+2")],
            "products": [product("B", s1=1.6, s2=0.2, s3=0.3)],
            "orders": [order("O", 1000, 2, "cfp", 0.6, firm="true")],
        },
        priorities=[1, None],
    ),
    # 15.1 - 4.0 = 11.1 t CO2e for the tonne: ten tonnes at 1.11.
    "one credit": HandCase(
        [70],
        {
            "lots": [lot("low", 1, intensity_tco2e_per_uom=4.0)],
            "products": [product("B", metal_tco2e_per_t=15.1, s3=15.5)],
            "orders": [order("O", 100, 7, "reduction", 1.11)],
        },
    ),
    # s1 = 1, s2 = 0.5, all of both wanted: 1.5 y <= 200, the scope-1-only lot first.
    "best split over scopes": HandCase(
        [400 / 3],
        {
            "lots": [project("both", 100, "1+2"), project("one", 100, "1")],
            "products": [product("B", s2=0.5)],
            "orders": [order("O", 500, 1, "reduction", 1.5)],
        },
    ),
    # Scope 1 takes 1 a tonne, whoever gives it; 1.2 cannot be had.
    "scope cap": HandCase(
        [100],
        {
            "lots": [project("x", 100, "1"), project("y", 900, "1")],
            "orders": [order("can", 100, 1, "reduction", 1), order("cannot", 100, 1, "reduction", 1.2)],
        },
    ),
    # 12 - 10 = 2 a tonne of metal; two categories of a full share each still are one tonne a tonne.
    "mass cap": HandCase(
        [100],
        {
            "lots": [lot(c, 900, category=c, intensity_tco2e_per_uom=10) for c in "mn"],
            "alloys": [{"alloy": "A", "category": c, "max_share": 1} for c in "mn"],
            "orders": [order("can", 100, 1, "reduction", 2), order("cannot", 100, 1, "reduction", 2.01)],
        },
    ),
    # Mean metal (10 * 100 / 1 + 16 * 50 / 0.5) / 200 = 13: B takes min(13, 10) - 4 = 6 per t, C gets 9.
    "displaced": HandCase(
        [6 * 3 + 9 * 2],
        {
            "lots": [
                lot("l1", 1, intensity_tco2e_per_uom=4, scheme="x"),
                lot("l2", 1, intensity_tco2e_per_uom=4, scheme="y"),
            ],
            "products": [
                product("B", metal_tco2e_per_t=10),
                product("C", metal_tco2e_per_t=16, t_product_per_t_input=0.5),
            ],
            "production": [
                {"product": "B", "period": "P1", "mass_t": 100},
                {"product": "C", "period": "P1", "mass_t": 50},
            ],
            "orders": [
                order("b", 100, 3, "reduction", 1, schemes="x"),
                order("c", 50, 2, "reduction", 1, product="C", schemes="y"),
            ],
        },
    ),
    # The given 7 stands before the mean; nothing is reduced above it; no intensity, no reduction.
    "displaced as given": HandCase(
        [3],
        {
            "lots": [
                lot("l1", 1, intensity_tco2e_per_uom=4, displaced_tco2e_per_uom=7),
                lot("l3", 5),
                lot("l2", 5, intensity_tco2e_per_uom=8, displaced_tco2e_per_uom=7),
            ],
            "orders": [order("O", 100, 1, "reduction", 1)],
        },
    ),
    # 30 t of input are 22.5 t of product, 0.75 of 30 t: 30 * 4 earned, 30 * 2 paid.
    "yield": HandCase(
        [120 - 60],
        {
            "lots": [lot("l", 30, unit_cost=2)],
            "products": [product("B", t_product_per_t_input=0.75)],
            "orders": [order("O", 100, 4, level=0.75)],
        },
    ),
    # April: april and old (which ends a day before May does); June or July: june and used, at July's price.
    "windows": HandCase(
        [16 * 1 + 1 + 10 * 1000], {"periods": FOUR_MONTHS, "lots": WINDOW_LOTS, "orders": WINDOW_ORDERS}
    ),
    # Nothing carries over: june in June, used in May, april in April; old came before the first period.
    "no carry-over": HandCase(
        [16 * 1 + 8 * 10 + 2 * 100],
        {"periods": FOUR_MONTHS, "lots": WINDOW_LOTS, "orders": WINDOW_ORDERS},
        rules='[rules]\nid = "jaa-2026"\ncarry_over = "none"',
    ),
    # A month from receipt: june ends on 30 July, used is gone (2 May) before it comes; old, april as given.
    "expiry by the rules": HandCase(
        [16 * 1 + 1 + 2 * 100],
        {"periods": FOUR_MONTHS, "lots": WINDOW_LOTS, "orders": WINDOW_ORDERS},
        rules='[rules]\nid = "jaa-2026"\nexpiry_months = 1',
    ),
    # 2 schemes, 2 gases, 2 units: only "yes" serves the order; the project crosses units, not organisations.
    "who may serve": HandCase(
        [5 + 7],
        {
            "sites": [
                {"site": "W", "unit": "U", "organisation": "M"},
                {"site": "V", "unit": "T", "organisation": "M"},
                {"site": "X", "unit": "U", "organisation": "N"},
            ],
            "lots": [
                lot("yes", 5, scheme="a", gas="CO2"),
                lot("no1", 5, scheme="c", gas="CO2"),
                lot("no2", 5, gas="CO2"),
                lot("no3", 5, scheme="a"),
                lot("no4", 5, scheme="a", gas="CO2", site="V"),
                lot("no5", 5, scheme="a", gas="CO2", site="X"),
                lot("no6", 5, scheme="a", gas="CO2", category="z"),
                project("far", 7, "3", site="V", gas="CO2"),
                project("other", 7, "3", site="X", gas="CO2"),
                project("ghg", 7, "3", site="W"),
            ],
            "products": [product("B", gas="CO2")],
            "orders": [order("O", 100, 1, schemes="a;b"), order("Q", 100, 1, "reduction", 1)],
        },
    ),
    # Within the unit 5 + 3 t of metal serve and the project's 7; kept to the site only 5 and none.
    "two sites of a unit": HandCase([8 + 7], TWO_SITES),
    "kept to the site": HandCase(
        [5],
        TWO_SITES,
        rules=('[rules]\nid = "jaa-2026"\nboundary_material = "site"\nboundary_project = "site"'),
    ),
    # One thing measured twice, 10 t of metal or 40 t CO2e: half as 20 t CO2e for the project's order
    # (80 for all of it, but the order takes no more), the other half as 5 t of metal.
    "one origin": HandCase(
        [20 * 2 + 5 * 4],
        {
            "lots": [lot("l", 10, origin="g"), project("p", 40, "1", origin="g")],
            "orders": [order("metal", 9, 4), order("project", 20, 2, "reduction", 1)],
        },
    ),
    # 2 MWh and 5 GJ a tonne; 0.5 and 0.06 t CO2e saved per unit: 1.0 in scope 2, 0.3 in scope 1.
    "energy": HandCase(
        [100 + 50],
        {
            "sites": [
                {"site": "W", "unit": "U", "electricity_tco2e_per_mwh": 0.5, "heat_tco2e_per_gj": 0.06}
            ],
            "lots": [power("el", 1000), power("heat", 250, "GJ")],
            "products": [product("B", electricity_mwh_per_t=2, heat_gj_per_t=5)],
            "orders": [
                order("el", 100, 1, "cfp", 12),
                order("both", 100, 1, "cfp", 11.7),
                order("neither", 100, 1, "cfp", 11.69),
            ],
        },
    ),
    "energy in the scope given": HandCase(
        [20],
        {
            "sites": [{"site": "W", "unit": "U", "electricity_tco2e_per_mwh": 0.5}],
            "lots": [power("el", 1000, scopes="1"), power("dirty", 99, intensity_tco2e_per_uom=0.5)],
            "products": [product("B", electricity_mwh_per_t=2, s1=0.4)],
            "orders": [order("can", 20, 1, "reduction", 0.4), order("cannot", 20, 1, "reduction", 0.41)],
        },
    ),
    "a claim above the baseline is free": HandCase(
        [0, 500],
        {"lots": [], "orders": [order("O", 100, 5, "cfp", 13, firm="true", priority=2)]},
        priorities=[2, None],
    ),
    # Firm first, whatever it earns; its priority 2 gets what priority 1 leaves.
    "firm first": HandCase(
        [0, 15, 10 * 1 + 5 * 2],
        {
            "lots": [lot("l", 15)],
            "orders": [
                order("one", 10, 1, firm="true"),
                order("two", 20, 2, firm="true", priority=2),
                order("rich", 9, 99),
            ],
        },
        priorities=[1, 2, None],
    ),
    "margin first": HandCase(
        [9 * 99 + 6 * 2, 10, 14],
        {
            "lots": [lot("l", 15)],
            "orders": [
                order("one", 10, 1, firm="true"),
                order("two", 20, 2, firm="true", priority=2),
                order("rich", 9, 99),
            ],
        },
        rules='rules = "jaa-2026"\n[objective]\norder = ["margin", "firm_shortfall"]',
        priorities=[None, 1, 2],
    ),
    # 100 t: a and c (40 t, just its least) 800; b and c (50 t) 700; a and b do not fit.
    "whole and least fill": HandCase([600 + 200], {"lots": [lot("l", 100)], "orders": WHOLE}),
    # 99 t: c cannot have its 40 t beside a; b and c have 450 + 245.
    "least fill out of reach": HandCase([450 + 245], {"lots": [lot("l", 99)], "orders": WHOLE}),
    # Own terms 100 * 3; offer of a half: 100 t at 2 use 50 t, the rest serves q: 200 + 50.
    "offers": HandCase(
        [0, 300],
        {
            "lots": [lot("l", 100)],
            "orders": [order("o", 100, 3, firm="true"), order("q", 50, 1)],
            "offers": [
                {"order": "o", "offer": "half", "claim": "green_share", "level": 0.5, "premium_per_t": 2}
            ],
        },
        priorities=[1, None],
    ),
    # With 60 t only the half reaches all of the firm mass (50 t of metal); q gets the other 10.
    "an offer saves a firm order": HandCase(
        [0, 200 + 10],
        {
            "lots": [lot("l", 60)],
            "orders": [order("o", 100, 3, firm="true"), order("q", 50, 1)],
            "offers": [
                {"order": "o", "offer": "half", "claim": "green_share", "level": 0.5, "premium_per_t": 2}
            ],
        },
        priorities=[1, None],
    ),
    # Recycled counts 0.7, post-consumer 0.2: 100 t at 0.35 take 50 t, the other 40 t serve 80 t at 0.1.
    "recycled shares": HandCase(
        [100 * 2 + 80],
        {
            "lots": [lot("l", 90, recycled_pre=0.5, recycled_post=0.2)],
            "orders": [
                order("r", 100, 2, "recycled_share", 0.35),
                order("p", 160, 1, "post_consumer_share", 0.1),
            ],
        },
    ),
    "steel: projects only": HandCase(
        [60],
        {
            "lots": [project("f", 90, "1+2", project="F")],
            "projects": [
                {
                    "project": "F",
                    "computation_start": "2023-04-01",
                    "computation_end": "2024-03-31",
                    "start": "2020-01-01",
                    "verified_by": "V",
                    "verified_on": "2024-06-01",
                }
            ],
            "orders": [order("O", 100, 1, "cfp", 11.5)],
        },
        rules='rules = "jisf-2.0"',
    ),
}
