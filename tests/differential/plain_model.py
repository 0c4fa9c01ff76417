"""The plain order x lot model of a case, written from the interface alone.

    python plain_model.py CASE_FOLDER...

prints one JSON object per case and line:
{"case": folder, "mip": bool, "objectives": [{"name", "priority", "value"}, ...]}.

Independent of the package on purpose: the csv module reads the tables, every derived figure is an
exact fraction, every lot-order pair has a variable of its own, the scopes of a reduction are split by
explicit variables, and OR-tools (GLOP for LPs, SCIP for MIPs) solves. `read` and `build` need no solver,
so `exact_lp` can use them too; OR-tools is imported only when `solve` is called, because it cannot share
a process with highspy.

Masses in t, energy in MWh or GJ, greenhouse gas in t CO2e, shares 0-1, as in the case's tables.
"""

from __future__ import annotations

import csv
import io
import json
import math
import sys
import tomllib
from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

Record = dict[str, str]
ZERO = Fraction(0)
GRID = 10**6
OPTIONAL = ("composition", "alloy_limits", "offers", "projects", "customers")
REQUIRED = ("periods", "sites", "lots", "alloys", "products", "production", "orders")
CARRIERS = {
    "MWh": ("electricity_mwh_per_t", "electricity_tco2e_per_mwh"),
    "GJ": ("heat_gj_per_t", "heat_tco2e_per_gj"),
}
SHARES = {
    "green_share": ("green_share",),
    "recycled_share": ("recycled_pre", "recycled_post"),
    "post_consumer_share": ("recycled_post",),
}
GHG_CLAIMS = ("cfp", "reduction")
# How far a credit of a kind travels, as the interface says (a case may override it: `boundary_KIND`).
BOUNDARY = {
    "jaa-2026": {"material": "accounting_unit", "energy": "accounting_unit", "project": "organisation"},
    "jisf-2.0": {"project": "organisation"},
}


# --- reading -----------------------------------------------------------------------------------------


def number(row: Record, column: str) -> Fraction | None:
    """The cell as an exact fraction; None where it is empty or the column is absent."""
    text = row.get(column, "").strip()
    return Fraction(text) if text else None


def exact(row: Record, column: str, default: Fraction = ZERO) -> Fraction:
    """The cell as an exact fraction, `default` where it is not given."""
    value = number(row, column)
    return default if value is None else value


def gridded(row: Record, column: str) -> Fraction:
    """A quantity or mass, cut down to the grid of a millionth of its unit."""
    return Fraction(math.floor(exact(row, column) * GRID), GRID)


def day(text: str) -> date | None:
    return date.fromisoformat(text.strip()) if text.strip() else None


def add_months(start: date, months: int) -> date:
    """The same day `months` later, or the last day of that month."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))


def read_table(path: Path) -> list[Record]:
    """The rows of a CSV file, UTF-8 (with or without BOM) or cp932; blank lines are left out."""
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp932")
    return list(csv.DictReader(io.StringIO(text, newline="")))


@dataclass(frozen=True)
class Terms:
    """One set of terms of an order: its own (`offer` is empty) or an offer's."""

    order: Record
    offer: str
    claim: str
    level: Fraction
    premium: Fraction


