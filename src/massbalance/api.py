"""massbalance as a library: read a case, solve it, book it, prove it, publish it.

case = read_case(Path("data/aluminium"))
result = solve(case)               # tables in, tables out; nothing is written
run_case(Path("data/aluminium"), Path("runs/aluminium"))   # verified files
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from massbalance.booking.book import book
from massbalance.books.account import account_rows
from massbalance.books.residual import ResidualBook, residual_book
from massbalance.books.tables import account_table, allocation_table, orders_table, residual_table
from massbalance.domain.case import Case
from massbalance.domain.faults import Fault, in_order
from massbalance.domain.infeasible import Infeasible
from massbalance.domain.result import Allocation
from massbalance.domain.texts import TextTable
from massbalance.formulation.possible import warnings as reach_warnings
from massbalance.formulation.problem import Problem, build_problem
from massbalance.intake.canonical import write_case
from massbalance.intake.read import read_case
from massbalance.quote.session import Session
from massbalance.report.documents import Json, dumps
from massbalance.report.goal_values import booked_values, minimums_missed, stage_of_groups
from massbalance.report.prices import price_table
from massbalance.report.proof_files import proof_files
from massbalance.report.publish import check_target, publish, sign_off, staging, write_file
from massbalance.report.summary import rounded, solver_objectives, summary
from massbalance.report.why import reasons
from massbalance.report.workbook import write_workbook
from massbalance.solving.compiled import Compiled, without
from massbalance.solving.duals import proving_duals
from massbalance.solving.highs import SolverError
from massbalance.solving.methods import METHODS, MethodRefused, chosen, compiled_by
from massbalance.solving.methods import solve as solve_compiled
from massbalance.solving.reach import reach
from massbalance.solving.solution import Solution
from massbalance.verification.verify import Report, verify_run

__all__ = [
    "METHODS", "Case", "Infeasible", "MethodRefused", "Outcome", "Provenance", "Result", "Session",
    "SolverError", "VerificationFailed", "check_case", "read_case", "run_case", "solve", "solve_objectives",
    "verify_run",
]  # fmt: skip

Progress = Callable[[str], None]
SUMMARY = "summary.json"
OPENING = "opening.json"
MOST_BANNED = 50
"""Up to so many terms that no whole grams fit, a MIP is decided again without them."""


class VerificationFailed(Exception):
    """A run whose own check found faults; nothing of it is published. `report` holds them."""

    def __init__(self, report: Report) -> None:
        self.report = report
        first = report.first
        super().__init__("verification failed" if first is None else first.text())


@dataclass
class Clock:
    """Seconds per stage, and the progress that goes with them."""

    say: Progress
    seconds: dict[str, float] = field(default_factory=dict)

    def stage(self, name: str) -> Clock:
        """Begin a stage."""
        self.now = name
        self.begun = time.perf_counter()
        self.say(name)
        return self

    def __enter__(self) -> Clock:
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds[self.now] = self.seconds.get(self.now, 0.0) + time.perf_counter() - self.begun


@dataclass(frozen=True)
class Result:
    """A solved and booked case, in memory.

    outputs: the tables as they are written, by file name; tables: `allocation`, `orders`, `account`,
    `residual`, `prices` as DataFrames of text (exact decimals), the columns of interface.md; files: the
    bytes of every CSV file; summary: the document of summary.json.
    """

    case: Case
    problem: Problem
    compiled: Compiled
    solution: Solution
    allocation: Allocation
    residual: ResidualBook
    outputs: dict[str, TextTable]
    summary: Json

    @cached_property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables of results as DataFrames of text, made when they are asked for."""
        return {name: table.frame() for name, table in self.sheets.items()}

    @cached_property
    def files(self) -> dict[str, bytes]:
        """File name -> bytes of every CSV file, made when they are asked for."""
        return {name: table.csv_bytes() for name, table in self.outputs.items()}

    @property
    def sheets(self) -> dict[str, TextTable]:
        """The tables of results by name, without those of the proof."""
        return {name.removesuffix(".csv"): table for name, table in self.outputs.items() if "/" not in name}


@dataclass(frozen=True)
class Provenance:
    """What a run's folder tells beside what follows from its case.

    proposer: who proposes the run, empty where nobody said; opening: the document of opening.json where
    the case's opening balances are a ledger's (`ledger.opening`).
    """

    proposer: str = ""
    opening: Mapping[str, object] | None = None

    def write(self, folder: Path, document: Json) -> None:
        """opening.json, if any, into the folder, and the entries of the summary."""
        document["proposer"] = self.proposer or None
        if self.opening is not None:
            document["opening"] = {key: self.opening[key] for key in ("ledger", "n", "hash")}
            (folder / OPENING).write_text(dumps(self.opening), encoding="utf-8", newline="\n")


@dataclass(frozen=True)
class Outcome:
    """A published run: its folder, its summary, and the report of its verification."""

    out: Path
    summary: Json
    report: Report


def _quiet(_: str) -> None:
    """No progress."""


