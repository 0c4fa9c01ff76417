"""The real command in a process of its own, and the files that it writes."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

from massbalance.interfaces.cli import app

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "data"
COMMAND = (sys.executable, "-m", "massbalance.interfaces.cli")
HEADERS = {
    "allocation.csv": "lot,order,offer,quantity,uom,credited_t,scope1,scope2,scope3",
    "orders.csv": "order,offer,claimed_t,unmet_t,claim,level,cfp_before,cfp_after,premium,why",
    "account.csv": "lot,period,opening,received,allocated,blocked,expired,closing",
    "residual.csv": "product,period,produced_t,claimed_t,conventional_t,cfp_before,cfp_residual,"
    "green_share_residual,recycled_share_residual,correction_tco2e_per_t",
}
"""Headers as the interface fixes them; further columns may follow."""
TABLES = (*HEADERS, "prices.csv")
PROOF = ("proof/recipes.csv", "proof/pools.csv", "proof/duals.csv")

Record = dict[str, str]


@dataclass(frozen=True)
class Ended:
    """How a command ended: exit code, stdout, stderr."""

    code: int
    out: str
    err: str


def massbalance(*arguments: object, cwd: Path | None = None, **environment: str) -> Ended:
    """Run `massbalance ARGUMENTS`; whatever it does, it shows no traceback."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "COLUMNS": "200", "NO_COLOR": "1", **environment},
        capture_output=True,
        timeout=180,
        check=False,
    )
    out, err = (text.decode("utf-8", "replace") for text in (done.stdout, done.stderr))
    ended = Ended(done.returncode, out, err)
    assert "Traceback" not in ended.err, ended.err
    return ended


def inside(*arguments: object) -> Ended:
    """The same command in this process: without the second that starting one takes."""
    done = CliRunner().invoke(app, [str(a) for a in arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    return Ended(done.exit_code, done.stdout, done.stderr)


def rows(file: Path) -> list[Record]:
    """A CSV file that a run wrote."""
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened, strict=True))


def contents(run: Path, names: tuple[str, ...] = (*TABLES, *PROOF)) -> dict[str, bytes]:
    """The bytes of a run's files, by default of every table and proof."""
    return {name: (run / name).read_bytes() for name in names}


def everything_in(folder: Path) -> list[str]:
    """Every file and folder below, also hidden ones."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))
