"""The part of TOML that case.toml and rules.toml use; Python before 3.11 reads none by itself."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Tuple

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_NUMBER = re.compile(r"[+-]?[0-9][0-9_]*(\.[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9T ])")
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}


class TomlError(ValueError):
    """A text that is not TOML, or more of it than is read here."""


def read_toml(text: str) -> Dict[str, Any]:
    """Tables, arrays, strings, integers, booleans; decimals and dates as text. TomlError otherwise."""
    document: Dict[str, Any] = {}
    table, at = document, 0
    while True:
        at = _skip(text, at)
        if at >= len(text):
            return document
        if text[at] == "[":
            many = text.startswith("[[", at)
            end = text.find("]]" if many else "]", at)
            if end < 0:
                raise TomlError("a table without its end")
            names = text[at + (2 if many else 1) : end].strip().split(".")
            table, at = _table(document, names, many), end + (2 if many else 1)
        else:
            key, at = _key(text, at)
            at = _expect(text, at, "=")
            table[key], at = _value(text, at)


def _skip(text: str, at: int) -> int:
    """The next place that is neither white space nor comment."""
    while at < len(text):
        if text[at] == "#":
            end = text.find("\n", at)
            at = len(text) if end < 0 else end
        elif text[at] in " \t\r\n":
            at += 1
        else:
            break
    return at


def _expect(text: str, at: int, sign: str) -> int:
    at = _skip(text, at)
    if not text.startswith(sign, at):
        raise TomlError(f"{sign!r} is expected at character {at}")
    return _skip(text, at + len(sign))


def _table(document: Dict[str, Any], names: List[str], many: bool) -> Dict[str, Any]:
    table = document
    for name in names[:-1]:
        table = table.setdefault(name.strip(), {})
        table = table[-1] if isinstance(table, list) else table
    last = names[-1].strip()
    if many:
        table.setdefault(last, []).append({})
        return table[last][-1]
    return table.setdefault(last, {})


def _key(text: str, at: int) -> Tuple[str, int]:
    if text[at : at + 1] == '"':
        return _string(text, at)
    found = _BARE.match(text, at)
    if not found:
        raise TomlError(f"a key is expected at character {at}")
    return found.group(), found.end()


def _value(text: str, at: int) -> Tuple[Any, int]:
    if text[at : at + 1] in ('"', "'"):
        return _string(text, at)
    if text[at : at + 1] == "[":
        return _array(text, at)
    if text[at : at + 1] == "{":
        return _inline(text, at)
    for word, value in (("true", True), ("false", False)):
        if text.startswith(word, at):
            return value, at + len(word)
    found = _DATE.match(text, at)
    if found:
        return found.group(), found.end()
    found = _NUMBER.match(text, at)
    if not found or text[found.end() : found.end() + 1] in ("-", ":", "e", "E"):
        raise TomlError(f"a value is expected at character {at}")
    plain = found.group().replace("_", "")
    return (plain if found.group(1) else int(plain)), found.end()


def _inline(text: str, at: int) -> Tuple[Dict[str, Any], int]:
    """A table in one line: { a = 1, b = "c" }."""
    items: Dict[str, Any] = {}
    at = _skip(text, at + 1)
    while not text.startswith("}", at):
        key, at = _key(text, at)
        at = _expect(text, at, "=")
        items[key], at = _value(text, at)
        at = _skip(text, at)
        if text.startswith(",", at):
            at = _skip(text, at + 1)
        elif not text.startswith("}", at):
            raise TomlError(f"a table without its end at character {at}")
    return items, at + 1


def _array(text: str, at: int) -> Tuple[List[Any], int]:
    items: List[Any] = []
    at = _skip(text, at + 1)
    while not text.startswith("]", at):
        item, at = _value(text, at)
        items.append(item)
        at = _skip(text, at)
        if text.startswith(",", at):
            at = _skip(text, at + 1)
        elif not text.startswith("]", at):
            raise TomlError(f"an array without its end at character {at}")
    return items, at + 1


def _string(text: str, at: int) -> Tuple[str, int]:
    quote = text[at]
    if text.startswith(quote * 3, at):
        raise TomlError("texts over several lines are not read here")
    out: List[str] = []
    at += 1
    while at < len(text) and text[at] != quote and text[at] != "\n":
        if text[at] == "\\" and quote == '"':
            sign = text[at + 1 : at + 2]
            if sign in ("u", "U"):
                size = 4 if sign == "u" else 8
                out.append(chr(int(text[at + 2 : at + 2 + size], 16)))
                at += 2 + size
                continue
            if sign not in _ESCAPES:
                raise TomlError(f"an unknown escape at character {at}")
            out.append(_ESCAPES[sign])
            at += 2
        else:
            out.append(text[at])
            at += 1
    if at >= len(text) or text[at] != quote:
        raise TomlError("a text without its end")
    return "".join(out), at + 1