@dataclass
class PlainCase:
    """A case folder with its derived data. Keys are the texts of the tables."""

    settings: dict[str, Any]
    tables: dict[str, list[Record]]

    def keyed(self, table: str) -> dict[str, Record]:
        key = table.removesuffix("s")
        return {row[key]: row for row in self.tables[table]}

    @cached_property
    def sites(self) -> dict[str, Record]:
        return self.keyed("sites")

    @cached_property
    def products(self) -> dict[str, Record]:
        return self.keyed("products")

    @cached_property
    def periods(self) -> dict[str, tuple[date, date]]:
        return {
            row["period"]: (date.fromisoformat(row["start"]), date.fromisoformat(row["end"]))
            for row in self.tables["periods"]
        }

    @cached_property
    def overrides(self) -> dict[str, Any]:
        rules = self.settings["rules"]
        return {} if isinstance(rules, str) else dict(rules)

    @property
    def rule_model(self) -> str:
        rules = self.settings["rules"]
        return rules if isinstance(rules, str) else str(rules["id"])

    def area(self, site: str, reach: str) -> tuple[str, ...]:
        """The site, its accounting unit (inside its organisation) or its organisation."""
        row = self.sites[site]
        unit = (row.get("organisation", ""), row["unit"])
        return {"site": (*unit, site), "accounting_unit": unit, "organisation": unit[:1]}[reach]

    def same_boundary(self, lot: Record, product: Record) -> bool:
        kind = lot["kind"]
        reach = self.overrides.get(f"boundary_{kind}", BOUNDARY[self.rule_model][kind])
        return self.area(lot["site"], reach) == self.area(product["site"], reach)

    @cached_property
    def mean_metal(self) -> dict[tuple[str, ...], Fraction]:
        """Accounting unit -> mean conventional input metal, t CO2e per t, floored to 1e-6."""
        weights: dict[tuple[str, ...], Fraction] = {}
        sums: dict[tuple[str, ...], Fraction] = {}
        for row in self.tables["production"]:
            product = self.products[row["product"]]
            metal = number(product, "metal_tco2e_per_t")
            if metal is None:
                continue
            unit = self.area(product["site"], "accounting_unit")
            weight = gridded(row, "mass_t") / exact(product, "t_product_per_t_input", Fraction(1))
            weights[unit] = weights.get(unit, ZERO) + weight
            sums[unit] = sums.get(unit, ZERO) + weight * metal
        return {
            unit: Fraction(math.floor(sums[unit] / weight * GRID), GRID)
            for unit, weight in weights.items()
            if weight > 0
        }

    def displaced(self, lot: Record) -> Fraction | None:
        """D_l, t CO2e per unit of the lot."""
        given = number(lot, "displaced_tco2e_per_uom")
        if given is not None or lot["kind"] == "project":
            return given
        if lot["kind"] == "material":
            return self.mean_metal.get(self.area(lot["site"], "accounting_unit"))
        return number(self.sites[lot["site"]], CARRIERS[lot["uom"]][1])

    def reduction(self, lot: Record, product: Record) -> Fraction:
        """t CO2e by which a unit of the lot lowers the product; 0 where a part is not given."""
        if lot["kind"] == "project":
            return Fraction(1)
        if lot["kind"] == "material":
            of_product = number(product, "metal_tco2e_per_t")
        else:
            of_product = number(self.sites[product["site"]], CARRIERS[lot["uom"]][1])
        intensity, of_lot = number(lot, "intensity_tco2e_per_uom"), self.displaced(lot)
        if intensity is None or of_lot is None or of_product is None:
            return ZERO
        return max(ZERO, min(of_lot, of_product) - intensity)

    def scopes(self, lot: Record) -> tuple[int, ...]:
        if lot["kind"] == "material":
            return (3,)
        text = lot.get("scopes", "").strip()
        if text:
            return tuple(sorted({int(part) for part in text.split("+")}))
        return (2,) if lot["uom"] == "MWh" else (1,)

    def in_time(self, lot: Record, period: str) -> bool:
        start, end = self.periods[period]
        received = date.fromisoformat(lot["received"])
        available = day(lot.get("used", "")) or received
        expires = day(lot.get("expires", ""))
        months = self.overrides.get("expiry_months", "unlimited")
        if expires is None and months != "unlimited":
            expires = add_months(received, int(months))
        if self.overrides.get("carry_over") == "none" and available < start:
            return False
        return available <= end and (expires is None or end <= expires)

    @cached_property
    def max_share(self) -> dict[tuple[str, str], Fraction]:
        return {(row["alloy"], row["category"]): exact(row, "max_share") for row in self.tables["alloys"]}

    def may_serve(self, lot: Record, order: Record) -> bool:
        """Every rule of "may serve" except the order's claim, which only the equations know."""
        product = self.products[order["product"]]
        accepted = [s.strip() for s in order.get("schemes", "").split(";") if s.strip()]
        if accepted and lot.get("scheme", "").strip() not in accepted:
            return False
        if (lot.get("gas") or "GHG") == "GHG" and (product.get("gas") or "GHG") == "CO2":
            return False
        if lot["kind"] == "material" and (product["alloy"], lot["category"]) not in self.max_share:
            return False
        if lot["kind"] == "energy" and number(product, CARRIERS[lot["uom"]][0]) is None:
            return False
        return self.in_time(lot, order["period"]) and self.same_boundary(lot, product)

    @cached_property
    def composition(self) -> dict[tuple[str, str], Fraction]:
        return {(row["key"], row["element"]): exact(row, "wt_pct") for row in self.tables["composition"]}

    def lot_wt(self, lot: Record, element: str) -> Fraction | None:
        own = self.composition.get((lot["lot"], element))
        return own if own is not None else self.composition.get((lot["category"], element))

    def base_wt(self, alloy: str, element: str) -> Fraction:
        own = self.composition.get((f"base:{alloy}", element))
        return own if own is not None else self.composition.get(("base", element), ZERO)

    def terms(self) -> list[Terms]:
        offers: dict[str, list[Record]] = {}
        for row in self.tables["offers"]:
            offers.setdefault(row["order"], []).append(row)
        return [
            Terms(order, row.get("offer", ""), row["claim"], exact(row, "level"), exact(row, "premium_per_t"))
            for order in self.tables["orders"]
            for row in [order, *offers.get(order["order"], [])]
        ]


