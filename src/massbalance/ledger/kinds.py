"""The words of the ledger: kinds of rows, commodities and accounts (`data/README.md` explains each)."""

from __future__ import annotations

from massbalance.ledger.rows import HELD

OPEN = "open"
LOCK = "lock"
ASSERTION = "assertion"
PERIOD = "period"
KEY = "key"
SIGNED = "signed"

HEADERS = frozenset(
    {
        OPEN, "post", "intake", "carry", "reversal", "adjustment", "expiry", LOCK, ASSERTION, "adoption",
        "certificate", "cancellation", "checkpoint",
    }
)  # fmt: skip
"""First rows of a journal: what was posted together, and why."""

FACTS = frozenset(
    {
        KEY, PERIOD, ASSERTION, "rules", "lot", "claim", "residual", "withdrawn", "correction", "certified",
        "cancelled", SIGNED,
    }
)  # fmt: skip
"""Rows that state something and move nothing."""

SOURCE = "source"
"""The outside: its balance is what came in, with a minus. Every other account stays at or above zero."""

LOT = "lot:"
EFFECT = "effect:"

_IN = frozenset({(SOURCE, HELD)})
_LOT: dict[str, frozenset[tuple[str, str]]] = {
    "opening": _IN,
    "received": _IN,
    "carried_over": frozenset({(HELD, HELD)}),
    "allocated": frozenset({(HELD, "allocated")}),
    "blocked": frozenset({(HELD, "blocked")}),
    "unblocked": frozenset({("blocked", HELD), ("blocked", "expired")}),
    "expired": frozenset({(HELD, "expired")}),
    "returned": frozenset({("allocated", HELD), ("allocated", "expired")}),
    "adjusted": frozenset({(SOURCE, HELD), (HELD, SOURCE)}),
}
_EFFECT: dict[str, frozenset[tuple[str, str]]] = {
    "realised": _IN,
    "allocated": frozenset({(HELD, "allocated")}),
    "forgone": frozenset({(HELD, "forgone")}),
    "expired": frozenset({(HELD, "expired")}),
    "retired": frozenset({(HELD, "retired")}),
    "returned": frozenset(
        (out, back)
        for out in ("allocated", "forgone", "expired", "retired")
        for back in (HELD, "expired", "retired")
        if out != back
    ),
    "adjusted": frozenset({(SOURCE, HELD), (HELD, SOURCE)}),
}
MOVEMENTS = frozenset(_LOT) | frozenset(_EFFECT)
"""Rows that move a quantity of a commodity from one account to another."""


def _known() -> dict[tuple[str, str], frozenset[tuple[str, str]]]:
    return {(LOT, kind): pairs for kind, pairs in _LOT.items()} | {
        (EFFECT, kind): pairs for kind, pairs in _EFFECT.items()
    }


_PAIRS = _known()


def may_move(kind: str, commodity: str, debit: str, credit: str) -> bool:
    """Whether a movement of this kind may take the commodity from the account `debit` to `credit`."""
    family = commodity[: commodity.find(":") + 1]
    return (debit, credit) in _PAIRS.get((family, kind), ())
