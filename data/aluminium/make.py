"""Writes the example case in this folder: `python data/aluminium/make.py [--check]`.

The figures are in `figures.py`, their sources in `../README.md` [S…], the estimates in `README.md` [E…];
this script only turns them into tables.
It uses the standard library alone and a fixed seed, and takes nothing from the clock or the machine, so every
run writes the same bytes; `--check` writes nothing and ends with 1 if the files in the folder differ.
"""

from __future__ import annotations

import csv
import io
import math
import random
import sys
from calendar import monthrange
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import TypeVar

import figures as fig

SEED = 20260401
HERE = Path(__file__).resolve().parent
Row = dict[str, str]
Rows = list[Row]
T = TypeVar("T")


class Dice:
    """Draws built on `random.Random.random` alone, whose sequence Python guarantees for a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def between(self, low: float, high: float) -> float:
        """A number from low to high."""
        return low + (high - low) * self._random.random()

    def whole(self, low: int, high: int) -> int:
        """An integer from low to high, both included."""
        return low + int(self._random.random() * (high - low + 1))

    def pick(self, items: tuple[T, ...]) -> T:
        """One of the items, all alike."""
        return items[self.whole(0, len(items) - 1)]

    def weighted(self, weights: Mapping[str, float]) -> str:
        """One of the words, as often as its weight says."""
        at = self.between(0, sum(weights.values()))
        for word, weight in weights.items():
            at -= weight
            if at < 0:
                return word
        return next(iter(weights))

    def chance(self, share: float) -> bool:
        """True in this share of the calls."""
        return self._random.random() < share


def cells(**row: str) -> Row:
    """A row, or a part of one."""
    return row


def num(value: float | None, decimals: int = 6) -> str:
    """Plain decimal text without trailing zeros; empty for None."""
    if value is None:
        return ""
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def month_end(year: int, month: int) -> date:
    """Last day of a month; months beyond 12 run into the next years."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    return date(year, month, monthrange(year, month)[1])


# --- products ---------------------------------------------------------------------------------


def metal(product: fig.Product) -> float:
    """Conventional input metal, t CO2e per t: imported primary and recycled ingot by share."""
    return round(fig.PRIMARY_IMPORT * (1 - product.recycled) + fig.REMELT * product.recycled, 2)


def scopes(product: fig.Product) -> tuple[float, float, float]:
    """s1 = heat x gas factor, s2 = electricity x grid factor, s3 = metal / rate + others; t CO2e per t."""
    return (
        round(product.heat * fig.CITY_GAS, 4),
        round(product.elec * fig.ELECTRICITY, 4),
        round(metal(product) / product.rate + fig.OTHER_S3, 3),
    )


def products() -> Rows:
    """Products with a measured intensity that has the improvements in it."""
    rows = []
    for i, p in enumerate(fig.PRODUCTS):
        s1, s2, s3 = scopes(p)
        verified, sourced = p.product != "LI-1050", p.product != "PC-5052"  # gaps on purpose: A3.3, A3.2
        rows.append({
            "product": p.product, "name": p.name, "alloy": p.alloy, "site": p.site,
            "s1": num(s1), "s2": num(s2), "s3": num(s3),
            "metal_tco2e_per_t": num(metal(p)), "t_product_per_t_input": num(p.rate),
            "electricity_mwh_per_t": num(p.elec), "heat_gj_per_t": num(p.heat),
            "measured_tco2e_per_t": num(s1 + s2 + s3 - p.below, 3) if p.below else "",
            "verified_by": "Tessera Assurance (invented)" if verified else "",
            "verified_on": f"2025-{7 + i % 3:02d}-{10 + i:02d}" if verified else "",
            "source": "data/aluminium/README.md, E1" if sourced else "",
            "data_year": "2024", "gas": p.gas,
        })  # fmt: skip
    return rows


def production(dice: Dice) -> Rows:
    """What is shipped, ordered with a claim or not."""
    season = (0.97, 0.94, 1.02, 1.06, 0.90, 1.01)  # shorter May and August
    rows = []
    for p in fig.PRODUCTS:
        for share, (period, _, _) in zip(season, fig.PERIODS, strict=True):
            mass = p.plan * share * dice.between(0.95, 1.05)
            rows.append(cells(product=p.product, period=period, mass_t=num(mass, 1)))
    return rows


