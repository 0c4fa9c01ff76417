"""Documents of other commands: read exactly, refused with every fault at once."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from massbalance.api import Session
from massbalance.domain.faults import CaseRefused
from massbalance.pages.documents import curve_of, pareto_of, read_document, tornado_of
from massbalance.report.documents import dumps
from tests.pages.conftest import DATA


def test_a_quotes_document_is_read_as_it_is(tmp_path: Path) -> None:
    """Every point of the curve, and the terms as they were asked."""
    quote = Session(DATA / "tutorial").quote(
        product="PROFILE", period="2026Q3", mass_t="40", claim="green_share", level="0.5", premium_per_t="55"
    )
    file = tmp_path / "quote.json"
    file.write_text(dumps(quote.as_dict(with_curve=True)), encoding="utf-8")
    found = curve_of(read_document(file))
    assert (found.product, found.claim, found.level, found.offered) == (
        "PROFILE",
        "green_share",
        Decimal("0.5"),
        55,
    )
    assert float(found.feasible_t) == pytest.approx(quote.feasible_t)
    assert [(float(p.mass_t), float(p.floor)) for p in found.points] == [
        (pytest.approx(p.mass, abs=1e-6), pytest.approx(p.floor, abs=1e-6)) for p in quote.curve
    ]


def test_every_fault_of_a_document_is_told() -> None:
    document = {
        "product": 5,
        "level": "0.4",
        "mass_t": True,
        "feasible_t": Decimal("NaN"),
        "floor_premium_per_t": None,
        "curve": [{"mass_t": 5, "floor_premium_per_t": 1, "marginal_premium_per_t": None}, {"mass_t": 1}],
    }
    with pytest.raises(CaseRefused) as refused:
        curve_of(document, "quote.json")
    places = {(f.table, f.column) for f in refused.value.faults}
    assert places == {
        ("quote.json", where)
        for where in (
            "product",
            "level",
            "mass_t",
            "feasible_t",
            "curve",
            "curve[0].marginal_premium_per_t",
            "curve[1].floor_premium_per_t",
            "curve[1].marginal_premium_per_t",
        )
    }


def test_a_quote_without_a_curve_says_how_to_get_one() -> None:
    with pytest.raises(CaseRefused, match="a quote that was asked with --curve"):
        curve_of({"level": 1, "mass_t": 1, "feasible_t": 1})


def test_bars_and_fronts_are_read(tmp_path: Path) -> None:
    bars = {
        "goal": "margin",
        "currency": "USD",
        "base": 10.5,
        "rows": [{"name": "a", "low": 9, "high": None, "at_low": 0.9}, {"name": "b", "low": 10, "high": 12}],
    }
    file = tmp_path / "sweep.json"
    file.write_text("\ufeff" + json.dumps(bars), encoding="utf-8")
    found = tornado_of(read_document(file))
    assert found.base == Decimal("10.5")
    assert [(b.name, b.low, b.high, b.at_low) for b in found.bars] == [
        ("a", 9, None, "0.9"),
        ("b", 10, 12, ""),
    ]
    assert [b.width(found.base) for b in found.bars] == [Decimal("1.5"), 2]
    front = pareto_of(
        {"x": "margin", "y": "tonnage_t", "points": [{"x": 1, "y": 2, "label": "p", "chosen": True}]}
    )
    assert (front.points[0].label, front.points[0].chosen) == ("p", True)
    assert front.linear
    assert not pareto_of({"x": "margin", "y": "tonnage_t", "points": [], "linear": False}).linear
    with pytest.raises(CaseRefused, match="points of x and y"):
        pareto_of({"x": "margin", "y": "margin", "points": [1]})


def test_a_sweep_that_turns_levers_is_read() -> None:
    """The document of `sweep --json`: the base is the point that nothing was turned at."""
    effects = [
        {
            "lever": "delay",
            "low": {"value": "0", "figure": 90, "change": 0},
            "high": {"value": "60", "figure": None},
        }
    ]
    rows = [
        {"point": 1, "side": "base", "turned": "", "figures": {"claimed_t": Decimal("90.5"), "margin": 5}},
        {"point": 2, "side": "low", "turned": "delay", "figures": {"claimed_t": 90, "margin": 5}},
    ]
    document = {"kind": "tornado", "figure": "claimed_t", "currency": "", "effects": effects, "rows": rows}
    found = tornado_of(document)
    assert (found.goal, found.base) == ("claimed_t", Decimal("90.5"))
    assert [(b.name, b.low, b.high, b.at_low, b.at_high) for b in found.bars] == [
        ("delay", 90, None, "0", "60")
    ]
    with pytest.raises(CaseRefused, match="a base that has figures"):
        tornado_of({**document, "rows": [{**rows[0], "figures": None}]})
    with pytest.raises(CaseRefused, match="levers have `low` and `high`"):
        tornado_of({"kind": "grid", "figure": "margin", "rows": rows})


@pytest.mark.parametrize("content", ["", "[1]", "{", "nan"])
def test_what_is_no_document_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "x.json"
    file.write_text(content)
    with pytest.raises(CaseRefused, match="a JSON document"):
        read_document(file)
