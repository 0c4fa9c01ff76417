"""Keys, signatures and checkpoints."""

from __future__ import annotations

import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from massbalance.ledger import location, signing
from massbalance.ledger.checkpoint import Checkpoint, checkpoint, latest, sign
from massbalance.ledger.problems import LedgerError, Refused
from massbalance.ledger.signing import Signer, key_id, verify
from massbalance.ledger.store import Ledger
from samples import fill
from samples import verify as verify_books


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer.of("test", tmp_path / "keys" / "key.pem")


def test_a_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "key.pem"
    first = Signer.of("x", file)
    assert Signer.of("y", file).public_hex == first.public_hex
    assert first.key_id == key_id(first.public_hex)
    assert len(first.key_id) == 16
    assert list(file.parent.iterdir()) == [file]
    if sys.platform != "win32":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_many_at_once_make_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(lambda _: Signer.of("x", tmp_path / "key.pem").public_hex, range(64)))
    assert len(set(made)) == 1


def test_without_links_the_first_still_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError("no links here")

    monkeypatch.setattr(signing.os, "link", no_links)
    first = Signer.of("x", tmp_path / "key.pem")
    assert Signer.of("x", tmp_path / "key.pem").public_hex == first.public_hex
    signing._make(tmp_path / "key.pem")
    assert Signer.of("x", tmp_path / "key.pem").public_hex == first.public_hex


def test_where_the_key_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(signing.ENVIRONMENT, raising=False)
    monkeypatch.setattr(signing, "data_folder", lambda: tmp_path / "data")
    Signer.of("0123")
    assert (tmp_path / "data" / "keys" / "0123.pem").exists()
    monkeypatch.setenv(signing.ENVIRONMENT, str(tmp_path / "named.pem"))
    Signer.of("0123")
    assert (tmp_path / "named.pem").exists()


def test_what_is_no_key_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_text("not a key")
    with pytest.raises(Refused):
        Signer.of("x", file)
    assert file.read_text() == "not a key"
    with pytest.raises(LedgerError):
        Signer.of("x", file / "below")


def test_signatures(signer: Signer) -> None:
    signature = signer.sign(b"message")
    assert signature == signer.sign(b"message")
    assert verify(signer.public_hex, b"message", signature)
    assert not verify(signer.public_hex, b"massage", signature)
    assert not verify(signer.public_hex, b"message", signature.upper())
    assert not verify(signer.public_hex.upper(), b"message", signature)
    assert not verify(signer.public_hex, b"message", signature + " ")
    for nonsense in ("", "zz", "00", "é"):
        assert not verify(signer.public_hex, b"message", nonsense)
        assert not verify(nonsense, b"message", signature)


def test_every_changed_letter_of_a_checkpoint_is_seen(ledger: Ledger, signer: Signer) -> None:
    with ledger.writing() as writer:
        writer.journal("checkpoint")
        point = sign(writer, signer, "Kumiko Abe")
    text = point.text().rstrip("\n")
    assert Checkpoint.read(text) == point
    assert verify_books(ledger, [Checkpoint.read(text)]) == []
    for at in range(len(text)):
        for letter in ("0", "1", "x"):
            changed = text[:at] + letter + text[at + 1 :]
            if changed == text:
                continue
            try:
                read = Checkpoint.read(changed)
            except Refused:
                continue
            assert not read.holds(), changed
    with pytest.raises(Refused):
        Checkpoint.read("[" * 100_000)


def test_a_key_is_stated_at_its_first_use(ledger: Ledger, signer: Signer, tmp_path: Path) -> None:
    points = fill(ledger, signer)
    (stated,) = ledger.rows(kind="key")
    assert stated.key == f"key:{signer.key_id}"
    assert stated.facts() == {"public": signer.public_hex, "who": "the keeper"}
    assert latest(ledger) == points[-1]
    assert [row.facts() for row in ledger.rows(kind="signed")] == [point.document() for point in points]
    now = checkpoint(ledger, signer)
    assert (now.n, now.hash) == (ledger.head().n, ledger.head().hash)
    assert verify_books(ledger, [now, *points]) == []
    stranger = checkpoint(ledger, Signer.of("x", tmp_path / "stranger.pem"))
    (fault,) = verify_books(ledger, [stranger])
    assert fault.column == "key"


def test_a_ledger_without_checkpoints(ledger: Ledger) -> None:
    assert latest(ledger) is None


def test_the_data_folder_is_massbalances() -> None:
    assert location.default_path().name == "ledger.db"
    assert "massbalance" in str(location.data_folder())
