"""Missing evidence, clause by clause: what a rule model asks to be recorded.

A clause with treatment `evidence` names what is recorded: `table.column`, `case.issuer` or
`case.assurance`. What is missing is one warning per clause and table. A required column and one
with a default is always there; `products.measured_tco2e_per_t` is recorded where it exists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from massbalance.domain.faults import Fault
from massbalance.domain.rulemodel import Clause, Rules
from massbalance.domain.schema import TABLE_SPECS, Assurance, Issuer
from massbalance.intake.build import Built
from massbalance.intake.cells import Mask

PROOFS = ("scheme", "certificate", "evidence")
"""Either of these columns of a lot shows where it comes from."""
_OPTIONAL_FIGURES = {("products", "measured_tco2e_per_t")}


def missing_evidence(
    built: dict[str, Built], settings: dict[str, Any], rules: Rules, skipped: set[str]
) -> Iterator[Fault]:
    """Warnings for every clause of the rule model. skipped: tables that could not be read as a whole."""
    for clause in rules.model.clauses:
        if "evidence" not in clause.treatment:
            continue
        asked: dict[str, list[str]] = {}
        for item in clause.by:
            table, _, column = item.partition(".")
            if table == "case" or column in TABLE_SPECS.get(table, TABLE_SPECS["periods"]).columns:
                asked.setdefault(table, []).append(column)
        for table, columns in asked.items():
            if table == "case":
                yield from _settings(clause.code, columns, settings)
            elif table not in skipped:
                yield from _Table(built, clause, rules).missing(table, columns)


def _settings(code: str, sections: list[str], settings: dict[str, Any]) -> Iterator[Fault]:
    """What `[issuer]` and `[[assurance]]` do not say."""
    if "issuer" in sections:
        issuer = settings.get("issuer", {})
        lacking = [key for key in Issuer.model_fields if not (isinstance(issuer, dict) and issuer.get(key))]
        if lacking:
            expected = f"[issuer] with its {', '.join(lacking)}"
            yield Fault("case", None, f"issuer.{lacking[0]}", "", expected, code, "warning")
    if "assurance" in sections:
        blocks = settings.get("assurance", [])
        if not blocks:
            expected = "[[assurance]] with subject, body, level and date of who assured what"
            yield Fault("case", None, "assurance", "", expected, code, "warning")
        for i, block in enumerate(blocks if isinstance(blocks, list) else []):
            lacking = [
                key for key in Assurance.model_fields if isinstance(block, dict) and not block.get(key)
            ]
            if lacking:
                expected = f"an assurance with its {', '.join(lacking)}"
                yield Fault("case", None, f"assurance.{i}.{lacking[0]}", "", expected, code, "warning")


class _Table:
    """One clause's evidence in one table."""

    def __init__(self, built: dict[str, Built], clause: Clause, rules: Rules) -> None:
        self.built = built
        self.code = clause.code
        about_projects = any(item.startswith("projects.") for item in clause.by)
        self.kinds: tuple[str, ...] = rules.parameters.kinds
        if about_projects:
            self.kinds = ("project",)
        elif set(self.kinds) != {"project"}:
            self.kinds = ("material", "energy")

    def missing(self, table: str, columns: list[str]) -> Iterator[Fault]:
        """At most one warning, with the columns, the number of rows and the first of them."""
        special: dict[str, Callable[[str], Mask]] = {"sites": self._site, "lots": self._lot}
        find = special.get(table, self.built[table].blank)
        if table == "customers":
            yield from self._customers(columns)
            return
        if table == "projects":
            yield from self._lots_without_project()
        lacking: dict[str, Mask] = {}
        for column in columns:
            spec = TABLE_SPECS[table].columns[column]
            if not spec.required and spec.default is None and (table, column) not in _OPTIONAL_FIGURES:
                rows = find(column)
                if rows.any():
                    name = "evidence" if table == "lots" and column in PROOFS else column
                    lacking[name] = rows
        if lacking:
            yield self._fault(table, lacking)

    def _fault(self, table: str, lacking: dict[str, Mask]) -> Fault:
        rows = np.flatnonzero(np.logical_or.reduce(list(lacking.values())))
        built = self.built[table].table
        key = str(built.rows.iloc[int(rows[0]), 0])
        said = " and ".join(
            "a certificate, scheme or evidence" if table == "lots" and c in PROOFS else f"`{c}`"
            for c in lacking
        )
        where = f"missing in {len(rows)} of {len(built)} rows, first in `{key}`"
        row = int(built.source_row[rows[0]])
        return Fault(table, row, ", ".join(lacking), "", f"{said} recorded ({where})", self.code, "warning")

    def _site(self, column: str) -> Mask:
        """Relation and scope are asked where there is more than one organisation, or a relation is given."""
        sites = self.built["sites"]
        empty = sites.blank(column)
        names = set(sites.table.text("organisation"))
        if column == "organisation":
            return empty & (len(names) > 1)
        if len(names) > 1:
            return empty
        if column == "scope_statement":
            return empty & ~sites.blank("relation")
        return np.zeros(len(empty), dtype=bool)

    def _lot(self, column: str) -> Mask:
        """Lots of the clause's kinds; one proof will do; recycled content where it is claimed."""
        lots = self.built["lots"]
        concerned = np.isin(lots.table.text("kind"), self.kinds)
        if column in PROOFS:
            return concerned & np.logical_and.reduce([lots.blank(c) for c in PROOFS])
        if column in ("recycled_pre", "recycled_post"):
            claimed = {"recycled_share", "post_consumer_share"} & self._claims()
            neither = lots.blank("recycled_pre") & lots.blank("recycled_post")
            material = lots.table.text("kind") == "material"
            return np.asarray(material & neither & bool(claimed), dtype=bool)
        return np.asarray(concerned & lots.blank(column), dtype=bool)

    def _claims(self) -> set[str]:
        words: set[str] = set()
        for table in ("orders", "offers"):
            codes, texts = self.built[table].codes("claim")
            words |= {texts[i] for i in np.unique(codes)}
        return words

    def _customers(self, columns: list[str]) -> Iterator[Fault]:
        """Customers of orders that `customers` does not describe."""
        codes, words = self.built["orders"].codes("customer")
        ordering = {words[i] for i in np.unique(codes)}
        customers = self.built["customers"]
        blank = {column: customers.blank(column) for column in columns}
        said: dict[str, list[str]] = {}
        for i, name in enumerate(customers.table.text("customer")):
            said[name] = [column for column in columns if blank[column][i]]
        lacking = {name: said.get(name, columns) for name in sorted(ordering) if said.get(name, columns)}
        if lacking:
            first = next(iter(lacking))
            missing = [column for column in columns if any(column in some for some in lacking.values())]
            expected = (
                f"{', '.join(missing)} of every customer recorded "
                f"(missing for {len(lacking)} of {len(ordering)}, first for `{first}`)"
            )
            yield Fault("customers", None, ", ".join(missing), "", expected, self.code, "warning")

    def _lots_without_project(self) -> Iterator[Fault]:
        """Project lots whose project is not described at all."""
        lots, projects = self.built["lots"], self.built["projects"]
        described = set(projects.table.text("project"))
        rows = [
            i
            for i, (kind, project) in enumerate(
                zip(lots.table.text("kind"), lots.table.text("project"), strict=True)
            )
            if kind == "project" and project not in described
        ]
        if rows:
            first = str(lots.table.rows.iloc[rows[0], 0])
            expected = (
                f"a row of `projects` for each project lot ({len(rows)} lots have none, first `{first}`)"
            )
            row = int(lots.table.source_row[rows[0]])
            yield Fault("lots", row, "project", "", expected, self.code, "warning")
