"""The commands `strategies` and `pareto`: what an optimum gains, and what each goal costs the other."""

from __future__ import annotations

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
    from massbalance.strategy.front import Front
    from massbalance.strategy.side_by_side import SideBySide

SecondsOption = Annotated[
    float | None, typer.Option("--time-limit", min=0.0, help="Seconds of solver time; then exit 5.")
]


def strategies(
    case: CaseArgument, time_limit: SecondsOption = None, gap: GapOption = 0.0, json: JsonOption = False
) -> None:
    """Every strategy and the rules of thumb beside the optimum, in one table. Nothing is written.

    --time-limit holds for each strategy. The rules keep every limit of the case; the rolling average (A2) is
    what a maker without credits could declare.

    Example: massbalance strategies data/aluminium
    """
    must_exist("strategies", case)
    from massbalance.api import SolverError, read_case
    from massbalance.interfaces.console_strategy import strategies_text
    from massbalance.strategy.side_by_side import side_by_side

    with guarded("strategies", json=json):
        try:
            with progress() as say:
                found: SideBySide = side_by_side(
                    read_case(case, progress=say), time_limit=time_limit, gap=gap, progress=say
                )
        except SolverError as error:
            complain(f"strategies: {error}. Please report this with the case")
            stop(FAILED)
    if json:
        show_json(found.as_dict())
    else:
        show(strategies_text(found))
    if any(line.status == "limit" for line in found.lines):
        complain("strategies: a time limit stopped some of them before the optimum was proven")
        stop(LIMIT)


def pareto(
    case: CaseArgument,
    goals: Annotated[
        str,
        typer.Option(
            "--goals", help="Two of margin, tonnage, expiry, fair_share, common_share; `,` between."
        ),
    ],
    points: Annotated[int, typer.Option("--points", help="Points of the front, both ends included.")] = 11,
    by: Annotated[
        str, typer.Option("--by", help="Groups of fair_share: customer, segment or product.")
    ] = "customer",
    time_limit: SecondsOption = None,
    gap: GapOption = 0.0,
    json: JsonOption = False,
) -> None:
    """How much of one goal each step of the other costs: the front of two goals, firm orders held.

    Nothing is written. `massbalance plot pareto` draws the JSON document.

    Example: massbalance pareto data/aluminium --goals margin,fair_share --points 6
    """
    must_exist("pareto", case)
    words = [word.strip() for word in goals.split(",")]
    if len(words) != 2:
        complain("pareto: --goals takes two goals, `,` between")
        stop(USAGE)
    from massbalance.api import SolverError, read_case
    from massbalance.interfaces.console_strategy import pareto_text
    from massbalance.strategy.front import TimeLimit, front

    with guarded("pareto", json=json):
        try:
            with progress() as say:
                found: Front = front(
                    read_case(case, progress=say), (words[0], words[1]), points=points, by=by,
                    time_limit=time_limit, gap=gap, progress=say,
                )  # fmt: skip
        except TimeLimit:
            complain("pareto: the time was over before the front was found; give it more, or fewer points")
            stop(LIMIT)
        except SolverError as error:
            complain(f"pareto: {error}. Please report this with the case")
            stop(FAILED)
    if json:
        show_json(found.as_dict())
    else:
        show(pareto_text(found))
    if any(point.gap > gap for point in found.points):
        complain("pareto: stopped at the time limit; some points are proven only within their gap")
        stop(LIMIT)


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(strategies)
    app.command()(pareto)
