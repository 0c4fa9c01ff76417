"""docs/quotes.md says what the command prints, and its Python works."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.e2e.command import ROOT, inside

PAGE = ROOT / "docs" / "quotes.md"


@pytest.fixture
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def test_the_example_is_what_the_command_prints(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    command = next(line for line in page.splitlines() if line.startswith("    massbalance quote "))
    shown = re.search(r"\n```\n(.*?)```", page, re.DOTALL)
    assert shown is not None
    ended = inside(*shlex.split(command)[1:])
    assert (ended.code, ended.out) == (0, shown[1])


def test_its_python_gives_the_same_answer(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    shown = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert shown is not None
    lines = [line for line in shown[1].splitlines() if "..." not in line]
    found: dict[str, object] = {"Path": Path}
    exec("\n".join(lines), found)
    quote = found["quote"]
    assert quote.feasible_t == 100  # type: ignore[attr-defined]
    assert round(quote.floor_premium_per_t, 2) == 7.48  # type: ignore[attr-defined]


def test_every_option_is_on_the_page(page: str) -> None:
    told = set(re.findall(r"--[a-z-]+", inside("quote", "--help").out)) - {"--help"}
    assert told <= set(re.findall(r"--[a-z-]+", page))
