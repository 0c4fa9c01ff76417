"""Numbers are exact integers, whatever their spelling; what is no number is never guessed."""

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from massbalance.intake import numbers
from massbalance.intake.cells import Cells
from massbalance.intake.numbers import EMPTY, GIVEN, NO_NUMBER, TOO_FINE, TOO_LARGE


def parsed(*words: str) -> numbers.Numbers:
    return numbers.parse(pa.array(words, pa.large_string()))


def values(found: numbers.Numbers) -> list[Decimal]:
    return [Decimal(int(v)).scaleb(-found.decimals) for v in found.values]


DIGITS = st.text("0123456789", min_size=1, max_size=12)
SPELLED = st.builds(
    lambda sign, whole, part, power: f"{sign}{whole}{part}{power}",
    st.sampled_from(["", "-", "+"]),
    DIGITS,
    st.one_of(st.just(""), DIGITS.map(lambda d: f".{d}")),
    st.one_of(st.just(""), st.integers(-6, 2).map(lambda e: f"e{e}")),
)


@given(st.lists(SPELLED, min_size=1, max_size=20, unique=True))
def test_every_spelling_is_its_decimal(words: list[str]) -> None:
    found = parsed(*words)
    assert list(found.state) == [GIVEN] * len(words)
    assert values(found) == [Decimal(word) for word in words]
    assert found.decimals == 0 or any(v % 10 for v in found.values)


@given(st.lists(SPELLED, min_size=1, max_size=20, unique=True))
def test_the_canonical_spelling_is_one_per_number(words: list[str]) -> None:
    array = pa.array(words, pa.large_string())
    canonical = numbers.canonical_words(array, numbers.parse(array)).to_pylist()
    assert [Decimal(text) for text in canonical] == [Decimal(word) for word in words]
    assert len(set(canonical)) == len({Decimal(word) for word in words})
    assert (
        canonical
        == numbers.canonical_words(pa.array(canonical, pa.large_string()), parsed(*canonical)).to_pylist()
    )


@given(st.text(max_size=12))
def test_no_text_is_taken_for_a_number_that_it_does_not_spell(text: str) -> None:
    state = parsed(text).state[0]
    if state == GIVEN:
        assert text.isascii()
        assert text.lstrip("+-")[0].isdigit()
        Decimal(text)


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("", EMPTY),
        ("nan", NO_NUMBER),
        ("1e15", GIVEN),
        ("1000000000000001", GIVEN),
        ("1e16", TOO_LARGE),
        ("1e999", TOO_LARGE),
        ("1e1000", NO_NUMBER),
        ("1e-18", GIVEN),
        ("1e-30", GIVEN),
        ("1e-31", TOO_FINE),
        ("0e-999", GIVEN),
        ("1." + "0" * 5000, GIVEN),
        ("0." + "3" * 31, TOO_FINE),
        ("9" * 5000, TOO_LARGE),
    ],
)
def test_states(word: str, state: int) -> None:
    found = parsed(word)
    assert found.state[0] == state
    assert state == GIVEN or found.values[0] == 0


def test_fineness_is_as_asked() -> None:
    """Quantities are rounded down anyway, so they may be finer than what is kept exactly."""
    words = pa.array(["0.0016000000000000001", "1e-40", "1e-41", "0"], pa.large_string())
    assert list(numbers.parse(words).state) == [GIVEN, TOO_FINE, TOO_FINE, GIVEN]
    fine = numbers.parse(words, numbers.MOST_FLOORED_DECIMALS)
    assert list(fine.state) == [GIVEN, GIVEN, TOO_FINE, GIVEN]
    assert fine.decimals == 40


def test_floats_as_written_stay_exact() -> None:
    found = parsed("0.1", "0.30000000000000004", "123456789.123456789012345678", "1e-7")
    assert values(found) == [
        Decimal("0.1"),
        Decimal("0.30000000000000004"),
        Decimal("123456789.123456789012345678"),
        Decimal("1e-7"),
    ]


def test_ranges_are_exact_at_their_ends() -> None:
    found = parsed("0", "1", "1.000000000000000001", "-1e-18", "1e999", "")
    assert list(found.outside(0, 1, None)) == [False, False, True, True, True, False]
    assert list(found.outside(None, 1, 0)) == [True, False, True, True, True, False]
    assert list(found.fractional) == [False, False, True, True, False, False]


def test_full_width_digits_are_digits() -> None:
    cells = Cells.of(pa.array(["１２．５", "－３", "　７　", "1２"])).narrow()
    assert cells.text().to_pylist() == ["12.5", "-3", "7", "12"]


def test_equal_words_after_trimming_are_one_word() -> None:
    cells = Cells.of(pa.array(["a ", "a", None, " ", "\u3000a"]))
    assert cells.words.to_pylist() == ["a", ""]
    assert list(cells.blank) == [False, False, True, True, False]
    assert cells.codes.dtype == np.int32
