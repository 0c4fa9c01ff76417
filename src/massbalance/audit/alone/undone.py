"""Whether what was taken back was taken back whole: withdrawn claims, returned lots, corrections."""

from __future__ import annotations

from collections import defaultdict
from typing import Dict, Iterator, List, Set, Tuple

from massbalance.audit.alone.entries import Entry
from massbalance.audit.alone.view import View

GIVEN = ("credited_g", "scope1_g", "scope2_g", "scope3_g")


def undone_faults(view: View) -> Iterator[str]:
    """Everything wrong with withdrawals of claims whose run the pack has whole; each text names the row."""
    journals: Dict[int, List[Entry]] = defaultdict(list)
    for row in view.extract.by_kind["withdrawn"]:
        if "claim" in row.details:
            n = int(row.details["claim"])
            claim = view.extract.row(n)
            if claim is None and 0 < n < row.n:
                continue  # of a period that is not the pack's
            if claim is None or claim.kind != "claim" or claim.n > row.n or view.withdrawal(claim) != row:
                yield f"row {row.n}: it withdraws {row.key}, which row {n} is not"
            elif claim.journal in view.complete:
                journals[row.journal].append(row)
                yield from _withdrawn(view, row, claim)
    for journal, rows in journals.items():
        yield from _corrected(view, journal, rows)


def _withdrawn(view: View, row: Entry, claim: Entry) -> Iterator[str]:
    """Every lot of the claim returns, with the figures that it had given; no other does."""
    given = sorted(_figures(use) for use in view.allocated(claim))
    back = sorted(
        _figures(move)
        for move in view.extract.by_journal[row.journal]
        if move.kind == "returned" and move.subject == claim.subject and move.commodity.startswith("lot:")
    )
    if given != back:
        yield f"row {row.n}: what the lots of order {claim.subject} gave does not all return, or more does"
    told = (row.details.get("claimed_g"), row.details.get("reduction_g"))
    right = (claim.details["claimed_g"], sum(int(claim.details[name]) for name in GIVEN[1:]))
    if told != right or row.details.get("of_period") != claim.period:
        yield f"row {row.n}: it withdraws other figures than row {claim.n} claimed"


def _figures(row: Entry) -> Tuple[object, ...]:
    return (row.commodity, row.quantity, *(row.details.get(name) for name in GIVEN))


def _corrected(view: View, journal: int, rows: List[Entry]) -> Iterator[str]:
    """Unless the run was taken back whole, conventional products declare what the claims had got."""
    header = view.extract.by_journal[journal][0]
    if header.details.get("whole"):
        return
    asked: Dict[Tuple[str, str], List[Entry]] = defaultdict(list)
    for row in rows:
        asked[str(row.details.get("product")), str(row.details.get("of_period"))].append(row)
    seen: Set[Tuple[str, str]] = set()
    for row in view.extract.by_journal[journal]:
        if row.kind != "correction":
            continue
        told, place = row.details, (row.subject, str(row.details.get("of_period")))
        seen.add(place)
        orders = asked.get(place, [])
        returned = sum(int(order.details["reduction_g"]) for order in orders)
        right = {
            "orders": sorted(order.subject for order in orders),
            "mass_g": sum(int(order.details["claimed_g"]) for order in orders),
            "returned_g": returned,
            "declared_gco2e": returned + int(told["clawed_back_g"]),
        }
        for name, value in right.items():
            if told.get(name) != value:
                found = told.get(name)
                yield f"row {row.n}: {name} is {found!r}, and {value!r} by what was withdrawn (J5.3.3)"
    for product, period in sorted(set(asked) - seen):
        yield f"row {journal}: nothing corrects {product} in {period}, whose claims were withdrawn (J5.3.3)"
