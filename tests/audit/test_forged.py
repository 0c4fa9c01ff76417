"""Forgeries: by a stranger with his own key, and by an insider with the ledger's."""

from __future__ import annotations

import json

import pytest

from forge import Forgery, OtherKey, digest_of
from frauds import allocate, use
from frauds_books import FRAUDS
from massbalance.audit.alone.main import verify_pack
from world import World


def test_taken_apart_and_put_together_it_is_the_same(aluminium: World) -> None:
    assert digest_of(Forgery(aluminium.files, aluminium.signer).pack()) == digest_of(aluminium.files)


@pytest.mark.parametrize("name", sorted(FRAUDS))
def test_an_insiders_fraud_is_seen(aluminium: World, name: str) -> None:
    commit, expected = FRAUDS[name]
    forgery = Forgery(aluminium.files, aluminium.signer)
    commit(forgery)
    report = verify_pack(forgery.pack(), key=aluminium.signer.key_id)
    texts = [f"{fault['file']}: {fault['text']}" for fault in report.faults]
    assert any(expected in text for text in texts), texts[:10]
    assert not any("cannot be read" in text for text in texts), texts[:10]


def test_there_are_many_kinds() -> None:
    assert len(FRAUDS) >= 60


def strangers(world: World) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """A pack made up by a stranger, and one in which he took a credit away."""
    whole = Forgery(world.files, OtherKey())
    other = Forgery(world.files, OtherKey())
    row = use(other, kind="energy")
    allocate(other, row, quantity=row["quantity"] - 1)
    return whole.pack(), other.pack()


def test_a_stranger_is_seen_by_the_key(aluminium: World) -> None:
    whole, other = strangers(aluminium)
    for files in (whole, other):
        for key in (aluminium.signer.key_id, aluminium.signer.public_hex):
            report = verify_pack(files, key=key)
            assert any("not by" in fault["text"] for fault in report.faults)


def test_a_stranger_is_seen_by_a_checkpoint(aluminium: World) -> None:
    held = {n: c for n, c in aluminium.files.items() if n.startswith("checkpoints/")}
    assert verify_pack(aluminium.files, checkpoints=held).faults == []
    whole, other = strangers(aluminium)
    for files in (whole, other):
        texts = [fault["text"] for fault in verify_pack(files, checkpoints=held).faults]
        assert any("has the hash" in text for text in texts)


def test_without_either_the_verifier_warns(aluminium: World) -> None:
    whole, _ = strangers(aluminium)
    report = verify_pack(whole)
    assert report.faults == []
    assert "signed by key" in report.notes[0]
    assert not verify_pack(aluminium.files, key=aluminium.signer.key_id).notes[0].startswith("signed by key")


def test_an_insider_who_rewrites_history_is_seen_by_a_checkpoint(aluminium: World) -> None:
    held = {n: c for n, c in aluminium.files.items() if n.startswith("checkpoints/")}
    forgery = Forgery(aluminium.files, aluminium.signer)
    forgery.post["details"]["approver"] = "Somebody Else"
    files = forgery.pack()
    assert verify_pack(files, key=aluminium.signer.key_id).faults == []  # consistent, and signed
    texts = [fault["text"] for fault in verify_pack(files, checkpoints=held).faults]
    assert any("has the hash" in text for text in texts)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'{"n": "x"}',
        b"\xff",
        b'{"n":1,"hash":"","signature":"","ledger":"","key":""}',
    ],
)
def test_a_checkpoint_that_is_none(aluminium: World, content: bytes) -> None:
    assert verify_pack(aluminium.files, checkpoints={"held.json": content}).faults


def test_a_checkpoint_of_another_ledger_or_a_later_row(aluminium: World) -> None:
    forgery = Forgery(aluminium.files, aluminium.signer)
    told = dict(forgery.first("signed")["details"])
    for changed, expected in (({"ledger": "0" * 32}, "of ledger"), ({"n": 10**6}, "ends with row")):
        content = forgery.signed({**told, **changed})
        held = {"held": json.dumps(content).encode()}
        texts = [fault["text"] for fault in verify_pack(aluminium.files, checkpoints=held).faults]
        assert any(expected in text for text in texts), texts
