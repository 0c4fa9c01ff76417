"""What `sweep` prints for people: ASCII units; points, effects of levers, or the spread of samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from massbalance.interfaces.console import number, table
from massbalance.interfaces.console_compare import reason

SHOWN = 40
"""Points that are shown one by one; all are in results.csv and in `--json`."""
MAIN = ("margin", "claimed_t", "unmet_firm_t", "effect_allocated", "effect_expired")
"""Figures shown beside the one that the sweep names."""
QUANTILES = ("mean", "min", "p05", "p25", "p50", "p75", "p95", "max")


def sweep_text(document: Mapping[str, Any]) -> str:
    """A sweep on a page or two; document: that of `sweep --json`."""
    statuses = ", ".join(f"{count} {status}" for status, count in document["statuses"].items())
    figures = list(dict.fromkeys([document["figure"], *MAIN]))
    lines = [f"{document['case']}: {document['name']}; {len(document['rows'])} point(s): {statuses}"]
    if document["description"]:
        lines.append(f"  {document['description']}")
    if document["kind"] == "sample":
        for place in document["statistics"]:
            lines += _spread(place, figures)
        return "\n".join(lines)
    if document["kind"] == "tornado":
        lines += _effects(document)
    lines += _points(document, figures)
    return "\n".join(lines)


def _effects(document: Mapping[str, Any]) -> list[str]:
    header = [f"effect on {document['figure']}", "low", "change", "high", "change"]
    rows = [
        [one["lever"], *(cell for side in ("low", "high") for cell in _side(one[side]))]
        for one in document["effects"]
    ]
    return ["", *table(header, rows)]


def _side(side: Mapping[str, Any]) -> tuple[str, str]:
    return str(side["value"]), "-" if side["change"] is None else f"{float(side['change']):+,.3f}"


def _points(document: Mapping[str, Any], figures: Sequence[str]) -> list[str]:
    levers, rows = document["levers"], document["rows"]
    body = []
    for row in rows[:SHOWN]:
        told = row.get("figures", {})
        values = [number(told.get(name)) for name in figures]
        body.append(
            [str(row["point"]), *(row["levers"][name] or "-" for name in levers), row["status"], *values]
        )
    lines = ["", *table(["point", *levers, "status", *figures], body)]
    lines += [f"  point {row['point']}: {reason(row)}" for row in rows[:SHOWN] if "figures" not in row]
    return lines + ([f"  ... and {len(rows) - SHOWN} more points"] if len(rows) > SHOWN else [])


def _spread(place: Mapping[str, Any], figures: Sequence[str]) -> list[str]:
    levers = ", ".join(f"{name} = {value or '-'}" for name, value in place["levers"].items())
    title = f"{place['samples'] - place['without_figures']} sample(s)" + (f", {levers}" if levers else "")
    header = [title, *QUANTILES]
    rows = [
        [name, *(number(place["figures"][name][key]) for key in QUANTILES)]
        for name in figures
        if name in place["figures"]
    ]
    lines = ["", *table(header, rows)]
    if place["without_figures"]:
        lines.append(f"  {place['without_figures']} sample(s) without figures are not in it")
    return lines
