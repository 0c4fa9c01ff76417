"""The commands `report` and `plot`: a run as a page, and single plots as PNG and SVG."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from massbalance.interfaces.shared import (
    UNVERIFIED,
    USAGE,
    JsonOption,
    RunArgument,
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
    from massbalance.pages.make import Made

plots = typer.Typer(help="A plot as PNG and SVG: of a run, a quote, a sweep, a front.", no_args_is_help=True)


class Language(StrEnum):
    """In which languages."""

    ja = "ja"
    en = "en"
    both = "both"


LangOption = Annotated[Language, typer.Option("--lang", help="Japanese, English, or a file of each.")]
OutOption = Annotated[Path, typer.Option("--out", help="Folder for the files; others in it stay.")]
Documents = Annotated[Path, typer.Argument(metavar="FILE", help="A JSON document.")]


def _languages(language: Language) -> tuple[str, ...]:
    return ("ja", "en") if language is Language.both else (language.value,)


def report(
    run_folder: RunArgument,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the pages.", show_default="reports/NAME-OF-RUN")
    ] = None,
    lang: LangOption = Language.both,
    product: Annotated[
        list[str] | None,
        typer.Option(
            "--product", help="Whose waterfall; may be repeated. The three that matter most unless told."
        ),
    ] = None,
    curve: Annotated[
        Path | None,
        typer.Option("--curve", metavar="FILE", help="Of `quote --curve --json`: its curve, too."),
    ] = None,
    tornado: Annotated[
        Path | None,
        typer.Option("--tornado", metavar="FILE", help="A sweep's document: what moves the goal."),
    ] = None,
    pareto: Annotated[
        Path | None, typer.Option("--pareto", metavar="FILE", help="A document of a front of two goals.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """RUN as a page in HTML with its plots, for planners and for those who talk to customers.

    The run is verified first. Exit 3: a document or product is not valid; 6: the run fails its check.

    Example: massbalance report runs/aluminium --lang both --product PL-5052
    """
    _must_be_folder("report", run_folder)
    given = {"curve": curve, "tornado": tornado, "pareto": pareto}
    files = {name: path for name, path in given.items() if path is not None}
    for path in files.values():
        must_exist("report", path)
    target = out if out is not None else Path("reports") / run_folder.resolve().name

    def made(say: Callable[[str], None]) -> Made:
        from massbalance.pages.make import make_report

        return make_report(run_folder, target, _languages(lang), tuple(product or ()), files, progress=say)

    _make("report", made, json)


@plots.command()
def sankey(
    run_folder: RunArgument,
    unit: Annotated[
        str, typer.Option("--unit", help="tCO2e (what credits are worth), or t, MWh, GJ of the lots.")
    ] = "tCO2e",
    out: OutOption = Path("plots"),
    lang: LangOption = Language.en,
    json: JsonOption = False,
) -> None:
    """Where the credits of RUN went: from categories of lots to customers.

    Example: massbalance plot sankey runs/aluminium --out plots
    """
    _must_be_folder("plot sankey", run_folder)

    def made(say: Callable[[str], None]) -> Made:
        from massbalance.pages.make import plot_sankey

        return plot_sankey(run_folder, out, _languages(lang), unit, progress=say)

    _make("plot sankey", made, json)


@plots.command()
def waterfall(
    run_folder: RunArgument,
    product: Annotated[str, typer.Option("--product", help="A product of the case.")],
    period: Annotated[str, typer.Option("--period", help="One period; all of them unless told.")] = "",
    out: OutOption = Path("plots"),
    lang: LangOption = Language.en,
    json: JsonOption = False,
) -> None:
    """The footprint of a product of RUN: before, step by step, after, and the residual.

    Example: massbalance plot waterfall runs/aluminium --product CB-3104
    """
    _must_be_folder("plot waterfall", run_folder)

    def made(say: Callable[[str], None]) -> Made:
        from massbalance.pages.make import plot_waterfall

        return plot_waterfall(run_folder, out, _languages(lang), product, period, progress=say)

    _make("plot waterfall", made, json)


@plots.command()
def ageing(
    run_folder: RunArgument,
    out: OutOption = Path("plots"),
    lang: LangOption = Language.en,
    json: JsonOption = False,
) -> None:
    """What the account of RUN holds at each period's end, by months to expiry.

    Example: massbalance plot ageing runs/aluminium
    """
    _must_be_folder("plot ageing", run_folder)

    def made(say: Callable[[str], None]) -> Made:
        from massbalance.pages.make import plot_ageing

        return plot_ageing(run_folder, out, _languages(lang), progress=say)

    _make("plot ageing", made, json)


@plots.command()
def curve(
    file: Documents, out: OutOption = Path("plots"), lang: LangOption = Language.en, json: JsonOption = False
) -> None:
    """The floor premium over the mass, from the document of `quote --curve --json`.

    Example: massbalance plot curve quote.json
    """
    _document("curve", file, out, lang, json)


@plots.command()
def tornado(
    file: Documents, out: OutOption = Path("plots"), lang: LangOption = Language.en, json: JsonOption = False
) -> None:
    """What moves a goal, one thing changed at a time, from a sweep's document.

    Example: massbalance plot tornado sweep.json
    """
    _document("tornado", file, out, lang, json)


@plots.command()
def pareto(
    file: Documents, out: OutOption = Path("plots"), lang: LangOption = Language.en, json: JsonOption = False
) -> None:
    """What two goals allow together, from a document of their front.

    Example: massbalance plot pareto front.json
    """
    _document("pareto", file, out, lang, json)


def _document(name: str, file: Path, out: Path, lang: Language, json: bool) -> None:
    must_exist(f"plot {name}", file)

    def made(say: Callable[[str], None]) -> Made:
        from massbalance.pages.make import plot_document

        return plot_document(name, file, out, _languages(lang), progress=say)

    _make(f"plot {name}", made, json)


def _must_be_folder(command: str, folder: Path) -> None:
    if not folder.is_dir():
        complain(f"{command}: {folder} is no folder")
        stop(USAGE)


def _make(command: str, made: Callable[[Callable[[str], None]], Made], json: bool) -> None:
    """Make files and tell which."""
    from massbalance.ledger.problems import Unverified

    with guarded(command, json=json):
        try:
            with progress() as say:
                done = made(say)
        except Unverified as failed:
            show_faults(failed.faults, at_most=20)
            complain(f"{command}: the run fails its own check (`massbalance verify`); nothing was written")
            stop(UNVERIFIED)
    if json:
        show_json({"run": done.run, "files": [path.as_posix() for path in done.files]})
        return
    for path in done.files:
        show(str(path))


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(report)
    app.add_typer(plots, name="plot")
