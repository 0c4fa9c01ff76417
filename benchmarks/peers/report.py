"""What a measured process prints: one JSON object a line, so that a killed one has said how far it got.

{"stage": "build", "seconds": 1.2}     after each stage
{"objective": {"name", "priority", "value"}, "seconds": 3.4}     after each goal
{"sizes": {"columns": ..}}, {"versions": {..}}, {"solver": {..}}
{"status": "optimal"}                   last; anything else is said in words
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

HOLD = 1e-9
"""Slack of a held goal, relative to max(1, |value|): what keeps a solver from calling it infeasible."""


def say(**document: Any) -> None:
    """Print one line."""
    print(json.dumps(document), flush=True)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Time a stage and say so."""
    begun = time.perf_counter()
    yield
    say(stage=name, seconds=time.perf_counter() - begun)


@contextmanager
def goal(found: list[dict[str, Any]]) -> Iterator[None]:
    """Time the solving of one goal; the block appends the objective to `found`."""
    begun = time.perf_counter()
    yield
    say(objective=found[-1], seconds=time.perf_counter() - begun)


def slack(value: float) -> float:
    """How far a goal that reached `value` may be missed while the next is optimised."""
    return HOLD * max(1.0, abs(value))


def measured(body: Callable[[Path], None], packages: tuple[str, ...]) -> None:
    """Run a peer's `body` on the case named on the command line, and say how it ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("case", type=Path)
    case = parser.parse_args().case
    say(versions={name: version(name) for name in packages})
    try:
        body(case)
    except MemoryError:
        say(status="memory")
        sys.exit(1)
    say(status="optimal")


def optimal(status: object) -> None:
    """End with the solver's word where it is not `optimal`."""
    if str(status).lower() != "optimal":
        say(status=str(status))
        sys.exit(1)
