"""The verifier's own derivation of windows, boundaries and effects agrees with the domain's."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from handmade import MODELS
from massbalance.domain.case import Case
from massbalance.domain.effects import Effects, windows
from massbalance.intake.read import read_case
from massbalance.verification.effects import Effects as Verified
from massbalance.verification.facts import Facts, months_later
from runs import MIXED

RULES = (MODELS / "jaa-2026.toml").read_bytes()
DATA = Path(__file__).parents[2] / "data"


def case_with(folder: Path, settings: str = "", **tables: str) -> Case:
    """MIXED's case with some tables and settings changed."""
    folder.mkdir()
    (folder / "case.toml").write_text(
        MIXED.settings.replace('rules = "jaa-2026"\n', "") + settings, encoding="utf-8"
    )
    for name, text in {**MIXED.tables, **tables}.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return read_case(folder, rule_source=RULES)


def agree(case: Case) -> None:
    """Windows, values and reductions of every lot and product are the same in both derivations."""
    facts, effects, window = Facts(case), Effects(case), windows(case)
    lots, products = len(case.lots), len(case.products)
    lot, product = (a.ravel() for a in np.meshgrid(np.arange(lots), np.arange(products), indexing="ij"))
    reduction = effects.reduction(lot, product)
    found = Verified(facts).reduction(facts.kind[lot], product)
    assert found.tolist() == [reduction.fraction(n) * facts.scale for n in range(len(lot))]
    for i, one in enumerate(facts.lots):
        first, last = int(window.first[i]), int(window.last[i])
        if window.received[i] < 0:
            first = 0
        expected = range(first, last + 1)
        assert range(one.first, one.last + 1) == expected or not expected
        assert (one.first <= one.last) == bool(expected)
        assert one.traits.area[1] == effects.boundaries.lot[i]
        assert one.inside == (window.received[i] < len(case.periods))
        value = max(0, (one.traits.displaced or 0) - (one.traits.intensity or 0))
        if one.traits.kind != "project":
            assert value == effects.unit_value.fraction(i) * facts.scale


RULE_TABLES = (
    "",
    'carry_over = "none"\n',
    "expiry_months = 2\n",
    'expiry_months = 1\ncarry_over = "none"\n',
    'boundary_project = "accounting_unit"\nboundary_material = "site"\n',
)


@pytest.mark.parametrize("rules", RULE_TABLES)
def test_facts_of_the_mixed_case(tmp_path: Path, rules: str) -> None:
    lots = (
        MIXED.tables["lots"].replace("2025-12-31,100,t,4,", ",100,t,4,").replace("2025-04-10", "2025-05-31")
    )
    agree(case_with(tmp_path / "case", f'[rules]\nid = "jaa-2026"\n{rules}', lots=lots))


@pytest.mark.parametrize("name", ["aluminium", "steel", "tutorial"])
def test_facts_of_the_example_cases(name: str) -> None:
    if (DATA / name / "case.toml").is_file():
        agree(read_case(DATA / name))


def test_mean_metal_is_weighted_by_input_and_rounded_down(tmp_path: Path) -> None:
    products = MIXED.tables["products"].replace(
        "Y,profile,6063,S1,1,0.5,7,9,1", "Y,profile,6063,S1,1,0.5,7,10.000001,0.7"
    )
    facts = Facts(case_with(tmp_path / "case", '[rules]\nid = "jaa-2026"\n', products=products))
    made = {"X": (1000 / 0.95, 9.0), "Y": (400 / 0.7, 10.000001), "Z": (50.0, 9.0)}
    mean = sum(w * m for w, m in made.values()) / sum(w for w, _ in made.values())
    assert facts.mean_metal["/U1"] // (facts.scale // 10**6) == int(mean * 10**6)


def test_months_later_stays_in_the_month() -> None:
    assert months_later(dt.date(2025, 1, 31), 1) == dt.date(2025, 2, 28)
    assert months_later(dt.date(2024, 1, 31), 1) == dt.date(2024, 2, 29)
    assert months_later(dt.date(2025, 11, 30), 14) == dt.date(2027, 1, 30)
    assert months_later(dt.date(9999, 11, 30), 14) == dt.date.max
