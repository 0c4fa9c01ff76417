"""What people ask of a ledger: where it stands, balances, and the history of a lot or an order."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from massbalance.domain.grid import decimal_text
from massbalance.ledger.checkpoint import Checkpoint, latest, sign
from massbalance.ledger.lots import commodity_of, last_day
from massbalance.ledger.problems import Refused, fault
from massbalance.ledger.reading import Reading
from massbalance.ledger.rows import Row
from massbalance.ledger.signing import Signer
from massbalance.ledger.state import LotState, State
from massbalance.ledger.store import Ledger

Json = dict[str, Any]


def amount(millionths: int) -> Decimal:
    """Millionths of a unit as a decimal of the unit."""
    return Decimal(decimal_text(millionths))


def overview(ledger: Ledger) -> Json:
    """Head, rules in force, periods, and balances by kind and unit (quantities; held effects in t CO2e)."""
    with ledger.snapshot() as now:
        state, head, signed = State(now), now.head(), latest(now)
        first = next(now.rows(upto=1)).facts()
        kinds: dict[str, dict[str, int]] = {}
        for lot in state.open_lots.values():
            row = lot.fact["row"]
            held = kinds.setdefault(row["kind"], {})
            held[row["uom"]] = held.get(row["uom"], 0) + lot.held
        through = state.closed_through
        rules = state.rules
        return {
            "ledger": now.id,
            "place": ledger.place,
            "name": first.get("name", ""),
            "n": head.n,
            "hash": head.hash,
            "at": head.at,
            "checkpoint": None if signed is None else signed.n,
            "rules": None if rules is None else {k: rules[k] for k in ("id", "version", "sha256")},
            "open_periods": [{"period": p.name, **p.details()} for p in state.open_periods()],
            "locked_through": None if through is None else through.isoformat(),
            "open_lots": len(state.open_lots),
            "held": {
                kind: {uom: amount(q) for uom, q in sorted(held.items())}
                for kind, held in sorted(kinds.items())
            },
            "held_tco2e": amount(sum(state.effects.values())),
        }


def balances(ledger: Ledger, lot: str | None = None) -> list[Json]:
    """Every lot with a balance, or the one named (also without one). Refused: the ledger does not know it."""
    with ledger.snapshot() as now:
        state = State(now)
        if lot is None:
            found = list(state.open_lots.values())
        else:
            known = state.lot(lot)
            if known is None:
                raise Refused(fault("a lot of the ledger", "A4.2.1", column="lot", value=lot))
            found = [known]
        return [_balance(state, item) for item in found]


def _balance(state: State, lot: LotState) -> Json:
    row = lot.fact["row"]
    last = last_day(row, state.rules["parameters"]) if state.rules else None
    return {
        "lot": lot.lot,
        "kind": row["kind"],
        "category": row["category"],
        "balance": amount(lot.held),
        "uom": row["uom"],
        "expires": None if last is None else last.isoformat(),
        "origin": lot.origin,
        "held_tco2e": amount(state.effects.get(lot.effect, 0)),
    }


def history(reading: Reading, name: str) -> Iterator[Row]:
    """Every row about a lot (with its effect) or an order, in their order."""
    found = {row.n: row for row in reading.rows(subject=name)}
    lot = State(reading).lot(name)
    for commodity in () if lot is None else (commodity_of(name), lot.effect):
        found |= {row.n: row for row in reading.rows(commodity=commodity)}
    return (found[n] for n in sorted(found))


def signed_head(ledger: Ledger, signer: Signer | None = None) -> Checkpoint:
    """A checkpoint of the ledger as it is: the one that ends it, or a new one signed now."""
    signer = Signer.of(ledger.id) if signer is None else signer
    with ledger.writing() as writer:
        last = latest(writer)
        if last is not None and last.n + 1 == writer.head().n:
            return last
        writer.journal("checkpoint")
        return sign(writer, signer)
