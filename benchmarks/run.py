"""Time whole runs: `massbalance run` as its own process, from the case's files to the verified folder.

    python benchmarks/run.py [--runs 3]

Cases: data/aluminium, and generated ones (generate.py). Beside the generated ones stands a peer on the
same work: the plain order x lot model (plain.py). Printed: median seconds by stage, the whole process,
its peak memory, versions, and whether both reach the same goals.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from generate import Size, write_case

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("highspy", "pyomo", "numpy", "pandas", "pyarrow", "scipy")
SIZES = (Size(500, 50, 12, 20, 1), Size(5000, 100, 12, 20, 1))


@dataclass(frozen=True)
class Timing:
    """One process: wall-clock seconds, peak resident memory in MB, what it printed."""

    seconds: float
    megabytes: float
    printed: str


def timed(command: list[str]) -> Timing:
    """Run a command as its own process; a failure ends the benchmark."""
    with tempfile.TemporaryFile("w+") as out:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        printed = out.read()
    if process.returncode != 0:
        raise SystemExit(f"exit code {process.returncode}: {' '.join(command)}\n{printed}")
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return Timing(seconds, usage.ru_maxrss / unit, printed)


def massbalance(case: Path, out: Path) -> tuple[Timing, dict[str, Any]]:
    """`massbalance run CASE --out OUT`, and its summary.json."""
    command = "from massbalance.interfaces.cli import main; main()"
    timing = timed([sys.executable, "-c", command, "run", str(case), "--out", str(out)])
    summary: dict[str, Any] = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    return timing, summary


def peer(case: Path) -> tuple[Timing, dict[str, Any]]:
    """The plain model in its own process, and what it found."""
    timing = timed([sys.executable, str(ROOT / "benchmarks" / "plain.py"), str(case)])
    found: dict[str, Any] = json.loads(timing.printed)
    return timing, found


def row(name: str, stages: dict[str, float], timings: list[Timing]) -> None:
    """One line of the table."""
    whole = statistics.median(t.seconds for t in timings)
    memory = max(t.megabytes for t in timings)
    parts = "  ".join(f"{stage} {seconds:.2f}" for stage, seconds in stages.items())
    print(f"{name:34}{whole:8.2f} s{memory:8.0f} MB   {parts}", flush=True)


def medians(stages: list[dict[str, float]]) -> dict[str, float]:
    """Median seconds of every stage."""
    return {stage: statistics.median(s[stage] for s in stages) for stage in stages[0]}


def measure(case: Path, name: str, runs: int) -> list[dict[str, Any]]:
    """Time `massbalance run`; returns its objectives."""
    timings, stages, objectives = [], [], []
    for attempt in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            timing, summary = massbalance(case, Path(folder) / f"run{attempt}")
        timings.append(timing)
        stages.append(summary["seconds"])
        objectives = summary["objectives"]
    row(name, medians(stages), timings)
    return objectives


def measure_peer(case: Path, name: str, runs: int) -> list[dict[str, Any]]:
    """Time the plain model; returns its objectives."""
    pairs = [peer(case) for _ in range(runs)]
    row(name, medians([found["seconds"] for _, found in pairs]), [timing for timing, _ in pairs])
    objectives: list[dict[str, Any]] = pairs[0][1]["objectives"]
    return objectives


def difference(ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> float:
    """Largest relative difference of a goal's value (booked against solver's)."""
    mine = {(g["name"], g["priority"]): float(g["value"]) for g in ours}
    other = {(g["name"], g["priority"]): float(g["value"]) for g in theirs}
    if set(mine) != set(other):
        raise SystemExit(f"goals differ: {sorted(map(str, mine))} and {sorted(map(str, other))}")
    return max(abs(mine[k] - other[k]) / max(1.0, abs(other[k])) for k in mine)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="runs of each case (default 3)")
    runs = parser.parse_args().runs
    if not hasattr(os, "wait4"):
        raise SystemExit("benchmarks need Linux or macOS: peak memory of one process is read with wait4")
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    print(f"Python {platform.python_version()}, {machine}")
    print(", ".join(f"{name} {version(name)}" for name in PACKAGES))
    print(f"median of {runs} whole processes; peak memory; seconds by stage\n")
    measure(ROOT / "data" / "aluminium", "data/aluminium", runs)
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            name = f"{size.orders} x {size.lots} x {size.periods}"
            case = Path(folder) / name.replace(" ", "")
            write_case(case, size)
            ours = measure(case, name, runs)
            theirs = measure_peer(case, f"{name}, plain model", runs)
            print(f"{'':34}goals differ by {difference(ours, theirs):.1e} (relative)", flush=True)


if __name__ == "__main__":
    main()
