"""What moves a goal, one thing changed at a time: the widest bar on top."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from massbalance.pages.documents import Bar, Tornado
from massbalance.pages.plots.canvas import (
    BLUE,
    HEAD,
    INK,
    MARGIN,
    ORANGE,
    SMALL,
    SOFT,
    WIDTH,
    clipped,
    panel,
    sheet,
)
from massbalance.pages.texts import Words

ROW, FOOT, LABELS, THICK = 0.34, 0.6, 2.6, 0.62
NAME = 36
"""Columns of a name."""
MOST = 15
"""Bars that a page shows; the count of the others is named."""


def draw(data: Tornado, words: Words) -> Figure:
    """Bars from the base to the goal's value at the low and at the high setting."""
    bars = sorted(data.bars, key=lambda bar: (-bar.width(data.base), bar.name))
    shown, left = bars[:MOST], len(bars) - len(bars[:MOST])
    height = HEAD + 2 * MARGIN + FOOT + ROW * max(len(shown), 3)
    name = words.goal(data.goal)
    title = words("tornado.title", goal=name)
    figure, whole = sheet(height, title, words("tornado.subtitle", base=words.number(data.base)))
    if not shown:
        whole.text(WIDTH / 2, height / 2, words("plot.nothing"), ha="center", color=SOFT)
        return figure
    axes = panel(figure, MARGIN + LABELS, MARGIN + FOOT, MARGIN + 0.5, MARGIN + HEAD)
    ends = [float(data.base), *(float(v) for bar in shown for v in (bar.low, bar.high) if v is not None)]
    digits = 0 if max(map(abs, ends)) >= 100 else 3
    room = (max(ends) - min(ends) or abs(ends[0]) or 1.0) * 0.3
    axes.set(xlim=(min(ends) - room, max(ends) + room), ylim=(len(shown) - 0.4, -0.6), yticks=[])
    for row, bar in enumerate(shown):
        _bar(axes, row, bar, data, digits, words)
    axes.axvline(float(data.base), color=INK, lw=1.0)
    axes.xaxis.set_major_formatter(lambda v, _: words.number(round(v, 6), digits))
    axes.locator_params(axis="x", nbins=6)
    axes.set_xlabel(words.axis(data.goal, data.currency), fontsize=SMALL)
    axes.spines["left"].set_visible(False)
    axes.grid(visible=True, axis="x")
    if left:
        whole.text(MARGIN, MARGIN + 0.1, words("tornado.others", n=left), fontsize=SMALL, color=SOFT)
    return figure


def _bar(axes: Axes, row: int, bar: Bar, data: Tornado, digits: int, words: Words) -> None:
    """One thing's bars with their settings and changes.

    Where both go one way, the shorter lies on the longer, its label on the other side of the base.
    """
    base = float(data.base)
    name = clipped(bar.name, NAME)
    axes.text(-0.02, row, name, transform=axes.get_yaxis_transform(), ha="right", va="center_baseline")
    ends = [(bar.low, bar.at_low, BLUE), (bar.high, bar.at_high, ORANGE)]
    told = [(value - data.base, setting, colour) for value, setting, colour in ends if value is not None]
    told.sort(key=lambda end: -abs(end[0]))
    taken = 0
    for change, setting, colour in told:
        axes.barh(row, float(change), left=base, height=THICK, color=colour, linewidth=0)
        own = 1 if change > 0 else -1 if change < 0 else -taken or (1 if colour == ORANGE else -1)
        side = own if own != taken else -taken
        place = base + float(change) if side == own else base
        taken = side
        text = words.number(change, digits, sign=True)
        axes.annotate(
            f"{clipped(setting, 16)}: {text}" if setting else text, (place, row), (4 * side, 0),
            textcoords="offset points", ha="left" if side > 0 else "right", va="center_baseline",
            fontsize=SMALL, color=SOFT, bbox={"fc": "white", "ec": "none", "pad": 0.6},
        )  # fmt: skip
