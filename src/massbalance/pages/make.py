"""Reports and plots as files: read, verify, draw, write whole or not at all."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from massbalance.domain.faults import CaseRefused, Fault
from massbalance.pages.ageing import ageing
from massbalance.pages.bars import waterfall
from massbalance.pages.documents import Curve, Pareto, Tornado, curve_of, pareto_of, read_document, tornado_of
from massbalance.pages.flows import flows_of, units
from massbalance.pages.pictures import Data, picture_of
from massbalance.pages.report import Extras, report_html, report_name
from massbalance.pages.run import read_verified
from massbalance.pages.texts import Words
from massbalance.pages.write import check_folder, write_files

Progress = Callable[[str], None]
_READERS: Mapping[str, Callable[[Mapping[str, object], str], Curve | Tornado | Pareto]] = {
    "curve": curve_of, "tornado": tornado_of, "pareto": pareto_of,
}  # fmt: skip


@dataclass(frozen=True)
class Made:
    """What was written. run: key of the run that it shows, None for a document."""

    run: str | None
    files: tuple[Path, ...]


def _quiet(_: str) -> None:
    """No progress."""


def make_report(
    run_folder: Path,
    out: Path,
    languages: Sequence[str],
    products: tuple[str, ...] = (),
    documents: Mapping[str, Path] | None = None,
    *,
    progress: Progress = _quiet,
) -> Made:
    """Write a run's report in each language into `out`.

    products: whose waterfalls; documents: file of each of `curve`, `tornado`, `pareto` to show too.
    Unverified (exit 6): the run fails its check; CaseRefused (exit 3): a product or document; OutputRefused.
    """
    check_folder(out)
    given = documents or {}
    found = tuple(_READERS[name](read_document(path), path.name) for name, path in given.items())
    sha256 = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in given.values()}
    source = read_verified(run_folder, progress)
    files = {}
    for language in languages:
        progress(f"drawing the report ({language})")
        extras = Extras(products, found, sha256)
        files[report_name(language)] = report_html(source, language, extras, languages)
    return Made(source.run.key, tuple(write_files(out, files)))


def plot_sankey(
    run_folder: Path, out: Path, languages: Sequence[str], unit: str = "tCO2e", *, progress: Progress = _quiet
) -> Made:  # fmt: skip
    """Where a run's credits went, in a unit; files `sankey.LANGUAGE.png` and `.svg`, or `sankey-UNIT...`."""
    check_folder(out)
    source = read_verified(run_folder, progress)
    known = units(source)
    if unit not in known:
        raise CaseRefused([Fault("lots", None, "uom", unit, f"one of {', '.join(known)}", "unknown_word")])
    name = "sankey" if unit == "tCO2e" else f"sankey-{unit}"
    return _plot(name, flows_of(source, unit), out, languages, source.run.key, progress)


def plot_waterfall(
    run_folder: Path, out: Path, languages: Sequence[str], product: str, period: str = "", *,
    progress: Progress = _quiet,
) -> Made:  # fmt: skip
    """A product's waterfall; files `waterfall-PRODUCT[-PERIOD].LANGUAGE.png` and `.svg`."""
    check_folder(out)
    source = read_verified(run_folder, progress)
    name = "-".join(_safe(part) for part in ("waterfall", product, period) if part)
    return _plot(name, waterfall(source, product, period), out, languages, source.run.key, progress)


def plot_ageing(
    run_folder: Path, out: Path, languages: Sequence[str], *, progress: Progress = _quiet
) -> Made:  # fmt: skip
    """The ageing of a run's credits; files `ageing.LANGUAGE.png` and `.svg`."""
    check_folder(out)
    source = read_verified(run_folder, progress)
    return _plot("ageing", ageing(source), out, languages, source.run.key, progress)


def plot_document(
    name: str, file: Path, out: Path, languages: Sequence[str], *, progress: Progress = _quiet
) -> Made:  # fmt: skip
    """The plot of a document; name: `curve`, `tornado` or `pareto`."""
    check_folder(out)
    return _plot(name, _READERS[name](read_document(file), file.name), out, languages, None, progress)


def _plot(
    name: str, data: Data, out: Path, languages: Sequence[str], run: str | None, progress: Progress
) -> Made:  # fmt: skip
    files = {}
    for language in languages:
        progress(f"drawing ({language})")
        picture = picture_of(data, Words(language))
        files[f"{name}.{language}.png"] = picture.png()
        files[f"{name}.{language}.svg"] = picture.svg()
    return Made(run, tuple(write_files(out, files)))


def _safe(word: str) -> str:
    """A word as part of a file's name; what some system does not take is written as its number."""
    return re.sub(r"[^\w.+-]", lambda found: f"%{ord(found.group()):X}", word)
