"""A reservation counts as the case's last firm order would: two ways of computing the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from massbalance.domain.case import Case, Table
from massbalance.domain.grid import Column
from massbalance.quote.ask import read_ask
from massbalance.quote.reservation_file import writing
from massbalance.quote.reservations import held_for
from massbalance.quote.session import Session
from tests.property.test_quote_laws import drawn_terms, session_of, tolerance

LINEAR, DECIDED = range(25), range(4)
DAY = date(2026, 1, 1)


def with_firm(case: Case, asks: list[dict[str, str]]) -> Case:
    """The case with firm orders of later and later priority, as its own rows."""
    table = case.orders
    for number, terms in enumerate(asks):
        more = read_ask(case, **terms).orders(case)
        named = more.rows.assign(order=f"~{number}", firm=True, priority=10**5 + number)
        rows = pd.concat([table.rows, named], ignore_index=True).astype(table.rows.dtypes)
        exact = {name: column.joined(more.exact[name]) for name, column in table.exact.items()}
        exact["priority"] = table.exact["priority"].joined(Column.of(np.array([10**5 + number]), 0))
        table = Table("orders", rows, exact, np.append(table.source_row, 0))
    return replace(case, tables={**case.tables, "orders": table})


def with_book(case: Case, asks: list[dict[str, str]], book: Path) -> Session:
    """The same as reservations, one a day."""
    held = [
        held_for(read_ask(case, **terms), f"R-{n}", "somebody", (date(2025, 1, 1 + n), DAY))
        for n, terms in enumerate(asks)
    ]
    with writing(book) as writer:
        writer.write(held)
    return Session(case, reservations=book, as_of=DAY)


def check(case: Case, seed: int, book: Path) -> None:
    asks = [drawn_terms(case, 1000 + 10 * seed + n) for n in range(3)]
    one, other = with_book(case, asks, book), Session(with_firm(case, asks))
    assert one.margin == pytest.approx(other.margin, abs=tolerance(one, one.margin))
    for n in range(2):
        terms = drawn_terms(case, seed + 500 * n)
        found, same = one.quote(**terms), other.quote(**terms)
        assert found.feasible_t == pytest.approx(same.feasible_t, abs=1e-5), terms
        floor = same.answer.floor_feasible
        if floor is not None and same.feasible_t > 1e-2:
            allowed = tolerance(one, floor) * (1 + 10 / same.feasible_t)
            assert found.answer.floor_feasible == pytest.approx(floor, abs=allowed), terms


@pytest.mark.parametrize("seed", LINEAR)
def test_as_the_last_firm_order(seed: int, tmp_path: Path) -> None:
    case = session_of(tmp_path / "case", seed).case
    if case.goals[0] == "firm_shortfall":
        check(case, seed, tmp_path / "book.csv")


@pytest.mark.parametrize("seed", DECIDED)
def test_as_the_last_firm_order_where_orders_are_whole(seed: int, tmp_path: Path) -> None:
    case = session_of(tmp_path / "case", seed, mip=True, size="tiny").case
    if case.goals[0] == "firm_shortfall":
        check(case, seed, tmp_path / "book.csv")
