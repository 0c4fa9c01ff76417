"""Checks across tables: production, base metals, projects."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import numpy as np

from massbalance.domain.grid import (
    GRID_DECIMALS,
    INT64_SAFE,
    Column,
    IntArray,
    as_python_ints,
    decimal_text,
    peak,
    shrink,
)
from massbalance.domain.rulemodel import Rules
from massbalance.intake.cells import Mask, positions
from massbalance.intake.checks import Drafts
from massbalance.intake.draft import Draft, Positions
from massbalance.intake.log import Log
from massbalance.intake.names import code


def on_grid(column: Column) -> tuple[IntArray, Mask]:
    """Millionths, rounded down, and which values that cut."""
    if column.decimals <= GRID_DECIMALS:
        return column.at(GRID_DECIMALS), np.zeros(len(column), dtype=bool)
    step = 10 ** (column.decimals - GRID_DECIMALS)
    values = column.values if step < INT64_SAFE else as_python_ints(column.values)
    return shrink(values // step), np.asarray(values % step != 0, dtype=bool)


def check_case(drafts: Drafts, rules: Rules | None, fiscal_year_start: int, log: Log) -> None:
    """Every check across tables that needs no effect of a lot. Faults are logged."""
    check_production(drafts, rules, log)
    check_base_metal(drafts, rules, log)
    if rules is not None:
        check_projects(drafts, rules, fiscal_year_start, log)


# ---- orders within production ------------------------------------------------------------------


def check_production(drafts: Drafts, rules: Rules | None, log: Log) -> None:
    """Orders of a product and period stay within its production; the first order beyond it is the fault."""
    orders, made = drafts["orders"], drafts["production"]
    columns = ("product", "period", "mass_t")
    if not (made.complete and made.has(*columns) and orders.has(*columns)) or not len(orders):
        return
    rows = np.flatnonzero(np.logical_and.reduce([orders.known(c) for c in columns]))
    pair, pairs = _pairs(orders, made, rows)
    order = np.argsort(pair, kind="stable")
    rows, pair = rows[order], pair[order]
    limit, certain = _produced(made, pairs, int(pair.max(initial=-1)) + 1)
    starts = np.searchsorted(pair, np.arange(len(limit) + 1))
    mass = on_grid(orders.exact("mass_t"))[0][rows]
    if mass.dtype != object and peak(mass) * len(mass) >= INT64_SAFE:
        mass = as_python_ints(mass)
    running = np.concatenate([[0], np.cumsum(mass)])
    ordered = running[starts[1:]] - running[starts[:-1]]
    name = code("orders_within_production", rules)
    for i in np.flatnonzero(np.asarray(ordered > limit, dtype=bool) & certain):
        within = running[starts[i] + 1 : starts[i + 1] + 1] - running[starts[i]]
        beyond = rows[starts[i] + int(np.argmax(within > limit[i]))]
        what = ", ".join(orders.columns[c].cells.at(int(beyond)) for c in columns[:2])
        expected = (
            f"at most the production of {what}, {decimal_text(int(limit[i]))} t, "
            f"for its orders together (they are {decimal_text(int(ordered[i]))} t)"
        )
        orders.fault(log, np.array([beyond]), "mass_t", expected, name)


def _pairs(orders: Draft, made: Draft, rows: Positions) -> tuple[Positions, Positions]:
    """Number of each order's (product, period) among those ordered; the same (or -1) of production rows."""
    mine, theirs = np.zeros(len(rows), np.int64), np.zeros(len(made), np.int64)
    unordered = np.zeros(len(made), dtype=bool)
    for column in ("product", "period"):
        cells, other = orders.columns[column].cells, made.columns[column].cells
        known = positions(other.words, cells.words)[other.codes]
        unordered |= known < 0
        mine = mine * len(cells.words) + cells.codes[rows]
        theirs = theirs * len(cells.words) + known
    distinct, number = np.unique(mine, return_inverse=True)
    if len(distinct) == 0:
        return number, np.full(len(made), -1)
    found = np.minimum(np.searchsorted(distinct, theirs), len(distinct) - 1)
    return number, np.where(unordered | (distinct[found] != theirs), -1, found)


