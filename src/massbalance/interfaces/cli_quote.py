"""The command `quote`: can this be promised, from what premium, and who loses by it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from massbalance.interfaces.shared import (
    FAILED,
    INFEASIBLE,
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
    from massbalance.quote.session import Session

PROVEN = 1e-9
"""A gap smaller than this is none."""
ProductOption = Annotated[str, typer.Option("--product", help="A product of the case.")]
PeriodOption = Annotated[str, typer.Option("--period", help="A period of the case.")]
MassOption = Annotated[str, typer.Option("--mass", help="Mass, t.")]
ClaimOption = Annotated[str, typer.Option("--claim", help="What is claimed, as in `orders`.")]
LevelOption = Annotated[str, typer.Option("--level", help="A share from 0 to 1, or t CO2e per t.")]
SchemesOption = Annotated[
    str, typer.Option("--schemes", help="Accepted schemes, `;` between; all unless told.")
]
TimeOption = Annotated[
    float | None,
    typer.Option("--time-limit", min=0.0, help="Seconds of solver time to decide yes or no; then exit 5."),
]
LedgerFlag = Annotated[
    bool, typer.Option("--from-ledger", help="Quote on the balances of the ledger's lots.")
]
DayOption = Annotated[
    datetime | None,
    typer.Option(
        "--as-of", metavar="DATE", formats=["%Y-%m-%d"], help="Reservations as of this day.",
        show_default="today",
    ),
]  # fmt: skip


def quote(
    case: CaseArgument,
    product: ProductOption,
    period: PeriodOption,
    mass: MassOption,
    claim: ClaimOption,
    level: LevelOption,
    premium: Annotated[
        str | None, typer.Option("--premium", help="Price of the claim per t: is it worth taking?")
    ] = None,
    schemes: SchemesOption = "",
    curve: Annotated[bool, typer.Option("--curve", help="The floor premium over the mass, too.")] = False,
    must: Annotated[bool, typer.Option("--must", help="Exit 4 if the whole mass is not feasible.")] = False,
    time_limit: TimeOption = None,
    gap: GapOption = 0.0,
    from_ledger: LedgerFlag = False,
    ledger: OpeningOption = None,
    reservations: Annotated[
        Path | None,
        typer.Option(
            "--reservations",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Count what this book has reserved.",
        ),
    ] = None,
    as_of: DayOption = None,
    json: JsonOption = False,
) -> None:
    """What an order could be promised beside those of CASE: how much, from what premium, at whose cost.

    Nothing is written. Exit 3: the case or the terms are not valid; 4: with --must, not all is feasible.

    Example: massbalance quote CASE --product PL-5052 --period 2026-09 --mass 50 --claim cfp --level 11
    """
    must_exist("quote", case)
    from massbalance.api import SolverError
    from massbalance.interfaces.console_quote import quote_text

    with guarded("quote", json=json):
        try:
            with progress() as say:
                session, opening = session_of(
                    case, from_ledger, ledger, time_limit=time_limit, gap=gap, reservations=reservations,
                    as_of=None if as_of is None else as_of.date(), progress=say,
                )  # fmt: skip
                say("quoting")
                found = session.quote(
                    product=product, period=period, mass_t=mass, claim=claim, level=level,
                    premium_per_t=premium, schemes=schemes,
                )  # fmt: skip
                say("looking for alternatives")
                document = found.as_dict(with_curve=curve)
        except SolverError as error:
            complain(f"quote: {error}. Please report this with the case")
            stop(FAILED)
    if json:
        show_json(
            {"name": session.case.name, "case_sha256": session.case.sha256, "opening": opening, **document}
        )
    else:
        show(quote_text(session.case.name, document))
    if must and found.floor_premium_per_t is None:
        complain("quote: the whole mass is not feasible")
        stop(INFEASIBLE)
    if found.answer.gap > gap + PROVEN:
        complain(f"quote: stopped at the time limit, with a gap of {found.answer.gap:.3g}")
        stop(LIMIT)


def session_of(
    case: Path, from_ledger: bool, ledger: str | None, **how: Any
) -> tuple[Session, dict[str, object] | None]:
    """The case kept hot: as it is, or with the ledger's balances."""
    if from_ledger or ledger is not None:
        from massbalance.records import session_from_ledger

        return session_from_ledger(case, ledger, **how)
    from massbalance.quote.session import Session

    return Session(case, **how), None


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(quote)
