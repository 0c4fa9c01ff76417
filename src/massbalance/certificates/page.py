"""From document to page: every word and figure on paper, in reading order, for the layout to place.

The page holds plain texts only. Texts from the case (names, addresses, lots) are never markup, and words too
long for a line get places to break (U+200B), which add nothing to see.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from massbalance.certificates import page_parts as parts
from massbalance.certificates.exact import shown
from massbalance.certificates.glyphs import FAMILY, SECOND, composed, left_to_second
from massbalance.certificates.texts import LANGUAGES, Words

REGIONS = {"ja": "JP", "en": "GB"}
_LONG = re.compile(r"[^\s\u2e80-\U0010ffff]+")  # ideographs and kana break anywhere
_STEP = 6
ROOM, NARROW = 26, 11
"""Letters that a line takes in any case: in the fields, and in the columns of the annex."""


def breakable(value: Any, room: int = ROOM) -> Any:
    """The texts of a page, with places to break in every word longer than `room` letters."""
    if isinstance(value, str):
        return _LONG.sub(lambda found: _broken(found.group(), room), composed(value))
    if isinstance(value, Mapping):
        return {key: breakable(inner, NARROW if key == "annex" else room) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [breakable(inner, room) for inner in value]
    return value


def _broken(word: str, room: int) -> str:
    if len(word) <= room:
        return word
    return "\u200b".join(word[i : i + _STEP] for i in range(0, len(word), _STEP))


def page(document: Mapping[str, Any], sha256: str, key_id: str, language: str) -> dict[str, Any]:
    """The page of a document.

    sha256, key_id: of the document's JSON and of the key that signed it; language: `ja`, `en` or `both`.
    """
    languages = LANGUAGES if language == "both" else (language,)
    titles = [Words(one)(f"{document['kind']}.title") for one in languages]
    year, month, day = (int(x) for x in document["issued_on"].split("-"))
    return {
        "title": f"{' / '.join(titles)} {document['serial']}",
        "author": document["issuer"]["name"],
        "keywords": [document["serial"], document["rule_model"]["id"], document["ledger"]["ledger"]],
        "date": {"year": year, "month": month, "day": day},
        "font": FAMILY,
        "second": SECOND,
        "second_covers": left_to_second(),
        "serial": document["serial"],
        "attached_name": f"{document['serial']}.json",
        "attached_description": "the signed document with every figure exact",
        "parts": [breakable(_part(document, Words(one), sha256, key_id)) for one in languages],
    }


def _part(document: Mapping[str, Any], words: Words, sha256: str, key_id: str) -> dict[str, Any]:
    kind = document["kind"]
    certificate = kind == "certificate"
    sections: list[dict[str, Any]] = [parts.subject(document, words)]
    if certificate:
        sections += [parts.intensity(document, words), parts.credits_by_kind(document, words)]
    else:
        sections += [parts.residual(document, words), *parts.corrections(document, words)]
    sections += [parts.statements(document, words), parts.assurance(document, words)]
    return {
        "lang": words.language,
        "region": REGIONS[words.language],
        "title": words(f"{kind}.title"),
        "subtitle": words(f"{kind}.subtitle"),
        "footer": words(f"{kind}.footer"),
        "lead": words(f"{kind}.lead", mass=shown(document["mass_t"], "down")),
        "meta": _meta(document, words),
        "parties": [parts.issuer(document, words), parts.recipient(document, words)],
        "figures": parts.headline(document, words),
        "sections": sections,
        "seal": parts.seal(document, words, sha256, key_id),
        "annex": [parts.annex(document, words)] if certificate and document["credits"] else [],
    }


def _meta(document: Mapping[str, Any], words: Words) -> list[list[str]]:
    rows: list[Sequence[str]] = [
        (words("meta.serial"), document["serial"]),
        (words("meta.issued_on"), document["issued_on"]),
    ]
    if document["replaces"]:
        rows.append((words("meta.replaces"), document["replaces"]))
    return [list(row) for row in rows]
