"""Run tools on cases, and turn what their processes printed into plain records (JSON)."""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.cases import MASSBALANCE, PEERS, Case
from benchmarks.processes import Ended, Limits, run

Record = dict[str, Any]
SHORT_S = 60.0
"""A tool is run again on a case that takes it less than this, seconds."""
LIMIT_CODE = 5


def generate(case: Case, folder: Path, limits: Limits) -> None:
    """Write the case, in a process of its own."""
    made = run([sys.executable, "benchmarks/generate.py", str(folder), *case.arguments], limits)
    if made.status != "done":
        raise SystemExit(f"{case.name} could not be generated:\n{made.complained}")


def attempt(tool: str, folder: Path, limits: Limits) -> Record:
    """One run of one tool on a case's folder."""
    return _massbalance(folder, limits) if tool == MASSBALANCE else _peer(tool, folder, limits)


def _massbalance(folder: Path, limits: Limits) -> Record:
    """`massbalance run`, from the case's files to the verified folder."""
    with tempfile.TemporaryDirectory() as made:
        out = Path(made) / "run"
        call = "from massbalance.interfaces.cli import main; main()"
        command = [sys.executable, "-c", call, "run", str(folder), "--out", str(out)]
        ended = run(command, limits, good=(0, LIMIT_CODE))
        record = _record(ended)
        if ended.status != "done":
            return record
        summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    objectives = [{**goal, "value": goal["solver_value"]} for goal in summary["objectives"]]
    keys = ("name", "priority", "value")
    return record | {
        "status": summary["status"],
        "stages": summary["seconds"],
        "objectives": [{key: goal[key] for key in keys} for goal in objectives],
    }


def _peer(tool: str, folder: Path, limits: Limits) -> Record:
    command = [sys.executable, "-m", f"benchmarks.peers.{PEERS[tool]}", str(folder)]
    ended = run(command, limits)
    record = _record(ended)
    said = ended.lines
    record["stages"] = {line["stage"]: line["seconds"] for line in said if "stage" in line}
    record["objectives"] = [line["objective"] for line in said if "objective" in line]
    record["goal_seconds"] = [line["seconds"] for line in said if "objective" in line]
    for line in said:
        record |= {key: line[key] for key in ("versions", "sizes") if key in line}
    words = [line["status"] for line in said if "status" in line]
    if ended.status in ("done", "failed") and words:
        record["status"] = words[-1].lower()
    return record


def _record(ended: Ended) -> Record:
    found: Record = {
        "status": ended.status,
        "seconds": ended.seconds,
        "cpu_seconds": ended.cpu_seconds,
        "mebibytes": ended.mebibytes,
        "stages": {},
        "objectives": [],
    }
    return found | ({"complained": ended.complained} if ended.status == "failed" else {})


def finished(record: Record) -> bool:
    """Did the tool reach the optimum?"""
    return bool(record["status"] == "optimal")


def combine(records: list[Record]) -> Record:
    """Medians over the runs of one tool on one case; peak memory is the greatest."""
    first = records[0]
    if not all(finished(record) for record in records):
        return next(record for record in records if not finished(record)) | {"runs": len(records)}
    return first | {
        "runs": len(records),
        "seconds": statistics.median(r["seconds"] for r in records),
        "cpu_seconds": statistics.median(r["cpu_seconds"] for r in records),
        "mebibytes": max(r["mebibytes"] for r in records),
        "stages": {
            name: statistics.median(r["stages"].get(name, 0.0) for r in records) for name in first["stages"]
        },
        "every_run_seconds": [round(r["seconds"], 3) for r in records],
    }


def difference(ours: Iterable[Record], theirs: Iterable[Record]) -> float:
    """Largest difference of two tools' goals, relative to max(1, |value|). ValueError: other goals."""
    mine = {(goal["name"], goal["priority"]): float(goal["value"]) for goal in ours}
    other = {(goal["name"], goal["priority"]): float(goal["value"]) for goal in theirs}
    if set(mine) != set(other):
        raise ValueError(f"goals differ: {sorted(map(str, mine))} and {sorted(map(str, other))}")
    return max((abs(mine[k] - other[k]) / max(1.0, abs(mine[k])) for k in mine), default=0.0)


def compare(tools: dict[str, Record]) -> None:
    """Add to each that finished how far its goals are from massbalance's, and its time to massbalance's.

    Where a tool did not finish, its time is a lower bound of the ratio.
    """
    ours = tools.get(MASSBALANCE)
    if ours is None or not finished(ours):
        return
    for name, record in tools.items():
        if name == MASSBALANCE or record["status"] == "not tried":
            continue
        record["ratio"] = record["seconds"] / ours["seconds"]
        if finished(record):
            record["difference"] = difference(ours["objectives"], record["objectives"])


def hopeless(tool: str, case: Case, done: list[tuple[Case, dict[str, Record]]]) -> bool:
    """Did the tool fail on a case that is smaller in orders and lots?"""
    return any(
        smaller.orders < case.orders
        and smaller.lots < case.lots
        and tools.get(tool, {}).get("status") in ("time", "memory", "not tried")
        for smaller, tools in done
    )


def measure(case: Case, folder: Path, limits: Limits, runs: int, skip: set[str]) -> dict[str, Record]:
    """All tools of a case, round by round, so that a drift of the machine meets all of them alike."""
    found: dict[str, list[Record]] = {}
    for turn in range(runs):
        for tool in case.tools:
            if tool in skip or (turn and not _again(found[tool])):
                continue
            record = attempt(tool, folder, limits)
            found.setdefault(tool, []).append(record)
            print(f"  {tool:24}{record['seconds']:9.2f} s{record['mebibytes']:8.0f} MiB  {record['status']}")
            if "complained" in record:
                print(record["complained"])
            sys.stdout.flush()
    tools = {tool: combine(found[tool]) if tool in found else _untried() for tool in case.tools}
    compare(tools)
    return tools


def _again(records: list[Record]) -> bool:
    return finished(records[-1]) and records[-1]["seconds"] < SHORT_S


def _untried() -> Record:
    return {"status": "not tried", "runs": 0, "stages": {}, "objectives": []}


def document(machine: Record, versions: Record, limits: Limits, cases: list[Record]) -> Record:
    """What docs/benchmarks.json holds."""
    return {"machine": machine, "versions": versions, "limits": asdict(limits), "cases": cases}
