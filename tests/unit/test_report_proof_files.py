"""proof/: every term has its recipe, every usable lot its pool, and prices are decimals from 0 on."""

from __future__ import annotations

import csv
import io
import re

from massbalance.api import Result
from tests.unit.report_case import Row, solved

NAMES = ("recipes", "pools", "duals")


def proof(result: Result) -> dict[str, list[Row]]:
    """The three files, as rows."""
    texts = {name: result.files[f"proof/{name}.csv"].decode("utf-8") for name in NAMES}
    return {name: list(csv.DictReader(io.StringIO(text, newline=""))) for name, text in texts.items()}


def test_every_order_and_offer_has_its_recipe_the_first_member() -> None:
    """Alike in all but mass, price and firmness is one recipe; another level is another."""
    offers = [{"order": "c", "offer": "x", "claim": "green_share", "level": "0.5", "premium_per_t": 1}]
    orders = [
        {"order": "b", "mass_t": 5}, {"order": "a", "firm": "true", "premium_per_t": 3},
        {"order": "c", "level": "0.4"}, {"order": "d", "period": "P2"},
    ]  # fmt: skip
    found = proof(solved(orders, [{}], offers=offers))["recipes"]
    assert {(r["order"], r["offer"]): r["recipe"] for r in found} == {
        ("a", ""): "a", ("b", ""): "a", ("c", ""): "c", ("c", "x"): "a", ("d", ""): "d",
    }  # fmt: skip


def test_every_usable_lot_has_its_pool_and_no_other_has() -> None:
    lots = [
        {"lot": "M", "quantity": 1}, {"lot": "L", "expires": "2025-02-28"}, {"lot": "N", "unit_cost": 2},
        {"lot": "late", "received": "2025-07-01"},
        {"lot": "gone", "received": "2024-01-01", "expires": "2024-02-01"},
    ]  # fmt: skip
    found = proof(solved([{}], lots))["pools"]
    assert {r["lot"]: r["pool"] for r in found} == {"L": "L", "M": "L", "N": "N"}


def test_duals_are_decimals_from_zero_on_and_zeros_are_left_out() -> None:
    orders = [{"order": "a", "firm": "true", "mass_t": 90}, {"order": "b", "premium_per_t": "33.3333333"}]
    found = proof(solved(orders, [{}]))["duals"]
    assert {r["goal"] for r in found} == {"firm_shortfall:1", "margin"}
    for row in found:
        assert re.fullmatch(r"[0-9]+(\.[0-9]{1,12})?", row["dual"]), row
        assert float(row["dual"]) > 0
    held = [r for r in found if r["equation"] == "goal_hold"]
    assert [(r["goal"], r["key"]) for r in held] == [("margin", "firm_shortfall:1")]


def test_names_are_quoted() -> None:
    found = proof(solved([{"order": 'a,"b"'}], [{"lot": "x,y"}]))
    assert found["recipes"] == [{"order": 'a,"b"', "offer": "", "recipe": 'a,"b"'}]
    assert found["pools"] == [{"lot": "x,y", "pool": "x,y"}]


def test_a_case_without_orders_and_lots_has_only_headers() -> None:
    found = solved([], [])
    assert found.files["proof/recipes.csv"] == b"order,offer,recipe\n"
    assert found.files["proof/pools.csv"] == b"lot,pool\n"
    assert found.files["proof/duals.csv"] == b"goal,equation,key,index,dual\n"
