"""What was booked of each goal, exact, and the strategy's entry of summary.json."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from massbalance.books.value import premiums
from massbalance.domain.grid import GRID, decimal_text, multiply, total
from massbalance.domain.result import Allocation
from massbalance.formulation.goals import SHARES, Goal, lapsing_groups
from massbalance.formulation.problem import Problem
from massbalance.formulation.stakes import groups
from massbalance.solving.compiled import Compiled
from massbalance.solving.reach import without_share
from massbalance.solving.solution import Solution

Floats = npt.NDArray[np.float64]
SHARE_DECIMALS = 12


def exact(value: Fraction) -> Decimal:
    """A decimal fraction exactly (denominators of 2 and 5 only)."""
    decimals = 0
    while (value * 10**decimals).denominator != 1:
        decimals += 1
    return Decimal(decimal_text(int(value * 10**decimals), decimals))


def told(goal: Goal, value: Fraction) -> Decimal:
    """A goal's value as summary.json tells it: exact, a share to 12 decimals."""
    return told_share(value) if goal.name in SHARES else exact(value)


def told_share(value: Fraction) -> Decimal:
    """A share to 12 decimals."""
    return Decimal(decimal_text(round(value * 10**SHARE_DECIMALS), SHARE_DECIMALS))


def grams(value: int) -> Decimal:
    """Millionths of a unit as a decimal of the unit."""
    return Decimal(decimal_text(value))


def booked_margin(problem: Problem, allocation: Allocation) -> Fraction:
    """sum premium * claimed - sum unit cost * quantity, exact, in the case's currency."""
    lots = problem.case.lots
    earned, cost = premiums(problem.case, allocation), lots.exact["unit_cost"]
    spent = total(multiply(cost.values, allocation.by_lot(len(lots))))
    return Fraction(total(earned.values), 10**earned.decimals) - Fraction(spent, 10**cost.decimals * GRID)


def booked_expired(problem: Problem, allocation: Allocation) -> Fraction:
    """What the lots that no later period can use are worth, as far as they were not used, t CO2e."""
    case, lapse = problem.case, lapsing_groups(problem)
    value, quantity = problem.effects.unit_value, case.lots.grid("quantity")
    used = allocation.by_lot(len(case.lots))
    found = Fraction(0)
    for lots, gone in zip(problem.pools.group_lots, lapse, strict=True):
        if gone:
            found += sum((value.fraction(i) * (int(quantity[i]) - int(used[i])) for i in lots), Fraction(0))
    return found / GRID


def booked_values(
    problem: Problem, compiled: Compiled, solution: Solution, allocation: Allocation
) -> list[Fraction]:
    """Every goal's value of what was booked, in order, without the tie-break."""
    model = solution.as_solved(compiled)
    left_out = without_share(model)
    return [
        booked_value(problem, allocation, goal, stage.kept, left_out)
        for goal, stage in zip(model.goals, solution.stages, strict=True)
        if goal.name != "tie_break"
    ]


def booked_value(
    problem: Problem,
    allocation: Allocation,
    goal: Goal,
    kept: Floats | None = None,
    left_out: frozenset[int] = frozenset(),
) -> Fraction:
    """A goal's value of what was booked. kept: of a fair share, what each group had to keep in its stage;
    left_out: orders that the common share leaves out.
    """
    orders, claimed = problem.case.orders, allocation.claimed
    if goal.name == "margin":
        return booked_margin(problem, allocation)
    if goal.name == "tonnage_t":
        return Fraction(total(claimed), GRID)
    if goal.name == "chosen_t":
        return Fraction(total(claimed[orders.text("product") == goal.group]), GRID)
    if goal.name == "expired_tco2e":
        return booked_expired(problem, allocation)
    if goal.name == "weighted":
        weight = problem.case.objective.weight
        found = weight("margin") * booked_margin(problem, allocation)
        found += weight("tonnage_t") * Fraction(total(claimed), GRID)
        against = weight("expired_tco2e")
        return found - against * booked_expired(problem, allocation) if against else found
    if goal.name == "common_share":
        mass = orders.grid("mass_t")
        covered = [o for o in problem.stakes.covered.tolist() if o not in left_out]
        return max((Fraction(int(claimed[o]), int(mass[o])) for o in covered), default=Fraction(1))
    if goal.name == "fair_share":
        return _least_share(problem, allocation, kept)
    chosen = orders.flag("firm") & (orders.floats("priority") == goal.priority)
    mass = np.asarray(orders.grid("mass_t"), dtype=np.int64)[chosen]
    return Fraction(total(mass) - total(claimed[chosen]), GRID)


def _least_share(problem: Problem, allocation: Allocation, kept: Floats | None) -> Fraction:
    """The least share among the groups that a stage raises."""
    found = problem.stakes.groups
    held = np.full(len(found), np.nan) if kept is None else kept
    shares = [
        Fraction(total(allocation.claimed[group.orders]), group.mass)
        for group, least in zip(found, held, strict=True)
        if np.isnan(least)
    ]
    return min(shares, default=Fraction(1))


def minimums_missed(problem: Problem, allocation: Allocation) -> bool:
    """Has some group less than its least share, on booked figures?"""
    minimums = problem.stakes.minimums
    return any(Fraction(total(allocation.claimed[m.group.orders]), GRID) < m.least for m in minimums)


def stage_of_groups(solution: Solution) -> list[int]:
    """The last stage of a fair share in which each group was raised; empty where there is none."""
    raised = [stage.kept for stage in solution.stages if stage.goal.name == "fair_share"]
    forms = [kept for kept in raised if kept is not None]
    if not forms:
        return []
    return np.isnan(np.stack(forms)).sum(axis=0).tolist()


def strategy(problem: Problem, allocation: Allocation, solution: Solution) -> dict[str, object]:
    """What the case asked for beside firm orders and margin, and what its groups got."""
    objective, stakes = problem.case.objective, problem.stakes
    stages = stage_of_groups(solution) or [0] * len(stakes.groups)
    least = {(m.group.by, m.group.name): m.share for m in stakes.minimums}
    stage = {(g.by, g.name): n for g, n in zip(stakes.groups, stages, strict=True)}
    kinds = sorted({by for by, _ in [*least, *stage]})
    return {
        "name": objective.strategy,
        "order": list(objective.order),
        "products": list(objective.products),
        "by": objective.by if "fair_share" in objective.order else None,
        "weights": {name: exact(worth) for name, worth in objective.weights},
        "groups": [
            {
                "by": by,
                "group": group.name,
                "ordered_t": grams(group.mass),
                "claimed_t": grams(total(allocation.claimed[group.orders])),
                "service": told_share(Fraction(total(allocation.claimed[group.orders]), group.mass)),
                "minimum": exact(least[by, group.name]) if (by, group.name) in least else None,
                "stage": stage.get((by, group.name)),
            }
            for by in kinds
            for group in groups(problem.case, by)
        ],
    }
