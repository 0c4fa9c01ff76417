"""The command `massbalance`. Rules live elsewhere: here are words, exit codes and progress only."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from massbalance.interfaces.cli_audit import register as register_audit
from massbalance.interfaces.cli_certificate import register as register_certificate
from massbalance.interfaces.cli_compare import register as register_compare
from massbalance.interfaces.cli_ledger import register as register_ledger
from massbalance.interfaces.cli_pages import register as register_pages
from massbalance.interfaces.cli_purchase import register as register_purchase
from massbalance.interfaces.cli_quote import register as register_quote
from massbalance.interfaces.cli_reservations import register as register_reservations
from massbalance.interfaces.cli_robust import register as register_robust
from massbalance.interfaces.cli_short import register as register_short
from massbalance.interfaces.cli_strategy import register as register_strategy
from massbalance.interfaces.cli_sweep import register as register_sweep
from massbalance.interfaces.shared import (
    FAILED,
    LIMIT,
    UNVERIFIED,
    USAGE,
    CaseArgument,
    GapOption,
    JsonOption,
    OpeningOption,
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
    from massbalance.api import Outcome

app = typer.Typer(
    name="massbalance",
    help="Assign mass-balance credits to orders: proven allocations and their residual.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


class Method(StrEnum):
    """The words of solving.methods.METHODS, here so that `--help` need not import the solver."""

    auto = "auto"
    monolith = "monolith"
    decomposition = "decomposition"
    reference = "reference"


@app.command()
def run(
    case: CaseArgument,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the results.", show_default="runs/NAME-OF-CASE")
    ] = None,
    time_limit: Annotated[
        float | None, typer.Option("--time-limit", min=0.0, help="Seconds of solver time; then exit 5.")
    ] = None,
    gap: GapOption = 0.0,
    method: Annotated[
        Method, typer.Option("--method", help="How the optimum is found; by size unless told.")
    ] = Method.auto,
    proposer: Annotated[
        str, typer.Option("--proposer", help="Who proposes the run; it is recorded in summary.json.")
    ] = "",
    from_ledger: Annotated[
        bool, typer.Option("--from-ledger", help="Open with the balances of the ledger's lots.")
    ] = False,
    ledger: OpeningOption = None,
    json: JsonOption = False,
) -> None:
    """Allocate the credits of CASE to its orders, prove it, and write the results.

    Example: massbalance run data/aluminium --out runs/aluminium
    """
    must_exist("run", case)
    from massbalance.api import MethodRefused, SolverError, VerificationFailed, limited
    from massbalance.interfaces.console import run_text

    target = out if out is not None else Path("runs") / (case.resolve().stem or "case")
    with guarded("run", json=json):
        try:
            with progress() as say:
                outcome = _propose(
                    case, target, from_ledger or ledger is not None, ledger, proposer=proposer.strip(),
                    method=method.value, time_limit=time_limit, gap=gap, progress=say,
                )  # fmt: skip
        except MethodRefused as error:
            complain(f"run: {error}")
            stop(USAGE)
        except VerificationFailed as failed:
            show_faults(list(failed.report.faults), at_most=20)
            complain("run: the check of the result failed; nothing was published")
            stop(UNVERIFIED)
        except SolverError as error:
            complain(f"run: {error}; nothing was written. Please report this with the case")
            stop(FAILED)
    if json:
        show_json(outcome.summary)
    else:
        show(run_text(outcome))
    if limited(outcome):
        complain(f"run: {outcome.summary['stopped_by']}; the allocation is valid but not proven optimal")
        stop(LIMIT)


def _propose(
    case: Path, out: Path, from_ledger: bool, ledger: str | None, *, proposer: str, **how: Any
) -> Outcome:
    """A verified run: of the case as it is, or with the ledger's balances."""
    if from_ledger:
        from massbalance.records import run_from_ledger

        return run_from_ledger(case, out, ledger, proposer=proposer, **how)
    from massbalance.api import Provenance, run_case

    return run_case(case, out, provenance=Provenance(proposer), **how)


