"""The fonts of the documents, and whether they can show a text.

A character that they cannot show is never dropped or boxed: the document is refused and the
character named. Characters that change the order or joining of others (bidirectional controls and the
like) are refused too, since they can make a text read otherwise than it is written.
"""

from __future__ import annotations

import hashlib
import re
import struct
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from massbalance.domain.faults import Fault

FAMILY = "Noto Sans CJK JP"
SECOND = "Libertinus Serif"
"""OFL too, and part of typst: for Latin letters that the first font lacks."""
LATIN = frozenset(map(chr, range(0x100, 0x180)))
"""Latin Extended-A, which the second font has in full (a test holds it to that)."""
LOWERED = frozenset("₀₁₂₃₄₅₆₇₈₉")
"""Not in the font; the layout sets them as lowered digits."""
_SELECTORS = (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
_REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp", "Mn", "Mc", "Me"})
_MARKED = re.compile(".[\u0300-\u036f\u3099\u309a]+", re.DOTALL)


@dataclass(frozen=True)
class Font:
    """What the font can show: code points, and pairs of a character and its variation selector."""

    characters: frozenset[int]
    variants: frozenset[tuple[int, int]]
    sha256: str


def font_folder() -> Path:
    """The folder that holds the font and no other."""
    from noto_cjk_sans_jp_regular import FONT_PATH

    return Path(str(FONT_PATH)).parent


@cache
def font() -> Font:
    """The font's character map (read once a process, some 50 ms)."""
    from noto_cjk_sans_jp_regular import FONT_PATH

    content = FONT_PATH.read_bytes()
    tables = _cmap_tables(content)
    characters = {code for start, end in _segments(content, tables) for code in range(start, end + 1)}
    variants = frozenset(_variants(content, tables[14])) if 14 in tables else frozenset()
    return Font(frozenset(characters), variants, hashlib.sha256(content).hexdigest())


def _cmap_tables(content: bytes) -> dict[int, int]:
    """Format -> offset of the font's character maps."""
    (count,) = struct.unpack_from(">H", content, 4)
    for i in range(count):
        tag, _, start, _ = struct.unpack_from(">4sIII", content, 12 + 16 * i)
        if tag == b"cmap":
            break
    else:
        raise ValueError("the font has no character map")
    _, maps = struct.unpack_from(">HH", content, start)
    offsets = [start + struct.unpack_from(">HHI", content, start + 4 + 8 * i)[2] for i in range(maps)]
    return {struct.unpack_from(">H", content, offset)[0]: offset for offset in offsets}


def _segments(content: bytes, tables: Mapping[int, int]) -> Iterator[tuple[int, int]]:
    """First and last code points of the map's segments (format 12: all planes)."""
    if 12 not in tables:
        raise ValueError("the font has no character map of all planes")
    (groups,) = struct.unpack_from(">I", content, tables[12] + 12)
    for i in range(groups):
        first, last, glyph = struct.unpack_from(">III", content, tables[12] + 16 + 12 * i)
        # glyph 0 is the box for "missing"
        yield (first + 1 if glyph == 0 else first), last


def _variants(content: bytes, start: int) -> Iterator[tuple[int, int]]:
    """Pairs of base character and selector (format 14), default and own glyphs."""
    (records,) = struct.unpack_from(">I", content, start + 6)
    for i in range(records):
        high, low, default, own = struct.unpack_from(">BHII", content, start + 10 + 11 * i)
        selector = high << 16 | low
        if default:
            (count,) = struct.unpack_from(">I", content, start + default)
            for j in range(count):
                packed = struct.unpack_from(">I", content, start + default + 4 + 4 * j)[0]
                first, more = packed >> 8, packed & 0xFF
                yield from ((first + k, selector) for k in range(more + 1))
        if own:
            (count,) = struct.unpack_from(">I", content, start + own)
            for j in range(count):
                a, b = struct.unpack_from(">BH", content, start + own + 4 + 5 * j)
                yield a << 16 | b, selector


def left_to_second() -> str:
    """The letters that the second font shows, sorted."""
    return "".join(sorted(letter for letter in LATIN if ord(letter) not in font().characters))


def composed(text: str) -> str:
    """A letter and its accents as one character, where there is one. Nothing else changes: normalising it all
    would turn some ideographs of names into others.
    """
    return _MARKED.sub(lambda found: unicodedata.normalize("NFC", found.group()), text)


def unshown(text: str) -> list[str]:
    """Characters of `text` that the documents cannot show, each once, in order."""
    known, before = font(), 0
    bad: dict[str, None] = {}
    for character in composed(text):
        code = ord(character)
        good = (before, code) in known.variants if code in _SELECTORS else _shows(known, character)
        if not good:
            bad[character] = None
        before = code
    return list(bad)


def _shows(known: Font, character: str) -> bool:
    if unicodedata.category(character) in _REFUSED_CATEGORIES:
        return False
    return ord(character) in known.characters or character in LOWERED or character in LATIN


def glyph_faults(texts: Mapping[str, str]) -> list[Fault]:
    """A fault for every character of `texts` (place -> text) that cannot be shown; lines may end."""
    return [
        Fault(
            "certificate", None, place, text,
            f"characters that the font shows; it has none for U+{ord(character):04X} "
            f"{unicodedata.name(character, 'without a name')}",
            "A6.1",
        )
        for place, text in texts.items()
        for character in unshown(text.replace("\n", ""))
    ]  # fmt: skip
