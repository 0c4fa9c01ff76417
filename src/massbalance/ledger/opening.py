"""Opening balances from the ledger: a case in which every lot that the ledger knows is what is left of it.

The ledger's lots come into the case with their balance as quantity and with the displaced value fixed at
receipt, so that what they are worth is what the ledger holds (A4.2.1, A5.1.3A, J5.2.1). Lots that the
ledger does not know stay as the case gives them. Everything that stands against it is told at once.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from massbalance.domain.case import Case
from massbalance.domain.faults import Fault, in_order
from massbalance.domain.grid import decimal_text
from massbalance.domain.schema import TABLE_SPECS
from massbalance.intake.canonical import write_case
from massbalance.intake.read import read_case
from massbalance.ledger.lots import LotFacts, fact_faults, late_lot
from massbalance.ledger.problems import Conflict
from massbalance.ledger.stale import case_periods, period_faults
from massbalance.ledger.standing import Standing

LOT, PERIOD, ORIGIN = "A4.2.1", "A5.1.3A", "A4.2.3"

Texts = Mapping[str, str]
Tables = dict[str, dict[tuple[str, ...], Texts]]


@dataclass(frozen=True)
class Opened:
    """case: the derived case; document: of opening.json: ledger, n, hash, lots and elsewhere, the last
    two lot -> millionths (elsewhere: lots whose site the case does not have).
    """

    case: Case
    document: dict[str, Any]


def open_case(case: Case, standing: Standing, *, progress: Callable[[str], None] | None = None) -> Opened:
    """The case with the ledger's balances as its opening. Conflict: it and the ledger disagree.

    CaseRefused: what the ledger adds does not suit the case (a lot of a kind that the rules do not take).
    """
    draft = _Draft(case, standing)
    with tempfile.TemporaryDirectory(prefix="massbalance-") as name:
        folder = Path(name)
        write_case(case, folder)
        for table, rows in draft.tables().items():
            if rows or table in case.content:
                (folder / f"{table}.csv").write_bytes(_csv(table, [rows[key] for key in sorted(rows)]))
        derived = read_case(folder, rule_source=case.rules.source_bytes, progress=progress)
    faults = [*period_faults(standing, case), *not_following(case, standing)]
    faults += [*draft.lot_faults(derived), *draft.origin_faults()]
    if faults:
        raise Conflict(in_order(faults))
    return Opened(replace(derived, encodings=case.encodings), draft.document())


def not_following(case: Case, standing: Standing) -> Iterator[Fault]:
    """The fault of a case whose periods lie before the last that the ledger has posted."""
    names = set(case.periods.text("period"))
    posted = standing.posted - names
    later = [period for period in standing.periods.values() if period.name in posted]
    mine = case_periods(case)
    if later and mine and later[-1].start > mine[-1].end:
        row = int(case.periods.source_row[0])
        expected = f"periods after {later[-1].name}, which the ledger has posted"
        yield Fault("periods", row, "start", str(mine[0].start), expected, PERIOD)


class _Draft:
    """The tables of the derived case, as text, and what stands against them.

    listed: lots of the case that the ledger knows; added: lots with a balance that the case does not
    list, at sites that it has; elsewhere: those at other sites.
    """

    def __init__(self, case: Case, standing: Standing) -> None:
        self.case, self.standing = case, standing
        at = case.lots.position
        self.listed = [lot for lot in at if lot in standing.lots]
        others = [lot for lot in sorted(standing.lots) if lot not in at and standing.held(lot)]
        self.added = [lot for lot in others if self._of(lot, "site") in case.sites.position]
        self.elsewhere = [lot for lot in others if self._of(lot, "site") not in case.sites.position]

    def _of(self, lot: str, column: str) -> str:
        """A cell of the row that the ledger recorded."""
        return str(self.standing.lots[lot]["row"].get(column, ""))

    def _line(self, lot: str) -> int | None:
        """The lot's row in the case's file; None where the case does not list it."""
        at = self.case.lots.position.get(lot)
        return None if at is None else int(self.case.lots.source_row[at])

    # ---- the derived case ------------------------------------------------------------------------------

    def tables(self) -> Tables:
        """Rows of lots, composition and projects of the derived case, by key."""
        tables = {table: _rows(self.case, table) for table in ("lots", "composition", "projects")}
        lots = tables["lots"]
        for lot in (*self.listed, *self.added):
            lots[(lot,)] = self._opened(lots.get((lot,), self.standing.lots[lot]["row"]), lot)
            for row in self.standing.lots[lot]["projects"]:
                tables["projects"].setdefault((row["project"], row["computation_start"]), row)
        composition = tables["composition"]
        for lot in self.added:
            for row in self.standing.lots[lot]["composition"]:
                given = composition.get(
                    (lot, row["element"]), composition.get(self._of_category(lot, row), {})
                )
                if given.get("wt_pct") != row["wt_pct"]:
                    composition[lot, row["element"]] = {**row, "key": lot}
        return tables

    def _of_category(self, lot: str, row: Texts) -> tuple[str, str]:
        return self._of(lot, "category"), row["element"]

    def _opened(self, row: Texts, lot: str) -> Texts:
        """The lot's row with its balance, and with what it displaced when it was received."""
        displaced = str(self.standing.lots[lot]["displaced"])
        if displaced == "" and row["kind"] != "project":
            displaced = "0"  # nothing told what it displaced: it was worth nothing, and is worth nothing now
        quantity = decimal_text(self.standing.held(lot))
        return {**row, "quantity": quantity, "displaced_tco2e_per_uom": displaced}

    def document(self) -> dict[str, Any]:
        """The document of opening.json."""
        inside = sorted((*self.listed, *self.added))
        return {
            "ledger": self.standing.ledger,
            "n": self.standing.n,
            "hash": self.standing.hash,
            "lots": {lot: self.standing.held(lot) for lot in inside},
            "elsewhere": {lot: self.standing.held(lot) for lot in self.elsewhere},
        }

    # ---- what stands against it ------------------------------------------------------------------------

    def lot_faults(self, derived: Case) -> Iterator[Fault]:
        """Faults of lots of which the case says otherwise than the ledger recorded."""
        given, facts = self.case.lots.grid("quantity"), LotFacts(derived)
        for lot in self.listed:
            listed = int(given[self.case.lots.position[lot]])
            most = max(int(self.standing.lots[lot]["quantity"]), self.standing.held(lot))
            if listed > most:
                expected = (
                    f"at most {decimal_text(most)}, as received: a further delivery is a lot of its own"
                )
                yield Fault("lots", self._line(lot), "quantity", decimal_text(listed), expected, LOT)
        for lot in (*self.listed, *self.added):
            now = facts.of(derived.lots.position[lot])
            yield from fact_faults(lot, self.standing.lots[lot], now, self._line(lot))

    def origin_faults(self) -> Iterator[Fault]:
        """Faults of lots that would be used apart from others of their origin (A4.2.3)."""
        for lot, origin in zip(self.case.lots.position, self.case.lots.text("origin"), strict=True):
            if origin in self.standing.used and lot not in self.standing.lots:
                yield late_lot(lot, origin, self.standing.used[origin], self._line(lot))
        inside = dict(zip(self.case.lots.text("origin"), self.case.lots.position, strict=True))
        inside.update({self._of(lot, "origin"): lot for lot in self.added})
        for lot in self.elsewhere:
            other = inside.get(self._of(lot, "origin")) if self._of(lot, "origin") else None
            if other is not None:
                expected = f"the site of {lot} too, which shares its origin with {other}"
                yield Fault("sites", None, "site", self._of(lot, "site"), expected, ORIGIN)


def _rows(case: Case, table: str) -> dict[tuple[str, ...], Texts]:
    """The rows of a table in canonical text, by key."""
    text = io.StringIO(case.content.get(table, b"").decode("utf-8"), newline="")
    key = TABLE_SPECS[table].key
    return {tuple(row[column] for column in key): row for row in csv.DictReader(text, strict=True)}


def _csv(table: str, rows: Iterable[Texts]) -> bytes:
    """A table as CSV, with every column of the interface."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, TABLE_SPECS[table].columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("utf-8")
