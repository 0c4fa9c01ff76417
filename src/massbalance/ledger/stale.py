"""Is a run still about the ledger as it is? Every reason why not, before anything is posted (exit 7)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Protocol

import numpy as np

from massbalance.books.residual import Statement
from massbalance.domain.case import Case
from massbalance.domain.faults import Fault
from massbalance.domain.grid import decimal_text
from massbalance.domain.rulemodel import Rules
from massbalance.ledger.lots import LotFacts, fact_faults, late_lot
from massbalance.ledger.movements import Before, values
from massbalance.ledger.problems import fault
from massbalance.ledger.run_folder import OPENING, RunFolder
from massbalance.ledger.state import LotState, Period, State, rules_details

AGAIN = "run the case again with --ledger"


class Calendar(Protocol):
    """Periods, and how far they are locked: a `State`, or what was read of one."""

    @property
    def periods(self) -> Mapping[str, Period]:
        """Every period by name, in time order."""

    @property
    def closed_through(self) -> date | None:
        """Last day of the last locked period."""


def case_periods(case: Case) -> list[Period]:
    """The case's periods, in time order."""
    table = case.periods
    days = zip(table.text("period"), table.days("start").tolist(), table.days("end").tolist(), strict=True)
    return [Period(str(name), start, end) for name, start, end in days]


def before(state: State, run: RunFolder, books: Statement) -> Before:
    """What the ledger holds before the run. Reads only."""
    facts = LotFacts(run.case, books.effects, books.window)
    names = list(facts.names)
    claimed = _claimed(run)
    places = [(row["product"], row["period"]) for row in run.residual]
    residuals = state.all_live("residual", [f"{product}:{period}" for product, period in places], _GONE)
    claims = state.all_live("claim", claimed, "withdrawn")
    effects = [facts.effect(lot) for lot in range(len(names))]
    return Before(
        lots=state.lots(names),
        effects={name: state.effects.get(name, 0) for name in effects},
        waiting=frozenset(_waiting(state, facts)),
        periods=frozenset(state.periods),
        claims={order: k for order, (_, k) in claims.items()},
        residuals={place: residuals[f"{place[0]}:{place[1]}"][1] for place in places},
    )


_GONE = "withdrawn:residual"


def faults(state: State, run: RunFolder, books: Statement, known: Before) -> list[Fault]:
    """All reasons why the run cannot be posted."""
    facts = LotFacts(run.case, books.effects, books.window)
    found = [*status_faults(run), *rule_faults(state, run.case.rules), *period_faults(state, run.case)]
    if run.opening is not None:
        found += _opening_faults(state, run.case, run.opening)
    found += [*name_faults(facts), *_lot_faults(run, books, facts, known)]
    found += _effect_faults(books, facts, known)
    found += _missing_lots(state, run.case, facts)
    found += _origin_faults(state, books, facts, known)
    found += _claim_faults(state, run)
    return found


def status_faults(run: RunFolder) -> Iterator[Fault]:
    """Only an allocation that is final is posted."""
    if run.summary.get("status") not in ("optimal", "limit"):
        yield fault(
            "optimal or limit", "A6.2", table="summary.json", column="status", value=run.summary.get("status")
        )


def rule_faults(state: State, rules: Rules) -> Iterator[Fault]:
    """The rule model and its parameters are those in force."""
    if state.rules is None:
        return
    now, force = rules_details(rules), state.rules
    adopt = "as in force in the ledger; `massbalance ledger adopt` brings another into force"
    for name in ("id", "version", "sha256"):
        if now[name] != force[name]:
            yield fault(f"{force[name]}, {adopt}", "A6.2", table="rules", column=name, value=now[name])
    parameters = force["parameters"]
    for name in sorted({*parameters, *now["parameters"]}):
        mine, theirs = now["parameters"].get(name), parameters.get(name)
        if mine != theirs:
            yield fault(f"{_plain(theirs)}, {adopt}", "A6.2", table="rules", column=name, value=_plain(mine))


def name_faults(facts: LotFacts) -> Iterator[Fault]:
    """No lot's effect goes by the name of an origin's, no order's withdrawal by that of a residual's."""
    for lot, name in enumerate(facts.names):
        if name.startswith("origin:"):
            row = int(facts.case.lots.source_row[lot])
            yield fault("a lot's key that does not begin so", "A4.2.1", table="lots", row=row, value=name)
    orders = facts.case.orders
    for row, name in zip(orders.source_row.tolist(), orders.text("order"), strict=True):
        if name.startswith("residual:"):
            yield fault(
                "an order's key that does not begin so", "J5.3.3", table="orders", row=row, value=name
            )


