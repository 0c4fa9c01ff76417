"""Runs of the shipped cases that several tests look at; made once by the real command."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from tests.e2e.command import DATA, Ended, massbalance

PATIENCE = 240
"""Seconds that a worker waits for the one that makes the runs."""


def _make(folder: Path) -> None:
    for name in ("aluminium", "steel", "tutorial"):
        ended = massbalance("run", DATA / name, "--out", folder / name, "--json")
        text = json.dumps([ended.code, ended.out, ended.err])
        (folder.parent / f"{folder.name}-{name}.json").write_text(text, encoding="utf-8")
    (folder.parent / f"{folder.name}-done").touch()


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Ended]]:
    """Name of a shipped case -> the folder of its run, and how `run --json` ended (do not change them)."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shipped"
    try:
        folder.mkdir()
    except FileExistsError:  # another worker makes them
        limit = time.monotonic() + PATIENCE
        while not (folder.parent / "shipped-done").exists():
            assert time.monotonic() < limit
            time.sleep(0.1)
    else:
        _make(folder)
    found = {}
    for file in folder.parent.glob("shipped-*.json"):
        name = file.stem.removeprefix("shipped-")
        found[name] = folder / name, Ended(*json.loads(file.read_text(encoding="utf-8")))
    return found


@pytest.fixture
def tutorial_run(shipped: dict[str, tuple[Path, Ended]]) -> Path:
    """The folder of the tutorial's run (do not change it)."""
    return shipped["tutorial"][0]
