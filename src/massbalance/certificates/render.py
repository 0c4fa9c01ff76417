"""From page to PDF/A: typst, one embedded font, no clock, no system fonts; the same input, the same bytes."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from importlib import resources
from importlib.metadata import version
from typing import Any

from massbalance.certificates.glyphs import font, font_folder
from massbalance.ledger.rows import details_text

STANDARDS = ["a-3a", "ua-1"]
"""PDF/A-3a (with attachments, tagged) and PDF/UA-1 (readable aloud)."""


@cache
def _template() -> bytes:
    return resources.files("massbalance.certificates").joinpath("certificate.typ").read_bytes()


@cache
def made_with() -> Mapping[str, str]:
    """What the bytes of a PDF depend on beside the document: versions, and hashes of template and font."""
    words = resources.files("massbalance.certificates").joinpath("texts.toml").read_bytes()
    return {
        "typst": version("typst"),
        "segno": version("segno"),
        "template": hashlib.sha256(_template() + words).hexdigest(),
        "font": font().sha256,
    }


@cache
def _compiler() -> Any:
    import typst

    return typst.Compiler(font_paths=[str(font_folder())], ignore_system_fonts=True)


def qr_svg(text: str) -> bytes:
    """The QR code of a text as SVG, error correction M."""
    import segno

    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="svg", xmldecl=False, border=2, scale=4)
    return out.getvalue()


def _inputs(page: Mapping[str, Any], attached: bytes, qr_text: str) -> dict[str, str]:
    return {"data": details_text(page), "attached": attached.decode(), "qr": qr_svg(qr_text).decode()}


def pdf(page: Mapping[str, Any], attached: bytes, qr_text: str, issued_on: date) -> bytes:
    """The PDF of a page (see page.py) with the JSON document attached.

    The PDF's dates are midnight UTC of the issue date. RuntimeError (typst's) where a character has no
    glyph, which `glyphs.glyph_faults` tells before.
    """
    midnight = datetime(issued_on.year, issued_on.month, issued_on.day, tzinfo=UTC)
    return bytes(
        _compiler().compile(
            input=_template(),
            format="pdf",
            sys_inputs=_inputs(page, attached, qr_text),
            pdf_standards=STANDARDS,
            timestamp=int(midnight.timestamp()),
        )
    )
