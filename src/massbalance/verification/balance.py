"""Account, residual and summary: cell by cell against the books, and the identities on their own."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
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
from massbalance.verification.bound import GoalProof, booked_values
from massbalance.verification.facts import GOALS, Facts
from massbalance.verification.files import SUMMARY, Faults, Line, number, on_grid, plain, read_csv
from massbalance.verification.rows import Booked

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
    """What summary.json says of the case, the claims and the goals."""
    rules = facts.case.rules
    summary.must_be(facts.case.sha256, "summary", "case_sha256")
    summary.must_be(rules.id, "summary", "rules", "id")
    summary.must_be(rules.sha256, "summary", "rules", "sha256")
    summary.must_be(True, "summary", "verified")
    if summary.get("status") != "limit":
        summary.must_be("optimal", "summary", "status")
    if booked is None:
        return
    claimed = {d.term.order: d.claimed for d in booked.decisions}
    unmet = sum(facts.mass[o] - mass for o, mass in claimed.items() if facts.firm[o])
    summary.must_have({"claimed_t": sum(claimed.values()), "unmet_firm_t": unmet}, "C11 order_mass")
    _check_objectives(summary, facts, booked)


def _objectives(summary: Summary) -> list[dict[str, Any]]:
    """The summary's goals that are booked (a tie-break is not)."""
    told = summary.get("objectives")
    goals = [goal for goal in told if isinstance(goal, dict)] if isinstance(told, list) else []
    return [goal for goal in goals if goal.get("name") in GOALS.values()]


def _check_objectives(summary: Summary, facts: Facts, booked: Booked) -> None:
    """The goals' values are those of what was booked, in the order of the case."""
    values, told = booked_values(facts, booked), _objectives(summary)
    if [(goal.get("name"), goal.get("priority")) for goal in told] != list(facts.goals.values()):
        summary.must_be(list(facts.goals.values()), "C15 goal_hold", "objectives")
        return
    for objective, (goal, (_, priority)) in zip(told, facts.goals.items(), strict=True):
        value = Fraction(values[goal], facts.scale * GRID)
        if goal != "margin":
            value = Fraction(facts.firm_mass(priority), GRID) - value
        Summary({goal: objective.get("value")}, summary.faults).must_be(value, "C15 goal_hold", goal)


def check_certified(summary: Summary, goals: list[GoalProof]) -> None:
    """The bounds and gaps that the summary states, if any, are those of its proof, to 8 digits."""
    for objective, goal in zip(_objectives(summary), goals, strict=False):
        for key, value in (("certified_bound", goal.bound), ("certified_gap", goal.gap)):
            found = number(objective.get(key, plain(value)))
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
    _compare("account.csv", account, rendered, A4_2_1, faults)
    _compare("residual.csv", residual, residual_csv(facts.case, book), A4_2_4, faults)
    summary.must_have({name: book.tco2e[name] for name in TCO2E}, A4_2_4, "tco2e")
    for table, amounts in (("shares_t", book.shares), ("units", book.units)):
        for name in amounts if table in summary.data else ():
            summary.must_have(amounts[name], A4_2_4, table, name)


def as_allocation(facts: Facts, booked: Booked) -> Allocation:
    """The booked decisions as the books take them: rows by (order, offer, lot)."""
    lots, offers = facts.case.lots.position, facts.case.offers
    keys = zip(offers.text("order"), offers.text("offer"), strict=True)
    at = {key: i for i, key in enumerate(keys)} | {(name, ""): -1 for name in facts.names}
    rows = sorted(
        (r.term.order, at[facts.names[r.term.order], r.term.offer], lots[r.lot.name], r.quantity, r.credited,
         *r.scopes)
        for r in booked.rows
    )  # fmt: skip
    order, offer, lot, quantity, credited, s1, s2, s3 = np.array(rows, dtype=np.int64).reshape(len(rows), 8).T
    claimed = np.array([d.claimed for d in booked.decisions], dtype=np.int64)
    taken = np.array([at[facts.names[d.term.order], d.term.offer] for d in booked.decisions], dtype=np.intp)
    return Allocation(lot, order, offer, quantity, credited, s1, s2, s3, claimed, taken)


