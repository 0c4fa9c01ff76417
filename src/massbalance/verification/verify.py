"""Checks a run's folder: does everything in it follow, to the last unit, and is it the best there is?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from massbalance.domain.case import TABLES, Case
from massbalance.domain.faults import CaseRefused, Fault
from massbalance.intake.read import read_case
from massbalance.verification.balance import (
    Summary,
    check_books,
    check_certified,
    check_goals,
    check_summary,
)
from massbalance.verification.bound import prove
from massbalance.verification.effects import Effects
from massbalance.verification.facts import Facts
from massbalance.verification.files import (
    FAIR_SHARE,
    SUMMARY,
    Faults,
    check_manifest,
    check_present,
    read_json,
)
from massbalance.verification.goals import GoalProof
from massbalance.verification.opening import check_opening
from massbalance.verification.orders import Booked, check_orders
from massbalance.verification.proof import read_duals, read_groups
from massbalance.verification.reach import read_out_of_reach
from massbalance.verification.rows import check_allocation
from massbalance.verification.strategy import C19, Strategy, read_stages

__all__ = ["GoalProof", "Report", "verify_run"]


@dataclass(frozen=True)
class Report:
    """What a verification found: faults in the order of the files, and the proof of every goal.

    goals is empty where the figures are wrong: nothing is proven of wrong figures.
    """

    faults: tuple[Fault, ...]
    goals: tuple[GoalProof, ...]

    @property
    def ok(self) -> bool:
        """Nothing is wrong."""
        return not self.faults

    @property
    def first(self) -> Fault | None:
        """The first fault: what the figures show comes before what only the manifest shows."""
        return self.faults[0] if self.faults else None


def verify_run(run: Path, *, progress: Callable[[str], None] | None = None) -> Report:
    """Redo the check of a run from its folder alone, without the solver.

    progress: told the name of each stage as it begins. Never raises for what is in the folder:
    whatever cannot be read is a fault.
    """
    tell = progress or (lambda stage: None)
    faults = Faults()
    tell("files")
    check_present(run, faults)
    tell("case")
    case, goals = _read_case(run, faults), list[GoalProof]()
    if case is not None:
        facts = Facts(case)
        effects = Effects(facts)
        tell("allocation")
        booked = _check_decisions(run, facts, effects, faults)
        tell("books")
        summary = Summary(read_json(run, SUMMARY, faults), faults)
        check_summary(summary, facts, booked)
        check_books(run, summary, facts, booked)
        check_opening(run, summary, case)
        tell("proof")
        goals = _check_proof(run, summary, facts, effects, booked)
    tell("manifest")
    check_manifest(run, faults)
    return Report(tuple(faults.in_order()), tuple(goals))


def _read_case(run: Path, faults: Faults) -> Case | None:
    """The case as the run kept it, under the rule model that the run kept."""
    try:
        return read_case(run / "case", rule_source=(run / "rules.toml").read_bytes())
    except CaseRefused as refused:
        for fault in refused.faults:
            if fault.severity == "error":
                file = f"case/{fault.table}.csv" if fault.table in TABLES else "case/case.toml"
                faults.add(file, fault.row, fault.column, fault.value, fault.expected, fault.code)
    except (OSError, ValueError, LookupError) as error:
        faults.add("rules.toml", None, "", error, "a rule model that can be read", "files")
    return None


def _check_decisions(run: Path, facts: Facts, effects: Effects, faults: Faults) -> Booked | None:
    """Allocation and orders; None where they are wrong, so that nothing can be built on them."""
    before = len(faults.found)
    rows = check_allocation(run, facts, effects, faults)
    booked = check_orders(run, facts, effects, rows, faults)
    return booked if len(faults.found) == before else None


def _check_proof(
    run: Path, summary: Summary, facts: Facts, effects: Effects, booked: Booked | None
) -> list[GoalProof]:
    """The strategy is kept, pools and recipes are sound, no goal can be bettered by more than the grid costs.

    What a run says of its strategy (stages, claims out of reach) stands before the goals: where it is
    wrong, nothing is said of them.
    """
    faults, code, groups = summary.faults, "C15 goal_hold", read_groups(run, facts, summary.faults)
    before = len(faults.found)
    hopeless = read_out_of_reach(run, facts, effects, groups, faults)
    strategy = Strategy(facts, read_stages(run, facts, faults), hopeless)
    if len(faults.found) > before:
        return []
    if booked is not None and (groups is not None or not strategy.asks("common_share")):
        check_goals(summary, strategy, effects, booked)
    duals = read_duals(run, strategy, groups, faults) if groups is not None else None
    if booked is None or groups is None or duals is None:
        return []
    proof = prove(strategy, effects, booked, groups, duals)
    goals, done = proof.goals, summary.get("status") == "optimal"
    for goal in goals:
        if goal.gap < 0:
            expected = f"no better than {float(goal.bound)}"
            faults.add(SUMMARY, None, goal.key, float(goal.booked), expected, code)
        elif done and not goal.mip and not goal.proven:
            expected = f"a proven gap of at most {float(goal.tolerance)}"
            faults.add("proof/duals.csv", None, goal.key, f"gap {float(goal.gap)}", expected, code)
    for settled in proof.settled:
        if done and strategy.facts.is_linear() and settled.most - settled.booked > settled.tolerance:
            expected = (
                f"a stage whose prices leave it no more than {float(settled.booked + settled.tolerance)}"
            )
            found = f"{settled.group}: up to {float(settled.most)} by those of stage {settled.stage}"
            faults.add(FAIR_SHARE, None, "stage", found, expected, C19)
    check_certified(summary, goals)
    return goals
