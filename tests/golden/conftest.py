"""The fixture of the golden tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden.checks import Golden


@pytest.fixture
def golden(tmp_path: Path) -> Golden:
    """Checks of one test (see checks.py)."""
    return Golden(tmp_path)
