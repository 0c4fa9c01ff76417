"""Runs that the fault tests share, and a process that is clean of threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.ledger_faults.apart import apart
from tests.ledger_faults.material import Material, make

if not hasattr(os, "fork"):  # pragma: no cover
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def material(tmp_path_factory: pytest.TempPathFactory) -> Material:
    """The runs (do not change them)."""
    return make(tmp_path_factory.mktemp("material"))


@pytest.fixture(scope="session")
def elsewhere() -> Iterator[Callable[..., Any]]:
    """Runs a function, with its arguments, in a fresh process that may fork."""
    with apart() as run:
        yield run
