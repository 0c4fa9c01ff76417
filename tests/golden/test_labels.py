"""One label, four views: the formulation, the code, the golden tests, and what cites them, agree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from massbalance.api import read_case, solve
from massbalance.domain.objective import STRATEGIES
from massbalance.domain.rulemodel import available, parse, read_bytes
from massbalance.formulation.equations import EQUATIONS
from massbalance.formulation.goals import goals
from massbalance.formulation.problem import build_problem, row_name
from massbalance.intake.objective import with_objective
from massbalance.solving.highs import Highs
from tests.golden.checks import NAMES, STORED

ROOT = Path(__file__).resolve().parents[2]
FORMULATION = (ROOT / "models" / "FORMULATION.md").read_text(encoding="utf-8")
TESTS = [path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.glob("test_*.py"))]
CODE = dict(
    sorted(
        [*((equation.label, equation.name) for equation in EQUATIONS), ("C15", "goal_hold")],
        key=lambda one: int(one[0][1:]),
    )
)
LABELS = [f"C{n}" for n in range(1, 20)]


def written_equations() -> dict[str, tuple[str, str]]:
    """Label -> (name, clauses) in the formulation's table of equations."""
    rows = re.findall(r"^\| (C\d+) \| `(\w+)\[[\w,]+\]` \|.*\| ([^|]+) \|$", FORMULATION, re.MULTILINE)
    return {label: (name, clauses) for label, name, clauses in rows}


def written_goals() -> dict[str, str]:
    """Label -> name in the formulation's table of goals."""
    return dict(re.findall(r"^\| (G\d+) \| `(\w+)", FORMULATION, re.MULTILINE))


def test_the_formulation_has_the_equations_of_the_code() -> None:
    assert list(CODE) == LABELS
    assert {label: name for label, (name, _) in written_equations().items()} == CODE


def test_the_formulation_has_the_goals_of_the_code() -> None:
    case, used = read_case(ROOT / "data" / "tutorial"), set()
    settings = {"concentrate": {"products": ["SHEET"]}, "weighted": {"weights": {"margin": 1}}}
    for strategy in STRATEGIES:
        asked = with_objective(case, {"strategy": strategy, **settings.get(strategy, {})})
        used |= {goal.word for goal in goals(build_problem(asked))}
    assert set(written_goals().values()) == used
    assert list(written_goals()) == [f"G{n}" for n in range(1, 10)]


def test_clauses_are_the_same_in_formulation_and_code() -> None:
    written = {label: clauses for label, (_, clauses) in written_equations().items()}
    del written["C15"]
    assert written == {e.label: ", ".join(e.clauses) for e in EQUATIONS}


def test_functions_and_their_docstrings_bear_name_and_label() -> None:
    for equation in EQUATIONS:
        assert equation.add.__name__ == equation.name
        assert (equation.add.__doc__ or "").startswith(f"{equation.label}: ")
    assert (Highs.hold.__doc__ or "").startswith("C15 goal_hold: ")


def test_every_equation_and_goal_has_a_golden_test_and_its_rows() -> None:
    expected = CODE | written_goals()
    assert expected == NAMES
    tested = {
        label.upper() for text in TESTS for label in re.findall(r"^def test_([cg]\d+)_", text, re.MULTILINE)
    }
    assert tested == set(expected)
    stored = {path.stem.partition("_")[0] for path in STORED.glob("*.txt")}
    assert stored == set(expected)


def test_stored_rows_are_those_that_tests_name() -> None:
    named = {name for text in TESTS for name in re.findall(r'"([CG]\d+_\w+)"', text)}
    assert {path.stem for path in STORED.glob("*.txt")} == named
    for path in STORED.glob("*.txt"):
        label, _, rest = path.stem.partition("_")
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert rest.startswith(NAMES[label]), path.name
        assert first.startswith(f"\\ {label} {NAMES[label]}"), path.name


@pytest.mark.parametrize("rules", available())
def test_rule_models_cite_equations_that_exist(rules: str) -> None:
    cited = {word for clause in parse(read_bytes(rules)).clauses for word in clause.by}
    labels = {word for word in cited if re.fullmatch(r"[CG]\d+", word)}
    assert labels
    assert labels <= set(NAMES)


@pytest.mark.slow
def test_prices_name_rows_of_the_model() -> None:
    result = solve(read_case(ROOT / "data" / "aluminium"))
    rows = {row_name(result.problem, name, key) for name, key in result.compiled.rows}
    prices = set(result.tables["prices"]["row"])
    assert prices
    assert prices <= rows
    assert {row.partition("[")[0] for row in rows | prices} <= set(CODE.values())
    assert set(result.tables["prices"]["kind"]) <= set(CODE.values())
