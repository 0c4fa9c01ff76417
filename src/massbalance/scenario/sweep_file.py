"""Sweep files (TOML): a scenario with levers in it, and the points at which it is solved.

name = "how much hydro, how late"
[levers]
share = [0.8, 1]                             # a grid: every value with every value of the others
[[edit]]
table = "lots"
where = { category = "primary_hydro" }
multiply = { quantity = "$share" }

A lever `{ low = 0, base = 15, high = 60 }` is turned alone, the others at their base (without `base`: their
edits left out). `futures = "futures.toml"` samples what may come otherwise, at every point of the grid.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from massbalance.domain.case import Case
from massbalance.domain.faults import CaseRefused
from massbalance.intake.log import Log, nearest, one_of
from massbalance.scenario.cells import plain
from massbalance.scenario.edits import Scenario
from massbalance.scenario.futures import Future, Futures
from massbalance.scenario.futures_file import read_futures
from massbalance.scenario.parse import SETTINGS, Place, parse_scenario, read_toml

TOP = ("name", "description", "figure", "levers", "futures", "seed", "count", "edit", *SETTINGS)
SIDES = ("low", "base", "high")
GRID, TORNADO, SAMPLE = "grid", "tornado", "sample"
MOST_POINTS = 100_000
WHOLE = {"seed": (0, 2**63 - 1), "count": (1, MOST_POINTS)}
"""Keys that take the place of the futures' own, and their range."""
MARGIN = "margin"
_LEVER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
Levers = tuple[tuple[str, str], ...]
"""(lever, value as text; '' where its edits are left out)."""


@dataclass(frozen=True)
class Point:
    """One case to solve. number: from 1; side: `low`, `base` or `high` of the lever `turned`."""

    number: int
    levers: Levers
    scenario: Scenario
    future: Future | None = None
    turned: str = ""
    side: str = ""


@dataclass(frozen=True)
class Sweep:
    """kind: `grid`, `tornado` or `sample` (also of a grid); figure: what effects are ordered by."""

    name: str
    description: str
    kind: str
    figure: str
    levers: tuple[str, ...]
    points: tuple[Point, ...]
    seed: int | None = None


@dataclass
class _Reader:
    document: Mapping[str, Any]
    source: str
    log: Log
    used: set[str] = field(default_factory=set)

    @property
    def top(self) -> Place:
        return Place(self.source, "", self.log)


class _LeftOut(Exception):
    """An edit needs a lever that has no value at this point."""


def read_sweep(path: Path, case: Case, figures: Sequence[str] = ()) -> Sweep:
    """The sweep of a file, for a base. CaseRefused: all that is wrong with it or its futures.

    figures: names that `figure` may have; none given, any.
    """
    reader = _Reader(read_toml(path), path.name, Log())
    for key in reader.document:
        if key not in TOP:
            reader.top.unknown(key, TOP)
    texts = {
        key: reader.top.within(key).text(reader.document.get(key, default))
        for key, default in (("name", path.stem), ("description", ""), ("figure", MARGIN), ("futures", ""))
    }
    if figures and texts["figure"] not in figures:
        expected = f"a figure of the results (nearest: `{nearest(texts['figure'], figures)}`)"
        reader.top.within("figure").fault(texts["figure"], expected, "unknown_word")
    levers = _levers(reader)
    kinds = {kind for kind, _ in levers.values()}
    if len(kinds) > 1:
        at = reader.top.within("levers")
        at.fault(None, "levers that all have a list of values, or all `low` and `high`")
    if reader.log.has_errors:
        raise CaseRefused(reader.log.finish())
    futures = _futures(reader, path.parent, texts["futures"], case)
    kind = SAMPLE if futures is not None else next(iter(kinds), "")
    if not kind or (futures is not None and TORNADO in kinds):
        reader.top.within("levers").fault(None, "levers to turn, or `futures` to sample at points of a grid")
        raise CaseRefused(reader.log.finish())
    points = _points(reader, levers, kind, futures)
    if reader.log.has_errors:
        raise CaseRefused(reader.log.finish())
    seed = None if futures is None else futures.seed
    return Sweep(texts["name"], texts["description"], kind, texts["figure"], tuple(levers), points, seed)


def _levers(reader: _Reader) -> dict[str, tuple[str, list[Any]]]:
    """Lever -> its kind, and its values (of a tornado: low, base, high; None where not given)."""
    given, top = reader.document.get("levers", {}), reader.top.within("levers")
    if not isinstance(given, Mapping):
        top.fault(given, "levers by name: { share = [0.8, 1] }")
        return {}
    found = {}
    for name, one in given.items():
        at = top.within(name)
        if _LEVER.fullmatch(name) is None:
            at.fault(name, "a name of letters, digits and `_`")
        elif isinstance(one, list) and one and all(_simple(value) for value in one):
            if len({str(value) for value in one}) < len(one):
                at.fault(one, "each value once")
            found[name] = (GRID, one)
        elif isinstance(one, Mapping) and {"low", "high"} <= set(one) and all(map(_simple, one.values())):
            for key in one:
                if key not in SIDES:
                    at.unknown(key, SIDES)
            found[name] = (TORNADO, [one.get(side) for side in SIDES])
        else:
            at.fault(one, "a list of values, or { low = ..., high = ... } and perhaps `base`")
    return found


