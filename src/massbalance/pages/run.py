"""A run's folder as plots and reports read it: verified first, its books made anew. No solver is needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from massbalance.books.residual import Statement, statement
from massbalance.domain.case import Case
from massbalance.ledger.problems import Unverified
from massbalance.ledger.run_folder import RunFolder, manifest_bytes, read_run
from massbalance.verification.verify import Report, verify_run


@dataclass(frozen=True)
class Reported:
    """A verified run: what it decided, its books, and what the verification proved."""

    run: RunFolder
    books: Statement
    proof: Report

    @property
    def case(self) -> Case:
        """The case as the run kept it."""
        return self.run.case


def read_verified(folder: Path, progress: Callable[[str], None] | None = None) -> Reported:
    """The run in a folder, verified as `verify` does.

    Unverified (exit 6), with every fault, where it fails its own check or changes meanwhile.
    """
    tell = progress or (lambda stage: None)
    manifest = manifest_bytes(folder)
    proof = verify_run(folder, progress=lambda stage: tell(f"verifying: {stage}"))
    if not proof.ok:
        raise Unverified(proof.faults)
    tell("reading the run")
    run = read_run(folder, manifest)
    return Reported(run, statement(run.case, run.allocation), proof)
