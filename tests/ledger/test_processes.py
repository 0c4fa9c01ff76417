"""Several processes at one ledger, and connections that end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from direct import Direct
from massbalance.ledger.problems import Conflict, LedgerError
from massbalance.ledger.store import Ledger
from samples import fill, receive, verify

SOURCE = Path(__file__).resolve().parents[2] / "src"


def together(script: str, url: str, count: int) -> list[str]:
    """Runs the script in so many processes that start work at the same moment; gives what they print."""
    waiting = "import sys; from massbalance.ledger.store import Ledger; print('ready', flush=True); input()\n"
    environment = os.environ | {"PYTHONPATH": str(SOURCE)}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", waiting + script, url, str(number)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
        )
        for number in range(count)
    ]  # fmt: skip
    for process in running:
        assert process.stdout.readline() == "ready\n"
    for process in running:
        process.stdin.write("\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=120)[0].strip() for process in running]
    assert [process.returncode for process in running] == [0] * count
    return outputs


CREATE = "with Ledger.open(sys.argv[1]) as ledger: print(ledger.id)"

APPEND = """
one = {'commodity': 'lot:A', 'debit': 'source', 'credit': 'held', 'quantity': 1}
with Ledger.open(sys.argv[1]) as ledger:
    for turn in range(15):
        with ledger.writing() as writer:
            writer.journal('intake', key=f'{sys.argv[2]}:{turn}')
            for _ in range(3):
                writer.move('received', period='P', **one)
"""


def test_one_ledger_whoever_makes_it(ledger_url: str) -> None:
    assert len(set(together(CREATE, ledger_url, 4))) == 1
    with Ledger.open(ledger_url, create=False) as ledger:
        assert len(list(ledger.rows())) == 1
        assert verify(ledger) == []


def test_writers_take_turns(ledger_url: str) -> None:
    together(APPEND, ledger_url, 3)
    with Ledger.open(ledger_url, create=False) as ledger:
        assert ledger.head().n == 1 + 3 * 15 * 4
        assert ledger.balance("lot:A") == 3 * 15 * 3
        assert verify(ledger) == []


def test_who_waits_too_long_is_told(ledger: Ledger, ledger_url: str) -> None:
    with Ledger.open(ledger_url, timeout=0.3) as other:
        with ledger.writing() as writer:
            writer.journal("intake")
            with pytest.raises(Conflict) as refused, other.writing():
                pass
            assert refused.value.faults[0].code == "ledger-busy"
            assert refused.value.exit_code == 7
            assert other.head().n == 1
        with other.writing() as writer:
            writer.journal("intake")
    assert ledger.head().n == 3


def test_a_connection_that_ends_while_writing(new_postgres_url) -> None:
    url = new_postgres_url()

    def cut_off() -> None:
        with ledger.writing() as writer:
            writer.journal("intake")
            for number in range(1000):
                receive(writer, f"L{number}", 1)
            writer.flush()
            process = writer._connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
            other.run("SELECT pg_terminate_backend(?)", process)
            for number in range(10_000):
                receive(writer, f"L{number}", 1)

    with Ledger.open(url) as ledger, Direct(url) as other:
        with pytest.raises(LedgerError) as lost:
            cut_off()
        assert lost.value.faults[0].code == "ledger-connection"
        assert type(lost.value) is LedgerError
        assert ledger.head().n == 1
        with ledger.writing() as writer:
            writer.journal("intake")
        assert ledger.head().n == 2
        # its own idle connection, and nobody else's on a server that other tests share
        with ledger.engine.connect() as connection:
            process = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        other.run("SELECT pg_terminate_backend(?)", process)
        assert ledger.head().n == 2


def test_a_transaction_that_cannot_be_serial_is_a_conflict(new_postgres_url) -> None:
    """Somebody appends by hand, without the lock, while a journal is under way elsewhere."""
    url = new_postgres_url()

    def overtaken() -> None:
        with Ledger.open(url, timeout=0.5) as late, late.writing() as writer:
            writer.journal("intake")

    with Ledger.open(url) as ledger, Direct(url) as other:
        fill(ledger)
        other.run("BEGIN")
        other.run("LOCK TABLE entry IN ROW EXCLUSIVE MODE")
        with pytest.raises(Conflict):
            overtaken()
        other.run("ROLLBACK")
        overtaken()
        assert verify(ledger) == []


# ---- a ledger that can only be read ------------------------------------------------------------------------


@contextmanager
def nobody() -> Iterator[None]:
    """As somebody without rights: root may write where nobody else may."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(sys.platform == "win32", reason="rights by numbers")
def test_a_ledger_that_can_only_be_read(new_sqlite_url, tmp_path: Path) -> None:
    url = new_sqlite_url()
    with Ledger.open(url) as ledger:
        points = len(fill(ledger))
        assert verify(ledger) == []
        head = ledger.head()
    Path(url).chmod(0o444)
    folders = [tmp_path, *tmp_path.parents[:3]] if os.geteuid() == 0 else [tmp_path]
    modes = [(folder, folder.stat().st_mode) for folder in folders]
    for folder in folders:
        folder.chmod(0o555)
    try:
        with nobody(), Ledger.open(url) as ledger:
            assert ledger.head() == head
            assert verify(ledger) == []
            with pytest.raises(LedgerError) as refused, ledger.writing() as writer:
                writer.journal("intake")
            assert refused.value.faults[0].code == "ledger-permission"
        with nobody(), pytest.raises(LedgerError):
            Ledger.open(tmp_path / "new" / "ledger.db")
    finally:
        for folder, mode in modes:
            folder.chmod(mode)
    assert points == 0


def test_ctrl_c_while_another_writes(new_sqlite_url) -> None:
    """Whoever waits for a writer can give up at once, and writes nothing."""
    url = new_sqlite_url()
    with Ledger.open(url) as ledger:
        waiting = (
            "import sys\n"
            "from massbalance.ledger.store import Ledger\n"
            "with Ledger.open(sys.argv[1]) as ledger:\n"
            "    print('ready', flush=True)\n"
            "    try:\n"
            "        with ledger.writing() as writer:\n"
            "            writer.journal('intake')\n"
            "    except KeyboardInterrupt:\n"
            "        print('gave up')\n"
        )
        with ledger.writing() as writer:
            writer.journal("intake")
            process = subprocess.Popen(
                [sys.executable, "-c", waiting, url],
                stdout=subprocess.PIPE,
                text=True,
                env=os.environ | {"PYTHONPATH": str(SOURCE)},
            )
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            time.sleep(0.5)  # into its wait
            process.send_signal(signal.SIGINT)
            said, _ = process.communicate(timeout=15)  # well before the 30 s that a writer waits
        assert said == "gave up\n"
        assert ledger.head().n == 2
