"""The command `robust`: promises that hold in a share of sampled futures, and what that costs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from massbalance.interfaces.shared import (
    FAILED,
    LIMIT,
    UNVERIFIED,
    USAGE,
    CaseArgument,
    GapOption,
    JsonOption,
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
    from fractions import Fraction

    from massbalance.report.documents import Json

FRESH = 1000


def robust(
    case: CaseArgument,
    futures: Annotated[
        Path, typer.Argument(metavar="FUTURES.toml", help="What may come otherwise (docs/robust.md).")
    ],
    share: Annotated[
        str, typer.Option("--share", help="In how much of the sampled futures the firm promises must hold.")
    ] = "0.95",
    shares: Annotated[
        str, typer.Option("--shares", metavar="S,S,...", help="What other shares would cost, too.")
    ] = "",
    count: Annotated[
        int | None, typer.Option("--count", min=1, max=100_000, help="Futures to sample, not the file's.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Seed, not the file's.")] = None,
    fresh: Annotated[
        int, typer.Option("--fresh", min=0, max=100_000, help="Fresh futures to try the promises on.")
    ] = FRESH,
    fresh_seed: Annotated[
        int | None, typer.Option("--fresh-seed", min=0, help="Their seed.", show_default="the seed + 1")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the allocation and promises.")] = None,
    time_limit: Annotated[
        float | None, typer.Option("--time-limit", min=0.0, help="Seconds to decide each share; then exit 5.")
    ] = None,
    gap: GapOption = 0.0,
    json: JsonOption = False,
) -> None:
    """An allocation of CASE that keeps firm promises in a share of sampled futures, and what that costs.

    Exit 5: a share was not decided within the time limit; what is shown is valid, its gap is proven.

    Example: massbalance robust data/aluminium data/aluminium/scenarios/futures.toml --share 0.95
    """
    must_exist("robust", case)
    must_exist("robust", futures)
    asked = _shares(share, shares)
    from massbalance.api import SolverError
    from massbalance.interfaces.console_robust import robust_text

    with guarded("robust", json=json):
        try:
            told = _found(
                case, futures, asked, (seed, count), (fresh, fresh_seed), out, time_limit=time_limit, gap=gap
            )
        except SolverError as error:
            complain(f"robust: {error}; nothing was written. Please report this with the case")
            stop(FAILED)
    if json:
        show_json(told)
    else:
        show(robust_text(told))
    curve: list[Json] = told["curve"]  # type: ignore[assignment]
    if any(point["status"] == "limit" for point in curve):
        complain("robust: stopped at the time limit; gaps are proven")
        stop(LIMIT)


def _found(
    path: Path, described: Path, asked: list[Fraction], sample: tuple[int | None, int | None],
    fresh: tuple[int, int | None], out: Path | None, *, time_limit: float | None, gap: float,
) -> Json:  # fmt: skip
    """Solve, verify, publish: the document."""
    from massbalance.intake.read import read_case
    from massbalance.report.publish import check_target
    from massbalance.robust.document import document, publish_robust, verified
    from massbalance.robust.run import robust as promise
    from massbalance.scenario.futures_file import read_futures

    if out is not None:
        check_target(out.resolve())
    with progress() as say:
        case = read_case(path, progress=say)
        futures = read_futures(described, case, seed=sample[0], count=sample[1])
        other = futures.seed + 1 if fresh[1] is None else fresh[1]
        again = futures.again(seed=other, count=fresh[0]) if fresh[0] else None
        found = promise(case, futures, asked, fresh=again, time_limit=time_limit, gap=gap, progress=say)
        say("verifying")
        faults = [fault for point in found.points for fault in verified(case, point.side.allocation)]
        if faults:
            show_faults(faults, at_most=20)
            complain("robust: the check of the result failed; nothing was published")
            stop(UNVERIFIED)
        told = document(found)
        if out is not None:
            publish_robust(found, told, out)
    return told


def _shares(share: str, shares: str) -> list[Fraction]:
    """The share asked for, then those of the curve that differ from it; exit 2 where one is none."""
    import re
    from fractions import Fraction

    found: list[Fraction] = []
    for text in [share, *filter(None, shares.split(","))]:
        word = text.strip()
        value = Fraction(word) if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", word) else Fraction(2)
        if value > 1:
            complain(f"robust: {word!r} is no share; expected a number from 0 to 1")
            stop(USAGE)
        if value not in found:
            found.append(value)
    return found


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(robust)
