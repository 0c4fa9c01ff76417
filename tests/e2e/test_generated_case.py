"""Generated cases are valid, repeatable, and the same as CSV and as Parquet; both models agree on them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.generate import Size, write_case
from massbalance.api import read_case, solve

ROOT = Path(__file__).resolve().parents[2]
SMALL = Size(orders=60, lots=30, periods=4, pools=10, seed=3)


def test_the_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_case(tmp_path / name, SMALL)
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes(), file.name


def test_csv_and_parquet_are_one_case(tmp_path: Path) -> None:
    write_case(tmp_path / "csv", SMALL, "csv")
    write_case(tmp_path / "parquet", SMALL, "parquet")
    assert read_case(tmp_path / "csv").sha256 == read_case(tmp_path / "parquet").sha256


def test_a_large_case_has_no_fault_and_no_warning(tmp_path: Path) -> None:
    write_case(tmp_path, Size(orders=2000, lots=200, periods=12, pools=20, seed=1))
    assert read_case(tmp_path).warnings == ()


def test_the_plain_model_reaches_the_same_goals(tmp_path: Path) -> None:
    write_case(tmp_path, SMALL)
    plain = [sys.executable, str(ROOT / "benchmarks" / "plain.py"), str(tmp_path)]
    printed = subprocess.run(plain, check=True, capture_output=True, text=True).stdout
    expected = {(g["name"], g["priority"]): g["value"] for g in json.loads(printed)["objectives"]}
    found = solve(read_case(tmp_path)).summary["objectives"]
    booked = {(g["name"], g["priority"]): float(g["value"]) for g in found}
    assert booked == pytest.approx(expected, rel=1e-6, abs=1e-3)
