"""A case changed in memory is the case that its changed files hold; many promises are taken together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from massbalance.domain.case import Case
from massbalance.intake.read import read_case
from massbalance.quote.change import Edit, cell, changed, key_of, rounded, row_at, text_of
from massbalance.quote.session import Session
from tests.conflict.planted import KEYS
from tests.e2e.command import DATA
from tests.e2e.tables import CaseTables
from tests.golden.tiny import tiny

EDITS = (
    Edit("lots", ("INGOT-1",), "quantity", "50", "50.123456"),
    Edit("lots", ("SAVING-1",), "used", "", "2026-05-01"),
    Edit("lots", ("SCRAP-1",), "expires", "2026-08-31", "2026-10-01"),
    Edit("alloys", ("5052", "old_scrap"), "max_share", "0.32", "0.3333333"),
    Edit("alloys", ("5052", "new_scrap"), "max_share", None, "0.25"),
    Edit("alloy_limits", ("6063", "Fe"), "max_wt_pct", "0.35", "0.4001"),
    Edit("orders", ("O1",), "firm", "true", "false"),
    Edit("orders", ("O2",), "mass_t", "60", "59.5"),
    Edit("orders", ("O3",), "period", "2026Q2", "2026Q3"),
    Edit("orders", ("O3",), "level", "11", "11.000001"),
    Edit("orders", ("O4",), "schemes", "", "own;supplier"),
)


def written(edit: Edit, folder: Path) -> Case:
    """The tutorial with one cell of its files changed, read."""
    tables = CaseTables(DATA / "tutorial")
    key = dict(zip(KEYS[edit.table], edit.key, strict=True))
    found = [row for row in tables.rows[edit.table] if key.items() <= row.items()]
    if not found:
        found = [dict(key)]
        tables.rows[edit.table] += found
    tables.set(edit.table, found[0], **{edit.column: edit.new})
    return read_case(tables.write_csv(folder / "case"))


@pytest.mark.parametrize("edit", EDITS, ids=lambda e: f"{e.table}-{e.column}-{e.new}")
def test_a_change_in_memory_is_the_change_in_the_files(edit: Edit, tmp_path: Path) -> None:
    before = read_case(DATA / "tutorial")
    made, read = changed(before, [edit]), written(edit, tmp_path)
    for name, table in read.tables.items():
        mine = made.tables[name]
        assert list(mine.rows.columns) == list(table.rows.columns)
        assert [key_of(mine, i) for i in range(len(mine))] == [key_of(table, i) for i in range(len(table))]
        for column in table.rows.columns:
            cells = [(cell(mine, i, column), cell(table, i, column)) for i in range(len(table))]
            assert all(a == b for a, b in cells), (name, column)
            assert mine.rows[column].dtype == table.rows[column].dtype
        for column, exact in table.exact.items():
            assert np.array_equal(mine.exact[column].floats(), exact.floats(), equal_nan=True)
    assert row_at(before.tables[edit.table], edit.key) == -1 or edit.old is not None


def test_figures_are_rounded_to_the_side_that_works() -> None:
    assert text_of(rounded(1.23401, 3, up=True)) == "1.235"
    assert text_of(rounded(1.2340000001, 3, up=True)) == "1.234"
    assert text_of(rounded(1.23499, 3, up=False)) == "1.234"


def test_many_promises_are_taken_together(tmp_path: Path) -> None:
    """Seventy firm orders of two customers, of a tonne each, and a lot that just suffices."""
    orders = {f"O{n:02d}": {"mass_t": 1, "firm": "true", "customer": "ab"[n % 2]} for n in range(70)}
    case = tiny(lots={"L": {"quantity": 71, "green_share": 1}}, orders=orders)
    session = Session(case.write(tmp_path / "case"))
    quote = session.quote(product="bar", period="Q1", mass_t=3, claim="green_share", level=1)
    promised = {one.of: one for one in quote.conflict if one.kind == "promised"}
    assert set(promised) == {"a, priority 1", "b, priority 1"}
    assert promised["a, priority 1"].words.startswith("promised to O00, O02, O04, O06 and 31 more")
    assert len(promised["b, priority 1"].rows) == 35
    assert not any(one.kind == "less_to_others" for one in quote.relaxations)


def test_limits_of_a_session_stay_with_its_changed_cases(tmp_path: Path) -> None:
    session = Session(tiny(lots={}).write(tmp_path / "case"), time_limit=7.0, gap=0.1)
    again = session.again(replace(session.case, name="other"))
    assert (again.case.name, again.time_limit, again.gap) == ("other", 7.0, 0.1)
