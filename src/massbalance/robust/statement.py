"""R1 to R4 as they read, in Pyomo: the reference, with every future's flows (models/ROBUST.md).

What is solved (`robust.solve`) has cuts instead of flows; tests hold both to the same optimum.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyomo.environ as pyo

from massbalance.formulation.columns import Columns
from massbalance.formulation.model import build_model
from massbalance.robust.sample import Sample
from massbalance.solving.compiled import Compiled, compile_stated

LABELS = {
    "R1": "future_supply", "R2": "future_origin", "R3": "future_balance", "R4": "broken_share",
}  # fmt: skip
"""Label -> name of its rows."""


def state(sample: Sample, budget: int) -> Compiled:
    """The whole model of a sample of which so many futures may break a promise, compiled."""
    model, goals = build_model(sample.problem)
    windows = [
        (s, lot, t)
        for s in range(len(sample))
        for lot in range(len(sample.lot_pool))
        for t in range(
            max(0, int(sample.stock.first[s, lot])), min(sample.periods, int(sample.stock.last[s, lot]) + 1)
        )
        if sample.stock.quantity[s, lot] > 0
    ]
    most = sample.stock.quantity
    model.pyomo.g = pyo.Var(windows, bounds=lambda _, s, lot, t: (0.0, 2.0 * float(most[s, lot])))
    model.pyomo.z = pyo.Var(range(len(sample)), domain=pyo.Binary)
    _supply(model, sample, windows)
    _origins(model, sample, windows)
    _balance(model, sample, windows)
    weight = [int(w) for w in sample.weight]
    held = pyo.quicksum(w * model.pyomo.z[s] for s, w in enumerate(weight)) <= budget
    model.add(LABELS["R4"], [0], pyo.Constraint([0], rule=lambda _, n: held))
    return compile_stated(sample.problem, model, goals)


Window = tuple[int, int, int]
"""Future, lot, period."""


def _supply(model: Columns, sample: Sample, windows: list[Window]) -> None:
    """R1: sum_t g[s,l,t] <= quantity of the lot in the future."""
    of: dict[tuple[int, int], list[int]] = {}
    for s, lot, t in windows:
        of.setdefault((s, lot), []).append(t)
    keys, g = list(of), model.pyomo.g
    model.add(
        LABELS["R1"],
        keys,
        pyo.Constraint(
            range(len(keys)),
            rule=lambda _, n: (
                pyo.quicksum(g[(*keys[n], t)] for t in of[keys[n]]) <= float(sample.stock.quantity[keys[n]])
            ),
        ),
    )


def _origins(model: Columns, sample: Sample, windows: list[Window]) -> None:
    """R2: sum_{l of origin} sum_t g[s,l,t] / quantity <= 1, in units of the largest of its lots."""
    of: dict[tuple[int, int], list[Window]] = {}
    for window in windows:
        if sample.origin[window[1]] >= 0:
            of.setdefault((window[0], int(sample.origin[window[1]])), []).append(window)
    keys, g, quantity = list(of), model.pyomo.g, sample.stock.quantity
    size = {key: max(float(quantity[s, lot]) for s, lot, _ in of[key]) for key in keys}
    model.add(
        LABELS["R2"],
        keys,
        pyo.Constraint(
            range(len(keys)),
            rule=lambda _, n: (
                pyo.quicksum(size[keys[n]] / float(quantity[w[0], w[1]]) * g[w] for w in of[keys[n]])
                <= size[keys[n]]
            ),
        ),
    )


def _places(sample: Sample) -> Iterator[tuple[int, int, list[int]]]:
    """Future, place and the firm pairs that draw on it there."""
    for s in range(len(sample)):
        for place in np.unique(sample.place).tolist():
            pairs = np.flatnonzero((sample.place == place) & (sample.need[s] > 0)).tolist()
            if pairs:
                yield s, place, pairs


def _balance(model: Columns, sample: Sample, windows: list[Window]) -> None:
    """R3: sum_r need x[k,r] <= sum_l g[s,l,t] + M z[s]; M: the greatest draw that bounds allow."""
    there: dict[tuple[int, int], list[Window]] = {}
    for window in windows:
        _, lot, t = window
        there.setdefault((window[0], int(sample.lot_pool[lot]) * sample.periods + t), []).append(window)
    keys = list(_places(sample))
    upper, x, g, z = sample.problem.pair_upper, model.x, model.pyomo.g, model.pyomo.z

    def rule(_: pyo.ConcreteModel, n: int) -> object:
        s, place, pairs = keys[n]
        need = {p: float(sample.need[s, p]) for p in pairs}
        most = sum(need[p] * float(upper[sample.pair[p]]) for p in pairs)
        drawn = pyo.quicksum(need[p] * x[int(sample.pair[p])] for p in pairs)
        given = pyo.quicksum(g[w] for w in there.get((s, place), []))
        return drawn - given - most * z[s] <= 0.0

    names = [(s, place) for s, place, _ in keys]
    model.add(LABELS["R3"], names, pyo.Constraint(range(len(keys)), rule=rule))
