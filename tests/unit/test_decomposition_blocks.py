"""Recipes' best responses against scipy, recipe by recipe, and what they can reach against solving.reach."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse
from scipy.optimize import linprog

sys.path.insert(0, str(Path(__file__).parents[1] / "differential"))

from hard_cases import write_hard_case
from massbalance.formulation.labels import EQUATION_NAMES
from massbalance.formulation.problem import Problem, build_problem
from massbalance.intake.read import read_case
from massbalance.solving.assembly import assemble
from massbalance.solving.compiled import Compiled
from massbalance.solving.decomposition.blocks import Blocks
from massbalance.solving.highs import SolverError
from massbalance.solving.reach import reach

Floats = npt.NDArray[np.float64]
CLAIM, CAP = EQUATION_NAMES.index("claim"), EQUATION_NAMES.index("mass_cap")


@dataclass
class Recipe:
    """Rows of one recipe over its own pairs at one tonne: caps x <= room; claim x >= need, if any."""

    caps: Floats
    room: Floats
    claim: Floats | None = None
    need: float = 0.0

    @property
    def pairs(self) -> int:
        return self.caps.shape[1]

    def cheapest(self, cost: Floats) -> float | None:
        """Cost of the best mix; None where the claim is out of reach."""
        rows, most = self.caps, self.room
        if self.claim is not None:
            rows, most = np.vstack([rows, -self.claim]), np.append(most, -self.need)
        if not self.pairs:
            return 0.0 if (most >= 0).all() else None
        found = linprog(cost, A_ub=rows, b_ub=most)
        return None if found.status == 2 else float(found.fun)

    def most(self) -> float:
        """The most of the claim that the caps allow."""
        if self.claim is None or not self.pairs:
            return 0.0
        return -float(linprog(-self.claim, A_ub=self.caps, b_ub=self.room).fun)


def blocks_of(recipes: list[Recipe], rng: np.random.Generator) -> Blocks:
    """The recipes as a model of nothing but their rows, shuffled; columns: pairs, then masses."""
    start = np.concatenate([[0], np.cumsum([r.pairs for r in recipes])]).astype(np.intp)
    count = int(start[-1])
    rows: list[tuple[int, int, Floats, float]] = []
    for r, one in enumerate(recipes):
        rows += [(CAP, r, row, -room) for row, room in zip(one.caps, one.room, strict=True)]
        if one.claim is not None:
            rows.append((CLAIM, r, -one.claim, one.need))
    rng.shuffle(rows)  # type: ignore[arg-type]
    matrix = np.zeros((len(rows), count + len(recipes)))
    for i, (_, r, values, on_mass) in enumerate(rows):
        matrix[i, start[r] : start[r + 1]] = values
        matrix[i, count + r] = on_mass
    compiled = SimpleNamespace(
        matrix=scipy.sparse.csc_array(matrix),
        equation_of_row=np.array([row[0] for row in rows], dtype=np.int8),
        recipe_of_row=np.array([row[1] for row in rows], dtype=np.intp),
        x=np.arange(count),
        y=count + np.arange(len(recipes)),
        rows=rows,
    )
    of_pair = np.repeat(np.arange(len(recipes)), np.diff(start))
    problem = SimpleNamespace(recipes=recipes, pair_start=start, pairs=SimpleNamespace(recipe=of_pair))
    return Blocks(cast(Problem, cast(Any, problem)), cast(Compiled, cast(Any, compiled)))


def random_recipe(rng: np.random.Generator, *, degenerate: bool) -> Recipe:
    """A bounded recipe; degenerate: small whole figures, so that ties and zero caps abound."""
    pairs, rows = int(rng.integers(0, 9)), int(rng.integers(1, 7))

    def figures(*shape: int) -> Floats:
        if degenerate:
            return rng.integers(0, 3, size=shape).astype(np.float64)
        return rng.uniform(0, 2, size=shape) * (rng.random(shape) < 0.7)

    caps = figures(rows, pairs)
    # a lot that dilutes
    caps = np.where(rng.random(caps.shape) < 0.1, -0.5 * caps, caps)
    caps[0] = 1.0 if degenerate else rng.uniform(0.5, 1.5, size=pairs)
    room = figures(rows)
    if rng.random() < 0.25:
        return Recipe(caps, room)
    need = float(rng.integers(0, 4)) if degenerate else float(rng.uniform(0, 2))
    return Recipe(caps, room, figures(pairs), need)


def random_recipes(seed: int, *, degenerate: bool) -> tuple[np.random.Generator, list[Recipe], Blocks]:
    rng = np.random.default_rng([seed, degenerate])
    recipes = [random_recipe(rng, degenerate=degenerate) for _ in range(int(rng.integers(1, 16)))]
    return rng, recipes, blocks_of(recipes, rng)


@pytest.mark.parametrize("degenerate", [False, True], ids=["general", "degenerate"])
@pytest.mark.parametrize("seed", range(8))
def test_possible_and_reached(seed: int, degenerate: bool) -> None:
    _, recipes, blocks = random_recipes(seed, degenerate=degenerate)
    for r, one in enumerate(recipes):
        if one.claim is not None and abs(one.most() - one.need) > 1e-6:
            assert blocks.possible[r] == (one.most() > one.need)
        if not blocks.possible[r]:
            assert blocks.reached[r] == pytest.approx(one.most(), abs=1e-8)


@pytest.mark.parametrize("degenerate", [False, True], ids=["general", "degenerate"])
@pytest.mark.parametrize("seed", range(8))
def test_best_responses(seed: int, degenerate: bool) -> None:
    """Cost, feasibility and prices of all recipes, of some, and of all again, as prices change."""
    rng, recipes, blocks = random_recipes(seed, degenerate=degenerate)
    able = np.flatnonzero(blocks.possible)
    for turn in range(4):
        size = 10.0 ** rng.integers(-3, 7)
        count = blocks.matrix.shape[1]
        cost = size * (rng.integers(-2, 6, size=count) if degenerate else rng.normal(1, 1, size=count))
        some = able if turn % 2 == 0 else able[rng.random(len(able)) < 0.5]
        answer = blocks.answer(some, cost)
        check_answer(recipes, blocks, answer.cost, some, cost, size)
        mixes = np.zeros((len(some), count))
        mixes[answer.row, answer.pair] = answer.amount
        assert (blocks.recipe_of_pair[answer.pair] == some[answer.row]).all()
        assert mixes @ cost == pytest.approx(answer.cost, rel=1e-9, abs=1e-9 * size)
        for i, r in enumerate(some):
            check_mix(recipes[r], mixes[i, blocks.start[r] : blocks.start[r + 1]])


def check_mix(one: Recipe, mix: Floats) -> None:
    assert (mix >= 0).all()
    assert (one.caps @ mix <= one.room + 1e-8).all()
    if one.claim is not None:
        assert one.claim @ mix >= one.need - 1e-8


def check_answer(
    recipes: list[Recipe],
    blocks: Blocks,
    found: Floats,
    some: npt.NDArray[np.intp],
    cost: Floats,
    size: float,
) -> None:
    """Costs are scipy's, and the block's prices prove them."""
    price = blocks.prices(some, cost)
    assert price.min(initial=0.0) >= -1e-8 * size
    reduced = cost + blocks.matrix.T @ price
    assert reduced[np.isin(blocks.recipe_of_pair, some)].min(initial=0.0) >= -1e-8 * size
    for value, r in zip(found, some, strict=True):
        best = recipes[r].cheapest(cost[blocks.start[r] : blocks.start[r + 1]])
        assert best is not None
        assert value == pytest.approx(best, rel=1e-7, abs=1e-7 * size)
        slots = blocks.slots[r]
        own = price[slots[slots >= 0]]
        assert -own @ blocks.rhs[r][slots >= 0] == pytest.approx(best, rel=1e-7, abs=1e-7 * size)


@pytest.mark.parametrize("seed", range(4))
def test_refresh_keeps_values(seed: int) -> None:
    rng, _, blocks = random_recipes(seed, degenerate=True)
    able = np.flatnonzero(blocks.possible)
    for _ in range(20):
        blocks.answer(able, rng.normal(1, 1, size=blocks.matrix.shape[1]))
    value, inverse, basis = blocks.value.copy(), blocks.inverse.copy(), blocks.basis.copy()
    blocks.refresh(able)
    assert blocks.value == pytest.approx(value, abs=1e-10)
    assert blocks.inverse == pytest.approx(inverse, abs=1e-9)
    assert (blocks.basis == basis).all()


def test_a_claim_equal_to_its_cap_is_possible() -> None:
    rng = np.random.default_rng(0)
    caps, half = np.array([[1.0, 1.0]]), np.array([0.5])
    exact = Recipe(caps, half, np.array([0.6, 1.0]), 0.5)
    beyond = Recipe(caps, half, np.array([0.6, 1.0]), 0.5 + 1e-6)
    blocks = blocks_of([exact, beyond], rng)
    assert blocks.possible.tolist() == [True, False]
    answer = blocks.answer(np.array([0]), np.array([1.0, 3.0, 1.0, 3.0]))
    assert answer.cost.tolist() == pytest.approx([1.5])
    assert answer.pair.tolist() == [1]


def test_caps_of_zero_leave_only_the_empty_mix() -> None:
    one = Recipe(np.array([[1.0, 2.0], [1.0, 0.0]]), np.zeros(2), np.array([1.0, 1.0]), 0.0)
    blocks = blocks_of([one], np.random.default_rng(0))
    answer = blocks.answer(np.array([0]), np.array([-5.0, -1.0]))
    assert (answer.cost.tolist(), len(answer.pair)) == ([0.0], 0)
    price = blocks.prices(np.array([0]), np.array([-5.0, -1.0]))
    assert (np.array([-5.0, -1.0]) + blocks.matrix.T @ price >= -1e-12).all()


def test_what_no_cap_bounds_is_an_error() -> None:
    endless = Recipe(np.array([[-1.0]]), np.ones(1), np.ones(1), 0.5)
    with pytest.raises(SolverError, match="without end"):
        blocks_of([endless], np.random.default_rng(0))


def test_cycling_examples_end() -> None:
    """Beale's and Chvatal's: with the steepest column and a fixed tie rule the simplex method goes round."""
    beale = Recipe(
        np.array([[0.25, -60.0, -0.04, 9.0], [0.5, -90.0, -0.02, 3.0], [0.0, 0.0, 1.0, 0.0]]),
        np.array([0.0, 0.0, 1.0]),
    )
    chvatal = Recipe(
        np.array([[0.5, -5.5, -2.5, 9.0], [0.5, -1.5, -0.5, 1.0], [1.0, 0.0, 0.0, 0.0]]),
        np.array([0.0, 0.0, 1.0]),
    )
    blocks = blocks_of([beale, chvatal], np.random.default_rng(0))
    cost = np.array([-0.75, 150.0, -0.02, 6.0, -10.0, 57.0, 9.0, 24.0])
    answer = blocks.answer(np.arange(2), cost)
    assert answer.cost.tolist() == pytest.approx([-0.05, -1.0])


def test_no_recipes_no_pairs() -> None:
    rng = np.random.default_rng(0)
    idle = Recipe(np.zeros((1, 0)), np.ones(1), np.zeros(0), 0.25)
    free = Recipe(np.zeros((1, 0)), np.ones(1))
    blocks = blocks_of([idle, free], rng)
    assert blocks.possible.tolist() == [False, True]
    answer = blocks.answer(np.array([1]), np.zeros(0))
    assert (answer.cost.tolist(), len(answer.pair)) == ([0.0], 0)
    assert len(blocks.answer(np.empty(0, dtype=np.intp), np.zeros(0)).cost) == 0


@pytest.mark.parametrize("seed", range(16))
def test_reach_agrees(seed: int, tmp_path: Path) -> None:
    write_hard_case(tmp_path / "case", seed)
    problem = build_problem(read_case(tmp_path / "case"))
    compiled = assemble(problem)
    blocks, caps = Blocks(problem, compiled), reach(problem, compiled)
    stopped = caps.impossible(problem)
    assert (blocks.possible == ~stopped).all()
    assert blocks.reached[stopped] == pytest.approx(caps.most[stopped], rel=1e-7, abs=1e-7)
