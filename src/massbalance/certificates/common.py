"""What certificates and residual statements share: parties, product, rules, assurance, ledger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from massbalance.certificates.posted import Basis, Guideline, PostedRun, need
from massbalance.domain.faults import Fault
from massbalance.ledger.checkpoint import latest
from massbalance.ledger.problems import Tampered, fault

FORMAT = "massbalance certificate 1"
_MATERIALS = {"A": "aluminium", "J": "steel"}
"""What a guideline is about, by the letter of its clause codes."""

Json = dict[str, Any]
Customers = Mapping[str, Mapping[str, str]]


def issuer(posted: PostedRun) -> Json:
    """Who issues (A6.1 c, e), as the posted case says."""
    given = posted.settings.get("issuer", {})
    return {name: str(given.get(name, "")).strip() for name in ("name", "address", "contact")}


def recipient(posted: PostedRun, customer: str, others: Customers) -> Json:
    """Who receives (A6.1 d): from `others` where it has the customer, else from the posted case."""
    rows = {row["customer"]: row for row in posted.table("customers")}
    found = others.get(customer) or rows.get(customer) or {}
    fields = {name: (found.get(name) or "").strip() for name in ("name", "address", "contact")}
    return {"customer": customer, **fields}


def party_faults(document: Mapping[str, Any]) -> list[Fault]:
    """Everything of A6.1 c, d and e that is missing; a document to the public names no recipient."""
    faults = [
        Fault("case", None, f"issuer.{name}", "", words, f"A6.1 {letter}")
        for name, words, letter in (
            ("name", "the issuer's name", "c"),
            ("address", "the issuer's address", "c"),
            ("contact", "the issuer's person who can confirm the document", "e"),
        )
        if not document["issuer"][name]
    ]
    who = document["recipient"]
    if who["customer"]:
        faults += [
            Fault("customers", None, name, "", f"the {words} of customer {who['customer']!r}", "A6.1 d")
            for name, words in (("name", "name"), ("address", "address"))
            if not who[name]
        ]
    return faults


def product_row(posted: PostedRun, product: str) -> Mapping[str, str]:
    """The product's row of the posted case."""
    for row in posted.table("products"):
        if row["product"] == product:
            return row
    raise Tampered(fault("a product of the posted case", "ledger-gap", column="product", value=product))


def product_part(row: Mapping[str, str]) -> Json:
    """Which product, and where its intensity comes from (A3.2, A3.3, J3.3)."""
    names = ("product", "name", "alloy", "site", "source", "data_year", "verified_by", "verified_on")
    return {name: row.get(name) or "" for name in names}


def material_part(row: Mapping[str, str], model: Guideline) -> Json:
    """Kind of material (A6.1 f): what the guideline is about, and the product's name and alloy."""
    letters = {code[0] for code in model.codes}
    kinds = [_MATERIALS[letter] for letter in sorted(letters) if letter in _MATERIALS]
    return {"kind": kinds[0] if len(kinds) == 1 else "", "name": row["name"], "alloy": row["alloy"]}


def period_part(basis: Basis) -> Json:
    """The accounting period and its days, as the ledger has them."""
    facts = need(basis.posted.reading, f"period:{basis.row.period}").facts()
    return {"period": basis.row.period, "start": str(facts["start"]), "end": str(facts["end"])}


def rules_part(posted: PostedRun) -> Json:
    """The rule model in the version that was applied, and what the case chose of it."""
    model, recorded = posted.guideline, posted.facts["rules"]
    overrides = recorded.get("overrides") or {}
    pairs = overrides.items() if isinstance(overrides, Mapping) else overrides
    return {
        "id": model.id,
        "version": model.version,
        "title": model.title,
        "sha256": str(recorded["sha256"]),
        "overrides": {str(name): str(value) for name, value in pairs},
    }


def assurance_part(posted: PostedRun) -> list[Json]:
    """Who assured what, how far and when (A3.3, A6.2, J5.4), as the posted case says."""
    names = ("subject", "body", "level", "date")
    return [
        {name: str(item.get(name, "")) for name in names} for item in posted.settings.get("assurance", [])
    ]


def ledger_part(basis: Basis, ledger_id: str) -> Json:
    """Where the figures stand: ledger, run, row of the claim or residual, its hash, the latest checkpoint."""
    last = latest(basis.posted.reading)
    return {
        "ledger": ledger_id,
        "run": basis.posted.key,
        f"{basis.row.kind}_row": basis.row.n,
        f"{basis.row.kind}_hash": basis.hash,
        "checkpoint": last.document() if last else {},
    }
