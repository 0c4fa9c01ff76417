"""The ledger, certificates and audit packs as a library."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from massbalance.ledger.posting import Posted

Progress = Callable[[str], None]

__all__ = ["post_run"]


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
