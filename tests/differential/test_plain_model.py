"""The plain model against cases worked by hand and against exact arithmetic, and what the random cases hold.

OR-tools runs in processes of its own (`plain_runner`).
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from exact_lp import solve_exactly
from hand_cases import CASES
from plain_model import PlainCase, build, is_mip, is_true, number, read
from plain_runner import solve_plainly
from random_cases import write_random_case

EXACT_CASES = [
    (size, mip, seed)
    for size, mip, count in (("tiny", False, 60), ("tiny", True, 60), ("small", False, 12))
    for seed in range(count)
]
MOST_BINARIES = 10  # exact enumeration beyond that takes too long


@pytest.fixture(scope="module")
def hand_answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    root = tmp_path_factory.mktemp("hand")
    folders = {name: case.write(root / str(i)) for i, (name, case) in enumerate(CASES.items())}
    answers = solve_plainly(list(folders.values()))
    return {name: answers[folder] for name, folder in folders.items()}


@pytest.mark.parametrize("name", CASES)
def test_hand_worked_case(name: str, hand_answers: dict[str, dict[str, Any]]) -> None:
    goals = hand_answers[name]["objectives"]
    assert [goal["priority"] for goal in goals] == CASES[name].priorities
    assert [goal["value"] for goal in goals] == pytest.approx(CASES[name].values, rel=1e-10, abs=1e-9)


def test_solver_agrees_with_exact_arithmetic(tmp_path: Path) -> None:
    models = {}
    for size, mip, seed in EXACT_CASES:
        folder = tmp_path / f"{size}-{mip}-{seed}"
        write_random_case(folder, seed, mip=mip, size=size)
        model = build(read(folder))
        if len(model.binary) <= MOST_BINARIES:
            models[folder] = model
    assert len(models) > 0.8 * len(EXACT_CASES)
    answers = solve_plainly(list(models))
    for folder, model in models.items():
        exact = [goal.reported(float(v)) for goal, v in zip(model.goals, solve_exactly(model), strict=True)]
        found = [goal["value"] for goal in answers[folder]["objectives"]]
        assert found == pytest.approx(exact, rel=1e-9, abs=1e-9), folder.name


def features(case: PlainCase) -> set[str]:
    """Names of what the case uses, for the count over all random cases."""
    found = {f"{row['kind']} lot" for row in case.tables["lots"]}
    found |= {row["claim"] for row in case.tables["orders"]}
    found |= {f"scopes {row['scopes']}" for row in case.tables["lots"] if row["kind"] == "project"}
    found |= {
        column
        for column in ("used", "displaced_tco2e_per_uom", "scheme", "origin", "unit_cost", "recycled_pre")
        if any(row.get(column) for row in case.tables["lots"])
    }
    found |= {
        column for column in ("firm", "whole") if any(is_true(row, column) for row in case.tables["orders"])
    }
    found |= {name for name in ("offers", "projects", "composition", "alloy_limits") if case.tables[name]}
    found |= {key for key in case.overrides if key != "id"} | {case.rule_model}
    found |= {f"priority {row['priority']}" for row in case.tables["orders"] if row.get("priority")}
    checks = {
        "a lot without intensity": any(
            row["kind"] == "material" and not row.get("intensity_tco2e_per_uom")
            for row in case.tables["lots"]
        ),
        "min_fill": any(row.get("min_fill") for row in case.tables["orders"]),
        "accepted schemes": any(row.get("schemes") for row in case.tables["orders"]),
        "CO2 product": any(row.get("gas") == "CO2" for row in case.products.values()),
        "two units": len({row["unit"] for row in case.sites.values()}) > 1,
        "two organisations": len({row.get("organisation", "") for row in case.sites.values()}) > 1,
        "MWh": any(row["uom"] == "MWh" for row in case.tables["lots"]),
        "GJ": any(row["uom"] == "GJ" for row in case.tables["lots"]),
        "yield": any((number(row, "t_product_per_t_input") or 1) < 1 for row in case.products.values()),
        "product without metal": any(not row.get("metal_tco2e_per_t") for row in case.products.values()),
        "base of an alloy": any(key.startswith("base:") for key, _ in case.composition),
        "never usable lot": any(
            not any(case.in_time(row, t) for t in case.periods) for row in case.tables["lots"]
        ),
        "expiry on the way": any(
            case.in_time(row, t) and not case.in_time(row, u)
            for row in case.tables["lots"]
            for t, u in zip(list(case.periods), list(case.periods)[1:], strict=False)
        ),
        "five periods": len(case.periods) == 5,
        "margin first": case.settings.get("objective", {}).get("order", [""])[0] == "margin",
    }
    return found | {name for name, holds in checks.items() if holds}


EXPECTED_FEATURES = {
    "material lot",
    "energy lot",
    "project lot",
    "green_share",
    "recycled_share",
    "post_consumer_share",
    "cfp",
    "reduction",
    "scopes 1",
    "scopes 2",
    "scopes 3",
    "scopes 1+2",
    "scopes 1+2+3",
    "used",
    "displaced_tco2e_per_uom",
    "scheme",
    "origin",
    "unit_cost",
    "recycled_pre",
    "firm",
    "whole",
    "offers",
    "projects",
    "composition",
    "alloy_limits",
    "carry_over",
    "expiry_months",
    "residual",
    "boundary_material",
    "boundary_project",
    "jaa-2026",
    "jisf-2.0",
    "priority 1",
    "priority 2",
    "priority 3",
    "a lot without intensity",
    "min_fill",
    "accepted schemes",
    "CO2 product",
    "two units",
    "two organisations",
    "MWh",
    "GJ",
    "yield",
    "product without metal",
    "base of an alloy",
    "never usable lot",
    "expiry on the way",
    "five periods",
    "margin first",
}


def test_random_cases_hold_every_feature_several_times(tmp_path: Path) -> None:
    counts: Counter[str] = Counter()
    for mip in (False, True):
        for seed in range(60):
            folder = tmp_path / f"{mip}-{seed}"
            write_random_case(folder, seed, mip=mip)
            case = read(folder)
            assert is_mip(case) is mip
            counts.update(features(case))
    assert {name for name in EXPECTED_FEATURES if counts[name] < 3} == set()


def test_one_seed_is_one_case(tmp_path: Path) -> None:
    for name in ("first", "second"):
        write_random_case(tmp_path / name, 7, mip=True)
    first, second = (
        sorted((p.name, p.read_bytes()) for p in (tmp_path / name).iterdir()) for name in ("first", "second")
    )
    assert first == second