# --- lots -------------------------------------------------------------------------------------


def lot(name: str, kind: str, category: str, site: str, quantity: float, uom: str, **more: str) -> Row:
    """A row of `lots`; everything not named stays empty."""
    known = cells(lot=name, kind=kind, category=category, site=site, quantity=num(quantity, 3), uom=uom)
    return {**dict.fromkeys(LOT_COLUMNS, ""), **known, **more}


LOT_COLUMNS = (
    "lot", "kind", "category", "site", "received", "used", "expires", "quantity", "uom",
    "intensity_tco2e_per_uom", "displaced_tco2e_per_uom", "green_share", "recycled_pre", "recycled_post",
    "scopes", "scheme", "certificate", "evidence", "project", "origin", "unit_cost", "gas",
)  # fmt: skip


def family_lots(family: fig.Family, dice: Dice) -> Rows:
    """The lots of a family: received from February to August, spread evenly, each with its own quantity."""
    rows = []
    for i in range(family.lots):
        month = 2 + i * 7 // family.lots
        received = date(2026, month, dice.whole(3, 20))
        drift = round(dice.between(-abs(family.drift), max(family.drift, 0)), 2)
        name, material = f"{family.prefix}{i + 1:02d}", family.uom == "t"
        quantity = round(dice.between(family.low, family.high), 3 if material else 1)
        used = received + timedelta(days=dice.whole(2, 8)) if material else received
        green, pre, post = (num(v) if material else "" for v in (family.green, family.pre, family.post))
        certificate = f"HK-{family.prefix.replace('-', '')}-{dice.whole(10000, 99999)}"
        note = f"delivery note {dice.whole(100000, 999999)}" if material else ""
        row = lot(
            name, "material" if material else "energy", family.category, family.site, quantity, family.uom,
            received=received.isoformat(), used=used.isoformat(), certificate=certificate,
            expires=month_end(2026, month + family.valid - 1).isoformat(),
            intensity_tco2e_per_uom=num(family.intensity + drift),
            green_share=green, recycled_pre=pre, recycled_post=post,
            scheme=family.schemes[i % len(family.schemes)], unit_cost=num(family.cost) if family.cost else "",
            evidence=note if material else f"statement 2026-{month:02d}",
            gas="CO2" if family.category == "green_power" else "GHG",
        )  # fmt: skip
        rows.append(row)
    return rows


def project_lots() -> Rows:
    """Two computations of each project: the half-year before, and the first quarter of the case."""
    rows = []
    for p in fig.PROJECTS:
        for i, (months, received) in enumerate(((6, "2026-05-18"), (3, "2026-08-05"))):
            short = p.project == "DRIVES" and i == 0  # an early expiry, so that the window binds
            name, number = p.project, i + 1
            row = lot(
                f"PRJ-{name}-{number}", "project", "project", p.site, p.monthly * months, "tCO2e",
                received=received, expires="2026-06-30" if short else "2027-03-31", scopes=p.scopes,
                scheme="iso14064", certificate=f"HK-PRJ-{name}-{number}", project=name, gas=p.gas,
                evidence=f"verification report {name} {number}",
            )  # fmt: skip
            rows.append(row)
    return rows


def special_lots(by_name: Mapping[str, Row]) -> Rows:
    """Lots that show one rule each; see README.md."""
    cut_off = cells(lot="CAN-R01-CUTOFF", scheme="epd", certificate="HK-CANR-EPD-1",
                   intensity_tco2e_per_uom="0.3")  # fmt: skip
    co2_only = cells(lot="HY-R03-CO2", scheme="epd", certificate="HK-HYR-CO2-3", gas="CO2",
                    intensity_tco2e_per_uom="3.4")  # fmt: skip
    return [
        {**by_name["CAN-R01"], **cut_off},  # the same scrap by the cut-off method [S1]
        {**by_name["HY-R03"], **co2_only},  # the same metal, CO2 only [E3]
        lot("SHR-R01", "material", "scrap_shredded", "TOKIWA", 150, "t", received="2026-03-12",
            used="2026-03-20", expires="2026-09-30", intensity_tco2e_per_uom="0.5", green_share="0",
            recycled_pre="0", recycled_post="1", scheme="rcs", certificate="HK-SHR-1",
            evidence="delivery note 100001", gas="GHG"),
        lot("HY-OLD", "material", "primary_hydro", "TOKIWA", 40, "t", received="2025-09-15",
            used="2025-09-22", expires="2026-03-31", intensity_tco2e_per_uom="3.9", green_share="1",
            recycled_pre="0", recycled_post="0", scheme="asi_coc", certificate="HK-HYR-2025",
            evidence="delivery note 100002", gas="GHG"),
        lot("PWR-NEXT", "energy", "green_power", "TOKIWA", 700, "MWh", received="2026-10-05",
            used="2026-10-05", expires="2027-03-31", intensity_tco2e_per_uom="0", scheme="nfc_tracked",
            certificate="HK-PWR-NEXT", evidence="statement 2026-10", gas="CO2"),
    ]  # fmt: skip


