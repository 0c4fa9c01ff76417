"""What a run's case says, worked out from its tables in exact fractions (interface, "Meaning")."""

from __future__ import annotations

import calendar
import csv
import datetime as dt
import io
from collections import defaultdict
from fractions import Fraction
from functools import lru_cache
from typing import Any, Dict, FrozenSet, List, NamedTuple, Optional, Tuple

from massbalance.audit.alone.packed import Files
from massbalance.audit.alone.toml import read_toml

GRID = 10**6
"""Booked quantities are whole millionths of their unit."""
Table = List[Dict[str, str]]
CARRIER = {"MWh": "electricity", "GJ": "heat"}
USE = {"electricity": "electricity_mwh_per_t", "heat": "heat_gj_per_t"}
FACTOR = {"electricity": "electricity_tco2e_per_mwh", "heat": "heat_tco2e_per_gj"}


def read_table(content: Optional[bytes]) -> Table:
    """The rows of a CSV; none where there is no file. ValueError where a row is longer or shorter."""
    if content is None:
        return []
    rows = list(csv.reader(io.StringIO(content.decode("utf-8"), newline="")))
    if any(len(row) != len(rows[0]) for row in rows):
        raise ValueError("a row shorter or longer than its header")
    return [dict(zip(rows[0], row)) for row in rows[1:]]


@lru_cache(maxsize=None)
def number(text: str) -> Optional[Fraction]:
    """A decimal exactly; None where nothing is given."""
    return Fraction(text) if text else None


def given(row: Dict[str, str], column: str, otherwise: int = 0) -> Fraction:
    """A number of a row, or what stands for an empty one."""
    found = number(row.get(column, ""))
    return Fraction(otherwise) if found is None else found


