"""Plant conflicts, and count how many are named and how many relaxations work when applied to the files.

    python -m benchmarks.conflicts [--count 200] [--first 0] [--base aluminium] [--tight] [--show]

Each conflict is a promise that could be kept until one limit was tightened (`tests/conflict/planted.py`): on
random cases, half of them with whole orders and offers, on `data/tutorial`, or on `data/aluminium`.
"""

from __future__ import annotations

import argparse
import collections
import importlib
import tempfile
import time
from pathlib import Path
from typing import Any


def options() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=200, help="conflicts, default 200")
    parser.add_argument("--first", type=int, default=0, help="number of the first, default 0")
    parser.add_argument("--base", default="", help="random, mip, tutorial or aluminium; by turns unless told")
    parser.add_argument("--only", default="", help="one kind of limit to tighten")
    parser.add_argument("--tight", action="store_true", help="also try one step less of each amount")
    parser.add_argument("--show", action="store_true", help="print what is not named or does not work")
    return parser.parse_args()


def main() -> None:
    """Command line."""
    given = options()
    # the generator of random cases lives with the tests
    planted: Any = importlib.import_module("tests.conflict.planted")
    count, number, named, worked, failed = 0, given.first, 0, 0, 0
    by_kind: collections.Counter[str] = collections.Counter()
    relaxed: collections.Counter[str] = collections.Counter()
    sizes: collections.Counter[int] = collections.Counter()
    faults, smallest, tight, slack = 0, 0, 0, 0
    seconds: list[float] = []
    begun = time.perf_counter()
    while count < given.count:
        with tempfile.TemporaryDirectory() as place:
            one = planted.plant(number, Path(place), only=given.only, base=given.base)
            number += 1
            if one is None:
                continue
            count += 1
            start = time.perf_counter()
            explanation = one.quote.explanation
            seconds.append(time.perf_counter() - start)
            found = planted.check(one, Path(place), tight=given.tight)
        named += found.named
        smallest += explanation.smallest
        faults += len(found.faults)
        worked, failed = worked + len(found.worked), failed + len(found.failed)
        tight, slack = tight + len(found.tight), slack + len(found.slack)
        by_kind[one.how] += 1
        sizes[len(found.kinds)] += 1
        relaxed.update(text.split(":")[0] for text in found.worked)
        if given.show and (not found.named or found.failed or found.faults or found.slack):
            print(f"{one.number} {one.how} {one.cell} {one.terms}")
            print(f"   named {found.named}: {found.kinds}")
            for text in (*found.failed, *found.faults, *found.slack):
                print(f"   not: {text}")
    taken = sorted(seconds)
    print(f"{count} conflicts of {number - given.first} tries in {time.perf_counter() - begun:.0f} s")
    print(f"planted limit named: {named} of {count}; faults of sets: {faults}; proven smallest: {smallest}")
    print(f"relaxations that work on the files: {worked} of {worked + failed}")
    if given.tight:
        print(f"amounts of which one step less does not work: {tight} of {tight + slack}")
    print(f"seconds of an explanation: median {taken[len(taken) // 2]:.3f}, longest {taken[-1]:.3f}")
    for title, counter in (("planted", by_kind), ("relaxations", relaxed), ("limits in a set", sizes)):
        print(f"{title}: " + ", ".join(f"{name} {n}" for name, n in sorted(counter.items())))


if __name__ == "__main__":
    main()
