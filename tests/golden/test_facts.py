"""Worked numbers from outside, through whole runs: files in, verified files out."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from massbalance.api import Outcome, run_case
from tests.golden.checks import goal_values, table, uses
from tests.golden.tiny import Tiny, tiny

LEGS = {"GA": 110, "AC": 130, "AN": 111}
FARES = {
    "GA1": (190, 49, "GA"), "GA2": (90, 90, "GA"), "GC1": (264, 24, "GA AC"), "GC2": (229, 43, "GA AC"),
    "GN1": (261, 12, "GA AN"), "GN2": (219, 67, "GA AN"), "AC1": (140, 44, "AC"), "AC2": (95, 69, "AC"),
    "AN1": (186, 16, "AN"), "AN2": (103, 17, "AN"),
}  # fmt: skip
"""Network revenue management (lindo.com, NetRevMan): seats of each leg; fare, demand and legs of a class."""


def run(case: Tiny, folder: Path) -> Outcome:
    """A verified run of a case."""
    outcome = run_case(case.write(folder / "case"), folder / "run")
    assert outcome.report.ok
    assert outcome.summary["verified"] is True
    return outcome


def network() -> Tiny:
    """Legs are lots of a category each; a fare is an order whose product takes its legs in equal parts.

    A passenger of two legs is 2 t of product, a half from each, at half the fare per t.
    """
    products, alloys, orders = {}, {}, {}
    for name, (fare, demand, legs) in FARES.items():
        count = len(legs.split())
        products[name] = {"alloy": legs}
        alloys |= {(legs, leg): 1 / count for leg in legs.split()}
        orders[name] = {"product": name, "mass_t": demand * count, "premium_per_t": fare / count}
    lots = {leg: {"quantity": seats, "category": leg, "green_share": 1} for leg, seats in LEGS.items()}
    return tiny(products=products, alloys=alloys, lots=lots, orders=orders)


def test_network_revenue_and_its_bid_prices(tmp_path: Path) -> None:
    """Optimum 42,366; one more seat is worth 190, 74 and 29."""
    outcome = run(network(), tmp_path)
    assert goal_values(outcome.summary["objectives"]) == {"margin": pytest.approx(42_366, abs=1e-3)}
    prices = {
        row["lots"]: Decimal(row["price_per_unit"])
        for row in table(outcome, "prices")
        if row["kind"] == "lot_supply"
    }
    assert prices == {"GA": 190, "AC": 74, "AN": 29}


def test_network_revenue_is_earned_by_these_passengers(tmp_path: Path) -> None:
    """A fare above the bid prices of its legs is sold out, one below is refused; GC1 and GN2 pay just what
    their legs cost together, and take what is left.
    """
    outcome = run(network(), tmp_path)
    sold = {
        r["order"]: Decimal(r["claimed_t"]) / len(FARES[r["order"]][2].split())
        for r in table(outcome, "orders")
    }
    bid = {"GA": 190, "AC": 74, "AN": 29}
    for name, (fare, demand, legs) in FARES.items():
        cost = sum(bid[leg] for leg in legs.split())
        if fare > cost:
            assert sold[name] == demand, name
        elif fare < cost:
            assert sold[name] == 0, name
    for leg, seats in LEGS.items():
        assert sum(sold[name] for name in FARES if leg in FARES[name][2].split()) == seats


def charge(level: str) -> Tiny:
    """100 t of A356 (Fe at most 0.20 %) with a recycled share, from a scrap melt with 0.855 % Fe."""
    return tiny(
        alloys={("A356", "scrap melt"): 1, ("A356", "pure"): 1},
        alloy_limits={("A356", "Fe"): 0.20},
        composition={("scrap melt", "Fe"): 0.855, ("pure", "Fe"): 0, ("base", "Fe"): 0},
        products={"bar": {"alloy": "A356"}},
        lots={
            "MELT": {"quantity": 500, "category": "scrap melt", "recycled_post": 1, "unit_cost": -1},
            "PURE": {"quantity": 500, "category": "pure"},
        },
        orders={"O": {"mass_t": 100, "claim": "recycled_share", "level": level}},
    )


def test_iron_limits_scrap_to_23_4_percent_of_the_charge(tmp_path: Path) -> None:
    """0.20 / 0.855 = 0.2339: 100 t take 23.391812 t of melt, even beside iron-free metal."""
    outcome = run(charge("0.2339"), tmp_path)
    assert uses(outcome)["MELT", "O"] == pytest.approx(100 * 0.20 / 0.855, abs=2e-6)
    assert float(table(outcome, "orders")[0]["claimed_t"]) == 100


def test_iron_refuses_a_share_of_23_4_percent_and_more(tmp_path: Path) -> None:
    """0.234 lies above 0.20 / 0.855: nothing is claimed, and the run says which limit stops it."""
    outcome = run(charge("0.234"), tmp_path)
    order = table(outcome, "orders")[0]
    assert float(order["claimed_t"]) == 0
    assert "at most 0.2339 of 0.234 per t" in order["why"]
    (warning,) = [w for w in outcome.summary["warnings"] if w["column"] == "level"]
    assert warning["code"] == "A5.1.2C"
    assert "element_cap[O,Fe]" in warning["expected"]


def steel(rules: dict[str, str], sold: int = 200) -> Tiny:
    """1,000 t at 2.1, 300 t CO2e saved by a project in scopes that hold all of it, some sold at 0.6."""
    return tiny(
        rules=rules,
        alloys={},
        products={"coil": {"s1": 1.8, "s2": 0.1, "s3": 0.2, "measured_tco2e_per_t": 1.8}},
        production={("coil", "Q1"): 1000},
        projects={"FURNACE": {}},
        lots={
            "EFFECT": {
                "kind": "project", "quantity": 300, "scopes": "1+2", "project": "FURNACE",
                "expires": "2026-06-30",
            }
        },
        orders={"O": {"product": "coil", "mass_t": sold, "claim": "cfp", "level": 0.6}},
    )  # fmt: skip


@pytest.mark.parametrize(
    "rules",
    [
        {"id": "jaa-2026", "residual": "inventory"},
        {"id": "jaa-2026", "residual": "baseline"},
        {"id": "jisf-2.0"},
    ],
    ids=lambda rules: "-".join(rules.values()),
)
def test_the_residual_is_declared_at_the_baseline(rules: dict[str, str], tmp_path: Path) -> None:
    """200 t at 0.6 take all 300 t CO2e, so the other 800 t are declared at 2.1, under either convention: at
    the plant's 1.8 they would count 240 t twice, which is what the correction of 0.3 adds back.
    """
    outcome = run(steel(rules), tmp_path)
    (order,) = table(outcome, "orders")
    assert (Decimal(order["claimed_t"]), Decimal(order["cfp_after"])) == (200, Decimal("0.6"))
    (rest,) = table(outcome, "residual")
    assert Decimal(rest["conventional_t"]) == 800
    assert Decimal(rest["cfp_residual"]) == Decimal("2.1")
    assert Decimal(rest["correction_tco2e_per_t"]) * Decimal(rest["conventional_t"]) == 240
    tonnes = outcome.summary["tco2e"]
    expected = {
        "baseline": 2100, "realised": 300, "allocated": 300, "accounted": 1800, "claimed_products": 120,
        "conventional_products": 1680, "released": 0, "retired": 0, "held": 0,
    }  # fmt: skip
    assert {name: tonnes[name] for name in expected} == expected


def test_the_conventions_differ_in_what_is_left_over(tmp_path: Path) -> None:
    """100 t at 0.6 take 150; the other 150 expire after Q1: released they lower Q2's 900 t, all conventional,
    to 2.1 - 150 / 900, retired they leave them at 2.1.
    """
    case = steel({"id": "jaa-2026"}, sold=100)
    case = replace(case, quarters=2).but(production={("coil", "Q1"): 100, ("coil", "Q2"): 900})
    found = {}
    for residual in ("inventory", "baseline"):
        rules = {"rules": {"id": "jaa-2026", "residual": residual}}
        outcome = run(case.but(settings=rules), tmp_path / residual)
        rows = {row["period"]: row for row in table(outcome, "residual")}
        found[residual] = float(rows["Q2"]["cfp_residual"])
        assert outcome.summary["tco2e"]["accounted"] == 1800
    assert found == {"inventory": pytest.approx(2.1 - 150 / 900, abs=1e-6), "baseline": 2.1}


def one_credit(level: str) -> Tiny:
    """1 t of metal at 4.0 in place of 15.1, in 1 t of a product made of nothing else."""
    return tiny(
        products={"bar": {"s1": 0, "s2": 0, "s3": 15.1, "metal_tco2e_per_t": 15.1}},
        lots={"L": {"quantity": 1, "intensity_tco2e_per_uom": "4.0"}},
        orders={"O": {"mass_t": 1, "claim": "reduction", "level": level}},
    )


def test_one_credit_is_worth_11_1_t(tmp_path: Path) -> None:
    outcome = run(one_credit("11.1"), tmp_path)
    (order,) = table(outcome, "orders")
    assert (Decimal(order["claimed_t"]), Decimal(order["cfp_after"])) == (1, 4)
    (row,) = table(outcome, "allocation")
    assert Decimal(row["scope3"]) == Decimal("11.1")
    assert outcome.summary["tco2e"]["allocated"] == Decimal("11.1")


def test_one_credit_is_worth_no_more(tmp_path: Path) -> None:
    """A tonne of product takes a tonne of metal at most, so 11.2 is out of reach: nothing is claimed."""
    outcome = run(one_credit("11.2"), tmp_path)
    (order,) = table(outcome, "orders")
    assert Decimal(order["claimed_t"]) == 0