def period_faults(state: Calendar, case: Case, used: set[str] | None = None) -> Iterator[Fault]:
    """Periods are open, have the dates that the ledger knows, and overlap none of another name.

    used: those that must be open, all unless told.
    """
    through = state.closed_through
    rows = case.periods.source_row
    for row, period in zip(rows.tolist(), case_periods(case), strict=True):
        here: dict[str, Any] = {"table": "periods", "row": row}
        known = state.periods.get(period.name)
        if known is not None and known != period:
            words = f"{known.start} to {known.end}, as in the ledger"
            yield fault(words, "A5.1.3A", **here, column="start", value=f"{period.start} to {period.end}")
        for other in state.periods.values() if known is None else ():
            if other.start <= period.end and period.start <= other.end:
                words = f"no overlap with {other.name}, {other.start} to {other.end}, of the ledger"
                yield fault(words, "A5.1.3A", **here, column="start", value=f"{period.start} to {period.end}")
        needed = used is None or period.name in used
        if needed and through is not None and period.start <= through:
            words = f"an open period: the ledger is locked through {through}"
            yield fault(words, "A5.1.3A", **here, column="period", value=period.name)


def _opening_faults(state: State, case: Case, opening: Mapping[str, Any]) -> Iterator[Fault]:
    """The opening balances were taken from this ledger, and are still what it holds.

    Lots `elsewhere`, at sites that the case does not have, may have moved since.
    """
    here: dict[str, Any] = {"table": OPENING}
    if opening.get("ledger") != state.ledger_id:
        words = f"{state.ledger_id}, the ledger that is posted to"
        yield fault(words, "A4.2.1", **here, column="ledger", value=opening.get("ledger"))
        return
    n = opening.get("n")
    hashes = [h for _, h in state.ledger.hashed_rows(after=n - 1, upto=n)] if type(n) is int and n > 0 else []
    if hashes != [opening.get("hash")]:
        words = f"the hash of the ledger's row {n}: {''.join(hashes) or 'there is none'}"
        yield fault(words, "A4.2.1", **here, column="hash", value=opening.get("hash"))
    said = {lot: q for lot, q in opening.get("lots", {}).items() if q}
    now = {name: lot.held for name, lot in state.open_lots.items() if name in said or _could_serve(lot, case)}
    for lot in sorted(said.keys() | now.keys()):
        if said.get(lot, 0) != now.get(lot, 0):
            words = f"{decimal_text(now.get(lot, 0))}, the ledger's balance now; {AGAIN}"
            yield fault(words, "J5.3.1", **here, column=f"lots.{lot}", value=_amount(said.get(lot, 0)))


def _lot_faults(run: RunFolder, books: Statement, facts: LotFacts, known: Before) -> Iterator[Fault]:
    """Known lots are what they were, have the balance that the run used, and stand in no later period."""
    inside = books.window.received < len(run.case.periods)
    starts = run.case.periods.days("start").tolist()
    for lot, name in enumerate(facts.names):
        state = known.lots.get(name)
        if state is None:
            continue
        here: dict[str, Any] = {"table": "lots", "row": int(run.case.lots.source_row[lot])}
        yield from fact_faults(name, state.fact, facts.of(lot), here["row"])
        if not inside[lot]:
            continue
        if facts.quantity[lot] != state.held:
            words = f"{decimal_text(state.held)}, the ledger's balance of lot {name}; {AGAIN}"
            yield fault(words, "J5.3.1", **here, column="quantity", value=_amount(facts.quantity[lot]))
        entered: date = starts[max(int(books.window.received[lot]), 0)]
        if state.held and state.reached is not None and state.reached > entered:
            words = f"periods from {state.reached} on, in which lot {name} stands in the ledger"
            yield fault(words, "A5.1.3A", **here, column="lot", value=f"used from {entered} on")


def _effect_faults(books: Statement, facts: LotFacts, known: Before) -> Iterator[Fault]:
    """The effect that the ledger holds of what it knows is what the run's books realise of it.

    Of an origin it may hold more, since balances of its lots are rounded down one by one; what a new lot
    of the origin adds is realised.
    """
    worth, same, whole = values(books, facts), set[str](), set[str]()
    for lot, name in enumerate(facts.names):
        state = known.lots.get(name)
        if state is None:
            whole.add(facts.effect(lot))
        elif facts.quantity[lot] == state.held:
            same.add(facts.effect(lot))
    for name in sorted(same - whole):
        held, now = known.effects.get(name, 0), worth.get(name, 0)
        if now > held or (now < held and name in worth and not name.startswith("effect:origin:")):
            words = f"{held} g CO2e, which the ledger holds of it"
            yield fault(words, "J5.3.1", table="lots", column=name, value=f"{now} g CO2e")


