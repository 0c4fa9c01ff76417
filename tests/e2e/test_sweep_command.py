"""`massbalance sweep` from end to end: results, workers, going on after a kill, exit codes."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import COMMAND, DATA, Ended, inside, massbalance
from tests.e2e.tables import part_of

CASE = DATA / "tutorial"
GRID = """
name = "less and later"
[levers]
share = [0.25, 0.5, 1]
days = [0, 60]
[[edit]]
table = "lots"
where = { kind = "material" }
multiply = { quantity = "$share" }
[[edit]]
table = "lots"
where = { kind = "material" }
shift_days = { received = "$days", used = "$days" }
"""
TORNADO = """
figure = "claimed_t"
[levers]
ingots = { low = 0.5, high = 2 }
dearer = { low = -10, base = 0, high = 1000 }
[[edit]]
table = "lots"
where = { category = "low_carbon_ingot" }
multiply = { quantity = "$ingots" }
[[edit]]
table = "lots"
add = { unit_cost = "$dearer" }
"""
SAMPLE = 'futures = "futures.toml"\ncount = 6\n'
FUTURES = """
[[short]]
probability = 0.5
factor = { uniform = [0, 1] }
[[cancelled]]
probability = 0.2
"""
SLOW = """
[levers]
share = [0.95, 0.96, 0.97, 0.98, 0.99, 1]
[[edit]]
table = "lots"
multiply = { quantity = "$share" }
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "futures.toml").write_text(FUTURES, encoding="utf-8")
    return write(tmp_path, GRID)


def write(folder: Path, text: str) -> Path:
    (folder / "sweep.toml").write_text(text, encoding="utf-8")
    return folder / "sweep.toml"


def document(ended: Ended) -> dict[str, Any]:
    return json.loads(ended.out, parse_float=Decimal)


def results(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in ("results.csv", "sweep.json")}


def points(folder: Path) -> list[Path]:
    return sorted((folder / "points").glob("*.json"))


def test_a_grid_is_solved_point_by_point(file: Path, tmp_path: Path) -> None:
    ended = massbalance("sweep", CASE, file, "--workers", 1, "--out", tmp_path / "out", "--json")
    assert (ended.code, ended.err) == (0, "")
    found = document(ended)
    assert (tmp_path / "out" / "sweep.json").read_text(encoding="utf-8") == ended.out
    assert [row["point"] for row in found["rows"]] == list(range(1, 7))
    margins = {tuple(row["levers"].values()): row["figures"]["margin"] for row in found["rows"]}
    assert margins["1", "0"] == 8420
    # more never costs, in a case whose lots cost only when they are used
    for days in ("0", "60"):
        by_share = [margins[share, days] for share in ("0.25", "0.5", "1")]
        assert by_share == sorted(by_share)
    with (tmp_path / "out" / "results.csv").open(encoding="utf-8", newline="") as opened:
        told = list(csv.DictReader(opened))
    assert [Decimal(row["margin"]) for row in told] == [row["figures"]["margin"] for row in found["rows"]]
    assert [(row["lever.share"], row["lever.days"]) for row in told] == list(margins)


