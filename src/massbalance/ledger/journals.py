"""Operations as plans: what is to be recorded is made from the ledger's state, then recorded at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from massbalance.ledger.approval import Approval, clause_of
from massbalance.ledger.checkpoint import sign
from massbalance.ledger.drafts import Draft, record
from massbalance.ledger.lots import commodity_of
from massbalance.ledger.problems import Conflict, Refused, fault
from massbalance.ledger.signing import Signer
from massbalance.ledger.state import LotState, Period, State
from massbalance.ledger.store import Ledger

Json = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """A journal to be: its header, the rows that follow, and documents to be archived."""

    kind: str
    details: Json
    drafts: tuple[Draft, ...] = ()
    period: str = ""
    subject: str = ""
    key: str = ""
    documents: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Done:
    """What an operation did: n of its journal (0: nothing was to be done), its rows, what it was about."""

    kind: str
    journal: int
    rows: int
    at: str
    details: Json = field(default_factory=dict)

    def document(self) -> Json:
        """For `--json`."""
        return {"kind": self.kind, "journal": self.journal, "rows": self.rows, "at": self.at, **self.details}


def operate(
    ledger: Ledger,
    kind: str,
    make: Callable[[State], Plan | Iterable[Plan] | None],
    approval: Approval | None = None,
    *,
    parameters: Mapping[str, Any] | None = None,
    signer: Signer | None = None,
) -> Done:
    """Make plans from the ledger as it is, and record them in one transaction, signed at the end.

    make: raises Refused or Conflict with all reasons; None where nothing is to be done. parameters: of
    the rule model that decides on four eyes where the ledger has none yet.
    """
    approval = Approval() if approval is None else approval
    signer = Signer.of(ledger.id) if signer is None else signer
    with ledger.writing() as writer:
        state = State(writer)
        made = make(state)
        plans = [made] if isinstance(made, Plan) else list(made or ())
        if not plans:
            return Done(kind, 0, 0, writer.head().at)
        force = state.rules or {}
        names = approval.checked(force.get("parameters", parameters), clause_of(force.get("id", "")))
        first = 0
        for plan in plans:
            details = {**plan.details, **names}
            n = writer.journal(
                plan.kind, key=plan.key, period=plan.period, subject=plan.subject, details=details
            )
            first = first or n
            record(writer, plan.drafts)
            for document in plan.documents:
                writer.archive(document)
        sign(writer, signer, names["approver"])
        head = writer.head()
    return Done(kind, first, head.n - first + 1, head.at, plans[-1].details)


def worth(lot: LotState, quantity: int) -> int:
    """Value of a quantity of the lot (millionths), g CO2e, rounded down."""
    return int(Fraction(str(lot.fact["unit_value"])) * quantity)


def known_period(state: State, name: str) -> Period:
    """An open period that the ledger knows. Refused where there is none, Conflict where it is locked."""
    period = state.periods.get(name)
    if period is None:
        words = f"a period of the ledger: {', '.join(state.periods) or 'there is none yet'}"
        raise Refused(fault(words, "A5.1.3A", column="period", value=name))
    through = state.closed_through
    if through is not None and period.start <= through:
        words = f"an open period: the ledger is locked through {through}"
        raise Conflict(fault(words, "A5.1.3A", column="period", value=name))
    return period


def known_lot(state: State, name: str) -> LotState:
    """A lot of the ledger. Refused where it does not know it."""
    lot = state.lot(name)
    if lot is None:
        raise Refused(fault("a lot of the ledger", "A4.2.1", column="lot", value=name))
    return lot


def enter(lot: LotState, period: Period) -> list[Draft]:
    """What carries the lot over into the period, if it holds something and is not there yet.

    Conflict where it stands in a later one already.
    """
    if lot.reached is not None and lot.reached > period.start:
        words = f"a period from {lot.reached} on, in which lot {lot.lot} stands"
        raise Conflict(fault(words, "A5.1.3A", column="period", value=period.name))
    if not lot.held or lot.reached == period.start:
        return []
    name = commodity_of(lot.lot)
    return [Draft("carried_over", period.name, name, "held", "held", lot.held, subject=lot.lot)]


def parameters_of(state: State) -> Mapping[str, Any]:
    """Parameters of the rule model in force. Refused where nothing was posted yet."""
    if state.rules is None:
        raise Refused(fault("a rule model in force: post a run, receive lots or adopt one first", "A4.2.1"))
    found: Mapping[str, Any] = state.rules["parameters"]
    return found


def group_worth(lots: Iterable[LotState], held: Mapping[str, int]) -> int:
    """What the lots of one origin are worth together, g CO2e: they are one thing, valued at the highest.

    held: lot -> millionths, instead of what the ledger holds of it.
    """
    return max((worth(lot, held.get(lot.lot, lot.held)) for lot in lots), default=0)