def _could_serve(lot: LotState, case: Case) -> bool:
    """Is the lot at a site of the case, and there by the end of its last period?"""
    periods, site = case_periods(case), lot.fact["row"]["site"]
    there = bool(periods) and (lot.reached is None or lot.reached <= periods[-1].end)
    return there and site in case.sites.position


def _missing_lots(state: State, case: Case, facts: LotFacts) -> Iterator[Fault]:
    """Every lot that the ledger holds something of, and that the run could have used, is in the case."""
    listed = set(facts.names)
    for name, lot in sorted(state.open_lots.items()):
        if name not in listed and _could_serve(lot, case):
            words = f"lot {name}, of which the ledger holds {decimal_text(lot.held)}; {AGAIN}"
            yield fault(words, "A4.2.1", table="lots", column="lot", value="not listed")


def _origin_faults(state: State, books: Statement, facts: LotFacts, known: Before) -> Iterator[Fault]:
    """A lot that arrives late measures nothing again that was used already (A4.2.3)."""
    inside = books.window.received < len(facts.case.periods)
    arriving: dict[str, list[int]] = {}
    for lot in np.flatnonzero(inside).tolist():
        if facts.origins[lot] and facts.names[lot] not in known.lots:
            arriving.setdefault(str(facts.origins[lot]), []).append(lot)
    for origin in sorted(arriving):
        used = origin_used(state, origin)
        for lot in arriving[origin] if used else ():
            yield late_lot(facts.names[lot], origin, used, int(facts.case.lots.source_row[lot]))
    left = books.account.allocated.sum(axis=1) + books.account.expired.sum(axis=1)
    drawn = {facts.effect(lot) for lot in np.flatnonzero(left).tolist()}
    for name in sorted(drawn & known.waiting):
        words = "a case that has all lots of an origin which it uses: the ledger holds others too"
        yield fault(words, "A4.2.3", table="lots", column="origin", value=name.removeprefix("effect:origin:"))


def _waiting(state: State, facts: LotFacts) -> Iterator[str]:
    """Effects of origins in the run's books of which the ledger holds a lot that is not in them."""
    inside = facts.window.received < len(facts.case.periods)
    mine: dict[str, set[str]] = {}
    for lot in np.flatnonzero(inside).tolist():
        if facts.origins[lot]:
            mine.setdefault(facts.origins[lot], set()).add(facts.names[lot])
    for origin in sorted(mine):
        others = set(state.lots_of_origin.get(origin, ())) - mine[origin]
        if any(state.holdings.get(name, 0) for name in others):
            yield f"effect:origin:{origin}"


def origin_used(state: State, origin: str) -> str:
    """What became of an origin's lots in the ledger already, in words; "" where they are untouched."""
    if origin not in state.lots_of_origin:
        return ""
    moved = {
        row.kind
        for row in state.ledger.rows(commodity=f"effect:origin:{origin}")
        if row.kind not in ("realised", "adjusted", "carried_over")
    }
    return f"some effect was {', '.join(sorted(moved))}" if moved else ""


def _claimed(run: RunFolder) -> list[str]:
    return [run.orders[at]["order"] for at in np.flatnonzero(run.allocation.claimed)]


def _claim_faults(state: State, run: RunFolder) -> Iterator[Fault]:
    """No order is claimed twice, and no residual stated twice."""
    numbers = {row["order"]: at for at, row in enumerate(run.orders, start=2)}
    for order, (live, _) in state.all_live("claim", _claimed(run), "withdrawn").items():
        if live is not None:
            words = f"an order without a claim (row {live.n}; `massbalance ledger reverse` withdraws it)"
            yield fault(words, "A4.2.3", table="orders.csv", row=numbers[order], column="order", value=order)
    places = {f"{row['product']}:{row['period']}": at for at, row in enumerate(run.residual, start=2)}
    for place, (live, _) in state.all_live("residual", places, _GONE).items():
        if live is not None:
            words = f"a product and period whose residual is not in the ledger (row {live.n})"
            yield fault(
                words, "J5.3.3", table="residual.csv", row=places[place], column="product", value=place
            )


def _amount(quantity: int) -> str:
    return decimal_text(quantity)


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
