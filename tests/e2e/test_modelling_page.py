"""docs/modelling.md: its Python prints what the page says, and every place that it names is there."""

from __future__ import annotations

import ast
import contextlib
import io
import re

import pytest

from tests.e2e.command import ROOT

PAGE = (ROOT / "docs" / "modelling.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```\n+(?:[^`]*?)```\n(.*?)```", PAGE, re.DOTALL)
PLACES = sorted(set(re.findall(r"`((?:src|tests|models)/[\w/.-]+(?:::\w+)?)`", PAGE)))


def test_its_python_prints_what_the_page_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert len(BLOCKS) == 2
    names: dict[str, object] = {}
    for code, shown in BLOCKS:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(code, names)
        assert printed.getvalue() == shown


@pytest.mark.parametrize("place", PLACES)
def test_every_place_that_it_names_is_there(place: str) -> None:
    """A file or folder, and in a file the function, class or constant."""
    path, _, name = place.replace("models/ID.toml", "models/jaa-2026.toml").partition("::")
    assert (ROOT / path).exists()
    if name:
        found = ast.parse((ROOT / path).read_text(encoding="utf-8")).body
        defined = {getattr(one, "name", "") for one in found}
        for one in found:
            if isinstance(one, ast.Assign):
                defined |= {target.id for target in one.targets if isinstance(target, ast.Name)}
        assert name in defined
