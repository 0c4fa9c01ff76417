"""Seeded large cases, as folders that `massbalance run` reads.

    python benchmarks/generate.py DIR --orders 5000 --lots 100 --periods 12 --pools 20 --seed 1

A maker of two works and 40 products in 10 alloys buys low-carbon metal, scrap and green energy and runs
two projects. Premiums come from a price list by claim, level and customer class, as sales offices keep
one. Credits cover about 45 % of what the orders ask for, and 15 % of the orders are firm, in three
priorities. No order is whole, has a least share or offers: every goal is a linear programme.

Hard cases, with the options below: `--premiums own` (no two orders at one price), `--intensities own` (no
two lots alike), `--whole-share 0.1` (all or nothing), `--all-features` (whole orders, minimum fills, offers,
shared origins, several schemes, several scopes, CO2-only products, given displaced values).

The same arguments give the same case; an option leaves what it does not concern as it was. All figures are
invented; alloy limits are those of the usual wrought and casting alloys.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

SITES = ("north", "south")
FIRST_MONTH = "2026-04"
COVERED = 0.45
"""Credits as a share of what the orders ask for."""
FIRM = 0.15
PRODUCTS = 40
CUSTOMERS = 200

# alloy: largest wt % of Si, Fe, Cu
ALLOYS = {
    "1050": (0.25, 0.40, 0.05),
    "1100": (0.60, 0.60, 0.20),
    "3003": (0.60, 0.70, 0.20),
    "3004": (0.30, 0.70, 0.25),
    "3104": (0.60, 0.80, 0.25),
    "5052": (0.25, 0.40, 0.10),
    "5083": (0.40, 0.40, 0.10),
    "6061": (0.80, 0.70, 0.40),
    "6063": (0.60, 0.35, 0.10),
    "ADC12": (12.0, 1.30, 3.50),
}
ELEMENTS = ("Si", "Fe", "Cu")
COMPOSITION = {
    "base": (0.08, 0.15, 0.01),
    "low_carbon_primary": (0.06, 0.12, 0.01),
    "process_scrap": (0.20, 0.30, 0.04),
    "post_consumer_scrap": (0.45, 0.50, 0.08),
}
MAX_SHARE = {"low_carbon_primary": 1.0, "process_scrap": 0.9, "post_consumer_scrap": 0.6}

# claim, level, premium per t for a customer of the middle class, how often it is asked for
PRICE_LIST = (
    ("green_share", 0.3, 18.0, 0.14),
    ("green_share", 0.5, 29.0, 0.12),
    ("green_share", 1.0, 56.0, 0.10),
    ("recycled_share", 0.5, 14.0, 0.12),
    ("recycled_share", 0.75, 20.0, 0.06),
    ("post_consumer_share", 0.25, 16.0, 0.10),
    ("cfp", 8.0, 32.0, 0.12),
    ("cfp", 6.0, 47.0, 0.08),
    ("reduction", 2.0, 13.0, 0.10),
    ("reduction", 4.0, 27.0, 0.06),
)
CLASSES = (0.85, 1.0, 1.2)


@dataclass(frozen=True)
class Size:
    """How large a case is, and how hard; pools: groups of lots alike in all but quantity and window."""

    orders: int
    lots: int
    periods: int
    pools: int
    seed: int
    premiums: str = "list"
    intensities: str = "pool"
    whole_share: float = 0.0
    all_features: bool = False

    @property
    def words(self) -> str:
        """The options that make it hard, in words; empty without any."""
        given = (
            ("own premiums", self.premiums == "own"),
            ("own intensities", self.intensities == "own"),
            (f"{self.whole_share:g} whole", self.whole_share > 0),
            ("all features", self.all_features),
        )
        return ", ".join(words for words, said in given if said)


def periods_table(count: int) -> pd.DataFrame:
    """Calendar months without gaps."""
    months = np.datetime64(FIRST_MONTH, "M") + np.arange(count + 1)
    start = months.astype("datetime64[D]")
    return pd.DataFrame(
        {
            "period": months[:-1].astype(str),
            "start": start[:-1].astype(str),
            "end": (start[1:] - np.timedelta64(1, "D")).astype(str),
        }
    )


def fixed_tables() -> dict[str, pd.DataFrame]:
    """Tables that do not depend on the size."""
    works = pd.DataFrame(
        {
            "site": SITES,
            "unit": SITES,
            "electricity_tco2e_per_mwh": [0.45, 0.42],
            "heat_tco2e_per_gj": [0.068, 0.066],
        }
    )
    shares = [(alloy, category, share) for alloy in ALLOYS for category, share in MAX_SHARE.items()]
    limits = [(a, e, w) for a, tops in ALLOYS.items() for e, w in zip(ELEMENTS, tops, strict=True)]
    metals = [(k, e, w) for k, wts in COMPOSITION.items() for e, w in zip(ELEMENTS, wts, strict=True)]
    projects = pd.DataFrame(
        {
            "project": ["burners", "furnace"],
            "computation_start": "2025-04-01",
            "computation_end": "2026-03-31",
            "name": ["regenerative burners", "electric holding furnace"],
            "start": ["2024-04-01", "2023-10-01"],
            "scopes": ["1", "1+2"],
            "additional": True,
            "baseline_method": "measured before and after (ISO 14064-1)",
            "verified_by": "Example Assurance",
            "verified_on": "2026-04-01",
        }
    )
    return {
        "sites": works,
        "alloys": pd.DataFrame(shares, columns=["alloy", "category", "max_share"]),
        "alloy_limits": pd.DataFrame(limits, columns=["alloy", "element", "max_wt_pct"]),
        "composition": pd.DataFrame(metals, columns=["key", "element", "wt_pct"]),
        "projects": projects,
        "customers": customers_table(),
    }


def customers_table() -> pd.DataFrame:
    """Who orders."""
    at = np.arange(CUSTOMERS)
    return pd.DataFrame(
        {
            "customer": [f"C{i:03d}" for i in at],
            "name": [f"Customer {i}" for i in at],
            "address": "1 Example Street",
            "contact": "purchasing",
        }
    )


def products_table(random: np.random.Generator) -> pd.DataFrame:
    """40 products; intensities in t CO2e per t, improvements excluded."""
    metal = np.round(random.uniform(13.0, 15.1, PRODUCTS), 2)
    return pd.DataFrame(
        {
            "product": [f"P{i:02d}" for i in range(PRODUCTS)],
            "name": [f"Product {i}" for i in range(PRODUCTS)],
            "alloy": [list(ALLOYS)[i % len(ALLOYS)] for i in range(PRODUCTS)],
            "site": [SITES[i // len(ALLOYS) % 2] for i in range(PRODUCTS)],
            "s1": np.round(random.uniform(0.3, 0.7, PRODUCTS), 3),
            "s2": np.round(random.uniform(0.4, 0.9, PRODUCTS), 3),
            "s3": np.round(0.8 * metal, 3),
            "metal_tco2e_per_t": metal,
            "t_product_per_t_input": np.round(random.uniform(0.94, 0.99, PRODUCTS), 3),
            "electricity_mwh_per_t": np.round(random.uniform(0.8, 1.6, PRODUCTS), 2),
            "heat_gj_per_t": np.round(random.uniform(2.0, 5.0, PRODUCTS), 2),
            "verified_by": "Example Assurance",
            "verified_on": "2026-03-01",
            "source": "plant data",
            "data_year": 2025,
        }
    )


def orders_table(random: np.random.Generator, size: Size, period: np.ndarray) -> pd.DataFrame:
    """Orders from the price list; masses in t, to the kilogram."""
    n = size.orders
    popularity = 1.0 / np.arange(1, PRODUCTS + 1) ** 0.6
    claim, level, premium, asked = (np.array(c) for c in zip(*PRICE_LIST, strict=True))
    offer = random.choice(len(PRICE_LIST), n, p=asked / asked.sum())
    customer = random.integers(0, CUSTOMERS, n)
    prices = np.round(2 * np.outer(premium, CLASSES)) / 2
    firm = random.random(n) < FIRM
    return pd.DataFrame(
        {
            "order": [f"O{i:07d}" for i in range(n)],
            "customer": np.array([f"C{i:03d}" for i in range(CUSTOMERS)], dtype=object)[customer],
            "product": np.array([f"P{i:02d}" for i in range(PRODUCTS)], dtype=object)[
                random.choice(PRODUCTS, n, p=popularity / popularity.sum())
            ],
            "period": period[random.integers(0, len(period), n)],
            "mass_t": np.round(np.clip(random.lognormal(3.5, 0.8, n), 2.0, 500.0), 3),
            "claim": claim[offer].astype(object),
            "level": level[offer],
            "premium_per_t": prices[offer, customer % len(CLASSES)],
            "priority": np.where(firm, random.integers(1, 4, n), 1),
            "firm": firm,
            "schemes": np.where(customer % 10 == 0, "ASI", "").astype(object),
        }
    )


def production_table(orders: pd.DataFrame, products: pd.DataFrame, period: np.ndarray) -> pd.DataFrame:
    """All that is shipped, t: what is ordered and as much again half, at least 100 t a month."""
    ordered = orders.groupby(["product", "period"])["mass_t"].sum()
    every = pd.MultiIndex.from_product([products["product"], period], names=["product", "period"])
    mass = np.ceil(ordered.reindex(every, fill_value=0.0).to_numpy() * 1.5 + 100.0)
    return every.to_frame(index=False).assign(mass_t=mass)


def pools_table(count: int) -> pd.DataFrame:
    """What lots of one pool have in common; of ten, five are primary, two scrap, two energy, one project."""
    rows: list[dict[str, Any]] = []
    for k in range(count):
        turn, step = k % 10, k // 10
        scheme = "other" if turn < 5 and step % 2 else "ASI"
        rows.append({"site": SITES[(turn + step) % 2], "scheme": scheme, **_pool(turn, step)})
    return pd.DataFrame(rows).fillna({"scopes": "", "project": ""}).fillna(0.0)


def _pool(turn: int, step: int) -> dict[str, Any]:
    """Kind, category, intensity, shares and cost of pool 10 * step + turn."""
    if turn < 5:
        intensity = round(4.0 - 0.2 * turn - 0.05 * step, 2)
        metal = {"kind": "material", "category": "low_carbon_primary", "uom": "t", "weight": 1.0}
        return metal | {
            "green_share": 1.0,
            "intensity_tco2e_per_uom": intensity,
            "unit_cost": 6.0 + turn + step,
        }
    if turn < 7:
        category, share = (("process_scrap", "recycled_pre"), ("post_consumer_scrap", "recycled_post"))[
            turn - 5
        ]
        scrap = {"kind": "material", "category": category, "uom": "t", "weight": 0.25, share: 1.0}
        return scrap | {"intensity_tco2e_per_uom": round(0.5 + 0.1 * step, 2), "unit_cost": 3.0 + step}
    if turn < 9:
        category, uom, cost = (("green_power", "MWh", 0.8), ("green_heat", "GJ", 0.25))[turn - 7]
        energy = {"kind": "energy", "category": category, "uom": uom, "weight": 1.0}
        return energy | {
            "intensity_tco2e_per_uom": round(0.01 * (1 + step), 2),
            "unit_cost": cost + 0.1 * step,
        }
    name, scopes = (("burners", "1"), ("furnace", "1+2"))[step % 2]
    project = {"kind": "project", "category": "project", "uom": "tCO2e", "weight": 1.0}
    return project | {"scopes": scopes, "project": name, "unit_cost": 2.0 + step}


def demand(orders: pd.DataFrame, products: pd.DataFrame) -> dict[str, float]:
    """What the orders ask for, in the lots' units: t of metal, and what energy and projects could add."""
    product = products.set_index("product").loc[orders["product"]].reset_index(drop=True)
    mass, level = orders["mass_t"], orders["level"]
    total = product["s1"] + product["s2"] + product["s3"]
    cfp, reduced = orders["claim"] == "cfp", orders["claim"] == "reduction"
    reduction = np.select([cfp, reduced], [(total - level).clip(lower=0.0), level], 0.0)
    metal = np.where(cfp | reduced, reduction / 9.5, level)
    ghg = reduction > 0
    return {
        "t": float((metal * mass).sum()),
        "MWh": float((product["electricity_mwh_per_t"] * mass)[ghg].sum()),
        "GJ": float((product["heat_gj_per_t"] * mass)[ghg].sum()),
        "tCO2e": float(0.1 * (reduction * mass).sum()),
    }


