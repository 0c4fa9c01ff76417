"""A case as the plain model sees it: arrays over terms, lots and their feasible pairs.

Written from the interface alone, and used by every peer, so that all solve one model. It knows what
generated cases hold (generate.py, every option); overrides of the rule model are refused.

The model: x[pair] >= 0 in the lot's unit, 0 <= y[term] <= mass_t, and for every cap and every term in it
sum of value * x over the term's pairs <= limit * y. A claim is a cap with negative values. Peers get what a
careful modeller would write: a reduction that may go to several scopes needs no columns of its own (a row
for each union of scope sets), pairs that cannot help are left out, and so are rows that others imply.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]

SHARES = {
    "green_share": ("green_share",),
    "recycled_share": ("recycled_pre", "recycled_post"),
    "post_consumer_share": ("recycled_post",),
}
CARRIERS = {
    "MWh": ("electricity_mwh_per_t", "electricity_tco2e_per_mwh"),
    "GJ": ("heat_gj_per_t", "heat_tco2e_per_gj"),
}
DEFAULT_SCOPES = {"t": "3", "MWh": "2", "GJ": "1"}
TEXT = (
    "lot site unit organisation kind category uom scopes scheme project origin gas received used expires "
    "period end alloy key element product order offer claim schemes"
).split()
NUMBERS = {
    "lots": "displaced_tco2e_per_uom intensity_tco2e_per_uom unit_cost "
    "green_share recycled_pre recycled_post",
    "orders": "min_fill priority",
    "products": "metal_tco2e_per_t electricity_mwh_per_t heat_gj_per_t",
}
"""Columns that may be missing: they are read as not given."""


@dataclass(frozen=True)
class Cap:
    """For every term of `term`: sum of value * x over its pairs <= limit * y.

    pair, value: positions and values of the pairs with one; row: which row of the cap each of
    these belongs to, ascending; term, limit: one for each row. No row is without pairs.
    """

    name: str
    pair: Index
    value: Floats
    row: Index
    term: Index
    limit: Floats


@dataclass(frozen=True)
class Goal:
    """To be maximised: gain over the terms' y, less `cost` over the pairs' x where `cost` is true.

    A firm goal's own value is `total` less what is reached.
    """

    name: str
    priority: int | None
    gain: Floats
    total: float
    cost: bool

    def reported(self, reached: float) -> dict[str, Any]:
        """The goal as massbalance's summary.json names it."""
        value = reached if self.priority is None else self.total - reached
        return {"name": self.name, "priority": self.priority, "value": value}


@dataclass(frozen=True)
class PlainCase:
    """Everything a peer needs, as arrays; positions refer to terms, lots and pairs.

    Terms are sorted by order, pairs by term and then lot. mass: the most that can be claimed (0 where no
    lot adds to the claim). least: the part of the mass below which
    a term gets nothing (whole: 1); binary: terms that need a yes or no; choice: for each of them
    the order it is one of several terms of, else -1. share: pairs of an origin, and
    1 / quantity of their lots.
    """

    term_order: Index
    mass: Floats
    least: Floats
    binary: Flags
    choice: Index
    quantity: Floats
    term: Index
    lot: Index
    cost: Floats
    caps: tuple[Cap, ...]
    origin: Index
    origin_pair: Index
    share: Floats
    goals: tuple[Goal, ...]

    @property
    def sizes(self) -> dict[str, int]:
        """How large the plain model is."""
        rows = sum(len(cap.term) for cap in self.caps) + len(self.quantity)
        return {"pairs": len(self.term), "columns": len(self.term) + len(self.mass), "rows": rows}


def read(folder: Path, *, every_pair: bool = False) -> PlainCase:
    """The case in `folder` (CSV or Parquet). It must be valid: nothing is checked.

    every_pair: keep the pairs that may serve but cannot help.
    """
    settings = tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))
    if settings["rules"] != "jaa-2026" or "objective" in settings:
        raise SystemExit("the plain model knows jaa-2026 without overrides, and the default goals")
    return _Reader({path.stem: _table(path) for path in sorted(folder.glob("*.[cp]*"))}, every_pair).case()


