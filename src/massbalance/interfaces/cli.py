"""The command `massbalance`. Rules live elsewhere: here are words, exit codes and progress only."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from massbalance.domain.faults import CaseRefused, Fault

FAILED, USAGE, INVALID, LIMIT, UNVERIFIED, INTERRUPTED = 1, 2, 3, 5, 6, 130

app = typer.Typer(
    name="massbalance",
    help="Assign mass-balance credits to orders: proven allocations and their residual.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

CaseArgument = Annotated[Path, typer.Argument(metavar="CASE", help="A case folder, or one .xlsx workbook.")]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else.")
]


def _stop(code: int) -> NoReturn:
    raise typer.Exit(code)


def _error(text: str) -> None:
    # a console that cannot show a customer's name must not stop the message
    encoding = sys.stderr.encoding or "ascii"
    sys.stderr.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")


def _out(text: str) -> None:
    encoding = sys.stdout.encoding or "ascii"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")


def _out_json(document: Mapping[str, object]) -> None:
    """One document; escaped where the console could not show it, so that it stays JSON."""
    from massbalance.report.documents import dumps

    text = dumps(document)
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        text = dumps(document, ascii_only=True)
    sys.stdout.write(text)


def _must_exist(command: str, case: Path) -> None:
    if not case.exists():
        _error(f"{command}: there is no {case}")
        _stop(USAGE)


def _refused_json(refused: CaseRefused) -> None:
    """What is wrong with a case, as `check` and `run` alike print it."""
    _out_json({"valid": False, "faults": [f.as_dict() for f in refused.faults]})


def _show_faults(faults: Sequence[Fault], *, at_most: int | None = None) -> None:
    for fault in faults[:at_most]:
        _error(fault.text())
    if at_most is not None and len(faults) > at_most:
        _error(f"... and {len(faults) - at_most} more: see `massbalance check`")


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """A line on stderr that tells the stage; only on a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=None)
        yield lambda text: bar.update(task, description=text)


@contextmanager
def _guarded(command: str) -> Iterator[None]:
    """Faults of a case, a missing folder, Ctrl-C: each with its exit code, never a traceback."""
    from massbalance.domain.faults import CaseRefused
    from massbalance.report.publish import OutputRefused

    try:
        yield
    except CaseRefused as refused:
        errors = [f for f in refused.faults if f.severity == "error"]
        _show_faults(errors)
        _error(f"{command}: refused, {len(errors)} error(s); nothing was written")
        _stop(INVALID)
    except OutputRefused as refused:
        _error(f"{command}: {refused}; name another folder")
        _stop(USAGE)
    except KeyboardInterrupt:
        _error(f"{command}: interrupted; nothing was written")
        sys.stdout.flush()
        sys.stderr.flush()
        # the solver may still be at work in its thread, and would crash an orderly shutdown
        os._exit(INTERRUPTED)
    except OSError as error:
        _error(f"{command}: {error.strerror or error}: {error.filename or ''}")
        _stop(USAGE)


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
        Path | None, typer.Option("--out", help="Folder for the results [default: runs/NAME-OF-CASE].")
    ] = None,
    time_limit: Annotated[
        float | None, typer.Option("--time-limit", min=0.0, help="Seconds of solver time; then exit 5.")
    ] = None,
    gap: Annotated[float, typer.Option("--gap", min=0.0, max=1.0, help="Relative MIP gap to stop at.")] = 0.0,
    method: Annotated[
        Method, typer.Option("--method", help="How the optimum is found; by size unless told.")
    ] = Method.auto,
    json: JsonOption = False,
) -> None:
    """Allocate the credits of CASE to its orders, prove it, and write the results.

    Example: massbalance run data/aluminium --out runs/aluminium
    """
    _must_exist("run", case)
    from massbalance.api import SolverError, VerificationFailed, limited, run_case
    from massbalance.domain.faults import CaseRefused
    from massbalance.interfaces.console import run_text

    target = out if out is not None else Path("runs") / (case.resolve().stem or "case")
    with _guarded("run"):
        try:
            with _progress() as say:
                outcome = run_case(
                    case, target, method=method.value, time_limit=time_limit, gap=gap, progress=say
                )
        except CaseRefused as refused:
            if json:
                _refused_json(refused)
            raise
        except VerificationFailed as failed:
            _show_faults(list(failed.report.faults), at_most=20)
            _error("run: the check of the result failed; nothing was published")
            _stop(UNVERIFIED)
        except SolverError as error:
            _error(f"run: {error}; nothing was written. Please report this with the case")
            _stop(FAILED)
    if json:
        _out_json(outcome.summary)
    else:
        _out(run_text(outcome))
    if limited(outcome):
        _error(f"run: {outcome.summary['stopped_by']}; the allocation is valid but not proven optimal")
        _stop(LIMIT)


