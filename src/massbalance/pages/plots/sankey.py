"""Where the credits went: categories of lots on the left, customers and what nobody got on the right."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from massbalance.domain.grid import GRID
from massbalance.pages.flows import CUSTOMER, OTHERS, Flows
from massbalance.pages.plots.canvas import (
    GREY,
    HEAD,
    INK,
    KIND_COLOURS,
    MARGIN,
    SMALL,
    SOFT,
    WIDTH,
    clipped,
    sheet,
)
from massbalance.pages.texts import Words

LEFT, RIGHT, BAR = 2.75, WIDTH - 3.25, 0.16
"""Inches: where the two sides stand, and how wide their bars are."""
SLOT, GAP, BREAK = 0.215, 0.05, 0.16
"""Inches: least room of a label, between nodes, and before another kind of node."""
PER_NODE, LEAST, MOST = 0.33, 3.4, 9.0
"""Inches of drawing per node, and its bounds."""
NAME_LEFT, NAME_RIGHT = 25, 30
"""Columns of a name."""
AMOUNT, HAIR, HEADS = 0.62, 0.012, 0.25
"""Inches: the column of amounts on the left, the least height of a bar, the heads of the columns."""


@dataclass(frozen=True)
class _Node:
    name: str
    amount: int
    colour: str
    text: str
    group: str


def draw(flows: Flows, words: Words) -> Figure:
    """The figure of flows (see `flows.grouped` for large ones); widths are amounts.

    Empty flows give a figure that says so.
    """
    sources = _nodes(flows, words, [(f.source, f.kind) for f in flows.rows], _source_look)
    targets = _nodes(flows, words, [(f.target, f.fate) for f in flows.rows], _target_look)
    body = min(MOST, max(LEAST, PER_NODE * max(len(sources), len(targets), 1)))
    height = body + HEAD + HEADS + 2 * MARGIN
    unit = words(f"unit.{flows.unit}")
    figure, axes = sheet(height, words("sankey.title", unit=unit), words("sankey.subtitle"))
    if not flows.rows:
        axes.text(WIDTH / 2, height / 2, words("plot.nothing"), ha="center", color=SOFT)
        return figure
    top = height - MARGIN - HEAD - HEADS
    scale = min(_scale(sources, body), _scale(targets, body))
    left, right = (_placed(nodes, top, body, scale) for nodes in (sources, targets))
    _ribbons(axes, flows, left, right, scale, {key: node.colour for key, node in sources.items()})
    _side(axes, sources, left, scale, left=True)
    _side(axes, targets, right, scale, left=False)
    _heads(axes, top + 0.12, unit, words)
    return figure


_Key = tuple[str, str]
_Look = Callable[[_Key, Words], tuple[str, str]]


def _source_look(key: _Key, words: Words) -> tuple[str, str]:
    name, kind = key
    return KIND_COLOURS.get(kind, GREY), words.known("other", kind) if name == OTHERS else name


def _target_look(key: _Key, words: Words) -> tuple[str, str]:
    name, fate = key
    if fate == CUSTOMER:
        return INK, words("other.customer") if name == OTHERS else name
    return GREY, words(f"fate.{fate}")


def _nodes(flows: Flows, words: Words, keys: Sequence[_Key], look: _Look) -> dict[_Key, _Node]:
    """Nodes in the order of the flows."""
    sums: dict[_Key, int] = {}
    for key, flow in zip(keys, flows.rows, strict=True):
        sums[key] = sums.get(key, 0) + flow.amount
    found = {}
    for key in _ordered(sums):
        colour, name = look(key, words)
        if key[1] == CUSTOMER and flows.names.get(key[0], key[0]) != key[0]:
            name = f"{name}  {flows.names[key[0]]}"
        count = flows.members.get(key, 0)
        name = f"{name} ({count})" if count else name
        found[key] = _Node(name, sums[key], colour, words.number(Fraction(sums[key], GRID), 0), key[1])
    return found


_GROUPS = (
    "material",
    "energy",
    "project",
    "customer",
    "others",
    "forgone",
    "blocked",
    "expired",
    "retired",
    "held",
)
"""Kinds of lots, then customers and fates, from top to bottom."""


def _ordered(sums: Mapping[_Key, int]) -> list[_Key]:
    """By kind, then from large to small; what was grouped comes last of its kind."""
    rank = {name: i for i, name in enumerate(_GROUPS)}
    return sorted(sums, key=lambda k: (rank[k[1]], k[0] == OTHERS, -sums[k], k[0]))


def _spaces(nodes: Mapping[_Key, _Node]) -> list[float]:
    """The room before each node."""
    before, found = "", []
    for node in nodes.values():
        found.append(0.0 if not before else GAP if node.group == before else BREAK)
        before = node.group
    return found


def _scale(nodes: Mapping[_Key, _Node], body: float) -> float:
    """Inches per millionth at which all nodes, none smaller than its label's slot, fill the body."""
    room = body - sum(_spaces(nodes))
    small: set[_Key] = set()
    while True:
        large = sum(n.amount for k, n in nodes.items() if k not in small)
        scale = max(room - SLOT * len(small), SLOT) / large if large else room
        more = {k for k, n in nodes.items() if n.amount * scale < SLOT} - small
        if not more:
            return scale
        small |= more


