"""Makes the handmade runs importable by name, and writes the runs that the tests attack."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(1, str(Path(__file__).parents[1] / "differential"))

from handmade import write_run
from massbalance.api import run_case
from runs import MIXED, SCARCE

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="session")
def scarce(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder: scarce supply, proven to the last digit."""
    return write_run(tmp_path_factory.mktemp("runs") / "scarce", SCARCE)


@pytest.fixture(scope="session")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder: every kind of lot, claim, cap and term."""
    return write_run(tmp_path_factory.mktemp("runs") / "mixed", MIXED)


@pytest.fixture(scope="session")
def solved(scarce: Path, mixed: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Run folders of the whole program: on the handmade cases, and on the tutorial's."""
    out = tmp_path_factory.mktemp("solved")
    cases = {"scarce": scarce / "case", "mixed": mixed / "case", "tutorial": DATA / "tutorial"}
    return [run_case(case, out / name).out for name, case in cases.items()]


@pytest.fixture(scope="session")
def runs(scarce: Path, mixed: Path, solved: list[Path]) -> list[Path]:
    """The sound run folders that the corruption engine spoils."""
    return [scarce, mixed, *solved]
