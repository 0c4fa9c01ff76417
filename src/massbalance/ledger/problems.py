"""What may go wrong with a ledger, as exceptions that carry faults and the exit code they mean."""

from __future__ import annotations

from collections.abc import Iterable

from massbalance.domain.faults import Fault


class LedgerError(Exception):
    """A ledger that could not do what was asked. `faults` tells all reasons; `exit_code` is the command's."""

    exit_code = 1

    def __init__(self, faults: Iterable[Fault] | Fault) -> None:
        self.faults: list[Fault] = [faults] if isinstance(faults, Fault) else list(faults)
        super().__init__("\n".join(fault.text() for fault in self.faults))


class LedgerMissing(LedgerError):
    """There is no ledger at the address, or the address is none (exit 2)."""

    exit_code = 2


class Refused(LedgerError):
    """What was to be recorded, or the database itself, is not what a ledger takes (exit 3)."""

    exit_code = 3


class Unverified(LedgerError):
    """A run that fails its own check, or is no longer the one that was checked (exit 6)."""

    exit_code = 6


class Conflict(LedgerError):
    """Stale, locked, drawn upon already, or another process was first (exit 7)."""

    exit_code = 7


class Tampered(LedgerError):
    """The ledger's content is not what was recorded (exit 8)."""

    exit_code = 8


def fault(
    expected: str,
    code: str,
    *,
    row: int | None = None,
    column: str = "",
    value: object = "",
    table: str = "ledger",
) -> Fault:
    """A fault of the ledger: row is the row's n, column one of the row's, value as it stands."""
    return Fault(table, row, column, str(value), expected, code)