def lots_table(
    random: np.random.Generator, size: Size, periods: pd.DataFrame, asked: dict[str, float]
) -> pd.DataFrame:
    """Lots of `size.pools` pools; each pool's come evenly over the periods, good for months."""
    n = size.lots
    pools = pools_table(size.pools)
    pool = np.arange(n) % size.pools
    lots = pools.iloc[pool].reset_index(drop=True)
    weight = lots.pop("weight").to_numpy() * random.uniform(0.5, 1.5, n)
    share = weight / pd.Series(weight).groupby(lots["uom"]).transform("sum").to_numpy()
    turn, turns = np.arange(n) // size.pools, -(-n // size.pools)
    month = np.minimum(turn * (size.periods + 1) // turns + random.integers(0, 2, n), size.periods) - 1
    start = np.datetime64(FIRST_MONTH, "M") + month
    received = start.astype("datetime64[D]") + random.integers(0, 20, n)
    expires = (start + random.integers(4, 10, n)).astype("datetime64[D]") - np.timedelta64(1, "D")
    names = np.array([f"L{i:05d}" for i in range(n)], dtype=object)
    lots.insert(0, "lot", names)
    return lots.assign(
        received=received.astype(str),
        used=(received + random.integers(0, 8, n)).astype(str),
        expires=expires.astype(str),
        quantity=np.round(COVERED * share * lots["uom"].map(asked).to_numpy(), 3),
        certificate="CERT-" + lots["lot"],
        evidence="EV-" + lots["lot"],
    )


def own_premiums(random: np.random.Generator, orders: pd.DataFrame) -> pd.DataFrame:
    """Every order at a price of its own, within a tenth of the list's."""
    price = orders["premium_per_t"] * random.uniform(0.9, 1.1, len(orders))
    return orders.assign(premium_per_t=np.round(price, 6))


def own_intensities(random: np.random.Generator, lots: pd.DataFrame) -> pd.DataFrame:
    """Every lot unlike all others: intensity of its own, or unit cost where it has none (projects)."""
    project = (lots["kind"] == "project").to_numpy()
    factor = random.uniform(0.9, 1.1, len(lots))
    intensity, cost = lots["intensity_tco2e_per_uom"].to_numpy(), lots["unit_cost"].to_numpy()
    return lots.assign(
        intensity_tco2e_per_uom=np.round(np.where(project, intensity, intensity * factor), 9),
        unit_cost=np.round(np.where(project, cost * factor, cost), 9),
    )


def all_or_nothing(
    random: np.random.Generator, orders: pd.DataFrame, whole: float, least: float
) -> pd.DataFrame:
    """`whole` of the orders are whole; `least` of them have a minimum fill of a quarter, a half or 0.8."""
    draw, fill = random.random(len(orders)), random.choice((0.25, 0.5, 0.8), len(orders))
    orders = orders.assign(whole=draw < whole)
    return orders.assign(min_fill=np.where(draw >= 1 - least, fill, 0.0)) if least else orders


def offers_table(random: np.random.Generator, orders: pd.DataFrame) -> pd.DataFrame:
    """One order in ten would take other terms instead: one or two of the price list."""
    at = np.flatnonzero(random.random(len(orders)) < 0.1)
    at = np.repeat(at, random.integers(1, 3, len(at)))
    claim, level, premium, _ = (np.array(c) for c in zip(*PRICE_LIST, strict=True))
    terms = random.integers(0, len(PRICE_LIST), len(at))
    return pd.DataFrame(
        {
            "order": orders["order"].to_numpy(dtype=object)[at],
            "offer": [f"F{i:06d}" for i in range(len(at))],
            "claim": claim[terms].astype(object),
            "level": level[terms],
            "premium_per_t": np.round(premium[terms] * random.uniform(0.8, 1.1, len(at)), 2),
        }
    )


def hard_lots(random: np.random.Generator, lots: pd.DataFrame) -> pd.DataFrame:
    """One lot in five shares an origin with others, projects lie in many scopes, some values are given."""
    n = len(lots)
    pair = np.empty(n, dtype=np.intp)
    pair[np.lexsort((random.random(n), lots["site"], lots["kind"]))] = np.arange(n) // 2
    shared = random.random(n)[pair] < 0.2
    origin = np.where(shared, np.array([f"G{i:05d}" for i in pair], dtype=object), "")
    kind = lots["kind"].to_numpy()
    scopes = random.choice(np.array(["1", "2", "1+2", "2+3", "1+2+3"], dtype=object), n)
    given = (kind == "material") & (random.random(n) < 0.2)
    return lots.assign(
        origin=origin,
        scopes=np.where(kind == "project", scopes, lots["scopes"]),
        displaced_tco2e_per_uom=np.where(given, np.round(random.uniform(11.0, 14.0, n), 2), np.nan),
        gas=np.where(random.random(n) < 0.5, "CO2", "GHG"),
    )


def harden(made: dict[str, pd.DataFrame], size: Size) -> dict[str, pd.DataFrame]:
    """The options' tables. Each option draws from a stream of its own."""
    streams = (np.random.default_rng([size.seed, number]) for number in range(1, 7))
    premiums, intensities, whole, offers, lots, schemes = streams
    made = dict(made)
    if size.premiums == "own":
        made["orders"] = own_premiums(premiums, made["orders"])
    if size.intensities == "own":
        made["lots"] = own_intensities(intensities, made["lots"])
    share = size.whole_share or (0.05 if size.all_features else 0.0)
    if share:
        least = 0.05 if size.all_features else 0.0
        made["orders"] = all_or_nothing(whole, made["orders"], share, least)
    if size.all_features:
        made["offers"] = offers_table(offers, made["orders"])
        made["lots"] = hard_lots(lots, made["lots"])
        either = (made["orders"]["schemes"] == "") & (schemes.random(size.orders) < 0.2)
        made["orders"]["schemes"] = np.where(either, "ASI;other", made["orders"]["schemes"])
        gas = np.where(np.arange(PRODUCTS) % 10 == 9, "CO2", "GHG")
        made["products"] = made["products"].assign(gas=gas)
    return made


def tables(size: Size) -> dict[str, pd.DataFrame]:
    """Every table of the case."""
    random = np.random.default_rng(size.seed)
    periods = periods_table(size.periods)
    period = periods["period"].to_numpy(dtype=object)
    products = products_table(random)
    orders = orders_table(random, size, period)
    made = {
        "periods": periods,
        **fixed_tables(),
        "products": products,
        "production": production_table(orders, products, period),
        "orders": orders,
        "lots": lots_table(random, size, periods, demand(orders, products)),
    }
    return harden(made, size)


def settings(size: Size) -> str:
    """case.toml."""
    counts = f"{size.orders} orders, {size.lots} lots, {size.periods} periods, {size.pools} pools"
    hard = f", {size.words}" if size.words else ""
    return f"""name = "{counts}, seed {size.seed}{hard}"
rules = "jaa-2026"
currency = "USD"

[issuer]
name = "Example Rolling"
address = "1 Example Street"
contact = "mass balance office"

[[assurance]]
subject = "management and allocation"
body = "Example Assurance"
level = "third party"
date = 2026-04-01
"""


def write_case(folder: Path, size: Size, kind: str = "csv") -> None:
    """Write the case's folder; kind: csv or parquet."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in (folder / "offers.csv", folder / "offers.parquet"):
        old.unlink(missing_ok=True)  # of an earlier case with offers
    (folder / "case.toml").write_text(settings(size), encoding="utf-8", newline="\n")
    for name, rows in tables(size).items():
        for old in (folder / f"{name}.csv", folder / f"{name}.parquet"):
            old.unlink(missing_ok=True)
        table = pa.Table.from_pandas(rows, preserve_index=False)
        if kind == "parquet":
            pa.parquet.write_table(table, folder / f"{name}.parquet")
        else:
            options = pa.csv.WriteOptions(quoting_style="needed")
            pa.csv.write_csv(table, folder / f"{name}.csv", write_options=options)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    for name, default in (("orders", 5000), ("lots", 100), ("periods", 12), ("pools", 20), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=default, help=f"default {default}")
    parser.add_argument("--premiums", choices=("list", "own"), default="list", help="default list")
    parser.add_argument("--intensities", choices=("pool", "own"), default="pool", help="default pool")
    parser.add_argument("--whole-share", type=float, default=0.0, help="share of whole orders; default 0")
    parser.add_argument("--all-features", action="store_true", help="every feature of a case")
    parser.add_argument("--format", choices=("csv", "parquet"), default="csv")
    given = vars(parser.parse_args())
    folder, kind = given.pop("folder"), given.pop("format")
    write_case(folder, Size(**given), kind)


if __name__ == "__main__":
    main()
