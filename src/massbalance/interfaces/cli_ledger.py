"""The commands of the ledger: post a run, look into the ledger, and correct it by new entries."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from massbalance.interfaces.shared import (
    TAMPERED,
    USAGE,
    CaseArgument,
    JsonOption,
    LedgerOption,
    RunArgument,
    complain,
    guarded,
    must_exist,
    progress,
    show,
    show_faults,
    show_json,
    stop,
)

if TYPE_CHECKING:
    from massbalance.ledger.approval import Approval
    from massbalance.ledger.journals import Done

ledger_app = typer.Typer(
    name="ledger",
    help="Look into the ledger, and correct it by new entries (an entry never changes).",
    no_args_is_help=True,
)

ProposerOption = Annotated[
    str, typer.Option("--proposer", help="Who proposes it.", show_default="who the run names, else you")
]
ApproverOption = Annotated[str, typer.Option("--approver", help="Who approves it.", show_default="you")]
NoteOption = Annotated[str, typer.Option("--note", help="What is to be remembered about it.")]
PeriodArgument = Annotated[str, typer.Argument(metavar="PERIOD", help="An accounting period.")]
LotArgument = Annotated[str, typer.Argument(metavar="LOT", help="A lot of the ledger.")]
QuantityArgument = Annotated[str, typer.Argument(metavar="QUANTITY", help="In the lot's unit.")]
IntoOption = Annotated[str, typer.Option("--period", help="The open period to enter it in.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it is recorded.")]


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
    since = f"; {done.withdrawn} claim(s) withdrawn since" if done.withdrawn else ""
    show(f"{run_folder}: {first}{since}; journal {done.journal}, {done.rows} rows, {done.at}")


@ledger_app.command("show")
def show_ledger(ledger: LedgerOption = None, json: JsonOption = False) -> None:
    """Where the ledger stands: its last row, rules in force, open periods, balances by kind.

    Example: massbalance ledger show
    """
    from massbalance.interfaces.console_ledger import overview_text
    from massbalance.records import opened

    with guarded("ledger show"), progress() as say, opened(ledger) as book:
        from massbalance.ledger.look import overview

        say("reading")
        found = overview(book)
    show_json(found) if json else show(overview_text(found))


@ledger_app.command("balance")
def balance(
    lot: Annotated[
        str | None, typer.Argument(metavar="[LOT]", help="One lot; else all that hold something.")
    ] = None,
    ledger: LedgerOption = None,
    json: JsonOption = False,
) -> None:
    """What lots hold now.

    Example: massbalance ledger balance
    """
    from massbalance.interfaces.console_ledger import balances_text
    from massbalance.records import opened

    with guarded("ledger balance"), progress() as say, opened(ledger) as book:
        from massbalance.ledger.look import balances

        say("reading")
        found = balances(book, lot)
    show_json({"balances": found}) if json else show(balances_text(found))


@ledger_app.command("history")
def history(
    name: Annotated[str, typer.Argument(metavar="LOT-or-ORDER", help="What the rows are to be about.")],
    ledger: LedgerOption = None,
    json: JsonOption = False,
) -> None:
    """Every row about a lot (with its effect) or an order, from the first to the last.

    Example: massbalance ledger history L-001
    """
    from massbalance.interfaces.console_ledger import history_text, row_document
    from massbalance.records import opened

    with guarded("ledger history"), progress() as say, opened(ledger) as book:
        from massbalance.ledger.look import history as rows_about

        say("reading")
        with book.snapshot() as now:
            rows = list(rows_about(now, name))
    if not rows:
        complain(f"ledger history: the ledger has nothing about {name!r}")
        stop(USAGE)
    show_json({"rows": [row_document(row) for row in rows]}) if json else show(history_text(rows))


@ledger_app.command("receive")
def receive(
    case: CaseArgument,
    ledger: LedgerOption = None,
    proposer: ProposerOption = "",
    approver: ApproverOption = "",
    note: NoteOption = "",
    json: JsonOption = False,
) -> None:
    """Receive the lots of CASE that the ledger does not know yet, without a run.

    Example: massbalance ledger receive data/aluminium
    """
    must_exist("ledger receive", case)
    from massbalance.records import receive_lots

    with guarded("ledger receive"), progress() as say:
        done = receive_lots(case, ledger, _names(proposer, approver, note), progress=say)
    _told("receive", done, json, f"{len(done.details.get('lots', ()))} lot(s) received")


@ledger_app.command("carry")
def carry(
    period: PeriodArgument,
    start: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day, if it is new.")
    ] = None,
    end: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day, if it is new.")
    ] = None,
    ledger: LedgerOption = None,
    proposer: ProposerOption = "",
    approver: ApproverOption = "",
    note: NoteOption = "",
    json: JsonOption = False,
) -> None:
    """Carry everything held over into PERIOD (posting a run does that by itself).

    Example: massbalance ledger carry 2026-Q3 --start 2026-10-01 --end 2026-12-31
    """
    if (start is None) != (end is None):
        complain("ledger carry: --start and --end go together")
        stop(USAGE)
    from massbalance.records import carry_over

    days = None if start is None or end is None else (start.date(), end.date())
    with guarded("ledger carry"), progress() as say:
        say("carrying over")
        done = carry_over(period, ledger, _names(proposer, approver, note), days=days)
    _told("carry", done, json, f"carried over into {period}")


@ledger_app.command("expire")
def expire(
    period: PeriodArgument,
    ledger: LedgerOption = None,
    proposer: ProposerOption = "",
    approver: ApproverOption = "",
    note: NoteOption = "",
    json: JsonOption = False,
) -> None:
    """Book as expired what expires by the end of PERIOD (posting a run does that by itself).

    Example: massbalance ledger expire 2026-Q2
    """
    from massbalance.records import expire_lots

    with guarded("ledger expire"), progress() as say:
        say("expiring")
        done = expire_lots(period, ledger, _names(proposer, approver, note))
    _told("expire", done, json, f"{len(done.details.get('lots', ()))} lot(s) expired")


@ledger_app.command("lock")
def lock(
    period: PeriodArgument,
    ledger: LedgerOption = None,
    proposer: ProposerOption = "",
    approver: ApproverOption = "",
    note: NoteOption = "",
    json: JsonOption = False,
) -> None:
    """Lock PERIOD and every open one before it: nothing is posted into them any more.

    Example: massbalance ledger lock 2026-Q1
    """
    from massbalance.records import lock_period

    with guarded("ledger lock"), progress() as say:
        say("locking")
        done = lock_period(period, ledger, _names(proposer, approver, note))
    _told("lock", done, json, f"locked through {done.details.get('through')}")


@ledger_app.command("assert")
def assert_(
    lot: LotArgument,
    quantity: QuantityArgument,
    ledger: LedgerOption = None,
    proposer: ProposerOption = "",
    approver: ApproverOption = "",
    note: NoteOption = "",
    json: JsonOption = False,
) -> None:
    """Record that LOT holds QUANTITY now, as a stock count does; exit 7 where it does not.

    Example: massbalance ledger assert L-001 12.5
    """
    from massbalance.records import assert_balance

    with guarded("ledger assert"), progress() as say:
        say("comparing")
        done = assert_balance(lot, quantity, ledger, _names(proposer, approver, note))
    _told("assert", done, json, f"{lot} holds {quantity}")


@ledger_app.command("adopt")
def adopt(
    source: Annotated[Path, typer.Argument(metavar="CASE-or-RUN", help="Whose rule model comes into force.")],
    ledger: LedgerOption = None,
    proposer: ProposerOption = "",
    approver: ApproverOption = "",
    note: NoteOption = "",
    json: JsonOption = False,
) -> None:
    """Bring the rule model of CASE or RUN, with its parameters, into force for what is posted from now on.

    Example: massbalance ledger adopt data/aluminium --note "guideline 2027"
    """
    must_exist("ledger adopt", source)
    from massbalance.records import adopt_rules

    with guarded("ledger adopt"), progress() as say:
        say("reading")
        done = adopt_rules(source, ledger, _names(proposer, approver, note))
    _told("adopt", done, json, f"{done.details.get('id')} is in force")


@ledger_app.command("adjust")
def adjust(
    lot: LotArgument,
    quantity: QuantityArgument,
    period: IntoOption,
    reason: ReasonOption,
    ledger: LedgerOption = None,
    proposer: ProposerOption = "",
    approver: ApproverOption = "",
    note: NoteOption = "",
    json: JsonOption = False,
) -> None:
    """Correct what was received of LOT to QUANTITY in all; exit 7 where more than that was used.

    Example: massbalance ledger adjust L-001 118.2 --period 2026-Q3 --reason "weighed again"
    """
    from massbalance.records import adjust_lot

    with guarded("ledger adjust"), progress() as say:
        say("correcting")
        done = adjust_lot(lot, quantity, period, reason, ledger, _names(proposer, approver, note))
    _told("adjust", done, json, f"{lot} corrected to {quantity}")


@ledger_app.command("reverse")
def reverse(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A posted run: folder, key, or journal number.")],
    period: IntoOption,
    reason: ReasonOption,
    order: Annotated[
        list[str] | None,
        typer.Option("--order", help="An order to withdraw; repeat it. None: the whole run."),
    ] = None,
    ledger: LedgerOption = None,
    proposer: ProposerOption = "",
    approver: ApproverOption = "",
    note: NoteOption = "",
    json: JsonOption = False,
) -> None:
    """Withdraw claims of a posted run: credits return, certificates are cancelled, corrections are stated.

    Example: massbalance ledger reverse runs/aluminium --order O-17 --period 2026-Q4 --reason "returned"
    """
    from massbalance.records import reverse_run

    with guarded("ledger reverse"), progress() as say:
        say("reversing")
        done = reverse_run(run, order or (), period, reason, ledger, _names(proposer, approver, note))
    _told("reverse", done, json, f"{len(done.details.get('orders', ()))} claim(s) withdrawn")


@ledger_app.command("verify")
def verify(
    checkpoint: Annotated[
        list[Path] | None, typer.Option("--checkpoint", help="A checkpoint that somebody held; repeat it.")
    ] = None,
    ledger: LedgerOption = None,
    json: JsonOption = False,
) -> None:
    """Check every row, document and signature of the ledger; exit 8 where anything is not as recorded.

    Example: massbalance ledger verify --checkpoint held/checkpoint-1f2e3d4c-2013.json
    """
    from massbalance.records import check_ledger

    for file in checkpoint or ():
        must_exist("ledger verify", file)
    with guarded("ledger verify"), progress() as say:
        say("checking every row")
        rows, faults = check_ledger(ledger, checkpoint or ())
    if json:
        show_json({"ok": not faults, "rows": rows, "faults": [f.as_dict() for f in faults]})
    else:
        show_faults(faults, at_most=20)
        show(f"ledger: {rows} rows, " + (f"FAILED, {len(faults)} fault(s)" if faults else "verified"))
    if faults:
        stop(TAMPERED)


@ledger_app.command("checkpoint")
def checkpoint(
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder to write it to; else it is printed.")
    ] = None,
    ledger: LedgerOption = None,
) -> None:
    """Sign the ledger as it is, for others to hold: with it they can tell later whether it was changed.

    Example: massbalance ledger checkpoint --out held
    """
    from massbalance.records import checkpoint as make

    with guarded("ledger checkpoint"), progress() as say:
        say("signing")
        made, file = make(ledger, out)
    show(made.text().rstrip("\n") if file is None else str(file))


def _names(proposer: str, approver: str, note: str) -> Approval:
    from massbalance.ledger.approval import Approval

    return Approval(proposer, approver, note)


def _told(command: str, done: Done, json: bool, words: str) -> None:
    if json:
        show_json(done.document())
    elif not done.journal:
        show(f"ledger {command}: nothing to do")
    else:
        show(f"ledger {command}: {words}; journal {done.journal}, {done.rows} rows, {done.at}")


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(post)
    app.add_typer(ledger_app)
