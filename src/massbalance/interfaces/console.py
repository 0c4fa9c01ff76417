"""What the command prints for people: ASCII units, 0.001 of a unit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from massbalance.api import Outcome
    from massbalance.verification.goals import GoalProof
    from massbalance.verification.verify import Report


def number(value: object, decimals: int = 3) -> str:
    """A figure for people, `-` where there is none."""
    return "-" if value is None else f"{float(str(value)):,.{decimals}f}"


def table(header: list[str], rows: list[list[str]]) -> list[str]:
    """Left-aligned first column, right-aligned figures."""
    widths = [max(len(r[i]) for r in [header, *rows]) for i in range(len(header))]
    return [
        "  "
        + "  ".join(
            c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(r, widths, strict=True))
        )
        for r in [header, *rows]
    ]


GOALS = {
    "margin": "margin",
    "tonnage_t": "tonnage (t)",
    "expired_tco2e": "expires unused (t CO2e)",
    "weighted": "weighted",
    "common_share": "common share",
}


def goal_name(goal: Mapping[str, Any], currency: str) -> str:
    """A goal in words, with its unit."""
    name = goal["name"]
    if name in ("margin", "weighted"):
        return f"{GOALS[name]} ({currency})" if currency else GOALS[name]
    if name == "firm_shortfall_t":
        return f"firm shortfall, priority {goal['priority']} (t)"
    if name == "fair_share":
        return f"fair share, stage {goal['priority']}"
    if name == "chosen_t":
        return f"chosen {goal['group']} (t)"
    return GOALS.get(name, name)


def run_text(outcome: Outcome) -> str:
    """The answer of a run on one page."""
    s: Mapping[str, Any] = outcome.summary
    lines = [
        f"{s['name']}: {s['status']}, verified; rules {s['rules']['id']}",
        *_opening(s["opening"]),
        "",
        *table(
            ["goal", "booked", "certified bound"],
            [
                [goal_name(g, str(s["currency"])), number(g["value"]), number(g.get("certified_bound"))]
                for g in s["objectives"]
            ],
        ),
        "",
        f"  claimed {number(s['claimed_t'])} t of {number(s['asked_t'])} t asked "
        f"in {s['orders']} orders; firm unmet {number(s['unmet_firm_t'])} t",
        *_groups(s.get("strategy")),
        "",
        *_credits(s["credits"]),
        "",
        *_emissions(s["tco2e"]),
        "",
        f"  {len(s['warnings'])} warning(s); gap of the solver {s['gap']}",
        f"  results in {outcome.out}: orders.csv says why an order got less; result.xlsx shows all of it",
        f"  check again without the solver: massbalance verify {outcome.out}",
    ]
    return "\n".join(lines)


def _opening(opening: Mapping[str, Any] | None) -> list[str]:
    return [] if opening is None else [f"  opens with ledger {opening['ledger']} as of row {opening['n']}"]


def _groups(strategy: Mapping[str, Any] | None) -> list[str]:
    """What groups got, where the strategy or a minimum service names them."""
    if strategy is None or not strategy["groups"]:
        return []
    rows = [
        [
            f"{g['by']} {g['group']}",
            number(g["ordered_t"]),
            number(g["claimed_t"]),
            f"{float(g['service']):.1%}",
            "-" if g["minimum"] is None else f"{float(g['minimum']):.1%}",
        ]
        for g in strategy["groups"]
    ]
    return ["", *table(["group", "ordered t", "claimed t", "service", "minimum"], rows)]


def _credits(credits_by_uom: Mapping[str, Mapping[str, Any]]) -> list[str]:
    names = ["opening", "received", "allocated", "blocked", "expired", "held"]
    rows = [[uom, *(number(values[n]) for n in names)] for uom, values in credits_by_uom.items()]
    return table(["credits", *names], rows)


def _emissions(t: Mapping[str, Any]) -> list[str]:
    rows = [[name.replace("_", " "), number(value)] for name, value in t.items()]
    return table(["emissions", "t CO2e"], rows)


def _proof_name(proof: GoalProof) -> str:
    last = proof.priority if proof.priority is not None else proof.group
    return proof.name if last is None else f"{proof.name} {last}"


def verify_text(run: Path, report: Report) -> str:
    """The verdict of a verification."""
    rows = [
        [
            _proof_name(g),
            number(float(g.booked), 6),
            number(float(g.bound), 6),
            f"{float(g.gap):.2e}",
            "proven" if g.proven else ("bound only (MIP)" if g.mip else "not proven"),
        ]
        for g in report.goals
    ]
    goals = table(["goal", "booked", "bound", "gap", "verdict"], rows) if rows else []
    verdict = f"{run}: verified" if report.ok else f"{run}: FAILED, {len(report.faults)} fault(s)"
    return "\n".join([*goals, verdict])
