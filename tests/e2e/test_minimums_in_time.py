"""Minimum services that clash, or for which time does not suffice: the same of every command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.command import DATA, inside
from tests.golden.tiny import Tiny, tiny

TERMS = ("--product", "bar", "--period", "Q1", "--claim", "green_share", "--level", 1, "--mass", 1)


def clashing() -> Tiny:
    """10 t of green ingot; two customers are to have 9 t each."""
    return tiny(
        lots={"L": {"quantity": 10, "green_share": 1}},
        orders={name: {"mass_t": 10, "customer": name} for name in ("A", "B")},
    ).but(settings={"objective": {"minimum_service": [{"by": "customer", "share": 0.9}]}})


@pytest.mark.parametrize(
    "command", [("run",), ("quote", *TERMS), ("short", "A"), ("pareto", "--goals", "margin,tonnage")]
)
def test_what_clashes_is_one_document_and_exit_4(command: tuple[object, ...], tmp_path: Path) -> None:
    case = clashing().write(tmp_path / "case")
    name, *rest = command
    more = ("--out", tmp_path / "out") if name == "run" else ()
    ended = inside(name, case, *rest, *more, "--json")
    assert ended.code == 4
    document = json.loads(ended.out)
    assert document["status"] == "infeasible"
    assert [clash["group"] for clash in document["clash"]] == ["A", "B"]
    assert not (tmp_path / "out").exists()


def test_too_little_time_for_minimum_services_is_exit_5(tmp_path: Path) -> None:
    """data/aluminium with 55 % for every customer takes longer than a hundredth of a second."""
    for path in (DATA / "aluminium").glob("*.*"):
        if path.suffix in (".csv", ".toml"):
            (tmp_path / path.name).write_bytes(path.read_bytes())
    with (tmp_path / "case.toml").open("a", encoding="utf-8") as settings:
        settings.write('\n[[objective.minimum_service]]\nby = "customer"\nshare = 0.55\n')
    ended = inside("run", tmp_path, "--out", tmp_path.with_name("out"), "--time-limit", 0.01)
    assert (ended.code, ended.out) == (5, "")
    assert "time limit" in ended.err
