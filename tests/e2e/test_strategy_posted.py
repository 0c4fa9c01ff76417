"""A run under a strategy is posted, certified and packed as any other: the ledger sees what was decided."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.command import DATA, Ended, inside

SEGMENTS = {"windows": "building", "car body": "transport", "appliances": "home", "furniture": "home"}
OBJECTIVE = (
    '[objective]\nstrategy = "leximin"\nby = "segment"\n'
    '[[objective.minimum_service]]\nby = "segment"\ngroup = "transport"\nshare = 0.125\n'
)


def done(*arguments: object) -> Ended:
    """A command that ends well."""
    ended = inside(*arguments)
    assert ended.code == 0, ended.err
    return ended


def write_case(folder: Path) -> Path:
    """The tutorial, its customers in segments, with fair shares and a least service."""
    shutil.copytree(DATA / "tutorial", folder)
    settings = (folder / "case.toml").read_text(encoding="utf-8").partition("[objective]")[0]
    (folder / "case.toml").write_text(settings + OBJECTIVE, encoding="utf-8")
    header, *rows = (folder / "customers.csv").read_text(encoding="utf-8").splitlines()
    lines = [f"{header},segment", *(f"{row},{SEGMENTS[row.split(',')[0]]}" for row in rows)]
    (folder / "customers.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_a_fair_run_is_posted_certified_and_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASSBALANCE_LEDGER", str(tmp_path / "ledger.db"))
    monkeypatch.setenv("MASSBALANCE_KEY", str(tmp_path / "key.pem"))
    run, pack = tmp_path / "run", tmp_path / "pack"
    done("run", write_case(tmp_path / "case"), "--out", run)
    told = json.loads(done("verify", run, "--json").out)
    assert [goal["name"] for goal in told["goals"]].count("fair_share") >= 1
    assert "posted" in done("post", run, "--proposer", "Ana", "--approver", "Ben").out
    assert "nothing to do" in done("post", run).out
    done("ledger", "verify")
    done("certificate", run, "O1", "--out", tmp_path / "documents")
    done("audit", "--period", "2026Q2", "--period", "2026Q3", "--out", pack)
    alone = subprocess.run(
        [sys.executable, "-I", str(pack / "verify.py")], capture_output=True, text=True, check=False
    )
    assert alone.returncode == 0, alone.stdout
    assert "everything holds" in alone.stdout


def test_a_run_with_a_stage_changed_is_not_posted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the proof does not show never reaches the ledger: exit 6."""
    monkeypatch.setenv("MASSBALANCE_LEDGER", str(tmp_path / "ledger.db"))
    run = tmp_path / "run"
    done("run", write_case(tmp_path / "case"), "--out", run)
    stages = run / "proof" / "fair_share.csv"
    stages.write_text(stages.read_text(encoding="utf-8").replace(",1\n", ",2\n", 1), encoding="utf-8")
    assert inside("post", run).code == 6
