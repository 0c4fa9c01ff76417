"""Time whole runs: `massbalance run` as its own process, from the case's files to the verified folder.

    python benchmarks/run.py [--runs 3]

Cases: data/aluminium, and generated ones (generate.py). Beside the generated ones stands a peer on the
same work: the plain order x lot model (plain.py). Printed: median seconds of the whole process and by stage,
peak memory, versions, the ratio of the two, and how far their goals differ. The plain model reads and
solves only: it checks nothing, leaves ties open, and neither books, verifies nor writes.
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


@dataclass(frozen=True)
class Measured:
    """Medians of one case: seconds of the whole process and of build and solve; the goals reached."""

    whole: float
    core: float
    objectives: list[dict[str, Any]]


def row(name: str, stages: list[dict[str, float]], timings: list[Timing]) -> tuple[float, float]:
    """One line of the table; returns the medians of the whole and of build and solve."""
    whole = statistics.median(t.seconds for t in timings)
    memory = max(t.megabytes for t in timings)
    medians = {stage: statistics.median(s[stage] for s in stages) for stage in stages[0]}
    rest = {"rest": whole - sum(medians.values())}  # start-up, mostly imports, and what no stage holds
    parts = "  ".join(f"{stage} {seconds:.2f}" for stage, seconds in {**medians, **rest}.items())
    print(f"{name:34}{whole:8.2f} s{memory:8.0f} MB   {parts}", flush=True)
    return whole, medians["build"] + medians["solve"]


def measure(case: Path, name: str, runs: int) -> Measured:
    """Time `massbalance run`."""
    found = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            found.append(massbalance(case, Path(folder) / "run"))
    whole, core = row(name, [summary["seconds"] for _, summary in found], [timing for timing, _ in found])
    return Measured(whole, core, found[0][1]["objectives"])


def measure_peer(case: Path, name: str, runs: int) -> Measured:
    """Time the plain model."""
    found = [peer(case) for _ in range(runs)]
    whole, core = row(name, [result["seconds"] for _, result in found], [timing for timing, _ in found])
    return Measured(whole, core, found[0][1]["objectives"])


def compare(ours: Measured, theirs: Measured) -> None:
    """Plain model to massbalance, in time; and that both reach the same goals."""
    whole, core = theirs.whole / ours.whole, theirs.core / ours.core
    gap = difference(ours.objectives, theirs.objectives)
    print(
        f"    plain / massbalance: whole {whole:.2f}, build and solve {core:.2f}; goals differ by {gap:.0e}"
    )


def difference(ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> float:
    """Largest relative difference of the solvers' values; what booking costs stands in summary.json."""
    mine = {(g["name"], g["priority"]): float(g["solver_value"]) for g in ours}
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
            compare(measure(case, name, runs), measure_peer(case, f"{name}, plain model", runs))


if __name__ == "__main__":
    main()
