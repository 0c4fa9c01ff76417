"""The same model without scope caps that follow from others: for solves that are asked for many times.

C9 has a row for every union of scope sets. Where the sets within such a union fall into parts that share no
scope, its row is the sum of the parts' rows, and says nothing.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from massbalance.formulation.coefficients import scope_bits
from massbalance.formulation.problem import ALL_SCOPES, Problem
from massbalance.solving.compiled import Compiled
from massbalance.solving.rows import RowLabels

Bools = npt.NDArray[np.bool_]


def connected(cut: int, sets: list[int]) -> bool:
    """Do the sets within a cut hang together? All as bits; sets outside the cut do not count."""
    inside = [one for one in sets if one & ~cut == 0]
    reached = cut & -cut
    for _ in inside:
        for one in inside:
            reached |= one if one & reached else 0
    return reached == cut


def _present(problem: Problem) -> Bools:
    """Which scope sets (bits) the reducing pairs of each recipe have. Shape (R, 8)."""
    pairs = problem.pairs
    present = np.zeros((len(problem.recipes), ALL_SCOPES + 1), dtype=bool)
    reduces = np.flatnonzero(problem.reduction > 0)
    present[pairs.recipe[reduces], pairs.coefficients.scopes[pairs.pool[reduces]]] = True
    return present


def lean(problem: Problem, compiled: Compiled) -> Compiled:
    """The model without the scope caps that are sums of others; its columns are the same."""
    if not isinstance(compiled.rows, RowLabels):
        return compiled
    where, family = compiled.rows.family("scope_cap")
    if family is None or family.second is None or not family.words:
        return compiled
    kinds, kind = np.unique(_present(problem), axis=0, return_inverse=True)
    cuts = [scope_bits(cut) for cut in family.words]  # type: ignore[arg-type]
    says = np.array([[connected(cut, np.flatnonzero(one).tolist()) for cut in cuts] for one in kinds])
    keep = np.ones(len(compiled.rows), dtype=bool)
    keep[where] = says[kind.ravel()[family.first], family.second]
    kept = np.flatnonzero(keep)
    return replace(
        compiled,
        matrix=compiled.matrix.tocsr()[kept].tocsc(),
        row_lower=compiled.row_lower[kept],
        row_upper=compiled.row_upper[kept],
        rows=compiled.rows.take(kept),
    )
