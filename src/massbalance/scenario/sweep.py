"""Solves the points of a sweep, keeps what is finished, and tells them in the order of the points.

A finished point is one file in `points/`, named by the key of all that its figures depend on, so a second
call does only what is missing, and what it writes is the same as without the interruption.
"""

from __future__ import annotations

import csv
import io
import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import simplejson

from massbalance.api import Progress
from massbalance.domain.case import Case
from massbalance.formulation.problem import build_problem
from massbalance.report.documents import Json, dumps
from massbalance.report.publish import OutputRefused
from massbalance.scenario.apply import Base
from massbalance.scenario.compare import goal_key
from massbalance.scenario.outcome import ERROR, SOLVED, How
from massbalance.scenario.point import Task, point_key
from massbalance.scenario.statistics import effects, statistics
from massbalance.scenario.sweep_file import SAMPLE, TORNADO, Point, Sweep
from massbalance.scenario.workers import solved
from massbalance.solving.methods import compiled_by

TOTALS = ("claimed_t", "unmet_firm_t")
CREDITS = ("allocated", "expired", "held")
EFFECTS = ("realised", "allocated", "forgone", "expired", "held", "released", "retired")
POINTS, RESULTS, DOCUMENT = "points", "results.csv", "sweep.json"


def run_sweep(
    base: Base,
    sweep: Sweep,
    how: How | None = None,
    *,
    workers: int = 1,
    dask: str | None = None,
    out: Path | None = None,
    progress: Progress | None = None,
) -> Json:
    """The document of `sweep --json`, the same however it was solved.

    workers, dask: as `workers.solved`; out: folder for finished points and results. OutputRefused: it
    holds something else; WorkersFailed: a worker died, finished points are kept.
    """
    how, say = how or How(), progress or (lambda _: None)
    store = Store(out)
    keys = [point_key(base, point, how) for point in sweep.points]
    found = {key: kept for key in dict.fromkeys(keys) if (kept := store.get(key)) is not None}
    missing: dict[str, Task] = {
        key: (point.scenario, point.future, how)
        for key, point in zip(keys, sweep.points, strict=True)
        if key not in found
    }
    names = list(missing)
    say(f"{len(names)} of {len(set(keys))} points to solve")
    with closing(solved(base, list(missing.values()), workers=workers, dask=dask)) as finished:
        for done, (number, figures) in enumerate(finished, start=1):
            found[names[number]] = as_kept(figures)
            store.keep(names[number], figures)
            say(f"solved {done} of {len(names)} points")
    document = told(base, sweep, [found[key] for key in keys])
    store.write(document)
    return document


def as_kept(figures: Json) -> Json:
    """Figures as they come back from their file, so that it does not matter whether they do."""
    found: Json = simplejson.loads(dumps(figures), use_decimal=True)
    return found


def told(base: Base, sweep: Sweep, found: Sequence[Json]) -> Json:
    """The document of solved points, in their order."""
    rows = [_row(point, one) for point, one in zip(sweep.points, found, strict=True)]
    statuses = [str(row["status"]) for row in rows]
    document: Json = {
        "name": sweep.name,
        "description": sweep.description,
        "kind": sweep.kind,
        "figure": sweep.figure,
        "seed": sweep.seed,
        "levers": list(sweep.levers),
        "case": base.case.name,
        "currency": base.case.currency,
        "case_sha256": base.case.sha256,
        "rules": base.case.rules.id,
        "statuses": {status: statuses.count(status) for status in sorted(set(statuses))},
        "rows": rows,
    }
    if sweep.kind == TORNADO:
        document["effects"] = effects(rows, sweep.levers, sweep.figure)
    if sweep.kind == SAMPLE:
        document["statistics"] = statistics(rows, [customers_of(one) for one in found])
    return document


def _row(point: Point, found: Json) -> Json:
    """One point: where it stands, its status, and its figures."""
    row: Json = {"point": point.number, "levers": dict(point.levers)}
    if point.future is not None:
        row["future"] = point.future.as_dict()
    if point.side:
        row.update(turned=point.turned, side=point.side)
    row.update(status=found["status"], warnings=len(_list(found["warnings"])))
    if found["status"] not in SOLVED:
        row.update({key: found[key] for key in ("faults", "reason") if key in found})
        return row
    return {**row, "gap": found["gap"], "figures": flat(found)}


