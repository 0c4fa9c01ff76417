"""A verified run's folder as a ledger reads it: its files by hash, its case and what it decided."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from massbalance.domain.case import Case, IndexArray
from massbalance.domain.faults import CaseRefused
from massbalance.domain.grid import GRID_DECIMALS
from massbalance.domain.result import Allocation, Ints
from massbalance.intake.read import read_case
from massbalance.ledger.problems import Unverified, fault

MANIFEST = "manifest.json"
SUMMARY = "summary.json"
OPENING = "opening.json"
DECISION = ("allocation.csv", "orders.csv", "account.csv", "residual.csv", "rules.toml", OPENING)
"""The files that say what was decided: a run's key is made of their hashes."""

Record = dict[str, str]


@dataclass(frozen=True)
class RunFolder:
    """A run as it is posted.

    files: name -> SHA-256 of every file, manifest.json too; key: SHA-256 of the decision, the same for
    runs that decide the same; summary: summary.json with exact numbers; orders, residual: rows of
    orders.csv (in the case's order) and residual.csv as written; opening: opening.json, None without it.
    """

    folder: Path
    files: Mapping[str, str]
    key: str
    case: Case
    allocation: Allocation
    orders: tuple[Record, ...]
    residual: tuple[Record, ...]
    summary: Mapping[str, Any]
    opening: Mapping[str, Any] | None

    def content(self, name: str) -> bytes:
        """The bytes of a file. Unverified where they are no longer those of the manifest."""
        return _content(self.folder, name, self.files[name])


def run_key(files: Mapping[str, str], case_sha256: str) -> str:
    """SHA-256 (hex) of the decision: of [name, SHA-256] of DECISION's files, by name, and of the case."""
    parts = [[name, files[name]] for name in sorted(DECISION) if name in files]
    text = json.dumps([*parts, ["case_sha256", case_sha256]], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def manifest_bytes(folder: Path) -> bytes:
    """manifest.json, to be read before the run is verified. Unverified where there is none."""
    try:
        return (folder / MANIFEST).read_bytes()
    except OSError as error:
        raise Unverified(
            fault("a run's folder, with its manifest", "files", table=MANIFEST, value=error)
        ) from error


def key_of(folder: Path) -> str:
    """The key of a run's folder, from its manifest and summary alone. Unverified where they are none."""
    manifest = manifest_bytes(folder)
    try:
        files = dict(json.loads(manifest)["files"])
        summary = json.loads(_content(folder, SUMMARY, files[SUMMARY]))
        return run_key(files, str(summary["case_sha256"]))
    except (ValueError, KeyError, TypeError) as error:
        raise Unverified(
            fault("a run's manifest and summary", "files", table=MANIFEST, value=error)
        ) from error


def read_run(folder: Path, manifest: bytes) -> RunFolder:
    """The run in a folder that was verified; `manifest` was read before that.

    Every file must still be what that manifest says (Unverified), so that what is posted is what was
    verified, even if another run was published into the folder meanwhile.
    """
    files = dict(json.loads(manifest)["files"])
    summary = json.loads(_content(folder, SUMMARY, files[SUMMARY]), parse_float=Decimal)
    for name in files:
        if name.startswith("case/") or name in DECISION:
            _content(folder, name, files[name])
    try:
        case = read_case(folder / "case", rule_source=_content(folder, "rules.toml", files["rules.toml"]))
    except CaseRefused as refused:
        raise Unverified(refused.faults) from refused
    if case.sha256 != summary["case_sha256"]:
        expected = f"the case that summary.json names, {summary['case_sha256']}"
        raise Unverified(fault(expected, "files", table="case", value=case.sha256))
    orders = _records(_content(folder, "orders.csv", files["orders.csv"]))
    opening = json.loads(_content(folder, OPENING, files[OPENING])) if OPENING in files else None
    return RunFolder(
        folder=folder,
        files={**files, MANIFEST: hashlib.sha256(manifest).hexdigest()},
        key=run_key(files, case.sha256),
        case=case,
        allocation=_allocation(case, _content(folder, "allocation.csv", files["allocation.csv"]), orders),
        orders=tuple(orders),
        residual=tuple(_records(_content(folder, "residual.csv", files["residual.csv"]))),
        summary=summary,
        opening=opening,
    )


def millionths(texts: list[str]) -> Ints:
    """Exact decimals of at most six places as millionths, shape (n,)."""
    if not texts:
        return np.zeros(0, dtype=np.int64)
    found = pa.array(texts, pa.large_string()).cast(pa.decimal128(38, GRID_DECIMALS))
    halves = np.frombuffer(found.buffers()[1], dtype="<i8").reshape(-1, 2)
    return np.array(halves[found.offset : found.offset + len(found), 0], dtype=np.int64)


def _content(folder: Path, name: str, sha256: str) -> bytes:
    try:
        content = (folder / name).read_bytes()
    except OSError as error:
        raise Unverified(fault("the file that was verified", "manifest", table=name, value=error)) from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise Unverified(
            fault(f"SHA-256 {sha256}, as when it was verified", "manifest", table=name, value=found)
        )
    return content


def _records(content: bytes) -> list[Record]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""), strict=True))


def _allocation(case: Case, content: bytes, orders: list[Record]) -> Allocation:
    header, *rows = csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True)
    columns = dict(zip(header, map(list, zip(*rows, strict=True)), strict=True)) if rows else {}
    numbers = {
        name: millionths(columns.get(name, []))
        for name in ("quantity", "credited_t", "scope1", "scope2", "scope3")
    }
    lot, order = (
        _places(case.lots.position, columns.get("lot", [])),
        _places(case.orders.position, columns.get("order", [])),
    )
    terms = _terms(case)
    offer = _places(terms, list(zip(columns.get("order", []), columns.get("offer", []), strict=True)))
    taken = _places(terms, [(row["order"], row["offer"]) for row in orders])
    by = np.lexsort((lot, offer, order))
    return Allocation(
        lot=lot[by],
        order=order[by],
        offer=offer[by],
        quantity=numbers["quantity"][by],
        credited=numbers["credited_t"][by],
        scope1=numbers["scope1"][by],
        scope2=numbers["scope2"][by],
        scope3=numbers["scope3"][by],
        claimed=millionths([row["claimed_t"] for row in orders]),
        taken=taken,
    )


def _terms(case: Case) -> dict[tuple[str, str], int]:
    """(order, offer) -> position of the offer; -1 for an order's own terms."""
    own: dict[tuple[str, str], int] = {(order, ""): -1 for order in case.orders.text("order")}
    offers = zip(case.offers.text("order"), case.offers.text("offer"), strict=True)
    return own | {key: at for at, key in enumerate(offers)}


def _places(position: Mapping[Any, int], keys: list[Any]) -> IndexArray:
    return np.array([position[key] for key in keys], dtype=np.intp)