def lots(dice: Dice) -> Rows:
    """All lots, with their origins and their gaps."""
    rows = [row for family in fig.FAMILIES for row in family_lots(family, dice)] + project_lots()
    by_name = {row["lot"]: row for row in rows}
    for name in ("CAN-R01", "HY-R03"):
        by_name[name]["origin"] = f"metal of {name}"  # measured once more in special_lots
    for name in ("GAS-R02", "PRJ-FUEL-1"):  # as energy, and as a project's effect (A4.2.3)
        by_name[name]["origin"] = "biomethane of project FUEL"
    by_name["UBC-R02"]["quantity"] = "460"  # more than April's orders may take by category: a part expires
    by_name["PWR-R02"]["displaced_tco2e_per_uom"] = "0.38"  # a supplier's own factor, below the mean [E3]
    by_name["UBC-R03"].update(recycled_post="0.93", recycled_pre="0.07")
    for name in ("HY-R07", "PWR-E02"):
        by_name[name]["expires"] = ""  # gaps on purpose: A5.1.3B
    by_name["SO-R02"].update(scheme="", certificate="", evidence="")  # gaps on purpose: A5.1.2B
    by_name["POL-E03"]["used"] = ""  # a gap on purpose: A5.1.2A
    return rows + special_lots(by_name)


def projects() -> Rows:
    """Two computations of each project; a project lot points to its project."""
    rows = []
    for p in fig.PROJECTS:
        for i, (start, end, on) in enumerate(
            (("2025-10-01", "2026-03-31", "2026-05-15"), ("2026-04-01", "2026-06-30", "2026-07-31"))
        ):
            known = not (p.project == "HEATPUMP" and i == 1)  # a gap on purpose: A5.2.2B
            row = cells(
                project=p.project, computation_start=start, computation_end=end, name=p.name, start=p.start,
                scopes=p.scopes, additional="true", baseline_method=p.baseline,
                verified_by="Tessera Assurance (invented)" if known else "", verified_on=on if known else "",
            )  # fmt: skip
            rows.append(row)
    return rows


# --- orders -----------------------------------------------------------------------------------

ORDERS = 400


def levels(product: fig.Product, claim: str) -> tuple[float, ...]:
    """Levels that are asked of a product, in rising order of what they need; empty: never asked."""
    baseline = sum(scopes(product))
    if product.product == "PL-6061" and claim in ("recycled_share", "post_consumer_share"):
        return ()  # the rolling unit holds no scrap that 6061 may take
    if product.gas == "CO2":
        deep = fig.CO2_ONLY_LEVELS
        return {"reduction": deep, "cfp": tuple(round(baseline - d, 2) for d in deep)}.get(claim, ())
    return {
        "cfp": tuple(round(baseline * part, 1) for part in fig.CFP_PARTS),
        "reduction": fig.REDUCTION_LEVELS,
        "green_share": fig.GREEN_LEVELS,
        "recycled_share": fig.RECYCLED_LEVELS[product.alloy],
        "post_consumer_share": fig.POST_LEVELS.get(product.alloy, ()),
    }[claim]


def premium(product: fig.Product, claim: str, level: float, factor: float) -> float:
    """List price in USD per t, a tenth more for the deepest level, times the contract's factor."""
    if claim == "cfp":
        price = fig.USD_PER_TCO2E * (sum(scopes(product)) - level)
    elif claim == "reduction":
        price = fig.USD_PER_TCO2E * level
    else:
        price = fig.USD_PER_SHARE[claim] * level
    deep = 1.1 if level == levels(product, claim)[-1] else 1.0
    return max(0.5, round(price * deep * factor * 2) / 2)


