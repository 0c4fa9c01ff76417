"""The command `sweep`: a case under many scenarios, by grids, one lever at a time, or sampled."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from massbalance.interfaces.cli_compare import TimeOption, show_documents
from massbalance.interfaces.shared import (
    FAILED,
    INTERRUPTED,
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

if TYPE_CHECKING:
    from collections.abc import Callable

    from massbalance.scenario.apply import Base
    from massbalance.scenario.sweep_file import Sweep


def sweep(
    case: CaseArgument,
    sweep_file: Annotated[Path, typer.Argument(metavar="SWEEP", help="A sweep file (TOML).")],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for results and finished points; a second call goes on there."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=1, help="Processes, one core each.", show_default="one a processor"),
    ] = None,
    dask: Annotated[
        str | None,
        typer.Option("--dask", metavar="ADDRESS", help="A Dask scheduler whose workers are taken instead."),
    ] = None,
    write: Annotated[
        Path | None, typer.Option("--write", help="Folder for the edited cases, so that they can be run.")
    ] = None,
    time_limit: TimeOption = None,
    gap: GapOption = 0.0,
    json: JsonOption = False,
) -> None:
    """Solve CASE at every point of SWEEP; nothing is published as a run.

    Exit 3 where a point is refused, 4 infeasible, 5 stopped at a limit; the other points are told.

    Example: massbalance sweep data/aluminium data/aluminium/scenarios/tornado.toml --out sweeps/tornado
    """
    for path in (case, sweep_file):
        must_exist("sweep", path)
    from massbalance.interfaces.console_sweep import sweep_text
    from massbalance.scenario.compare import exit_code
    from massbalance.scenario.outcome import How
    from massbalance.scenario.workers import WorkersFailed, available_workers

    with guarded("sweep", json=json):
        try:
            with progress() as say:
                base, points = _read(case, sweep_file, say)
                if write is not None:
                    _write(base, points, write)
                document = _solve(
                    base, points, out, say,
                    how=How(time_limit, gap), workers=workers or available_workers(), dask=dask,
                )  # fmt: skip
        except WorkersFailed as error:
            complain(f"sweep: {error}{_kept(out)}")
            stop(FAILED)
    show_json(document) if json else show(sweep_text(document))
    _refused_points(document)
    code = exit_code([row["status"] for row in document["rows"]])
    if code:
        stop(code)


def _read(case: Path, sweep_file: Path, say: Callable[[str], None]) -> tuple[Base, Sweep]:
    from massbalance.scenario.apply import read_base
    from massbalance.scenario.sweep import figure_names
    from massbalance.scenario.sweep_file import read_sweep

    base = read_base(case, progress=say)
    return base, read_sweep(sweep_file, base.case, figure_names(base.case))


def _solve(
    base: Base, points: Sweep, out: Path | None, say: Callable[[str], None], **how: Any
) -> dict[str, Any]:
    """The document; Ctrl-C leaves what is finished, and says so."""
    from massbalance.scenario.sweep import run_sweep
    from massbalance.scenario.workers import WorkersInterrupted

    try:
        return run_sweep(base, points, out=out, progress=say, **how)
    except KeyboardInterrupt as interrupted:
        complain(f"sweep: interrupted{_kept(out) or '; nothing was written'}")
        if isinstance(interrupted, WorkersInterrupted):
            stop(INTERRUPTED)
        sys.stdout.flush()
        sys.stderr.flush()
        # a solver may still be at work in a thread, and would crash an orderly shutdown
        os._exit(INTERRUPTED)


def _kept(out: Path | None) -> str:
    return (
        "" if out is None else f"; finished points are kept in {out}, and the same command goes on from there"
    )


def _write(base: Base, points: Sweep, folder: Path) -> None:
    from massbalance.scenario.compare import write_cases
    from massbalance.scenario.point import scenario_at

    digits = len(str(len(points.points)))
    write_cases(
        base, {f"{point.number:0{digits}d}": scenario_at(base, point) for point in points.points}, folder
    )


def _refused_points(document: Mapping[str, Any]) -> None:
    """What is wrong with the first refused point, on stderr, and how many there are."""
    refused = [row for row in document["rows"] if row["status"] == "refused"]
    for row in refused[:1]:
        show_documents(f"point {row['point']}", row["faults"])
        complain(f"sweep: point {row['point']} refused, and {len(refused) - 1} more; all faults: --json")


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(sweep)
