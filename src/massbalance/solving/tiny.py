"""A few columns and rows at once: the same solver, without a model around it."""

from __future__ import annotations

import highspy
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def maximise(gain: Floats, rows: Floats, most: Floats, upper: Floats) -> Floats | None:
    """Maximise gain @ x subject to rows @ x <= most, 0 <= x <= upper; None where there is no such x.

    gain, upper: shape (n,); rows: (m, n) dense; most: (m,).
    """
    highs = highspy.Highs()
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(gain), len(most)
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = -gain, np.zeros(len(gain)), upper
    lp.row_lower_, lp.row_upper_ = np.full(len(most), -highspy.kHighsInf), most
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = (np.arange(len(gain) + 1) * len(most)).astype(np.int32)
    lp.a_matrix_.index_ = np.tile(np.arange(len(most), dtype=np.int32), len(gain))
    lp.a_matrix_.value_ = np.ascontiguousarray(rows.T).ravel()
    fine = highspy.HighsStatus.kOk
    if highs.setOptionValue("output_flag", False) != fine or highs.setOptionValue("threads", 1) != fine:
        return None
    if highs.passModel(lp) != fine or highs.run() != fine:
        return None
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    found = np.asarray(highs.getSolution().col_value, dtype=np.float64)
    return found if np.isfinite(found).all() else None
