"""Packs forged by somebody who signs again whatever he changed, so that only the meaning gives him away.

A Forgery holds a pack's rows, run files and documents; what is edited is put together again with every
hash, chain, checkpoint, signature and derived table right, signed by the key at hand: the ledger's own (an
insider) or another (a stranger).
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from massbalance.audit.alone.ed25519 import key_id
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
)  # fmt: skip
from massbalance.audit.alone.posted import run_key
from massbalance.audit.alone.readme import readme
from massbalance.audit.alone.report import report_html
from massbalance.audit.alone.tables import balances_csv, walks_csv
from massbalance.audit.alone.view import ENTRIES, View, run_folder
from massbalance.ledger.rows import Row, chained, details_text

FIELDS = (
    "n", "journal", "kind", "at", "period", "commodity", "debit", "credit", "quantity", "held", "subject",
    "key", "details",
)  # fmt: skip
Entry = dict[str, Any]
MADE = {
    "balances.csv": balances_csv, "walks.csv": walks_csv, "evidence.csv": evidence_csv,
    "report.html": report_html,
}  # fmt: skip


class OtherKey:
    """A stranger's key."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
        self.public_hex = self._key.public_key().public_bytes_raw().hex()

    def sign(self, message: bytes) -> str:
        """Signature as hex."""
        return self._key.sign(message).hex()