def read(folder: Path) -> PlainCase:
    """The case in `folder` (case.toml and CSV tables). The case must be valid: nothing is checked."""
    settings = tomllib.loads((folder / "case.toml").read_text(encoding="utf-8-sig"))
    tables = {name: read_table(folder / f"{name}.csv") for name in REQUIRED}
    for name in OPTIONAL:
        path = folder / f"{name}.csv"
        tables[name] = read_table(path) if path.exists() else []
    return PlainCase(settings, tables)


# --- the model ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Goal:
    """To be maximised. A firm goal's reported value is `total` - the claimed mass of its orders."""

    name: str
    priority: int | None
    coefficients: dict[int, Fraction]
    total: Fraction = ZERO

    def reported(self, value: float) -> float:
        return value if self.priority is None else float(self.total) - value


@dataclass
class Model:
    """Maximise goals in turn, s.t. every row's sum(coefficient * column) <= rhs, 0 <= column <= upper."""

    upper: list[Fraction] = field(default_factory=list)
    binary: set[int] = field(default_factory=set)
    rows: list[tuple[str, dict[int, Fraction], Fraction]] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)

    def column(self, upper: Fraction, *, binary: bool = False) -> int:
        self.upper.append(upper)
        if binary:
            self.binary.add(len(self.upper) - 1)
        return len(self.upper) - 1

    def at_most(self, label: str, terms: dict[int, Fraction], rhs: Fraction = ZERO) -> None:
        kept = {column: value for column, value in terms.items() if value}
        if kept:
            self.rows.append((label, kept, rhs))


@dataclass(frozen=True)
class Use:
    """Variables of one lot on one set of terms: `parts` holds one column per scope of its reduction."""

    lot: Record
    parts: dict[int, int]
    reduction: Fraction
    credited: Fraction  # t of product per unit of the lot


