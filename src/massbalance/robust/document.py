"""What robust mode found, as a document and as files."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import numpy as np

from massbalance.books.tables import allocation_table, orders_table
from massbalance.domain.case import Case
from massbalance.domain.faults import Fault
from massbalance.domain.grid import decimal_text
from massbalance.domain.result import Allocation
from massbalance.domain.texts import TextTable, strings
from massbalance.formulation.goals import Goal
from massbalance.intake.canonical import write_case
from massbalance.report.documents import Json, dumps
from massbalance.report.goal_values import exact
from massbalance.report.publish import check_target, publish, sign_off, staging, write_file
from massbalance.report.summary import rounded
from massbalance.robust.check import CONFIDENCE, Kept
from massbalance.robust.run import Point, Robust, Side
from massbalance.scenario.futures import Futures
from massbalance.verification.effects import Effects
from massbalance.verification.facts import Facts
from massbalance.verification.files import Faults
from massbalance.verification.orders import check_orders
from massbalance.verification.rows import check_allocation

KIND = "robust promises"


def document(found: Robust) -> Json:
    """The document of `robust --json`, and summary.json: the first point, and the curve of all."""
    case, point = found.case, found.points[0]
    return {
        "kind": KIND,
        "name": case.name,
        "currency": case.currency,
        "case_sha256": case.sha256,
        "rules": {"id": case.rules.id, "sha256": case.rules.sha256},
        "futures": _futures(found.futures, found.distinct),
        "confidence": Decimal(str(CONFIDENCE)),
        "plain": _side(found.goals, found.plain, found.fresh),
        "robust": _point(found, point),
        "promises": promises(found, point),
        "broken": [
            {
                "future": one.future,
                "lacks": [
                    {
                        "lot": lack.lot,
                        "period": lack.period,
                        "quantity": exact(lack.quantity),
                        "uom": lack.uom,
                    }
                    for lack in one.lacks
                ],
            }
            for one in point.side.broken
        ],
        "curve": [_point(found, one) for one in sorted(found.points, key=lambda one: one.share)],
    }


def _futures(futures: Futures, distinct: int) -> Json:
    return {
        "name": futures.name, "sha256": futures.source, "seed": futures.seed, "count": futures.count,
        "distinct": distinct, "notes": list(futures.notes),
    }  # fmt: skip


def _kept(kept: Kept) -> Json:
    return {"kept": kept.kept, "of": kept.of, "share": rounded(kept.share, 6)}


def _side(goals: Sequence[Goal], side: Side, fresh: Futures | None) -> Json:
    """Goals as booked, and the futures kept: of the sample, and of fresh ones with what they prove."""
    found: Json = {
        "objectives": [
            {"name": goal.name, "priority": goal.priority, "value": exact(side.values[goal.key])}
            for goal in goals
        ],
        "sample": _kept(side.kept),
        "fresh": None,
    }
    if fresh is not None and side.fresh is not None:
        found["fresh"] = {
            "seed": fresh.seed, **_kept(side.fresh),
            "low": rounded(side.fresh.low, 6), "high": rounded(side.fresh.high, 6),
        }  # fmt: skip
    return found


def _point(found: Robust, point: Point) -> Json:
    """One share: its side, and what it costs beside the plain one."""
    side = _side(found.goals, point.side, found.fresh)
    gaps = [point.gaps[goal.key] for goal in found.goals]
    costs = [goal.sign * (point.side.values[goal.key] - found.plain.values[goal.key]) for goal in found.goals]
    side["objectives"] = [
        {**goal, "plain": exact(found.plain.values[key.key]), "cost": exact(cost), "gap": rounded(gap, 12)}
        for goal, key, cost, gap in zip(side["objectives"], found.goals, costs, gaps, strict=True)  # type: ignore[call-overload]
    ]
    whole = None if None in gaps else rounded(max((gap for gap in gaps if gap is not None), default=0.0), 12)
    return {
        "asked_share": rounded(float(point.share)), "status": point.status, "gap": whole, **side,
        "seconds": rounded(point.seconds, 3),
    }  # fmt: skip


def promises(found: Robust, point: Point) -> list[Json]:
    """Every firm order: what the plain optimum would claim for it, and what is promised."""
    orders = found.case.orders
    texts = {name: orders.text(name) for name in ("order", "customer", "product", "period")}
    mass, priority = orders.grid("mass_t"), orders.floats("priority")
    return [
        {
            **{name: str(column[i]) for name, column in texts.items()},
            "priority": int(priority[i]),
            "mass_t": _tonnes(int(mass[i])),
            "plain_t": _tonnes(int(found.plain.allocation.claimed[i])),
            "promised_t": _tonnes(int(point.side.allocation.claimed[i])),
        }
        for i in np.flatnonzero(orders.flag("firm")).tolist()
    ]  # fmt: skip


def _tonnes(grams: int) -> Decimal:
    return Decimal(decimal_text(grams))


def verified(case: Case, allocation: Allocation) -> list[Fault]:
    """Faults of an allocation by the verifier's own rules (C1 to C14), from its files alone."""
    with tempfile.TemporaryDirectory() as folder:
        for name, table in _tables(case, allocation, "").items():
            write_file(Path(folder) / name, table.csv())
        faults, facts = Faults(), Facts(case)
        effects = Effects(facts)
        rows = check_allocation(Path(folder), facts, effects, faults)
        check_orders(Path(folder), facts, effects, rows, faults)
        return faults.in_order()


