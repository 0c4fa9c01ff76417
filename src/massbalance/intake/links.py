"""References between tables, and which rows are left when their targets are not sound."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from massbalance.domain.case import TABLES
from massbalance.domain.rulemodel import Rules
from massbalance.domain.schema import ColumnSpec
from massbalance.intake.cells import contains, matches
from massbalance.intake.checks import Drafts
from massbalance.intake.draft import Draft
from massbalance.intake.log import Log
from massbalance.intake.names import code

# Each table after those it refers to.
_ORDER = (
    "periods", "sites", "alloys", "projects", "customers", "products", "lots", "production", "orders",
    "offers", "composition", "alloy_limits",
)  # fmt: skip
assert set(_ORDER) == set(TABLES)  # noqa: S101 - both lists name every table


def check_links(drafts: Drafts, rules: Rules | None, log: Log) -> None:
    """References to nothing are faults; rows that refer to a dropped row are dropped quietly.

    A table that could not be read as a whole proves nothing about references into it.
    """
    _check_projects_exist(drafts, rules, log)
    for name in _ORDER:
        table = drafts[name]
        for column in table.spec.columns.values():
            if column.of is not None and _is_checked(drafts, name, column.name, rules):
                rule = code("project_row_required", rules) if _needs_project(column, rules) else ""
                _check_reference(table, column.name, drafts[column.of[0]], rule, log)
    _check_alloy_names(drafts, log)


def _is_checked(drafts: Drafts, table: str, column: str, rules: Rules | None) -> bool:
    """Optional `projects` may be left out; alloys say nothing where no material is taken or listed."""
    if (table, column) == ("lots", "project"):
        return drafts["projects"].present
    if (table, column) == ("products", "alloy"):
        takes_material = rules is None or "material" in rules.parameters.kinds
        return takes_material and len(drafts["alloys"]) > 0
    return True


def _needs_project(column: ColumnSpec, rules: Rules | None) -> bool:
    return column.of == ("projects", "project") and rules is not None and rules.model.projects.row_required


def _check_reference(table: Draft, column: str, target: Draft, rule: str, log: Log) -> None:
    if not table.has(column):
        return
    cells, key = table.columns[column].cells, target.spec.key[0]
    if target.complete and (target.has(key) or not target.present):
        known = target.columns[key].cells.words if target.has(key) else pa.array([], pa.large_string())
        unknown = ~contains(cells.words, known)[cells.codes] & table.known(column)
        table.fault(
            log, unknown, column, f"a name that table `{target.name}` lists", rule or "unknown_reference"
        )
    if target.has(key):
        sound = target.columns[key].cells.present(~target.dropped)
        table.dropped |= ~contains(cells.words, sound)[cells.codes] & ~cells.blank
    else:
        table.dropped |= ~cells.blank


def _check_projects_exist(drafts: Drafts, rules: Rules | None, log: Log) -> None:
    """J4.2.1: every project lot has its row in `projects`, where the rule model asks for it."""
    lots, projects = drafts["lots"], drafts["projects"]
    if rules is None or not rules.model.projects.row_required:
        return
    project_lots = lots.is_word("kind", "project")
    name = code("project_row_required", rules)
    expected = "a name that table `projects` lists"
    if not lots.has("project"):
        lots.fault(log, project_lots, "project", expected, name)
        return
    cells = lots.columns["project"].cells
    lots.fault(log, project_lots & cells.blank, "project", expected, name)
    if not projects.present and projects.complete:
        lots.fault(log, project_lots & ~cells.blank, "project", expected, name)


def _check_alloy_names(drafts: Drafts, log: Log) -> None:
    """`alloy_limits` and `base:ALLOY` name an alloy that `alloys` lists or a product is made of."""
    alloys, products = drafts["alloys"], drafts["products"]
    if not (alloys.complete and products.complete and alloys.has("alloy") and products.has("alloy")):
        return
    known = pa.concat_arrays([alloys.columns["alloy"].cells.words, products.columns["alloy"].cells.words])
    limits, composition = drafts["alloy_limits"], drafts["composition"]
    if limits.has("alloy"):
        cells = limits.columns["alloy"].cells
        unknown = ~contains(cells.words, known)[cells.codes] & limits.known("alloy")
        limits.fault(
            log, unknown, "alloy", "an alloy that `alloys` lists or a product is made of", "unknown_reference"
        )
    if composition.has("key"):
        cells = composition.columns["key"].cells
        named = matches(cells.words, r"^base:")
        alloy = pc.replace_substring_regex(cells.words, r"^base:", "")
        unknown = (named & ~contains(alloy, known))[cells.codes] & composition.known("key")
        expected = "`base:ALLOY` with an alloy that `alloys` lists or a product is made of"
        composition.fault(log, unknown, "key", expected, "unknown_reference")
