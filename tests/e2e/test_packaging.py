"""What is installed is what stands in the tree, and the locks fit what is declared."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib import resources
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-bench.lock")


def normal(requirement: str) -> str:
    """The name of a requirement as an index writes it."""
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name is not None
    return re.sub(r"[-_.]+", "-", name.group()).lower()


def locked(lock: str) -> set[str]:
    """Names that a lock pins."""
    return set(pins(lock))


def pins(lock: str) -> dict[str, str]:
    """Name and pinned version."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if "==" in line and not line.startswith("#")]
    return {normal(line): line.split("==")[1].split()[0] for line in lines}


def test_every_package_of_the_tree_is_declared() -> None:
    tree = ROOT / "src"
    found = {".".join(p.parent.relative_to(tree).parts) for p in tree.rglob("__init__.py")}
    assert set(SETTINGS["tool"]["setuptools"]["packages"]) == found | {"massbalance.models"}


def test_the_rule_models_are_the_top_level_folder() -> None:
    installed = {f.name for f in resources.files("massbalance.models").iterdir()}
    assert {f.name for f in (ROOT / "models").glob("*.toml")} <= installed


def test_the_wheel_holds_models_starter_case_and_types(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for folder in ("src", "models"):
        shutil.copytree(
            ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("*.egg-info", "__pycache__")
        )
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    command = "pip wheel --quiet --no-build-isolation --no-deps --wheel-dir"
    subprocess.run([sys.executable, "-m", *command.split(), str(tmp_path), str(copy)], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    expected = {f"massbalance/models/{f.name}" for f in (ROOT / "models").iterdir() if f.is_file()}
    starter = ROOT / "src" / "massbalance" / "interfaces" / "starter_case"
    expected |= {f"massbalance/interfaces/starter_case/{f.name}" for f in starter.iterdir()}
    expected |= {f"massbalance/certificates/{name}" for name in ("certificate.typ", "texts.toml")}
    own = ("report.css", "report.html.j2", "texts.toml", "reasons.toml")
    expected |= {f"massbalance/pages/{name}" for name in own}
    assert expected | {"massbalance/py.typed"} <= held


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_name_no_index_and_no_path(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert not re.search(r"https?:|file:|--(extra-)?index|find-links|(^|\s)/", text)
    blocks = [block for block in re.split(r"\n(?=\S)", text) if "==" in block]
    assert blocks
    assert all("--hash=sha256:" in block for block in blocks)


def test_locks_pin_every_declared_dependency() -> None:
    project = SETTINGS["project"]
    runtime = {normal(r) for r in project["dependencies"]}
    extra = {name: {normal(r) for r in group} for name, group in project["optional-dependencies"].items()}
    bench = extra.pop("bench")
    build = {normal(r) for r in SETTINGS["build-system"]["requires"]}
    assert runtime | build <= locked("requirements.lock")
    assert runtime.union(*extra.values()) <= locked("requirements-dev.lock")
    assert runtime | build | bench <= locked("requirements-bench.lock")


@pytest.mark.parametrize("lock", LOCKS[1:])
def test_every_lock_pins_the_same_runtime(lock: str) -> None:
    runtime, wider = pins("requirements.lock"), pins(lock)
    assert runtime == {name: wider.get(name) for name in runtime}
