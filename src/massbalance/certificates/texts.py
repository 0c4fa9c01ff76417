"""The words on paper, in Japanese and English, from texts.toml."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any

LANGUAGES = ("ja", "en")


@cache
def _words() -> dict[str, Any]:
    source = resources.files("massbalance.certificates").joinpath("texts.toml").read_bytes()
    return tomllib.loads(source.decode())


def words() -> dict[str, Any]:
    """table -> key -> language -> text."""
    return _words()


class Words:
    """The texts in one language."""

    def __init__(self, language: str) -> None:
        self.language = language

    def __call__(self, key: str, **figures: str) -> str:
        """The text `table.key` with its figures filled in (KeyError where there is none)."""
        table, _, name = key.partition(".")
        text = str(_words()[table][name][self.language])
        return text.format(**figures) if figures else text

    def known(self, table: str, name: str) -> str:
        """The text `table.name`, or the name itself where the table has no such word."""
        found = _words()[table].get(name)
        return name if found is None else str(found[self.language])
