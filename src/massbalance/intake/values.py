"""Dates, flags, words, scopes and scheme lists of distinct words."""

from __future__ import annotations

import re
from datetime import date
from itertools import permutations
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from massbalance.intake.cells import Cells, Mask, contains, matches

_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
EARLIEST_YEAR = 1900
TRUE, FALSE = ("true", "True", "TRUE"), ("false", "False", "FALSE")

_SCOPES = {
    "+".join(order): "+".join(sorted(order)) for n in (1, 2, 3) for order in permutations(("1", "2", "3"), n)
}
"""Every spelling of a set of scopes, and the canonical one."""

_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
_CONTROL_OR_BREAK = r"[\x00-\x1f\x7f]"


def parse_date(word: str) -> date | None:
    """The day, or None where the word is no ISO date from 1900 on."""
    if _ISO_DATE.fullmatch(word) is None:
        return None
    try:
        day = date.fromisoformat(word)
    except ValueError:
        return None
    return day if day.year >= EARLIEST_YEAR else None


def dates(words: Any) -> npt.NDArray[np.datetime64]:
    """datetime64[D] of each word, NaT where it is none, shape (k,)."""
    days = [parse_date(word) for word in words.to_pylist()]
    return np.array(["NaT" if d is None else d.isoformat() for d in days], dtype="datetime64[D]")


def _alike(cells: Cells, words: tuple[str, ...]) -> Mask:
    return contains(cells.words, pa.array(words))


def flags(cells: Cells) -> Cells:
    """true and false as they are; TRUE, True (spreadsheets, data frames) become true."""
    if _alike(cells, (*TRUE[1:], *FALSE[1:])).any():
        spelled = _alike(cells, TRUE[1:]) | _alike(cells, FALSE[1:])
        return cells.replaced(spelled, str.lower)
    return cells


def scopes(cells: Cells) -> tuple[Cells, Mask]:
    """`2+1` becomes `1+2`; and which words (of the result) are no scopes, shape (k,)."""
    fixed = cells.replaced(_alike(cells, tuple(_SCOPES)), _SCOPES.__getitem__)
    return fixed, ~_alike(fixed, ("", *_SCOPES.values()))


def _canonical_schemes(word: str) -> str:
    return ";".join(sorted({part.strip() for part in word.split(";")} - {""}))


def schemes(cells: Cells) -> Cells:
    """`B; A;` becomes `A;B`."""
    listed = matches(cells.words, ";")
    return cells.replaced(listed, _canonical_schemes) if listed.any() else cells


def with_control_characters(words: Any, *, name: bool) -> Mask:
    """Which words hold control characters; names may hold no line breaks or tabs either."""
    return matches(words, _CONTROL_OR_BREAK if name else _CONTROL)
