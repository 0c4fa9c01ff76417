"""Posting a run: one journal, whole or not at all, once (A4.2.1, A4.2.3).

What is posted was verified before, and is checked again here: the books made anew from the allocation
must give the run's own account, residual and effects to the last byte and gram.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from typing import Any

from massbalance.books.account import BooksError, account_frame
from massbalance.books.residual import Statement, statement
from massbalance.books.tables import account_csv, residual_csv
from massbalance.domain.faults import Fault
from massbalance.domain.grid import GRID
from massbalance.ledger.approval import Approval, clause_of
from massbalance.ledger.checkpoint import sign
from massbalance.ledger.drafts import record
from massbalance.ledger.movements import Movements
from massbalance.ledger.problems import Conflict, Unverified, fault
from massbalance.ledger.reading import Reading
from massbalance.ledger.run_folder import SUMMARY, RunFolder
from massbalance.ledger.signing import Signer
from massbalance.ledger.stale import before, faults
from massbalance.ledger.state import State, rules_details
from massbalance.ledger.store import Ledger

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Posted:
    """What posting did.

    key: of the run; journal: n of its first row; rows: how many it has; at: when; done_before: it was posted
    already, and nothing was written now; withdrawn: how many of its claims were reversed since; checkpoint:
    the signed checkpoint that ends the journal.
    """

    key: str
    journal: int
    rows: int
    at: str
    done_before: bool = False
    withdrawn: int = 0
    checkpoint: dict[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def quiet(_: str) -> None:
    """No progress."""


def post(
    ledger: Ledger,
    run: RunFolder,
    approval: Approval | None = None,
    *,
    signer: Signer | None = None,
    progress: Progress = quiet,
) -> Posted:
    """Post a verified run, and end the journal with a checkpoint signed by the ledger's signer.

    Posted before: nothing happens. Raises Refused (approval), Conflict (the run is no longer about the
    ledger as it is; it tells all reasons), Unverified (its files do not say what its books say).
    """
    approval = Approval() if approval is None else approval
    earlier = posted(ledger, run.key)
    if earlier is not None:
        return earlier
    progress("books")
    books = checked_books(run)
    rules = run.case.rules
    names = approval.proposed_by(run.summary.get("proposer")).checked(
        rules.parameters.model_dump(), clause_of(rules.id)
    )
    signer = Signer.of(ledger.id) if signer is None else signer
    progress("posting")
    with ledger.writing() as writer:
        earlier = posted(writer, run.key)
        if earlier is not None:
            return earlier
        state = State(writer)
        known = before(state, run, books)
        reasons = faults(state, run, books, known)
        if reasons:
            raise Conflict(reasons)
        journal = writer.journal("post", key=f"run:{run.key}", details={**header(run, books), **names})
        if state.rules is None:
            writer.state("rules", key="", details=rules_details(rules))
        record(writer, Movements(run, books, known).drafts())
        progress("archiving")
        for name in run.files:
            writer.archive(run.content(name))
        signed = sign(writer, signer, names["approver"])
        head = writer.head()
    return Posted(run.key, journal, head.n - journal + 1, head.at, checkpoint=signed.document())


def posted(ledger: Reading, key: str) -> Posted | None:
    """What was posted under a run's key, None where nothing was. Conflict: it was reversed as a whole."""
    row = ledger.find(f"run:{key}")
    if row is None:
        return None
    signed = [*ledger.rows(journal=row.n, kind="signed")]
    rows = signed[-1].n - row.n + 1 if signed else 0
    undone = [facts for r in ledger.rows(kind="reversal") if (facts := r.facts())["post"] == row.n]
    if any(facts["whole"] for facts in undone):
        words = f"a run that was not reversed since it was posted (journal {row.n}); run the case again"
        raise Conflict(fault(words, "A4.2.1", table=SUMMARY, column="run", value=key))
    withdrawn = sum(len(facts["orders"]) for facts in undone)
    return Posted(key, row.n, rows, row.at, True, withdrawn, signed[-1].facts() if signed else {})


def header(run: RunFolder, books: Statement) -> dict[str, Any]:
    """Details of the journal's first row, without the names."""
    summary, opening = run.summary, run.opening
    return {
        "run": run.key,
        "name": run.case.name,
        "case_sha256": run.case.sha256,
        "rules": rules_details(run.case.rules),
        "files": dict(run.files),
        "opening": None if opening is None else {name: opening.get(name) for name in ("n", "hash")},
        "periods": list(run.case.periods.text("period")),
        "tco2e_g": {**books.residual.tco2e, "retired_at_origin": books.residual.retired_at_origin},
        "status": str(summary["status"]),
    }


def checked_books(run: RunFolder) -> Statement:
    """The books of the run's allocation. Unverified where the run's files say otherwise."""
    try:
        books = statement(run.case, run.allocation)
    except BooksError as error:
        raise Unverified(
            fault("books that balance", "account_balance", table="allocation.csv", value=error)
        ) from error
    found = list(_other_figures(run, books))
    if found:
        raise Unverified(found)
    return books


def _other_figures(run: RunFolder, books: Statement) -> Iterator[Fault]:
    if account_csv(run.case, account_frame(run.case, books.account)) != run.content("account.csv"):
        yield fault("the account of the allocation", "account_balance", table="account.csv")
    if residual_csv(run.case, books.residual) != run.content("residual.csv"):
        yield fault("the residual of the allocation", "emissions_identity", table="residual.csv")
    for name, grams in books.residual.tco2e.items():
        told = run.summary["tco2e"].get(name)
        if told is None or Fraction(told) * GRID != grams:
            words = f"{grams} g, the sum of what is posted"
            yield fault(words, "emissions_identity", table=SUMMARY, column=f"tco2e.{name}", value=told)
