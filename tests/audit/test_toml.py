"""The small reader of TOML agrees with the standard library's on what packs hold."""

from __future__ import annotations

import tomllib

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from massbalance.audit.alone.toml import TomlError, read_toml
from massbalance.domain.rulemodel import available, read_bytes
from world import World

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
scalars = st.one_of(texts, st.booleans(), st.integers(-(10**12), 10**12))
values = st.one_of(scalars, st.lists(texts, max_size=4), st.lists(st.integers(), max_size=4))
keys = st.text("abcdefghij_-0123456789", min_size=1, max_size=8)
tables = st.dictionaries(keys, values, max_size=5)


@given(
    top=tables, inner=st.dictionaries(keys, tables, max_size=3), many=st.lists(tables, min_size=1, max_size=3)
)
def test_what_tomli_w_writes(top: dict[str, object], inner: dict[str, object], many: list[object]) -> None:
    text = tomli_w.dumps({**top, **{f"t{k}": v for k, v in inner.items()}, "many": many})
    assert read_toml(text) == tomllib.loads(text)


@pytest.mark.parametrize("rules", available())
def test_every_rule_model(rules: str) -> None:
    text = read_bytes(rules).decode()
    assert read_toml(text) == tomllib.loads(text)


def test_cases(aluminium: World, steel: World) -> None:
    for world in (aluminium, steel):
        text = (world.run / "case" / "case.toml").read_text("utf-8")
        assert read_toml(text) == tomllib.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "a =",
        "a = [1",
        'a = "x',
        "[a",
        "= 1",
        "a = nan",
        'a = """x"""',
        'a = "\\q"',
        "a = 1e5",
        "a = [1 2]",
        "a = {b",
        "a = {b = 1",
    ],
)
def test_what_is_not_toml(text: str) -> None:
    with pytest.raises(TomlError):
        read_toml(text)


def test_comments_decimals_and_nesting() -> None:
    assert read_toml('a = "x" # y\n[t.u]\nb = 1.50\n[[t.v]]\nc = [\n "d", # e\n]\n') == {
        "a": "x", "t": {"u": {"b": "1.50"}, "v": [{"c": ["d"]}]},
    }  # fmt: skip
