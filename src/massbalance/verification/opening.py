"""Opening balances from a ledger: the run's case holds what opening.json says (A4.2.1, J5.2.1)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from massbalance.domain.case import Case
from massbalance.domain.grid import decimal_text
from massbalance.verification.balance import Summary
from massbalance.verification.files import SUMMARY, read_json

OPENING = "opening.json"
CODE = "A4.2.1 opening"
KEYS = ("ledger", "n", "hash")
PARTS = ("lots", "elsewhere")
_HEX = re.compile(r"[0-9a-f]+")


def check_opening(run: Path, summary: Summary, case: Case) -> None:
    """opening.json and the summary's `opening` are there both or neither, and agree with the case's lots.

    The summary's `proposer` is a name, or null.
    """
    proposer = summary.get("proposer")
    if proposer is not None and (not isinstance(proposer, str) or not proposer):
        summary.faults.add(SUMMARY, None, "proposer", proposer, "a name, or null", "summary")
    told = summary.get("opening")
    if not (run / OPENING).is_file():
        if told is not None:
            summary.faults.add(OPENING, None, "", "missing", "the file that the summary tells of", "files")
        return
    document = read_json(run, OPENING, summary.faults)
    if set(document) != {*KEYS, *PARTS}:
        expected = f"keys {', '.join((*KEYS, *PARTS))}"
        summary.faults.add(OPENING, None, "", ", ".join(document), expected, CODE)
        return
    head = {key: document[key] for key in KEYS}
    if told != head:
        summary.faults.add(SUMMARY, None, "opening", told, f"{head}, as {OPENING} has it", CODE)
    _check_head(document, summary)
    _check_lots(document, summary, case)


def _check_head(document: dict[str, Any], summary: Summary) -> None:
    """Ledger, row and hash are such."""
    forms = {
        "ledger": (_is_hex(document["ledger"], 32), "the ledger's id, 32 hexadecimal digits"),
        "n": (_is_amount(document["n"]) and document["n"] > 0, "the number of the ledger's last row"),
        "hash": (_is_hex(document["hash"], 64), "that row's hash, 64 hexadecimal digits"),
    }
    for key, (sound, expected) in forms.items():
        if not sound:
            summary.faults.add(OPENING, None, key, document[key], expected, CODE)


def _check_lots(document: dict[str, Any], summary: Summary, case: Case) -> None:
    """Each lot that the ledger opened has that quantity in the case; no lot of elsewhere stands there."""
    quantity = dict(zip(case.lots.text("lot"), case.lots.grid("quantity"), strict=True))
    for part in PARTS:
        amounts = document[part]
        if not isinstance(amounts, dict):
            expected = "a quantity in millionths for each lot"
            summary.faults.add(OPENING, None, part, amounts, expected, CODE)
            continue
        for lot, amount in amounts.items():
            there = quantity.get(lot)
            if not _is_amount(amount):
                expected = "a whole number of millionths"
            elif part == "elsewhere":
                expected = "" if there is None else "no such lot in the case"
            elif there is None:
                expected = "a lot of the case"
            else:
                expected = "" if there == amount else f"{int(there)} ({decimal_text(int(there))} in the case)"
            if expected:
                summary.faults.add(OPENING, None, f"{part}.{lot}", amount, expected, CODE)


def _is_hex(value: object, digits: int) -> bool:
    return isinstance(value, str) and len(value) == digits and _HEX.fullmatch(value) is not None


def _is_amount(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
