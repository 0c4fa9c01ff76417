"""Whether certificates and residual statements are the ledger's: hashes, signatures, every figure."""

from __future__ import annotations

import json
from collections import defaultdict
from fractions import Fraction
from typing import Any, Dict, Iterator, List

from massbalance.audit.alone.case import GRID, amount, given, plain
from massbalance.audit.alone.ed25519 import key_id, signature_holds
from massbalance.audit.alone.entries import Entry, canonical_line, checkpoint_faults
from massbalance.audit.alone.packed import sha256
from massbalance.audit.alone.view import View

SCOPES = ("scope1", "scope2", "scope3")
OF_PRODUCT = ("product", "name", "alloy", "site", "source", "data_year", "verified_by", "verified_on")
SHARES = {
    "green_share": ("green_share",),
    "recycled_share": ("recycled_pre", "recycled_post"),
    "post_consumer_share": ("recycled_post",),
}
FROM_LOT = (
    "lot", "kind", "category", "scheme", "certificate", "site", "evidence", "uom", "expires", "origin",
    "project",
)  # fmt: skip
FIGURES = (
    "produced_t", "claimed_t", "conventional_t", "cfp_before", "cfp_residual", "green_share_residual",
    "recycled_share_residual", "correction_tco2e_per_t",
)  # fmt: skip


def certificate_faults(view: View) -> Iterator[str]:
    """Everything that is wrong with the documents; each text begins with the serial."""
    rows, cancelled = view.certificates(), view.cancelled()
    live: Dict[str, List[str]] = defaultdict(list)
    for serial, row in sorted(rows.items()):
        for text in _Document(view, serial, row).faults():
            yield f"certificate {serial}: {text}"
        if serial not in cancelled:
            about = (row.details.get(name, "") for name in ("kind", "period", "customer"))
            live["/".join(map(str, (row.subject, *about)))].append(serial)
    for serials in live.values():
        if len(serials) > 1:
            yield f"certificate {serials[1]}: {serials[0]} certifies the same, and stands"
    for serial, row in sorted(cancelled.items()):
        if serial in rows and row.n < rows[serial].n:
            yield f"certificate {serial}: row {row.n} cancels what row {rows[serial].n} certifies after it"
    known = {f"certificates/{serial}{end}" for serial in rows for end in (".json", ".pdf", ".sig")}
    for name in sorted(view.files):
        if name.startswith("certificates/") and name not in known:
            yield f"{name}: no row of the ledger certifies it"


def certificate_notes(view: View) -> Iterator[str]:
    """What a reader should know of documents that are as the ledger has them."""
    cancelled = view.cancelled()
    for serial, row in sorted(view.certificates().items()):
        if serial in cancelled:
            told = cancelled[serial].details
            heir = f", replaced by {told['replaced_by']}" if told.get("replaced_by") else ""
            yield f"certificate {serial} was cancelled{heir}: {told.get('reason', '')}"
        else:
            basis = view.extract.row(row.details.get("basis", 0))
            back = view.withdrawal(basis) if basis else None
            if back is not None:
                yield f"certificate {serial} stands, and row {back.n} withdrew what it rests on"


