"""All operations in any order against a dictionary of balances: conservation after every step.

The dictionary is moved by what a run's own tables say, and by plain rules for the other operations. Lots of
an origin (`mill`) block each other by shares; of them only conservation is asked.
"""

from __future__ import annotations

import csv
import json
import os
import tempfile
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from massbalance import records
from massbalance.certificates.issue import Wanted
from massbalance.domain.faults import CaseRefused
from massbalance.intake.read import read_case
from massbalance.ledger import operations
from massbalance.ledger.approval import Approval
from massbalance.ledger.chain import verify_ledger
from massbalance.ledger.checkpoint import Checkpoint
from massbalance.ledger.problems import LedgerError
from massbalance.ledger.run_folder import key_of
from massbalance.ledger.signing import ENVIRONMENT
from massbalance.ledger.store import Ledger
from tests.golden.tiny import QUARTERS
from tests.ledger_faults.invariants import accounts, claims, conserved, content
from tests.ledger_faults.material import LOTS, quarter

STEPS = st.sampled_from((0, 0, -1, 1))
"""To the quarter that the ledger is in, the one before, or the next."""
EXAMPLES = int(os.environ.get("MASSBALANCE_EXAMPLES", "25"))
SHARED = {"WIND", "MILL"}
UNIT = 10**6
NAMES = Approval("P. Roposer", "A. Pprover")


def lots_of(number: int) -> dict[str, dict[str, Any]]:
    """The lots that arrive in a quarter; from the second on one that lasts to the end of the next."""
    if number == 1:
        return LOTS
    start, end = QUARTERS[number - 1][0], QUARTERS[min(number, 3)][1]
    return {
        f"NEW{number}": {
            "quantity": 5, "green_share": 1, "intensity_tco2e_per_uom": 6, "displaced_tco2e_per_uom": 12,
            "received": start, "expires": end,
        }
    }  # fmt: skip


EXPIRES = {lot: row.get("expires", "") for n in range(1, 5) for lot, row in lots_of(n).items()}


