"""Pareto fronts: against minimum services (another equation), by hand, and never dominated."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest

from massbalance.api import read_case, solve_objectives
from massbalance.domain.faults import CaseRefused
from massbalance.domain.infeasible import Infeasible
from massbalance.intake.canonical import write_case
from massbalance.intake.objective import with_objective
from massbalance.strategy.front import Front, front
from tests.differential.random_cases import write_random_case
from tests.e2e.command import inside
from tests.golden.tiny import tiny

ROOT = Path(__file__).parents[2]


def two_customers() -> object:
    """10 t of green ingot; `rich` pays 5 for 10 t, `poor` 1 for 10 t."""
    return tiny(
        lots={"L": {"quantity": 10, "green_share": 1}},
        orders={
            "R": {"mass_t": 10, "premium_per_t": 5, "customer": "rich"},
            "P": {"mass_t": 10, "premium_per_t": 1, "customer": "poor"},
        },
    )


def test_every_tenth_of_a_share_costs_four_for_each_tonne(tmp_path: Path) -> None:
    """All to `rich`: 50, least share 0. Half to each: 25 + 5 = 30, least share 0.5. Between them a tonne
    moved costs 4 and lifts the least share by 0.1.
    """
    found = front(read_case(two_customers().write(tmp_path / "case")), ("margin", "fair_share"), points=6)
    assert [point.x for point in found.points] == pytest.approx([30, 34, 38, 42, 46, 50])
    assert [point.y for point in found.points] == pytest.approx([0.5, 0.4, 0.3, 0.2, 0.1, 0])
    assert [float(one["rate"]) for one in found.as_dict()["points"][1:]] == pytest.approx([0.025] * 5)
    assert found.linear


def value(case: object, settings: dict[str, object], name: str, folder: Path) -> float:
    """A goal's value of the case under another objective, by the ordinary solve."""
    write_case(with_objective(case, settings), folder)
    told = solve_objectives(folder)
    return next(float(goal["value"]) for goal in told if goal["name"] == name)


@pytest.mark.parametrize("seed", [0, 1, 3])
def test_a_point_is_what_minimum_services_would_cost(seed: int, tmp_path: Path) -> None:
    """Where every customer must get the point's least share (C16), the best margin is the point's."""
    write_random_case(tmp_path / "case", seed, mip=False)
    case = read_case(tmp_path / "case")
    found = front(case, ("margin", "fair_share"), points=5)
    undominated(found)
    for n, point in enumerate(found.points):
        least = max(0.0, int(point.y * 1e6) / 1e6)
        settings = {"minimum_service": [{"by": "customer", "share": least}]}
        margin = value(case, settings, "margin", tmp_path / f"case{n}")
        assert margin == pytest.approx(point.x, rel=1e-4, abs=1e-3)


def undominated(found: Front) -> None:
    """x grows and y gets worse from point to point; in a linear case ever faster."""
    xs, ys = [p.x for p in found.points], [p.y for p in found.points]
    steps = list(zip(pairwise(xs), pairwise(ys), strict=True))
    sign = -1 if found.y == "expired_tco2e" else 1
    assert all(x0 < x1 and sign * y0 > sign * y1 for (x0, x1), (y0, y1) in steps)
    if found.linear:
        rates = [sign * (y0 - y1) / (x1 - x0) for (x0, x1), (y0, y1) in steps]
        assert all(a <= b * (1 + 1e-5) + 1e-9 for a, b in pairwise(rates))


@pytest.mark.parametrize("goals", [("margin", "tonnage"), ("tonnage", "fair_share"), ("margin", "expiry")])
@pytest.mark.parametrize(("seed", "mip"), [(4, False), (3, True)])
def test_ends_are_lexicographic_optima(goals: tuple[str, str], seed: int, mip: bool, tmp_path: Path) -> None:
    """The last point is the best of the first goal, then of the second; the first the other way round."""
    write_random_case(tmp_path / "case", seed, mip=mip)
    case = read_case(tmp_path / "case")
    found = front(case, goals, points=4)
    undominated(found)
    for at, order in ((-1, goals), (0, goals[::-1])):
        settings: dict[str, object] = {"order": ["firm_shortfall", *dict.fromkeys([*order, "margin"])]}
        if "fair_share" in goals:
            settings["strategy"] = "leximin"
        told = {"tonnage": "tonnage_t", "expiry": "expired_tco2e"}.get(order[0], order[0])
        best = value(case, settings, told, tmp_path / f"case{at}")
        point = found.points[at]
        assert (point.x if order is goals else point.y) == pytest.approx(best, rel=1e-6, abs=1e-6)


