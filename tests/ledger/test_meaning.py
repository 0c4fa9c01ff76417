"""What rows must mean: each thing that a ledger could say wrongly is a fault, even under a sound chain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from massbalance.ledger import operations as ops
from massbalance.ledger.meaning import Claims, Emissions, Runs, Worth
from massbalance.ledger.posting import post
from massbalance.ledger.reversal import reverse
from massbalance.ledger.rows import Row, details_text
from massbalance.ledger.run_folder import key_of
from massbalance.ledger.store import Ledger
from tests.ledger.tiny import read

Change = Callable[[Row], Row | None]
CHECKS = {check.__name__: check for check in (Claims, Runs, Worth, Emissions)}


@pytest.fixture
def sound(book: Ledger, tiny_run: Path) -> list[Row]:
    """Rows of a ledger with a run, a reversal and an adjustment."""
    post(book, read(tiny_run))
    with book.writing() as writer:
        writer.journal("certificate")
        basis = writer.find("claim:O1:1")
        assert basis is not None
        writer.state(
            "certified", subject="O1", key="certificate:S", details={"serial": "S", "basis": basis.n}
        )
    reverse(book, key_of(tiny_run), ["O1"], "Q2", "returned")
    ops.adjust(book, "NEW", 11_000_000, "Q2", "weighed again")
    return list(book.rows())


def faults(name: str, rows: list[Row], change: Change) -> list[str]:
    """What a check tells of the rows, changed (None: left out)."""
    check, found = CHECKS[name](), []
    for row in rows:
        now = change(row)
        if now is not None and now.kind in check.kinds:
            found += list(check.row(now, now.facts()))
    return [fault.code for fault in [*found, *check.end(None)]]  # type: ignore[arg-type]


def same(row: Row) -> Row:
    return row


def told(kind: str, subject: str = "", **facts: object) -> Change:
    """Rows of a kind say something else."""

    def change(row: Row) -> Row:
        if row.kind != kind or (subject and row.subject != subject) or not facts.keys() <= row.facts().keys():
            return row
        return replace(row, details=details_text({**row.facts(), **facts}))

    return change


def more(kind: str, commodity: str) -> Change:
    """A movement of one millionth more."""

    def change(row: Row) -> Row:
        moved = row.kind == kind and row.commodity == commodity
        return replace(row, quantity=row.quantity + 1) if moved else row

    return change


def without(kind: str, subject: str = "") -> Change:
    """No such rows."""
    return lambda row: None if row.kind == kind and subject in ("", row.subject) else row


def keyed(key: str, other: str) -> Change:
    """A row under another key."""
    return lambda row: replace(row, key=other) if row.key == key else row


def held(commodity: str, amount: int) -> Change:
    """The commodity's last movement leaves another balance."""
    return lambda row: replace(row, held=amount) if row.commodity == commodity else row


def test_a_sound_ledger_has_no_fault(sound: list[Row]) -> None:
    assert [faults(name, sound, same) for name in CHECKS] == [[], [], [], []]


@pytest.mark.parametrize(
    ("check", "change"),
    [
        ("Claims", keyed("claim:O1:1", "claim:O1:2")),
        ("Claims", keyed("withdrawn:O1:1", "withdrawn:O1:2")),
        ("Claims", without("claim", "O1")),
        ("Claims", without("cancelled")),
        ("Claims", told("certified", basis=1)),
        ("Claims", told("withdrawn", claim=3)),
        ("Runs", without("claim", "O2")),
        ("Runs", told("claim", "O1", scope3_g=8_000_001)),
        ("Runs", told("claim", "O1", credited_g=1)),
        ("Runs", told("allocated", "O1", scope3_g=8_000_001)),
        ("Runs", more("allocated", "effect:OLD")),
        ("Runs", more("forgone", "effect:OLD")),
        ("Runs", more("expired", "effect:OLD")),
        ("Runs", more("retired", "effect:origin:WATT")),
        ("Runs", without("residual", "X")),
        ("Runs", told("residual", released_g=[0, 0, 18_000_001])),
        ("Runs", told("residual", allocated_g=[0, 0, 0])),
        ("Runs", told("residual", baseline_g=[1, 1, 1])),
        ("Runs", told("post", tco2e_g={})),
        ("Worth", held("effect:NEW", 65_999_999)),
        ("Worth", held("effect:NEW", 66_000_001)),
        ("Worth", held("effect:origin:WATT", 25_000_000)),
        ("Worth", without("lot", "NEW")),
        ("Emissions", told("correction", declared_gco2e=11_999_999)),
        ("Emissions", without("correction")),
        ("Emissions", told("residual", allocated_g=[1, 1, 1])),
        ("Emissions", told("reversal", retired_g=1)),
        ("Emissions", more("forgone", "effect:OLD")),
        ("Emissions", told("residual", released_g="much")),
    ],
)
def test_what_is_not_so_is_a_fault(sound: list[Row], check: str, change: Change) -> None:
    changed = [change(row) for row in sound]
    assert changed != sound, "nothing was changed"
    assert set(faults(check, sound, change)) <= {"ledger-meaning", "emissions_identity"}
    assert faults(check, sound, change)
