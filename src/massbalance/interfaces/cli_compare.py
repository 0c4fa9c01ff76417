"""The command `compare`: scenarios side by side against their base."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from massbalance.interfaces.shared import (
    CaseArgument,
    GapOption,
    JsonOption,
    complain,
    guarded,
    must_exist,
    progress,
    show,
    show_json,
    stop,
)

SHOWN = 20
"""Faults that are told one by one."""
TimeOption = Annotated[
    float | None,
    typer.Option("--time-limit", min=0.0, help="Seconds of solver time a scenario; then exit 5."),
]


def compare(
    case: CaseArgument,
    scenarios: Annotated[
        list[Path], typer.Argument(metavar="SCENARIO...", help="Scenario files (TOML).", show_default=False)
    ],
    write: Annotated[
        Path | None, typer.Option("--write", help="Folder for the edited cases, so that they can be run.")
    ] = None,
    time_limit: TimeOption = None,
    gap: GapOption = 0.0,
    json: JsonOption = False,
) -> None:
    """Solve CASE as it is and under each SCENARIO, and show them side by side; nothing is published.

    A scenario that is refused is a column with its reason, the others are shown; then exit 3
    (4: infeasible, 5: a limit).

    Example: massbalance compare data/aluminium data/aluminium/scenarios/hydro-late.toml
    """
    for path in (case, *scenarios):
        must_exist("compare", path)
    from massbalance.interfaces.console_compare import compare_text
    from massbalance.scenario.apply import read_base
    from massbalance.scenario.compare import compare as compare_all
    from massbalance.scenario.compare import exit_code, read_scenarios, write_cases
    from massbalance.scenario.edits import Scenario
    from massbalance.scenario.outcome import How

    with guarded("compare", json=json):
        found = read_scenarios(scenarios)
        with progress() as say:
            base = read_base(case, progress=say)
            if write is not None:
                sound = {name: one for name, one in found.items() if isinstance(one, Scenario)}
                write_cases(base, sound, write)
            document = compare_all(base, found, How(time_limit, gap), progress=say)
    show_json(document) if json else show(compare_text(document))
    tell_faults(document)
    code = exit_code([one["status"] for one in document["columns"]])  # type: ignore[attr-defined]
    if code:
        stop(code)


def tell_faults(document: dict[str, object]) -> None:
    """What is wrong with each column that has no figures, and new warnings; on stderr."""
    for one in document["columns"]:  # type: ignore[attr-defined]
        show_documents(one["column"], one["warnings"])
        if one["status"] == "refused":
            show_documents(one["column"], one["faults"])
            complain(f"compare: {one['column']} refused, {len(one['faults'])} error(s)")


def show_documents(of: str, faults: list[dict[str, object]]) -> None:
    """Faults of a document on stderr, the first of them; of: whose they are, where they do not say."""
    from massbalance.scenario.edits import EditFault, fault_of

    for fault in map(fault_of, faults[:SHOWN]):
        complain(fault.text() if isinstance(fault, EditFault) else f"{of}: {fault.text()}")
    if len(faults) > SHOWN:
        complain(f"... and {len(faults) - SHOWN} more: --json tells all")


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(compare)
