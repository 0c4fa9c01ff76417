"""One order in integers: the amounts of each pool at a given claimed mass, or the mass they allow.

The solver's mix says how much of each pool; this makes whole millionths of it such that the claim
and every cap hold on booked figures, by steps of a few units, never breaking one row for another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import product

import numpy as np
import numpy.typing as npt

from massbalance.booking.clear import clear_mix
from massbalance.booking.knife import whole_masses
from massbalance.booking.ledger import Draw, Ledger
from massbalance.booking.recipe import CREDITED, RecipeBook, Row
from massbalance.domain.grid import IntArray, shrink

ROUNDS = 60
"""Repairs of one trial before a smaller mass is tried; each repair closes one row's violation."""


ROUNDING_G = 64
"""What repairing the solver's mix may cost an order before another mix is tried, g."""
SCANNED_G = 256
"""How far below the solver's mass every gram is tried."""
WORTH_G = 2
"""What is not worth trying for."""
ROUNDING_UNITS = 32
"""What rounding alone can leave missing, in units of the heaviest pool."""
REACH = {1: 64, 2: 32, 3: 7, 4: 3, 5: 2}
"""How many units each pool may move in a search, by the number of pools."""


TRIES = 16
"""How many moves are tried lot by lot."""


@cache
def _steps(pools: int) -> npt.NDArray[np.int64]:
    """Moves of several pools at once, the smallest first. Shape (moves, pools)."""
    reach = REACH[pools]
    moves = product(range(-reach, reach + 1), repeat=pools)
    return np.array(sorted(moves, key=lambda m: (sum(abs(d) for d in m), m)), dtype=np.int64)


@dataclass
class Trial:
    """Amounts per pool with the lots they would come from, and what would be booked."""

    claimed: int
    amounts: dict[int, int]
    draws: dict[int, tuple[Draw, list[tuple[int, int, int]]]]
    measures: dict[int, tuple[int, int, int]]


