"""What happens to lots and periods beside runs: received, carried over, expired, corrected; locks and checks.

Corrections are new entries in an open period, never edits. Every operation tells all reasons against it
before anything is written, and is recorded with who proposed and who approved it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from hashlib import sha256

import numpy as np

from massbalance.domain.case import Case
from massbalance.domain.faults import Fault
from massbalance.domain.grid import decimal_text
from massbalance.domain.rulemodel import Rules
from massbalance.ledger.approval import Approval
from massbalance.ledger.drafts import Draft
from massbalance.ledger.journals import (
    Done,
    Plan,
    enter,
    group_worth,
    known_lot,
    known_period,
    operate,
    parameters_of,
)
from massbalance.ledger.lots import LotFacts, commodity_of, fact_faults, is_over, late_lot
from massbalance.ledger.movements import arrival
from massbalance.ledger.problems import Conflict, Refused, fault
from massbalance.ledger.signing import Signer
from massbalance.ledger.stale import case_periods, name_faults, origin_used, period_faults, rule_faults
from massbalance.ledger.state import LotState, Period, State, rules_details
from massbalance.ledger.store import Ledger


def receive(
    ledger: Ledger, case: Case, approval: Approval | None = None, *, signer: Signer | None = None
) -> Done:
    """Receive the case's lots that the ledger does not know yet, without a run (A4.2.1, A5.1.2A).

    A lot that becomes available after the case's last period waits for a later case. Nothing new: nothing
    happens. Conflict: other rules, dates or facts than the ledger's, or a locked period.
    """
    parameters = rules_details(case.rules)["parameters"]
    return operate(
        ledger, "intake", lambda state: _intake(state, case), approval, parameters=parameters, signer=signer
    )


def _intake(state: State, case: Case) -> Plan | None:
    facts = LotFacts(case)
    known = state.lots(facts.names)
    inside = facts.window.received < len(case.periods)
    new = [lot for lot in np.flatnonzero(inside).tolist() if facts.names[lot] not in known]
    periods = list(case.periods.text("period"))
    entry = {lot: periods[max(int(facts.window.received[lot]), 0)] for lot in new}
    found = [*rule_faults(state, case.rules), *period_faults(state, case, set(entry.values()))]
    found += [*name_faults(facts), *_other_facts(facts, known), *_used_origins(state, facts, new)]
    if found:
        raise Conflict(found)
    if not new:
        return None
    drafts = [] if state.rules else [Draft("rules", details=rules_details(case.rules))]
    for period in case_periods(case):
        if period.name not in state.periods:
            drafts += [Draft("period", period.name, key=f"period:{period.name}", details=period.details())]
    effects = _new_effects(state, facts, new)
    for period in periods:
        for lot in (lot for lot in new if entry[lot] == period):
            drafts += arrival(facts, lot, period, opening=bool(facts.window.received[lot] < 0))
            name = facts.effect(lot)
            if grams := effects.pop(name, 0):
                drafts.append(Draft("realised", period, name, "source", "held", grams))
    contents = {
        "rules.toml": case.rules.source_bytes,
        **{f"case/{table}.csv": text for table, text in case.content.items()},
    }  # fmt: skip
    names = [facts.names[lot] for lot in new]
    return Plan(
        "intake",
        {
            "name": case.name,
            "case_sha256": case.sha256,
            "lots": names,
            "files": {name: sha256(text).hexdigest() for name, text in contents.items()},
        },
        tuple(drafts),
        documents=tuple(contents.values()),
    )


def _new_effects(state: State, facts: LotFacts, new: list[int]) -> dict[str, int]:
    """Effect commodity -> what the new lots add to it, g CO2e: an origin is valued at its best measure."""
    unit = facts.effects.unit_value
    best: dict[str, int] = {}
    for lot in new:
        name, value = facts.effect(lot), int(unit.fraction(lot) * facts.quantity[lot])
        best[name] = max(best.get(name, 0), value)
    return {
        name: value - state.effects.get(name, 0)
        for name, value in best.items()
        if value > state.effects.get(name, 0)
    }


def _other_facts(facts: LotFacts, known: dict[str, LotState]) -> Iterator[Fault]:
    for lot, name in enumerate(facts.names):
        if name in known:
            row = int(facts.case.lots.source_row[lot])
            yield from fact_faults(name, known[name].fact, facts.of(lot), row)


def _used_origins(state: State, facts: LotFacts, new: list[int]) -> Iterator[Fault]:
    for lot in new:
        used = origin_used(state, facts.origins[lot]) if facts.origins[lot] else ""
        if used:
            row = int(facts.case.lots.source_row[lot])
            yield late_lot(facts.names[lot], facts.origins[lot], used, row)


def carry_over(
    ledger: Ledger,
    name: str,
    days: tuple[date, date] | None = None,
    approval: Approval | None = None,
    *,
    signer: Signer | None = None,
) -> Done:
    """Carry everything held over into a period (A5.1.3A).

    days: its first and last, for a period that the ledger does not know yet. Lots that are in it already
    stay; a lot in a later period stops it (Conflict).
    """
    return operate(ledger, "carry", lambda state: _carry(state, name, days), approval, signer=signer)


def _carry(state: State, name: str, days: tuple[date, date] | None) -> Plan | None:
    drafts: list[Draft] = []
    if name in state.periods or days is None:
        period = known_period(state, name)
        if days is not None and days != (period.start, period.end):
            words = f"{period.start} to {period.end}, as in the ledger"
            raise Conflict(fault(words, "A5.1.3A", column="period", value=f"{days[0]} to {days[1]}"))
    else:
        period = Period(name, *days)
        _check_new(state, period)
        drafts.append(Draft("period", name, key=f"period:{name}", details=period.details()))
    for lot in state.open_lots.values():
        drafts += enter(lot, period)
    return Plan("carry", {"into": name}, tuple(drafts), period=name) if drafts else None


def _check_new(state: State, period: Period) -> None:
    """A period that fits in among those of the ledger."""
    last = max((p.end for p in state.periods.values()), default=None)
    if period.end < period.start or (last is not None and period.start <= last):
        words = "a period that begins after those of the ledger, and ends not before it begins"
        raise Refused(fault(words, "A5.1.3A", column="period", value=f"{period.start} to {period.end}"))


def expire(
    ledger: Ledger, name: str, approval: Approval | None = None, *, signer: Signer | None = None
) -> Done:
    """Book as expired what no order after the end of a period may take any more (A5.1.3B, J5.2.3).

    These are the lots that expire on its last day or before, by the rule model in force. Their effect is
    released to nobody, since no run states it. Nothing expires: nothing happens.
    """
    return operate(ledger, "expiry", lambda state: _expiry(state, name), approval, signer=signer)


def _expiry(state: State, name: str) -> Plan | None:
    period, parameters = known_period(state, name), parameters_of(state)
    following = date.fromordinal(period.end.toordinal() + 1)
    over = [
        lot for lot in state.open_lots.values() if is_over(lot.fact["row"], parameters, following, following)
    ]
    drafts: list[Draft] = []
    for lot in over:
        drafts += enter(lot, period)
        drafts.append(
            Draft("expired", name, commodity_of(lot.lot), "held", "expired", lot.held, subject=lot.lot)
        )
    left = dict.fromkeys((lot.lot for lot in over), 0)
    for effect in sorted({lot.effect for lot in over}):
        held = state.effects.get(effect, 0)
        grams = held - group_worth(siblings(state, effect, over), left)
        if grams > 0:
            drafts.append(Draft("expired", name, effect, "held", "expired", grams))
    details = {"as_of": period.end.isoformat(), "lots": sorted(left)}
    return Plan("expiry", details, tuple(drafts), period=name) if drafts else None


def siblings(state: State, effect: str, lots: list[LotState]) -> list[LotState]:
    """The lots that share an effect, from the ledger: those of the origin, or the one lot."""
    mine = [lot for lot in lots if lot.effect == effect]
    if not mine[0].origin:
        return mine
    return list(state.lots(state.lots_of_origin[mine[0].origin]).values())


def lock(
    ledger: Ledger, name: str, approval: Approval | None = None, *, signer: Signer | None = None
) -> Done:
    """Lock a period, and every open one before it: nothing is posted into them any more (A5.1.3A)."""
    return operate(ledger, "lock", lambda state: _locks(state, name), approval, signer=signer)


def _locks(state: State, name: str) -> list[Plan]:
    if name in state.locked:
        return []
    last = known_period(state, name)
    return [
        Plan("lock", {"through": period.end.isoformat()}, period=period.name, key=f"lock:{period.name}")
        for period in state.open_periods()
        if period.start <= last.start and period.name not in state.locked
    ]


def assert_balance(
    ledger: Ledger,
    name: str,
    quantity: int,
    approval: Approval | None = None,
    *,
    signer: Signer | None = None,
) -> Done:
    """Record that a lot holds this quantity (millionths) now. Conflict where it does not."""

    def plan(state: State) -> Plan:
        lot = known_lot(state, name)
        if lot.held != quantity:
            words = f"{decimal_text(lot.held)} {lot.fact['row']['uom']}, the balance of lot {name}"
            raise Conflict(fault(words, "A4.2.1", column="quantity", value=decimal_text(quantity)))
        return Plan("assertion", {"commodity": commodity_of(name), "quantity": quantity}, subject=name)

    return operate(ledger, "assertion", plan, approval, signer=signer)


def adopt(
    ledger: Ledger, rules: Rules, approval: Approval | None = None, *, signer: Signer | None = None
) -> Done:
    """Bring a rule model, or other parameters of it, into force from now on; once.

    Where the model in force asks for four eyes, so does leaving it.
    """

    def plan(state: State) -> Plan | None:
        now = rules_details(rules)
        if state.rules == now:
            return None
        before = {k: v for k, v in (state.rules or {}).items() if k != "parameters"}
        return Plan(
            "adoption",
            {
                "id": rules.id, "version": rules.model.version, "before": before,
                "files": {"rules.toml": rules.sha256},
            },
            (Draft("rules", details=now),), documents=(rules.source_bytes,),
        )  # fmt: skip

    parameters = rules_details(rules)["parameters"]
    return operate(ledger, "adoption", plan, approval, parameters=parameters, signer=signer)


def adjust(
    ledger: Ledger,
    name: str,
    quantity: int,
    period: str,
    reason: str,
    approval: Approval | None = None,
    *,
    signer: Signer | None = None,
) -> Done:
    """Correct what was received of a lot, to `quantity` (millionths), by an entry in an open period.

    Conflict where more than that was used already, with the orders that used it, or where the lot's origin
    was used: what its siblings lost to it would no longer be right.
    """
    if quantity < 0:
        raise Refused(
            fault("a quantity of at least 0", "A4.2.1", column="quantity", value=decimal_text(quantity))
        )
    return operate(
        ledger, "adjustment", lambda state: _adjustment(state, name, quantity, period, reason), approval,
        signer=signer,
    )  # fmt: skip


def _adjustment(state: State, name: str, quantity: int, into: str, reason: str) -> Plan | None:
    lot, period = known_lot(state, name), known_period(state, into)
    before = received(state, lot)
    change = quantity - before
    if not change:
        return None
    if lot.held + change < 0:
        raise Conflict(list(_used_beyond(state, lot, quantity, before - lot.held)))
    if lot.origin and (used := origin_used(state, lot.origin)):
        words = f"a lot whose origin {lot.origin} is untouched: of its lots in the ledger, {used}"
        raise Conflict(fault(words, "A4.2.3", column="lot", value=name))
    drafts = [*enter(lot, period), _adjusted(into, commodity_of(name), change, name)]
    held = {name: lot.held + change}
    effect = group_worth(siblings(state, lot.effect, [lot]), held) - state.effects.get(lot.effect, 0)
    if effect:
        drafts.append(_adjusted(into, lot.effect, effect, name))
    details = {"lot": name, "reason": reason, "before": before, "after": quantity, "effect_g": effect}
    return Plan("adjustment", details, tuple(drafts), period=into, subject=name)


def received(state: State, lot: LotState) -> int:
    """What was received of a lot, with the corrections made since, in millionths."""
    moved = (row for row in state.ledger.rows(kind="adjusted") if row.commodity == commodity_of(lot.lot))
    return int(lot.fact["quantity"]) + sum(
        row.quantity if row.credit == "held" else -row.quantity for row in moved
    )


def _adjusted(period: str, commodity: str, change: int, lot: str) -> Draft:
    accounts = ("source", "held") if change > 0 else ("held", "source")
    return Draft("adjusted", period, commodity, *accounts, abs(change), subject=lot)


def _used_beyond(state: State, lot: LotState, quantity: int, used: int) -> Iterator[Fault]:
    """Who used the lot, where a correction would leave less than that."""
    uom = lot.fact["row"]["uom"]
    words = f"at least {decimal_text(used)} {uom}, which left lot {lot.lot} already"
    yield fault(words, "J5.3.1", column="quantity", value=decimal_text(quantity))
    orders: dict[str, int] = {}
    for row in state.ledger.rows(commodity=commodity_of(lot.lot), kinds=("allocated", "returned")):
        orders[row.subject] = orders.get(row.subject, 0) + (
            row.quantity if row.kind == "allocated" else -row.quantity
        )
    for order in sorted(order for order, drawn in orders.items() if drawn):
        words = f"an order whose claim is withdrawn: it drew {decimal_text(orders[order])} {uom}"
        yield fault(words, "J5.3.1", table="orders", column="order", value=order)
