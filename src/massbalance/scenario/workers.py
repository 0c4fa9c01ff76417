"""Where the points of a sweep are solved: here, in processes of this machine, or on a Dask cluster.

Processes are spawned, never forked (a forked solver hangs or crashes); each holds the base, read once, and
solves one point at a time in one thread.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from massbalance.report.documents import Json
from massbalance.scenario.apply import Base
from massbalance.scenario.point import Task, solve_point

PATIENCE_S = 20
"""Seconds until a cluster that does not answer is given up."""
_HELD: list[Base] = []
"""The base of a worker process."""


class WorkersFailed(Exception):
    """Workers cannot be had, or one of them died; in plain words."""


class WorkersInterrupted(KeyboardInterrupt):
    """Ctrl-C, and the workers are gone: unlike a solver in a thread of this process, nothing is at work."""


def available_workers() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def _begin(base: Base) -> None:
    """A worker's first act. Ctrl-C is for the command, which then ends its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _HELD[:] = [base]


def _end_with_parent() -> None:
    """A command that was killed ends no workers: they would wait for its next task for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _solve_held(task: Task) -> Json:
    return solve_point(_HELD[0], task)


def _on_cluster(base: Base, task: Task) -> Json:
    return solve_point(base, task)


def solved(
    base: Base, tasks: Sequence[Task], *, workers: int = 1, dask: str | None = None
) -> Generator[tuple[int, Json]]:
    """(position of the task, its figures), in the order of finishing.

    workers: processes of this machine; one: this process. dask: the address of a scheduler whose workers
    are taken instead. WorkersFailed where there are none, or one died.
    """
    if dask is not None:
        return _cluster(base, tasks, dask)
    if workers == 1 or len(tasks) < 2:
        return ((number, solve_point(base, task)) for number, task in enumerate(tasks))
    return _pool(base, tasks, min(workers, len(tasks)))


def _finished(submit: Callable[[Task], Future[Json]], tasks: Sequence[Task]) -> Iterator[tuple[int, Json]]:
    with _without_interrupts():
        place = {submit(task): number for number, task in enumerate(tasks)}
    for done in as_completed(place):
        yield place.pop(done), done.result()


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Ctrl-C waits; a process that is started meanwhile never gets it, since it inherits the mask."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _pool(base: Base, tasks: Sequence[Task], workers: int) -> Generator[tuple[int, Json]]:
    before = set(multiprocessing.active_children())
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(base,))
    try:
        yield from _finished(lambda task: executor.submit(_solve_held, task), tasks)
    except BrokenProcessPool as error:
        raise WorkersFailed("a worker process died (out of memory, or ended from outside)") from error
    except BaseException as error:
        # Ctrl-C, or nobody wants the rest: a solver at work would not hear of it otherwise
        for process in set(multiprocessing.active_children()) - before:
            process.terminate()
        if isinstance(error, KeyboardInterrupt):
            raise WorkersInterrupted from None
        raise
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _cluster(base: Base, tasks: Sequence[Task], address: str) -> Generator[tuple[int, Json]]:
    try:
        from distributed import Client
    except ImportError as error:
        raise WorkersFailed(
            "a Dask cluster needs the package `distributed`: pip install 'massbalance[cluster]'"
        ) from error
    try:
        client = Client(address, timeout=f"{PATIENCE_S}s")
    except (OSError, ValueError, TimeoutError) as error:
        raise WorkersFailed(f"no Dask scheduler at {address} ({error})") from error
    with client:
        try:
            client.wait_for_workers(1, timeout=PATIENCE_S)
        except TimeoutError as error:
            raise WorkersFailed(f"the Dask scheduler at {address} has no workers") from error
        # the base goes to every worker once, and stands in for its future where a task is run
        held = client.scatter(base, broadcast=True)
        with client.get_executor(pure=False) as executor:
            yield from _finished(lambda task: executor.submit(_on_cluster, held, task), tasks)
