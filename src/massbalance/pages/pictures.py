"""Every plot by name: figure, SVG and PNG bytes, and what it says for those who do not see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

from matplotlib.figure import Figure

from massbalance.domain.grid import GRID
from massbalance.pages.ageing import Ageing
from massbalance.pages.bars import Waterfall
from massbalance.pages.documents import Curve, Pareto, Tornado
from massbalance.pages.flows import Flows, grouped
from massbalance.pages.plots import ageing, canvas, curve, pareto, sankey, tornado, waterfall
from massbalance.pages.texts import Words

Data = Flows | Waterfall | Ageing | Curve | Tornado | Pareto
PLOTS = ("sankey", "waterfall", "ageing", "curve", "tornado", "pareto")


@dataclass(frozen=True)
class Picture:
    """A plot. name: one of PLOTS; alt: what it shows, in a sentence or two; make: draws it."""

    name: str
    title: str
    alt: str
    make: Callable[[], Figure]

    def svg(self) -> bytes:
        """The picture as SVG: the same data, the same bytes."""
        with canvas.drawing():
            return canvas.svg(self.make(), self.title)

    def png(self) -> bytes:
        """The picture as PNG: the same data, the same bytes (with one version of the drawing tool)."""
        with canvas.drawing():
            return canvas.png(self.make())


def picture_of(data: Data, words: Words) -> Picture:
    """The plot of some data, in the words' language."""
    if isinstance(data, Flows):
        return _sankey(data, words)
    if isinstance(data, Waterfall):
        return _waterfall(data, words)
    if isinstance(data, Ageing):
        held = words.number(Fraction(data.total(len(data.periods) - 1), GRID)) if data.periods else "0"
        alt = words("alt.ageing", held=held)
        return Picture("ageing", words("ageing.title"), alt, partial(ageing.draw, data, words))
    if isinstance(data, Curve):
        title = words("curve.title", product=data.product, period=data.period)
        alt = words("alt.curve", mass=words.number(data.feasible_t))
        return Picture("curve", title, alt, partial(curve.draw, data, words))
    if isinstance(data, Tornado):
        title = words("tornado.title", goal=words.goal(data.goal))
        widest = max(data.bars, key=lambda bar: bar.width(data.base), default=None)
        alt = words("alt.tornado", name=widest.name) if widest else words("plot.nothing")
        return Picture("tornado", title, alt, partial(tornado.draw, data, words))
    title = words("pareto.title", x=words.goal(data.x), y=words.goal(data.y))
    alt = words("alt.pareto", n=len(data.points))
    return Picture("pareto", title, alt, partial(pareto.draw, data, words))


def _sankey(data: Flows, words: Words) -> Picture:
    title = words("sankey.title", unit=words(f"unit.{data.unit}"))
    sums: dict[str, int] = {}
    for flow in data.rows:
        sums[flow.source] = sums.get(flow.source, 0) + flow.amount
    if not sums:
        alt = words("plot.nothing")
    else:
        most = min(sums, key=lambda name: (-sums[name], name))
        total, amount = (words.number(Fraction(value, GRID), 0) for value in (data.total, sums[most]))
        alt = words("alt.sankey", total=total, unit=words(f"unit.{data.unit}"), source=most, amount=amount)
    return Picture("sankey", title, alt, partial(sankey.draw, grouped(data), words))


def _waterfall(data: Waterfall, words: Words) -> Picture:
    title = words("waterfall.title", product=data.product)
    alt = []
    if data.claimed:
        before, after = words.number(data.claimed.before), words.number(data.claimed.after, up=True)
        alt.append(words("alt.waterfall", product=data.product, before=before, after=after))
    if data.conventional:
        after = words.number(data.conventional.after, up=True)
        alt.append(words("alt.waterfall_conventional", product=data.product, after=after))
    text = " ".join(alt) or words("plot.nothing")
    return Picture("waterfall", title, text, partial(waterfall.draw, data, words))