def _compare(file: str, lines: list[Line], rendered: bytes, code: str, faults: Faults) -> None:
    """Every cell is the one that the books give; the first two columns are the key."""
    header, *rows = csv.reader(io.StringIO(rendered.decode("utf-8"), newline=""))
    expected = {(cells[0], cells[1]): cells for cells in rows}
    for line in lines:
        cells = expected.pop((line[header[0]], line[header[1]]), None)
        if cells is None:
            faults.at(line, header[0], "a row of this run, once", code)
            continue
        for column, value in zip(header, cells, strict=True):
            if line[column] != value:
                faults.at(line, column, value or "nothing", code)
    for key in expected:
        faults.add(file, None, header[0], "/".join(key), "a row for it", code)


def _check_account(lines: list[Line], summary: Summary, facts: Facts, booked: Booked | None) -> None:
    """Opening + received - allocated - blocked - expired = closing = next opening, never below zero."""
    faults, periods = summary.faults, facts.case.periods.position
    used = defaultdict[tuple[str, int], int](int)
    for row in booked.rows if booked else []:
        used[row.lot.name, row.term.period] += row.quantity
    uom = {lot.name: lot.uom for lot in facts.lots}
    sums = {unit: dict.fromkeys(CREDITS, 0) for unit in uom.values()}
    left: dict[str, tuple[int, int]] = {}
    for line in lines:
        lot, period = line["lot"], periods.get(line["period"], -1)
        moves = [value for value in (on_grid(line[c]) for c in ACCOUNT[2:]) if value is not None]
        if lot not in uom or period < 0 or len(moves) < 6 or min(moves) < 0:
            faults.at(line, "lot", "a lot, a period, six numbers from 0 on", A4_2_1, list(line.values()))
            continue
        opening, received, allocated, blocked, expired, closing = moves
        if opening + received - allocated - blocked - expired != closing:
            faults.at(line, "closing", "what the row's other figures leave", A4_2_1)
        if left.get(lot, (-1, opening)) != (period - 1, opening):
            faults.at(line, "opening", "what the period before leaves", A4_2_1)
        if booked and allocated != used[lot, period]:
            faults.at(line, "allocated", f"{plain(Fraction(used[lot, period], GRID))} taken", A4_2_1)
        left[lot] = period, closing
        amounts = (opening * (period == 0), *moves[1:5], closing * (period == len(periods) - 1))
        for name, value in zip(CREDITS, amounts, strict=True):
            sums[uom[lot]][name] += value
    for unit, totals in sums.items():
        summary.must_have(totals, A4_2_1, "credits", unit)


def _check_emissions(summary: Summary, facts: Facts, booked: Booked) -> None:
    """What of the residual follows from the case and the allocation alone (A4.2.4)."""
    made, product, period = facts.case.production, facts.case.products.position, facts.case.periods.position
    mass, claimed = defaultdict[tuple[int, int], int](int), defaultdict[tuple[int, int], int](int)
    for p, t, grams in zip(made.text("product"), made.text("period"), made.grid("mass_t"), strict=True):
        mass[product[p], period[t]] += int(grams)
    for d in booked.decisions:
        place = d.term.product, d.term.period
        claimed[place] += d.claimed
        if claimed[place] > mass[place]:
            summary.faults.at(d.line, "claimed_t", "claims within the production", A4_2_1)

    def carried(masses: dict[tuple[int, int], int]) -> int:
        return sum(s * m // facts.scale for (p, _), m in masses.items() for s in facts.products[p].scopes)

    allocated, realised = sum(d.reduction for d in booked.decisions), facts.realised()
    known = {
        "baseline": carried(mass), "realised": realised, "allocated": allocated,
        "claimed_products": carried(claimed) - allocated, "accounted": carried(mass) - realised,
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
