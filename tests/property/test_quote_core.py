"""A quote on the core of a model says what the whole model says, in whatever the core lacks."""

from __future__ import annotations

import random
from collections.abc import Sized
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from benchmarks.generate import Size, write_case
from benchmarks.quotes import terms
from massbalance.api import read_case
from massbalance.domain.case import Case, Table
from massbalance.domain.grid import Column
from massbalance.quote.answer import Quote
from massbalance.quote.session import Session
from massbalance.solving import core, hot
from massbalance.solving.core_trial import CoreTrial
from tests.property.test_quote_laws import drawn_terms, session_of, tolerance

SEEDS = range(15)
CLOSE_T = 1e-4


@pytest.fixture
def every_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small cases have a core, too, which takes little and is asked whatever the mass."""
    monkeypatch.setattr(core, "NEAR", 0.0)
    monkeypatch.setattr(core, "WORTH", 1.0)
    monkeypatch.setattr(core, "LIGHT", 1e12)
    monkeypatch.setattr(hot, "SMALLEST", 0)


def check(session: Session, found: Quote, same: Quote) -> None:
    """Feasible mass, floor premium, who loses and the bid price are alike."""
    assert found.feasible_t == pytest.approx(same.feasible_t, abs=2e-6)
    floor, other = found.answer.floor_feasible, same.answer.floor_feasible
    assert (floor is None) == (other is None)
    if floor is not None and other is not None and same.feasible_t > 1e-3:
        assert floor == pytest.approx(other, abs=tolerance(session, other) / min(1.0, same.feasible_t))
    lost, others = ({d.order: d.t for d in quote.displaced} for quote in (found, same))
    for order in lost.keys() | others.keys():
        assert lost.get(order, 0.0) == pytest.approx(others.get(order, 0.0), abs=CLOSE_T)
    assert found.price_per_t == pytest.approx(same.price_per_t, abs=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_core_says_what_the_whole_says(
    seed: int, tmp_path: Path, every_core: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_core = session_of(tmp_path / "case", seed, size="medium" if seed % 3 == 0 else "small")
    monkeypatch.setattr(hot, "SMALLEST", 10**9)
    without = Session(with_core.case)
    assert without.hot.core is None
    for number in range(4):
        terms = drawn_terms(with_core.case, 100 * seed + number)
        check(with_core, with_core.quote(**terms), without.quote(**terms))


@pytest.mark.parametrize("hard", [False, True], ids=["plain", "all features"])
def test_a_large_case_lacks_something_and_takes_it(
    hard: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows and columns are left out that quotes ask for; and still they say what the whole model says."""
    size = Size(orders=1200, lots=40, periods=4, pools=10, seed=1, premiums="own", all_features=hard)
    write_case(tmp_path / "case", size)
    added: list[tuple[int, int]] = []
    add = CoreTrial._add

    def counted(self: CoreTrial, rows: Sized, columns: Sized) -> bool:
        added.append((len(rows), len(columns)))
        return add(self, rows, columns)  # type: ignore[arg-type]

    monkeypatch.setattr(CoreTrial, "_add", counted)
    monkeypatch.setattr(core, "LIGHT", 1e12)
    monkeypatch.setattr(core, "NEAR", 0.05)
    monkeypatch.setattr(hot, "SMALLEST", 500)
    with_core = Session(relaxed(read_case(tmp_path / "case")))
    monkeypatch.setattr(hot, "SMALLEST", 10**9)
    without = Session(with_core.case)
    assert with_core.hot.core is not None
    assert len(with_core.hot.core.rows) < 0.7 * len(with_core.hot.prices)
    draw = random.Random(7)
    for _ in range(12):
        asked = terms(with_core.case, draw)
        check(with_core, with_core.quote(**asked), without.quote(**asked))
    assert sum(rows for rows, _ in added) > 0
    assert sum(columns for _, columns in added) > 0


def relaxed(case: Case) -> Case:
    """The case without whole orders, minimum fills and offers, which would be decided."""
    orders = case.orders
    rows = orders.rows.assign(whole=False, min_fill=0.0)
    exact = {**orders.exact, "min_fill": Column.from_fractions([Fraction(0)] * len(orders))}
    none = np.empty(0, dtype=np.intp)
    offers = {name: column.take(none) for name, column in case.offers.exact.items()}
    tables = {
        "orders": Table("orders", rows, exact, orders.source_row),
        "offers": Table("offers", case.offers.rows.iloc[:0], offers, case.offers.source_row[:0]),
    }
    return replace(case, tables={**case.tables, **tables})


@pytest.mark.parametrize("seed", SEEDS[:5])
def test_what_was_asked_before_changes_nothing(seed: int, tmp_path: Path, every_core: None) -> None:
    session = session_of(tmp_path / "case", seed)
    many = [drawn_terms(session.case, 100 * seed + n) for n in range(4)]
    first = [session.quote(**terms).as_dict() for terms in many]
    again = [session.quote(**terms).as_dict() for terms in reversed(many)][::-1]
    for one, other in zip(first, again, strict=True):
        assert {**one, "seconds": None} == {**other, "seconds": None}


@pytest.mark.parametrize("seed", range(6))
def test_one_solve_for_margin_and_tie_break_says_what_two_say(
    seed: int, tmp_path: Path, every_core: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Orders that are asked of the whole model, with joint costs and without."""
    monkeypatch.setattr(core, "LIGHT", -1.0)
    jointly = session_of(tmp_path / "case", seed)
    assert jointly.hot.joint
    monkeypatch.setattr(hot, "SMALLEST", 10**9)
    apart = Session(jointly.case)
    assert not apart.hot.joint
    for number in range(4):
        terms = drawn_terms(jointly.case, 100 * seed + number)
        check(jointly, jointly.quote(**terms), apart.quote(**terms))
