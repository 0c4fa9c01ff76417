"""Account, residual and summary: cell by cell against the books, and the identities on their own."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from massbalance.books.account import BooksError, account_rows
from massbalance.books.residual import residual_book
from massbalance.books.tables import ACCOUNT, RESIDUAL, account_csv, residual_csv
from massbalance.domain.grid import GRID
from massbalance.domain.result import Allocation
from massbalance.verification.effects import Effects
from massbalance.verification.facts import Facts
from massbalance.verification.files import (
    SUMMARY,
    Faults,
    Lines,
    number,
    on_grid,
    plain,
    positions,
    read_csv,
)
from massbalance.verification.goals import GoalProof, Scale, Values
from massbalance.verification.integers import Wide, which
from massbalance.verification.orders import Booked
from massbalance.verification.service import PLACES, check_strategy, entry
from massbalance.verification.shares import SHARES
from massbalance.verification.strategy import SUMMARY_NAMES, Strategy
from massbalance.verification.terms import texts

A4_2_1, A4_2_4 = "A4.2.1 account", "A4.2.4 residual"
CREDITS = ("opening", "received", "allocated", "blocked", "expired", "held")
TCO2E = (
    "baseline", "realised", "allocated", "forgone", "expired", "released", "retired", "held",
    "claimed_products", "conventional_products", "accounted",
)  # fmt: skip


class Summary:
    """summary.json, read for comparison; data: as parsed, with exact numbers."""

    def __init__(self, data: dict[str, Any], faults: Faults) -> None:
        self.data, self.faults = data, faults

    def get(self, *path: str) -> Any:
        """The value at a path; None where there is none."""
        found: Any = self.data
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        return found

    def must_be(self, value: object, code: str, *path: str) -> None:
        """A fault unless the path holds this; a number exactly, or as its nearest double."""
        found = self.get(*path)
        if isinstance(value, Fraction):
            if number(found) not in (value, Fraction(repr(float(value)))):
                self.faults.add(SUMMARY, None, ".".join(path), found, plain(value), code)
        elif type(found) is not type(value) or found != value:
            self.faults.add(SUMMARY, None, ".".join(path), found, str(value), code)

    def must_have(self, amounts: Mapping[str, int], code: str, *path: str) -> None:
        """Every amount (in millionths) stands under the path."""
        for name, value in amounts.items():
            self.must_be(Fraction(value, GRID), code, *path, name)


def check_summary(summary: Summary, facts: Facts, booked: Booked | None) -> None:
    """What summary.json says of the case and the claims."""
    rules = facts.case.rules
    summary.must_be(facts.case.sha256, "summary", "case_sha256")
    summary.must_be(rules.id, "summary", "rules", "id")
    summary.must_be(rules.sha256, "summary", "rules", "sha256")
    summary.must_be(True, "summary", "verified")
    if summary.get("status") != "limit":
        summary.must_be("optimal", "summary", "status")
    if booked is None:
        return
    unmet = (Wide.of(facts.mass) - Wide.of(booked.claimed))[facts.firm].total()
    claimed = Wide.of(booked.claimed).total()
    summary.must_have({"claimed_t": claimed, "unmet_firm_t": unmet}, "C11 order_mass")


def check_goals(summary: Summary, strategy: Strategy, effects: Effects, booked: Booked) -> None:
    """What the strategy asks of the claims, and what summary.json says of it and of the goals."""
    _check_objectives(summary, strategy, effects, booked)
    _check_entry(summary, strategy, booked)


def _check_entry(summary: Summary, strategy: Strategy, booked: Booked) -> None:
    """What the summary says of the strategy: nothing of the plain one."""
    expected = entry(strategy, booked.claimed)
    if expected is None:
        summary.must_be(None, "summary", "strategy")
        return
    groups, told = expected.pop("groups"), summary.get("strategy", "groups")
    for key, value in expected.items():
        summary.must_be(value, "summary", "strategy", key)
    for name, weight in strategy.objective.weights:
        summary.must_be(weight, "summary", "strategy", "weights", name)
    told = told if isinstance(told, list) and all(isinstance(one, dict) for one in told) else []
    names = [{"by": one["by"], "group": one["group"]} for one in groups]
    if [{key: one.get(key) for key in ("by", "group")} for one in told] != names:
        summary.must_be(names, "summary", "strategy", "groups")
        return
    for right, one in zip(groups, told, strict=True):
        service = number(one.get("service"))
        if service is not None and abs(service - right["service"]) <= Fraction(1, 10**PLACES):
            right["service"] = service
        for key, value in right.items():
            Summary(one, summary.faults).must_be(value, f"summary: {right['by']} {right['group']}", key)


def _objectives(summary: Summary) -> list[dict[str, Any]]:
    """The summary's goals that are booked (a tie-break is not)."""
    told = summary.get("objectives")
    goals = [goal for goal in told if isinstance(goal, dict)] if isinstance(told, list) else []
    return [goal for goal in goals if goal.get("name") in SUMMARY_NAMES.values()]


