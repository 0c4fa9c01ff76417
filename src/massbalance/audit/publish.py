"""Writing a pack into a folder: whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from massbalance.audit.alone.packed import MANIFEST, PACK, SIGNATURE
from massbalance.audit.pack import Packed, Progress, pack_files, summary_of
from massbalance.ledger.chain import require_sound
from massbalance.ledger.problems import Conflict, fault
from massbalance.ledger.signing import Signer
from massbalance.ledger.store import Ledger
from massbalance.report.publish import OutputRefused, publish, staging, write_file


def check_target(out: Path) -> None:
    """A new or empty folder, or an earlier pack, which is replaced; OutputRefused otherwise."""
    if out.exists() and not out.is_dir():
        raise OutputRefused(f"{out} is a file")
    if out.is_dir() and any(out.iterdir()) and not _is_pack(out):
        raise OutputRefused(f"{out} is not empty and holds no earlier audit pack")


def _is_pack(folder: Path) -> bool:
    """Does its manifest list a pack's files, and nothing stand beside them?"""
    try:
        told = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
        names = {item["name"] for item in told}
    except (OSError, ValueError, KeyError, TypeError):
        return False
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
    return PACK in names and there <= names | {MANIFEST, SIGNATURE}


def quiet(_: str) -> None:
    """No progress."""


def write_pack(
    ledger: Ledger,
    periods: Sequence[str],
    out: Path,
    *,
    signer: Signer | None = None,
    progress: Progress = quiet,
) -> Packed:
    """Write the audit pack of some periods of a ledger to the folder `out`.

    signer: else the ledger's own. LedgerMissing where a period is none of the ledger's, Conflict where the
    signer is no key of the ledger (nothing was posted with it), OutputRefused as `check_target`, Tampered
    where the ledger's archive is damaged.
    """
    check_target(out)
    signer = Signer.of(ledger.id) if signer is None else signer
    with ledger.snapshot() as reading:
        if reading.find(f"key:{signer.key_id}") is None:
            words = "the key that the ledger was posted with; MASSBALANCE_KEY names its file"
            raise Conflict(fault(words, "signing-key", table="key", value=signer.key_id))
        files = pack_files(reading, periods, signer, progress)
    with staging(out) as folder:
        for name, content in files.items():
            write_file(folder / name, [content])
        publish(folder, out)
    return summary_of(files, out)


def audit_pack(
    periods: Sequence[str], out: Path, ledger: str | Path | None = None, *, progress: Progress = quiet
) -> Packed:
    """`write_pack` of the ledger at a file or address (else MASSBALANCE_LEDGER, else the user's own).

    LedgerMissing (exit 2) also where there is no such ledger; Tampered (8) where the ledger fails its own
    check: nobody signs a pack of what is not as it was recorded.
    """
    with Ledger.open(ledger, create=False) as opened:
        require_sound(opened, progress, checks=None)
        return write_pack(opened, periods, out, progress=progress)
