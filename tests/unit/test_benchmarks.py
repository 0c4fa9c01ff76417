"""The benchmarks' own arithmetic: differences, medians, what is not tried again, tables, limits."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from benchmarks.cases import CASES, Case, short
from benchmarks.measure import combine, compare, difference, hopeless
from benchmarks.processes import Limits, run
from benchmarks.tables import BEGIN, END, markdown, replace_between, table

WIDE = Limits(seconds=60.0, mebibytes=4096)


def goals(shortfall: float, margin: float) -> list[dict[str, Any]]:
    return [
        {"name": "firm_shortfall_t", "priority": 1, "value": shortfall},
        {"name": "margin", "priority": None, "value": margin},
    ]


def record(seconds: float, status: str = "optimal", **more: Any) -> dict[str, Any]:
    found = {"status": status, "seconds": seconds, "cpu_seconds": seconds, "mebibytes": 100.0, "stages": {}}
    return {**found, "objectives": goals(0.0, 1000.0), **more}


def test_difference_is_relative_and_the_largest_of_the_goals() -> None:
    assert difference(goals(0.0, 1000.0), goals(0.0, 1001.0)) == pytest.approx(1e-3)
    assert difference(goals(0.5, 1000.0), goals(0.0, 1000.0)) == pytest.approx(0.5)
    assert difference(goals(3.0, -7.0), goals(3.0, -7.0)) == 0.0


def test_difference_of_other_goals_is_refused() -> None:
    with pytest.raises(ValueError, match="goals differ"):
        difference(goals(0.0, 1.0), goals(0.0, 1.0)[:1])


def test_medians_of_seconds_and_the_greatest_memory() -> None:
    runs = [
        record(3.0, mebibytes=10.0, stages={"solve": 2.0}),
        record(1.0, mebibytes=30.0, stages={"solve": 0.5}),
        record(2.0, mebibytes=20.0, stages={"solve": 1.0}),
    ]
    found = combine(runs)
    assert (found["seconds"], found["mebibytes"], found["runs"]) == (2.0, 30.0, 3)
    assert found["stages"] == {"solve": 1.0}


def test_one_run_that_fails_is_what_is_told() -> None:
    assert combine([record(1.0), record(600.0, "time")])["status"] == "time"


def test_ratios_are_to_massbalance_and_a_lower_bound_where_a_tool_was_ended() -> None:
    tools = {"massbalance": record(2.0), "linopy": record(5.0), "PuLP": record(600.0, "time")}
    compare(tools)
    assert (tools["linopy"]["ratio"], tools["linopy"]["difference"]) == (2.5, 0.0)
    assert tools["PuLP"]["ratio"] == 300.0
    assert "difference" not in tools["PuLP"]


def test_a_tool_that_was_ended_is_not_tried_on_larger_cases() -> None:
    small, same, large = Case(100, 10, 5), Case(100, 10, 10), Case(200, 20, 5)
    done = [(small, {"PuLP": record(600.0, "time"), "linopy": record(1.0)})]
    assert hopeless("PuLP", large, done)
    assert not hopeless("PuLP", same, done)
    assert not hopeless("linopy", large, done)


def test_a_table_has_a_line_for_each_row() -> None:
    assert table(("case", "s"), [("a", "1.00")], "lr") == "| case | s |\n| --- | ---: |\n| a | 1.00 |"


def test_only_what_stands_between_the_markers_is_replaced() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    written = replace_between(page, "new")
    assert written == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"
    assert replace_between(written, "new") == written


def test_a_page_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="expected one"):
        replace_between("no markers", "new")


def test_the_tables_tell_times_ratios_limits_and_stages() -> None:
    tools = {
        "massbalance": record(2.0, runs=3, stages={"read": 0.5, "solve": 1.0, "verify": 0.25}),
        "linopy": record(250.0, runs=1, sizes={"columns": 12345, "rows": 678}),
        "PuLP": record(600.0, "time", runs=1),
        "Pyomo": {"status": "not tried", "runs": 0, "stages": {}, "objectives": []},
    }
    compare(tools)
    machine = {"processor": "P", "cores": 2, "memory_gib": 8, "system": "S", "python": "3.11"}
    written = markdown(
        {
            "machine": machine | {"load_average": [0.1, 0.2, 0.3]},
            "versions": {"numpy": "2.4", "highspy": "1.15.1"},
            "limits": {"seconds": 600.0, "mebibytes": 10240},
            "cases": [{"name": "2 k x 50, 20 pools", "tools": tools}],
        }
    )
    lines = written.splitlines()
    assert "highspy 1.15.1, numpy 2.4." in lines
    assert "| 2 k x 50, 20 pools | linopy | 250 | 125 | 250 | 100 | 0e+00 | 1 | 12,345 | 678 |" in lines
    assert any("| PuLP | not done in time (600) | > 300 | 600 |" in line for line in lines)
    assert any("| Pyomo | not tried: a smaller case was too large |" in line for line in lines)
    assert any("| massbalance | 0.50 |  | 1.00 |  |  |  | 0.25 | 0.25 |" in line for line in lines)


def test_every_case_has_a_name_of_its_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    assert [short(count) for count in (50, 1_000, 20_000, 1_000_000)] == ["50", "1,000", "20 k", "1 M"]


def test_a_process_says_its_lines_time_and_memory() -> None:
    ended = run([sys.executable, "-c", "print('chatter'); print('{\"stage\": \"read\"}')"], WIDE)
    assert (ended.status, ended.code, ended.lines) == ("done", 0, [{"stage": "read"}])
    assert ended.mebibytes > 1.0
    assert ended.seconds > 0.0


@pytest.mark.parametrize(
    ("program", "limits", "status"),
    [
        ("import time; time.sleep(60)", Limits(0.3, 4096), "time"),
        ("kept = bytearray(400 * 2**20); import time; time.sleep(60)", Limits(30.0, 200), "memory"),
        ("kept = bytearray(9 * 2**30)", Limits(30.0, 200), "memory"),
        ("raise SystemExit(3)", WIDE, "failed"),
    ],
    ids=["too long", "too large", "far too large", "failed"],
)
def test_a_process_that_passes_a_limit_is_ended(program: str, limits: Limits, status: str) -> None:
    assert run([sys.executable, "-c", program], limits).status == status