@app.command()
def check(case: CaseArgument, json: JsonOption = False) -> None:
    """Read CASE and list every error and warning; nothing is written.

    Example: massbalance check data/aluminium
    """
    _must_exist("check", case)
    from massbalance.api import SolverError, check_case
    from massbalance.domain.faults import CaseRefused

    with _guarded("check"):
        try:
            with _progress() as say:
                found, warnings = check_case(case, progress=say)
        except CaseRefused as refused:
            if json:
                _refused_json(refused)
            raise
        except SolverError as error:
            _error(f"check: {error}. Please report this with the case")
            _stop(FAILED)
    if json:
        document = {
            "valid": True, "case_sha256": found.sha256, "encodings": dict(found.encodings),
            "rules": found.rules.id, "faults": [w.as_dict() for w in warnings],
        }  # fmt: skip
        _out_json(document)
        return
    _show_faults(warnings)
    read = ", ".join(f"{name} ({how})" for name, how in found.encodings.items())
    _out(f"{found.name}: valid under {found.rules.id}; {len(warnings)} warning(s)")
    _out(f"read: {read}")
    _out(f"sha256: {found.sha256}")


@app.command()
def verify(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="A folder that `run` wrote.")],
    json: JsonOption = False,
) -> None:
    """Redo the check of RUN from its files alone, without the solver; exit 6 where it fails.

    Example: massbalance verify runs/aluminium
    """
    if not run_folder.is_dir():
        _error(f"verify: {run_folder} is no folder")
        _stop(USAGE)
    from massbalance.interfaces.console import verify_text
    from massbalance.verification.verify import verify_run

    with _guarded("verify"), _progress() as say:
        report = verify_run(run_folder, progress=say)
    if json:
        goals = [
            {
                "name": g.name, "priority": g.priority, "value": float(g.booked), "bound": float(g.bound),
                "gap": float(g.gap), "tolerance": float(g.tolerance), "mip": g.mip,
            }
            for g in report.goals
        ]  # fmt: skip
        _out_json({"ok": report.ok, "goals": goals, "faults": [f.as_dict() for f in report.faults]})
    else:
        _show_faults(list(report.faults), at_most=20)
        _out(verify_text(run_folder, report))
    if not report.ok:
        _stop(UNVERIFIED)


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
            _out_json({"rules": rules_list()}) if json else _out(list_text())
        else:
            _out_json(rules_detail(rule_id)) if json else _out(detail_text(rule_id))
    except KeyError:
        from massbalance.domain.rulemodel import available

        _error(f"rules: no rule model {rule_id!r}; there are: {', '.join(available())}")
        _stop(USAGE)


@app.command()
def init(folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")]) -> None:
    """Write a small commented starter case into DIR.

    Example: massbalance init my-case
    """
    from massbalance.interfaces.starter import write_starter

    with _guarded("init"):
        try:
            written = write_starter(folder)
        except FileExistsError as error:
            _error(f"init: {error}")
            _stop(USAGE)
    for path in written:
        _out(str(path))
    _out(f"next: massbalance check {folder}; massbalance run {folder}")


def main() -> None:
    """Entry point of the command."""
    try:
        app()
    except BrokenPipeError:
        sys.stderr.close()


if __name__ == "__main__":
    main()
