"""What posted runs and their corrections must mean: checks that `verify_ledger` makes of every ledger.

- Effects: what a run's orders drew of lots is what its effects say, by effect and period; a lot without
  origin holds the value of what is left of it, an origin at least that of its best measure.
- Claims: a run's allocated rows sum to its claims, and those to its residual; a claim and its withdrawal
  alternate; no certificate stands without what it is about.
- Emissions, after every journal, to the gram: declared - held - retired = baseline - realised (A4.2.4,
  J5.3.3), where declared is what the residuals that stand and the corrections say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any

from massbalance.domain.faults import Fault
from massbalance.ledger import kinds
from massbalance.ledger.problems import fault
from massbalance.ledger.reading import Reading
from massbalance.ledger.rows import HELD, Row

Facts = Mapping[str, Any]
Totals = tuple[int, int, int, int]

CODE = "ledger-meaning"
PARTS = ("credited_g", "scope1_g", "scope2_g", "scope3_g")


class _Check:
    """Feeds facts to methods by the row's kind, and says when a journal has ended.

    A row whose details lack what its kind needs is a fault, not an error.
    """

    kinds: frozenset[str]

    def __init__(self) -> None:
        self.journal = 0
        self.last = 0

    def row(self, row: Row, facts: Facts) -> Iterator[Fault]:
        """One row."""
        ended, self.journal = self.journal, row.journal
        if ended and ended != row.journal:
            yield from self._read(self.journal_end)
        self.last = row.n
        yield from self._read(self.one, row, facts)

    def _read(self, find: Callable[..., Iterator[Fault]], *arguments: object) -> Iterator[Fault]:
        try:
            yield from find(*arguments)
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            words = f"details that every row of its kind has ({type(error).__name__}: {error})"
            yield fault(words, CODE, row=self.last, column="details")

    def one(self, row: Row, facts: Facts) -> Iterator[Fault]:
        """One row of one of its kinds."""
        raise NotImplementedError

    def journal_end(self) -> Iterator[Fault]:
        """After the last row of a journal that had any."""
        return iter(())

    def end(self, reading: Reading) -> Iterator[Fault]:
        """After the last row of all."""
        if self.journal:
            yield from self._read(self.journal_end)


class Claims(_Check):
    """Claims, residuals and their withdrawals alternate; certificates stand on what stands."""

    kinds = frozenset({"claim", "residual", "withdrawn", "certified", "cancelled", "reversal"})

    def __init__(self) -> None:
        super().__init__()
        self.live: dict[str, int] = {}
        self.times: dict[str, int] = {}
        self.certified: dict[int, list[str]] = {}
        self.gone: list[int] = []

    def one(self, row: Row, facts: Facts) -> Iterator[Fault]:
        """By kind."""
        if row.kind in ("claim", "residual"):
            yield from self._stated(row)
        elif row.kind == "withdrawn":
            yield from self._withdrawn(row, facts)
        elif row.kind == "certified":
            basis = int(facts.get("basis", 0))
            if basis not in self.live.values():
                yield fault("a claim or residual that stands", CODE, row=row.n, column="details", value=basis)
            self.certified.setdefault(basis, []).append(str(facts["serial"]))
        elif row.kind == "cancelled":
            for serials in self.certified.values():
                if facts["serial"] in serials:
                    serials.remove(facts["serial"])

    def _stated(self, row: Row) -> Iterator[Fault]:
        name = _name(row)
        k = self.times.get(name, 0) + 1
        if name in self.live or row.key != f"{name}:{k}":
            words = f"{name}:{k}, once what was before it is withdrawn"
            yield fault(words, CODE, row=row.n, column="key", value=row.key)
        self.live[name] = row.n

    def _withdrawn(self, row: Row, facts: Facts) -> Iterator[Fault]:
        name = (
            f"residual:{row.subject}:{facts['of_period']}" if "residual" in facts else f"claim:{row.subject}"
        )
        k = self.times.get(name, 0) + 1
        there = self.live.pop(name, None)
        about = name if "residual" in facts else row.subject
        said = facts["residual"] if "residual" in facts else facts["claim"]
        if there is None or there != said or row.key != f"withdrawn:{about}:{k}":
            words = f"withdrawn:{about}:{k}, of what stands"
            yield fault(words, CODE, row=row.n, column="key", value=row.key)
        self.times[name] = k
        self.gone.append(said)

    def journal_end(self) -> Iterator[Fault]:
        """What was withdrawn has no certificate left."""
        for n in self.gone:
            for serial in self.certified.get(n, ()):
                words = "a certificate that is cancelled with what it is about"
                yield fault(words, CODE, row=self.last, column="details", value=serial)
        self.gone = []


class Runs(_Check):
    """A posted run's rows say one thing: lots, effects, claims, residual and the header's totals."""

    kinds = frozenset(
        {"lot", "post", "allocated", "forgone", "expired", "retired", "claim", "residual", "intake"}
    )

    def __init__(self) -> None:
        super().__init__()
        self.effect: dict[str, str] = {}
        self._begin(None)

    def _begin(self, header: Facts | None, row: int = 0) -> None:
        self.header, self.header_row = header, row
        self.drawn: dict[str, Totals] = {}
        self.by_effect: dict[tuple[str, str], int] = {}
        self.totals: dict[str, int] = {}
        self.claims: dict[str, Totals] = {}
        self.claimed: dict[tuple[str, str], Totals] = {}
        self.residuals: dict[tuple[str, str], Facts] = {}

    def one(self, row: Row, facts: Facts) -> Iterator[Fault]:
        """By kind; outside posted runs only the lots matter."""
        if row.kind == "lot":
            origin = facts["row"].get("origin", "")
            name = f"{kinds.EFFECT}origin:{origin}" if origin else f"{kinds.EFFECT}{row.subject}"
            self.effect[f"{kinds.LOT}{row.subject}"] = name
        elif row.kind == "post":
            self._begin(facts, row.n)
        elif self.header is None or row.kind == "intake":
            pass
        elif row.kind == "claim":
            self._claim(row, facts)
        elif row.kind == "residual":
            self.residuals[row.subject, row.period] = facts
        elif row.commodity.startswith(kinds.LOT):
            if row.kind == "allocated":
                self._drawn(row, facts)
        elif not (row.kind == "retired" and facts):
            # what is retired with a reason was worth less from the start; no run's books know it
            self.totals[row.kind] = self.totals.get(row.kind, 0) + row.quantity
            if row.kind == "allocated":
                self._add(row.commodity, row.period, -row.quantity)
        return iter(())

    def _drawn(self, row: Row, facts: Facts) -> None:
        parts = _parts(facts)
        self.drawn[row.subject] = _plus(self.drawn.get(row.subject), parts)
        self._add(self.effect[row.commodity], row.period, sum(parts[1:]))

    def _add(self, effect: str, period: str, grams: int) -> None:
        place = effect, period
        self.by_effect[place] = self.by_effect.get(place, 0) + grams

    def _claim(self, row: Row, facts: Facts) -> None:
        self.claims[row.subject] = parts = _parts(facts)
        place = facts["product"], row.period
        self.claimed[place] = _plus(self.claimed.get(place), parts)

    def journal_end(self) -> Iterator[Fault]:
        """Everything of the run is there."""
        if self.header is not None:
            try:
                yield from self._ended(self.header["tco2e_g"])
            finally:
                self._begin(None)

    def _ended(self, told: Facts) -> Iterator[Fault]:
        for name, period in (place for place, left in self.by_effect.items() if left):
            words = f"what orders got of {name} in {period}, in its effect"
            yield fault(words, CODE, row=self.last, column="quantity", value=self.by_effect[name, period])
        for order in sorted(self.drawn.keys() | self.claims.keys()):
            if self.drawn.get(order, (0, 0, 0, 0)) != self.claims.get(order):
                words = f"{self.drawn.get(order)}, what order {order} drew, in its claim"
                yield fault(words, CODE, row=self.last, column="details", value=self.claims.get(order, ""))
        yield from self._residual()
        yield from self._totals(told)

    def _residual(self) -> Iterator[Fault]:
        for place in sorted(self.claimed.keys() | self.residuals.keys()):
            said = tuple(self.residuals[place]["allocated_g"]) if place in self.residuals else None
            claimed = self.claimed.get(place, (0, 0, 0, 0))[1:]
            if said != claimed:
                words = f"{claimed}, the claims of {' in '.join(place)}, in its residual"
                yield fault(words, CODE, row=self.last, column="details", value=said or "")

    def _totals(self, told: Facts) -> Iterator[Fault]:
        facts = self.residuals.values()
        released = sum(sum(f["released_g"]) for f in facts)
        retired = told["retired"] - told["retired_at_origin"]
        expected = {
            "baseline": sum(sum(f["baseline_g"]) for f in facts),
            "allocated": self.totals.get("allocated", 0),
            "forgone": self.totals.get("forgone", 0),
            "expired": self.totals.get("expired", 0),
            "retired_at_origin": self.totals.get("retired", 0),
            "released": released,
        }
        for name, grams in expected.items():
            if told[name] != grams:
                words = f"{grams} g, the sum of the run's rows"
                yield fault(words, CODE, row=self.header_row, column=f"tco2e_g.{name}", value=told[name])
        if released != expected["forgone"] + expected["expired"] - retired:
            words = (
                f"{expected['forgone'] + expected['expired'] - retired} g, forgone and expired less retired"
            )
            yield fault(words, CODE, row=self.header_row, column="tco2e_g.released", value=released)


class Worth(_Check):
    """After every journal a lot's effect is worth what the lot still holds."""

    kinds = kinds.MOVEMENTS | {"lot"}

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[str, int] = {}
        self.value: dict[str, Fraction] = {}
        self.lots: dict[str, list[str]] = {}
        self.effect: dict[str, str] = {}
        self.touched: set[str] = set()

    def one(self, row: Row, facts: Facts) -> Iterator[Fault]:
        """Keep what is held."""
        if row.commodity:
            if self.held.get(row.commodity) != row.held:
                self.held[row.commodity] = row.held or 0
                self.touched.add(self.effect.get(row.commodity, row.commodity))
        else:
            origin = facts["row"].get("origin", "")
            lot = f"{kinds.LOT}{row.subject}"
            name = f"{kinds.EFFECT}origin:{origin}" if origin else f"{kinds.EFFECT}{row.subject}"
            self.effect[lot] = name
            self.lots.setdefault(name, []).append(lot)
            self.value[lot] = Fraction(facts["unit_value"])
        return iter(())

    def journal_end(self) -> Iterator[Fault]:
        """Every effect that moved, or whose lots did."""
        for name in sorted(self.touched):
            held = self.held.get(name, 0)
            lots = self.lots.get(name, [])
            worth = max((int(self.value[lot] * self.held.get(lot, 0)) for lot in lots), default=0)
            if held < worth or (held > worth and not name.startswith(f"{kinds.EFFECT}origin:")):
                words = f"{worth} g CO2e, the value of what {', '.join(lots) or 'no lot'} holds"
                yield fault(words, CODE, row=self.last, column=name, value=held)
        self.touched = set()


