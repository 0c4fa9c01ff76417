"""The ledger, certificates and audit packs as a library.

Every function takes the ledger as a file or address: else MASSBALANCE_LEDGER, else the user's own. They
raise `ledger.problems.LedgerError`, whose faults tell all reasons and whose exit_code is the command's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from massbalance.api import Outcome
    from massbalance.certificates.check import Checked
    from massbalance.certificates.issue import Issued, Wanted
    from massbalance.domain.case import Case
    from massbalance.domain.faults import Fault
    from massbalance.domain.rulemodel import Rules
    from massbalance.ledger.approval import Approval
    from massbalance.ledger.checkpoint import Checkpoint
    from massbalance.ledger.journals import Done
    from massbalance.ledger.opening import Opened
    from massbalance.ledger.posting import Posted
    from massbalance.ledger.store import Ledger
    from massbalance.quote.session import Session

Progress = Callable[[str], None]
Where = str | Path | None

__all__ = [
    "adjust_lot", "adopt_rules", "assert_balance", "cancel_document", "carry_over", "check_document",
    "check_ledger", "checkpoint", "expire_lots", "issue_document", "lock_period", "opened", "post_run",
    "quantity_of", "receive_lots", "reverse_run", "run_from_ledger", "session_from_ledger", "sound",
]  # fmt: skip


def post_run(
    path: Path,
    ledger: Where = None,
    *,
    proposer: str = "",
    approver: str = "",
    note: str = "",
    progress: Progress | None = None,
) -> Posted:
    """Verify a run's folder and post it to a ledger, which is made where there is none.

    proposer: else who the run names, else the user of this computer, who also approves where nobody is
    named. The same decision posted again changes nothing. Raises Unverified (6), Conflict (7: no longer
    about the ledger as it is), Refused (3: four eyes), Tampered (8).
    """
    from massbalance.ledger.approval import Approval
    from massbalance.ledger.posting import post, quiet
    from massbalance.ledger.problems import Unverified
    from massbalance.ledger.run_folder import manifest_bytes, read_run
    from massbalance.verification.verify import verify_run

    tell = progress or quiet
    manifest = manifest_bytes(path)
    report = verify_run(path, progress=tell)
    if not report.ok:
        raise Unverified(report.faults)
    run = read_run(path, manifest)
    with sound(ledger, create=True, progress=tell) as book:
        return post(book, run, Approval(proposer, approver, note), progress=tell)


@contextmanager
def opened(ledger: Where = None, *, create: bool = False) -> Iterator[Ledger]:
    """A ledger; LedgerMissing where there is none and none is to be made."""
    from massbalance.ledger.store import Ledger

    with Ledger.open(ledger, create=create) as book:
        yield book


@contextmanager
def sound(
    ledger: Where = None, *, create: bool = False, progress: Progress | None = None
) -> Iterator[Ledger]:
    """A ledger whose rows, checkpoints, documents and guards are as they were recorded, else Tampered (8).

    Whoever adds to a ledger, signs it or hands on what it says looks first: an edit behind its back comes to
    light with the next command, not with the next audit.
    """
    from massbalance.ledger.chain import require_sound

    with opened(ledger, create=create) as book:
        require_sound(book, progress or (lambda _: None))
        yield book


def issue_document(
    wanted: Wanted, ledger: Where = None, *, replace: str = "", out: Path | None = None
) -> Issued:
    """The certificate or residual statement that is wanted: issued, or what is out already, byte for byte.

    replace: why a new serial replaces what is out; out: a folder for its JSON, PDF and signature. Raises
    Conflict (7: not posted, withdrawn, or out in other terms), Refused (3: fields of A6.1 are missing),
    Tampered (8).
    """
    from massbalance.certificates.files import write_files
    from massbalance.certificates.issue import issue
    from massbalance.ledger.signing import Signer

    with sound(ledger) as book:
        issued = issue(book, wanted, Signer.of(book.id), replace=replace)
    if out is not None:
        write_files(issued, out)
    return issued


def cancel_document(wanted: Wanted, reason: str, ledger: Where = None) -> tuple[str, bool]:
    """Cancel what is out: its serial, and False where it was cancelled before. Conflict where nothing is."""
    from massbalance.certificates.issue import cancel
    from massbalance.ledger.signing import Signer

    with sound(ledger) as book:
        return cancel(book, wanted, reason, Signer.of(book.id))


def check_document(file: Path, ledger: Where = None, *, key: str = "") -> Checked:
    """Is a PDF, JSON or .sig what was issued, and does it stand?

    key: a public key (64 hex); without a ledger being named, it alone is asked, and tells no status. A
    signature file that lies beside a PDF is checked with it.
    """
    from massbalance.certificates.check import Checker

    content, signature = file.read_bytes(), file.with_suffix(".sig")
    beside = signature.read_bytes() if signature != file and signature.is_file() else None
    if key and ledger is None:
        return Checker(key=key).check(content, beside)
    with sound(ledger) as book, book.snapshot() as reading:
        return Checker(reading, key).check(content, beside)


def receive_lots(
    case: Path, ledger: Where = None, approval: Approval | None = None, *, progress: Progress | None = None
) -> Done:
    """Receive the lots of a case without a run; the ledger is made where there is none."""
    from massbalance.intake.read import read_case
    from massbalance.ledger.operations import receive

    given: Case = read_case(case, progress=progress)
    with sound(ledger, create=True) as book:
        return receive(book, given, approval)


def carry_over(
    period: str,
    ledger: Where = None,
    approval: Approval | None = None,
    *,
    days: tuple[date, date] | None = None,
) -> Done:
    """Carry everything held over into a period; days: its first and last, where the ledger has it not."""
    from massbalance.ledger.operations import carry_over as carry

    with sound(ledger) as book:
        return carry(book, period, days, approval)


def expire_lots(period: str, ledger: Where = None, approval: Approval | None = None) -> Done:
    """Book as expired what no order after the end of a period may take any more."""
    from massbalance.ledger.operations import expire

    with sound(ledger) as book:
        return expire(book, period, approval)


def lock_period(period: str, ledger: Where = None, approval: Approval | None = None) -> Done:
    """Lock a period and every open one before it."""
    from massbalance.ledger.operations import lock

    with sound(ledger) as book:
        return lock(book, period, approval)


def assert_balance(lot: str, quantity: str, ledger: Where = None, approval: Approval | None = None) -> Done:
    """Record that a lot holds this quantity now (a decimal in the lot's unit); Conflict where it does not."""
    from massbalance.ledger.operations import assert_balance as state_balance

    with sound(ledger) as book:
        return state_balance(book, lot, quantity_of(quantity), approval)


def adopt_rules(source: Path, ledger: Where = None, approval: Approval | None = None) -> Done:
    """Bring the rule model of a case, or of a run's folder, into force; makes the ledger if need be."""
    from massbalance.ledger.operations import adopt

    with sound(ledger, create=True) as book:
        return adopt(book, _rules_of(source), approval)


def _rules_of(source: Path) -> Rules:
    from massbalance.intake.read import read_case

    if (source / "case").is_dir() and (source / "rules.toml").is_file():
        return read_case(source / "case", rule_source=(source / "rules.toml").read_bytes()).rules
    return read_case(source).rules


def adjust_lot(
    lot: str, quantity: str, period: str, reason: str, ledger: Where = None, approval: Approval | None = None
) -> Done:
    """Correct what was received of a lot to a quantity (a decimal in the lot's unit), in an open period."""
    from massbalance.ledger.operations import adjust

    with sound(ledger) as book:
        return adjust(book, lot, quantity_of(quantity), period, reason, approval)


def reverse_run(
    run: str | Path,
    orders: Iterable[str],
    period: str,
    reason: str,
    ledger: Where = None,
    approval: Approval | None = None,
) -> Done:
    """Withdraw the claims of orders of a posted run, or of all of them, by entries in an open period.

    run: its folder, its key (or the beginning of it), or the number of its journal.
    """
    from massbalance.ledger.reversal import reverse
    from massbalance.ledger.run_folder import key_of

    key = key_of(Path(run)) if Path(run).is_dir() else str(run)
    with sound(ledger) as book:
        return reverse(book, key, orders, period, reason, approval)


def check_ledger(ledger: Where = None, checkpoints: Iterable[Path] = ()) -> tuple[int, list[Fault]]:
    """How many rows a ledger has, and every fault of it; checkpoints: files that others held."""
    from massbalance.ledger.chain import verify_ledger
    from massbalance.ledger.checkpoint import Checkpoint

    held = [Checkpoint.read(path.read_bytes()) for path in checkpoints]
    with opened(ledger) as book:
        return book.head().n, verify_ledger(book, held)


def checkpoint(ledger: Where = None, out: Path | None = None) -> tuple[Checkpoint, Path | None]:
    """A signed checkpoint of the ledger as it is, and the file that it was written to in the folder `out`."""
    from massbalance.ledger.look import signed_head

    with sound(ledger) as book:
        made = signed_head(book)
    if out is None:
        return made, None
    out.mkdir(parents=True, exist_ok=True)
    file = out / f"checkpoint-{made.ledger[:8]}-{made.n}.json"
    file.write_text(made.text(), encoding="utf-8", newline="\n")
    return made, file


def quantity_of(text: str) -> int:
    """A decimal in a unit as millionths. Refused where it is none, or finer than a millionth."""
    from massbalance.ledger.problems import Refused, fault

    found = re.fullmatch(r"([0-9]{1,12})(?:\.([0-9]{1,6}))?", text.strip())
    if found is None:
        words = "a decimal of at most 12 digits and 6 decimals"
        raise Refused(fault(words, "A4.2.1", column="quantity", value=text))
    return int(found[1]) * 10**6 + int((found[2] or "").ljust(6, "0"))


def run_from_ledger(
    case: Path,
    out: Path,
    ledger: str | Path | None = None,
    *,
    proposer: str = "",
    method: str = "auto",
    time_limit: float | None = None,
    gap: float = 0.0,
    progress: Progress | None = None,
) -> Outcome:
    """A run whose lots open with what the ledger holds of them, so that period follows period.

    ledger: as `post_run`, but there must be one; all else as `api.run_case`. The run's `case/` is the
    derived case, and opening.json says which row of the ledger it stands on. Raises LedgerMissing (2),
    Conflict (7: the case and the ledger disagree), CaseRefused (3), LedgerError.
    """
    from massbalance.api import Provenance, run_case

    opened = _opened_case(case, ledger, progress)
    return run_case(
        opened.case, out, method=method, time_limit=time_limit, gap=gap,
        provenance=Provenance(proposer, opened.document), progress=progress,
    )  # fmt: skip


def _opened_case(case: Path, ledger: Where, progress: Progress | None) -> Opened:
    from massbalance.api import read_case
    from massbalance.ledger.opening import open_case
    from massbalance.ledger.standing import read_standing

    given = read_case(case, progress=progress)
    with sound(ledger, progress=progress) as book:
        standing = read_standing(book)
    return open_case(given, standing, progress=progress)


def session_from_ledger(
    case: Path,
    ledger: Where = None,
    *,
    time_limit: float | None = None,
    gap: float = 0.0,
    reservations: Path | None = None,
    as_of: date | None = None,
    progress: Progress | None = None,
) -> tuple[Session, dict[str, object]]:
    """A session for quotes on what the ledger holds now, and which row of it that is (ledger, n, hash).

    reservations, as_of: as `Session` has them. It raises what `run_from_ledger` raises.
    """
    from massbalance.quote.session import Session

    opened = _opened_case(case, ledger, progress)
    session = Session(
        opened.case, time_limit=time_limit, gap=gap, reservations=reservations, as_of=as_of, progress=progress
    )
    return session, {key: opened.document[key] for key in ("ledger", "n", "hash")}
