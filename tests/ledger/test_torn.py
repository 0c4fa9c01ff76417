"""Power cuts and full disks: what is left is whole journals, and a ledger that goes on."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from massbalance.ledger.problems import LedgerError, Tampered
from massbalance.ledger.store import Ledger
from samples import fill, receive, verify

SOURCE = Path(__file__).resolve().parents[2] / "src"
CUTS = 50

State = tuple[Path, Path, list[tuple[object, str]]]


@pytest.fixture
def torn(tmp_path: Path) -> State:
    """A ledger's file and log as they stand amid a large journal, and the rows committed by then."""
    path = tmp_path / "live.db"
    files = tmp_path / "copy.db", tmp_path / "copy.db-wal"
    with Ledger.open(path) as ledger:
        for number in range(20):
            with ledger.writing() as writer:
                writer.journal("intake", key=f"k{number}")
                for lot in range(number):
                    receive(writer, f"L{lot}", 7)
                writer.archive(bytes([number]) * 2000)
        committed = list(ledger.hashed_rows())
        with ledger.writing() as writer:
            writer._connection.exec_driver_sql("PRAGMA cache_size = 10")  # pages go to the log before the end
            writer.journal("intake")
            for lot in range(3000):
                receive(writer, f"M{lot}", 7)
            writer.flush()
            shutil.copy(path, files[0])
            shutil.copy(f"{path}-wal", files[1])
    assert files[1].stat().st_size > 500_000
    return (*files, committed)


def check_prefix(path: Path, committed: list[tuple[object, str]]) -> int:
    """What is there is the beginning of what was committed, in whole journals; and it goes on. Its length."""
    with Ledger.open(path, create=False) as ledger:
        rows = list(ledger.hashed_rows())
        assert rows == committed[: len(rows)]
        if len(rows) < len(committed):
            following = committed[len(rows)][0]
            assert following.n == following.journal
        assert verify(ledger) == []
        with ledger.writing() as writer:
            writer.journal("intake")
            receive(writer, "L0", 1)
        assert verify(ledger) == []
    return len(rows)


def test_a_log_cut_anywhere(torn: State, tmp_path: Path) -> None:
    file, log, committed = torn
    size = log.stat().st_size
    whole = log.read_bytes()
    lengths = set()
    for cut in range(CUTS + 1):
        path = tmp_path / f"{cut}.db"
        shutil.copy(file, path)
        Path(f"{path}-wal").write_bytes(whole[: size * cut // CUTS])
        lengths.add(check_prefix(path, committed))
    assert len(committed) in lengths
    assert len(lengths) > 3


def test_a_log_with_a_flipped_bit(torn: State, tmp_path: Path) -> None:
    file, log, committed = torn
    dice = random.Random(7)
    for number in range(20):
        path = tmp_path / f"{number}.db"
        shutil.copy(file, path)
        content = bytearray(log.read_bytes()[:300_000])
        content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
        Path(f"{path}-wal").write_bytes(content)
        check_prefix(path, committed)


def test_a_file_cut_or_flipped_is_seen_or_harmless(tmp_path: Path) -> None:
    path = tmp_path / "whole.db"
    with Ledger.open(path) as ledger:
        fill(ledger)
        with ledger.writing() as writer:
            writer.journal("intake")
            for lot in range(300):
                receive(writer, f"M{lot}", 7, "P2")
        rows = list(ledger.hashed_rows())
    whole = path.read_bytes()
    dice = random.Random(11)
    variants = [whole[: len(whole) * cut // 20] for cut in range(1, 20)]
    for _ in range(60):
        content = bytearray(whole)
        content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
        variants.append(bytes(content))
    seen = 0
    for content in variants:
        path.write_bytes(content)
        try:
            with Ledger.open(path, create=False) as ledger:
                if verify(ledger):
                    seen += 1
                else:
                    assert list(ledger.hashed_rows()) == rows
        except LedgerError:
            seen += 1
    assert seen >= 19 + 30


def too_much(ledger: Ledger) -> None:
    with ledger.writing() as writer:
        if "max" in os.environ.get("PYTEST_CURRENT_TEST", ""):
            pages = writer._connection.exec_driver_sql("PRAGMA page_count").scalar()
            writer._connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 30}")
        writer.journal("intake")
        for number in range(20_000):
            receive(writer, f"N{number}", 1, "P2")


def check_full(path: Path, fill_up: Callable[[Ledger], None]) -> None:
    """Nothing of what did not fit is there, whatever was before is, and the ledger goes on."""
    with Ledger.open(path) as ledger:
        fill(ledger)
        before = list(ledger.hashed_rows())
        with pytest.raises(LedgerError) as full:
            fill_up(ledger)
        assert full.value.faults[0].code == "ledger-disk"
        assert not isinstance(full.value, Tampered)
        assert list(ledger.hashed_rows()) == before
        assert verify(ledger) == []
    with Ledger.open(path) as ledger:
        assert list(ledger.hashed_rows()) == before
        with ledger.writing() as writer:
            writer.journal("intake")
        assert verify(ledger) == []


def test_a_full_disk_by_max_pages(tmp_path: Path) -> None:
    check_full(tmp_path / "ledger.db", too_much)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can mount a small disk"
)
def test_a_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no right to mount a small disk here")
    try:
        check_full(disk / "ledger.db", too_much)
    finally:
        subprocess.run(["umount", disk], check=True)


LIMITED = """
one = {'commodity': 'lot:N', 'debit': 'source', 'credit': 'held', 'quantity': 1}
import resource, sys
from massbalance.ledger.problems import LedgerError
from massbalance.ledger.store import Ledger
with Ledger.open(sys.argv[1]) as ledger:
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
    done = ledger.head().n
    try:
        for journal in range(1000):
            with ledger.writing() as writer:
                writer.journal('intake')
                for _ in range(50):
                    writer.move('received', period='P2', **one)
            done = writer.head().n
    except LedgerError as error:
        print(error.faults[0].code, done)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit")
def test_a_file_that_may_not_grow(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with Ledger.open(path) as ledger:
        fill(ledger)
    ended = subprocess.run(
        [sys.executable, "-c", LIMITED, path], check=True, capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": str(SOURCE)},
    )  # fmt: skip
    code, done = ended.stdout.split()
    assert code == "ledger-disk"
    with Ledger.open(path) as ledger:
        assert ledger.head().n == int(done)
        assert int(done) > 51
        assert verify(ledger) == []
        with ledger.writing() as writer:
            writer.journal("intake")
        assert verify(ledger) == []
