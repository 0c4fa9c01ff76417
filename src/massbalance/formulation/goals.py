"""The lexicographic goals, each as something to minimise over the model's columns.

G1 `firm_shortfall` (one per priority), G2 `margin`, G3 `tie_break`; of the strategies G4 `tonnage`, G5
`chosen` (one per product), G6 `expiry`, G7 `weighted`, G8 `common_share`, G9 `fair_share` (in stages).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

import numpy as np
import numpy.typing as npt

from massbalance.domain.case import IndexArray
from massbalance.domain.grid import GRID, Column
from massbalance.formulation.problem import Problem
from massbalance.formulation.stakes import lapses

Floats = npt.NDArray[np.float64]
TIE_WEIGHT = 1e-3
"""Weight of the generic part of the last goal beside earliest-expiring-first."""
WORDS = {
    "firm_shortfall_t": "firm_shortfall",
    "tonnage_t": "tonnage",
    "chosen_t": "chosen",
    "expired_tco2e": "expiry",
}
"""Names of goals in summary.json that have a unit in them, and their word in `[objective]`."""
SHARES = ("common_share", "fair_share")
"""Goals that are a share; they are minimised in t: the share times the mass that it is of."""


@dataclass(frozen=True)
class Goal:
    """One goal: name, priority (None but for shortfalls; the stage of a fair share), constant, sense.

    Minimised is `constant + costs over columns`; the goal's own value is that times `sign` (-1: the goal
    is stated as a maximum), divided by `unit` (t that a share is of; else 1). group: product of `chosen`.
    """

    name: str
    priority: int | None
    constant: float
    sign: int
    group: str = ""
    unit: float = 1.0

    @property
    def word(self) -> str:
        """As `[objective]` calls it."""
        return WORDS.get(self.name, self.name)

    @property
    def key(self) -> str:
        """`firm_shortfall:1`, `margin`, `chosen:P`, `tie_break`: its name in proofs and prices."""
        last = self.group if self.priority is None else str(self.priority)
        return f"{self.word}:{last}" if last else self.word


def goals(problem: Problem) -> list[Goal]:
    """Goals in the case's order; the tie-break comes last. A fair share stands for its first stage."""
    found: list[Goal] = []
    for word in problem.case.goals:
        found += _OF_WORD[word](problem)
    return [*found, Goal("tie_break", None, 0.0, 1)]


def _shortfalls(problem: Problem) -> list[Goal]:
    orders = problem.case.orders
    firm, priority, mass = orders.flag("firm"), orders.floats("priority"), orders.floats("mass_t")
    return [
        Goal("firm_shortfall_t", p, float(mass[firm & (priority == p)].sum()), 1) for p in problem.priorities
    ]


def _chosen(problem: Problem) -> list[Goal]:
    names = problem.case.products.text("product")
    return [Goal("chosen_t", None, 0.0, -1, group=str(names[p])) for p in problem.stakes.chosen]


def _expiry(problem: Problem) -> list[Goal]:
    return [Goal("expired_tco2e", None, float(lapsing_value(problem)), 1)]


def _weighted(problem: Problem) -> list[Goal]:
    worth = problem.case.objective.weight("expired_tco2e")
    constant = float(worth * lapsing_value(problem)) if worth else 0.0
    return [Goal("weighted", None, constant, -1)]


def _share(problem: Problem, name: str) -> list[Goal]:
    stakes = problem.stakes
    mass = stakes.common_t if name == "common_share" else stakes.fair_t
    return [Goal(name, None if name == "common_share" else 1, 0.0, -1, unit=mass or 1.0)]


_OF_WORD: dict[str, Callable[[Problem], list[Goal]]] = {
    "firm_shortfall": _shortfalls,
    "margin": lambda _: [Goal("margin", None, 0.0, -1)],
    "tonnage": lambda _: [Goal("tonnage_t", None, 0.0, -1)],
    "chosen": _chosen,
    "expiry": _expiry,
    "weighted": _weighted,
    "common_share": partial(_share, name="common_share"),
    "fair_share": partial(_share, name="fair_share"),
}


