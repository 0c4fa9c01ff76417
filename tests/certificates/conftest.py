"""Ledgers with one posted run, and what they issue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from massbalance.certificates.issue import Issued, Wanted, issue
from massbalance.ledger.signing import Signer
from massbalance.ledger.store import Ledger
from posted_by_hand import RUN, Made, Tiny, clock, new_ledger, signer


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """The tiny run, posted."""
    with new_ledger(tmp_path / "ledger.db", Tiny()) as made:
        yield made


@pytest.fixture
def key() -> Signer:
    return signer()


@pytest.fixture
def made(tmp_path: Path, key: Signer) -> Made:
    """Issues the certificate of a tiny run of its own: made(Tiny(...), language="en")."""

    def make(tiny: Tiny, **wanted: Any) -> Issued:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.db"
        with new_ledger(path, tiny) as book:
            return issue(book, Wanted(RUN, order=tiny.order, **wanted), key, clock=clock)

    return make
