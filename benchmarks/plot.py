"""The plot of docs/benchmarks.md: seconds against orders, a line a tool. The same records, the same bytes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
mpl.rcParams["svg.hashsalt"] = "massbalance"
mpl.rcParams["svg.fonttype"] = "none"

from matplotlib import pyplot  # noqa: E402

LOOKS = {
    "massbalance": ("#0b5394", "o"),
    "linopy": ("#b45f06", "s"),
    "linopy, every pair": ("#e69138", "<"),
    "PuLP": ("#990000", "^"),
    "Pyomo": ("#38761d", "v"),
    "HiGHS, plain matrix": ("#666666", "D"),
    "HiGHS, reduced matrix": ("#674ea7", "P"),
}


def draw(document: dict[str, Any], target: Path) -> None:
    """Write the plot. What did not finish stands as a hollow mark at the time at which it was stopped."""
    figure, axes = pyplot.subplots(figsize=(7.5, 4.8))
    cases = [case for case in document["cases"] if case["line"]]
    for tool, (colour, mark) in LOOKS.items():
        found = [(case["orders"], case["tools"][tool]) for case in cases if tool in case["tools"]]
        done = [(x, r["seconds"]) for x, r in found if r["status"] == "optimal"]
        short = [(x, r["seconds"]) for x, r in found if r["status"] in ("time", "memory", "limit")]
        if not done and not short:
            continue
        axes.plot(*zip(*(done or short), strict=True), color=colour, marker=mark, label=tool, lw=1.5, ms=6,
                  ls="-" if done else "")  # fmt: skip
        if short:
            axes.plot(*zip(*short, strict=True), color=colour, marker=mark, ms=8, ls="", mfc="white")
    limit = document["limits"]["seconds"]
    axes.axhline(limit, color="#999999", lw=0.8, ls="--")
    where = axes.get_yaxis_transform()
    axes.text(0.01, limit, "ended here (hollow)", transform=where, va="bottom", color="#666666", fontsize=9)
    axes.set(xscale="log", yscale="log", xlabel="orders", ylabel="seconds, whole process")
    axes.set_title("From files to the answer (massbalance: to verified files)", fontsize=11)
    axes.grid(visible=True, which="major", color="#dddddd", lw=0.6)
    axes.legend(frameon=False, fontsize=9)
    figure.tight_layout()
    figure.savefig(target, metadata={"Date": None})
    pyplot.close(figure)


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), Path(sys.argv[2]))
