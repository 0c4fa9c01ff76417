"""The decomposition against the whole model: values, the prices that prove them, and runs that verify.

Values of every goal must agree, tie-break included; the decomposition's own prices must prove its value,
computed anew over the whole model (weak duality). Where a tonne of an earlier goal is worth a million of
a later one, floats allow no more than that: `allowed`.
"""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest

from hand_cases import CASES
from hard_cases import MOODS, write_hard_case, write_plenty_case
from massbalance.api import read_case, run_case
from massbalance.formulation.problem import build_problem
from massbalance.solving import decomposition, lexicographic
from massbalance.solving.assembly import assemble
from massbalance.solving.compiled import Compiled
from massbalance.solving.decomposition import sequence
from massbalance.solving.highs import SolverError
from massbalance.solving.solution import Solution
from random_cases import write_random_case
from tests.golden.tiny import Tiny, tiny
from weak_duality import overstepped, weak_bound

ROOT = Path(__file__).resolve().parents[2]
RELATIVE = 1e-9
ROUNDING = 1e-12
"""What sums of floats lose, relative to what all orders together bring."""
HARD, PLAIN, PLENTY, VERIFIED = range(105), range(40), range(60), range(12)
MEDIUM = [("hard", 1), ("hard", 5), ("plain", 0), ("plain", 1)]
Solved = tuple[Compiled, Solution]


def write(kind: str, seed: int, folder: Path, size: str = "small") -> Path:
    if kind == "hard":
        write_hard_case(folder, seed, size)
    elif kind == "plenty":
        write_plenty_case(folder, seed)
    else:
        write_random_case(folder, seed, mip=False, size=size)
    return folder


def worth(compiled: Compiled, goal: int) -> float:
    """What every order together would bring to a goal."""
    return float(np.abs(compiled.costs[goal, compiled.step]) @ compiled.upper[compiled.step])


def allowed(compiled: Compiled, solution: Solution, goal: int) -> float:
    """How far a goal's value may be off: its last digits, and those of held goals at their price."""
    stage = solution.stages[goal]
    held = sum(
        price * ROUNDING * max(1.0, worth(compiled, earlier)) for earlier, price in enumerate(stage.hold_dual)
    )
    return RELATIVE * max(1.0, abs(stage.minimum)) + ROUNDING * worth(compiled, goal) + held


def check_proof(compiled: Compiled, found: Solution) -> None:
    """The prices of each goal prove its value, and the columns break no row."""
    for g, stage in enumerate(found.stages[:-1]):
        assert stage.status == "optimal"
        assert abs(weak_bound(compiled, found.stages, g) - stage.minimum) <= allowed(compiled, found, g)
        assert stage.minimum - stage.bound <= allowed(compiled, found, g)
    assert overstepped(compiled, found.columns) <= 1e-9


def check_same(folder: Path) -> Solved:
    """Solve an LP case both ways and compare."""
    problem = build_problem(read_case(folder))
    compiled = assemble(problem)
    whole, found = lexicographic.solve(compiled), decomposition.solve(problem, compiled)
    assert (whole.status, found.status) == ("optimal", "optimal")
    assert [s.goal for s in whole.stages] == [s.goal for s in found.stages]
    check_proof(compiled, whole)
    check_proof(compiled, found)
    for g, (one, other) in enumerate(zip(whole.stages[:-1], found.stages[:-1], strict=True)):
        most = max(allowed(compiled, whole, g), allowed(compiled, found, g))
        assert abs(one.minimum - other.minimum) <= most, one.goal.key
    one, other = whole.stages[-1], found.stages[-1]
    if "limit" not in (one.status, other.status):
        assert other.minimum == pytest.approx(one.minimum, rel=RELATIVE, abs=RELATIVE)
    return compiled, found


@pytest.mark.parametrize("seed", HARD)
def test_hard_case(seed: int, tmp_path: Path) -> None:
    check_same(write("hard", seed, tmp_path / "case"))


@pytest.mark.parametrize("seed", PLAIN)
def test_random_case(seed: int, tmp_path: Path) -> None:
    check_same(write("plain", seed, tmp_path / "case"))


@pytest.mark.parametrize("seed", PLENTY)
def test_case_whose_holds_fix_what_others_share(seed: int, tmp_path: Path) -> None:
    check_same(write("plenty", seed, tmp_path / "case"))