def accepted(claim: str, dice: Dice) -> str:
    """Schemes that an order accepts: one in six names some, the others take all."""
    if not dice.chance(1 / 6):
        return ""
    if claim in ("cfp", "reduction"):
        return dice.pick(("asi_coc;epd", "asi_coc;nfc_tracked;iso14064", "epd;nfc_tracked;gas_cert;iso14064"))
    if claim == "green_share":
        return dice.pick(("asi_coc", "epd"))
    return dice.pick(("asi_coc", "rcs", "asi_coc;rcs"))


def order_row(number: int, product: fig.Product, period: str, mass: float, claim: str, dice: Dice) -> Row:
    """One order at a level, price and schemes drawn for it; not firm, whole or with a minimum fill yet."""
    level = dice.pick(levels(product, claim))
    return dict(
        order=f"A-{number:04d}", customer=dice.pick(tuple(CUSTOMER_OF[product.sector])),
        product=product.product, period=period, mass_t=num(mass, 3), claim=claim, level=num(level),
        premium_per_t=num(premium(product, claim, level, dice.between(0.85, 1.2))),
        priority="", firm="", whole="", min_fill="", schemes=accepted(claim, dice),
    )  # fmt: skip


CUSTOMER_OF: dict[str, list[str]] = {}
for _sector, _names in fig.CUSTOMERS.items():
    CUSTOMER_OF[_sector] = [f"C-{_sector[:3].upper()}{i + 1:02d}" for i in range(len(_names))]


def orders(dice: Dice, produced: Rows) -> Rows:
    """400 orders; of a product and period, at most 0.6 of the production is ordered with a claim."""
    left = {(r["product"], r["period"]): 0.6 * float(r["mass_t"]) for r in produced}
    by_name = {p.product: p for p in fig.PRODUCTS}
    weights = {p.product: math.sqrt(p.plan) for p in fig.PRODUCTS}
    rows: Rows = []
    while len(rows) < ORDERS:
        product = by_name[dice.weighted(weights)]
        period = dice.pick(fig.PERIODS)[0]
        claim = dice.weighted(fig.CLAIMS[product.sector])
        claim = claim if levels(product, claim) else "reduction"
        mass = round(dice.between(0.6, 3.6) * math.sqrt(product.plan) * 2) / 2
        if mass > left[product.product, period]:
            continue
        left[product.product, period] -= mass
        rows.append(order_row(len(rows) + 1, product, period, mass, claim, dice))
    mark(rows, by_name)
    return rows


