"""Is a file what was issued, unaltered, and does it still stand?

With the ledger: a PDF or JSON must be, byte for byte, what the ledger archived, its signatures must hold,
and its status is told. With a public key alone: the signature of a JSON (or of a PDF, by the `.sig` file
beside it) must hold; whether the document was cancelled since, only the ledger knows.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from massbalance.certificates import register
from massbalance.certificates.common import FORMAT
from massbalance.certificates.register import Entry, Status
from massbalance.certificates.seal import SIGNATURE_FORMAT, pdf_signature, signed_text
from massbalance.domain.faults import Fault
from massbalance.ledger.rows import details_text
from massbalance.ledger.signing import key_id, verify

if TYPE_CHECKING:
    from massbalance.ledger.reading import Reading

UNKNOWN = "unknown"
"""Status of a genuine document where no ledger was asked."""

_HEX = {length: re.compile(f"[0-9a-f]{{{length}}}") for length in (64, 128)}


@dataclass(frozen=True)
class Checked:
    """What a file is. what: pdf, json or sig; faults: why it is not genuine; status: of a genuine one."""

    what: str
    serial: str
    faults: tuple[Fault, ...]
    status: Status
    facts: Mapping[str, Any]

    @property
    def genuine(self) -> bool:
        """Is it what was issued, unaltered?"""
        return not self.faults

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "what": self.what,
            "genuine": self.genuine,
            "serial": self.serial,
            "status": self.status.state,
            "reason": self.status.reason,
            "replaced_by": self.status.replaced_by,
            **{name: self.facts.get(name, "") for name in ("document", "pdf", "issued_on", "language")},
            "faults": [fault.as_dict() for fault in self.faults],
        }


class Checker:
    """Checks files against one ledger (`reading`), one public key (64 hex), or both.

    The register is read once, so that many files can be checked.
    """

    def __init__(self, reading: Reading | None = None, key: str = "") -> None:
        if reading is None and not key:
            raise ValueError("nothing to check against")
        self._reading, self._key = reading, key

    @cached_property
    def _register(self) -> dict[str, Entry]:
        """SHA-256 of a JSON or PDF -> its entry."""
        if self._reading is None:
            return {}
        items = register.entries(self._reading)
        return {item.facts[name]: item for item in items for name in ("document", "pdf")}

    def check(self, content: bytes, beside: bytes | None = None) -> Checked:
        """What a file is: a PDF (begins with %PDF), a document or a signature file.

        beside: the signature file that lies beside a PDF, if any.
        """
        sha256 = hashlib.sha256(content).hexdigest()
        if content.startswith(b"%PDF"):
            return self._pdf(sha256, beside)
        read = _read(content)
        if isinstance(read, Fault):
            return self._answer("json", "", [read], None)
        if read.get("format") == SIGNATURE_FORMAT:
            return self._signature_file(content, read)
        return self._document(sha256, read)

    def _document(self, sha256: str, document: Mapping[str, Any]) -> Checked:
        item = self._register.get(sha256)
        serial = document.get("serial")
        faults = self._signed(document, FORMAT)
        if self._reading is not None and item is None:
            faults.append(_fault(f"the bytes that the ledger issued: {self._told(serial)}", "forged", sha256))
        return self._answer("json", serial, faults, item)

    def _pdf(self, sha256: str, beside: bytes | None) -> Checked:
        item, faults, serial = self._register.get(sha256), [], ""
        if self._reading is not None and item is None:
            faults.append(_fault("a PDF that this ledger issued, byte for byte", "forged", sha256))
        if beside is not None:
            signed = self.check(beside)
            faults += signed.faults
            serial = signed.serial
            if signed.what != "sig" or signed.facts.get("pdf") != sha256:
                faults.append(_fault("the signature file of this PDF beside it", "forged", sha256))
        elif self._reading is None:
            faults.append(_fault("the PDF's signature file (.sig) beside it", "no-signature", sha256))
        return self._answer("pdf", item.serial if item else serial, faults, item)

    def _signature_file(self, content: bytes, told: Mapping[str, Any]) -> Checked:
        faults = self._signed(told, SIGNATURE_FORMAT)
        item = self._register.get(str(told.get("pdf")))
        if self._reading is not None and (item is None or _own_signature(item, told) != content):
            faults.append(_fault("the signature file that belongs to a PDF of this ledger", "forged"))
        answer = self._answer("sig", told.get("serial"), faults, item)
        return Checked(answer.what, answer.serial, answer.faults, answer.status, {**answer.facts, **told})

    def _signed(self, document: Mapping[str, Any], form: str) -> list[Fault]:
        """A document's format, key and signature."""
        if document.get("format") != form:
            return [_fault(f"the format {form!r}", "forged", document.get("format"))]
        key, signature = document.get("key"), document.get("signature")
        if not (_is_hex(key, 64) and _is_hex(signature, 128)):
            return [
                _fault("a public key of 64 and a signature of 128 lower-case hexadecimal digits", "forged")
            ]
        faults = []
        if self._key and key != self._key:
            faults.append(_fault(f"the key {self._key}", "forged", key))
        if self._reading is not None and not self._known_key(str(key)):
            faults.append(_fault("a key that the ledger states", "forged", key))
        if not verify(str(key), signed_text(document), str(signature)):
            faults.append(_fault("a signature that holds", "forged", signature))
        return faults

    def _known_key(self, public: str) -> bool:
        if self._reading is None:
            return False
        row = self._reading.find(f"key:{key_id(public)}")
        return row is not None and row.facts().get("public") == public

    def _told(self, serial: object) -> str:
        """What the ledger knows of a serial that an unknown document claims."""
        if self._reading is None or not isinstance(serial, str):
            return "it is not one of them"
        known = register.entry(self._reading, serial) is not None
        return f"{serial} was issued otherwise" if known else f"it knows no {serial}"

    def _answer(self, what: str, serial: object, faults: list[Fault], item: Entry | None) -> Checked:
        stands = Status(UNKNOWN)
        if not faults and item is not None and self._reading is not None:
            stands = register.status(self._reading, item)
            _archive_intact(self._reading, item)
        facts = item.facts if item is not None else {}
        return Checked(what, serial if isinstance(serial, str) else "", tuple(faults), stands, facts)


def _archive_intact(reading: Reading, item: Entry) -> None:
    """Tampered where the archive no longer holds what the register names."""
    from massbalance.certificates.posted import archived

    for name in ("document", "pdf"):
        archived(reading, item.facts[name])


def _own_signature(item: Entry, told: Mapping[str, Any]) -> bytes:
    """The signature file that belongs to an entry, with the key that the file tells."""
    key = told.get("key")
    right = _is_hex(key, 64) and key_id(str(key)) == item.facts["key"]
    return (
        pdf_signature(item.serial, item.facts["pdf"], str(key), item.facts["pdf_signature"]) if right else b""
    )


def _read(content: bytes) -> dict[str, Any] | Fault:
    """A JSON object in its one spelling."""
    words = "a PDF, or a JSON document in the spelling in which it was issued"
    try:
        found = json.loads(content)
        if isinstance(found, dict) and details_text(found).encode() == content:
            return found
    except (ValueError, TypeError, RecursionError):
        return _fault(words, "forged")
    return _fault(words, "forged")


def _is_hex(text: object, length: int) -> bool:
    return isinstance(text, str) and _HEX[length].fullmatch(text) is not None


def _fault(expected: str, code: str, value: object = "") -> Fault:
    return Fault("certificate", None, "", "" if value is None else str(value), expected, code)
