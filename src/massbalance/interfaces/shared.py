"""What the commands share: arguments, messages, progress, and an exit code for whatever goes wrong."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from massbalance.domain.faults import CaseRefused, Fault
    from massbalance.domain.infeasible import Infeasible

FAILED, USAGE, INVALID, INFEASIBLE, LIMIT, UNVERIFIED, STALE, TAMPERED, INTERRUPTED = (
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    130,
)

CaseArgument = Annotated[Path, typer.Argument(metavar="CASE", help="A case folder, or one .xlsx workbook.")]
RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="A folder that `run` wrote.")]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else.")
]
LedgerOption = Annotated[
    str | None,
    typer.Option(
        "--ledger", metavar="URL",
        help="A file, or postgresql://HOST/NAME.", show_default="$MASSBALANCE_LEDGER, else the user's own",
    ),
]  # fmt: skip

OpeningOption = Annotated[
    str | None,
    typer.Option(
        "--ledger", metavar="URL",
        help="That ledger: a file, or postgresql://HOST/NAME; implies --from-ledger.",
    ),
]  # fmt: skip
GapOption = Annotated[float, typer.Option("--gap", min=0.0, max=1.0, help="Relative MIP gap to stop at.")]


def stop(code: int) -> NoReturn:
    """End the command with an exit code."""
    raise typer.Exit(code)


def complain(text: str) -> None:
    """A line on stderr."""
    # a console that cannot show a customer's name must not stop the message
    encoding = sys.stderr.encoding or "ascii"
    sys.stderr.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")


def show(text: str) -> None:
    """A line on stdout."""
    encoding = sys.stdout.encoding or "ascii"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")


def show_json(document: Mapping[str, object]) -> None:
    """One document; escaped where the console could not show it, so that it stays JSON."""
    from massbalance.report.documents import dumps

    text = dumps(document)
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        text = dumps(document, ascii_only=True)
    sys.stdout.write(text)


def show_refused(refused: CaseRefused) -> None:
    """What is wrong with a case, as JSON: `check` and `run` alike print it."""
    show_json({"valid": False, "faults": [f.as_dict() for f in refused.faults]})


def must_exist(command: str, case: Path) -> None:
    """Exit 2 where there is no such path."""
    if not case.exists():
        complain(f"{command}: there is no {case}")
        stop(USAGE)


def show_faults(faults: Sequence[Fault], *, at_most: int | None = None) -> None:
    """Faults on stderr, a line each; at_most: so many of them."""
    for fault in faults[:at_most]:
        complain(fault.text())
    if at_most is not None and len(faults) > at_most:
        complain(f"... and {len(faults) - at_most} more: see `massbalance check`")


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
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


def _show_impossible(command: str, impossible: Infeasible, *, json: bool) -> None:
    """The minimum services that clash."""
    if json:
        show_json(impossible.document())
    for words in impossible.words:
        complain(f"minimum service of {words}")
    complain(f"{command}: infeasible, these minimum services cannot be met together; nothing was written")


@contextmanager
def guarded(command: str, *, json: bool = False) -> Iterator[None]:
    """Faults of a case, a missing folder, Ctrl-C: each with its exit code, never a traceback.

    json: what is refused, or cannot be had at all, is a document on stdout, too.
    """
    from massbalance.domain.faults import CaseRefused
    from massbalance.domain.infeasible import Infeasible, Undecided
    from massbalance.ledger.problems import LedgerError
    from massbalance.report.publish import OutputRefused

    try:
        yield
    except CaseRefused as refused:
        if json:
            show_refused(refused)
        errors = [f for f in refused.faults if f.severity == "error"]
        show_faults(errors)
        complain(f"{command}: refused, {len(errors)} error(s); nothing was written")
        stop(INVALID)
    except Undecided as error:
        complain(f"{command}: {error}; nothing was written")
        stop(LIMIT)
    except Infeasible as impossible:
        _show_impossible(command, impossible, json=json)
        stop(INFEASIBLE)
    except LedgerError as refused:
        show_faults(refused.faults)
        complain(f"{command}: refused, {len(refused.faults)} fault(s); nothing was recorded")
        stop(refused.exit_code)
    except OutputRefused as refused:
        complain(f"{command}: {refused}; name another folder")
        stop(USAGE)
    except KeyboardInterrupt:
        complain(f"{command}: interrupted; nothing was written")
        sys.stdout.flush()
        sys.stderr.flush()
        # the solver may still be at work in its thread, and would crash an orderly shutdown
        os._exit(INTERRUPTED)
    except OSError as error:
        complain(f"{command}: {error.strerror or error}: {error.filename or ''}")
        stop(USAGE)
