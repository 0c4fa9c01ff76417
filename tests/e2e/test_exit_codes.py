"""Every way a command may end: its exit code, what it says, and what it leaves behind."""

from __future__ import annotations

import json
import os
import pty
import select
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.e2e.command import COMMAND, DATA, Ended, contents, everything_in, inside, massbalance, rows
from tests.e2e.hard_case import write_hard_case
from tests.e2e.tables import CaseTables

TUTORIAL = DATA / "tutorial"
PATIENCE = 120
"""Seconds that a command may say nothing."""
FAULT = ("table", "row", "column", "value", "expected", "code", "severity")


def bad_case(folder: Path) -> Path:
    """A case with faults in several tables, and one more in a row that has a fault already."""
    case = CaseTables(TUTORIAL)
    case.row("orders", "O1").update(mass_t="nan", product="SHEE")
    case.row("orders", "O2")["level"] = "1.5"
    case.row("lots", "SCRAP-1")["expires"] = "2026-02-30"
    case.row("lots", "INGOT-1")["quantity"] = "-1"
    case.row("alloys", "5052")["max_share"] = "1_0"
    return case.write_csv(folder)


BAD = (
    ("orders", 2, "mass_t", "nan", "not_a_number"),
    ("orders", 2, "product", "SHEE", "unknown_reference"),
    ("orders", 3, "level", "1.5", "out_of_range"),
    ("lots", 4, "expires", "2026-02-30", "not_a_date"),
    ("lots", 2, "quantity", "-1", "out_of_range"),
    ("alloys", 2, "max_share", "1_0", "not_a_number"),
)


# --- 2: wrong usage ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        (), ("run",), ("nonsense",), ("run", TUTORIAL, "--outt", "x"), ("run", TUTORIAL, "--gap", "2"),
        ("run", TUTORIAL, "--time-limit", "-1"), ("run", TUTORIAL, "--time-limit", "soon"),
        ("run", TUTORIAL, "--time-limit", "nan"), ("check", TUTORIAL, TUTORIAL), ("rules", "jaa-1999"),
        ("verify",), ("verify", "nowhere"), ("verify", TUTORIAL / "case.toml"), ("init",),
    ],
)  # fmt: skip
def test_wrong_usage_is_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple) -> None:
    monkeypatch.chdir(tmp_path)
    ended = inside(*arguments)
    assert ended.code == 2
    assert ended.err or not arguments  # without any argument the help is shown
    assert everything_in(tmp_path) == []