def _check_objectives(summary: Summary, strategy: Strategy, effects: Effects, booked: Booked) -> None:
    """The goals' values are those of what was booked, in the order of the case; shares to PLACES."""
    told, scale = _objectives(summary), Scale(strategy)
    expected = [(goal.name, goal.priority, goal.group) for goal in strategy.goals.values()]
    if [tuple(goal.get(key) for key in ("name", "priority", "group")) for goal in told] != expected:
        summary.must_be(expected, "C15 goal_hold", "objectives")
        check_strategy(strategy, booked, None, summary.faults)
        return
    by_key = dict(zip(strategy.goals, told, strict=True))
    common = number(by_key.get("common_share", {}).get("value"))
    check_strategy(strategy, booked, common, summary.faults)
    for key, value in Values(strategy, effects, booked).by_goal.items():
        right, found = scale.told(strategy.goals[key], value), number(by_key[key].get("value"))
        if strategy.goals[key].word in SHARES and found is not None:
            right = found if abs(found - right) <= Fraction(1, 10**PLACES) else right
        Summary({key: by_key[key].get("value")}, summary.faults).must_be(right, "C15 goal_hold", key)


def check_certified(summary: Summary, goals: list[GoalProof]) -> None:
    """The bounds and gaps that the summary states, if any, are those of its proof, to 8 digits."""
    for objective, goal in zip(_objectives(summary), goals, strict=False):
        for key, value in (("certified_bound", goal.bound), ("certified_gap", goal.gap)):
            found = number(objective[key]) if key in objective else value
            if found is None or abs(found - value) > max(abs(value), Fraction(1)) / 10**8:
                summary.faults.add(SUMMARY, None, key, objective[key], plain(value), "C15 goal_hold")


def check_books(run: Path, summary: Summary, facts: Facts, booked: Booked | None) -> None:
    """account.csv, residual.csv and the summary's credits and tco2e (A4.2.1, A4.2.4)."""
    faults = summary.faults
    account = read_csv(run, "account.csv", ACCOUNT, faults)
    residual = read_csv(run, "residual.csv", RESIDUAL, faults)
    _check_account(account, summary, facts, booked)
    _check_identities(summary)
    if booked is None:
        return
    _check_emissions(summary, facts, booked)
    allocation = as_allocation(facts, booked)
    try:
        book = residual_book(facts.case, allocation)
        rendered = account_csv(facts.case, account_rows(facts.case, allocation))
    except BooksError as error:
        faults.add("account.csv", None, "", error, "books that balance", A4_2_1)
        return
    for file, lines, data, code in (
        ("account.csv", account, rendered, A4_2_1),
        ("residual.csv", residual, residual_csv(facts.case, book), A4_2_4),
    ):
        if not (run / file).is_file() or (run / file).read_bytes() != data:
            _compare(lines, data, code, faults)
    summary.must_have({name: book.tco2e[name] for name in TCO2E}, A4_2_4, "tco2e")
    for table, amounts in (("shares_t", book.shares), ("units", book.units)):
        for name in amounts if table in summary.data else ():
            summary.must_have(amounts[name], A4_2_4, table, name)


def as_allocation(facts: Facts, booked: Booked) -> Allocation:
    """The booked decisions as the books take them: rows by (order, offer, lot)."""
    rows, terms, offers = booked.rows, facts.terms, facts.case.offers
    at = np.full(len(terms.order), -1, dtype=np.intp)
    at[terms.find(positions(texts(offers, "order"), facts.names), texts(offers, "offer"))] = np.arange(
        len(offers)
    )
    by = np.lexsort((rows.lot, at[rows.term], rows.order))
    one, two, three = (part[by] for part in rows.scopes)
    return Allocation(
        rows.lot[by], rows.order[by], at[rows.term][by], rows.quantity[by], rows.credited[by],
        one, two, three, booked.claimed, at[booked.term],
    )  # fmt: skip


def _compare(lines: Lines, rendered: bytes, code: str, faults: Faults) -> None:
    """Every cell is the one that the books give; the first two columns are the key."""
    header, *rows = csv.reader(io.StringIO(rendered.decode("utf-8"), newline=""))
    expected = {(cells[0], cells[1]): cells for cells in rows}
    for at, found in enumerate(zip(*(lines[column].to_pylist() for column in header), strict=True)):
        cells = expected.pop((found[0], found[1]), None)
        if cells is None:
            faults.at(lines, at, header[0], "a row of this run, once", code)
            continue
        for column, cell, value in zip(header, found, cells, strict=True):
            if cell != value:
                faults.at(lines, at, column, value or "nothing", code)
    for key in expected:
        faults.add(lines.file, None, header[0], "/".join(key), "a row for it", code)


