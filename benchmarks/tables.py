"""Markdown from measured records: what goes between the markers of docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Record = dict[str, Any]
BEGIN = "<!-- begin: written by make bench ARGS=--write -->"
END = "<!-- end -->"
STAGES = ("read", "build", "solve", "book", "explain", "write", "verify")
WORDS = {
    "optimal": "optimal",
    "limit": "stopped short",
    "time": "not done in time",
    "memory": "out of memory",
    "not tried": "not tried: a smaller case was too large",
}


def replace_between(text: str, inner: str) -> str:
    """The text with what stands between the markers replaced. ValueError without the markers."""
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise ValueError(f"expected one {BEGIN} and, after it, one {END}")
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n\n{inner.strip()}\n\n{END}{rest.split(END)[1]}"


def markdown(document: Record) -> str:
    """Versions and machine, then whole runs, then stages."""
    return "\n\n".join([about(document), whole(document["cases"]), stages(document["cases"])])


def about(document: Record) -> str:
    """On what, with what."""
    found, limits = document["machine"], document["limits"]
    versions = ", ".join(f"{name} {version}" for name, version in sorted(document["versions"].items()))
    loads = ", ".join(f"{load:g}" for load in found["load_average"])
    return (
        f"{found['processor']}, {found['cores']} cores, {found['memory_gib']} GiB, {found['system']}, "
        f"Python {found['python']}; load average before the first run: {loads}.\n"
        f"Limits for each process: {limits['seconds']:g} s, {limits['mebibytes']:,} MiB.\n"
        f"{versions}."
    )


def whole(cases: Iterable[Record]) -> str:
    """Whole processes: seconds, memory, and the comparison with massbalance."""
    header = ("case", "tool", "s", "x", "CPU s", "MiB", "goals differ by", "runs", "columns", "rows")
    rows = []
    for case in cases:
        for name, tool in case["tools"].items():
            sizes = tool.get("sizes", {})
            counts = [f"{sizes[key]:,}" if key in sizes else "" for key in ("columns", "rows")]
            times = (seconds(tool), ratio(tool), number(tool.get("cpu_seconds")))
            rows.append(
                (case["name"], name, *times, memory(tool), gap(tool), str(tool["runs"] or ""), *counts)
            )
    return "### Whole processes\n\n" + table(header, rows, "llrrrrrrrr")


def stages(cases: Iterable[Record]) -> str:
    """Seconds by stage; `other` is what no stage holds: start-up, mostly imports."""
    header = ("case", "tool", *("read, check" if s == "read" else s for s in STAGES), "other")
    rows = []
    for case in cases:
        for name, tool in case["tools"].items():
            if tool["status"] == "not tried":
                continue
            known = [tool["stages"].get(stage) for stage in STAGES]
            rest = tool["seconds"] - sum(s for s in known if s is not None)
            cells = [number(s) for s in known] + [number(rest) if tool["status"] == "optimal" else ""]
            rows.append((case["name"], name, *cells))
    return "### Stages\n\nSeconds, medians.\n\n" + table(header, rows, "ll" + "r" * (len(STAGES) + 1))


def seconds(tool: Record) -> str:
    """Median seconds, or why there are none."""
    if tool["status"] == "optimal":
        return number(tool["seconds"])
    words = WORDS.get(tool["status"], tool["status"])
    return f"{words} ({number(tool['seconds'])})" if "seconds" in tool else str(words)


def ratio(tool: Record) -> str:
    """How many times massbalance's seconds; at least so many where the tool did not finish."""
    if "ratio" not in tool:
        return ""
    return ("" if tool["status"] == "optimal" else "> ") + number(tool["ratio"])


def memory(tool: Record) -> str:
    """Peak resident memory, MiB."""
    return f"{tool['mebibytes']:,.0f}" if "mebibytes" in tool else ""


def gap(tool: Record) -> str:
    """The largest relative difference of a goal from massbalance's."""
    return f"{tool['difference']:.0e}" if "difference" in tool else ""


def number(value: float | None) -> str:
    """Three digits, at most two decimals."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def table(header: Iterable[str], rows: Iterable[Iterable[str]], sides: str) -> str:
    """A Markdown table; sides: `l` or `r` for each column."""
    rules = {"l": "---", "r": "---:"}
    lines = [list(header), [rules[side] for side in sides], *(list(row) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
