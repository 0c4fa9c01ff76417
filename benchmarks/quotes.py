"""Measure quotes on a case kept hot: feasible mass, floor premium and displaced orders, all by solves.

    python -m benchmarks.quotes CASE [--quotes 50] [--seed 1]

CASE is a folder (`python -m benchmarks.generate` makes one). Printed: seconds until the first answer, and
the median, 95th percentile and longest of the others, by the clock and of processor time, with versions.
Terms are like those of the case's orders, in any period, at masses from a tonne to a hundred times the mean.
"""

from __future__ import annotations

import argparse
import platform
import random
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

from massbalance.api import Session, read_case
from massbalance.domain.case import Case

PACKAGES = ("massbalance", "highspy", "numpy", "scipy")


def options() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("case", type=Path)
    parser.add_argument("--quotes", type=int, default=50, help="default 50")
    parser.add_argument("--seed", type=int, default=1, help="default 1")
    return parser.parse_args()


def terms(case: Case, draw: random.Random) -> dict[str, object]:
    """Terms like those of some order."""
    orders = case.orders.rows
    like = orders.iloc[draw.randrange(len(orders))]
    mean = float(orders["mass_t"].mean())
    return {
        "product": str(like["product"]),
        "period": draw.choice(list(case.periods.text("period"))),
        "mass_t": round(draw.choice([1.0, 0.3 * mean, mean, 10 * mean, 100 * mean]), 3),
        "claim": str(like["claim"]),
        "level": f"{float(like['level']):g}",
        "schemes": str(like["schemes"]),
    }


def spread(seconds: list[float]) -> str:
    """p50, p95 and the longest."""
    p50, p95 = (float(np.quantile(seconds, q)) for q in (0.5, 0.95))
    return f"p50 {p50:.3f} s, p95 {p95:.3f} s, longest {max(seconds):.3f} s"


def main() -> None:
    """Command line."""
    given = options()
    words = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    print(f"Python {platform.python_version()}, {words}; {platform.machine()}")
    case = read_case(given.case)
    begun, used = time.perf_counter(), time.process_time()
    session = Session(case)
    draw = random.Random(given.seed)
    session.quote(**terms(case, draw))
    first, first_used = time.perf_counter() - begun, time.process_time() - used
    rows, columns = session.compiled.matrix.shape
    print(f"{case.name}: {len(case.orders)} orders, {len(case.lots)} lots, {rows} rows, {columns} columns")
    print(f"first answer after reading: {first:.3f} s (processor {first_used:.3f} s)")
    clock: list[float] = []
    processor: list[float] = []
    feasible = 0
    for number in range(given.quotes):
        asked = terms(case, draw)
        begun, used = time.perf_counter(), time.process_time()
        quote = session.quote(**asked)
        clock.append(time.perf_counter() - begun)
        processor.append(time.process_time() - used)
        feasible += quote.floor_premium_per_t is not None
        if sys.stderr.isatty():
            print(f"\r{number + 1} of {given.quotes}", end="", file=sys.stderr)
    print(f"{given.quotes} quotes, {feasible} feasible whole")
    print(f"clock:     {spread(clock)}")
    print(f"processor: {spread(processor)}")


if __name__ == "__main__":
    main()
