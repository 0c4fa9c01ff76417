"""What the account holds at each period's end, by months to expiry, and below what expired."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from massbalance.pages.ageing import CLASSES, Ageing
from massbalance.pages.plots.canvas import (
    BLUE,
    GREY,
    HEAD,
    INK,
    MARGIN,
    ORANGE,
    SKY,
    SMALL,
    SOFT,
    VERMILLION,
    WIDTH,
    YELLOW,
    clipped,
    panel,
    sheet,
)
from massbalance.pages.texts import Words

COLOURS = dict(zip(CLASSES, (VERMILLION, ORANGE, YELLOW, SKY, BLUE, GREY), strict=True))
"""From what expires soon to what never does."""
HEIGHT, FOOT, KEY = 4.4, 0.25, 2.15
"""Inches: the figure, its axis, the key on the right."""
MOST_LABELS = 18
"""Periods whose names fit under the axis."""


def draw(data: Ageing, words: Words) -> Figure:
    """Stacked bars, t CO2e: the soonest to expire at the bottom; below zero what expired in the period."""
    figure, whole = sheet(HEIGHT, words("ageing.title"), words("ageing.subtitle"))
    some = any(any(amounts) for amounts in (*data.held.values(), data.expired))
    if not some:
        whole.text(WIDTH / 2, HEIGHT / 2, words("plot.nothing"), ha="center", color=SOFT)
        return figure
    axes = panel(figure, MARGIN + 0.75, MARGIN + FOOT, MARGIN + KEY, MARGIN + HEAD)
    places = range(len(data.periods))
    base = [0.0] * len(data.periods)
    for name in CLASSES:
        tonnes = [amount / 1e6 for amount in data.held[name]]
        axes.bar(places, tonnes, bottom=base, color=COLOURS[name], width=0.62, linewidth=0)
        base = [b + t for b, t in zip(base, tonnes, strict=True)]
    axes.bar(places, [-amount / 1e6 for amount in data.expired], color="white", edgecolor=SOFT, hatch="////",
             width=0.62, linewidth=0.7)  # fmt: skip
    axes.axhline(0, color=INK, lw=0.8)
    axes.set_ylabel(words("axis.tco2e"), fontsize=SMALL)
    lowest = -max(data.expired) / 1e6
    highest = max(max(base), 1e-6)
    axes.set_ylim(
        lowest - (0.09 * (highest - lowest) if lowest < 0 else 0), highest + 0.06 * (highest - lowest)
    )
    digits = 0 if highest >= 10 else 2
    axes.yaxis.set_major_formatter(lambda value, _: words.number(round(value, 6), digits))
    step = -(-len(data.periods) // MOST_LABELS)
    axes.set_xticks(list(places)[::step], [clipped(p, 14) for p in data.periods][::step])
    axes.set_xlim(-0.6, len(data.periods) - 0.4)
    axes.grid(visible=True, axis="y")
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(length=0)
    if len(data.periods) <= MOST_LABELS:
        _totals(axes, data, base, words)
    _key(whole, data, words)
    return figure


def _totals(axes: Axes, data: Ageing, tops: list[float], words: Words) -> None:
    """What is held above each bar, and what expired below it."""
    for i, (top, gone) in enumerate(zip(tops, data.expired, strict=True)):
        text = words.number(round(top, 6), 0)
        axes.annotate(
            text, (i, top), (0, 2), textcoords="offset points", ha="center", va="bottom", fontsize=SMALL
        )
        if gone >= 500_000:
            axes.annotate(words.number(-gone / 1e6, 0), (i, -gone / 1e6), (0, -3), textcoords="offset points",
                          ha="center", va="top", fontsize=SMALL, color=SOFT)  # fmt: skip


def _key(whole: Axes, data: Ageing, words: Words) -> None:
    """The classes that occur, in the order in which they are stacked."""
    shown = [(COLOURS[n], "", words(f"age.{n}")) for n in reversed(CLASSES) if any(data.held[n])]
    if any(data.expired):
        shown.append(("white", "////", words("age.expired")))
    x, y = WIDTH - MARGIN - KEY + 0.2, HEIGHT - MARGIN - HEAD - 0.1
    whole.text(x, y, words("ageing.key"), fontsize=SMALL, color=SOFT, va="center_baseline")
    for colour, hatch, text in shown:
        y -= 0.25
        whole.add_patch(_swatch(x, y, colour, hatch))
        whole.text(x + 0.26, y, text, fontsize=SMALL, va="center_baseline")


def _swatch(x: float, y: float, colour: str, hatch: str) -> Rectangle:
    return Rectangle((x, y - 0.07), 0.16, 0.14, facecolor=colour, hatch=hatch or None,
                     edgecolor=SOFT if hatch else colour, linewidth=0.7 if hatch else 0)  # fmt: skip
