"""docs/reports.md: its pictures, documents and Python are what the commands make."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from massbalance.pages.bars import Fall
from massbalance.pages.flows import Flows
from tests.e2e.command import ROOT, inside
from tests.pages.svg_text import parts, texts

PAGE = (ROOT / "docs" / "reports.md").read_text(encoding="utf-8")


def test_its_pictures_are_what_the_command_draws(tutorial_run: Path, tmp_path: Path) -> None:
    for command, name in (
        (("sankey", tutorial_run), "reports-sankey.svg"),
        (("waterfall", tutorial_run, "--product", "SHEET"), "reports-waterfall.svg"),
    ):
        assert f"]({name})" in PAGE
        assert inside("plot", *command, "--out", tmp_path / name).code == 0
        (drawn,) = (tmp_path / name).glob("*.svg")
        shown = (ROOT / "docs" / name).read_bytes()
        assert texts(drawn.read_bytes()) == texts(shown)
        assert parts(drawn.read_bytes()) == parts(shown)


def test_its_documents_can_be_drawn(tmp_path: Path) -> None:
    shown = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
    assert len(shown) == 2
    for name, document in zip(("tornado", "pareto"), shown, strict=True):
        file = tmp_path / f"{name}.json"
        file.write_text(json.dumps(document), encoding="utf-8")
        assert inside("plot", name, file, "--out", tmp_path).code == 0
        drawn = texts((tmp_path / f"{name}.en.svg").read_bytes())
        assert any("ingot a month late" in text or "tonnage first" in text for text in drawn)


def test_its_python_works(tutorial_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "tutorial").symlink_to(tutorial_run)
    monkeypatch.chdir(tmp_path)
    shown = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert shown is not None
    found: dict[str, object] = {}
    exec(shown[1], found)
    assert isinstance(found["flows"], Flows)
    assert found["flows"].total == 1_150_000_000
    assert isinstance(found["fall"], Fall)
    assert found["fall"].after == 11
