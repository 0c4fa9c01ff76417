"""Settings and rule models: what the case says, what is free to override, which model is used."""

import hashlib
from pathlib import Path

import pytest

from massbalance.domain.faults import CaseRefused
from massbalance.domain.rulemodel import read_bytes
from massbalance.intake.read import read_case
from tests.intake_corpus.edits import rules_section, setting
from tests.intake_corpus.valid import Files, valid

SOURCE = read_bytes("jaa-2026")


def faults(
    files: Files, folder: Path, rule_source: bytes | None = None
) -> list[tuple[str, int | None, str, str]]:
    with pytest.raises(CaseRefused) as refused:
        read_case(files.write(folder), rule_source=rule_source)
    return [(f.table, f.row, f.column, f.code) for f in refused.value.faults if f.severity == "error"]


def test_a_case_says_what_it_is(tmp_path: Path) -> None:
    case = read_case(valid().write(tmp_path / "case"))
    assert (case.name, case.currency, case.rules.id) == ("valid", "JPY", "jaa-2026")
    assert case.goals == ("firm_shortfall", "margin")
    assert case.rules.sha256 == hashlib.sha256(SOURCE).hexdigest()
    assert case.rules.source_bytes == SOURCE
    assert case.settings["assurance"] == [
        {
            "subject": "product intensity",
            "body": "Assurer",
            "level": "third-party validation",
            "date": "2026-03-15",
        }
    ]
    assert "rules" not in case.settings


def test_without_settings_the_defaults_hold(tmp_path: Path) -> None:
    files = valid()
    files.settings = ""
    case = read_case(files.write(tmp_path / "case"))
    assert (case.name, case.currency, case.settings) == ("", "", {})
    assert case.rules.id == "jaa-2026"
    assert case.goals == ("firm_shortfall", "margin")


def test_empty_settings_are_not_given(tmp_path: Path) -> None:
    a, b = valid(), valid()
    setting('currency = "JPY"\n', "")(a)
    setting('currency = "JPY"', 'currency = ""')(b)
    assert read_case(a.write(tmp_path / "a")).sha256 == read_case(b.write(tmp_path / "b")).sha256


def test_a_byte_order_mark_is_no_setting(tmp_path: Path) -> None:
    files = valid()
    files.settings = "\ufeff" + files.settings
    assert read_case(files.write(tmp_path / "case")).name == "valid"


def test_goals_in_the_other_order(tmp_path: Path) -> None:
    files = valid()
    setting('["firm_shortfall", "margin"]', '["margin", "firm_shortfall"]')(files)
    assert read_case(files.write(tmp_path / "case")).goals == ("margin", "firm_shortfall")


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("expiry_months = 24", "expiry_months", 24),
        ('expiry_months = "unlimited"', "expiry_months", "unlimited"),
        ('carry_over = "none"', "carry_over", "none"),
        ('residual = "baseline"', "residual", "baseline"),
        ('approval = "four_eyes"', "approval", "four_eyes"),
        ('boundary_material = "site"', "boundary_material", "site"),
        ('boundary_energy = "site"', "boundary_energy", "site"),
        ('boundary_project = "accounting_unit"', "boundary_project", "accounting_unit"),
    ],
)
def test_what_a_rule_model_frees_may_be_overridden(
    line: str, name: str, value: object, tmp_path: Path
) -> None:
    files = valid()
    rules_section(line)(files)
    case = read_case(files.write(tmp_path / "case"))
    assert getattr(case.rules.parameters, name) == value
    assert case.rules.overrides == ((name, str(value)),)


def test_a_section_with_the_id_alone_is_the_id(tmp_path: Path) -> None:
    files = valid()
    rules_section()(files)
    case = read_case(files.write(tmp_path / "section"))
    assert case.sha256 == read_case(valid().write(tmp_path / "plain")).sha256


def test_a_kept_rule_model_is_used_instead_of_the_packaged_one(tmp_path: Path) -> None:
    kept = SOURCE.replace(b'expiry_months = "unlimited"', b"expiry_months = 12")
    case = read_case(valid().write(tmp_path / "case"), rule_source=kept)
    assert case.rules.parameters.expiry_months == 12
    assert case.rules.sha256 == hashlib.sha256(kept).hexdigest()


def test_a_rule_model_that_is_not_packaged_can_be_given(tmp_path: Path) -> None:
    files = valid()
    setting('"jaa-2026"', '"ours-1"')(files)
    case = read_case(files.write(tmp_path / "case"), rule_source=SOURCE.replace(b'"jaa-2026"', b'"ours-1"'))
    assert case.rules.id == "ours-1"


@pytest.mark.parametrize(
    "source",
    [b"", b"\xff", b"id = ", b'id = "jaa-2026"', SOURCE.replace(b"kinds", b"kind"), read_bytes("jisf-2.0")],
)
def test_a_rule_model_that_does_not_fit_is_a_fault(source: bytes, tmp_path: Path) -> None:
    assert faults(valid(), tmp_path / "case", source) == [("case", None, "rules", "rules")]


def test_settings_and_tables_are_faulted_together(tmp_path: Path) -> None:
    files = valid()
    setting('"jaa-2026"', '"jaa-26"')(files)
    setting("fiscal_year_start = 4", "fiscal_year_start = 0")(files)
    files.tables["orders"][0]["mass_t"] = "x"
    files.tables["lots"][0]["expires"] = "2020-01-01"
    assert faults(files, tmp_path / "case") == [
        ("case", None, "fiscal_year_start", "setting"),
        ("case", None, "rules", "rules"),
        ("lots", 2, "expires", "expiry_after_receipt"),
        ("orders", 2, "mass_t", "not_a_number"),
    ]