def _produced(made: Draft, pairs: Positions, count: int) -> tuple[IntArray, Mask]:
    """Production in millionths of a t of each pair ordered (0 where none), and whether it is certain.

    A row whose product or period is wrong may be the one that a pair lacks.
    """
    limit = np.zeros(count, dtype=np.int64)
    certain = np.zeros(count, dtype=bool)
    ordered = pairs >= 0
    limit[pairs[ordered]] = on_grid(made.exact("mass_t"))[0][ordered]
    certain[pairs[ordered]] = True
    if bool(np.all(made.known("product") & made.known("period"))):
        certain[:] = True
    certain[pairs[ordered & made.dropped]] = False
    return limit, certain


# ---- base metals -------------------------------------------------------------------------------


def check_base_metal(drafts: Drafts, rules: Rules | None, log: Log) -> None:
    """The metal that fills the rest of an alloy (`base:ALLOY`, else `base`) keeps the alloy's limits."""
    composition, limits = drafts["composition"], drafts["alloy_limits"]
    if not (composition.has("key", "element", "wt_pct") and limits.has("alloy", "element", "max_wt_pct")):
        return
    base = base_metal(composition)
    most = limits.exact("max_wt_pct")
    name = code("base_metal_within_limits", rules)
    broken: dict[int, str] = {}
    alloys, elements = limits.texts("alloy"), limits.texts("element")
    for i in np.flatnonzero(most.given & ~limits.dropped):
        found = base.get((f"base:{alloys[i]}", elements[i]), base.get(("base", elements[i])))
        if found is not None and found[1] > most.fraction(int(i)):
            row = found[0]
            limit = decimal_text(int(most.values[i]), most.decimals)
            broken.setdefault(row, f"at most {limit} wt % {elements[i]}, the limit of `{alloys[i]}`")
    for row, expected in sorted(broken.items()):
        composition.fault(log, np.array([row]), "wt_pct", expected, name)


def base_metal(composition: Draft) -> dict[tuple[str, str], tuple[int, Fraction]]:
    """(`base` or `base:ALLOY`, element) -> row and wt %, of the sound rows."""
    rows = np.flatnonzero(composition.known("wt_pct") & ~composition.dropped)
    content = composition.exact("wt_pct")
    keys, elements = composition.texts("key"), composition.texts("element")
    return {
        (keys[i], elements[i]): (int(i), content.fraction(int(i)))
        for i in rows
        if keys[i] == "base" or keys[i].startswith("base:")
    }


# ---- projects ----------------------------------------------------------------------------------


def check_projects(drafts: Drafts, rules: Rules, fiscal_year_start: int, log: Log) -> None:
    """J4.2.2: start, length and verification of every project that a project lot comes from."""
    lots, projects = drafts["lots"], drafts["projects"]
    if not (lots.has("project", "kind") and projects.has("project", "computation_start")):
        return
    cells = lots.columns["project"].cells
    named = cells.present(lots.is_word("kind", "project"))
    own = projects.columns["project"].cells
    concerned = (positions(own.words, named) >= 0)[own.codes]
    days = [projects.dates(c) for c in ("start", "computation_start", "computation_end", "verified_on")]
    for row in np.flatnonzero(concerned):
        _check_project(projects, int(row), [d[row].item() for d in days], rules, fiscal_year_start, log)


def _check_project(
    projects: Draft, row: int, days: list[date | None], rules: Rules, fiscal_year_start: int, log: Log
) -> None:
    """days: start, computation_start, computation_end, verified_on; None = not given."""
    asked, at = rules.model.projects, np.array([row])
    start, first, last, verified = days
    if asked.earliest_start != "any":
        earliest = date.fromisoformat(asked.earliest_start)
        for column, day in (("start", start), ("computation_start", first)):
            if day is not None and day < earliest:
                name = code("project_start_not_before_2013", rules)
                projects.fault(log, at, column, f"a day not before {earliest}", name)
                break
    if asked.max_computation_months != "unlimited" and first and last:
        months = asked.max_computation_months
        if (last.year * 12 + last.month - months, last.day) >= (first.year * 12 + first.month, first.day):
            name = code("project_computation_at_most_12_months", rules)
            projects.fault(log, at, "computation_end", f"at most {months} months from {first}", name)
    if asked.ends_before_fiscal_year_of_verification and last and verified:
        begins = fiscal_year(verified, fiscal_year_start)
        if last >= begins:
            name = code("project_ends_before_verification_year", rules)
            expected = (
                f"a day before {begins}, when the financial year of its verification ({verified}) begins"
            )
            projects.fault(log, at, "computation_end", expected, name)


def fiscal_year(day: date, first_month: int) -> date:
    """First day of the financial year in which the day lies."""
    return date(day.year if day.month >= first_month else day.year - 1, first_month, 1)
