"""What a case may hold: every table, column and setting, once.

One pydantic model per table is the single source of its columns, their types, units, ranges,
words, defaults and meanings. `TABLE_SPECS` is the same as plain data, for the column-wise checks
of intake, for documentation and for starter files. Units: mass t, electricity MWh, heat GJ, GHG
t CO2e, shares 0-1, dates ISO. Strength of a column: required, or optional with a default or
"not given".
"""

from __future__ import annotations

import types
import typing
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic.fields import FieldInfo

from massbalance.domain.objective import ObjectiveSettings

ColumnKind = Literal["text", "word", "number", "whole", "date", "flag", "scopes", "schemes"]

LotKind = Literal["material", "energy", "project"]
Uom = Literal["t", "MWh", "GJ", "tCO2e"]
Gas = Literal["CO2", "GHG"]
Claim = Literal["green_share", "recycled_share", "post_consumer_share", "cfp", "reduction"]

SHARE_CLAIMS = ("green_share", "recycled_share", "post_consumer_share")
GHG_CLAIMS = ("cfp", "reduction")
UOMS_OF_KIND = {"material": ("t",), "energy": ("MWh", "GJ"), "project": ("tCO2e",)}
DEFAULT_SCOPES = {"t": "3", "MWh": "2", "GJ": "1"}
GRID_COLUMNS = (("lots", "quantity"), ("production", "mass_t"), ("orders", "mass_t"))
"""Masses and quantities that are booked: floored to the grid of a millionth of a unit."""

LARGEST_QUANTITY = 10**9
LARGEST_FACTOR = 10**6
LARGEST_MONEY = 10**9


def _field(
    meaning: str, default: object, extra: dict[str, str], low: int | None = None, high: int | None = None
) -> Any:
    return Field(default, description=meaning, json_schema_extra=dict(extra), ge=low, le=high)


def _text(meaning: str, *, default: object = "", of: str = "", form: str = "") -> Any:
    """A text column; default `...` = required; of: the table and column it refers to."""
    return _field(meaning, default, {"of": of, "form": form, "unit": ""})


def _number(
    meaning: str, unit: str, *, default: object = None, low: int = 0, high: int = LARGEST_FACTOR
) -> Any:
    """A number column with its unit and inclusive range; default None = not given."""
    return _field(meaning, default, {"unit": unit}, low, high)


def _share(meaning: str, *, default: object = None) -> Any:
    return _number(meaning, "1", default=default, high=1)


def _quantity(meaning: str, unit: str) -> Any:
    return _number(meaning, unit, default=..., high=LARGEST_QUANTITY)


def _money(meaning: str, unit: str, *, default: object = None) -> Any:
    return _number(meaning, unit, default=default, low=-LARGEST_MONEY, high=LARGEST_MONEY)