def _list(value: object) -> list[Any]:
    return value  # type: ignore[return-value]


def customers_of(found: Json) -> Mapping[str, Decimal]:
    """Claimed t by customer; empty for a point without figures."""
    return found.get("customers", {})  # type: ignore[return-value]


def flat(found: Mapping[str, Any]) -> dict[str, Decimal]:
    """The figures of a point, by name: goals, t claimed and unmet, credits by unit, effects in t CO2e."""
    figures = {goal_key(goal): goal["value"] for goal in found["objectives"]}
    figures.update({key: found[key] for key in TOTALS})
    for uom, values in found["credits"].items():
        figures.update({f"{uom}_{key}": values[key] for key in CREDITS})
    return {**figures, **{f"effect_{key}": found["tco2e"][key] for key in EFFECTS}}


def figure_names(case: Case) -> list[str]:
    """Names of the figures that `flat` gives for a case, without solving it."""
    problem = build_problem(case)
    goals = [goal for goal in compiled_by(problem, "auto").goals if goal.name != "tie_break"]
    uoms = sorted(set(case.lots.text("uom")))
    return [
        *(
            goal_key({"name": goal.name, "priority": goal.priority, "group": goal.group or None})
            for goal in goals
        ),
        *TOTALS,
        *(f"{uom}_{key}" for uom in uoms for key in CREDITS),
        *(f"effect_{key}" for key in EFFECTS),
    ]


def table(document: Mapping[str, Any]) -> str:
    """results.csv: a row a point, a column a lever and a figure; empty where a point has none."""
    rows = document["rows"]
    figures = list(dict.fromkeys(name for row in rows for name in row.get("figures", ())))
    levers = document["levers"]
    sampled = document["kind"] == SAMPLE
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    head = ["point", *(f"lever.{name}" for name in levers), *(["future"] if sampled else []), "status"]
    writer.writerow([*head, *figures])
    for row in rows:
        told = row.get("figures", {})
        future = [row["future"]["future"]] if sampled else []
        start = [row["point"], *(row["levers"][name] for name in levers), *future, row["status"]]
        writer.writerow([*start, *(_text(told.get(name)) for name in figures)])
    return text.getvalue()


def _text(value: Decimal | int | None) -> str:
    # a whole number that was kept comes back as an int
    return "" if value is None else f"{Decimal(value):f}"


class Store:
    """Finished points in a folder; nothing where there is none."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        if folder is None:
            return
        if folder.exists() and not folder.is_dir():
            raise OutputRefused(f"{folder} is a file")
        known = {POINTS, RESULTS, DOCUMENT}
        if folder.is_dir() and any(
            p.name not in known and not p.name.startswith(".") for p in folder.iterdir()
        ):
            raise OutputRefused(f"{folder} is not empty and holds no earlier sweep")
        (folder / POINTS).mkdir(parents=True, exist_ok=True)

    def get(self, key: str) -> Json | None:
        """A finished point; None where it is missing, or was cut short as it was written."""
        if self.folder is None:
            return None
        try:
            text = (self.folder / POINTS / f"{key}.json").read_text(encoding="utf-8")
            found = simplejson.loads(text, use_decimal=True)
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) and "status" in found else None

    def keep(self, key: str, figures: Json) -> None:
        """Keep a finished point; one that the solver failed on is tried again next time."""
        if self.folder is not None and figures["status"] != ERROR:
            _replace(self.folder / POINTS / f"{key}.json", dumps(figures))

    def write(self, document: Json) -> None:
        """The results of all points."""
        if self.folder is not None:
            _replace(self.folder / RESULTS, table(document))
            _replace(self.folder / DOCUMENT, dumps(document))


def _replace(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    handle, beside = tempfile.mkstemp(prefix=".", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        umask = os.umask(0)
        os.umask(umask)
        Path(beside).chmod(0o666 & ~umask)
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
