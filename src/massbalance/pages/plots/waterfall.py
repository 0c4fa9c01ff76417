"""A product's footprint from before the credits to after, and of the mass without credits to its residual."""

from __future__ import annotations

from fractions import Fraction

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Transform

from massbalance.pages.bars import Fall, Step, Waterfall, grouped
from massbalance.pages.plots.canvas import (
    BLUE,
    GREEN,
    GREY,
    HEAD,
    INK,
    MARGIN,
    SCOPE_COLOURS,
    SMALL,
    SOFT,
    TEXT,
    WIDTH,
    clipped,
    panel,
    sheet,
)
from massbalance.pages.texts import Words

ROW, SECTION, FOOT = 0.27, 0.36, 0.55
"""Inches: a bar, the head of each fall, the axis."""
LABELS, THICK = 3.0, 0.62
"""Inches for labels; part of a row that a bar fills."""
NAME = 40
"""Columns of a label."""
LEAST = Fraction(1, 2000)
"""What is less is not shown as a figure of three decimals, t CO2e per t."""


def draw(data: Waterfall, words: Words) -> Figure:
    """The figure: a bar for each level and step, on one axis from zero, t CO2e per t."""
    falls = [
        (kind, fall)
        for kind, fall in (("claimed", data.claimed), ("conventional", data.conventional))
        if fall
    ]
    lines = [(kind, grouped(fall)) for kind, fall in falls]
    rows = sum(len(fall.steps) + 2 for _, fall in lines)
    height = HEAD + 2 * MARGIN + ROW * max(rows, 3) + SECTION * len(lines) + FOOT
    period = data.period or words("waterfall.all_periods")
    title = words("waterfall.title", product=data.product)
    figure, whole = sheet(height, title, words("waterfall.subtitle", name=data.name, period=period))
    if not lines:
        whole.text(WIDTH / 2, height / 2, words("plot.nothing"), ha="center", color=SOFT)
        return figure
    axes = panel(figure, LABELS + MARGIN, MARGIN + FOOT, MARGIN + 0.75, MARGIN + HEAD)
    y = 0.0
    for kind, fall in lines:
        y = _fall(axes, fall, y, kind, words)
    most = float(max(fall.before for _, fall in lines))
    axes.set(xlim=(0, most * 1.02 or 1.0), ylim=(y, 0), yticks=[])
    axes.set_xlabel(words("axis.intensity"), fontsize=SMALL)
    axes.grid(visible=True, axis="x")
    axes.spines["left"].set_color(INK)
    return figure


def _fall(axes: Axes, fall: Fall, y: float, kind: str, words: Words) -> float:
    """Draw one fall from y (inches downwards) on; returns where it ends."""
    head = words(f"waterfall.{kind}", mass=words.number(Fraction(fall.mass, 10**6)))
    axes.text(
        -LABELS / _inches(axes),
        y + SECTION * 0.72,
        head,
        transform=_beside(axes),
        color=INK,
        fontsize=TEXT + 1,
    )
    y += SECTION
    after = GREEN if kind == "claimed" else BLUE
    _bar(
        axes,
        y,
        Fraction(0),
        fall.before,
        GREY,
        words(f"waterfall.{kind}_before"),
        words.number(fall.before),
        INK,
    )
    level = fall.before
    for step in fall.steps:
        y += ROW
        axes.plot([float(level)] * 2, [y - ROW / 2, y + ROW / 2 + ROW * 0.3], color=GREY, lw=0.7, zorder=1)
        level -= step.value
        text = words.number(-step.value) if step.value >= LEAST else words("waterfall.least")
        _bar(axes, y, level, level + step.value, SCOPE_COLOURS[step.scope], _label(step, words), text, SOFT)
    y += ROW
    axes.plot([float(level)] * 2, [y - ROW / 2, y + ROW / 2], color=GREY, lw=0.7, zorder=1)
    shown = words.number(fall.after, up=True)
    _bar(axes, y, Fraction(0), fall.after, after, words(f"waterfall.{kind}_after"), shown, INK)
    return y + ROW


def _bar(
    axes: Axes, y: float, low: Fraction, high: Fraction, colour: str, label: str, text: str, ink: str
) -> None:  # fmt: skip
    middle = y + ROW / 2
    axes.barh(
        middle, float(high - low), left=float(low), height=ROW * THICK, color=colour, linewidth=0, zorder=2
    )
    axes.text(-0.012, middle, clipped(label, NAME), transform=_beside(axes), ha="right", va="center_baseline",
              color=ink)  # fmt: skip
    axes.annotate(text, (float(high), middle), (4, 0), textcoords="offset points", va="center_baseline",
                  fontsize=SMALL, color=ink, bbox={"fc": "white", "ec": "none", "pad": 0.6})  # fmt: skip


def _inches(axes: Axes) -> float:
    """Width of the axes."""
    return float(axes.get_position().width * WIDTH)


def _beside(axes: Axes) -> Transform:
    """x in parts of the axes' width, y in data."""
    return axes.get_yaxis_transform()


def _label(step: Step, words: Words) -> str:
    if step.kind == "released":
        return words("waterfall.released", scope=step.scope)
    name = words("waterfall.others", n=step.members) if step.members else step.category
    return words("waterfall.step", scope=step.scope, name=name)
