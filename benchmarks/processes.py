"""One measured process: wall-clock time, processor time, peak memory, and limits on time and memory.

Peak memory is read with wait4, so this needs Linux or macOS. The memory limit works on Linux only: resident
memory is looked at ten times a second, and an allocation that would go far beyond is refused. A child's
peak is never less than what its parent held when it was started, so this process stays small: it imports
nothing large and generates cases in processes of their own.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

ROOT = Path(__file__).resolve().parent.parent
MIB = 2**20
LOOK_S = 0.1
BEYOND_MIB = 2048
"""How far beyond the limit on resident memory the reserved memory may go before it is refused."""
OUT_OF_MEMORY = ("MemoryError", "bad_alloc", "Cannot allocate memory", "Unable to allocate", "out of memory")


@dataclass(frozen=True)
class Limits:
    """Seconds of wall-clock time and MiB of resident memory that a process may take."""

    seconds: float
    mebibytes: int


@dataclass(frozen=True)
class Ended:
    """How a process ended.

    seconds: wall clock; cpu_seconds: user and system; mebibytes: peak resident memory; code: exit
    code, negative for a signal; status: `done`, `time`, `memory` or `failed`; printed, complained:
    its standard output and the end of its standard error.
    """

    seconds: float
    cpu_seconds: float
    mebibytes: float
    code: int
    status: str
    printed: str
    complained: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The JSON documents that it printed, one a line; anything else is left out."""
        return [json.loads(line) for line in self.printed.splitlines() if line.startswith("{")]


def run(command: list[str], limits: Limits, *, good: tuple[int, ...] = (0,)) -> Ended:
    """Run a command as its own process from the repository's root; `good`: exit codes that are no failure."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begun = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
            preexec_fn=lambda: _limit_memory(limits.mebibytes),
        )
        watch = _Watch(process.pid, limits)
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            watch.over.set()
        seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        printed, complained = _text(out), _text(err)
    unit = 1 if sys.platform == "darwin" else 2**10
    return Ended(
        seconds=seconds,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        mebibytes=usage.ru_maxrss * unit / MIB,
        code=process.returncode,
        status=_status(process.returncode, good, watch.stopped, printed + complained),
        printed=printed,
        complained=complained[-4000:],
    )


class _Watch(threading.Thread):
    """Ends a process group that passes a limit; `stopped` says which: `time`, `memory`, or nothing."""

    def __init__(self, group: int, limits: Limits) -> None:
        super().__init__(daemon=True)
        self.group, self.limits = group, limits
        self.until = time.monotonic() + limits.seconds
        self.over = threading.Event()
        self.stopped = ""
        self.start()

    def run(self) -> None:
        """Look until it is over."""
        while not self.over.wait(min(LOOK_S, max(0.0, self.until - time.monotonic()))):
            if time.monotonic() >= self.until:
                self.stopped = "time"
            elif self.resident() > self.limits.mebibytes * MIB:
                self.stopped = "memory"
            if self.stopped:
                os.killpg(self.group, signal.SIGKILL)
                return

    def resident(self) -> int:
        """Resident bytes now; 0 where the system does not tell."""
        try:
            pages = Path(f"/proc/{self.group}/statm").read_text(encoding="ascii").split()[1]
        except (OSError, IndexError):
            return 0
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _status(code: int, good: tuple[int, ...], stopped: str, said: str) -> str:
    if code in good:
        return "done"
    if stopped:
        return stopped
    memory = any(word in said for word in OUT_OF_MEMORY) or '"status": "memory"' in said
    return "memory" if memory else "failed"


def _limit_memory(mebibytes: int) -> None:
    """In the child: refuse private writable memory, touched or not, far beyond the limit."""
    most = (mebibytes + BEYOND_MIB) * MIB
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def _text(file: BinaryIO) -> str:
    file.seek(0)
    return file.read().decode("utf-8", errors="replace")


def machine() -> Mapping[str, Any]:
    """What it ran on: processor, cores, memory, system, Python, load average now."""
    import platform

    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": _processor() or platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(pages / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load_average": [round(load, 2) for load in os.getloadavg()],
    }


def _processor() -> str:
    """The processor's name, where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