class _Builder:
    def __init__(self, case: PlainCase) -> None:
        self.case, self.model = case, Model()
        self.uses_of_lot: dict[str, list[int]] = {row["lot"]: [] for row in case.tables["lots"]}
        self.mass_of: list[tuple[Terms, int]] = []

    def build(self) -> Model:
        for terms in self.case.terms():
            self.add_terms(terms)
        self.add_supply()
        self.add_integers()
        self.add_goals()
        return self.model

    def add_terms(self, terms: Terms) -> None:
        case, model = self.case, self.model
        product = case.products[terms.order["product"]]
        y = model.column(gridded(terms.order, "mass_t"))
        self.mass_of.append((terms, y))
        uses = []
        for lot in case.tables["lots"]:
            if case.may_serve(lot, terms.order):
                parts = {s: model.column(gridded(lot, "quantity")) for s in case.scopes(lot)}
                credited = exact(product, "t_product_per_t_input", Fraction(1))
                uses.append(
                    Use(
                        lot,
                        parts,
                        case.reduction(lot, product),
                        credited if lot["kind"] == "material" else ZERO,
                    )
                )
                self.uses_of_lot[lot["lot"]] += parts.values()
        name = f"{terms.order['order']}/{terms.offer}"
        self.add_claim(name, terms, product, uses, y)
        self.add_material_caps(name, product, [u for u in uses if u.lot["kind"] == "material"], y)
        for uom, (per_t, _) in CARRIERS.items():
            carrier = {
                c: Fraction(1)
                for u in uses
                if u.lot["kind"] == "energy" and u.lot["uom"] == uom
                for c in u.parts.values()
            }
            if carrier:
                model.at_most(f"energy[{name},{uom}]", carrier | {y: -exact(product, per_t)})
        for scope in (1, 2, 3):
            reduced = {u.parts[scope]: u.reduction for u in uses if scope in u.parts and u.reduction}
            if reduced:
                model.at_most(f"scope[{name},{scope}]", reduced | {y: -exact(product, f"s{scope}")})

    def add_claim(self, name: str, terms: Terms, product: Record, uses: list[Use], y: int) -> None:
        need, given = terms.level, {}
        for use in uses:
            if terms.claim in GHG_CLAIMS:
                worth = use.reduction
            else:
                worth = use.credited * sum((exact(use.lot, c) for c in SHARES[terms.claim]), ZERO)
            given.update(dict.fromkeys(use.parts.values(), -worth))
        if terms.claim == "cfp":
            need = max(ZERO, sum((exact(product, s) for s in ("s1", "s2", "s3")), ZERO) - terms.level)
        self.model.at_most(f"claim[{name}]", given | {y: need})

    def add_material_caps(self, name: str, product: Record, uses: list[Use], y: int) -> None:
        case, model, alloy = self.case, self.model, product["alloy"]
        if not uses:
            return
        model.at_most(f"mass[{name}]", {u.parts[3]: u.credited for u in uses} | {y: Fraction(-1)})
        for category in sorted({u.lot["category"] for u in uses}):
            model.at_most(
                f"category[{name},{category}]",
                {u.parts[3]: u.credited for u in uses if u.lot["category"] == category}
                | {y: -case.max_share[alloy, category]},
            )
        for limit in case.tables["alloy_limits"]:
            most, element = number(limit, "max_wt_pct"), limit["element"]
            if limit["alloy"] != alloy or most is None:
                continue
            base = case.base_wt(alloy, element)
            melt = {
                u.parts[3]: (wt - base) * u.credited
                for u in uses
                if (wt := case.lot_wt(u.lot, element)) is not None
            }
            model.at_most(f"element[{name},{element}]", melt | {y: base - most})

    def add_supply(self) -> None:
        origins: dict[str, dict[int, Fraction]] = {}
        for lot in self.case.tables["lots"]:
            quantity = gridded(lot, "quantity")
            used = {c: Fraction(1) for c in self.uses_of_lot[lot["lot"]]}
            self.model.at_most(f"supply[{lot['lot']}]", used, quantity)
            if lot.get("origin", "").strip() and quantity > 0:
                origins.setdefault(lot["origin"].strip(), {}).update(dict.fromkeys(used, 1 / quantity))
        for origin, used in sorted(origins.items()):
            self.model.at_most(f"origin[{origin}]", used, Fraction(1))

    def add_integers(self) -> None:
        """whole and min_fill by a binary per terms; several terms: one at most is taken."""
        by_order: dict[str, list[int]] = {}
        for terms, y in self.mass_of:
            by_order.setdefault(terms.order["order"], []).append(y)
        taken: dict[str, dict[int, Fraction]] = {}
        for terms, y in self.mass_of:
            order, model = terms.order, self.model
            least = Fraction(1) if is_true(order, "whole") else exact(order, "min_fill")
            if not least and len(by_order[order["order"]]) == 1:
                continue
            z, mass = model.column(Fraction(1), binary=True), model.upper[y]
            taken.setdefault(order["order"], {})[z] = Fraction(1)
            model.at_most(f"fill_most[{order['order']}/{terms.offer}]", {y: Fraction(1), z: -mass})
            model.at_most(f"fill_least[{order['order']}/{terms.offer}]", {z: least * mass, y: Fraction(-1)})
        for name, binaries in taken.items():
            if len(binaries) > 1:
                self.model.at_most(f"one_offer[{name}]", binaries, Fraction(1))

    def add_goals(self) -> None:
        firm: dict[int, dict[int, Fraction]] = {}
        totals: dict[int, Fraction] = {}
        for terms, y in self.mass_of:
            if is_true(terms.order, "firm"):
                priority = int(terms.order.get("priority", "").strip() or 1)
                firm.setdefault(priority, {})[y] = Fraction(1)
                if not terms.offer:
                    totals[priority] = totals.get(priority, ZERO) + self.model.upper[y]
        margin = {y: terms.premium for terms, y in self.mass_of}
        for lot in self.case.tables["lots"]:
            margin |= {c: -exact(lot, "unit_cost") for c in self.uses_of_lot[lot["lot"]]}
        groups = {
            "firm_shortfall": [Goal("firm_shortfall_t", p, firm[p], totals[p]) for p in sorted(firm)],
            "margin": [Goal("margin", None, margin)],
        }
        order = self.case.settings.get("objective", {}).get("order", ["firm_shortfall", "margin"])
        self.model.goals = [goal for word in order for goal in groups[word]]


def is_true(row: Record, column: str) -> bool:
    return row.get(column, "").strip().lower() == "true"


def build(case: PlainCase) -> Model:
    """The plain model: lexicographic goals to be maximised over exact rows."""
    return _Builder(case).build()


def is_mip(case: PlainCase) -> bool:
    """An order that is whole, a min_fill above 0, or any offer."""
    return bool(case.tables["offers"]) or any(
        is_true(row, "whole") or exact(row, "min_fill") > 0 for row in case.tables["orders"]
    )


def solve_case(folder: Path) -> dict[str, Any]:
    """{"case", "mip", "objectives"} of the case in `folder`; RuntimeError where no optimum is proven."""
    from plain_solver import solve

    case = read(folder)
    model = build(case)
    values = solve(model)
    objectives = [
        {"name": goal.name, "priority": goal.priority, "value": goal.reported(value)}
        for goal, value in zip(model.goals, values, strict=True)
    ]
    return {"case": str(folder), "mip": is_mip(case), "objectives": objectives}


def main(folders: Iterable[str]) -> int:
    for folder in folders:
        print(json.dumps(solve_case(Path(folder))), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
