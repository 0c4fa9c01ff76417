"""Audit packs: a folder with all that a third party needs to repeat every check of some periods.

Deterministic: the same ledger and periods give the same bytes. No clock: every date is the ledger's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from massbalance.audit.alone.entries import canonical_line
from massbalance.audit.alone.evidence import evidence_csv
from massbalance.audit.alone.packed import (
    COPY,
    MANIFEST,
    PACK,
    SIGNATURE,
    Files,
    canonical,
    manifest_of,
    sha256,
    signature_document,
    zip_of,
)
from massbalance.audit.alone.readme import readme
from massbalance.audit.alone.report import report_html
from massbalance.audit.alone.tables import balances_csv, walks_csv
from massbalance.audit.alone.view import ENTRIES, View, run_folder
from massbalance.audit.selection import Selection
from massbalance.audit.single import verifier
from massbalance.certificates.seal import pdf_signature
from massbalance.ledger.problems import LedgerMissing, Refused, fault
from massbalance.ledger.reading import Reading

FORMAT = 1
Progress = Callable[[str], None]


class Signs(Protocol):
    """Who signs a pack."""

    public_hex: str

    def sign(self, message: bytes) -> str:
        """Signature as 128 hex digits."""


@dataclass(frozen=True)
class Packed:
    """What a pack holds: counts and sizes, for people.

    head: n and hash of the ledger's last row; key_id: of the signer; missing: lines of evidence.csv that
    say `missing`; verifier: SHA-256 of verify.py; size: bytes of all files.
    """

    folder: Path
    ledger: str
    periods: tuple[str, ...]
    head: dict[str, Any]
    key_id: str
    files: int
    size: int
    rows: int
    hidden: int
    runs: int
    claims: int
    certificates: int
    missing: int
    verifier: str


def pack_files(reading: Reading, periods: Sequence[str], signer: Signs, progress: Progress) -> Files:
    """All files of a pack of the ledger as `reading` sees it.

    LedgerMissing (exit 2) where a period is none of the ledger's; Tampered where an archived document is
    not what its name says.
    """
    chosen = _known(reading, periods)
    progress("reading the ledger")
    selection = Selection(reading, chosen)
    files: Files = {ENTRIES: b"".join(selection.lines())}
    head = reading.head()
    files[PACK] = canonical(
        {
            "format": FORMAT, "ledger": reading.id, "head": {"n": head.n, "hash": head.hash}, "at": head.at,
            "periods": chosen,
        }
    )  # fmt: skip
    progress("collecting runs and documents")
    for name, content in _documents(reading, selection):
        files[name] = content
    progress("writing the tables and the report")
    view = View(files)
    files["balances.csv"], files["walks.csv"] = balances_csv(view), walks_csv(view)
    files["evidence.csv"] = evidence_csv(view)
    files["report.html"] = report_html(view)
    files["verify.py"] = verifier()
    files["README.txt"] = readme(view, signer.public_hex)
    progress("signing")
    try:
        files[COPY] = zip_of(files)
    except ValueError as error:
        words = f"periods whose pack a ZIP can hold; this is {error}"
        raise Refused(fault(words, "audit-size", table="period")) from error
    files[MANIFEST] = manifest_of(files)
    files[SIGNATURE] = signature_document(signer.public_hex, signer.sign(files[MANIFEST]))
    return files


def _known(reading: Reading, periods: Sequence[str]) -> list[str]:
    """The periods in time order, each once; LedgerMissing with all that the ledger does not know."""
    known = {row.key.removeprefix("period:"): row.facts()["start"] for row in reading.rows(kind="period")}
    words = f"a period of the ledger: {', '.join(sorted(known, key=known.__getitem__)) or 'it has none'}"
    wrong = [
        fault(words, "A5.1.3A", table="period", value=period) for period in periods if period not in known
    ]
    if wrong:
        raise LedgerMissing(wrong)
    return sorted(set(periods), key=lambda period: known[period])


def _documents(reading: Reading, selection: Selection) -> Iterator[tuple[str, bytes]]:
    """Files of runs, rule models, checkpoints and certificates that the kept rows name."""
    for row in selection.kept:
        facts = row.facts()
        if row.kind == "post" and row.n in selection.journals:
            folder = run_folder(facts["run"])
            for name, digest in sorted(facts["files"].items()):
                yield folder + _safe(name), reading.document(digest)
            rules = facts["files"]["rules.toml"]
            yield f"rules/{_safe(facts['rules']['id'])}-{rules[:12]}.toml", reading.document(rules)
        elif row.kind == "signed":
            yield f"checkpoints/{int(facts['n']):010d}.json", canonical_line(facts) + b"\n"
        elif row.kind == "certified":
            serial = _safe(row.key.removeprefix("certificate:"))
            for end, name in ((".json", "document"), (".pdf", "pdf")):
                yield f"certificates/{serial}{end}", reading.document(facts[name])
            key = json.loads(reading.document(facts["document"]))["key"]
            yield (
                f"certificates/{serial}.sig",
                pdf_signature(serial, facts["pdf"], key, facts["pdf_signature"]),
            )


def _safe(name: str) -> str:
    """A name that stays inside the pack's folder; Refused otherwise."""
    parts = name.split("/")
    if not name or "\\" in name or any(part in ("", ".", "..") for part in parts):
        raise Refused(fault("a file's name", "ledger-name", table="document", value=name))
    return name


def summary_of(files: Files, folder: Path) -> Packed:
    """What people are told of a pack."""
    view, signature = View(files), json.loads(files[SIGNATURE])
    return Packed(
        folder=folder,
        ledger=view.pack["ledger"],
        periods=tuple(view.periods),
        head=view.pack["head"],
        key_id=signature["key_id"],
        files=len(files),
        size=sum(map(len, files.values())),
        rows=len(view.extract.hashes),
        hidden=view.extract.hidden,
        runs=len(view.posts()),
        claims=len(view.claims()),
        certificates=len(view.certificates()),
        missing=files["evidence.csv"].count(b",missing\n"),
        verifier=sha256(files["verify.py"]),
    )
