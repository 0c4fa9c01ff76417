"""The advice as a whole: the plan, the same without buying, down a list of prices, and each offer's worth.

purchases = read_purchases(Path("data/aluminium"), Path("data/aluminium/purchases/summer.csv"))
advice = advise(purchases)
advice.offers[0].quantity, advice.offers[0].worth.break_even
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from massbalance.domain.faults import CaseRefused, Fault
from massbalance.domain.grid import GRID
from massbalance.purchase.desk import LEAST_T, Desk, OutOfTime, Reached
from massbalance.purchase.model import PurchaseModel, build_purchase_arrays
from massbalance.purchase.offers import PurchaseOffer, Purchases
from massbalance.purchase.sets import Sets, build_sets
from massbalance.purchase.worth import Valuer, Worth, greedy
from massbalance.quote.losers import claimed
from massbalance.solving.solution import TIME_LIMIT, Solution

Floats = npt.NDArray[np.float64]
Progress = Callable[[str], None]
KNOWN_GOALS = ("firm_shortfall_t", "margin", "tie_break")
SNAP = 0.1
"""A solver's quantity may lie this part of a millionth above a whole one and still be it."""


@dataclass(frozen=True)
class Advised:
    """What is advised on one purchase offer.

    quantity: to be bought, on the grid (0: do not buy); cost: of that, exact; used: period -> quantity;
    worth: None where the time limit came first.
    """

    offer: PurchaseOffer
    quantity: Fraction
    cost: Fraction
    used: dict[str, float]
    worth: Worth | None

    @property
    def unused(self) -> float:
        """What is bought and not used by the end of the last period."""
        return max(0.0, float(self.quantity) - sum(self.used.values()))


@dataclass(frozen=True)
class Goal:
    """A goal's value, as in summary.json, in three plans (None: the limit came first).

    The margin is before what purchases cost. nothing: without buying; plan: as advised; listed: down a
    list of prices.
    """

    name: str
    priority: int | None
    nothing: float | None
    plan: float
    listed: float | None


@dataclass(frozen=True)
class Advice:
    """What to buy.

    status: `optimal` or `limit`; gap: greatest relative gap of the plan; goals: in order; offers: in the
    order of the case's lots; changes: order -> claimed t more (or less) than without buying; listed: what
    buying down the list buys, None where the limit came first; cost, listed_cost: exact.
    """

    purchases: Purchases
    budget: Fraction | None
    status: str
    stopped_by: str
    gap: float
    goals: tuple[Goal, ...]
    offers: tuple[Advised, ...]
    cost: Fraction
    changes: dict[str, float]
    listed: dict[str, Fraction] | None
    listed_cost: Fraction
    seconds: dict[str, float] = field(default_factory=dict, compare=False)

    @property
    def bought(self) -> dict[str, Fraction]:
        """Lot -> quantity to be bought, on the grid."""
        return {one.offer.lot: one.quantity for one in self.offers if one.quantity > 0}


def advise(
    purchases: Purchases,
    *,
    budget: Fraction | None = None,
    time_limit: float | None = None,
    gap: float = 0.0,
    progress: Progress | None = None,
) -> Advice:
    """What to buy of the purchase offers, and what each is worth.

    budget: greatest cost of all purchases together, currency; time_limit: seconds of all solves together;
    gap: relative MIP gap. CaseRefused where the case has goals that purchases are not stated for.
    """
    begun = time.perf_counter()
    model = build_purchase_arrays(build_sets(purchases, budget))
    _check_goals(model)
    desk = Desk(model, time_limit, gap, progress or (lambda _: None))
    everything = tuple(range(len(model.sets.offers)))
    plan = desk.plan(model, "planning purchases")
    nothing = desk.plan(model.without(*everything), "the plan without purchases")
    seconds = {"plan": time.perf_counter() - begun}
    quantities = _quantities(model.sets, model, plan.columns)
    worths = _worths(desk, plan, quantities)
    seconds["worth"] = time.perf_counter() - begun - seconds["plan"]
    listed = _down_the_list(desk, nothing)
    seconds["total"] = time.perf_counter() - begun
    return _advice(
        purchases, model, budget, plan, nothing, quantities, worths, listed, seconds
    )  # fmt: skip


def _check_goals(model: PurchaseModel) -> None:
    others = [goal.name for goal in model.compiled.goals if goal.name not in KNOWN_GOALS]
    if model.sets.problem.case.objective.minimums:
        others.append("minimum_service")
    if others:
        expected = "firm_shortfall and margin alone: purchases are weighed by these"
        raise CaseRefused([Fault("case", None, "objective", ", ".join(others), expected, "setting")])


def _quantities(sets: Sets, model: PurchaseModel, columns: Floats) -> tuple[Fraction, ...]:
    """What the plan buys, on the grid: rounded up, so that nothing falls short; down where that is dear."""
    found = tuple(_on_grid(sets, model, columns, i, SNAP) for i in range(len(sets.offers)))
    if sets.budget is not None and _cost(sets, found) > sets.budget:
        return tuple(_on_grid(sets, model, columns, i, 1 - SNAP) for i in range(len(sets.offers)))
    return found