def check_case(path: Path, *, progress: Progress | None = None) -> tuple[Case, list[Fault]]:
    """Read and check a case: the case and every warning. CaseRefused holds all faults otherwise."""
    case = read_case(path, progress=progress)
    problem = build_problem(case)
    found = reach_warnings(problem, reach(problem, compiled_by(problem, "auto")))
    return case, in_order([*case.warnings, *found])


def solve_objectives(path: Path, *, method: str = "auto") -> list[dict[str, object]]:
    """The solver's goal values before booking: [{name, priority, value}]; method: as `solve`."""
    problem = build_problem(read_case(path))
    compiled = compiled_by(problem, method)
    return solver_objectives(compiled, solve_compiled(problem, compiled, method=method))


def solve(
    case: Case,
    *,
    method: str = "auto",
    time_limit: float | None = None,
    gap: float = 0.0,
    progress: Progress | None = None,
) -> Result:
    """Decide a case: lexicographic optimum, exact booking, books, prices.

    method: one of METHODS, by size unless told; time_limit: seconds of solver time; gap: relative
    MIP gap. MethodRefused for a method that is none, or not for this case; Infeasible where minimum services
    cannot be met. The result is not yet verified: `run_case` does that on the files.
    """
    clock = Clock(progress or _quiet)
    return finished(decide(case, clock, method=method, time_limit=time_limit, gap=gap), clock)


def finished(found: Decided, clock: Clock) -> Result:
    """Everything that follows from a decision: books, reasons, prices, proof."""
    return _finish(
        found.problem, found.compiled, found.solution, found.decided, found.allocation, clock, found.unfit
    )


@dataclass(frozen=True)
class Decided:
    """A case as decided and booked, before anything is told of it.

    solution: what was booked; decided: the same before orders were left out that no whole grams fit
    (`unfit`).
    """

    problem: Problem
    compiled: Compiled
    solution: Solution
    decided: Solution
    allocation: Allocation
    unfit: frozenset[int]


def decide(
    case: Case,
    clock: Clock,
    *,
    method: str = "auto",
    time_limit: float | None = None,
    gap: float = 0.0,
    prove: bool = True,
) -> Decided:
    """The lexicographic optimum of a case, booked exactly. As `solve`, without books and prices.

    prove: with what only the proof of a MIP needs; it changes nothing in what is decided.
    """
    with clock.stage("build"):
        problem = build_problem(case)
        compiled = compiled_by(problem, method)
        method = chosen(problem, compiled, method)
    how: dict[str, Any] = {
        "method": method, "time_limit": time_limit, "gap": gap, "prove": prove, "progress": clock.say,
    }  # fmt: skip
    with clock.stage("solve"):
        solution = solve_compiled(problem, compiled, **how)
    with clock.stage("book"):
        allocation, unfit = book(problem, compiled, solution)
    if minimums_missed(problem, allocation):
        # rounding took grams from a group that had just its least share: give it some to lose
        how["spare"] = True
        with clock.stage("solve"):
            solution = solve_compiled(problem, compiled, **how)
        with clock.stage("book"):
            allocation, unfit = book(problem, compiled, solution)
    decided = solution
    banned: set[int] = set()
    while unfit and problem.is_mip and len(banned) < MOST_BANNED:
        # no whole grams fit these orders: decide again without them, so that others get their credits
        banned.update(unfit)
        try:
            with clock.stage("solve"):
                again = solve_compiled(problem, without(problem, compiled, banned), **how)
        except Infeasible:
            break
        with clock.stage("book"):
            better, unfit = book(problem, compiled, again)
        before = _goal_values(problem, compiled, allocation, solution)
        if _goal_values(problem, compiled, better, again) > before:
            allocation, solution = better, replace(again, proof=decided.proof)
            if "fair_share" in case.objective.order:
                # its stages are those of the orders that are left
                solution = decided = again
    return Decided(problem, compiled, solution, decided, allocation, frozenset(banned))


def _goal_values(
    problem: Problem, compiled: Compiled, allocation: Allocation, solution: Solution
) -> list[Fraction]:
    """The booked goals in order, the greater the better."""
    values = booked_values(problem, compiled, solution, allocation)
    goals = solution.as_solved(compiled).goals
    return [-goal.sign * value for goal, value in zip(goals, values, strict=False)]


def _finish(
    problem: Problem,
    compiled: Compiled,
    solution: Solution,
    decided: Solution,
    allocation: Allocation,
    clock: Clock,
    unfit: frozenset[int] = frozenset(),
) -> Result:
    """Everything that follows from a booked allocation.

    decided: the solution before orders were left out that no whole grams fit (`unfit`).
    """
    case = problem.case
    with clock.stage("book"):
        residual = residual_book(case, allocation)
    with clock.stage("explain"):
        caps = reach(problem, compiled)
        why = reasons(problem, compiled, solution, caps, allocation, unfit)
        warnings = in_order([*case.warnings, *reach_warnings(problem, caps)])
        prices = price_table(problem, compiled, solution)
        duals = proving_duals(problem, solution.as_solved(compiled), solution)
        outputs = {
            "allocation.csv": allocation_table(case, allocation),
            "orders.csv": orders_table(case, allocation, why),
            "account.csv": account_table(case, account_rows(case, allocation)),
            "residual.csv": residual_table(case, residual),
            "prices.csv": prices,
            **proof_files(problem, duals, stage_of_groups(solution), caps),
        }
    document = summary(problem, compiled, decided, allocation, residual, warnings, clock.seconds)
    return Result(case, problem, compiled, solution, allocation, residual, outputs, document)


