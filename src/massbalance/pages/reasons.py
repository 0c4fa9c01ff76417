"""Why an order got less, in the reader's language: `why` of orders.csv is English, its sentences are few.

A sentence that reasons.toml does not know stays English.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

_OR, _BINDING = "; or ", "; also binding: "
_FIGURE = re.compile(r"\d+(\.\d+)?(e[-+]?\d+)?")


@dataclass(frozen=True)
class _Pattern:
    pattern: re.Pattern[str]
    ja: str
    short: Mapping[str, str]


@cache
def _patterns(table: str) -> tuple[_Pattern, ...]:
    source = resources.files("massbalance.pages").joinpath("reasons.toml").read_bytes()
    found = tomllib.loads(source.decode())[table]
    return tuple(_Pattern(re.compile(one["pattern"]), one["ja"], one.get("short", {})) for one in found)


def reason(why: str, language: str) -> tuple[str, bool]:
    """The reason in that language, and whether all of it is (else the English text)."""
    if language == "en":
        return why, True
    parts = [_one(part) for part in why.split(_OR)]
    known = [part for part in parts if part is not None]
    return ("。又は、".join(known), True) if len(known) == len(parts) else (why, False)


def kind_of_reason(why: str, language: str) -> str:
    """The reason without what concerns one order only: its figures, and limits that also bind."""
    main = why.split(_OR)[0].partition(_BINDING)[0]
    for one in _patterns("reason"):
        if one.pattern.fullmatch(main) and one.short:
            return one.short[language]
    return _FIGURE.sub("…", reason(main, language)[0])


def _one(text: str) -> str | None:
    main, _, binding = text.partition(_BINDING)
    found = _said(main, _patterns("reason"))
    if found is None or not binding:
        return found
    limits = _limits(binding)
    return None if limits is None else f"{found}。ほかに効いている制約：{limits}"


def _limits(text: str) -> str | None:
    found = [_said(part, _patterns("limit")) for part in text.split(", ")]
    known = [part for part in found if part is not None]
    return "、".join(known) if len(known) == len(found) else None


def _said(text: str, patterns: tuple[_Pattern, ...]) -> str | None:
    for one in patterns:
        match = one.pattern.fullmatch(text)
        if match:
            words = match.groupdict()
            if "limits" in words:
                limits = _limits(words["limits"])
                if limits is None:
                    return None
                words["limits"] = limits
            return one.ja.format(**words)
    return None