def on_grid(text: str) -> int:
    """Millionths of a decimal, rounded down; nothing is 0. ValueError where it is no decimal."""
    whole, _, rest = text.partition(".")
    if whole.isdecimal() and whole.isascii() and (rest.isdecimal() or not rest) and rest.isascii():
        return int(whole + rest[:6].ljust(6, "0"))
    return int((number(text) or Fraction(0)) * GRID // 1)


def plain(value: Fraction) -> str:
    """A decimal without trailing zeros where it is one, else a fraction."""
    for places in range(31):
        scaled = value * 10**places
        if scaled.denominator == 1:
            digits = str(abs(scaled.numerator)).rjust(places + 1, "0")
            text = digits[: len(digits) - places] + ("." + digits[len(digits) - places :] if places else "")
            return ("-" if value < 0 else "") + text
    return str(value)


def amount(millionths: int) -> str:
    """Millionths as a decimal of the unit."""
    digits = str(abs(millionths)).rjust(7, "0")
    text = f"{digits[:-6]}.{digits[-6:]}".rstrip("0").rstrip(".")
    return f"-{text}" if millionths < 0 else text


class Term(NamedTuple):
    """What an order, or an offer to it, asks for."""

    claim: str
    level: Fraction
    premium: Fraction


class Lot(NamedTuple):
    """A lot of a case; quantity: millionths; window: positions of periods it may serve (first > last: none).

    displaced, intensity: None where not given; shares: green, recycled, post-consumer.
    """

    name: str
    kind: str
    uom: str
    category: str
    site: str
    quantity: int
    first: int
    last: int
    inside: bool
    displaced: Optional[Fraction]
    intensity: Optional[Fraction]
    scopes: FrozenSet[int]
    shares: Tuple[Fraction, Fraction, Fraction]
    scheme: str
    gas: str
    origin: str

    @property
    def unit_value(self) -> Fraction:
        """t CO2e per unit."""
        if self.kind == "project":
            return Fraction(1)
        if self.displaced is None or self.intensity is None:
            return Fraction(0)
        return max(Fraction(0), self.displaced - self.intensity)


class Case:
    """A case from its files (`case/...` and `rules.toml` of a run's folder)."""

    def __init__(self, files: Files) -> None:
        self.settings = read_toml(files["case/case.toml"].decode("utf-8"))
        self.model = read_toml(files["rules.toml"].decode("utf-8"))
        chosen = self.settings.get("rules")
        overrides = {k: v for k, v in chosen.items() if k != "id"} if isinstance(chosen, dict) else {}
        self.parameters: Dict[str, Any] = {**self.model["parameters"], **overrides}
        self.tables: Dict[str, Table] = {
            name[len("case/") : -len(".csv")]: read_table(content)
            for name, content in files.items()
            if name.startswith("case/") and name.endswith(".csv")
        }
        self.periods = [(r["period"], _day(r["start"]), _day(r["end"])) for r in self.rows("periods")]
        self.period_at = {name: at for at, (name, _, _) in enumerate(self.periods)}
        self.sites = {r["site"]: r for r in self.rows("sites")}
        self.products = {r["product"]: r for r in self.rows("products")}
        self.orders = {r["order"]: r for r in self.rows("orders")}
        self.offers = {(r["order"], r["offer"]): r for r in self.rows("offers")}
        self.category_caps = {(r["alloy"], r["category"]): given(r, "max_share") for r in self.rows("alloys")}
        self.composition = defaultdict(dict)  # type: Dict[str, Dict[str, Fraction]]
        for r in self.rows("composition"):
            if r["wt_pct"]:
                self.composition[r["key"]][r["element"]] = given(r, "wt_pct")
        self.limits = defaultdict(dict)  # type: Dict[str, Dict[str, Fraction]]
        for r in self.rows("alloy_limits"):
            if r.get("max_wt_pct"):
                self.limits[r["alloy"]][r["element"]] = given(r, "max_wt_pct")
        self.mean_metal = self._mean_metal()
        self.lots = {r["lot"]: self._lot(r) for r in self.rows("lots")}

    def rows(self, table: str) -> Table:
        """A table's rows; none where it is not there."""
        return self.tables.get(table, [])

    def area(self, site: str, boundary: str) -> str:
        """The area of a site under a kind of boundary; a unit lies inside one organisation."""
        row = self.sites[site]
        owner = row.get("organisation", "")
        return {"site": site, "accounting_unit": f"{owner}/{row['unit']}", "organisation": owner}[boundary]

    def boundary(self, kind: str) -> str:
        """How far a lot of this kind may travel."""
        return str(self.parameters[f"boundary_{kind}"])

    def term(self, order: str, offer: str) -> Term:
        """What the order's own terms (offer "") or an offer ask for. KeyError where there is none."""
        row = self.offers[order, offer] if offer else self.orders[order]
        return Term(row["claim"], given(row, "level"), given(row, "premium_per_t"))

    def baseline(self, product: str) -> Fraction:
        """s1 + s2 + s3 of a product."""
        return sum((given(self.products[product], s) for s in ("s1", "s2", "s3")), Fraction(0))

    def wt(self, *keys: str) -> Dict[str, Fraction]:
        """Element -> wt %, element by element; a later key goes before an earlier one."""
        return {e: wt for key in keys for e, wt in self.composition.get(key, {}).items()}

    def production(self) -> Dict[Tuple[str, str], int]:
        """(product, period) -> mass in g."""
        return {(r["product"], r["period"]): on_grid(r["mass_t"]) for r in self.rows("production")}

    def _mean_metal(self) -> Dict[str, Fraction]:
        """Unit -> mean metal_tco2e_per_t by production / rate, rounded down to 1e-6."""
        sums: Dict[str, List[Fraction]] = defaultdict(lambda: [Fraction(0), Fraction(0)])
        for (product, _), mass in self.production().items():
            row = self.products[product]
            metal = number(row.get("metal_tco2e_per_t", ""))
            if metal is not None:
                both = sums[self.area(row["site"], "accounting_unit")]
                weight = mass / given(row, "t_product_per_t_input", 1)
                both[0] += weight * metal
                both[1] += weight
        return {unit: Fraction(a * GRID // b, GRID) for unit, (a, b) in sums.items() if b > 0}

    def _lot(self, r: Dict[str, str]) -> Lot:
        kind, uom = r["kind"], r["uom"]
        received = _day(r["received"])
        available = _day(r["used"]) if r.get("used") else received
        first, last = self._window(received, available, _day(r["expires"]) if r.get("expires") else None)
        displaced = number(r.get("displaced_tco2e_per_uom", ""))
        if displaced is None and kind == "material":
            displaced = self.mean_metal.get(self.area(r["site"], "accounting_unit"))
        elif displaced is None and kind == "energy":
            displaced = number(self.sites[r["site"]].get(FACTOR[CARRIER[uom]], ""))
        told = "3" if kind == "material" else r.get("scopes") or {"MWh": "2", "GJ": "1"}.get(uom, "")
        material = kind == "material"
        pre, post = given(r, "recycled_pre"), given(r, "recycled_post")
        zero = Fraction(0)
        return Lot(
            name=r["lot"], kind=kind, uom=uom, category=r["category"], site=r["site"],
            quantity=on_grid(r["quantity"]), first=first, last=last, inside=available <= self.periods[-1][2],
            displaced=displaced, intensity=number(r.get("intensity_tco2e_per_uom", "")),
            scopes=frozenset(int(s) for s in told.split("+") if s),
            shares=(given(r, "green_share"), pre + post, post) if material else (zero, zero, zero),
            scheme=r.get("scheme", ""), gas=r.get("gas") or "GHG", origin=r.get("origin", ""),
        )  # fmt: skip

    def _window(self, received: dt.date, available: dt.date, expires: Optional[dt.date]) -> Tuple[int, int]:
        """Available <= end of the period <= expires; the rule model's expiry and carry-over."""
        months = self.parameters["expiry_months"]
        if expires is None and months != "unlimited":
            expires = _months_later(received, int(months))
        carried = self.parameters["carry_over"] != "none"
        usable = [
            at
            for at, (_, start, end) in enumerate(self.periods)
            if available <= end and (expires is None or end <= expires) and (carried or start <= available)
        ]
        return (usable[0], usable[-1]) if usable else (0, -1)


def _day(text: str) -> dt.date:
    return dt.date(*(int(part) for part in text.split("-")))


def _months_later(day: dt.date, months: int) -> dt.date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > dt.date.max.year:
        return dt.date.max
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