def _on_grid(sets: Sets, model: PurchaseModel, columns: Floats, i: int, above: float) -> Fraction:
    """A quantity on the grid; above: up to this part of a millionth is dropped."""
    offer, value = sets.offers[i], float(columns[model.bought[i]])
    if value < LEAST_T or (model.buy[i] >= 0 and columns[model.buy[i]] < 0.5):
        return Fraction(0)
    if offer.size is not None:
        return round(float(columns[model.count[i]])) * offer.size
    grams = Fraction(-int(-(value * GRID - above) // 1), GRID)
    return min(max(grams, offer.least), sets.most[i])


def _cost(sets: Sets, quantities: tuple[Fraction, ...]) -> Fraction:
    pairs = zip(sets.offers, quantities, strict=True)
    return sum((o.fixed + o.price * q for o, q in pairs if q > 0), start=Fraction(0))


def _worths(desk: Desk, plan: Solution, quantities: tuple[Fraction, ...]) -> list[Worth | None]:
    count = desk.model.margin + 1
    none: list[Worth | None] = [None] * len(quantities)
    if plan.status != "optimal":
        return none
    point = Reached(tuple(s.minimum for s in plan.stages[:count]), plan.columns, plan.solver_gap)
    valuer = Valuer(desk, point)
    for i, quantity in enumerate(quantities):
        try:
            none[i] = valuer.worth(i, float(quantity))
        except OutOfTime:
            break
    return none


def _down_the_list(desk: Desk, nothing: Solution) -> Reached | None:
    """Cheapest first: by what a unit costs in all, per t CO2e of its value (where it has one)."""
    sets, goals = desk.model.sets, len(desk.model.compiled.goals) - 1
    if nothing.status != "optimal":
        return None
    value = sets.problem.effects.unit_value

    def price(i: int) -> tuple[Fraction, int]:
        offer = sets.offers[i]
        per_unit = offer.price + (offer.fixed / sets.most[i] if sets.most[i] > 0 else offer.fixed)
        worth = value.fraction(offer.position)
        return per_unit / worth if worth > 0 else per_unit, i

    base = Reached(tuple(s.minimum for s in nothing.stages[:goals]), nothing.columns, 0.0)
    try:
        return greedy(desk, base, sorted(range(len(sets.offers)), key=price))
    except OutOfTime:
        return None


def _advice(
    purchases: Purchases, model: PurchaseModel, budget: Fraction | None, plan: Solution, nothing: Solution,
    quantities: tuple[Fraction, ...], worths: list[Worth | None],
    listed: Reached | None, seconds: dict[str, float],
) -> Advice:  # fmt: skip
    sets = model.sets
    none = tuple(Fraction(0) for _ in sets.offers)
    of_list = none if listed is None else _quantities(sets, model, listed.columns)
    complete = listed is not None and all(worth is not None for worth in worths)
    proven = complete and plan.status == nothing.status == "optimal"
    return Advice(
        purchases=purchases,
        budget=budget,
        status="optimal" if proven else "limit",
        stopped_by="" if proven else TIME_LIMIT,
        gap=max(plan.solver_gap, nothing.solver_gap),
        goals=_goals(model, nothing, (plan, _cost(sets, quantities)), (listed, _cost(sets, of_list))),
        offers=tuple(
            Advised(
                offer, quantities[i], _cost(sets, _only(quantities, i)), _used(model, plan.columns, i),
                worths[i],
            )
            for i, offer in enumerate(sets.offers)
        ),
        cost=_cost(sets, quantities),
        changes=_changes(model, nothing, plan),
        listed=None
        if listed is None
        else {offer.lot: q for offer, q in zip(sets.offers, of_list, strict=True) if q > 0},
        listed_cost=_cost(sets, of_list),
        seconds=seconds,
    )  # fmt: skip


def _goals(
    model: PurchaseModel,
    nothing: Solution,
    plan: tuple[Solution, Fraction],
    listed: tuple[Reached | None, Fraction],
) -> tuple[Goal, ...]:
    """Every goal but the tie-break in the three plans; what each buys is not in its margin."""
    compiled = model.compiled
    proven = nothing.status == "optimal"

    def value(minima: Sequence[float], number: int, cost: Fraction) -> float:
        own = compiled.goals[number].sign * (minima[number] + float(compiled.offsets[number]))
        return own + float(cost) if number == model.margin else own

    without, bought = ([stage.minimum for stage in one.stages] for one in (nothing, plan[0]))
    return tuple(
        Goal(
            goal.name,
            goal.priority,
            value(without, n, Fraction(0)) if proven else None,
            value(bought, n, plan[1]),
            None if listed[0] is None else value(listed[0].minima, n, listed[1]),
        )
        for n, goal in enumerate(compiled.goals[:-1])
    )


def _changes(model: PurchaseModel, nothing: Solution, plan: Solution) -> dict[str, float]:
    """Order -> claimed t more than without buying; nothing where that is not known."""
    if nothing.status != "optimal":
        return {}
    problem, orders = model.sets.problem, model.sets.problem.names.orders
    before, after = (claimed(problem, model.compiled, one.columns) for one in (nothing, plan))
    changed = np.flatnonzero(np.abs(after - before) >= LEAST_T)
    return {str(orders[o]): float(after[o] - before[o]) for o in changed}


def _only(quantities: tuple[Fraction, ...], i: int) -> tuple[Fraction, ...]:
    return tuple(q if n == i else Fraction(0) for n, q in enumerate(quantities))


def _used(model: PurchaseModel, columns: Floats, i: int) -> dict[str, float]:
    """Period -> quantity of an offer that is used then."""
    compiled, periods = model.compiled, model.sets.problem.names.periods
    used: dict[str, float] = {}
    for column, (group, period) in zip(compiled.f.tolist(), compiled.flows, strict=True):
        if group == model.sets.group_of[i] and columns[column] >= LEAST_T:
            used[str(periods[period])] = float(columns[column])
    return used
