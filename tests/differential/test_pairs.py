"""Pairs and what they do, from whole arrays, against one fraction at a time."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from massbalance.api import read_case
from massbalance.domain.case import Case
from massbalance.domain.effects import CARRIER_OF_UOM
from massbalance.formulation.nearest import first_rows, nearest, numbered, ratio
from massbalance.formulation.problem import SLACK_OF_BOUNDS, Problem, build_problem
from massbalance.formulation.recipes import GHG_CLAIMS
from random_cases import write_random_case
from tests.golden.tiny import tiny

ROOT = Path(__file__).resolve().parents[2]
SEEDS = [(mip, seed) for mip in (False, True) for seed in range(12)]
COUNTS = {
    "green_share": ("green_share",),
    "recycled_share": ("recycled_pre", "recycled_post"),
    "post_consumer_share": ("recycled_post",),
}


class Plain:
    """Lot and product limit, one at a time, from the tables of the case."""

    def __init__(self, problem: Problem) -> None:
        self.problem, self.case, self.effects = problem, problem.case, problem.effects
        for name in ("takes", "shares", "reduction", "claim_value", "most", "dilutes"):
            setattr(self, name, cache(getattr(self, name)))

    def takes(self, lot: int, product: int) -> bool:
        case, kind = self.case, self.effects.kind[lot]
        areas = self.effects.boundaries
        if areas.of_products(case.rules.boundary(kind))[product] != areas.lot[lot]:
            return False
        if case.lots.text("gas")[lot] == "GHG" and case.products.text("gas")[product] == "CO2":
            return False
        if kind == "material":
            return case.lots.text("category")[lot] in self.shares(product)
        return kind == "project" or self.use(lot, product) > 0

    def shares(self, product: int) -> dict[str, Fraction]:
        alloys, own = self.case.alloys, self.case.products.text("alloy")[product]
        rows = [i for i, alloy in enumerate(alloys.text("alloy")) if alloy == own]
        return {alloys.text("category")[i]: alloys.exact["max_share"].fraction(i) for i in rows}

    def use(self, lot: int, product: int) -> Fraction:
        carrier = CARRIER_OF_UOM[self.effects.uom[lot]]
        column = {"electricity": "electricity_mwh_per_t", "heat": "heat_gj_per_t"}[carrier]
        return self.case.products.exact[column].fraction(product)

    def reduction(self, lot: int, product: int) -> Fraction:
        return self.effects.reduction(np.array([lot]), np.array([product])).fraction(0)

    def credited(self, lot: int, product: int) -> Fraction:
        rate = self.case.products.exact["t_product_per_t_input"].fraction(product)
        return rate if self.effects.is_material[lot] else Fraction(0)

    def claim_value(self, lot: int, product: int, claim: str) -> Fraction:
        if claim in GHG_CLAIMS:
            return self.reduction(lot, product)
        exact = self.case.lots.exact
        share = sum((exact[name].fraction(lot) for name in COUNTS[claim]), Fraction(0))
        return self.credited(lot, product) * share

    def most(self, lot: int, product: int) -> Fraction | None:
        bounds = []
        if self.effects.is_material[lot]:
            share = self.shares(product)[self.case.lots.text("category")[lot]]
            bounds.append(min(Fraction(1), share) / self.credited(lot, product))
        if self.effects.is_energy[lot]:
            bounds.append(self.use(lot, product))
        reduction = self.reduction(lot, product)
        if reduction > 0:
            scopes = self.effects.scopes[lot]
            room = sum((self.case.products.exact[f"s{s}"].fraction(product) for s in scopes), Fraction(0))
            bounds.append(room / reduction)
        return min(bounds) if bounds else None

    def dilutes(self, lot: int, product: int) -> bool:
        if not self.effects.is_material[lot]:
            return False
        limits, alloy = self.case.alloy_limits, self.case.products.text("alloy")[product]
        for i, element in enumerate(limits.text("element")):
            limited = limits.text("alloy")[i] == alloy and limits.exact["max_wt_pct"].given[i]
            wt = self.problem.parts.lot.get(element)
            if limited and wt is not None and wt.given[lot]:
                value, decimals = self.problem.parts.base_of(alloy, element)
                if wt.fraction(lot) < Fraction(value, 10**decimals):
                    return True
        return False

    def serves(self, pool: int, recipe: int) -> bool:
        problem, recipes, lot = self.problem, self.problem.recipes, self.lot(pool)
        product = problem.limit_of(recipe).product
        if not self.takes(lot, product):
            return False
        members = np.flatnonzero(problem.pools.lot_pool == pool)
        period, window = recipes.period[recipe], problem.windows
        if not ((window.first[members] <= period) & (period <= window.last[members])).any():
            return False
        accepted = recipes.scheme_sets[recipes.schemes[recipe]]
        if accepted and self.case.lots.text("scheme")[lot] not in accepted:
            return False
        earns = self.case.lots.exact["unit_cost"].fraction(lot) < 0
        adds = self.claim_value(lot, product, str(recipes.claim[recipe])) > 0
        return adds or earns or self.dilutes(lot, product)

    def lot(self, pool: int) -> int:
        return int(self.problem.pools.representative[pool])


def check_pairs(case: Case) -> None:
    problem = build_problem(case)
    plain, pools, recipes = Plain(problem), problem.pools, problem.recipes
    expected = [(k, r) for r in range(len(recipes)) for k in range(len(pools.ids)) if plain.serves(k, r)]
    pairs = list(zip(problem.pairs.pool.tolist(), problem.pairs.recipe.tolist(), strict=True))
    assert pairs == expected
    supply = np.zeros((len(pools.ids), len(case.periods)))
    for g, pool in enumerate(pools.group_pool):
        supply[pool, pools.group_first[g] : pools.group_last[g] + 1] += pools.group_quantity[g]
    for n, (k, r) in enumerate(pairs):
        lot, product = plain.lot(k), problem.limit_of(r).product
        assert problem.claim_value[n] == float(plain.claim_value(lot, product, str(recipes.claim[r])))
        assert problem.credited[n] == float(plain.credited(lot, product))
        assert problem.reduction[n] == float(plain.reduction(lot, product))
        most, there = plain.most(lot, product), SLACK_OF_BOUNDS * supply[k, recipes.period[r]]
        wanted = np.inf if most is None else SLACK_OF_BOUNDS * float(most) * problem.recipe_mass[r]
        assert problem.pair_upper[n] == (min(there, wanted) if wanted > 0 else there)
        effect = problem.pairs.effect(k, int(recipes.limit[r]))
        assert effect.credited == plain.credited(lot, product)
        assert effect.reduction == plain.reduction(lot, product)
        assert effect.dilutes() is plain.dilutes(lot, product)


@pytest.mark.parametrize(("mip", "seed"), SEEDS)
def test_pairs_of_random_cases(mip: bool, seed: int, tmp_path: Path) -> None:
    write_random_case(tmp_path, seed + 1000, mip=mip, size="small")
    check_pairs(read_case(tmp_path))


@pytest.mark.parametrize("name", ["steel", "tutorial"])
def test_pairs_of_examples(name: str) -> None:
    check_pairs(read_case(ROOT / "data" / name))


def test_pairs_with_more_digits_than_a_float_holds(tmp_path: Path) -> None:
    case = tiny(
        lots={
            "L1": {"quantity": 6, "green_share": "0.33333333333333333333333", "intensity_tco2e_per_uom": 1},
            "L2": {
                "quantity": 6, "recycled_post": "0.1234567890123456789",
                "recycled_pre": "0.1000000000000000055",
                "intensity_tco2e_per_uom": "0.12345678901234567890123",
                "displaced_tco2e_per_uom": "11.000000000000000001",
            },
            "P": {"kind": "project", "quantity": 4, "scopes": "1+2"},
        },
        products={
            "bar": {"t_product_per_t_input": "0.98765432109876543210987", "s1": "0.10000000000000000000001"},
        },
        alloys={("A", "ingot"): "0.77777777777777777777777"},
        orders={
            "O1": {"mass_t": 10}, "O2": {"mass_t": 3, "claim": "recycled_share", "level": "0.1"},
            "O3": {"mass_t": 3, "claim": "cfp", "level": "5"},
            "O4": {"mass_t": 3, "claim": "reduction", "level": "1"},
        },
    )  # fmt: skip
    check_pairs(read_case(case.write(tmp_path / "case")))


BIG = st.integers(min_value=-(10**30), max_value=10**30)


@given(st.lists(BIG, min_size=1, max_size=5), st.integers(0, 30))
def test_nearest_is_the_float_of_the_fraction(values: list[int], decimals: int) -> None:
    found = nearest(as_array(values), decimals)
    assert found.tolist() == [float(Fraction(v, 10**decimals)) for v in values]


@given(st.lists(st.tuples(BIG, st.integers(1, 10**30)), min_size=1, max_size=5))
def test_ratio_is_the_float_of_the_fraction(pairs: list[tuple[int, int]]) -> None:
    found = ratio(as_array([a for a, _ in pairs]), as_array([b for _, b in pairs]))
    assert found.tolist() == [float(Fraction(a, b)) for a, b in pairs]


@given(st.lists(st.tuples(st.integers(0, 2**61), st.integers(0, 3), st.integers(0, 2**61)), min_size=1))
@example([(n // 3, n % 3, 0) for n in range(8)] + [(0, 2, 2**61 - 1)])
def test_combinations_are_numbered_by_first_appearance(rows: list[tuple[int, int, int]]) -> None:
    codes, first = numbered([np.array(column, dtype=np.int64) for column in zip(*rows, strict=True)])
    place = {row: n for n, row in enumerate(dict.fromkeys(rows))}
    assert codes.tolist() == [place[row] for row in rows]
    assert [rows[i] for i in first] == list(place)
    assert np.array_equal(first, first_rows(codes))


def as_array(values: list[int]) -> np.ndarray:
    """int64 where the figures fit, as the package keeps them."""
    if all(abs(v) < 2**62 for v in values):
        return np.array(values, dtype=np.int64)
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found
