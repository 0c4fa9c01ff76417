"""One case in every format that people send: the same case, and the same results to the last byte."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.command import DATA, contents, inside, massbalance
from tests.e2e.tables import FULL_WIDTH, CaseTables

NAMES = {
    "windows": "㈱髙橋サッシ", "car body": "①号客先", "SHEET": "圧延板①", "PROFILE": "押出形材（髙強度）",
    "SCRAP-1": "回収材①", "low_carbon_ingot": "低炭素地金", "old_scrap": "使用済みスクラップ",
    "O1": "受注①", "O2": "受注㈱２",
}  # fmt: skip
COLUMNS = {
    "customers": ("customer",), "lots": ("lot", "category"), "alloys": ("category",), "composition": ("key",),
    "products": ("product",), "production": ("product",),
    "orders": ("order", "customer", "product"),
}  # fmt: skip
READ = {"folder": "utf-8", "bom": "utf-8 with BOM", "cp932": "cp932", "wide": "cp932", "parquet": "parquet"}


def japanese() -> CaseTables:
    """The tutorial with names that only cp932's extensions hold, and an empty optional table."""
    case = CaseTables(DATA / "tutorial")
    case.rename(COLUMNS, NAMES)
    case.rows["offers"], case.headers["offers"] = [], ["order", "offer", "claim", "level", "premium_per_t"]
    return case


def full_width(number: str) -> str:
    """80.5 as a Japanese keyboard gives it."""
    return number.translate(FULL_WIDTH)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Format -> the same case in it."""
    folder, case = tmp_path_factory.mktemp("formats"), japanese()
    return {
        "folder": case.write_csv(folder / "folder"),
        "bom": case.write_csv(folder / "bom", "utf-8-sig"),
        "cp932": case.write_csv(folder / "cp932", "cp932"),
        "wide": case.write_csv(folder / "wide", "cp932", full_width),
        "parquet": case.write_parquet(folder / "parquet"),
        "workbook": case.write_workbook(folder / "workbook.xlsx"),
    }


@pytest.fixture(scope="module")
def first(written: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    """The run of the UTF-8 folder, by the real command, and its summary."""
    out = tmp_path_factory.mktemp("first") / "out"
    ended = massbalance("run", written["folder"], "--out", out, "--json")
    assert ended.code == 0, ended.err
    return out, json.loads(ended.out)


@pytest.mark.parametrize("form", ["bom", "cp932", "wide", "parquet", "workbook"])
def test_every_format_is_the_same_case(
    written: dict[str, Path], first: tuple[Path, dict], tmp_path: Path, form: str
) -> None:
    expected, summary = first
    ended = inside("run", written[form], "--out", tmp_path / "out", "--json")
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    assert found["case_sha256"] == summary["case_sha256"]
    assert found["objectives"] == summary["objectives"]
    assert contents(tmp_path / "out") == contents(expected)
    copied = {p.name: p.read_bytes() for p in (expected / "case").iterdir()}
    assert {p.name: p.read_bytes() for p in (tmp_path / "out" / "case").iterdir()} == copied


@pytest.mark.parametrize("form", READ)
def test_what_was_read_is_said(written: dict[str, Path], form: str) -> None:
    ended = inside("check", written[form], "--json")
    assert ended.code == 0, ended.err
    encodings = json.loads(ended.out)["encodings"]
    # a file without any Japanese text is UTF-8 and cp932 at once
    assert encodings["orders"] == READ[form]
    assert set(encodings.values()) <= {READ[form], "utf-8"}


def test_names_come_out_as_they_went_in(first: tuple[Path, dict]) -> None:
    text = (first[0] / "orders.csv").read_text(encoding="utf-8")
    assert "受注①," in text
    assert "受注㈱２," in text
    assert "回収材①," in (first[0] / "allocation.csv").read_text(encoding="utf-8")


def test_a_run_of_its_own_canonical_copy_is_the_same(first: tuple[Path, dict], tmp_path: Path) -> None:
    ended = inside("run", first[0] / "case", "--out", tmp_path / "out", "--json")
    assert json.loads(ended.out)["case_sha256"] == first[1]["case_sha256"]
    assert contents(tmp_path / "out") == contents(first[0])


@pytest.mark.parametrize("encoding", ["ascii", "cp932"])
def test_json_is_json_whatever_the_console_can_show(tmp_path: Path, encoding: str) -> None:
    case = japanese()
    case.row("orders", "受注①")["product"] = "Société 𠮷野家 ①"
    ended = massbalance("check", case.write_csv(tmp_path / "case"), "--json", PYTHONIOENCODING=encoding)
    assert ended.code == 3
    (fault,) = [f for f in json.loads(ended.out)["faults"] if f["column"] == "product"]
    assert fault["value"] == "Société 𠮷野家 ①"
