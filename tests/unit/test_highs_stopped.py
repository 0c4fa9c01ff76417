"""A run that is stopped for its time does not stop the runs after it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from massbalance.api import read_case
from massbalance.formulation.problem import build_problem
from massbalance.solving import highs
from massbalance.solving.assembly import assemble

ROOT = Path(__file__).resolve().parents[2]


def test_a_mip_that_was_cancelled_is_solved_when_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal after goal is solved on one model: the second solve of one may run out of time."""
    compiled = assemble(build_problem(read_case(ROOT / "data" / "aluminium")))
    model = highs.Highs(compiled, integers=True)
    model.set_costs(compiled.costs[-2])
    monkeypatch.setattr(highs, "LOOK_S", 0.001)
    monkeypatch.setattr(highs, "OVERRUN_S", -1000.0)
    stopped = model.solve(deadline=time.monotonic() + 100)
    assert stopped.status == "limit"
    assert model.solve(deadline=None).status == "optimal"
