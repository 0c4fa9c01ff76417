"""What two goals allow together: the front, every point named."""

from __future__ import annotations

from functools import partial

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from massbalance.pages.documents import Pareto, Point
from massbalance.pages.plots.canvas import (
    BLUE,
    HEAD,
    MARGIN,
    SMALL,
    SOFT,
    VERMILLION,
    WIDTH,
    clipped,
    panel,
    sheet,
)
from massbalance.pages.texts import Words

HEIGHT, FOOT = 5.2, 0.6
NAMED = 14
"""Points that are named one by one; of more, both ends and the chosen one."""


def draw(data: Pareto, words: Words) -> Figure:
    """The points joined in the order of x; the chosen one stands out."""
    x, y = words.goal(data.x), words.goal(data.y)
    figure, whole = sheet(HEIGHT, words("pareto.title", x=x, y=y), words(_subtitle(data)))
    if not data.points:
        whole.text(WIDTH / 2, HEIGHT / 2, words("plot.nothing"), ha="center", color=SOFT)
        return figure
    axes = panel(figure, MARGIN + 0.85, MARGIN + FOOT, MARGIN + 0.6, MARGIN + HEAD)
    points = sorted(data.points, key=lambda p: (p.x, p.y))
    axes.plot([float(p.x) for p in points], [float(p.y) for p in points], "o", color=BLUE, ms=5,
              ls="-" if data.linear else (0, (1, 3)), lw=1.8)  # fmt: skip
    axes.margins(0.12, 0.14)
    falling = points[-1].y <= points[0].y
    for at, point in enumerate(points):
        if len(points) <= NAMED or at in (0, len(points) - 1) or point.chosen:
            _name(axes, point, (at, len(points) - 1), falling, words)
    axes.set_xlabel(words.axis(data.x, data.currency), fontsize=SMALL)
    axes.set_ylabel(words.axis(data.y, data.currency), fontsize=SMALL)
    for axis, values in ((axes.xaxis, [p.x for p in points]), (axes.yaxis, [p.y for p in points])):
        span = float(max(values) - min(values))
        digits = 0 if span >= 20 else 2 if span >= 0.2 else 4
        axis.set_major_formatter(partial(_tick, words, digits))
    axes.grid(visible=True)
    axes.tick_params(length=3)
    return figure


def _subtitle(data: Pareto) -> str:
    return "pareto.subtitle" if data.linear else "pareto.subtitle_points"


def _tick(words: Words, digits: int, value: float, _: object) -> str:
    return words.number(round(value, 9), digits)


def _name(axes: Axes, point: Point, where: tuple[int, int], falling: bool, words: Words) -> None:
    """The name beside its point, away from the line and inside the axes; where: number, and the last's."""
    at, last = where
    place = float(point.x), float(point.y)
    text = clipped(words.point(point.label, point.chosen), 36)
    if point.chosen:
        axes.plot(*place, "o", mfc="white", mec=VERMILLION, mew=1.8, ms=9, zorder=4)
    right, above = (at == last), falling != (at == last)
    axes.annotate(
        text, place, (-7 if right else 7, 6 if above else -13), textcoords="offset points",
        ha="right" if right else "left", fontsize=SMALL, color=VERMILLION if point.chosen else SOFT,
    )  # fmt: skip
