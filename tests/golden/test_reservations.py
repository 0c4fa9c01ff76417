"""Reservations worked by hand: the last credits, who comes first, days, and cases that changed meanwhile."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from massbalance.quote.session import Session
from tests.golden.test_quote_examples import two_buyers
from tests.golden.tiny import Tiny, tiny

MAY, JUNE = date(2026, 5, 1), date(2026, 6, 1)
TERMS = {"product": "bar", "period": "Q1", "claim": "green_share", "level": 1}


def ten_tonnes() -> Tiny:
    """10 t of green ingot; `firm` has 6 t of it for certain."""
    return tiny(
        lots={"L": {"quantity": 10, "green_share": 1}},
        orders={"firm": {"mass_t": 6, "premium_per_t": 1, "firm": "true"}},
        production={("bar", "Q1"): 40},
    )


def session(case: Tiny, folder: Path, day: date = MAY, name: str = "case") -> Session:
    written = folder / name
    return Session(
        written if written.exists() else case.write(written), reservations=folder / "book.csv", as_of=day
    )


def reserved(asked: Session, customer: str, mass: float, until: str = "2026-05-31", **terms: Any) -> str:
    """The reservation's name, '' where there is none."""
    made, _ = asked.reserve(customer=customer, until=until, mass_t=mass, **{**TERMS, **terms})
    return made.name if made else ""


def feasible(asked: Session, mass: float = 10) -> float:
    return asked.quote(mass_t=mass, **TERMS).feasible_t


def short(asked: Session) -> list[tuple[str, float]]:
    quote = asked.quote(mass_t=1, **TERMS)
    assert quote.reserved is not None
    return [(kept.reservation.name, kept.short / 1e6) for kept in quote.reserved.kept if kept.short]


def test_two_customers_and_the_last_credits(tmp_path: Path) -> None:
    """Of 4 t that are free A holds 3; B may have the last one, in part, and then nobody anything."""
    asked = session(ten_tonnes(), tmp_path)
    assert feasible(asked) == pytest.approx(4)
    assert reserved(asked, "A", 3) == "R-0001"
    assert feasible(asked) == pytest.approx(1)
    assert reserved(asked, "B", 2) == ""
    assert feasible(asked) == pytest.approx(1)
    assert reserved(asked, "B", 2, part=True) == "R-0002"
    assert feasible(asked) == pytest.approx(0, abs=1e-9)
    assert reserved(asked, "C", 1, part=True) == ""
    assert short(asked) == []


def test_another_session_counts_what_was_written(tmp_path: Path) -> None:
    first, second = session(ten_tonnes(), tmp_path), session(ten_tonnes(), tmp_path)
    assert reserved(first, "A", 3) == "R-0001"
    assert feasible(second) == pytest.approx(1)
    assert reserved(second, "B", 1) == "R-0002"
    assert feasible(first) == pytest.approx(0, abs=1e-9)


def test_what_it_takes_from_others_is_taken_already(tmp_path: Path) -> None:
    """3 t reserved push `cheap` from 4 t to 1: two tonnes more cost that one and one of `dear`."""
    asked = session(two_buyers(), tmp_path)
    assert reserved(asked, "A", 3) == "R-0001"
    quote = asked.quote(mass_t=2, **TERMS)
    assert [(d.order, d.t) for d in quote.displaced] == [
        ("cheap", pytest.approx(1)), ("dear", pytest.approx(1)),
    ]  # fmt: skip
    assert quote.floor_premium_per_t == pytest.approx((4 + 9) / 2)
    assert asked.margin == pytest.approx(6 * 9 + 4)


def test_it_counts_until_its_last_day_and_until_it_is_released(tmp_path: Path) -> None:
    asked = session(ten_tonnes(), tmp_path)
    reserved(asked, "A", 3)
    days = {date(2026, 4, 30): 4, MAY: 1, date(2026, 5, 31): 1, JUNE: 4}
    found = {day: feasible(session(ten_tonnes(), tmp_path, day)) for day in days}
    assert found == {day: pytest.approx(mass) for day, mass in days.items()}
    done = session(ten_tonnes(), tmp_path, date(2026, 5, 10)).release("R-0001")
    assert done.released_on == date(2026, 5, 10)
    assert feasible(session(ten_tonnes(), tmp_path, date(2026, 5, 9))) == pytest.approx(1)
    assert feasible(session(ten_tonnes(), tmp_path, date(2026, 5, 10))) == pytest.approx(4)


