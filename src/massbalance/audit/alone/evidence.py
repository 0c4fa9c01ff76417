"""evidence.csv: clause by clause of the rule model, what is recorded, by whom, when, and what is missing."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Set, Tuple

from massbalance.audit.alone.case import Case, Table, on_grid, read_table
from massbalance.audit.alone.entries import Entry
from massbalance.audit.alone.view import View, csv_bytes

EVIDENCE = (
    "clause", "title", "strength", "run", "table", "subject", "needed", "found", "who", "when", "level",
    "document", "status",
)  # fmt: skip
PRESENT, MISSING, STATEMENT, NOT_APPLICABLE = "present", "missing", "statement", "not applicable"
PROOFS = ("scheme", "certificate", "evidence")
"""One of these columns of a lot shows where it comes from."""
DEFAULTS = {("products", "gas"): "GHG", ("lots", "gas"): "GHG"}
TREATED = {
    "equation": "kept by every booked figure: recomputed by verify.py",
    "intake": "checked when the case was read",
    "books": "kept by the books: recomputed by verify.py",
    "statement": "stated",
    "scope": "not computed",
}
Line = Tuple[str, ...]


def evidence_csv(view: View) -> bytes:
    """evidence.csv over the runs of the pack; what a run's clause asks of whatever the periods touched."""
    lines: List[Line] = []
    for post in view.posts():
        lines += _Asked(view, post).lines()
    return csv_bytes(EVIDENCE, lines)


def _line(
    table: str, subject: str, needed: str, found: str, status: str,
    who: str = "", when: str = "", level: str = "", document: str = "",
) -> Line:  # fmt: skip
    return (table, subject, needed, found, who, when, level, document, status)


