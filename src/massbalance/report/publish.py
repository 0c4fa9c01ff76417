"""A run's folder appears whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from massbalance.report.documents import dumps

MANIFEST = "manifest.json"


class OutputRefused(Exception):
    """The output folder holds something that is not a run."""


def check_target(out: Path) -> None:
    """A new or empty folder, or an earlier run, which is replaced; OutputRefused otherwise."""
    if out.is_dir() and any(out.iterdir()) and not _is_run(out):
        raise OutputRefused(f"{out} is not empty and holds no earlier run")
    if out.exists() and not out.is_dir():
        raise OutputRefused(f"{out} is a file")


def _is_run(folder: Path) -> bool:
    """Does its manifest list a run's files, and nothing stand beside them?"""
    try:
        files = set(json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if not p.is_dir()}
    return "summary.json" in files and there <= files | {MANIFEST}


@contextmanager
def staging(out: Path) -> Iterator[Path]:
    """A folder beside `out` to write into; removed unless `publish` has moved it."""
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_file(path: Path, pieces: Iterable[bytes | memoryview]) -> None:
    """Write a file, and the folders above it, piece by piece."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)


def sign_off(folder: Path, changed: str = "") -> None:
    """Write manifest.json: the SHA-256 of every other file.

    changed: the one file written since the folder was signed; empty: all are hashed.
    """
    manifest = folder / MANIFEST
    hashes = json.loads(manifest.read_text(encoding="utf-8"))["files"] if changed else {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and (name == changed if changed else name != MANIFEST):
            with path.open("rb") as file:
                hashes[name] = hashlib.file_digest(file, "sha256").hexdigest()
    manifest.write_text(dumps({"files": hashes}), encoding="utf-8", newline="\n")


def publish(folder: Path, out: Path) -> None:
    """Put the finished folder in place of `out` by renaming."""
    # mkdtemp gives a private folder; a run is as readable as any other folder of the user
    umask = os.umask(0)
    os.umask(umask)
    folder.chmod(0o777 & ~umask)
    old: Path | None = None
    if out.exists():
        old = Path(tempfile.mkdtemp(prefix=f".{out.name}-old-", dir=out.parent))
        old.rmdir()
        out.rename(old)
    try:
        folder.rename(out)
    except BaseException:
        if old is not None:
            old.rename(out)
        raise
    if old is not None:
        shutil.rmtree(old, ignore_errors=True)
