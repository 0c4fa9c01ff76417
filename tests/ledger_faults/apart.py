"""Processes that may die: a clean one that campaigns run in, and the children it forks and kills."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.default import DefaultDialect

from massbalance.ledger.problems import LedgerError

BROKEN = 70
"""Exit code of a child that ended with an error no ledger should give."""


@contextmanager
def apart() -> Iterator[Callable[..., Any]]:
    """A function that runs another, with its arguments, in one fresh process: its forks inherit no thread."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield lambda function, *arguments: pool.submit(function, *arguments).result()


def fork(act: Callable[[], int | None]) -> int:
    """Start a child that does one thing; its pid. It exits with what `act` returns, or an error's code."""
    pid = os.fork()
    if pid:
        return pid
    code = BROKEN
    try:
        code = act() or 0
    except LedgerError as problem:
        code = problem.exit_code
        print(problem, file=sys.stderr)
    except BaseException:  # noqa: BLE001 - whatever it is, the child ends here
        traceback.print_exc()
    finally:
        os._exit(code)


def ended(pid: int) -> int:
    """Wait for a child: its exit code, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def die() -> None:
    """End this process as `kill -9` does."""
    os.kill(os.getpid(), signal.SIGKILL)


class Steps:
    """Counts the moments before every statement, before and after every commit; dies at one of them."""

    def __init__(self, last: int | None = None) -> None:
        self.passed, self.last = 0, last

    def step(self, *_: object) -> None:
        """One moment."""
        self.passed += 1
        if self.passed == self.last:
            die()

    @contextmanager
    def counted(self) -> Iterator[Steps]:
        """Count from here on: statements, commits and rollbacks of every engine."""
        sa.event.listen(sa.Engine, "before_cursor_execute", self.step)
        commit = DefaultDialect.do_commit

        def counted_commit(dialect: Any, connection: Any) -> None:
            self.step()
            commit(dialect, connection)
            self.step()

        DefaultDialect.do_commit = counted_commit  # type: ignore[method-assign]
        try:
            yield self
        finally:
            DefaultDialect.do_commit = commit  # type: ignore[method-assign]
            sa.event.remove(sa.Engine, "before_cursor_execute", self.step)
