"""What a reader finds in a PDF."""

from __future__ import annotations

import io
import re
import unicodedata

from pypdf import PdfReader

from massbalance.certificates.glyphs import composed

BREAK = "\u200b"
"""A place where a long word may break; it shows nothing."""


def reader(pdf: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(pdf))


def flat(text: str) -> str:
    """Without spaces, line ends and places to break: how a line breaks is no matter here."""
    return re.sub(r"\s+", "", text.replace(BREAK, ""))


def text_of(pdf: bytes) -> str:
    """All text of a PDF, flat."""
    return flat("".join(page.extract_text() for page in reader(pdf).pages))


def same(text: str) -> str:
    """A text as it is looked for: flat, accents on their letters, lowered digits as digits."""
    lowered = {ord(letter): unicodedata.normalize("NFKC", letter) for letter in "₀₁₂₃₄₅₆₇₈₉"}
    return flat(composed(text).translate(lowered))
