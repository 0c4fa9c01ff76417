"""The command `purchase`: which inputs to buy, when, how much, and up to which price."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from massbalance.interfaces.shared import (
    FAILED,
    LIMIT,
    USAGE,
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
    from massbalance.purchase.advise import Advice


def purchase(
    case: CaseArgument,
    purchases: Annotated[
        Path,
        typer.Argument(
            metavar="PURCHASES", help="Purchase offers: CSV, Parquet, or a workbook's sheet `purchases`."
        ),
    ],
    budget: Annotated[
        str | None, typer.Option("--budget", help="The most that all purchases together may cost.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the case with the advised lots in it.")
    ] = None,
    time_limit: Annotated[
        float | None, typer.Option("--time-limit", min=0.0, help="Seconds of solver time; then exit 5.")
    ] = None,
    gap: GapOption = 0.0,
    json: JsonOption = False,
) -> None:
    """Which inputs to buy for CASE from a list of offers: how much, when they are used, up to which price.

    An optimum over all offers together; promises come first, then the margin less what purchases cost.

    Example: massbalance purchase CASE PURCHASES --budget 20000 --out CASE-BOUGHT
    """
    must_exist("purchase", case)
    must_exist("purchase", purchases)
    most = _money(budget)
    from massbalance.api import SolverError
    from massbalance.interfaces.console_purchase import purchase_text
    from massbalance.purchase.answer import document

    with guarded("purchase", json=json):
        try:
            advice = _advice(case, purchases, most, out, time_limit, gap)
            told = document(advice)
            if out is not None:
                from massbalance.purchase.answer import write_bought

                write_bought(advice, told, out)
        except SolverError as error:
            complain(f"purchase: {error}. Please report this with the case and the purchase offers")
            stop(FAILED)
    if json:
        show_json(told)
    else:
        show(purchase_text(told, None if out is None else str(out)))
    if advice.status == "limit":
        complain(f"purchase: {advice.stopped_by}; what is shown can be bought but is not proven to be best")
        stop(LIMIT)


def _advice(
    case: Path,
    purchases: Path,
    budget: Fraction | None,
    out: Path | None,
    time_limit: float | None,
    gap: float,
) -> Advice:
    from massbalance.purchase.advise import advise
    from massbalance.purchase.answer import check_folder
    from massbalance.purchase.offers import read_purchases

    if out is not None:
        check_folder(out.resolve())
    with progress() as say:
        found = read_purchases(case, purchases, progress=say)
        return advise(found, budget=budget, time_limit=time_limit, gap=gap, progress=say)


def _money(text: str | None) -> Fraction | None:
    """An exact amount; exit 2 where it is none."""
    if text is None:
        return None
    import pyarrow as pa

    from massbalance.intake.numbers import GIVEN, parse

    found = parse(pa.array([text.strip()], pa.large_string()))
    if found.state[0] != GIVEN or found.values[0] < 0:
        complain(f"purchase: --budget {text!r}: a number of at least 0, as 1234.5")
        stop(USAGE)
    return Fraction(int(found.values[0]), 10**found.decimals)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(purchase)