def test_an_unknown_option_is_2_and_says_which(tmp_path: Path) -> None:
    ended = massbalance("run", TUTORIAL, "--nope", cwd=tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert "--nope" in ended.err


@pytest.mark.parametrize("command", ["run", "check"])
def test_a_case_that_is_not_there_is_2(tmp_path: Path, command: str) -> None:
    ended = inside(command, tmp_path / "nothing")
    assert (ended.code, ended.out) == (2, "")
    assert "nothing" in ended.err
    assert everything_in(tmp_path) == []


def foreign(folder: Path) -> None:
    """A folder of somebody else's."""
    (folder / "sub").mkdir(parents=True)
    (folder / "notes.txt").write_text("precious", encoding="utf-8")


def foreign_with_manifest(folder: Path) -> None:
    """A folder of somebody else's that has a manifest.json, as web pages have."""
    foreign(folder)
    (folder / "manifest.json").write_text('{"name": "app", "start_url": "/"}', encoding="utf-8")


def foreign_file(path: Path) -> None:
    """A file."""
    path.write_text("precious", encoding="utf-8")


@pytest.mark.parametrize("make", [foreign, foreign_with_manifest, foreign_file])
def test_what_is_no_earlier_run_is_not_replaced(tmp_path: Path, make) -> None:
    make(tmp_path / "out")
    before = everything_in(tmp_path)
    ended = inside("run", TUTORIAL, "--out", tmp_path / "out")
    assert everything_in(tmp_path) == before
    assert (ended.code, ended.out) == (2, "")
    assert "out" in ended.err


def test_the_case_itself_is_not_replaced(tmp_path: Path) -> None:
    case = shutil.copytree(TUTORIAL, tmp_path / "case")
    before = everything_in(tmp_path)
    assert inside("run", case, "--out", case).code == 2
    assert everything_in(tmp_path) == before


def test_the_folder_one_stands_in_can_be_the_output(tmp_path: Path, monkeypatch) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    ended = inside("run", TUTORIAL, "--out", ".")
    assert ended.code == 0, ended.err
    assert (here / "summary.json").is_file()
    assert everything_in(tmp_path)[0] == "here"


def test_a_link_as_output_leaves_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert inside("run", TUTORIAL, "--out", tmp_path / "link").code == 0
    assert (tmp_path / "link" / "summary.json").is_file()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", "real"]


# --- 3: invalid input -------------------------------------------------------------------------------------


def test_a_bad_case_shows_every_fault_and_writes_nothing(tmp_path: Path) -> None:
    case = bad_case(tmp_path / "case")
    before = everything_in(tmp_path)
    ended = massbalance("run", case, "--out", tmp_path / "deep" / "out")
    assert (ended.code, ended.out) == (3, "")
    for table, row, column, value, code in BAD:
        (line,) = [x for x in ended.err.splitlines() if f"{table} row {row}, column {column}:" in x]
        assert f"'{value}'" in line
        assert "expected" in line
        assert f"[{code}]" in line
    assert everything_in(tmp_path) == before


def test_a_bad_case_leaves_an_earlier_run_alone(tmp_path: Path, tutorial_run: Path) -> None:
    out = shutil.copytree(tutorial_run, tmp_path / "out")
    ended = inside("run", bad_case(tmp_path / "case"), "--out", out)
    assert ended.code == 3
    assert contents(out) == contents(tutorial_run)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["case", "out"]


def test_check_of_a_bad_case_as_json(tmp_path: Path) -> None:
    case = bad_case(tmp_path / "case")
    ended = massbalance("check", case, "--json")
    found = json.loads(ended.out)
    assert (ended.code, found["valid"]) == (3, False)
    assert all(set(fault) == set(FAULT) for fault in found["faults"])
    errors = [f for f in found["faults"] if f["severity"] == "error"]
    assert {tuple(f[c] for c in ("table", "row", "column", "value", "code")) for f in errors} == set(BAD)
    assert all(f["expected"] for f in errors)


def test_run_of_a_bad_case_prints_the_document_of_check(tmp_path: Path) -> None:
    case = bad_case(tmp_path / "case")
    before = everything_in(tmp_path)
    checked, ran = inside("check", case, "--json"), inside("run", case, "--out", tmp_path / "out", "--json")
    assert (ran.code, ran.out) == (3, checked.out)
    assert json.loads(ran.out)["valid"] is False
    assert "[not_a_number]" in ran.err
    assert everything_in(tmp_path) == before


@pytest.mark.parametrize("table", ["lots", "orders", "periods"])
def test_a_missing_table_is_3(tmp_path: Path, table: str) -> None:
    case = shutil.copytree(TUTORIAL, tmp_path / "case")
    (case / f"{table}.csv").unlink()
    ended = inside("check", case)
    assert ended.code == 3
    assert f"table `{table}`" in ended.err


def test_a_file_that_is_no_case_is_3(tmp_path: Path) -> None:
    (tmp_path / "case.xlsx").write_bytes(b"PK\x03\x04 not a workbook")
    ended = inside("check", tmp_path / "case.xlsx")
    assert ended.code == 3
    assert "case.xlsx" in ended.err


# --- 5: stopped at a limit --------------------------------------------------------------------------------


def test_a_time_limit_is_5_and_what_was_found_still_verifies(tmp_path: Path) -> None:
    case, out = write_hard_case(tmp_path / "case"), tmp_path / "out"
    ended = massbalance("run", case, "--out", out, "--time-limit", "1", "--json")
    assert ended.code == 5
    assert "time limit" in ended.err
    found = json.loads(ended.out)
    assert (found["status"], found["verified"]) == ("limit", True)
    assert found["unfinished_goal"] == "margin"
    assert found["gap"] > 0
    (goal,) = found["objectives"]
    assert goal["value"] <= goal["certified_bound"]
    assert all(r["claimed_t"] == "0" or r["unmet_t"] == "0" for r in rows(out / "orders.csv"))
    verified = inside("verify", out)
    assert verified.code == 0, verified.err
    assert "limit" in (out / "summary.json").read_text(encoding="utf-8")


def test_a_gap_that_is_allowed_is_no_limit(tmp_path: Path) -> None:
    case = write_hard_case(tmp_path / "case", orders=25, categories=3)
    ended = inside("run", case, "--out", tmp_path / "out", "--gap", "0.2", "--json")
    assert ended.code == 0
    found = json.loads(ended.out)
    assert found["status"] == "optimal"
    assert 0 <= found["gap"] <= 0.2


# --- 6: verification failed -------------------------------------------------------------------------------


def claim_more(run: Path) -> str:
    """A claim that its credits do not cover."""
    file = run / "orders.csv"
    file.write_text(file.read_text(encoding="utf-8").replace("O4,,30,10,", "O4,,31,9,"), encoding="utf-8")
    return "orders.csv"


def lose_a_file(run: Path) -> str:
    """A file that is gone."""
    (run / "account.csv").unlink()
    return "account.csv"


def add_a_file(run: Path) -> str:
    """A file that no run wrote."""
    (run / "case" / "customers.parquet").write_bytes(b"x")
    return "customers.parquet"


@pytest.mark.parametrize("spoil", [claim_more, lose_a_file, add_a_file])
def test_a_spoilt_run_is_6(tmp_path: Path, tutorial_run: Path, spoil) -> None:
    run = shutil.copytree(tutorial_run, tmp_path / "run")
    name = spoil(run)
    ended = inside("verify", run)
    assert ended.code == 6
    assert name in ended.err
    as_json = inside("verify", run, "--json")
    found = json.loads(as_json.out)
    assert (as_json.code, found["ok"]) == (6, False)
    assert any(name in fault["table"] for fault in found["faults"])


def test_an_empty_folder_is_no_run(tmp_path: Path) -> None:
    ended = massbalance("verify", tmp_path)
    assert ended.code == 6
    assert "orders.csv" in ended.err


# --- 130: Ctrl-C ------------------------------------------------------------------------------------------


def interrupted(case: Path, out: Path, stage: str) -> Ended:
    """`run` at a terminal of its own, and Ctrl-C once its progress tells the stage."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "run", str(case), "--out", str(out), "--json"],
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "TERM": "xterm", "COLUMNS": "100"},
        stdout=subprocess.PIPE,
        stderr=theirs,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    os.close(theirs)
    shown, sent = b"", False
    try:
        while select.select([ours], [], [], PATIENCE)[0] and (text := _read(ours)):
            shown += text
            if not sent and stage.encode() in shown:
                process.send_signal(signal.SIGINT)
                sent = True
        printed, _ = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
        os.close(ours)
    return Ended(process.returncode, printed.decode("utf-8"), shown.decode("utf-8"))


def _read(terminal: int) -> bytes:
    """What the terminal got; nothing once the process has closed it."""
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""


def test_ctrl_c_is_130_and_writes_nothing(tmp_path: Path) -> None:
    case = write_hard_case(tmp_path / "case")
    before = everything_in(tmp_path)
    ended = interrupted(case, tmp_path / "runs" / "out", "deciding whole orders")
    assert everything_in(tmp_path) == before
    assert "interrupted" in ended.err
    assert "Traceback" not in ended.err
    assert (ended.code, ended.out) == (130, "")
