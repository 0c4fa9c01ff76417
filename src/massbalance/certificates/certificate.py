"""The document of an order's claim: every figure from ledger rows, exact, as texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

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
from massbalance.certificates.exact import down, exact, exact_text, grams, up
from massbalance.certificates.posted import Basis, need
from massbalance.certificates.statements import of_certificate
from massbalance.ledger.problems import Tampered, fault
from massbalance.ledger.rows import Row

SCOPES = ("scope1", "scope2", "scope3")
_SHARE_COLUMNS = {
    "green_share": ("green_share",),
    "recycled_share": ("recycled_pre", "recycled_post"),
    "post_consumer_share": ("recycled_post",),
}


def certificate(basis: Basis, ledger_id: str, others: Customers) -> Json:
    """The document of a claim, without serial, date, key and signature.

    others: customers that go before those of the posted case. Tampered where the rows contradict each other.
    """
    posted, facts = basis.posted, basis.facts
    row = product_row(posted, facts["product"])
    allocated = _allocated(basis)
    claimed = int(facts["claimed_g"])
    reduced = [sum(int(item.facts()[f"{scope}_g"]) for item in allocated) for scope in SCOPES]
    given = [_credit(posted.reading, item) for item in allocated]
    cfp = _footprints(row, reduced, claimed)
    if cfp["after"]["total"] != facts["cfp_after"] or cfp["before"]["total"] != facts["cfp_before"]:
        raise Tampered(fault("the intensities that its rows make", "ledger-claim", row=basis.row.n))
    assurance = assurance_part(posted)
    measured = row.get("measured_tco2e_per_t") or ""
    return {
        "format": FORMAT,
        "kind": "certificate",
        "issuer": issuer(posted),
        "recipient": recipient(posted, facts["customer"], others),
        "order": basis.row.subject,
        "offer": facts.get("offer", ""),
        "product": product_part(row),
        "material": material_part(row, posted.guideline),
        "mass_t": grams(claimed),
        "period": period_part(basis),
        "claim": _claim(facts, allocated, given, reduced, claimed),
        "cfp_tco2e_per_t": cfp,
        "measured_tco2e_per_t": measured,
        "reduction_tco2e": _scopes(reduced),
        "gas": row.get("gas") or "GHG",
        "credits": given,
        "credits_by_kind": by_kind(given),
        "rule_model": rules_part(posted),
        "validity": {"metal": basis.row.subject, "until": "cancelled or replaced"},
        "assurance": assurance,
        "statements": of_certificate(posted.guideline, measured=bool(measured), assurance=assurance),
        "scope3": _scope3(cfp, sum(reduced), measured),
        "ledger": ledger_part(basis, ledger_id),
    }


def _allocated(basis: Basis) -> list[Row]:
    """The movements of lots into the claim, in the order of the lots."""
    rows = basis.posted.reading.rows(kind="allocated", subject=basis.row.subject, journal=basis.row.journal)
    return sorted((row for row in rows if row.commodity.startswith("lot:")), key=lambda row: row.commodity)


def _scopes(reduced: Iterable[int]) -> Json:
    values = list(reduced)
    return {**{scope: grams(v) for scope, v in zip(SCOPES, values, strict=True)}, "total": grams(sum(values))}


def _footprints(row: Mapping[str, str], reduced: list[int], claimed: int) -> Json:
    """Intensity by scope before (exact) and after (each rounded up to six decimals, as orders.csv; A4.1)."""
    own = [exact(row[name]) for name in ("s1", "s2", "s3")]
    left = [value - Fraction(less, claimed) for value, less in zip(own, reduced, strict=True)]
    before = {scope: exact_text(value) for scope, value in zip(SCOPES, own, strict=True)}
    after = {scope: up(value) for scope, value in zip(SCOPES, left, strict=True)}
    return {
        "before": {**before, "total": exact_text(sum(own, Fraction(0)))},
        "after": {**after, "total": up(sum(left, Fraction(0)))},
    }


def _credit(reading: Any, item: Row) -> Json:
    """What a lot gives to the claim, and what the lot is."""
    lot = item.commodity.removeprefix("lot:")
    fact = need(reading, f"lot:{lot}").facts()
    row, moved = fact["row"], item.facts()
    return {
        **{name: row.get(name, "") for name in ("lot", "kind", "category", "scheme", "certificate", "site")},
        **{name: row.get(name, "") for name in ("evidence", "uom", "expires", "origin", "project")},
        **{name: row.get(name, "") for name in ("green_share", "recycled_pre", "recycled_post")},
        **_verification(row, fact.get("projects") or []),
        "gas": row.get("gas", "GHG"),
        "quantity": grams(item.quantity),
        "credited_t": grams(int(moved["credited_g"])),
        "reduction_tco2e": _scopes(int(moved[f"{scope}_g"]) for scope in SCOPES),
        "row": item.n,
    }


def _verification(row: Mapping[str, str], projects: Iterable[Mapping[str, str]]) -> Json:
    """Who verified a project's effect, and when: its last computation that had ended when it was booked."""
    received = row.get("received", "")
    known = [p for p in projects if p.get("computation_end", "") <= received]
    last = max(known, key=lambda p: p.get("computation_start", ""), default={})
    return {"verified_by": last.get("verified_by", ""), "verified_on": last.get("verified_on", "")}


def by_kind(given: Iterable[Mapping[str, Any]]) -> list[Json]:
    """Sums of credits by kind and unit: lots, quantity, credited mass and reductions."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for item in given:
        groups.setdefault((item["kind"], item["uom"]), []).append(item)

    def total(items: list[Mapping[str, Any]], name: str) -> str:
        return exact_text(sum((exact(item[name]) for item in items), Fraction(0)))

    def reductions(items: list[Mapping[str, Any]]) -> Json:
        names = (*SCOPES, "total")
        sums = {n: sum((exact(i["reduction_tco2e"][n]) for i in items), Fraction(0)) for n in names}
        return {name: exact_text(value) for name, value in sums.items()}

    return [
        {
            "kind": kind,
            "uom": uom,
            "lots": len(items),
            "quantity": total(items, "quantity"),
            "credited_t": total(items, "credited_t"),
            "reduction_tco2e": reductions(items),
        }
        for (kind, uom), items in sorted(groups.items())
    ]


def _claim(
    facts: Mapping[str, Any], allocated: list[Row], given: list[Json], reduced: list[int], claimed: int
) -> Json:
    """What was promised and what was reached; a share and a reduction rounded down to six decimals."""
    claim = facts["claim"]
    if claim == "cfp":
        achieved = facts["cfp_after"]
    elif claim == "reduction":
        achieved = down(Fraction(sum(reduced), claimed))
    else:
        held = Fraction(0)
        for row, item in zip(allocated, given, strict=True):
            share = sum((exact(item[name] or "0") for name in _SHARE_COLUMNS[claim]), Fraction(0))
            held += share * int(row.facts()["credited_g"])
        achieved = down(held / claimed)
    return {"claim": claim, "level": facts["level"], "achieved": achieved}


def _scope3(cfp: Mapping[str, Mapping[str, str]], reduced: int, measured: str) -> Json:
    """Which figures the buyer uses for scope 3, and which not (A6.1S, J5.1, J6)."""
    return {
        "use_tco2e_per_t": cfp["after"]["total"],
        "deduct_tco2e": grams(reduced),
        "deduct_from_tco2e_per_t": cfp["before"]["total"],
        "do_not_use": [
            {"figure": measured, "what": "measured or EPD figure with the improvements in it"},
            {
                "figure": cfp["after"]["total"],
                "what": "intensity after, with the reduction deducted once more",
            },
        ],
    }
