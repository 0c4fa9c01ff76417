"""Seeded random valid cases that use every feature of the interface, scarce enough that limits bind.

`write_random_case(folder, seed, mip=..., size=...)` writes case.toml and CSV tables. One seed, one case:
`random_draw` alone draws. Sizes: `tiny` (exact enumeration can solve it), `small`
(3-14 lots, 4-25 orders), `medium` (40 lots, 200 orders).

The generator knows what a case may be refused for and avoids it: orders stay within production, base
metals within their alloys, greenhouse-gas claims on products whose conventional values are given,
`jisf-2.0` has project lots only, with proper `projects` rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from random_draw import REQUIRED_COLUMNS, Draw, Record, plain, write_table

Tables = dict[str, list[Record]]

SIZES = {"tiny": ((2, 4), (2, 4)), "small": ((3, 14), (4, 25)), "medium": ((40, 40), (200, 200))}
CATEGORIES = ("billet-low", "scrap-post", "scrap-pre", "hydro")
ELEMENTS = ("Fe", "Si", "Cu")
SCHEMES = ("ASI", "ISCC", "in-house")
SCOPES = ("1", "2", "3", "1+2", "1+2+3")
SHARE_CLAIMS = ("green_share", "recycled_share", "post_consumer_share")
FIRST_DAY = date(2024, 4, 1)


def month_start(offset: int) -> date:
    year, month = divmod(FIRST_DAY.year * 12 + FIRST_DAY.month - 1 + offset, 12)
    return date(year, month + 1, 1)


@dataclass
class CaseWriter:
    """Draws one case, table by table."""

    draw: Draw
    mip: bool
    lots: int
    orders: int
    tables: Tables = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        self.jisf = self.draw.chance(0.12)
        self.periods()
        self.sites()
        self.metals()
        self.products()
        self.order_rows()
        self.change("orders")
        self.production()
        self.lot_rows()
        self.change("lots")
        self.origins()
        self.projects()
        self.customers()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "case.toml").write_text(self.settings(), encoding="utf-8")
        encoding = self.draw.one(("utf-8", "utf-8", "utf-8-sig"))
        for name, rows in self.tables.items():
            if rows or name in REQUIRED_COLUMNS:
                write_table(folder / f"{name}.csv", rows, encoding, self.draw)

    def change(self, table: str) -> None:
        """For writers of harder cases: `table` has just been drawn (orders: production comes later)."""

    # --- settings ------------------------------------------------------------------------------------

    def settings(self) -> str:
        draw = self.draw
        overrides = self.overrides()
        lines = ['name = "random"', 'currency = "JPY"']
        if draw.chance(0.5):
            lines.append("fiscal_year_start = 4")
        if not overrides and draw.chance(0.7):
            lines.append(f'rules = "{self.rules_id()}"')
        else:
            lines += ["[rules]", f'id = "{self.rules_id()}"', *overrides]
        if draw.chance(0.12):
            lines += ["[objective]", 'order = ["margin", "firm_shortfall"]']
        elif draw.chance(0.2):
            lines += ["[objective]", 'order = ["firm_shortfall", "margin"]', 'strategy = "firm-then-margin"']
        lines += [
            "[issuer]",
            'name = "Maker"',
            'address = "1-1 Mill Street"',
            'contact = "books@maker.example"',
        ]
        return "\n".join(lines) + "\n"

    def rules_id(self) -> str:
        return "jisf-2.0" if self.jisf else "jaa-2026"

    def overrides(self) -> list[str]:
        draw, lines = self.draw, []
        if draw.chance(0.15):
            lines.append(f'carry_over = "{draw.one(("none", "none", "until_expiry"))}"')
        if draw.chance(0.2):
            months = draw.one(("1", "2", "3", "6", "12", '"unlimited"'))
            lines.append(f"expiry_months = {months}")
        if self.jisf:
            return lines
        if draw.chance(0.2):
            kind = draw.one(("material", "energy", "project"))
            lines.append(f'boundary_{kind} = "{draw.one(("site", "site", "accounting_unit"))}"')
        if draw.chance(0.15):
            lines.append(f'residual = "{draw.one(("inventory", "baseline"))}"')
        return lines

    # --- where and when --------------------------------------------------------------------------------

    def periods(self) -> None:
        months = self.draw.one((1, 1, 3))
        self.bounds = [
            (month_start(i * months), month_start((i + 1) * months) - timedelta(days=1))
            for i in range(self.draw.whole(1, 5))
        ]
        self.tables["periods"] = [
            {"period": f"P{i + 1}", "start": start.isoformat(), "end": end.isoformat()}
            for i, (start, end) in enumerate(self.bounds)
        ]

    def sites(self) -> None:
        draw = self.draw
        organisations = ["Maker", "Affiliate"] if draw.chance(0.15) else [draw.one(("", "Maker"))]
        units = [f"U{i + 1}" for i in range(draw.one((1, 1, 1, 2)))]
        self.tables["sites"] = [
            {
                "site": f"W{i + 1}",
                "unit": draw.one(units),
                "organisation": draw.one(organisations),
                "electricity_tco2e_per_mwh": "" if draw.chance(0.12) else draw.number(0.2, 0.9, (2, 3, 6)),
                "heat_tco2e_per_gj": "" if draw.chance(0.12) else draw.number(0.04, 0.09, (3, 4, 6)),
            }
            for i in range(draw.whole(1, 4))
        ]

    # --- metal -----------------------------------------------------------------------------------------

    def metals(self) -> None:
        draw = self.draw
        self.categories = list(CATEGORIES[: draw.whole(2, 4)])
        self.alloys = [f"A{i + 1}" for i in range(draw.whole(1, 3))]
        self.tables["alloys"] = [
            {
                "alloy": alloy,
                "category": category,
                "max_share": draw.one(("1", "1", "0.5", draw.share(0.05, 1))),
            }
            for alloy in self.alloys
            for category in draw.some(self.categories, 2 if draw.chance(0.7) else 1)
        ]
        self.elements = draw.some(ELEMENTS) if draw.chance(0.6) else []
        self.tables["composition"], self.tables["alloy_limits"] = [], []
        for element in self.elements:
            self.element(element)

    def element(self, element: str) -> None:
        """Base metals, limits at or above them, and categories above and below."""
        draw = self.draw
        wt = (2, 3, 4)
        base = draw.number(0.05, 0.4, wt) if draw.chance(0.85) else ""
        if base:
            self.compose("base", element, base)
        for alloy in self.alloys:
            own = draw.number(0.02, 0.5, wt) if draw.chance(0.3) else base
            if own != base:
                self.compose(f"base:{alloy}", element, own)
            if draw.chance(0.8):
                self.limit(alloy, element, Decimal(own or "0"))
        for category in self.categories:
            if draw.chance(0.7):
                self.compose(
                    category, element, draw.one((draw.number(0, 0.1, wt), draw.number(0.2, 1.5, wt)))
                )

    def compose(self, key: str, element: str, wt_pct: str) -> None:
        self.tables["composition"].append({"key": key, "element": element, "wt_pct": wt_pct})

    def limit(self, alloy: str, element: str, base: Decimal) -> None:
        draw = self.draw
        room = draw.one(("0", draw.number(0, 0.02, (3, 4)), draw.number(0.02, 0.3, (2, 3))))
        row = {"alloy": alloy, "element": element, "max_wt_pct": plain(base + Decimal(room))}
        kind = draw.one(("max", "max", "max", "both", "min"))
        if kind != "max":
            row["min_wt_pct"] = plain(base)
        if kind == "min":
            row["max_wt_pct"] = ""
        self.tables["alloy_limits"].append(row)

    # --- products and orders -----------------------------------------------------------------------------

    def products(self) -> None:
        self.tables["products"] = [self.product(f"B{i + 1}") for i in range(self.draw.whole(2, 6))]

    def product(self, name: str) -> Record:
        draw = self.draw
        row = {
            "product": name,
            "name": f"Sheet {name}",
            "alloy": draw.one(self.alloys),
            "site": draw.one(self.tables["sites"])["site"],
            "s1": draw.number(0, 2),
            "s2": draw.number(0, 3),
            "s3": draw.number(2, 14),
            "metal_tco2e_per_t": "" if draw.chance(0.15) else draw.number(6, 16),
            "t_product_per_t_input": draw.one(("", "1", draw.number(0.7, 1, (2, 3)))),
            "electricity_mwh_per_t": draw.one(("", draw.number(0.2, 3), draw.number(1, 6))),
            "heat_gj_per_t": draw.one(("", draw.number(0.5, 20))),
            "gas": draw.one(("", "", "GHG", "GHG", "CO2")),
        }
        if draw.chance(0.2):
            row |= {
                "measured_tco2e_per_t": draw.number(2, 12),
                "verified_by": "Verifier",
                "verified_on": "2024-03-01",
            }
        if draw.chance(0.2):
            row |= {"source": "plant data", "data_year": "2023"}
        return row

    def allows_ghg(self, product: Record) -> bool:
        """Every conventional value that a greenhouse-gas claim on the product could need is given."""
        site = next(s for s in self.tables["sites"] if s["site"] == product["site"])
        return bool(product["metal_tco2e_per_t"]) and all(
            bool(site[factor]) or not product[use]
            for use, factor in (
                ("electricity_mwh_per_t", "electricity_tco2e_per_mwh"),
                ("heat_gj_per_t", "heat_tco2e_per_gj"),
            )
        )

    def claim(self, product: Record) -> Record:
        """A claim with a level from trivial to unattainable, and its premium."""
        draw = self.draw
        ghg = self.allows_ghg(product) and draw.chance(0.9 if self.jisf else 0.6)
        claim = draw.one(("cfp", "reduction")) if ghg else draw.one(SHARE_CLAIMS)
        total = sum(float(product[s]) for s in ("s1", "s2", "s3"))
        if claim == "cfp":
            level = draw.one(
                (
                    draw.number(total * 0.8, total),
                    draw.number(total * 0.6, total),
                    draw.number(0, total * 1.2),
                )
            )
        elif claim == "reduction":
            level = draw.one(
                (draw.number(0, total * 0.1), draw.number(0, total * 0.4), draw.number(0, total * 1.1))
            )
        else:
            level = draw.one((draw.share(0.05, 0.5), draw.share(0.05, 0.5), draw.share(), "1", "0"))
        premium = "0" if draw.chance(0.1) else draw.number(5, 400)
        return {"claim": claim, "level": level, "premium_per_t": premium}

    def order_rows(self) -> None:
        draw = self.draw
        rows: list[Record] = []
        self.tables["offers"] = []
        for i in range(self.orders):
            if rows and draw.chance(0.25):
                rows.append(draw.one(rows) | {"order": f"O{i + 1}"} | self.variation())
            else:
                rows.append(self.order(f"O{i + 1}"))
            if self.mip:
                rows[-1] |= self.integers()
                self.offers(rows[-1])
        self.tables["orders"] = rows
        if self.mip and not self.has_integers():
            rows[0]["whole"] = "true"

    def has_integers(self) -> bool:
        return bool(self.tables["offers"]) or any(
            row.get("whole") == "true" or Decimal(row.get("min_fill") or "0") > 0
            for row in self.tables["orders"]
        )

    def order(self, name: str) -> Record:
        draw = self.draw
        product = draw.one(self.tables["products"])
        firm = draw.chance(0.35)
        schemes = ";".join(draw.some(SCHEMES)) if draw.chance(0.2) else ""
        return {
            "order": name,
            "customer": f"K{draw.whole(1, 4)}",
            "product": product["product"],
            "period": draw.one(self.tables["periods"])["period"],
            "mass_t": draw.number(2, 120),
            "firm": "true" if firm else draw.one(("", "false")),
            "priority": draw.one(("", "1", "2", "3")) if firm or draw.chance(0.2) else "",
            "schemes": schemes,
        } | self.claim(product)

    def variation(self) -> Record:
        """What two orders of one recipe may differ in: mass, and sometimes price or firmness."""
        draw = self.draw
        changed = {"mass_t": draw.number(2, 120)} if draw.chance(0.7) else {}
        if draw.chance(0.4):
            changed["premium_per_t"] = draw.number(0, 400)
        if draw.chance(0.2):
            changed |= {"firm": "true", "priority": draw.one(("1", "2", "3"))}
        return changed

    def integers(self) -> Record:
        draw = self.draw
        row = {"whole": "", "min_fill": ""}
        if draw.chance(0.3):
            row["whole"] = "true"
        elif draw.chance(0.4):
            row["min_fill"] = draw.one((draw.share(0.05, 1), draw.share(0.5, 1)))
        return row

    def offers(self, order: Record) -> None:
        if not self.draw.chance(0.25):
            return
        product = next(p for p in self.tables["products"] if p["product"] == order["product"])
        for i in range(self.draw.whole(1, 2)):
            self.tables["offers"].append(
                {"order": order["order"], "offer": f"alt{i + 1}"} | self.claim(product)
            )

    def production(self) -> None:
        """What is ordered, often more; some pairs that nobody ordered."""
        draw = self.draw
        made: dict[tuple[str, str], Decimal] = {}
        for row in self.tables["orders"]:
            key = (row["product"], row["period"])
            made[key] = made.get(key, Decimal(0)) + Decimal(row["mass_t"])
        for product in self.tables["products"]:
            for period in self.tables["periods"]:
                key = (product["product"], period["period"])
                if draw.chance(0.6 if key in made else 0.3):
                    made[key] = made.get(key, Decimal(0)) + Decimal(draw.number(1, 150))
        self.tables["production"] = [
            {"product": p, "period": t, "mass_t": plain(mass)} for (p, t), mass in made.items()
        ]

    # --- lots --------------------------------------------------------------------------------------------

    def lot_rows(self) -> None:
        draw = self.draw
        rows: list[Record] = []
        self.kinds = (
            ["material"] * draw.whole(1, 5) + ["energy"] * draw.whole(0, 5) + ["project"] * draw.whole(0, 3)
        )
        demand = sum(float(row["mass_t"]) for row in self.tables["orders"])
        size = demand / max(1, self.lots) * draw.random.uniform(0.1, 1.0)
        for i in range(self.lots):
            quantity = draw.number(size * 0.2, size * 1.4)
            if rows and draw.chance(0.2):
                rows.append(
                    draw.one(rows)
                    | {"lot": f"L{i + 1}", "quantity": quantity}
                    | (self.dates() if draw.chance(0.4) else {})
                )
            else:
                rows.append(self.lot(f"L{i + 1}", quantity))
        self.tables["lots"] = rows

    def lot(self, name: str, quantity: str) -> Record:
        draw = self.draw
        kind = "project" if self.jisf else draw.one(self.kinds)
        row = {
            "lot": name,
            "kind": kind,
            "site": draw.one(self.tables["sites"])["site"],
            "quantity": quantity,
            "scheme": "" if draw.chance(0.3) else draw.one(SCHEMES),
            "gas": draw.one(("", "GHG", "CO2", "CO2")),
            "certificate": f"C-{name}" if draw.chance(0.3) else "",
            "evidence": draw.one(("", f"{name}.pdf")),
            "unit_cost": draw.one(("", "0", draw.number(0, 30), draw.number(0, 90))),
        } | self.dates()
        if kind == "material":
            return row | self.material(name)
        return row | (self.energy(quantity) if kind == "energy" else self.project())

    def dates(self) -> Record:
        """Received before, in or after the horizon; used later or not; expiring in it, later, never."""
        draw = self.draw
        first, last = self.bounds[0][0], self.bounds[-1][1]
        length = (last - first).days
        offset = draw.one(
            (
                -draw.whole(1, 200),
                -draw.whole(1, 40),
                -draw.whole(1, 40),
                0,
                draw.whole(0, length // 2),
                draw.whole(0, length // 2),
                draw.whole(0, length),
                length + draw.whole(0, 30),
            )
        )
        received = first + timedelta(days=offset)
        row = {"received": received.isoformat(), "used": "", "expires": ""}
        if draw.chance(0.3):
            row["used"] = (received + timedelta(days=draw.whole(0, 60))).isoformat()
        if draw.chance(0.5):
            expiry = draw.one(
                (
                    received + timedelta(days=draw.whole(0, 400)),
                    last - timedelta(days=draw.whole(0, length)),
                    draw.one(self.bounds)[1],
                )
            )
            row["expires"] = max(expiry, received).isoformat()
        return row

    def material(self, name: str) -> Record:
        draw = self.draw
        pre = draw.share(0, 0.6) if draw.chance(0.4) else ""
        post = draw.share(0, 0.4) if draw.chance(0.5) else ""
        for element in self.elements:
            if draw.chance(0.15):
                self.compose(name, element, draw.number(0, 1.2, (2, 3, 4)))
        return {
            "category": draw.one(self.categories),
            "uom": "t",
            "intensity_tco2e_per_uom": "" if draw.chance(0.12) else draw.number(0.3, 9),
            "displaced_tco2e_per_uom": draw.number(5, 16) if draw.chance(0.35) else "",
            "green_share": draw.one(("", "1", "1", draw.share())),
            "recycled_pre": pre,
            "recycled_post": post,
            "scopes": draw.one(("", "", "3")),
        }

    def energy(self, quantity: str) -> Record:
        """Several units for a tonne of demand: a tonne takes more than one MWh or GJ."""
        draw = self.draw
        uom = draw.one(("MWh", "MWh", "GJ"))
        high = 0.9 if uom == "MWh" else 0.09
        plenty = Decimal(quantity) * draw.one((1, 3) if uom == "MWh" else (3, 10))
        return {
            "category": f"green-{uom}",
            "uom": uom,
            "quantity": plain(plenty),
            "intensity_tco2e_per_uom": draw.one(("", "0", "0", draw.number(0, high * 0.6, (2, 3, 4)))),
            "displaced_tco2e_per_uom": draw.number(high * 0.3, high, (3, 4)) if draw.chance(0.35) else "",
            "scopes": draw.one(("", "", "1", "2", "3")),
        }

    def project(self) -> Record:
        return {"category": "projects", "uom": "tCO2e", "scopes": self.draw.one(SCOPES)}

    def origins(self) -> None:
        """Two or three lots as measurements of one thing, whatever their kinds."""
        draw = self.draw
        lots = [row for row in self.tables["lots"] if Decimal(row["quantity"]) > 0]
        draw.random.shuffle(lots)
        for i in range(2):
            if len(lots) >= 3 and draw.chance(0.35):
                for row in [lots.pop() for _ in range(draw.one((2, 2, 3)))]:
                    row["origin"] = f"G{i + 1}"

    def projects(self) -> None:
        """A `projects` row per set of scopes; always for `jisf-2.0`, else in half of the cases."""
        draw = self.draw
        self.tables["projects"] = []
        lots = [row for row in self.tables["lots"] if row["kind"] == "project"]
        if not self.jisf and draw.chance(0.5):
            return
        for scopes in sorted({row["scopes"] for row in lots}):
            name = f"furnace-{scopes.replace('+', '')}"
            for row in lots:
                if row["scopes"] == scopes:
                    row["project"] = name
            for year in (2021, 2022)[: draw.whole(1, 2)]:
                self.tables["projects"].append(
                    {
                        "project": name,
                        "name": f"Furnace {scopes}",
                        "start": f"{draw.whole(2013, 2020)}-10-01",
                        "computation_start": f"{year}-04-01",
                        "computation_end": f"{year + 1}-03-31",
                        "scopes": scopes,
                        "additional": "true",
                        "baseline_method": "ISO 14064-2",
                        "verified_by": "Verifier",
                        "verified_on": f"{year + 1}-{draw.one(('06', '12'))}-15",
                    }
                )

    def customers(self) -> None:
        if self.draw.chance(0.4):
            self.tables["customers"] = [
                {"customer": f"K{i}", "name": f"Customer {i}", "address": "2-2 Can Road", "contact": ""}
                for i in range(1, 5)
            ]


def write_random_case(folder: Path, seed: int, *, mip: bool, size: str = "small") -> None:
    """Write the random case of `seed` to `folder` (made if missing). `size`: tiny, small or medium."""
    draw = Draw(f"{seed}/{mip}/{size}")
    lots, orders = (draw.whole(*span) for span in SIZES[size])
    CaseWriter(draw, mip, lots, orders).write(folder)
