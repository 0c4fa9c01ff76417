"""The floor premium over the mass of a quote."""

from __future__ import annotations

from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from massbalance.pages.documents import Curve
from massbalance.pages.plots.canvas import (
    BLUE,
    HEAD,
    INK,
    MARGIN,
    SKY,
    SMALL,
    SOFT,
    VERMILLION,
    WIDTH,
    panel,
    sheet,
)
from massbalance.pages.texts import Words

HEIGHT, FOOT, SIDE = 4.6, 0.6, 2.35
"""Inches: the figure, its axis, room for the names of the lines."""
PIECES = 24
"""Parts in which the hyperbola between two bends is drawn."""


def draw(data: Curve, words: Words) -> Figure:
    """Two lines: the least premium per t of the whole mass, and (steps) of its last tonne."""
    claim = words.claim(data.claim, data.level)
    title = words("curve.title", product=data.product, period=data.period)
    figure, whole = sheet(HEIGHT, title, words("curve.subtitle", claim=claim))
    if len(data.points) < 2:
        whole.text(WIDTH / 2, HEIGHT / 2, words("plot.nothing"), ha="center", color=SOFT)
        return figure
    axes = panel(figure, MARGIN + 0.6, MARGIN + FOOT, MARGIN + SIDE, MARGIN + HEAD)
    points = [(float(p.mass_t), float(p.floor), float(p.marginal)) for p in data.points]
    _lines(axes, points)
    end = points[-1]
    top = max(max(f, m) for _, f, m in points) or 1.0
    offered = None if data.offered is None else float(data.offered)
    low = min(0.0, *(min(f, m) for _, f, m in points))
    axes.set(xlim=(0, end[0]), ylim=(low * 1.08, 1.12 * max(top, offered or 0.0)))
    axes.set_xlabel(words("axis.mass"), fontsize=SMALL)
    unit = words("axis.premium", currency=words.known("currency", data.currency))
    axes.set_ylabel(unit if data.currency else words("axis.premium_plain"), fontsize=SMALL)
    axes.grid(visible=True, axis="y")
    axes.tick_params(length=3)
    axes.xaxis.set_major_formatter(lambda v, _: words.number(round(v, 6), 0 if end[0] >= 20 else 2))
    axes.yaxis.set_major_formatter(lambda v, _: words.number(round(v, 9), 2 if top < 20 else 0))
    _names(axes, end, top, offered, data, words)
    _asked(axes, data, words)
    return figure


def _lines(axes: Axes, points: list[tuple[float, float, float]]) -> None:
    steps_x, steps_y, curve_x, curve_y = [], [], [], []
    for (m0, f0, _), (m1, f1, slope) in pairwise(points):
        steps_x += [m0, m1]
        steps_y += [slope, slope]
        for i in range(PIECES + 1):
            mass = m0 + (m1 - m0) * i / PIECES
            # the loss is straight between two bends
            loss = m0 * f0 + (m1 * f1 - m0 * f0) * i / PIECES
            curve_x.append(mass)
            curve_y.append(loss / mass if mass > 0 else slope)
    axes.plot(steps_x, steps_y, color=SKY, lw=1.6, solid_joinstyle="miter")
    axes.plot(curve_x, curve_y, color=BLUE, lw=2.4)
    bends = points[1:]
    axes.plot([m for m, _, _ in bends], [f for _, f, _ in bends], "o", color=BLUE, ms=4)


def _names(
    axes: Axes, end: tuple[float, float, float], top: float, offered: float | None, data: Curve, words: Words
) -> None:  # fmt: skip
    """The lines' names at their right ends, far enough from each other."""
    texts = [(end[1], BLUE, words("curve.floor")), (end[2], SKY, words("curve.marginal"))]
    if offered is not None:
        axes.axhline(offered, color=VERMILLION, lw=1.2, ls=(0, (5, 3)))
        texts.append(
            (offered, VERMILLION, words("curve.offered", premium=words.money(data.offered, data.currency)))
        )
    least = 0.075 * max(top, offered or 0.0)
    texts.sort(key=lambda t: t[0])
    last = -float("inf")
    for y, colour, text in texts:
        place = max(y, last + least)
        last = place
        axes.annotate(
            text, (1.0, place), (8, 0), xycoords=axes.get_yaxis_transform(), textcoords="offset points",
            va="center_baseline", color=INK if colour == SKY else colour, fontsize=SMALL + 0.5,
        )  # fmt: skip
    axes.annotate(
        words("curve.feasible", mass=words.number(data.feasible_t)), (1.0, 0.0), (8, 2),
        xycoords="axes fraction", textcoords="offset points", color=SOFT, fontsize=SMALL,
    )  # fmt: skip


def _asked(axes: Axes, data: Curve, words: Words) -> None:
    """The quote itself, where its whole mass is feasible."""
    if data.floor is None:
        return
    x, y = float(data.mass_t), float(data.floor)
    axes.plot([x], [y], "o", mfc="white", mec=VERMILLION, mew=1.8, ms=8, zorder=5, clip_on=False)
    text = words(
        "curve.asked", mass=words.number(data.mass_t), premium=words.money(data.floor, data.currency)
    )
    low, high = axes.get_ylim()
    above = y < low + 0.75 * (high - low)
    axes.annotate(
        text, (x, y), (-10, 12 if above else -18), textcoords="offset points", ha="right", color=VERMILLION,
        fontsize=SMALL + 0.5, bbox={"fc": "white", "ec": "none", "alpha": 0.8, "pad": 1}, zorder=6,
    )  # fmt: skip
