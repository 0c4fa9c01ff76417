"""Purchase advice as a document, and as a case with the lots bought."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import isfinite
from pathlib import Path

from massbalance.domain.case import TABLES
from massbalance.domain.grid import GRID, decimal_text
from massbalance.intake.canonical import write_case
from massbalance.purchase.advise import Advice, Advised
from massbalance.purchase.worth import Worth
from massbalance.quote.answer import exact, shown
from massbalance.report.documents import Json, dumps
from massbalance.report.publish import OutputRefused, publish, staging

ADVICE = "advice.json"
"""Stands beside the case that `write_bought` writes, and says what it is."""


def document(advice: Advice) -> Json:
    """The document of `purchase --json`; money in the case's currency, quantities in the lot's unit."""
    purchases = advice.purchases
    return {
        "name": purchases.base.name,
        "currency": purchases.base.currency,
        "case_sha256": purchases.base.sha256,
        "with_offers_sha256": purchases.case.sha256,
        "status": advice.status,
        "stopped_by": advice.stopped_by,
        "gap": shown(advice.gap) if isfinite(advice.gap) else None,
        "budget": exact(advice.budget),
        "cost": exact(advice.cost),
        "objectives": [
            {
                "name": goal.name, "priority": goal.priority, "nothing": shown(goal.nothing),
                "plan": shown(goal.plan), "down_the_list": shown(goal.listed),
            }
            for goal in advice.goals
        ],
        "net_margin": _net(advice),
        "offers": [_offer(one) for one in advice.offers],
        "orders": [
            {"order": order, "t": shown(round(t, 6))}
            for order, t in sorted(advice.changes.items(), key=lambda item: (-item[1], item[0]))
        ],
        "down_the_list": None
        if advice.listed is None
        else {
            "cost": exact(advice.listed_cost),
            "bought": [{"lot": lot, "quantity": _on_grid(q)} for lot, q in sorted(advice.listed.items())],
        },
        "warnings": [w.as_dict() for w in purchases.case.warnings if w.table == "purchases"],
        "seconds": {name: shown(round(s, 4)) for name, s in advice.seconds.items()},
    }  # fmt: skip


def _on_grid(quantity: Fraction) -> Decimal:
    return Decimal(decimal_text(int(quantity * GRID)))


def _net(advice: Advice) -> Json:
    """The margin less what is bought, in the three plans."""
    margin = next(goal for goal in advice.goals if goal.name == "margin")
    listed = None if margin.listed is None else margin.listed - float(advice.listed_cost)
    return {
        "nothing": shown(margin.nothing),
        "plan": shown(margin.plan - float(advice.cost)),
        "down_the_list": shown(listed),
    }


def _offer(one: Advised) -> Json:
    offer = one.offer
    return {
        "lot": offer.lot,
        "category": offer.category,
        "uom": offer.uom,
        "received": offer.received,
        "group": offer.group,
        "buy": one.quantity > 0,
        "quantity": _on_grid(one.quantity),
        "cost": exact(one.cost),
        "fixed_cost": exact(offer.fixed),
        "price_per_uom": exact(offer.price),
        "used": [{"period": period, "quantity": shown(round(q, 6))} for period, q in one.used.items()],
        "unused": shown(round(one.unused, 6)),
        "worth": None if one.worth is None else _worth(one.worth),
    }


def _worth(worth: Worth) -> Json:
    return {
        "for_promises": bool(worth.mends),
        "mends": [{"goal": goal, "t": shown(round(t, 6))} for goal, t in worth.mends.items()],
        "gain": shown(worth.gain),
        "break_even_per_uom": shown(worth.break_even),
        "at_quantity": shown(round(worth.at_quantity, 6)),
        "advised_break_even_per_uom": shown(worth.advised_break_even),
        "bid_per_uom": shown(worth.bid),
        "gap": shown(worth.gap),
    }


# ---- the case with the lots bought -----------------------------------------------------------------------


def check_folder(out: Path) -> None:
    """A new or empty folder, or one that `write_bought` wrote, which is replaced; OutputRefused otherwise."""
    if out.exists() and not out.is_dir():
        raise OutputRefused(f"{out} is a file")
    known = {ADVICE, "case.toml", *(f"{name}.csv" for name in TABLES)}
    there = {path.name for path in out.iterdir()} if out.is_dir() else set()
    if there and not (ADVICE in there and there <= known):
        raise OutputRefused(f"{out} is not empty and holds no earlier advice")


def write_bought(advice: Advice, told: Json, out: Path) -> None:
    """The case with the advised lots among its own, and the advice beside it; whole or not at all.

    A lot's quantity is what is bought; what the purchase cost is no part of the case (`unit_cost` is that of
    the purchase offer, due when a unit is used).
    """
    out = out.resolve()
    check_folder(out)
    case = advice.purchases.with_bought(advice.bought)
    with staging(out) as folder:
        write_case(case, folder)
        (folder / ADVICE).write_text(dumps(told), encoding="utf-8", newline="\n")
        publish(folder, out)