class Forgery:
    """A pack taken apart. rows: of the ledger, details as dictionaries; run: the posted run's files."""

    def __init__(self, files: Files, signer: Any) -> None:
        self.files, self.signer = dict(files), signer
        view = View(files)
        self.rows: list[Entry] = [
            {name: getattr(row, name) for name in FIELDS if name != "details"}
            | {"details": json.loads(json.dumps(row.details))}
            for row in view.extract.rows
        ]
        assert not view.extract.hidden
        self.old = {row.n: row.hash for row in view.extract.rows}
        self.folder = run_folder(view.posts()[0].details["run"])
        self.run = {n.removeprefix(self.folder): c for n, c in files.items() if n.startswith(self.folder)}
        self.documents = {
            name.split("/")[1].removesuffix(".json"): json.loads(content)
            for name, content in files.items()
            if name.startswith("certificates/") and name.endswith(".json")
        }
        self.kept: Files = {}
        """Files that are put in as they are, after everything else was made."""
        self.balance, self.rename = True, True

    # ---- editing --------------------------------------------------------------------------------------

    def of(self, kind: str, test: Callable[[Entry], bool] = lambda row: True) -> Iterator[Entry]:
        """Rows of a kind that meet a test."""
        return (row for row in self.rows if row["kind"] == kind and test(row))

    def first(self, kind: str, test: Callable[[Entry], bool] = lambda row: True) -> Entry:
        """The first of them."""
        return next(self.of(kind, test))

    def table(self, name: str) -> list[dict[str, str]]:
        """A CSV of the run."""
        return list(csv.DictReader(io.StringIO(self.run[name].decode(), newline="")))

    def put(self, name: str, rows: list[dict[str, str]]) -> None:
        """Write a CSV of the run back."""
        out = io.StringIO(newline="")
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        self.run[name] = out.getvalue().encode()

    def change(self, name: str, test: Callable[[dict[str, str]], bool], **cells: str) -> None:
        """Change cells of the rows of a CSV that meet a test."""
        rows = self.table(name)
        found = [row for row in rows if test(row)]
        assert found, f"nothing to change in {name}"
        for row in found:
            row.update(cells)
        self.put(name, rows)

    def insert(self, after: int, row: Entry) -> None:
        """A row after row n (numbers are put right at the end)."""
        self.rows.insert(after, row)

    # ---- putting together -----------------------------------------------------------------------------

    def pack(self) -> Files:
        """The forged pack."""
        self._number()
        self._run()
        if self.balance:
            self._balances()
        self._chain()
        files = {
            name: content
            for name, content in self.files.items()
            if not name.startswith(("runs/", "certificates/", "checkpoints/", "rules/"))
            and name not in (MANIFEST, SIGNATURE, COPY)
        }
        folder = run_folder(self.post["details"]["run"])
        files |= {folder + name: content for name, content in self.run.items()}
        rules = self.run["rules.toml"]
        files[f"rules/{self.post['details']['rules']['id']}-{sha256(rules)[:12]}.toml"] = rules
        files |= self.written
        pack = json.loads(files[PACK])
        pack["head"] = {"n": len(self.rows), "hash": self.hashes[-1]}
        files[PACK], files[ENTRIES] = canonical(pack), self.lines
        for name, make in MADE.items():
            try:
                files[name] = make(View(files))
            except (KeyError, ValueError, TypeError, IndexError, AttributeError):
                continue  # what cannot be made any more stays as it was
        files["README.txt"] = readme(View(files), self.signer.public_hex)
        return seal({**files, **self.kept}, self.signer)

    @property
    def post(self) -> Entry:
        """The header of the posted run."""
        return self.first("post")

    def _number(self) -> None:
        """Rows are numbered anew, and what names a row by its number follows."""
        new = {row["n"]: at for at, row in enumerate(self.rows, start=1) if row["n"]}
        for at, row in enumerate(self.rows, start=1):
            row["journal"] = at if row["journal"] == row["n"] else new.get(row["journal"], row["journal"])
            row["n"] = at
        for row in self.of("certified"):
            row["details"]["basis"] = new.get(row["details"]["basis"], row["details"]["basis"])
        for row in self.of("signed"):
            row["details"]["n"] = new.get(row["details"]["n"], row["details"]["n"])
            row["key"] = f"checkpoint:{row['details']['n']}"
        for document in self.documents.values():
            for name in ("claim_row", "residual_row"):
                if name in document["ledger"]:
                    document["ledger"][name] = new.get(document["ledger"][name], 0)
            for item in document.get("credits", ()):
                item["row"] = new.get(item["row"], 0)

    def _run(self) -> None:
        """The run's header names its files by hash, and its key follows."""
        details = self.post["details"]
        if not self.rename:
            return
        details["files"] = {name: sha256(content) for name, content in self.run.items()}
        details["rules"]["sha256"] = sha256(self.run["rules.toml"])
        for row in self.of("rules"):
            row["details"]["sha256"] = details["rules"]["sha256"]
        before, after = details["run"], run_key(details["files"], details["case_sha256"])
        self.post["key"], details["run"] = f"run:{after}", after
        for row in self.rows:
            if row["details"].get("run") == before:
                row["details"]["run"] = after
        for document in self.documents.values():
            document["ledger"]["run"] = after
            document["rule_model"]["sha256"] = details["rules"]["sha256"]

    def _balances(self) -> None:
        """`held` of every commodity, and what is carried over, from row to row."""
        held: dict[str, int] = {}
        for row in self.rows:
            if row["debit"]:
                before = held.get(row["commodity"], 0)
                if row["kind"] == "carried_over":
                    row["quantity"] = before
                row["held"] = before + row["quantity"] * (
                    (row["credit"] == "held") - (row["debit"] == "held")
                )
                held[row["commodity"]] = row["held"]

    def _chain(self) -> None:
        """Hashes from the first row on; keys, checkpoints and documents signed where they stand."""
        self.hashes: list[str] = []
        self.written: Files = {}
        lines, before, public = [], bytes(32), self.signer.public_hex
        for row in self.rows:
            if row["kind"] == "key":
                row["details"]["public"], row["key"] = public, f"key:{key_id(public)}"
            if row["kind"] == "signed":
                row["details"] = self.checkpoint(row["details"])
                self.written[f"checkpoints/{row['details']['n']:010d}.json"] = (
                    canonical_line(row["details"]) + b"\n"
                )
            if row["kind"] == "certified":
                self._document(row)
            entry = Row(**{**row, "details": details_text(row["details"])})
            before = chained(before, entry.digest())
            self.hashes.append(before.hex())
            lines.append(f"{entry.n}\t{before.hex()}\t{entry.line()}\n")
        self.lines = "".join(lines).encode()

    def checkpoint(self, told: dict[str, Any]) -> dict[str, Any]:
        """A checkpoint of the chain as it is now."""
        facts = {**told, "key": self.signer.public_hex, "ledger": self.rows[0]["details"]["ledger"]}
        if 0 < facts["n"] <= len(self.hashes):
            facts |= {"hash": self.hashes[facts["n"] - 1], "at": self.rows[facts["n"] - 1]["at"]}
        return self.signed({name: value for name, value in facts.items() if name != "signature"})

    def signed(self, document: dict[str, Any]) -> dict[str, Any]:
        """A document with its signature."""
        bare = {name: value for name, value in document.items() if name != "signature"}
        return {**bare, "signature": self.signer.sign(canonical_line(bare))}

    def _document(self, row: Entry) -> None:
        """A certificate signed again, with its file names and the row's hashes."""
        serial = row["details"]["serial"]
        document, told = self.documents[serial], row["details"]
        for kind in ("claim", "residual"):
            n = document["ledger"].get(f"{kind}_row", 0)
            if 0 < n <= len(self.hashes):
                document["ledger"][f"{kind}_hash"] = self.hashes[n - 1]
        document["ledger"]["checkpoint"] = list(self.of("signed", lambda r: r["n"] < row["n"]))[-1]["details"]
        document["key"], told["key"] = self.signer.public_hex, key_id(self.signer.public_hex)
        content = canonical_line(self.signed(document))
        pdf = self.kept.get(f"certificates/{serial}.pdf", self.files[f"certificates/{serial}.pdf"])
        told |= {"document": sha256(content), "pdf": sha256(pdf)}
        beside = self.signed(
            {
                "format": "massbalance signature 1",
                "serial": serial,
                "pdf": told["pdf"],
                "key": document["key"],
            }
        )
        told["pdf_signature"] = beside["signature"]
        self.written |= {
            f"certificates/{serial}.json": content,
            f"certificates/{serial}.pdf": pdf,
            f"certificates/{serial}.sig": canonical_line(beside),
        }


def seal(files: Files, signer: Any) -> Files:
    """Second copy, manifest and signature over files."""
    bare = {name: content for name, content in files.items() if name not in (MANIFEST, SIGNATURE, COPY)}
    bare[COPY] = zip_of(bare)
    manifest = manifest_of(bare)
    return {
        **bare, MANIFEST: manifest, SIGNATURE: signature_document(signer.public_hex, signer.sign(manifest)),
    }  # fmt: skip


def digest_of(files: Files) -> str:
    """One hash over all files."""
    found = hashlib.sha256()
    for name in sorted(files):
        found.update(name.encode() + b"\0" + files[name])
    return found.hexdigest()
