"""docs/scenarios.md says what the commands print, its Python works, and the files of the example apply."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from massbalance.scenario.apply import Base, apply, read_base
from massbalance.scenario.parse import read_scenario
from massbalance.scenario.point import scenario_at
from massbalance.scenario.sweep_file import read_sweep
from tests.e2e.command import DATA, ROOT, inside

PAGE = ROOT / "docs" / "scenarios.md"
FILES = sorted((DATA / "aluminium" / "scenarios").glob("*.toml"))
FUTURES = "futures.toml"


@pytest.fixture
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def base() -> Base:
    return read_base(DATA / "aluminium")


def test_the_example_is_what_compare_prints(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Line by line; `...` stands for lines that the page leaves out (the seconds among them)."""
    monkeypatch.chdir(ROOT)
    command = next(line for line in page.splitlines() if line.startswith("    massbalance compare "))
    shown = page.split(command)[1].split("```\n")[1]
    ended = inside(*shlex.split(command)[1:])
    assert ended.code == 0
    pattern = "".join(
        r"(?:.*\n)+?" if line.strip() == "..." else re.escape(line) + "\n" for line in shown.splitlines()
    )
    assert re.fullmatch(pattern, ended.out) is not None


def test_its_python_works(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    shown = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert shown is not None
    found: dict[str, object] = {"Path": Path}
    exec(shown[1], found)
    assert found["figures"]["status"] == "optimal"  # type: ignore[index]


@pytest.mark.parametrize("command", ["compare", "sweep"])
def test_every_option_is_on_the_page(page: str, command: str) -> None:
    told = set(re.findall(r"--[a-z-]+", inside(command, "--help").out)) - {"--help"}
    assert told <= set(re.findall(r"--[a-z-]+", page))


def test_files_on_the_page_are_those_of_the_example(page: str) -> None:
    texts = {file.name: file.read_text(encoding="utf-8").strip() for file in FILES}
    shown = [block.strip() for block in re.findall(r"```toml\n(.*?)```", page, re.DOTALL)]
    assert {texts["hydro-late.toml"], texts["grid.toml"]} <= set(shown)
    assert all(tomllib.loads(block) for block in shown)


@pytest.mark.parametrize("file", [f for f in FILES if f.name != FUTURES], ids=lambda file: file.stem)
def test_scenarios_and_sweeps_of_the_example_apply(base: Base, file: Path) -> None:
    document = tomllib.loads(file.read_text(encoding="utf-8"))
    if "levers" in document or "futures" in document:
        points = read_sweep(file, base.case).points
        cases = [apply(base, scenario_at(base, point)) for point in (points[0], points[-1])]
    else:
        cases = [apply(base, read_scenario(file))]
    assert not [f for case in cases for f in case.warnings if f.code == "edit_without_effect"]
    assert cases[-1].sha256 != base.case.sha256
