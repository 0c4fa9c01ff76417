"""A PostgreSQL server for the tests: one a session, started by whoever needs it first.

`connect_url` gives the address of a server: MASSBALANCE_TEST_POSTGRES, else one of our own. Run as a script,
this file is the keeper of our own: it makes the data, runs the server, and stops it and removes everything
once no process that registered lives any more, however that came about.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

GIVEN = "MASSBALANCE_TEST_POSTGRES"
NEEDED = "MASSBALANCE_NEED_POSTGRES"

QUICK = "fsync=off synchronous_commit=off full_page_writes=off max_connections=60 shared_buffers=64MB"


class NoServer(Exception):
    """There is no server, and none can be started; says why."""


def connect_url(shared: Path) -> str:
    """Address of a server with rights to make schemas; shared: a folder that all of the session know."""
    return os.environ.get(GIVEN) or _own(shared)


def url_or_skip(factory: pytest.TempPathFactory) -> str:
    """Address of a server for the session; without one the test is skipped, or fails where one is needed."""
    shared = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    try:
        import psycopg

        url = connect_url(shared)
        psycopg.connect(url).close()
    except (ImportError, NoServer) as reason:
        if os.environ.get(NEEDED):
            pytest.fail(f"{NEEDED} is set, but: {reason}")
        pytest.skip(str(reason))
    return url


def binaries() -> Path:
    """The folder with initdb and postgres."""
    if os.name != "posix":
        raise NoServer(f"a server of our own needs POSIX; {GIVEN} may name one")
    found = [Path(p).resolve().parent for p in [shutil.which("postgres")] if p]
    installed = Path("/usr/lib/postgresql").glob("*/bin")
    found += sorted(
        installed, key=lambda p: [int(n) for n in p.parent.name.split(".") if n.isdigit()], reverse=True
    )
    for folder in found:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise NoServer(f"no PostgreSQL server installed (bash .ci/postgres does it), and {GIVEN} names none")


def _own(shared: Path) -> str:
    folder = binaries()
    with _locked(shared):
        (shared / "users").mkdir(exist_ok=True)
        (shared / "users" / str(os.getpid())).touch()
        url = shared / "url"
        if not url.exists():
            _start_keeper(shared, folder)
        return url.read_text()


def _start_keeper(shared: Path, folder: Path) -> None:
    log = (shared / "keeper.log").open("ab")
    keeper = subprocess.Popen(
        [sys.executable, __file__, str(shared), str(folder)],
        stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
    )  # fmt: skip
    until = time.monotonic() + 120
    while not (shared / "url").exists():
        if keeper.poll() is not None or time.monotonic() > until:
            raise NoServer("the PostgreSQL server did not start: " + (shared / "keeper.log").read_text())
        time.sleep(0.02)


@contextmanager
def _locked(shared: Path) -> Iterator[None]:
    import fcntl

    with (shared / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


# ---- the keeper --------------------------------------------------------------------------------------------


def keep(shared: Path, folder: Path) -> None:
    """Runs a server until no registered process lives."""
    user = _user()
    base = Path(tempfile.mkdtemp(prefix="mbpg-", dir="/tmp" if len(tempfile.gettempdir()) > 60 else None))
    if user:
        shutil.chown(base, user)
    server = None
    try:
        server = _serve(base, folder, user)
        (shared / "url.new").write_text(f"postgresql://postgres@/postgres?host={base}")
        (shared / "url.new").rename(shared / "url")
        while server.poll() is None and _in_use(shared):
            time.sleep(0.3)
    finally:
        if server and server.poll() is None:
            server.send_signal(signal.SIGQUIT)
            server.wait(30)
        shutil.rmtree(base, ignore_errors=True)


def _serve(base: Path, folder: Path, user: str | None) -> subprocess.Popen[bytes]:
    data = str(base / "data")
    common = {"user": user, "cwd": base} if user else {"cwd": base}
    made = subprocess.run(
        [folder / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"],
        check=False, capture_output=True, text=True, **common,
    )  # fmt: skip
    if made.returncode:
        raise NoServer(made.stderr)
    settings = [word for setting in QUICK.split() for word in ("-c", setting)]
    server = subprocess.Popen(
        [folder / "postgres", "-D", data, "-k", str(base), "-c", "listen_addresses=", *settings], **common
    )
    until = time.monotonic() + 60
    ready = base / "data" / "postmaster.pid"
    while not (ready.exists() and "ready" in ready.read_text()):
        if server.poll() is not None or time.monotonic() > until:
            raise NoServer("postgres ended before it was ready")
        time.sleep(0.02)
    return server


def _user() -> str | None:
    """Who runs the server: PostgreSQL refuses to run as root."""
    import pwd

    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in known)


def _in_use(shared: Path) -> bool:
    """Whether a registered process lives; if none does, the address is withdrawn: nobody may take it now."""
    if any(_alive(int(user.name)) for user in (shared / "users").iterdir()):
        return True
    with _locked(shared):
        if any(_alive(int(user.name)) for user in (shared / "users").iterdir()):
            return True
        (shared / "url").unlink(missing_ok=True)
        return False


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


if __name__ == "__main__":
    keep(Path(sys.argv[1]), Path(sys.argv[2]))
