"""One tonne of an order: what its credits are worth at given prices, and the most claim it could carry."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from massbalance.formulation.labels import LEAST_NEED
from massbalance.formulation.problem import CAPS
from massbalance.solving.hot import Hot
from massbalance.solving.stamp import Stamp
from massbalance.solving.tiny import maximise

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]
MOST = 1e6
"""Units of a credit in a tonne: more than any caps allow."""
TIGHT = 1e-9


class Tonne:
    """The rows C4 to C9 of an order's own model at a mass of one tonne, as if every lot were endless."""

    def __init__(self, stamp: Stamp) -> None:
        self.stamp, self.small = stamp, stamp.small
        self.kinds = [equation for equation, _ in self.small.rows]
        self.rows = self.small.matrix.tocsr()
        self.caps, self.claim = self.those(*CAPS), self.those("claim")

    def those(self, *equations: str) -> Positions:
        """Rows of some equations."""
        return np.array([i for i, kind in enumerate(self.kinds) if kind in equations], dtype=np.intp)

    def block(self, rows: Positions) -> tuple[Floats, Floats]:
        """Coefficients over the mixes, and room: mixes @ x <= room."""
        x, y = self.small.x, self.small.y
        mixes = np.asarray(self.rows[rows][:, x].todense(), dtype=np.float64).reshape(len(rows), len(x))
        room = -np.asarray(self.rows[rows][:, y].todense(), dtype=np.float64).reshape(len(rows), len(y))
        return mixes, room.sum(axis=1)

    def price(self, hot: Hot) -> float | None:
        """What the credits of one tonne are worth at the base's prices: what bid prices alone would ask.

        None where no mix under the caps reaches the claim. Never above an LP's floor premium (weak duality).
        """
        mixes, room = self.block(np.concatenate([self.claim, self.caps]))
        if len(self.small.x) == 0:
            return None if (room < 0).any() else 0.0
        pairs = self.stamp.problem.pairs
        balance = self.those("pool_balance")
        cost = pairs.unit_cost.floats()[pairs.pool]
        cost = cost + self.rows[balance][:, self.small.x].T @ self._credit_prices(hot, balance)
        amounts = maximise(-cost, mixes, room, np.full(len(cost), MOST))
        return None if amounts is None else float(cost @ amounts)

    def _credit_prices(self, hot: Hot, balance: Positions) -> Floats:
        """Base price of a unit in each C3 row: the row's, or its cheapest lot's where the row is new."""
        old = self.stamp.row_of < hot.compiled.matrix.shape[0]
        known = np.zeros(len(self.kinds))
        known[old] = hot.prices[self.stamp.row_of[old]]
        supply = np.zeros(len(self.kinds))
        of_lots = self.those("lot_supply", "origin_once")
        supply[of_lots] = known[of_lots]
        of_flow = self.small.matrix[:, self.small.f].T @ supply
        flows = self.rows[balance][:, self.small.f].tocoo()
        cheapest = np.full(len(balance), np.inf)
        np.minimum.at(cheapest, flows.row, of_flow[flows.col])
        return np.where(old[balance], known[balance], cheapest)

    @cached_property
    def need(self) -> float:
        """Claim per t that the level asks for."""
        return float(self.stamp.problem.recipes.need.floats()[0])

    def reach(self) -> tuple[float, Positions]:
        """The greatest claim per t under the caps, and the caps that stop it."""
        value = self.stamp.problem.claim_value
        mixes, room = self.block(self.caps)
        amounts = maximise(value, mixes, room, np.full(len(value), MOST)) if len(value) else np.zeros(0)
        if amounts is None:
            return np.inf, self.caps[:0]
        slack = room - mixes @ amounts
        return float(value @ amounts), self.caps[slack <= TIGHT * np.maximum(1.0, np.abs(room))]

    def out_of_reach(self) -> bool:
        """Does no mix under the caps reach the claim?"""
        most, _ = self.reach()
        return most < self.need - max(LEAST_NEED, TIGHT * self.need)
