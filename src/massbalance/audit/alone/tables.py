"""balances.csv and walks.csv: what the ledger's rows say of the pack's periods, as flat tables."""

from __future__ import annotations

from collections import defaultdict
from typing import Dict, Iterator, List, Tuple

from massbalance.audit.alone.case import amount
from massbalance.audit.alone.entries import HELD, Entry
from massbalance.audit.alone.view import View, csv_bytes

BALANCES = (
    "commodity", "unit", "period", "opening", "received", "allocated", "blocked", "forgone", "expired",
    "retired", "returned", "adjusted", "closing",
)  # fmt: skip
"""opening + received - allocated - blocked - forgone - expired - retired + returned + adjusted = closing."""
WALKS = (
    "period", "order", "customer", "product", "offer", "claim", "level", "claimed_t", "cfp_before",
    "cfp_after", "claim_row", "run", "withdrawn_row", "certificates",
    "lot", "allocated_row", "quantity", "uom", "credited_t", "scope1", "scope2", "scope3",
    "lot_row", "kind", "category", "site", "received", "expires", "scheme", "certificate", "evidence",
    "project", "project_verified_by", "project_verified_on", "origin",
)  # fmt: skip


def balance_of(rows: List[Entry], before: int) -> Dict[str, int]:
    """The columns of one commodity and period, millionths, from its movements; before: held before them.

    What goes out of `held` counts in the column of its account, what comes back as returned; a
    carry-over is the opening. A return that does not reach `held` changes nothing here.
    """
    sums: Dict[str, int] = defaultdict(int)
    sums["opening"] = before
    for row in rows:
        to_held, from_held = row.credit == HELD, row.debit == HELD
        if row.kind == "opening":
            sums["opening"] += row.quantity
        elif row.kind in ("received", "realised"):
            sums["received"] += row.quantity
        elif row.kind == "adjusted":
            sums["adjusted"] += row.quantity if to_held else -row.quantity
        elif to_held and not from_held:
            sums["returned"] += row.quantity
        elif from_held and not to_held:
            sums[row.credit] += row.quantity
    sums["closing"] = before + sum(
        (r.credit == HELD) * r.quantity - (r.debit == HELD) * r.quantity for r in rows
    )
    return sums


def by_period(rows: List[Entry]) -> Iterator[Tuple[str, int, List[Entry]]]:
    """(period, held before it, movements in it) of one commodity's rows, in order."""
    held, at = 0, 0
    while at < len(rows):
        end = at
        while end < len(rows) and rows[end].period == rows[at].period:
            end += 1
        yield rows[at].period, held, rows[at:end]
        held = rows[end - 1].held or 0
        at = end


def balances_csv(view: View) -> bytes:
    """balances.csv: every commodity that moved in the pack's periods."""
    units = {name: str(row.details.get("row", {}).get("uom", "")) for name, row in view.lot_rows().items()}
    lines = []
    for commodity in sorted(view.extract.by_commodity):
        unit = units.get(commodity[len("lot:") :], "") if commodity.startswith("lot:") else "tCO2e"
        for period, before, rows in by_period(view.extract.by_commodity[commodity]):
            if period in view.periods:
                sums = balance_of(rows, before)
                lines.append((commodity, unit, period, *(amount(sums[name]) for name in BALANCES[3:])))
    return csv_bytes(BALANCES, lines)


def walks_csv(view: View) -> bytes:
    """walks.csv: every claim of the pack's periods, its lots, and what shows where they come from."""
    lots = view.lot_rows()
    serials: Dict[str, List[str]] = defaultdict(list)
    for serial, row in sorted(view.certificates().items()):
        serials[row.subject].append(serial)
    posts = {row.n: str(row.details.get("run", "")) for row in view.extract.by_kind["post"]}
    lines: List[Tuple[str, ...]] = []
    for claim in view.claims():
        told = claim.details
        said = ("customer", "product", "offer", "claim", "level")
        back = view.withdrawal(claim)
        first = (
            claim.period, claim.subject, *(str(told.get(name, "")) for name in said),
            amount(int(told.get("claimed_g", 0))),
            str(told.get("cfp_before", "")), str(told.get("cfp_after", "")),
            str(claim.n), posts.get(claim.journal, "")[:12], str(back.n) if back else "",
            ";".join(serials.get(claim.subject, ())),
        )  # fmt: skip
        uses = view.allocated(claim)
        lines += [(*first, *_lot_cells(use, lots.get(use.commodity[len("lot:") :]))) for use in uses]
        if not uses:
            lines.append((*first, *[""] * (len(WALKS) - len(first))))
    return csv_bytes(WALKS, lines)


def _lot_cells(use: Entry, lot: "Entry | None") -> Tuple[str, ...]:
    """What one movement gave, and the lot's own row and project."""
    told = use.details
    facts = lot.details.get("row", {}) if lot else {}
    project = last_project(lot.details.get("projects", ())) if lot else {}
    given = (amount(int(told.get(name, 0))) for name in ("credited_g", "scope1_g", "scope2_g", "scope3_g"))
    own = ("kind", "category", "site", "received", "expires", "scheme", "certificate", "evidence", "project")
    return (
        use.commodity[len("lot:") :], str(use.n), amount(use.quantity), str(facts.get("uom", "")), *given,
        str(lot.n) if lot else "", *(str(facts.get(name, "")) for name in own),
        str(project.get("verified_by", "")), str(project.get("verified_on", "")),
        str(facts.get("origin", "")),
    )  # fmt: skip


def last_project(rows: "list[dict[str, str]]") -> "dict[str, str]":
    """Of a project's computations the one verified last; empty where there is none."""
    return max(rows, key=lambda row: str(row.get("verified_on", "")), default={})