def test_minimum_services_hold_along_the_front(tmp_path: Path) -> None:
    """`poor` must get at least a tenth: the best margin falls from 50 to 46."""
    least = {"minimum_service": [{"by": "customer", "group": "poor", "share": 0.1}]}
    case = two_customers().but(settings={"objective": least})
    found = front(read_case(case.write(tmp_path / "case")), ("margin", "fair_share"), points=3)
    assert found.points[-1].x == pytest.approx(46, abs=1e-4)
    clash = [{"by": "customer", "group": g, "share": 0.9} for g in ("poor", "rich")]
    case = two_customers().but(settings={"objective": {"minimum_service": clash}})
    with pytest.raises(Infeasible):
        front(read_case(case.write(tmp_path / "clash")), ("margin", "fair_share"))


def test_words_that_are_no_goals_are_faults_all_at_once(tmp_path: Path) -> None:
    case = read_case(two_customers().write(tmp_path / "case"))
    with pytest.raises(CaseRefused) as refused:
        front(case, ("profit", "loss"), points=1)
    assert [fault.column for fault in refused.value.faults] == ["goals", "goals", "points"]


def test_groups_that_are_none_are_refused_also_where_no_goal_has_any(tmp_path: Path) -> None:
    case = two_customers().write(tmp_path / "case")
    ended = inside("pareto", case, "--goals", "margin,tonnage", "--by", "fish", "--json")
    assert ended.code == 3
    assert [fault["column"] for fault in json.loads(ended.out)["faults"]] == ["by"]


@pytest.mark.parametrize(
    "goals", ["margin,expiry", "tonnage,margin", "margin,fair_share", "common_share,margin"]
)
def test_a_case_without_orders_has_a_front_of_one_point(goals: str, tmp_path: Path) -> None:
    case = two_customers().but(orders={"R": None, "P": None}).write(tmp_path / "case")
    ended = inside("pareto", case, "--goals", goals, "--json")
    assert (ended.code, ended.err) == (0, "")
    assert len(json.loads(ended.out)["points"]) == 1
    assert "-0.00" not in inside("pareto", case, "--goals", goals).out


def test_minimums_that_clash_are_told_as_json_too(tmp_path: Path) -> None:
    clash = [{"by": "customer", "group": g, "share": 0.9} for g in ("poor", "rich")]
    case = two_customers().but(settings={"objective": {"minimum_service": clash}}).write(tmp_path / "case")
    ended = inside("pareto", case, "--goals", "margin,fair_share", "--json")
    assert ended.code == 4
    assert json.loads(ended.out)["status"] == "infeasible"


def test_a_front_that_the_limit_cuts_ends_with_five(tmp_path: Path) -> None:
    ended = inside(
        "pareto", ROOT / "data" / "aluminium", "--goals", "margin,fair_share", "--time-limit", "0.01"
    )
    assert ended.code == 5
    assert "before the front was found" in ended.err


def test_strategies_cut_by_the_limit_are_one_document_too() -> None:
    """A gap that nothing bounds yet is no figure of JSON: null."""
    case = ROOT / "data" / "aluminium"
    ended = inside("strategies", case, "--time-limit", "0.01", "--json")
    assert ended.code == 5
    assert any(line["status"] == "limit" for line in json.loads(ended.out)["lines"])


def test_commands_show_the_same_as_text_and_as_json(tmp_path: Path) -> None:
    case = two_customers().write(tmp_path / "case")
    ended = inside("pareto", case, "--goals", "margin,fair_share", "--points", "3", "--json")
    assert (ended.code, ended.err) == (0, "")
    document = json.loads(ended.out)
    assert (document["x"], document["y"]) == ("margin", "fair_share")
    assert [point["x"] for point in document["points"]] == [30, 40, 50]
    text = inside("pareto", case, "--goals", "margin,fair_share", "--points", "3")
    assert text.code == 0
    assert "40.00" in text.out
    assert inside("pareto", case, "--goals", "margin", "--points", "3").code == 2
    assert inside("pareto", case, "--goals", "margin,fish", "--json").code == 3
    ended = inside("strategies", case, "--json")
    assert ended.code == 0
    lines = {line["name"]: line for line in json.loads(ended.out)["lines"]}
    assert lines["firm-then-margin"]["figures"]["margin"] == pytest.approx(50)
    assert lines["first in, first out"]["figures"]["margin"] == pytest.approx(10)
    assert lines["leximin"]["price_of_fairness"] == pytest.approx(0.4)
    assert "rolling average" in inside("strategies", case).out
