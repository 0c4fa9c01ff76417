"""Warnings: what lets a case run and yet ought to be known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from massbalance.domain.case import Case, Table
from massbalance.domain.effects import Effects, windows
from massbalance.domain.faults import Fault
from massbalance.domain.grid import Column, as_python_ints, decimal_text
from massbalance.intake.build import Built, floored
from massbalance.intake.demand import Demand, row_of
from massbalance.intake.draft import Positions
from massbalance.intake.names import code
from massbalance.intake.usable import NO_ORDERS, without_use

ONE_BY_ONE = 20
"""Up to this many rows a warning names each; beyond, the first and their number."""


@dataclass(frozen=True)
class _Rows:
    """Makes warnings about rows of one table."""

    table: Table

    def warn(
        self, rows: Positions | list[int], column: str, values: Sequence[str], expected: str, name: str
    ) -> Iterator[Fault]:
        """One per row, or one for all; rows: positions in the table, values: beside them."""
        if len(rows) > ONE_BY_ONE:
            expected = f"{expected} (so in {len(rows)} of {len(self.table)} rows; this is the first)"
            rows, values = rows[:1], values[:1]
        for row, value in zip(rows, values, strict=True):
            at = int(self.table.source_row[row])
            yield Fault(self.table.name, at, column, value, expected, name, "warning")


def table_warnings(built: dict[str, Built], case: Case) -> Iterator[Fault]:
    """Warnings that one table tells, also of a case with errors elsewhere."""
    for table in built.values():
        yield from floored(table, ONE_BY_ONE)
    yield from _dates_of_lots(case)
    yield from _units(case)
    yield from _composition_sums(case)


def _dates_of_lots(case: Case) -> Iterator[Fault]:
    lots, rows = case.lots, _Rows(case.lots)
    names = lots.rows["lot"]
    empty = np.flatnonzero(np.isnat(lots.days("expires")))
    months = case.rules.parameters.expiry_months
    default = "they do not expire" if months == "unlimited" else f"{months} months from receipt"
    expected = f"the day the lot expires (by default: {default})"
    yield from rows.warn(
        empty, "expires", list(names.iloc[empty]), expected, code("expiry_given", case.rules)
    )
    early = np.flatnonzero(lots.days("used") < lots.days("received"))
    expected = "a day not before receipt"
    values = [str(day) for day in lots.days("used")[early]]
    yield from rows.warn(early, "used", values, expected, code("used_after_receipt", case.rules))


def _units(case: Case) -> Iterator[Fault]:
    """A4.2.2: an accounting unit lies inside one organisation."""
    first: dict[str, str] = {}
    found = []
    for i, (unit, organisation) in enumerate(
        zip(case.sites.text("unit"), case.sites.text("organisation"), strict=True)
    ):
        if first.setdefault(unit, organisation) != organisation:
            found.append(i)
    expected = "a unit of one organisation: units of this name in two organisations are two units"
    values = list(case.sites.rows["unit"].iloc[found])
    yield from _Rows(case.sites).warn(
        found, "unit", values, expected, code("unit_in_one_organisation", case.rules)
    )


def _composition_sums(case: Case) -> Iterator[Fault]:
    composition = case.composition
    content = composition.exact["wt_pct"]
    totals: dict[str, int] = {}
    found: dict[str, int] = {}
    for i, (key, value) in enumerate(
        zip(composition.text("key"), as_python_ints(content.values), strict=True)
    ):
        totals[key] = totals.get(key, 0) + value
        if totals[key] > 100 * 10**content.decimals:
            found.setdefault(key, i)
    values = [f"{key}: {decimal_text(totals[key], content.decimals)}" for key in found]
    expected = "contents of at most 100 wt % together"
    yield from _Rows(composition).warn(
        list(found.values()), "wt_pct", values, expected, "composition_over_100"
    )


def case_warnings(case: Case, built: dict[str, Built], ordered: Demand) -> Iterator[Fault]:
    """Warnings that need the whole case, without errors."""
    effects = Effects(case)
    yield from _lots_without_use(case, effects, ordered)
    yield from _nothing_displaced(case, effects)
    yield from _compositions(case)
    yield from _claims_without_need(case, built)


def _lots_without_use(case: Case, effects: Effects, ordered: Demand) -> Iterator[Fault]:
    names = case.lots.rows["lot"]
    for reason, lots in without_use(case, effects, windows(case), ordered).items():
        if reason == NO_ORDERS:
            expected = f"{NO_ORDERS}: no lot can be used"
            yield Fault("orders", None, "", "", expected, "lot_without_use", "warning")
        else:
            yield from _Rows(case.lots).warn(lots, "lot", list(names.iloc[lots]), reason, "lot_without_use")


def _nothing_displaced(case: Case, effects: Effects) -> Iterator[Fault]:
    lots = case.lots
    unknown = lots.exact["intensity_tco2e_per_uom"].given & ~effects.displaced.given & ~effects.is_project
    rows = np.flatnonzero(unknown)
    expected = (
        "what the lot displaced, here, by its unit's products or by its site: without it, it reduces nothing"
    )
    values = list(lots.rows["lot"].iloc[rows])
    yield from _Rows(lots).warn(rows, "displaced_tco2e_per_uom", values, expected, "nothing_displaced")


# ---- composition -------------------------------------------------------------------------------


def _compositions(case: Case) -> Iterator[Fault]:
    """Where elements are limited but a composition is not known."""
    limits = case.alloy_limits
    limited: dict[str, set[str]] = {}
    given = limits.exact["max_wt_pct"].given
    for alloy, element, is_given in zip(limits.text("alloy"), limits.text("element"), given, strict=True):
        if is_given:
            limited.setdefault(alloy, set()).add(element)
    elements: dict[str, set[str]] = {}
    for key, element in zip(case.composition.text("key"), case.composition.text("element"), strict=True):
        elements.setdefault(key, set()).add(element)
    yield from _lots_without_composition(case, limited, elements)
    yield from _base_without_composition(case, limited, elements)
    yield from _unknown_keys(case)


def _lots_without_composition(
    case: Case, limited: dict[str, set[str]], elements: dict[str, set[str]]
) -> Iterator[Fault]:
    asked: dict[str, set[str]] = {}
    for alloy, category in zip(case.alloys.text("alloy"), case.alloys.text("category"), strict=True):
        asked.setdefault(category, set()).update(limited.get(alloy, ()))
    lots = case.lots
    found: dict[tuple[str, str], list[int]] = {}
    columns = (lots.text("lot"), lots.text("kind"), lots.text("category"))
    for i, (lot, kind, category) in enumerate(zip(*columns, strict=True)):
        if kind == "material" and asked.get(category):
            lacking = asked[category] - elements.get(lot, set()) - elements.get(category, set())
            if lacking:
                found.setdefault((category, ", ".join(sorted(lacking))), []).append(i)
    for (category, unknown), rows in found.items():
        names = lots.rows["lot"].iloc[rows]
        expected = (
            f"the composition of the lot or of its category `{category}` in {unknown}: "
            f"it is not limited by what is not given"
        )
        yield from _Rows(lots).warn(rows, "lot", list(names), expected, "no_composition")


def _base_without_composition(
    case: Case, limited: dict[str, set[str]], elements: dict[str, set[str]]
) -> Iterator[Fault]:
    used = set(case.products.text("alloy"))
    rows: list[int] = []
    values: list[str] = []
    first = {alloy: i for i, alloy in reversed(list(enumerate(case.alloy_limits.text("alloy"))))}
    for alloy in sorted(set(limited) & used):
        lacking = limited[alloy] - elements.get(f"base:{alloy}", set()) - elements.get("base", set())
        if lacking:
            rows.append(first[alloy])
            values.append(f"{alloy}: {', '.join(sorted(lacking))}")
    expected = "the composition of the base metal (`base:ALLOY` or `base`) in these elements: it counts as 0"
    yield from _Rows(case.alloy_limits).warn(rows, "element", values, expected, "base_composition")


def _unknown_keys(case: Case) -> Iterator[Fault]:
    known = set(case.lots.text("lot")) | set(case.lots.text("category")) | set(case.alloys.text("category"))
    rows: dict[str, int] = {}
    for i, key in enumerate(case.composition.text("key")):
        if key not in known and key != "base" and not key.startswith("base:"):
            rows.setdefault(key, i)
    expected = "a lot or category of this case, `base` or `base:ALLOY`: nothing else has this composition"
    yield from _Rows(case.composition).warn(
        list(rows.values()), "key", list(rows), expected, "unknown_composition_key"
    )


# ---- claims ------------------------------------------------------------------------------------


def _claims_without_need(case: Case, built: dict[str, Built]) -> Iterator[Fault]:
    """CFP claims at or above the product's intensity before the claim."""
    exact = case.products.exact
    baseline = exact["s1"].plus(exact["s2"]).plus(exact["s3"])
    at_product = row_of(built["orders"], "product", built["products"])
    yield from _without_need(case.orders, baseline.take(at_product))
    at_order = row_of(built["offers"], "order", built["orders"])
    yield from _without_need(case.offers, baseline.take(at_product[at_order]))


def _without_need(table: Table, baseline: Column) -> Iterator[Fault]:
    level = table.exact["level"]
    need = baseline.minus(level)
    rows = np.flatnonzero(
        (table.rows["claim"] == "cfp").to_numpy(dtype=bool) & np.asarray(need.values <= 0, bool)
    )
    values = [decimal_text(int(level.values[i]), level.decimals) for i in rows[: ONE_BY_ONE + 1]]
    expected = "a CFP below the product's intensity: this claim needs no credit"
    if len(rows) > ONE_BY_ONE:
        values = values[:1] * len(rows)
    yield from _Rows(table).warn(rows, "level", values, expected, "claim_needs_no_credit")
