"""The command: `python verify.py [PACK] [--key KEY] [--checkpoint FILE ...] [--json]`; exit 0, or 8."""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Optional

from massbalance.audit.alone.certified import certificate_faults, certificate_notes
from massbalance.audit.alone.ed25519 import key_id
from massbalance.audit.alone.entries import Extract, checkpoint_faults, ledger_faults
from massbalance.audit.alone.evidence import evidence_csv
from massbalance.audit.alone.packed import (
    MANIFEST,
    PACK,
    Files,
    Wrong,
    canonical,
    check_files,
    difference,
    read_folder,
)
from massbalance.audit.alone.posted import posted_faults
from massbalance.audit.alone.readme import readme
from massbalance.audit.alone.report import report_html
from massbalance.audit.alone.tables import balances_csv, walks_csv
from massbalance.audit.alone.undone import undone_faults
from massbalance.audit.alone.view import View

INTEGRITY, USAGE = 8, 2
UNREADABLE = (
    KeyError, ValueError, TypeError, IndexError, AttributeError, ArithmeticError, RecursionError,
    AssertionError,
)  # fmt: skip
"""What a forged document may raise where it is read."""


class Report:
    """What was checked, and what was found wrong, in the order of checking."""

    def __init__(self) -> None:
        self.checked: List[str] = []
        self.faults: List[Dict[str, Any]] = []
        self.notes: List[str] = []

    def wrong(self, found: Wrong) -> None:
        """A fault of a file."""
        self.faults.append({"file": found.file, "offset": found.offset, "text": found.text})

    def check(self, what: str, faults: Callable[[], Iterable[str]], file: str = "") -> None:
        """Run one check; what cannot be read is a fault, not a crash."""
        before = len(self.faults)
        try:
            for text in faults():
                self.faults.append({"file": file, "offset": None, "text": text})
        except UNREADABLE as error:
            text = f"it cannot be read: {type(error).__name__} {error}"
            self.faults.append({"file": file, "offset": None, "text": f"{what}: {text}"})
        self.checked.append(f"{what}: {'wrong' if len(self.faults) > before else 'right'}")

    def note(self, texts: Iterable[str]) -> None:
        """Things to know; what cannot be read is told where it is checked."""
        try:
            self.notes += list(texts)
        except UNREADABLE:
            self.notes.append("some documents cannot be read")

    def text(self) -> str:
        """For people."""
        lines = [f"checked  {line}" for line in self.checked]
        for fault in self.faults:
            place = f"{fault['file']}: " if fault["file"] else ""
            lines.append(f"WRONG    {place}{fault['text']}")
        lines += [f"note     {line}" for line in self.notes]
        count = len(self.faults)
        verdict = "everything holds" if not count else f"NOT VALID: {count} fault(s), the first named first"
        return "\n".join([*lines, f"verdict  {verdict}"])

    def document(self) -> Dict[str, Any]:
        """For programs."""
        return {
            "ok": not self.faults, "first": self.faults[0] if self.faults else None,
            "faults": self.faults, "checked": self.checked, "notes": self.notes,
        }  # fmt: skip


def verify_pack(files: Files, key: str = "", checkpoints: Optional[Dict[str, bytes]] = None) -> Report:
    """Check a pack from its files. key: the signer's key id or public key, as known from elsewhere."""
    report = Report()
    try:
        wrong, public = check_files(files)
    except UNREADABLE as error:
        wrong, public = [Wrong(MANIFEST, None, f"it cannot be read: {type(error).__name__} {error}")], None
    for found in wrong:
        report.wrong(found)
    result = "right" if not wrong else "wrong"
    report.checked.append(f"{len(files)} files against manifest.json, and its signature: {result}")
    if wrong:
        report.notes.append("the content was not checked, as files are damaged")
        return report
    try:
        view = View(files)
    except UNREADABLE as error:
        text = f"they cannot be read: {type(error).__name__} {error}"
        report.check("pack.json and the ledger's rows", partial(list, [text]))
        return report
    _check_trust(report, view, public or "", key, checkpoints or {})
    _check_content(report, view, public or "")
    return report


def _check_trust(report: Report, view: View, public: str, key: str, checkpoints: Dict[str, bytes]) -> None:
    """Who signed: the ledger's key, the key you know, the checkpoints you hold."""
    extract = view.extract

    def signer() -> Iterable[str]:
        if public not in extract.public_keys():
            yield f"the pack is signed by {key_id(public)}, which is no key of the ledger"
        if key and key.lower() not in (public, key_id(public)):
            yield f"the pack is signed by {key_id(public)}, not by {key}"

    report.check(f"the signer {key_id(public)} is a key of the ledger", signer)
    trusted = [k for k in extract.public_keys() if not key or key.lower() in (k, key_id(k))]
    for name, content in checkpoints.items():
        report.check(f"your checkpoint {name}", partial(checkpoint_of, extract, name, content, trusted))
    if not key and not checkpoints:
        report.notes.append(
            f"signed by key {key_id(public)}; compare it with the key id you know, or give --key or "
            "--checkpoint: whoever makes up a whole pack signs it with a key of his own"
        )


