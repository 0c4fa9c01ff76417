"""Holds of earlier goals in HiGHS: fixed columns say what rows would, at prices that prove it.

Models are small enough for the columns to be letters: minimise, every column within 0 and 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import numpy as np
import pytest
import scipy.sparse

from massbalance.solving.compiled import Compiled
from massbalance.solving.highs import Answer, Highs

CLOSE = 1e-9


def compiled(rows: Sequence[Sequence[float]], most: Sequence[float], upper: Sequence[float]) -> Compiled:
    """`rows` x <= most, 0 <= x <= upper, without labels or goals."""
    none, count = np.empty(0, dtype=np.intp), len(upper)
    return Compiled(
        matrix=scipy.sparse.csc_array(np.array(rows, dtype=np.float64).reshape(len(most), count)),
        costs=np.zeros((0, count)), offsets=np.zeros(0),
        row_lower=np.full(len(most), -np.inf), row_upper=np.array(most, dtype=np.float64),
        lower=np.zeros(count), upper=np.array(upper, dtype=np.float64), integer=np.zeros(count, dtype=bool),
        rows=(("row", 0),) * len(most), goals=(), flows=(), f=none, x=none, y=none, step=none, take=none,
        origin_size={},
    )  # fmt: skip


class Chain:
    """Goals one after the other on one model; its rows and columns as they come to be."""

    def __init__(self, made: Compiled) -> None:
        self.model = Highs(made, integers=False)
        self.rows, self.most = made.matrix.toarray(), made.row_upper
        self.upper = made.upper
        self.held: list[tuple[np.ndarray, float]] = []

    def goal(self, costs: Sequence[float]) -> Answer:
        self.model.set_costs(np.array(costs, dtype=np.float64))
        return self.model.solve(deadline=None)

    def hold(self, costs: Sequence[float], value: float) -> None:
        array = np.array(costs, dtype=np.float64)
        self.model.hold(array, value)
        self.held.append((array, value))

    def add(self, rows: Sequence[float], holds: Sequence[float], upper: float) -> None:
        column = np.array([*rows, *holds], dtype=np.float64)[:, None]
        self.model.add_columns(scipy.sparse.csc_array(column), np.zeros(1), np.array([upper]))
        self.rows = np.column_stack([self.rows, rows])
        self.upper = np.append(self.upper, upper)
        self.held = [(np.append(c, h), v) for (c, v), h in zip(self.held, holds, strict=True)]

    def bound(self, costs: Sequence[float], answer: Answer) -> float:
        """What the answer's row prices prove, the holds being rows."""
        assert answer.row_dual is not None
        price = np.maximum(0.0, -answer.row_dual)
        matrix = np.vstack([self.rows, *(c for c, _ in self.held)])
        most = np.array([*self.most, *(v for _, v in self.held)])
        reduced = np.array(costs) + matrix.T @ price
        assert answer.column_dual == pytest.approx(reduced, abs=1e-7)
        return float(np.minimum(reduced, 0.0) @ self.upper - most @ price)


def fixed(chain: Chain) -> list[bool]:
    return [held.fixed for held in chain.model.held]


def prices(chain: Chain, answer: Answer) -> list[float]:
    assert answer.row_dual is not None
    return list(-answer.row_dual[len(chain.most) :])


def test_second_hold_does_not_pay_for_what_the_first_fixed() -> None:
    """a, b cost the first goal 10 and 1, d 1; c gains it 5. The second wants a and b, which stay out: then
    it is worth nothing to d, of which a unit costs the first goal 1.
    """
    chain = Chain(compiled([], [], [1, 1, 1, 1]))
    chain.hold([10, 1, -5, 1], -5)
    chain.hold([-1, -1, 0, 0], 0)
    goal = [0, 0, 0, -1]
    answer = chain.goal(goal)
    assert fixed(chain) == [True, True]
    assert (answer.objective, prices(chain, answer)) == (0, [1, 0])
    assert chain.bound(goal, answer) == pytest.approx(0, abs=CLOSE)


def test_first_hold_makes_good_what_the_price_of_the_second_does() -> None:
    """The first goal keeps a out, the second has b; giving b up would save 3, at the price of 3 for the
    second goal, whose part in a the first has to outweigh.
    """
    chain = Chain(compiled([], [], [1, 1]))
    chain.hold([1, 0], 0)
    chain.hold([-2, -1], -1)
    answer = chain.goal([0, 3])
    assert (answer.objective, prices(chain, answer)) == (3, [6, 3])
    assert chain.bound([0, 3], answer) == pytest.approx(3, abs=CLOSE)


