"""Names chosen so that one thing's key in the ledger could be another's."""

from __future__ import annotations

from pathlib import Path

import pytest

from massbalance import records
from massbalance.api import run_case
from massbalance.ledger.problems import Conflict
from massbalance.ledger.signing import ENVIRONMENT
from tests.golden.tiny import tiny


def test_an_order_named_like_a_residual(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its withdrawal would pass for that of the residual of bar in Q1, which could then be stated twice."""
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path / "key.pem"))
    case = tiny(
        lots={"L": {"quantity": 6, "green_share": 1, "intensity_tco2e_per_uom": 8}},
        orders={"residual:bar:Q1": {"mass_t": 4}},
        production={("bar", "Q1"): 9},
    ).write(tmp_path / "case")
    run = run_case(case, tmp_path / "run").out
    with pytest.raises(Conflict, match="residual:"):
        records.post_run(run, tmp_path / "book.db")
