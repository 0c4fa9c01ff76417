"""`massbalance rules`: complete, ASCII, 100 columns."""

from __future__ import annotations

import hashlib
import json

import pytest

from massbalance.domain.rulemodel import Clause, available, parse, read_bytes
from massbalance.report import rules_text
from massbalance.report.rules_text import WIDTH, detail_text, list_text, rules_detail, rules_list

IDS = available()


def flat(text: str) -> str:
    """Without line breaks and indentation."""
    return " ".join(text.split())


def test_list_has_every_model_in_order() -> None:
    found = rules_list()
    assert [one["id"] for one in found] == IDS
    assert [set(one) for one in found] == [{"id", "version", "title", "parameters"}] * len(IDS)
    assert found[0]["parameters"]["residual"] == "inventory"


def test_list_and_detail_are_json() -> None:
    assert json.loads(json.dumps(rules_list())) == rules_list()
    for rule_id in IDS:
        assert json.loads(json.dumps(rules_detail(rule_id))) == rules_detail(rule_id)


@pytest.mark.parametrize("rule_id", IDS)
def test_detail_is_the_whole_model_and_its_hash(rule_id: str) -> None:
    detail = rules_detail(rule_id)
    source = read_bytes(rule_id)
    assert detail.pop("sha256") == hashlib.sha256(source).hexdigest()
    assert detail == parse(source).model_dump(mode="json")


@pytest.mark.parametrize("rule_id", IDS)
def test_text_shows_every_clause_with_all_it_says(rule_id: str) -> None:
    text, source = detail_text(rule_id), read_bytes(rule_id)
    words = flat(text)
    assert hashlib.sha256(source).hexdigest() in text
    for clause in parse(source).clauses:
        assert f"{clause.code} [{clause.strength}] {clause.title}" in words
        assert ", ".join(clause.treatment) in words
        assert ", ".join(clause.by) in words
        assert flat(clause.note) in words


def test_text_marks_what_is_free() -> None:
    free = "boundary_project = organisation  (free: site | accounting_unit | organisation; A4.2.2)"
    assert free in detail_text("jaa-2026")
    assert "  residual = baseline\n" in detail_text("jisf-2.0")
    assert "  ends_before_fiscal_year_of_verification = true\n" in detail_text("jisf-2.0")


@pytest.mark.parametrize("rule_id", IDS)
def test_list_text_names_every_model_and_its_parameters(rule_id: str) -> None:
    model = parse(read_bytes(rule_id))
    block = next(b for b in list_text().split("\n\n") if b.startswith(f"{rule_id} "))
    assert f"(version {model.version})" in block
    for name in model.parameters.model_dump():
        assert f"\n  {name} = " in block


@pytest.mark.parametrize("text", [list_text(), *map(detail_text, IDS)], ids=["list", *IDS])
def test_text_is_ascii_and_fits_100_columns(text: str) -> None:
    assert text.isascii()
    assert max(len(line) for line in text.splitlines()) <= WIDTH == 100
    assert text.endswith("\n")
    assert all(line == line.rstrip() for line in text.splitlines())


def test_other_characters_are_escaped_not_lost() -> None:
    clause = Clause(
        code="X1", title="CO₂ at 100 ％", strength="may", treatment=("scope",), by=(), note="割り当て."
    )
    lines = rules_text._clause_lines(clause)
    assert lines[0] == "X1  [may]  CO2 at 100 %"
    assert lines[1] == "    scope"
    assert lines[2].isascii()
    assert "\\u5272" in lines[2]


@pytest.mark.parametrize("call", [rules_detail, detail_text])
def test_an_unknown_id_is_a_key_error(call) -> None:
    with pytest.raises(KeyError):
        call("no-such-rules")
