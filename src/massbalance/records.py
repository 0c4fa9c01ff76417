"""The ledger, certificates and audit packs as a library."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from massbalance.api import Outcome
    from massbalance.ledger.posting import Posted

Progress = Callable[[str], None]

__all__ = ["post_run", "run_from_ledger"]


def post_run(
    path: Path,
    ledger: str | Path | None = None,
    *,
    proposer: str = "",
    approver: str = "",
    note: str = "",
    progress: Progress | None = None,
) -> Posted:
    """Verify a run's folder and post it to a ledger, which is made where there is none.

    ledger: a file or address, else MASSBALANCE_LEDGER, else the user's own; proposer: else who the run
    names, else the user of this computer, who also approves where nobody is named. The same decision
    posted again changes nothing. Raises Unverified (6), Conflict (7: no longer about the ledger as it
    is), Refused (3: four eyes), LedgerError.
    """
    from massbalance.ledger.approval import Approval
    from massbalance.ledger.posting import post, quiet
    from massbalance.ledger.problems import Unverified
    from massbalance.ledger.run_folder import manifest_bytes, read_run
    from massbalance.ledger.store import Ledger
    from massbalance.verification.verify import verify_run

    tell = progress or quiet
    manifest = manifest_bytes(path)
    report = verify_run(path, progress=tell)
    if not report.ok:
        raise Unverified(report.faults)
    run = read_run(path, manifest)
    with Ledger.open(ledger) as opened:
        return post(opened, run, Approval(proposer, approver, note), progress=tell)


def run_from_ledger(
    case: Path,
    out: Path,
    ledger: str | Path | None = None,
    *,
    proposer: str = "",
    method: str = "auto",
    time_limit: float | None = None,
    gap: float = 0.0,
    progress: Progress | None = None,
) -> Outcome:
    """A run whose lots open with what the ledger holds of them, so that period follows period.

    ledger: as `post_run`, but there must be one; all else as `api.run_case`. The run's `case/` is the
    derived case, and opening.json says which row of the ledger it stands on. Raises LedgerMissing (2),
    Conflict (7: the case and the ledger disagree), CaseRefused (3), LedgerError.
    """
    from massbalance.api import Provenance, read_case, run_case
    from massbalance.ledger.opening import open_case
    from massbalance.ledger.standing import read_standing
    from massbalance.ledger.store import Ledger

    given = read_case(case, progress=progress)
    with Ledger.open(ledger, create=False) as book:
        standing = read_standing(book)
    opened = open_case(given, standing, progress=progress)
    return run_case(
        opened.case, out, method=method, time_limit=time_limit, gap=gap,
        provenance=Provenance(proposer, opened.document), progress=progress,
    )  # fmt: skip
