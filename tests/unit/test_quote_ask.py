"""Terms of a quote: exact figures, and every fault at once."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from massbalance.api import read_case
from massbalance.domain.case import Case
from massbalance.domain.faults import CaseRefused
from massbalance.quote.ask import read_ask
from massbalance.quote.session import Session
from tests.golden.tiny import tiny

GOOD = {"product": "bar", "period": "Q1", "mass_t": 1, "claim": "cfp", "level": "4"}


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    made = tiny(
        products={"bar": {}, "rod": {"metal_tco2e_per_t": ""}},
        lots={"L": {"quantity": 6, "intensity_tco2e_per_uom": 2, "displaced_tco2e_per_uom": 9}},
        orders={"O": {"mass_t": 10, "claim": "green_share", "level": 0}},
    )
    return read_case(made.write(tmp_path_factory.mktemp("ask") / "case"))


@pytest.mark.parametrize(
    ("column", "value", "code", "words"),
    [
        ("product", "bra", "unknown_reference", "did you mean 'bar'"),
        ("period", "Q9", "unknown_reference", "Q1"),
        ("claim", "cpf", "unknown_word", "did you mean 'cfp'"),
        ("level", "x", "not_a_number", "t CO2e per t"),
        ("level", "nan", "not_a_number", "t CO2e per t"),
        ("level", "-1", "out_of_range", "t CO2e per t"),
        ("mass", "0", "out_of_range", "above 0"),
        ("mass", "-3", "out_of_range", "above 0"),
        ("mass", "1_000", "not_a_number", "above 0"),
        ("mass", "0.0000001", "out_of_range", "above 0"),
        ("mass", "2e9", "out_of_range", "at most"),
        ("premium", "inf", "not_a_number", "a price per t"),
        ("product", "rod", "A5.1.2B", "metal_tco2e_per_t"),
    ],
)
def test_fault_of_a_term(case: Case, column: str, value: str, code: str, words: str) -> None:
    name = {"mass": "mass_t", "premium": "premium_per_t"}.get(column, column)
    with pytest.raises(CaseRefused) as refused:
        read_ask(case, **{**GOOD, name: value})
    (fault,) = refused.value.faults
    assert (fault.table, fault.row, fault.column, fault.value) == ("quote", None, column, value)
    assert code in fault.code
    assert words in fault.expected


def test_share_levels_end_at_one(case: Case) -> None:
    with pytest.raises(CaseRefused) as refused:
        read_ask(case, **{**GOOD, "claim": "green_share", "level": "1.01"})
    assert refused.value.faults[0].expected == "a share from 0 to 1"


def test_all_faults_at_once_and_of_all_terms(case: Case) -> None:
    bad = {"product": "no", "period": "no", "mass_t": 0, "claim": "no", "level": "no", "premium_per_t": "no"}
    with pytest.raises(CaseRefused) as refused:
        read_ask(case, **bad)
    columns = [fault.column for fault in refused.value.faults]
    assert columns == ["claim", "level", "mass", "period", "premium", "product"]
    with pytest.raises(CaseRefused) as refused:
        Session(case).quotes([GOOD, {**GOOD, "mass_t": 0}, {**GOOD, "level": "x"}])
    assert [(fault.row, fault.column) for fault in refused.value.faults] == [(2, "mass"), (3, "level")]


@pytest.mark.parametrize("level", ["0.1", ".10", 0.1, Decimal("0.1"), "\uff10.1", "1e-1"])
def test_figures_are_exact(case: Case, level: object) -> None:
    assert read_ask(case, **{**GOOD, "level": level}).level == Fraction(1, 10)


def test_schemes_are_words_or_a_list_in_any_order(case: Case) -> None:
    assert read_ask(case, **GOOD, schemes="ISCC; ASI;").schemes == ("ASI", "ISCC")
    assert read_ask(case, **GOOD, schemes=["ISCC", "ASI"]).schemes == ("ASI", "ISCC")


def test_mass_is_rounded_down_to_grams_and_says_so(case: Case) -> None:
    ask = read_ask(case, **{**GOOD, "mass_t": "1.0000019"})
    assert ask.mass == 1_000_001
    assert ask.notes == ("the mass is rounded down to whole grams",)
