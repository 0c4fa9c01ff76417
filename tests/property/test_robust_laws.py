"""What must hold of robust promises on random cases of every feature."""

from __future__ import annotations

import random
import sys
from fractions import Fraction
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "differential"))

from massbalance.api import solve
from massbalance.domain.case import Case
from massbalance.domain.result import Allocation
from massbalance.intake.read import read_case
from massbalance.robust.check import Check
from massbalance.robust.document import document, verified
from massbalance.robust.run import Robust, robust
from massbalance.scenario.futures import Future, Futures
from massbalance.scenario.futures_file import read_futures
from random_cases import write_random_case
from robust_brute import Plain, Program, promises
from test_robust import RISKS, drawn_case, drawn_future, written

SHARES = (Fraction(0), Fraction(1, 2), Fraction(5, 6), Fraction(1))
SAME = 1e-5


def found_of(folder: Path, seed: int, *, mip: bool) -> Robust:
    write_random_case(folder / "case", 7300 + seed, mip=mip, size="small")
    (folder / "futures.toml").write_text(RISKS, encoding="utf-8")
    case = read_case(folder / "case")
    return robust(case, futures_of(folder, case), SHARES)


def futures_of(folder: Path, case: Case) -> Futures:
    return read_futures(folder / "futures.toml", case)


@pytest.mark.parametrize(
    ("seed", "mip"), [(0, False), (1, False), (2, False), (3, False), (4, True), (5, True)]
)
def test_cost_grows_with_the_share_and_begins_at_the_plain_optimum(
    seed: int, mip: bool, tmp_path: Path
) -> None:
    """The goals, in their order, never get better with the share; each share is kept by what is booked."""
    found = found_of(tmp_path, seed, mip=mip)
    signs = [goal.sign for goal in found.goals]
    before: list[float] | None = None
    for point in found.points:
        assert point.status == "optimal"
        assert point.side.kept.kept >= point.share * point.side.kept.of
        assert verified(found.case, point.side.allocation) == []
        mine = [
            sign * float(point.side.values[goal.key]) for sign, goal in zip(signs, found.goals, strict=True)
        ]
        if before is None:
            plain = [
                sign * float(found.plain.values[g.key]) for sign, g in zip(signs, found.goals, strict=True)
            ]
            assert mine == pytest.approx(plain, rel=SAME, abs=SAME * 10)
        else:
            first = next((n for n, v in enumerate(mine) if abs(v - before[n]) > SAME * max(10, abs(v))), None)
            assert first is None or mine[first] > before[first]
        before = mine


def test_the_same_case_in_another_order_of_rows_gives_the_same_document(tmp_path: Path) -> None:
    first = found_of(tmp_path, 1, mip=False)
    rng = random.Random(3)
    for table in (tmp_path / "case").glob("*.csv"):
        header, *rows = table.read_text(encoding="utf-8").splitlines()
        rng.shuffle(rows)
        if table.stem != "periods":
            table.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    case = read_case(tmp_path / "case")
    again = robust(case, futures_of(tmp_path, case), SHARES)
    assert timeless(document(again)) == timeless(document(first))


def timeless(value: object) -> object:
    """A document without its seconds."""
    if isinstance(value, dict):
        return {key: timeless(one) for key, one in value.items() if key != "seconds"}
    return [timeless(one) for one in value] if isinstance(value, list) else value


def least_lack(plain: Plain, case: Case, result: Allocation, future: Future) -> float:
    """By a plain linear program over lots and orders: how much of what was booked cannot be drawn."""
    made = Program()
    lots, orders = case.lots.text("lot"), case.orders.text("order")
    booked = {
        (str(lots[result.lot[i]]), str(orders[result.order[i]])): float(result.quantity[i]) / 1e6
        for i in range(len(result.lot))
    }
    x = {key: made.column() for key in booked}
    short = {key: made.column() for key in booked}
    for key, column in x.items():
        made.row({column: -1.0, short[key]: -1.0}, -booked[key])
    promises(made, plain, x, future)
    return made.least(dict.fromkeys(short.values(), 1.0))


@pytest.mark.parametrize("seed", range(6))
def test_the_check_in_integers_agrees_with_a_plain_program(seed: int, tmp_path: Path) -> None:
    """What lacks less than 10 g is the program's rounding, or the check's where origins are shared."""
    rng = random.Random(900 + seed)
    plain = drawn_case(rng)
    case = read_case(written(plain, tmp_path / "case"))
    allocation = solve(case).allocation
    check = Check(case, allocation)
    outcomes = set()
    for number in range(1, 25):
        future = drawn_future(rng, plain, number)
        lack = least_lack(plain, case, allocation, future)
        told = sum(float(one.quantity) for one in check.lacks(future))
        assert (told > 1e-5) == (lack > 1e-5), (number, told, lack)
        outcomes.add(lack > 1e-5)
    assert outcomes == {True, False}