def run_case(
    given: Path | Case,
    out: Path,
    *,
    method: str = "auto",
    time_limit: float | None = None,
    gap: float = 0.0,
    provenance: Provenance | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Read (unless a checked case is given), solve, book, verify and publish into `out`, whole or not at all.

    CaseRefused: invalid input; VerificationFailed: the run's own check failed, nothing is
    published; OutputRefused: `out` holds something else.
    """
    clock = Clock(progress or _quiet)
    # a link, or `.`: the folder meant, which is replaced by renaming
    out = out.resolve()
    check_target(out)
    with clock.stage("read"):
        case = given if isinstance(given, Case) else read_case(given, progress=progress)
    beside = provenance or Provenance()
    result = solve(case, method=method, time_limit=time_limit, gap=gap, progress=progress)
    clock.seconds.update({k: float(v) for k, v in result.summary["seconds"].items()})  # type: ignore[attr-defined]
    with staging(out) as folder:
        result, report = settled(result, folder, beside, clock)
        document = _certified(result.summary, report, clock)
        _write_summary(folder, document, changed=SUMMARY)
        publish(folder, out)
    return Outcome(out, document, report)


def settled(result: Result, folder: Path, provenance: Provenance, clock: Clock) -> tuple[Result, Report]:
    """A result as its own check lets it stand, written into `folder`, and the report of that check.

    VerificationFailed: it does not stand.
    """
    report = _write_and_verify(folder, result, provenance, clock)
    if not report.ok and not result.problem.is_mip:
        # where rounding up costs more than booking may, orders give way by grams instead
        again = Clock(clock.say, clock.seconds)
        allocation, _ = book(result.problem, result.compiled, result.solution, draw_more=False)
        result = _finish(result.problem, result.compiled, result.solution, result.solution, allocation, again)
        report = _write_and_verify(folder, result, provenance, clock)
    if not report.ok and all(f.code == "C15 goal_hold" and "gap" in f.value for f in report.faults):
        # valid to the gram, but short of the optimum by more than whole grams explain: not final
        result.summary.update(
            status="limit", stopped_by="whole grams cost more of a goal than rounding explains"
        )
        report = _write_and_verify(folder, result, provenance, clock)
    if not report.ok:
        raise VerificationFailed(report)
    return result, report


def _write_and_verify(folder: Path, result: Result, provenance: Provenance, clock: Clock) -> Report:
    provenance.write(folder, result.summary)
    with clock.stage("write"), ThreadPoolExecutor(1) as beside:
        # arrow and zlib leave the interpreter to the others while they work
        workbook = beside.submit(
            write_workbook, folder / "result.xlsx", result.sheets, result.summary, result.case.name
        )
        for name, table in result.outputs.items():
            write_file(folder / name, table.csv())
        (folder / "rules.toml").write_bytes(result.case.rules.source_bytes)
        write_case(result.case, folder / "case")
        notes = workbook.result()
        if notes:
            result.summary["workbook_notes"] = notes
        _write_summary(folder, result.summary)
    with clock.stage("verify"):
        return verify_run(folder)


def _write_summary(folder: Path, document: Json, changed: str = "") -> None:
    """summary.json, then the manifest of all there is (or, of what is signed, of the file that changed)."""
    (folder / SUMMARY).write_text(dumps(document), encoding="utf-8", newline="\n")
    sign_off(folder, changed)


def _certified(document: Json, report: Report, clock: Clock) -> Json:
    """The summary with what the verification proved of each goal.

    Where a limit came before the solver had a bound, the gap is the greatest that was proven here.
    """
    goals = []
    # the verifier has checked that both tell the same goals in the same order
    for goal, proof in zip(document["objectives"], report.goals, strict=True):  # type: ignore[call-overload]
        bound, gap = rounded(float(proof.bound)), rounded(float(proof.gap))
        goals.append({**goal, "certified_bound": bound, "certified_gap": gap})
    solver_gap = document["gap"]
    if solver_gap is None:
        greatest = max(float(p.gap) / max(1.0, abs(float(p.booked))) for p in report.goals)
        solver_gap = rounded(greatest, 12)
    seconds = {**document["seconds"], **{k: rounded(v, 3) for k, v in clock.seconds.items()}}  # type: ignore[dict-item]
    return {**document, "gap": solver_gap, "objectives": goals, "seconds": seconds}


def limited(outcome: Outcome) -> bool:
    """Did a limit stop the solver before optimality was proven within the gap?"""
    return outcome.summary["status"] == "limit"
