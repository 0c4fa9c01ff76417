"""The command `audit`: a folder with which a third party repeats every check of some periods."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from massbalance.interfaces.shared import JsonOption, LedgerOption, guarded, progress, show, show_json

if TYPE_CHECKING:
    from massbalance.audit.pack import Packed


def audit(
    period: Annotated[list[str], typer.Option("--period", help="An accounting period; may be repeated.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the pack.", show_default="audits/PERIOD...")
    ] = None,
    ledger: LedgerOption = None,
    json: JsonOption = False,
) -> None:
    """Write an audit pack of the periods: ledger, runs, evidence, certificates, report and verifier.

    Whoever gets the folder checks it with its verify.py on a bare Python. Exit 2: no such period; 7: the
    key at hand is not the ledger's; 8: the ledger was tampered with.
    Example: massbalance audit --period 2026-04 --out audits/2026-04
    """
    from massbalance.audit.publish import audit_pack

    target = out if out is not None else Path("audits") / "-".join(dict.fromkeys(period))
    with guarded("audit"), progress() as say:
        done = audit_pack(period, target, ledger, progress=say)
    if json:
        show_json({**asdict(done), "folder": str(done.folder), "periods": list(done.periods)})
        return
    show(pack_text(done))


def pack_text(done: Packed) -> str:
    """What was written, and what to hand over beside it."""
    return "\n".join(
        (
            f"{done.folder}: {done.files} files, {done.size:,} bytes; ledger {done.ledger}, "
            f"{done.rows} rows ({done.hidden} by digest only)",
            f"{', '.join(done.periods)}: {done.runs} run(s), {done.claims} claims, {done.certificates} "
            f"certificates and statements, {done.missing} missing piece(s) of evidence (evidence.csv)",
            f"signed by key {done.key_id}; give the auditor this key id by another way",
            f"verify.py has SHA-256 {done.verifier}",
            f"next: python {done.folder / 'verify.py'} --key {done.key_id}",
        )
    )


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(audit)
