"""Files by columns: what is read, and what is refused, is what Python's csv module and Decimal say."""

from __future__ import annotations

import csv
import io
import re
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from massbalance.verification.files import Faults, Lines, decimals, exact, on_grid, positions, read_csv

GRID_TEXT = re.compile(r"-?[0-9]{1,12}(?:\.[0-9]{1,6})?")

SOUND = st.builds(
    lambda sign, whole, part: sign + whole + ("." + part if part else ""),
    st.sampled_from(["", "-"]),
    st.text("0123456789", min_size=1, max_size=20),
    st.text("0123456789", max_size=20),
)
ODD = st.sampled_from([
    "", "-", ".", ".5", "5.", "+1", "1e3", "1_000", " 1", "1 ", "1\n", "nan", "inf", "１", "--1", "1.2.3",
    "0x1", "1,5", "٣", "-0", "00", "1.0000000", "999999999999.999999", "9999999999999",
    "-999999999999.999999", "9.223372036854775807", "9.223372036854775808", "123456789012345678.9",
    "0.000000000000000001", "-999999999999999.9999999999999999999999",
])  # fmt: skip
CELL = st.one_of(SOUND, ODD, st.text("0123456789.-+eE \n", max_size=8))


def arrow(cells: list[str]) -> pa.Array:
    return pa.array(cells, pa.large_string())


def slow_on_grid(text: str) -> int | None:
    """One cell on the grid, or None, by a regular expression and Decimal."""
    return int(Decimal(text).scaleb(6)) if GRID_TEXT.fullmatch(text) else None


@given(st.lists(CELL, max_size=30))
@example(["0.1", ""])
@example([])
def test_numbers_on_the_grid_one_by_one_and_by_columns(cells: list[str]) -> None:
    value, sound = on_grid(arrow(cells))
    told = [v if ok else None for v, ok in zip(value.tolist(), sound.tolist(), strict=True)]
    assert told == [slow_on_grid(cell) for cell in cells]
    assert not value[~sound].any()


@given(st.lists(CELL, max_size=30))
@example(["123456789012345678.9", "0.000000000000000001"])
def test_decimals_are_exact_or_left_to_the_exact_reader(cells: list[str]) -> None:
    found = decimals(arrow(cells))
    values = found.value.python().tolist()
    for cell, value, sound in zip(cells, values, found.sound.tolist(), strict=True):
        assert sound <= (exact(cell) is not None), cell
        assert Fraction(value, 10**found.places) == (exact(cell) if sound else 0), cell
    short = [cell for cell in cells if exact(cell) is not None and len(cell) <= 15]
    assert decimals(arrow(short)).sound.all()


def test_slices_and_sound_columns_are_read_alike() -> None:
    cells = arrow(["x", "1.5", "-2", "0.25", "y"])
    assert decimals(cells.slice(1, 3)).value.python().tolist() == [150, -200, 25]
    assert on_grid(cells.slice(1, 3))[0].tolist() == [1_500_000, -2_000_000, 250_000]
    assert positions(cells.slice(1, 3), ["0.25", "1.5"]).tolist() == [1, -1, 0]


def plainly(data: bytes, columns: tuple[str, ...]) -> tuple[list[tuple[str, ...]], list[int], int]:
    """Rows, their numbers, and the number of faults, row by row with Python's csv module."""
    try:
        header, *rows = csv.reader(io.StringIO(data.decode("utf-8"), newline=""), strict=True)
    except (ValueError, csv.Error):
        return [], [], 1
    if not set(columns) <= set(header) or len(set(header)) != len(header):
        return [], [], 1
    kept = [(row, n) for n, row in enumerate(rows, start=2) if len(row) == len(header)]
    cells = [tuple(row[header.index(c)] for c in columns) for row, _ in kept]
    return cells, [n for _, n in kept], len(rows) - len(kept)


WILD = st.lists(
    st.sampled_from(["a", "b", "1", ",", ",", '"', '""', "\n", "\n", "\r", "é", " ", "\0", '"a,b"', ","])
)
TAME_CELL = st.sampled_from(["a", "1.5", "", "é", '"a,b"', '""', '"say ""so"""', '"two\nlines"'])
TAME = st.lists(st.lists(TAME_CELL, min_size=2, max_size=2)).map(
    lambda rows: "".join(",".join(row) + "\n" for row in rows)
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(
    st.sampled_from(["x,y\n", "x,y,z\n", "y,x\n", "x\n", "x,y", "", '"x",y\n', "\ufeffx,y\n", "x,x\n"]),
    st.one_of(TAME, WILD.map("".join), st.builds(lambda a, b, c: a + "".join(b) + c, TAME, WILD, TAME)),
)
@example("x,y\n", "a,b\n\nc,d\n")
@example("x,y\n", "a,b\n\n")
@example("x,y\n", "a,b")
@example("x,y\n", 'a,"b"')
@example("x,y\n", 'a,"b\n')
@example("x,y\n", 'a,""b"\n')
@example("x,y\n", 'a,"b""\n')
def test_files_are_read_as_the_csv_module_reads_them(tmp_path: Path, header: str, body: str) -> None:
    data, faults = (header + body).encode(), Faults()
    (tmp_path / "file.csv").write_bytes(data)
    lines = read_csv(tmp_path, "file.csv", ("x", "y"), faults)
    rows, numbers, wrong = plainly(data, ("x", "y"))
    assert list(zip(lines["x"].to_pylist(), lines["y"].to_pylist(), strict=True)) == rows
    assert lines.number.tolist() == numbers
    assert len(faults.found) == wrong


def test_bytes_that_are_no_text_are_refused_wherever_they_stand(tmp_path: Path) -> None:
    (tmp_path / "file.csv").write_bytes(b"x,y,why\n1,2,fine\n3,4,\xff\n")
    faults = Faults()
    assert len(read_csv(tmp_path, "file.csv", ("x", "y"), faults)) == 0
    assert [fault.code for fault in faults.found] == ["files"]


def test_a_fault_names_the_row_in_the_file_after_rows_are_left_out() -> None:
    lines, faults = Lines("file.csv", np.array([2, 3, 5]), {"x": arrow(["a", "b", "c"])}), Faults()
    faults.at(lines.take(np.array([False, True, True])), 1, "x", "another", "C1")
    assert [(fault.row, fault.value) for fault in faults.found] == [(5, "c")]
