"""Runs that the fault tests share, and a process that is clean of threads."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
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


@pytest.fixture(scope="session")
def new_schemas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[int], list[str]]]:
    """Makes empty schemas on a PostgreSQL server; gives their addresses. Without a server: skipped."""
    sys.path.append(str(Path(__file__).parents[1] / "ledger"))
    import postgres_server

    server = postgres_server.url_or_skip(tmp_path_factory)
    import psycopg

    made: list[str] = []

    def new(count: int) -> list[str]:
        names = [f"fault_{uuid.uuid4().hex[:12]}" for _ in range(count)]
        with psycopg.connect(server, autocommit=True) as connection:
            for name in names:
                connection.execute(f"CREATE SCHEMA {name}")
        made.extend(names)
        joint = "&" if "?" in server else "?"
        return [f"{server}{joint}options=-csearch_path%3D{name}" for name in names]

    yield new
    with psycopg.connect(server, autocommit=True) as connection:
        for name in made:
            connection.execute(f"DROP SCHEMA {name} CASCADE")
