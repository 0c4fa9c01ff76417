"""The book of reservations as a file: checked like a table, one spelling, one writer, never half written."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from massbalance.domain.faults import CaseRefused
from massbalance.quote import reservation_file
from massbalance.quote.reservation_file import BookConflict, writing
from massbalance.quote.reservations import (
    EXPIRED,
    IN_FORCE,
    LATER,
    ORDERED,
    RELEASED,
    Reservation,
    book_text,
    exact_text,
    next_name,
    read_reservations,
    released,
)

FIRST, LAST = date(2026, 5, 1), date(2026, 5, 31)
HEADER = (
    "reservation,customer,product,period,mass_t,claim,level,premium_per_t,schemes,made_on,until,"
    "released_on,order\n"
)


def one(name: str = "R-0001", **changes: object) -> Reservation:
    usual = {
        "name": name, "customer": "A, Ltd", "product": "bar", "period": "Q1", "mass": 2_500_001,
        "claim": "cfp", "level": Fraction("4.25"), "premium": Fraction(-1, 8), "schemes": ("ASI", "ISCC"),
        "made_on": FIRST,
        "until": LAST,
    }  # fmt: skip
    return Reservation(**{**usual, **changes})  # type: ignore[arg-type]


def refused(text: str, folder: Path) -> list[tuple[str, str]]:
    """Column and code of each fault of a book."""
    book = folder / "book.csv"
    book.write_text(text, encoding="utf-8")
    with pytest.raises(CaseRefused) as caught:
        read_reservations(book)
    return [(fault.column, fault.code) for fault in caught.value.faults]


def test_what_is_written_is_read_again_whatever_the_order_of_rows(tmp_path: Path) -> None:
    rows = (one(), one("R-0002", premium=None, schemes=()), one("R-10000", released_on=LAST, order="A-1"))
    book = tmp_path / "book.csv"
    book.write_text(book_text(rows[::-1]), encoding="utf-8")
    assert read_reservations(book) == rows
    assert book_text(rows) == book_text(rows[::-1]) == book.read_text(encoding="utf-8")
    assert book_text(rows).splitlines()[1] == (
        'R-0001,"A, Ltd",bar,Q1,2.500001,cfp,4.25,-0.125,ASI;ISCC,2026-05-01,2026-05-31,,'
    )
    assert read_reservations(tmp_path / "none.csv") == ()


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    rows = [
        "R-1,A,bar,Q1,1,green_share,1.5,,,2026-05-01,2026-05-31,,",
        "R-1,,bar,Q1,0,green,0.5,,,2026-05-01,2026-04-01,,",
        "R-2,A,bar,Q1,1.0000001,cfp,x,,,2026-05-01,2026-05-40,2026-04-01,A-1",
        "R-3,A,bar,Q1,1,cfp,4,,,2026-05-01,2026-05-31,,A-1",
    ]
    found = refused(HEADER + "\n".join(rows) + "\n", tmp_path)
    assert set(found) == {
        ("reservation", "duplicate_key"), ("level", "out_of_range"), ("customer", "empty_cell"),
        ("mass_t", "out_of_range"), ("claim", "unknown_word"), ("until", "reservation_dates"),
        ("level", "not_a_number"), ("until", "not_a_date"), ("released_on", "reservation_dates"),
        ("order", "reservation_dates"),
    }  # fmt: skip
    assert found.count(("mass_t", "out_of_range")) == 2


def test_columns_are_those_of_the_table(tmp_path: Path) -> None:
    found = refused(HEADER.replace("until", "untill"), tmp_path)
    assert ("untill", "unknown_column") in found
    assert ("until", "missing_column") in found
    assert refused("", tmp_path) == [("", "file")]


def test_what_it_is_on_a_day() -> None:
    days = (date(2026, 4, 30), FIRST, LAST, date(2026, 6, 1))
    assert [one().status(day) for day in days] == [LATER, IN_FORCE, IN_FORCE, EXPIRED]
    assert one(released_on=LAST).status(date(2026, 5, 30)) == IN_FORCE
    assert one(released_on=LAST).status(LAST) == RELEASED
    assert one(released_on=LAST, order="A-1").status(date(2026, 6, 1)) == ORDERED


def test_only_what_is_in_force_is_released() -> None:
    rows = (one(), one("R-0002"))
    after = released(rows, "R-0002", LAST, "A-9")
    assert after == (one(), one("R-0002", released_on=LAST, order="A-9"))
    for name, day in (("R-0002", LAST), ("R-0001", date(2026, 6, 1)), ("R-01", FIRST)):
        with pytest.raises(CaseRefused):
            released(after, name, day)


def test_names_and_figures() -> None:
    assert next_name([]) == "R-0001"
    assert next_name([one("R-0009"), one("mine"), one("R-12345")]) == "R-12346"
    assert [exact_text(v) for v in (None, Fraction(0), Fraction("0.400"), Fraction(11))] == [
        "",
        "0",
        "0.4",
        "11",
    ]


def test_as_an_order_it_is_firm() -> None:
    assert one(premium=None).order_row("A-7") == {
        "order": "A-7", "customer": "A, Ltd", "product": "bar", "period": "Q1", "mass_t": "2.500001",
        "claim": "cfp", "level": "4.25", "premium_per_t": "0", "firm": "true", "schemes": "ASI;ISCC",
    }  # fmt: skip


def test_what_breaks_off_leaves_the_book_as_it_was(tmp_path: Path) -> None:
    book = tmp_path / "book.csv"
    with writing(book) as writer:
        writer.write([one()])
    before = book.read_bytes()
    with pytest.raises(AttributeError), writing(book) as writer:
        writer.write([one(), None])  # type: ignore[list-item]
    assert book.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["book.csv", "book.csv.lock"]


def test_an_edit_behind_the_lock_is_not_overwritten(tmp_path: Path) -> None:
    book = tmp_path / "book.csv"
    with writing(book) as writer:
        book.write_text(book_text([one("R-0007")]), encoding="utf-8")
        with pytest.raises(BookConflict, match="changed"):
            writer.write([one()])
    assert [row.name for row in read_reservations(book)] == ["R-0007"]


def test_who_waits_too_long_is_told_and_a_killed_holder_holds_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = tmp_path / "book.csv"
    script = (
        "import sys, time\nfrom pathlib import Path\n"
        "from massbalance.quote.reservation_file import writing\n"
        "with writing(Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(60)\n"
    )
    holder = subprocess.Popen([sys.executable, "-c", script, str(book)], stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == b"held"
        monkeypatch.setattr(reservation_file, "PATIENCE_S", 0.2)
        said: list[str] = []
        with pytest.raises(BookConflict), writing(book, said.append):
            pass
        assert said == ["waiting for another who reserves in book.csv"]
    finally:
        holder.kill()
        holder.wait()
        if holder.stdout is not None:
            holder.stdout.close()
    with writing(book) as writer:
        writer.write([one()])
    assert read_reservations(book) == (one(),)