class Row(BaseModel):
    """One row of a table. KEY: the columns that name it; OPTIONAL: may the whole table be missing."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    KEY: ClassVar[tuple[str, ...]]
    OPTIONAL: ClassVar[bool] = False


class PeriodRow(Row):
    """Accounting periods, in time order, without gaps or overlaps (A5.1.3A)."""

    KEY = ("period",)
    period: str = _text("name of the period", default=...)
    start: date = _text("first day", default=...)
    end: date = _text("last day, inclusive", default=...)


class SiteRow(Row):
    """Works, and the accounting unit and organisation each belongs to (A4.2.2, A5.1.2A)."""

    KEY = ("site",)
    site: str = _text("name of the site", default=...)
    unit: str = _text("accounting unit: sites that share intermediates or scrap", default=...)
    electricity_tco2e_per_mwh: Decimal | None = _number(
        "conventional electricity that green electricity displaces", "t CO2e/MWh"
    )
    heat_tco2e_per_gj: Decimal | None = _number("conventional heat that green heat displaces", "t CO2e/GJ")
    organisation: str = _text("organisation; empty throughout: one organisation")
    relation: str = _text("how the organisation is related to the issuer (own, controlled subsidiary)")
    scope_statement: str = _text("the managed scope, as stated for a controlled subsidiary")


class LotRow(Row):
    """Credits: certified input, green energy, project effects (A5.1.2, A5.2)."""

    KEY = ("lot",)
    lot: str = _text("name of the lot", default=...)
    kind: LotKind = _text("what kind of credit", default=...)
    category: str = _text("category, as in `alloys` for material", default=...)
    site: str = _text("site that received it", default=..., of="sites.site")
    received: date = _text("day it was bought or brought in", default=...)
    used: date | None = _text("day it was used; it is available from then, else from receipt", default=None)
    expires: date | None = _text("last day of use; empty: the rule model's default", default=None)
    quantity: Decimal = _quantity("quantity in the lot's unit", "uom")
    uom: Uom = _text("unit: t for material, MWh or GJ for energy, tCO2e for project", default=...)
    intensity_tco2e_per_uom: Decimal | None = _number(
        "GHG intensity of the lot; empty: it reduces nothing", "t CO2e/uom"
    )
    displaced_tco2e_per_uom: Decimal | None = _number(
        "what it displaced; empty: the unit's mean metal, or the site's energy", "t CO2e/uom"
    )
    green_share: Decimal | None = _share("green share of its mass")
    recycled_pre: Decimal | None = _share("pre-consumer recycled share of its mass (A1.2)")
    recycled_post: Decimal | None = _share("post-consumer recycled share of its mass (A1.2)")
    scopes: str = _text(
        "scopes of its reduction: 3 for material; one for energy (default 2 for MWh, 1 for GJ); "
        "`1`, `2`, `3`, `1+2` ... for projects",
        form="scopes",
    )
    scheme: str = _text("certification scheme")
    certificate: str = _text("certificate of its burden")
    evidence: str = _text("evidence of purchase, use and burden")
    project: str = _text("the project it comes from", of="projects.project")
    origin: str = _text("lots of one origin are one thing measured in several ways")
    unit_cost: Decimal = _money("cost of using one unit", "currency/uom", default=Decimal(0))
    gas: Gas = _text("gases of its effect", default="GHG")


class AlloyRow(Row):
    """Which category an alloy can be made from; a pair that is not listed is not feasible (A5.1.2C)."""

    KEY = ("alloy", "category")
    alloy: str = _text("alloy", default=...)
    category: str = _text("category of material lots", default=...)
    max_share: Decimal = _share("largest share of the product's mass", default=...)


class CompositionRow(Row):
    """Composition of lots, categories and of the base metal that fills the rest (A5.1.2C)."""

    KEY = ("key", "element")
    OPTIONAL = True
    key: str = _text("a lot, else (element by element) its category; `base:ALLOY`, else `base`", default=...)
    element: str = _text("element", default=...)
    wt_pct: Decimal = _number("content", "wt %", default=..., high=100)


class AlloyLimitRow(Row):
    """Limits of an alloy's elements (A5.1.2C)."""

    KEY = ("alloy", "element")
    OPTIONAL = True
    alloy: str = _text("alloy", default=...)
    element: str = _text("element", default=...)
    max_wt_pct: Decimal | None = _number("largest content; empty: no upper limit", "wt %", high=100)
    min_wt_pct: Decimal | None = _number("least content: recorded, reached by alloying", "wt %", high=100)


class ProductRow(Row):
    """Products with their intensity, improvements taken out (A3.1, J3.1)."""

    KEY = ("product",)
    product: str = _text("name of the product", default=...)
    name: str = _text("name for people", default=...)
    alloy: str = _text("its alloy", default=..., of="alloys.alloy")
    site: str = _text("site that makes it", default=..., of="sites.site")
    s1: Decimal = _number("scope 1, improvements taken out", "t CO2e/t", default=...)
    s2: Decimal = _number("scope 2, improvements taken out", "t CO2e/t", default=...)
    s3: Decimal = _number("scope 3, improvements taken out", "t CO2e/t", default=...)
    metal_tco2e_per_t: Decimal | None = _number(
        "conventional input metal that a green lot displaces, per t of input", "t CO2e/t"
    )
    t_product_per_t_input: Decimal = Field(
        Decimal(1),
        gt=0,
        le=1,
        description="product mass per t of input",
        json_schema_extra={"unit": "t/t"},
    )
    electricity_mwh_per_t: Decimal | None = _number("electricity used; empty: none", "MWh/t")
    heat_gj_per_t: Decimal | None = _number("heat used; empty: none", "GJ/t")
    measured_tco2e_per_t: Decimal | None = _number("measured, with the improvements in it", "t CO2e/t")
    verified_by: str = _text("who verified the intensity (A3.3, J3.3)")
    verified_on: date | None = _text("day of the verification", default=None)
    source: str = _text("source of the intensity")
    data_year: int | None = _number("year of the data", "year", low=1900, high=2200)
    gas: Gas = _text("gases in the intensity", default="GHG")


