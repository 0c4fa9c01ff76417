"""The parts of a report on credits, residual, prices, further documents, warnings and provenance."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import islice
from typing import Any

from massbalance.pages.ageing import CLASSES, Ageing
from massbalance.pages.documents import Curve, Pareto, Tornado
from massbalance.pages.orders import tonnes
from massbalance.pages.pictures import Picture, picture_of
from massbalance.pages.run import Reported
from massbalance.pages.sections import MOST_ROWS
from massbalance.pages.tables import Section, Table, table
from massbalance.pages.texts import MONEY, Words

COLUMNS = 12
"""Periods side by side; more make further tables."""
MOST_PRICES, MOST_LOTS = 10, 10
STAKES = ("minimum_service", "common_share", "no_more", "fair_share")
"""Rows that a strategy asks for."""
SEEN = 500
"""g CO2e: what is less shows as 0.000."""
UNITS = ("baseline", "allocated", "released", "sent", "received", "held", "retired", "declared")
CREDITS = ("opening", "received", "allocated", "blocked", "expired", "held")
EFFECTS = (
    "baseline", "realised", "allocated", "forgone", "expired", "released", "retired", "held",
    "claimed_products", "conventional_products", "accounted",
)  # fmt: skip


def account(source: Reported, age: Ageing, words: Words) -> Section:
    """The account by unit, the balance of effects, and what is held by age."""
    summary: Mapping[str, Any] = source.run.summary
    head = [words("column.unit"), *(words(f"column.{name}") for name in CREDITS)]
    by_uom = [
        (words.known("unit", uom), *(words.number(amounts[name]) for name in CREDITS))
        for uom, amounts in sorted(summary["credits"].items())
    ]
    effects = [(words(f"effect.{name}"), words.number(summary["tco2e"][name])) for name in EFFECTS]
    lines = [words("column.line"), words("column.tco2e")]
    by_unit = [
        (name, *(words.number(amounts[what]) for what in UNITS))
        for name, amounts in sorted(summary["units"].items())
    ]
    units = [words("column.accounting_unit"), *(words(f"column.{name}") for name in UNITS)]
    parts: tuple[Table | Picture, ...] = (
        table(words("caption.credits"), head, by_uom),
        table(words("caption.effects"), lines, effects),
        table(words("caption.units"), units, by_unit),
        picture_of(age, words),
        *_ageing(age, words),
    )
    return Section(
        "credits", words("section.credits"), (words("intro.credits"), words("intro.effects")), parts
    )


def _ageing(age: Ageing, words: Words) -> Iterable[Table]:
    classes = [name for name in CLASSES if any(age.held[name])]
    head = [words("column.period"), words("column.period_end"), *(words(f"age.{name}") for name in classes),
            words("column.held"), words("column.expired")]  # fmt: skip
    rows = [
        (period, words.day(age.ends[i].isoformat()),
         *(words.number(tonnes(age.held[name][i])) for name in classes),
         words.number(tonnes(age.total(i))), words.number(tonnes(age.expired[i])))
        for i, period in enumerate(age.periods)
    ]  # fmt: skip
    yield table(words("caption.ageing"), head, rows, words=2)
    ahead = [one for one in age.holdings if one.expires is not None and one.amount >= SEEN]
    if ahead:
        lots = [(one.lot, words.day(one.expires.isoformat()), words.number(tonnes(one.amount)))
                for one in ahead[:MOST_LOTS] if one.expires]  # fmt: skip
        left = len(ahead) - MOST_LOTS
        note = words("report.more_rows", n=left, file="account.csv") if left > 0 else ""
        names = [words(f"column.{name}") for name in ("lot", "expires", "tco2e")]
        yield table(words("caption.next"), names, lots, words=2, note=note)


def residual(source: Reported, words: Words) -> Section:
    """Products by periods."""
    cells: dict[str, dict[str, str]] = {}
    for row in source.run.residual:
        cells.setdefault(row["product"], {})[row["period"]] = words.number(row["cfp_residual"], up=True)
    periods = [str(p) for p in source.case.periods.text("period")]
    parts = []
    shown = list(islice(cells, 2 * MOST_ROWS))
    left = len(cells) - len(shown)
    note = words("report.more_rows", n=left, file="residual.csv") if left > 0 else ""
    for first in range(0, len(periods), COLUMNS):
        some = periods[first : first + COLUMNS]
        rows = [(product, *(cells[product].get(period, "") for period in some)) for product in shown]
        parts.append(table(words("caption.residual"), [words("column.product"), *some], rows, note=note))
    return Section("residual", words("section.residual"), (words("intro.residual"),), tuple(parts))


def prices(source: Reported, words: Words) -> Section:
    """For each goal, the dearest credits by category and the limits that cost most."""
    text = source.run.content("prices.csv").decode("utf-8")
    found: dict[str, list[dict[str, str]]] = {}
    for row in csv.DictReader(io.StringIO(text, newline=""), strict=True):
        if Fraction(row["price_per_unit"]) > 0:
            found.setdefault(row["goal"], []).append(row)
    parts: list[Table] = []
    for goal, rows in found.items():
        parts += _goal_prices(goal, rows, source, words)
    texts = (words("intro.prices"),) if parts else (words("intro.prices_none"),)
    return Section("prices", words("section.prices"), texts, tuple(parts))


def _goal_prices(goal: str, rows: list[dict[str, str]], source: Reported, words: Words) -> Iterable[Table]:
    name, shown = goal.partition(":")[0], words.goal(goal)
    currency = str(source.run.summary["currency"])

    def worth(row: Mapping[str, str]) -> str:
        price = row["price_per_unit"]
        return words.money(price, currency) if name in MONEY else words.number(price, 6)

    lots: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows:
        if row["kind"] == "lot_supply":
            key = row["detail"], row["unit"]
            if key not in lots or Fraction(row["price_per_unit"]) > Fraction(lots[key]["price_per_unit"]):
                lots[key] = row
    head = [words("column.what"), words("column.price")]
    if lots:
        lines = [
            (words("price.lot", category=row["detail"], unit=words.known("unit", row["unit"])), worth(row))
            for row in _dearest(lots.values())
        ]
        yield table(words("caption.prices_lots", goal=shown), head, lines)
    caps = [row for row in rows if row["kind"].endswith("_cap") or row["kind"] in STAKES]
    if caps:
        head = [words("column.what"), words("column.period"), words("column.unit"), words("column.price")]
        limits = [
            (_limit(row, words), row["period"], words.known("unit", row["unit"]), worth(row))
            for row in _dearest(caps)
        ]
        yield table(words("caption.prices_caps", goal=shown), head, limits, words=3)


def _limit(row: Mapping[str, str], words: Words) -> str:
    """What a row of prices.csv limits, in words."""
    detail = words.known("carrier", row["detail"]) if row["kind"] == "energy_cap" else row["detail"]
    if row["kind"] in STAKES:
        detail = words.known("group_kind", detail)
    return words(f"price.{row['kind']}", name=row["name"], detail=detail)


def _dearest(rows: Iterable[dict[str, str]]) -> list[dict[str, str]]:
    order = sorted(rows, key=lambda r: (-Fraction(r["price_per_unit"]), r["name"], r["detail"], r["period"]))
    return order[:MOST_PRICES]


def beside(documents: Iterable[Curve | Tornado | Pareto], words: Words) -> Section | None:
    """Plots of further documents, each with its figures."""
    parts: list[Any] = []
    for data in documents:
        parts.append(picture_of(data, words))
        if isinstance(data, Curve):
            parts.append(_curve(data, words))
        elif isinstance(data, Tornado):
            parts.append(_tornado(data, words))
        else:
            parts.append(_pareto(data, words))
    return Section("extra", words("section.extra"), (), tuple(parts)) if parts else None


def _curve(data: Curve, words: Words) -> Table:
    rows = [
        (words.number(p.mass_t), words.money(p.floor, data.currency), words.money(p.marginal, data.currency))
        for p in data.points
    ]
    head = [words(f"column.{name}") for name in ("mass", "floor", "marginal")]
    return Table(words("caption.curve"), tuple(head), tuple(rows), frozenset({0, 1, 2}))


def _tornado(data: Tornado, words: Words) -> Table:
    bars = sorted(data.bars, key=lambda bar: (-bar.width(data.base), bar.name))
    rows = [
        (bar.name, bar.at_low, words.number(bar.low), bar.at_high, words.number(bar.high))
        for bar in bars[: 2 * MOST_ROWS]
    ]
    low, high = words("column.low"), words("column.high")
    head = (words("column.what"), low, words.goal(data.goal), high, words.goal(data.goal))
    return Table(words("caption.tornado"), head, tuple(rows), frozenset({2, 4}))


def _pareto(data: Pareto, words: Words) -> Table:
    points = sorted(data.points, key=lambda p: (p.x, p.y))
    rows = [(words.point(p.label, p.chosen), words.number(p.x), words.number(p.y)) for p in points]
    head = [words("column.point"), words.axis(data.x, data.currency), words.axis(data.y, data.currency)]
    return table(words("caption.pareto"), head, rows)


def warnings(source: Reported, words: Words) -> Section:
    """Every warning of the run: where, what was found, what is expected, the clause."""
    found: list[Mapping[str, Any]] = list(source.run.summary["warnings"])
    if not found:
        return Section("warnings", words("section.warnings"), (words("intro.warnings_none"),), ())
    rows = []
    for one in found[: 4 * MOST_ROWS]:
        row = "" if one["row"] is None else f" {one['row']}"
        column = f", {one['column']}" if one["column"] else ""
        rows.append(
            (f"{one['table']}{row}{column}", str(one["value"]), str(one["expected"]), str(one["code"]))
        )
    head = tuple(words(f"column.{name}") for name in ("place", "found", "expected", "code"))
    left = len(found) - len(rows)
    note = words("report.more_rows", n=left, file="summary.json") if left > 0 else ""
    only = words("report.english_only")
    part = Table(words("caption.warnings"), head, tuple(rows), foreign=frozenset({2}), note=note)
    return Section("warnings", words("section.warnings"), (only,) if only else (), (part,))


def provenance(source: Reported, documents: Mapping[str, str], words: Words) -> Section:
    """What identifies the run; documents: SHA-256 of the further documents, by what they are."""
    summary: Mapping[str, Any] = source.run.summary
    rules, opening = summary["rules"], summary.get("opening")
    model = source.case.rules.model
    title = words("report.rules_value", title=model.title, version=model.version, id=model.id)
    pairs = [f"{name} = {value}" for name, value in rules["overrides"].items()]
    rows = [
        (words("provenance.run"), source.run.key),
        (words("provenance.case"), summary["case_sha256"]),
        (words("provenance.rules"), title),
        (words("provenance.rules_sha"), rules["sha256"]),
        (words("provenance.overrides"), words.listed(pairs) or "–"),
        (words("provenance.opening"),
         words("provenance.opening_value", ledger=opening["ledger"], n=opening["n"]) if opening else "–"),
        (words("provenance.proposer"), summary.get("proposer") or "–"),
        (words("provenance.method"), summary["method"]),
        (words("provenance.version"), summary["versions"]["massbalance"]),
        (words("provenance.verified"), words("status.verified")),
        *((words("provenance.document", what=what), sha256) for what, sha256 in documents.items()),
    ]  # fmt: skip
    parts = [Table(words("caption.provenance"), (words("column.line"), words("column.found")), tuple(rows))]
    assured = source.case.settings.get("assurance", [])
    if assured:
        names = ("subject", "body", "level", "date")
        cells = tuple(tuple(str(one.get(name, "")) for name in names) for one in assured)
        parts.append(Table(words("caption.assurance"), tuple(words(f"column.{n}") for n in names), cells))
    return Section("provenance", words("section.provenance"), (), tuple(parts))
