"""Both statements of the model, in Pyomo and as arrays, must be one, coefficient by coefficient."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hand_cases import CASES
from massbalance.api import read_case
from massbalance.domain.objective import STRATEGIES
from massbalance.formulation.equations import EQUATIONS
from massbalance.formulation.labels import EQUATION_NAMES, LABELS
from massbalance.formulation.problem import Problem, build_problem
from massbalance.solving.assembly import assemble
from massbalance.solving.compiled import Compiled, compile_model
from massbalance.solving.rows import RowLabels, equation_codes, recipe_codes
from massbalance.solving.statement import STATEMENTS
from objectives import under
from random_cases import write_random_case
from tests.golden.tiny import tiny

ROOT = Path(__file__).resolve().parents[2]
COUNTS = {("small", False): 110, ("medium", False): 2, ("small", True): 100, ("medium", True): 2}
KEYS = [(size, mip, seed) for (size, mip), many in COUNTS.items() for seed in range(many)]


def column_names(compiled: Compiled) -> list[object]:
    """Name of every column, whatever its position."""
    blocks = [("f", zip(compiled.f, compiled.flows, strict=True))]
    blocks += [
        (name, zip(getattr(compiled, name), count(), strict=False))
        for name in ("x", "y", "step", "take", "common", "fair")
    ]
    named = {int(column): (name, key) for name, found in blocks for column, key in found if column >= 0}
    assert sorted(named) == list(range(compiled.matrix.shape[1]))
    return [named[column] for column in range(len(named))]


def labelled(compiled: Compiled) -> dict[str, Any]:
    """Everything a compiled model holds, by label instead of position."""
    columns, rows = column_names(compiled), list(compiled.rows)
    entries = compiled.matrix.tocoo()
    places = zip(entries.row.tolist(), entries.col.tolist(), entries.data.tolist(), strict=True)
    found = {
        "matrix": {(rows[i], columns[j]): value for i, j, value in places},
        "rows": dict(zip(rows, zip(compiled.row_lower, compiled.row_upper, strict=True), strict=True)),
        "bounds": dict(zip(columns, zip(compiled.lower, compiled.upper, strict=True), strict=True)),
        "integer": {columns[j] for j in np.flatnonzero(compiled.integer)},
        "costs": [dict(zip(columns, costs.tolist(), strict=True)) for costs in compiled.costs],
        "goals": compiled.goals,
        "offsets": compiled.offsets.tolist(),
        "flows": compiled.flows,
        "origin_size": compiled.origin_size,
    }
    assert len(found["matrix"]) == compiled.matrix.nnz
    assert len(found["rows"]) == compiled.matrix.shape[0]
    return found


def check_same(problem: Problem) -> None:
    stated, assembled = compile_model(problem), assemble(problem)
    for what, one in labelled(stated).items():
        assert one == labelled(assembled)[what], what
    assert list(stated.rows) == list(assembled.rows)
    assert np.array_equal(stated.equation_of_row, assembled.equation_of_row)
    assert np.array_equal(stated.recipe_of_row, assembled.recipe_of_row)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: f"{key[0]}-{'mip' if key[1] else 'lp'}-{key[2]}")
def test_assembled_is_what_pyomo_states(key: tuple[str, bool, int], tmp_path: Path) -> None:
    size, mip, seed = key
    write_random_case(tmp_path, seed, mip=mip, size=size)
    check_same(build_problem(read_case(tmp_path)))


@pytest.mark.parametrize("mip", [False, True], ids=["lp", "mip"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_assembled_under_every_strategy(strategy: str, mip: bool, tmp_path: Path) -> None:
    """Minimum services, too: an order may belong to groups of two kinds."""
    for seed in range(8):
        write_random_case(tmp_path / str(seed), seed, mip=mip, size="small")
        case = read_case(tmp_path / str(seed))
        check_same(build_problem(under(case, seed, strategy, share=0.4 * (seed % 2))))


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("name", ["aluminium", "steel", "tutorial"])
def test_assembled_example_under_every_strategy(name: str, strategy: str) -> None:
    check_same(build_problem(under(read_case(ROOT / "data" / name), 1, strategy, share=0.1)))


@pytest.mark.parametrize("name", CASES)
def test_assembled_hand_case(name: str, tmp_path: Path) -> None:
    check_same(build_problem(read_case(CASES[name].write(tmp_path / "case"))))


@pytest.mark.parametrize("name", ["aluminium", "steel", "tutorial"])
def test_assembled_example(name: str) -> None:
    check_same(build_problem(read_case(ROOT / "data" / name)))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"lots": {}},
        {"orders": {}},
        {"lots": {}, "orders": {}},
        {"lots": {"L": {"quantity": 0, "green_share": 1}}},
        {"products": {"bar": {"t_product_per_t_input": 0.000000001}}},
        {"alloys": {("A", "ingot"): 0}},
        {"alloys": {("A", "ingot"): 0.000000001}},
        {"orders": {"O": {"mass_t": 0.000001, "whole": "true"}}},
        {"orders": {"O": {"mass_t": 0, "whole": "true"}}},
        {"orders": {"O": {"mass_t": 7, "min_fill": 0.00000000001}}},
        {"orders": {"O": {"mass_t": 5, "claim": "cfp", "level": 12.99999999999}}},
        {"orders": {"O": {"mass_t": 5, "level": 0.3333333333333333333333333}}},
    ],
    ids=lambda changes: ",".join(changes) or "frame",
)
def test_assembled_edge(changes: dict[str, Any], tmp_path: Path) -> None:
    tables = {"lots": {"L": {"quantity": 6, "green_share": 1}}, "orders": {"O": {"mass_t": 10}}}
    check_same(build_problem(read_case(tiny(**(tables | changes)).write(tmp_path / "case"))))


def test_labels_of_both_statements_are_the_same() -> None:
    assert [e.name for e in EQUATIONS] == [one.name for one in LABELS] == list(EQUATION_NAMES)
    for state, one in zip(STATEMENTS, LABELS, strict=True):
        assert state.__name__ == one.name
        assert (state.__doc__ or "").startswith(f"{one.label}: ")


def test_row_labels_are_a_sequence() -> None:
    rows = assemble(build_problem(read_case(ROOT / "data" / "aluminium"))).rows
    assert isinstance(rows, RowLabels)
    listed = list(rows)
    assert [rows[i] for i in range(len(rows))] == listed
    assert rows[-1] == listed[-1]
    assert rows[2:5] == tuple(listed[2:5])
    with pytest.raises(IndexError):
        rows[len(rows)]
    kept = np.flatnonzero(np.arange(len(rows)) % 3 == 1)
    taken = rows.take(kept)
    assert list(taken) == [listed[i] for i in kept]
    assert np.array_equal(taken.equation, equation_codes(tuple(taken)))
    assert np.array_equal(taken.recipe, recipe_codes(tuple(taken)))
    where, family = rows.family("claim")
    assert family is not None
    assert [("claim", key) for key in family] == listed[where]
