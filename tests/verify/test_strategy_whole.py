"""Runs of the whole program under every strategy verify, and are rejected at the right place when spoilt."""

from __future__ import annotations

import csv
import io
import json
import random
import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from corrupt import SIGNED, read, write
from handmade import sign
from massbalance.api import run_case
from massbalance.domain.infeasible import Infeasible
from massbalance.verification import verify_run
from strategy_truth import STRATEGIES, write_strategy_case

DATA = Path(__file__).parents[2] / "data"
OBJECTIVES = {
    "concentrate": 'strategy = "concentrate"\nproducts = ["PROFILE"]\n',
    "spread": 'strategy = "spread"\n',
    "leximin": 'strategy = "leximin"\n',
    "leximin by product": 'strategy = "leximin"\nby = "product"\n',
    "tonnage": 'strategy = "tonnage"\n[[objective.minimum_service]]\nby = "product"\nshare = 0.25\n',
    "least-expiry": 'strategy = "least-expiry"\n',
    "weighted": 'strategy = "weighted"\n[objective.weights]\nmargin = 1\ntonnage_t = 5.5\n'
    "expired_tco2e = 2\n",
    "blend": 'order = ["expiry", "firm_shortfall", "tonnage", "margin"]\n',
}


@pytest.fixture(scope="module")
def tutorials(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The tutorial's case, run under every strategy."""
    folder, runs = tmp_path_factory.mktemp("tutorials"), dict[str, Path]()
    for name, text in OBJECTIVES.items():
        case = folder / name
        shutil.copytree(DATA / "tutorial", case)
        settings = (case / "case.toml").read_text(encoding="utf-8").partition("[objective]")[0]
        (case / "case.toml").write_text(f"{settings}[objective]\n{text}", encoding="utf-8")
        runs[name] = run_case(case, folder / f"run {name}").out
    return runs


@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_tutorial_is_proven_under_every_strategy(name: str, tutorials: dict[str, Path]) -> None:
    report = verify_run(tutorials[name])
    assert report.ok, report.first
    assert all(goal.proven for goal in report.goals)
    told = json.loads((tutorials[name] / "summary.json").read_text())["objectives"]
    assert [(g["name"], g["priority"], g.get("group")) for g in told] == [
        (goal.name, goal.priority, goal.group) for goal in report.goals
    ]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_random_cases_are_proven_under_every_strategy(strategy: str, tmp_path: Path) -> None:
    """LPs to the optimum, cases with whole orders within their bound."""
    done = 0
    for seed in range(100, 104):
        mip = seed % 3 == 0
        write_strategy_case(tmp_path / f"{seed}", seed, strategy, mip=mip)
        try:
            run = run_case(tmp_path / f"{seed}", tmp_path / f"run {seed}").out
        except Infeasible:
            continue  # a least service that there is no credit for
        report = verify_run(run)
        assert report.ok, (seed, report.first)
        assert all(goal.proven or goal.mip for goal in report.goals), seed
        done += 1
    assert done >= 1


# ---- spoilt, and signed anew -------------------------------------------------------------------------------


def move_claim(run: Path) -> None:
    """A tonne that one customer claims goes to another."""
    rows = read(run, "orders.csv")
    first = next(row for row in rows if Decimal(row["claimed_t"]) > 1)
    other = next(r for r in rows if Decimal(r["unmet_t"]) > 1 and r["customer"] != first["customer"])
    for row, by in ((first, -1), (other, 1)):
        row["claimed_t"] = f"{Decimal(row['claimed_t']) + by:f}"
        row["unmet_t"] = f"{Decimal(row['unmet_t']) - by:f}"
    write(run, "orders.csv", rows, list(rows[0]))


def stage_changed(run: Path) -> None:
    """The first group is said to have been settled a stage later."""
    rows = read(run, "proof/fair_share.csv")
    rows[0]["stage"] = str(int(rows[0]["stage"]) + 1)
    write(run, "proof/fair_share.csv", rows, list(rows[0]))


def dual_of(goal: str, equation: str, factor: str) -> Callable[[Path], None]:
    """The greatest price of a kind, changed; the summary tells no bound that would give it away."""

    def spoil(run: Path) -> None:
        rows = read(run, "proof/duals.csv")
        able = [row for row in rows if row["goal"] == goal and row["equation"] == equation]
        assert able, (goal, equation)
        row = max(able, key=lambda one: Decimal(one["dual"]))
        row["dual"] = f"{(Decimal(row['dual']) * Decimal(factor)).quantize(Decimal('1e-12')):f}"
        write(run, "proof/duals.csv", rows, list(rows[0]))
        path = run / "summary.json"
        document = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
        for one in document["objectives"]:
            del one["certified_bound"], one["certified_gap"]
        path.write_text(json.dumps(document, default=float), encoding="utf-8")

    return spoil


def value_of(goal: str, by: str) -> Callable[[Path], None]:
    """A goal's booked value in the summary, changed."""

    def spoil(run: Path) -> None:
        path = run / "summary.json"
        document = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
        entry = next(one for one in document["objectives"] if one["name"] == goal)
        entry["value"] = Decimal(entry["value"]) + Decimal(by)
        path.write_text(json.dumps(document, default=float), encoding="utf-8")

    return spoil


SPOILT: list[tuple[str, Callable[[Path], None], str, str]] = [
    ("leximin", move_claim, "orders.csv", ""),
    ("leximin", stage_changed, "summary.json", "C15 goal_hold"),
    ("leximin", dual_of("fair_share:1", "fair_share", "0.5"), "proof/duals.csv", "C15 goal_hold"),
    ("leximin", dual_of("fair_share:1", "pool_balance", "1.5"), "proof/duals.csv", "C15 goal_hold"),
    ("leximin", dual_of("margin", "fair_share", "0.5"), "proof/duals.csv", "C15 goal_hold"),
    ("leximin", value_of("fair_share", "0.001"), "summary.json", "C15 goal_hold"),
    ("leximin by product", dual_of("fair_share:1", "fair_share", "0.5"), "proof/duals.csv", "C15 goal_hold"),
    ("spread", move_claim, "orders.csv", ""),
    ("spread", value_of("common_share", "0.001"), "orders.csv", "C17 common_share"),
    ("spread", value_of("common_share", "-0.001"), "orders.csv", "C18 no_more"),
    ("spread", dual_of("common_share", "common_share", "0.5"), "proof/duals.csv", "C15 goal_hold"),
    ("concentrate", value_of("chosen_t", "1"), "summary.json", "C15 goal_hold"),
    ("tonnage", value_of("tonnage_t", "1"), "summary.json", "C15 goal_hold"),
    ("tonnage", dual_of("tonnage", "pool_balance", "1.5"), "proof/duals.csv", "C15 goal_hold"),
    ("least-expiry", value_of("expired_tco2e", "1"), "summary.json", "C15 goal_hold"),
    ("weighted", value_of("weighted", "-1"), "summary.json", "C15 goal_hold"),
    ("weighted", dual_of("weighted", "pool_balance", "0.5"), "proof/duals.csv", "C15 goal_hold"),
]


@pytest.mark.parametrize(("name", "spoil", "table", "code"), SPOILT, ids=range(len(SPOILT)))
def test_a_spoilt_run_is_rejected_where_it_is_spoilt(
    name: str,
    spoil: Callable[[Path], None],
    table: str,
    code: str,
    tutorials: dict[str, Path],
    tmp_path: Path,
) -> None:
    run = tmp_path / "run"
    shutil.copytree(tutorials[name], run)
    spoil(run)
    sign(run)
    first = verify_run(run).first
    assert first is not None, "accepted"
    assert not table or first.table == table, first
    assert not code or first.code == code, first


def test_another_objective_does_not_pass_for_the_one_that_was_run(
    tutorials: dict[str, Path], tmp_path: Path
) -> None:
    """The case says spread, the run is the greatest tonnage: the summary's hash of the case gives it away."""
    run = tmp_path / "run"
    shutil.copytree(tutorials["tonnage"], run)
    shutil.copy(tutorials["spread"] / "case" / "case.toml", run / "case" / "case.toml")
    sign(run)
    found = verify_run(run).faults
    assert (found[0].table, found[0].column) == ("summary.json", "case_sha256")
    assert any(f.table == "proof/out_of_reach.csv" for f in found)


@pytest.mark.parametrize("kind", sorted(SIGNED))
def test_every_kind_of_corruption_is_seen_in_a_leximin_run_too(
    kind: str, tutorials: dict[str, Path], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(tutorials["leximin"], run)
    if SIGNED[kind](run, random.Random(kind)):
        first = verify_run(run).first
        assert first is not None
        assert first.code != "manifest"


def test_stages_are_written_for_every_group(tutorials: dict[str, Path]) -> None:
    text = (tutorials["leximin"] / "proof" / "fair_share.csv").read_text(encoding="utf-8")
    orders = csv.DictReader(io.StringIO((DATA / "tutorial" / "orders.csv").read_text(encoding="utf-8")))
    assert {row["group"] for row in csv.DictReader(io.StringIO(text))} == {r["customer"] for r in orders}
