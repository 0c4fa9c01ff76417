"""The same case gives the same bytes: in any order of rows and columns, again, and in the same place."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.e2e.command import DATA, ROOT, contents, everything_in, inside, massbalance
from tests.e2e.tables import CaseTables

sys.path.insert(0, str(ROOT / "tests" / "differential"))

from random_cases import write_random_case

TIMES = ("seconds", "workbook_notes", "warnings")
"""What of a summary may differ: how long it took, and the rows that warnings point at."""


def timeless(run: Path) -> dict:
    """summary.json without what may differ."""
    found = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    return {key: value for key, value in found.items() if key not in TIMES}


@pytest.mark.parametrize("name", ["aluminium", "steel"])
def test_shuffled_tables_of_a_shipped_case(shipped: dict, tmp_path: Path, name: str) -> None:
    case = CaseTables(DATA / name).shuffle(7).write_csv(tmp_path / "case")
    ended = inside("run", case, "--out", tmp_path / "out")
    assert ended.code == 0, ended.err
    assert contents(tmp_path / "out") == contents(shipped[name][0])
    assert timeless(tmp_path / "out") == timeless(shipped[name][0])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("mip", [False, True])
def test_shuffled_tables_of_random_cases(tmp_path: Path, seed: int, mip: bool) -> None:
    write_random_case(tmp_path / "case", 900 + seed, mip=mip)
    assert inside("run", tmp_path / "case", "--out", tmp_path / "out").code == 0
    for shuffle in (1, 2):
        case = CaseTables(tmp_path / "case").shuffle(shuffle).write_csv(tmp_path / f"case{shuffle}")
        assert inside("run", case, "--out", tmp_path / f"out{shuffle}").code == 0
        assert contents(tmp_path / f"out{shuffle}") == contents(tmp_path / "out")


def test_another_process_gives_the_same_bytes(tutorial_run: Path, tmp_path: Path) -> None:
    for hash_seed in ("1", "2"):
        out = tmp_path / hash_seed
        assert massbalance("run", DATA / "tutorial", "--out", out, PYTHONHASHSEED=hash_seed).code == 0
        assert contents(out) == contents(tutorial_run)
        assert timeless(out) == timeless(tutorial_run)


def test_an_earlier_run_is_replaced_as_a_whole(tutorial_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert inside("run", DATA / "steel", "--out", out).code == 0
    assert not (out / "case" / "composition.csv").exists()
    assert inside("run", DATA / "tutorial", "--out", out).code == 0
    assert everything_in(out) == everything_in(tutorial_run)
    assert contents(out) == contents(tutorial_run)
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert inside("verify", out).code == 0