def test_value_that_is_not_the_best_is_held_by_a_row() -> None:
    chain = Chain(compiled([], [], [1, 1]))
    chain.hold([-1, -1], -1.5)
    answer = chain.goal([1, 2])
    assert fixed(chain) == [False]
    assert answer.objective == pytest.approx(2)
    assert answer.columns == pytest.approx([1, 0.5])


def test_column_that_cannot_move_has_no_price() -> None:
    """a is out for want of room: that it costs the held goal a thousandth only says nothing."""
    chain = Chain(compiled([], [], [0, 1]))
    chain.hold([0.001, 1], 0)
    answer = chain.goal([-1, -1])
    assert prices(chain, answer) == [1]
    assert chain.bound([-1, -1], answer) == pytest.approx(0, abs=CLOSE)


def test_loosening_gives_columns_their_own_bounds() -> None:
    """The first hold has fixed a and b, the second c: with a slack of 0.25 a rises as far as b is above 0.75,
    without any it stays out again.
    """
    chain = Chain(compiled([], [], [1, 1, 1]))
    chain.hold([1, -1, 0], -1)
    chain.hold([-1, 0, -1], -1)
    assert chain.goal([-1, 0, 0]).objective == 0
    chain.model.loosen(0.25)
    assert fixed(chain) == [False, False]
    assert chain.goal([-1, 0, 0]).objective == pytest.approx(-0.25)
    chain.model.loosen(0.0)
    assert chain.goal([-1, 0, 0]).objective == pytest.approx(0, abs=CLOSE)


def test_hold_after_loosening_may_fix_again() -> None:
    chain = Chain(compiled([], [], [1, 1, 1]))
    chain.hold([1, -1, 0], -1)
    chain.model.loosen(0.0)
    chain.hold([0, 0, -1], -1)
    assert fixed(chain) == [False, True]
    answer = chain.goal([-1, 0, 3])
    assert (answer.objective, answer.columns.tolist()) == (3, [0, 1, 1])
    assert chain.bound([-1, 0, 3], answer) == pytest.approx(3, abs=CLOSE)


def test_new_column_stays_out_where_it_would_spoil_a_held_goal() -> None:
    chain = Chain(compiled([[1]], [5], [1]))
    chain.hold([-1], -1)
    chain.add([1], [2], upper=3)
    goal = [0, -4]
    answer = chain.goal(goal)
    assert fixed(chain) == [True]
    assert (answer.objective, prices(chain, answer)) == (0, [2])
    assert chain.bound(goal, answer) == pytest.approx(0, abs=CLOSE)


def test_new_column_that_would_better_a_held_goal_makes_it_a_row() -> None:
    """The new column may do for the held goal what the old one did."""
    chain = Chain(compiled([[1]], [5], [1]))
    chain.hold([-1], -1)
    chain.add([0], [-2], upper=3)
    goal = [1, 1]
    answer = chain.goal(goal)
    assert fixed(chain) == [False]
    assert answer.objective == pytest.approx(0.5)
    assert chain.bound(goal, answer) == pytest.approx(0.5, abs=CLOSE)


def test_new_column_without_a_part_in_held_goals_is_free() -> None:
    chain = Chain(compiled([[1]], [5], [1]))
    chain.hold([-1], -1)
    chain.add([1], [0], upper=3)
    assert chain.goal([0, -4]).objective == -12


@pytest.mark.parametrize("seed", range(150))
def test_fixed_columns_say_what_rows_say(seed: int) -> None:
    """Goals, room and columns at random; each goal is held where it ends, new columns come in between."""
    random = Random(seed)
    count, rows = random.randint(2, 6), random.randint(0, 2)
    some = (-2, -1, -1, 0, 0, 0, 1, 1, 3)
    made = compiled(
        [[random.choice(some) for _ in range(count)] for _ in range(rows)],
        [random.choice((1, 4, 20, 20)) for _ in range(rows)],
        [random.choice((0, 1, 1, 2)) for _ in range(count)],
    )
    chain, by_rows = Chain(made), Chain(made)
    for _ in range(5):
        costs = [random.choice(some) for _ in range(len(chain.upper))]
        answer, expected = chain.goal(costs), by_rows.goal(costs)
        assert answer.objective == pytest.approx(expected.objective, abs=1e-7)
        assert chain.bound(costs, answer) == pytest.approx(answer.objective, abs=1e-6)
        for one in (chain, by_rows):
            one.hold(costs, expected.objective)
        by_rows.model.loosen(0.0)
        if random.random() < 0.4:
            part = [random.choice(some) for _ in range(rows)]
            holds, upper = [random.choice(some) for _ in chain.held], random.choice((0, 1, 2))
            for one in (chain, by_rows):
                one.add(part, holds, upper)