def _check_content(report: Report, view: View, public: str) -> None:
    """Everything recomputed: rows, checkpoints, runs, certificates, tables."""
    extract, entries = view.extract, "ledger/entries.txt"
    shown = f"{len(extract.hashes)} rows of the ledger ({extract.hidden} by digest only)"
    report.check(shown, lambda: ledger_faults(extract), entries)
    if extract.hidden:
        report.notes.append(
            f"{extract.hidden} rows are there by their digest only: that they are the ledger's is checked, "
            "that they have nothing to do with the periods is the maker's word"
        )
    report.check("pack.json", lambda: _pack_faults(view), "pack.json")
    for name in sorted(n for n in view.files if n.startswith("checkpoints/")):
        held = partial(checkpoint_of, extract, name, view.files[name], extract.public_keys())
        report.check(name, held, name)
    report.check("signed checkpoints of the ledger", lambda: _signed_faults(view), entries)
    for post in view.posts():
        folder = f"run {str(post.details.get('run', ''))[:12]} ({post.details.get('name', '')})"
        report.check(folder, partial(posted_faults, view, post))
    report.check("every claim of the periods has its run", lambda: _orphans(view), entries)
    report.check("what was withdrawn came back", lambda: undone_faults(view), entries)
    report.check("certificates", lambda: certificate_faults(view))
    report.note(certificate_notes(view))
    makers: Dict[str, Callable[[View], bytes]] = {
        "balances.csv": balances_csv, "walks.csv": walks_csv, "evidence.csv": evidence_csv,
        "report.html": report_html, "README.txt": lambda pack: readme(pack, public),
    }  # fmt: skip
    for name, make in makers.items():
        report.check(f"{name} made again", partial(_made_again, view, name, make), name)


def checkpoint_of(extract: Extract, name: str, content: bytes, keys: List[str]) -> Iterable[str]:
    """Faults of a checkpoint's file."""
    return checkpoint_faults(extract, name, json.loads(content), keys)


def _pack_faults(view: View) -> Iterable[str]:
    """pack.json says what the rows say, in its one spelling."""
    told, rows, (n, head) = view.pack, view.extract.rows, view.extract.head()
    last = rows[-1]
    right = {"format": 1, "ledger": view.extract.ledger(), "head": {"n": n, "hash": head}}
    for name, value in right.items():
        if told.get(name) != value:
            yield f"its {name} is {told.get(name)!r}, and {value!r} by the rows"
    if told["at"] < last.at or (last.n == n and told["at"] != last.at):
        yield f"its last row was recorded at {told['at']}, and row {last.n} at {last.at}"
    days = view.extract.periods()
    for period in view.periods:
        if period not in days:
            yield f"{period} is no period of the ledger"
    if view.periods != sorted(set(view.periods), key=lambda period: days.get(period, ("", ""))):
        yield "its periods are not in order"
    if view.files[PACK] != canonical({**right, "at": told["at"], "periods": view.periods}):
        yield "it is not in its one spelling"


def _signed_faults(view: View) -> Iterable[str]:
    """Checkpoints inside the ledger: signed by a key stated before, over rows before."""
    signed = view.extract.by_kind["signed"]
    for row in signed:
        keys = [str(k.details.get("public", "")) for k in view.extract.by_kind["key"] if k.n < row.n]
        document = row.details.get("checkpoint", row.details)
        yield from checkpoint_faults(view.extract, f"row {row.n}", document, keys)


def _orphans(view: View) -> Iterable[str]:
    """A claim or an allocation outside a posted run."""
    posts = {post.n for post in view.extract.by_kind["post"]}
    for row in view.extract.rows:
        if row.kind in ("claim", "allocated", "residual") and row.journal not in posts:
            yield f"row {row.n}: {row.kind} outside a posted run"


def _made_again(view: View, name: str, make: Callable[[View], bytes]) -> Iterable[str]:
    found = difference(name, view.files.get(name, b""), make(view))
    if found:
        yield found.text


def main(arguments: Optional[List[str]] = None) -> int:
    """The command; returns the exit code."""
    told = argparse.ArgumentParser(prog="verify.py", description="Check an audit pack, all of it.")
    told.add_argument("pack", nargs="?", help="the pack's folder [default: that of verify.py]")
    told.add_argument("--key", default="", help="the signer's key id or public key, as you know it")
    told.add_argument("--checkpoint", action="append", default=[], help="a checkpoint that you hold")
    told.add_argument("--json", action="store_true", help="print one JSON document")
    options = told.parse_args(arguments)
    folder = Path(options.pack) if options.pack else Path(__file__).resolve().parent
    if not folder.is_dir():
        sys.stderr.write(f"verify: {folder} is no folder\n")
        return USAGE
    try:
        checkpoints = {name: Path(name).read_bytes() for name in options.checkpoint}
        files = read_folder(folder)
    except OSError as error:
        sys.stderr.write(f"verify: {error}\n")
        return USAGE
    report = verify_pack(files, options.key, checkpoints)
    if options.json:
        text = json.dumps(report.document(), indent=1)
    else:
        text = (
            report.text()
            .encode(sys.stdout.encoding or "ascii", "backslashreplace")
            .decode(sys.stdout.encoding or "ascii")
        )
    sys.stdout.write(text + "\n")
    return INTEGRITY if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
