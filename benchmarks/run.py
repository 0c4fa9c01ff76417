"""Measure massbalance and its peers on generated cases, in one go.

    python -m benchmarks.run [--cases all|small] [--write]

Every tool is a process of its own with limits on time and memory. Printed, and with `--write` put into
docs/benchmarks.md, docs/benchmarks.json and docs/benchmarks.svg: median seconds, peak memory, seconds by
stage, how many times massbalance's time each tool takes, and how far their goals differ. `make bench` runs
this.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from benchmarks.cases import CASES, Case
from benchmarks.measure import Record, document, generate, hopeless, measure
from benchmarks.processes import ROOT, Limits, machine
from benchmarks.tables import markdown, replace_between

PACKAGES = (
    "highspy",
    "linopy",
    "massbalance",
    "numpy",
    "pandas",
    "PuLP",
    "pyarrow",
    "pyomo",
    "scipy",
    "xarray",
)
DOCS = ROOT / "docs"
QUIET = 0.5
"""A load average above this, before anything has run, means that the figures are noisy."""


def options() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cases", choices=("all", "small"), default="all", help="small: minutes; all: hours")
    parser.add_argument("--only", metavar="WORDS", help="only cases whose name contains this")
    parser.add_argument(
        "--runs", type=int, default=3, help="runs of what takes less than a minute (default 3)"
    )
    parser.add_argument("--seconds", type=float, default=600.0, help="time limit of a process (default 600)")
    parser.add_argument("--mebibytes", type=int, default=10240, help="memory limit, MiB (default 10240)")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md, .json and .svg")
    return parser.parse_args()


def chosen(given: argparse.Namespace) -> list[Case]:
    """The cases to run."""
    found = [case for case in CASES if case.small or given.cases == "all"]
    return [case for case in found if given.only is None or given.only in case.name]


def collect(cases: list[Case], limits: Limits, runs: int) -> Iterator[list[Record]]:
    """Measure every case, and give the records so far after each; a case is generated when its turn
    comes, and removed after it.
    """
    done: list[tuple[Case, dict[str, Record]]] = []
    records = []
    for case in cases:
        load = round(os.getloadavg()[0], 2)
        print(f"{case.name} (load average {load:g})", flush=True)
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made) / "case"
            generate(case, folder, limits)
            skip = {tool for tool in case.tools if hopeless(tool, case, done)}
            tools = measure(case, folder, limits, runs, skip)
        done.append((case, tools))
        records.append(
            {
                "name": case.name,
                "orders": case.orders,
                "lots": case.lots,
                "periods": case.periods,
                "pools": case.pools,
                "generate": case.arguments,
                "line": case.line,
                "load_average": load,
                "tools": tools,
            }
        )
        yield records


def write(found: Record) -> None:
    """Docs: raw records, tables between the markers, the plot."""
    raw = DOCS / "benchmarks.json"
    raw.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8", newline="\n")
    page = DOCS / "benchmarks.md"
    picture = "![Seconds against orders, a line for each tool](benchmarks.svg)"
    text = replace_between(page.read_text(encoding="utf-8"), f"{picture}\n\n{markdown(found)}")
    page.write_text(text, encoding="utf-8", newline="\n")
    # in a process of its own: this one stays small
    command = [sys.executable, "-m", "benchmarks.plot", str(raw), str(DOCS / "benchmarks.svg")]
    subprocess.run(command, check=True, cwd=ROOT)


def main() -> None:
    """Command line."""
    given = options()
    if not hasattr(os, "wait4"):
        raise SystemExit("benchmarks need Linux or macOS: peak memory of one process is read with wait4")
    about = dict(machine())
    if about["load_average"][0] > QUIET:
        print(
            f"note: load average {about['load_average'][0]:g}: something else is running, figures are noisy"
        )
    limits = Limits(given.seconds, given.mebibytes)
    packages = {name: version(name) for name in PACKAGES}
    found: Record = {}
    for cases in collect(chosen(given), limits, given.runs):
        # hours of work: what is measured is written at once
        found = document(about, packages, limits, cases)
        if given.write:
            write(found)
    print("\n" + markdown(found))


if __name__ == "__main__":
    main()
