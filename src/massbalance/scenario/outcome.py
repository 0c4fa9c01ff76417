"""What a case comes to, as figures: goals, claims, credits, residual and prices; nothing is published.

The same decision and the same booking as `massbalance run`, so the goals are the same to the last digit.
What only a run needs (reasons, proof, files) is left out.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd

from massbalance.api import (
    Clock,
    Decided,
    Infeasible,
    Progress,
    Provenance,
    Result,
    SolverError,
    VerificationFailed,
    decide,
    finished,
    settled,
)
from massbalance.books.residual import ResidualBook, ResidualRow, residual_book
from massbalance.books.value import sum_by
from massbalance.domain.case import Case
from massbalance.domain.faults import CaseRefused, Fault
from massbalance.domain.grid import GRID, GRID_DECIMALS, decimal_text, total
from massbalance.domain.infeasible import Undecided
from massbalance.domain.result import Allocation
from massbalance.report.documents import Json
from massbalance.report.goal_values import exact, grams
from massbalance.report.prices import price_table
from massbalance.report.summary import objectives, rounded
from massbalance.scenario.apply import Base, apply
from massbalance.scenario.edits import Scenario

SOLVED = ("optimal", "limit")
REFUSED, INFEASIBLE, ERROR = "refused", "infeasible", "error"
TOLD = ("name", "priority", "group", "value")
"""What is told of a goal."""
SURE = 5e-7
"""Where booking costs more of a goal of an LP than this, relative, a run may book again: so it is run."""


@dataclass(frozen=True)
class How:
    """How each case is solved: as the options of `run`."""

    time_limit: float | None = None
    gap: float = 0.0


def outcome(base: Base, scenario: Scenario | None, how: How, progress: Progress | None = None) -> Json:
    """The figures of a base under a scenario (None: as it is); a refused or unsolved one has its reason."""
    begun = time.perf_counter()
    warnings: tuple[Fault, ...] = ()
    try:
        case = base.case if scenario is None else apply(base, scenario)
        warnings = case.warnings
        found = figures(case, how, progress)
    except CaseRefused as refused:
        faults = [fault.as_dict() for fault in refused.faults if fault.severity == "error"]
        found = {"status": REFUSED, "faults": faults}
    except Infeasible as impossible:
        found = {**impossible.document(), "reason": str(impossible)}
    except (SolverError, Undecided, VerificationFailed) as error:
        found = {"status": ERROR, "reason": str(error)}
    known = set(base.case.warnings)
    found["warnings"] = [w.as_dict() for w in warnings if w not in known]
    found["seconds"] = Decimal(f"{time.perf_counter() - begun:.3f}")
    return found


def figures(case: Case, how: How, progress: Progress | None = None) -> Json:
    """The figures of a checked case. SolverError as `solve`."""
    clock = Clock(progress or (lambda _: None))
    found = decide(case, clock, time_limit=how.time_limit, gap=how.gap, prove=False)
    goals = objectives(found.problem, found.compiled, found.decided, found.allocation)
    head: Json = {"status": found.decided.status, "stopped_by": found.decided.stopped_by or None}
    allocation = found.allocation
    if not found.problem.is_mip and not _sure(goals):
        result = _as_run(found, clock)
        allocation, goals = result.allocation, result.summary["objectives"]  # type: ignore[assignment]
        head = {key: result.summary[key] for key in head}
    book = residual_book(case, allocation)
    mass = np.asarray(case.orders.grid("mass_t"), dtype=np.int64)
    firm = case.orders.flag("firm")
    return {
        **head,
        "gap": rounded(found.decided.solver_gap, 12),
        "case_sha256": case.sha256,
        "objectives": [{key: goal[key] for key in TOLD if key in goal} for goal in goals],
        "claimed_t": grams(total(allocation.claimed)),
        "unmet_firm_t": grams(total(mass[firm]) - total(allocation.claimed[firm])),
        "credits": {uom: _amounts(values) for uom, values in book.credits.items()},
        "tco2e": _amounts(book.tco2e),
        "customers": customers(case, allocation),
        "orders": orders(case, allocation),
        "residual": residual_cfp(case, book),
        "prices": prices(found),
    }


def _sure(goals: list[dict[str, object]]) -> bool:
    """Does booking cost so little of each goal that a run's own check lets it stand?"""
    return all(
        float(str(goal["booking_cost"])) <= SURE * max(1.0, abs(float(str(goal["value"])))) for goal in goals
    )


