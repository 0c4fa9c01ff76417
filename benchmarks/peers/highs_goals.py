"""Goal after goal in one highspy.Highs with its default options, as its own users would.

Costs change and a row holds the goal before; HiGHS goes on from the basis it has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import highspy
import numpy as np
import numpy.typing as npt
import scipy.sparse

from benchmarks.peers.report import goal, optimal, say, slack

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Matrix:
    """row_lower <= matrix x <= row_upper, 0 or lower <= x <= upper; integer: bool over columns."""

    matrix: scipy.sparse.csc_array
    row_lower: Floats
    row_upper: Floats
    lower: Floats
    upper: Floats
    integer: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Cost:
    """To be minimised; `reported` turns what was reached into the goal as summary.json names it."""

    cost: Floats
    reported: Callable[[float], dict[str, object]]


def load(model: Matrix) -> highspy.Highs:
    """The model in HiGHS, options as they come, but for the log and the gap of a MIP."""
    highs = highspy.Highs()
    _ok(highs.setOptionValue("output_flag", False))
    _ok(highs.setOptionValue("mip_rel_gap", 0.0))
    rows, columns = model.matrix.shape
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = columns, rows
    lp.col_cost_ = np.zeros(columns)
    lp.col_lower_, lp.col_upper_ = model.lower, model.upper
    lp.row_lower_, lp.row_upper_ = model.row_lower, model.row_upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = model.matrix.indptr.astype(np.int32)
    lp.a_matrix_.index_ = model.matrix.indices.astype(np.int32)
    lp.a_matrix_.value_ = model.matrix.data
    if model.integer.any():
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        lp.integrality_ = [kinds[int(flag)] for flag in model.integer]
    _ok(highs.passModel(lp))
    say(sizes={"columns": columns, "rows": rows, "nonzeros": int(model.matrix.nnz)})
    return highs


def minimise(highs: highspy.Highs, costs: list[Cost]) -> None:
    """Goals in order; ends the process where one is not optimal."""
    found: list[dict[str, object]] = []
    for aim in costs:
        with goal(found):
            count = len(aim.cost)
            _ok(highs.changeColsCost(count, np.arange(count, dtype=np.int32), aim.cost))
            _ok(highs.run())
            optimal(highs.modelStatusToString(highs.getModelStatus()))
            reached = float(highs.getInfo().objective_function_value)
            found.append(aim.reported(reached))
        index = np.flatnonzero(aim.cost).astype(np.int32)
        held = reached + slack(reached)
        _ok(highs.addRow(-highspy.kHighsInf, held, len(index), index, aim.cost[index]))


def _ok(status: highspy.HighsStatus) -> None:
    if status == highspy.HighsStatus.kError:
        optimal("HiGHS error")
