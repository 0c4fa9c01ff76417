"""A clashing limit in a planner's words: what it is, the rows of tables it stands on, clause and label."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from massbalance.quote.promise import (
    ALLOY,
    CREDITS,
    ELEMENT,
    LEVEL,
    MASS,
    ORIGIN,
    PROMISED,
    SCOPE,
    Key,
    Promise,
)
from massbalance.quote.sources import (
    ARRIVAL,
    BOUNDARY,
    CARRY_OVER,
    ENERGY,
    EXPIRY,
    GAS,
    SCHEMES,
    UNLISTED,
)
from massbalance.quote.words import NAMED

CODES = {
    CREDITS: (("A4.2.1", "J5.3.1"), "C1"),
    ORIGIN: (("A4.2.3", "J4.4"), "C2"),
    ARRIVAL: (("A5.1.2A", "J5.2.1"), "C3"),
    EXPIRY: (("A5.1.3B", "J5.2.3"), "C3"),
    CARRY_OVER: (("A5.1.3A", "J5.2.3"), "C3"),
    BOUNDARY: (("A4.2.2", "J5.2.4"), "C3"),
    SCHEMES: (("interface", "interface"), "C3"),
    GAS: (("A3.2", "J3.2.4"), "C3"),
    LEVEL: (("B-C", "B-C"), "C4"),
    MASS: (("A5.1.1", "A5.1.1"), "C5"),
    UNLISTED: (("A5.1.2C", "A5.1.2C"), "C6"),
    ALLOY: (("A5.1.2C", "A5.1.2C"), "C6"),
    ELEMENT: (("A5.1.2C", "A5.1.2C"), "C7"),
    ENERGY: (("A5.1.2C", "A5.1.2C"), "C8"),
    SCOPE: (("A5.2.2C", "J5.3.2"), "C9"),
    PROMISED: (("interface", "interface"), "C15"),
}
"""Kind of limit -> its clause for aluminium and for steel, and the equation that states it."""


@dataclass(frozen=True)
class Clash:
    """One limit of a conflict.

    kind, of: which limit; words: to a planner; code, label: clause and equation; rows: (table, key, column)
    of the cells it stands on; alone: would the promise hold if this one gave way, all others standing?
    """

    kind: str
    of: str
    words: str
    code: str
    label: str
    rows: tuple[tuple[str, tuple[str, ...], str], ...]
    alone: bool

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "kind": self.kind, "of": self.of, "words": self.words, "code": self.code, "label": self.label,
            "row": [{"table": t, "key": list(k), "column": c} for t, k, c in self.rows],
            "alone": self.alone,
        }  # fmt: skip


class Namer:
    """Puts limits of a promise into words."""

    def __init__(self, promise: Promise) -> None:
        self.promise, self.sources, self.ask = promise, promise.sources, promise.ask
        self.case = promise.session.case
        self.ids = self.sources.lots.text("lot")
        self.product = self.sources.product

    def clash(self, key: Key, alone: bool) -> Clash:
        """A limit as a value."""
        kind, of = key
        lots = self._lots_of(key)
        codes, label = CODES[kind]
        code = codes[1] if self.case.rules.id.startswith("jisf") else codes[0]
        return Clash(kind, of, self._words(key, lots), code, label, self._rows(key, lots), alone)

    def _lots_of(self, key: Key) -> list[int]:
        """Lots (positions) that a limit is about, by name."""
        kind, of = key
        sources = self.sources.all
        if kind == CREDITS:
            supplied = [
                lot for first in self.promise.supply if self.promise.category_of(first) == of
                for lot in self._alike(first)
            ]  # fmt: skip
            return sorted(supplied)
        if kind == ORIGIN:
            origin = self.sources.lots.text("origin")
            return sorted(lot for s in sources for lot in s.lots if origin[lot] == of)
        # those that nothing else keeps away are named first, of these what carries most of the claim
        value = self.sources.value
        found = [
            (len(s.blocked), -round(float(value[s.lot]), 9), lot)
            for s in sources if key in s.blocked for lot in s.lots
        ]  # fmt: skip
        return [lot for _, _, lot in sorted(found)]

    def _alike(self, first: int) -> tuple[int, ...]:
        groups = [lots for lots in self.promise.problem.pools.group_lots if lots[0] == first]
        return groups[0] if groups else (first,)

    def _named(self, lots: list[int], say: str = "") -> str:
        """`L1, L2 and 3 more`, each with a column of it where one is named."""
        values = self.sources.lots.rows[say] if say else None
        told = [
            str(self.ids[lot]) if values is None else f"{self.ids[lot]} ({_day(values.iloc[lot])})"
            for lot in lots[:NAMED]
        ]
        more = f" and {len(lots) - NAMED} more" if len(lots) > NAMED else ""
        return ", ".join(told) + more

    def _words(self, key: Key, lots: list[int]) -> str:
        kind, of = key
        if kind in (ARRIVAL, EXPIRY, CARRY_OVER, SCHEMES, BOUNDARY, GAS, UNLISTED):
            return self._kept_away(kind, lots)
        if kind == ENERGY:
            use = float(self.sources.limit.use.get(of, 0))
            unit = {"electricity": "MWh", "heat": "GJ"}[of]
            return f"{self.ask.product} uses {use:g} {unit} of {of} per t"
        told: dict[str, Callable[[], str]] = {
            LEVEL: self._level,
            CREDITS: lambda: f"no more credits of {of} for {self.ask.period}: {self._named(lots)}",
            ORIGIN: lambda: f"{of}: one thing measured in several ways ({self._named(lots)}), used once",
            MASS: lambda: "credited mass is at most the product's own mass",
            ALLOY: lambda: f"alloy {self._alloy} takes at most {self._share(of)} of {of}",
            ELEMENT: lambda: f"alloy {self._alloy} holds at most {self._maximum(of)} wt % {of}",
            SCOPE: lambda: (
                f"reductions in scope {of} are at most {self.ask.product}'s intensity there, "
                f"{float(self.sources.limit.scopes[int(of) - 1]):g} t CO2e per t"
            ),
            PROMISED: lambda: self._promised(of),
        }
        return told[kind]()

    def _kept_away(self, kind: str, lots: list[int]) -> str:
        ask, own = self.ask, f"{self.ask.product} of alloy {self._alloy}"
        used = "used" if self.sources.lots.rows["used"].iloc[lots].notna().any() else "received"
        return {
            ARRIVAL: f"arrive after {ask.period}: {self._named(lots, used if lots else '')}",
            EXPIRY: f"expired before the end of {ask.period}: {self._named(lots, 'expires')}",
            CARRY_OVER: f"not carried over into {ask.period}: {self._named(lots)}",
            SCHEMES: f"accepted schemes are {', '.join(ask.schemes)}: not those of {self._named(lots)}",
            BOUNDARY: f"outside the boundary of {ask.product} (its accounting unit or organisation): "
            f"{self._named(lots)}",
            GAS: f"the intensity of {ask.product} is CO2 only, without GHG credits: {self._named(lots)}",
            UNLISTED: f"{own} takes none of {self._categories(lots)}: {self._named(lots)}",
        }[kind]

    def _categories(self, lots: list[int]) -> str:
        return ", ".join(sorted({str(self.sources.category[lot]) for lot in lots}))

    def _level(self) -> str:
        level = f"{float(self.ask.level):.9g}"
        if self.ask.claim == "cfp":
            return f"the claim: cfp of at most {level} t CO2e per t"
        unit = " t CO2e per t" if self.ask.claim == "reduction" else ""
        return f"the claim: {self.ask.claim} of at least {level}{unit}"

    @property
    def _alloy(self) -> str:
        return str(self.case.products.rows["alloy"].iloc[self.product])

    def _share(self, category: str) -> str:
        return f"{float(self.sources.limit.shares[category]):.9g} of its mass"

    def _maximum(self, element: str) -> str:
        return f"{float(self.sources.limit.elements[element][0]):.9g}"

    def _promised(self, order: str) -> str:
        names, held = self.promise.members[order], self.promise.held
        mass = dict(zip(self.promise.problem.names.orders, held.mass.tolist(), strict=True))
        total = sum(mass[name] for name in names)
        if names != [order]:
            more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
            return f"promised to {', '.join(names[:NAMED])}{more} ({order}): {total:.3f} t"
        at = self.case.orders.position[order]
        customer = str(self.case.orders.rows["customer"].iloc[at])
        rank = f"priority {self.case.orders.rows['priority'].iloc[at]:g}"
        return f"promised to {order}{f' ({customer})' if customer else ''}, {rank}: {total:.3f} t"

    def _rows(self, key: Key, lots: list[int]) -> tuple[tuple[str, tuple[str, ...], str], ...]:
        kind, of = key
        columns = {
            CREDITS: "quantity", EXPIRY: "expires", CARRY_OVER: "received",
            SCHEMES: "scheme", BOUNDARY: "site", GAS: "gas", UNLISTED: "category",
        }  # fmt: skip
        if kind == ORIGIN:
            # a lot counts by its part of the quantity
            return tuple(("lots", (str(self.ids[n]),), c) for n in lots for c in ("origin", "quantity"))
        if kind == ARRIVAL:
            given = self.sources.lots.rows["used"].notna()
            used = ["used" if given.iloc[lot] else "received" for lot in lots]
            return tuple(("lots", (str(self.ids[n]),), c) for n, c in zip(lots, used, strict=True))
        if kind in columns:
            return tuple(("lots", (str(self.ids[lot]),), columns[kind]) for lot in lots)
        if kind == ENERGY:
            name = {"electricity": "electricity_mwh_per_t", "heat": "heat_gj_per_t"}[of]
            return (("products", (self.ask.product,), name),)
        return {
            LEVEL: (("quote", (), "level"),),
            MASS: (("products", (self.ask.product,), "t_product_per_t_input"),),
            ALLOY: (("alloys", (self._alloy, of), "max_share"),),
            ELEMENT: (("alloy_limits", (self._alloy, of), "max_wt_pct"),),
            SCOPE: (("products", (self.ask.product,), f"s{of}"),),
            PROMISED: tuple(("orders", (name,), "mass_t") for name in self.promise.members.get(of, ())),
        }[kind]


def _day(value: object) -> str:
    return str(value)[:10]
