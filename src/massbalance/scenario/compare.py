"""Scenarios side by side against their base: one document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from massbalance.api import Progress
from massbalance.domain.faults import CaseRefused
from massbalance.intake.canonical import write_case
from massbalance.report.documents import Json
from massbalance.report.publish import OutputRefused, publish, staging
from massbalance.scenario.apply import Base, apply
from massbalance.scenario.edits import Scenario
from massbalance.scenario.outcome import ERROR, INFEASIBLE, REFUSED, SOLVED, How, outcome
from massbalance.scenario.parse import read_scenario

BASE = "base"
Change = dict[str, Decimal]


def read_scenarios(paths: Sequence[Path]) -> dict[str, Scenario | CaseRefused]:
    """Column -> the scenario of a file, or all that is wrong with the file."""
    found: dict[str, Scenario | CaseRefused] = {}
    for column, path in zip(column_names(paths), paths, strict=True):
        try:
            found[column] = read_scenario(path)
        except CaseRefused as refused:
            found[column] = refused
    return found


def column_names(paths: Sequence[Path]) -> list[str]:
    """What the columns are called: the files without their endings, numbered where they are the same."""
    names: list[str] = []
    for path in paths:
        name, number = path.stem, 2
        while name in (BASE, *names):
            name, number = f"{path.stem} ({number})", number + 1
        names.append(name)
    return names


def compare(
    base: Base,
    scenarios: Mapping[str, Scenario | CaseRefused],
    how: How | None = None,
    *,
    progress: Progress | None = None,
) -> Json:
    """The document of `compare --json`; scenarios: by column, in order, with what is wrong with a file."""
    how, say = how or How(), progress or (lambda _: None)
    say(f"{BASE} (1 of {len(scenarios) + 1})")
    first = outcome(base, None, how, say)
    columns: list[Json] = [{"column": BASE, "scenario": base.case.name, "description": "", **first}]
    for number, (column, one) in enumerate(scenarios.items(), start=2):
        say(f"{column} ({number} of {len(scenarios) + 1})")
        if isinstance(one, CaseRefused):
            faults = [fault.as_dict() for fault in one.faults]
            found: Json = {"status": REFUSED, "faults": faults, "warnings": [], "seconds": Decimal(0)}
            head = {"scenario": "", "description": ""}
        else:
            found = outcome(base, one, how, say)
            head = {"scenario": one.name, "description": one.description}
        columns.append({"column": column, **head, **found, **_against(first, found)})
    case = base.case
    return {
        "name": case.name,
        "currency": case.currency,
        "case_sha256": case.sha256,
        "rules": case.rules.id,
        "columns": [{key: value for key, value in one.items() if key != "orders"} for one in columns],
    }


def _against(first: Json, found: Json) -> Json:
    """What changes against the base; nothing where either has no figures."""
    if first["status"] not in SOLVED or found["status"] not in SOLVED:
        return {}
    return {
        "change": {
            "objectives": _goal_changes(first, found),
            "customers": changes(*(_by_name(one, "customers") for one in (first, found))),
            "orders": _order_changes(first, found),
        }
    }


def _by_name(found: Json, key: str) -> Mapping[str, Decimal]:
    return found[key]  # type: ignore[return-value]


def _claims(found: Json) -> dict[str, dict[str, Any]]:
    """Order -> its customer and claimed mass."""
    return {one["order"]: one for one in found["orders"]}  # type: ignore[attr-defined]


def _order_changes(first: Json, found: Json) -> list[Json]:
    """Orders whose claimed mass differs, the greatest loss first."""
    before, after = _claims(first), _claims(found)
    by = changes(*({name: one["claimed_t"] for name, one in claims.items()} for claims in (before, after)))
    return [
        {"order": name, "customer": {**before, **after}[name]["customer"], "t": t, "there": name in after}
        for name, t in by.items()
    ]


def changes(before: Mapping[str, Decimal], after: Mapping[str, Decimal]) -> Change:
    """What changed and by how much, the greatest loss first; what is not there counts as 0."""
    names = dict.fromkeys([*before, *after])
    zero = Decimal(0)
    found = {name: after.get(name, zero) - before.get(name, zero) for name in names}
    return dict(sorted(((n, t) for n, t in found.items() if t), key=lambda one: (one[1], one[0])))


def goal_key(goal: Mapping[str, Any]) -> str:
    """`margin`, `firm_shortfall_t:1`: a goal in one word."""
    of = goal["priority"] if goal["priority"] is not None else goal.get("group")
    return str(goal["name"]) if of is None else f"{goal['name']}:{of}"


def _goal_changes(first: Json, found: Json) -> Change:
    before, after = (
        {goal_key(goal): goal["value"] for goal in one["objectives"]}  # type: ignore[attr-defined]
        for one in (first, found)
    )
    return {key: after[key] - before[key] for key in after if key in before}


def exit_code(statuses: Sequence[object]) -> int:
    """0 where all are solved; else the first of 1 (solver error), 3 (refused), 4 (infeasible), 5 (limit)."""
    for status, code in ((ERROR, 1), (REFUSED, 3), (INFEASIBLE, 4), ("limit", 5)):
        if status in statuses:
            return code
    return 0


def write_cases(base: Base, scenarios: Mapping[str, Scenario], folder: Path) -> list[Path]:
    """Each edited case as a folder that `massbalance run` takes, whole or not at all, but the refused.

    scenarios: by the name of their folder inside `folder`. OutputRefused: one of them is there already.
    """
    for name in scenarios:
        if (folder / name).exists():
            raise OutputRefused(f"{folder / name} is there already")
    written = []
    for name, one in scenarios.items():
        try:
            case = apply(base, one)
        except CaseRefused:
            continue
        with staging(folder / name) as beside:
            write_case(case, beside)
            publish(beside, folder / name)
        written.append(folder / name)
    return written