class _Document:
    """One certificate or residual statement."""

    def __init__(self, view: View, serial: str, row: Entry) -> None:
        self.view, self.serial, self.row = view, serial, row

    def faults(self) -> Iterator[str]:
        """All faults of the document."""
        for end, name in ((".json", "document"), (".pdf", "pdf")):
            path = f"certificates/{self.serial}{end}"
            if path not in self.view.files:
                yield f"{path} is not in the pack"
            elif sha256(self.view.files[path]) != self.row.details.get(name):
                yield f"{path} is not the file that row {self.row.n} names"
        content = self.view.files.get(f"certificates/{self.serial}.json")
        if content is None:
            return
        document = json.loads(content)
        if canonical_line(document) != content:
            yield "it is not in its one spelling"
        yield from self._signatures(document)
        kind = {"certificate": "claim", "residual_statement": "residual"}[document["kind"]]
        basis = self.view.extract.row(document["ledger"][f"{kind}_row"])
        if basis is None or basis.kind != kind:
            yield f"it rests on row {document['ledger'][f'{kind}_row']}, which is no {kind} of the pack"
            return
        yield from self._register(document, basis)
        yield from self._place(document, basis)
        expected = self._claim(document, basis) if basis.kind == "claim" else self._residual(document, basis)
        for name, value in {**self._parties(document, basis), **expected}.items():
            if document.get(name) != value:
                yield f"{name} is {document.get(name)!r}, and {value!r} by the ledger"

    def _signatures(self, document: Dict[str, Any]) -> Iterator[str]:
        """Document and PDF are signed by a key that the ledger stated before."""
        keys = [
            str(k.details.get("public", "")) for k in self.view.extract.by_kind["key"] if k.n < self.row.n
        ]
        public = str(document["key"])
        if public not in keys:
            yield f"its key {key_id(public)} is not one that the ledger stated before"
        message = canonical_line({name: value for name, value in document.items() if name != "signature"})
        if not signature_holds(public, message, str(document["signature"])):
            yield "its signature does not hold"
        told = {
            "format": "massbalance signature 1",
            "key": public,
            "pdf": self.row.details.get("pdf"),
            "serial": self.serial,
        }
        signature = str(self.row.details.get("pdf_signature"))
        if not signature_holds(public, canonical_line(told), signature):
            yield "the signature of its PDF does not hold"
        beside = self.view.files.get(f"certificates/{self.serial}.sig")
        if beside != canonical_line({**told, "signature": signature}):
            yield f"certificates/{self.serial}.sig is not what row {self.row.n} says"

    def _register(self, document: Dict[str, Any], basis: Entry) -> Iterator[str]:
        """The row that certifies it says the same of it."""
        told = self.row.details
        right = {
            "serial": document["serial"], "kind": document["kind"], "run": document["ledger"]["run"],
            "basis": basis.n, "issued_on": document["issued_on"], "replaces": document["replaces"] or "",
            "key": key_id(str(document["key"])),
        }  # fmt: skip
        for name, value in right.items():
            if told.get(name) != value:
                yield f"its {name} is {value!r}, and {told.get(name)!r} in row {self.row.n}"
        if document["serial"] != self.serial or document["issued_on"] > self.row.at[:10]:
            what = f"serial {document['serial']} of {document['issued_on']}"
            yield f"{what}, recorded as {self.serial} on {self.row.at[:10]}"
        held = document["ledger"].get("checkpoint")
        if held:
            keys = self.view.extract.public_keys()
            yield from checkpoint_faults(self.view.extract, "its checkpoint", held, keys)

    def _parties(self, document: Dict[str, Any], basis: Entry) -> Dict[str, Any]:
        """Issuer, assurance, product, recipient as the posted case has them (a later table goes first)."""
        case = self.view.case(self.view.extract.by_journal[basis.journal][0])
        issuer = case.settings.get("issuer", {})
        names = ("name", "address", "contact")
        product = case.products[basis.details.get("product", basis.subject)]
        found = {
            "product": {name: product.get(name, "") for name in OF_PRODUCT},
            "gas": product.get("gas") or "GHG",
            "measured_tco2e_per_t": product.get("measured_tco2e_per_t", ""),
            "issuer": {name: str(issuer.get(name, "")).strip() for name in names},
            "assurance": [
                {name: str(item.get(name, "")) for name in ("subject", "body", "level", "date")}
                for item in case.settings.get("assurance", [])
            ],
        }
        customer = str(self.row.details.get("customer", "") or document["recipient"]["customer"])
        rows = {row["customer"]: row for row in case.rows("customers")}
        if customer and not self.row.details.get("customers"):
            told = rows.get(customer, {})
            found["recipient"] = {"customer": customer, **{n: told.get(n, "").strip() for n in names}}
        return found

    def _place(self, document: Dict[str, Any], basis: Entry) -> Iterator[str]:
        """Where it says that its figures stand is so, and it was recorded after them."""
        told = document["ledger"]
        right = {"ledger": self.view.extract.ledger(), "run": basis.details.get("run")}
        right[f"{basis.kind}_hash"] = basis.hash
        for name, value in right.items():
            if told.get(name) != value:
                yield f"its {name} is {told.get(name)!r}, and {value!r} in the ledger"
        if basis.n > self.row.n or basis.subject != self.row.subject:
            yield f"row {self.row.n} certifies {self.row.subject}, and row {basis.n} is of {basis.subject}"
        back = self.view.withdrawal(basis)
        if back is not None and back.n < self.row.n:
            yield f"it was issued on what row {back.n} withdrew"
        days = self.view.extract.periods().get(basis.period, ("", ""))
        period = {"period": basis.period, "start": days[0], "end": days[1]}
        if document["period"] != period:
            yield f"its period is {document['period']!r}, and {period!r} in the ledger"
        header = self.view.extract.by_journal[basis.journal][0].details["rules"]
        for name in ("id", "sha256"):
            if document["rule_model"].get(name) != header.get(name):
                yield f"its rule model's {name} is {document['rule_model'].get(name)}, not {header.get(name)}"

    def _claim(self, document: Dict[str, Any], basis: Entry) -> Dict[str, Any]:
        """What a certificate must say, from the claim and its lots alone (A4.1, A6.1)."""
        told, uses = basis.details, self.view.allocated(basis)
        claimed = int(told["claimed_g"])
        reduced = [sum(int(use.details[f"{scope}_g"]) for use in uses) for scope in SCOPES]
        post = self.view.extract.by_journal[basis.journal][0]
        product = self.view.case(post).products[told["product"]]
        own = [given(product, name) for name in ("s1", "s2", "s3")]
        left = [value - Fraction(less, claimed) for value, less in zip(own, reduced)]
        lots = [self._credit(use) for use in sorted(uses, key=lambda use: use.commodity)]
        found = [
            {name: item.get(name) for name in (*FROM_LOT, "quantity", "credited_t", "reduction_tco2e", "row")}
            for item in document["credits"]
        ]
        expected = {
            "order": basis.subject,
            "offer": told.get("offer", ""),
            "mass_t": amount(claimed),
            "reduction_tco2e": _scopes(reduced),
            "cfp_tco2e_per_t": {
                "before": {**dict(zip(SCOPES, map(plain, own))), "total": told["cfp_before"]},
                "after": {**dict(zip(SCOPES, map(_up, left))), "total": told["cfp_after"]},
            },
            "claim": {
                "claim": told["claim"], "level": told["level"],
                "achieved": self._achieved(basis, uses, reduced),
            },
            "scope3": {
                **document["scope3"],
                "use_tco2e_per_t": told["cfp_after"], "deduct_tco2e": amount(sum(reduced)),
                "deduct_from_tco2e_per_t": told["cfp_before"],
            },
            "credits_by_kind": _by_kind(lots),
        }  # fmt: skip
        if document["recipient"]["customer"] != told["customer"]:
            expected["recipient"] = told["customer"]
        return {**expected, **({} if found == lots else {"credits": lots})}

    def _credit(self, use: Entry) -> Dict[str, Any]:
        lot = self.view.lot_rows()[use.commodity[len("lot:") :]]
        row = lot.details["row"]
        return {
            **{name: row.get(name, "") for name in FROM_LOT},
            "quantity": amount(use.quantity), "credited_t": amount(int(use.details["credited_g"])),
            "reduction_tco2e": _scopes([int(use.details[f"{scope}_g"]) for scope in SCOPES]), "row": use.n,
        }  # fmt: skip

    def _achieved(self, basis: Entry, uses: List[Entry], reduced: List[int]) -> str:
        claim, claimed = basis.details["claim"], int(basis.details["claimed_g"])
        if claim == "cfp":
            return str(basis.details["cfp_after"])
        reached = Fraction(sum(reduced))
        if claim != "reduction":
            lots = self.view.lot_rows()
            reached = sum(
                (
                    given(lots[use.commodity[len("lot:") :]].details["row"], name)
                    * int(use.details["credited_g"])
                    for use in uses
                    for name in SHARES[claim]
                ),
                Fraction(0),
            )
        return amount(int(reached / claimed * GRID // 1))

    def _residual(self, document: Dict[str, Any], basis: Entry) -> Dict[str, Any]:
        """What a residual statement must say (A4.2.4, J5.3.3)."""
        told = basis.details
        return {
            "figures": {name: str(told[name]) for name in FIGURES},
            "mass_t": str(told["conventional_t"]),
            "scope3": {
                **document["scope3"], "use_tco2e_per_t": told["cfp_residual"],
                "add_to_measured_tco2e_per_t": told["correction_tco2e_per_t"],
            },
        }  # fmt: skip


def _scopes(reduced: List[int]) -> Dict[str, str]:
    return {**dict(zip(SCOPES, map(amount, reduced))), "total": amount(sum(reduced))}


def _up(value: Fraction) -> str:
    return plain(Fraction(-(-value * GRID // 1), GRID))


def _by_kind(lots: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    """Credits summed by kind and unit."""
    groups: Dict[Any, List[Dict[str, Any]]] = defaultdict(list)
    for item in lots:
        groups[item["kind"], item["uom"]].append(item)

    def total(texts: Iterator[str]) -> str:
        return plain(sum((Fraction(text) for text in texts), Fraction(0)))

    return [
        {
            "kind": kind, "uom": uom, "lots": len(items),
            "quantity": total(item["quantity"] for item in items),
            "credited_t": total(item["credited_t"] for item in items),
            "reduction_tco2e": {
                name: total(item["reduction_tco2e"][name] for item in items) for name in (*SCOPES, "total")
            },
        }
        for (kind, uom), items in sorted(groups.items())
    ]  # fmt: skip