def _as_run(found: Decided, clock: Clock) -> Result:
    """The result as a run would publish it: checked, and booked again where the check asks for it."""
    with tempfile.TemporaryDirectory() as folder:
        return settled(finished(found, clock), Path(folder), Provenance(), clock)[0]


def _amounts(values: Mapping[str, int]) -> dict[str, Decimal]:
    return {name: grams(value) for name, value in values.items()}


def orders(case: Case, allocation: Allocation) -> list[Json]:
    """Every order with its customer and claimed t, by name."""
    columns = (case.orders.text("order"), case.orders.text("customer"), allocation.claimed)
    return [
        {"order": str(name), "customer": str(customer), "claimed_t": grams(int(t))}
        for name, customer, t in zip(*columns, strict=True)
    ]


def customers(case: Case, allocation: Allocation) -> dict[str, Decimal]:
    """Customer -> claimed t, by name."""
    at, names = pd.factorize(case.orders.text("customer"), sort=True)
    sums = sum_by(at.astype(np.intp), allocation.claimed, len(names))
    return {str(name): grams(int(t)) for name, t in zip(names, sums, strict=True)}


def residual_cfp(case: Case, book: ResidualBook) -> dict[str, Json]:
    """Product -> residual CFP, t CO2e per t: the mean by conventional mass, and the worst period.

    Rounded up to six decimals, never above the product's own CFP; None where every t is claimed.
    """
    names = case.products.text("product")
    found: dict[str, Json] = {}
    for product in sorted({row.product for row in book.rows}):
        rows = [row for row in book.rows if row.product == product and row.conventional]
        mass = sum(row.conventional for row in rows)
        carried = sum(row.conventional_baseline - sum(row.released) for row in rows)
        each = [(cfp, row.period) for row in rows if (cfp := row.cfp_residual) is not None]
        worst = max(each, key=lambda one: (one[0], -one[1]), default=None)
        found[str(names[product])] = {
            "mean": _cfp(Fraction(carried, mass), rows[0]) if mass else None,
            "worst": None if worst is None else _cfp(worst[0], rows[0]),
            "worst_period": None if worst is None else str(case.periods.text("period")[worst[1]]),
        }
    return found


def _cfp(value: Fraction, row: ResidualRow) -> Decimal:
    """Rounded up to the grid, as residual.csv tells it."""
    up = -(-value.numerator * GRID // value.denominator)
    return exact(min(Fraction(up, GRID), row.cfp_before))


def prices(found: Decided) -> list[Json]:
    """What one more unit of a lot is worth to the margin: the greatest and the mean of each category."""
    table = price_table(found.problem, found.compiled, found.solution)
    cells = {name: table.columns[name].to_pylist() for name in ("goal", "kind", "name", "price_per_unit")}
    lots = found.problem.case.lots
    category, uom, quantity = lots.text("category"), lots.text("uom"), lots.grid("quantity")
    worth: dict[tuple[str, str], list[tuple[Decimal, int]]] = {}
    for goal, kind, lot, price in zip(*cells.values(), strict=True):
        if goal == "margin" and kind == "lot_supply":
            at = lots.position[lot]
            worth.setdefault((str(category[at]), str(uom[at])), []).append(
                (Decimal(price), int(quantity[at]))
            )
    return [
        {
            "category": name,
            "uom": unit,
            "greatest": max(price for price, _ in some),
            "mean": mean_by([price for price, _ in some], [weight for _, weight in some]),
        }
        for (name, unit), some in sorted(worth.items())
    ]


def mean_by(values: list[Decimal], weights: list[int]) -> Decimal:
    """The mean by weight (plain where all weights are 0), to six decimals."""
    weights = weights if any(weights) else [1] * len(weights)
    whole = sum((Fraction(v) * w for v, w in zip(values, weights, strict=True)), Fraction(0)) / sum(weights)
    return Decimal(decimal_text(round(whole * GRID), GRID_DECIMALS))