@app.command()
def check(case: CaseArgument, json: JsonOption = False) -> None:
    """Read CASE and list every error and warning; nothing is written.

    Example: massbalance check data/aluminium
    """
    must_exist("check", case)
    from massbalance.api import SolverError, check_case

    with guarded("check", json=json):
        try:
            with progress() as say:
                found, warnings = check_case(case, progress=say)
        except SolverError as error:
            complain(f"check: {error}. Please report this with the case")
            stop(FAILED)
    if json:
        document = {
            "valid": True, "case_sha256": found.sha256, "encodings": dict(found.encodings),
            "rules": found.rules.id, "faults": [w.as_dict() for w in warnings],
        }  # fmt: skip
        show_json(document)
        return
    show_faults(warnings)
    read = ", ".join(f"{name} ({how})" for name, how in found.encodings.items())
    show(f"{found.name}: valid under {found.rules.id}; {len(warnings)} warning(s)")
    show(f"read: {read}")
    show(f"sha256: {found.sha256}")


@app.command()
def verify(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="A folder that `run` wrote.")],
    json: JsonOption = False,
) -> None:
    """Redo the check of RUN from its files alone, without the solver; exit 6 where it fails.

    Example: massbalance verify runs/aluminium
    """
    if not run_folder.is_dir():
        complain(f"verify: {run_folder} is no folder")
        stop(USAGE)
    from massbalance.interfaces.console import verify_text
    from massbalance.verification.verify import verify_run

    with guarded("verify"), progress() as say:
        report = verify_run(run_folder, progress=say)
    if json:
        goals = [
            {
                "name": g.name, "priority": g.priority, "value": float(g.booked), "bound": float(g.bound),
                "gap": float(g.gap), "tolerance": float(g.tolerance), "mip": g.mip,
                **({"group": g.group} if g.group else {}),
            }
            for g in report.goals
        ]  # fmt: skip
        show_json({"ok": report.ok, "goals": goals, "faults": [f.as_dict() for f in report.faults]})
    else:
        show_faults(list(report.faults), at_most=20)
        show(verify_text(run_folder, report))
    if not report.ok:
        stop(UNVERIFIED)


@app.command()
def rules(
    rule_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="A rule model's id.")] = None,
    json: JsonOption = False,
) -> None:
    """List the rule models, or show one clause by clause: applied, checked or recorded.

    Example: massbalance rules jaa-2026
    """
    from massbalance.report.rules_text import detail_text, list_text, rules_detail, rules_list

    try:
        if rule_id is None:
            show_json({"rules": rules_list()}) if json else show(list_text())
        else:
            show_json(rules_detail(rule_id)) if json else show(detail_text(rule_id))
    except KeyError:
        from massbalance.domain.rulemodel import available

        complain(f"rules: no rule model {rule_id!r}; there are: {', '.join(available())}")
        stop(USAGE)


@app.command()
def init(folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")]) -> None:
    """Write a small commented starter case into DIR.

    Example: massbalance init my-case
    """
    from massbalance.interfaces.starter import write_starter

    with guarded("init"):
        try:
            written = write_starter(folder)
        except FileExistsError as error:
            complain(f"init: {error}")
            stop(USAGE)
    for path in written:
        show(str(path))
    show(f"next: massbalance check {folder}; massbalance run {folder}")


register_quote(app)
register_strategy(app)
register_compare(app)
register_sweep(app)
register_short(app)
register_purchase(app)
register_reservations(app)
register_robust(app)
register_ledger(app)
register_certificate(app)
register_audit(app)
register_pages(app)


def main() -> None:
    """Entry point of the command."""
    try:
        app()
    except BrokenPipeError:
        sys.stderr.close()


if __name__ == "__main__":
    main()
