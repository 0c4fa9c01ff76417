"""What a ledger holds at one of its rows: lots with their balances, and periods; read at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from massbalance.ledger.state import Period, State

if TYPE_CHECKING:
    from massbalance.ledger.store import Ledger


@dataclass(frozen=True)
class Standing:
    """A ledger as it stood after row n.

    ledger: its id; hash: that row's; lots: lot -> details of its fact `lot`; balances: lot -> what it
    holds, in millionths of its unit; periods: all that it knows, by name, in time order; closed_through:
    last day of the last locked period; used: origin -> what became of its lots, in words, where something
    did; posted: names of the periods of posted runs (lots may have been received in later ones).
    """

    ledger: str
    n: int
    hash: str
    lots: Mapping[str, Mapping[str, Any]]
    balances: Mapping[str, int]
    periods: Mapping[str, Period]
    closed_through: date | None
    used: Mapping[str, str]
    posted: frozenset[str] = frozenset()

    def held(self, lot: str) -> int:
        """What the lot holds, in millionths of its unit."""
        return self.balances.get(lot, 0)


def read_standing(ledger: Ledger) -> Standing:
    """The ledger as it stands: all of it from one moment, whatever others post meanwhile."""
    from massbalance.ledger.stale import origin_used

    with ledger.snapshot() as now:
        state, head = State(now), now.head()
        words = {origin: origin_used(state, origin) for origin in state.lots_of_origin}
        return Standing(
            ledger=now.id,
            n=head.n,
            hash=head.hash,
            lots={row.subject: row.facts() for row in now.rows(kind="lot")},
            balances=state.holdings,
            periods=state.periods,
            closed_through=state.closed_through,
            used={origin: used for origin, used in words.items() if used},
            posted=frozenset(name for row in now.rows(kind="post") for name in row.facts()["periods"]),
        )
