"""`sweep --dask`: the same bytes from a Dask cluster, and plain words where there is none."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.command import DATA, inside, massbalance
from tests.e2e.test_sweep_command import GRID, results, write

CASE = DATA / "tutorial"


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with distributed.LocalCluster(**options) as found:
        yield found.scheduler_address


def test_a_cluster_gives_the_same_bytes_and_goes_on_like_processes(cluster: str, tmp_path: Path) -> None:
    sweep = write(tmp_path, GRID)
    here = massbalance("sweep", CASE, sweep, "--workers", 1, "--out", tmp_path / "here", "--json")
    there = massbalance("sweep", CASE, sweep, "--dask", cluster, "--out", tmp_path / "there", "--json")
    assert (there.code, there.out) == (0, here.out)
    assert results(tmp_path / "here") == results(tmp_path / "there")
    for kept in sorted((tmp_path / "there" / "points").iterdir())[:4]:
        kept.unlink()
    again = massbalance("sweep", CASE, sweep, "--dask", cluster, "--out", tmp_path / "there", "--json")
    assert again.out == here.out


def test_a_cluster_that_is_not_there_is_told_in_plain_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = write(tmp_path, GRID)
    monkeypatch.setattr("massbalance.scenario.workers.PATIENCE_S", 1)
    if "distributed" in sys.modules or __import__("importlib.util").util.find_spec("distributed"):
        ended = inside("sweep", CASE, sweep, "--dask", "tcp://127.0.0.1:1")
        assert (ended.code, "no Dask scheduler at tcp://127.0.0.1:1" in ended.err) == (1, True)
    monkeypatch.setitem(sys.modules, "distributed", None)
    ended = inside("sweep", CASE, sweep, "--dask", "tcp://127.0.0.1:1")
    assert (ended.code, "massbalance[cluster]" in ended.err) == (1, True)
    assert json.dumps(sorted(p.name for p in tmp_path.iterdir())) == '["sweep.toml"]'