@dataclass(frozen=True)
class Costs:
    """What a goal minimises: over supply groups (the same in every period), pairs, steps, and shares.

    None: nothing of that kind.
    """

    group: Floats | None = None
    pair: Floats | None = None
    step: Floats | None = None
    common: float = 0.0
    fair: float = 0.0


def strategy_costs(problem: Problem, goal: Goal) -> Costs:
    """Costs of the goals that strategies add (G4 to G9)."""
    steps = problem.steps
    if goal.name == "common_share":
        return Costs(common=-goal.unit)
    if goal.name == "fair_share":
        return Costs(fair=-goal.unit)
    if goal.name == "tonnage_t":
        return Costs(step=np.full(len(steps), -1.0))
    if goal.name == "chosen_t":
        names = problem.case.products.text("product")
        return Costs(step=np.where(names[steps_product(problem)] == goal.group, -1.0, 0.0))
    if goal.name == "expired_tco2e":
        return _expiry_costs(problem)
    return _weighted_costs(problem)


def _weighted_costs(problem: Problem) -> Costs:
    """G7: margin and tonnage for, what expires against, each by its weight."""
    objective, steps = problem.case.objective, problem.steps
    worth, each = float(objective.weight("margin")), float(objective.weight("tonnage_t"))
    pair = worth * problem.pairs.unit_cost.floats()[problem.pairs.pool]
    step = 0.0 - (worth * steps.premium + each)
    if not problem.stakes.expires:
        return Costs(pair=pair, step=step)
    against, lapse = float(objective.weight("expired_tco2e")), _expiry_costs(problem)
    assert lapse.group is not None and lapse.pair is not None  # noqa: S101, PT018
    return Costs(against * lapse.group, pair + against * lapse.pair, step)


def _expiry_costs(problem: Problem) -> Costs:
    """G6: f brings its pool's worth into the period, x takes it out; a group that lapses gives it free.

    What is carried and not used pays nothing, so at the optimum this is the worth of what lapses unused.
    """
    pools = problem.pools
    worth = pool_worth(problem).floats()
    own = np.where(lapsing_groups(problem), worth[pools.group_pool], 0.0)
    return Costs(group=worth[pools.group_pool] - own, pair=-worth[problem.pairs.pool])


def steps_product(problem: Problem) -> IndexArray:
    """Product of each step (of its first term), shape (J,)."""
    orders = problem.terms.order[problem.steps.first_terms()]
    product = problem.case.products.find(problem.case.orders.text("product"))
    return np.asarray(product[orders], dtype=np.intp)


def lapsing_groups(problem: Problem) -> npt.NDArray[np.bool_]:
    """Supply groups whose lots no period after the last could use. Shape (G,)."""
    lapse = lapses(problem.case, problem.case.rules, problem.windows.expires)
    return np.array([lapse[lots[0]] for lots in problem.pools.group_lots], dtype=bool)


def pool_worth(problem: Problem) -> Column:
    """W_k: t CO2e that a unit of the pool is worth, where some group of it lapses; else 0. Shape (K,)."""
    pools = problem.pools
    some = np.zeros(len(pools.ids), dtype=bool)
    some[pools.group_pool[lapsing_groups(problem)]] = True
    value = problem.effects.unit_value.take(pools.representative)
    return Column.of(np.where(some, value.values, 0), value.decimals)


def lapsing_value(problem: Problem) -> Fraction:
    """What the lots that lapse are worth together, t CO2e, exact."""
    value, grams = problem.effects.unit_value, problem.case.lots.grid("quantity")
    found = Fraction(0)
    for lots, lapse in zip(problem.pools.group_lots, lapsing_groups(problem), strict=True):
        if lapse:
            found += sum((value.fraction(i) * int(grams[i]) for i in lots), Fraction(0))
    return found / GRID


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
