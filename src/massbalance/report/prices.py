"""prices.csv: what one more unit of each lot, pool and period, origin or cap is worth to each goal.

Prices are the duals of the goal's LP, with the goals before it held at what they reached; in a
case with whole orders, minimum fills or offers, the LP with those decisions fixed. Every lot and
every pool and period is listed, also at 0; of the caps, those that bind.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from massbalance.formulation.problem import Problem, recipe_of, row_key, row_name
from massbalance.solving.compiled import Compiled
from massbalance.solving.lexicographic import Solution, Stage

COLUMNS = (
    "goal", "kind", "name", "detail", "period", "unit", "price_per_unit", "lots", "row",
)  # fmt: skip
Floats = npt.NDArray[np.float64]
ALWAYS = ("lot_supply", "pool_balance", "origin_once")
CAP_UNITS = {
    "mass_cap": "t", "category_cap": "t", "element_cap": "wt% t", "energy_cap": "", "scope_cap": "tCO2e",
}  # fmt: skip
SHOWN = 6
"""Decimals of a price."""


def price_table(problem: Problem, compiled: Compiled, solution: Solution) -> pd.DataFrame:
    """One line per goal and row; unit: of what there is one more of; price in the goal's unit."""
    lines: list[tuple[str, ...]] = []
    for stage in solution.stages:
        if stage.goal.name != "tie_break" and stage.row_dual is not None:
            lines += _lines(problem, compiled, stage, stage.row_dual)
    return pd.DataFrame(lines, columns=list(COLUMNS), dtype="str")


def _lines(problem: Problem, compiled: Compiled, stage: Stage, duals: Floats) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for i, (equation, key) in enumerate(compiled.rows):
        price = float(duals[i])
        if equation == "origin_once":
            price *= compiled.origin_size[key]
        if equation not in ALWAYS and (equation not in CAP_UNITS or price <= 10.0**-SHOWN):
            continue
        text = f"{max(0.0, price):.{SHOWN}f}".rstrip("0").rstrip(".")
        for name, detail, period, unit, lots in _what(problem, equation, key):
            row = row_name(problem, equation, key)
            found.append((stage.goal.key, equation, name, detail, period, unit, text, lots, row))
    return found


def _what(problem: Problem, equation: str, key: object) -> list[tuple[str, str, str, str, str]]:
    """(name, detail, period, unit, lots) of the lines of a row: a supply row has one for each lot."""
    case, pools = problem.case, problem.pools
    names, uom, category = (case.lots.text(c) for c in ("lot", "uom", "category"))
    if equation == "lot_supply":
        lots = pools.group_lots[int(key)]  # type: ignore[call-overload]
        return [(str(names[i]), str(category[i]), "", str(uom[i]), str(names[i])) for i in lots]
    parts = row_key(problem, equation, key)
    if equation == "origin_once":
        members = " ".join(str(names[pools.group_lots[g][0]]) for g in pools.origin_groups[parts[0]])
        return [(parts[0], "", "", "origin", members)]
    if equation == "pool_balance":
        first = int(pools.representative[int(key[0])])  # type: ignore[index]
        members = " ".join(names[np.flatnonzero(pools.lot_pool == int(key[0]))])  # type: ignore[index]
        label = str(category[first]) or str(case.lots.text("kind")[first])
        return [(parts[0], label, parts[1], str(uom[first]), members)]
    recipe = recipe_of(key)
    detail = parts[1] if len(parts) > 1 else ""
    unit = CAP_UNITS[equation] or {"electricity": "MWh", "heat": "GJ"}[detail]
    period = str(case.periods.text("period")[problem.recipes.period[recipe]])
    return [(parts[0], detail, period, unit, "")]
