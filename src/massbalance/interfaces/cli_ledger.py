"""The commands of the ledger: post a run, look into the ledger, and correct it by new entries."""

from __future__ import annotations

from typing import Annotated

import typer

from massbalance.interfaces.shared import (
    USAGE,
    JsonOption,
    LedgerOption,
    RunArgument,
    complain,
    guarded,
    progress,
    show,
    show_json,
    stop,
)

ProposerOption = Annotated[
    str, typer.Option("--proposer", help="Who proposes it [default: who the run names, else you].")
]
ApproverOption = Annotated[str, typer.Option("--approver", help="Who approves it [default: you].")]
NoteOption = Annotated[str, typer.Option("--note", help="What is to be remembered about it.")]


def post(
    run_folder: RunArgument,
    ledger: LedgerOption = None,
    proposer: ProposerOption = "",
    approver: ApproverOption = "",
    note: NoteOption = "",
    json: JsonOption = False,
) -> None:
    """Verify RUN and post it to the ledger: once, and only if the ledger is still as the run has it.

    Exit 6: the run fails its check; 7: the ledger moved on, or a period is locked (all reasons are told).
    Example: massbalance post runs/aluminium --approver "A. Sato"
    """
    if not run_folder.is_dir():
        complain(f"post: {run_folder} is no folder")
        stop(USAGE)
    from massbalance.records import post_run

    with guarded("post"), progress() as say:
        done = post_run(run_folder, ledger, proposer=proposer, approver=approver, note=note, progress=say)
    if json:
        show_json(done.document())
        return
    first = "posted before, nothing to do" if done.done_before else "posted"
    show(f"{run_folder}: {first}; journal {done.journal}, {done.rows} rows, {done.at}")


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(post)
