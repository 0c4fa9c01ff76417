"""What a sweep tells of its points: quantiles that came about, effects in order, rows in order."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from massbalance.report.publish import OutputRefused
from massbalance.scenario.compare import changes, column_names, exit_code
from massbalance.scenario.statistics import effects, quantile, spread, statistics
from massbalance.scenario.sweep import Store, table


def numbers(*values: int) -> list[Decimal]:
    return [Decimal(value) for value in values]


@pytest.mark.parametrize(
    ("count", "percent", "rank"),
    [(1, 5, 1), (1, 95, 1), (20, 5, 1), (21, 5, 2), (20, 95, 19), (100, 25, 25), (4, 50, 2), (5, 50, 3)],
)
def test_a_quantile_is_the_least_value_that_so_many_do_not_exceed(
    count: int, percent: int, rank: int
) -> None:
    ordered = numbers(*range(1, count + 1))
    found = quantile(ordered, percent)
    assert found == rank
    assert 100 * sum(value <= found for value in ordered) >= percent * count
    assert 100 * sum(value < found for value in ordered) < percent * count


def test_the_spread_of_values_has_an_exact_mean() -> None:
    found = spread(numbers(1, 2, 2))
    assert found["mean"] == Decimal("1.666667")
    assert (found["min"], found["p50"], found["max"]) == (1, 2, 2)


def test_samples_without_figures_are_counted_and_what_one_has_not_is_zero() -> None:
    rows: list[dict[str, Any]] = [
        {"levers": {"x": "1"}, "figures": {"margin": Decimal(4), "MWh_held": Decimal(2)}},
        {"levers": {"x": "1"}, "figures": {"margin": Decimal(6)}},
        {"levers": {"x": "1"}},
        {"levers": {"x": "2"}},
    ]
    first, second = statistics(rows, [{"C": Decimal(1)}, {}, {}, {}])
    assert (first["samples"], first["without_figures"], first["levers"]) == (3, 1, {"x": "1"})
    assert first["figures"]["margin"]["mean"] == 5  # type: ignore[index]
    assert first["figures"]["MWh_held"]["min"] == 0  # type: ignore[index]
    assert first["customers"]["C"]["max"] == 1  # type: ignore[index]
    assert (second["samples"], second["without_figures"], second["figures"]) == (1, 1, {})


def row(turned: str, side: str, margin: int | None) -> dict[str, Any]:
    figures = {} if margin is None else {"figures": {"margin": Decimal(margin)}}
    return {"turned": turned, "side": side, "levers": {"a": "1", "b": "2", "c": "3", "d": "4"}, **figures}


def test_the_lever_with_the_greatest_effect_comes_first() -> None:
    rows = [row("", "base", 100)]
    for lever, low, high in (("a", 99, 101), ("b", 120, 100), ("c", None, 70), ("d", None, None)):
        rows += [row(lever, "low", low), row(lever, "high", high)]
    found = effects(rows, ("a", "b", "c", "d"), "margin")
    assert [(one["lever"], one["effect"]) for one in found] == [("c", 30), ("b", 20), ("a", 1), ("d", None)]
    assert found[1]["low"] == {"value": "2", "figure": 120, "change": 20}
    assert found[0]["low"] == {"value": "3", "figure": None, "change": None}


def test_results_have_a_row_a_point_and_a_column_a_lever_and_figure() -> None:
    rows = [
        {
            "point": 1,
            "levers": {"a,b": 'x"y'},
            "status": "optimal",
            "figures": {"margin": Decimal("1E-6"), "n": 5},
        },
        {"point": 2, "levers": {"a,b": ""}, "status": "refused"},
    ]
    text = table({"kind": "grid", "levers": ["a,b"], "rows": rows})
    assert text == 'point,"lever.a,b",status,margin,n\n1,"x""y",optimal,0.000001,5\n2,,refused,,\n'


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        (["optimal", "optimal"], 0), (["optimal", "limit"], 5), (["limit", "infeasible"], 4),
        (["infeasible", "refused", "limit"], 3), (["refused", "error"], 1),
    ],
)  # fmt: skip
def test_exit_codes_tell_the_worst(statuses: list[str], code: int) -> None:
    assert exit_code(statuses) == code


def test_changes_are_exact_and_the_greatest_loss_comes_first() -> None:
    before = {"a": Decimal("1.1"), "b": Decimal(2), "c": Decimal(3)}
    after = {"a": Decimal("1.3"), "b": Decimal(2), "d": Decimal(1)}
    assert list(changes(before, after).items()) == [("c", -3), ("a", Decimal("0.2")), ("d", 1)]


def test_columns_of_files_of_one_name_are_told_apart() -> None:
    paths = [Path("a/late.toml"), Path("b/late.toml"), Path("base.toml"), Path("late.toml")]
    assert column_names(paths) == ["late", "late (2)", "base (2)", "late (3)"]


def test_finished_points_are_kept_whole_and_errors_are_tried_again(tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    assert store.get("k") is None
    found: dict[str, Any] = {"status": "optimal", "figure": Decimal("1.50")}
    store.keep("k", found)
    store.keep("e", {"status": "error"})
    assert Store(tmp_path / "out").get("k") == found
    assert store.get("e") is None
    file = tmp_path / "out" / "points" / "k.json"
    file.write_text(file.read_text(encoding="utf-8")[:20], encoding="utf-8")
    assert store.get("k") is None  # cut short: solved again


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputRefused):
        Store(tmp_path)
    with pytest.raises(OutputRefused):
        Store(tmp_path / "mine.txt")
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]
