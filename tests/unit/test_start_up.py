"""What a command need not wait for: Pyomo takes a second to import, and only the reference states in it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

HEAVY = {
    "massbalance.interfaces.cli": ("pyomo", "pandas", "numpy", "scipy", "highspy", "matplotlib", "jinja2"),
    "massbalance.verification.verify": ("pyomo", "highspy"),
    "massbalance.solving.assembly": ("pyomo",),
    "massbalance.api": ("pyomo",),
    "massbalance.pages.make": ("pyomo", "highspy"),
}


@pytest.mark.parametrize("module", HEAVY)
def test_importing_leaves_alone_what_it_does_not_need(module: str) -> None:
    code = f"import sys, {module}; print([n for n in {HEAVY[module]!r} if n in sys.modules])"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code], text=True, capture_output=True, check=True, env=environment
    )
    assert done.stdout.strip() == "[]"
