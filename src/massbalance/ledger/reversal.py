"""Withdrawing claims of a posted run by new entries in an open period (A4.2.1, A4.2.3, J5.3.3).

What the orders drew returns: to `held`, or straight to `expired` where the lot is over by then. Its
effect returns, and with it what was forgone, so that the ledger again holds the value of what it holds.
Lots of an origin get back what the siblings' uses no longer block. What the withdrawn claims and the
released effects took from the declared emissions, conventional products declare on top in the open
period (`correction`). Certificates of the orders are cancelled in the same journal.

A whole run takes the residual of the period with it, so that a corrected run of that period can be
posted: of it nothing stays declared, and what had been released to conventional products and cannot be
taken back is retired. Its earlier periods keep their residual, with corrections: lots never go back to
them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from massbalance.ledger.approval import Approval
from massbalance.ledger.drafts import Draft
from massbalance.ledger.journals import Done, Plan, enter, known_period, operate, parameters_of, worth
from massbalance.ledger.lots import commodity_of, is_over
from massbalance.ledger.operations import received
from massbalance.ledger.problems import Conflict, Refused, fault
from massbalance.ledger.rows import Row
from massbalance.ledger.signing import Signer
from massbalance.ledger.state import LotState, Period, State
from massbalance.ledger.store import Ledger

SCOPES_G = ("scope1_g", "scope2_g", "scope3_g")


def reverse(
    ledger: Ledger,
    run: str,
    orders: Iterable[str],
    period: str,
    reason: str,
    approval: Approval | None = None,
    *,
    signer: Signer | None = None,
) -> Done:
    """Withdraw the claims of some orders of a posted run, or of all of them (no orders named).

    run: its key, or as much of its beginning as tells it apart, or the n of its journal. Withdrawn
    already: nothing happens. Refused: there is no such run or order; Conflict: the period is locked, or
    lots stand in a later one.
    """
    wanted = tuple(dict.fromkeys(orders))
    return operate(
        ledger, "reversal", lambda state: _Reversal(state, run, wanted, period, reason).plan(), approval,
        signer=signer,
    )  # fmt: skip


def find_post(state: State, run: str) -> Row:
    """The header of a posted run. Refused where there is none, or several begin so."""
    found = [
        row
        for row in state.ledger.rows(kind="post")
        if str(row.n) == run or (len(run) >= 6 and row.key.startswith(f"run:{run}"))
    ]
    if len(found) != 1:
        words = "a posted run: its folder, its key or the first 6 of it, or the number of its journal"
        raise Refused(fault(words, "A4.2.1", column="run", value=run))
    return found[0]


@dataclass
class _Effect:
    """What the withdrawn claims got of one effect, g CO2e.

    returned: that; clawed: of a lot without origin that lives, what its value grows by beyond that, claim
    by claim (0 for others); alive: does it return to `held`.
    """

    returned: int = 0
    clawed: list[tuple[Row, int]] = field(default_factory=list)
    alive: bool = True


class _Reversal:
    """One reversal, from the ledger's state."""

    def __init__(self, state: State, run: str, wanted: tuple[str, ...], into: str, reason: str) -> None:
        self.state, self.reason = state, reason
        self.header = find_post(state, run)
        self.period: Period = known_period(state, into)
        self.parameters: Mapping[str, Any] = parameters_of(state)
        self.claims = self._live(wanted)
        self.restated = into if not wanted and self._nothing_stays() else ""
        self.lots: dict[str, LotState] = {}
        self.held: dict[str, int] = {}
        self.drafts: list[Draft] = []
        self.gone: set[int] = set()
        self.released = 0
        self.corrections: dict[tuple[str, str], dict[str, Any]] = {}

    # ---- what is withdrawn ----------------------------------------------------------------------------

    def _live(self, wanted: tuple[str, ...]) -> dict[str, tuple[Row, int]]:
        """Order -> its claim that stands, and its k. Refused: an order that the run does not claim."""
        mine = {row.subject: row for row in self.state.ledger.rows(kind="claim", journal=self.header.n)}
        unknown = [order for order in wanted if order not in mine]
        if unknown:
            words = "an order with a claim of that run"
            raise Refused([fault(words, "A4.2.1", column="order", value=order) for order in unknown])
        names = wanted or tuple(mine)
        k = {name: int(mine[name].key.rpartition(":")[2]) for name in names}
        over = self.state.ledger.find_all(f"withdrawn:{name}:{k[name]}" for name in names)
        return {name: (mine[name], k[name]) for name in names if f"withdrawn:{name}:{k[name]}" not in over}

    def _nothing_stays(self) -> bool:
        """Is the period one of the run's, and was none of the run's claims in it withdrawn before?"""
        name = self.period.name
        rows = self.state.ledger.rows(kind="claim", journal=self.header.n)
        claims = [row.subject for row in rows if row.period == name]
        return name in self.header.facts()["periods"] and all(order in self.claims for order in claims)

    def plan(self) -> Plan | None:
        """The journal; None where everything is withdrawn already."""
        residuals = self._residuals() if self.restated else []
        if not self.claims and not residuals:
            return None
        taken = self._taken()
        self._enter(taken)
        effects = self._return_lots(taken)
        for name in sorted(effects):
            self._return_effect(name, effects[name])
        for order, (claim, k) in self.claims.items():
            self._withdraw(order, claim, k)
        self.drafts += residuals
        self._correct()
        self._cancel()
        return Plan("reversal", self._details(), tuple(self.drafts), period=self.period.name)

    def _details(self) -> dict[str, Any]:
        """whole: the residual of the period `restated` goes too; retired_g: released, and not taken back."""
        clawed = sum(
            entry["clawed_back_g"]
            for (_, of_period), entry in self.corrections.items()
            if of_period == self.restated
        )
        return {
            "run": self.header.facts()["run"], "post": self.header.n, "whole": bool(self.restated),
            "restated": self.restated, "reason": self.reason, "orders": sorted(self.claims),
            "retired_g": self.released - clawed,
        }  # fmt: skip

    # ---- lots -----------------------------------------------------------------------------------------

    def _taken(self) -> list[Row]:
        """What the withdrawn orders drew of lots, row by row."""
        rows = self.state.ledger.rows(kind="allocated", journal=self.header.n)
        taken = [row for row in rows if row.commodity.startswith("lot:") and row.subject in self.claims]
        names = {row.commodity.removeprefix("lot:") for row in taken}
        origins = {lot.origin for lot in self.state.lots(names).values() if lot.origin}
        for origin in origins:
            names.update(self.state.lots_of_origin[origin])
        self.lots = self.state.lots(sorted(names))
        self.held = {name: lot.held for name, lot in self.lots.items()}
        return taken

    def _enter(self, taken: list[Row]) -> None:
        """Carry over what the lots still hold, so that the period's account begins with it."""
        late = []
        for name in sorted(self.lots):
            try:
                self.drafts += enter(self.lots[name], self.period)
            except Conflict as conflict:
                late += conflict.faults
        if late:
            raise Conflict(late)

    def over(self, lot: LotState) -> bool:
        """Did the lot expire before the period?"""
        return is_over(lot.fact["row"], self.parameters, self.period.start, self.period.start)

    def _back(self, lot: LotState) -> str:
        return "expired" if self.over(lot) else "held"

    def _return_lots(self, taken: list[Row]) -> dict[str, _Effect]:
        """Quantities back to the lots; by effect, what of it the orders got."""
        effects, used = dict[str, _Effect](), dict[str, int]()
        for row in taken:
            lot, facts = self.lots[row.commodity.removeprefix("lot:")], row.facts()
            grams, back = sum(int(facts[scope]) for scope in SCOPES_G), self._back(lot)
            used[lot.lot] = used.get(lot.lot, 0) + row.quantity
            details = {"run": self.header.facts()["run"], **facts}
            self.drafts.append(
                Draft(
                    "returned",
                    self.period.name,
                    row.commodity,
                    "allocated",
                    back,
                    row.quantity,
                    subject=row.subject,
                    details=details,
                )
            )
            claim, clawed = self.claims[row.subject][0], 0
            if back == "held":
                before = self.held[lot.lot]
                self.held[lot.lot] += row.quantity
                # the value of what is held grows by at least what the order got of it
                clawed = 0 if lot.origin else worth(lot, self.held[lot.lot]) - worth(lot, before) - grams
            effect = effects.setdefault(lot.effect, _Effect(alive=back == "held"))
            effect.returned += grams
            effect.clawed.append((claim, clawed))
            self._declare(claim, grams, 0)
        for origin in sorted({self.lots[name].origin for name in used} - {""}):
            self._unblock(origin, used)
        return effects

    def _unblock(self, origin: str, used: Mapping[str, int]) -> None:
        """Give the origin's lots what the uses that are left no longer block (A4.2.3)."""
        lots = [self.lots[name] for name in self.state.lots_of_origin[origin]]
        size = {lot.lot: received(self.state, lot) for lot in lots}
        drawn, lost = {}, {}
        for lot in lots:
            moved = _sums(self.state.ledger.rows(commodity=commodity_of(lot.lot)))
            drawn[lot.lot] = moved.get("allocated", 0) - used.get(lot.lot, 0)
            lost[lot.lot] = moved.get("blocked", 0)
        share = sum((Fraction(drawn[name], size[name]) for name in size if size[name]), Fraction(0))
        for lot in lots:
            asked = -(-size[lot.lot] * share.numerator // share.denominator) - drawn[lot.lot]
            free = lost[lot.lot] - max(asked, 0)
            if free > 0:
                back = self._back(lot)
                name = commodity_of(lot.lot)
                self.drafts.append(
                    Draft("unblocked", self.period.name, name, "blocked", back, free, subject=lot.lot)
                )
                if back == "held":
                    self.held[lot.lot] += free

    # ---- effects --------------------------------------------------------------------------------------

    def _return_effect(self, name: str, effect: _Effect) -> None:
        """An effect back."""
        if name.startswith("effect:origin:"):
            self._return_origin(name, effect)
            return
        if not effect.alive:
            self._move("returned", name, "allocated", "expired", effect.returned)
            return
        self._move("returned", name, "allocated", "held", effect.returned)
        there = _sums(self.state.ledger.rows(commodity=name)).get("forgone", 0)
        asked = sum(grams for _, grams in effect.clawed)
        taken = self._claw(name, effect, min(asked, there))
        # rounding: a gram that no use ever forwent is worth realising now
        self._move("realised", name, "source", "held", asked - taken)

    def _return_origin(self, name: str, effect: _Effect) -> None:
        """The effect of an origin: what its lots that live hold is worth, the rest expires or is retired."""
        lots = [self.lots[lot] for lot in self.state.lots_of_origin[name.removeprefix("effect:origin:")]]
        alive = [lot for lot in lots if not self.over(lot)]
        if not alive:
            self._move("returned", name, "allocated", "expired", effect.returned)
            return
        sums = _sums(self.state.ledger.rows(commodity=name))
        value = max(worth(lot, self.held[lot.lot]) for lot in alive)
        missing = max(0, value - self.state.effects.get(name, 0))
        to_held = min(effect.returned, missing)
        self._move("returned", name, "allocated", "held", to_held)
        self._move("returned", name, "allocated", "retired", effect.returned - to_held)
        missing -= to_held
        effect.clawed[0] = effect.clawed[0][0], missing
        taken = self._claw(name, effect, min(missing, sums.get("forgone", 0)))
        back = min(missing - taken, sums.get("retired", 0))
        self._move("returned", name, "retired", "held", back)
        self._move("realised", name, "source", "held", missing - taken - back)

    def _claw(self, name: str, effect: _Effect, grams: int) -> int:
        """Take grams back from `forgone`, and let the products that the claims were on declare them."""
        self._move("returned", name, "forgone", "held", grams)
        left = grams
        for claim, most in effect.clawed:
            part = min(most, left)
            self._declare(claim, 0, part)
            left -= part
        return grams

    def _move(self, kind: str, name: str, debit: str, credit: str, grams: int) -> None:
        if grams:
            self.drafts.append(Draft(kind, self.period.name, name, debit, credit, grams))

    # ---- facts ----------------------------------------------------------------------------------------

    def _declare(self, claim: Row, returned: int, clawed: int) -> None:
        """Count what the conventional mass of a product must carry again."""
        place = claim.facts()["product"], claim.period
        entry = self.corrections.setdefault(place, {"returned_g": 0, "clawed_back_g": 0, "orders": {}})
        entry["returned_g"] += returned
        entry["clawed_back_g"] += clawed
        entry["orders"][claim.subject] = int(claim.facts()["claimed_g"])

    def _withdraw(self, order: str, claim: Row, k: int) -> None:
        facts = claim.facts()
        self._declare(claim, 0, 0)  # also a claim that needed no credit
        self.drafts.append(
            Draft(
                "withdrawn",
                self.period.name,
                subject=order,
                key=f"withdrawn:{order}:{k}",
                details={
                    "run": facts["run"],
                    "claim": claim.n,
                    "of_period": claim.period,
                    "product": facts["product"],
                    "claimed_g": facts["claimed_g"],
                    "reduction_g": sum(int(facts[scope]) for scope in SCOPES_G),
                    "reason": self.reason,
                },
            )
        )

    def _residuals(self) -> list[Draft]:
        """Withdrawals of the run's residual facts of the period that stand."""
        of_run = self.state.ledger.rows(kind="residual", journal=self.header.n)
        rows = [row for row in of_run if row.period == self.restated]
        over = self.state.ledger.find_all(f"withdrawn:{row.key}" for row in rows)
        drafts = []
        for row in (row for row in rows if f"withdrawn:{row.key}" not in over):
            self.gone.add(row.n)
            self.released += sum(row.facts()["released_g"])
            details = {
                "run": row.facts()["run"], "residual": row.n, "of_period": row.period, "reason": self.reason,
            }  # fmt: skip
            key = f"withdrawn:{row.key}"
            drafts.append(Draft("withdrawn", self.period.name, subject=row.subject, key=key, details=details))
        return drafts

    def _correct(self) -> None:
        stays = [item for item in sorted(self.corrections.items()) if item[0][1] != self.restated]
        for (product, of_period), entry in stays:
            orders = entry["orders"]
            details = {
                "run": self.header.facts()["run"], "of_period": of_period, "mass_g": sum(orders.values()),
                "returned_g": entry["returned_g"], "clawed_back_g": entry["clawed_back_g"],
                "declared_gco2e": entry["returned_g"] + entry["clawed_back_g"], "orders": sorted(orders),
            }  # fmt: skip
            self.drafts.append(Draft("correction", self.period.name, subject=product, details=details))

    def _cancel(self) -> None:
        """Cancel the certificates and statements that rest on what is withdrawn."""
        gone = {claim.n for claim, _ in self.claims.values()} | self.gone
        rows = [row for row in self.state.ledger.rows(kind="certified") if row.facts()["basis"] in gone]
        serials = {row.key.removeprefix("certificate:"): row for row in rows}
        over = self.state.ledger.find_all(f"cancelled:{serial}" for serial in serials)
        for serial, row in sorted(serials.items()):
            if f"cancelled:{serial}" not in over:
                details = {"serial": serial, "reason": self.reason, "replaced_by": ""}
                self.drafts.append(
                    Draft("cancelled", subject=row.subject, key=f"cancelled:{serial}", details=details)
                )


def _sums(rows: Iterable[Row]) -> dict[str, int]:
    """Balances of a commodity's accounts, without `source` and `held`."""
    sums: dict[str, int] = {}
    for row in rows:
        sums[row.credit] = sums.get(row.credit, 0) + row.quantity
        sums[row.debit] = sums.get(row.debit, 0) - row.quantity
    return sums
