"""The files of a document in a folder: written whole or not at all, and never over something else."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from massbalance.ledger.problems import Tampered, fault

if TYPE_CHECKING:
    from massbalance.certificates.issue import Issued


def write_files(issued: Issued, folder: Path) -> list[Path]:
    """Writes SERIAL.json, .pdf and .sig. Tampered, with nothing written, where others bear these names."""
    paths = {folder / name: content for name, content in issued.files().items()}
    other = [path for path, content in paths.items() if path.exists() and path.read_bytes() != content]
    if other:
        words = f"what the ledger holds as {issued.serial}, or no file; move this one away and ask again"
        raise Tampered([fault(words, "forged", table="file", value=path) for path in other])
    folder.mkdir(parents=True, exist_ok=True)
    for path, content in paths.items():
        if not path.exists():
            _write(path, content)
    return list(paths)


def _write(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        draft.write_bytes(content)
        os.replace(draft, path)  # noqa: PTH105 - the same on every system, also over a file that came meanwhile
    finally:
        draft.unlink(missing_ok=True)
