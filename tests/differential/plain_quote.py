"""Quotes by the plain model: two optima, one with the order in it, and their difference.

Run as a script on a JSON file of [{"case": folder, "terms": {"product", "period", "mass_t", "claim",
"level", "schemes"}}]; it prints a JSON document for each. Shares no line with the package.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

NAME = "(quote)"


def quote_plainly(asked: Sequence[dict[str, Any]], folder: Path, processes: int = 2) -> list[dict[str, Any]]:
    """The plain model's answers, in order; each process takes every n-th. RuntimeError where one fails."""
    running = []
    for start in range(min(processes, len(asked))):
        shard = folder / f"asked-{start}.json"
        shard.write_text(json.dumps(list(asked[start::processes])), encoding="utf-8")
        command = [sys.executable, __file__, str(shard)]
        pipe = subprocess.PIPE
        running.append(subprocess.Popen(command, text=True, encoding="utf-8", stdout=pipe, stderr=pipe))
    answers: list[dict[str, Any]] = [{} for _ in asked]
    faults = []
    for start, process in enumerate(running):
        out, err = process.communicate()
        for n, line in enumerate(out.splitlines()):
            answers[start + n * processes] = json.loads(line)
        if process.returncode:
            faults.append(err)
    if faults:
        raise RuntimeError("the plain model failed:\n" + "\n".join(faults))
    return answers


def answer(folder: Path, terms: dict[str, str]) -> dict[str, Any]:
    """Greatest mass with no firm shortfall worse, and the margins without and with it."""
    from plain_model import Goal, _Builder, build, is_mip, read
    from plain_solver import Hold, solve, solve_lp, solve_mip

    case = read(folder)
    base = build(case)
    values = solve(base)
    row = {"order": NAME, "customer": "", "premium_per_t": "0", "firm": "", **terms}
    with_order = replace(case, tables={**case.tables, "orders": [*case.tables["orders"], row]})
    builder = _Builder(with_order)
    model = builder.build()
    mass = next(y for t, y in builder.mass_of if t.order["order"] == NAME)
    holds = [
        Hold(goal, value) for goal, value in zip(model.goals, values, strict=True) if goal.name != "margin"
    ]
    margin = next(goal for goal in model.goals if goal.name == "margin")
    before = next(v for goal, v in zip(base.goals, values, strict=True) if goal.name == "margin")

    def best(goal: Goal) -> float:
        found = solve_mip(model, goal, holds) if model.binary else solve_lp(model, goal, holds, {})
        if found is None:
            raise RuntimeError(f"{folder}: {goal.name} infeasible")
        return found.value

    greatest = Goal("mass", None, {mass: Fraction(1)})
    feasible = best(greatest)
    holds.append(Hold(greatest, feasible))
    return {"mip": is_mip(case), "feasible": feasible, "before": before, "after": best(margin)}


if __name__ == "__main__":
    for one in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")):
        print(json.dumps(answer(Path(one["case"]), one["terms"])), flush=True)
