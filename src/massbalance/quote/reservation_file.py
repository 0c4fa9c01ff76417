"""The file of a book of reservations: one writer at a time, and never half written.

Who is about to reserve locks `FILE.lock`, reads, asks, writes a new file beside and renames it. So of two who
want the last credits, the second one's quote counts the first one's reservation. The lock is the operating
system's and ends with its process, however that ends.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from massbalance.quote.reservations import Reservation, book_text, read_reservations

PATIENCE_S = 300.0
"""How long to wait for another who holds the lock, in seconds."""
PAUSE_S = 0.05
Progress = Callable[[str], None]


class BookConflict(RuntimeError):
    """Somebody else holds the book, or changed it without holding it; nothing was written."""


def content_of(path: Path) -> bytes:
    """The file's bytes, none where it is not there: told apart, they say whether somebody else wrote."""
    return path.read_bytes() if path.exists() else b""


@contextmanager
def writing(path: Path, say: Progress | None = None) -> Iterator[Writer]:
    """The book for one who may change it; others wait meanwhile.

    CaseRefused where the book has faults; BookConflict where another holds it for more than PATIENCE_S.
    """
    path = path.resolve()
    with path.with_name(f"{path.name}.lock").open("a+b") as file:
        _wait(file, path, say or (lambda _: None))
        try:
            yield Writer(path)
        finally:
            _unlock(file)


class Writer:
    """A book that is locked. rows: as they stand."""

    def __init__(self, path: Path) -> None:
        self.path, self._read = path, content_of(path)
        self.rows = read_reservations(path)

    def write(self, rows: Sequence[Reservation]) -> None:
        """Put a new file in place, whole. BookConflict where one without the lock changed it meanwhile."""
        handle, name = tempfile.mkstemp(prefix=f".{self.path.name}-", dir=self.path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(book_text(rows).encode())
                file.flush()
                os.fsync(file.fileno())
            _as_others(Path(name), self.path)
            self._unchanged()
            Path(name).replace(self.path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                Path(name).unlink()
            raise
        self._read, self.rows = content_of(self.path), tuple(rows)

    def _unchanged(self) -> None:
        if content_of(self.path) != self._read:
            raise BookConflict(f"{self.path.name} was changed meanwhile by somebody else")


def _as_others(new: Path, old: Path) -> None:
    """As readable as the file that it replaces, or as any new file of the user."""
    if old.exists():
        mode = old.stat().st_mode & 0o777
    else:
        umask = os.umask(0)
        os.umask(umask)
        mode = 0o666 & ~umask
    new.chmod(mode)


def _wait(file: IO[bytes], path: Path, say: Progress) -> None:
    until, told = time.monotonic() + PATIENCE_S, False
    while not _locked(file):
        if time.monotonic() >= until:
            raise BookConflict(f"{path.name} has been held by another command for minutes")
        if not told:
            say(f"waiting for another who reserves in {path.name}")
            told = True
        time.sleep(PAUSE_S)


if sys.platform == "win32":
    import msvcrt

    def _locked(file: IO[bytes]) -> bool:
        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _locked(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)
