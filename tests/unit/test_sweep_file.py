"""Sweep files: levers put into edits, the points they make, and every fault at once."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest

from massbalance.domain.faults import CaseRefused
from massbalance.scenario.apply import Base, apply, read_base
from massbalance.scenario.outcome import How
from massbalance.scenario.point import point_key, scenario_at
from massbalance.scenario.sweep import figure_names
from massbalance.scenario.sweep_file import Sweep, read_sweep

DATA = Path(__file__).parents[2] / "data"
GRID = """
name = "grid"
[levers]
share = [0.5, 1]
day = ["2026-05-01", 2026-06-01]
firm = [true]
[[edit]]
table = "lots"
where = { lot = "INGOT-1" }
multiply = { quantity = "$share" }
[[edit]]
table = "lots"
where = { lot = "INGOT-1" }
set = { received = "$day", used = "$day", evidence = "$$5" }
[[edit]]
table = "orders"
where = { order = ["O1", "O2"] }
set = { firm = "$firm" }
"""
TORNADO = """
[levers]
cost = { low = 1, high = 2 }
more = { low = -1, base = 3, high = 9 }
[[edit]]
table = "lots"
multiply = { unit_cost = "$cost" }
[[edit]]
table = "lots"
add = { quantity = "$more" }
[rules]
residual = "baseline"
"""
FUTURES = """
seed = 3
count = 4
[[late]]
name = "late"
where = { category = "low_carbon_ingot" }
days = { uniform = [1, 400] }
[[short]]
name = "short"
factor = { uniform = [0, 1] }
[[cancelled]]
name = "cancelled"
probability = 0.5
[[yield]]
name = "yield"
factor = { uniform = [0.5, 1.5] }
"""
WITH_FUTURES = """
futures = "futures.toml"
count = 8
[levers]
share = [0.5, 1]
[[edit]]
table = "lots"
where = { lot = "INGOT-1" }
multiply = { quantity = "$share" }
"""


@pytest.fixture(scope="module")
def base() -> Base:
    return read_base(DATA / "tutorial")


def read(folder: Path, text: str, base: Base) -> Sweep:
    (folder / "futures.toml").write_text(FUTURES, encoding="utf-8")
    (folder / "sweep.toml").write_text(text, encoding="utf-8")
    return read_sweep(folder / "sweep.toml", base.case, figure_names(base.case))


def faults(folder: Path, text: str, base: Base) -> set[str]:
    with pytest.raises(CaseRefused) as refused:
        read(folder, text, base)
    return {fault.column for fault in refused.value.faults}


def test_a_grid_has_every_value_with_every_other(tmp_path: Path, base: Base) -> None:
    sweep = read(tmp_path, GRID, base)
    assert (sweep.name, sweep.kind, sweep.levers) == ("grid", "grid", ("share", "day", "firm"))
    assert [tuple(value for _, value in point.levers) for point in sweep.points] == [
        ("0.5", "2026-05-01", "true"), ("0.5", "2026-06-01", "true"),
        ("1", "2026-05-01", "true"), ("1", "2026-06-01", "true"),
    ]  # fmt: skip
    assert [point.number for point in sweep.points] == [1, 2, 3, 4]
    case = apply(base, sweep.points[1].scenario)
    at = case.lots.position["INGOT-1"]
    assert case.lots.exact["quantity"].fraction(at) == 25
    assert str(case.lots.days("received")[at]) == "2026-06-01"
    assert case.lots.text("evidence")[at] == "$5"
    assert case.orders.flag("firm").sum() == 2 + (base.case.orders.flag("firm").sum() - 1)


def test_a_lever_is_turned_alone_and_without_a_base_its_edits_are_left_out(
    tmp_path: Path, base: Base
) -> None:
    sweep = read(tmp_path, TORNADO, base)
    assert sweep.kind == "tornado"
    assert [(point.turned, point.side, point.levers) for point in sweep.points] == [
        ("", "base", (("cost", ""), ("more", "3"))),
        ("cost", "low", (("cost", "1"), ("more", "3"))),
        ("cost", "high", (("cost", "2"), ("more", "3"))),
        ("more", "low", (("cost", ""), ("more", "-1"))),
        ("more", "high", (("cost", ""), ("more", "9"))),
    ]
    assert [[edit.number for edit in point.scenario.edits] for point in sweep.points] == [
        [2],
        [1, 2],
        [1, 2],
        [2],
        [2],
    ]
    assert all(point.scenario.settings == {"rules": {"residual": "baseline"}} for point in sweep.points)


def test_futures_are_sampled_at_every_point_of_the_grid(tmp_path: Path, base: Base) -> None:
    sweep = read(tmp_path, WITH_FUTURES, base)
    assert (sweep.kind, sweep.seed, len(sweep.points)) == ("sample", 3, 16)
    # the same futures at both values of the lever
    assert [point.future for point in sweep.points[:8]] == [point.future for point in sweep.points[8:]]
    again = read(tmp_path, WITH_FUTURES.replace("count = 8", "count = 5\nseed = 3"), base)
    assert [point.future for point in again.points[:5]] == [point.future for point in sweep.points[:5]]
    other = read(tmp_path, WITH_FUTURES.replace("count = 8", "count = 8\nseed = 4"), base)
    assert [point.future for point in other.points] != [point.future for point in sweep.points]


def test_a_future_is_what_it_says_on_top_of_the_levers(tmp_path: Path, base: Base) -> None:
    """Every future gives a valid case: a lot later than its own expiry does not come, no yield exceeds 1."""
    lost = 0
    for point in read(tmp_path, WITH_FUTURES, base).points:
        future, share = point.future, Decimal(dict(point.levers)["share"])
        assert future is not None
        case = apply(base, scenario_at(base, point))
        assert set(case.orders.text("order")) == set(base.case.orders.text("order")) - set(future.cancelled)
        for lot, at in base.case.lots.position.items():
            days = future.delays.get(lot, 0)
            quantity = Decimal(int(base.case.lots.grid("quantity")[at])) * future.factors.get(lot, Decimal(1))
            quantity *= share if lot == "INGOT-1" else 1
            received, expires = (base.case.lots.days(name)[at] for name in ("received", "expires"))
            if received + days > expires:
                lost += 1
                quantity, days = Decimal(0), 0
            assert case.lots.grid("quantity")[at] == int(quantity)
            assert case.lots.days("received")[at] == received + days
        for product, at in base.case.products.position.items():
            rate = base.case.products.exact["t_product_per_t_input"].fraction(at)
            expected = min(
                Decimal(1), Decimal(rate.numerator) / rate.denominator * future.yields.get(product, 1)
            )
            found = case.products.exact["t_product_per_t_input"].fraction(at)
            assert (found.numerator, found.denominator) == Decimal(expected).as_integer_ratio()
    assert lost


def test_every_fault_is_told_at_once(tmp_path: Path, base: Base) -> None:
    text = """
    nam = 1
    figure = "margn"
    [levers]
    "bad name" = [1]
    empty = []
    half = { low = 1 }
    twice = [1, 1]
    sides = { low = 1, high = 2, middle = 3 }
    """
    assert faults(tmp_path, text, base) == {
        "nam", "figure", "levers", "levers.bad name", "levers.empty", "levers.half", "levers.twice",
        "levers.sides.middle",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        (GRID.replace('"$share"', '"$shar"'), {"edit 1.multiply.quantity", "levers.share"}),
        (GRID.replace("firm = [true]", 'firm = [true, "perhaps"]'), {"edit 3.set.firm"}),
        (GRID + "[[edit]]\ntable = 'lot'\ndrop = true", {"edit 4.table"}),
        ("", {"levers"}),
        ("levers = [1]", {"levers"}),
        ("futures = 'none.toml'", {"futures"}),
        ("futures = 'futures.toml'\ncount = 0", {"count"}),
        ("count = 3\n[levers]\nx = [1]", {"count"}),
        ("futures = 'futures.toml'\n[levers]\nx = { low = 1, high = 2 }", {"levers"}),
        ("[levers]\na = " + str(list(range(400))) + "\nb = " + str(list(range(400))), {""}),
        ("[levers]\na = [1]\n[objective]\norder = '$b'", {"objective.order", "levers.a"}),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_where_it_is(tmp_path: Path, base: Base, text: str, columns: set[str]) -> None:
    assert faults(tmp_path, text, base) == columns


def test_faults_of_the_futures_are_told_too(tmp_path: Path, base: Base) -> None:
    (tmp_path / "sweep.toml").write_text("futures = 'wrong.toml'", encoding="utf-8")
    (tmp_path / "wrong.toml").write_text("[[late]]\ndays = -1", encoding="utf-8")
    with pytest.raises(CaseRefused) as refused:
        read_sweep(tmp_path / "sweep.toml", base.case)
    assert {fault.table for fault in refused.value.faults} == {"wrong.toml"}


def test_a_point_s_key_is_of_all_that_its_figures_depend_on(tmp_path: Path, base: Base) -> None:
    how = How()
    points = read(tmp_path, WITH_FUTURES, base).points
    keys = {point_key(base, point, how) for point in points}
    assert len(keys) == len({(point.levers, str(point.future and point.future.same)) for point in points})
    one = points[0]
    assert re.fullmatch("[0-9a-f]{64}", point_key(base, one, how))
    assert (
        point_key(base, one, How(gap=0.1))
        != point_key(base, one, how)
        != point_key(base, one, How(time_limit=1))
    )
    other = Base(apply(base, points[-1].scenario), base.tables, base.settings)
    assert point_key(other, points[-1], how) == point_key(
        base, points[-1], how
    )  # a factor of 1: the same case
    other = Base(apply(base, one.scenario), base.tables, base.settings)
    assert point_key(other, one, how) != point_key(base, one, how)
