"""Which rows of the ledger a pack shows, and which it gives by their digest only.

Shown: every journal that touches the periods, whole; the full history of every commodity that moves in
such a journal, and of its lots' effects; what is said later of its claims, residuals and certificates;
the rows that concern everybody (ledger, keys, periods, rules, locks, checkpoints); and the first row of
each journal of which some row is shown. Three passes over the ledger, so that only these are ever held.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from massbalance.ledger.reading import Reading
from massbalance.ledger.rows import Row

ALWAYS = frozenset({"open", "key", "period", "rules", "adoption", "lock", "signed", "checkpoint"})


class Selection:
    """The rows of a ledger that concern some periods. kept: the shown rows, in order."""

    def __init__(self, reading: Reading, periods: Sequence[str]) -> None:
        self.reading = reading
        self.periods = frozenset(periods)
        self.journals = self._touching()
        self.commodities, self.orders, self.residuals, self.facts = self._touched()
        self.serials = self._certified()
        self.kept = self._shown()

    def _touching(self) -> frozenset[int]:
        """Journals with a row in the periods."""
        found: set[int] = set()
        for period in self.periods:
            found |= {row.journal for row in self.reading.rows(period=period)}
        return frozenset(found)

    def _touched(
        self,
    ) -> tuple[frozenset[str], frozenset[str], frozenset[tuple[str, str]], frozenset[int]]:
        """Of these journals: commodities, orders, (product, period) of residuals; facts in the periods."""
        commodities: set[str] = set()
        orders: set[str] = set()
        residuals: set[tuple[str, str]] = set()
        facts: set[int] = set()
        for journal in self.journals:
            for row in self.reading.rows(journal=journal):
                if row.commodity:
                    commodities.add(row.commodity)
                elif row.kind == "claim":
                    orders.add(row.subject)
                elif row.kind == "residual":
                    residuals.add((row.subject, row.period))
                if row.kind in ("claim", "residual") and row.period in self.periods:
                    facts.add(row.n)
        for row in self.reading.rows(kind="lot"):
            if f"lot:{row.subject}" in commodities:
                origin = row.facts()["row"].get("origin")
                commodities.add(f"effect:origin:{origin}" if origin else f"effect:{row.subject}")
        return frozenset(commodities), frozenset(orders), frozenset(residuals), frozenset(facts)

    def _certified(self) -> frozenset[str]:
        """Serials of the documents that rest on claims and residuals in the periods."""
        found: set[str] = set()
        for row in self.reading.rows(kind="certified"):
            if row.facts()["basis"] in self.facts:
                found.add(row.key.removeprefix("certificate:"))
        return frozenset(found)

    def _shown(self) -> list[Row]:
        numbers: set[int] = set()
        headers: set[int] = set()
        for row in self.reading.rows():
            if self._concerns(row):
                numbers.add(row.n)
                headers.add(row.journal)
        numbers |= headers
        return [row for row in self.reading.rows() if row.n in numbers]

    def _concerns(self, row: Row) -> bool:
        if row.journal in self.journals or row.kind in ALWAYS or row.commodity in self.commodities:
            return True
        if row.kind == "lot":
            return f"lot:{row.subject}" in self.commodities
        if row.kind == "assertion":
            return row.facts().get("commodity") in self.commodities
        if row.kind in ("certified", "cancelled"):
            return row.key.partition(":")[2] in self.serials
        if row.kind in ("withdrawn", "correction") and row.subject not in self.orders:
            return (row.subject, row.facts().get("of_period")) in self.residuals
        return row.kind in ("claim", "withdrawn") and row.subject in self.orders

    def lines(self) -> Iterator[bytes]:
        """ledger/entries.txt, line by line."""
        shown = {row.n for row in self.kept}
        for row, digest in self.reading.hashed_rows():
            text = row.line() if row.n in shown else f"={row.digest().hex()}"
            yield f"{row.n}\t{digest}\t{text}\n".encode()
