"""Up to which price: what a purchase offer is worth, by solves with and without it."""

from __future__ import annotations

from dataclasses import dataclass

from massbalance.purchase.desk import LEAST_T, NOISE, Desk, Reached
from massbalance.purchase.model import PurchaseModel

MOST_STEPS = 60
"""Each step finds a smaller quantity at a higher price: quantities of a plan are few."""


@dataclass(frozen=True)
class Worth:
    """What an offer is worth, all else decided again; money per unit of its lot.

    bid: what its first units are worth at the prices of the plan without it; mends: goals before the
    margin that are worse without it -> by how much (firm shortfall in t by goal), so that no price is too
    high; gain: margin that the advised purchase earns beyond its cost (None where it mends); break_even:
    highest price_per_uom at which some of it is bought (None where it mends; 0: not even for nothing);
    at_quantity: what is then bought; advised_break_even: highest price at which the advised quantity is
    better bought as a whole than not at all (None: not advised); gap: greatest gap of these solves.
    """

    bid: float
    mends: dict[str, float]
    gain: float | None
    break_even: float | None
    at_quantity: float
    advised_break_even: float | None
    gap: float


class Valuer:
    """Values offers against a plan. plan: the goals of that plan up to the margin, and its point."""

    def __init__(self, desk: Desk, plan: Reached) -> None:
        self.desk, self.model, self.plan = desk, desk.model, plan

    def worth(self, offer: int, advised: float) -> Worth:
        """What an offer is worth; advised: what the plan buys of it. OutOfTime where the limit came first."""
        name = self.model.sets.offers[offer].lot
        without = self.plan
        if advised > 0:
            without = self.desk.best(self.model.without(offer), f"{name}: the plan without it")
        bid = self.desk.bid(self.model, offer, without)
        mends = self._mends(offer, without, advised)
        gap = without.gap
        if mends:
            return Worth(bid, mends, None, None, advised, None, gap)
        gain = without.minima[-1] - self.plan.minima[-1] if advised > 0 else 0.0
        start = advised if advised > 0 else float(self.model.sets.most[offer])
        if start <= 0:
            return Worth(bid, {}, gain, 0.0, 0.0, None, gap)
        free = self._free(offer, start, without)
        if free is None:
            return Worth(bid, {}, gain, 0.0, 0.0, None, gap)
        first = (without.minima[-1] - free.minima[-1]) / start
        price, quantity, found = self._break_even(offer, without, first, start)
        return Worth(
            bid, {}, gain, price, quantity, first if advised > 0 else None, max(gap, free.gap, found)
        )

    def _mends(self, offer: int, without: Reached, advised: float) -> dict[str, float]:
        """Goals before the margin that the offer betters, whatever it costs (its cost outside the budget)."""
        model, plan = self.model, self.plan
        if model.sets.budget is not None:
            # the budget may be why it is not bought
            name = model.sets.offers[offer].lot
            plan = self.desk.best(model.at_price(offer, 0.0), f"{name}: outside the budget")
        elif advised <= 0:
            return {}
        goals = [goal.key for goal in model.compiled.goals[: model.margin]]
        worse = {key: without.minima[n] - plan.minima[n] for n, key in enumerate(goals)}
        worse = {key: t for key, t in worse.items() if abs(t) > LEAST_T}
        # the first that differs decides, in the order of the goals
        return worse if next(iter(worse.values()), 0.0) > 0 else {}

    def _free(self, offer: int, quantity: float, without: Reached) -> Reached | None:
        """The margin with a quantity of the offer for its fixed cost alone.

        None where another of its group mends a promise: then this one is not bought at any price.
        """
        model = self.model.at_price(offer, 0.0).between({offer: (quantity, quantity)})
        what = f"{self.model.sets.offers[offer].lot}: for nothing"
        if not any(offer in members for members in model.sets.groups.values()):
            return self.desk.margin(model, without.minima[:-1], what)
        found = self.desk.best(model, what)
        pairs = zip(found.minima[:-1], without.minima[:-1], strict=True)
        return None if any(a > b + LEAST_T for a, b in pairs) else found

    def _break_even(
        self, offer: int, without: Reached, price: float, quantity: float
    ) -> tuple[float, float, float]:
        """Highest price at which some of it is bought, that quantity, and the greatest gap.

        price: what some plan that buys `quantity` breaks even at.

        The greatest of (gain of a plan that buys q - fixed cost) / q over all plans, by Dinkelbach: at a
        price that a plan breaks even at, the best plan is either no better than buying nothing, or breaks
        even at a higher price. Where the whole is not worth its fixed cost, no part of it is.
        """
        base, gap = without.minima[-1], 0.0
        noise = NOISE * max(1.0, abs(base))
        if price * quantity <= noise:
            return 0.0, 0.0, gap
        name = self.model.sets.offers[offer].lot
        for _ in range(MOST_STEPS):
            trial = self.model.at_price(offer, price)
            found = self.desk.margin(trial, without.minima[:-1], f"{name}: at {price:.6g}")
            gap = max(gap, found.gap)
            gain, bought = base - found.minima[-1], float(found.columns[self.model.bought[offer]])
            if gain <= noise or bought <= LEAST_T:
                break
            price, quantity = price + gain / bought, bought
        return price, quantity, gap


def greedy(desk: Desk, nothing: Reached, order: list[int]) -> Reached:
    """Buying down a list: of each offer in turn as much as pays beside what is bought already, no later one.

    nothing: the plan that buys nothing. OutOfTime where the limit came first.
    """
    model, sets = desk.model, desk.model.sets
    bounds = dict.fromkeys(range(len(sets.offers)), (0.0, 0.0))
    best = nothing
    for i in order:
        mates = {n for members in sets.groups.values() if i in members for n in members}
        if sets.most[i] <= 0 or any(bounds[n][1] > 0 for n in mates):
            continue
        trial = model.between(bounds | {i: (0.0, float(sets.most[i]))})
        found = desk.best(trial, f"down the list: {sets.offers[i].lot}", after_margin=True)
        bought = float(found.columns[model.bought[i]])
        if bought > LEAST_T and _better(model, found, best):
            best, bounds[i] = found, (bought, bought)
    return best


def _better(model: PurchaseModel, found: Reached, than: Reached) -> bool:
    """Is a plan better, goal by goal in order?"""
    for n, (a, b) in enumerate(zip(found.minima, than.minima, strict=True)):
        least = NOISE * max(1.0, abs(b)) if n == model.margin else LEAST_T
        if abs(a - b) > least:
            return a < b
    return False
