"""What all plots share: fonts, colours, the bytes of a figure. The same data, the same bytes, on any machine.

Texts are drawn with two fonts that the project brings along, whatever the machine has; nothing of a user's
matplotlib settings is used, and no text is read as mathematics. In SVG letters are outlines, so that every
viewer shows the same.
"""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from noto_cjk_sans_jp_regular import FONT_PATH

# Okabe and Ito's colours, told apart by all kinds of colour vision.
ORANGE, SKY, GREEN, YELLOW = "#E69F00", "#56B4E9", "#009E73", "#F0E442"
BLUE, VERMILLION, PURPLE = "#0072B2", "#D55E00", "#CC79A7"
INK, SOFT, LINE, GREY = "#222222", "#5F6368", "#D9DCE0", "#9AA0A6"

KIND_COLOURS = {"material": BLUE, "energy": ORANGE, "project": GREEN}
SCOPE_COLOURS = {1: ORANGE, 2: PURPLE, 3: SKY}

WIDTH = 9.6
"""Inches: every plot is as wide."""
DPI = 160
TITLE, SMALL, TEXT = 13.0, 8.5, 9.0
"""Points."""
MARGIN = 0.28
"""Inches around everything."""
HEAD = 0.78
"""Inches that title and subtitle take."""

_PROLOG = b'<?xml version="1.0" encoding="utf-8"?>\n'
_METADATA = re.compile(rb" *<metadata>.*?</metadata>\n", re.DOTALL)

_FIRST, _SECOND = "massbalance sans", "massbalance symbols"
_SETTINGS: dict[Any, Any] = {
    "font.family": [_FIRST, _SECOND],
    "font.size": TEXT,
    "text.parse_math": False,
    "text.usetex": False,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": SOFT,
    "axes.unicode_minus": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "grid.color": LINE,
    "grid.linewidth": 0.7,
    "hatch.linewidth": 0.7,
    "svg.fonttype": "path",
    "svg.hashsalt": "massbalance",
    "svg.id": None,
    "path.simplify": False,
    "savefig.bbox": None,
}


@cache
def _register_fonts() -> None:
    """Both fonts under names of their own, so that no font of the machine can stand in for them."""
    second = Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    for name, path in ((_FIRST, FONT_PATH), (_SECOND, second)):
        entry = font_manager.FontEntry(fname=str(path), name=name, style="normal", variant="normal",
                                       weight=400, stretch="normal", size="scalable")  # fmt: skip
        font_manager.fontManager.ttflist.append(entry)


@contextmanager
def drawing() -> Iterator[None]:
    """The settings under which figures are made and saved; the caller's are untouched."""
    _register_fonts()
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        yield


def sheet(height: float, title: str, subtitle: str = "") -> tuple[Figure, Axes]:
    """A figure of WIDTH x height inches with title and subtitle, and axes over all of it in inches."""
    figure = Figure(figsize=(WIDTH, height), facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, WIDTH), ylim=(0, height))
    axes.axis("off")
    axes.text(MARGIN, height - MARGIN, clipped(title, 92), fontsize=TITLE, va="top")
    if subtitle:
        axes.text(MARGIN, height - MARGIN - 0.29, clipped(subtitle, 132), fontsize=TEXT, color=SOFT, va="top")
    return figure, axes


def panel(figure: Figure, left: float, bottom: float, right: float, top: float) -> Axes:
    """Axes on a figure, margins in inches from each side."""
    width, height = figure.get_size_inches()
    return figure.add_axes(
        (left / width, bottom / height, (width - left - right) / width, (height - bottom - top) / height)
    )


def svg(figure: Figure, title: str) -> bytes:
    """The figure as SVG, with a title for readers that speak; no date and no address in it."""
    out = io.BytesIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Title": plain(title)})
    body = out.getvalue()
    return _PROLOG + _METADATA.sub(b"", body[body.index(b"<svg") :])


def png(figure: Figure) -> bytes:
    """The figure as PNG, without text chunks."""
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=DPI, metadata={"Software": None})
    return out.getvalue()


def plain(text: str) -> str:
    """A text as it may be drawn: what ends lines, turns letters around or cannot be shown becomes U+FFFD."""
    return "".join(c if _drawable(c) else "\ufffd" for c in unicodedata.normalize("NFC", text))


def _drawable(character: str) -> bool:
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") and (
        ord(character) in _shown()
    )


@cache
def _shown() -> frozenset[int]:
    """Code points that one of the two fonts shows."""
    from matplotlib.ft2font import FT2Font

    second = Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    return frozenset(code for path in (FONT_PATH, second) for code in FT2Font(str(path)).get_charmap())


def columns(text: str) -> int:
    """How wide a text is, in halves of an ideograph."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def clipped(text: str, most: int) -> str:
    """A drawable text of at most so many columns; what is longer ends in an ellipsis."""
    text = plain(text)
    if columns(text) <= most:
        return text
    kept, width = [], 1
    for character in text:
        width += columns(character)
        if width > most:
            break
        kept.append(character)
    return "".join(kept).rstrip() + "…"
