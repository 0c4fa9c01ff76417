"""Columns of text: the fast decimals say what the exact ones say, and CSV is quoted where it must be."""

from __future__ import annotations

import csv
import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from massbalance.domain import texts
from massbalance.domain.grid import Column, decimal_text
from massbalance.domain.texts import TextTable, column_texts, csv_cells, decimal_texts, pick, strings, where

INT64 = st.integers(-(2**63), 2**63 - 1)


@settings(deadline=None)
@given(
    st.lists(INT64 | st.integers(-1000, 1000) | st.integers(0, 10**9), max_size=30),
    st.integers(0, 20),
)
def test_decimals_of_int64_are_those_written_one_by_one(values: list[int], decimals: int) -> None:
    found = decimal_texts(np.array(values, dtype=np.int64), decimals).to_pylist()
    assert found == [decimal_text(value, decimals) for value in values]


@settings(deadline=None)
@given(st.lists(st.integers(-(10**40), 10**40), max_size=10), st.integers(0, 40))
def test_decimals_beyond_int64_too(values: list[int], decimals: int) -> None:
    wide = np.empty(len(values), dtype=object)
    wide[:] = values
    assert decimal_texts(wide, decimals).to_pylist() == [decimal_text(v, decimals) for v in values]


@pytest.mark.parametrize("decimals", range(19))
def test_decimals_at_the_powers_of_ten(decimals: int) -> None:
    powers = 10 ** np.arange(19, dtype=np.int64)
    values = np.concatenate([powers, powers - 1, -powers, 1 - powers])
    assert decimal_texts(values, decimals).to_pylist() == [decimal_text(int(v), decimals) for v in values]


def test_decimals_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "BLOCK_ROWS", 7)
    values = np.random.default_rng(1).integers(-(10**12), 10**12, 50)
    assert decimal_texts(values).to_pylist() == [decimal_text(int(v)) for v in values]
    assert decimal_texts(values[:0]).to_pylist() == []


def test_what_is_not_given_is_empty() -> None:
    column = Column(np.array([15, 0, 0]), 1, np.array([True, False, True]))
    assert column_texts(column).to_pylist() == ["1.5", "", "0"]
    assert where(np.array([False, True]), strings(["a", "b"])).to_pylist() == ["", "b"]
    assert pick(strings(["a", "b"]), np.array([1, -1, 0])).to_pylist() == ["b", "", "a"]
    assert pick(strings([]), np.array([-1])).to_pylist() == [""]


CELL = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["", ",", '"', "\n", "\r"]
)


@settings(deadline=None)
@given(st.lists(st.tuples(CELL, CELL), max_size=20), st.integers(1, 5))
def test_csv_reads_back(rows: list[tuple[str, str]], block: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(texts, "BLOCK_ROWS", block)
        table = TextTable({"a": strings([a for a, _ in rows]), "b": strings([b for _, b in rows])})
        written = table.csv_bytes().decode()
    assert list(csv.reader(io.StringIO(written, newline=""))) == [["a", "b"], *map(list, rows)]
    for text in (t for row in rows for t in row):
        (cell,) = csv_cells(strings([text])).to_pylist()
        assert (cell == text) != any(mark in text for mark in ',"\r\n')


def test_a_frame_is_what_reading_the_csv_gives() -> None:
    table = TextTable(
        {"order": strings(["a,b", "", "NA"]), "mass_t": strings(["1", "", "0.5"])}, frozenset(["mass_t"])
    )
    read = pd.read_csv(io.BytesIO(table.csv_bytes()), dtype="str", keep_default_na=False)
    pd.testing.assert_frame_equal(table.frame(), read)


def test_sliced_columns_are_written_as_they_are() -> None:
    whole = pa.array(["x", "a,b", "c", 'd"'], pa.large_string())
    assert TextTable({"t": whole.slice(1, 2)}).csv_bytes() == b't\n"a,b"\nc\n'
