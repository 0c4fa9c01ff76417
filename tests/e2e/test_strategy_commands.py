"""Strategies through the command: they run and verify, in any order of rows; what cannot be had is said."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from massbalance.domain.objective import STRATEGIES
from massbalance.interfaces.console import run_text
from tests.e2e.command import DATA, PROOF, ROOT, TABLES, contents, inside, massbalance, rows
from tests.e2e.tables import CaseTables
from tests.golden.test_strategies import TWO, asking, green
from tests.golden.tiny import Tiny, tiny

sys.path.insert(0, str(ROOT / "tests" / "differential"))

from massbalance.api import Infeasible, read_case, run_case
from massbalance.intake.canonical import write_case
from objectives import under
from random_cases import write_random_case

OBJECTIVES: dict[str, dict[str, Any]] = {
    "firm-then-margin": {},
    "concentrate": {"products": ["PROFILE"]},
    "spread": {},
    "leximin": {"by": "product"},
    "tonnage": {},
    "least-expiry": {},
    "weighted": {"weights": {"margin": 1, "tonnage_t": 5, "expired_tco2e": 2}},
}

OF_SHARES = ("proof/fair_share.csv", "proof/out_of_reach.csv")


def tutorial(folder: Path, objective: dict[str, Any], shuffle: int = 0) -> Path:
    """The tutorial under an objective, its rows in another order."""
    tables = CaseTables(DATA / "tutorial")
    case = (tables.shuffle(shuffle) if shuffle else tables).write_csv(folder)
    file = case / "case.toml"
    settings = tomllib.loads(file.read_text(encoding="utf-8")) | {"objective": objective}
    file.write_text(tomli_w.dumps(settings), encoding="utf-8")
    return case


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_runs_verifies_and_gives_the_same_bytes(strategy: str, tmp_path: Path) -> None:
    """Row order does not matter; the summary tells the strategy, the console its goals."""
    least = [{"by": "product", "group": "PROFILE", "share": 0.125}]
    objective = {"strategy": strategy, **OBJECTIVES[strategy], "minimum_service": least}
    ended = inside("run", tutorial(tmp_path / "case", objective), "--out", tmp_path / "run", "--json")
    assert (ended.code, ended.err) == (0, "")
    summary = json.loads(ended.out)
    assert summary["strategy"]["name"] == strategy
    assert [group["minimum"] for group in summary["strategy"]["groups"] if group["group"] == "PROFILE"]
    assert inside("verify", tmp_path / "run").code == 0
    more = [
        file
        for file in ("proof/fair_share.csv", "proof/out_of_reach.csv")
        if (tmp_path / "run" / file).exists()
    ]
    assert bool(more) == (strategy in ("spread", "leximin"))
    again = tutorial(tmp_path / "shuffled", objective, shuffle=3)
    assert inside("run", again, "--out", tmp_path / "again").code == 0
    names = (*TABLES, *PROOF, *more)
    assert contents(tmp_path / "again", names) == contents(tmp_path / "run", names)


@pytest.mark.parametrize("strategy", ["spread", "leximin", "least-expiry"])
def test_the_reference_gives_the_same_files(strategy: str, tmp_path: Path) -> None:
    case = read_case(tutorial(tmp_path / "case", {"strategy": strategy}))
    ours, stated = (run_case(case, tmp_path / how, method=how) for how in ("monolith", "reference"))
    assert contents(ours.out) == contents(stated.out)


@pytest.mark.parametrize("seed", range(3))
def test_random_cases_verify_under_every_strategy(seed: int, tmp_path: Path) -> None:
    """Blends and minimum services among them; a third are MIPs."""
    write_random_case(tmp_path / "case", 100 + seed, mip=seed % 3 == 0)
    base = read_case(tmp_path / "case")
    for strategy in STRATEGIES[1:]:
        case = under(base, seed, strategy, share=0.3 * (seed % 2))
        try:
            outcome = run_case(case, tmp_path / "run")
        except Infeasible:
            assert case.objective.minimums
            continue
        assert outcome.report.ok
        write_case(case, tmp_path / f"copy-{strategy}")
        assert read_case(tmp_path / f"copy-{strategy}").sha256 == outcome.summary["case_sha256"]


# A single order that no mix reaches was all that the common share was of: its value is 1 then, and not 0.
@pytest.mark.parametrize(("strategy", "seed"), [("spread", 108), ("spread", 120)])
def test_random_cases_that_once_failed(strategy: str, seed: int, tmp_path: Path) -> None:
    write_random_case(tmp_path / "case", seed, mip=True)
    case = under(read_case(tmp_path / "case"), seed, strategy)
    assert run_case(case, tmp_path / "run").report.ok


def short() -> Tiny:
    """10 t of lot for two orders of 10 t, of which each customer is to get 60 %."""
    return asking(tiny(lots=green(10), orders=TWO), minimum_service=[{"by": "customer", "share": 0.6}])


def test_exit_4_names_the_minimum_services_that_clash(tmp_path: Path) -> None:
    case = short().write(tmp_path / "case")
    ended = massbalance("run", case, "--out", tmp_path / "out", "--json")
    assert ended.code == 4
    found = json.loads(ended.out)
    assert found["status"] == "infeasible"
    assert [(one["by"], one["group"], one["least_t"]) for one in found["clash"]] == [
        ("customer", "a", 6),
        ("customer", "b", 6),
    ]
    assert sum(one["missing_t"] for one in found["clash"]) == pytest.approx(2)
    assert "minimum service of customer a: at least 60.0% of its orders, 6.000 t" in ended.err
    assert "cannot be met together" in ended.err
    assert not (tmp_path / "out").exists()


def test_the_decomposition_refuses_strategies_in_words(tmp_path: Path) -> None:
    case = tutorial(tmp_path / "case", {"strategy": "spread"})
    ended = inside("run", case, "--out", tmp_path / "out", "--method", "decomposition")
    assert ended.code == 2
    assert "it takes firm orders and margin only" in ended.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("strategy", [s for s in STRATEGIES if s != "firm-then-margin"])
def test_quotes_are_refused_where_other_goals_decide(strategy: str, tmp_path: Path) -> None:
    case = tutorial(tmp_path / "case", {"strategy": strategy, **OBJECTIVES[strategy]})
    terms = ("--product", "PROFILE", "--period", "2026Q2", "--claim", "cfp", "--level", "9", "--mass", "5")
    ended = inside("quote", case, *terms)
    assert ended.code == 3
    assert "objective.order" in ended.err
    assert "for a quote" in ended.err


def test_a_quote_keeps_minimum_services(tmp_path: Path) -> None:
    """10 t of lot, of which B's customer is to get 9: a quote of 2 t that pays 100 has 1 t only."""
    case = tiny(lots=green(10), orders={"B": TWO["B"]}, production={("bar", "Q1"): 50})
    terms = ("--product", "bar", "--period", "Q1", "--claim", "green_share", "--level", "1", "--mass", "2")
    free = inside("quote", case.write(tmp_path / "free"), *terms, "--json")
    assert json.loads(free.out)["feasible_t"] == 2
    least = asking(case, minimum_service=[{"by": "customer", "group": "b", "share": 0.9}])
    kept = inside("quote", least.write(tmp_path / "kept"), *terms, "--json")
    assert json.loads(kept.out)["feasible_t"] == 1


def test_console_and_workbook_tell_groups(tmp_path: Path) -> None:
    case = read_case(tutorial(tmp_path / "case", {"strategy": "leximin"}))
    outcome = run_case(case, tmp_path / "run")
    text = run_text(outcome)
    assert "fair share, stage 1" in text
    assert "customer windows" in text
    assert rows(outcome.out / "proof" / "fair_share.csv")[0] == {"group": "appliances", "stage": "1"}
    assert {row["kind"] for row in rows(outcome.out / "prices.csv")} >= {"fair_share", "pool_balance"}
