"""Lies told with the database's own language: `massbalance ledger verify` sees every one (exit 8)."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from massbalance import records
from massbalance.certificates.issue import Wanted
from massbalance.ledger.signing import ENVIRONMENT, Signer
from massbalance.ledger.store import Ledger
from tests.e2e.command import inside
from tests.ledger_faults.forger import LIES, rewrite
from tests.ledger_faults.invariants import sound
from tests.ledger_faults.material import Material

SEEN, SOUND = 8, 0
TRACELESS = {"the tail cut off", "nothing but the beginning"}
"""What leaves a ledger that may well be one: only who holds a checkpoint knows better."""


@dataclass(frozen=True)
class Kept:
    """A ledger with something of everything, and a checkpoint that somebody else holds."""

    file: Path
    checkpoint: Path


@pytest.fixture(scope="module")
def kept(material: Material, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """A posted run, a certificate, a claim withdrawn, an expiry, a lock, a balance asserted."""
    place = tmp_path_factory.mktemp("kept")
    file = place / "book.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ENVIRONMENT, str(place / "key.pem"))
        records.post_run(material.first[0], file)
        wanted = Wanted(material.first[0], order="A0-share", language="en", issued_on=date(2026, 7, 8))
        records.issue_document(wanted, file)
        records.reverse_run(material.first[0], ["A0-less"], "Q1", "returned", file)
        records.expire_lots("Q1", file)
        records.lock_period("Q1", file)
        records.assert_balance("GREEN", "15", file)
        _, checkpoint = records.checkpoint(file, place)
    sound(file)
    assert checkpoint is not None
    return Kept(file, checkpoint)


@pytest.fixture
def copied(kept: Kept, tmp_path: Path) -> Path:
    """A copy to lie in."""
    return Path(shutil.copyfile(kept.file, tmp_path / "book.db"))


def verified(file: Path, *more: object) -> int:
    """Exit code of the command that verifies."""
    return inside("ledger", "verify", "--ledger", file, *more).code


def test_the_truth_is_not_seen_as_a_lie(kept: Kept, copied: Path) -> None:
    rewrite(copied, lambda rows: rows, rehash=True)
    assert verified(copied) == verified(copied, "--checkpoint", kept.checkpoint) == SOUND


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_in_the_rows(lie: str, kept: Kept, copied: Path) -> None:
    rewrite(copied, LIES[lie])
    assert verified(copied, "--checkpoint", kept.checkpoint) == SEEN
    assert (verified(copied) == SEEN) or lie in TRACELESS


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_under_a_chain_made_anew(lie: str, kept: Kept, copied: Path) -> None:
    rewrite(copied, LIES[lie], rehash=True)
    assert verified(copied, "--checkpoint", kept.checkpoint) == SEEN
    assert (verified(copied) == SEEN) or lie in TRACELESS


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_signed_by_another_key(lie: str, kept: Kept, copied: Path, tmp_path: Path) -> None:
    rewrite(copied, LIES[lie], key=Signer.of("forger", tmp_path / "forger.pem"))
    assert verified(copied, "--checkpoint", kept.checkpoint) == SEEN


def test_the_forger_who_signs_goes_on_unseen_only_without_checkpoint_and_key(
    kept: Kept, copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a later posting by the true key makes of it: the ledger then names two keys."""
    forger = Signer.of("forger", tmp_path / "forger.pem")
    rewrite(copied, LIES["another approver"], key=forger)
    monkeypatch.setenv(ENVIRONMENT, str(kept.file.parent / "key.pem"))
    with Ledger.open(copied) as ledger, ledger.writing() as writer:
        from massbalance.ledger.checkpoint import sign

        writer.journal("checkpoint")
        sign(writer, Signer.of(ledger.id))
        assert {row.facts()["public"] == forger.public_hex for row in writer.rows(kind="key")} == {
            True,
            False,
        }
    assert verified(copied, "--checkpoint", kept.checkpoint) == SEEN
