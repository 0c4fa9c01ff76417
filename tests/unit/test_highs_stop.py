"""A solve that was stopped for its time stops no later one: HiGHS remembers what it was last told."""

from __future__ import annotations

import time

import numpy as np
import pytest
import scipy.sparse

from massbalance.solving import highs
from massbalance.solving.compiled import Compiled
from massbalance.solving.highs import Highs, SolverError


def knapsacks(columns: int, rows: int) -> Compiled:
    """A MIP that takes longer than a test may."""
    draw, none = np.random.default_rng(0), np.zeros(0, dtype=np.intp)
    matrix = scipy.sparse.csc_array(draw.integers(1, 1000, size=(rows, columns)).astype(np.float64))
    return Compiled(
        matrix=matrix,
        costs=-draw.integers(1, 1000, size=(1, columns)).astype(np.float64),
        offsets=np.zeros(1),
        row_lower=np.full(rows, -np.inf),
        row_upper=np.asarray(matrix.sum(axis=1)) / 2,
        lower=np.zeros(columns),
        upper=np.ones(columns),
        integer=np.ones(columns, dtype=bool),
        rows=tuple(("row", n) for n in range(rows)),
        goals=(),
        flows=(),
        f=none, x=none, y=none, step=none, take=none,
        origin_size={},
    )  # fmt: skip


def test_after_a_stop_the_next_solve_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    made = knapsacks(120, 60)
    model = Highs(made, integers=True)
    model.set_costs(made.costs[0])
    # stopped from outside before HiGHS looks at its own clock
    monkeypatch.setattr(highs, "OVERRUN_S", -0.8)
    stopped = model.solve(deadline=time.monotonic() + 1.0)
    assert stopped.status == "limit"
    assert stopped.bound < stopped.objective
    few = np.where(np.arange(120) < 12, made.costs[0], 0.0)
    model.set_costs(few)
    ended = model.solve(deadline=None)
    assert ended.status == "optimal"
    assert ended.objective == pytest.approx(ended.bound)


def test_a_row_takes_no_figure_that_is_not_finite() -> None:
    model = Highs(knapsacks(4, 2), integers=False)
    with pytest.raises(SolverError, match="finite"):
        model.change_row(0, 0, float("nan"), 1.0)