def _simple(value: Any) -> bool:
    return isinstance(value, str | int | Decimal | dt.date)


def lever_text(value: Any) -> str:
    """A lever's value as results show it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal) and value.is_finite():
        return plain(value)
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def _futures(reader: _Reader, folder: Path, name: str, case: Case) -> Futures | None:
    """The futures that a sweep names, with its own seed and count."""
    whole = {key: reader.document[key] for key in ("seed", "count") if key in reader.document}
    for key, value in whole.items():
        least, most = WHOLE[key]
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            reader.top.within(key).fault(value, f"a whole number from {least} to {most}", "out_of_range")
        if not name:
            reader.top.within(key).fault(value, "`futures`, whose samples it is of")
    if reader.log.has_errors:
        raise CaseRefused(reader.log.finish())
    if not name:
        return None
    try:
        return read_futures(folder / name, case, **whole)
    except OSError as error:
        reader.top.within("futures").fault(name, f"a file beside the sweep ({error.strerror})", "file")
        raise CaseRefused(reader.log.finish()) from None


def _settings(
    levers: Mapping[str, tuple[str, list[Any]]], kind: str
) -> Iterator[tuple[dict[str, Any], str, str]]:
    """Values of all levers at each point, the lever that is turned and its side."""
    if kind != TORNADO:
        for chosen in itertools.product(*(values for _, values in levers.values())):
            yield dict(zip(levers, chosen, strict=True)), "", ""
        return
    middle = {name: values[1] for name, (_, values) in levers.items()}
    yield middle, "", "base"
    for name, (_, values) in levers.items():
        yield {**middle, name: values[0]}, name, "low"
        yield {**middle, name: values[2]}, name, "high"


def _points(
    reader: _Reader, levers: Mapping[str, tuple[str, list[Any]]], kind: str, futures: Futures | None
) -> tuple[Point, ...]:
    """Every point, numbered; faults of the edits at any value are logged once."""
    count = len(futures) if futures is not None else 1
    for _, values in levers.values():
        count = count * len(values) if kind != TORNADO else count + 2
    if count > MOST_POINTS:
        reader.top.fault(f"{count} points", f"at most {MOST_POINTS}", "out_of_range")
        return ()
    places = []
    for chosen, turned, side in _settings(levers, kind):
        text = tuple((name, lever_text(value)) for name, value in chosen.items())
        places.append((text, turned, side, _scenario(reader, chosen, set(levers), text)))
    for name in levers:
        if name not in reader.used:
            reader.top.within(f"levers.{name}").fault(name, f'a lever that some edit uses, as "${name}"')
    drawn: list[Future | None] = list(futures) if futures is not None else [None]
    pairs = ((place, future) for place in places for future in drawn)
    return tuple(
        Point(number, text, scenario, future, turned, side)
        for number, ((text, turned, side, scenario), future) in enumerate(pairs, start=1)
    )


def _scenario(reader: _Reader, values: Mapping[str, Any], known: set[str], text: Levers) -> Scenario:
    """The scenario of the file with values in place of the levers' names."""
    log = Log()
    fill = _Fill(reader, values, known)
    document = {key: value for key, value in reader.document.items() if key in SETTINGS}
    given = reader.document.get("edit", [])
    edits = [
        fill.edit(one, f"edit {n}")
        for n, one in enumerate(given if isinstance(given, list) else [given], start=1)
    ]
    if not isinstance(given, list):
        document["edit"] = given
    filled = {key: fill.edit(value, key) for key, value in document.items()}
    shown = ", ".join(f"{name} = {value}" for name, value in text if value) or reader.source
    left = {key: value for key, value in filled.items() if value is not None}
    scenario = parse_scenario({**left, "edit": edits}, reader.source, shown, log)
    there = set(reader.log.faults)
    reader.log.faults += [fault for fault in log.finish() if fault not in there]
    return scenario


class _Fill:
    """Puts levers' values where `$lever` stands; `$$` is a dollar sign."""

    def __init__(self, reader: _Reader, values: Mapping[str, Any], known: set[str]) -> None:
        self.reader, self.values, self.known = reader, values, known

    def edit(self, given: Any, at: str) -> Any:
        """An edit or section, filled; None where a lever in it has no value."""
        try:
            return self.fill(given, at)
        except _LeftOut:
            return None

    def fill(self, given: Any, at: str) -> Any:
        if isinstance(given, Mapping):
            return {key: self.fill(value, f"{at}.{key}") for key, value in given.items()}
        if isinstance(given, list):
            return [self.fill(value, at) for value in given]
        if not isinstance(given, str) or not given.startswith("$"):
            return given
        name = given[1:]
        if name.startswith("$"):
            return name
        if name not in self.known:
            self.unknown(name, at)
            raise _LeftOut
        self.reader.used.add(name)
        if self.values[name] is None:
            raise _LeftOut
        return self.values[name]

    def unknown(self, name: str, at: str) -> None:
        expected = (
            f"a lever: {one_of(self.known)} (nearest: `{nearest(name, self.known)}`)"
            if self.known
            else ("no `$`: the sweep has no levers")
        )
        log = Log()
        Place(self.reader.source, at, log).fault(f"${name}", expected, "unknown_key")
        self.reader.log.faults += [fault for fault in log.faults if fault not in self.reader.log.faults]
