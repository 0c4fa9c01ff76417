"""docs/planning.md and the tables of docs/strategies.md: what they show is what the commands print.

What another page shows, too, is looked up there: that page has a test of its own.
"""

from __future__ import annotations

import re
import shlex

import pytest

from tests.e2e.command import ROOT, inside

PLANNING = (ROOT / "docs" / "planning.md").read_text(encoding="utf-8")
STRATEGIES = (ROOT / "docs" / "strategies.md").read_text(encoding="utf-8")
ELSEWHERE = "".join(
    (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    for name in ("quotes", "short", "scenarios", "robust", "purchase", "strategies")
)
SHOWN = r"\n```\n(.*?)```"


def shown_blocks(page: str) -> list[str]:
    """Blocks of output, without those of another language."""
    parts = page.split("\n```")
    return [part[1:] for part in parts[1::2] if part.startswith("\n")]


def commands(page: str, name: str) -> list[str]:
    return [line.strip() for line in page.splitlines() if line.startswith(f"    massbalance {name} ")]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["strategies", "pareto"])
def test_the_tables_of_strategies_are_what_the_commands_print(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    command = commands(STRATEGIES, name)[0]
    shown = re.search(SHOWN, STRATEGIES[STRATEGIES.index(command) :], re.DOTALL)
    assert shown is not None
    ended = inside(*shlex.split(command)[1:])
    assert (ended.code, ended.out) == (0, shown[1])


def test_the_run_prints_what_the_guide_shows(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.chdir(ROOT)
    folder = tmp_path_factory.mktemp("planning") / "run"
    ended = inside("run", "data/aluminium", "--out", folder)
    shown = re.search(SHOWN, PLANNING, re.DOTALL)
    assert shown is not None
    assert ended.code == 0
    assert shown[1].rstrip() in ended.out
    page = inside("report", folder, "--out", folder.with_name("page"))
    assert page.code == 0


def test_every_other_figure_of_the_guide_stands_on_a_page_that_is_tested() -> None:
    blocks = shown_blocks(PLANNING)[1:]
    assert len(blocks) > 8
    for line in "\n".join(blocks).splitlines():
        assert line in ELSEWHERE, line


def test_every_command_of_the_guide_is_one() -> None:
    """Each with its options; those of the ledger are tried in the tests of the ledger."""
    for line in PLANNING.splitlines():
        if line.startswith("    massbalance "):
            words = shlex.split(line)
            helped = inside(words[1], "--help")
            assert helped.code == 0, words[1]
            options = {word for word in words if word.startswith("--")}
            assert options <= set(re.findall(r"--[a-z-]+", helped.out)), line
