"""Checking: every flip of a bit is seen, forgeries of all kinds, and the status of what is genuine."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from massbalance.certificates.check import Checker
from massbalance.certificates.issue import Issued, Wanted, cancel, issue
from massbalance.certificates.seal import signed_text
from massbalance.ledger.problems import Tampered
from massbalance.ledger.rows import details_text
from massbalance.ledger.signing import Signer
from massbalance.ledger.store import Ledger
from posted_by_hand import RUN, Tiny, clock, new_ledger

WANTED = Wanted(RUN, order="O1", language="en")


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    with new_ledger(tmp_path_factory.mktemp("check") / "ledger.db", Tiny()) as made:
        yield made


@pytest.fixture(scope="module")
def issued(book: Ledger) -> Issued:
    from posted_by_hand import signer

    return issue(book, WANTED, signer(), clock=clock)


def forger() -> Signer:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Signer(Ed25519PrivateKey.from_private_bytes(bytes(32)))


def test_genuine(book: Ledger, issued: Issued, key: Signer) -> None:
    both, alone = Checker(book, key.public_hex), Checker(key=key.public_hex)
    for content in (issued.document, issued.pdf, issued.signature):
        found = both.check(content)
        assert (found.genuine, found.serial, found.status.state) == (True, issued.serial, "live")
    for content, beside in (
        (issued.document, None),
        (issued.signature, None),
        (issued.pdf, issued.signature),
    ):
        found = alone.check(content, beside)
        assert (found.genuine, found.serial, found.status.state) == (True, issued.serial, "unknown")
    assert both.check(issued.pdf, issued.signature).genuine
    assert not alone.check(issued.pdf).genuine  # nothing vouches for it


def test_10000_flips_are_seen(book: Ledger, issued: Issued, key: Signer) -> None:
    """One bit of the JSON, the PDF or its signature file: all of the small ones, a sample of the PDF."""
    checker, alone = Checker(book), Checker(key=key.public_hex)
    draw = random.Random(20260401)
    count = 0
    for content, places in (
        (issued.document, range(len(issued.document))),
        (issued.signature, range(len(issued.signature))),
        (issued.pdf, sorted(draw.sample(range(len(issued.pdf)), 6500))),
    ):
        for place in places:
            forged = bytearray(content)
            forged[place] ^= 1 << draw.randrange(8)
            bad = bytes(forged)
            assert not checker.check(bad).genuine, place
            if content is issued.pdf:
                if count % 20 == 0:
                    assert not alone.check(bad, issued.signature).genuine, place
            else:
                assert not alone.check(bad).genuine, place
            count += 1
    assert count >= 10_000


def test_a_flipped_signature_beside_a_good_pdf(book: Ledger, issued: Issued) -> None:
    checker = Checker(book)
    for place in range(0, len(issued.signature), 7):
        forged = bytearray(issued.signature)
        forged[place] ^= 0x20
        assert not checker.check(issued.pdf, bytes(forged)).genuine


@pytest.mark.parametrize("cut", [0, 1, 4, 100, -1])
def test_cut_short(book: Ledger, issued: Issued, cut: int) -> None:
    for content in issued.files().values():
        assert not Checker(book).check(content[:cut]).genuine
        assert not Checker(book).check(content + b"\n").genuine


def test_forged_by_another_key(book: Ledger, issued: Issued, key: Signer) -> None:
    """A well-made document that somebody else signed."""
    document = {**json.loads(issued.document), "mass_t": "1000", "key": forger().public_hex}
    document["signature"] = forger().sign(signed_text(document))
    content = details_text(document).encode()
    assert Checker(key=forger().public_hex).check(content).genuine
    found = Checker(book).check(content)
    assert not found.genuine
    assert any("key" in fault.expected for fault in found.faults)
    assert not Checker(key=key.public_hex).check(content).genuine


def test_signed_by_the_key_but_never_issued(book: Ledger, issued: Issued, key: Signer) -> None:
    """Who holds the key cannot slip a document past the ledger."""
    for changes in ({"mass_t": "1000"}, {"serial": "MB-00000000-000009"}):
        document = {**json.loads(issued.document), **changes}
        document["signature"] = key.sign(signed_text(document))
        content = details_text(document).encode()
        assert Checker(key=key.public_hex).check(content).genuine
        assert not Checker(book).check(content).genuine


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{}", b"[]", b"null", b"\xff", b"%PDF-1.7", b"[" * 100_000, b'{"format":1.5}', b'{"a":1,"a":2}',
        b'{"format":"massbalance signature 1"}',
        b'{"format":"massbalance certificate 1","key":1,"signature":2}',
        b'{"key":"","serial":["x"]}', b'{"a":"\\ud800"}',
    ],
)  # fmt: skip
def test_nonsense(book: Ledger, key: Signer, content: bytes) -> None:
    assert not Checker(book).check(content).genuine
    assert not Checker(key=key.public_hex).check(content, content).genuine


def test_spelled_otherwise(book: Ledger, issued: Issued) -> None:
    """The same figures in another spelling are not what was issued."""
    document = json.loads(issued.document)
    for content in (json.dumps(document), json.dumps(document, indent=1), details_text(document) + " "):
        assert not Checker(book).check(content.encode()).genuine


def test_another_ledger(issued: Issued, tmp_path: Path) -> None:
    with new_ledger(tmp_path / "other.db", Tiny()) as other:
        for content in issued.files().values():
            assert not Checker(other).check(content).genuine


def test_status(tmp_path: Path, key: Signer) -> None:
    with new_ledger(tmp_path / "ledger.db", Tiny()) as book:
        first = issue(book, WANTED, key, clock=clock)
        second = issue(book, WANTED, key, replace="typing error", clock=clock)
        cancel(book, WANTED, "sent back", key, clock=clock)
        old, new = (Checker(book).check(made.pdf) for made in (first, second))
    assert (old.genuine, old.status.state, old.status.replaced_by) == (True, "replaced", second.serial)
    assert (new.genuine, new.status.state, new.status.reason) == (True, "cancelled", "sent back")


def test_a_hollow_archive_is_seen(tmp_path: Path, key: Signer) -> None:
    """The file is right, but the ledger no longer holds its own copy."""
    import sqlite3

    path = tmp_path / "ledger.db"
    with new_ledger(path, Tiny()) as book:
        made = issue(book, WANTED, key, clock=clock)
    with sqlite3.connect(path) as raw:
        names = [n for (n,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]
        for name in names:
            raw.execute(f'DROP TRIGGER "{name}"')
        raw.execute("DELETE FROM document")
    with Ledger.open(path, create=False) as book, pytest.raises(Tampered):
        Checker(book).check(made.pdf)
    with Ledger.open(path, create=False) as book, pytest.raises(Tampered):
        issue(book, WANTED, key, clock=clock)


def test_nothing_to_check_against() -> None:
    with pytest.raises(ValueError, match="nothing"):
        Checker()
