"""Why a promise cannot be kept, and what would mend it: the conflict and the relaxations of an ask."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from massbalance.quote.clash import Filter
from massbalance.quote.limits import Clash, Namer
from massbalance.quote.losers import LEAST_T
from massbalance.quote.mend import Again, Mender, Relaxation
from massbalance.quote.promise import LEVEL, PROMISED, Promise

if TYPE_CHECKING:
    from massbalance.quote.ask import Ask
    from massbalance.quote.session import Session

FIRST = {LEVEL: 0, PROMISED: 2}
"""The claim is read first, promises to others last."""
ROUNDING = "no limit clashes: what is missing is the solver's rounding"
MINIMUMS = (
    "it clashes with the case's minimum services (objective.minimum_service): without these all of it fits "
    "beside the firm orders"
)


@dataclass(frozen=True)
class Explanation:
    """Limits that clash, irreducible, and what would mend it; notes: how good the answer is, in words."""

    conflict: tuple[Clash, ...] = ()
    relaxations: tuple[Relaxation, ...] = ()
    smallest: bool = True
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """For JSON: the keys that a quote's document and that of `short` have in common."""
        return {
            "conflict": [one.as_dict() for one in self.conflict],
            "conflict_smallest": self.smallest,
            "relaxations": [one.as_dict() for one in self.relaxations],
            "conflict_notes": list(self.notes),
        }


def explain(
    session: Session,
    ask: Ask,
    feasible: float,
    *,
    periods: Collection[str] | None = None,
    again: Again | None = None,
) -> Explanation:
    """The explanation of an ask of which only `feasible` t fit; empty where all of it does.

    periods: those in which it could be had instead; None: any; again: how a relaxation is tried
    (mend.Mender).
    """
    if feasible >= ask.mass_t:
        return Explanation()
    promise = Promise(session, ask)
    limits = Filter(promise)
    found = limits.find()
    if found is None:
        minimums = bool(session.case.objective.minimums) and ask.mass_t - feasible > LEAST_T
        return Explanation(notes=(MINIMUMS if minimums else ROUNDING,))
    namer = Namer(promise)
    conflict = [namer.clash(key, key in found.alone) for key in found.keys]
    conflict.sort(key=lambda c: (FIRST.get(c.kind, 1), c.kind, c.of))
    relaxations = Mender(promise, limits, found, feasible, again).found(periods)
    notes = []
    if len(conflict) == 1:
        notes.append("no mix of this case's lots reaches the claim, whatever else gives way")
    if not found.smallest:
        notes.append("none of these limits can be left out; that no smaller set clashes is not proven")
    if session.decider is not None:
        notes.append("other orders' decisions (whole, minimum fill, offers) are taken as the run takes them")
    if not relaxations:
        notes.append("nothing that was looked for mends it")
    return Explanation(tuple(conflict), relaxations, found.smallest, tuple(notes))
