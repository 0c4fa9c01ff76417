"""Random cases cut in two by period: one part run and posted, the other run from what is left, and posted.

No lot gives more over both parts than it had, every lot's books join, what expired is gone, and what is
carried is worth what it was. Every run verifies itself.
"""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from massbalance.api import Provenance, run_case
from massbalance.domain.case import Case
from massbalance.domain.effects import Effects, windows
from massbalance.domain.faults import CaseRefused
from massbalance.intake.read import read_case
from massbalance.ledger.opening import open_case
from massbalance.ledger.problems import Conflict
from massbalance.ledger.standing import Standing, read_standing
from massbalance.ledger.store import Ledger
from massbalance.records import post_run
from random_cases import write_random_case
from tests.unit.standings import EMPTY, case_of, moves, posted

SEEDS = range(24)
BY_PERIOD = ("periods", "production", "orders")


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as opened:
        return list(csv.DictReader(opened))


def cut(folder: Path, out: Path, periods: list[str], without: set[str]) -> Path:
    """The case of some periods, without some lots."""
    out.mkdir()
    (out / "case.toml").write_bytes((folder / "case.toml").read_bytes())
    kept: set[str] = set()
    for file in sorted(folder.glob("*.csv"), key=lambda f: f.stem == "offers"):  # offers follow their orders
        found = rows(file)
        header = file.read_text(encoding="utf-8-sig").splitlines()[0].split(",")
        if file.stem in BY_PERIOD:
            found = [row for row in found if row["period"] in periods]
        if file.stem == "orders":
            kept = {row["order"] for row in found}
        if file.stem == "offers":
            found = [row for row in found if row["order"] in kept]
        if file.stem == "lots":
            found = [row for row in found if row["lot"] not in without]
        with (out / file.name).open("w", encoding="utf-8", newline="") as opened:
            writer = csv.DictWriter(opened, header, lineterminator="\n")
            writer.writeheader()
            writer.writerows(found)
    return out


@pytest.mark.parametrize("mip", [False, True], ids=["lp", "mip"])
@pytest.mark.parametrize("seed", SEEDS)
def test_two_parts_use_no_lot_twice(
    seed: int, mip: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASSBALANCE_KEY", str(tmp_path / "key.pem"))
    write_random_case(tmp_path / "whole", seed, mip=mip)
    whole = read_case(tmp_path / "whole")
    periods = list(whole.periods.text("period"))
    if len(periods) < 2:
        pytest.skip("one period")
    at = 1 + seed % (len(periods) - 1)
    try:
        read_case(cut(tmp_path / "whole", tmp_path / "case-1", periods[:at], set()))
        first = run_case(tmp_path / "case-1", tmp_path / "run-1").out
    except CaseRefused:
        pytest.skip("the first part is no valid case")
    standing = after_posting(first, tmp_path / "ledger.db")
    known = sorted(standing.lots)
    unlisted = {lot for i, lot in enumerate(known) if (seed + i) % 3 == 0}
    try:
        second_case = read_case(cut(tmp_path / "whole", tmp_path / "case-2", periods[at:], unlisted))
    except CaseRefused:
        pytest.skip("the second part is no valid case")
    origins = dict(zip(second_case.lots.text("lot"), second_case.lots.text("origin"), strict=True))
    late = {lot for lot, origin in origins.items() if origin in standing.used and lot not in standing.lots}
    if late:  # new lots of origins that were used: refused, and the case runs without them
        with pytest.raises(Conflict) as refused:
            open_case(second_case, standing)
        assert {fault.value for fault in refused.value.faults} == late
        second_case = read_case(cut(tmp_path / "whole", tmp_path / "case-3", periods[at:], unlisted | late))
    found = open_case(second_case, standing)
    second = run_case(found.case, tmp_path / "run-2", provenance=Provenance(opening=found.document)).out
    after_posting(second, tmp_path / "ledger.db", standing)
    check(whole, first, second)


def after_posting(run: Path, file: Path, before: Standing = EMPTY) -> Standing:
    """The ledger after the run was posted: it holds what the run's account closes with, and its worth."""
    post_run(run, file)
    with Ledger.open(file, create=False) as ledger:
        found, effects = read_standing(ledger), ledger.balances("effect:")
    expected = posted(run, before)
    held = {lot: amount for lot, amount in expected.balances.items() if amount}
    assert {lot: amount for lot, amount in found.balances.items() if amount} == held
    assert (found.lots, found.periods) == (expected.lots, expected.periods)
    for lot, fact in found.lots.items():
        if not fact["row"].get("origin"):
            worth = int(Fraction(fact["unit_value"]) * found.held(lot))
            assert effects.get(f"effect:{lot}", 0) == worth, lot
    return found


def check(whole: Case, first: Path, second: Path) -> None:
    """The books of both runs, lot by lot and origin by origin."""
    before, after = moves(first), moves(second)
    quantity = dict(zip(whole.lots.text("lot"), map(int, whole.lots.grid("quantity")), strict=True))
    cases = case_of(first), case_of(second)
    entered = set(np.array(cases[0].lots.text("lot"))[windows(cases[0]).received < len(cases[0].periods)])
    none = dict.fromkeys(("opening", "received", "allocated", "blocked", "expired", "closing"), 0)
    shares: dict[str, Fraction] = {}
    for lot, origin in zip(whole.lots.text("lot"), whole.lots.text("origin"), strict=True):
        one, two = before.get(lot, none), after.get(lot, none)
        if lot in entered:
            assert two["opening"] == one["closing"], lot
            assert two["received"] == 0
        gone = sum(run[move] for run in (one, two) for move in ("allocated", "blocked", "expired"))
        came = quantity[lot] if lot in entered else two["opening"] + two["received"]  # 0: not in the books
        assert came == gone + two["closing"], lot
        if quantity[lot]:
            share = Fraction(one["allocated"] + two["allocated"], quantity[lot])
            shares[origin or lot] = shares.get(origin or lot, Fraction(0)) + share
    assert all(share <= 1 for share in shares.values())
    if not shares.keys() - quantity.keys():  # no origins: each lot's value is its own
        carried(cases[0], cases[1], first, second, entered)


def carried(case: Case, then: Case, first: Path, second: Path, entered: set[str]) -> None:
    """What the first part holds, in g CO2e, is what the second begins with, beside what it received."""
    worth, now = Effects(case).unit_value, Effects(then).unit_value
    closing, new = moves(first), 0
    for at, lot in enumerate(then.lots.text("lot")):
        value = int(now.fraction(at) * int(then.lots.grid("quantity")[at]))
        if lot in entered:
            assert value == int(worth.fraction(case.lots.position[lot]) * closing[lot]["closing"]), lot
        elif windows(then).received[at] < len(then.periods):
            new += value
    held, realised = (
        int(json.loads((run / "summary.json").read_text(), parse_float=Decimal)["tco2e"][name] * 10**6)
        for run, name in ((first, "held"), (second, "realised"))
    )
    assert realised == held + new
