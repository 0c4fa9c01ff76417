"""From the master back to the columns and rows of the compiled model."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from massbalance.solving.decomposition.blocks import Blocks
from massbalance.solving.decomposition.generation import Optimum
from massbalance.solving.decomposition.master import Master, Prices
from massbalance.solving.ties import Optimum as Point

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]


def columns_of(master: Master, found: Floats) -> Floats:
    """Columns of the compiled model from those of the master: mixes become amounts and masses."""
    compiled, mixes = master.compiled, master.mixes
    out = np.zeros(compiled.matrix.shape[1])
    out[master.columns] = found[: master.base]
    tonnes = np.maximum(found[master.base :], 0.0)
    out[compiled.x] = np.bincount(
        mixes.pair, weights=mixes.amount * tonnes[mixes.owner], minlength=len(compiled.x)
    )
    out[compiled.y] = np.bincount(mixes.recipe, weights=tonnes, minlength=len(compiled.y))
    return out


def point_of(master: Master, blocks: Blocks, optimum: Optimum) -> Point:
    """The optimum in the compiled model's terms: columns, and a price for every row (C1 to C15)."""
    compiled, prices = master.compiled, optimum.prices
    if optimum.solved.columns is None or prices is None:
        raise ValueError("a limit left no point")
    blocks.refresh(master.answering)
    answers = blocks.answer(master.answering, prices.cost)
    rows = np.zeros(len(compiled.rows))
    rows[master.rows] = prices.rows
    rows[blocks.rows] = blocks.prices(master.answering, prices.cost)
    masses = master.rows[np.maximum(master.mass_row, 0)]
    rows[masses[answers.recipes]] = -answers.cost
    _impossible(master, blocks, prices, rows, masses)
    return Point(columns_of(master, optimum.solved.columns), rows, prices.held)


def _impossible(master: Master, blocks: Blocks, prices: Prices, rows: Floats, masses: Positions) -> None:
    """Prices at which a claim that no mix reaches is worth nobody's while.

    Those of its caps as if nothing were claimed (a lot may earn money), and along their ray, as far as
    it takes.
    """
    stuck = np.flatnonzero(~blocks.possible)
    if len(stuck) == 0:
        return
    worth = np.zeros(blocks.count)
    steps = master.columns[master.steps]
    others = np.where(_of_masses(master), 0.0, rows[master.rows])
    reduced = prices.own[steps] + (master.coupled.T @ others)[master.steps]
    np.maximum.at(worth, master.recipe_of_step, -reduced)
    by_slot = blocks.capped(stuck, prices.cost)
    cost = -np.einsum("nm,nm->n", by_slot, blocks.rhs[stuck])
    need = -blocks.rhs[stuck, 0]
    length = np.maximum(0.0, worth[stuck] - cost) / (need - blocks.reached[stuck])
    by_slot += blocks.ray[stuck] * length[:, None]
    by_slot[:, 0] = length
    slots = blocks.slots[stuck]
    rows[blocks.rows[slots[slots >= 0]]] = by_slot[slots >= 0]
    rows[masses[stuck]] = -np.maximum(worth[stuck], cost)


def _of_masses(master: Master) -> npt.NDArray[np.bool_]:
    found = np.zeros(len(master.rows), dtype=bool)
    found[master.mass_row[master.mass_row >= 0]] = True
    return found