def _table(path: Path) -> pd.DataFrame:
    """A table; "" and NaN where nothing is given in a text and a number column."""
    if path.suffix == ".csv":
        rows = pd.read_csv(path, dtype=dict.fromkeys(TEXT, "str"))
    else:
        rows = pd.read_parquet(path)
    for name in NUMBERS.get(path.stem, "").split():
        rows[name] = pd.to_numeric(rows[name]) if name in rows else np.nan
    texts = [name for name in rows if name in TEXT]
    return rows.assign(**{name: rows[name].astype("object").fillna("") for name in texts})


@dataclass
class _Reader:
    tables: dict[str, pd.DataFrame]
    every_pair: bool
    caps: list[Cap] = field(default_factory=list)
    possible: Flags = field(default_factory=lambda: np.zeros(0, dtype=bool))

    def case(self) -> PlainCase:
        lots, terms = self.lots, self.terms
        self.term, self.lot = self.pairs()
        self.add_caps()
        origin, lot_origin = np.unique(self.text(lots, "origin"), return_inverse=True)
        several = (origin != "") & (np.bincount(lot_origin, minlength=len(origin)) > 1)
        at = np.flatnonzero(several[lot_origin[self.lot]])
        number = np.cumsum(several) - 1
        quantity = lots["quantity"].to_numpy(dtype=np.float64)
        binary = (terms["least"] > 0).to_numpy() | terms["several"].to_numpy()
        cost = lots["unit_cost"].fillna(0.0).to_numpy(dtype=np.float64)[self.lot]
        at = at[quantity[self.lot[at]] > 0]
        return PlainCase(
            term_order=terms["at"].to_numpy(dtype=np.intp),
            mass=np.where(self.possible, terms["mass_t"], 0.0),
            least=terms["least"].to_numpy(dtype=np.float64),
            binary=binary,
            choice=np.where(terms["several"], terms["at"], -1).astype(np.intp),
            quantity=quantity,
            term=self.term,
            lot=self.lot,
            cost=cost,
            caps=tuple(self.caps),
            origin=number[lot_origin[self.lot[at]]],
            origin_pair=at,
            share=1.0 / quantity[self.lot[at]],
            goals=tuple(self.goals()),
        )

    # --- rows of the tables ------------------------------------------------------------------------

    @cached_property
    def lots(self) -> pd.DataFrame:
        return self.tables["lots"]

    @cached_property
    def products(self) -> pd.DataFrame:
        return self.tables["products"]

    @cached_property
    def sites(self) -> pd.DataFrame:
        return self.tables["sites"].set_index("site")

    @staticmethod
    def text(rows: pd.DataFrame, name: str) -> npt.NDArray[np.object_]:
        """A text column; "" where there is none."""
        found = rows[name] if name in rows else pd.Series("", rows.index, dtype="object")
        return np.asarray(found.to_numpy(dtype=object))

    @cached_property
    def terms(self) -> pd.DataFrame:
        """Orders' own terms and their offers, sorted by order; `at` is the order's position."""
        orders = self.tables["orders"]
        whole = orders["whole"].astype("bool") if "whole" in orders else False
        given = orders.assign(at=np.arange(len(orders)), offer="", least=orders["min_fill"].fillna(0.0))
        given["least"] = np.where(whole, 1.0, given["least"])
        given["priority"] = given["priority"].fillna(1).astype("int64")
        given["firm"] = given["firm"].astype("bool") if "firm" in given else False
        given["several"] = False
        if "offers" not in self.tables:
            return given
        offers = self.tables["offers"]
        given["several"] = given["order"].isin(offers["order"])
        own = given.drop(columns=["offer", "claim", "level", "premium_per_t"])
        both = pd.concat([given, offers.merge(own, on="order", how="left")], ignore_index=True)
        return both.sort_values(["at", "offer"], kind="stable").reset_index(drop=True)

    @cached_property
    def product_of_term(self) -> Index:
        return pd.Index(self.products["product"]).get_indexer(self.terms["product"])

    def of_product(self, column: str) -> Floats:
        """A figure of the product, by term."""
        return self.products[column].to_numpy(dtype=np.float64)[self.product_of_term]

    # --- who may serve whom --------------------------------------------------------------------------

    def pairs(self) -> tuple[Index, Index]:
        """Feasible and useful pairs (term, lot). Terms of one class have the same lots."""
        periods, terms = pd.Index(self.tables["periods"]["period"]), self.terms
        keys = pd.DataFrame(
            {
                "product": self.product_of_term,
                "period": periods.get_indexer(terms["period"]),
                "schemes": self.text(terms, "schemes"),
                "claim": self.text(terms, "claim"),
            }
        )
        kind = keys.groupby(list(keys), sort=False).ngroup().to_numpy()
        classes = keys.drop_duplicates()
        found = [
            np.flatnonzero(
                self.in_product[product]
                & self.in_period[period]
                & self.in_schemes(schemes)
                & self.useful(claim, product)
            )
            for product, period, schemes, claim in classes.to_numpy(dtype=object).tolist()
        ]
        count = np.array([len(lots) for lots in found], dtype=np.intp)
        first = np.concatenate([[0], np.cumsum(count)])[:-1]
        term = np.repeat(np.arange(len(terms)), count[kind])
        inside = np.arange(len(term)) - np.repeat(np.cumsum(count[kind]) - count[kind], count[kind])
        every = np.concatenate([*found, np.empty(0, dtype=np.intp)]).astype(np.intp)
        return term, every[first[kind][term] + inside]

    @cached_property
    def in_period(self) -> Flags:
        """(periods, lots): available by the end of the period and not expired before it (ISO dates)."""
        lots = self.lots
        used, expires = self.text(lots, "used"), self.text(lots, "expires")
        available = np.where(used == "", self.text(lots, "received"), used).astype("U10")
        last = np.where(expires == "", "9999-12-31", expires).astype("U10")
        end = self.text(self.tables["periods"], "end").astype("U10")[:, None]
        return np.asarray((available <= end) & (end <= last))

    @cached_property
    def in_product(self) -> Flags:
        """(products, lots): boundary, gas, alloy and category, carrier."""
        lots, products = self.lots, self.products
        organisation = pd.Series(self.text(self.sites, "organisation"), self.sites.index)
        unit = organisation + "/" + self.sites["unit"]
        kind = self.text(lots, "kind")
        wide = organisation[lots["site"]].to_numpy() == organisation[products["site"]].to_numpy()[:, None]
        near = unit[lots["site"]].to_numpy() == unit[products["site"]].to_numpy()[:, None]
        fits = np.where(kind == "project", wide, near)
        fits &= ~((self.text(lots, "gas") != "CO2") & (self.text(products, "gas") == "CO2")[:, None])
        fits &= np.isfinite(self.max_share) | (kind != "material")
        for uom, (use, _) in CARRIERS.items():
            carried = products[use].notna().to_numpy()[:, None]
            fits &= carried | ~((kind == "energy") & (self.text(lots, "uom") == uom))
        return fits

    @cached_property
    def max_share(self) -> Floats:
        """(products, lots): of the product's alloy and the lot's category; NaN: not listed."""
        table = self.tables["alloys"].pivot_table(index="alloy", columns="category", values="max_share")
        table = table.reindex(index=self.products["alloy"], columns=self.lots["category"])
        return table.to_numpy(dtype=np.float64)

    def in_schemes(self, accepted: str) -> Flags:
        words = [word.strip() for word in accepted.split(";") if word.strip()]
        scheme = self.text(self.lots, "scheme")
        return np.isin(scheme, words) if words else np.ones(len(scheme), dtype=bool)

    def useful(self, claim: str, product: int) -> Flags:
        """Adds to the claim, makes room for others in a limited element, or earns money."""
        if self.every_pair:
            return np.ones(len(self.lots), dtype=bool)
        credited, reduction = self.credited[product], self.reduction[product]
        adds = (credited * self.share_of(claim) if claim in SHARES else reduction) > 0
        dilutes = (np.nan_to_num(self.over[product], nan=0.0) * credited < 0).any(axis=0)
        return np.asarray(adds | dilutes | (self.lots["unit_cost"].fillna(0.0) < 0).to_numpy())

    # --- what a unit of a lot does ---------------------------------------------------------------------

    def share_of(self, claim: str) -> Floats:
        """By lot: what a tonne of credited mass adds to a share claim."""
        given = [self.lots[c].fillna(0.0).to_numpy(dtype=np.float64) for c in SHARES[claim]]
        return np.asarray(np.sum(given, axis=0))

    @cached_property
    def credited(self) -> Floats:
        """(products, lots): t of product per unit of the lot, 0 but for materials."""
        rate = self.products["t_product_per_t_input"].fillna(1.0).to_numpy(dtype=np.float64)
        return np.where(self.text(self.lots, "kind") == "material", rate[:, None], 0.0)

    @cached_property
    def reduction(self) -> Floats:
        """(products, lots): t CO2e per unit of the lot."""
        lots, products = self.lots, self.products
        uom, kind = self.text(lots, "uom"), self.text(lots, "kind")
        of_lot = self.mean_metal()
        of_product = np.tile(products["metal_tco2e_per_t"].to_numpy(dtype=np.float64)[:, None], len(lots))
        for carrier, (_, factor) in CARRIERS.items():
            by_site = self.sites[factor].astype("float64")
            of_lot = np.where(uom == carrier, by_site[lots["site"]].to_numpy(), of_lot)
            there = by_site[products["site"]].to_numpy()[:, None]
            of_product = np.where(uom == carrier, there, of_product)
        given = lots["displaced_tco2e_per_uom"].to_numpy(dtype=np.float64)
        of_lot = np.where(np.isnan(given), of_lot, given)
        gain = np.minimum(of_lot, of_product) - lots["intensity_tco2e_per_uom"].to_numpy(dtype=np.float64)
        return np.where(kind == "project", 1.0, np.maximum(0.0, np.nan_to_num(gain, nan=0.0)))

    def mean_metal(self) -> Floats:
        """By lot: mean conventional metal of the accounting unit, floored to a millionth."""
        made = self.tables["production"].merge(self.products, on="product")
        made = made[made["metal_tco2e_per_t"].notna()]
        weight = made["mass_t"] / made["t_product_per_t_input"].fillna(1.0)
        unit = self.sites["unit"]
        sums = pd.DataFrame({"w": weight, "v": weight * made["metal_tco2e_per_t"]})
        sums = sums.groupby(unit[made["site"]].to_numpy()).sum()
        mean = np.floor(sums["v"] / sums["w"] * 1e6) / 1e6
        return np.asarray(mean.reindex(unit[self.lots["site"]]).to_numpy(dtype=np.float64))

    @cached_property
    def limits(self) -> pd.DataFrame:
        """wt % at most, alloy by element."""
        rows = self.tables.get("alloy_limits", pd.DataFrame(columns=["alloy", "element", "max_wt_pct"]))
        return rows.pivot_table(index="alloy", columns="element", values="max_wt_pct")

    @cached_property
    def base(self) -> pd.DataFrame:
        """wt % of the base metal, product by limited element."""
        wt, alloys = self.composition, self.products["alloy"]
        own = wt.reindex("base:" + alloys)
        return own.fillna(wt.reindex(["base"]).iloc[0]).fillna(0.0)

    @cached_property
    def composition(self) -> pd.DataFrame:
        """wt %, key by limited element."""
        rows = self.tables.get("composition", pd.DataFrame(columns=["key", "element", "wt_pct"]))
        return rows.pivot_table(index="key", columns="element", values="wt_pct").reindex(
            columns=self.limits.columns
        )

    @cached_property
    def over(self) -> Floats:
        """(products, elements, lots): wt % above the base metal where the alloy limits the element."""
        own, kind = (
            self.composition.reindex(self.lots[key]).to_numpy(dtype=np.float64).T
            for key in ("lot", "category")
        )
        wt = np.where(np.isnan(own), kind, own)
        limited = self.limits.reindex(self.products["alloy"]).notna().to_numpy()[:, :, None]
        above = wt[None, :, :] - self.base.to_numpy(dtype=np.float64)[:, :, None]
        return np.where(limited, above, np.nan)

    # --- claims, caps, goals ------------------------------------------------------------------------------

    def add(self, name: str, value: Floats, limit: Floats, *, claim: bool = False) -> None:
        """A row for each term where it can bind: a claim that can be had, a cap with a use."""
        rows = np.bincount(self.term[value < 0 if claim else value > 0], minlength=len(limit)) > 0
        rows &= limit < 0 if claim else True
        used = np.flatnonzero((value != 0) & rows[self.term])
        row = (np.cumsum(rows) - 1)[self.term[used]]
        term = np.flatnonzero(rows)
        if len(term):
            self.caps.append(Cap(name, used, value[used], row, term, limit[term]))

    def add_caps(self) -> None:
        product = self.product_of_term[self.term]
        credited, reduction = self.credited[product, self.lot], self.reduction[product, self.lot]
        self.add_claim(credited, reduction)
        self.add("mass", credited, np.ones(len(self.terms)))
        category = self.text(self.lots, "category")[self.lot]
        share = self.max_share[product, self.lot]
        for name in np.unique(category[credited > 0]):
            here = (category == name) & (credited > 0)
            limit = np.ones(len(self.terms))
            limit[self.term[here]] = share[here]
            # a share of 1 says no more than the mass cap
            self.add(f"category {name}", np.where(here & (share < 1), credited, 0.0), limit)
        for at, element in enumerate(self.limits.columns):
            over = np.nan_to_num(self.over[:, at, :], nan=0.0)[product, self.lot]
            most = self.limits[element].reindex(self.products["alloy"]).to_numpy(dtype=np.float64)
            room = most - self.base[element].to_numpy(dtype=np.float64)
            self.add(f"element {element}", over * credited, np.nan_to_num(room)[self.product_of_term])
        uom, kind = self.text(self.lots, "uom"), self.text(self.lots, "kind")
        for carrier, (use, _) in CARRIERS.items():
            here = ((kind == "energy") & (uom == carrier))[self.lot]
            self.add(f"energy {carrier}", here.astype(np.float64), self.of_product(use))
        for scopes, inside in self.scope_sets():
            limit = np.sum([self.of_product(f"s{s}") for s in scopes], axis=0)
            self.add(f"scopes {scopes}", np.where(inside[self.lot], reduction, 0.0), limit)

    def add_claim(self, credited: Floats, reduction: Floats) -> None:
        """At least the level, on the claimed mass."""
        claim = self.text(self.terms, "claim")
        value, need = reduction.copy(), self.terms["level"].to_numpy(dtype=np.float64).copy()
        total = self.of_product("s1") + self.of_product("s2") + self.of_product("s3")
        need = np.where(claim == "cfp", np.maximum(0.0, total - need), need)
        for share in SHARES:
            asked = (claim == share)[self.term]
            value = np.where(asked, credited * self.share_of(share)[self.lot], value)
        self.possible = (need <= 0) | (np.bincount(self.term[value > 0], minlength=len(need)) > 0)
        self.add("claim", -value, -need, claim=True)

    def scope_sets(self) -> Iterator[tuple[tuple[int, ...], Flags]]:
        """Sets S of scopes that need a row, and the lots whose reductions must lie inside S.

        A set needs none where it falls in two parts that no lot's scopes join: their rows add up to it.
        """
        given, uom = self.text(self.lots, "scopes"), self.text(self.lots, "uom")
        texts = [str(g) or DEFAULT_SCOPES[str(u)] for g, u in zip(given, uom, strict=True)]
        sets = [frozenset(int(s) for s in text.split("+")) for text in texts]
        present = set(sets)
        for size in (1, 2, 3):
            for chosen in combinations((1, 2, 3), size):
                whole = frozenset(chosen)
                inside = [s for s in present if s <= whole]
                union = frozenset().union(*inside)
                parts = ((frozenset(p), whole - set(p)) for p in combinations(chosen, 1))
                split = any(all(s <= a or s <= b for s in inside) for a, b in parts if b)
                if union == whole and not split:
                    yield chosen, np.array([s <= whole for s in sets], dtype=bool)

    def goals(self) -> Iterator[Goal]:
        """Firm shortfall by priority, then the margin."""
        terms = self.terms
        firm, priority = terms["firm"].to_numpy(dtype=bool), terms["priority"].to_numpy()
        mass = np.where(terms["offer"] == "", terms["mass_t"], 0.0).astype(np.float64)
        for level in np.unique(priority[firm]):
            gain = (firm & (priority == level)).astype(np.float64)
            yield Goal("firm_shortfall_t", int(level), gain, float(gain @ mass), cost=False)
        yield Goal("margin", None, terms["premium_per_t"].to_numpy(dtype=np.float64), 0.0, cost=True)
