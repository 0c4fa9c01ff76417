"""A pack as its parts: the ledger's rows, the runs, what it says of itself."""

from __future__ import annotations

import csv
import io
import json
from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple

from massbalance.audit.alone.case import Case
from massbalance.audit.alone.entries import Entry, Extract
from massbalance.audit.alone.packed import PACK, Files

ENTRIES = "ledger/entries.txt"


class View:
    """A pack's files, read. KeyError, ValueError where a run is none."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self.pack: Dict[str, Any] = json.loads(files[PACK])
        self.periods: List[str] = list(self.pack["periods"])
        self.extract = Extract(files[ENTRIES])
        self.complete = self.extract.complete(self.periods)
        self._cases: Dict[str, Case] = {}
        self._withdrawn: Dict[str, Entry] = {}
        self._lots: Dict[str, Entry] = {}
        self._uses: Dict[Tuple[int, str], List[Entry]] = {}

    def posts(self) -> List[Entry]:
        """Headers of the posted runs that touch the pack's periods, in order."""
        return [row for row in self.extract.by_kind["post"] if row.n in self.complete]

    def run_files(self, post: Entry) -> Files:
        """The files of a posted run by their name in its folder."""
        folder = run_folder(str(post.details.get("run", "")))
        return {name[len(folder) :]: data for name, data in self.files.items() if name.startswith(folder)}

    def case(self, post: Entry) -> Case:
        """The case of a posted run."""
        key = str(post.details["run"])
        if key not in self._cases:
            self._cases[key] = Case(self.run_files(post))
        return self._cases[key]

    def claims(self) -> List[Entry]:
        """Claims of the pack's periods, in order."""
        return [row for row in self.extract.by_kind["claim"] if row.period in self.periods]

    def lot_rows(self) -> Dict[str, Entry]:
        """Lot -> the row that states it."""
        if not self._lots:
            self._lots = {row.subject: row for row in self.extract.by_kind["lot"]}
        return self._lots

    def withdrawal(self, row: Entry) -> Optional[Entry]:
        """The row that withdraws a claim or a residual; None where it stands."""
        if not self._withdrawn:
            self._withdrawn = {row.key: row for row in self.extract.by_kind["withdrawn"]}
        return self._withdrawn.get(
            "withdrawn:" + (row.key[len("claim:") :] if row.kind == "claim" else row.key)
        )

    def certificates(self) -> Dict[str, Entry]:
        """Serial -> the row that certifies it."""
        return {row.key[len("certificate:") :]: row for row in self.extract.by_kind["certified"]}

    def cancelled(self) -> Dict[str, Entry]:
        """Serial -> the row that cancels it."""
        return {row.key[len("cancelled:") :]: row for row in self.extract.by_kind["cancelled"]}

    def allocated(self, claim: Entry) -> List[Entry]:
        """The movements of lots to a claim's order, in the claim's journal."""
        if not self._uses:
            for row in self.extract.by_kind["allocated"]:
                if row.commodity.startswith("lot:"):
                    self._uses.setdefault((row.journal, row.subject), []).append(row)
        return self._uses.get((claim.journal, claim.subject), [])


def run_folder(key: str) -> str:
    """The folder of a run in the pack."""
    return f"runs/{key[:12]}/"


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """A CSV: UTF-8, line feeds, quotes only where they are needed."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode()