def _placed(nodes: Mapping[_Key, _Node], top: float, body: float, scale: float) -> dict[_Key, float]:
    """Upper edge of each node's bar, which stands in the middle of its slot; room left over goes between."""
    slots = [max(node.amount * scale, SLOT) for node in nodes.values()]
    spaces = _spaces(nodes)
    spare = (body - sum(slots) - sum(spaces)) / (len(nodes) + 1)
    places, y = {}, top
    for (key, node), space, slot in zip(nodes.items(), spaces, slots, strict=True):
        height = node.amount * scale
        y -= space + spare
        places[key] = y - (slot - height) / 2
        y -= slot
    return places


def _ribbons(
    axes: Axes, flows: Flows, left: Mapping[_Key, float], right: Mapping[_Key, float], scale: float,
    colours: Mapping[_Key, str],
) -> None:  # fmt: skip
    """Every flow as a band; at both ends bands lie in the order of their other ends, so that few cross."""
    ends = [((f.source, f.kind), (f.target, f.fate), f.amount * scale) for f in flows.rows]
    start, finish = dict(left), dict(right)
    tops: dict[tuple[_Key, _Key], list[float]] = {}
    for a, b, width in sorted(ends, key=lambda e: (-left[e[0]], -right[e[1]])):
        tops[a, b] = [start[a]]
        start[a] -= width
    for a, b, width in sorted(ends, key=lambda e: (-right[e[1]], -left[e[0]])):
        tops[a, b].append(finish[b])
        finish[b] -= width
    for a, b, width in ends:
        y0, y1 = tops[a, b]
        axes.add_patch(_band(y0, y1, width, colours[a]))


def _band(y0: float, y1: float, width: float, colour: str) -> PathPatch:
    x0, x1 = LEFT + BAR, RIGHT
    middle = (x0 + x1) / 2
    points = [
        (x0, y0), (middle, y0), (middle, y1), (x1, y1),
        (x1, y1 - width), (middle, y1 - width), (middle, y0 - width), (x0, y0 - width), (x0, y0),
    ]  # fmt: skip
    curve = [Path.CURVE4] * 3
    codes = [Path.MOVETO, *curve, Path.LINETO, *curve, Path.CLOSEPOLY]
    return PathPatch(Path(points, codes), facecolor=colour, alpha=0.38, linewidth=0)


def _side(
    axes: Axes, nodes: Mapping[_Key, _Node], places: Mapping[_Key, float], scale: float, left: bool
) -> None:
    """Bars of one side with their labels: names beside the bars, amounts in a column at the margin."""
    x = LEFT if left else RIGHT
    for key, node in nodes.items():
        height = node.amount * scale
        y = places[key] - height / 2
        drawn = max(height, HAIR)
        axes.add_patch(Rectangle((x, y - drawn / 2), BAR, drawn, facecolor=node.colour, linewidth=0))
        name = clipped(node.name, NAME_LEFT if left else NAME_RIGHT)
        beside, across = (x - 0.1, MARGIN + AMOUNT) if left else (x + BAR + 0.1, WIDTH - MARGIN)
        axes.text(beside, y, name, ha="right" if left else "left", va="center_baseline")
        axes.text(across, y, node.text, ha="right", va="center_baseline", fontsize=SMALL, color=SOFT)


def _heads(axes: Axes, y: float, unit: str, words: Words) -> None:
    """What stands in the columns of labels."""
    for x, text, where in (
        (MARGIN + AMOUNT, unit, "right"), (LEFT - 0.1, words("sankey.sources"), "right"),
        (RIGHT + BAR + 0.1, words("sankey.targets"), "left"), (WIDTH - MARGIN, unit, "right"),
    ):  # fmt: skip
        axes.text(x, y, text, ha=where, va="center_baseline", fontsize=SMALL, color=SOFT)
