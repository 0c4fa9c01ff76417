"""Where a session's reservations are looked up, made and released: a book in a file, on a day."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from massbalance.domain.case import Case
from massbalance.domain.faults import CaseRefused, Fault
from massbalance.domain.grid import GRID
from massbalance.intake.values import parse_date
from massbalance.quote.ask import Ask, read_ask
from massbalance.quote.reservation_file import Writer, content_of, writing
from massbalance.quote.reservations import (
    TABLE,
    Reservation,
    held_for,
    in_force,
    next_name,
    read_reservations,
    released,
)
from massbalance.quote.reserved import Counted, Ground, Layer

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Wanted:
    """What somebody wants held: terms, for whom, and the last day."""

    ask: Ask
    customer: str
    until: date


class Desk:
    """The reservations that a session counts. path: the book's file, None: there is none; as_of: the day,
    None: today, whenever asked.
    """

    def __init__(self, path: Path | None, as_of: date | None, layer: Layer, say: Progress) -> None:
        self.path, self.as_of, self.layer, self.say = path, as_of, layer, say
        self._read: bytes | None = None
        self._book: tuple[Reservation, ...] = ()
        self._counted: tuple[Reservation, ...] | None = None
        self._ground: Ground | None = None
        self.counted: Counted | None = None

    @property
    def day(self) -> date:
        """The day on which reservations are looked at."""
        return date.today() if self.as_of is None else self.as_of

    @property
    def gap(self) -> float:
        """Of the decisions made for reservations, relative."""
        return 0.0 if self._ground is None else self._ground.gap

    def upon(self, free: Ground) -> Ground:
        """The ground with all that is in force now upon it; what has not changed is not laid again."""
        if self.path is None:
            return free
        read = content_of(self.path)
        if read != self._read:
            self._book, self._read = read_reservations(self.path), read
        now = in_force(self._book, self.day)
        if now != self._counted or self._ground is None:
            self._ground, kept = self.layer.upon(free, now)
            self._counted, self.counted = now, Counted(self.day, kept)
        elif self.counted is not None and self.counted.as_of != self.day:
            self.counted = replace(self.counted, as_of=self.day)
        return self._ground

    def mass_of(self, ask: Ask) -> int:
        """What is reserved of a product in a period, g."""
        kept = () if self.counted is None else self.counted.kept
        same = (k for k in kept if (k.reservation.product, k.reservation.period) == (ask.product, ask.period))
        return sum(one.reservation.mass for one in same)

    def notes(self) -> list[str]:
        """What planners should know of reservations."""
        return [] if self.counted is None else self.counted.notes()

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        """The book, locked. ValueError where there is none."""
        if self.path is None:
            raise ValueError("the session has no book of reservations")
        with writing(self.path, self.say) as writer:
            yield writer

    def held(self, case: Case, customer: str, until: date | str, terms: Mapping[str, Any]) -> Wanted:
        """What somebody wants held. CaseRefused with every fault of it."""
        faults, ask = [], None
        try:
            ask = read_ask(case, **terms)
        except CaseRefused as refused:
            faults += refused.faults
        name = customer.strip()
        if not name or not name.isprintable():
            faults.append(
                _fault("customer", customer, "for whom it is held, without control characters", "text")
            )
        last = until if isinstance(until, date) else parse_date(until)
        if last is None:
            faults.append(_fault("until", str(until), "a date that exists, as YYYY-MM-DD", "not_a_date"))
        elif last < self.day:
            words = f"a day not before {self.day}, when it is made"
            faults.append(_fault("until", str(until), words, "reservation_dates"))
        if faults or ask is None or last is None:
            raise CaseRefused(faults)
        return Wanted(ask, name, last)

    def record(self, writer: Writer, wanted: Wanted, feasible_t: float, *, part: bool) -> Reservation | None:
        """Write a reservation of what is feasible; None where that is not all, unless a part will do."""
        newest = max((one.made_on for one in writer.rows), default=self.day)
        if newest > self.day:
            words = f"a day not before {newest}, when the last one of the book was made"
            raise CaseRefused([_fault("as_of", str(self.day), words, "reservation_dates")])
        mass = min(wanted.ask.mass, round(feasible_t * GRID))
        if mass == 0 or (mass < wanted.ask.mass and not part):
            return None
        ask = replace(wanted.ask, mass=mass)
        made = held_for(ask, next_name(writer.rows), wanted.customer, (self.day, wanted.until))
        writer.write((*writer.rows, made))
        return made


def release_in(writer: Writer, name: str, day: date, order: str = "") -> Reservation:
    """Release a reservation from a day on; what it is then. CaseRefused where it is not in force."""
    rows = released(writer.rows, name, day, order.strip())
    writer.write(rows)
    return next(one for one in rows if one.name == name)


def release(
    path: Path, name: str, day: date, order: str = "", *, progress: Progress | None = None
) -> Reservation:
    """The same in the book of a file. BookConflict where it is not to be had."""
    with writing(path, progress) as writer:
        return release_in(writer, name, day, order)


def _fault(column: str, value: str, expected: str, code: str) -> Fault:
    return Fault(TABLE, None, column, value, expected, code)
