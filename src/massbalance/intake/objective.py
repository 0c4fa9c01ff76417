"""`[objective]` against the rest of the case: what a strategy needs, and names that must exist."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from massbalance.domain.case import Case
from massbalance.domain.faults import CaseRefused
from massbalance.domain.objective import (
    OWN_GOALS,
    SETTINGS_OF,
    ObjectiveSettings,
    default_order,
    group_of,
)
from massbalance.intake.canonical import digest
from massbalance.intake.checks import Drafts
from massbalance.intake.draft import Draft
from massbalance.intake.log import Log, nearest
from massbalance.intake.settings import SettingsSource, canonical_values, log_errors

Fault = Callable[[str, object, str, str], None]
"""Tells a fault of a dotted key: key, value, what is expected, code."""


@dataclass(frozen=True)
class Known:
    """Names of the case; None where a table was not read as a whole and so proves nothing.

    groups: kind -> names; without_segment: customers with orders whose segment is not given.
    """

    groups: dict[str, set[str] | None]
    without_segment: tuple[str, ...]


def check_objective(source: SettingsSource, drafts: Drafts, log: Log) -> None:
    """Every check of `[objective]` beyond its form. Faults are logged."""
    given = source.data.get("objective", {})
    if isinstance(given, dict):
        _check(given, _known(drafts), source.rows, log)


def with_objective(case: Case, settings: Mapping[str, Any]) -> Case:
    """The same case under another `[objective]`, as if its file said so.

    settings: keys and values as in `[objective]` of case.toml. CaseRefused where they are not sound.
    """
    log = Log()
    source = SettingsSource({"objective": dict(settings)})
    log_errors(source, log)
    _check(dict(settings), _known_of(case), {}, log)
    if log.has_errors:
        raise CaseRefused(log.finish())
    values = {key: value for key, value in case.settings.items() if key != "objective"}
    values |= canonical_values(source.data)
    return replace(case, settings=values, sha256=digest(values, case.rules, case.content))


def _check(given: dict[str, Any], known: Known, rows: Mapping[str, int], log: Log) -> None:
    """Checks of a section whose form is sound; other faults of form are told elsewhere."""

    def fault(key: str, value: object, expected: str, code: str = "setting") -> None:
        log.add("case", rows.get(f"objective.{key}"), f"objective.{key}", value, expected, code)

    try:
        read = ObjectiveSettings.model_validate(given)
    except ValidationError:
        return
    _check_strategy(read, fault)
    _check_order(read, fault)
    products = known.groups["product"]
    for place, name in enumerate(read.products):
        if name in read.products[:place]:
            fault("products", name, "each product once", "duplicate_key")
        elif products is not None and name not in products:
            fault("products", name, _a_name("products", products, name), "unknown_reference")
    if read.strategy == "leximin" and read.by == "segment":
        for customer in known.without_segment:
            fault("by", read.by, f"a `segment` in table `customers` for `{customer}`, who has orders")
    _check_minimums(read, known, fault)


def _a_name(table: str, known: set[str], name: str) -> str:
    likely = nearest(name, sorted(known))
    return f"a name that table `{table}` lists" + (f" (nearest: `{likely}`)" if likely else "")


def _check_strategy(read: ObjectiveSettings, fault: Callable[..., None]) -> None:
    """A strategy has what it needs, and nothing is given that it would leave unread."""
    given = {
        "products": (bool(read.products), "concentrate", read.products),
        "by": (read.by is not None, "leximin", read.by),
        "weights": (read.weights is not None, "weighted", "weights"),
    }
    for key, (there, strategy, value) in given.items():
        shown = ";".join(value) if isinstance(value, list) else value
        if there and read.strategy != strategy:
            fault(key, shown, f"nothing here, or strategy `{strategy}`, which reads it")
    if read.strategy == "concentrate" and not read.products:
        fault("products", "", "the products that strategy `concentrate` chooses, in order", "empty_cell")
    if read.strategy == "weighted" and (read.weights is None or not any(read.weights.model_dump().values())):
        fault("weights", "", "a weight above 0 for strategy `weighted`", "empty_cell")


def _check_order(read: ObjectiveSettings, fault: Callable[..., None]) -> None:
    """A goal that needs a strategy's settings has them; a strategy's own goal is not forgotten."""
    order = default_order(read.strategy) if read.order is None else tuple(read.order)
    shown = ";".join(order)
    for goal in order:
        if SETTINGS_OF.get(goal, read.strategy) != read.strategy:
            fault(
                "order", shown, f"no `{goal}` without strategy `{SETTINGS_OF[goal]}`, which says what it is"
            )
    own = OWN_GOALS.get(read.strategy)
    if own is not None and own not in order:
        fault("order", shown, f"`{own}`, the goal of strategy `{read.strategy}`, in it")


_TABLE_OF = {"customer": "orders", "segment": "customers", "product": "products"}


def _check_minimums(read: ObjectiveSettings, known: Known, fault: Callable[..., None]) -> None:
    """Every group named exists, and is named once."""
    seen: set[tuple[str, str]] = set()
    for place, least in enumerate(read.minimum_service):
        key, names = f"minimum_service.{place}", known.groups[least.by]
        if (least.by, least.group) in seen:
            fault(f"{key}.group", least.group, "each group once", "duplicate_key")
        elif least.group and names is not None and least.group not in names:
            expected = _a_name(_TABLE_OF[least.by], names, least.group)
            fault(f"{key}.group", least.group, expected, "unknown_reference")
        seen.add((least.by, least.group))


def _known(drafts: Drafts) -> Known:
    """Names that the files hold, sound rows or not."""
    segment = _words(drafts["customers"], "segment")
    groups = {
        "customer": _words(drafts["orders"], "customer"),
        "segment": segment,
        "product": _words(drafts["products"], "product"),
    }
    customers, orders = drafts["customers"], drafts["orders"]
    if segment is None or groups["customer"] is None:
        return Known(groups, ())
    # columns that are not there read as empty, so every customer lacks a segment then
    pairs = zip(customers.texts("customer"), customers.texts("segment"), strict=True)
    has = {customer for customer, word in pairs if word}
    return Known(groups, tuple(sorted({c for c in orders.texts("customer") if c} - has)))


def _words(table: Draft, column: str) -> set[str] | None:
    if not table.complete:
        return None
    return {word for word in table.texts(column) if word}


def _known_of(case: Case) -> Known:
    """The same of a checked case."""
    names, of_order = group_of(case, "segment")
    customers = case.orders.text("customer")
    return Known(
        {
            "customer": {str(c) for c in customers},
            "segment": {str(s) for s in case.customers.text("segment") if s} | set(names),
            "product": {str(p) for p in case.products.text("product")},
        },
        tuple(sorted({str(c) for c, at in zip(customers, of_order, strict=True) if at < 0})),
    )
