"""From the master back to the columns and rows of the compiled model."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from massbalance.solving.decomposition.blocks import Blocks
from massbalance.solving.decomposition.generation import Optimum
from massbalance.solving.decomposition.master import Master
from massbalance.solving.ties import Optimum as Point

Floats = npt.NDArray[np.float64]


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
    if optimum.solved.columns is None:
        raise ValueError("a limit left no point")
    blocks.refresh(master.answering)
    answers = blocks.answer(master.answering, prices.cost)
    rows = np.zeros(len(compiled.rows))
    rows[master.rows] = prices.rows
    rows[blocks.rows] = blocks.prices(master.answering, prices.cost)
    masses = master.rows[np.maximum(master.mass_row, 0)]
    rows[masses[answers.recipes]] = -answers.cost
    _impossible(master, blocks, prices.own, rows, masses)
    return Point(columns_of(master, optimum.solved.columns), rows, prices.held)


def _impossible(
    master: Master, blocks: Blocks, own: Floats, rows: Floats, masses: npt.NDArray[np.intp]
) -> None:
    """A claim that no mix reaches gets prices at which nobody would pay for it, along its caps' ray."""
    stuck = np.flatnonzero(~blocks.possible)
    if len(stuck) == 0:
        return
    worth = np.zeros(blocks.count)
    steps = master.columns[master.steps]
    reduced = (
        own[steps] + (master.coupled.T @ np.where(_of_masses(master), 0.0, rows[master.rows]))[master.steps]
    )
    np.maximum.at(worth, master.recipe_of_step, -reduced)
    need = -blocks.rhs[stuck, 0]
    length = worth[stuck] / (need - blocks.reached[stuck])
    by_slot = blocks.ray[stuck] * length[:, None]
    by_slot[:, 0] = length
    slots = blocks.slots[stuck]
    rows[blocks.rows[slots[slots >= 0]]] = by_slot[slots >= 0]
    rows[masses[stuck]] = -worth[stuck]


def _of_masses(master: Master) -> npt.NDArray[np.bool_]:
    found = np.zeros(len(master.rows), dtype=bool)
    found[master.mass_row[master.mass_row >= 0]] = True
    return found
