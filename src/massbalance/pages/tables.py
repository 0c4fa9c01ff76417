"""Tables of a report as plain texts: what stands in them, how many rows a page takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from massbalance.pages.pictures import Picture


@dataclass(frozen=True)
class Table:
    """Texts with a caption. figures: columns that hold numbers; last: is the last row a total?

    language: of the texts in `foreign` columns, where it is not the page's.
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    figures: frozenset[int] = frozenset()
    last: bool = False
    foreign: frozenset[int] = frozenset()
    note: str = ""


@dataclass(frozen=True)
class Card:
    """A figure that counts: what it is, the figure, and what to see it beside."""

    label: str
    figure: str
    beside: str = ""


@dataclass(frozen=True)
class Section:
    """A part of a report: texts, then its tables and pictures in order."""

    key: str
    title: str
    texts: tuple[str, ...]
    parts: tuple[Table | Picture, ...]


def table(
    caption: str, head: Sequence[str], rows: Sequence[Sequence[str]], *, words: int = 1, last: bool = False,
    foreign: Sequence[int] = (), note: str = "",
) -> Table:  # fmt: skip
    """A table whose first `words` columns are words and all others figures."""
    figures = frozenset(range(words, len(head)))
    return Table(caption, tuple(head), tuple(map(tuple, rows)), figures, last, frozenset(foreign), note)
