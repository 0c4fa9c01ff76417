"""Generated cases are valid, repeatable, the same as CSV and as Parquet; the plain model agrees on them."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.generate import Size, tables, write_case
from benchmarks.measure import difference
from benchmarks.processes import Limits, run
from massbalance.api import read_case, solve_objectives

SMALL = Size(orders=60, lots=30, periods=4, pools=10, seed=3)
OWN = replace(SMALL, premiums="own", intensities="own")
WHOLE = replace(SMALL, whole_share=0.1)
ALL = replace(SMALL, all_features=True)
HARD = pytest.mark.parametrize("size", [SMALL, OWN, WHOLE, ALL], ids=["plain", "own", "whole", "all"])


@HARD
def test_the_same_arguments_give_the_same_files(size: Size, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_case(tmp_path / name, size)
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes(), file.name


def test_csv_and_parquet_are_one_case(tmp_path: Path) -> None:
    write_case(tmp_path / "csv", SMALL, "csv")
    write_case(tmp_path / "parquet", SMALL, "parquet")
    assert read_case(tmp_path / "csv").sha256 == read_case(tmp_path / "parquet").sha256


def test_a_large_case_has_no_fault_and_no_warning(tmp_path: Path) -> None:
    write_case(tmp_path, Size(orders=2000, lots=200, periods=12, pools=20, seed=1))
    assert read_case(tmp_path).warnings == ()


def test_a_case_without_options_is_what_it_always_was() -> None:
    made = tables(SMALL)
    assert made["orders"]["mass_t"].sum() == pytest.approx(2978.465)
    assert made["orders"]["premium_per_t"].sum() == pytest.approx(1668.0)
    assert made["lots"]["quantity"].sum() == pytest.approx(3482.862)
    assert made["products"]["metal_tco2e_per_t"].sum() == pytest.approx(560.29)
    assert int(made["orders"]["firm"].sum()) == 10
    assert "whole" not in made["orders"]
    assert "offers" not in made


def test_own_premiums_and_intensities_leave_no_two_alike() -> None:
    made, plain = tables(OWN), tables(SMALL)
    assert made["orders"]["premium_per_t"].is_unique
    assert not made["lots"].duplicated(["category", "site", "intensity_tco2e_per_uom", "unit_cost"]).any()
    assert made["orders"].drop(columns="premium_per_t").equals(plain["orders"].drop(columns="premium_per_t"))


def test_a_share_of_whole_orders_changes_nothing_else() -> None:
    made, plain = tables(WHOLE), tables(SMALL)
    assert 1 <= made["orders"]["whole"].sum() <= 15
    pd.testing.assert_frame_equal(made["orders"].drop(columns="whole"), plain["orders"])
    pd.testing.assert_frame_equal(made["lots"], plain["lots"])


def test_all_features_are_there() -> None:
    made = tables(replace(ALL, orders=500, lots=100))
    orders, lots = made["orders"], made["lots"]
    assert orders["whole"].any()
    assert (orders["min_fill"] > 0).any()
    assert not (orders["whole"] & (orders["min_fill"] > 0)).any()
    assert made["offers"]["order"].isin(orders["order"]).all()
    assert made["offers"].duplicated("order").any()
    assert (lots["origin"] != "").any()
    assert lots["scopes"].isin(["1+2+3", "2+3"]).any()
    assert (orders["schemes"] == "ASI;other").any()
    assert (made["products"]["gas"] == "CO2").any()
    assert lots["displaced_tco2e_per_uom"].notna().any()


@HARD
def test_the_plain_model_reaches_the_same_goals(size: Size, tmp_path: Path) -> None:
    write_case(tmp_path, size)
    plain = [sys.executable, "-m", "benchmarks.peers.highs_plain", str(tmp_path)]
    ended = run(plain, Limits(seconds=300.0, mebibytes=4096))
    assert ended.status == "done", ended.complained
    theirs = [line["objective"] for line in ended.lines if "objective" in line]
    assert difference(solve_objectives(tmp_path), theirs) < 1e-6