def test_more_workers_and_a_second_call_give_the_same_bytes(file: Path, tmp_path: Path) -> None:
    first = massbalance("sweep", CASE, file, "--workers", 1, "--out", tmp_path / "one", "--json")
    second = massbalance("sweep", CASE, file, "--workers", 2, "--out", tmp_path / "two", "--json")
    assert first.out == second.out
    assert results(tmp_path / "one") == results(tmp_path / "two")
    assert {p.name: p.read_bytes() for p in points(tmp_path / "one")} == {
        p.name: p.read_bytes() for p in points(tmp_path / "two")
    }
    # what is there is not solved again: a point's figures come from its file
    kept = points(tmp_path / "one")[0]
    kept.write_text(kept.read_text(encoding="utf-8").replace('"optimal"', '"limit"'), encoding="utf-8")
    third = massbalance("sweep", CASE, file, "--workers", 1, "--out", tmp_path / "one", "--json")
    assert third.code == 5
    assert document(third)["statuses"] == {"limit": 1, "optimal": 5}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A case that takes a while, its sweep, and the results of it without an interruption."""
    folder = tmp_path_factory.mktemp("whole")
    part_of(DATA / "aluminium", ("2026-04",)).write_csv(folder / "case")
    sweep = write(folder, SLOW)
    assert inside("sweep", folder / "case", sweep, "--workers", 1, "--out", folder / "out").code == 0
    return folder


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_what_is_finished_stays_and_the_next_call_goes_on(
    how: signal.Signals, whole: Path, tmp_path: Path
) -> None:
    case, sweep, out = whole / "case", whole / "sweep.toml", tmp_path / "out"
    arguments = [*COMMAND, "sweep", str(case), str(sweep), "--workers", "2", "--out", str(out)]
    begun = subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    try:
        deadline = time.monotonic() + 120
        while not points(out) and begun.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        os.killpg(begun.pid, how)
        _, err = begun.communicate(timeout=60)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(begun.pid, signal.SIGKILL)
    kept = {p.name: p.read_bytes() for p in points(out)}
    assert 1 <= len(kept) < 6
    assert not (out / "results.csv").exists()
    if how == signal.SIGINT:
        assert begun.returncode == 130
        assert b"interrupted; finished points are kept" in err
        assert b"Traceback" not in err
    assert inside("sweep", case, sweep, "--workers", 1, "--out", out).code == 0
    assert {name: (out / "points" / name).read_bytes() for name in kept} == kept
    assert results(out) == results(whole / "out")


@pytest.mark.skipif(sys.platform == "win32", reason="groups of processes are POSIX's")
def test_workers_end_with_a_command_that_was_killed(file: Path) -> None:
    """Nobody is left of its group of processes soon after the command alone was killed."""
    out = file.parent / "out"
    arguments = [str(a) for a in ("sweep", CASE, file, "--workers", 2, "--out", out)]
    begun = subprocess.Popen([*COMMAND, *arguments], start_new_session=True, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        while not points(out) and begun.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        begun.kill()
        begun.wait(timeout=60)
        while group_lives(begun.pid) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not group_lives(begun.pid)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(begun.pid, signal.SIGKILL)


def group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_tornado_is_ordered_by_its_figure(file: Path) -> None:
    write(file.parent, TORNADO)
    found = document(inside("sweep", CASE, file, "--workers", 1, "--json"))
    assert [one["lever"] for one in found["effects"]] == ["dearer", "ingots"]
    rows = {(row["turned"], row["side"]): row["figures"]["claimed_t"] for row in found["rows"]}
    for one in found["effects"]:
        for side in ("low", "high"):
            assert one[side]["change"] == rows[one["lever"], side] - rows["", "base"]
    text = inside("sweep", CASE, file, "--workers", 1)
    assert "effect on claimed_t" in text.out


def test_samples_are_the_same_for_a_seed(file: Path) -> None:
    write(file.parent, SAMPLE)
    first, second = (inside("sweep", CASE, file, "--workers", 1, "--json") for _ in range(2))
    assert first.out == second.out
    found = document(first)
    margins = sorted(row["figures"]["margin"] for row in found["rows"])
    told = found["statistics"][0]["figures"]["margin"]
    assert (told["min"], told["p50"], told["max"]) == (margins[0], margins[2], margins[-1])
    assert len(set(margins)) > 2
    write(file.parent, SAMPLE + "seed = 2\n")
    other = document(inside("sweep", CASE, file, "--workers", 1, "--json"))
    assert sorted(row["figures"]["margin"] for row in other["rows"]) != margins
    assert "6 sample(s)" in inside("sweep", CASE, file, "--workers", 1).out


def test_a_refused_point_is_told_and_the_others_are_solved(file: Path) -> None:
    write(file.parent, GRID.replace("0.25, 0.5, 1", "-1, 1").replace("0, 60", "0"))
    ended = inside("sweep", CASE, file, "--workers", 1, "--json")
    assert ended.code == 3
    refused, solved = document(ended)["rows"]
    assert (refused["status"], solved["status"]) == ("refused", "optimal")
    assert refused["faults"][0]["edits"] == [1]
    assert "point 1 refused, and 0 more" in ended.err


def test_written_cases_run_to_the_figures_of_their_points(file: Path, tmp_path: Path) -> None:
    write(file.parent, SAMPLE)
    found = document(inside("sweep", CASE, file, "--workers", 1, "--write", tmp_path / "cases", "--json"))
    folders = sorted((tmp_path / "cases").iterdir())
    assert [folder.name for folder in folders] == [str(n) for n in range(1, 7)]
    for folder, row in list(zip(folders, found["rows"], strict=True))[:2]:
        run = json.loads(inside("run", folder, "--out", tmp_path / "run", "--json").out, parse_float=Decimal)
        assert [goal["value"] for goal in run["objectives"]] == list(row["figures"].values())[:2]


def test_a_faulty_sweep_is_refused_with_all_its_faults(file: Path) -> None:
    write(file.parent, GRID.replace('"$share"', '"$shar"') + "nam = 1\n")
    ended = inside("sweep", CASE, file, "--json")
    assert ended.code == 3
    assert {fault["column"] for fault in document(ended)["faults"]} >= {
        "edit 1.multiply.quantity",
        "levers.share",
    }


def test_other_people_s_folders_are_left_alone(file: Path, tmp_path: Path) -> None:
    ended = inside("sweep", CASE, file, "--workers", 1, "--out", tmp_path)
    assert (ended.code, "holds no earlier sweep" in ended.err) == (2, True)
