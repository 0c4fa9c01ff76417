"""`[objective]`: what a case may ask for, in either form, and every way to ask for what does not exist."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from massbalance.domain.case import Case
from massbalance.domain.faults import CaseRefused
from massbalance.domain.objective import (
    STRATEGIES,
    Minimum,
    default_order,
    group_of,
    minimum_shares,
)
from massbalance.intake.canonical import write_case
from massbalance.intake.log import Log
from massbalance.intake.objective import with_objective
from massbalance.intake.read import read_case
from massbalance.intake.settings import from_sheet
from tests.intake_corpus.valid import Files, valid

TOLD = '[objective]\norder = ["firm_shortfall", "margin"]\nstrategy = "firm-then-margin"\n'


def asked(text: str, segments: str = "") -> Files:
    """The valid case with another `[objective]`; segments: of cans, cars and frames, `;` between."""
    files = valid()
    files.settings = files.settings.replace(TOLD, text)
    if segments:
        files.columns["customers"].append("segment")
        for row, segment in zip(files.tables["customers"], segments.split(";"), strict=True):
            row["segment"] = segment
    return files


def read(text: str, folder: Path, segments: str = "") -> Case:
    return read_case(asked(text, segments).write(folder / "case"))


def faults(text: str, folder: Path, segments: str = "") -> list[tuple[str, str, str]]:
    """Column, value and code of every error."""
    with pytest.raises(CaseRefused) as refused:
        read(text, folder, segments)
    found = [f for f in refused.value.faults if f.severity == "error"]
    assert {f.table for f in found} == {"case"}
    return [(f.column, f.value, f.code) for f in found]


OF_STRATEGY = {
    "firm-then-margin": "",
    "concentrate": 'products = ["BAR", "SHEET"]\n',
    "spread": "",
    "leximin": 'by = "product"\n',
    "tonnage": "",
    "least-expiry": "",
    "weighted": "[objective.weights]\nmargin = 1\nexpired_tco2e = 2.50\n",
}


def test_every_strategy_has_its_settings() -> None:
    assert set(OF_STRATEGY) == set(STRATEGIES)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_is_read_and_copied_alike(strategy: str, tmp_path: Path) -> None:
    """The canonical copy of a run says the same, to the last digit."""
    case = read(f'[objective]\nstrategy = "{strategy}"\n{OF_STRATEGY[strategy]}', tmp_path)
    assert case.objective.strategy == strategy
    assert case.goals == case.objective.order == default_order(strategy)
    write_case(case, tmp_path / "copy")
    again = read_case(tmp_path / "copy")
    assert (again.objective, again.sha256) == (case.objective, case.sha256)


def test_numbers_are_kept_as_written(tmp_path: Path) -> None:
    text = (
        '[objective]\nstrategy = "weighted"\n[objective.weights]\nmargin = 1.0\ntonnage_t = 0.1\n'
        '[[objective.minimum_service]]\nby = "customer"\nshare = 0.333333\n'
    )
    case = read(text, tmp_path)
    assert case.objective.weight("tonnage_t") == Fraction(1, 10)
    assert (case.objective.weight("margin"), case.objective.weight("expired_tco2e")) == (1, 0)
    assert case.objective.minimums == (Minimum("customer", "", Fraction(333333, 10**6)),)
    same = read(text.replace("1.0", "1").replace("0.1\n", "0.100\n"), tmp_path / "same")
    assert same.sha256 == case.sha256
    assert read(text.replace("0.1\n", "0.2\n"), tmp_path / "other").sha256 != case.sha256


def test_the_sheet_case_says_it_too() -> None:
    cells = [
        ("objective.strategy", "weighted"),
        ("objective.products", "BAR; SHEET"),
        ("objective.weights.margin", "1"),
        ("objective.weights.tonnage_t", "0.5"),
        ("objective.minimum_service.1.by", "segment"),
        ("objective.minimum_service.1.share", "0.25"),
        ("objective.minimum_service.0.by", "customer"),
        ("objective.minimum_service.0.group", "cans"),
        ("objective.minimum_service.0.share", "1"),
    ]
    log = Log()
    found = from_sheet([(n + 2, *cell) for n, cell in enumerate(cells)], log).data["objective"]
    assert not log.faults
    assert found == {
        "strategy": "weighted",
        "products": ["BAR", "SHEET"],
        "weights": {"margin": 1, "tonnage_t": Decimal("0.5")},
        "minimum_service": [
            {"by": "customer", "group": "cans", "share": 1},
            {"by": "segment", "share": Decimal("0.25")},
        ],
    }


def test_a_blend_may_name_goals_that_need_no_settings(tmp_path: Path) -> None:
    case = read('[objective]\norder = ["expiry", "firm_shortfall_t", "tonnage", "margin"]\n', tmp_path)
    assert case.goals == ("expiry", "firm_shortfall", "tonnage", "margin")
    assert [case.objective.after_firm(goal) for goal in ("expiry", "tonnage", "margin")] == [
        False,
        True,
        True,
    ]
    assert not case.objective.plain


def test_without_an_objective_nothing_changes(tmp_path: Path) -> None:
    case = read("", tmp_path)
    assert case.objective.plain
    assert case.goals == ("firm_shortfall", "margin")


REFUSED: list[tuple[str, str, str]] = [
    ('strategy = "leximax"', "objective.strategy", "setting"),
    ('strategy = "concentrate"', "objective.products", "empty_cell"),
    ('strategy = "concentrate"\nproducts = ["SHEETS"]', "objective.products", "unknown_reference"),
    ('strategy = "concentrate"\nproducts = ["BAR", "BAR"]', "objective.products", "duplicate_key"),
    ('products = ["BAR"]', "objective.products", "setting"),
    ('by = "customer"', "objective.by", "setting"),
    ('strategy = "leximin"\nby = "region"', "objective.by", "setting"),
    ('strategy = "weighted"', "objective.weights", "empty_cell"),
    ('strategy = "weighted"\nweights = {margin = 0}', "objective.weights", "empty_cell"),
    ('strategy = "weighted"\nweights = {margin = -1}', "objective.weights.margin", "setting"),
    ('strategy = "weighted"\nweights = {margin = nan}', "objective.weights.margin", "setting"),
    ('strategy = "weighted"\nweights = {margin = "1"}', "objective.weights.margin", "setting"),
    ('strategy = "weighted"\nweights = {margin = true}', "objective.weights.margin", "setting"),
    ('strategy = "weighted"\nweights = {margin = 0.0000001}', "objective.weights.margin", "setting"),
    ('strategy = "weighted"\nweights = {tonnage = 1}', "objective.weights.tonnage", "unknown_setting"),
    ("weights = {margin = 1}", "objective.weights", "setting"),
    ('order = ["margin"]', "objective.order", "setting"),
    ('order = ["firm_shortfall", "margin", "margin"]', "objective.order", "setting"),
    ('order = ["firm_shortfall", "margins"]', "objective.order.1", "setting"),
    ('order = ["firm_shortfall", "fair_share", "margin"]', "objective.order", "setting"),
    ('strategy = "spread"\norder = ["firm_shortfall", "margin"]', "objective.order", "setting"),
    ('minimum_service = [{by = "customer", share = 1.5}]', "objective.minimum_service.0.share", "setting"),
    ('minimum_service = [{by = "customer"}]', "objective.minimum_service.0.share", "setting"),
    ('minimum_service = [{by = "works", share = 1}]', "objective.minimum_service.0.by", "setting"),
    (
        'minimum_service = [{by = "customer", group = "can", share = 1}]',
        "objective.minimum_service.0.group",
        "unknown_reference",
    ),
    (
        'minimum_service = [{by = "product", share = 1}, {by = "product", share = 0.5}]',
        "objective.minimum_service.1.group",
        "duplicate_key",
    ),
]


@pytest.mark.parametrize(("text", "column", "code"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_not_there_is_refused_by_name(text: str, column: str, code: str, tmp_path: Path) -> None:
    assert [(c, k) for c, _, k in faults(f"[objective]\n{text}\n", tmp_path)] == [(column, code)]


def test_words_that_are_unknown_name_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(CaseRefused) as refused:
        read('[objective]\nstrategy = "consentrate"\n', tmp_path)
    assert "(nearest: `concentrate`)" in refused.value.faults[0].expected


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    text = 'products = ["A", "B"]\nby = "product"\norder = ["firm_shortfall", "chosen", "margin"]'
    assert [column for column, _, _ in faults(f"[objective]\n{text}\n", tmp_path)] == [
        "objective.by",
        "objective.order",
        "objective.products",
        "objective.products",
        "objective.products",
    ]


def test_groups_of_orders(tmp_path: Path) -> None:
    """O1 cans, O2 cars, O3 frames, O4 cars; frames has no segment."""
    case = read("", tmp_path, "big;big;")
    assert group_of(case, "customer")[0] == ("cans", "cars", "frames")
    assert group_of(case, "customer")[1].tolist() == [0, 1, 2, 1]
    names, of_order = group_of(case, "segment")
    assert (names, of_order.tolist()) == (("big",), [0, 0, -1, 0])
    assert group_of(case, "product")[1].tolist() == [1, 1, 0, 0]


def test_a_named_group_and_every_group_keep_the_greater_share(tmp_path: Path) -> None:
    text = (
        'minimum_service = [{by = "customer", share = 0.25}, {by = "customer", group = "cars", share = 0.5}, '
        '{by = "segment", share = 0.125}]'
    )
    case = read(f"[objective]\n{text}\n", tmp_path, ";;small")
    assert minimum_shares(case) == {
        ("customer", "cans"): Fraction(1, 4),
        ("customer", "cars"): Fraction(1, 2),
        ("customer", "frames"): Fraction(1, 4),
        ("segment", "small"): Fraction(1, 8),
    }


def test_leximin_by_segment_asks_for_every_customers_segment(tmp_path: Path) -> None:
    text = '[objective]\nstrategy = "leximin"\nby = "segment"\n'
    with pytest.raises(CaseRefused) as refused:
        read(text, tmp_path, "big;;")
    told = [f.expected for f in refused.value.faults if f.column == "objective.by"]
    assert len(told) == 2
    assert "`cars`" in told[0]
    assert "`frames`" in told[1]
    assert read(text, tmp_path / "all", "big;big;small").objective.by == "segment"


def test_another_objective_is_as_if_the_file_said_so(tmp_path: Path) -> None:
    case = read("", tmp_path)
    weights: dict[str, Any] = {"strategy": "weighted", "weights": {"margin": 1, "tonnage_t": 0.5}}
    derived = with_objective(case, weights)
    text = '[objective]\nstrategy = "weighted"\nweights = {margin = 1.0, tonnage_t = 0.50}\n'
    written = read(text, tmp_path / "written")
    assert (derived.sha256, derived.objective) == (written.sha256, written.objective)
    assert case.objective.strategy == "firm-then-margin"
    assert with_objective(derived, {}).sha256 == case.sha256


@pytest.mark.parametrize(
    "settings",
    [
        {"strategy": "spred"},
        {"strategy": "concentrate", "products": ["NONE"]},
        {"minimum_service": [{"by": "customer", "group": "none", "share": 1}]},
        {"strategy": "leximin", "by": "segment"},
    ],
)
def test_another_objective_is_checked(settings: dict[str, Any], tmp_path: Path) -> None:
    case = read("", tmp_path)
    with pytest.raises(CaseRefused):
        with_objective(case, settings)
