"""What a ledger says now: rules in force, periods, locks, lots and claims, read from its rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from massbalance.domain.rulemodel import Rules
from massbalance.ledger.lots import commodity_of, effect_of
from massbalance.ledger.reading import Reading
from massbalance.ledger.rows import Row

Json = dict[str, Any]


@dataclass(frozen=True)
class Period:
    """An accounting period as the ledger knows it; both days are in it."""

    name: str
    start: date
    end: date

    def details(self) -> Json:
        """As its fact says it."""
        return {"start": self.start.isoformat(), "end": self.end.isoformat()}


@dataclass(frozen=True)
class LotState:
    """A lot in the ledger.

    fact: what was recorded when it arrived; held: millionths now; reached: first day of the last period
    in which it moved, None where it never did.
    """

    lot: str
    fact: Mapping[str, Any]
    held: int
    reached: date | None

    @property
    def origin(self) -> str:
        """Its origin, "" where it has none."""
        return str(self.fact["row"].get("origin", ""))

    @property
    def effect(self) -> str:
        """The commodity of its effect."""
        return effect_of(self.lot, self.origin)


def rules_details(rules: Rules) -> Json:
    """The fact `rules`: the model, and its parameters after the case's overrides."""
    return {
        "id": rules.id,
        "version": rules.model.version,
        "sha256": rules.sha256,
        "overrides": dict(rules.overrides),
        "parameters": json.loads(rules.parameters.model_dump_json()),
    }


class State:
    """A ledger's state, each part read when it is first asked for. Read before anything is written."""

    def __init__(self, ledger: Reading) -> None:
        self.ledger = ledger

    @cached_property
    def ledger_id(self) -> str:
        """The ledger's id, from its first row."""
        return "".join(str(row.facts()["ledger"]) for row in self.ledger.rows(upto=1))

    @cached_property
    def rules(self) -> Json | None:
        """The rule model in force, None before the first."""
        found: Json | None = None
        for row in self.ledger.rows(kind="rules"):
            found = row.facts()
        return found

    @cached_property
    def periods(self) -> dict[str, Period]:
        """Every period by name, in time order."""
        found = []
        for row in self.ledger.rows(kind="period"):
            facts = row.facts()
            found.append(
                Period(row.period, date.fromisoformat(facts["start"]), date.fromisoformat(facts["end"]))
            )
        return {period.name: period for period in sorted(found, key=lambda p: p.start)}

    @cached_property
    def locked(self) -> frozenset[str]:
        """Names of the locked periods."""
        return frozenset(row.period for row in self.ledger.rows(kind="lock"))

    @cached_property
    def closed_through(self) -> date | None:
        """Last day of the last locked period: nothing is posted on or before it."""
        ends = [self.periods[name].end for name in self.locked if name in self.periods]
        return max(ends, default=None)

    def open_periods(self) -> list[Period]:
        """Periods into which may be posted, in time order."""
        through = self.closed_through
        return [p for p in self.periods.values() if through is None or p.start > through]

    @cached_property
    def holdings(self) -> dict[str, int]:
        """Lot -> millionths held, of every lot that ever moved."""
        cut = len(commodity_of(""))
        return {name[cut:]: held for name, held in self.ledger.balances(commodity_of("")).items()}

    @cached_property
    def effects(self) -> dict[str, int]:
        """Effect commodity -> g CO2e held, of every one that ever moved."""
        return dict(self.ledger.balances("effect:"))

    def lots(self, names: Iterable[str]) -> dict[str, LotState]:
        """The lots that the ledger knows of these, by name."""
        facts = self.ledger.find_all(f"lot:{name}" for name in names)
        return {row.subject: self._lot(row) for row in facts.values()}

    def lot(self, name: str) -> LotState | None:
        """One lot, None where the ledger does not know it."""
        return self.lots([name]).get(name)

    @cached_property
    def open_lots(self) -> dict[str, LotState]:
        """Every lot of which something is held, by name."""
        return self.lots(sorted(name for name, held in self.holdings.items() if held))

    @cached_property
    def lots_of_origin(self) -> dict[str, list[str]]:
        """Origin -> names of its lots."""
        found: dict[str, list[str]] = {}
        for row in self.ledger.rows(kind="lot"):
            origin = row.facts()["row"].get("origin", "")
            if origin:
                found.setdefault(origin, []).append(row.subject)
        return found

    def _lot(self, fact: Row) -> LotState:
        last = self.ledger.last(commodity_of(fact.subject))
        return LotState(
            fact.subject,
            fact.facts(),
            self.holdings.get(fact.subject, 0),
            self.periods[last.period].start if last is not None and last.period in self.periods else None,
        )

    def live(self, what: str, name: str, ended: str) -> tuple[Row | None, int]:
        """The live fact `what:NAME:k` and its k; None and the next k where there is none.

        A fact is live until `ended:NAME:k` was recorded.
        """
        k = 1
        while (row := self.ledger.find(f"{what}:{name}:{k}")) is not None:
            if self.ledger.find(f"{ended}:{name}:{k}") is None:
                return row, k
            k += 1
        return None, k

    def all_live(self, what: str, names: Iterable[str], ended: str) -> dict[str, tuple[Row | None, int]]:
        """As `live`, of many names at once."""
        found: dict[str, tuple[Row | None, int]] = {}
        left, k = list(names), 1
        while left:
            stated = self.ledger.find_all(f"{what}:{name}:{k}" for name in left)
            over = self.ledger.find_all(
                f"{ended}:{name}:{k}" for name in left if f"{what}:{name}:{k}" in stated
            )
            again = []
            for name in left:
                row = stated.get(f"{what}:{name}:{k}")
                if row is not None and f"{ended}:{name}:{k}" in over:
                    again.append(name)
                else:
                    found[name] = (row, k)
            left, k = again, k + 1
        return found
