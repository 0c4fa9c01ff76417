"""Issuing, cancelling and replacing documents: each one journal of the ledger, or nothing at all."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from massbalance.certificates import register
from massbalance.certificates.certificate import certificate
from massbalance.certificates.common import Customers, Json, party_faults
from massbalance.certificates.glyphs import glyph_faults
from massbalance.certificates.page import page
from massbalance.certificates.posted import (
    Basis,
    archived,
    live_claim,
    live_residual,
    named_run,
    posted_run,
    read_table,
)
from massbalance.certificates.register import About, Entry
from massbalance.certificates.render import made_with, pdf
from massbalance.certificates.residual import corrections, residual_statement
from massbalance.certificates.seal import pdf_signature, qr_text, sealed
from massbalance.domain.faults import Fault
from massbalance.ledger.checkpoint import introduce, sign
from massbalance.ledger.problems import Conflict, Refused, Tampered, fault
from massbalance.ledger.signing import Signer, key_id
from massbalance.ledger.writer import Clock, Writer, now

if TYPE_CHECKING:
    from massbalance.ledger.reading import Reading
    from massbalance.ledger.store import Ledger

DEFAULT_LANGUAGE = "both"


@dataclass(frozen=True)
class Wanted:
    """What is asked for.

    run: a run's folder, its key, or at least 8 first digits of it; order: an order with a claim; or product
    and period: a residual, to `customer` ("" for the public); language: ja, en, both, or "" (as issued, else
    both); issued_on: None for today (UTC) or as issued; customers: a table (CSV) that goes before that of the
    posted case.
    """

    run: Path | str
    order: str = ""
    product: str = ""
    period: str = ""
    customer: str = ""
    language: str = ""
    issued_on: date | None = None
    customers: bytes = b""


@dataclass(frozen=True)
class Issued:
    """A document of the register with its three files. new: issued by this call; notes: for people."""

    serial: str
    subject: str
    document: bytes
    pdf: bytes
    signature: bytes
    new: bool
    replaces: str = ""
    notes: tuple[str, ...] = field(default=())

    def files(self) -> dict[str, bytes]:
        """Name -> content."""
        endings = {"json": self.document, "pdf": self.pdf, "sig": self.signature}
        return {f"{self.serial}.{ending}": content for ending, content in endings.items()}


def issue(ledger: Ledger, wanted: Wanted, signer: Signer, *, replace: str = "", clock: Clock = now) -> Issued:
    """The document that is asked for: issued now, or, where it is out already, the same files again.

    replace: why an earlier one is replaced by a new serial; "" leaves one that is out as it is. Raises
    Conflict (not posted, withdrawn, cancelled, or out in other terms), Refused (all fields of A6.1 that are
    missing and all characters that cannot be shown), Tampered (the ledger is not what it was).
    """
    key = named_run(wanted.run)
    if not replace:
        with ledger.snapshot() as reading:
            known = _known(reading, _basis(reading, key, wanted), wanted)
            if known is not None:
                return known
    with ledger.writing(clock) as writer:
        basis = _basis(writer, key, wanted)
        last = _last(writer, About.of(basis, wanted.customer))
        if not replace and (known := _known(writer, basis, wanted)) is not None:
            return known  # another process was first
        if replace and last is None:
            raise Conflict(fault("a document to replace; none was issued", "not-issued", value=_name(wanted)))
        return _append(writer, ledger.id, basis, wanted, signer, last if replace else None, replace)


def cancel(
    ledger: Ledger, wanted: Wanted, reason: str, signer: Signer, *, clock: Clock = now
) -> tuple[str, bool]:
    """Cancels the document that is out; (serial, False) where it was cancelled already.

    A claim that was withdrawn meanwhile does not stand in the way. Raises Conflict where none was issued.
    """
    key = named_run(wanted.run)
    with ledger.writing(clock) as writer:
        posted = posted_run(writer, key)
        about = (
            About("certificate", wanted.order)
            if wanted.order
            else About("residual_statement", wanted.product, wanted.period, wanted.customer)
        )
        found = [item for item in register.entries(writer, about) if item.facts["run"] == posted.key]
        if not found:
            raise Conflict(fault("a document to cancel; none was issued", "not-issued", value=_name(wanted)))
        last = found[-1]
        if writer.find(f"cancelled:{last.serial}") is not None:
            return last.serial, False
        writer.journal(
            "cancellation", subject=about.subject, details={"serial": last.serial, "reason": reason}
        )
        _state_cancelled(writer, last, reason, "")
        # signed to the end: without the key nobody takes a cancellation back
        sign(writer, signer)
        return last.serial, True


def _state_cancelled(writer: Writer, item: Entry, reason: str, heir: str) -> None:
    details = {"serial": item.serial, "reason": reason, "replaced_by": heir}
    writer.state("cancelled", subject=item.row.subject, key=f"cancelled:{item.serial}", details=details)


def _name(wanted: Wanted) -> str:
    return wanted.order or f"{wanted.product}, {wanted.period}"


def _basis(reading: Reading, run: str, wanted: Wanted) -> Basis:
    posted = posted_run(reading, run)
    if wanted.order:
        return live_claim(posted, wanted.order)
    return live_residual(posted, wanted.product, wanted.period)


def _last(reading: Reading, about: About) -> Entry | None:
    found = register.entries(reading, about)
    return found[-1] if found else None


# ---- what is out already -----------------------------------------------------------------------------


def _known(reading: Reading, basis: Basis, wanted: Wanted) -> Issued | None:
    """The live document, if there is one. Conflict where what is out is not what is asked for."""
    last = _last(reading, About.of(basis, wanted.customer))
    if last is None:
        return None
    rests_here = last.facts["basis"] == basis.row.n
    known = register.status(reading, last)
    if known.state == register.CANCELLED:
        if not rests_here:
            return None
        raise _out(last, f"cancelled ({known.reason})")
    if not rests_here:
        raise _out(last, "out, for a claim that was withdrawn")
    _same_terms(reading, basis, last, wanted)
    return again(reading, last)


def _out(last: Entry, how: str) -> Conflict:
    words = f"--replace REASON, to issue another: {last.serial} is {how}"
    return Conflict(fault(words, "certificate-out", table="certificate", value=last.serial))


def _same_terms(reading: Reading, basis: Basis, last: Entry, wanted: Wanted) -> None:
    """What is out has one language, one date and the figures of its day: other terms need another serial."""
    faults = []
    asked = {
        "language": wanted.language,
        "issued_on": wanted.issued_on.isoformat() if wanted.issued_on else "",
    }
    for name, value in asked.items():
        if value and value != last.facts[name]:
            words = f"{last.facts[name]}, as {last.serial} was issued, or --replace REASON"
            faults.append(fault(words, "certificate-out", table="certificate", column=name, value=value))
    if basis.row.kind == "residual":
        document = json.loads(archived(reading, last.facts["document"]))
        later = [item for item in corrections(basis) if item not in document["corrections"]]
        if later:
            words = f"--replace REASON: {len(later)} correction(s) were posted since {last.serial}"
            faults.append(fault(words, "certificate-out", table="certificate", value=last.serial))
    if faults:
        raise Conflict(faults)


def again(reading: Reading, item: Entry) -> Issued:
    """The files of a document that is out, from the archive; the PDF is made once more and compared.

    Other bytes from the same versions: Tampered; from other versions: a note, and the archived ones
    """
    facts = item.facts
    content, original = archived(reading, facts["document"]), archived(reading, facts["pdf"])
    document = json.loads(content)
    notes: tuple[str, ...] = ()
    if _pdf(document, content, str(facts["language"])) != original:
        then, now = dict(facts["made_with"]), dict(made_with())
        if then == now:
            words = f"the PDF that its document makes, for {item.serial}"
            raise Tampered(fault(words, "certificate-pdf", value=facts["pdf"], table="document"))
        changed = ", ".join(
            f"{k} {then.get(k, '')[:12]} -> {now[k][:12]}" for k in now if then.get(k) != now[k]
        )
        notes = (f"{item.serial} was made with other versions ({changed}): this is the archived PDF",)
    signature = pdf_signature(item.serial, facts["pdf"], document["key"], facts["pdf_signature"])
    return Issued(
        item.serial, item.row.subject, content, original, signature, False, facts["replaces"], notes
    )


# ---- a new one ---------------------------------------------------------------------------------------


def _append(
    writer: Writer,
    ledger_id: str,
    basis: Basis,
    wanted: Wanted,
    signer: Signer,
    old: Entry | None,
    reason: str,
) -> Issued:
    about = About.of(basis, wanted.customer)
    count = len(register.entries(writer, about)) + 1
    subject, serial = about.subject, register.next_serial(writer, ledger_id)
    details = {"serial": serial, "reason": reason} if reason else {"serial": serial}
    # the key lets a fact have one first, one second ... document, whoever else tries
    key = f"issue:{basis.row.key}:{wanted.customer}:{count}"
    writer.journal("certificate", subject=subject, key=key, details=details)
    introduce(writer, signer)
    issued_on = wanted.issued_on or date.fromisoformat(writer.head().at[:10])
    language = wanted.language or DEFAULT_LANGUAGE
    replaces = old.serial if old else ""
    draft = _draft(basis, ledger_id, wanted)
    draft |= {"serial": serial, "replaces": replaces or None, "issued_on": issued_on.isoformat()}
    _refuse(draft, issued_on)
    content = sealed(draft, signer)
    made = _pdf(json.loads(content), content, language)
    pdf_sha256 = hashlib.sha256(made).hexdigest()
    signature = pdf_signature(serial, pdf_sha256, signer.public_hex, signer)
    if old is not None and writer.find(f"cancelled:{old.serial}") is None:
        _state_cancelled(writer, old, reason, serial)
    facts = {
        "serial": serial,
        **about.details(),
        "run": basis.posted.key,
        "basis": basis.row.n,
        "replaces": replaces,
        "issued_on": issued_on.isoformat(),
        "language": language,
        "document": writer.archive(content),
        "pdf": writer.archive(made),
        "pdf_signature": json.loads(signature)["signature"],
        "key": signer.key_id,
        "made_with": dict(made_with()),
    }
    if wanted.customers:
        facts["customers"] = writer.archive(wanted.customers)
    writer.state("certified", subject=subject, key=f"certificate:{serial}", details=facts)
    sign(writer, signer)
    return Issued(serial, subject, content, made, signature, True, replaces)


def _draft(basis: Basis, ledger_id: str, wanted: Wanted) -> Json:
    others = _customers(wanted.customers)
    if wanted.order:
        return certificate(basis, ledger_id, others)
    return residual_statement(basis, ledger_id, wanted.customer, others)


def _customers(content: bytes) -> Customers:
    """Customers of a table that is given beside the posted case. Refused where it is none."""
    if not content:
        return {}
    try:
        return {row["customer"]: row for row in read_table(content)}
    except (KeyError, UnicodeDecodeError, csv.Error) as error:
        words = "a CSV in UTF-8 with the columns customer, name, address, contact"
        raise Refused(fault(words, "A6.1 d", table="customers", value=error)) from error


def _pdf(document: Mapping[str, Any], content: bytes, language: str) -> bytes:
    sha256, key = hashlib.sha256(content).hexdigest(), key_id(document["key"])
    laid_out = page(document, sha256, key, language)
    text = qr_text(document["serial"], sha256, key)
    return pdf(laid_out, content, text, date.fromisoformat(document["issued_on"]))


def _refuse(draft: Json, issued_on: date) -> None:
    """All that stands against the document, at once."""
    faults = [*party_faults(draft), *_date_faults(draft, issued_on), *glyph_faults(_texts(draft))]
    if faults:
        raise Refused(faults)


def _date_faults(draft: Json, issued_on: date) -> list[Fault]:
    """Not before the period begins. Nothing else: when it was recorded, the ledger's own time tells."""
    first = draft["period"]["start"]
    if issued_on.isoformat() >= first:
        return []
    words = f"a day from {first}, when its period begins (--date)"
    return [Fault("certificate", None, "issued_on", issued_on.isoformat(), words, "A6.1 a")]


def _texts(value: object, place: str = "") -> dict[str, str]:
    """Every text of a document by its place in it, `recipient.name`."""
    if isinstance(value, str):
        return {place: value}
    found: dict[str, str] = {}
    pairs = (
        value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, inner in pairs:
        found |= _texts(inner, f"{place}.{key}" if place else str(key))
    return found
