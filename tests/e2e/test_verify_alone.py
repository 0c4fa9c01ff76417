"""`verify` in a process that has no solver: neither Pyomo nor HiGHS can be imported there."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

WITHOUT_SOLVER = """
import sys
for name in ("pyomo", "pyomo.environ", "highspy"):
    sys.modules[name] = None  # importing it fails from now on
from massbalance.interfaces.cli import main
main()
"""


def without_solver(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The command where no solver can be imported."""
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_SOLVER, *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def test_the_blocker_blocks() -> None:
    code = WITHOUT_SOLVER.split("from massbalance")[0] + "import pyomo.environ"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pyomo" in done.stderr


@pytest.mark.parametrize("name", ["aluminium", "steel"])
def test_a_run_verifies_without_the_solver(shipped: dict, name: str) -> None:
    done = without_solver("verify", shipped[name][0])
    assert done.returncode == 0, done.stderr[-600:]
    assert "verified" in done.stdout


def test_a_spoilt_run_fails_without_the_solver(tutorial_run: Path, tmp_path: Path) -> None:
    run = shutil.copytree(tutorial_run, tmp_path / "run")
    file = run / "allocation.csv"
    text = file.read_text(encoding="utf-8").replace("INGOT-1,O2,,37.5,", "INGOT-1,O2,,37.6,")
    file.write_text(text, encoding="utf-8")
    done = without_solver("verify", run, "--json")
    assert done.returncode == 6, done.stderr[-600:]
    assert "allocation.csv" in done.stdout
