import pytest

from massbalance.api import read_case, run_case
from massbalance.formulation.problem import build_problem
from massbalance.interfaces.cli import Method
from massbalance.solving import methods
from massbalance.solving.assembly import assemble
from tests.golden.tiny import tiny

CASE = tiny(
    lots={"L": {"quantity": 6, "category": "ingot", "green_share": 1}},
    orders={"O": {"mass_t": 10, "claim": "green_share", "level": "0.5", "premium_per_t": 4}},
)


def test_command_offers_every_method():
    assert tuple(m.value for m in Method) == methods.METHODS


def test_auto_goes_by_size(tmp_path, monkeypatch):
    problem = build_problem(read_case(CASE.write(tmp_path / "case")))
    compiled = assemble(problem)
    assert methods.chosen(problem, compiled, "auto") == "monolith"
    monkeypatch.setattr(methods, "MOST_RECIPES", 0)
    assert methods.chosen(problem, compiled, "auto") == "decomposition"
    assert methods.chosen(problem, compiled, "reference") == "reference"
    with pytest.raises(ValueError, match="method 'simplex'"):
        methods.chosen(problem, compiled, "simplex")


@pytest.mark.parametrize("method", methods.METHODS[1:])
def test_every_method_gives_the_same_files(tmp_path, method):
    outcome = run_case(CASE.write(tmp_path / "case"), tmp_path / "run", method=method)
    assert outcome.summary["method"] == method
    assert (outcome.out / "allocation.csv").read_text() == (
        "lot,order,offer,quantity,uom,credited_t,scope1,scope2,scope3\nL,O,,5,t,5,0,0,0\n"
    )
