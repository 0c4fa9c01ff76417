"""The document of a product's residual in a period: what conventional products carry (A4.2.4, J5.3.3)."""

from __future__ import annotations

from fractions import Fraction

from massbalance.certificates.common import (
    FORMAT,
    Customers,
    Json,
    assurance_part,
    issuer,
    ledger_part,
    material_part,
    period_part,
    product_part,
    product_row,
    recipient,
    rules_part,
)
from massbalance.certificates.exact import exact, exact_text, grams
from massbalance.certificates.posted import Basis
from massbalance.certificates.statements import of_residual
from massbalance.ledger.problems import Refused, Tampered, fault
from massbalance.ledger.rows import Row

FIGURES = (
    "produced_t", "claimed_t", "conventional_t", "cfp_before", "cfp_residual", "green_share_residual",
    "recycled_share_residual", "correction_tco2e_per_t",
)  # fmt: skip


def residual_statement(basis: Basis, ledger_id: str, customer: str, others: Customers) -> Json:
    """The document of a product's residual, without serial, date, key and signature.

    customer: whom it goes to, "" for the public. Refused where every tonne got a claim.
    """
    posted, facts = basis.posted, basis.facts
    figures = {name: str(facts[name]) for name in FIGURES}
    if not figures["cfp_residual"]:
        words = "a product and period with conventional mass; every tonne got a claim"
        raise Refused(
            fault(words, "A4.2.4", table="residual", value=f"{basis.row.subject}, {basis.row.period}")
        )
    row = product_row(posted, basis.row.subject)
    measured = row.get("measured_tco2e_per_t") or ""
    if measured and exact(figures["cfp_residual"]) - exact(measured) != exact(
        figures["correction_tco2e_per_t"]
    ):
        raise Tampered(fault("the correction that its figures make", "ledger-residual", row=basis.row.n))
    found = corrections(basis)
    assurance = assurance_part(posted)
    return {
        "format": FORMAT,
        "kind": "residual_statement",
        "issuer": issuer(posted),
        "recipient": recipient(posted, customer, others) if customer else _public(),
        "product": product_part(row),
        "material": material_part(row, posted.guideline),
        "mass_t": figures["conventional_t"],
        "period": period_part(basis),
        "figures": figures,
        "measured_tco2e_per_t": measured,
        "gas": row.get("gas") or "GHG",
        "corrections": found,
        "rule_model": rules_part(posted),
        "validity": {"metal": f"{basis.row.subject}, {basis.row.period}", "until": "cancelled or replaced"},
        "assurance": assurance,
        "statements": of_residual(
            posted.guideline, measured=bool(measured), corrected=bool(found), assurance=assurance
        ),
        "scope3": _scope3(
            figures, measured, [item for item in found if item["declared_in"] == basis.row.period]
        ),
        "ledger": ledger_part(basis, ledger_id),
    }


def _public() -> Json:
    return {"customer": "", "name": "", "address": "", "contact": ""}


def corrections(basis: Basis) -> list[Json]:
    """Corrections on the ledger that are declared in this product's period, or that correct it."""
    period = basis.row.period
    rows = basis.posted.reading.rows(kind="correction", subject=basis.row.subject)
    return [_correction(row) for row in rows if period in (row.period, row.facts().get("of_period"))]


def _correction(row: Row) -> Json:
    facts = row.facts()
    return {
        "declared_in": row.period,
        "corrects": str(facts.get("of_period", "")),
        "posted_on": row.at[:10],
        "tco2e": grams(int(facts["declared_gco2e"])),
        "row": row.n,
    }


def _scope3(figures: dict[str, str], measured: str, on_top: list[Json]) -> Json:
    """Which figure the buyer uses for scope 3, and which not (J5.3.3, J6).

    on_top: corrections that are declared in the period.
    """
    total = sum((exact(item["tco2e"]) for item in on_top), Fraction(0))
    return {
        "use_tco2e_per_t": figures["cfp_residual"],
        "add_to_measured_tco2e_per_t": figures["correction_tco2e_per_t"],
        "corrections_tco2e": exact_text(total),
        "do_not_use": [{"figure": measured, "what": "measured or EPD figure with the improvements in it"}],
    }
