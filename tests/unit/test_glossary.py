"""One word for one thing: the glossary explains every word that the ledger uses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from massbalance.ledger.kinds import FACTS, HEADERS, MOVEMENTS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def words() -> set[str]:
    """Words in backquotes of the section on the ledger."""
    text = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    return set(re.findall(r"`([a-z_]+)`", text.split("### In the ledger")[1].split("## Tables")[0]))


@pytest.mark.parametrize("kinds", [HEADERS, FACTS, MOVEMENTS], ids=["journals", "facts", "movements"])
def test_every_kind_of_row_is_explained(words: set[str], kinds: frozenset[str]) -> None:
    assert kinds <= words
