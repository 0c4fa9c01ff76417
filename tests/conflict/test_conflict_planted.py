"""Planted conflicts: the limit that was tightened is named, the set is irreducible, every relaxation works.

The full count is `python -m benchmarks.conflicts`; here are a few of each kind of limit.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from massbalance.quote.promise import Promise
from tests.conflict.planted import PLANTERS, Planted, check, plant

NUMBERS = (1, 2, 4, 5, 9, 12, 14, 20, 22, 28, 30, 53)
"""30: a MIP's masses are whole within a millionth only; 53: the lot cut belongs to a shared origin."""
TIGHT = (2, 5, 9, 14)
"""Of these no firm order is short: one step less of any relaxation does not work."""
FEW = 9


def planted(number: int, folder: Path) -> Planted:
    one = plant(number, folder)
    if one is None:
        pytest.skip("no limit of this case can be tightened so that the promise breaks")
    return one


@pytest.mark.parametrize("number", NUMBERS)
def test_planted_limit_is_named_and_every_relaxation_works(number: int, tmp_path: Path) -> None:
    one = planted(number, tmp_path)
    found = check(one, tmp_path, tight=number in TIGHT)
    assert found.named, (one.how, one.cell, found.kinds)
    assert found.faults == []
    assert found.failed == []
    assert found.slack == []


@pytest.mark.parametrize("how", sorted(PLANTERS))
def test_every_planter_makes_a_conflict(how: str, tmp_path: Path) -> None:
    """Each kind of limit is really planted by some number, so that none is counted that never is."""
    for number in range(60):
        one = plant(number, tmp_path / str(number), only=how)
        if one is not None:
            assert one.how == how
            assert one.cell in {row for c in one.quote.conflict for row in c.rows}
            return
    pytest.fail(f"no number plants {how}")


@pytest.mark.parametrize("number", [2, 5, 9, 20])
def test_no_smaller_set_clashes_where_that_is_said(number: int, tmp_path: Path) -> None:
    """All sets with one limit fewer, tried one by one."""
    one = planted(number, tmp_path)
    conflict = one.quote.conflict
    promise = Promise(one.session, one.quote.ask)
    every = set(promise.keys)
    if not one.quote.explanation.smallest or len(conflict) > FEW or len(every) > FEW * 2:
        pytest.skip("not proven smallest, or too many sets")
    for fewer in itertools.combinations(sorted(every), len(conflict) - 1):
        assert promise.without(every - set(fewer)).whole, fewer
