"""The lexicographic goals, each as something to minimise over the model's columns.

G1 `firm_shortfall` (one per priority), G2 `margin`, G3 `tie_break`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from massbalance.domain.grid import Column
from massbalance.formulation.problem import Problem

TIE_WEIGHT = 1e-3
"""Weight of the generic part of the last goal beside earliest-expiring-first."""


@dataclass(frozen=True)
class Goal:
    """One goal: name, priority (None but for shortfalls), constant, sense.

    Minimised is `constant + costs over columns`; the goal's own value is that times `sign`
    (-1: the goal is stated as a maximum).
    """

    name: str
    priority: int | None
    constant: float
    sign: int

    @property
    def key(self) -> str:
        """`firm_shortfall:1`, `margin`, `tie_break`: its name in proofs and prices."""
        return self.name if self.priority is None else f"firm_shortfall:{self.priority}"


def goals(problem: Problem) -> list[Goal]:
    """Goals in the case's order; the tie-break comes last."""
    orders = problem.case.orders
    firm, priority, mass = orders.flag("firm"), orders.floats("priority"), orders.floats("mass_t")
    found = []
    for name in problem.case.goals:
        if name == "margin":
            found.append(Goal("margin", None, 0.0, -1))
        else:
            found += [
                Goal("firm_shortfall_t", p, float(mass[firm & (priority == p)].sum()), 1)
                for p in problem.priorities
            ]
    return [*found, Goal("tie_break", None, 0.0, 1)]


def generic(count: int, salt: int) -> npt.NDArray[np.float64]:
    """`count` fixed weights in [1, 2) without arithmetic relations (splitmix64 of the position).

    The same on every machine: integer arithmetic only.
    """
    with np.errstate(over="ignore"):
        z = (np.arange(1, count + 1, dtype=np.uint64) + np.uint64(salt << 32)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return 1.0 + (z >> np.uint64(11)).astype(np.float64) / 2.0**53


def expiry_weight(problem: Problem) -> npt.NDArray[np.float64]:
    """G3, per group: (1 + months to expiry) / 121 per t CO2e of value (per unit where it has none)."""
    pools = problem.pools
    lots = np.array([found[0] for found in pools.group_lots], dtype=np.intp)
    value: Column = problem.effects.unit_value.take(lots)
    worth = value.floats()
    weight = (1.0 + pools.group_month) / 121.0 * np.where(worth > 0, worth, 1.0)
    return np.asarray(weight, dtype=np.float64)
