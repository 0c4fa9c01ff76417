"""Rule models: every clause is there, every word is a known one, nothing is free by accident."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
import tomli_w
from pydantic import ValidationError

from massbalance.domain.rulemodel import Clause, RuleModel, available, parse, read_bytes, resolve

MODELS = Path(__file__).parents[2] / "models"
IDS = ("jaa-2026", "jisf-2.0")
LABELS = {f"C{n}" for n in range(1, 20)}

JAA_CODES = """
    A1.1 A1.2 A2 A3.1 A3.2 A3.3 A4.1 A4.2.1 A4.2.2 A4.2.3 A4.2.4 A5.1.1 A5.1.2A A5.1.2B A5.1.2C
    A5.1.3A A5.1.3B A5.2.1 A5.2.2A A5.2.2B A5.2.2C A5.2.3 A6.1 A6.1S A6.1x A6.2
"""
JISF_CODES = """
    J3.1 J3.2.1 J3.2.2 J3.2.3 J3.2.4 J3.3 J4.1 J4.2.1 J4.2.2 J4.3 J4.4 J4.5 J5.1 J5.2.1 J5.2.3
    J5.2.4 J5.3.1 J5.3.2 J5.3.3 J5.4 J6 JA.2 JA.3
"""
CODES = {"jaa-2026": JAA_CODES.split(), "jisf-2.0": JISF_CODES.split()}

# What is a plain demand in the guidelines.
JAA_MUST = "A3.1 A3.3 A4.2.1 A4.2.3 A5.1.2A A5.1.2B A5.1.2C A5.1.3A A5.1.3B A5.2.2B A5.2.2C A6.1 A6.1x A6.2"
JISF_MUST = "J3.3 J4.2.1 J4.5 J5.3.1 J5.3.2 J5.4"
MUST = {"jaa-2026": JAA_MUST.split(), "jisf-2.0": JISF_MUST.split()}

INPUTS = {
    "sites": "organisation relation scope_statement",
    "lots": "used intensity_tco2e_per_uom recycled_pre recycled_post scheme certificate evidence gas",
    "products": "s1 s2 s3 measured_tco2e_per_t verified_by verified_on source data_year gas",
    "orders": "customer",
    "projects": "computation_start computation_end start additional baseline_method verified_by verified_on",
    "customers": "name address contact",
    "case": "issuer assurance",
}
OUTPUTS = {
    "summary.json": "verified rules proposer",
    "allocation.csv": "quantity scope1 scope2 scope3",
    "orders.csv": "cfp_before cfp_after",
    "account.csv": "received allocated expired closing",
    "residual.csv": "cfp_residual green_share_residual recycled_share_residual correction_tco2e_per_t",
    "certificate": "serial issued_on issuer recipient order material mass_t cfp_tco2e_per_t reduction_tco2e"
    " assurance statements scope3",
    "residual_statement": "figures scope3",
}


def words_of_section(heading: str) -> set[str]:
    """Words explained in the table under a heading of models/README.md."""
    text = (MODELS / "README.md").read_text(encoding="utf-8")
    section = text.split(f"### {heading}\n")[1].split("\n#")[0]
    return set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))


def named(columns: dict[str, str], joint: str) -> set[str]:
    return {f"{table}{joint}{column}" for table, names in columns.items() for column in names.split()}


VOCABULARY = {
    "equation": LABELS,
    "intake": words_of_section("Checks at intake"),
    "books": words_of_section("Checks of the books"),
    "evidence": named(INPUTS, "."),
    "statement": named(OUTPUTS, "/"),
    "scope": set(),
}


def clauses() -> list[Clause]:
    return [clause for rule_id in IDS for clause in parse(read_bytes(rule_id)).clauses]


def as_dict(rule_id: str) -> dict:
    """A model as TOML would hold it, to be broken."""
    return parse(read_bytes(rule_id)).model_dump(mode="json")


def broken(data: dict) -> RuleModel:
    return parse(tomli_w.dumps(data).encode())


def test_both_models_come_with_the_package() -> None:
    assert set(IDS) <= set(available())
    with pytest.raises(KeyError):
        read_bytes("no-such-rules")


@pytest.mark.parametrize("rule_id", IDS)
def test_id_is_the_file_name(rule_id: str) -> None:
    assert parse(read_bytes(rule_id)).id == rule_id


@pytest.mark.parametrize("rule_id", IDS)
def test_every_clause_of_the_guideline_has_one_entry_in_order(rule_id: str) -> None:
    assert [clause.code for clause in parse(read_bytes(rule_id)).clauses] == CODES[rule_id]


@pytest.mark.parametrize("rule_id", IDS)
def test_what_the_guideline_demands_is_a_must(rule_id: str) -> None:
    strength = {clause.code: clause.strength for clause in parse(read_bytes(rule_id)).clauses}
    assert {code for code in MUST[rule_id] if strength[code] != "must"} == set()


def test_the_residual_is_the_one_desirable_clause() -> None:
    assert [clause.code for clause in clauses() if clause.strength == "should"] == ["A4.2.4"]


@pytest.mark.parametrize("clause", clauses(), ids=lambda clause: clause.code)
def test_every_word_belongs_to_a_treatment_of_its_clause(clause: Clause) -> None:
    allowed = set[str]().union(*(VOCABULARY[treatment] for treatment in clause.treatment))
    assert set(clause.by) <= allowed
    assert len(set(clause.by)) == len(clause.by)
    assert clause.note.endswith(".")


@pytest.mark.parametrize("clause", clauses(), ids=lambda clause: clause.code)
def test_every_treatment_says_through_what(clause: Clause) -> None:
    for treatment in clause.treatment:
        assert treatment == "scope" or set(clause.by) & VOCABULARY[treatment], treatment


def test_every_explained_check_is_cited() -> None:
    cited = {word for clause in clauses() for word in clause.by}
    assert VOCABULARY["intake"] | VOCABULARY["books"] <= cited


def test_clauses_that_an_equation_cites_cite_it_too() -> None:
    from massbalance.formulation.equations import EQUATIONS

    by = {clause.code: set(clause.by) for clause in clauses()}
    for equation in EQUATIONS:
        for code in equation.clauses:
            assert code not in by or equation.label in by[code], (equation.label, code)


def test_the_explained_checks_are_those_of_intake() -> None:
    from massbalance.intake.names import RULE_CHECKS

    assert VOCABULARY["intake"] == set(RULE_CHECKS)


@pytest.mark.parametrize("code", ["A6.1", "A6.1S", "A6.1x", "J5.1", "J6"])
def test_what_documents_must_say_is_met_by_certificates(code: str) -> None:
    clause = next(clause for clause in clauses() if clause.code == code)
    assert any(word.startswith("certificate/") for word in clause.by)
    assert "scope" not in clause.treatment


def test_the_contents_of_a_document_are_all_there() -> None:
    """A6.1 a to g: date, number, issuer, recipient, the person who confirms, material, mass."""
    clause = next(clause for clause in clauses() if clause.code == "A6.1")
    fields = {word.removeprefix("certificate/") for word in clause.by if word.startswith("certificate/")}
    assert fields == {"issued_on", "serial", "issuer", "recipient", "material", "mass_t"}


def test_no_clause_says_that_something_is_still_to_come() -> None:
    for clause in clauses():
        if clause.code != "A2":  # rolling averages: our own idea
            assert "this release" not in clause.note.lower()
            assert not clause.note.endswith("yet.")


def test_jaa_parameters() -> None:
    parameters = parse(read_bytes("jaa-2026")).parameters
    assert parameters.model_dump() == {
        "kinds": ("material", "energy", "project"),
        "boundary_material": "accounting_unit",
        "boundary_energy": "accounting_unit",
        "boundary_project": "organisation",
        "expiry_months": "unlimited",
        "carry_over": "until_expiry",
        "residual": "inventory",
        "approval": "one_person",
    }


def test_jisf_parameters() -> None:
    model = parse(read_bytes("jisf-2.0"))
    assert model.parameters.kinds == ("project",)
    assert model.parameters.boundary_project == "organisation"
    assert model.parameters.residual == "baseline"
    assert model.parameters.approval == "one_person"
    assert model.projects.model_dump() == {
        "row_required": True,
        "earliest_start": "2013-01-01",
        "max_computation_months": 12,
        "ends_before_fiscal_year_of_verification": True,
    }


def test_jaa_boundaries_are_free_only_to_be_narrower() -> None:
    free = {f.parameter: f.values for f in parse(read_bytes("jaa-2026")).free}
    assert free == {
        "boundary_material": ("site", "accounting_unit"),
        "boundary_energy": ("site", "accounting_unit"),
        "boundary_project": ("site", "accounting_unit", "organisation"),
        "expiry_months": ("any",),
        "carry_over": ("until_expiry", "none"),
        "residual": ("inventory", "baseline"),
        "approval": ("one_person", "four_eyes"),
    }


def test_jisf_boundaries_and_residual_are_fixed() -> None:
    free = {f.parameter: f.values for f in parse(read_bytes("jisf-2.0")).free}
    assert free == {
        "expiry_months": ("any",),
        "carry_over": ("until_expiry", "none"),
        "approval": ("one_person", "four_eyes"),
    }


@pytest.mark.parametrize("rule_id", IDS)
def test_free_parameters_exist_and_take_their_values(rule_id: str) -> None:
    """Each value that is offered is one that `resolve` accepts, and the clause is one of the model's."""
    model = parse(read_bytes(rule_id))
    for one in model.free:
        assert one.clause in CODES[rule_id]
        values = one.values if one.values != ("any",) else (24, "unlimited")
        for value in values:
            rules = resolve(read_bytes(rule_id), {one.parameter: value})
            assert getattr(rules.parameters, one.parameter) == value
            assert rules.overrides == ((one.parameter, str(value)),)