def _check_account(lines: Lines, summary: Summary, facts: Facts, booked: Booked | None) -> None:
    """Opening + received - allocated - blocked - expired = closing = next opening, never below zero."""
    faults, periods, lots = summary.faults, len(facts.periods), facts.lots
    lot = positions(lines["lot"], [lot.name for lot in lots])
    period, cells = positions(lines["period"], list(facts.case.periods.position)), ACCOUNT[2:]
    told = {column: on_grid(lines[column]) for column in cells}
    sound = (lot >= 0) & (period >= 0)
    for value, readable in told.values():
        sound &= readable & (value >= 0)
    for at in which(~sound):
        row = [lines.cell(at, column) for column in ACCOUNT]
        faults.at(lines, at, "lot", "a lot, a period, six numbers from 0 on", A4_2_1, row)
    lines, lot, period = lines.take(sound), lot[sound], period[sound]
    opening, received, allocated, blocked, expired, closing = (told[c][0][sound] for c in cells)
    # each is below 10**18: no sum of six can overflow
    left = opening + received - allocated - blocked - expired
    faults.where(lines, left != closing, "closing", "what the row's other figures leave", A4_2_1)
    by, before, leaves = np.argsort(lot, kind="stable"), np.full(len(lot), -1), opening.copy()
    after = np.flatnonzero(lot[by][1:] == lot[by][:-1])  # rows whose lot has one before, in the file's order
    before[by[after + 1]], leaves[by[after + 1]] = period[by[after]], closing[by[after]]
    broken = (before != period - 1) | (leaves != opening)
    faults.where(lines, broken, "opening", "what the period before leaves", A4_2_1)
    if booked:
        rows = booked.rows
        place = rows.lot * periods + facts.terms.period_of[facts.terms.demand[rows.term]]
        used = Wide.of(rows.quantity).sum_by(place, len(lots) * periods)[lot * periods + period]
        for at in which((used - Wide.of(allocated)).sign()):
            taken = plain(Fraction(used.at(at), GRID))
            faults.at(lines, at, "allocated", f"{taken} taken", A4_2_1)
    amounts = (
        opening * (period == 0),
        received,
        allocated,
        blocked,
        expired,
        closing * (period == periods - 1),
    )
    for unit in dict.fromkeys(lot.uom for lot in lots):
        of_unit = np.array([lot.uom == unit for lot in lots], dtype=bool)[lot]
        totals = [Wide.of(values[of_unit]).total() for values in amounts]
        summary.must_have(dict(zip(CREDITS, totals, strict=True)), A4_2_1, "credits", unit)


def _check_emissions(summary: Summary, facts: Facts, booked: Booked) -> None:
    """What of the residual follows from the case and the allocation alone (A4.2.4)."""
    made, terms, periods = facts.case.production, facts.terms, len(facts.periods)
    product, period = (
        positions(texts(made, name), texts(table, name))
        for name, table in (("product", facts.case.products), ("period", facts.case.periods))
    )
    demand, size = terms.demand[booked.term], len(facts.products) * periods
    claimed_at = terms.product_of[demand] * periods + terms.period_of[demand]
    mass = Wide.of(np.asarray(made.grid("mass_t"))).sum_by(product * periods + period, size)
    claimed = Wide.of(booked.claimed).sum_by(claimed_at, size)
    for place in which((claimed - mass).sign() > 0):
        most, running = mass.at(place), 0
        for at in which(claimed_at == place):
            running += int(booked.claimed[at])
            if running > most:
                summary.faults.at(booked.lines, at, "claimed_t", "claims within the production", A4_2_1)

    def carried(masses: Wide) -> int:
        return sum(
            s * m // facts.scale
            for place, m in enumerate(masses.python().tolist())
            if m
            for s in facts.products[place // periods].scopes
        )

    allocated, realised, baseline = booked.reduction.total(), facts.realised(), carried(mass)
    known = {
        "baseline": baseline, "realised": realised, "allocated": allocated,
        "claimed_products": carried(claimed) - allocated, "accounted": baseline - realised,
    }  # fmt: skip
    summary.must_have(known, A4_2_4, "tco2e")


def _check_identities(summary: Summary) -> None:
    """The summary's own figures balance to the last digit (A4.2.4, J5.3.3)."""
    told = {name: number(summary.get("tco2e", name)) for name in TCO2E}
    t = {name: value for name, value in told.items() if value is not None}
    if len(t) < len(TCO2E):
        summary.must_be(f"numbers {', '.join(TCO2E)}", A4_2_4, "tco2e")
        return
    declared = t["claimed_products"] + t["conventional_products"]
    spent = t["allocated"] + t["held"] + t["released"] + t["retired"]
    for name, left, right in (
        ("accounted = baseline - realised", t["accounted"], t["baseline"] - t["realised"]),
        ("declared - held - retired = accounted", declared - t["held"] - t["retired"], t["accounted"]),
        ("realised = allocated + held + released + retired", t["realised"], spent),
        ("forgone + expired <= released + retired",
         max(t["forgone"] + t["expired"], t["released"] + t["retired"]), t["released"] + t["retired"]),
    ):  # fmt: skip
        if left != right:
            summary.faults.add(SUMMARY, None, "tco2e", plain(left - right), f"0: {name}", A4_2_4)
