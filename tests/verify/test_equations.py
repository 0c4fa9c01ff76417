"""One rule broken at a time, and all else consistent: the verifier names the equation."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from handmade import Handmade, Use, write_run
from massbalance.verification import verify_run
from runs import MIXED, SCARCE

A1, A2_PROJECT, A2_METAL, A3, A4, A5, A6 = range(7)
"""Positions in MIXED.uses."""


def also(use: Use) -> Handmade:
    """MIXED with one more use."""
    return replace(MIXED, uses=[*MIXED.uses, use])


def claiming(run: Handmade, **claimed: str) -> Handmade:
    """The run with other claimed masses."""
    return replace(run, claimed={**run.claimed, **claimed})


def with_table(run: Handmade, name: str, old: str, new: str) -> Handmade:
    """The run with one text of a table replaced."""
    assert old in run.tables[name]
    return replace(run, tables={**run.tables, name: run.tables[name].replace(old, new)})


BROKEN = {
    "lot drawn beyond its quantity": ("C1", "allocation.csv", MIXED.with_use(A1, quantity="55")),
    "lots of one origin used twice": ("C2", "allocation.csv", MIXED.with_use(A3, quantity="90.909091")),
    "lot expired": ("C3", "allocation.csv", also(Use("L0", "A4", "1", unit="5", rate="0.95"))),
    "lot not yet available": (
        "C3", "allocation.csv",
        with_table(MIXED, "lots", "V2,project,save,S1,2025-04", "V2,project,save,S1,2025-07"),
    ),
    "lot of another accounting unit": ("C3", "allocation.csv", also(Use("R4", "A3/o1", "1", rate="1"))),
    "scheme not accepted": (
        "C3", "allocation.csv", with_table(MIXED, "orders", "9.95,12,,,,", "9.95,12,,,,ISCC")
    ),
    "GHG credit on a product of CO2 only": (
        "C3", "allocation.csv", also(Use("V1", "A6", "1", "tCO2e", scopes=("1", "0", "0")))
    ),
    "claim short by a gram": (
        "C4", "orders.csv", MIXED.with_use(A6, quantity="14.999999", scopes=("14.999999", "0", "0"))
    ),
    "more credited mass than product": ("C5", "orders.csv", MIXED.with_use(A3, quantity="80.000001")),
    "credited mass rounded up": ("C5", "allocation.csv", MIXED.with_use(A1, rate="0.9500001")),
    "category over its share": ("C6", "orders.csv", MIXED.with_use(A1, quantity="42.2")),
    "category that the alloy does not list": (
        "C6", "allocation.csv", also(Use("R2", "A8", "1", unit="5.5", rate="1"))
    ),
    "element over its limit": ("C7", "orders.csv", with_table(MIXED, "alloy_limits", "Fe,0.3", "Fe,0.2")),
    "more energy than the product uses": ("C8", "orders.csv", MIXED.with_use(A5, quantity="10.1")),
    "carrier that the product does not use": (
        "C8", "allocation.csv", also(Use("H1", "A8", "1", "GJ", unit="0.06", scope=1))
    ),
    "scope below zero": (
        "C9", "orders.csv", MIXED.with_use(A2_PROJECT, scopes=("60.000001", "39.999999", "0"))
    ),
    "credit in a scope not its own": (
        "C9", "allocation.csv", MIXED.with_use(A2_PROJECT, scopes=("60", "0", "40"))
    ),
    "reduction rounded up": (
        "C9", "allocation.csv", MIXED.with_use(A2_METAL, scopes=("0", "0", "50.000006"))
    ),
    "recipe of unlike orders": (
        "C10", "proof/recipes.csv", replace(MIXED, recipes={**MIXED.recipes, "A5": "A4"})
    ),
    "recipe by another name": (
        "C10", "proof/recipes.csv", replace(SCARCE, recipes={**SCARCE.recipes, "A": "B", "B": "B"}, duals=[])
    ),
    "more claimed than ordered": (
        "C11", "orders.csv",
        claiming(MIXED.with_use(A6, quantity="15.5", scopes=("15.5", "0", "0")), A6="31"),
    ),
    "less than the minimum fill": ("C12", "orders.csv", claiming(MIXED, A6="5")),
    "part of a whole order": ("C13", "orders.csv", claiming(MIXED, A2="40")),
    "two offers at once": ("C14", "allocation.csv", MIXED.with_use(A2_METAL, order="A2/a")),
    "goal not what was booked": (
        "C15", "summary.json", replace(MIXED, goals=[MIXED.goals[0], ("margin", None, "1")])
    ),
    "optimum without proof": ("C15", "proof/duals.csv", replace(SCARCE, duals=[])),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_rule_is_named(name: str, tmp_path: Path) -> None:
    label, file, run = BROKEN[name]
    report = verify_run(write_run(tmp_path / "run", run))
    assert not report.ok
    assert report.first is not None
    assert (report.first.code.split()[0], report.first.table) == (label, file), report.first.text()


def test_every_equation_has_a_run_that_breaks_it() -> None:
    assert {label for label, _, _ in BROKEN.values()} == {f"C{i}" for i in range(1, 16)}


WORSE = replace(
    SCARCE,
    uses=[Use("G1", "A", "60", rate="1"), Use("G2", "B", "40", rate="1")],
    claimed={"A": "150", "B": "100"},
    goals=[("firm_shortfall_t", 1, "50"), ("firm_shortfall_t", 2, "0"), ("margin", None, "11500")],
)
"""Sound in every row, but the first priority goes short for the second."""


def test_a_sound_but_worse_answer_is_not_called_optimal(tmp_path: Path) -> None:
    report = verify_run(write_run(tmp_path / "run", WORSE))
    assert report.first is not None
    assert report.first.code == "C15 goal_hold"
    assert (report.goals[0].gap, report.goals[0].proven) == (50, False)


def test_a_run_that_was_stopped_shows_its_gap_and_passes(tmp_path: Path) -> None:
    report = verify_run(write_run(tmp_path / "run", replace(WORSE, status="limit")))
    assert report.ok
    assert not report.goals[0].proven


@pytest.mark.parametrize("factor", ["0", "0.99", "1.01", "10"])
def test_duals_that_prove_less_are_rejected(factor: str, tmp_path: Path) -> None:
    loose = 0
    for at, text in enumerate(SCARCE.duals):
        row, dual = text.rsplit(",", 1)
        duals = [*SCARCE.duals[:at], f"{row},{Decimal(dual) * Decimal(factor)}", *SCARCE.duals[at + 1 :]]
        report = verify_run(write_run(tmp_path / str(at), replace(SCARCE, duals=duals)))
        assert report.ok == all(goal.gap == 0 for goal in report.goals)
        loose += not report.ok
    assert loose >= 4


def test_a_boundless_price_of_an_earlier_goal_does_not_hide_a_bad_value(tmp_path: Path) -> None:
    # A gram short of the first goal, times a price of 1e12, would excuse any margin.
    run = replace(
        SCARCE,
        uses=[Use("G1", "A", "60", rate="1"), Use("G2", "A", "20", rate="1")],
        claimed={"A": "199.999999"},
        goals=[
            ("firm_shortfall_t", 1, "0.000001"),
            ("firm_shortfall_t", 2, "100"),
            ("margin", None, "1999.99999"),
        ],
        duals=[
            "firm_shortfall:2,goal_hold,firm_shortfall:1,,1000000000000",
            "margin,goal_hold,firm_shortfall:1,,1000000000000",
        ],
    )  # fmt: skip
    report = verify_run(write_run(tmp_path / "run", run))
    assert [fault.column for fault in report.faults if fault.code == "C15 goal_hold"] == [
        "firm_shortfall:2", "margin",
    ]  # fmt: skip