def test_a_case_that_changed_tells_who_is_short(tmp_path: Path) -> None:
    """Of three reservations of 1, 2 and 1 t only 2.5 t can be kept: the first made is kept first."""
    asked = session(ten_tonnes(), tmp_path)
    assert [reserved(asked, who, mass) for who, mass in (("A", 1), ("B", 2), ("C", 1))][-1] == "R-0003"
    less = session(ten_tonnes().but(lots={"L": {"quantity": 8.5}}), tmp_path, name="less")
    assert short(less) == [("R-0002", pytest.approx(0.5)), ("R-0003", pytest.approx(1))]
    quote = less.quote(mass_t=1, **TERMS)
    assert quote.feasible_t == pytest.approx(0, abs=1e-9)
    assert any("R-0002 for B is 0.5 t short of 2 t" in note for note in quote.notes)
    assert quote.as_dict()["reservations"]["held_t"] == 2.5  # type: ignore[index]


def test_firm_orders_of_the_case_come_first(tmp_path: Path) -> None:
    """A firm order that came after the reservation still comes before it, and the quote says so."""
    asked = session(ten_tonnes(), tmp_path)
    reserved(asked, "A", 4)
    later = ten_tonnes().but(orders={"more": {"mass_t": 3, "firm": "true"}})
    assert short(session(later, tmp_path, name="later")) == [("R-0001", pytest.approx(3))]


def test_a_product_that_the_case_does_not_know_is_told(tmp_path: Path) -> None:
    asked = session(ten_tonnes().but(), tmp_path)
    reserved(asked, "A", 4)
    book = tmp_path / "book.csv"
    book.write_text(book.read_text(encoding="utf-8").replace(",bar,", ",rod,"), encoding="utf-8")
    quote = asked.quote(mass_t=4, **TERMS)
    assert quote.feasible_t == pytest.approx(4)
    assert any("R-0001" in note and "'rod'" in note for note in quote.notes)


def test_whole_orders_are_decided_with_it(tmp_path: Path) -> None:
    """Whole orders of 6 and 4 t share 10 t: 3 t reserved cost all of `cheap`, and leave 1 t idle."""
    case = two_buyers().but(orders={"cheap": {"mass_t": 4, "whole": "true"}, "dear": {"whole": "true"}})
    asked = session(case, tmp_path)
    assert reserved(asked, "A", 3) == "R-0001"
    quote = asked.quote(mass_t=1, **TERMS)
    assert (quote.answer.how, quote.floor_premium_per_t) == ("decided", 0)
    assert quote.displaced == ()
    quote = asked.quote(mass_t=2, **TERMS)
    assert quote.floor_premium_per_t == pytest.approx(54 / 2 - 16 / 2)
    assert [d.order for d in quote.displaced] == ["dear"]


def test_a_decided_case_tells_who_is_short(tmp_path: Path) -> None:
    """`dear` is firm and whole; of 2 t and 2 t reserved 2.5 t can be kept of 8.5."""
    case = two_buyers().but(orders={"cheap": {"whole": "true"}, "dear": {"whole": "true", "firm": "true"}})
    asked = session(case, tmp_path)
    assert [reserved(asked, who, 2) for who in "AB"] == ["R-0001", "R-0002"]
    less = session(case.but(lots={"L": {"quantity": 8.5}}), tmp_path, name="less")
    assert short(less) == [("R-0002", pytest.approx(1.5))]


def test_margin_first_keeps_it_too(tmp_path: Path) -> None:
    """`poor` is firm, but margin first leaves it 4 t, which it keeps; `rich` gives way to reservations."""
    case = tiny(
        goals=("margin", "firm_shortfall"),
        lots={"L": {"quantity": 10, "green_share": 1}},
        orders={
            "rich": {"mass_t": 6, "premium_per_t": 9},
            "poor": {"mass_t": 8, "premium_per_t": 4, "firm": "true"},
        },
        production={("bar", "Q1"): 40},
    )
    asked = session(case, tmp_path)
    assert reserved(asked, "A", 2) == "R-0001"
    quote = asked.quote(mass_t=6, **TERMS)
    assert quote.feasible_t == pytest.approx(4)
    assert quote.answer.floor_feasible == pytest.approx(9)


def test_room_that_a_whole_order_leaves(tmp_path: Path) -> None:
    """12 t firm and whole get none of 10 t, in parts they would have all of it: 3 t can be held, 7 more."""
    case = tiny(
        lots={"L": {"quantity": 10, "green_share": 1}},
        orders={"big": {"mass_t": 12, "premium_per_t": 1, "firm": "true", "whole": "true"}},
        production={("bar", "Q1"): 40},
    )
    asked = session(case, tmp_path)
    assert reserved(asked, "A", 3) == "R-0001"
    assert short(asked) == []
    quote = asked.quote(mass_t=8, **TERMS)
    assert quote.feasible_t == pytest.approx(7)
    assert quote.relaxation is not None
    assert quote.relaxation.feasible_t == pytest.approx(7)


