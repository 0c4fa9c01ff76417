"""Robust mode as a library: promises that hold in a share of sampled futures, and what that costs.

case = read_case(Path("data/aluminium"))
futures = read_futures(Path("futures.toml"), case)
found = robust(case, futures, shares=[Fraction(95, 100)])
found.points[0].kept, found.plain.kept, found.as_dict()
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from massbalance.api import solve as solve_plain
from massbalance.booking.book import book
from massbalance.domain.case import Case
from massbalance.domain.faults import CaseRefused, Fault
from massbalance.domain.result import Allocation
from massbalance.formulation.goals import Goal
from massbalance.report.goal_values import booked_value
from massbalance.robust.check import Check, Kept, Lack
from massbalance.robust.cuts import Oracle
from massbalance.robust.master import Master
from massbalance.robust.sample import Sample, build_sample
from massbalance.robust.solve import RESERVE, Decided, Search
from massbalance.scenario.futures import Future, Futures
from massbalance.solving.assembly import assemble

Progress = Callable[[str], None]
GOALS = ("firm_shortfall_t", "margin", "tie_break")
MORE = 4
"""How often the room for rounding is made ten times larger where booking did not fit into it."""


@dataclass(frozen=True)
class Broken:
    """A sampled future that breaks a promise, and what it lacks."""

    future: int
    lacks: tuple[Lack, ...]


@dataclass(frozen=True)
class Side:
    """A booked allocation before the futures: the plain optimum, or one that keeps a share.

    values: booked value of each goal; kept, fresh: sampled futures, and fresh ones (None: none were drawn),
    that keep its promises; broken: the sampled ones that do not.
    """

    allocation: Allocation
    values: dict[str, Fraction]
    kept: Kept
    fresh: Kept | None
    broken: tuple[Broken, ...]


@dataclass(frozen=True)
class Point:
    """The promises for one share: at least so much of the sampled futures keep them.

    gaps: proven relative gap of each goal, None where a limit came before there was a bound; status:
    `optimal` or `limit`.
    """

    share: Fraction
    side: Side
    status: str
    gaps: dict[str, float | None]
    seconds: float


@dataclass(frozen=True)
class Robust:
    """What robust mode found. goals: in order; distinct: sampled futures that differ for firm orders."""

    case: Case
    futures: Futures
    fresh: Futures | None
    distinct: int
    goals: tuple[Goal, ...]
    plain: Side
    points: tuple[Point, ...]


def robust(
    case: Case,
    futures: Futures,
    shares: Sequence[Fraction],
    *,
    fresh: Futures | None = None,
    time_limit: float | None = None,
    gap: float = 0.0,
    progress: Progress | None = None,
) -> Robust:
    """The plain optimum, and the best allocation for each share of the futures.

    shares: 0 to 1; fresh: other futures to try the allocations on; time_limit: seconds for each share's
    decisions; gap: relative MIP gap to stop at. CaseRefused where the case has other goals.
    """
    say = progress or (lambda _: None)
    say("drawing futures")
    drawn = list(futures)
    again = None if fresh is None else list(fresh)
    sample = build_sample(case, drawn)
    base = assemble(sample.problem)
    _refuse(case, [goal.name for goal in base.goals])
    say("without regard to futures")
    goals = tuple(base.goals[:-1])
    plain = _side(sample, goals, solve_plain(case, time_limit=time_limit, gap=gap).allocation, drawn, again)
    oracle = Oracle(sample)
    points = []
    for share in shares:
        begun = time.monotonic()
        master = Master(base, sample, budget(share, sample.count))
        deadline = None if time_limit is None else begun + time_limit
        search = Search(master, oracle, deadline=deadline, gap=gap, progress=progress)
        side, found = _booked(search, search.solve(), goals, drawn, again, say)
        points.append(Point(share, side, found.status, _gaps(goals, found), time.monotonic() - begun))
    return Robust(case, futures, fresh, len(sample), goals, plain, tuple(points))


def budget(share: Fraction, count: int) -> int:
    """How many of so many futures may be broken, exact."""
    return count - math.ceil(share * count)


def _refuse(case: Case, names: Sequence[str]) -> None:
    """Robust mode keeps to the default goals: others would need their own statement of a promise."""
    others = sorted(set(names) - set(GOALS))
    if "minimum_service" in case.settings.get("objective", {}):
        others.append("minimum_service")
    if others:
        expected = "firm_shortfall and margin alone: robust mode knows promises under these"
        raise CaseRefused([Fault("case", None, "objective", ", ".join(others), expected, "setting")])


def _gaps(goals: Sequence[Goal], found: Decided) -> dict[str, float | None]:
    reached = {one.goal.key: one.gap for one in found.goals}
    return {
        goal.key: gap if (gap := reached.get(goal.key)) is not None and math.isfinite(gap) else None
        for goal in goals
    }


def _booked(
    search: Search,
    found: Decided,
    goals: Sequence[Goal],
    drawn: Sequence[Future],
    again: Sequence[Future] | None,
    say: Progress,
) -> tuple[Side, Decided]:
    """What was decided, in whole grams; with more room for rounding until a kept future stays kept."""
    problem, sample, reserve = search.sample.problem, search.sample, RESERVE
    needed = sample.count - search.master.budget
    for _ in range(MORE):
        say("booking whole grams")
        allocation, _ = book(problem, found.compiled, found.solution)
        check = Check(problem.case, allocation)
        if check.kept(drawn).kept >= needed:
            break
        reserve *= 10
        found = search.again(found, reserve)
    return _side(sample, goals, allocation, drawn, again), found


def _side(
    sample: Sample,
    goals: Sequence[Goal],
    allocation: Allocation,
    drawn: Sequence[Future],
    again: Sequence[Future] | None,
) -> Side:
    problem, check = sample.problem, Check(sample.problem.case, allocation)
    lacks = [(future.number, tuple(check.lacks(future))) for future in drawn]
    broken = tuple(Broken(number, found) for number, found in lacks if found)
    return Side(
        allocation=allocation,
        values={goal.key: booked_value(problem, allocation, goal) for goal in goals},
        kept=Kept(len(drawn) - len(broken), len(drawn)),
        fresh=None if again is None else check.kept(again),
        broken=broken,
    )