@pytest.mark.parametrize(("kind", "seed"), MEDIUM)
def test_medium_case(kind: str, seed: int, tmp_path: Path) -> None:
    check_same(write(kind, seed, tmp_path / "case", "medium"))


@pytest.mark.parametrize(("kind", "seed"), MEDIUM)
def test_first_prices_of_a_sample_change_nothing(
    kind: str, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequence, "SAMPLE", 12)
    check_same(write(kind, seed, tmp_path / "case", "medium"))


def test_hard_cases_have_every_mood(tmp_path: Path) -> None:
    found = {mood for seed in range(40) for mood in write_hard_case(tmp_path / str(seed), seed)}
    assert found == {mood for moods in MOODS.values() for mood in moods}


@pytest.mark.parametrize("name", CASES)
def test_hand_case(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    compiled, found = check_same(relaxed(case.write(tmp_path / "case")))
    if not any(row.get("whole") or row.get("min_fill") for row in case.tables["orders"]):
        own = [found.value(compiled, g) for g in range(len(case.values))]
        if "offers" not in case.tables:
            assert own == pytest.approx(case.values, rel=RELATIVE, abs=RELATIVE)


def relaxed(folder: Path) -> Path:
    """The case as an LP: no order is whole or has a least fill, and there are no offers."""
    (folder / "offers.csv").unlink(missing_ok=True)
    with (folder / "orders.csv").open(encoding="utf-8", newline="") as file:
        rows = [row | {"whole": "", "min_fill": ""} for row in csv.DictReader(file)]
    if rows:
        with (folder / "orders.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return folder


@pytest.mark.parametrize("name", ["aluminium", "steel", "tutorial"])
def test_example(name: str, tmp_path: Path) -> None:
    check_same(relaxed(Path(shutil.copytree(ROOT / "data" / name, tmp_path / "case"))))


# One lot of `ingot` is short; what stands beside it must not hide that.
SHORT = tiny(
    lots={"L": {"quantity": 6, "green_share": 1}},
    orders={"O": {"mass_t": 10, "premium_per_t": 4}, "P": {"mass_t": 10, "premium_per_t": 5, "level": 0.5}},
)
# Lots for all, margin first: it keeps out what costs money, N1 and N2 at 10 and 1 per t, and M at 1, so
# that only O's 10 t at 5 are claimed. A tonne of M would cost the margin 1, whatever N1 and N2 wait for.
KEPT_OUT = tiny(
    goals=("margin", "firm_shortfall"),
    lots={"L": {"quantity": 100, "green_share": 1}},
    orders={
        "O": {"mass_t": 10, "premium_per_t": 5, "level": 0.5},
        "N1": {"mass_t": 10, "premium_per_t": -10, "firm": "true", "priority": 1},
        "N2": {"mass_t": 10, "premium_per_t": -1, "firm": "true", "priority": 1},
        "M": {"mass_t": 10, "premium_per_t": -1, "firm": "true", "priority": 2},
    },
)
EDGES: dict[str, tuple[Tiny, list[float]]] = {
    "nothing": (tiny(), [0]),
    "no lots": (SHORT.but(lots={"L": None}), [0]),
    "no orders": (SHORT.but(orders={"O": None, "P": None}), [0]),
    "orders of nothing": (SHORT.but(orders={"O": {"mass_t": 0}, "P": {"mass_t": 0}}), [0]),
    "short": (SHORT, [4 + 50]),
    # A lot of nothing in the same pool is not the cheapest way to its credits.
    "a lot of nothing": (
        SHORT.but(lots={"N": {"quantity": 0, "green_share": 1, "expires": "2026-08-31"}}),
        [4 + 50],
    ),
    "only lots of nothing": (SHORT.but(lots={"L": {"quantity": 0}}), [0]),
    # A claim beyond every cap earns nothing, even with a lot that is paid for being used.
    "out of reach, and earning": (
        SHORT.but(
            lots={"L": {"unit_cost": -3}},
            orders={"O": {"claim": "reduction", "level": 99}, "P": {"level": 1, "premium_per_t": 5}},
        ),
        [30 + 18],
    ),
    # 1e-9 of a tonne beyond a full share is out of reach, 1e-6 of one short of it is not.
    "at its cap": (SHORT.but(alloys={("A", "ingot"): 0.5}, orders={"O": None}), [50]),
    "just beyond its cap": (SHORT.but(alloys={("A", "ingot"): 0.4999999}, orders={"O": None}), [0]),
    "no category is taken": (SHORT.but(alloys={("A", "ingot"): 0}), [0]),
    "no claim at all": (SHORT.but(orders={"O": {"level": 0}, "P": {"level": 0}}), [90]),
    "margin before firm": (
        SHORT.but(
            orders={"O": {"firm": "true"}},
            settings={"objective": {"order": ["margin", "firm_shortfall"], "strategy": "firm-then-margin"}},
        ),
        [54, 9],
    ),
    "margin keeps priorities out": (KEPT_OUT, [50, 20, 10]),
    # The mix with a lot at 2 per t comes up only when the margin is held where nothing is paid for.
    "margin keeps a lot out": (
        KEPT_OUT.but(
            lots={"K": {"quantity": 100, "green_share": 1, "unit_cost": 2, "scheme": "K"}},
            orders={"M": {"premium_per_t": 0, "schemes": "K"}},
        ),
        [50, 20, 10],
    ),
    "firm before margin": (SHORT.but(orders={"O": {"firm": "true"}}), [4, 24]),
}


@pytest.mark.parametrize("name", EDGES)
def test_edge(name: str, tmp_path: Path) -> None:
    case, values = EDGES[name]
    compiled, found = check_same(case.write(tmp_path / "case"))
    own = [found.value(compiled, g) for g in range(len(values))]
    assert own == pytest.approx(values, rel=RELATIVE, abs=1e-6)


@pytest.mark.parametrize("method", ["monolith", "decomposition"])
def test_run_proves_what_the_margin_keeps_out(method: str, tmp_path: Path) -> None:
    outcome = run_case(KEPT_OUT.write(tmp_path / "case"), tmp_path / "run", method=method)
    assert (outcome.summary["status"], outcome.report.ok) == ("optimal", True)
    assert [float(goal.bound) for goal in outcome.report.goals] == pytest.approx([50, 20, 10], abs=1e-5)


@pytest.mark.parametrize("seed", VERIFIED)
def test_run_verifies(seed: int, tmp_path: Path) -> None:
    outcome = run_case(write("hard", seed, tmp_path / "case"), tmp_path / "run", method="decomposition")
    assert outcome.report.ok
    assert outcome.summary["method"] == "decomposition"
    # claims that meet their caps at a figure between two grams: booking falls short, whatever the solver
    by_grams = str(outcome.summary["stopped_by"]).startswith("whole grams")
    assert outcome.summary["status"] == ("limit" if by_grams else "optimal")


def test_same_answer_twice_whatever_the_order_of_rows(tmp_path: Path) -> None:
    folder = write("hard", 1, tmp_path / "case")
    turned = Path(shutil.copytree(folder, tmp_path / "turned"))
    for name in ("orders", "lots", "products"):
        header, *lines = (turned / f"{name}.csv").read_text(encoding="utf-8").splitlines(keepends=True)
        (turned / f"{name}.csv").write_text(header + "".join(reversed(lines)), encoding="utf-8")
    for case, out in ((folder, "one"), (turned, "other")):
        run_case(case, tmp_path / out, method="decomposition")
    for found in (tmp_path / "one").glob("*.csv"):
        assert found.read_bytes() == (tmp_path / "other" / found.name).read_bytes()


def test_time_limit_leaves_a_valid_answer_and_a_bound(tmp_path: Path) -> None:
    problem = build_problem(read_case(write("plain", 0, tmp_path / "case", "medium")))
    compiled = assemble(problem)
    best = decomposition.solve(problem, compiled)
    cut = decomposition.solve(problem, compiled, time_limit=0.0)
    assert overstepped(compiled, cut.columns) <= 1e-9
    for g, stage in enumerate(cut.proof):
        if stage.row_dual is not None and g == 0:
            assert weak_bound(compiled, cut.proof, g) <= best.stages[g].minimum + allowed(compiled, best, g)


def test_what_does_not_converge_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = build_problem(read_case(write("plain", 0, tmp_path / "case", "medium")))
    monkeypatch.setattr("massbalance.solving.decomposition.generation.ROUNDS", 1)
    with pytest.raises(SolverError, match="does not converge"):
        decomposition.solve(problem, assemble(problem))
