"""What the ledger's commands print for people: ASCII units, 0.001 of a unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from massbalance.domain.grid import decimal_text
from massbalance.interfaces.console import number, table

if TYPE_CHECKING:
    from massbalance.ledger.rows import Row


def overview_text(found: Mapping[str, Any]) -> str:
    """A ledger on one page."""
    rules, through = found["rules"], found["locked_through"]
    periods = ", ".join(f"{p['period']} ({p['start']} to {p['end']})" for p in found["open_periods"])
    rows = [
        [kind, number(quantity), uom]
        for kind, held in found["held"].items()
        for uom, quantity in held.items()
    ]
    lines = [
        f"ledger {found['ledger']} at {found['place']}",
        f"  row {found['n']}, {found['at']}, hash {found['hash']}",
        f"  last checkpoint: row {found['checkpoint'] or '-'}",
        f"  rules: {rules['id']} {rules['version']}" if rules else "  rules: none yet",
        f"  open periods: {periods or 'none'}; locked through {through or '-'}",
        "",
        *(table(["held", "quantity", "unit"], rows) if rows else ["  nothing is held"]),
        f"  {found['open_lots']} lot(s) hold something, worth {number(found['held_tco2e'])} t CO2e",
    ]
    return "\n".join(lines)


def balances_text(found: Sequence[Mapping[str, Any]]) -> str:
    """Lots and what they hold."""
    rows = [
        [b["lot"], number(b["balance"]), b["uom"], number(b["held_tco2e"]), b["expires"] or "-", b["kind"]]
        for b in found
    ]
    return "\n".join(table(["lot", "balance", "unit", "t CO2e", "expires", "kind"], rows))


def history_text(rows: Sequence[Row]) -> str:
    """Rows of the ledger, a line each."""
    lines = [
        [
            str(row.n), row.at, row.kind, row.period or "-", row.commodity or "-",
            f"{row.debit} > {row.credit}" if row.commodity else "-",
            number(decimal_text(row.quantity)) if row.commodity else "-", row.subject or "-",
        ]
        for row in rows
    ]  # fmt: skip
    return "\n".join(
        table(["row", "recorded", "kind", "period", "commodity", "accounts", "quantity", "about"], lines)
    )


def row_document(row: Row) -> dict[str, object]:
    """A row for `--json`: its columns, details as an object."""
    return {
        "n": row.n, "journal": row.journal, "kind": row.kind, "at": row.at, "period": row.period,
        "commodity": row.commodity, "debit": row.debit, "credit": row.credit, "quantity": row.quantity,
        "held": row.held, "subject": row.subject, "key": row.key, "details": row.facts(),
    }  # fmt: skip
