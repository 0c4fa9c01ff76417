"""One point of a sweep: its key, its row, solved here or in a worker."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from importlib import metadata
from typing import Any

from massbalance.domain.faults import CaseRefused
from massbalance.report.documents import Json
from massbalance.scenario.apply import Base, apply
from massbalance.scenario.edits import Scenario
from massbalance.scenario.future_edits import future_edits
from massbalance.scenario.futures import Future
from massbalance.scenario.outcome import How, outcome
from massbalance.scenario.sweep_file import Point

FORMAT = 1
"""Of a stored point: raised where its figures come to mean something else."""
FLOORED = "quantity_floored"
Task = tuple[Scenario, Future | None, How]


def point_key(base: Base, point: Point, how: How) -> str:
    """What a stored point is found by: SHA-256 over all that its figures depend on."""
    future = None if point.future is None else [str(part) for part in point.future.same]
    parts = [
        FORMAT, metadata.version("massbalance"), metadata.version("highspy"),
        base.case.sha256, base.case.rules.sha256, point.scenario.key(), future, how.time_limit, how.gap,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()


def scenario_at(base: Base, point: Point) -> Scenario:
    """All that a point changes in the base, its future included."""
    return _with_future(base, point.scenario, point.future)


def _with_future(base: Base, given: Scenario, future: Future | None) -> Scenario:
    """A scenario with a future's edits behind its own."""
    if future is None:
        return given
    try:
        case = apply(base, given) if given.edits or given.settings else base.case
    except CaseRefused:
        return given  # whoever applies it will hear of its faults
    return replace(given, edits=(*given.edits, *future_edits(case, future)))


def solve_point(base: Base, task: Task) -> Json:
    """The figures of a task; the same bytes wherever and whenever it is solved, but for a time limit."""
    given, future, how = task
    scenario = _with_future(base, given, future)
    found = outcome(base, scenario if scenario.edits or scenario.settings else None, how)
    del found["seconds"]
    # what a future leaves of a lot is rounded down to the grid, as any quantity
    found["warnings"] = [one for one in _listed(found["warnings"]) if one["code"] != FLOORED]
    return found


def _listed(value: object) -> list[dict[str, Any]]:
    return value  # type: ignore[return-value]
