"""What a writer refuses, and the time it tells."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from massbalance.ledger.location import file_url
from massbalance.ledger.problems import Conflict, Refused
from massbalance.ledger.rows import LARGEST
from massbalance.ledger.store import Ledger
from samples import START, Ticking, allocate, carry, fill, periods, receive, verify

# ---- what a row may not break ------------------------------------------------------------------------------


def move(quantity: object = 1, **more: object):
    values = {
        "period": "P2",
        "commodity": "lot:A",
        "debit": "held",
        "credit": "allocated",
        "quantity": quantity,
    }
    values |= {"kind": "allocated"} | more
    return lambda writer: writer.move(**values)


def opened_again(writer) -> None:
    writer.state("period", period="P4", key="period:P1")


@pytest.mark.parametrize(
    ("wrong", "kind", "code"),
    [
        (move(5 * 10**8 + 1), Conflict, "ledger-balance"),
        (move(-1), Refused, "ledger-quantity"),
        (move(2**63), Refused, "ledger-quantity"),
        (move(1.0), Refused, "ledger-quantity"),
        (move(True), Refused, "ledger-quantity"),
        (move("1"), Refused, "ledger-quantity"),
        (move(credit="held"), Refused, "ledger-accounts"),
        (move(debit="source"), Refused, "ledger-accounts"),
        (move(commodity="A"), Refused, "ledger-accounts"),
        (move(commodity="lots:A"), Refused, "ledger-accounts"),
        (move(kind="claim"), Refused, "ledger-accounts"),
        (move(kind="realised", debit="source", credit="held"), Refused, "ledger-accounts"),
        (move(kind="received", debit="source", credit="held", quantity=LARGEST), Refused, "ledger-quantity"),
        (move(kind="carried_over", credit="held"), Conflict, "ledger-balance"),
        (move(period=""), Refused, "ledger-period"),
        (move(period="P1"), Conflict, "ledger-locked"),
        (move(key="run:1"), Conflict, "ledger-key"),
        (move(key="a\nb"), Refused, "ledger-text"),
        (move(subject="\x00"), Refused, "ledger-text"),
        (move(subject="\ud800"), Refused, "ledger-text"),
        (move(details={"a": "\ud800"}), Refused, "ledger-text"),
        (lambda writer: writer.state("claim", key="claim:O2:0"), Conflict, "ledger-key"),
        (lambda writer: [writer.state("claim", key="twice") for _ in "12"], Conflict, "ledger-key"),
        (lambda writer: writer.state("wish"), Refused, "ledger-kind"),
        (lambda writer: writer.journal("wish"), Refused, "ledger-kind"),
        (
            lambda writer: writer.journal("assertion", details={"commodity": "lot:A", "quantity": 1}),
            Conflict,
            "ledger-assertion",
        ),
        (opened_again, Conflict, "ledger-key"),
    ],
)  # fmt: skip
def test_wrong_rows(ledger: Ledger, wrong, kind: type[Exception], code: str) -> None:
    fill(ledger)
    before = list(ledger.hashed_rows())
    with pytest.raises(kind) as refused, ledger.writing() as writer:  # noqa: PT012
        writer.journal("post")
        wrong(writer)
    assert refused.value.faults[0].code == code
    assert refused.value.faults[0].text()
    assert list(ledger.hashed_rows()) == before
    with ledger.writing() as writer:
        writer.journal("post")
        move()(writer)
    assert ledger.balance("lot:A") == 5 * 10**8 - 1


def test_floats_have_no_place(ledger: Ledger) -> None:
    with pytest.raises(TypeError), ledger.writing() as writer:
        writer.journal("post", details={"a": [{"b": 1.5}]})
    assert ledger.head().n == 1


def test_the_largest_quantity_comes_and_goes(ledger: Ledger) -> None:
    with ledger.writing() as writer:
        writer.journal("post")
        receive(writer, "A", LARGEST)
        carry(writer, "A", "P2")
        allocate(writer, "A", LARGEST, "P2")
        carry(writer, "A", "P3")
        receive(writer, "A", LARGEST, "P3")
    assert ledger.balance("lot:A") == LARGEST
    assert verify(ledger) == []


def test_a_lot_does_not_go_back(ledger: Ledger) -> None:
    with ledger.writing() as writer:
        writer.journal("post")
        periods(writer)
        receive(writer, "A", 10, "P1")
        carry(writer, "A", "P3")
        receive(writer, "B", 10, "P2")
    for lot, period in (("A", "P2"), ("A", "P1"), ("B", "P1")):
        with pytest.raises(Conflict) as refused, ledger.writing() as writer:  # noqa: PT012
            writer.journal("post")
            allocate(writer, lot, 1, period)
        assert refused.value.faults[0].code == "ledger-period-order"
    with ledger.writing() as writer:
        writer.journal("post")
        allocate(writer, "A", 1, "P3")
        carry(writer, "B", "P3")
    assert verify(ledger) == []


# ---- the clock ---------------------------------------------------------------------------------------------


def test_time_never_goes_back(ledger_url: str) -> None:
    moments = [
        START + timedelta(days=days, microseconds=999_999) for days in (0, 3, -400, 2, 4000, -9000, 4001)
    ]
    with Ledger.open(ledger_url, clock=lambda: moments[0]) as ledger:
        for moment in moments:
            with ledger.writing(lambda moment=moment: moment) as writer:
                writer.journal("intake")
                writer.journal("intake")
        times = [row.at for row in ledger.rows()]
        assert times == sorted(times)
        assert times[-1] == "2037-03-15T09:00:00Z"
        assert verify(ledger) == []


def test_any_zone_is_told_as_utc(ledger: Ledger) -> None:
    late = datetime(2099, 1, 1, 8, 30, tzinfo=timezone(timedelta(hours=9)))
    with ledger.writing(lambda: late) as writer:
        writer.journal("intake")
    assert ledger.head().at == "2098-12-31T23:30:00Z"
    with pytest.raises(ValueError, match="zone"), ledger.writing(lambda: datetime(2100, 1, 1)) as writer:
        writer.journal("intake")


def test_a_clock_that_goes_back_within_a_transaction(ledger_url: str) -> None:
    with Ledger.open(ledger_url, clock=lambda: START) as ledger:
        clock = Ticking()
        with ledger.writing(clock) as writer:
            writer.journal("intake")
            clock.time = datetime(1990, 1, 1, tzinfo=UTC)
            writer.journal("intake")
        assert verify(ledger) == []


def test_the_address_for_people(ledger: Ledger, ledger_url: str) -> None:
    if "://" not in ledger_url:
        assert ledger.place == ledger_url == ledger.url.database == file_url(Path(ledger_url)).database
    else:
        assert ledger.place.startswith("postgresql://")