class ProductionRow(Row):
    """All that is made and shipped, ordered or not; a pair that is not listed is zero."""

    KEY = ("product", "period")
    product: str = _text("product", default=..., of="products.product")
    period: str = _text("period", default=..., of="periods.period")
    mass_t: Decimal = _quantity("mass shipped", "t")


class OrderRow(Row):
    """What customers want claimed, and what they pay for it."""

    KEY = ("order",)
    order: str = _text("name of the order", default=...)
    customer: str = _text("customer (need not be in `customers`)", default=...)
    product: str = _text("product", default=..., of="products.product")
    period: str = _text("period", default=..., of="periods.period")
    mass_t: Decimal = _quantity("mass ordered", "t")
    claim: Claim = _text("what is claimed", default=...)
    level: Decimal = _number("level: a share (0-1), or t CO2e per t", "1 or t CO2e/t", default=...)
    premium_per_t: Decimal = _money("price of the claim", "currency/t", default=...)
    priority: int = _number("rank of a firm order, 1 first", "rank", default=1, low=1, high=10**6)
    firm: bool = _text("is a shortfall to be avoided first", default=False)
    whole: bool = _text("all of its mass or none", default=False)
    min_fill: Decimal = _share("least part of its mass, or none", default=Decimal(0))
    schemes: str = _text("accepted schemes, `;` between; empty: all", form="schemes")


class OfferRow(Row):
    """Alternatives to an order's own terms; at most one is taken."""

    KEY = ("order", "offer")
    OPTIONAL = True
    order: str = _text("order", default=..., of="orders.order")
    offer: str = _text("name of the alternative", default=...)
    claim: Claim = _text("what is claimed", default=...)
    level: Decimal = _number("level: a share (0-1), or t CO2e per t", "1 or t CO2e/t", default=...)
    premium_per_t: Decimal = _money("price of the claim", "currency/t", default=...)


class ProjectRow(Row):
    """Improvement projects, one row per computation period (A5.2, J4.2)."""

    KEY = ("project", "computation_start")
    OPTIONAL = True
    project: str = _text("name of the project", default=...)
    computation_start: date = _text("first day of the computation", default=...)
    computation_end: date = _text("last day of the computation", default=...)
    name: str = _text("name for people")
    start: date | None = _text("day the project started", default=None)
    scopes: str = _text("scopes it reduces", form="scopes")
    additional: bool | None = _text("is it additional (J4.2.1)", default=None)
    baseline_method: str = _text("ISO 14064-1 (measured) or ISO 14064-2 (baseline), and how")
    verified_by: str = _text("who verified the effect")
    verified_on: date | None = _text("day of the verification", default=None)


class CustomerRow(Row):
    """Recipients, as documents name them (A6.1)."""

    KEY = ("customer",)
    OPTIONAL = True
    customer: str = _text("customer, as in `orders`", default=...)
    name: str = _text("identity")
    address: str = _text("address")
    contact: str = _text("contact")
    segment: str = _text("kind of customer, for minimum services and fair shares")


ROW_MODELS: dict[str, type[Row]] = {
    "periods": PeriodRow,
    "sites": SiteRow,
    "lots": LotRow,
    "alloys": AlloyRow,
    "composition": CompositionRow,
    "alloy_limits": AlloyLimitRow,
    "products": ProductRow,
    "production": ProductionRow,
    "orders": OrderRow,
    "offers": OfferRow,
    "projects": ProjectRow,
    "customers": CustomerRow,
}


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Issuer(_Section):
    """Who issues claims (A6.1)."""

    name: str = ""
    address: str = ""
    contact: str = ""


