"""What the tests audit: a ledger with one posted run, its certificates, and a pack of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from massbalance.api import run_case
from massbalance.audit.alone.packed import Files
from massbalance.audit.pack import pack_files
from massbalance.audit.publish import quiet
from massbalance.certificates.issue import Wanted, cancel, issue
from massbalance.ledger.approval import Approval
from massbalance.ledger.posting import post
from massbalance.ledger.run_folder import manifest_bytes, read_run
from massbalance.ledger.signing import Signer
from massbalance.ledger.store import Ledger


@dataclass(frozen=True)
class World:
    """ledger: its file; key: the private key's file; run: the posted folder; files: of the pack."""

    folder: Path
    ledger: Path
    key: Path
    run: Path
    periods: tuple[str, ...]
    files: Files

    @property
    def signer(self) -> Signer:
        """The ledger's signer."""
        return Signer.of("", self.key)

    def fresh(self, folder: Path, files: Files | None = None) -> Path:
        """The pack's files written into a folder."""
        for name, content in (self.files if files is None else files).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return folder


def make_world(folder: Path, case: Path, periods: Sequence[str]) -> World:
    """Run, post, certify, pack. periods: of the pack; empty: that with most claims."""
    run = run_case(case, folder / "run").out
    where, key = folder / "ledger.db", folder / "key.pem"
    with Ledger.open(where) as ledger:
        signer = Signer.of(ledger.id, key)
        done = post(
            ledger,
            read_run(run, manifest_bytes(run)),
            Approval("A. Sato", "B. Kato", "first half"),
            signer=signer,
        )
        claimed = [row.period for row in ledger.rows(kind="claim")]
        chosen = tuple(periods) or (max(sorted(set(claimed)), key=claimed.count),)
        certify(ledger, done.key, chosen[-1], signer)
        with ledger.snapshot() as reading:
            files = pack_files(reading, chosen, signer, quiet)
    return World(folder, where, key, run, chosen, files)


def certify(ledger: Ledger, run: str, period: str, signer: Signer) -> None:
    """Three certificates, of which one is replaced and one cancelled, and two residual statements."""
    claims = [row for row in ledger.rows(kind="claim") if row.period == period][:3]
    for claim in claims:
        issue(ledger, Wanted(run, order=claim.subject), signer)
    issue(ledger, Wanted(run, order=claims[0].subject), signer, replace="a typing error")
    cancel(ledger, Wanted(run, order=claims[1].subject), "the metal was not shipped", signer)
    residual = next(row for row in ledger.rows(kind="residual") if row.period == period)
    customer = str(claims[0].facts()["customer"])
    for to in ("", customer):
        issue(ledger, Wanted(run, product=residual.subject, period=period, customer=to), signer)
