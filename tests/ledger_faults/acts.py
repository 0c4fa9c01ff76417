"""Every operation of a ledger as a function of its address, each with the ledger that it is tried on."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from massbalance import records
from massbalance.certificates.issue import Wanted
from massbalance.intake.read import read_case
from massbalance.ledger import operations, posting
from massbalance.ledger.reversal import reverse
from massbalance.ledger.run_folder import RunFolder, manifest_bytes, read_run
from massbalance.ledger.signing import ENVIRONMENT
from massbalance.ledger.store import Ledger
from tests.ledger_faults.material import Material

Act = Callable[[str | Path], int]
"""Does one thing to the ledger at an address; an exit code (0: done)."""

AGAIN = 10
"""What an act returns that found itself done before."""

REPEATED = ("assert", "replace")
"""Acts that may be done twice, each time anew."""


@dataclass(frozen=True)
class Stage:
    """Runs read once, and where ledgers are made for them."""

    place: Path
    ledger: Path
    first: tuple[RunFolder, ...]
    second: tuple[RunFolder, ...]

    @classmethod
    def of(cls, place: Path, material: Material) -> Stage:
        """Reads the runs. The books of each are worked out once: the faults are tried on what follows."""
        os.environ[ENVIRONMENT] = str(material.key)
        known: dict[str, Any] = {}
        books = posting.checked_books

        def once(run: RunFolder) -> Any:
            if run.key not in known:
                known[run.key] = books(run)
            return known[run.key]

        posting.checked_books = once
        first, second = (
            tuple(read_run(folder, manifest_bytes(folder)) for folder in folders)
            for folders in (material.first, material.second)
        )
        for run in (*first, *second):
            once(run)
        return cls(place, material.ledger, first, second)

    def bases(self) -> dict[str, Path]:
        """Ledgers to begin with, by name; `nothing` has no file."""
        found = {
            name: self.place / f"base-{name}.db" for name in ("nothing", "empty", "first", "second", "out")
        }
        with Ledger.open(found["empty"]):
            pass
        copy(self.ledger, found["first"])
        copy(found["first"], found["second"])
        post(self.second[0], found["second"])
        copy(found["first"], found["out"])
        _certificate(self.first[0].key, found["out"])
        return found

    def acts(self) -> dict[str, tuple[str, Act]]:
        """Name -> the base it begins with, and the act."""
        first, second = self.first[0], self.second[0]
        later = read_case(second.folder / "case")
        now = first.case.rules
        stricter = replace(now, parameters=now.parameters.model_copy(update={"approval": "four_eyes"}))
        days = (date(2026, 7, 1), date(2026, 9, 30))
        less, share = "A0-less", "A0-share"
        return {
            "create": ("nothing", _open),
            "first post": ("nothing", partial(post, first)),
            "post": ("empty", partial(post, first)),
            "next post": ("first", partial(post, second)),
            "receive": ("first", partial(done, operations.receive, later)),
            "carry over": ("first", partial(done, operations.carry_over, "Q2", days)),
            "expire": ("first", partial(done, operations.expire, "Q1")),
            "lock": ("second", partial(done, operations.lock, "Q2")),
            "adopt": ("first", partial(done, operations.adopt, stricter)),
            "adjust": ("first", partial(done, operations.adjust, "GREEN", 19_000_000, "Q1", "weighed again")),
            "reverse orders": ("second", partial(done, reverse, first.key, [less, share], "Q2", "returned")),
            "reverse a run": ("first", partial(done, reverse, first.key, [], "Q1", "wrong")),
            "certificate": ("first", partial(_certificate, first.key)),
            "replace": ("out", partial(_certificate, first.key, replace="new address")),
            "cancel": ("out", partial(_cancel, first.key)),
            "assert": ("first", partial(done, operations.assert_balance, "GREEN", 15_000_000)),
        }  # fmt: skip


def post(run: RunFolder, url: str | Path) -> int:
    """Post a run; AGAIN where it was posted before."""
    with Ledger.open(url) as ledger:
        return AGAIN if posting.post(ledger, run).done_before else 0


def _open(url: str | Path) -> int:
    with Ledger.open(url):
        return 0


def _wanted(run: str) -> Wanted:
    return Wanted(run, order="A0-share", language="en", issued_on=date(2026, 7, 8))


def _certificate(run: str, url: str | Path, replace: str = "") -> int:
    return 0 if records.issue_document(_wanted(run), url, replace=replace).new else AGAIN


def _cancel(run: str, url: str | Path) -> int:
    return 0 if records.cancel_document(_wanted(run), "sent back", url)[1] else AGAIN


def done(operation: Callable[..., Any], *rest: Any) -> int:
    """Run an operation of a ledger with its arguments, the address last; AGAIN where it did nothing."""
    *arguments, url = rest
    with Ledger.open(url, create=False) as ledger:
        return 0 if operation(ledger, *arguments).journal else AGAIN


def copy(base: Path, to: Path) -> Path:
    """A copy of a closed ledger's file, without what an earlier one of that name left."""
    remove(to)
    if base.exists():
        shutil.copyfile(base, to)
    return to


def remove(file: Path) -> None:
    """Remove a ledger's file with its log."""
    for path in (file, *(file.with_name(file.name + end) for end in ("-wal", "-shm"))):
        path.unlink(missing_ok=True)
