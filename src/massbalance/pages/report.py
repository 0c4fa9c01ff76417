"""A run as a page in HTML, for planners and for those who talk to customers, in Japanese or English.

One file holds all of it: no script, no address of another site, plots inside as SVG. The same run and
documents give the same bytes: nothing of when or how long stands in it.
"""

from __future__ import annotations

import base64
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from massbalance.pages import sections, sections_more
from massbalance.pages.ageing import ageing
from massbalance.pages.bars import products_by_effect, waterfall
from massbalance.pages.documents import Curve, Pareto, Tornado
from massbalance.pages.pictures import Picture
from massbalance.pages.run import Reported
from massbalance.pages.tables import Section, Table
from massbalance.pages.texts import LANGUAGES, Words

FALLS = 3
"""Products whose waterfall is shown unless some are named: those whose credits did most."""


@dataclass(frozen=True)
class Extras:
    """What a report shows beside the run. products: whose waterfalls, by default those that matter most;
    documents: what to plot; sha256: of their files, by name.
    """

    products: tuple[str, ...] = ()
    documents: tuple[Curve | Tornado | Pareto, ...] = ()
    sha256: Mapping[str, str] = field(default_factory=dict)


def report_name(language: str) -> str:
    """The file of a report in a language."""
    return f"report.{language}.html"


def report_html(
    source: Reported, language: str, extras: Extras | None = None, others: Sequence[str] = ()
) -> bytes:
    """The page as UTF-8.

    others: languages of pages beside this one, which it links to. CaseRefused for a product of `extras`
    that the case has not.
    """
    words, beside = Words(language), extras or Extras()
    age = ageing(source)
    names = beside.products or tuple(products_by_effect(source)[:FALLS])
    falls = [waterfall(source, name) for name in names]
    parts: list[Section | None] = [
        sections.goals(source, words),
        sections.by_customer(source, words),
        sections.by_product(source, falls, words),
        sections_more.account(source, age, words),
        sections_more.residual(source, words),
        sections_more.prices(source, words),
        sections.got_less(source, words),
        sections_more.beside(beside.documents, words),
        sections_more.warnings(source, words),
        sections_more.provenance(source, beside.sha256, words),
    ]
    page = _environment().get_template("report.html.j2").render(
        words=words,
        language=language,
        others=[(one, report_name(one)) for one in others if one != language],
        style=_file("report.css"),
        head=_head(source, words),
        cards=sections.cards(source, age, words),
        sections=[part for part in parts if part is not None],
    )  # fmt: skip
    return page.encode("utf-8")


def _head(source: Reported, words: Words) -> dict[str, Any]:
    """Name, issuer, days and verdict."""
    case, summary = source.case, source.run.summary
    days = case.periods.days("start"), case.periods.days("end")
    span = ""
    if len(case.periods):
        start, end = words.day(str(days[0][0])), words.day(str(days[1][-1]))
        span = words("figure.span", start=start, end=end)
    model, status = case.rules.model, str(summary["status"])
    return {
        "name": case.name,
        "issuer": str(case.settings.get("issuer", {}).get("name", "")),
        "span": span,
        "rules": words("report.rules_value", title=model.title, version=model.version, id=model.id),
        "status": words.known("status", status),
        "good": status == "optimal",
    }


@cache
def _environment() -> Environment:
    """Everything that is filled in is escaped, and shown without what would disturb the page."""
    found = Environment(
        autoescape=True, undefined=StrictUndefined, finalize=readable, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True, loader=FunctionLoader(_file),
    )  # fmt: skip
    found.tests["picture"] = lambda part: isinstance(part, Picture)
    found.filters["figure_source"] = _source_of
    found.filters["is_foreign"] = lambda part, column: isinstance(part, Table) and column in part.foreign
    return found


def readable(value: object) -> object:
    """A text without what cannot be seen or turns others around; all else as it is."""
    if not isinstance(value, str) or hasattr(value, "__html__"):
        return value
    return "".join("\ufffd" if unicodedata.category(c) in _UNSEEN and c != "\n" else c for c in value)


_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def _source_of(picture: Picture) -> str:
    """The picture as an address that holds it."""
    return "data:image/svg+xml;base64," + base64.b64encode(picture.svg()).decode("ascii")


def _file(name: str) -> str:
    return resources.files("massbalance.pages").joinpath(name).read_text(encoding="utf-8")


__all__ = ["LANGUAGES", "Extras", "readable", "report_html", "report_name"]
