"""prices.csv: what one more unit of each lot, pool and period, origin or cap is worth to each goal.

Prices are the duals of the goal's LP, with the goals before it held at what they reached; in a
case with whole orders, minimum fills or offers, the LP with those decisions fixed. Every lot and
every pool and period is listed, also at 0; of the caps, those that bind.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from massbalance.domain.case import IndexArray
from massbalance.domain.texts import Strings, TextTable, pick, strings
from massbalance.formulation.problem import CAPS, OF_STAKES, Problem, recipe_of
from massbalance.solving.compiled import Compiled
from massbalance.solving.labels import Labels
from massbalance.solving.solution import Solution

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


def price_table(problem: Problem, compiled: Compiled, solution: Solution) -> TextTable:
    """One line per goal and row; unit: of what there is one more of; price in the goal's unit."""
    stages = [s for s in solution.stages if s.goal.name != "tie_break" and s.row_dual is not None]
    labels = Labels(problem, compiled)
    always, caps = labels.of(*ALWAYS), labels.of(*CAPS, *OF_STAKES)
    unit = labels.units()
    prices = [np.asarray(stage.row_dual) * unit for stage in stages]
    shown = [np.flatnonzero(always | (caps & (price > 10.0**-SHOWN))) for price in prices]
    lines = _Lines(problem, labels, np.unique(np.concatenate([np.zeros(0, np.intp), *shown])))
    found = [lines.of(rows) for rows in shown]
    line = np.concatenate([np.zeros(0, np.intp), *(at for _, at in found)])
    worth = [price[row] for price, (row, _) in zip(prices, found, strict=True)]
    goal = np.repeat(np.arange(len(stages)), [len(at) for _, at in found])
    columns = {
        **{name: pick(strings(texts), line) for name, texts in lines.columns.items()},
        "goal": pick(strings([stage.goal.key for stage in stages]), goal),
        "price_per_unit": _price_texts(np.concatenate([np.zeros(0), *worth])),
    }
    return TextTable({name: columns[name] for name in COLUMNS}, frozenset({"price_per_unit"}))


def _price_texts(prices: Floats) -> Strings:
    """Prices as decimals without trailing zeros; each distinct one is written once."""
    distinct, at = np.unique(np.maximum(prices, 0.0), return_inverse=True)
    return pick(strings([f"{price:.{SHOWN}f}".rstrip("0").rstrip(".") for price in distinct.tolist()]), at)


class _Lines:
    """What the lines of some rows say, whatever the goal: a supply row has one for each of its lots."""

    def __init__(self, problem: Problem, labels: Labels, rows: IndexArray) -> None:
        self.problem, self.rows = problem, rows
        lots = problem.case.lots
        self.uom, self.category, self.kind = (lots.text(c) for c in ("uom", "category", "kind"))
        self.columns: dict[str, list[str]] = {name: [] for name in COLUMNS if name not in _OF_A_GOAL}
        count = []
        for i, key in zip(rows, labels.keys(rows), strict=True):
            equation, index = labels.rows[i]
            row = f"{equation}[{','.join(key)}]"
            found = self.what(equation, index, key)
            count.append(len(found))
            for name, detail, period, unit, members in found:
                self.add(
                    kind=equation, name=name, detail=detail, period=period, unit=unit, lots=members, row=row
                )
        self.count = np.array(count, dtype=np.intp)
        self.first = np.cumsum(self.count) - self.count

    def add(self, **cells: str) -> None:
        """One more line."""
        for name, cell in cells.items():
            self.columns[name].append(cell)

    def of(self, rows: IndexArray) -> tuple[IndexArray, IndexArray]:
        """For each line of the rows (those of the constructor, ascending): its row, its position here."""
        at = np.searchsorted(self.rows, rows)
        count = self.count[at]
        within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        return np.repeat(rows, count), np.repeat(self.first[at], count) + within

    def what(
        self, equation: str, index: object, key: tuple[str, ...]
    ) -> list[tuple[str, str, str, str, str]]:
        """(name, detail, period, unit, lots) of the lines of a row."""
        problem, pools = self.problem, self.problem.pools
        names = problem.names.lots
        if equation == "lot_supply":
            lots = pools.group_lots[int(index)]  # type: ignore[call-overload]
            return [(str(names[i]), str(self.category[i]), "", str(self.uom[i]), str(names[i])) for i in lots]
        if equation == "origin_once":
            members = " ".join(str(names[pools.group_lots[g][0]]) for g in pools.origin_groups[key[0]])
            return [(key[0], "", "", "origin", members)]
        if equation == "pool_balance":
            pool = int(index[0])  # type: ignore[index]
            first = int(pools.representative[pool])
            label = str(self.category[first]) or str(self.kind[first])
            return [(key[0], label, key[1], str(self.uom[first]), self.members[pool])]
        if equation in OF_STAKES:
            # the group or order, and the kind of group
            return [(key[-1], key[0] if len(key) > 1 else "", "", "t", "")]
        detail = key[1] if len(key) > 1 else ""
        unit = CAP_UNITS[equation] or {"electricity": "MWh", "heat": "GJ"}[detail]
        period = str(problem.names.periods[problem.recipes.period[recipe_of(index)]])
        return [(key[0], detail, period, unit, "")]

    @cached_property
    def members(self) -> list[str]:
        """Names of the lots of each pool."""
        pools, names = self.problem.pools, self.problem.names.lots
        order = np.argsort(pools.lot_pool, kind="stable")
        start = np.searchsorted(pools.lot_pool[order], np.arange(len(pools.ids) + 1))
        return [" ".join(names[order[start[k] : start[k + 1]]]) for k in range(len(pools.ids))]


_OF_A_GOAL = ("goal", "price_per_unit")