def _tables(case: Case, allocation: Allocation, why: str) -> dict[str, TextTable]:
    texts = [why if claimed < mass else "" for claimed, mass in zip(
        allocation.claimed.tolist(), case.orders.grid("mass_t").tolist(), strict=True)]  # fmt: skip
    return {
        "allocation.csv": allocation_table(case, allocation),
        "orders.csv": orders_table(case, allocation, texts),
    }


def table_of(rows: Sequence[Mapping[str, object]], columns: Sequence[str]) -> TextTable:
    """Rows as a table of text."""
    figures = {c for c in columns if any(isinstance(row[c], Decimal | int) for row in rows)}
    cells = {c: strings(["" if row[c] is None else str(row[c]) for row in rows]) for c in columns}
    return TextTable(cells, frozenset(figures))


def publish_robust(found: Robust, told: Json, out: Path) -> None:
    """The first point's allocation, promises and futures into `out`, whole or not at all.

    OutputRefused: `out` holds something else. It is no run: nothing proves it the best for the case as
    planned, and it cannot be posted.
    """
    out = out.resolve()
    check_target(out)
    point = found.points[0]
    why = (
        f"credits kept for firm promises that hold in {float(point.share) * 100:.4g} % of futures, or too few"
    )
    with staging(out) as folder:
        for name, table in _tables(found.case, point.side.allocation, why).items():
            write_file(folder / name, table.csv())
        columns = ("order", "customer", "product", "period", "priority", "mass_t", "plain_t", "promised_t")
        write_file(folder / "promises.csv", table_of(promises(found, point), columns).csv())
        write_file(folder / "futures.csv", table_of(_of_futures(found), FUTURES_COLUMNS).csv())
        (folder / "rules.toml").write_bytes(found.case.rules.source_bytes)
        write_case(found.case, folder / "case")
        (folder / "summary.json").write_text(dumps(told), encoding="utf-8", newline="\n")
        sign_off(folder)
        publish(folder, out)


FUTURES_COLUMNS = ("future", "late_lots", "short_lots", "cancelled_orders", "plain_kept", "robust_kept")


def _of_futures(found: Robust) -> list[dict[str, object]]:
    """Every sampled future: what comes otherwise, and which allocation keeps its promises."""
    plain = {one.future for one in found.plain.broken}
    robust = {one.future for one in found.points[0].side.broken}
    return [
        {
            "future": one.number,
            "late_lots": ";".join(f"{lot}+{days}d" for lot, days in one.delays.items()),
            "short_lots": ";".join(f"{lot}*{factor}" for lot, factor in one.factors.items()),
            "cancelled_orders": ";".join(one.cancelled),
            "plain_kept": "false" if one.number in plain else "true",
            "robust_kept": "false" if one.number in robust else "true",
        }
        for one in found.futures
    ]
