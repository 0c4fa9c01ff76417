"""The commands `reserve`, `reservations` and `release`: quotes held for a customer until a day."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from massbalance.interfaces.cli_quote import (
    PROVEN,
    ClaimOption,
    DayOption,
    LedgerFlag,
    LevelOption,
    MassOption,
    PeriodOption,
    ProductOption,
    SchemesOption,
    TimeOption,
    session_of,
)
from massbalance.interfaces.shared import (
    FAILED,
    INFEASIBLE,
    LIMIT,
    STALE,
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
    show_json,
    stop,
)

if TYPE_CHECKING:
    from massbalance.quote.answer import Quote
    from massbalance.quote.reservations import Reservation

BookArgument = Annotated[
    Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="A book of reservations.")
]


@contextmanager
def _answered(command: str, json: bool) -> Iterator[None]:
    """As `guarded`, with faults as JSON, and exit 7 where the book is not to be had."""
    from massbalance.quote.reservation_file import BookConflict
    from massbalance.solving.highs import SolverError

    with guarded(command, json=json):
        try:
            yield
        except BookConflict as conflict:
            complain(f"{command}: {conflict}; nothing was written")
            stop(STALE)
        except SolverError as error:
            complain(f"{command}: {error}; nothing was written. Please report this with the case")
            stop(FAILED)


def _day(as_of: DayOption) -> date:
    return date.today() if as_of is None else as_of.date()


def reserve(
    case: CaseArgument,
    customer: Annotated[str, typer.Option("--customer", help="For whom it is held.")],
    until: Annotated[str, typer.Option("--until", metavar="DATE", help="Last day on which it is held.")],
    reservations: Annotated[
        Path,
        typer.Option(
            "--reservations",
            metavar="FILE",
            dir_okay=False,
            help="The book, a CSV file; made if there is none.",
        ),
    ],
    product: ProductOption,
    period: PeriodOption,
    mass: MassOption,
    claim: ClaimOption,
    level: LevelOption,
    premium: Annotated[str | None, typer.Option("--premium", help="Price of the claim per t.")] = None,
    schemes: SchemesOption = "",
    part: Annotated[
        bool, typer.Option("--part", help="Hold the feasible part where the whole is not feasible.")
    ] = False,
    as_of: DayOption = None,
    time_limit: TimeOption = None,
    gap: GapOption = 0.0,
    from_ledger: LedgerFlag = False,
    ledger: OpeningOption = None,
    json: JsonOption = False,
) -> None:
    """Quote, and hold what was quoted for a customer: later quotes count it until the day has passed.

    Exit 3: the case, the terms or the book are not valid; 4: not all of it is feasible beside what is held
    already, and nothing was written; 7: somebody else holds the book.

    Example: massbalance reserve CASE --customer C-CAN01 --until 2026-07-31 --reservations book.csv
    --product PL-5052 --period 2026-09 --mass 50 --claim cfp --level 11
    """
    must_exist("reserve", case)
    if not reservations.resolve().parent.is_dir():
        complain(f"reserve: there is no folder {reservations.resolve().parent}")
        stop(USAGE)
    with _answered("reserve", json), progress() as say:
        day = None if as_of is None else as_of.date()
        session, opening = session_of(
            case, from_ledger, ledger, time_limit=time_limit, gap=gap, reservations=reservations, as_of=day,
            progress=say,
        )  # fmt: skip
        say("quoting")
        made, quote = session.reserve(
            customer=customer, until=until, part=part, product=product, period=period, mass_t=mass,
            claim=claim, level=level, premium_per_t=premium, schemes=schemes,
        )  # fmt: skip
        say("looking for alternatives")
        document = quote.as_dict()
    _show_reserved(session.case.name, made, quote, document, opening, gap, json)


def _show_reserved(
    name: str, made: Reservation | None, quote: Quote, document: dict[str, object],
    opening: dict[str, object] | None, gap: float, json: bool,
) -> None:  # fmt: skip
    """The answer; exit 4 where nothing was reserved, 5 where the time was over before."""
    from massbalance.interfaces.console_quote import quote_text

    if json:
        row = None if made is None else made.texts()
        show_json({"name": name, "opening": opening, "reservation": row, **document})
    else:
        show(quote_text(name, document))
        if made is not None:
            texts = made.texts()
            show(
                f"\nreserved as {made.name}: {texts['mass_t']} t for {made.customer}, "
                f"from {made.made_on} until {made.until}"
            )
    if quote.answer.gap > gap + PROVEN:
        what = "nothing was reserved" if made is None else "what was found is reserved"
        complain(f"reserve: stopped at the time limit, with a gap of {quote.answer.gap:.3g}; {what}")
        stop(LIMIT)
    if made is None:
        part = f"; {document['feasible_t']} t are (--part holds them)" if quote.feasible_t > 0 else ""
        complain(f"reserve: not all of it is feasible{part}; nothing was reserved")
        stop(INFEASIBLE)


def reservations(
    file: BookArgument,
    as_of: DayOption = None,
    as_orders: Annotated[
        bool, typer.Option("--as-orders", help="Those in force as rows of `orders`, firm, as CSV.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """List the reservations of a book and what each is on a day: in force, expired, released, ordered.

    Example: massbalance reservations book.csv
    """
    from massbalance.quote.reservations import ORDER_COLUMNS, csv_text, in_force, read_reservations

    day = _day(as_of)
    with _answered("reservations", json):
        book = read_reservations(file)
    if as_orders:
        rows = [one.order_row() for one in in_force(book, day)]
        if json:
            show_json({"as_of": day.isoformat(), "orders": rows})
        else:
            sys.stdout.write(csv_text(ORDER_COLUMNS, rows))
        return
    listed = [{**one.texts(), "status": one.status(day)} for one in book]
    if json:
        show_json({"as_of": day.isoformat(), "reservations": listed})
    else:
        from massbalance.interfaces.console_quote import reservations_text

        show(reservations_text(day.isoformat(), listed))


def release(
    file: BookArgument,
    reservation: Annotated[str, typer.Argument(metavar="RESERVATION", help="Its name, as R-0001.")],
    to_order: Annotated[
        str, typer.Option("--to-order", help="The order that it becomes; its row for `orders` is printed.")
    ] = "",
    as_of: DayOption = None,
    json: JsonOption = False,
) -> None:
    """Release a reservation: it counts no more from today (or --as-of) on.

    Exit 3: it is not in force; 7: somebody else holds the book.

    Example: massbalance release book.csv R-0001 --to-order A-0999
    """
    from massbalance.quote.desk import release as release_in_book
    from massbalance.quote.reservations import ORDER_COLUMNS, csv_text

    with _answered("release", json), progress() as say:
        done = release_in_book(file, reservation, _day(as_of), to_order, progress=say)
    row = done.order_row(done.order) if done.order else None
    if json:
        show_json({"reservation": done.texts(), "order": row})
    elif row is not None:
        sys.stdout.write(csv_text(ORDER_COLUMNS, [row]))
    else:
        show(f"{done.name} for {done.customer} is released from {done.released_on} on")


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    for command in (reserve, reservations, release):
        app.command()(command)