class Emissions(_Check):
    """declared - held - retired = baseline - realised, after every journal."""

    kinds = kinds.MOVEMENTS | {"post", "residual", "withdrawn", "correction", "reversal"}

    def __init__(self) -> None:
        super().__init__()
        self.declared = self.baseline = self.realised = self.held = self.retired = 0
        self.stated: dict[int, tuple[int, int]] = {}

    def one(self, row: Row, facts: Facts) -> Iterator[Fault]:
        """By kind."""
        if row.commodity:
            if row.commodity.startswith(kinds.EFFECT):
                self._moved(row)
        elif row.kind == "post":
            told = facts["tco2e_g"]
            # what no run's residual released counts as retired
            self.retired += told["retired"] - told["retired_at_origin"] - told["expired"]
        elif row.kind == "residual":
            baseline = sum(facts["baseline_g"])
            declared = baseline - sum(facts["allocated_g"]) - sum(facts["released_g"])
            self.stated[row.n] = baseline, declared
            self._state(row.n, 1)
        elif row.kind == "withdrawn" and "residual" in facts:
            self._state(facts["residual"], -1)
        elif row.kind == "correction":
            self.declared += facts["declared_gco2e"]
        elif row.kind == "reversal":
            self.retired += facts["retired_g"]
        return iter(())

    def _state(self, n: int, sign: int) -> None:
        baseline, declared = self.stated[n]
        self.baseline += sign * baseline
        self.declared += sign * declared

    def _moved(self, row: Row) -> None:
        grams = row.quantity
        for account, change in ((row.debit, -grams), (row.credit, grams)):
            if account == kinds.SOURCE:
                self.realised -= change
            elif account == HELD:
                self.held += change
            elif account in ("retired", "expired"):
                self.retired += change

    def journal_end(self) -> Iterator[Fault]:
        """The identity."""
        left, right = self.declared - self.held - self.retired, self.baseline - self.realised
        if left != right:
            words = f"{right} g CO2e accounted: baseline less realised"
            yield fault(words, "emissions_identity", row=self.last, column="declared", value=left)
            self.declared += right - left  # told once


def _name(row: Row) -> str:
    return f"residual:{row.subject}:{row.period}" if row.kind == "residual" else f"claim:{row.subject}"


def _parts(facts: Facts) -> Totals:
    credited, one, two, three = (int(facts[name]) for name in PARTS)
    return credited, one, two, three


def _plus(total: Totals | None, parts: Totals) -> Totals:
    if total is None:
        return parts
    return (total[0] + parts[0], total[1] + parts[1], total[2] + parts[2], total[3] + parts[3])
