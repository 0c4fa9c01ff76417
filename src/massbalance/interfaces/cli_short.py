"""The command `short`: why an order cannot be kept, and the least that would mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from massbalance.interfaces.shared import (
    FAILED,
    LIMIT,
    CaseArgument,
    GapOption,
    JsonOption,
    OpeningOption,
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

    from massbalance.quote.session import Session


def short(
    case: CaseArgument,
    order: Annotated[
        str | None, typer.Argument(metavar="[ORDER]", help="An order; every firm one short unless told.")
    ] = None,
    most: Annotated[
        int, typer.Option("--most", min=1, help="So many firm orders are explained, the others named.")
    ] = 10,
    time_limit: Annotated[
        float | None,
        typer.Option("--time-limit", min=0.0, help="Seconds of solver time for each decision; then exit 5."),
    ] = None,
    gap: GapOption = 0.0,
    from_ledger: Annotated[
        bool, typer.Option("--from-ledger", help="On the balances of the ledger's lots.")
    ] = False,
    ledger: OpeningOption = None,
    json: JsonOption = False,
) -> None:
    """Why orders of CASE fall short: the limits that clash, and the least that would mend it.

    Nothing is written. Exit 3: the case is not valid, or has no such ORDER.

    Example: massbalance short CASE A-0139
    """
    must_exist("short", case)
    from massbalance.api import SolverError
    from massbalance.interfaces.cli_quote import session_of
    from massbalance.interfaces.console_conflict import short_text

    with guarded("short", json=json):
        try:
            with progress() as say:
                session, opening = session_of(
                    case, from_ledger, ledger, time_limit=time_limit, gap=gap, progress=say
                )
                document = _document(session, order, most, say)
        except SolverError as error:
            complain(f"short: {error}. Please report this with the case")
            stop(FAILED)
    if json:
        show_json({**document, "opening": opening})
    else:
        show(short_text(document))
    if session.base.status != "optimal":
        complain("short: the run of the case stopped at the time limit")
        stop(LIMIT)


def _document(
    session: Session, order: str | None, most: int, say: Callable[[str], None]
) -> dict[str, object]:
    """What is printed: every order asked about, explained."""
    from massbalance.quote.losers import LEAST_T
    from massbalance.quote.short import lacking, short_orders, why_short

    found = short_orders(session)
    wanted = found[:most]
    if order is not None:
        wanted = [order] if lacking(session, order) >= LEAST_T else []
    told = []
    for number, name in enumerate(wanted, start=1):
        say(f"explaining {name} ({number} of {len(wanted)})")
        told.append(why_short(session, name).as_dict())
    return {
        "name": session.case.name,
        "case_sha256": session.case.sha256,
        "order": order,
        "short": len(found),
        "orders": told,
        "not_explained": found[most:] if order is None else [],
    }


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(short)
