"""Runs the plain model in processes of its own: OR-tools and highspy cannot be imported together."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).with_name("plain_model.py")


def solve_plainly(
    folders: Sequence[Path], processes: int = 2, script: Path = SCRIPT
) -> dict[Path, dict[str, Any]]:
    """Folder -> the plain model's answer for every case; each process takes every n-th of the folders.

    script: the plain model, or one that builds on it. RuntimeError with the process's stderr where one fails.
    """
    shards = [list(folders[start::processes]) for start in range(processes)]
    running = [
        subprocess.Popen(
            [sys.executable, str(script), *map(str, shard)],
            text=True,
            encoding="utf-8",
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for shard in shards
        if shard
    ]
    answers: dict[Path, dict[str, Any]] = {}
    faults = []
    for process in running:
        out, err = process.communicate()
        answers |= {Path(answer["case"]): answer for answer in map(json.loads, out.splitlines())}
        if process.returncode:
            faults.append(err)
    if faults:
        raise RuntimeError("the plain model failed:\n" + "\n".join(faults))
    return answers
