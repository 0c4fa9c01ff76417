"""The parts of a report on what was decided: in short, goals, customers, products, orders that got less."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from massbalance.pages.ageing import Ageing
from massbalance.pages.bars import Waterfall, grouped
from massbalance.pages.flows import flows_of
from massbalance.pages.orders import (
    Customer,
    Short,
    customers,
    products,
    short_orders,
    together,
    tonnes,
)
from massbalance.pages.pictures import picture_of
from massbalance.pages.reasons import kind_of_reason, reason
from massbalance.pages.run import Reported
from massbalance.pages.tables import Card, Section, Table, table
from massbalance.pages.texts import MONEY, Words

MOST_ROWS = 25
"""Rows of a table that a page shows; the rest is added up, or named by its number."""


def cards(source: Reported, age: Ageing, words: Words) -> list[Card]:
    """The figures that count."""
    summary: dict[str, Any] = dict(source.run.summary)
    tco2e, currency = summary["tco2e"], str(summary["currency"])
    per = f" {words('unit.tCO2e')}"
    last = len(age.periods) - 1
    soon = sum(age.held[name][last] for name in ("m1", "m3")) if age.periods else 0
    found = [
        Card(words("card.claimed"), f"{words.number(summary['claimed_t'])} t",
             words("card.claimed_of", asked=words.number(summary["asked_t"]),
                   share=words.share(summary["claimed_t"], summary["asked_t"]))),
        Card(words("card.firm"), f"{words.number(summary['unmet_firm_t'])} t"),
        Card(words("card.effect"), words.number(tco2e["allocated"]) + per,
             words("card.effect_of", realised=words.number(tco2e["realised"]),
                   share=words.share(tco2e["allocated"], tco2e["realised"]))),
        Card(words("card.held"), words.number(tco2e["held"]) + per,
             words("card.held_soon", soon=words.number(tonnes(soon)))),
        Card(words("card.expired"), words.number(tco2e["expired"]) + per),
    ]  # fmt: skip
    margin = next((g["value"] for g in summary["objectives"] if g["name"] == "margin"), None)
    if margin is not None:
        found.insert(1, Card(words("card.margin"), words.money(margin, currency)))
    return found


def goals(source: Reported, words: Words) -> Section:
    """Every goal: what was booked, what nothing can better, and the gap."""
    summary: Mapping[str, Any] = source.run.summary
    currency, rows = str(summary["currency"]), []
    for goal in summary["objectives"]:
        digits = 2 if goal["name"] in MONEY else 3
        rank = goal["priority"] if goal["priority"] is not None else goal.get("group")
        name = words.axis(goal["name"] if rank is None else f"{goal['name']}:{rank}", currency)
        rows.append(
            (
                name,
                words.number(goal["value"], digits),
                words.number(goal.get("certified_bound"), digits),
                words.number(goal.get("certified_gap"), 6),
            )
        )
    head = [words(f"column.{name}") for name in ("goal", "value", "bound", "gap")]
    texts = [words("intro.goals")]
    if summary["mip"]:
        texts.append(words("intro.goals_mip"))
    parts = [table(words("caption.goals"), head, rows), *_groups(summary.get("strategy"), words)]
    return Section("goals", words("section.goals"), tuple(texts), tuple(parts))


def _groups(strategy: Mapping[str, Any] | None, words: Words) -> list[Table]:
    """What groups got, where a strategy or a minimum service names them."""
    groups = strategy["groups"] if strategy else []
    if not groups:
        return []
    shown = groups[: 2 * MOST_ROWS]
    rows = [
        (
            f"{words.known('group_kind', one['by'])} {one['group']}",
            words.number(one["ordered_t"]),
            words.number(one["claimed_t"]),
            words.share(one["service"], 1),
            words.share(one["minimum"], 1) if one["minimum"] is not None else "–",
        )
        for one in shown
    ]
    head = [words(f"column.{name}") for name in ("group", "asked", "claimed", "service", "minimum")]
    left = len(groups) - len(shown)
    note = words("report.more_rows", n=left, file="summary.json") if left > 0 else ""
    return [table(words("caption.groups"), head, rows, note=note)]


def by_customer(source: Reported, words: Words) -> Section:
    """Who got what, and from which credits."""
    found = customers(source)
    shown, rest = (found, []) if len(found) <= MOST_ROWS + 1 else (found[:MOST_ROWS], found[MOST_ROWS:])
    currency = str(source.run.summary["currency"])
    if rest:
        shown = [*shown, together(rest, words("report.others", n=len(rest)))]
    rows = [_customer(one, currency, words) for one in (*shown, together(found, words("report.all")))]
    names = ("customer", "name", "orders", "asked", "claimed", "share", "firm_short", "effect", "premium")
    head = [words(f"column.{name}") for name in names]
    flows = flows_of(source)
    return Section(
        "customers", words("section.customers"), (words("intro.customers"),),
        (
            table(words("caption.customers"), head, rows, words=2, last=True),
            picture_of(flows, words),
            _flow_table(source, words),
        ),
    )  # fmt: skip


def _customer(one: Customer, currency: str, words: Words) -> tuple[str, ...]:
    return (
        one.key, one.name, words.number(one.orders, 0), words.number(tonnes(one.asked)),
        words.number(tonnes(one.claimed)), words.share(one.claimed, one.asked),
        words.number(tonnes(one.firm_short)), words.number(tonnes(one.effect)),
        words.money(one.premium, currency),
    )  # fmt: skip


def _flow_table(source: Reported, words: Words) -> Table:
    """What became of each category's value; the picture's amounts but for the split over customers."""
    flows = flows_of(source)
    fates = [
        fate for fate in ("customer", "forgone", "expired", "retired", "held") if fate in flows.by_fate()
    ]
    sums: dict[tuple[str, str], dict[str, int]] = {}
    for flow in flows.rows:
        row = sums.setdefault((flow.source, flow.kind), {})
        row[flow.fate] = row.get(flow.fate, 0) + flow.amount
    order = sorted(sums, key=lambda key: (-sum(sums[key].values()), key))
    rows = [
        (name, words.known("kind", kind), *(words.number(tonnes(sums[name, kind].get(f, 0))) for f in fates),
         words.number(tonnes(sum(sums[name, kind].values()))))
        for name, kind in order
    ]  # fmt: skip
    totals = flows.by_fate()
    rows.append((words("report.all"), "", *(words.number(tonnes(totals[f])) for f in fates),
                 words.number(tonnes(flows.total))))  # fmt: skip
    head = [
        words("column.source"),
        words("column.kind"),
        *(words(f"fate.{f}") for f in fates),
        words("column.total"),
    ]
    return table(words("caption.flows"), head, rows, words=2, last=True)


def by_product(source: Reported, falls: list[Waterfall], words: Words) -> Section:
    """Footprints before and after, and the waterfalls."""
    found = products(source)
    shown = found[:MOST_ROWS]
    rows = [
        (p.key, p.name, words.number(tonnes(p.claimed)), words.number(tonnes(p.conventional)),
         words.number(p.before), words.number(p.after, up=True), words.number(p.residual, up=True))
        for p in shown
    ]  # fmt: skip
    names = ("product", "name", "claimed", "conventional", "before", "after", "residual")
    head = [words(f"column.{name}") for name in names]
    note = (
        words("report.more_rows", n=len(found) - len(shown), file="residual.csv")
        if len(found) > MOST_ROWS
        else ""
    )
    parts: list[Any] = [table(words("caption.products"), head, rows, words=2, note=note)]
    for fall in falls:
        parts += [picture_of(fall, words), _steps(fall, words)]
    return Section("products", words("section.products"), (words("intro.products"),), tuple(parts))


def _steps(data: Waterfall, words: Words) -> Table:
    """The bars of a waterfall as a table."""
    rows: list[tuple[str, str]] = []
    for kind, fall in (("claimed", data.claimed), ("conventional", data.conventional)):
        if fall is None:
            continue
        head = words(f"waterfall.{kind}", mass=words.number(tonnes(fall.mass)))
        joined = words("figure.comma")
        rows.append((f"{head}{joined}{words(f'waterfall.{kind}_before')}", words.number(fall.before)))
        for step in grouped(fall).steps:
            if kind == "conventional":
                name = words("waterfall.released", scope=step.scope)
            else:
                inner = words("waterfall.others", n=step.members) if step.members else step.category
                name = words("waterfall.step", scope=step.scope, name=inner)
            rows.append((name, words.number(-step.value)))
        rows.append((f"{head}{joined}{words(f'waterfall.{kind}_after')}", words.number(fall.after, up=True)))
    head_row = [words("column.step"), words("column.per_t")]
    return table(words("caption.waterfall", product=data.product), head_row, rows)


def got_less(source: Reported, words: Words) -> Section:
    """Firm orders that fell short one by one, the others by reason."""
    short = short_orders(source)
    if not short:
        return Section("short", words("section.short_orders"), (words("intro.short_none"),), ())
    firm, other = [s for s in short if s.firm], [s for s in short if not s.firm]
    mass, firm_mass = (words.number(tonnes(sum(s.unmet for s in some))) for some in (short, firm))
    text = words("intro.short_orders", n=len(short), mass=mass, firm_n=len(firm), firm=firm_mass)
    parts = [_firm(firm, words)] if firm else []
    if other:
        parts.append(_by_reason(other, words))
    return Section("short", words("section.short_orders"), (text,), tuple(parts))


def _firm(short: list[Short], words: Words) -> Table:
    rows = [
        (
            s.order,
            s.customer,
            str(s.priority),
            words.number(tonnes(s.unmet)),
            reason(s.why, words.language)[0],
        )
        for s in short[:MOST_ROWS]
    ]
    head = tuple(words(f"column.{name}") for name in ("order", "customer", "priority", "unmet", "why"))
    left = len(short) - MOST_ROWS
    note = words("report.more_rows", n=left, file="orders.csv") if left > 0 else ""
    return Table(words("caption.firm"), head, tuple(rows), frozenset({2, 3}), note=note)


def _by_reason(short: list[Short], words: Words) -> Table:
    """Kinds of reasons by the mass that they cost."""
    sums: dict[str, tuple[int, int]] = {}
    for one in short:
        key = kind_of_reason(one.why, words.language)
        count, mass = sums.get(key, (0, 0))
        sums[key] = count + 1, mass + one.unmet
    order = sorted(sums, key=lambda key: (-sums[key][1], key))
    rows = [
        (key, words.number(sums[key][0], 0), words.number(tonnes(sums[key][1]))) for key in order[:MOST_ROWS]
    ]
    head = [words(f"column.{name}") for name in ("why", "orders", "unmet")]
    left = len(order) - MOST_ROWS
    note = words("report.more_rows", n=left, file="orders.csv") if left > 0 else ""
    return table(words("caption.reasons"), head, rows, note=note)
