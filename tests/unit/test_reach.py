"""What caps let a recipe claim: recipes alike but in level, period and schemes share one block."""

from __future__ import annotations

import numpy as np
import pytest

from massbalance.formulation.possible import Reach
from massbalance.solving import reach as module
from massbalance.solving.reach import reach
from tests.unit.report_case import LOT, PROJECT, Row, solved

ORDERS: list[Row] = [
    {"order": f"{claim} {level} {period}", "claim": claim, "level": level, "period": period}
    for claim, levels in (("green_share", ("0.2", "0.3", "0.9")), ("reduction", ("0.5", "1.5", "7")))
    for level in levels
    for period in ("P1", "P2")
]
LOTS: list[Row] = [
    {**LOT, "intensity_tco2e_per_uom": 6, "expires": "2025-02-10"},
    {**LOT, "lot": "M", "category": "d", "green_share": "0.4", "received": "2025-02-05"},
    {**PROJECT, "lot": "N"},
]
LIMITS: dict[str, list[Row]] = {
    "alloys": [{"alloy": "A", "category": c, "max_share": s} for c, s in (("c", "0.25"), ("d", 1))],
    "composition": [{"key": "c", "element": "Fe", "wt_pct": "0.8"}],
    "alloy_limits": [{"alloy": "A", "element": "Fe", "max_wt_pct": "0.2"}],
}


def both(monkeypatch: pytest.MonkeyPatch) -> tuple[Reach, Reach, list[str]]:
    """The answer by kinds, and the one with a block for every recipe; the recipes' ids."""
    found = solved(ORDERS, LOTS, **LIMITS)
    shared = reach(found.problem, found.compiled)
    every = np.arange(len(found.problem.recipes))
    with monkeypatch.context() as patch:
        patch.setattr(module, "_kinds", lambda _: (every, every))
        alone = reach(found.problem, found.compiled)
    assert len(module._kinds(found.problem)[1]) < len(every)
    return shared, alone, list(found.problem.recipes.ids)


def test_recipes_of_a_kind_reach_what_each_reaches_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    shared, alone, _ = both(monkeypatch)
    assert shared.most == pytest.approx(alone.most, abs=1e-9)


def test_caps_are_named_by_each_recipes_own_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    shared, alone, ids = both(monkeypatch)
    assert any(shared.caps)
    for recipe, name in enumerate(ids):
        assert shared.caps[recipe] == alone.caps[recipe], name
        for _, key in shared.caps[recipe]:
            assert (key[0] if isinstance(key, tuple) else key) == recipe
