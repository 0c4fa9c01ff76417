"""Measure a sweep against as many runs of the command: what scenarios in memory save.

    python -m benchmarks.scenarios [CASE] [--scenarios 200] [--workers 2] [--runs 20]

CASE is a folder, data/aluminium unless told. N scenarios (a factor on all lots, each another) are solved by
`massbalance sweep --workers W`, start and end included. Of the same N as cases on disk, some (`--runs`,
evenly spread; 0: all) are run by `massbalance run`, one after the other, and their time is scaled to N.
Printed: seconds of both, processor seconds of both, and the ratio; the goals of both must be the same.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from massbalance.intake.canonical import write_case
from massbalance.scenario.apply import apply, read_base
from massbalance.scenario.sweep_file import read_sweep

ROOT = Path(__file__).resolve().parent.parent
COMMAND = (sys.executable, "-m", "massbalance.interfaces.cli")


def options() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("case", type=Path, nargs="?", default=ROOT / "data" / "aluminium")
    parser.add_argument("--scenarios", type=int, default=200, help="default 200")
    parser.add_argument("--workers", type=int, default=2, help="default 2")
    parser.add_argument("--runs", type=int, default=20, help="runs that are measured, 0: all; default 20")
    return parser.parse_args()


def sweep_text(count: int) -> str:
    """A sweep of that many scenarios: all lots by a factor from 0.9 on."""
    values = ", ".join(str(Decimal("0.9") + Decimal(n) / 1000) for n in range(count))
    return (
        f'name = "benchmark"\n[levers]\nshare = [{values}]\n'
        '[[edit]]\ntable = "lots"\nmultiply = { quantity = "$share" }\n'
    )


def timed(arguments: Sequence[object]) -> tuple[float, float, dict[str, Any]]:
    """Seconds by the clock, processor seconds, and the JSON document of a command."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, check=False)
    seconds, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{arguments[0]} ended with {done.returncode}: {done.stderr.decode()[-2000:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, cpu, json.loads(done.stdout, parse_float=Decimal)


def main() -> None:
    """Command line."""
    given = options()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "sweep.toml"
        file.write_text(sweep_text(given.scenarios), encoding="utf-8")
        sweep = ("sweep", given.case, file, "--workers", given.workers, "--json")
        seconds, cpu, document = timed(sweep)
        print(
            f"sweep: {given.scenarios} scenarios, {given.workers} workers: {seconds:.1f} s, {cpu:.1f} s CPU"
        )
        clock, processor, count = runs(given, file, document["rows"], folder)
    print(f"runs: {given.scenarios} at the mean of {count}: {clock:.1f} s, {processor:.1f} s CPU")
    print(f"ratio: {seconds / clock:.3f} by the clock, {cpu / processor:.3f} of processor time")


def runs(
    given: argparse.Namespace, file: Path, rows: list[dict[str, Any]], folder: Path
) -> tuple[float, float, int]:
    """Seconds and processor seconds of one run for each row, from those measured, and how many these were."""
    base = read_base(given.case)
    sweep = read_sweep(file, base.case)
    step = max(1, len(rows) // given.runs) if given.runs else 1
    clock, processor, count = 0.0, 0.0, 0
    for point, row in list(zip(sweep.points, rows, strict=True))[::step]:
        case = folder / f"case-{point.number}"
        write_case(apply(base, point.scenario), case)
        seconds, cpu, document = timed(("run", case, "--out", folder / "run", "--json"))
        goals = [Decimal(goal["value"]) for goal in document["objectives"]]
        if goals != list(row["figures"].values())[: len(goals)]:
            raise SystemExit(f"point {point.number}: the goals of the sweep are not those of the run")
        clock, processor, count = clock + seconds, processor + cpu, count + 1
    return clock / count * len(rows), processor / count * len(rows), count


if __name__ == "__main__":
    main()
