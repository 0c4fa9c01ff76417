"""A posted run with certificates, and its audit pack, made once."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from world import World, make_world

DATA = Path(__file__).parents[2] / "data"
PERIODS = ("2026-04", "2026-05")


@pytest.fixture(scope="session")
def aluminium(tmp_path_factory: pytest.TempPathFactory) -> World:
    """data/aluminium, posted; certificates, one replaced, one cancelled; statements; a pack."""
    return make_world(tmp_path_factory.mktemp("aluminium"), DATA / "aluminium", PERIODS)


@pytest.fixture(scope="session")
def steel(tmp_path_factory: pytest.TempPathFactory) -> World:
    """data/steel, posted, with a pack of the period that has most claims."""
    return make_world(tmp_path_factory.mktemp("steel"), DATA / "steel", ())