def test_like_reservations_of_like_terms_stay_apart(tmp_path: Path) -> None:
    """Two of the same terms are one step of the model, and still two promises."""
    asked = session(ten_tonnes(), tmp_path)
    assert [reserved(asked, "A", 1.5), reserved(asked, "A", 1.5)] == ["R-0001", "R-0002"]
    assert feasible(asked) == pytest.approx(1)
    assert feasible(session(ten_tonnes(), tmp_path)) == pytest.approx(1)


def test_no_book_no_reservation(tmp_path: Path) -> None:
    asked = Session(ten_tonnes().write(tmp_path / "case"))
    with pytest.raises(ValueError, match="no book"):
        reserved(asked, "A", 1, until="2999-12-31")
    assert asked.quote(mass_t=1, **TERMS).as_dict()["reservations"] is None


def test_a_reservation_stands_among_the_limits_that_clash(tmp_path: Path) -> None:
    """Of 10 t, 6 t are promised and 3 t reserved for A: 2 t more clash with that reservation, too, and fit
    once it holds a tonne less.
    """
    asked = session(ten_tonnes(), tmp_path)
    assert reserved(asked, "A", 3) == "R-0001"
    quote = asked.quote(mass_t=2, **TERMS)
    assert "reservation R-0001" in " ".join(clash.words for clash in quote.conflict)
    words = [relaxation.words for relaxation in quote.relaxations]
    assert any("reservation R-0001" in text and "1 t less" in text for text in words)
    assert asked.quote(mass_t=1, **TERMS).conflict == ()
    of_book = [clash for clash in quote.conflict if "reservation" in clash.words]
    assert [(clash.words, clash.rows) for clash in of_book] == [
        ("promised to reservation R-0001 (A): 3.000 t", (("reservations", ("R-0001",), "mass_t"),))
    ]


def in_the_book(asked: Session, mass: float, book: Path) -> list[str]:
    """Words of the relaxations of a quote that give way in the book; each is tried there."""
    found = []
    for one in asked.quote(mass_t=mass, **TERMS).relaxations:
        edits = [edit for edit in one.edits if edit.table == "reservations"]
        if not edits:
            continue
        found.append(one.words)
        before = book.read_text(encoding="utf-8")
        header, *rows = [line.split(",") for line in before.splitlines()]
        for edit in edits:
            row = next(row for row in rows if row[0] == edit.key[0])
            assert row[header.index(edit.column)] == edit.old
            row[header.index(edit.column)] = edit.new
        changed = "".join(",".join(row) + "\n" for row in [header, *rows])
        book.write_text(changed, encoding="utf-8")
        assert feasible(asked, mass) == pytest.approx(mass)
        assert short(asked) == []
        book.write_text(before, encoding="utf-8")
    return found


def test_a_reservation_gives_way_in_the_book(tmp_path: Path) -> None:
    """Beside 6 t promised and 3 t reserved 2 t more fit if it holds a tonne less, 4 t if it is released."""
    asked, book = session(ten_tonnes(), tmp_path), tmp_path / "book.csv"
    assert reserved(asked, "A", 3) == "R-0001"
    assert in_the_book(asked, 2, book) == ["reservation R-0001 (A) gets 1 t less: 2 t in place of 3 t"]
    assert in_the_book(asked, 4, book) == ["reservation R-0001 (A) is released: it loses its 3 t"]


def test_with_the_margin_first_it_stands_in_the_way_too(tmp_path: Path) -> None:
    """A run would give a reservation, which has no premium, nothing; the book keeps its 3 t of 10."""
    case = tiny(
        goals=("margin", "firm_shortfall"),
        lots={"L": {"quantity": 10, "green_share": 1}},
        orders={
            "rich": {"mass_t": 6, "premium_per_t": 9},
            "poor": {"mass_t": 8, "premium_per_t": 4, "firm": "true"},
        },
        production={("bar", "Q1"): 40},
    )
    asked, book = session(case, tmp_path), tmp_path / "book.csv"
    assert reserved(asked, "A", 3) == "R-0001"
    quote = asked.quote(mass_t=5, **TERMS)
    assert quote.feasible_t == pytest.approx(3)
    kinds = [(clash.kind, clash.words.split(":")[0]) for clash in quote.conflict]
    assert ("promised", "promised to reservation R-0001 (A)") in kinds
    assert in_the_book(asked, 5, book) == ["reservation R-0001 (A) gets 2 t less: 1 t in place of 3 t"]