class Operations(RuleBasedStateMachine):
    """One ledger, and what it should hold."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.place = Path(self.folder.name)
        os.environ[ENVIRONMENT] = str(self.place / "key.pem")
        self.file = self.place / "book.db"
        self.lots: dict[str, dict[str, int]] = {}
        self.posted: dict[str, Path] = {}
        self.live: set[str] = set()
        self.seen: set[int] = set()
        self.made = self.papers = 0
        self.approval = "one_person"
        self.waiting: Path | None = None
        self.points: list[Checkpoint] = []
        self.last: Callable[[], object] = lambda: None
        with Ledger.open(self.file):
            pass
        self.before = content(self.file)

    def teardown(self) -> None:
        """At the end every check of the ledger, and every checkpoint that was taken."""
        with Ledger.open(self.file, create=False) as ledger:
            assert verify_ledger(ledger, self.points) == []
        self.folder.cleanup()

    # ---- trying ---------------------------------------------------------------------------------------

    def attempt(self, act: Callable[[], object]) -> bool:
        """Do it; where it is refused, with reasons, nothing changed. Was it done?"""
        try:
            act()
        except (LedgerError, CaseRefused) as problem:
            refused = problem.faults[0].code
        else:
            refused = ""
        if refused:
            event(f"refused: {refused}")
            assert content(self.file) == self.before
            return False
        self.last = act
        return True

    def near(self, step: int) -> int:
        """A quarter by its distance from the last that the ledger knows."""
        return max(1, min(4, max(self.seen, default=1) + step))

    def at(self, lot: str) -> dict[str, int]:
        return self.lots.setdefault(
            lot, dict.fromkeys(("source", "held", "allocated", "blocked", "expired"), 0)
        )

    def move(self, lot: str, debit: str, credit: str, quantity: int) -> None:
        self.at(lot)[debit] -= quantity
        self.at(lot)[credit] += quantity

    def case(self, number: int, more: int, kind: str) -> Path:
        """A case of a quarter on disk."""
        self.made += 1
        case = quarter(number, f"{kind}{self.made}", more, lots_of(number))
        case = case.but(settings={"rules": {"id": "jaa-2026", "approval": self.approval}})
        written = case.write(self.place / f"case{self.made}")
        start, end = QUARTERS[number - 1]
        (written / "periods.csv").write_text(f"period,start,end\nQ{number},{start},{end}\n", encoding="utf-8")
        return written

    # ---- operations -----------------------------------------------------------------------------------

    @initialize(more=st.integers(0, 4))
    def begin(self, more: int) -> None:
        self.run_and_post(0, more, wait=False)

    @rule(more=st.integers(0, 4))
    def next_quarter(self, more: int) -> None:
        self.run_and_post(1, more, wait=False)

    @rule(step=st.sampled_from((0, 1, 1, 1)), more=st.integers(0, 4), wait=st.booleans())
    def run_and_post(self, step: int, more: int, wait: bool) -> None:
        number = self.near(step)
        case = self.case(number, more, "R")
        run = self.place / f"run{self.made}"
        if not self.attempt(lambda: records.run_from_ledger(case, run, self.file)):
            assert number <= max(self.seen, default=0)
            return
        self.waiting = run
        if not wait:
            self.post_waiting()

    @precondition(lambda self: self.waiting is not None)
    @rule()
    def post_waiting(self) -> None:
        run = self.waiting
        assert run is not None
        self.waiting = None
        opening = json.loads((run / "opening.json").read_text(encoding="utf-8"))
        known = set(self.lots)
        held = {lot: account["held"] for lot, account in self.lots.items() if account["held"]}
        if not self.attempt(lambda: self.post(run)):
            return
        event("posted")
        assert {lot: q for lot, q in opening["lots"].items() if q} == held
        self.seen.update(int(row["period"][1:]) for row in table(run, "residual.csv"))
        self.posted[key_of(run)] = run
        for row in table(run, "account.csv"):
            if row["lot"] not in known:
                self.move(row["lot"], "source", "held", grams(row["opening"]) + grams(row["received"]))
            for what in ("allocated", "blocked", "expired"):
                self.move(row["lot"], "held", what, grams(row[what]))
        self.live |= {row["order"] for row in table(run, "orders.csv") if grams(row["claimed_t"])}

    def post(self, run: Path) -> None:
        records.post_run(run, self.file, proposer=NAMES.proposer, approver=NAMES.approver)

    @precondition(lambda self: self.posted)
    @rule(data=st.data(), step=STEPS, whole=st.booleans())
    def reverse(self, data: st.DataObject, step: int, whole: bool) -> None:
        key = data.draw(st.sampled_from(sorted(self.posted)))
        run = self.posted[key]
        mine = sorted(row["order"] for row in table(run, "orders.csv") if grams(row["claimed_t"]))
        if not mine:
            return
        wanted = [] if whole else data.draw(st.lists(st.sampled_from(mine), min_size=1, unique=True))
        number = self.near(step)
        into = f"Q{number}"
        if not self.attempt(lambda: records.reverse_run(key, wanted, into, "wrong", self.file, NAMES)):
            return
        event("reversed")
        self.live_again(run, set(wanted or mine) & self.live, QUARTERS[number - 1][0])

    def live_again(self, run: Path, orders: set[str], start: str) -> None:
        """What the orders drew returns, or expires where it is over."""
        for row in table(run, "allocation.csv"):
            if row["order"] in orders:
                expires = EXPIRES[row["lot"]]
                back = "expired" if expires and expires < start else "held"
                self.move(row["lot"], "allocated", back, grams(row["quantity"]))
        self.live -= orders

    @rule(step=STEPS)
    def expire(self, step: int) -> None:
        number = self.near(step)
        if self.attempt(lambda: records.expire_lots(f"Q{number}", self.file, NAMES)):
            end = QUARTERS[number - 1][1]
            for lot in self.lots:
                if EXPIRES[lot] and EXPIRES[lot] <= end:
                    self.move(lot, "held", "expired", self.at(lot)["held"])

    @rule(step=STEPS)
    def lock(self, step: int) -> None:
        number = self.near(min(step, 0) - 1)
        if self.attempt(lambda: records.lock_period(f"Q{number}", self.file, NAMES)):
            event("locked")

    @rule(step=STEPS)
    def carry_over(self, step: int) -> None:
        number = self.near(step)
        days = tuple(date.fromisoformat(day) for day in QUARTERS[number - 1])
        if self.attempt(lambda: records.carry_over(f"Q{number}", self.file, NAMES, days=days)):  # type: ignore[arg-type]
            self.seen.add(number)

    @rule(step=STEPS)
    def receive(self, step: int) -> None:
        number = self.near(step)
        case = self.case(number, 0, "L")
        known = set(self.lots)
        if self.attempt(lambda: records.receive_lots(case, self.file, NAMES)):
            self.seen.add(number)
            for lot, row in lots_of(number).items():
                if lot not in known:
                    self.move(lot, "source", "held", grams(str(row["quantity"])))

    @precondition(lambda self: self.lots)
    @rule(data=st.data(), step=STEPS, quantity=st.integers(0, 40))
    def adjust(self, data: st.DataObject, step: int, quantity: int) -> None:
        lot = data.draw(st.sampled_from(sorted(self.lots)))
        into = f"Q{self.near(step)}"
        if self.attempt(lambda: records.adjust_lot(lot, str(quantity), into, "weighed", self.file, NAMES)):
            event("adjusted")
            self.move(lot, "source", "held", quantity * UNIT + self.at(lot)["source"])

    @precondition(lambda self: self.lots)
    @rule(data=st.data(), right=st.booleans())
    def assert_balance(self, data: st.DataObject, right: bool) -> None:
        lot = data.draw(st.sampled_from(sorted(set(self.lots) - SHARED)))
        quantity = self.at(lot)["held"] + (not right)
        done = self.attempt(lambda: self.with_ledger(operations.assert_balance, lot, quantity))
        assert done == right

    def with_ledger(self, operation: Callable[..., object], *arguments: object) -> None:
        with Ledger.open(self.file) as ledger:
            operation(ledger, *arguments, NAMES)

    @rule(four=st.booleans())
    def adopt(self, four: bool) -> None:
        self.approval = "four_eyes" if four else "one_person"
        rules = read_case(self.case(1, 0, "A")).rules
        assert self.attempt(lambda: self.with_ledger(operations.adopt, rules))

    @precondition(lambda self: self.live and self.papers < 2)
    @rule(data=st.data())
    def certificate(self, data: st.DataObject) -> None:
        order = data.draw(st.sampled_from(sorted(self.live)))
        key = next(
            key for key, run in self.posted.items() if order in (run / "orders.csv").read_text("utf-8")
        )
        wanted = Wanted(key, order=order, language="en", issued_on=date(2027, 4, 1))
        self.papers += 1
        assert self.attempt(lambda: records.issue_document(wanted, self.file))
        event("certified")

    @rule()
    def checkpoint(self) -> None:
        self.points.append(records.checkpoint(self.file)[0])

    @rule()
    def replay(self) -> None:
        """The last thing that was done, once more: refused or done before, it changes nothing."""
        if "assert_balance" in self.last.__code__.co_names:
            return  # said twice, it stands twice
        try:
            self.last()
        except (LedgerError, CaseRefused) as problem:
            event(f"replay refused: {problem.faults[0].code}")
        else:
            event("replayed")
        assert content(self.file) == self.before

    # ---- after every step ------------------------------------------------------------------------------

    @invariant()
    def nothing_is_lost(self) -> None:
        found = content(self.file)
        conserved(found)
        live = {order for order, count in claims(found).items() if count}
        assert live == self.live
        told = {name[4:]: account for name, account in accounts(found).items() if name.startswith("lot:")}
        for lot in SHARED & set(told):
            self.lots[lot] = {**self.at(lot), **told[lot]}
        for lot, account in self.lots.items():
            assert {k: v for k, v in account.items() if v} == {
                k: v for k, v in told.get(lot, {}).items() if v
            }, lot
        self.before = found


def table(run: Path, name: str) -> list[dict[str, str]]:
    with (run / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def grams(text: str) -> int:
    """Decimal text in millionths."""
    return int(Decimal(text) * UNIT)


@pytest.mark.slow
def test_all_operations_in_any_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, "")
    often = settings(
        max_examples=EXAMPLES, stateful_step_count=14, deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    run_state_machine_as_test(Operations, settings=often)
