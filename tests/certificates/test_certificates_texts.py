"""The words: both languages, the same figures in each, all in the font, a text for every statement."""

from __future__ import annotations

import re
import string

import pytest

from massbalance.certificates.exact import down, exact, exact_text, shown, up
from massbalance.certificates.glyphs import unshown
from massbalance.certificates.posted import Guideline
from massbalance.certificates.statements import _CODES, statements
from massbalance.certificates.texts import LANGUAGES, words
from massbalance.domain.rulemodel import available, parse, read_bytes

ALL = [(f"{table}.{name}", texts) for table, names in words().items() for name, texts in names.items()]


@pytest.mark.parametrize(("key", "texts"), ALL, ids=[key for key, _ in ALL])
def test_both_languages(key: str, texts: dict[str, str]) -> None:
    assert set(texts) == set(LANGUAGES)
    fields = [{f for _, f, _, _ in string.Formatter().parse(text) if f} for text in texts.values()]
    assert fields[0] == fields[1]
    for text in texts.values():
        assert text.strip() == text != ""
        assert unshown(text) == []
    japanese = re.search("[ぁ-んァ-ヶ一-龠]", texts["en"])
    assert japanese is None


def guideline(rule_id: str) -> Guideline:
    model = parse(read_bytes(rule_id))
    return Guideline(model.id, model.title, model.version, frozenset(c.code for c in model.clauses))


def test_every_statement_has_words_and_a_clause_in_each_rule_model() -> None:
    for rule_id in available():
        told = statements(guideline(rule_id), _CODES)
        assert [item["key"] for item in told] == list(_CODES)
        assert {f"statement.{item['key']}" for item in told} == {
            k for k, _ in ALL if k.startswith("statement.")
        }


def test_a_model_without_the_clause_carries_no_statement() -> None:
    assert statements(Guideline("x", "X", "1", frozenset({"A2"})), _CODES) == [
        {"code": "A2", "key": "mass_balance"}
    ]


@pytest.mark.parametrize(
    ("text", "way", "expected"),
    [
        ("0", "up", "0.000"), ("1234567.8915", "down", "1,234,567.891"),
        ("1234567.8915", "up", "1,234,567.892"),
        ("0.0001", "up", "0.001"), ("0.0019", "down", "0.001"), ("7.5", "up", "7.500"),
        ("-0.0001", "up", "0.000"), ("-0.0011", "down", "-0.002"), ("-12.3456", "up", "-12.345"),
    ],
)  # fmt: skip
def test_shown(text: str, way: str, expected: str) -> None:
    assert shown(text, way) == expected


def test_exact() -> None:
    assert shown("0.333333", "down", percent=True) == "33.333"
    assert exact_text(exact("1.2300")) == "1.23"
    assert (up(exact("1") / 3), down(exact("1") / 3)) == ("0.333334", "0.333333")
    with pytest.raises(ValueError, match="no decimal"):
        exact_text(exact("1") / 3)
