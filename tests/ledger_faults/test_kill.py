"""`kill -9` at every step and at any moment: nothing is lost, doubled or partly there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.ledger_faults import kills
from tests.ledger_faults.material import Material

Elsewhere = Callable[..., Any]


@pytest.mark.slow
def test_killed_at_every_step_an_operation_is_whole_or_absent(
    tmp_path: Path, material: Material, elsewhere: Elsewhere
) -> None:
    tried = elsewhere(kills.at_every_step, tmp_path, material)
    assert min(tried.values()) > 20, tried
    assert tried["first post"] > 100, tried


def test_killed_when_done_before_it_tells_it_is_done_once(
    tmp_path: Path, material: Material, elsewhere: Elsewhere
) -> None:
    assert elsewhere(kills.told_nobody, tmp_path, material) > 10


@pytest.mark.slow
def test_killed_at_random_1000_times(tmp_path: Path, material: Material, elsewhere: Elsewhere) -> None:
    counts = elsewhere(kills.at_random, tmp_path, material, 1000, 4)
    assert counts["killed"] == 1000
    assert counts["absent"] > 100, counts


def test_a_key_is_made_whole_and_for_its_owner_alone(tmp_path: Path, elsewhere: Elsewhere) -> None:
    assert elsewhere(kills.key_at_every_call, tmp_path) > 20


@pytest.mark.slow
def test_killed_while_a_server_keeps_the_ledger(
    tmp_path: Path, material: Material, elsewhere: Elsewhere, new_schemas: Callable[[int], list[str]]
) -> None:
    assert elsewhere(kills.on_server, tmp_path, material, new_schemas(41)) == 40
