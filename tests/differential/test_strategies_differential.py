"""Every strategy against the plain order x lot model on random cases: the goals' values must agree.

As test_differential.py; the plain model states shares, groups and what expires in its own way, and finds the
stages of leximin by testing each group for itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from massbalance.api import Infeasible, read_case, solve_objectives
from massbalance.domain.objective import STRATEGIES
from massbalance.intake.canonical import write_case
from objectives import under
from plain_runner import solve_plainly
from random_cases import write_random_case

SCRIPT = Path(__file__).with_name("plain_strategy.py")
TOLERANCE = 1e-6  # relative to max(1, |value|)
SAME = 1e-6
"""Stages whose least share differs by less are one."""
Key = tuple[str, bool, int]
KEYS: list[Key] = [
    (strategy, mip, seed)
    for strategy in STRATEGIES
    for mip, count in ((False, 6), (True, 3))
    for seed in range(count)
]
# An order out of reach held the common share at 0, and with it minimum services that were not.
KEYS.append(("spread", False, 465))
Answers = dict[Key, tuple[Path, dict[str, Any]]]


def key_name(key: Key) -> str:
    strategy, mip, seed = key
    return f"{strategy}-{'mip' if mip else 'lp'}-{seed}"


@pytest.fixture(scope="module")
def plain(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """Key -> (case folder, plain model's answer) of every case that was asked for."""
    root = tmp_path_factory.mktemp("cases")
    asked = {item.callspec.params["key"] for item in request.session.items if item.path == request.path}  # type: ignore[attr-defined]
    folders = {key: root / key_name(key) for key in KEYS if key in asked}
    for (strategy, mip, seed), folder in folders.items():
        write_random_case(folder / "plain", seed + 40, mip=mip, size="small")
        case = under(read_case(folder / "plain"), seed, strategy, share=0.3 * (seed % 2))
        write_case(case, folder / "asked")
    answers = solve_plainly([folder / "asked" for folder in folders.values()], script=SCRIPT)
    return {key: (folder / "asked", answers[folder / "asked"]) for key, folder in folders.items()}


def by_stages(goals: list[dict[str, Any]], *, first_only: bool) -> list[tuple[str, Any, float]]:
    """(name, priority, value) of the goals; stages of one share are one, without their number."""
    found: list[tuple[str, Any, float]] = []
    for goal in goals:
        fair = goal["name"] == "fair_share"
        if fair and found and found[-1][0] == "fair_share" and abs(found[-1][2] - goal["value"]) < SAME:
            continue
        found.append((goal["name"], None if fair else goal["priority"], goal["value"]))
        if fair and first_only:
            break
    return found


@pytest.mark.parametrize("key", KEYS, ids=key_name)
def test_strategies_agree_with_the_plain_model(key: Key, plain: Answers) -> None:
    folder, answer = plain[key]
    if answer["objectives"] is None:
        with pytest.raises(Infeasible):
            solve_objectives(folder)
        return
    ours = by_stages(solve_objectives(folder), first_only=answer["mip"])
    theirs = by_stages(answer["objectives"], first_only=answer["mip"])
    assert [goal[:2] for goal in ours] == [goal[:2] for goal in theirs]
    for (name, _, own), (_, _, value) in zip(ours, theirs, strict=True):
        assert own == pytest.approx(value, rel=TOLERANCE, abs=TOLERANCE), (name, folder)
