"""docs/quotes.md says what the command prints, and its Python works."""

from __future__ import annotations

import re
import shlex
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

from massbalance.quote.session import Session
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


def test_reservations_are_as_the_page_says(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    book = str(tmp_path / "book.csv")
    blocks = re.findall(r"\n```\n(.*?)```", page, re.DOTALL)
    quote, reserve, listed = (
        shlex.split(next(line for line in page.splitlines() if line.startswith(f"    massbalance {word} ")))[
            1:
        ]
        for word in ("quote", "reserve", "reservations")
    )
    ended = inside(*(book if word == "book.csv" else word for word in reserve))
    assert (ended.code, ended.out.endswith(blocks[1])) == (0, True)
    given = {option[2:]: value for option, value in pairwise(quote) if option.startswith("--")}
    terms = {**given, "mass_t": given["mass"], "premium_per_t": given["premium"]}
    del terms["mass"], terms["premium"]
    found = Session(Path(quote[1]), reservations=Path(book), as_of=date(2026, 6, 15)).quote(**terms)
    assert round(found.floor_premium_per_t or 0.0, 2) == 7.63
    assert {lost.order for lost in found.displaced[:2]} == {"A-0035", "A-0110"}
    assert [f"  note: {note}\n" for note in found.notes] == [blocks[2]]
    ended = inside(*(book if word == "book.csv" else word for word in listed))
    assert (ended.code, ended.out) == (0, blocks[3])


@pytest.mark.parametrize("command", ["quote", "reserve", "reservations", "release"])
def test_every_option_is_on_the_page(page: str, command: str) -> None:
    told = set(re.findall(r"--[a-z-]+", inside(command, "--help").out)) - {"--help"}
    assert told <= set(re.findall(r"--[a-z-]+", page))
