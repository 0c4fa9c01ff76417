"""docs/robust.md shows what the command prints, and the file that is shipped."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.e2e.command import DATA, ROOT, massbalance

PAGE = (ROOT / "docs" / "robust.md").read_text(encoding="utf-8")
FILE = DATA / "aluminium" / "scenarios" / "futures.toml"


def test_the_page_shows_the_shipped_file() -> None:
    shown = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert shown is not None
    assert tomllib.loads(shown[1]) == tomllib.loads(FILE.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_the_page_shows_what_the_command_prints() -> None:
    """All but the curve, whose other shares would take three times as long."""
    shown = re.search(r"```\n(Hoshikage.*?)```", PAGE, re.DOTALL)
    assert shown is not None
    ended = massbalance("robust", "data/aluminium", FILE.relative_to(ROOT), cwd=ROOT)
    assert ended.code == 0
    assert ended.out.rstrip() == shown[1].split("\n  what other shares cost")[0].rstrip()
