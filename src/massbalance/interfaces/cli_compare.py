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
    show_faults,
    show_json,
    show_refused,
    stop,
)

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
    from massbalance.domain.faults import CaseRefused
    from massbalance.interfaces.console_compare import compare_text
    from massbalance.scenario.apply import read_base
    from massbalance.scenario.compare import compare as compare_all
    from massbalance.scenario.compare import exit_code, read_scenarios, write_cases
    from massbalance.scenario.edits import Scenario
    from massbalance.scenario.outcome import How

    with guarded("compare"):
        found = read_scenarios(scenarios)
        try:
            with progress() as say:
                base = read_base(case, progress=say)
                if write is not None:
                    sound = {name: one for name, one in found.items() if isinstance(one, Scenario)}
                    write_cases(base, sound, write)
                document = compare_all(base, found, How(time_limit, gap), progress=say)
        except CaseRefused as refused:
            if json:
                show_refused(refused)
            raise
    show_json(document) if json else show(compare_text(document))
    refused_columns(document)
    code = exit_code([one["status"] for one in document["columns"]])  # type: ignore[attr-defined]
    if code:
        stop(code)


def refused_columns(document: dict[str, object]) -> None:
    """What is wrong with each column that has no figures, on stderr."""
    from massbalance.scenario.edits import fault_of

    for one in document["columns"]:  # type: ignore[attr-defined]
        if one["status"] == "refused":
            show_faults([fault_of(fault) for fault in one["faults"]], at_most=20)
            complain(f"compare: {one['column']} refused, {len(one['faults'])} error(s)")


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(compare)
