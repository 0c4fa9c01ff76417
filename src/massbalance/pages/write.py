"""Writes pages and pictures: all of them or none, each beside its place first, never into a run's folder."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from massbalance.report.publish import MANIFEST, OutputRefused


def check_folder(out: Path) -> None:
    """A folder, or a path where one can be made; OutputRefused otherwise, and inside a run's folder."""
    out = out.resolve()
    if out.exists() and not out.is_dir():
        raise OutputRefused(f"{out} is a file")
    for folder in (out, *out.parents):
        if (folder / MANIFEST).is_file() and (folder / "summary.json").is_file():
            raise OutputRefused(f"{out} belongs to a run, whose files must stay as they are")


def write_files(out: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write files into a folder, which is made where it is missing; others in it stay. Their paths."""
    check_folder(out)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".pages-", dir=out) as folder:
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        for name in files:
            (Path(folder) / name).replace(out / name)
    return [out / name for name in files]
