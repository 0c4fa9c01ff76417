"""Two to eight processes want the same credits: one wins, the others are told (exit 7), none twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.ledger_faults import contests
from tests.ledger_faults.material import Material

Elsewhere = Callable[..., Any]


@pytest.mark.slow
def test_of_runs_with_the_same_opening_one_wins(
    tmp_path: Path, material: Material, elsewhere: Elsewhere
) -> None:
    counts = elsewhere(contests.of_posting, tmp_path, material, 780, 1)
    assert counts["contests"] == 780
    assert counts["8 processes"] > 10


@pytest.mark.slow
def test_the_ledger_itself_and_its_key_are_made_once(
    tmp_path: Path, material: Material, elsewhere: Elsewhere
) -> None:
    assert elsewhere(contests.of_first_posting, tmp_path, material, 60, 2)["contests"] == 60


@pytest.mark.slow
def test_operations_at_once_are_operations_in_turn(
    tmp_path: Path, material: Material, elsewhere: Elsewhere
) -> None:
    assert elsewhere(contests.of_operations, tmp_path, material, 160, 3)["contests"] == 160


@pytest.mark.slow
def test_of_runs_on_a_server_one_wins(
    tmp_path: Path, material: Material, elsewhere: Elsewhere, new_schemas: Callable[[int], list[str]]
) -> None:
    assert elsewhere(contests.on_server, tmp_path, material, new_schemas(100), 4)["contests"] == 100
