"""Purchases by the plain order x lot model: every pair of lot and order, every purchase, OR-tools.

Run as a script on a JSON file of [{"case": folder, "purchases": file, "budget": text or null, "prices":
{lot: text}, "without": [lots]}]; prints a JSON list of the goals' values for each. Shares no line with the
package. An offer in `prices` has that price, and its own cost is outside the budget.
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


def buy_plainly(asked: Sequence[dict[str, Any]], folder: Path, processes: int = 2) -> list[list[float]]:
    """The plain model's goal values (minima turned as reported), in order; RuntimeError where one fails."""
    running = []
    for start in range(min(processes, len(asked))):
        shard = folder / f"asked-{start}.json"
        shard.write_text(json.dumps(list(asked[start::processes])), encoding="utf-8")
        command = [sys.executable, __file__, str(shard)]
        pipe = subprocess.PIPE
        running.append(subprocess.Popen(command, text=True, encoding="utf-8", stdout=pipe, stderr=pipe))
    answers: list[list[float]] = [[] for _ in asked]
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


def answer(asked: dict[str, Any]) -> list[float]:
    """Every goal's value in order; the margin is less what is bought."""
    from plain_model import Goal, _Builder, exact, gridded, number, read, read_table
    from plain_solver import solve

    case = read(Path(asked["case"]))
    offers = [row for row in read_table(Path(asked["purchases"])) if row["lot"] not in asked["without"]]
    lots = [{**row, "quantity": row["max_quantity"]} for row in offers]
    builder = _Builder(replace(case, tables={**case.tables, "lots": [*case.tables["lots"], *lots]}))
    model = builder.build()
    cost: dict[int, Fraction] = {}
    counted: dict[int, Fraction] = {}
    groups: dict[str, dict[int, Fraction]] = {}
    one = Fraction(1)
    for row in offers:
        most = gridded(row, "max_quantity")
        bought, buy = model.column(most), model.column(one, binary=True)
        used = dict.fromkeys(builder.uses_of_lot[row["lot"]], one)
        model.at_most(f"used[{row['lot']}]", used | {bought: -one})
        model.at_most(f"most[{row['lot']}]", {bought: one, buy: -most})
        model.at_most(f"least[{row['lot']}]", {buy: exact(row, "min_quantity"), bought: -one})
        size = number(row, "lot_size")
        if size is not None:
            digits = {
                model.column(one, binary=True): size * 2**k for k in range(int(most / size).bit_length())
            }
            model.at_most(f"multiple[{row['lot']}]", {**digits, bought: -one})
            model.at_most(f"multiple[{row['lot']}]", {**{c: -v for c, v in digits.items()}, bought: one})
        if row["group"]:
            groups.setdefault(row["group"], {})[buy] = one
        price = Fraction(asked["prices"].get(row["lot"], row["price_per_uom"]))
        cost |= {bought: price, buy: exact(row, "fixed_cost")}
        if row["lot"] not in asked["prices"]:
            counted |= {bought: price, buy: exact(row, "fixed_cost")}
    for name, members in groups.items():
        model.at_most(f"group[{name}]", members, one)
    if asked["budget"] is not None:
        model.at_most("budget", counted, Fraction(asked["budget"]))
    model.goals = [
        Goal("margin", None, goal.coefficients | {c: -v for c, v in cost.items()})
        if goal.name == "margin"
        else goal
        for goal in model.goals
    ]
    return [goal.reported(value) for goal, value in zip(model.goals, solve(model), strict=True)]


if __name__ == "__main__":
    for one in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")):
        print(json.dumps(answer(one)), flush=True)