def test_without_overrides_the_parameters_are_the_models() -> None:
    rules = resolve(read_bytes("jaa-2026"), {})
    assert rules.parameters == rules.model.parameters
    assert rules.overrides == ()
    assert [rules.boundary(k) for k in ("material", "energy", "project")] == [
        "accounting_unit", "accounting_unit", "organisation",
    ]  # fmt: skip


@pytest.mark.parametrize("rule_id", IDS)
def test_the_hash_is_that_of_the_file(rule_id: str) -> None:
    source = (MODELS / f"{rule_id}.toml").read_bytes()
    rules = resolve(read_bytes(rule_id), {})
    assert rules.source_bytes == source
    assert rules.sha256 == hashlib.sha256(source).hexdigest()
    assert rules.id == rule_id


@pytest.mark.parametrize(
    ("section", "key", "word"),
    [
        ("parameters", "kinds", ["waste"]),
        ("parameters", "boundary_material", "world"),
        ("parameters", "expiry_months", "forever"),
        ("parameters", "carry_over", "always"),
        ("parameters", "residual", "average"),
        ("parameters", "approval", "nobody"),
        ("parameters", "rounding", "up"),
        ("projects", "max_computation_months", "any"),
        ("projects", "row_required", "perhaps"),
        ("projects", "latest_start", "any"),
    ],
)
def test_unknown_words_and_keys_are_errors(section: str, key: str, word: object) -> None:
    data = as_dict("jaa-2026")
    data[section][key] = word
    with pytest.raises(ValidationError, match=key):
        broken(data)


@pytest.mark.parametrize(
    ("key", "word"),
    [("strength", "shall"), ("treatment", ["prayer"]), ("formula", "x <= y")],
)
def test_unknown_words_in_a_clause_are_errors(key: str, word: object) -> None:
    data = as_dict("jisf-2.0")
    data["clauses"][0][key] = word
    with pytest.raises(ValidationError, match=key):
        broken(data)


@pytest.mark.parametrize("section", ["parameters", "projects"])
def test_nothing_has_a_default(section: str) -> None:
    for key in as_dict("jaa-2026")[section]:
        data = as_dict("jaa-2026")
        del data[section][key]
        with pytest.raises(ValidationError, match=key):
            broken(data)


def test_an_unbroken_copy_is_the_same_model() -> None:
    assert broken(as_dict("jaa-2026")) == parse(read_bytes("jaa-2026"))
