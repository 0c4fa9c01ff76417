"""The command `certificate`: issue, cancel, replace and check certificates and residual statements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from massbalance.interfaces.shared import (
    USAGE,
    JsonOption,
    LedgerOption,
    complain,
    guarded,
    progress,
    show,
    show_faults,
    show_json,
    stop,
)

if TYPE_CHECKING:
    from massbalance.certificates.check import Checked
    from massbalance.certificates.issue import Issued, Wanted

STALE, FORGED = 7, 8


class Language(StrEnum):
    """Languages of a document."""

    ja = "ja"
    en = "en"
    both = "both"


@dataclass(frozen=True)
class _Asked:
    """The options, as given."""

    run: str | None
    order: str | None
    residual: str | None
    period: str | None
    customer: str | None
    customers: Path | None
    language: Language | None
    day: str | None
    cancel: str | None
    replace: str | None


def certificate(
    run: Annotated[
        str | None,
        typer.Argument(metavar="[RUN]", help="A posted run: its folder, its key, or 8 digits of the key."),
    ] = None,
    order: Annotated[str | None, typer.Argument(metavar="[ORDER]", help="An order with a claim.")] = None,
    residual: Annotated[
        str | None, typer.Option("--residual", metavar="PRODUCT", help="A residual statement instead.")
    ] = None,
    period: Annotated[str | None, typer.Option("--period", help="Of the residual statement.")] = None,
    customer: Annotated[
        str | None,
        typer.Option("--customer", help="Who gets the residual statement.", show_default="the public"),
    ] = None,
    customers: Annotated[
        Path | None,
        typer.Option(
            "--customers", metavar="CSV", help="Names and addresses that go before the posted case's."
        ),
    ] = None,
    lang: Annotated[Language | None, typer.Option("--lang", help="Language.", show_default="both")] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for the files.")] = Path("certificates"),
    day: Annotated[
        str | None,
        typer.Option("--date", metavar="YYYY-MM-DD", help="Issue date.", show_default="today, UTC"),
    ] = None,
    cancel: Annotated[
        str | None, typer.Option("--cancel", metavar="REASON", help="Cancel what is out.")
    ] = None,
    replace: Annotated[
        str | None, typer.Option("--replace", metavar="REASON", help="Replace what is out by a new serial.")
    ] = None,
    check: Annotated[
        Path | None,
        typer.Option("--check", metavar="FILE", help="Is this PDF, JSON or .sig genuine, and in force?"),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option("--key", metavar="HEX", help="With --check: a public key instead of a ledger."),
    ] = None,
    ledger: LedgerOption = None,
    json: JsonOption = False,
) -> None:
    """Issue the certificate of ORDER, or a residual statement, from what RUN posted to the ledger.

    Asked again, it gives the same files, byte for byte. Exit 3: fields of A6.1 are missing (all are told);
    7: not posted, withdrawn, or out in other terms; 8: forged, or the ledger was tampered with.
    Example: massbalance certificate runs/aluminium A-0001 --lang en
    """
    asked = _Asked(run, order, residual, period, customer, customers, lang, day, cancel, replace)
    if check is not None:
        _check(asked, check, key, ledger, json)
        return
    wanted = _wanted(asked)
    with guarded("certificate"):
        if cancel is not None:
            _cancel(wanted, cancel, ledger, json)
        else:
            _issue(wanted, replace or "", ledger, out, json)


def _usage(words: str) -> NoReturn:
    complain(f"certificate: {words}")
    stop(USAGE)


def _wanted(asked: _Asked) -> Wanted:
    """What is asked for; exit 2 where the options do not fit together."""
    _combination(asked)
    from massbalance.certificates.issue import Wanted

    day = None
    try:
        day = date.fromisoformat(asked.day) if asked.day else None
    except ValueError:
        _usage(f"--date {asked.day}: expected YYYY-MM-DD")
    content = b""
    if asked.customers is not None:
        with guarded("certificate"):
            content = asked.customers.read_bytes()
    return Wanted(
        asked.run or "", asked.order or "", asked.residual or "", asked.period or "", asked.customer or "",
        asked.language.value if asked.language else "", day, content,
    )  # fmt: skip


def _combination(asked: _Asked) -> None:
    if not asked.run:
        _usage("name a RUN, or a FILE to --check")
    if (asked.order is None) == (asked.residual is None):
        _usage("name an ORDER, or a PRODUCT with --residual and --period")
    if (asked.residual is None) != (asked.period is None):
        _usage("--residual and --period go together")
    if asked.customer is not None and asked.residual is None:
        _usage("--customer is for residual statements; an order has its customer")
    if asked.cancel is not None and asked.replace is not None:
        _usage("--cancel or --replace, not both")
    if asked.cancel is not None and (asked.language or asked.day or asked.customers):
        _usage("--cancel takes no --lang, --date or --customers")
    if "" in (asked.cancel, asked.replace):
        _usage("--cancel and --replace need a REASON")


def _issue(wanted: Wanted, replace: str, ledger: str | None, out: Path, json: bool) -> None:
    from massbalance.records import issue_document

    with progress() as say:
        say("issuing")
        issued = issue_document(wanted, ledger, replace=replace, out=out)
    paths = [out / name for name in issued.files()]
    for note in issued.notes:
        complain(f"certificate: {note}")
    if json:
        show_json(_told(issued, paths))
        return
    how = "issued" if issued.new else "issued before; the same files"
    show(f"{issued.serial}: {how}" + (f"; replaces {issued.replaces}" if issued.replaces else ""))
    for path in paths:
        show(f"  {path}")


def _told(issued: Issued, paths: list[Path]) -> dict[str, object]:
    from hashlib import sha256

    return {
        "serial": issued.serial,
        "subject": issued.subject,
        "issued": issued.new,
        "replaces": issued.replaces,
        "files": {p.suffix[1:]: str(p) for p in paths},
        "sha256": {
            "json": sha256(issued.document).hexdigest(),
            "pdf": sha256(issued.pdf).hexdigest(),
        },
        "notes": list(issued.notes),
    }


def _cancel(wanted: Wanted, reason: str, ledger: str | None, json: bool) -> None:
    from massbalance.records import cancel_document

    with progress() as say:
        say("cancelling")
        serial, new = cancel_document(wanted, reason, ledger)
    if json:
        show_json({"serial": serial, "cancelled": True, "new": new})
        return
    show(f"{serial}: {'cancelled' if new else 'cancelled before'}")


def _check(asked: _Asked, file: Path, key: str | None, ledger: str | None, json: bool) -> None:
    if any(value is not None for value in vars(asked).values()):
        _usage("--check goes with --ledger, --key and --json only")
    if key is not None and (len(key) != 64 or set(key) - set("0123456789abcdef")):
        _usage("--key: expected a public key of 64 lower-case hexadecimal digits")
    from massbalance.records import check_document

    with guarded("certificate"), progress() as say:
        say("checking")
        found = check_document(file, ledger, key=key or "")
    if json:
        show_json(found.as_dict())
    else:
        _say(file, found)
    if not found.genuine:
        stop(FORGED)
    if found.status.state not in ("live", "unknown"):
        stop(STALE)


def _say(file: Path, found: Checked) -> None:
    show_faults(list(found.faults))
    if not found.genuine:
        complain(f"{file}: NOT genuine")
        return
    stands = found.status
    words = {
        "live": "in force",
        "cancelled": f"CANCELLED: {stands.reason}",
        "replaced": f"REPLACED by {stands.replaced_by}: {stands.reason}",
        "withdrawn": "WITHDRAWN: its claim was reversed",
        "unknown": "the signature holds; whether it was cancelled, only the ledger knows",
    }
    show(f"{file}: genuine, {found.serial}, {words[stands.state]}")


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(certificate)