def mark(rows: Rows, by_name: Mapping[str, fig.Product]) -> None:
    """Firm orders with priorities 1 to 3, whole orders, minimum fills, and two orders with a warning each."""
    for i, row in enumerate(rows):
        if i % 16 == 5:
            row.update(firm="true", priority=str(1 + i // 16 % 3))
        elif i % 32 == 9:
            row.update(whole="true")
        elif i % 64 == 30:
            row.update(min_fill=("0.3", "0.5", "0.6")[i // 64 % 3])
    cans = by_name["CB-3104"]
    price = num(premium(cans, "post_consumer_share", 0.7, 1))
    asked = cells(claim="post_consumer_share", level="0.7", premium_per_t=price, schemes="asi_coc")
    early = [r for r in rows if (r["product"], r["period"], r["whole"]) == ("CB-3104", "2026-04", "")][:4]
    for row, priority in zip(early, "1233", strict=True):  # more certified cans than there are by April
        row.update(**asked, firm="true", priority=priority, min_fill="")
    free = [r for r in rows if not r["firm"]]
    above = next(r for r in free if (r["product"], r["claim"]) == ("SH-5052", "cfp"))
    above["level"] = num(round(sum(scopes(by_name["SH-5052"])) + 0.2, 1))  # at or above the baseline
    beyond = next(r for r in free if (r["product"], r["claim"]) == ("PC-5052", "recycled_share"))
    beyond["level"] = "0.6"  # more than the categories of 5052 allow


def offers(dice: Dice, asked: Rows) -> Rows:
    """Alternatives of eight orders: the next lower level, or a reduction of 1 t CO2e per t."""
    by_name = {p.product: p for p in fig.PRODUCTS}
    rows: Rows = []
    for i, row in enumerate(asked[21::50]):
        product, claim, limit = by_name[row["product"]], row["claim"], 0.8 * float(row["premium_per_t"])
        lower = [v for v in levels(product, claim) if premium(product, claim, v, 1) < limit]
        kinds = [(claim, lower[-1])] if lower else []
        if product.gas == "GHG" and (i % 4 == 0 or not kinds) and (claim, 1) not in kinds:
            kinds.append(("reduction", 1.0))
        for name, (other, level) in zip("AB", kinds or [("reduction", 0.4)], strict=False):
            price = num(premium(product, other, level, dice.between(0.9, 1.1)))
            terms = cells(claim=other, level=num(level), premium_per_t=price)
            rows.append({"order": row["order"], "offer": name, **terms})
    return rows


# --- the small tables ----------------------------------------------------------------------------


def sites() -> Rows:
    """Sites and their conventional energy."""
    factors = dict(electricity_tco2e_per_mwh=num(fig.ELECTRICITY), heat_tco2e_per_gj=num(fig.CITY_GAS))
    return [
        cells(site=s.site, unit=s.unit, **factors, organisation="Hoshikage Aluminium", relation=s.relation,
             scope_statement=s.scope_statement)
        for s in fig.SITES
    ]  # fmt: skip


def alloys() -> Rows:
    """Which category each alloy may be made of, and up to which share."""
    return [
        {"alloy": alloy, "category": category, "max_share": num(share)}
        for alloy, shares in fig.FEASIBLE.items()
        for category, share in shares.items()
    ]


def composition() -> Rows:
    """Composition by category, base metal, and two lots of high-purity primary."""
    rows = [
        {"key": key, "element": element, "wt_pct": num(value)}
        for key, values in fig.COMPOSITION.items()
        for element, value in zip(fig.ELEMENTS, values, strict=True)
    ]
    low = [(name, e, w) for name in ("HY-E02", "HY-R05") for e, w in fig.LOW_IRON]
    return rows + [{"key": name, "element": e, "wt_pct": num(w)} for name, e, w in low]


def alloy_limits() -> Rows:
    """Registered limits of each alloy."""
    return [
        {"alloy": alloy, "element": element, "max_wt_pct": num(high), "min_wt_pct": num(low)}
        for alloy, limits in fig.ALLOY_LIMITS.items()
        for element, (low, high) in limits.items()
    ]


def customers() -> Rows:
    """Invented customers, two of them without an address."""
    rows: Rows = []
    for sector, names in fig.CUSTOMERS.items():
        for key, name in zip(CUSTOMER_OF[sector], names, strict=True):
            number = len(rows) + 1
            known = number not in (17, 41)  # gaps on purpose: A6.1
            address, contact = f"{number} Example Street", f"buyer{number:02d}@example.com"
            rows.append(cells(customer=key, name=name, address=address if known else "", contact=contact))
    return rows


def table_text(rows: Iterable[Row]) -> str:
    """CSV as it is committed: UTF-8, line feeds, header."""
    rows = list(rows)
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def files() -> dict[str, str]:
    """Name -> text of every file of the case."""
    dice = Dice(SEED)
    produced, held = production(dice), lots(dice)
    asked = orders(dice, produced)
    tables = {
        "periods": [dict(zip(("period", "start", "end"), p, strict=True)) for p in fig.PERIODS],
        "sites": sites(), "lots": held, "alloys": alloys(), "composition": composition(),
        "alloy_limits": alloy_limits(), "products": products(), "production": produced, "orders": asked,
        "offers": offers(dice, asked), "projects": projects(), "customers": customers(),
    }  # fmt: skip
    return {"case.toml": fig.SETTINGS, **{f"{name}.csv": table_text(rows) for name, rows in tables.items()}}


def main(arguments: list[str]) -> int:
    """Write the files, or compare them; the exit code."""
    differ = 0
    for name, text in files().items():
        path, data = HERE / name, text.encode("utf-8")
        if "--check" in arguments:
            if not path.exists() or path.read_bytes() != data:
                print(f"{name} differs from what make.py writes", file=sys.stderr)
                differ = 1
        else:
            path.write_bytes(data)
    return differ


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