def _is_day(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


class Assurance(_Section):
    """Who has assured what, at which level and when (A3.3, A6.2). date: ISO."""

    subject: str = ""
    body: str = ""
    level: str = ""
    date: str = ""

    @field_validator("date")
    @classmethod
    def _exists(cls, value: str) -> str:
        if value and (len(value) != 10 or not _is_day(value)):
            raise ValueError("a date that exists, as YYYY-MM-DD")
        return value


class Settings(_Section):
    """`case.toml` without `rules`, which a rule model and its `free` list decide about."""

    name: str = ""
    currency: str = ""
    fiscal_year_start: int = Field(4, ge=1, le=12)
    issuer: Issuer = Field(default_factory=Issuer)
    assurance: list[Assurance] = Field(default_factory=list)
    objective: ObjectiveSettings = Field(default_factory=ObjectiveSettings)


@dataclass(frozen=True)
class ColumnSpec:
    """A column as data.

    words: the words of a `word` column; low, high: inclusive range; above: exclusive lower end
    (None where the other end holds); default: as text, None = not given; of: (table, column) it
    refers to.
    """

    name: str
    kind: ColumnKind
    required: bool
    unit: str
    meaning: str
    words: tuple[str, ...]
    low: int | None
    high: int | None
    above: int | None
    default: str | None
    of: tuple[str, str] | None

    @property
    def range_text(self) -> str:
        """The range in words: 'a number from 0 to 1'."""
        what = "a whole number" if self.kind == "whole" else "a number"
        start = f"above {self.above}" if self.above is not None else f"from {self.low}"
        return f"{what} {start} to {self.high}"


@dataclass(frozen=True)
class TableSpec:
    """A table as data: its columns in the order of the interface."""

    name: str
    meaning: str
    key: tuple[str, ...]
    optional: bool
    columns: dict[str, ColumnSpec]


def _kind(annotation: Any, form: str) -> tuple[ColumnKind, tuple[str, ...]]:
    """Column kind and words of a field's type."""
    if form in ("scopes", "schemes"):
        return typing.cast("ColumnKind", form), ()
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        annotation = next(a for a in typing.get_args(annotation) if a is not type(None))
    if typing.get_origin(annotation) is Literal:
        return "word", typing.get_args(annotation)
    kinds: dict[type, ColumnKind] = {str: "text", Decimal: "number", int: "whole", date: "date", bool: "flag"}
    return kinds[annotation], ()


def _limit(field: FieldInfo, name: str) -> int | None:
    """The limit `ge`, `le` or `gt` of a field, where it has one."""
    return next((getattr(m, name) for m in field.metadata if hasattr(m, name)), None)


def _default_text(default: object) -> str | None:
    if default is None or default == "":
        return None
    return str(default).lower() if isinstance(default, bool) else str(default)


def _column(name: str, field: FieldInfo) -> ColumnSpec:
    extra = typing.cast("dict[str, str]", field.json_schema_extra)
    kind, words = _kind(field.annotation, extra.get("form", ""))
    table, _, column = extra.get("of", "").partition(".")
    return ColumnSpec(
        name=name,
        kind=kind,
        required=field.is_required(),
        unit=extra["unit"],
        meaning=field.description or "",
        words=words,
        low=_limit(field, "ge"),
        high=_limit(field, "le"),
        above=_limit(field, "gt"),
        default=None if field.is_required() else _default_text(field.default),
        of=(table, column) if table else None,
    )


def table_spec(name: str, model: type[Row]) -> TableSpec:
    """A table's model as data."""
    columns = {column: _column(column, field) for column, field in model.model_fields.items()}
    return TableSpec(name, model.__doc__ or "", model.KEY, model.OPTIONAL, columns)


TABLE_SPECS: dict[str, TableSpec] = {name: table_spec(name, model) for name, model in ROW_MODELS.items()}


class ReservationRow(Row):
    """Quotes held for a customer until a day: a table of its own beside cases, not one of a case."""

    KEY = ("reservation",)
    reservation: str = _text("name of the reservation", default=...)
    customer: str = _text("for whom it is held", default=...)
    product: str = _text("product", default=...)
    period: str = _text("period", default=...)
    mass_t: Decimal = _quantity("mass held, in whole grams", "t")
    claim: Claim = _text("what is claimed", default=...)
    level: Decimal = _number("level: a share (0-1), or t CO2e per t", "1 or t CO2e/t", default=...)
    premium_per_t: Decimal | None = _money("price of the claim as offered; empty: none named", "currency/t")
    schemes: str = _text("accepted schemes, `;` between; empty: all", form="schemes")
    made_on: date = _text("first day on which it counts", default=...)
    until: date = _text("last day on which it counts", default=...)
    released_on: date | None = _text("day from which it counts no more", default=None)
    order: str = _text("the order that it became")


RESERVATION_SPEC = table_spec("reservations", ReservationRow)