class _Asked:
    """One run, and the rows of its case that the pack's periods touch."""

    def __init__(self, view: View, post: Entry) -> None:
        self.case: Case = view.case(post)
        self.run = str(post.details.get("run", ""))[:12]
        case, periods = self.case, set(view.periods)
        moved = {
            row.commodity[len("lot:") :]
            for row in view.extract.rows
            if row.moves and row.period in periods and row.commodity.startswith("lot:")
        }
        made = {
            product for (product, period), mass in case.production().items() if mass and period in periods
        }
        orders = read_table(view.run_files(post).get("orders.csv"))
        self.claims = {
            row["claim"] for row in orders if row["period"] in periods and on_grid(row["claimed_t"])
        }
        self.rows: Dict[str, Table] = {
            "lots": [row for row in case.rows("lots") if row["lot"] in moved],
            "products": [row for row in case.rows("products") if row["product"] in made],
        }
        sites = {row["site"] for table in self.rows.values() for row in table}
        projects = {row.get("project", "") for row in self.rows["lots"]}
        customers = {r["customer"] for r in orders if r["period"] in periods and on_grid(r["claimed_t"])}
        self.rows["sites"] = [row for row in case.rows("sites") if row["site"] in sites]
        self.rows["projects"] = [row for row in case.rows("projects") if row["project"] in projects]
        known = {row["customer"]: row for row in case.rows("customers")}
        self.rows["customers"] = [known.get(name, {"customer": name}) for name in sorted(customers)]
        self.rows["orders"] = [row for row in case.rows("orders") if row["period"] in periods]
        self.organisations = len({row.get("organisation", "") for row in case.rows("sites")})
        described = {row["project"] for row in case.rows("projects")}
        self.undescribed = sorted(
            row["lot"]
            for row in self.rows["lots"]
            if row["kind"] == "project" and row.get("project", "") not in described
        )

    def lines(self) -> Iterator[Line]:
        """All lines of the run, clause by clause."""
        for clause in self.case.model["clauses"]:
            head = (clause["code"], clause["title"], clause["strength"], self.run)
            for line in self._of_clause(clause):
                yield (*head, *line)

    def _of_clause(self, clause: Dict[str, Any]) -> Iterator[Line]:
        treatment = clause["treatment"]
        others = [word for word in treatment if word != "evidence"]
        asked: Dict[str, List[str]] = {}
        rest: List[str] = []
        for item in clause["by"]:
            table, _, column = item.partition(".")
            recorded = "evidence" in treatment and "/" not in item and column and table != "summary"
            (asked.setdefault(table, []) if recorded else rest).append(column if recorded else item)
        if others:
            status = NOT_APPLICABLE if others == ["scope"] else STATEMENT
            yield _line("", "", ", ".join(rest), "; ".join(TREATED[word] for word in others), status)
        kinds = self._kinds(clause)
        for table, columns in asked.items():
            yield from self._settings(columns) if table == "case" else self._table(table, columns, kinds)

    def _kinds(self, clause: Dict[str, Any]) -> Set[str]:
        """Kinds of lots that the clause's evidence is about."""
        taken = set(self.case.parameters["kinds"])
        if any(item.startswith("projects.") for item in clause["by"]):
            return {"project"}
        return taken if taken == {"project"} else {"material", "energy"}

    def _settings(self, sections: List[str]) -> Iterator[Line]:
        settings = self.case.settings
        if "issuer" in sections:
            issuer = settings.get("issuer", {})
            lacking = [key for key in ("name", "address", "contact") if not issuer.get(key)]
            found = "; ".join(
                f"{key} {issuer[key]}" for key in ("name", "address", "contact") if issuer.get(key)
            )
            status = MISSING if lacking else PRESENT
            yield _line(
                "case", "issuer", "name, address, contact", found, status, str(issuer.get("name", ""))
            )
        if "assurance" in sections:
            for block in settings.get("assurance", []):
                told = [str(block.get(key, "")) for key in ("body", "date", "level", "subject")]
                status = PRESENT if all(told) else MISSING
                yield _line("case", "assurance", "subject, body, level, date", told[3], status, *told)
            if not settings.get("assurance"):
                yield _line("case", "assurance", "subject, body, level, date", "", MISSING)

    def _table(self, table: str, columns: List[str], kinds: Set[str]) -> Iterator[Line]:
        if table == "projects":
            for lot in self.undescribed:
                yield _line("lots", lot, "a row of projects", "", MISSING)
        for row in self.rows.get(table, self.case.rows(table)):
            if table == "lots" and row["kind"] not in kinds:
                continue
            if table == "lots" and set(columns) & set(PROOFS):
                yield self._proof(row)
            for column in columns:
                if not (table == "lots" and column in PROOFS):
                    yield self._cell(table, row, column)
        if not self.rows.get(table, self.case.rows(table)):
            yield _line(table, "", ", ".join(columns), "no row concerned", NOT_APPLICABLE)

    def _proof(self, row: Dict[str, str]) -> Line:
        """Scheme, certificate or evidence of a lot: one will do."""
        told = [f"{column} {row[column]}" for column in PROOFS if row.get(column)]
        document = row.get("evidence") or row.get("certificate", "")
        status = PRESENT if told else MISSING
        needed = "scheme, certificate or evidence"
        return _line(
            "lots", row["lot"], needed, "; ".join(told), status, row.get("scheme", ""), "", "", document
        )

    def _cell(self, table: str, row: Dict[str, str], column: str) -> Line:
        key = next(iter(row.values()))
        subject = f"{key} {row['computation_start']}" if table == "projects" else key
        found = row.get(column, "") or DEFAULTS.get((table, column), "")
        status = PRESENT if found else MISSING
        if not found and not self._wanted(table, row, column):
            status = NOT_APPLICABLE
        document = row.get("source", "") if table == "products" else row.get("baseline_method", "")
        return _line(
            table,
            subject,
            column,
            found,
            status,
            row.get("verified_by", ""),
            row.get("verified_on", ""),
            "",
            document,
        )

    def _wanted(self, table: str, row: Dict[str, str], column: str) -> bool:
        """Whether an empty cell is a gap: some things are asked only where something else is so."""
        if table == "sites":
            if self.organisations > 1:
                return True
            return column == "scope_statement" and bool(row.get("relation"))
        if table == "lots" and column in ("recycled_pre", "recycled_post"):
            claimed = self.claims & {"recycled_share", "post_consumer_share"}
            neither = not (row.get("recycled_pre") or row.get("recycled_post"))
            return bool(claimed) and neither and row["kind"] == "material"
        return (table, column) != ("products", "measured_tco2e_per_t")
