"""Signatures of documents: over the JSON, and over the PDF's hash in a file beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from massbalance.ledger.rows import details_text

if TYPE_CHECKING:
    from massbalance.ledger.signing import Signer

SIGNATURE_FORMAT = "massbalance signature 1"


def signed_text(document: Mapping[str, Any]) -> bytes:
    """What a document's signature is over: its one spelling without the signature."""
    return details_text({name: value for name, value in document.items() if name != "signature"}).encode()


def sealed(draft: Mapping[str, Any], signer: Signer) -> bytes:
    """The document's bytes: draft, key and signature in their one spelling."""
    document = {**draft, "key": signer.public_hex}
    return details_text({**document, "signature": signer.sign(signed_text(document))}).encode()


def pdf_signature(serial: str, pdf_sha256: str, public_hex: str, by: Signer | str) -> bytes:
    """The file beside a PDF: serial, the PDF's SHA-256, key and signature over these.

    by: who signs, or the signature that was made.
    """
    told = {"format": SIGNATURE_FORMAT, "serial": serial, "pdf": pdf_sha256, "key": public_hex}
    signature = by if isinstance(by, str) else by.sign(signed_text(told))
    return details_text({**told, "signature": signature}).encode()


def qr_text(serial: str, sha256: str, key_id: str) -> str:
    """What the QR code holds."""
    return f"massbalance:1:{serial}:{sha256}:{key_id}"
