"""Every malformed case is refused, its fault is named where it is, and nothing else is found or raised."""

from pathlib import Path

import pytest

from massbalance.domain.faults import CaseRefused
from massbalance.intake.read import read_case
from tests.intake_corpus.cases import CASES
from tests.intake_corpus.edits import Malformed
from tests.intake_corpus.valid import steel, valid


@pytest.mark.parametrize("base", [valid, steel])
def test_the_edited_cases_are_valid(base, tmp_path: Path) -> None:
    case = read_case(base().write(tmp_path / "case"))
    assert [w for w in case.warnings if w.severity == "error"] == []


def test_the_corpus_is_large_and_named() -> None:
    assert len(CASES) >= 60
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("malformed", CASES, ids=lambda case: case.name)
def test_is_refused_with_its_place(malformed: Malformed, tmp_path: Path) -> None:
    files = malformed.base()
    malformed.edit(files)
    with pytest.raises(CaseRefused) as refused:
        read_case(files.write(tmp_path / "case"))
    errors = [f for f in refused.value.faults if f.severity == "error"]
    assert [(f.table, f.row, f.column, f.code) for f in errors] == [malformed.fault], [
        f.text() for f in errors
    ]
    assert malformed.says in errors[0].text()
    assert str(refused.value) == errors[0].text()