class Fitter:
    """Fits the orders of one recipe to what the ledger still has.

    price: what a unit of a pool costs each goal; worth: what a tonne of the order brings each.
    """

    def __init__(
        self,
        book: RecipeBook,
        ledger: Ledger,
        mix: Mapping[int, float],
        price: Callable[[int], tuple[float, ...]],
        worth: tuple[float, ...],
    ) -> None:
        self.book = book
        self.ledger = ledger
        self.mix = mix
        self.urgent = self.capped = self.exact = False
        self.price = price
        self.worth = worth

    @cached_property
    def scarce(self) -> set[int]:
        """Pools that other orders would pay for."""
        return {k for k in self.book.pools if any(v > 0 for v in self.price(k))}

    @cached_property
    def adjusters(self) -> list[int]:
        """Pools that serve the claim, first what costs least per unit of it: what is not scarce is free."""
        claim = self.book.claim
        per_unit = {k: c * self.book.pools[k].per_unit(claim.measure) for k, c in claim.coefs.items()}

        def key(k: int) -> tuple[float, ...]:
            return (*(round(v / per_unit[k], 12) for v in self.price(k)), -self.mix.get(k, 0.0), k)

        return sorted(per_unit, key=key)

    def fit(self, target: int, least: int, *, draw_more: bool = True, urgent: bool = False) -> Trial | None:
        """The greatest mass near `target` (g), not below `least`, that holds in integers.

        draw_more: more of a lot may close a gap (else less mass); urgent: other periods' plans
        give way.

        The mix of the solver first; where its repair costs more than rounding should, a mix
        that keeps clear of every row by what rounding can move it.
        """
        self.urgent, self.capped, self.exact = urgent, False, least >= target
        found = None
        for claimed in self._masses(target, least):
            found = self._repair(self._start(claimed), draw_more=draw_more)
            if found is not None and found.claimed >= least:
                break
            found = None
        if found is not None and found.claimed >= target - ROUNDING_G:
            return self._finer(found, target) if draw_more else found
        enough = max(least, found.claimed + 1 if found is not None else 1)
        for by_mass in (True, False):
            clear = self._clear(target, by_mass=by_mass)
            if clear is not None and clear.claimed >= enough:
                return clear
        for claimed, amounts in whole_masses(self.book, self.mix, target, enough):
            self.ledger.forget()
            trial = Trial(claimed, {}, {}, {})
            if self._try(trial, amounts):
                return trial
        return None if found is None else self._finer(found, target)

    def _finer(self, found: Trial, target: int) -> Trial:
        """The greatest mass above what a repair found at which caps happen to leave whole grams.

        Where the lots ran out no other mass is better.
        """
        far = found.claimed < target - SCANNED_G
        if not self.capped or (far and any(self._stock(k) <= found.amounts.get(k, 0) for k in self.mix)):
            return found
        for claimed in range(target, max(found.claimed, target - SCANNED_G), -1):
            if claimed <= found.claimed + WORTH_G:
                break
            trial = self._repair(self._start(claimed), draw_more=True, give=False)
            if trial is not None:
                return trial
        # what was tried since has other lots pending: draw the better trial's again
        self._redraw(found)
        return found

    def _redraw(self, trial: Trial) -> None:
        self.ledger.forget()
        for k, amount in list(trial.amounts.items()):
            self._set(trial, k, amount)

    def _clear(self, target: int, *, by_mass: bool) -> Trial | None:
        """The mix that keeps clear of every row, in integers."""
        self.ledger.forget()
        stock = {k: self._stock(k) for k in sorted(self.book.pools)}
        found = clear_mix(self.book, stock, self.mix, self.scarce, target, by_mass=by_mass)
        if found is None:
            return None
        trial = Trial(found.claimed, {}, {}, {})
        self.ledger.forget()
        for k, amount in found.amounts.items():
            self._set(trial, k, amount)
        return self._repair(trial, draw_more=True)

    def _stock(self, pool: int) -> float:
        draw, _ = self.ledger.pick(pool, self.book.period, 2**62, urgent=self.urgent)
        self.ledger.pending.pop(pool, None)
        return float(sum(draw.values()))

    def _masses(self, target: int, least: int) -> Iterator[int]:
        """Masses to try: the target, a little less, then round ones where caps meet the claim."""
        tried = set()
        candidates = [target - d for d in (*range(9), 16, 32, 64, 128, 256, 512, 1024)]
        candidates += [target - target % 10**p for p in range(1, 7)]
        candidates.append(target - target % self.book.whole_step)
        for mass in sorted(candidates, reverse=True):
            if mass >= max(least, 1) and mass not in tried:
                tried.add(mass)
                yield mass

    def _start(self, claimed: int) -> Trial:
        """The mix at this mass, each pool rounded to the nearest booked unit."""
        self.ledger.forget()
        trial = Trial(claimed, {}, {}, {})
        for k, per_t in self.mix.items():
            pool = self.book.pools[k]
            wanted = per_t * claimed
            if pool.rate[0] > 0:
                credited = round(wanted * pool.rate[0] / pool.rate[1])
                amount = pool.for_credited(credited)
            else:
                amount = round(wanted)
            self._set(trial, k, max(0, amount))
        return trial

    def _set(self, trial: Trial, pool: int, amount: int) -> None:
        """Give the pool this amount, or all that is left of it."""
        draw, parts = self.ledger.pick(pool, self.book.period, amount, urgent=self.urgent)
        trial.amounts[pool] = sum(draw.values())
        trial.draws[pool] = (draw, parts)
        booked = [self.book.pools[pool].measures(q) for q in draw.values()]
        trial.measures[pool] = (
            sum(b[0] for b in booked), sum(b[1] for b in booked), sum(b[2] for b in booked)
        )  # fmt: skip

    def _sum(self, trial: Trial, row: Row) -> int:
        coefs, measure = row.coefs, row.measure
        return sum(coefs[k] * m[measure] for k, m in trial.measures.items() if k in coefs)

    def _excess(self, trial: Trial, row: Row) -> int:
        return self._sum(trial, row) - self.book.room(row, trial.claimed)

    def _repair(self, trial: Trial, *, draw_more: bool, give: bool = True) -> Trial | None:
        """Close violations one by one; None where that does not end well.

        give: may a search over several pools and a smaller mass close them.
        """
        before: tuple[int, int] | None = None
        for _ in range(ROUNDS):
            broken = next((row for row in self.book.caps if self._excess(trial, row) > 0), None)
            if broken is not None:
                self.capped = True
                if not self._lower(trial, broken):
                    return None
                continue
            missing = -self._excess(trial, self.book.claim)
            if missing <= 0:
                return trial
            if draw_more and (self._raise(trial, missing) or (give and self._search(trial, missing))):
                continue
            if not give:
                return None
            at = (trial.claimed, missing)
            if not self._shrink(trial, before, missing):
                return None
            before = at
        return None

    def _lower(self, trial: Trial, row: Row) -> bool:
        """Take the excess of a cap off the pool that weighs most on it and least on the claim."""
        claim = self.book.claim
        users = [k for k, c in row.coefs.items() if c > 0 and trial.amounts.get(k, 0) > 0]
        if not users:
            return self._dilute(trial, row)
        k = min(users, key=lambda k: (claim.coefs.get(k, 0) > 0, -row.coefs[k], k))
        step = max(1, self.book.pools[k].units_for(self._excess(trial, row), row.coefs[k], row.measure))
        self._set(trial, k, max(0, trial.amounts[k] - step))
        return True

    def _dilute(self, trial: Trial, row: Row) -> bool:
        """Only diluting pools stand in the row: more of one makes room."""
        for k in (k for k, c in row.coefs.items() if c < 0):
            before = trial.amounts.get(k, 0)
            self._set(trial, k, before + 1)
            if trial.amounts[k] > before:
                return True
        return False

    def _raise(self, trial: Trial, missing: int) -> bool:
        """More of a pool that serves the claim, where stock and caps allow it."""
        claim = self.book.claim
        for k in self.adjusters:
            pool, before = self.book.pools[k], trial.amounts.get(k, 0)
            step = max(1, pool.units_for(missing, claim.coefs[k], claim.measure))
            if pool.rate[0] > 0 and claim.measure == CREDITED:
                step = max(step, pool.for_credited(trial.measures.get(k, (0, 0, 0))[1] + 1) - before)
            if self._too_dear(k, step, missing):
                continue
            self._set(trial, k, before + step)
            gained = trial.amounts[k] > before
            if gained and all(self._excess(trial, row) <= 0 for row in self.book.caps if k in row.coefs):
                return True
            self._set(trial, k, before)
        return False

    def _too_dear(self, pool: int, step: int, missing: int) -> bool:
        """Would less mass cost the goals less, the first goal first? Exact orders have no choice."""
        if self.exact:
            return False
        less = missing / self.book.claim.rhs
        cost = tuple(round(v * step, 6) for v in self.price(pool))
        return cost > tuple(round(w * less, 6) for w in self.worth)

    def _search(self, trial: Trial, missing: int) -> bool:
        """Where single steps break one row for another: a few units of several pools at once.

        Only for what rounding can have left, and over the few pools that the trial uses.
        """
        pools = sorted((k for k, n in trial.amounts.items() if n > 0), key=lambda k: -trial.amounts[k])[:5]
        weights = [
            c * self.book.pools[k].per_unit(self.book.claim.measure) for k, c in self.book.claim.coefs.items()
        ]
        if not pools or missing > ROUNDING_UNITS * max(weights, default=0.0):
            return False
        before = dict(trial.amounts)
        # the mix at the claimed mass itself: what was repaired so far may have led astray
        near = {k: round(self.mix.get(k, 0.0) * trial.claimed) or before[k] for k in pools}
        steps = _steps(len(pools))
        for n in np.flatnonzero(self._all_hold(trial, near, steps))[:TRIES]:
            amounts = {k: near[k] + int(d) for k, d in zip(pools, steps[n], strict=True)}
            if self._try(trial, amounts):
                return True
        for k, amount in before.items():
            self._set(trial, k, amount)
        return False

    def _all_hold(
        self, trial: Trial, near: Mapping[int, int], steps: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.bool_]:
        """For each move from `near` (in order of its pools): would every row hold? Shape (moves,).

        The point itself is summed in Python integers; what moves change is little, and in int64
        where that is provably enough.
        """
        reach = int(steps.max(initial=0))
        deltas = range(-reach, reach + 1)
        base = {k: self.book.pools[k].measures(n) for k, n in near.items()}
        moved = {k: [self.book.pools[k].measures(max(0, n + d)) for d in deltas] for k, n in near.items()}
        fixed = {k: m for k, m in trial.measures.items() if k not in near}
        good = np.ones(len(steps), dtype=bool)
        for i, n in enumerate(near.values()):
            good &= n + steps[:, i] >= 0
        for row in (self.book.claim, *self.book.caps):
            excess = sum(
                c * (fixed | base)[k][row.measure] for k, c in row.coefs.items() if k in fixed | base
            )
            excess -= self.book.room(row, trial.claimed)
            change: IntArray = np.zeros(len(steps), dtype=np.int64)
            for i, k in enumerate(near):
                c = row.coefs.get(k, 0)
                if c:
                    by_step = np.array(
                        [c * (m[row.measure] - base[k][row.measure]) for m in moved[k]], dtype=object
                    )
                    change = change + shrink(by_step)[steps[:, i] + reach]
            good &= change >= -excess if row is self.book.claim else change <= -excess
        return good

    def _holds(self, row: Row, booked: Mapping[int, tuple[int, int, int]], claimed: int) -> bool:
        value = sum(c * booked[k][row.measure] for k, c in row.coefs.items() if k in booked)
        room = self.book.room(row, claimed)
        return value >= room if row is self.book.claim else value <= room

    def _try(self, trial: Trial, amounts: Mapping[int, int]) -> bool:
        """Are the amounts to be had, and do the rows hold lot by lot?"""
        for k, amount in amounts.items():
            self._set(trial, k, amount)
            if trial.amounts[k] != amount:
                return False
        return all(
            self._holds(row, trial.measures, trial.claimed) for row in (self.book.claim, *self.book.caps)
        )

    def _shrink(self, trial: Trial, before: tuple[int, int] | None, missing: int) -> bool:
        """Claim only what the amounts support; caps are checked again at the smaller mass.

        Where caps follow the mass down, so does the claim: the second time the secant of what
        was missing before and now leads to where nothing is missing.
        """
        rhs = self.book.claim.rhs
        supported = self._sum(trial, self.book.claim) // rhs if rhs > 0 else trial.claimed
        if before is not None and missing < before[1] and trial.claimed < before[0]:
            fall = -(-missing * (before[0] - trial.claimed) // (before[1] - missing))
            supported = min(supported, trial.claimed - fall)
        if supported <= 0:
            return False
        trial.claimed = min(trial.claimed - 1, supported)
        return True
